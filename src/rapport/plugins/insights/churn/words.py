"""Reasons in words, a column at a time: what somebody did, in the order in which it moved the score."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.plugins.insights.churn import figures
from rapport.plugins.insights.churn.histories import NEVER_DAYS, Flags, Floats, Histories, Ints
from rapport.plugins.insights.churn.rhythm import Rhythm

_arrow: Any = pc  # its stubs do not follow columns through several calls

LEAST = 0.05  # log-odds below which a subject is no reason
MOST = 2  # reasons beside the rhythm


@dataclass(frozen=True, slots=True)
class Clause:
    """Something that can be said of people: where it is true, which way it points, and the words."""

    subject: str
    raises: bool
    true: Flags
    words: Any


def joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def whole(numbers: Floats) -> Any:
    return _arrow.cast(pa.array(np.rint(np.nan_to_num(numbers)).astype(np.int64)), pa.string())


def counted(numbers: Floats, one: str, many: str) -> Any:
    """`1 order`, `7 orders`."""
    n = np.rint(np.nan_to_num(numbers)).astype(np.int64)
    return joined(whole(numbers), " ", pa.array([many, one]).take(pa.array((n == 1).astype(np.int64))))


def day(ago: Floats, now: dt.datetime) -> Any:
    """`3 March`, with the year where it is another one."""
    back = np.floor(np.nan_to_num(ago).clip(0, NEVER_DAYS) * 24).astype(
        np.int64
    )  # hours, so that it falls on its day
    distinct, place = np.unique(back, return_inverse=True)
    spelt = []
    for hours in distinct.tolist():
        then = now - dt.timedelta(hours=hours)
        year = "" if then.year == now.year else f" {then.year}"
        spelt.append(f"{then.day} {then:%B}{year}")
    return pa.array(spelt, pa.string()).take(pa.array(place))


def rhythm(known: Rhythm) -> Any:
    """`Usually orders every 20 days, silent for 95`."""
    gap = whole(figures.own_gap(known).clip(1))
    last = counted(known.last, "day", "days")
    often = joined("Usually orders every ", counted(figures.own_gap(known).clip(1), "day", "days"),
                   ", silent for ", whole(known.last))  # fmt: skip
    twice = joined("Ordered twice, ", gap, " days apart, the last time ", last, " ago")
    once = joined("Ordered once, ", last, " ago")
    which = np.select([known.n >= 3, known.n == 2], [0, 1], 2)
    return _arrow.choose(pa.array(which), often, twice, once)


def clauses(people: Histories, row: Ints, known: Rhythm, complaint: Any, now: dt.datetime) -> list[Clause]:
    """Everything that can be said of these people now; `complaint` is what each last complained about."""
    at = np.zeros(len(row))
    since = {kind: people[kind].since(row, at) for kind in people.others}
    n = {kind: people[kind].n(row, at, 90) for kind in ("sessions", "sent", "opened")}
    year = figures.YEAR_DAYS
    lately = people.orders.n(row, at, year / 2)
    before = people.orders.n(row, at, year) - lately
    fewer = joined(
        counted(lately, "order", "orders"),
        " in the last half-year after ",
        whole(before),
        " in the one before",
    )
    more = joined(
        counted(lately, "order", "orders"), " in the last half-year, ", whole(before), " in the one before"
    )
    ordered = at - known.last
    back = people["sessions"].n_since(row, np.minimum(at, ordered + figures.AFTER_DAYS), ordered + 0.5)
    low_newer = since["low_answers"] < since["good_answers"]
    # Where the last visit was the last order, its silence has been told already.
    not_seen = (
        (since["sessions"] > 30)
        & (since["sessions"] < NEVER_DAYS)
        & (np.abs(since["sessions"] - known.last) > 2)
    )
    return [
        Clause("trend", True, (lately < before) & (known.n > 2), fewer),
        Clause("trend", False, (lately > before) & (known.first > year), more),
        Clause("refund", True, since["refunds"] < year, joined("got money back on ", day(since["refunds"], now))),
        Clause("session", True, not_seen,
               joined("not seen on the site for ", whole(since["sessions"]), " days")),
        Clause("session", False, n["sessions"] > 0,
               joined(counted(n["sessions"], "visit", "visits"), " in the last 90 days")),
        Clause("return", True, back > 0,
               joined("came back to the site ", _times(back), " within two weeks of the last order")),
        Clause("mail", True, (n["sent"] >= 2) & (n["opened"] == 0),
               joined("opened none of ", whole(n["sent"]), " messages in 90 days")),
        Clause("mail", False, n["opened"] > 0,
               joined("opened ", counted(n["opened"], "message", "messages"), " in 90 days")),
        Clause("stop", True, since["stopped"] < NEVER_DAYS,
               joined("asked for no more messages on ", day(since["stopped"], now))),
        Clause("complaint", True, since["complaints"] < year,
               _complained(people, row, at, since["complaints"], complaint, now)),
        Clause("letter", True, since["letters"] < 90, joined("wrote to us on ", day(since["letters"], now))),
        Clause("letter", False, since["letters"] < 90, joined("wrote to us on ", day(since["letters"], now))),
        Clause("answer", True, low_newer & (since["low_answers"] < year),
               joined("gave a low answer on ", day(since["low_answers"], now))),
        Clause("answer", False, ~low_newer & (since["good_answers"] < year),
               joined("gave a good answer on ", day(since["good_answers"], now))),
        Clause("text", True, since["negative_texts"] < year,
               joined("wrote something negative on ", day(since["negative_texts"], now))),
        Clause("text", False, since["positive_texts"] < year,
               joined("wrote something positive on ", day(since["positive_texts"], now))),
    ]  # fmt: skip


def _times(n: Floats) -> Any:
    return _arrow.if_else(pa.array(n == 1), "once", joined(whole(n), " times"))


def _complained(people: Histories, row: Ints, at: Floats, since: Floats, about: Any, now: dt.datetime) -> Any:
    spelt = _arrow.replace_substring(_arrow.fill_null(about, ""), "_", " ")
    named = _arrow.if_else(_arrow.equal(spelt, ""), "complained", joined("complained about ", spelt))
    late = figures.unanswered(people, row, at)
    which = np.where(late, np.where(since > figures.ANSWERED_DAYS, 2, 1), 0)
    end = pa.array(["", " and got no answer yet", " and got no answer"]).take(pa.array(which))
    return joined(named, " on ", day(since, now), end)


def strongest(
    offered: Sequence[Clause], by_subject: Mapping[str, Floats], raises: Flags, most: int = MOST
) -> list[Any]:
    """For each person the clauses that moved the score most in the direction asked; empty where there is none.

    A clause stands for its subject only where what is true of the person is what moved the score.
    """
    n = len(raises)
    weight = np.zeros((len(offered), n))
    for k, clause in enumerate(offered):
        added = by_subject.get(clause.subject, np.zeros(n))
        points = added if clause.raises else -added
        weight[k] = np.where(clause.true & (raises == clause.raises) & (points > LEAST), points, 0.0)
    words = [_arrow.fill_null(clause.words, "") for clause in offered] + [pa.repeat("", n)]
    chosen = []
    for _ in range(most):
        if not len(offered):
            break
        best = weight.argmax(axis=0)
        there = weight[best, np.arange(n)] > 0
        chosen.append(_arrow.choose(pa.array(np.where(there, best, len(offered))), *words))
        weight[best, np.arange(n)] = 0.0
    return chosen


def sentence(parts: Sequence[Any]) -> Any:
    """Parts that are not empty, set apart by semicolons, with a capital and a full stop."""
    kept = [_arrow.if_else(_arrow.equal(part, ""), pa.scalar(None, pa.string()), part) for part in parts]
    text = _arrow.binary_join_element_wise(*kept, "; ", null_handling="skip")
    first = _arrow.utf8_upper(_arrow.utf8_slice_codeunits(text, 0, 1))
    return joined(first, _arrow.utf8_slice_codeunits(text, 1), ".")
