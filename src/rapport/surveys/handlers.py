"""What surveys do for others: forget somebody's answers, and show them to them."""

from __future__ import annotations

from rapport.consent import erasers, exporters
from rapport.messaging.services import register_template
from rapport.surveys.models import Answer, Invitation, Response, Seat
from rapport.surveys.selectors import everything
from rapport.surveys.services import inviting

NAME = "surveys"


def register() -> None:
    """Be asked at every erasure and every access; make the invitation known to messaging."""
    erasers.register(NAME, erase)
    exporters.register(NAME, everything.sections)
    register_template(inviting.TEMPLATE)


def erase(erasing: erasers.Erasing) -> int:
    """Forget answers, responses and invitations. The places that finished answers took stay taken."""
    mine = Response.objects.filter(identifier__in=erasing.identifiers)
    n = Invitation.objects.filter(identifier__in=erasing.identifiers).delete()[0]
    for of_mine in (Seat, Answer):
        n += of_mine.objects.filter(response__in=mine).delete()[0]
    return n + mine.delete()[0]
