"""Texts as numbers: words, hashed features, learning from labels, and how good that is. No meaning, no domain."""
