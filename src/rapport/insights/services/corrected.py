"""What staff said of texts, as the log keeps it: it stands above whatever a model says, before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights import rules
from rapport.insights.contract import Gives, given_name
from rapport.insights.models import Correction
from rapport.kit import bulk

NO_WORDS = '{"words": []}'  # a member of staff decided, and no single word

Labels = Mapping[tuple[int, str], str]  # by the text's seq and the annotation's name


def among(seq_from: int, seq_to: int, names: Collection[str]) -> Labels:
    """The corrections of annotations of these names (as given) on a stretch of the log."""
    found = Correction.objects.filter(seq__gte=seq_from, seq__lte=seq_to).values_list("seq", "name", "label")
    return {(seq, name): label for seq, name, label in found if given_name(name) in names}


def of_texts(seqs: Iterable[int]) -> Labels:
    """The corrections of these texts."""
    found: dict[tuple[int, str], str] = {}
    for part in bulk.parts(list(seqs)):
        rows = Correction.objects.filter(seq__in=part).values_list("seq", "name", "label")
        found |= {(seq, name): label for seq, name, label in rows}
    return found


def spared(said: pa.Table, labels: Labels) -> pa.Table:
    """What models say, without what staff has said otherwise or alike."""
    if not labels or said.num_rows == 0:
        return said
    arrow: Any = pc
    held = pa.array(sorted({seq for seq, _name in labels}), pa.int64())
    near = arrow.is_in(said.column("seq"), value_set=held).to_pylist()
    keep = [True] * said.num_rows
    names = said.column("name")
    seqs = said.column("seq")
    for place, is_near in enumerate(near):
        if is_near:
            keep[place] = (seqs[place].as_py(), names[place].as_py()) not in labels
    return said.filter(pa.array(keep, pa.bool_()))


def write(labels: Labels, texts: pa.Table, gives: Mapping[str, Gives]) -> events.Range | None:
    """Write corrections down as annotations of texts (seq, subject, ts); those of other texts are left out."""
    arrow: Any = pc
    wanted = arrow.is_in(texts.column("seq"), value_set=pa.array({seq for seq, _ in labels}, pa.int64()))
    whose = {row["seq"]: row for row in texts.select(["seq", "subject", "ts"]).filter(wanted).to_pylist()}
    rows = [
        {
            **whose[seq],
            "name": name,
            "label": label,
            "value": rules.value_of(label, gives.get(given_name(name))),
            "probability": 1.0,
            "model": rules.STAFF,
            "version": "",
            "detail": NO_WORDS,
        }
        for (seq, name), label in labels.items()
        if seq in whose
    ]
    return events.annotate(pa.Table.from_pylist(rows, schema=event_rules.ANNOTATION)) if rows else None
