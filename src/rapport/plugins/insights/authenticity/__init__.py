"""Authenticity: how likely an account speaks for one human being, and not in concert with others or as a machine."""
