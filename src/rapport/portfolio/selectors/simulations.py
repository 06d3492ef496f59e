"""Past contacts as columns, and what was simulated on them."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rapport.people import selectors as people
from rapport.portfolio.models import SimulationRun
from rapport.portfolio.rules import FIRST, Matters, Policy, Replay, Standing, replay
from rapport.portfolio.rules.queue import NOT_FIRST, per_minute
from rapport.portfolio.rules.replay import LONGER_HOURS, TIERS, tier_places
from rapport.portfolio.selectors.board import standings
from rapport.portfolio.selectors.queues import first_of, told

MATTERS_MOST = 20_000  # replayed; of more, the newest
HOURS = (1, 2, 4, 8, 16, 24, 48, 96)  # of the chart: share answered within


@dataclass(frozen=True, slots=True)
class Past:
    """Past contacts, and how they were truly answered."""

    matters: Matters
    since: dt.datetime
    seen_hours: tuple[float, ...]  # to the answers that the log knows
    n_unanswered: int
    n_left_out: int  # contacts before these, beyond what is replayed


@dataclass(frozen=True, slots=True)
class SimulationView:
    """What was found when a policy was tried."""

    id: int
    policy: Policy
    made_at: dt.datetime
    made_by: str
    since: dt.datetime
    until: dt.datetime
    result: dict[str, Any]


def past_matters(policy: Policy, since: dt.datetime, until: dt.datetime, most: int) -> Past:
    """The contacts of a time, with what the models say of their people now."""
    table = told(since, until)
    left_out = max(0, table.num_rows - most)
    table = table.slice(left_out)
    rows = table.select(["kind", "reason"]).to_pylist()
    persons = table.column("person").to_numpy(zero_copy_only=False)
    in_need = np.isin(persons, people.declaring(policy.need_trait))
    kinds, markers = np.unique([f"{r['kind']}\x1f{r['reason']}" for r in rows], return_inverse=True)
    pairs = [kind.split("\x1f") for kind in kinds.tolist()]
    places = {name: at for at, name in enumerate(FIRST)}
    named = np.array([places.get(first_of(k, r, False, policy), NOT_FIRST) for k, r in pairs] or [NOT_FIRST])
    minutes = np.array([policy.costs.minutes(k) for k, _ in pairs] or [0.0])
    first = named[markers] if len(rows) else np.zeros(0, np.int64)
    first = np.where((first == NOT_FIRST) & in_need, places["vulnerable"], first)
    known = standings(np.unique(persons).tolist())
    stands = [known.get(int(p)) for p in persons]
    took = minutes[markers] if len(rows) else np.zeros(0)
    reference = policy.costs.message_minutes
    saving = np.array([s.saving_minor if s else 0.0 for s in stands])
    ratios = np.array([(s or Standing()).worth_ratio for s in stands])
    low, high = (sum(getattr(s, end) for s in stands if s) for end in ("low_ratio", "high_ratio"))
    middle = sum(s.worth_ratio for s in stands if s)
    at = table.column("ts").cast("int64").to_numpy(zero_copy_only=False) / 6e7
    answered = table.column("answered_at")
    hours = (answered.cast("int64").to_numpy(zero_copy_only=False).astype(float) / 6e7 - at) / 60
    seen = hours[np.isfinite(hours)]
    return Past(
        matters=Matters(
            person=persons,
            since=at.astype(float),
            minutes=took,
            first=first,
            tier=tier_places([s.tier if s else "" for s in stands]),
            worth=per_minute(ratios, took, policy),
            saving_minor=saving * reference,
            currency=np.array([s.currency if s else "" for s in stands], dtype=str),
            low_ratio=low / middle if middle > 0 else 1.0,
            high_ratio=high / middle if middle > 0 else 1.0,
        ),
        since=max(since, table.column("ts")[0].as_py()) if left_out else since,
        seen_hours=tuple(seen.tolist()),
        n_unanswered=int(len(hours) - len(seen)),
        n_left_out=left_out,
    )


def result_json(found: Replay, past: Past) -> dict[str, Any]:
    """The figures of a replay, without anybody's name."""
    kept = asdict(found)
    kept["outcomes"] = list(kept["outcomes"])  # as JSON gives it back
    present, after = kept.pop("present_hours"), kept.pop("policy_hours")
    kept["answered_within"] = [
        {
            "hours": h,
            "present": float((present <= h).mean()),
            "policy": float((after <= h).mean()),
        }
        for h in HOURS
    ]
    seen = np.array(past.seen_hours)
    kept["seen"] = {
        "n": len(seen),
        "n_unanswered": past.n_unanswered,
        "median_hours": float(np.median(seen)) if len(seen) else None,
        "ninetieth_hours": float(np.quantile(seen, 0.9)) if len(seen) else None,
    }
    kept["n_left_out"] = past.n_left_out
    kept["tiers"] = list(TIERS)
    return kept


@dataclass(frozen=True, slots=True)
class Longer:
    """One contact that would have waited longer than it does today."""

    person: int
    at: dt.datetime
    tier: str
    present_hours: float
    policy_hours: float


def longer(found: SimulationView) -> list[Longer]:
    """Whose contacts would have waited longer under what was tried, those by most first.

    No simulation keeps a person, so it is replayed: what has been erased since is no longer in it.
    """
    past = past_matters(found.policy, found.since, found.until, MATTERS_MOST)
    if not len(past.matters):
        return []
    again = replay(past.matters, found.policy, np.random.default_rng(0))
    more = again.policy_hours - again.present_hours
    order = np.argsort(-more, kind="stable")
    chosen = order[more[order] > LONGER_HOURS]
    return [
        Longer(
            person=int(past.matters.person[k]),
            at=dt.datetime.fromtimestamp(float(past.matters.since[k]) * 60, tz=dt.UTC),
            tier=TIERS[int(past.matters.tier[k])],
            present_hours=float(again.present_hours[k]),
            policy_hours=float(again.policy_hours[k]),
        )
        for k in chosen.tolist()
    ]


def simulations(limit: int = 10) -> list[SimulationView]:
    """What was tried, the newest first."""
    return [of_run(row) for row in SimulationRun.objects.order_by("-made_at", "-id")[:limit]]


def simulation_of(policy: Policy) -> SimulationView | None:
    """The newest simulation of exactly these figures, if there is one."""
    content = policy.as_json()
    return next((s for s in simulations(20) if s.policy.as_json() == content), None)


def of_run(row: SimulationRun) -> SimulationView:
    return SimulationView(
        id=row.pk,
        policy=Policy.from_json(row.content),
        made_at=row.made_at,
        made_by=row.made_by,
        since=row.since,
        until=row.until,
        result=row.result,
    )
