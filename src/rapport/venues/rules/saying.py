"""Sentences of findings: English here, and marked so that a screen can say them in its reader's language. Pure."""

from __future__ import annotations


def gettext_noop(text: str) -> str:
    """The text as it is; whoever shows it translates it."""
    return text
