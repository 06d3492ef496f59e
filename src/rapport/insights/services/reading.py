"""How far models of texts are with reading: whether one is behind, stopping it, going on, reading anew."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.events import lake, loader
from rapport.insights import rules
from rapport.insights.contract import Insight, is_of_texts
from rapport.insights.models import AnnotationCursor
from rapport.insights.services import annotating, keeping, permitting
from rapport.kit import clock
from rapport.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the version of a model that serves is with reading the log."""

    model: str
    version: str
    upto_seq: int  # every event up to here is read
    head: int  # the log's last event
    is_paused: bool

    @property
    def is_behind(self) -> bool:
        return self.upto_seq < self.head

    @property
    def share(self) -> float:
        """How much of the log is read, 0 to 1."""
        return min(1.0, self.upto_seq / self.head) if self.head else 1.0


def standings() -> list[Standing]:
    """Every model of texts, in the registry's order."""
    con = lake.connect()
    try:
        head = loader.offset(con)
    finally:
        con.close()
    found = []
    for model in keeping.texts_insights():
        version = keeping.active_version(model)
        cursor = AnnotationCursor.objects.filter(model=model.name, version=version).first()
        gap = annotating.span_of(cursor).gap_up_to(head) if cursor else rules.Span().gap_up_to(head)
        upto = head if gap is None else gap[0] - 1
        found.append(Standing(model.name, version, upto, head, bool(cursor and cursor.is_paused)))
    return found


def due() -> list[str]:
    """Models of texts that have not read everything, were not stopped, and may read at all."""
    behind = {s.model for s in standings() if s.is_behind and not s.is_paused}
    return [
        m.name
        for m in keeping.texts_insights()
        if m.name in behind and permitting.daily_warrant(m) is not None
    ]


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
