"""Questions about surveys: how they stand, who answered what, what it comes to."""

from __future__ import annotations

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

__all__ = ["Asked", "ResponseView", "asked", "first_walk", "may_show", "others", "response", "response_of"]
