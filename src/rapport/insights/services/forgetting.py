"""Forgetting somebody in what staff said of their texts and in labelled files; showing the former to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import transaction
from django.utils.translation import gettext as _

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting, Section
from rapport.events import lake, traces
from rapport.insights.models import Correction, LabelledFile
from rapport.kit import bulk, query

SHOWN_MAX = 10_000


def erase_words(erasing: Erasing) -> int:
    """Drop the rows of labelled files that are texts of theirs; called while the log still knows these."""
    if not LabelledFile.objects.exists():
        return 0
    con = lake.connect()
    try:
        lake.give(con, "gone", pa.table({"subject": pa.array(erasing.subjects, pa.int64())}))
        found = query.run(con, query.load("rapport.insights", "texts_of")).to_arrow_table()
    finally:
        con.close()
    arrow: Any = pc
    own = arrow.unique(_spelt(found.column("text")))
    return _without(lambda texts: arrow.is_in(_spelt(texts), value_set=own)) if len(own) else 0


def erase(erasing: Erasing) -> int:
    """Delete the corrections of their texts, and the rows of labelled files that name them."""
    n = 0
    for part in bulk.parts(erasing.subjects):
        n += Correction.objects.filter(subject__in=part).delete()[0]
    found = traces.of(erasing.identifiers)
    return n + _without(lambda texts: _naming(texts, found)) if found else n


def sections(exporting: Exporting) -> Iterator[Section]:
    """What staff said their texts mean."""
    rows: list[Correction] = []
    for part in bulk.parts(exporting.subjects):
        rows += Correction.objects.filter(subject__in=part).order_by("-made_at")[:SHOWN_MAX]
    yield Section(
        title=_("What our staff read in your words"),
        origin=_("said by our staff"),
        rows=[
            {
                "when": row.made_at,
                "about": row.name,
                "read as": row.label,
                "a model had said": row.said,
            }
            for row in sorted(rows, key=lambda row: row.made_at, reverse=True)[:SHOWN_MAX]
        ],
    )


def _without(is_theirs: Callable[[pa.ChunkedArray], Any]) -> int:
    """Drop from every labelled file the rows whose texts are theirs; gives how many."""
    numbers = list(
        LabelledFile.objects.values_list("pk", flat=True)
    )  # the files themselves one after the other
    return sum(_file_without(number, is_theirs) for number in numbers)


@transaction.atomic
def _file_without(number: int, is_theirs: Callable[[pa.ChunkedArray], Any]) -> int:
    file = LabelledFile.objects.select_for_update().filter(pk=number).first()
    if file is None:
        return 0
    arrow: Any = pc
    table = pq.read_table(pa.BufferReader(bytes(file.content)))
    left = table.filter(arrow.invert(is_theirs(table.column("text"))))
    n: int = table.num_rows - left.num_rows
    if n:
        sink = pa.BufferOutputStream()
        pq.write_table(left, sink, compression="zstd")
        file.content, file.n_texts = sink.getvalue().to_pybytes(), left.num_rows
        file.labels = {
            row["values"]: row["counts"] for row in arrow.value_counts(left.column("label")).to_pylist()
        }
        file.save(update_fields=["content", "n_texts", "labels"])
    return n


def _naming(texts: pa.ChunkedArray, found: traces.Traces) -> pa.Array:
    """Which texts name one of the identifiers."""
    arrow: Any = pc
    lower = arrow.utf8_lower(texts)
    near = pa.array([False] * len(texts), pa.bool_())
    for text in found.shortest:
        near = arrow.or_(near, arrow.match_substring(lower, text))
    is_near = near.to_pylist()
    names = iter(text is not None and found.found_in(text) for text in lower.filter(near).to_pylist())
    return pa.array([close and next(names) for close in is_near], pa.bool_())


def _spelt(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as they are compared: however blanks, capitals and composed letters are written."""
    arrow: Any = pc
    composed = arrow.utf8_lower(arrow.utf8_normalize(texts, "NFKC"))
    return arrow.utf8_trim_whitespace(arrow.replace_substring_regex(composed, r"\s+", " "))
