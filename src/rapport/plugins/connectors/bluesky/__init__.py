"""Bluesky, over the AT Protocol's XRPC."""
