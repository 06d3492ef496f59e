"""Quotas: a place is taken as soon as it is known that an answer counts for it, and held while it is written.

The row of the quota is locked while places are counted, so two people never get the last one. A place held
by a response that nobody touched for an hour is free for the next one; who comes back later takes a new
one or finds the quota full.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import F

from rapport.kit import clock
from rapport.surveys import rules
from rapport.surveys.models import Quota, Response, Seat
from rapport.surveys.rules.conditions import all_hold
from rapport.surveys.selectors.standing import HELD


def take(row: Response, definition: rules.Definition, given: Mapping[str, rules.Value | None]) -> bool:
    """Take a place in every quota that this response counts for; False where one is full."""
    mine = set(Seat.objects.filter(response=row.id).values_list("key", flat=True))
    counts = {q.key: q.limit for q in definition.quotas if given and all_hold(q.when, given, row.traits)}
    _release(row, mine - set(counts))
    # In one order everywhere, so that no two wait for each other.
    return all(_take_one(row, key, counts[key]) for key in sorted(set(counts) - mine))


def leave(row: Response) -> None:
    """Give back every place of a response that does not count after all."""
    _release(row, set(Seat.objects.filter(response=row.id).values_list("key", flat=True)))


def _take_one(row: Response, key: str, limit: int) -> bool:
    Quota.objects.get_or_create(survey=row.survey, key=key)
    quota = Quota.objects.select_for_update().get(survey=row.survey, key=key)
    taken = quota.n_taken
    if taken >= limit:
        taken -= _sweep(row, key)
    if taken >= limit:
        return False
    Seat.objects.create(response=row, survey=row.survey, key=key)
    Quota.objects.filter(survey=row.survey, key=key).update(n_taken=F("n_taken") + 1)
    return True


def _release(row: Response, keys: set[str]) -> None:
    for key in sorted(keys):
        Quota.objects.select_for_update().get(survey=row.survey, key=key)
        n, _ = Seat.objects.filter(response=row.id, key=key).delete()
        Quota.objects.filter(survey=row.survey, key=key).update(n_taken=F("n_taken") - n)


def _sweep(row: Response, key: str) -> int:
    """Free the places of responses left lying; gives how many."""
    stale = Seat.objects.filter(
        survey=row.survey,
        key=key,
        response__state=Response.State.OPEN,
        response__changed_at__lt=clock.now() - HELD,
    )
    found = list(stale.values_list("response", flat=True))
    n, _ = Seat.objects.filter(survey=row.survey, key=key, response__in=found).delete()
    Quota.objects.filter(survey=row.survey, key=key).update(n_taken=F("n_taken") - n)
    return n
