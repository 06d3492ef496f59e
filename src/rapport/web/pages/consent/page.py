"""Consent: how everybody stands to each purpose, and every answer with its evidence."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import rules, services
from rapport.consent import selectors as consent
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.access import may, needs
from rapport.web.components import consenting, formats, ledger
from rapport.web.layout import Action, Entry
from rapport.web.pages.consent import purposes, telling

entries = [
    Entry(
        "consent",
        gettext_lazy("Consent"),
        "check",
        "setup",
        10,
        Right.SEE_PRIVACY,
        also=(
            "consent_people",
            "consent_ledger",
            "consent_purposes",
            "consent_purpose",
            "consent_purpose_new",
        ),
    )
]
actions = [
    Action("consent_ledger", gettext_lazy("Ledger of consent"), Right.SEE_PRIVACY),
    Action("consent_purpose_new", gettext_lazy("New purpose"), Right.CHANGE_PRIVACY),
]

SHOWN = ("granted", "unasked", "denied", "withdrawn", "expired")


@dataclass(frozen=True, slots=True)
class Figure:
    """How many people stand in one way, and where they are listed."""

    label: str
    n: int
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """One purpose on one channel, and how everybody stands to it."""

    key: str
    name: str
    short: str  # begins with what differs, so that a chart may cut its end
    basis: str
    allowed: int
    total: int
    figures: tuple[Figure, ...]
    url: str


@needs(Right.SEE_PRIVACY)
def coverage(request: HttpRequest) -> HttpResponseBase:
    rows = [
        _row(purpose, standing)
        for purpose in consent.purposes(active_only=True)
        if purpose.can_be_refused
        for standing in consent.coverage(purpose.key)
    ]
    context = {
        "tab": "coverage",
        "rows": rows,
        "total": rows[0].total if rows else 0,
        "states": [ledger.state(state) for state in SHOWN],
        "chart": _chart(rows) if rows and rows[0].total else None,
        "undefined": consent.undefined_purposes(),
        "can_change": may(request, Right.CHANGE_PRIVACY),
    }
    return render(request, "pages/consent/page.html", context)


def _row(purpose: consent.PurposeView, standing: consent.Standing) -> Row:
    name = consenting.name(purpose)
    figures = tuple(
        Figure(ledger.state(state), standing.of(state), _people_url(purpose.key, standing.channel, state))
        for state in SHOWN
    )
    of = _people_url(purpose.key, standing.channel, rules.GRANTED)
    return Row(
        key=purpose.key,
        name=ledger.purpose_and_channel(name, standing.channel),
        short=ledger.channel_and_purpose(name, standing.channel),
        basis=ledger.basis(purpose.legal_basis),
        allowed=standing.allowed,
        total=standing.total,
        figures=figures,
        url=of if purpose.needs_consent and standing.allowed else "",
    )


def _people_url(purpose: str, channel: str, state: str) -> str:
    asked = {"purpose": purpose, "channel": channel, "state": state}
    return f"{reverse('consent_people')}?{urlencode({k: v for k, v in asked.items() if v})}"


def _chart(rows: list[Row]) -> charts.Chart:
    """The share of everybody to whom each use is allowed."""
    asked = [row for row in rows if row.url]
    best = max(asked or rows, key=lambda row: row.allowed)
    title = _("%(what)s reaches the most: %(share)s") % {
        "what": best.name,
        "share": formats.share(best.allowed, best.total),
    }
    ordered = sorted(rows, key=lambda row: -row.allowed)
    return charts.ranked(
        title,
        [(row.short, row.allowed, row.url) for row in ordered],
        label_title=_("Use"),
        value_title=_("People to whom it is allowed, of %(n)s") % {"n": formats.number(best.total)},
        right=Right.SEE_PRIVACY,
        full_width=True,
    )


@needs(Right.SEE_PRIVACY)
def standing(request: HttpRequest) -> HttpResponseBase:
    """The people behind one figure."""
    asked = {key: request.GET.get(key, "") for key in ("purpose", "channel", "state")}
    before = request.GET.get("before", "0")
    chosen = consent.purpose(asked["purpose"])
    found = consent.people_standing(
        chosen.key, asked["channel"], asked["state"], before=int(before) if before.isdecimal() else 0
    )
    address = _people_url(**asked)
    n = next(s for s in consent.coverage(chosen.key) if s.channel == asked["channel"]).of(asked["state"])
    context = {
        "title": _("%(what)s: %(state)s")
        % {
            "what": ledger.purpose_and_channel(consenting.name(chosen), asked["channel"]),
            "state": ledger.state(asked["state"]),
        },
        "n": n,
        "people": found.people,
        "can_open": may(request, Right.SEE_PEOPLE),
        "next_url": f"{address}&before={found.next}" if found.next else "",
        "first_url": address if before != "0" else "",
    }
    return render(request, "pages/consent/people.html", context)


@needs(Right.SEE_PRIVACY)
def ledger_page(request: HttpRequest) -> HttpResponseBase:
    """Every answer, newest first, or those of one person."""
    keys = ("purpose", "state", "how", "channel")
    asked = {key: request.GET.get(key, "") for key in keys}
    of = request.GET.get("of", "")
    before = request.GET.get("before", "")
    if of:
        who: people.PersonView | None = people.person(of)
        found = consent.ledger_of(who.subjects) if who else []
        last = None
    else:
        who = None
        chosen = consent.LedgerFilter(
            asked["purpose"], asked["channel"] or None, asked["state"], asked["how"]
        )
        found = consent.ledger_page(chosen, before=_before(before))
        last = found[-1] if len(found) == consent.PAGE else None
    address = reverse("consent_ledger") + "?" + urlencode({k: v for k, v in asked.items() if v})
    names = {p.key: consenting.name(p) for p in consent.purposes()}
    context = {
        "tab": "ledger",
        "who": who,
        "asked": asked,
        "rows": [(row, _said(row, names)) for row in found],
        "purposes": names.items(),
        "channels": [(c, consenting.channel(c)) for c in services.CHANNELS],
        "states": [(s, ledger.state(s)) for s in rules.STATES],
        "hows": [(h, label) for h, label in ledger.HOW.items()],
        "is_filtered": any(asked.values()),
        "next_url": f"{address}&before={clock.to_us(last.at)}.{last.id}" if last else "",
        "first_url": address if before else "",
        "can_open": may(request, Right.SEE_PEOPLE),
    }
    return render(request, "pages/consent/ledger.html", context)


def _said(row: consent.LedgerRow, names: dict[str, str]) -> dict[str, Any]:
    tones = {"granted": "accent", "denied": "danger", "withdrawn": "danger"}
    is_over = row.expires_at is not None and row.state == rules.GRANTED and row.expires_at <= clock.now()
    wording = consent.wording(row.purpose, row.wording) if row.wording else None
    return {
        "what": ledger.purpose_and_channel(names.get(row.purpose, row.purpose), row.channel),
        "state": ledger.state("expired" if is_over else row.state),
        "tone": "warn" if is_over else tones.get(row.state, ""),
        "how": ledger.how(row.how),
        "wording": wording.text if wording else "",
    }


def _before(text: str) -> tuple[Any, uuid.UUID] | None:
    if not text:
        return None
    us, _dot, key = text.partition(".")
    try:
        return clock.from_us(int(us)), uuid.UUID(key)
    except (ValueError, OverflowError):
        raise Invalid(
            _("the page address “%(value)s” is damaged") % {"value": text}, _("Begin at the first page.")
        ) from None


urlpatterns = [
    path("privacy/consent/", coverage, name="consent"),
    path("privacy/consent/people/", standing, name="consent_people"),
    path("privacy/consent/ledger/", ledger_page, name="consent_ledger"),
    *purposes.urlpatterns,
    *telling.urlpatterns,
]
