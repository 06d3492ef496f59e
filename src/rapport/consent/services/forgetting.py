"""What consent keeps of a person: shown to them when they ask, and gone when they want to be forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from rapport.consent import erasers, exporters
from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting, Section
from rapport.consent.models import Preference, Record, Restriction, Suppression
from rapport.consent.selectors import holding
from rapport.consent.selectors.withholding import identifier_hash
from rapport.kit import bulk


def register() -> None:
    """Tell erasure and access what the ledger holds."""
    erasers.register("consents and wishes", erase)
    exporters.register("consents and wishes", export)


def erase(erasing: Erasing) -> int:
    """Remove answers, wishes and restrictions.

    Suppressions stay: they hold a keyed hash and no word of the person, and are what keeps a message from
    reaching somebody who asked to be forgotten.
    """
    n = 0
    with transaction.atomic():
        for model in (Record, Preference):
            for found in _mine(model.objects.all(), erasing.subjects, erasing.identifiers):
                n += found.delete()[0]
        for part in bulk.parts(erasing.subjects):
            n += Restriction.objects.filter(subject__in=part).delete()[0]
    if n:
        holding.discard()
    return n


def export(exporting: Exporting) -> Iterable[Section]:
    """Answers, wishes and suppressions, in the words they were kept in."""
    texts = dict(zip(exporting.subjects, exporting.identifiers, strict=False))

    def named(row: Any) -> str:
        return str(texts.get(row.subject, row.identifier))

    said = [
        {
            "identifier": named(r),
            "purpose": r.purpose,
            "channel": r.channel,
            "state": r.state,
            "at": r.at,
            "expires_at": r.expires_at,
            "how": r.how,
            "shown": r.shown,
            "wording": r.wording,
            "origin": r.source,
        }
        for found in _mine(Record.objects.order_by("at"), exporting.subjects, exporting.identifiers)
        for r in found
    ]
    wished = [
        {
            "identifier": named(p),
            "name": p.name,
            "value": json.loads(p.value),
            "at": p.at,
            "origin": p.source,
        }
        for found in _mine(Preference.objects.order_by("at"), exporting.subjects, exporting.identifiers)
        for p in found
    ]
    stopped = [
        {
            "identifier": identifier,
            "channel": s.channel,
            "reason": s.reason,
            "at": s.at,
            "lifted_at": s.lifted_at,
        }
        for identifier in exporting.identifiers
        for s in Suppression.objects.filter(hash=identifier_hash(identifier)).order_by("at")
    ]
    restricted = [
        {"at": r.at, "reason": r.reason, "lifted_at": r.lifted_at}
        for part in bulk.parts(exporting.subjects)
        for r in Restriction.objects.filter(subject__in=part).order_by("at")
    ]
    yield Section("What you allowed and refused", said)
    yield Section("What you would rather have", wished)
    yield Section("Where we send you nothing", stopped, "consent")
    yield Section("Times when use of your data was restricted", restricted, "consent")


def _mine(
    rows: QuerySet[Any], subjects: tuple[int, ...], identifiers: tuple[str, ...]
) -> Iterable[QuerySet[Any]]:
    """Rows that hang on the subjects, and those whose identifier the log has not numbered yet."""
    for part in bulk.parts(subjects):
        yield rows.filter(subject__in=part)
    for texts in bulk.parts(identifiers):
        yield rows.filter(Q(subject__isnull=True, identifier__in=texts))
