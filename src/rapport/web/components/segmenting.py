"""What the screens of segments show beside a rule: how many, whom of them one reaches, a few of them."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from rapport.consent import selectors as consent
from rapport.consent.services import Warrant
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.segments import rules, selectors
from rapport.segments import services as segments
from rapport.segments.rules import tree
from rapport.segments.selectors import columns, looking_back
from rapport.staff import selectors as staff
from rapport.web import latest
from rapport.web.components import consenting, formats, segmentforms, sparks
from rapport.web.components.segmentcontrols import Offer
from rapport.web.components.sparks import Spark

REACH = "marketing"  # whom one can reach is asked for this purpose, or for the first that has channels
SHOWN = 5
YEAR_POINTS = 13
CHANGE_DAYS = 7


def offer(of: str = "") -> Offer:
    """What a rule may be about here, in the reader's words."""
    catalogue = selectors.catalogue()
    return Offer(
        catalogue,
        staff.currency(),
        all_uses(),
        of,
        functools.partial(rules.check, catalogue=catalogue, now=clock.now()),
    )


def how_counted() -> str:
    """What a reader must know of days and money here, whose edges are not those of the firm's own books."""
    firm = staff.organisation()
    zone = firm.timezone if firm else "UTC"
    begins = (
        clock.now().replace(hour=0, minute=0, second=0, microsecond=0).astimezone(zoneinfo.ZoneInfo(zone))
    )
    days = _("Days are whole days in UTC.")
    if begins.utcoffset():
        days = _("Days are whole days in UTC: here one begins at %(time)s (%(zone)s).") % {
            "time": f"{begins:%H:%M}",
            "zone": zone,
        }
    money = _("Money is added up in %(currency)s; an amount in another currency is added as it stands.") % {
        "currency": staff.currency()
    }
    return f"{days} {money}"


def all_uses() -> list[tuple[str, str]]:
    """The purposes that one can ask about, and each of their channels."""
    found = []
    for purpose in consent.purposes(active_only=True):
        name = consenting.name(purpose)
        found.append((purpose.key, name))
        found += [(f"{purpose.key}.{c}", f"{name}: {consenting.channel(c)}") for c in purpose.channels]
    return found


def purposes() -> list[tuple[str, str]]:
    """The purposes that a segment may serve."""
    return [(p.key, consenting.name(p)) for p in consent.purposes(active_only=True)]


def reach_purpose() -> consent.PurposeView | None:
    """The purpose for which it is said whom one can reach."""
    with_channels = [p for p in consent.purposes(active_only=True) if p.channels]
    return next((p for p in with_channels if p.key == REACH), with_channels[0] if with_channels else None)


def leave(request: HttpRequest, purpose: str = "") -> Warrant:
    """Leave of whoever asks to see people by rules."""
    assert request.user.is_authenticated
    return segments.leave(request.user.email, purpose or segments.PURPOSE)


def purpose_name(key: str) -> str:
    """What the purpose is called that a segment serves."""
    return next((name for found, name in purposes() if found == key), key)


@contextmanager
def latest_of(request: HttpRequest, kind: str) -> Iterator[latest.Question]:
    """One question of a kind and reader at a time; see `latest`."""
    assert request.user.is_authenticated
    with latest.only_latest(f"{kind}:{request.user.pk}") as question:
        yield question


# ---- beside the rule ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """How many of them one channel reaches."""

    label: str
    n: int
    note: str


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that is not counted, and why."""

    place: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Live:
    """What a rule comes to now."""

    n: int
    of_all: str
    as_of: str
    wrong: list[WrongRow]
    reach: list[Reach]
    sample: list[people.PersonRow]
    draws_year: bool


def live(built: segmentforms.Built, given: Warrant) -> Live:
    """How many fit the rule, whom of them one can reach, and a few of them."""
    purpose = reach_purpose()
    size = selectors.size(built.rule, given, reach=purpose.key if purpose else "", shown=SHOWN)
    return Live(
        n=size.n,
        of_all=_("%(percent)s of %(people)s")
        % {
            "percent": formats.percent(size.share, 1 if size.share < 0.1 else 0),
            "people": formats.people(size.n_people),
        },
        as_of=as_of(),
        wrong=wrong_rows(built),
        reach=reaches(size.reachable, purpose),
        sample=in_order(size.sample),
        draws_year=bool(size.n) and _is_about_days(built.rule),
    )


def reaches(found: Mapping[str, int], purpose: consent.PurposeView | None) -> list[Reach]:
    """The channels of a purpose with how many each reaches."""
    if purpose is None:
        return []
    note = _("They allow “%(purpose)s” there, and what is needed to reach them is known.") % {
        "purpose": consenting.name(purpose)
    }
    return [Reach(_capital(consenting.channel(c)), n, note) for c, n in found.items()]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def wrong_rows(built: segmentforms.Built) -> list[WrongRow]:
    """The rows that are not counted, in the order of the form."""
    return [
        WrongRow(
            place,
            _("Condition %(n)s") % {"n": built.numbers[place]} if place in built.numbers else _("A bracket"),
            text,
        )
        for place, text in built.wrong.items()
    ]


def in_order(persons: Sequence[int]) -> list[people.PersonRow]:
    """Persons as a list shows them, in the order given."""
    rows = {row.id: row for row in people.person_rows(persons)}
    return [rows[n] for n in persons if n in rows]


def as_of() -> str:
    """How new a count is, in a sentence."""
    fresh = columns.freshness()
    if fresh.is_current:
        return _("Everything up to now is counted.")
    n = max(0, fresh.head - fresh.seq)
    return _("As of %(when)s; %(n)s later events are not in it yet.") % {
        "when": formats.when_text(fresh.as_of),
        "n": formats.number(n),
    }


def _is_about_days(rule: rules.Rule) -> bool:
    """Whether a rule asks what people did: only that is known for days that are over."""
    return any(
        isinstance(asked, tree.Behaviour | tree.Annotated)
        or (isinstance(asked, tree.Field) and asked.name == "first_seen")
        for asked in rules.conditions(rule)
    )


def year(rule: rules.Rule, given: Warrant, question: latest.Question) -> Spark | None:
    """How many would have fitted the rule on thirteen days of the last year."""
    today = clock.now().date()
    gap = 365 / (YEAR_POINTS - 1)
    days = [today - dt.timedelta(days=round(gap * n)) for n in reversed(range(YEAR_POINTS))]
    return sparks.spark(
        looking_back.sizes_on(rule, given, days, began=lambda con: question.stops_by(con.interrupt))
    )
