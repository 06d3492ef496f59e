"""The models: what each says, how good it is, when it last ran and over how much."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rapport.events import lake, loader
from rapport.insights import rules
from rapport.insights.contract import KIND, Backtest, Gives, Insight, is_of_texts
from rapport.insights.models import AnnotationCursor, Run, StoredModel
from rapport.kit import query, registry
from rapport.kit.errors import NotFound

RUNS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class RunView:
    """One run, as a screen shows it."""

    id: uuid.UUID
    model: str
    version: str
    state: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    duration_s: float
    seq_from: int | None
    seq_to: int | None
    ts_from: dt.datetime | None
    ts_to: dt.datetime | None
    parameters: dict[str, Any]
    backtest: Backtest | None
    drift: dict[str, float | None]  # by score name: population stability index against the run before
    n_in: int
    n_out: int
    error: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what a model could read it has read."""

    n: int  # people scored by the last run, or texts annotated by the present version
    upto_seq: int  # everything up to this event is covered
    waiting: int  # events, or texts for a model of texts, that it has not looked at yet
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model for a marketer: meaning, limits, how good, how fresh."""

    name: str
    version: str  # that scores now: the plug-in's, or an adaptation of it
    title: str
    meaning: str
    limits: str
    purpose: str
    kind: str  # score or annotation
    gives: tuple[Gives, ...]
    parameters: dict[str, Any]
    last_run: RunView | None
    backtest: Backtest | None  # of the last run that judged it, else as shipped
    coverage: Coverage


def cards() -> list[ModelCard]:
    """Every model, by name."""
    latest = _latest_runs()
    head = _head()
    return [_card(found.offers, latest, head) for found in registry.plugins(KIND).values()]


@dataclass(frozen=True, slots=True)
class ModelTitle:
    """A model by name, and what a screen calls it."""

    name: str
    title: str


def titles_of(names: Iterable[str]) -> list[ModelTitle]:
    """What the models of these names are called; those no longer installed are left out."""
    found = registry.plugins(KIND)
    return [ModelTitle(name, found[name].offers.title) for name in sorted(set(names)) if name in found]


def card(name: str) -> ModelCard:
    """One model, or NotFound naming those there are."""
    offered: Insight = registry.plugin(KIND, name).offers
    return _card(offered, _latest_runs(name), _head())


def runs(model: str | None = None, limit: int = RUNS_SHOWN) -> list[RunView]:
    """Runs, newest first, of one model or all."""
    found = Run.objects.order_by("-started_at", "-id")
    if model is not None:
        found = found.filter(model=model)
    return [_view(run) for run in found[:limit]]


def last_runs() -> list[RunView]:
    """The newest run of every model that is installed and has run, by name."""
    return [_view(run) for _name, run in sorted(_latest_runs().items())]


def distribution(score: str) -> rules.Distribution:
    """How the values of one score lay when it was last written. Raises NotFound where no run wrote it."""
    for run in Run.objects.filter(state=Run.State.DONE, n_out__gt=0).order_by("-started_at")[:RUNS_SHOWN]:
        if score in run.distributions:
            return rules.Distribution.from_json(run.distributions[score])
    raise NotFound(f"no run has written a score called {score!r}", "Run `rapport insights run`.")


def _latest_runs(name: str | None = None) -> dict[str, Run]:
    names = [name] if name else list(registry.plugins(KIND))
    found = {n: Run.objects.filter(model=n).order_by("-started_at", "-id").first() for n in names}
    return {n: run for n, run in found.items() if run is not None}


def _card(model: Insight, latest: dict[str, Run], head: int) -> ModelCard:
    last = latest.get(model.name)
    view = _view(last) if last else None
    kept = StoredModel.objects.filter(name=model.name, is_active=True).only("version").first()
    version = kept.version if kept and kept.version.partition("+")[0] == model.version else model.version
    return ModelCard(
        name=model.name,
        version=version,
        title=model.title,
        meaning=model.meaning,
        limits=model.limits,
        purpose=model.purpose,
        kind="annotation" if is_of_texts(model) else "score",
        gives=model.gives,
        parameters=dict(model.parameters),
        last_run=view,
        backtest=view.backtest if view and view.backtest else model.shipped,
        coverage=_of_texts(model, version, head) if is_of_texts(model) else _of_people(last, head),
    )


def _of_texts(model: Insight, version: str, head: int) -> Coverage:
    cursor = AnnotationCursor.objects.filter(model=model.name, version=version).first()
    span = rules.Span() if cursor is None else rules.Span(cursor.done_seq, cursor.live_from, cursor.live_to)
    _, waiting = _waiting(span.gap_up_to(head))
    if cursor is None:
        return Coverage(0, 0, waiting, None)
    return Coverage(cursor.n_texts, cursor.done_seq, waiting, cursor.updated_at)


def _of_people(last: Run | None, head: int) -> Coverage:
    if last is None or last.state != Run.State.DONE:
        return Coverage(0, 0, _waiting((1, head))[0], None)
    upto = last.seq_to or 0
    return Coverage(last.n_in, upto, _waiting((upto + 1, head))[0], last.ended_at)


def _waiting(stretch: tuple[int, int] | None) -> tuple[int, int]:
    """How many events, and how many texts, a stretch of the log holds."""
    if stretch is None or stretch[0] > stretch[1]:
        return 0, 0
    asked = {"seq_from": stretch[0], "seq_to": stretch[1], "own_words": list(rules.OWN_WORDS)}
    con = lake.connect()
    try:
        found = query.run(con, query.load("rapport.insights", "waiting"), asked).fetchall()
    finally:
        con.close()
    n, n_texts = found[0]
    return int(n), int(n_texts)


def _head() -> int:
    con = lake.connect()
    try:
        return loader.offset(con)
    finally:
        con.close()


def _view(run: Run) -> RunView:
    return RunView(
        id=run.id,
        model=run.model,
        version=run.version,
        state=str(run.state),
        started_at=run.started_at,
        ended_at=run.ended_at,
        duration_s=run.duration_s,
        seq_from=run.seq_from,
        seq_to=run.seq_to,
        ts_from=run.ts_from,
        ts_to=run.ts_to,
        parameters=run.parameters,
        backtest=Backtest.from_json(run.backtest) if run.backtest else None,
        drift=run.drift,
        n_in=run.n_in,
        n_out=run.n_out,
        error=run.error,
    )
