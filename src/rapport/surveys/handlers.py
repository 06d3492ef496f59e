"""What surveys do for others: forget somebody's answers, and show them to them."""

from __future__ import annotations

from rapport.consent import erasers, exporters
from rapport.surveys.models import Answer, Invitation, Response, Seat
from rapport.surveys.selectors import everything

NAME = "surveys"


def register() -> None:
    """Be asked at every erasure, and whenever somebody wants to see everything we know of them."""
    erasers.register(NAME, erase)
    exporters.register(NAME, everything.sections)


def erase(erasing: erasers.Erasing) -> int:
    """Forget answers, responses and invitations. The places that finished answers took stay taken."""
    mine = Response.objects.filter(identifier__in=erasing.identifiers)
    n = Invitation.objects.filter(identifier__in=erasing.identifiers).delete()[0]
    for of_mine in (Seat, Answer):
        n += of_mine.objects.filter(response__in=mine).delete()[0]  # type: ignore[attr-defined]
    return n + mine.delete()[0]
