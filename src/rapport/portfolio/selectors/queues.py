"""Who waits, and who of them is answered next."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.portfolio.rules import Matter, Policy, Priority, Standing, order, shortfall_minutes
from rapport.portfolio.selectors.board import standings
from rapport.portfolio.selectors.policies import policy as policy_in_force

PURPOSE = "analytics"  # what contacts are counted for; who refuses it is in no figure here
ANSWERED_DAYS = 30  # an answer that comes later is none
WAITING_MOST = 2000


@dataclass(frozen=True, slots=True)
class Queue:
    """Everybody who waits, in the order of being answered."""

    policy: Policy
    matters: tuple[Matter, ...]  # in the same order as `turns`
    turns: tuple[Priority, ...]
    short_minutes: float  # of service that are missing to answer all within the maximum


def told(since: dt.datetime, until: dt.datetime, *, refused: pa.Table | None = None) -> pa.Table:
    """Complaints and messages to us, each with when we answered, the earliest first."""
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "identity", people.identity_arrow())
            lake.give(con, "refused", consent.refused_subjects(PURPOSE) if refused is None else refused)
            asked = {"since": since, "until": until, "answered_days": ANSWERED_DAYS}
            return query.run(con, query.load("rapport.portfolio", "told"), asked).to_arrow_table()
    finally:
        con.close()


def first_of(kind: str, reason: str, needs_help: bool, policy: Policy) -> str:
    """What lets a matter come first: the reason that was given, or a need that its person declared."""
    if kind == "complaint_raised":
        if _named(reason, policy.safety_words):
            return "safety"
        if _named(reason, policy.refund_words):
            return "refund"
    return "vulnerable" if needs_help else ""


def _named(reason: str, words: Sequence[str]) -> bool:
    said = _plain(reason)
    return any(_plain(word) != "_" and _plain(word) in said for word in words)


def _plain(text: str) -> str:
    """Its words in lower case, each between underscores, so that no word is found inside another."""
    return "_" + "".join(f"{part}_" for part in re.split(r"[\W_]+", text.lower()) if part)


def matters(policy: Policy, now: dt.datetime) -> list[Matter]:
    """What waits for an answer now: complaints and messages of the last 30 days, or longer, that have none.

    To answer what was asked needs no other purpose, so nobody is left out here.
    """
    nobody = pa.table({"subject": pa.array([], pa.int64())})
    # Whoever may wait longer than that is looked for as far back.
    days = max(ANSWERED_DAYS, policy.longest_wait_hours / 24)
    found = told(now - dt.timedelta(days=days), now, refused=nobody)
    rows = found.filter(pc.field("answered_at").is_null()).to_pylist()
    in_need = set(people.declaring(policy.need_trait).tolist())
    first = [first_of(r["kind"], r["reason"], int(r["person"]) in in_need, policy) for r in rows]
    shown = _most([bool(f) for f in first])
    known = standings([int(rows[k]["person"]) for k in shown])
    return [
        Matter(
            key=str(row["seq"]),
            since=row["ts"],
            kind=row["kind"],
            minutes=policy.costs.minutes(row["kind"]),
            first=first[k],
            person=int(row["person"]),
            channel=row["channel"],
            standing=known.get(int(row["person"]), Standing()),
        )
        for k in shown
        for row in (rows[k],)
    ]


def _most(comes_first: Sequence[bool]) -> list[int]:
    """Places of those shown: all that come first, and of the others as many of the earliest as there is room for."""
    room = max(0, WAITING_MOST - sum(comes_first))
    others = [k for k, is_first in enumerate(comes_first) if not is_first][:room]
    return sorted([*(k for k, is_first in enumerate(comes_first) if is_first), *others])


def queue(policy: Policy | None = None, now: dt.datetime | None = None) -> Queue:
    """Everybody who waits now, in the order in which the policy answers them."""
    policy, now = policy or policy_in_force(), now or clock.now()
    waiting = matters(policy, now)
    turns = order(waiting, policy, now)
    by_key = {m.key: m for m in waiting}
    return Queue(
        policy,
        tuple(by_key[t.key] for t in turns),
        tuple(turns),
        shortfall_minutes(waiting, policy, now),
    )


def priorities(waiting: Sequence[Matter], now: dt.datetime | None = None) -> list[Priority]:
    """The order of being answered of any matters, under the policy in force.

    Where people stand is looked up for all of them at once; what a matter says of it is not believed.
    """
    policy = policy_in_force()
    known = standings([m.person for m in waiting if m.person is not None])
    in_need = set(people.declaring(policy.need_trait).tolist())
    placed = [
        replace(
            m,
            standing=known.get(m.person or 0, type(m.standing)()),
            first=m.first or ("vulnerable" if m.person in in_need else ""),
        )
        for m in waiting
    ]
    return order(placed, policy, now or clock.now())


def priority(person: int, matter: Matter, now: dt.datetime | None = None) -> Priority:
    """The place of one person's matter among everything that waits now, and why it has it."""
    now = now or clock.now()
    policy = policy_in_force()
    others = [m for m in matters(policy, now) if m.key != matter.key]
    turns = priorities([*others, replace(matter, person=person)], now)
    found = next((t for t in turns if t.key == matter.key), None)
    if found is None:  # every matter has a place, so this is a fault of ours
        raise NotFound(f"the matter {matter.key!r} has no place", "Look at the queue anew.")
    return found
