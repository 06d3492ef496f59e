"""Setting apart what accounts wrote that do not look genuine: by marks on their texts, which go when the texts go.

No figure of a public author is kept. A mark is on the text, like its tone, so that whatever counts texts can leave
these out and say so, and whoever reads one sees why. What staff decided stands above the model.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction

from rapport.events import lake
from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights import rules
from rapport.insights.models import Correction, Owed
from rapport.insights.services import corrected
from rapport.kit import clock, home, query
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.people.selectors import rows

_CORRECTION = pa.schema([("seq", pa.int64()), ("name", pa.string()), ("label", pa.string())])
_JUDGED = ("person", "label", "value", "reason")


def corrections(name: str = rules.AUTHENTICITY) -> pa.Table:
    """What staff said of texts under a name: the relation `correction` of a model's query."""
    said = Correction.objects.filter(name=name).values_list("seq", "name", "label")
    return pa.table(list(map(list, zip(*said, strict=True))) or [[], [], []], schema=_CORRECTION)


def mark(scored: pa.Table, identity: pa.Table, version: str) -> events.Range | None:
    """Mark the texts of accounts that this run holds not to be genuine, and take back marks that no longer hold."""
    arrow: Any = pc
    mine = scored.filter(arrow.equal(scored.column("name"), rules.AUTHENTICITY))
    doubted = mine.filter(arrow.not_equal(mine.column("label"), rules.GENUINE)).select(list(_JUDGED))
    con = lake.connect()
    try:
        lake.give(con, "identity", identity)
        lake.give(con, "judged", doubted)
        due = query.run(con, query.load("rapport.insights", "marks_due")).to_arrow_table()
    finally:
        con.close()
    if due.num_rows == 0:
        return None
    written = events.annotate(_marks(due, "authenticity", version))
    events.settle(written.first + written.n - 1)  # the models that come after this one read them
    return written


def decide(seq: int, *, is_genuine: bool, staff: str) -> int:
    """Staff's word about the account that wrote this text: it counts from now on, or not; gives how many texts.

    Raises NotFound where there is no such text in public.
    """
    label = rules.GENUINE if is_genuine else rules.LEFT_OUT
    theirs = _texts_of_account(seq)
    seqs = rows.numbers(theirs, "seq")
    newest = int(seqs[-1])
    with home.lock("correct", wait=True):
        with transaction.atomic():
            # One word for an account: an earlier one about another of its texts no longer holds.
            for part in range(0, len(seqs), 500):
                Correction.objects.filter(
                    name=rules.AUTHENTICITY, seq__in=seqs[part : part + 500].tolist()
                ).delete()
            Owed.objects.get_or_create(seq=newest, name=rules.AUTHENTICITY)
            Correction.objects.create(
                seq=newest,
                subject=int(theirs.column("subject")[-1].as_py()),
                name=rules.AUTHENTICITY,
                label=label,
                said=rules.LEFT_OUT if is_genuine else rules.GENUINE,
                model=rules.AUTHENTICITY,
                version="",
                made_by=staff,
                made_at=clock.now(),
            )
        written = _write(theirs, label)
        Owed.objects.filter(seq=newest, name=rules.AUTHENTICITY).delete()
    events.settle(written.last)
    return len(seqs)


def write(seq: int, label: str) -> events.Range:
    """Mark every text of the account that wrote this one with staff's word. Raises NotFound."""
    return _write(_texts_of_account(seq), label)


def _texts_of_account(seq: int) -> pa.Table:
    con = lake.connect()
    try:
        lake.give(con, "identity", people.identity_arrow())
        theirs = query.run(
            con, query.load("rapport.insights", "texts_of_account"), {"seq": seq}
        ).to_arrow_table()
    finally:
        con.close()
    if theirs.num_rows == 0:
        raise NotFound(f"event {seq} is no text that somebody published", "It may have been erased.")
    return theirs


def _write(theirs: pa.Table, label: str) -> events.Range:
    value = 1.0 if label == rules.GENUINE else 0.0
    said = theirs.append_column("label", pa.repeat(label, theirs.num_rows))
    said = said.append_column("value", pa.repeat(value, theirs.num_rows))
    said = said.append_column("detail", pa.repeat(corrected.NO_WORDS, theirs.num_rows))
    return events.annotate(_marks(said, rules.STAFF, ""))


def _marks(due: pa.Table, model: str, version: str) -> pa.Table:
    n = due.num_rows
    columns = {
        **{name: due.column(name) for name in ("seq", "subject", "ts", "label", "value", "detail")},
        "name": pa.repeat(rules.AUTHENTICITY, n),
        "probability": pa.nulls(n, pa.float64()),
        "model": pa.repeat(model, n),
        "version": pa.repeat(version, n),
    }
    return pa.table(
        [columns[f.name] for f in event_rules.ANNOTATION], names=event_rules.ANNOTATION.names
    ).cast(event_rules.ANNOTATION)
