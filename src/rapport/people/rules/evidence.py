"""Why identifiers are held for one person: which evidence is certain, and what a model saw, in words."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Evidence that is only probable, and waits for a reviewer: a profile or a post on a network names whatever
# its owner likes, and likeness is likeness. On every other kind two identifiers are one person at once:
# somebody acted with both (logged in, ordered, opened a signed link), or a record of the firm's own has both.
PROBABLE = ("profile", "post", "similar")
# How sure evidence is that nobody has counted: as likely as not.
UNCOUNTED = 0.5


@dataclass(frozen=True, slots=True)
class Weight:
    """What one comparison said of a pair: its level (a code of rules.likeness) and log2 of its factor."""

    name: str
    level: str
    weight: float


def to_detail(weights: Iterable[Weight]) -> str:
    """As an edge keeps it."""
    return json.dumps([[w.name, w.level, round(w.weight, 2)] for w in weights], separators=(",", ":"))


def from_detail(detail: str) -> tuple[Weight, ...]:
    """What an edge keeps, the strongest first; nothing where the edge is not a model's."""
    if not detail:
        return ()
    found = (Weight(name, level, weight) for name, level, weight in json.loads(detail))
    return tuple(sorted(found, key=lambda w: -abs(w.weight)))


def path(start: str, edges: Sequence[tuple[int, str, str]]) -> dict[str, tuple[int, ...]]:
    """For every identifier, the edges that lead to it from `start` over the fewest steps.

    `edges` are (id, a, b), in the order in which they are preferred where two ways are equally short.
    """
    near: dict[str, list[tuple[int, str]]] = {}
    for edge, a, b in edges:
        near.setdefault(a, []).append((edge, b))
        near.setdefault(b, []).append((edge, a))
    found: dict[str, tuple[int, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for edge, there in near.get(here, ()):
            if there not in found:
                found[there] = (*found[here], edge)
                waiting.append(there)
    return found
