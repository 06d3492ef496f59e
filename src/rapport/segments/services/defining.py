"""Create, change and remove segments."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from rapport.consent import selectors as consent
from rapport.kit import clock, home
from rapport.kit.errors import Conflict, Invalid
from rapport.segments import rules, uses
from rapport.segments.models import Refresh, Segment, Size, Version
from rapport.segments.rules import naming
from rapport.segments.selectors import listing, membership
from rapport.segments.selectors.listing import SegmentView
from rapport.segments.services.leaves import PURPOSE
from rapport.segments.services.refreshing import LOCK

Stated = rules.Rule | Mapping[str, Any] | str

TITLE_CHARS_MAX = 120


def create(
    title: str, rule: Stated, *, by: str, key: str = "", meaning: str = "", purpose: str = PURPOSE
) -> SegmentView:
    """A new segment; its members are worked out at the next refresh.

    Without a key, one is made of the title, or counted where its script gives none.
    Raises Invalid for a rule that asks for what is not there,
    NotFound for a purpose that the firm has not, Conflict for a key that is taken.
    """
    key = naming.checked(key or naming.key_of(title) or _counted_key())
    stated = _checked(rule)
    consent.purpose(purpose)
    now = clock.now()
    naming.refuse_circle(key, rules.segments_in(stated), listing.built())
    try:
        with transaction.atomic():
            row = Segment.objects.create(
                key=key,
                title=_title(title),
                meaning=meaning.strip(),
                purpose=purpose,
                rule=rules.to_json(stated),
                created_at=now,
                created_by=by,
                changed_at=now,
                changed_by=by,
            )
            _keep_version(row, by)
    except IntegrityError:
        raise Conflict(f"there is a segment {key!r} already", "Choose another key.") from None
    return listing.view(row)


def change(
    key: str,
    *,
    by: str,
    title: str | None = None,
    meaning: str | None = None,
    rule: Stated | None = None,
    purpose: str | None = None,
    new_key: str | None = None,
) -> SegmentView:
    """Change what is given. Another rule or purpose moves members at the next refresh.

    Raises Conflict where the segment would ask about itself, and for another key while anything uses it.
    """
    row = listing.row(key)
    given: dict[str, Any] = {} if title is None else {"title": _title(title)}
    if meaning is not None:
        given["meaning"] = meaning.strip()
    if purpose is not None and purpose != row.purpose:
        consent.purpose(purpose)
        given["purpose"] = purpose
    if rule is not None:
        stated = _checked(rule)
        naming.refuse_circle(key, rules.segments_in(stated), listing.built())
        given["rule"] = rules.to_json(stated)
    if new_key is not None and new_key != key:
        _refuse_if_used(key, "be given another key")
        given["key"] = naming.checked(new_key)
    try:
        row = _saved(key, given, by)
    except IntegrityError:
        if "key" not in given:
            raise
        raise Conflict(f"there is a segment {new_key!r} already", "Choose another key.") from None
    return listing.view(row)


def _saved(key: str, given: Mapping[str, Any], by: str) -> Segment:
    """Write what is given over the row as it is by now: a refresh or another editor may just have been at it."""
    with transaction.atomic():
        row = listing.row(key, locked=True)
        moves = any(name in given and given[name] != getattr(row, name) for name in ("rule", "purpose"))
        for name, value in given.items():
            setattr(row, name, value)
        row.changed_at, row.changed_by = clock.now(), by
        if moves:
            row.version += 1
            _keep_version(row, by)
        row.save(update_fields=[*given, "version", "changed_at", "changed_by"])
    return row


def remove(key: str, *, by: str) -> None:
    """Remove a segment and its history; what the log holds of who was in it stays there.

    Raises Conflict while anything uses it.
    """
    _refuse_if_used(key, "be removed")
    # A refresh under way would write rows and files of a segment that is gone.
    with home.lock(LOCK, wait=True):
        row = listing.row(key)
        segment = row.id
        with transaction.atomic():
            for model in (Version, Refresh, Size):
                model.objects.filter(segment=segment).delete()
            row.delete()
        for path in membership.folder().glob(f"{segment}-*"):
            path.unlink(missing_ok=True)
    del by


def _refuse_if_used(key: str, what: str) -> None:
    used = uses.of(key)
    if used:
        raise Conflict(
            f"the segment {key!r} cannot {what}: {', '.join(used)} uses it"
            if len(used) == 1
            else f"the segment {key!r} cannot {what}: {', '.join(used)} use it",
            "Take it out there first.",
        )


def _counted_key() -> str:
    taken = set(Segment.objects.filter(key__startswith="segment").values_list("key", flat=True))
    counted = itertools.chain(["segment"], (f"segment-{n}" for n in itertools.count(2)))
    return next(key for key in counted if key not in taken)


def _checked(rule: Stated) -> rules.Rule:
    stated = rules.parse(rule) if isinstance(rule, str | Mapping) else rule
    rules.check(stated, listing.catalogue(), clock.now())
    return stated


def _title(title: str) -> str:
    tidy = " ".join(title.split())
    if not 1 <= len(tidy) <= TITLE_CHARS_MAX:
        raise Invalid(f"{title!r} is no name", f"Give 1 to {TITLE_CHARS_MAX} characters.")
    return tidy


def _keep_version(row: Segment, by: str) -> None:
    Version.objects.create(
        segment=row.id, number=row.version, rule=row.rule, created_at=row.changed_at, created_by=by
    )
