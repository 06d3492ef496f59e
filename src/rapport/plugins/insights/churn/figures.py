"""Figures of people at moments: what the two models know of somebody.

Only behaviour, and what people told us about our service. Nothing about who they are: no name, age, place,
language, household or belief, and no product, from which such things could be guessed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.churn.histories import NEVER_DAYS, Flags, Floats, Histories, Ints
from rapport.plugins.insights.churn.rhythm import Rhythm

YEAR_DAYS = 365.25
AFTER_DAYS = 14.0  # of an order: visits within these belong to it
ANSWERED_DAYS = 14.0  # an answer later than that is none

# Figures by what they are about: the reason that a person's score gives is one of these subjects.
RHYTHM = ("silence", "orders", "silence in own gaps", "longest gap", "regularity")
TREND = ("orders lately", "orders in this season a year ago", "last gaps")
MONEY = ("order against usual", "order against others")
REFUND = ("refunds in a year", "refund since the last order")
SESSION = ("visits in two weeks", "visits in a quarter", "days since a visit", "visits since the last order")
RETURN = ("visits after the last order",)  # within two weeks: to follow a parcel, or to complain of it
MAIL = ("messages in a month", "messages in a quarter", "opened in a quarter", "clicked in a quarter")
STOP = ("asked for no more",)
COMPLAINT = ("complaints in a year", "complaint since the last order", "complaint without an answer")
LETTER = ("wrote to us in a quarter",)
ANSWER = ("last answer was low", "low answers in a year", "good answers in a year")
TEXT = ("negative texts in a quarter", "negative texts in a year", "positive texts in a year")

SUBJECTS: dict[str, tuple[str, ...]] = {
    "rhythm": RHYTHM,
    "trend": TREND,
    "money": MONEY,
    "refund": REFUND,
    "session": SESSION,
    "return": RETURN,
    "mail": MAIL,
    "stop": STOP,
    "complaint": COMPLAINT,
    "letter": LETTER,
    "answer": ANSWER,
    "text": TEXT,
}
# What a subject rests on: where a source reaches less far back than what is learnt from, the subject is left out.
SOURCES: dict[str, tuple[str, ...]] = {
    "refund": ("refunds",),
    "session": ("sessions",),
    "return": ("sessions",),
    "mail": ("sent", "opened"),
    "stop": ("stopped",),
    "complaint": ("complaints",),
    "letter": ("letters",),
    "answer": ("low_answers", "good_answers"),
    "text": ("negative_texts", "positive_texts"),
}
BENT = frozenset((*RHYTHM, *TREND, "days since a visit", "messages in a quarter"))


@dataclass(frozen=True, slots=True)
class Figures:
    """By name, one value per question."""

    values: dict[str, Floats]

    def of(self, subjects: tuple[str, ...]) -> Floats:
        """(n, figures): the columns of these subjects."""
        names = names_of(subjects)
        n = len(next(iter(self.values.values())))
        return np.stack([self.values[name] for name in names], axis=1) if names else np.zeros((n, 0))


def names_of(subjects: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for subject in subjects for name in SUBJECTS[subject])


def at_moments(
    people: Histories, row: Ints, at: Floats, rhythm: Rhythm, horizon_days: float, typical_minor: Floats
) -> Figures:
    """Every figure of the person `row` as known just before the moment `at`."""
    return Figures(
        {
            **_rhythm(people, row, at, rhythm, horizon_days),
            **_money(people, row, at, rhythm, typical_minor),
            **_doings(people, row, at, rhythm),
            **_sayings(people, row, at, rhythm),
        }
    )


def own_gap(rhythm: Rhythm) -> Floats:
    """Days between somebody's orders as a rule; of those who ordered once, NEVER_DAYS."""
    x = rhythm.n - 1
    gap = (rhythm.first - rhythm.last) / np.maximum(x, 1)
    return np.where(x > 0, gap.clip(1, NEVER_DAYS), NEVER_DAYS)


def _rhythm(
    people: Histories, row: Ints, at: Floats, rhythm: Rhythm, horizon_days: float
) -> dict[str, Floats]:
    orders = people.orders
    x = (rhythm.n - 1).clip(0)
    # The own gap: as if half a gap as long as the whole time known stood beside those that were seen.
    gap = ((rhythm.first - rhythm.last + 0.5 * (rhythm.first + 1)) / (x + 0.5)).clip(1)
    mean, squares, longest = _gaps(people, row, at)
    spread = np.sqrt(np.maximum(squares - mean**2, 0)) / np.maximum(mean, 1)
    end = orders.place(row, at)
    few = np.minimum(x, 3).astype(np.int64)
    newest = np.where(few > 0, end - 1, 0)
    length = orders.at[newest] - orders.at[np.where(few > 0, end - 1 - few, 0)] if len(orders.at) else 0 * at
    last_gaps = np.where(x > 3, np.log((length / np.maximum(few, 1) + 3) / (mean + 3)), 0.0)
    lately = orders.n(row, at, 2 * horizon_days)
    rate = x / np.maximum(rhythm.first, 1)
    year_ago = orders.n_since(row, at - YEAR_DAYS + horizon_days, at - YEAR_DAYS)
    knew = rhythm.first > YEAR_DAYS
    season = np.where(knew, np.log((year_ago + 0.3) / (rate * horizon_days + 0.3)), 0.0)
    return {
        "silence": np.log1p(rhythm.last),
        "orders": np.log(rhythm.n.clip(1)),
        "silence in own gaps": np.log((rhythm.last + 1) / gap),
        "longest gap": np.where(x > 0, np.log((rhythm.last + 1) / (longest + 1)), 0.0),
        "regularity": np.where(x > 2, spread.clip(0, 4), 1.0),
        "orders lately": np.log((lately + 0.3) / (rate * 2 * horizon_days + 0.3)),
        "orders in this season a year ago": season,
        "last gaps": last_gaps,
    }


