"""Trying a policy on the firm's own past contacts, before it is switched on."""

from __future__ import annotations

import datetime as dt

import numpy as np

from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.portfolio import selectors
from rapport.portfolio.models import SimulationRun
from rapport.portfolio.rules import Policy, check, replay
from rapport.portfolio.selectors import SimulationView

DAYS = 180
KEPT = 20
SEED = 1


def simulate(policy: Policy, *, by: str, days: int = DAYS) -> SimulationView:
    """Answer the contacts of the last days both ways, and keep the figures.

    Raises Invalid where there is no contact to try it on, or the policy cannot be.
    """
    check(policy)
    now = clock.now()
    past = selectors.past_matters(policy, now - dt.timedelta(days=days), now, selectors.MATTERS_MOST)
    if not len(past.matters):
        raise Invalid(
            f"there is no complaint and no message to us in the last {days} days",
            "Import past contacts, or connect where they arrive; then try again.",
        )
    found = replay(past.matters, policy, np.random.default_rng(SEED))
    row = SimulationRun.objects.create(
        content=policy.as_json(),
        made_at=now,
        made_by=by,
        since=past.since,
        until=now,
        result=selectors.result_json(found, past),
    )
    old = SimulationRun.objects.order_by("-made_at", "-id").values_list("id", flat=True)[KEPT:]
    SimulationRun.objects.filter(id__in=list(old)).delete()
    return selectors.of_run(row)
