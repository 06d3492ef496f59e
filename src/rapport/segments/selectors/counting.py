"""For whom a rule holds: how many, who, a few of them, and how many of them can be reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from rapport.consent import selectors as consent
from rapport.consent.services import Warrant
from rapport.kit import clock, query
from rapport.segments import rules
from rapport.segments.rules.columns import Needs
from rapport.segments.selectors import columns, listing, membership

PAGE = 50
REACHED_BY = {"email": "email", "sms": "phone", "phone": "phone"}  # the identifier that a channel needs


@dataclass(frozen=True, slots=True)
class Size:
    """How many people a rule holds for, and of how many who may be seen."""

    n: int
    n_people: int
    reachable: Mapping[str, int]  # people by channel, for the purpose that was asked for
    sample: tuple[int, ...] = ()  # a few of them, as `sample` picks them

    @property
    def share(self) -> float:
        return self.n / self.n_people if self.n_people else 0.0


@dataclass(frozen=True, slots=True)
class Members:
    """A page of persons, ascending; `after` begins the next one and is None at the end."""

    persons: tuple[int, ...]
    after: int | None


def size(rule: rules.Rule, leave: Warrant, *, reach: str = "", shown: int = 0) -> Size:
    """Count the people for whom the rule holds and, for the purpose `reach`, whom of them each channel reaches.

    A channel reaches whoever allows it and has told the identifier that it needs. `shown` of them are picked
    in the same breath.
    """
    channels = consent.purpose(reach).channels if reach else ()
    needs = Needs(allowed=frozenset((reach, channel) for channel in channels))
    with asked(rule, leave, needs) as (con, found):
        parameters = dict(found.parameters)
        counts = ["(SELECT count(*) FROM found_)", "(SELECT count(*) FROM profile)"]
        for at, channel in enumerate(channels):
            parameters |= {"reach": reach, f"channel{at}": channel, f"by{at}": REACHED_BY.get(channel, "")}
            counts.append(
                "(SELECT count(*) FROM named_ AS n"
                f" SEMI JOIN (SELECT person FROM allowed WHERE purpose = $reach AND channel = $channel{at}) AS a"
                f" ON n.person = a.person WHERE $by{at} = '' OR list_contains(n.namespaces, $by{at}))"
            )
        if shown:
            parameters |= {"shown": shown}
            few = "SELECT person, hash(person, 0) AS place FROM found_ ORDER BY place, person LIMIT $shown"
            counts.append(f"(SELECT list(person ORDER BY place, person) FROM ({few}))")
        named = (
            ", named_ AS MATERIALIZED (SELECT p.person, p.namespaces FROM profile AS p"
            " SEMI JOIN found_ AS f ON p.person = f.person)"
        )
        row = con.execute(
            f"WITH found_ AS MATERIALIZED ({found.sql}){named if channels else ''} SELECT {', '.join(counts)}",
            parameters or None,
        ).fetchone()
    assert row is not None
    picked = tuple(row[-1] or ()) if shown else ()
    return Size(row[0], row[1], dict(zip(channels, row[2 : 2 + len(channels)], strict=True)), picked)


def count(rule: rules.Rule, leave: Warrant) -> int:
    """How many people the rule holds for."""
    with asked(rule, leave) as (con, found):
        row = con.execute(f"SELECT count(*) FROM ({found.sql})", found.parameters or None).fetchone()
    assert row is not None
    return int(row[0])


def reachable(rule: rules.Rule, leave: Warrant, purpose: str) -> dict[str, int]:
    """How many of them each channel of a purpose reaches, by channel."""
    return dict(size(rule, leave, reach=purpose).reachable)


def members(rule: rules.Rule, leave: Warrant, *, after: int | None = None, limit: int = PAGE) -> Members:
    """A page of the people for whom the rule holds now, ascending from behind `after`."""
    with asked(rule, leave) as (con, found):
        rows = con.execute(
            f"SELECT person FROM ({found.sql}) WHERE person > $after ORDER BY person LIMIT $limit",
            {**found.parameters, "after": -1 if after is None else after, "limit": limit + 1},
        ).fetchall()
    persons = tuple(row[0] for row in rows[:limit])
    return Members(persons, persons[-1] if len(rows) > limit else None)


def sample(rule: rules.Rule, leave: Warrant, n: int = 5, *, seed: int = 0) -> tuple[int, ...]:
    """A few of them, picked as if at random; the same ones for the same seed, as long as they are in it."""
    with asked(rule, leave) as (con, found):
        rows = con.execute(
            f"SELECT person FROM ({found.sql}) ORDER BY hash(person, $seed), person LIMIT $n",
            {**found.parameters, "seed": seed, "n": n},
        ).fetchall()
    return tuple(row[0] for row in rows)


def persons_arrow(rule: rules.Rule, leave: Warrant) -> pa.Table:
    """Everybody for whom the rule holds: one column, person, ascending."""
    with asked(rule, leave) as (con, found):
        return con.execute(
            f"SELECT person FROM ({found.sql}) ORDER BY person", found.parameters or None
        ).to_arrow_table()


@contextmanager
def asked(
    rule: rules.Rule, leave: Warrant, needs: Needs | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, rules.Compiled]]:
    """A connection that holds what the rule needs, and `needs` beside, and the rule compiled for it.

    What was worked out in it about one person may leave; the rule gives nobody who refuses the warrant's
    purpose, for they are in no `profile`, and of what was done nothing may be asked but by the rule.
    """
    found = rules.compile_(rule, listing.catalogue(), clock.now())
    needed = found.needs
    if needs is not None:
        needed = replace(needed, allowed=needed.allowed | needs.allowed)
    with columns.engine(leave, needed, asks_profile=True) as con:
        membership.provide(con, needed.segments)
        yield con, found


# ---- segments beside each other -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many are in both of two segments, and in each."""

    a: str
    b: str
    n_both: int
    n_a: int
    n_b: int

    @property
    def share(self) -> float:
        """Of the smaller one, the part that is in the other too."""
        smaller = min(self.n_a, self.n_b)
        return self.n_both / smaller if smaller else 0.0


def overlaps(key: str, others: Sequence[str], leave: Warrant) -> list[Overlap]:
    """A segment beside each of the others, by their members as last refreshed."""
    with columns.engine(leave) as con:
        membership.provide(con, (key, *others))
        rows = query.run(con, query.load("rapport.segments", "overlap"), {"key": key}).fetchall()
    n = {(a, b): both for a, b, both in rows}
    return [
        Overlap(key, b, n.get((key, b), 0), n.get((key, key), 0), n.get((b, b), 0))
        for b in others
        if b != key
    ]
