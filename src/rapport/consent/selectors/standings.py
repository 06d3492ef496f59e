"""How the people we know stand to a purpose: how many allow it, channel by channel, and who they are."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rapport.consent import rules
from rapport.consent.selectors import defining, holding
from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.people.rules.graph import Subjects, is_in
from rapport.people.selectors import rows

UNASKED = "unasked"
STATES = (rules.GRANTED, rules.EXPIRED, rules.DENIED, rules.WITHDRAWN)  # in the order of their rank
SHOWN = (*STATES, UNASKED)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one channel (empty: the purpose has none), how many people stand how; together they are everybody."""

    channel: str
    granted: int
    expired: int
    denied: int
    withdrawn: int
    unasked: int
    allowed: int  # to whom the purpose may be applied by its legal basis

    @property
    def total(self) -> int:
        return self.granted + self.expired + self.denied + self.withdrawn + self.unasked

    @property
    def allowed_ratio(self) -> float:
        return self.allowed / self.total if self.total else 0.0

    def of(self, state: str) -> int:
        return int(getattr(self, state))


@dataclass(frozen=True, slots=True)
class StandingPage:
    """A page of the people who stand in one way, newest first, and where the next one begins (0: nowhere)."""

    people: tuple[people.PersonRow, ...]
    next: int


def coverage(purpose: str) -> list[Standing]:
    """How everybody we know stands to a purpose, one entry a channel."""
    chosen = defining.purpose(purpose)
    everybody, found = _standings(purpose)
    return [
        _counted(chosen, channel, everybody.size, persons, ranks)
        for channel, (persons, ranks) in found.items()
    ]


def people_standing(
    purpose: str, channel: str, state: str, *, before: int = 0, limit: int = PAGE
) -> StandingPage:
    """The people behind one figure of `coverage`; `before` is `next` of the page before."""
    everybody, found = _standings(purpose)
    if channel not in found or state not in SHOWN:
        raise Invalid(
            f"{purpose} has no figure {channel or 'without channel'}, {state}",
            f"Its channels are {', '.join(found) or 'none'}, the states {', '.join(SHOWN)}.",
        )
    persons, ranks = found[channel]
    mine = (
        everybody[~is_in(everybody, persons)] if state == UNASKED else persons[ranks == STATES.index(state)]
    )
    mine = mine[mine < before] if before else mine
    shown = mine[::-1][:limit].tolist()
    by_id = {row.id: row for row in people.person_rows(shown)}
    return StandingPage(
        tuple(by_id[n] for n in shown if n in by_id), shown[-1] if shown and mine.size > limit else 0
    )


def _counted(
    purpose: defining.PurposeView, channel: str, total: int, persons: Subjects, ranks: Subjects
) -> Standing:
    n = np.bincount(ranks, minlength=len(STATES)).tolist()
    unasked = total - persons.size
    refused = n[2] + n[3]
    allowed = {rules.CONSENT: n[0], rules.LEGITIMATE_INTEREST: total - refused}.get(
        purpose.legal_basis, total
    )
    return Standing(
        channel=channel,
        granted=n[0],
        expired=n[1],
        denied=n[2],
        withdrawn=n[3],
        unasked=unasked,
        allowed=allowed if purpose.is_active else 0,
    )


def _standings(purpose: str) -> tuple[Subjects, dict[str, tuple[Subjects, Subjects]]]:
    """Everybody, and per channel the people who said something with their rank; kept while nothing changes."""
    chosen = defining.purpose(purpose)
    minute = clock.now().replace(second=0, microsecond=0)  # a grant may expire while nobody says anything
    state = (holding.present_change(), rows.present_change(), holding.n_waiting())
    return _computed(purpose, chosen.channels or ("",), minute, state)


@functools.lru_cache(maxsize=8)
def _computed(
    purpose: str, channels: tuple[str, ...], at: dt.datetime, state: tuple[object, ...]
) -> tuple[Subjects, dict[str, tuple[Subjects, Subjects]]]:
    del state  # is there to be compared
    everybody = people.person_ids("person")
    with lake.scratch() as con:
        con.register("identity", people.identity_arrow())
        con.register("ledger", holding.ledger_arrow(purpose))
        con.register("base", pa.table({"person": everybody}))
        con.register("asked", pa.table({"channel": list(channels)}))
        asked = {"purpose": purpose, "at": at + dt.timedelta(minutes=1)}
        found = query.run(con, query.load("rapport.consent", "standing"), asked).to_arrow_table()
    of = np.asarray(found["channel"].to_pylist())
    persons, ranks = rows.numbers(found, "person"), rows.numbers(found, "rank")
    return everybody, {c: (persons[of == c], ranks[of == c]) for c in channels}
