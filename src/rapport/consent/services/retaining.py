"""Keep events only as long as the firm says, by their name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db.models import F

from rapport.consent.models import Retention
from rapport.consent.rules import keeping
from rapport.events import services as events
from rapport.events.services import Forgotten
from rapport.kit import clock, home
from rapport.kit.errors import Conflict, Invalid

LOCK = "retention"
EVERY = dt.timedelta(days=1)


def keep_for(name: str, days: int | None, *, by: str) -> None:
    """Keep events of a name for so many days, or for good. Takes effect the next time it is carried out."""
    if days is None:
        Retention.objects.filter(name=name).delete()
        return
    check_keep_for(name, days)
    Retention.objects.update_or_create(
        name=name,
        defaults={"days": days, "changed_at": clock.now(), "changed_by": by, "carried_out_at": None},
    )


def check_keep_for(name: str, days: int) -> None:
    """Raise Invalid for a rule that cannot be."""
    if not keeping.may_end(name):
        raise Invalid(f"{name} is kept as long as it proves something", "Choose another kind of event.")
    if not keeping.DAYS_MIN <= days <= keeping.DAYS_MAX:
        raise Invalid(
            f"events cannot be kept for {days} days",
            f"Give from {keeping.DAYS_MIN} to {keeping.DAYS_MAX} days, or nothing for ever.",
        )


def carry_out(now: dt.datetime | None = None) -> Forgotten:
    """Erase every event that was kept long enough; one pass over the log for all names together."""
    now = now or clock.now()
    limits = _limits(now)
    if not limits:
        return Forgotten()
    with home.lock(LOCK):
        before = events.counted_before(limits)
        done = events.forget_older(limits)
        for name in limits:
            Retention.objects.filter(name=name).update(
                carried_out_at=now, n_erased=F("n_erased") + before.get(name, 0)
            )
    return done


def carry_out_if_due() -> Forgotten | None:
    """Once a day, in whichever process asks first; None where it was done already, or is being done."""
    now = clock.now()
    due = Retention.objects.exclude(carried_out_at__gt=now - EVERY)
    if not due.exists():
        return None
    try:
        return carry_out(now)
    except Conflict:
        return None


def _limits(now: dt.datetime) -> Mapping[str, dt.datetime]:
    return {r.name: keeping.limit(r.days, now) for r in Retention.objects.all()}
