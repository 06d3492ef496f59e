"""Annotating texts: those that arrive, and those that still wait.

A page of texts is read once, and every model reads a batch of it before the next batch, so that what they
share of the work (cutting and hashing words) is done once. What they say is written together.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from rapport.consent.services import Warrant
from rapport.events import lake
from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights import rules
from rapport.insights.contract import Gives, Insight, given_name
from rapport.insights.models import AnnotationCursor
from rapport.insights.services import corrected, keeping, permitting
from rapport.insights.services.keeping import Fitted
from rapport.kit import clock, home, query
from rapport.kit.errors import Invalid
from rapport.kit.texts.learning import BATCH_TEXTS
from rapport.people.rules import sensitive

log = logging.getLogger(__name__)

TEXTS_MOST = 20_000  # read, annotated and recorded together


@dataclass(slots=True)
class Reading:
    """One model that reads: what it has learnt, how far it is, what it has done."""

    model: Insight
    leave: Warrant
    fitted: Fitted
    cursor: AnnotationCursor
    first: int = 0  # texts before this event it has read
    n_texts: int = 0
    n_annotations: int = 0
    last_seq: int = 0  # in the log, of the newest annotation; 0 where there is none
    failure: Exception | None = None
    is_paused: bool = False
    is_again: bool = False  # another version, or this one before, has read texts


@dataclass(frozen=True, slots=True)
class Annotated:
    """What a round of annotating did, of one model."""

    version: str = ""
    n_texts: int = 0
    n_annotations: int = 0
    last_seq: int = 0
    failure: Exception | None = None
    is_paused: bool = False


def annotate_texts(table: pa.Table, seq_from: int, seq_to: int) -> None:
    """Annotate the texts (seq, subject, ts, text, name) of a stretch of the log with every model of texts.

    Texts already annotated by a model's present version are left alone. A model that fails stops no other and
    nothing that arrives later: these texts stay unread by it, so catching up tries them again.
    """
    arrow: Any = pc
    theirs = arrow.invert(arrow.is_in(table.column("name"), value_set=pa.array(rules.OWN_WORDS)))
    texts = table.filter(arrow.and_(theirs, arrow.is_valid(table.column("text"))))
    # Of a purpose that is off nothing is noted as read, so that a run makes up for it once it is on again.
    leaves = {m.name: leave for m in keeping.texts_insights() if (leave := permitting.daily_warrant(m))}
    models = [m for m in keeping.texts_insights() if m.name in leaves]
    with _locks(models):
        readings = []
        for model in models:
            try:
                reading = _begin(model, leaves[model.name])
            except Exception:
                log.exception("model %s cannot read what arrives", model.name)
                continue
            stretch = span_of(reading.cursor).missing_in(seq_from, seq_to)
            if stretch is not None:
                reading.first = stretch[0]
                readings.append(reading)
        for at in range(0, texts.num_rows, TEXTS_MOST):
            _write(readings, texts.slice(at, TEXTS_MOST))
        for reading in readings:
            if reading.failure is None:
                _advance(reading.cursor, reading.first, seq_to, n_texts=reading.n_texts)
            else:
                said = "model %s failed on what arrived; it will be caught up with"
                log.error(said, reading.model.name, exc_info=reading.failure)


def catch_up(
    models: Sequence[Insight], head: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, Annotated]:
    """Annotate every text up to event `head` that the models' present versions have not; `progress` gets seqs.

    Those that stand at the same event read together, those that are behind first catch up with the others.
    Stopped at any moment it goes on from the page it was at. A model that fails stops no other.
    """
    done: dict[str, Annotated] = {}
    readings: dict[str, Reading] = {}
    con = lake.connect()
    try:
        while left := [m for m in models if m.name not in done]:
            with _locks(left):
                standing = []
                for model in left:
                    gap = _renewed(model, readings, head, done)
                    if gap is not None:
                        standing.append((gap, readings[model.name]))
                if not standing:
                    continue
                first, until = _next_stretch([gap for gap, _ in standing])
                group = [reading for gap, reading in standing if gap[0] == first]
                texts = _read(con, first, until)
                # A full page may end within the stretch: what follows its last text is still to be read.
                whole = texts.num_rows < TEXTS_MOST
                end = until if whole else int(texts.column("seq")[-1].as_py())
                counted = {r.model.name: r.n_texts for r in group}
                _write(group, texts, con)
                for reading in group:
                    if reading.failure is None:
                        n = reading.n_texts - counted[reading.model.name]
                        _advance(reading.cursor, first, end, n_texts=n)
            if progress:
                progress(end, head)
    finally:
        con.close()
    return done


def _renewed(
    model: Insight, readings: dict[str, Reading], head: int, done: dict[str, Annotated]
) -> tuple[int, int] | None:
    """The stretch that a model is to read next, by the version that serves now; None once it is done.

    Asked before each page, under the model's lock: another version may have been put in its place meanwhile,
    staff may have stopped the reading, what arrived may have been read.
    """
    reading = readings.get(model.name)
    try:
        if reading is None or reading.fitted.version != keeping.active_version(model):
            earlier = reading
            reading = readings[model.name] = _begin(model, permitting.warrant(model))
            if earlier is not None:
                reading.n_texts, reading.n_annotations = earlier.n_texts, earlier.n_annotations
        else:
            reading.cursor.refresh_from_db()
            reading.is_again = reading.is_again or reading.cursor.n_anew > 0
    except Exception as error:
        done[model.name] = Annotated(failure=error)
        return None
    gap = span_of(reading.cursor).gap_up_to(head)
    if gap is None or reading.failure is not None or reading.cursor.is_paused:
        done[model.name] = Annotated(
            reading.fitted.version,
            reading.n_texts,
            reading.n_annotations,
            reading.last_seq,
            reading.failure,
            is_paused=gap is not None and reading.cursor.is_paused,
        )
        return None
    reading.first = gap[0]
    return gap


def _next_stretch(gaps: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where those that are furthest behind go on, and up to where: the end of a gap, or where another joins."""
    first = min(gap[0] for gap in gaps)
    ends = [gap[1] for gap in gaps if gap[0] == first] + [gap[0] - 1 for gap in gaps if gap[0] > first]
    return first, min(ends)


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
    return pa.table(
        [columns[f.name].cast(f.type) for f in event_rules.ANNOTATION], schema=event_rules.ANNOTATION
    )


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


