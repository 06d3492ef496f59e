"""How far models of texts are with reading: whether one is behind, stopping it, going on, reading anew."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from rapport.events import lake, loader, subscriptions
from rapport.insights import rules
from rapport.insights.contract import Insight, is_of_texts
from rapport.insights.models import AnnotationCursor, Run
from rapport.insights.services import annotating, keeping, permitting
from rapport.kit import clock, home, query
from rapport.kit.errors import Invalid

KEY = "insights.annotate"  # the subscriber that reads what arrives
COUNTED_S = 10.0  # texts that wait are not counted again: it reads the log, and pages ask every few seconds
RESTS = dt.timedelta(hours=1)  # after it failed; twice as long after each further failure
RESTS_MOST = dt.timedelta(days=1)
RESTS_LONGEST_AFTER = 6  # failures in a row


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the version of a model that serves is with reading the log."""

    model: str
    version: str
    upto_seq: int  # every event up to here is read
    n_texts: int  # it has read
    n_waiting: int  # texts it has not
    is_paused: bool

    @property
    def is_behind(self) -> bool:
        return self.n_waiting > 0

    @property
    def share(self) -> float:
        """How much of what was written is read, 0 to 1."""
        total = self.n_texts + self.n_waiting
        return self.n_texts / total if total else 1.0


@dataclass(frozen=True, slots=True)
class _Counted:
    """How many texts a version had still to read when they were last counted."""

    until: int  # the event up to which they were counted
    n_waiting: int
    n_texts: int  # it had read by then
    at_s: float

    def holds(self, until: int) -> bool:
        return self.until == until and clock.monotonic_s() - self.at_s < COUNTED_S


_counted: dict[tuple[Path, str, str], _Counted] = {}


def standings() -> list[Standing]:
    """Every model of texts, in the registry's order, up to the log's last event."""
    con = lake.connect()
    try:
        head = loader.offset(con)
        waiting: dict[tuple[int, int], int] = {}
        found = []
        for model in keeping.texts_insights():
            version = keeping.active_version(model)
            cursor = _cursor(model, version)
            gap = annotating.span_of(cursor).gap_up_to(head)
            found.append(
                Standing(
                    model.name,
                    version,
                    head if gap is None else gap[0] - 1,
                    cursor.n_texts,
                    _waiting(con, cursor, gap, waiting) if gap else 0,
                    cursor.is_paused,
                )
            )
        return found
    finally:
        con.close()


def _cursor(model: Insight, version: str) -> AnnotationCursor:
    """How far a version is; one that has not begun is not written down."""
    found = AnnotationCursor.objects.filter(model=model.name, version=version).first()
    return found or AnnotationCursor(model=model.name, version=version)


def _waiting(
    con: duckdb.DuckDBPyConnection,
    cursor: AnnotationCursor,
    gap: tuple[int, int],
    counts: dict[tuple[int, int], int],
) -> int:
    """How many texts a version has still to read; counted now and then, and what it read since is taken off."""
    key = (home.root(), cursor.model, cursor.version)
    held = _counted.get(key)
    if held is None or not held.holds(gap[1]):
        if gap not in counts:
            counts[gap] = _count(con, gap)
        held = _counted[key] = _Counted(gap[1], counts[gap], cursor.n_texts, clock.monotonic_s())
    return max(held.n_waiting + held.n_texts - cursor.n_texts, 0)


def _count(con: duckdb.DuckDBPyConnection, gap: tuple[int, int]) -> int:
    """How many texts a stretch of the log holds; what models wrote takes numbers of the log and is no text."""
    ((_events, n_texts),) = query.run(con, query.load("rapport.insights", "waiting"), _asked(gap)).fetchall()
    return int(n_texts)


def _has_texts(con: duckdb.DuckDBPyConnection, gap: tuple[int, int]) -> bool:
    return bool(query.run(con, query.load("rapport.insights", "some_waiting"), _asked(gap)).fetchall())


def _asked(gap: tuple[int, int]) -> dict[str, Any]:
    return {"seq_from": gap[0], "seq_to": gap[1], "own_words": list(rules.OWN_WORDS)}


def due() -> list[str]:
    """Models of texts that have left out texts which arrived, were not stopped, may read at all, and did not fail
    a short while ago.

    What the subscriber of new texts has not come to yet is left to it.
    """
    arrived = subscriptions.position(KEY)
    gaps: dict[str, tuple[int, int]] = {}
    for model in keeping.texts_insights():
        cursor = _cursor(model, keeping.active_version(model))
        gap = annotating.span_of(cursor).gap_up_to(arrived)
        if gap is None or cursor.is_paused or permitting.daily_warrant(model) is None:
            continue
        if not _rests(model.name, cursor.version):
            gaps[model.name] = gap
    if not gaps:
        return []
    con = lake.connect()
    try:
        has_texts = {gap: _has_texts(con, gap) for gap in set(gaps.values())}
    finally:
        con.close()
    return [name for name, gap in gaps.items() if has_texts[gap]]


def _rests(model: str, version: str) -> bool:
    """Whether a version failed so often and so lately that to try again would only fail again."""
    ended = Run.objects.filter(model=model, version=version).exclude(state=Run.State.RUNNING)
    last = list(ended.order_by("-started_at").values_list("state", "ended_at")[:RESTS_LONGEST_AFTER])
    n = next((k for k, (state, _) in enumerate(last) if state != Run.State.FAILED), len(last))
    if n == 0:
        return False
    at = last[0][1]
    return at is not None and clock.now() < at + min(RESTS * 2 ** (n - 1), RESTS_MOST)


def is_due() -> bool:
    """Whether a model of texts has left out texts that arrived."""
    return bool(due())


def stop(name: str) -> None:
    """Stop a model's catching up after the page it is at; what arrives is still read, and what was read stays."""
    _set_paused(name, is_paused=True)


def go_on(name: str) -> None:
    """Let a model's catching up go on where it stopped."""
    _set_paused(name, is_paused=False)


def read_anew(name: str) -> None:
    """Have a model read every text again, because what it goes by has changed; the old words stand meanwhile."""
    model = _of_texts(name)
    with annotating.lock(model):
        annotating.begin_anew(model, keeping.active_version(model))


def _set_paused(name: str, *, is_paused: bool) -> None:
    model = _of_texts(name)
    cursor = annotating.cursor_of(model, keeping.active_version(model))
    AnnotationCursor.objects.filter(pk=cursor.pk).exclude(is_paused=is_paused).update(
        is_paused=is_paused, updated_at=clock.now()
    )


def _of_texts(name: str) -> Insight:
    model = keeping.insight(name)
    if not is_of_texts(model):
        raise Invalid(f"{name} reads people and no texts", "Run it instead.")
    return model
