"""Everybody compared with everybody: who may be one person is laid before a reviewer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rapport.kit import clock, home
from rapport.kit.errors import Invalid
from rapport.people import models
from rapport.people.rules import columns, graph
from rapport.people.selectors.records import make_records
from rapport.people.services import deciding, linking

SOURCE = "likeness"
EVIDENCE = "similar"
PROPOSE_FROM_MIN = 0.05  # below this a queue is noise


@dataclass(frozen=True, slots=True)
class Proposing:
    """What a run read and found."""

    people: int
    compared: tuple[str, ...]
    accepted: int
    waiting: int
    settled: int
    duration_s: float


def propose_identities(progress: linking.Progress | None = None) -> Proposing:
    """Compare all known people and write what is probable; what waited and is not found again is withdrawn.

    Raises Conflict where another process does so already.
    """
    with home.lock("identity"):
        return _propose(progress or (lambda _: None))


def _propose(said: linking.Progress) -> Proposing:
    policy = linking_policy()
    began, began_s = clock.now(), clock.monotonic_s()
    said("reading people")
    with linking.engine() as con:
        n = make_records(con)
        linking.compare(con, f"SELECT id, {', '.join(columns.FIELDS)} FROM record")
        con.execute("DROP TABLE record")
        links = linking.link_compared(con, low=policy.propose_from, progress=said)
    said("writing")
    outcome = deciding.propose(_proposals(links), source=SOURCE, accept_from=policy.accept_from)
    models.Edge.objects.filter(state=graph.PROPOSED, source=SOURCE, asserted_at__lt=began).delete()
    run = models.LinkingRun.objects.create(
        started_at=began,
        duration_s=clock.monotonic_s() - began_s,
        n_people=n,
        compared=",".join(links.compared),
        n_waiting=outcome.waiting,
        n_accepted=outcome.accepted,
        n_settled=outcome.settled,
    )
    return Proposing(n, links.compared, outcome.accepted, outcome.waiting, outcome.settled, run.duration_s)


def linking_policy() -> models.LinkingPolicy:
    """What becomes of probable pairs; as shipped until somebody says otherwise."""
    return models.LinkingPolicy.objects.order_by("id").first() or models.LinkingPolicy()


def set_linking_policy(*, propose_from: float, accept_from: float | None, is_nightly: bool) -> None:
    """Say from which probability on pairs are proposed, and from which on they join without a reviewer."""
    if not PROPOSE_FROM_MIN <= propose_from <= 1:
        raise Invalid(
            f"{propose_from:g} is no probability to propose from", f"Choose {PROPOSE_FROM_MIN:g} to 1."
        )
    if accept_from is not None and not propose_from <= accept_from <= 1:
        raise Invalid(
            f"{accept_from:g} is no probability to join from",
            "It is 1 at most, and at least the probability from which pairs are proposed.",
        )
    policy = linking_policy()
    policy.propose_from, policy.accept_from, policy.is_nightly = propose_from, accept_from, is_nightly
    policy.save()


def _proposals(links: linking.Links) -> pa.Table:
    pairs = links.pairs
    return pa.table(
        {
            "a": pairs["a"],
            "b": pairs["b"],
            "confidence": pairs["probability"],
            "evidence": pa.array([EVIDENCE] * pairs.num_rows, pa.string()),
            "detail": details(pairs, links.compared),
        }
    )


def details(pairs: pa.Table, compared: Sequence[str]) -> pa.Array:
    """What agrees, for every pair, as rules.evidence reads it; few combinations stand for many pairs."""
    parts = []
    for name in compared:
        weights = np.round(np.asarray(pairs[f"{name}_weight"].to_numpy(), dtype=np.float64), 2)
        levels = pairs[f"{name}_level"].to_pylist()
        head = json.dumps(name)
        parts.append([f'[{head},"{level}",{w:g}]' for level, w in zip(levels, weights.tolist(), strict=True)])
    joined = [f"[{','.join(row)}]" for row in zip(*parts, strict=True)] if parts else []
    return pa.array(joined, pa.string())
