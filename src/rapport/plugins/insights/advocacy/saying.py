"""The table as columns: what people said, answered and did, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_TEXTS = pa.list_(
    pa.struct(
        [(name, pa.string() if name == "network" else pa.float64()) for name in
         ("ago", "network", "negative", "positive", "weight")]
    )
)  # fmt: skip
_ANSWERS = pa.list_(pa.struct([("ago", pa.float64()), ("score", pa.float64())]))


@dataclass(frozen=True, slots=True)
class Texts:
    """One row per text; a person's own stand together, and of these those of one network."""

    owner: Ints
    network: NDArray[Any]
    ago: Floats
    negative: Floats
    positive: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.owner)

    def only(self, chosen: Flags) -> Texts:
        return Texts(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Marks:
    """One row per answer or referral; `score` is 0 to 10, NaN for a referral."""

    owner: Ints
    ago: Floats
    score: Floats


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that the table holds; `later` are texts from after now, which a back-test looks at."""

    n_persons: int
    texts: Texts
    later: Texts
    answers: Marks
    referrals: Marks


def read(table: pa.Table) -> Said:
    """Take the lists of the query apart."""
    owner, flat = _apart(table, "texts", _TEXTS)
    names = ("ago", "negative", "positive", "weight")
    ago, negative, positive, weight = (_numbers(flat.field(name)) for name in names)
    network = flat.field("network").to_numpy(zero_copy_only=False)
    every = Texts(owner, network, ago, negative, positive, weight)
    who, answered = _apart(table, "answers", _ANSWERS)
    whose, days = _apart(table, "referrals", pa.list_(pa.float64()))
    return Said(
        table.num_rows,
        every.only(ago > 0),
        every.only(ago <= 0),
        Marks(who, _numbers(answered.field("ago")), _numbers(answered.field("score"))),
        Marks(whose, _numbers(days), np.full(len(days), np.nan)),
    )


def _apart(table: pa.Table, name: str, kind: pa.DataType) -> tuple[Ints, Any]:
    arrow: Any = pc
    lists = table.column(name).cast(kind).combine_chunks()
    owner = arrow.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    return np.asarray(owner, np.int64), arrow.list_flatten(lists)


def _numbers(column: Any) -> Floats:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