def begin_anew(model: Insight, version: str) -> None:
    """Have a version read every text again, the newest that arrive first; called under the model's lock."""
    cursor = cursor_of(model, version)
    AnnotationCursor.objects.filter(pk=cursor.pk).update(
        done_seq=0,
        live_from=None,
        live_to=None,
        n_texts=0,
        n_anew=cursor.n_anew + 1,
        is_paused=False,
        updated_at=clock.now(),
    )


def lock(model: Insight) -> contextlib.AbstractContextManager[None]:
    """Nobody else reads with this model, nor puts another version in its place, within the block."""
    return home.lock(f"insight-{model.name}", wait=True)


def cursor_of(model: Insight, version: str) -> AnnotationCursor:
    """How far a version of a model is."""
    cursor, _ = AnnotationCursor.objects.get_or_create(
        model=model.name, version=version, defaults={"updated_at": clock.now()}
    )
    return cursor


def _begin(model: Insight, leave: Warrant) -> Reading:
    fitted = keeping.active(model)
    cursor = cursor_of(model, fitted.version)
    others = AnnotationCursor.objects.filter(model=model.name, n_texts__gt=0).exclude(pk=cursor.pk)
    return Reading(model, leave, fitted, cursor, is_again=cursor.n_anew > 0 or others.exists())


def _read(con: duckdb.DuckDBPyConnection, seq_from: int, seq_to: int) -> pa.Table:
    asked = {
        "seq_from": seq_from,
        "seq_to": seq_to,
        "own_words": list(rules.OWN_WORDS),
        "most": TEXTS_MOST,
    }
    return query.run(con, query.load("rapport.insights", "texts"), asked).to_arrow_table()


def _write(
    readings: Sequence[Reading], texts: pa.Table, con: duckdb.DuckDBPyConnection | None = None
) -> None:
    """Write down together what these models say of a page of texts, and keep staff's word above it."""
    if texts.num_rows == 0:
        return
    arrow: Any = pc
    said: list[pa.Table] = []
    for group in _alike(readings):
        wanted = texts.filter(arrow.greater_equal(texts.column("seq"), group[0].first))
        seen = permitting.texts_seen(group[0].leave, wanted)
        for reading, rows in _said_together(group, seen):
            reading.n_texts += wanted.num_rows
            said.append(rows)
            if con is not None and reading.is_again and not _speaks_of_all(reading.model, rows, seen):
                said.append(_taken_back(con, reading, rows, seen))
    seqs = texts.column("seq")
    names = {g.name for reading in readings for g in reading.model.gives}
    span = (int(seqs[0].as_py()), int(seqs[-1].as_py()))
    rows = corrected.spared(pa.concat_tables(said), corrected.among(*span, names)) if said else None
    written = events.annotate(rows) if rows is not None and rows.num_rows else None
    # Asked again: a correction made while the models read must not be overtaken by what they said of it.
    labels = corrected.among(*span, names)
    if labels:
        again = corrected.write(labels, texts, {g.name: g for r in readings for g in r.model.gives})
        written = again or written
    for reading in readings:
        if reading.failure is None and written is not None:
            reading.last_seq = max(reading.last_seq, written.last)


