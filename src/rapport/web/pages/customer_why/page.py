"""Why somebody hears from us: for each use and channel the ground, and the words that it stands on."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rapport.consent import selectors as consent
from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.messaging import selectors as messaging
from rapport.web.components import consenting
from rapport.web.customers import Holder, for_holder, show


@dataclass(frozen=True, slots=True)
class Ground:
    """One use of somebody's details on one channel, and why it is lawful."""

    name: str
    meaning: str
    channel: str
    because: str
    evidence: str
    wording: str


@dataclass(frozen=True, slots=True)
class Written:
    """One message that somebody got."""

    at: dt.datetime
    ground: Ground | None
    campaign: str


@require_safe
@for_holder
def why(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    purposes = consent.purposes(active_only=True)
    ledger = consent.ledger(holder.identifier)
    grounds, refused = [], []
    for purpose in purposes:
        for channel in purpose.channels or ("",):
            found = _ground(holder, purpose, channel, ledger, clock.now())
            if found:
                grounds.append(found)
            else:
                refused.append((consenting.name(purpose), consenting.channel(channel) if channel else ""))
    context = {
        "title": _("Why you hear from us"),
        "message": _message(request.GET.get("message", ""), holder, ledger),
        "grounds": grounds,
        "refused": refused,
        "wishes_url": holder.url("preferences"),
    }
    return show(request, "pages/customer_why/page.html", context, holder=holder)


def _message(message_id: str, holder: Holder, ledger: Sequence[consenting.Said]) -> Written | None:
    """The message asked about, if it went to this holder; somebody else's is as if there were none."""
    if not message_id:
        return None
    try:
        delivery = messaging.delivery(uuid.UUID(message_id))
    except (NotFound, ValueError):  # no such message, or a text that is no id
        return None
    if delivery.identifier != holder.identifier:
        return None
    at = delivery.ended_at or delivery.planned_at
    purpose = next((p for p in consent.purposes() if p.key == delivery.purpose), None)
    ground = _ground(holder, purpose, delivery.channel, ledger, at) if purpose else None
    return Written(at, ground, delivery.campaign)


def _ground(
    holder: Holder,
    purpose: consent.PurposeView,
    channel: str,
    ledger: Sequence[consenting.Said],
    at: dt.datetime,
) -> Ground | None:
    """Why a use was lawful at a time; None where it was not allowed then."""
    answer = consent.allows(holder.identifier, purpose.key, channel, at)
    if not answer.allowed:
        return None
    said = consenting.latest((s for s in ledger if s.at <= at), purpose.key, channel)
    evidence = ""
    if said and answer.since:
        evidence = consenting.since(answer.state, answer.since, said.how, said.shown)
    words = consent.wording(purpose.key, said.wording) if said and said.wording else None
    return Ground(
        name=consenting.name(purpose),
        meaning=consenting.meaning(purpose),
        channel=consenting.channel(channel) if channel else "",
        because=consenting.ground(purpose.legal_basis),
        evidence=evidence,
        wording=words.text if words else "",
    )


urlpatterns = [path("my/why/<str:token>", why, name="customer_why")]
