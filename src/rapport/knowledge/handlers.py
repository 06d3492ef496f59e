"""What knowledge does for others."""

from __future__ import annotations


def register() -> None:
    """Be told of what is said outside; be asked at every erasure."""
