"""Questions about the portfolio: the policy, who stands where, who is answered next, what a policy would change."""

from __future__ import annotations

from rapport.portfolio.selectors.board import (
    CORNERS,
    NAMES,
    TIERS,
    Bands,
    Board,
    Corner,
    TierRow,
    bands,
    board,
    corners,
    members,
    standing,
    standings,
    tiers,
)
from rapport.portfolio.selectors.policies import history, of_version, parameters, policy
from rapport.portfolio.selectors.queues import Queue, first_of, matters, priorities, priority, queue
from rapport.portfolio.selectors.simulations import (
    Past,
    SimulationView,
    of_run,
    past_contacts,
    result_json,
    simulation_of,
    simulations,
)

__all__ = [
    "CORNERS",
    "NAMES",
    "TIERS",
    "Bands",
    "Board",
    "Corner",
    "Past",
    "Queue",
    "SimulationView",
    "TierRow",
    "bands",
    "board",
    "corners",
    "first_of",
    "history",
    "matters",
    "members",
    "of_run",
    "of_version",
    "parameters",
    "past_contacts",
    "policy",
    "priorities",
    "priority",
    "queue",
    "result_json",
    "simulation_of",
    "simulations",
    "standing",
    "standings",
    "tiers",
]
