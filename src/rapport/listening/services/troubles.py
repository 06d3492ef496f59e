"""What keeps a source from being read: noted in words, waited out, and forgotten when it passes."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction
from django.db.models import F

from rapport.kit import clock
from rapport.listening.contract import Failed
from rapport.listening.models import Source
from rapport.listening.rules import pace
from rapport.listening.services import gaps

TEXT_CHARS_MAX = 1_000


def note(source: Source, failed: Failed, *, has_advanced: bool = False) -> float | None:
    """Keep why a source cannot be read; gives the seconds until it is tried again, None where somebody must act.

    One that `has_advanced` since the failure before is not failing, merely interrupted: waits do not grow.
    """
    now = clock.now()
    with transaction.atomic():
        rows = Source.objects.filter(name=source.name)
        if has_advanced:
            rows.update(failures=0, trouble_since=None)
        rows.update(
            failures=F("failures") + 1,
            trouble=failed.message[:TEXT_CHARS_MAX],
            trouble_hint=failed.hint[:TEXT_CHARS_MAX],
        )
        rows.filter(trouble_since__isnull=True).update(trouble_since=now)
        gaps.open_gap(source.name, source.seen_at or source.created_at, failed.reason, failed.message)
        if failed.reason == "login":
            rows.filter(state=Source.State.ON).update(state=Source.State.NEEDS_LOGIN, next_at=None)
            return None
        failures = rows.values_list("failures", flat=True).first() or 1
        told_s = pace.WAIT_MAX_S if failed.retry_after_s is None else failed.retry_after_s
        pause_s = pace.pause_s(failures, told_s, secrets.randbits(16) / 65_536)
        rows.update(next_at=now + dt.timedelta(seconds=pause_s))
        return pause_s


def clear(source: Source, seen_at: dt.datetime, next_at: dt.datetime | None, *, is_made_good: bool) -> None:
    """The source was read: up to `seen_at` nothing is missing beside its closed gaps."""
    with transaction.atomic():
        Source.objects.filter(name=source.name, began_at__isnull=True).update(began_at=clock.now())
        Source.objects.filter(name=source.name).update(
            failures=0, trouble="", trouble_hint="", trouble_since=None, seen_at=seen_at, next_at=next_at
        )
        gaps.close_gap(source.name, seen_at, is_made_good=is_made_good)
