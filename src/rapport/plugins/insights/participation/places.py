"""The table as columns: one row per person and network."""

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


@dataclass(frozen=True, slots=True)
class Places:
    """Columns over persons and networks, a person's own side by side."""

    n_persons: int
    owner: Ints  # position of the person in the table, never falling
    network: NDArray[Any]
    weeks: Floats
    n: Floats  # posts in those weeks
    n_next: Floats
    n_reach: Floats
    log_reach: Floats  # a sum over posts
    n_replies: Floats

    def __len__(self) -> int:
        return len(self.owner)

    def first_of(self) -> Ints:
        """(persons,): where each person's places begin; everybody has one at least."""
        return np.searchsorted(self.owner, np.arange(self.n_persons))


def read(table: pa.Table) -> Places:
    """Take the lists of the query apart."""
    arrow: Any = pc
    lists = table.column("places").combine_chunks()
    owner = arrow.list_parent_indices(lists)
    flat = arrow.list_flatten(lists)

    def numbers(name: str) -> Floats:
        if not len(flat):
            return np.zeros(0)
        return np.asarray(flat.field(name).cast(pa.float64()).to_numpy(zero_copy_only=False))

    network = flat.field("network").to_numpy(zero_copy_only=False) if len(flat) else np.zeros(0, object)
    names = ("weeks", "n", "n_next", "n_reach", "log_reach", "n_replies")
    return Places(
        table.num_rows,
        np.asarray(owner.to_numpy(zero_copy_only=False), np.int64),
        network,
        *(numbers(name) for name in names),
    )
