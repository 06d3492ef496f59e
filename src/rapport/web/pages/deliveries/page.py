"""Deliveries: every message that was meant to leave, what became of it, and why."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import selectors as consent
from rapport.events.rules import normal_identifier
from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.messaging import selectors
from rapport.messaging import services as messaging
from rapport.messaging.services.replying import FIRM
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import sending
from rapport.web.layout import Entry

entries = [
    Entry(
        "deliveries",
        gettext_lazy("Messages"),
        "sent",
        "reach",
        60,
        Right.SEE_MESSAGES,
        also=("delivery", "mail"),
    )
]

DAYS = {"1": 1, "7": 7, "30": 30, "": 30, "365": 365}
ASKED = ("state", "reason", "purpose", "campaign", "days", "q")


@dataclass(frozen=True, slots=True)
class Row:
    found: selectors.DeliveryView
    state: str
    tone: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Part:
    """One term of the sum, as a link that shows what is in it."""

    label: str
    n: int
    url: str
    is_here: bool


@needs(Right.SEE_MESSAGES)
def listing(request: HttpRequest) -> HttpResponseBase:
    asked = {key: request.GET.get(key, "").strip() for key in ASKED}
    since = clock.now() - dt.timedelta(days=DAYS.get(asked["days"], 30))
    everything = selectors.Filter(
        purpose=asked["purpose"],
        campaign=asked["campaign"],
        identifier=_identifier(asked["q"]),
        since=since,
    )
    shown = selectors.Filter(
        state=asked["state"] if asked["state"] in (*selectors.STATES, "waiting") else "",
        reason=asked["reason"],
        purpose=everything.purpose,
        campaign=everything.campaign,
        identifier=everything.identifier,
        since=since,
    )
    rows = selectors.deliveries(shown, before=request.GET.get("before", ""))
    sums = selectors.sums(everything)
    more = len(rows) == selectors.PAGE
    context: dict[str, Any] = {
        "asked": asked,
        "rows": [_row(row) for row in rows],
        "sums": sums,
        "parts": _parts(sums, asked),
        "reasons": [
            Part(
                sending.reason(reason),
                n,
                _address(asked, state=state, reason=reason),
                reason == asked["reason"],
            )
            for state, reason, n in sums.reasons
        ],
        "purposes": consent.purposes(),
        "campaigns": selectors.campaigns(),
        "is_ready": selectors.is_ready(),
        "is_narrowed": any(asked[key] for key in ("state", "reason", "purpose", "campaign", "q")),
        "next_url": _address(asked, before=selectors.place(rows[-1])) if more else "",
        "first_url": _address(asked) if request.GET.get("before") else "",
    }
    return render(request, "pages/deliveries/page.html", context)


def _parts(sums: selectors.Sums, asked: dict[str, str]) -> list[Part]:
    """Sent, withheld, failed; and only where there are any, those of unknown fate and those that wait."""
    terms = [
        (_("sent"), "sent", sums.sent, True),
        (_("withheld"), "withheld", sums.withheld, True),
        (_("failed"), "failed", sums.failed, True),
        (_("unknown"), "unknown", sums.unknown, False),
        (_("waiting"), "waiting", sums.waiting, False),
    ]
    return [
        Part(label, n, _address(asked, state=state, reason=""), asked["state"] == state)
        for label, state, n, always in terms
        if n or always
    ]


def _row(found: selectors.DeliveryView) -> Row:
    label, tone = sending.state(found.state)
    reason = sending.reason(found.reason) if found.reason else ""
    is_own_post = found.identifier.startswith(f"{FIRM}:")
    message = _("Post of our own") if is_own_post else sending.message(found.template)
    return Row(found, label, tone, reason, message)


def _identifier(text: str) -> str:
    if not text:
        return ""
    namespace, colon, value = text.partition(":")
    return normal_identifier(namespace, value) if colon else normal_identifier("email", text)


def _address(asked: dict[str, str], **changed: str) -> str:
    kept = {key: value for key, value in (asked | changed).items() if value}
    return f"{reverse('deliveries')}?{urlencode(kept)}" if kept else reverse("deliveries")


@needs(Right.SEE_MESSAGES)
def one(request: HttpRequest, delivery: uuid.UUID) -> HttpResponseBase:
    found = selectors.delivery(delivery)
    person = None
    if found.identifier and may(request, Right.SEE_PEOPLE):
        try:
            person = people.person_id(found.identifier)
        except NotFound:
            person = None  # a colleague, or an address that the log has not heard of yet
    known = messaging.templates().get(found.template)
    context = {
        "row": _row(found),
        "person": person,
        "meaning": known.meaning if known else "",
        "purpose": next((p.name for p in consent.purposes() if p.key == found.purpose), found.purpose),
        "n_clicks": selectors.n_clicks(found.id) if found.links else 0,
    }
    return render(request, "pages/deliveries/one.html", context)


urlpatterns = [
    path("messages/", listing, name="deliveries"),
    path("messages/<uuid:delivery>/", one, name="delivery"),
]
