"""The ledger as people read it: row by row with its evidence, and one person's answers side by side."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Q

from rapport.consent import rules
from rapport.consent.models import Record, Restriction
from rapport.consent.selectors import allowing, defining, wishes, withholding
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.people.selectors import rows

PAGE = 50


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One answer with its evidence. `person` is who the identifier belongs to now, 0 where nobody's."""

    id: uuid.UUID
    identifier: str
    person: int
    purpose: str
    channel: str
    state: str
    at: dt.datetime
    expires_at: dt.datetime | None
    how: str
    shown: str
    wording: str
    source: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which answers a page shows; empty means any."""

    purpose: str = ""
    channel: str | None = None
    state: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class PanelCell:
    """What holds for a purpose on a channel, and the answer that says so, if anybody gave one."""

    channel: str
    answer: rules.Answer
    record: LedgerRow | None


@dataclass(frozen=True, slots=True)
class PanelLine:
    """One purpose of a person's panel."""

    purpose: defining.PurposeView
    cells: tuple[PanelCell, ...]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An identifier to which nothing is sent on a channel, and why."""

    identifier: str
    channel: str
    reason: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class CorePanel:
    """The answers of what certainly is one person; a probable edge joins no answers."""

    identifiers: tuple[str, ...]
    lines: tuple[PanelLine, ...]
    suppressed: tuple[Suppressed, ...]
    restricted_at: dt.datetime | None
    preferences: dict[str, Any]


def ledger(ref: int | str) -> list[LedgerRow]:
    """Every answer of somebody, newest first."""
    subjects, identifier = allowing.whose(ref)
    return _newest_first(allowing.said_by(Record.objects.all(), subjects, identifier))


def ledger_of(subjects: Sequence[int]) -> list[LedgerRow]:
    """Every answer of these subjects, newest first: of a person also what a merely probable part of them said."""
    return _newest_first(allowing.said_by(Record.objects.all(), subjects))


def ledger_page(
    chosen: LedgerFilter, *, before: tuple[dt.datetime, uuid.UUID] | None = None, limit: int = PAGE
) -> list[LedgerRow]:
    """Answers newest first; `before` is the (at, id) of the last one already shown."""
    found = Record.objects.order_by("-at", "-id")
    if chosen.purpose:
        found = found.filter(purpose=chosen.purpose)
    if chosen.channel is not None:
        found = found.filter(channel=chosen.channel)
    if chosen.state:
        found = found.filter(state=chosen.state)
    if chosen.how:
        found = found.filter(how=chosen.how)
    if before:
        found = found.filter(at__lte=before[0]).filter(Q(at__lt=before[0]) | Q(id__lt=before[1]))
    return _shown(found[:limit])


def undefined_purposes() -> list[str]:
    """Purposes that answers name and that the firm has not defined; nothing is allowed for them."""
    known = [p.key for p in defining.purposes()]
    named = Record.objects.exclude(purpose__in=known).order_by("purpose").values_list("purpose", flat=True)
    return list(named.distinct()[:20])


def panel(person: int) -> tuple[CorePanel, ...]:
    """How a person stands to every purpose and channel; one panel for each of their certain parts."""
    known = people.cores_for(np.asarray(people.subjects_of(person), dtype=np.int64))
    parts: dict[int, list[int]] = {}
    for core, subject in zip(
        rows.numbers(known, "core").tolist(), rows.numbers(known, "subject").tolist(), strict=True
    ):
        parts.setdefault(core, []).append(subject)
    purposes = defining.purposes()
    return tuple(_core_panel(subjects, purposes) for _, subjects in sorted(parts.items()))


def _core_panel(subjects: list[int], purposes: Sequence[defining.PurposeView]) -> CorePanel:
    now = clock.now()
    texts = people.identifiers_for(subjects)
    said = _shown(allowing.said_by(Record.objects.all(), subjects))
    restrictions = Restriction.objects.filter(subject__in=subjects, lifted_at__isnull=True).order_by("at")
    restricted = restrictions.values_list("at", flat=True).first()
    lines = tuple(
        PanelLine(
            purpose,
            tuple(
                _cell(purpose, channel, said, now, restricted is not None)
                for channel in (purpose.channels or ("",))
            ),
        )
        for purpose in purposes
    )
    suppressed = tuple(
        Suppressed(text, s.channel, s.reason, s.at)
        for text in texts.values()
        for s in withholding.suppressions(text)
        if s.lifted_at is None
    )
    wished = wishes.preferences(subjects[0])
    return CorePanel(tuple(texts.values()), lines, suppressed, restricted, wished)


def _cell(
    purpose: defining.PurposeView,
    channel: str,
    said: Sequence[LedgerRow],
    at: dt.datetime,
    is_restricted: bool,
) -> PanelCell:
    mine = [r for r in said if r.purpose == purpose.key]
    stated = [rules.Stated(r.channel, r.state, r.at, r.expires_at, str(r.id)) for r in mine]
    answer = rules.answer(
        rules.Purpose(purpose.key, purpose.legal_basis, purpose.is_active),
        stated,
        channel,
        at,
        is_restricted=is_restricted,
    )
    decisive = rules.decisive(stated, channel, at)
    return PanelCell(
        channel, answer, next((r for r in mine if decisive and str(r.id) == decisive.record), None)
    )


def _newest_first(records: list[Record]) -> list[LedgerRow]:
    return _shown(sorted(records, key=lambda record: (record.at, record.id), reverse=True))


def _shown(found: Iterable[Record]) -> list[LedgerRow]:
    records = list(found)
    subjects = sorted({r.subject for r in records if r.subject is not None})
    texts = people.identifiers_for(subjects)
    known = people.people_for(np.asarray(subjects, dtype=np.int64))
    person_of = dict(
        zip(rows.numbers(known, "subject").tolist(), rows.numbers(known, "person").tolist(), strict=True)
    )
    return [
        LedgerRow(
            id=r.id,
            identifier=r.identifier or texts.get(r.subject or 0, ""),
            person=person_of.get(r.subject, 0) if r.subject is not None else 0,
            purpose=r.purpose,
            channel=r.channel,
            state=r.state,
            at=r.at,
            expires_at=r.expires_at,
            how=r.how,
            shown=r.shown,
            wording=r.wording,
            source=r.source,
            seq=r.seq,
        )
        for r in records
    ]
