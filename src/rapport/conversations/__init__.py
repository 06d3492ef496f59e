"""Conversations: messages on one matter, wherever they were written, until the matter is settled."""
