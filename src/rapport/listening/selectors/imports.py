"""Questions to listening: what was imported, how a file would be read, who came to the site from where."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping as Pairs
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport.events import lake
from rapport.kit import query
from rapport.kit.errors import NotFound
from rapport.listening.models import Import, Mapping
from rapport.listening.rules.fields import Kind
from rapport.listening.rules.kinds import KINDS
from rapport.listening.services import previews
from rapport.listening.services.previews import Preview

__all__ = [
    "Bot",
    "ImportRow",
    "LandingPage",
    "MappingRow",
    "Preview",
    "Referrer",
    "Search",
    "SessionsSummary",
    "bots",
    "import_row",
    "imports_page",
    "kinds",
    "landing_pages",
    "mappings",
    "preview",
    "referrers",
    "searches",
    "sessions_summary",
]

PAGE = 50


def kinds() -> list[Kind]:
    """What can be imported, with the fields of each kind."""
    return list(KINDS.values())


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One import as a screen shows it."""

    id: uuid.UUID
    kind: str
    source: str
    file_name: str
    size_bytes: int
    description: str
    mapping: dict[str, str]
    options: dict[str, str]
    state: str
    n_read: int
    n_quarantined: int
    n_recorded: int
    n_accepted: int
    n_duplicate: int
    first_seq: int | None
    last_seq: int | None
    totals: dict[str, int]
    notes: list[str]
    error: str
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    started_by: str


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A saved mapping."""

    name: str
    kind: str
    columns: dict[str, str]
    options: dict[str, str]
    changed_at: dt.datetime
    changed_by: str


_IMPORT_COLUMNS = tuple(ImportRow.__dataclass_fields__)
_MAPPING_COLUMNS = tuple(MappingRow.__dataclass_fields__)


def imports_page(
    *, kind: str = "", before: tuple[dt.datetime, uuid.UUID] | None = None, limit: int = PAGE
) -> list[ImportRow]:
    """Imports, newest first; `before` is the (created_at, id) of the last one already shown."""
    from django.db.models import Q

    rows = Import.objects.filter(kind=kind) if kind else Import.objects.all()
    if before:
        rows = rows.filter(Q(created_at__lt=before[0]) | Q(created_at=before[0], id__lt=before[1]))
    return [
        ImportRow(*row) for row in rows.order_by("-created_at", "-id").values_list(*_IMPORT_COLUMNS)[:limit]
    ]


def import_row(import_id: uuid.UUID | str) -> ImportRow:
    """One import, or NotFound."""
    try:
        found = Import.objects.filter(pk=uuid.UUID(str(import_id))).values_list(*_IMPORT_COLUMNS).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound(f"there is no import {import_id}", "Reload the list of imports.")
    return ImportRow(*found)


def mappings(kind: str = "") -> list[MappingRow]:
    """Saved mappings by name."""
    rows = Mapping.objects.filter(kind=kind) if kind else Mapping.objects.all()
    return [MappingRow(*row) for row in rows.order_by("name").values_list(*_MAPPING_COLUMNS)]


def preview(
    path: str | Path,
    kind: str,
    *,
    name: str = "",
    mapping: Pairs[str, str] | None = None,
    options: Pairs[str, str] | None = None,
) -> Preview:
    """How a file would be read, from its first rows; raises Invalid where it cannot be read at all."""
    return previews.preview(path, kind, name=name, mapping=mapping or {}, options=options or {})


# Who came to the site, as web logs and the visitor script tell it


@dataclass(frozen=True, slots=True)
class Referrer:
    """A site that sessions came from; domain None for those that came from none."""

    domain: str | None
    n_sessions: int
    n_visitors: int
    n_pages: int


@dataclass(frozen=True, slots=True)
class LandingPage:
    """A page that sessions began on."""

    page: str
    n_sessions: int
    n_visitors: int
    n_single: int  # sessions that saw no other page


@dataclass(frozen=True, slots=True)
class Search:
    """What was searched for, on the site or at a search engine."""

    term: str
    place: str  # site or engine
    n: int
    n_visitors: int


@dataclass(frozen=True, slots=True)
class Bot:
    """A machine that fetched pages."""

    bot: str
    n: int
    n_addresses: int
    first_ts: dt.datetime
    last_ts: dt.datetime


@dataclass(frozen=True, slots=True)
class SessionsSummary:
    """The sessions of some days."""

    n_sessions: int
    n_visitors: int
    n_pages: int
    median_s: float
    single_page_ratio: float


def referrers(first_day: dt.date, last_day: dt.date, limit: int = PAGE) -> list[Referrer]:
    """Where sessions came from, most first."""
    return [Referrer(*row) for row in _ranked("referrers", first_day, last_day, limit)]


def landing_pages(first_day: dt.date, last_day: dt.date, limit: int = PAGE) -> list[LandingPage]:
    """Where sessions began, most first."""
    return [LandingPage(*row) for row in _ranked("landing_pages", first_day, last_day, limit)]


def searches(first_day: dt.date, last_day: dt.date, limit: int = PAGE) -> list[Search]:
    """What was searched for, most first."""
    return [Search(*row) for row in _ranked("searches", first_day, last_day, limit)]


def bots(first_day: dt.date, last_day: dt.date, limit: int = PAGE) -> list[Bot]:
    """Machines that fetched pages, most first; those of our own log are not in the sessions."""
    return [Bot(*row) for row in _ranked("bots", first_day, last_day, limit)]


def sessions_summary(first_day: dt.date, last_day: dt.date) -> SessionsSummary:
    """How many sessions there were, and how long and deep they went."""
    (row,) = _ranked("sessions_summary", first_day, last_day, 1)
    return SessionsSummary(*row)


def _ranked(name: str, first_day: dt.date, last_day: dt.date, limit: int) -> list[Any]:
    con = lake.connect()
    try:
        found = query.load("rapport.listening", name)
        return query.run(
            con, found, {"first_day": first_day, "last_day": last_day, "limit": limit}
        ).fetchall()
    finally:
        con.close()
