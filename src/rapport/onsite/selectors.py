"""Questions to onsite: the sites and their settings, what arrives and what is refused, whom to greet how."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from rapport.consent import selectors as consent
from rapport.events import lake, loader, spool
from rapport.events import selectors as events
from rapport.events.collector import refusals
from rapport.events.collector import sites as published
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.onsite import rules
from rapport.onsite.models import Shown, Site, Slot
from rapport.people import selectors as people

RECENT = dt.timedelta(minutes=15)
ARRIVALS_MAX = 50
QUIET = dt.timedelta(days=1)  # without an event, something may have been taken off the pages


@dataclass(frozen=True, slots=True)
class SlotView:
    """A named place and what stands in it."""

    name: str
    kind: str
    content: dict[str, dict[str, str]]
    is_on: bool


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site and its settings."""

    source: str
    key: str
    is_on: bool
    origins: tuple[str, ...]
    before_consent: str
    is_asking: bool
    purposes: tuple[str, ...]
    texts: dict[str, dict[str, str]]
    language: str
    search: tuple[str, ...]
    forms: tuple[str, ...]
    greets: bool
    ask_again_days: int
    login_secret: str
    slots: tuple[SlotView, ...]
    changed_at: dt.datetime
    changed_by: str


def sites() -> list[SiteView]:
    """Every site, the oldest first."""
    slots: dict[int, list[SlotView]] = {}
    for slot in Slot.objects.order_by("name"):
        slots.setdefault(slot.site_id, []).append(SlotView(slot.name, slot.kind, slot.content, slot.is_on))
    return [_view(row, tuple(slots.get(row.id, ()))) for row in Site.objects.order_by("id")]


def site(source: str) -> SiteView:
    """One site, or NotFound."""
    found = next((one for one in sites() if one.source == source), None)
    if found is None:
        raise NotFound(f"there is no site {source!r}", "The page Tracking lists the sites.")
    return found


def shown_text(version: str) -> str | None:
    """The text that a banner showed under a version, or None where it was none of its own."""
    return Shown.objects.filter(version=version).values_list("text", flat=True).first()


def _view(row: Site, slots: tuple[SlotView, ...]) -> SiteView:
    return SiteView(
        source=row.source,
        key=row.key,
        is_on=row.is_on,
        origins=tuple(row.origins),
        before_consent=row.before_consent,
        is_asking=row.is_asking,
        purposes=tuple(row.purposes),
        texts=row.texts,
        language=row.language,
        search=tuple(row.search),
        forms=tuple(row.forms),
        greets=row.greets,
        ask_again_days=row.ask_again_days,
        login_secret=published.login_secret(row.key, published.Site(source=row.source, login=row.login)),
        slots=slots,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


# What arrives


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that reached the collector lately, and what became of it."""

    at: dt.datetime
    fate: str  # loaded, waiting, quarantined, refused
    name: str
    identifier: str = ""
    path: str = ""
    origin: str = ""
    reason: str = ""
    message: str = ""
    n: int = 1
    key: str = ""  # of the row in quarantine
    detail: str = ""  # what was searched, chosen, pressed or sent


def arrivals(source: str, *, since: dt.datetime | None = None) -> list[Arrival]:
    """What came from a site in the last minutes, newest first: loaded, waiting, in quarantine, refused."""
    since = since or clock.now() - RECENT
    found = [*_in_lake(source, since), *_refused(source, since), *_quarantined(source, since)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:ARRIVALS_MAX]


def _in_lake(source: str, since: dt.datetime) -> list[Arrival]:
    con = lake.connect()
    try:
        asked = {"source": source, "since": since, "early": since - dt.timedelta(days=2), "n": ARRIVALS_MAX}
        rows = query.run(con, query.load("rapport.onsite", "arrived"), asked).fetchall()
        loaded = loader.offset(con)
    finally:
        con.close()
    found = [
        Arrival(at, "loaded", name, identifier or "", path or "", detail=detail or "")
        for at, name, identifier, path, detail in rows
    ]
    box = spool.current()
    for body in box.read(loaded + 1, max_events=ARRIVALS_MAX, max_bytes=1_000_000):
        if body.source == source and body.kind == spool.SEGMENT and body.body:
            at = clock.from_us(body.received_at)
            found += [_waiting(at, message, source) for message in json.loads(body.body)["batch"]]
    return found


def _waiting(at: dt.datetime, message: dict[str, Any], source: str) -> Arrival:
    anonymous = message.get("anonymousId")
    name = message.get("event") or {"page": "page_viewed", "identify": "person_identified"}.get(
        message.get("type", ""), ""
    )
    path = (message.get("properties") or {}).get("path", "")
    return Arrival(at, "waiting", name, f"anonymous:{anonymous}" if anonymous else f"site:{source}", path)


def _refused(source: str, since: dt.datetime) -> list[Arrival]:
    """Of this site; and whoever used a key that no site has, because that may be this site's old one."""
    return [
        Arrival(clock.from_us(one.at_us), "refused", one.what, origin=one.origin, reason=one.reason, n=one.n)
        for one in refusals.read()
        if one.source in (source, "") and clock.from_us(one.at_us) >= since
    ]


def _quarantined(source: str, since: dt.datetime) -> list[Arrival]:
    return [
        Arrival(
            row.received_at,
            "quarantined",
            _name_in(row.body),
            reason=row.reason,
            message=row.message,
            key=str(row.key),
        )
        for row in events.quarantine_page()
        if row.source == source and row.received_at >= since
    ]


def _name_in(body: str) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("event") or found.get("type") or "") if isinstance(found, dict) else ""


