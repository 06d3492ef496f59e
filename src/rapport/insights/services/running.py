"""Running models: read, learn, score, write down, and record that it was done."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake, loader, spool, subscriptions
from rapport.events import services as events
from rapport.insights import rules
from rapport.insights.contract import SCORES, Insight, is_of_texts
from rapport.insights.models import Run
from rapport.insights.services import (
    annotating,
    following,
    judging,
    keeping,
    permitting,
    reading,
    setting_apart,
    telling,
)
from rapport.kit import clock, home, query
from rapport.kit.errors import RapportError
from rapport.people import selectors as people
from rapport.people import services as people_services

log = logging.getLogger(__name__)

Progress = Callable[[int, int | None, str], None]  # done, of how many if known, what is being done
DUE = dt.timedelta(hours=20)  # most of a day
STANDS_ON = ("people", "consent")  # subscribers: who is whom, and who may be read


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What became of one run."""

    id: uuid.UUID
    model: str
    version: str
    state: str  # done or failed
    n_in: int
    n_out: int
    duration_s: float
    error: str


def run(
    names: Sequence[str] | None = None, progress: Progress | None = None, *, goes_on: bool = True
) -> list[RunSummary]:
    """Run these models, or all of them, over everything the log holds; one that fails stops no other.

    Models of texts go first and together, so that models of people see what they say. One whose reading staff
    stopped goes on with it, unless not `goes_on`. Comes back once what was written can be read. Raises NotFound
    for a name nobody goes by.
    """
    chosen = keeping.insights(names)
    show = progress or (lambda *_: None)
    head = spool.current().next_seq() - 1
    events.settle(head)
    subscriptions.settle(head, keys=STANDS_ON)
    texts = [model for model in chosen if is_of_texts(model)]
    if goes_on:
        for model in texts:
            reading.go_on(model.name)
    summaries = _of_texts(texts, show) if texts else {}
    for model in chosen:
        if not is_of_texts(model):
            summaries[model.name] = _of_one(model, show)
            if summaries[model.name].state == Run.State.DONE:
                following.follow(model.name)
    return [summaries[model.name] for model in chosen]


def due() -> list[str]:
    """Models of people that were last run most of a day ago, or never, and may read at all; none of an empty log."""
    if spool.current().next_seq() <= 1:
        return []
    of_people = [model for model in keeping.insights() if not is_of_texts(model)]
    since = clock.now() - DUE
    ran = set(Run.objects.filter(started_at__gt=since).values_list("model", flat=True))
    return [
        model.name
        for model in of_people
        if model.name not in ran and permitting.daily_warrant(model) is not None
    ]


def read_due(progress: Progress | None = None) -> list[RunSummary]:
    """Have every model of texts that is behind, and was not stopped, read what it has not read."""
    names = reading.due()
    return run(names, progress, goes_on=False) if names else []


def _of_one(model: Insight, progress: Progress) -> RunSummary:
    began = clock.monotonic_s()
    record = _record(model)
    try:
        with home.lock(f"run-{model.name}", wait=True):
            _bury_dead(record)
            _of_people(model, record, progress)
        record.state = Run.State.DONE
    except Exception as error:
        _note_failure(record, error)
    return _ended(record, began)


def _record(model: Insight) -> Run:
    return Run.objects.create(
        model=model.name,
        version=model.version,
        started_at=clock.now(),
        parameters={**model.parameters, **keeping.firms_parameters(model)},
    )


def _note_failure(record: Run, error: Exception) -> None:
    """What we foresee is told as it is; whatever else a plug-in raises is this run's failure, told and not hidden."""
    record.state = Run.State.FAILED
    if isinstance(error, RapportError):
        record.error = str(error)
        return
    log.error("model %s failed", record.model, exc_info=error)
    record.error = f"{type(error).__name__}: {error}"


def _ended(record: Run, began_s: float) -> RunSummary:
    record.ended_at = clock.now()
    record.duration_s = clock.monotonic_s() - began_s
    record.save()
    return _summary(record)


def _bury_dead(record: Run) -> None:
    """Runs of this model that say they run while we hold its lock have died without a word."""
    dead = Run.objects.filter(model=record.model, state=Run.State.RUNNING).exclude(pk=record.pk)
    dead.update(state=Run.State.FAILED, ended_at=clock.now(), error="Its process ended before the run did.")


def _summary(record: Run) -> RunSummary:
    return RunSummary(
        id=record.id,
        model=record.model,
        version=record.version,
        state=str(record.state),
        n_in=record.n_in,
        n_out=record.n_out,
        duration_s=record.duration_s,
        error=record.error,
    )


