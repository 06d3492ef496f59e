"""Hacker News, which is only read."""
