"""How far models of texts are with reading: whether one is behind, stopping it, going on, reading anew."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from rapport.events import lake, loader, subscriptions
from rapport.insights import rules
from rapport.insights.contract import Insight, is_of_texts
from rapport.insights.models import AnnotationCursor
from rapport.insights.services import annotating, keeping, permitting
from rapport.kit import clock, query
from rapport.kit.errors import Invalid

KEY = "insights.annotate"  # the subscriber that reads what arrives


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


def standings(upto: int | None = None) -> list[Standing]:
    """Every model of texts, in the registry's order, up to an event or the log's last."""
    con = lake.connect()
    try:
        head = loader.offset(con) if upto is None else upto
        waiting: dict[tuple[int, int], int] = {}
        found = []
        for model in keeping.texts_insights():
            version = keeping.active_version(model)
            cursor = AnnotationCursor.objects.filter(model=model.name, version=version).first()
            span = annotating.span_of(cursor) if cursor else rules.Span()
            gap = span.gap_up_to(head)
            if gap is not None and gap not in waiting:
                waiting[gap] = _waiting(con, gap)
            found.append(
                Standing(
                    model.name,
                    version,
                    head if gap is None else gap[0] - 1,
                    cursor.n_texts if cursor else 0,
                    waiting[gap] if gap else 0,
                    bool(cursor and cursor.is_paused),
                )
            )
        return found
    finally:
        con.close()


def _waiting(con: duckdb.DuckDBPyConnection, gap: tuple[int, int]) -> int:
    """How many texts a stretch of the log holds; what models wrote takes numbers of the log and is no text."""
    asked = {"seq_from": gap[0], "seq_to": gap[1], "own_words": list(rules.OWN_WORDS)}
    ((_events, n_texts),) = query.run(con, query.load("rapport.insights", "waiting"), asked).fetchall()
    return int(n_texts)


def due() -> list[str]:
    """Models of texts that have left out texts which arrived, were not stopped, and may read at all.

    What the subscriber of new texts has not come to yet is left to it.
    """
    arrived = subscriptions.position(KEY)
    behind = {s.model for s in standings(arrived) if s.is_behind and not s.is_paused}
    return [
        m.name
        for m in keeping.texts_insights()
        if m.name in behind and permitting.daily_warrant(m) is not None
    ]


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
