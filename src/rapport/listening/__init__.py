"""Listening: files and, later, networks that we read; importers only record events."""
