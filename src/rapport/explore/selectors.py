"""Questions that were kept: those somebody may see, one of them, what it came to; and what may be named."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import Q

from rapport.events import lake
from rapport.events import selectors as events
from rapport.explore.models import Kept, Saved
from rapport.explore.rules import answers, parsing
from rapport.explore.rules.answers import Answer
from rapport.explore.rules.question import Question
from rapport.kit import clock, home, query
from rapport.kit.errors import Invalid, NotFound
from rapport.people.rules import sensitive
from rapport.people.selectors import rows
from rapport.staff.rules import Role

log = logging.getLogger(__name__)

TERMS_MOST = 200
TERMS_KEPT_S = 30.0


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved question, and its newest answer's time and error."""

    key: uuid.UUID
    name: str
    question: Question
    shared: str
    roles: tuple[str, ...]
    schedule: str
    is_pinned: bool
    created_by: str
    changed_at: dt.datetime
    asked_at: dt.datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class RefusedView:
    """A saved question that may not be asked any more, and why."""

    key: uuid.UUID
    name: str
    shared: str
    roles: tuple[str, ...]
    created_by: str
    error: Invalid


@dataclass(frozen=True, slots=True)
class KeptView:
    """One answer of a saved question's history."""

    id: uuid.UUID
    at: dt.datetime
    error: str
    took_s: float


def saved_for(email: str, role: str) -> list[SavedView]:
    """What somebody saved, and what was shared with their role, by name."""
    found = Saved.objects.filter(Q(created_by=email) | Q(shared=Saved.Shared.ROLES)).order_by("name")
    return _views(row for row in found if _is_listed(row, email, role))


def refused_for(email: str, role: str) -> list[RefusedView]:
    """Of what they would see, what may not be asked any more; an owner sees everybody's, to tidy up."""
    read = (_read(row) for row in Saved.objects.order_by("name"))
    return [view for view in read if isinstance(view, RefusedView) and may_open(view, email, role)]


def all_saved() -> list[SavedView]:
    """Every saved question, by name: for a command, whose caller owns the installation."""
    return _views(Saved.objects.order_by("name"))


def pinned_for(email: str, role: str) -> list[SavedView]:
    """Those on Home."""
    found = Saved.objects.filter(is_pinned=True).order_by("name")
    return _views(row for row in found if _is_listed(row, email, role))


def may_open(view: SavedView | RefusedView, email: str, role: str) -> bool:
    """Whether somebody may open a saved question whose address they have."""
    if isinstance(view, RefusedView) and role == Role.OWNER:
        return True
    return view.shared == Saved.Shared.LINK or _is_shared(
        view.shared, view.roles, view.created_by, email, role
    )


def saved(key: uuid.UUID) -> SavedView:
    """One saved question; NotFound, or Invalid where it may not be asked any more."""
    view = saved_or_refused(key)
    if isinstance(view, RefusedView):
        raise view.error
    return view


def saved_or_refused(key: uuid.UUID) -> SavedView | RefusedView:
    """One saved question, also one that may not be asked any more; or NotFound."""
    row = Saved.objects.filter(key=key).first()
    if row is None:
        raise NotFound("there is no such saved question", "It may have been removed.")
    return _read(row)


def saved_named(name: str) -> SavedView:
    """One saved question by its name, or NotFound naming those there are."""
    row = Saved.objects.filter(name=name).first()
    if row is None:
        there = ", ".join(Saved.objects.order_by("name").values_list("name", flat=True)[:20]) or "none"
        raise NotFound(f"there is no saved question {name!r}", f"There are: {there}.")
    return _view(row)


def newest_answer(key: uuid.UUID) -> Answer | None:
    """What a saved question last came to."""
    row = Kept.objects.filter(saved_id=key).exclude(answer="").order_by("-at", "-id").first()
    return answers.from_json(json.loads(row.answer)) if row else None


def kept_answer(key: uuid.UUID, kept: uuid.UUID) -> Answer | None:
    """One answer of a saved question's history, if it is kept and did not fail."""
    row = Kept.objects.filter(saved_id=key, id=kept).exclude(answer="").first()
    return answers.from_json(json.loads(row.answer)) if row else None


def history(key: uuid.UUID, limit: int = 30) -> list[KeptView]:
    """When a saved question was asked, newest first."""
    found = (
        Kept.objects.filter(saved_id=key).order_by("-at", "-id").values_list("id", "at", "error", "took_s")
    )
    return [KeptView(*row) for row in found[:limit]]


def events_of(seqs: Sequence[int], first_ts: dt.datetime, last_ts: dt.datetime) -> list[events.EventRow]:
    """The events of a page by their numbers, newest first; all lie between the two moments."""
    con = lake.connect()
    try:
        asked = {"seqs": list(seqs), "first_ts": first_ts, "last_ts": last_ts}
        found = query.run(con, query.load("rapport.explore", "told"), asked).fetchall()
    finally:
        con.close()
    return [events.EventRow(*row) for row in found]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the firm's own words may complete: events seen, traits and scores there are."""

    events: tuple[str, ...]
    traits: tuple[str, ...]
    scores: tuple[str, ...]


_terms: tuple[float, Path, Terms] | None = None


def terms() -> Terms:
    """The names there are to choose among, as of a little while ago."""
    global _terms  # noqa: PLW0603  reading millions of traits for their names is not for every page
    now_s, folder = clock.monotonic_s(), home.root()
    if _terms is None or _terms[0] < now_s or _terms[1] != folder:
        found = Terms(
            events=tuple(row[0] for row in events.names()[:TERMS_MOST]),
            traits=_names("people_trait"),
            scores=_names("people_score"),
        )
        took_s = clock.monotonic_s() - now_s
        _terms = (now_s + max(TERMS_KEPT_S, 100 * took_s), folder, found)
    return _terms[2]


def _names(table: str) -> tuple[str, ...]:
    shape = pa.schema([("name", pa.string())])
    found = rows.table(f"SELECT DISTINCT name FROM {table} ORDER BY name LIMIT {TERMS_MOST}", shape)
    names = found["name"]
    return tuple(names.filter(pc.invert(sensitive.are_sensitive(names))).to_pylist())


def _is_listed(row: Saved, email: str, role: str) -> bool:
    return _is_shared(row.shared, row.roles, row.created_by, email, role)


def _is_shared(shared: str, roles: Sequence[str], created_by: str, email: str, role: str) -> bool:
    return created_by == email or (shared == Saved.Shared.ROLES and role in roles)


def _views(found: Iterable[Saved]) -> list[SavedView]:
    """Those that may be asked still; what is refused since it was saved is no reason to list none."""
    return [view for view in map(_read, found) if isinstance(view, SavedView)]


def _read(row: Saved) -> SavedView | RefusedView:
    try:
        return _view(row)
    except Invalid as error:
        log.warning("the saved question %s is refused: %s", row.key, error.message)
        return RefusedView(row.key, row.name, row.shared, tuple(row.roles), row.created_by, error)


def _view(row: Saved) -> SavedView:
    last = Kept.objects.filter(saved=row).order_by("-at", "-id").values_list("at", "error").first()
    return SavedView(
        key=row.key,
        name=row.name,
        question=parsing.parse(json.loads(row.question)),
        shared=row.shared,
        roles=tuple(row.roles),
        schedule=row.schedule,
        is_pinned=row.is_pinned,
        created_by=row.created_by,
        changed_at=row.changed_at,
        asked_at=last[0] if last else None,
        error=last[1] if last else "",
    )
