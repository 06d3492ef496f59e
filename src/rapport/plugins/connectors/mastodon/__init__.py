"""Mastodon, and whatever else speaks its API to the same network."""
