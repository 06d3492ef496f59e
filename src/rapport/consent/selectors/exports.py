"""Which lists of people left, who took them, for what."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Q

from rapport.consent.models import Export

PAGE = 50


@dataclass(frozen=True, slots=True)
class ExportView:
    """One list that left."""

    id: uuid.UUID
    at: dt.datetime
    by: str
    purpose: str
    channel: str
    why: str
    columns: tuple[str, ...]
    chosen: dict[str, str]
    n_chosen: int
    n_people: int
    mark: str

    @property
    def n_left_out(self) -> int:
        return max(0, self.n_chosen - self.n_people)


def export_view(row: Export) -> ExportView:
    return ExportView(
        row.id,
        row.at,
        row.by,
        row.purpose,
        row.channel,
        row.why,
        tuple(row.columns),
        dict(row.chosen),
        row.n_chosen,
        row.n_people,
        row.mark,
    )


def exports(*, before: tuple[dt.datetime, uuid.UUID] | None = None, limit: int = PAGE) -> list[ExportView]:
    """Lists that left, newest first; `before` is (at, id) of the last one shown."""
    rows = Export.objects.all()
    if before:
        rows = rows.filter(Q(at__lt=before[0]) | Q(at=before[0], id__lt=before[1]))
    return [export_view(row) for row in rows.order_by("-at", "-id")[:limit]]