def _gaps(people: Histories, row: Ints, at: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, mean square and longest of the gaps between orders before the moment."""
    orders = people.orders
    if not len(orders.at):
        return np.zeros(len(row)), np.zeros(len(row)), np.zeros(len(row))
    same = np.append(False, orders.row[1:] == orders.row[:-1])
    gap = np.where(same, np.append(0.0, np.diff(orders.at)), 0.0)
    begin, end = orders.first_place(row), orders.place(row, at)
    n = np.maximum(end - begin - 1, 1)
    total, squares = (np.append(0.0, np.cumsum(v)) for v in (gap, gap**2))
    apart = 1e6  # a longest gap never reaches from one person into the next
    longest = np.maximum.accumulate(gap + orders.row * apart) - orders.row * apart
    there = end - begin > 1
    return (
        np.where(there, (total[end] - total[begin]) / n, 0.0),
        np.where(there, (squares[end] - squares[begin]) / n, 0.0),
        np.where(there, longest[np.maximum(end - 1, 0)], 0.0),
    )


def _money(
    people: Histories, row: Ints, at: Floats, rhythm: Rhythm, typical_minor: Floats
) -> dict[str, Floats]:
    if not len(people.minor):
        return dict.fromkeys(MONEY, np.zeros(len(row)))
    begin, end = people.orders.first_place(row), people.orders.place(row, at)
    total = np.append(0.0, np.cumsum(people.minor))
    usual = (total[end] - total[begin]) / rhythm.n.clip(1)
    last = np.where(rhythm.n > 0, people.minor[np.maximum(end - 1, 0)], 0.0)
    known = (usual > 0) & (typical_minor[row] > 0)
    return {
        "order against usual": np.where(usual > 0, np.log((last + 1) / (usual + 1)), 0.0).clip(-5, 5),
        "order against others": np.where(known, np.log((usual + 1) / (typical_minor[row] + 1)), 0.0).clip(
            -5, 5
        ),
    }


def _doings(people: Histories, row: Ints, at: Floats, rhythm: Rhythm) -> dict[str, Floats]:
    last_order = at - rhythm.last
    sessions = people["sessions"]
    return {
        "refunds in a year": np.log1p(people["refunds"].n(row, at, YEAR_DAYS)),
        "refund since the last order": (people["refunds"].n_since(row, at, last_order) > 0) * 1.0,
        "visits in two weeks": np.log1p(sessions.n(row, at, 14)),
        "visits in a quarter": np.log1p(sessions.n(row, at, 90)),
        "days since a visit": np.log1p(sessions.since(row, at).clip(0, 730)),
        # What belongs to the order itself, and following the parcel, says nothing of the next one.
        "visits since the last order": np.log1p(sessions.n_since(row, at, last_order + AFTER_DAYS)),
        "visits after the last order": np.log1p(
            sessions.n_since(row, np.minimum(at, last_order + AFTER_DAYS), last_order + 0.5)
        ),
        "messages in a month": np.log1p(people["sent"].n(row, at, 30)),
        "messages in a quarter": np.log1p(people["sent"].n(row, at, 90)),
        "opened in a quarter": np.log1p(people["opened"].n(row, at, 90)),
        "clicked in a quarter": np.log1p(people["clicked"].n(row, at, 90)),
        "asked for no more": (people["stopped"].n(row, at) > 0) * 1.0,
    }


def _sayings(people: Histories, row: Ints, at: Floats, rhythm: Rhythm) -> dict[str, Floats]:
    last_order = at - rhythm.last
    complaints, low, good = people["complaints"], people["low_answers"], people["good_answers"]
    return {
        "complaints in a year": np.log1p(complaints.n(row, at, YEAR_DAYS)),
        "complaint since the last order": (complaints.n_since(row, at, last_order) > 0) * 1.0,
        "complaint without an answer": unanswered(people, row, at) * 1.0,
        "wrote to us in a quarter": np.log1p(people["letters"].n(row, at, 90)),
        "last answer was low": (low.since(row, at) < good.since(row, at)) * 1.0,
        "low answers in a year": np.log1p(low.n(row, at, YEAR_DAYS)),
        "good answers in a year": np.log1p(good.n(row, at, YEAR_DAYS)),
        "negative texts in a quarter": np.log1p(people["negative_texts"].n(row, at, 90)),
        "negative texts in a year": np.log1p(people["negative_texts"].n(row, at, YEAR_DAYS)),
        "positive texts in a year": np.log1p(people["positive_texts"].n(row, at, YEAR_DAYS)),
    }


def unanswered(people: Histories, row: Ints, at: Floats) -> Flags:
    """Whether the newest complaint of the last year got no answer in time; no, where nobody's answers are known."""
    replies = people["replies"]
    since = people["complaints"].since(row, at)
    if not people.answers_known:
        return np.zeros(len(row), np.bool_)
    complained = at - since
    answered = replies.n_since(row, np.minimum(at, complained + ANSWERED_DAYS), complained) > 0
    return (since < YEAR_DAYS) & ~answered
