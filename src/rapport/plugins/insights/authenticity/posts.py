"""The table as columns: one row per post, those of one account side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.plugins.insights.authenticity import likeness

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Posts:
    """Columns over posts, and over accounts (n_orders, said); `keys` (posts, bands), 0 where a text is too short."""

    n_accounts: int
    person: Ints
    n_orders: Floats
    said: NDArray[Any]
    owner: Ints  # the account's position, never falling
    ago: Floats  # days before now, negative for what came after
    keys: NDArray[np.uint64]
    is_reply: Flags
    value: Floats  # sentiment, NaN where nobody read it

    def __len__(self) -> int:
        return len(self.owner)

    def only(self, chosen: Flags) -> Posts:
        """The same accounts with some of their posts."""
        return Posts(
            self.n_accounts, self.person, self.n_orders, self.said, self.owner[chosen], self.ago[chosen],
            self.keys[chosen], self.is_reply[chosen], self.value[chosen],
        )  # fmt: skip

    def count(self, flags: Flags | None = None) -> Floats:
        """(accounts,): how many posts each has, or how many of those flagged."""
        return np.bincount(self.owner, flags, minlength=self.n_accounts).astype(np.float64)


def read(table: pa.Table) -> Posts:
    """Take the lists of the query apart and give each text its keys."""
    arrow: Any = pc
    lists = table.column("posts").combine_chunks()
    flat = arrow.list_flatten(lists)
    owner = np.asarray(arrow.list_parent_indices(lists).to_numpy(zero_copy_only=False), np.int64)
    empty = not len(flat)
    ago = np.zeros(0) if empty else _numbers(flat.field("ago"))
    value = np.zeros(0) if empty else _numbers(flat.field("value"))
    words = pa.array([], pa.string()) if empty else flat.field("words").cast(pa.string())
    replies = (
        np.zeros(0, np.bool_) if empty else np.asarray(flat.field("is_reply").to_numpy(zero_copy_only=False))
    )
    return Posts(
        table.num_rows,
        np.asarray(table.column("person").to_numpy(zero_copy_only=False), np.int64),
        _numbers(table.column("n_orders").combine_chunks()),
        table.column("said").to_numpy(zero_copy_only=False),
        owner,
        ago,
        likeness.keys(words),
        replies.astype(np.bool_),
        value,
    )


def _numbers(column: Any) -> Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
