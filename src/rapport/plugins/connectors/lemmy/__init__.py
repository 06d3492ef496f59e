"""Lemmy, and whatever else speaks the third version of its API."""
