"""What a firm promises everybody who waits, who is served next, and what a policy would have changed. Pure."""

from __future__ import annotations

from rapport.portfolio.rules.policy import FIRST, KINDS, Costs, Policy, check
from rapport.portfolio.rules.queue import Matter, Priority, Standing, order, shortfall_minutes
from rapport.portfolio.rules.replay import Matters, Outcome, Replay, replay

__all__ = [
    "FIRST",
    "KINDS",
    "Costs",
    "Matter",
    "Matters",
    "Outcome",
    "Policy",
    "Priority",
    "Replay",
    "Standing",
    "check",
    "order",
    "replay",
    "shortfall_minutes",
]
