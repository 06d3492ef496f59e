"""Tables of labelled texts, and the sentence that names what decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.errors import Invalid
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import BATCH_TEXTS

FOLDS = 5  # of a back-test: each is judged after learning the others


def texts(table: pa.Table) -> pa.StringArray:
    """The column `text` as one array."""
    column: Any = table.column("text").cast(pa.string()).combine_chunks()
    found: pa.StringArray = column
    return found


def in_batches(table: pa.Table) -> Iterator[tuple[Any, pa.StringArray]]:
    """The columns `seq` and `text`, a bounded number of texts at a time."""
    seq, whole = table.column("seq"), texts(table)
    for at in range(0, table.num_rows, BATCH_TEXTS):
        yield seq.slice(at, BATCH_TEXTS).combine_chunks(), whole.slice(at, BATCH_TEXTS)


def read(table: pa.Table, labels: Sequence[str], what: str) -> tuple[pa.StringArray, Classes]:
    """The texts and the place of their label. Raises Invalid for a missing column or a label not known.

    what : what the labels are called, as in `'angry' is no emotion`
    """
    for column in ("text", "label"):
        if column not in table.column_names:
            raise Invalid(f"the rows have no column {column}", "Give texts in `text` and labels in `label`.")
    arrow: Any = pc
    spelt = arrow.utf8_lower(arrow.utf8_trim_whitespace(table.column("label").cast(pa.string())))
    place = arrow.index_in(spelt, value_set=pa.array(labels))
    if place.null_count:
        wrong = spelt.filter(arrow.is_null(place))[0].as_py()
        raise Invalid(f"{wrong!r} is no {what}", f"Label texts with {', '.join(labels)}.")
    return texts(table), place.to_numpy().astype(np.int64)


def because(said: str, words: Sequence[str]) -> str:
    """A sentence: what was said, and which words decided it."""
    decided = [f"“{word}”" for word in words]
    if not decided:
        return f"{said}; no single word decided."
    joined = decided[0] if len(decided) == 1 else ", ".join(decided[:-1]) + " and " + decided[-1]
    return f"{said}, mostly for {joined}."
