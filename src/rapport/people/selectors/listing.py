"""Lists of people by keyset, and the figures beside them; nothing here counts while somebody waits."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from django.db.models import Q, QuerySet

from rapport.events import lake
from rapport.events.rules import SUBJECT_BITS
from rapport.kit import clock, query
from rapport.kit.errors import Invalid
from rapport.people.models import Person
from rapport.people.rules import profile
from rapport.people.rules.graph import Subjects
from rapport.people.selectors.heads import COLUMNS, PersonRow
from rapport.people.selectors.rows import among as among_sql
from rapport.people.selectors.rows import listed
from rapport.people.selectors.searching import candidates

PAGE = 50
NEAR = 2_000  # persons tried first, of those that another domain chose
FACETS_MAX = 300  # values of one filter
COUNT_KEPT_S = 30.0  # at least
COUNT_KEPT_RATIO = 500  # a count is kept this many times longer than it took, so it costs 0.2 % of one core

Order = Literal["newest", "name"]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of a list, and the cursors of its neighbours (empty where there is none)."""

    rows: tuple[PersonRow, ...]
    next: str
    previous: str
    is_capped: bool = False  # the search found more people than it looked at


@dataclass(frozen=True, slots=True)
class Overview:
    """How many people there are; exact as of at most a few minutes ago."""

    persons: int
    authors: int
    visitors: int
    new_persons: int
    new_authors: int
    new_visitors: int
    since: dt.datetime  # from when on somebody counts as new


def people_page(
    kind: str = "person",
    *,
    text: str = "",
    country: str = "",
    language: str = "",
    order: Order = "newest",
    cursor: str = "",
    limit: int = PAGE,
    among: Subjects | None = None,
) -> PeoplePage:
    """One page of people of a kind; `cursor` is `next` or `previous` of the page before.

    `among` leaves only these persons, as another domain chose them.
    """
    if kind not in profile.KINDS:
        raise Invalid(f"there is no kind of people {kind!r}", f"Choose among {', '.join(profile.KINDS)}.")
    people = Person.objects.filter(kind=kind)
    if country:
        people = people.filter(country=country)
    if language:
        people = people.filter(language=language)
    is_capped = False
    if text.strip():
        found, is_capped = candidates(text.strip())
        if among is not None:
            found, among = np.intersect1d(found, among).tolist(), None
        people = people.filter(id__in=found)
    backward, key = _read_cursor(cursor, order)
    descends = (order == "newest") != backward
    people = _from(people, order, key, descends)
    names = ("sort_name", "id") if order == "name" else ("id",)
    ordered = people.order_by(*(f"-{n}" if descends else n for n in names))
    rows = _first_of(ordered, among, limit + 1, key[0] if key and order == "newest" else None, descends)
    more, rows = len(rows) > limit, rows[:limit]
    if backward:
        rows.reverse()
    has_next, has_previous = (bool(key), more) if backward else (more, bool(key))
    return PeoplePage(
        rows=tuple(rows),
        next=_cursor("next", rows[-1], order) if rows and has_next else "",
        previous=_cursor("previous", rows[0], order) if rows and has_previous else "",
        is_capped=is_capped,
    )


def _first_of(
    ordered: QuerySet[Person], among: Subjects | None, n: int, after: int | None, descends: bool
) -> list[PersonRow]:
    """The first rows of those that are left, without handing over a million numbers where few will do."""
    found = ordered.values_list(*COLUMNS)
    if among is None:
        return [PersonRow(*row) for row in found[:n]]
    ahead = np.unique(among)
    tries = [ahead]
    if ordered.query.order_by[0] in ("id", "-id"):
        if after is not None:
            ahead = ahead[ahead < after] if descends else ahead[ahead > after]
        near = ahead[-NEAR:] if descends else ahead[:NEAR]
        tries = [near, ahead] if near.size < ahead.size else [ahead]
    rows: list[PersonRow] = []
    for some in tries:
        here = found.extra(where=[among_sql("people_person.id")], params=[listed(some)])  # noqa: S610  ours
        rows = [PersonRow(*row) for row in here[:n]]
        if len(rows) == n:
            break
    return rows


def _from(people: QuerySet[Person], order: Order, key: Sequence[Any], descends: bool) -> QuerySet[Person]:
    """The people behind a key in the direction of reading."""
    if not key:
        return people
    side = "lt" if descends else "gt"
    if order == "newest":
        return people.filter(**{f"id__{side}": key[0]})
    # The first condition is what the index begins at; the second leaves out those already shown.
    name, last = key
    return people.filter(**{f"sort_name__{side}e": name}).filter(
        Q(**{f"sort_name__{side}": name}) | Q(**{f"id__{side}": last})
    )


def _cursor(direction: str, row: PersonRow, order: Order) -> str:
    key = [row.sort_name, row.id] if order == "name" else [row.id]
    plain = json.dumps([direction, order, *key], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, order: Order) -> tuple[bool, list[Any]]:
    if not cursor:
        return False, []
    try:
        direction, of, *key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        well_formed = direction in {"next", "previous"} and [type(k) for k in key] == (
            [str, int] if of == "name" else [int]
        )
    except (ValueError, TypeError):
        well_formed = False
    if not well_formed:
        raise Invalid(f"the page address {cursor!r} is damaged", "Begin at the first page.")
    # Sorted anew, an old place in the list means nothing.
    return (direction == "previous", key) if of == order else (False, [])


def facets(name: Literal["country", "language"], kind: str = "person") -> list[str]:
    """The values there are, for a filter; a jump through the index for each, at most FACETS_MAX."""
    found: list[str] = []
    people = Person.objects.filter(kind=kind).order_by(name).values_list(name, flat=True)
    last = ""
    while len(found) < FACETS_MAX and (value := people.filter(**{f"{name}__gt": last}).first()) is not None:
        found.append(value)
        last = value
    return found


_counts: dict[tuple[str, int], tuple[float, int]] = {}


def approximate_count(kind: str, since_id: int = 0) -> int:
    """How many people of a kind there are (with ids from `since_id`), as of a little while ago."""
    began = clock.monotonic_s()
    kept_until, count = _counts.get((kind, since_id), (0.0, 0))
    if began < kept_until:
        return count
    people = Person.objects.filter(kind=kind)
    count = people.filter(id__gte=since_id).count() if since_id else people.count()
    took_s = clock.monotonic_s() - began
    if len(_counts) > 100:
        _counts.clear()
    _counts[kind, since_id] = (began + max(COUNT_KEPT_S, COUNT_KEPT_RATIO * took_s), count)
    return count


def forget_counts() -> None:
    """Count anew next time."""
    _counts.clear()


def overview(days: int = 7) -> Overview:
    """How many people there are, and how many of them the log first heard of in the last days."""
    since = clock.now() - dt.timedelta(days=days)
    con = lake.connect()
    try:
        (first,) = query.run(con, query.load("rapport.people", "first_seq"), {"since": since}).fetchall()[0]
    finally:
        con.close()

    def new(kind: str) -> int:
        return 0 if first is None else approximate_count(kind, first << SUBJECT_BITS)

    return Overview(
        persons=approximate_count("person"),
        authors=approximate_count("author"),
        visitors=approximate_count("visitor"),
        new_persons=new("person"),
        new_authors=new("author"),
        new_visitors=new("visitor"),
        since=since,
    )
