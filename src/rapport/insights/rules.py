"""Spans of annotated events, what a label is worth, the time a back-test is cut at, how values lie. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rapport.insights.contract import Gives
from rapport.kit.errors import Invalid

# Events whose text is ours; what we say is nobody's opinion of us.
OWN_WORDS = ("message_sent", "reply_published", "our_post_published")
STAFF = "staff"  # the model that corrections are written under
NOTHING = ""  # the label of an annotation that takes back an earlier one: nothing is said of it any more
# Where on the range of its annotation a label that staff gave lies, from 0 to 1; other labels have no value.
_PLACES = {"negative": 0.0, "neutral": 0.5, "positive": 1.0, "no": 0.0, "yes": 1.0, "low": 0.0, "normal": 0.5,
           "high": 1.0}  # fmt: skip
AUTHENTICITY = "authenticity"  # the score, and the mark on texts of accounts that do not look genuine
GENUINE, DOUBTFUL, LEFT_OUT = "genuine", "doubtful", "left_out"
# By score: the event that tells a change of its label, and the labels whose coming and going is told.
TOLD = {"advocacy": ("advocacy_changed", ("advocate", "detractor"))}
BINS = 20
LABELS_KEPT = 100  # a label may be a product, and there may be ten thousand of these
HORIZON_DAYS = 90


def value_of(label: str, gives: Gives | None) -> float | None:
    """What a label given by staff is worth on the range of its annotation, where labels have an order."""
    place = _PLACES.get(label)
    if gives is None or place is None or gives.high <= gives.low:
        return None
    return gives.low + place * (gives.high - gives.low)


@dataclass(frozen=True, slots=True)
class Span:
    """Which events are annotated: 1 to `done`, and from `live_from` to `live_to` where there are such."""

    done: int = 0
    live_from: int | None = None
    live_to: int | None = None

    def missing_in(self, seq_from: int, seq_to: int) -> tuple[int, int] | None:
        """The part of a stretch that is not annotated, as one stretch that may overlap what is."""
        first = max(seq_from, self.done + 1)
        if (
            self.live_from is not None
            and self.live_to is not None
            and self.live_from <= first <= self.live_to
        ):
            first = self.live_to + 1
        return (first, seq_to) if first <= seq_to else None

    def with_stretch(self, seq_from: int, seq_to: int) -> Span:
        """The span once a stretch is annotated as well.

        Of two stretches with a gap between them the later is kept; the other will be annotated again,
        which costs time and changes nothing.
        """
        if seq_from <= self.done + 1:
            done = max(self.done, seq_to)
            if self.live_from is None or self.live_to is None or self.live_to <= done:
                return Span(done)
            return (
                Span(self.live_to) if self.live_from <= done + 1 else Span(done, self.live_from, self.live_to)
            )
        if self.live_from is None or self.live_to is None or seq_from > self.live_to + 1:
            return Span(self.done, seq_from, seq_to)
        if seq_to < self.live_from - 1:
            return self
        return Span(self.done, min(self.live_from, seq_from), max(self.live_to, seq_to))

    def gap_up_to(self, head: int) -> tuple[int, int] | None:
        """The first stretch up to `head` that is still to be annotated."""
        if self.done >= head:
            return None
        if self.live_from is not None and self.live_from <= head:
            return (self.done + 1, self.live_from - 1)
        return (self.done + 1, head)


class Ordered(Protocol):
    """What has a name, and names what goes before it."""

    @property
    def name(self) -> str: ...
    @property
    def after(self) -> tuple[str, ...]: ...


Model = TypeVar("Model", bound=Ordered)


def in_order(models: Sequence[Model]) -> list[Model]:
    """The models as given, each moved behind those of them it comes after. Raises Invalid for a circle."""
    by_name = {model.name: set(model.after) for model in models}
    waiting, done = list(models), []
    while waiting:
        ready = next((m for m in waiting if not by_name[m.name] & {w.name for w in waiting}), None)
        if ready is None:
            names = ", ".join(model.name for model in waiting)
            raise Invalid(f"the models {names} wait for each other", "Take one name out of an `after`.")
        done.append(ready)
        waiting.remove(ready)
    return done


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a back-test divides what was known from what happened then."""

    at: dt.datetime
    horizon_days: int


def backtest_cut(first: dt.datetime, last: dt.datetime, horizon_days: int = HORIZON_DAYS) -> Cut:
    """The cut that leaves the horizon after it, and at least twice the horizon before it.

    A log too short for that is judged on its last third.
    """
    days = max(1, (last - first).days)
    horizon = min(horizon_days, max(1, days // 3))
    return Cut(last - dt.timedelta(days=horizon), horizon)


@dataclass(frozen=True, slots=True)
class Bin:
    """How many values lie from `low` to below `high`; the last bin holds its upper end too."""

    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the values of one score lie."""

    n: int
    unit: str
    quantiles: dict[str, float]  # of the shares 0.05, 0.25, 0.5, 0.75, 0.95
    bins: tuple[Bin, ...]  # the outer ones hold everything beyond them
    labels: dict[str, int]  # people by label, the most frequent ones, these first

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Distribution:
        return cls(
            given["n"],
            given["unit"],
            given["quantiles"],
            tuple(Bin(**b) for b in given["bins"]),
            _most_first(given["labels"]),  # a database may keep a JSON object in an order of its own
        )


def _most_first(labels: dict[str, int]) -> dict[str, int]:
    return dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))[:LABELS_KEPT])


def distribution(values: NDArray[np.float64], unit: str, labels: dict[str, int]) -> Distribution:
    """Sum values up; few distinct ones get a bin each, the tails of many are gathered in the outer bins."""
    if len(values) == 0:
        return Distribution(0, unit, {}, (), {})
    distinct = np.unique(values)
    if len(distinct) <= BINS:
        edges = np.append(distinct, distinct[-1] + 1)
        n = np.bincount(np.searchsorted(distinct, values), minlength=len(distinct))
    else:
        first, last = np.quantile(values, [0.01, 0.99]).tolist()
        edges = np.linspace(first, last, BINS + 1)
        if edges[0] == edges[-1]:
            edges = np.linspace(distinct[0], distinct[-1], BINS + 1)
        n = np.bincount(
            np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1), minlength=BINS
        )
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    return Distribution(
        n=len(values),
        unit=unit,
        quantiles={str(s): float(q) for s, q in zip(shares, np.quantile(values, shares), strict=True)},
        bins=tuple(Bin(float(a), float(b), int(k)) for a, b, k in zip(edges, edges[1:], n, strict=False)),
        labels=_most_first(labels),
    )


def drift(before: Distribution, values: NDArray[np.float64]) -> float | None:
    """How far the values have moved since: the population stability index over the earlier run's bins.

    sum of (p - q) ln(p / q) over bins; 0 is no change, and by custom 0.1 is noticeable, 0.25 a different
    population (Siddiqi 2006, "Credit risk scorecards"). None where either run has no value. Empty bins
    count as half a value.
    """
    if before.n == 0 or len(values) == 0:
        return None
    edges = np.array([b.low for b in before.bins])
    n = np.bincount(np.clip(np.searchsorted(edges, values, side="right") - 1, 0, None), minlength=len(edges))
    p = np.maximum(n, 0.5) / np.maximum(n, 0.5).sum()
    held = np.maximum([b.n for b in before.bins], 0.5)
    q = held / held.sum()
    return float(((p - q) * np.log(p / q)).sum())