@dataclass(frozen=True, slots=True)
class SiteState:
    """How a site fares: when it was last heard of, and what it sent in a day."""

    last_at: dt.datetime | None
    n_identified: int  # events of browsers that allowed them, in the last 24 hours
    n_counted: int
    n_machines: int
    n_accepted: int  # answers to the banner
    n_partly: int
    n_refused: int

    @property
    def is_quiet(self) -> bool:
        return self.last_at is None or clock.now() - self.last_at > QUIET


def state(source: str) -> SiteState:
    """How a site fares."""
    con = lake.connect()
    try:
        now = clock.now()
        asked = {"source": source, "now": now, "early": now - dt.timedelta(days=31)}
        row = query.run(con, query.load("rapport.onsite", "state"), asked).fetchone()
    finally:
        con.close()
    assert row is not None
    return SiteState(row[0], *(int(n or 0) for n in row[1:]))


# Whom to greet


def greeting(key: str, slot: str, anonymous: str, language: str) -> str:
    """The greeting by name for a browser, or empty.

    Empty unless the site greets, personalisation was allowed and still is, and the browser is tied to
    somebody known by what proves it: their log-in or a link that was sent to them alone.
    """
    row = Site.objects.filter(key=key, is_on=True, greets=True).first()
    place = Slot.objects.filter(site=row, name=slot, kind=rules.GREETING, is_on=True).first() if row else None
    if place is None:
        return ""
    ref = f"anonymous:{anonymous}"
    answer = consent.allows(ref, rules.PERSONAL)
    if not answer.allowed or answer.reason != "granted":
        return ""
    try:
        person = people.person(ref)
    except NotFound:
        return ""
    core = set(people.identifiers_for(people.core_subjects(people.subject_of(ref))).values())
    proved = any(
        edge.state == "accepted" and edge.evidence in rules.SURE and ref in (edge.a, edge.b)
        for edge in person.edges
    )
    is_known = any(text.partition(":")[0] in KNOWN_NAMESPACES for text in core)
    if not (proved and is_known):
        return ""
    for trait in person.traits:
        if trait.name == "given_name" and trait.chosen.identifier in core and trait.chosen.value:
            return rules.greeting(place.content, language, str(trait.chosen.value)[:60])
    return ""


def origins_of(key: str) -> tuple[str, ...] | None:
    """Where the pages of the site with this key live; None where there is no such site."""
    row = Site.objects.filter(key=key, is_on=True).values_list("origins", flat=True).first()
    return None if row is None else tuple(row)
