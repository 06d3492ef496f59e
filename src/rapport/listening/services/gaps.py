"""What a source could not see: one open gap at a time while it lasts, closed when it is read again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from rapport.listening.contract import Gap, Reason
from rapport.listening.models import Gap as GapRow

MESSAGE_CHARS_MAX = 1_000


def open_gap(source: str, since: dt.datetime, reason: Reason, message: str) -> None:
    """From `since` something may be missing. One that is open already goes on, and takes another reason anew."""
    with transaction.atomic():
        row = GapRow.objects.filter(source=source, until__isnull=True).first()
        if row is not None:
            if row.reason == reason:
                GapRow.objects.filter(pk=row.pk).update(message=message[:MESSAGE_CHARS_MAX])
                return
            # Whatever came first is why it is missing up to the moment at which the next reason begins.
            if since > row.since:
                GapRow.objects.filter(pk=row.pk).update(until=since)
            else:
                GapRow.objects.filter(pk=row.pk).update(reason=reason, message=message[:MESSAGE_CHARS_MAX])
                return
        fresh = {"until": None, "message": message[:MESSAGE_CHARS_MAX], "is_made_good": False}
        GapRow.objects.update_or_create(source=source, since=since, reason=reason, defaults=fresh)


def close_gap(source: str, until: dt.datetime, *, is_made_good: bool) -> None:
    """The source is read again. Made good: from where it had ended, so that nothing is missing after all."""
    open_now = GapRow.objects.filter(source=source, until__isnull=True)
    open_now.filter(since__gte=until).delete()
    open_now.update(until=until, is_made_good=is_made_good)
    if is_made_good:
        # Gaps that followed one another without a read in between are made good together.
        row = GapRow.objects.filter(source=source, until=until).order_by("-since").first()
        while row is not None:
            adjoining = GapRow.objects.filter(source=source, until=row.since, since__lt=row.since)
            before = adjoining.filter(is_made_good=False, is_told=False).first()
            if before is None:
                break
            GapRow.objects.filter(pk=before.pk).update(is_made_good=True)
            row = before


def forget(source: str) -> None:
    """Forget what a source could not see, because there is no such source any more."""
    GapRow.objects.filter(source=source).delete()


def keep(source: str, found: Iterable[Gap]) -> None:
    """Gaps that a connector tells of: what is in them will not be read later."""
    for gap in found:
        told = {"until": gap.until, "message": gap.message[:MESSAGE_CHARS_MAX], "is_told": True}
        GapRow.objects.update_or_create(source=source, since=gap.since, reason=gap.reason, defaults=told)