def _of_texts(models: Sequence[Insight], progress: Progress) -> dict[str, RunSummary]:
    """Let models of texts read what each has not read, together where they stand at the same event."""
    began = clock.monotonic_s()
    records = {model.name: _record(model) for model in models}
    what = models[0].name if len(models) == 1 else "texts"

    def show(done: int, total: int) -> None:
        progress(done, total, f"{what}: reading texts")

    done: dict[str, annotating.Annotated] = {}
    failure: Exception | None = None
    try:
        with contextlib.ExitStack() as held:
            for name in sorted(records):
                held.enter_context(home.lock(f"run-{name}", wait=True))
                _bury_dead(records[name])
            head = _note_extents(records.values())
            done = annotating.catch_up(models, head, show)
            events.settle(max((a.last_seq for a in done.values()), default=0))
    except Exception as error:  # the log or a store: nobody could read on
        failure = error
    return {model.name: _told(model, records[model.name], done, failure, began) for model in models}


def _told(
    model: Insight,
    record: Run,
    done: dict[str, annotating.Annotated],
    failure: Exception | None,
    began_s: float,
) -> RunSummary:
    record.backtest = model.shipped.as_json() if model.shipped else None
    mine = done.get(model.name, annotating.Annotated(failure=failure))
    record.version = mine.version or record.version
    record.n_in, record.n_out = mine.n_texts, mine.n_annotations
    if mine.failure is not None or failure is not None:
        _note_failure(record, mine.failure or failure or RuntimeError())
    else:
        record.state = Run.State.DONE
        record.error = "Stopped by staff before it had read everything." if mine.is_paused else ""
    return _ended(record, began_s)


def _note_extents(records: Iterable[Run]) -> int:
    con = lake.connect()
    try:
        extent = _extent(con)
        for record in records:
            _note_extent(record, extent)
        return loader.offset(con)
    finally:
        con.close()


def _of_people(model: Insight, record: Run, progress: Progress) -> None:
    leave = permitting.warrant(model)
    refused = permitting.refused_by(leave)
    identity = people.identity_arrow()
    con = lake.connect()
    try:
        lake.give(con, "identity", permitting.identity_seen(refused))
        extent = _extent(con)
        _note_extent(record, extent)
        progress(0, None, f"{model.name}: judging it on the past")
        if extent["n"]:
            record.backtest = judging.on_the_past(con, model, extent["first_ts"], extent["last_ts"]).as_json()
        progress(0, None, f"{model.name}: reading")
        context = keeping.context(model)
        lake.give(con, "score", _scores(model))
        table = judging.read(con, model, context)
    finally:
        con.close()
    record.n_in = table.num_rows
    progress(0, table.num_rows, f"{model.name}: scoring")
    content = model.fit(table, context)
    scored = model.score(content, table, context)
    annotating.check(scored, model.gives, model.name)
    progress(0, scored.num_rows, f"{model.name}: writing")
    telling.tell(model, scored, context.now, identity)
    record.n_out = _write(model, scored, context.now, identity)
    permitting.forget_refused(model, leave, refused, context.now)
    if any(gives.name == rules.AUTHENTICITY for gives in model.gives):
        setting_apart.mark(scored, permitting.identity_seen(refused), model.version)
    _note_distributions(record, scored)
    keeping.keep(model.name, model.version, content, record.id)


def _scores(model: Insight) -> pa.Table:
    """What models last wrote, where this one asks for it; whom it may not see is not in `identity` either."""
    asks = model.needs is not None and "score" in model.needs.needs
    return people.scores_arrow() if asks else SCORES.empty_table()


def _write(model: Insight, scored: pa.Table, as_of: dt.datetime, identity: pa.Table) -> int:
    if scored.num_rows == 0:
        return 0
    n = scored.num_rows
    table = (
        scored.append_column("as_of", pa.repeat(pa.scalar(as_of, pa.timestamp("us", tz="UTC")), n))
        .append_column("model", pa.repeat(model.name, n))
        .append_column("version", pa.repeat(model.version, n))
    )
    return people_services.write_scores(table, identity=identity)


def _note_distributions(record: Run, scored: pa.Table) -> None:
    """How the values of each score lie, and how far they have moved since the run before."""
    arrow: Any = pc
    before = (
        Run.objects.filter(model=record.model, state=Run.State.DONE, n_out__gt=0)
        .order_by("-started_at")
        .first()
    )
    for name in arrow.unique(scored.column("name")).to_pylist():
        rows = scored.filter(arrow.equal(scored.column("name"), name))
        values = np.asarray(rows.column("value").to_numpy(zero_copy_only=False), np.float64)
        units = arrow.unique(rows.column("unit")).to_pylist()
        labels = arrow.value_counts(rows.column("label")).to_pylist()
        found = rules.distribution(
            values,
            units[0] if len(units) == 1 else "",
            {row["values"]: row["counts"] for row in labels},
        )
        record.distributions[name] = found.as_json()
        if before is not None and name in before.distributions:
            moved = rules.drift(rules.Distribution.from_json(before.distributions[name]), values)
            record.drift[name] = moved


def _extent(con: Any) -> dict[str, Any]:
    row: dict[str, Any] = (
        query.run(con, query.load("rapport.insights", "extent")).to_arrow_table().to_pylist()[0]
    )
    return row


def _note_extent(record: Run, extent: dict[str, Any]) -> None:
    record.seq_from, record.seq_to = extent["first_seq"], extent["last_seq"]
    record.ts_from, record.ts_to = extent["first_ts"], extent["last_ts"]
