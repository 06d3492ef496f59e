"""Annotating texts: those that arrive, and those that still wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake
from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights import rules
from rapport.insights.contract import Gives, Insight, given_name
from rapport.insights.models import AnnotationCursor
from rapport.insights.services import keeping, permitting
from rapport.insights.services.keeping import Fitted
from rapport.kit import clock, home, query
from rapport.kit.errors import Invalid
from rapport.people.rules import sensitive

TEXTS_MOST = 20_000  # read, annotated and recorded together


@dataclass(frozen=True, slots=True)
class Annotated:
    """What a round of annotating did."""

    n_texts: int
    n_annotations: int
    last_seq: int  # in the log, of the newest annotation; 0 where there is none


def annotate_texts(table: pa.Table, seq_from: int, seq_to: int) -> None:
    """Annotate the texts (seq, subject, ts, text, name) of a stretch of the log with every model of texts.

    Texts already annotated by a model's present version are left alone.
    """
    arrow: Any = pc
    theirs = arrow.invert(arrow.is_in(table.column("name"), value_set=pa.array(rules.OWN_WORDS)))
    texts = table.filter(arrow.and_(theirs, arrow.is_valid(table.column("text"))))
    for model in keeping.texts_insights():
        leave = permitting.daily_warrant(model)
        if leave is None:
            continue  # nothing is noted as read, so that a run makes up for it once the purpose is on again
        fitted = keeping.active(model)
        with _lock(model):
            cursor = _cursor(model, fitted.version)
            stretch = _span(cursor).missing_in(seq_from, seq_to)
            if stretch is None:
                continue
            wanted = texts.filter(arrow.greater_equal(texts.column("seq"), stretch[0]))
            for at in range(0, wanted.num_rows, TEXTS_MOST):
                _write(model, fitted, permitting.texts_seen(leave, wanted.slice(at, TEXTS_MOST)))
            _advance(cursor, *stretch, n_texts=wanted.num_rows)


def catch_up(model: Insight, head: int, progress: Callable[[int, int], None] | None = None) -> Annotated:
    """Annotate every text up to event `head` that a model's present version has not; `progress` gets seqs."""
    leave = permitting.warrant(model)
    fitted = keeping.active(model)
    n_texts = n_annotations = last = 0
    con = lake.connect()
    try:
        while True:
            with _lock(model):
                cursor = _cursor(model, fitted.version)
                gap = _span(cursor).gap_up_to(head)
                if gap is None:
                    return Annotated(n_texts, n_annotations, last)
                texts = _read(con, *gap)
                written = _write(model, fitted, permitting.texts_seen(leave, texts))
                # A full page may end within the gap: what follows its last text is still to be read.
                whole = texts.num_rows < TEXTS_MOST
                end = gap[1] if whole else int(texts.column("seq")[-1].as_py())
                _advance(cursor, gap[0], end, n_texts=texts.num_rows)
            n_texts += texts.num_rows
            n_annotations += written.n if written else 0
            last = max(last, written.first + written.n - 1 if written else 0)
            if progress:
                progress(end, head)
    finally:
        con.close()


def said_of(model: Insight, fitted: Fitted, texts: pa.Table) -> pa.Table:
    """What a model says of texts (seq, subject, ts, text), as the log keeps it. Raises Invalid for nonsense."""
    said = model.score(fitted.content, texts.select(["seq", "text"]), keeping.context(model))
    check(said, model.gives, model.name)
    arrow: Any = pc
    place = arrow.index_in(said.column("seq"), value_set=texts.column("seq").combine_chunks())
    if place.null_count:
        raise Invalid(f"model {model.name} speaks of texts it was not given", "Correct the plug-in.")
    n = said.num_rows
    columns = {
        "seq": said.column("seq"),
        "subject": texts.column("subject").take(place),
        "ts": texts.column("ts").take(place),
        **{c: said.column(c) for c in ("name", "label", "value", "probability", "detail")},
        "model": pa.repeat(model.name, n),
        "version": pa.repeat(fitted.version, n),
    }
    return pa.table([columns[f.name] for f in event_rules.ANNOTATION], names=event_rules.ANNOTATION.names)


def check(said: pa.Table, gives: tuple[Gives, ...], model: str) -> None:
    """Raise Invalid where a model writes a name, label or value that it does not give, Denied where nobody may."""
    arrow: Any = pc
    by_name = {g.name: g for g in gives}
    for name in arrow.unique(said.column("name")).to_pylist():
        sensitive.refuse(name)
        given = by_name.get(given_name(name))
        if given is None:
            raise Invalid(f"model {model} writes {name!r}, which it does not give", "Add it to `gives`.")
        rows = said.filter(arrow.equal(said.column("name"), name))
        if given.labels:
            known = arrow.is_in(rows.column("label"), value_set=pa.array(given.labels))
            if not arrow.all(known).as_py():
                wrong = rows.filter(arrow.invert(known)).column("label")[0].as_py()
                raise Invalid(
                    f"model {model} labels {name} {wrong!r}, which it does not give", "Add it to `gives`."
                )
        values = arrow.drop_null(rows.column("value"))
        ends = arrow.min_max(values).as_py()
        if len(values) and not (given.low <= ends["min"] and ends["max"] <= given.high):
            raise Invalid(
                f"model {model} writes {name} from {ends['min']} to {ends['max']}",
                f"It gives {given.low} to {given.high}.",
            )


def _read(con: duckdb.DuckDBPyConnection, seq_from: int, seq_to: int) -> pa.Table:
    asked = {
        "seq_from": seq_from,
        "seq_to": seq_to,
        "own_words": list(rules.OWN_WORDS),
        "most": TEXTS_MOST,
    }
    return query.run(con, query.load("rapport.insights", "texts"), asked).to_arrow_table()


def _write(model: Insight, fitted: Fitted, texts: pa.Table) -> events.Range | None:
    if texts.num_rows == 0:
        return None
    said = said_of(model, fitted, texts)
    return events.annotate(said) if said.num_rows else None


def _lock(model: Insight) -> Any:
    return home.lock(f"insight-{model.name}", wait=True)


def _cursor(model: Insight, version: str) -> AnnotationCursor:
    cursor, _ = AnnotationCursor.objects.get_or_create(
        model=model.name, version=version, defaults={"updated_at": clock.now()}
    )
    return cursor


def _span(cursor: AnnotationCursor) -> rules.Span:
    return rules.Span(cursor.done_seq, cursor.live_from, cursor.live_to)


def _advance(cursor: AnnotationCursor, seq_from: int, seq_to: int, *, n_texts: int) -> None:
    """Note a stretch as annotated; called once its annotations are durable."""
    span = _span(cursor).with_stretch(seq_from, seq_to)
    AnnotationCursor.objects.filter(pk=cursor.pk).update(
        done_seq=span.done,
        live_from=span.live_from,
        live_to=span.live_to,
        n_texts=cursor.n_texts + n_texts,
        updated_at=clock.now(),
    )
