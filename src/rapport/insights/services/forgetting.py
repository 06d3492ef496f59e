"""Forgetting somebody in what staff said of their texts and in labelled files; showing the former to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting, Section
from rapport.events import traces
from rapport.insights.models import Correction, LabelledFile
from rapport.kit import bulk

SHOWN_MAX = 10_000


def erase(erasing: Erasing) -> int:
    """Delete the corrections of their texts, and the rows of labelled files that name them."""
    n = 0
    for part in bulk.parts(erasing.subjects):
        n += Correction.objects.filter(subject__in=part).delete()[0]
    found = traces.of(erasing.identifiers)
    return n + sum(_without(file, found) for file in LabelledFile.objects.all()) if found else n


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


def _without(file: LabelledFile, found: traces.Traces) -> int:
    """Drop the rows of a labelled file in which one of the identifiers stands; gives how many."""
    arrow: Any = pc
    table = pq.read_table(pa.BufferReader(bytes(file.content)))
    lower = arrow.utf8_lower(table.column("text"))
    near = pa.array([False] * table.num_rows, pa.bool_())
    for text in found.shortest:
        near = arrow.or_(near, arrow.match_substring(lower, text))
    names = [text is not None and found.found_in(text) for text in lower.filter(near).to_pylist()]
    if not any(names):
        return 0
    keep = arrow.invert(near).to_pylist()
    for place, is_named in zip((k for k, kept in enumerate(keep) if not kept), names, strict=True):
        keep[place] = not is_named
    left = table.filter(pa.array(keep, pa.bool_()))
    sink = pa.BufferOutputStream()
    pq.write_table(left, sink, compression="zstd")
    file.content, file.n_texts = sink.getvalue().to_pybytes(), left.num_rows
    file.labels = {
        row["values"]: row["counts"] for row in arrow.value_counts(left.column("label")).to_pylist()
    }
    file.save(update_fields=["content", "n_texts", "labels"])
    return sum(names)
