"""What an insight plug-in offers: it reads a table, learns, and writes scores or annotations.

The manners are scikit-learn's (Buitinck et al. 2013, "API design for machine learning software"): `fit`
learns and gives bytes, `score` applies them, and neither keeps state between calls. The core runs the
query, keeps the bytes with their version, writes the results down and records the run.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from rapport.kit.query import Query
from rapport.people.rules.sensitive_texts import category_of_name

KIND = "insights"  # of the registry

# What `score` gives for a model of people: one row per person and name.
SCORED = pa.schema(
    [
        pa.field("person", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("low", pa.float64()),  # ends of the interval, where the model knows one
        pa.field("high", pa.float64()),
        pa.field("label", pa.string(), nullable=False),  # empty where the value says it all
        pa.field("reason", pa.string(), nullable=False),  # one sentence that a marketer understands
    ]
)

# The relation `score` that a model's query may read.
SCORES = pa.schema(
    [
        pa.field("person", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("as_of", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("label", pa.string(), nullable=False),
    ]
)

# What `score` gets for a model of texts, and gives: one row per text and name, matched by seq.
TEXTS = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
    ]
)
ANNOTATED = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("value", pa.float64()),  # on the name's own range
        pa.field("probability", pa.float64()),  # of the label, in [0, 1]
        pa.field("detail", pa.string()),  # a JSON object
    ]
)


@dataclass(frozen=True, slots=True)
class Gives:
    """One thing that a model writes: its name, unit, range and the labels it may carry.

    What it writes may say of which part it speaks after a colon: `advocacy:bluesky` is given as `advocacy`.
    """

    kind: Literal["score", "annotation"]
    name: str
    unit: str
    low: float
    high: float
    labels: tuple[str, ...] = ()  # empty: any label, or none
    meaning: str = ""  # one sentence in plain words


@dataclass(frozen=True, slots=True)
class Context:
    """What a model may know beside its table: the time, a seed, how far ahead to look, its parameters."""

    now: dt.datetime
    seed: int = 0
    horizon_days: int = 90
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def rng(self) -> np.random.Generator:
        """Randomness that is the same for the same seed."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a back-test beside what the naive rule reaches on the same rows."""

    name: str
    value: float
    baseline: str  # the naive rule, named
    baseline_value: float
    unit: str = "ratio"
    higher_is_better: bool = True
    low: float | None = None  # 95 % interval of the value
    high: float | None = None
    meaning: str = ""

    @property
    def is_better(self) -> bool:
        """Whether the model beats the naive rule."""
        gain = self.value - self.baseline_value
        return gain > 0 if self.higher_is_better else gain < 0


@dataclass(frozen=True, slots=True)
class Point:
    """People to whom the model said about the same, and what happened to them."""

    said: float  # the mean of what the model said of them
    seen: float  # the mean of what happened
    n: int  # people, or whatever was judged
    low: float | None = None  # 95 % interval of `seen`
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """What was said beside what was seen, group by group: the calibration of one score."""

    name: str  # of the score
    unit: str
    points: tuple[Point, ...]
    meaning: str  # what the curve shows on these rows, in one plain sentence


@dataclass(frozen=True, slots=True)
class Backtest:
    """How good a model was on rows it had not learnt from."""

    metrics: tuple[Metric, ...]
    n: int  # rows judged
    split: str  # how the judged rows were kept apart, in words
    note: str = ""
    curves: tuple[Curve, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        return {
            "metrics": [{k: getattr(m, k) for k in Metric.__dataclass_fields__} for m in self.metrics],
            "n": self.n,
            "split": self.split,
            "note": self.note,
            "curves": [asdict(curve) for curve in self.curves],
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Backtest:
        return cls(
            metrics=tuple(Metric(**metric) for metric in given["metrics"]),
            n=int(given["n"]),
            split=str(given["split"]),
            note=str(given.get("note", "")),
            curves=tuple(
                Curve(**{**curve, "points": tuple(Point(**point) for point in curve["points"])})
                for curve in given.get("curves", ())
            ),
        )


@runtime_checkable
class Insight(Protocol):
    """One model. The folder is its name; `plugin.py` ends with `plugin = ...`.

    name, version : a new version annotates and scores everything anew
    title, meaning : what a screen calls it, and what it says in one sentence
    limits : when not to believe it, in plain words
    purpose : key of the consent purpose that reading the rows serves; who refuses it is not in them
    after : names of models whose scores it reads; of those that run together, they run first
    needs : the query that yields its table, a `.sql` in the plug-in's folder `sql`; it may read the lake's
        tables, the relation `identity(subject, person, core)` and the relation `score` (SCORES: what models
        last wrote of these people; empty in a back-test, which looks at a time before it) and the relation
        `correction(seq, name, label)` (what staff said of accounts, by a text of theirs), and gets `$now`
        (rows from then on are unknown to the model), `$horizon_days` and the model's parameters. None for a
        model of texts, which gets TEXTS.
    gives : what it writes
    parameters : the defaults of its parameters
    shipped : figures measured when the weights inside the plug-in were made; None where it learns here

    A model of texts that learns nothing from labels has `learns = False`.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def limits(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def after(self) -> tuple[str, ...]: ...
    @property
    def needs(self) -> Query | None: ...
    @property
    def gives(self) -> tuple[Gives, ...]: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def shipped(self) -> Backtest | None: ...

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Learn from the table.

        For a model of texts: columns text and label, perhaps no row; and `name`, the annotation that the label
        is of, which a model that gives several of them needs (a file without it speaks of the first).
        """
        ...

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        """Apply what was learnt: rows in the shape of SCORED or ANNOTATED."""
        ...

    def explain(self, row: Mapping[str, Any]) -> str:
        """Why one row that `score` gave came out so: one sentence that a marketer understands."""
        ...

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """How good the model is on rows it has not learnt from, beside a naive rule.

        A model of people gets what `needs` yields for `$now` set back by `$horizon_days`, with the columns
        that say what happened afterwards; a model of texts gets columns text and label.
        """
        ...


def given_name(name: str) -> str:
    """The name under which a model gives what it writes: `advocacy` of `advocacy:bluesky`."""
    return name.partition(":")[0]


@functools.lru_cache(maxsize=100_000)
def is_sensitive(name: str) -> bool:
    """Whether a name in any language is of what no model may reason from: a special category, or a proxy for one."""
    return category_of_name(name) != ""


def learns(insight: Insight) -> bool:
    """Whether a model of texts can be taught with labels."""
    return bool(getattr(insight, "learns", True))


def is_of_texts(insight: Insight) -> bool:
    """Whether the model annotates texts, and not people."""
    return any(gives.kind == "annotation" for gives in insight.gives)
