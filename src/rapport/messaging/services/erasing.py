"""Forgetting somebody in what was sent, and showing it to them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, Value
from django.db.models.fields import CharField
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting, Section
from rapport.kit import bulk, clock
from rapport.messaging.models import Click, Confirmation, Delivery, Reply
from rapport.messaging.services.preparing import ANSWER

SHOWN_MAX = 10_000


def erase(erasing: Erasing) -> int:
    """Empty every delivery of these identifiers; that a message was sent stays counted, and not to whom.

    What was planned for them does not leave.
    """
    n = 0
    for part in bulk.parts(erasing.identifiers):
        n += Confirmation.objects.filter(identifier__in=part).delete()[0]
        mine = Delivery.objects.filter(identifier__in=part)
        n += Click.objects.filter(delivery__in=mine.values("id")).delete()[0]
        n += Reply.objects.filter(delivery__in=mine.values("id")).delete()[0]
        mine.filter(state=Delivery.State.PLANNED).update(
            state=Delivery.State.WITHHELD, reason="suppressed_erased", next_try_at=None, ended_at=clock.now()
        )
        n += mine.update(
            identifier="",
            key=Concat(Value("erased:"), Cast(F("id"), CharField())),
            context={},
            links=[],
            answer="",
            transcript="",
            is_told=True,
        )
    return n


def sections(exporting: Exporting) -> Iterator[Section]:
    """What we sent or meant to send to somebody, and what they were asked to confirm."""
    rows = list(
        Delivery.objects.filter(identifier__in=exporting.identifiers).order_by("-planned_at")[:SHOWN_MAX]
    )
    answers = {
        delivery: text
        for part in bulk.parts([row.id for row in rows if row.template == ANSWER])
        for delivery, text in Reply.objects.filter(delivery__in=part).values_list("delivery", "text")
    }
    yield Section(
        title=_("Messages"),
        origin=_("what we sent, or meant to"),
        rows=[
            {
                "when": row.ended_at or row.planned_at,
                "to": row.identifier,
                "message": row.template,
                "campaign": row.campaign,
                "purpose": row.purpose,
                "channel": row.channel,
                "what became of it": row.state,
                "why": row.reason,
                "our words": answers.get(row.id, ""),
            }
            for row in rows
        ],
    )
    waiting = Confirmation.objects.filter(identifier__in=exporting.identifiers).order_by("-asked_at")
    yield Section(
        title=_("Consents you were asked to confirm"),
        origin=_("a form into which this address was typed"),
        rows=[
            {
                "asked": row.asked_at,
                "to": row.identifier,
                "purpose": row.purpose,
                "where": row.shown,
                "confirmed": row.confirmed_at,
            }
            for row in waiting
        ],
    )