def _alike(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """Readings that read the same texts: of one purpose, and from one event on."""
    by_texts: dict[tuple[str, int], list[Reading]] = {}
    for reading in readings:
        if reading.failure is None:
            by_texts.setdefault((reading.model.purpose, reading.first), []).append(reading)
    yield from by_texts.values()


def _said_together(group: Sequence[Reading], texts: pa.Table) -> Iterator[tuple[Reading, pa.Table]]:
    """What each model says of the texts; batch by batch, because words are cut once for all of them."""
    whole = texts.combine_chunks()
    said: dict[str, list[pa.Table]] = {reading.model.name: [] for reading in group}
    for at in range(0, whole.num_rows, BATCH_TEXTS):
        batch = whole.slice(at, BATCH_TEXTS)
        for reading in group:
            if reading.failure is not None:
                continue
            try:
                said[reading.model.name].append(said_of(reading.model, reading.fitted, batch))
            except Exception as error:  # a plug-in is somebody else's code; the others read on
                reading.failure = error
    for reading in group:
        if reading.failure is None:
            parts = said[reading.model.name]
            rows = pa.concat_tables(parts) if parts else event_rules.ANNOTATION.empty_table()
            reading.n_annotations += rows.num_rows
            yield reading, rows


def _speaks_of_all(model: Insight, said: pa.Table, texts: pa.Table) -> bool:
    """Whether each of the model's names is said of each text, so that nothing older is left standing."""
    arrow: Any = pc
    counted = {row["values"]: row["counts"] for row in arrow.value_counts(said.column("name")).to_pylist()}
    return all(counted.get(gives.name) == texts.num_rows for gives in model.gives)


def _taken_back(
    con: duckdb.DuckDBPyConnection, reading: Reading, said: pa.Table, texts: pa.Table
) -> pa.Table:
    """Rows that take back what the model once said of texts of which it now says nothing under that name."""
    if texts.num_rows == 0:
        return event_rules.ANNOTATION.empty_table()
    ends = pc.min_max(texts.column("ts")).as_py()
    asked = {
        "seq_from": int(texts.column("seq")[0].as_py()),
        "seq_to": int(texts.column("seq")[-1].as_py()),
        "first_ts": ends["min"],
        "last_ts": ends["max"],
        "models": [reading.model.name],
    }
    before = query.run(con, query.load("rapport.insights", "said_before"), asked).to_arrow_table()
    left = before.join(said.select(["seq", "name"]), ["seq", "name"], join_type="left anti")
    left = left.join(texts.select(["seq", "subject", "ts"]), "seq", join_type="inner")
    n = left.num_rows
    columns = {
        **{c: left.column(c) for c in ("seq", "subject", "ts", "name")},
        "label": pa.repeat(rules.NOTHING, n),
        "value": pa.nulls(n, pa.float64()),
        "probability": pa.nulls(n, pa.float64()),
        "model": pa.repeat(reading.model.name, n),
        "version": pa.repeat(reading.fitted.version, n),
        "detail": pa.nulls(n, pa.string()),
    }
    return pa.table(
        [columns[f.name].cast(f.type) for f in event_rules.ANNOTATION], schema=event_rules.ANNOTATION
    )


@contextlib.contextmanager
def _locks(models: Sequence[Insight]) -> Iterator[None]:
    """Hold the locks of several models, taken in one order so that two who do so never wait for each other."""
    with contextlib.ExitStack() as held:
        for model in sorted(models, key=lambda m: m.name):
            held.enter_context(lock(model))
        yield


def span_of(cursor: AnnotationCursor) -> rules.Span:
    """What a version has read."""
    return rules.Span(cursor.done_seq, cursor.live_from, cursor.live_to)


def _advance(cursor: AnnotationCursor, seq_from: int, seq_to: int, *, n_texts: int) -> None:
    """Note a stretch as annotated; called once its annotations are durable."""
    span = span_of(cursor).with_stretch(seq_from, seq_to)
    AnnotationCursor.objects.filter(pk=cursor.pk).update(
        done_seq=span.done,
        live_from=span.live_from,
        live_to=span.live_to,
        n_texts=cursor.n_texts + n_texts,
        updated_at=clock.now(),
    )
