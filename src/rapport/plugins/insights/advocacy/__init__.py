"""Advocacy: how somebody stands toward the firm, per network and overall, and how sure that is."""
