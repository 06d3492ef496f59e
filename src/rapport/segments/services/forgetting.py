"""Take people out of the files of members, leaving no row of theirs."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rapport.kit import home
from rapport.segments.selectors import membership
from rapport.segments.services import refreshing


def forget(persons: Collection[int]) -> int:
    """Write every file anew that holds one of them; gives how many rows went."""
    gone = pa.array(sorted(persons), pa.int64())
    n = 0
    with home.lock(refreshing.LOCK, wait=True):
        for path in sorted(membership.folder().glob("*.parquet")):
            held = pq.read_table(path)
            kept = held.filter(pc.invert(pc.is_in(held["person"], value_set=gone)))
            if kept.num_rows < held.num_rows:
                refreshing.write(kept, path)
                n += held.num_rows - kept.num_rows
    return n
