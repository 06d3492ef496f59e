"""Where people stand toward us: on each network and over time, with who was left out and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow.compute as pc

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.insights import rules
from rapport.insights.contract import given_name
from rapport.insights.models import Correction, Run
from rapport.insights.selectors.texts import PURPOSE
from rapport.kit import chances, query
from rapport.people import selectors as people

ACCOUNTS_SHOWN = 200
EVERYWHERE = ""  # all networks together
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Stand:
    """The standing of one network, or of all (network ''), in a month or a whole time, with its 95 % interval."""

    network: str
    month: dt.date | None
    n_people: int  # accounts, those of public authors among them
    n_texts: int
    standing: float  # the mean over people of the balance of what each said, in [-1, 1]
    low: float
    high: float
    error: float  # standard; the interval ends at -1 and 1, and tells less than this


@dataclass(frozen=True, slots=True)
class Moved:
    """How far the standing of one network moved from one time to the next, with its 95 % interval."""

    network: str
    before: Stand
    now: Stand
    change: float
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Share:
    """How many people bear a label of a score, and their share with its 95 % interval."""

    label: str
    n: int
    of: int
    low: float
    high: float

    @property
    def ratio(self) -> float:
        return self.n / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Recommending:
    """What people answered when asked whether they would recommend us; the score from -100 to 100, 95 % interval."""

    n_promoters: int
    n_passives: int
    n_detractors: int
    nps: float
    low: float
    high: float

    @property
    def n(self) -> int:
        return self.n_promoters + self.n_passives + self.n_detractors


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An account whose words are left out, or count for less, or that staff judged; it is known by its newest text."""

    seq: int
    network: str
    label: str  # left_out, doubtful, genuine
    by: str  # the member of staff who decided; empty where the model did
    n_texts: int
    first_ts: dt.datetime
    last_ts: dt.datetime
    mean_sentiment: float | None
    reason: str
    newest: str  # what it wrote last


def standings(since: dt.datetime, until: dt.datetime) -> list[Stand]:
    """Each network's standing over the whole time, all networks first."""
    return _standings(since, until, by_month=False)


def standing_by_month(since: dt.datetime, until: dt.datetime) -> list[Stand]:
    """Each network's standing month by month; a month in which nobody judged us is a gap, not a zero."""
    return _standings(since, until, by_month=True)


def moved(now: list[Stand], before: list[Stand]) -> list[Moved]:
    """How far each network that was heard in both times moved; the two intervals are independent."""
    earlier = {one.network: one for one in before}
    found = []
    for one in now:
        if one.network in earlier:
            other = earlier[one.network]
            error = Z * (one.error**2 + other.error**2) ** 0.5
            change = one.standing - other.standing
            found.append(Moved(one.network, other, one, change, change - error, change + error))
    return found


def label_shares(score: str) -> dict[str, list[Share]]:
    """By name of the score, such as advocacy and advocacy:bluesky: how many people bear each label, as last written.

    Public authors are counted, of whom no figure is kept.
    """
    run = (
        Run.objects.filter(state=Run.State.DONE, n_out__gt=0, model=score)
        .order_by("-started_at", "-id")
        .first()
    )
    found: dict[str, list[Share]] = {}
    for name, given in sorted(run.distributions.items()) if run else ():
        if given_name(name) == score:
            of = int(given["n"])
            found[name] = [_share(label, int(n), of) for label, n in given["labels"].items()]
    return found


def recommending(since: dt.datetime, until: dt.datetime) -> Recommending | None:
    """Promoters less detractors, in points; None where nobody was asked."""
    ((up, between, down),) = _rows("answers_of_recommending", since=since, until=until)
    n = up + between + down
    if not n:
        return None
    nps = 100 * (up - down) / n
    # The variance of a mean of ones, zeros and minus ones; one answer of each kind keeps a few from being certain.
    a, b, m = up + 1, down + 1, n + 3
    error = 100 * Z * (((a + b) / m - ((a - b) / m) ** 2) / m) ** 0.5
    return Recommending(up, between, down, nps, max(-100.0, nps - error), min(100.0, nps + error))


def n_left_out() -> dict[str, int]:
    """By label, how many accounts' words do not count, or for less, or were judged by staff."""
    return dict(_rows("left_out_counts"))


def left_out(first: int = 0, n: int = ACCOUNTS_SHOWN) -> list[LeftOut]:
    """Accounts whose words do not count, or for less, from a place on, with the reason; those that staff judged last."""
    decided = dict(Correction.objects.filter(name=rules.AUTHENTICITY).values_list("seq", "made_by"))
    return [
        LeftOut(
            seq,
            network,
            label,
            decided.get(seq, "") or ("staff" if is_staff else ""),
            n_texts,
            first_ts,
            last_ts,
            felt,
            why,
            newest,
        )
        for seq, network, label, is_staff, n_texts, first_ts, last_ts, felt, why, newest in _rows(
            "left_out", first=first, most=n
        )
    ]


def _share(label: str, n: int, of: int) -> Share:
    found = chances.share(n, of)
    return Share(label, n, of, found.low, found.high)


def _standings(since: dt.datetime, until: dt.datetime, *, by_month: bool) -> list[Stand]:
    return [Stand(*row) for row in _rows("standing", since=since, until=until, by_month=by_month)]


def _rows(name: str, **asked: Any) -> list[Any]:
    con = lake.connect()
    try:
        return _asked(con, name, asked)
    finally:
        con.close()


def _asked(con: duckdb.DuckDBPyConnection, name: str, asked: dict[str, Any]) -> list[Any]:
    # What was read before somebody refused is not counted after it, and their account is nobody's.
    refused = consent.refused_subjects(PURPOSE)
    identity = people.identity_arrow()
    arrow: Any = pc
    hidden = arrow.is_in(identity.column("subject"), value_set=refused.column("subject").combine_chunks())
    lake.give(con, "refused", refused)
    lake.give(con, "identity", identity.filter(arrow.invert(hidden)))
    return query.run(con, query.load("rapport.insights", name), asked).fetchall()
