"""Questions about surveys: how they stand, who answered what, what it comes to."""

from __future__ import annotations

from rapport.surveys.selectors.inviting import Base, Invitable, invitable
from rapport.surveys.selectors.standing import (
    Asked,
    ResponseView,
    asked,
    first_walk,
    may_show,
    others,
    response,
    response_of,
)

__all__ = [
    "Asked",
    "Base",
    "Invitable",
    "ResponseView",
    "asked",
    "first_walk",
    "invitable",
    "may_show",
    "others",
    "response",
    "response_of",
]
