"""The identity graph: components of assertions, their numbers, their fingerprints.

A component is found by SciPy's depth-first search (`csgraph.connected_components`); a person's number is
the smallest subject of the component, so that it is a function of the assertions alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Subjects = NDArray[np.int64]

# Namespaces of things rather than of people; their subjects get no identity.
NOT_PEOPLE = ("product", "order", "site", "firm", "erasure")

ACCEPTED, PROPOSED, REJECTED, REMOVED = "accepted", "proposed", "rejected", "removed"
CERTAIN, PROBABLE = "certain", "probable"

_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def components(nodes: Subjects, a: Subjects, b: Subjects) -> Subjects:
    """The smallest node of each node's component.

    `nodes` is sorted and unique; `a` and `b` are the ends of the edges, every one of them a node.
    """
    if nodes.size == 0 or a.size == 0:
        return nodes.copy()
    ends = (np.searchsorted(nodes, a), np.searchsorted(nodes, b))
    # Here, because importing it takes longer than most commands that never join anybody.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    matrix = coo_array((np.ones(a.size, dtype=np.int8), ends), shape=(nodes.size, nodes.size))
    _, labels = connected_components(matrix, directed=False)
    # Nodes are in ascending order, so the first of each component is its smallest.
    _, first = np.unique(labels, return_index=True)
    return as_subjects(nodes[first[labels]])


def joined(left: Subjects, right: Subjects) -> tuple[Subjects, Subjects]:
    """The numbers that vanish when each left is one with its right, and what each becomes."""
    nodes = np.unique(np.concatenate([left, right]))
    becomes = components(nodes, left, right)
    moved = becomes != nodes
    return nodes[moved], becomes[moved]


def renumbered(numbers: Subjects, old: Subjects, new: Subjects) -> Subjects:
    """Numbers after every `old` (sorted) has become its `new`."""
    if old.size == 0:
        return numbers.copy()
    at = np.minimum(np.searchsorted(old, numbers), old.size - 1)
    return np.where(old[at] == numbers, new[at], numbers)


def fingerprints(persons: Subjects, subjects: Subjects) -> tuple[Subjects, Subjects, Subjects]:
    """Each person in ascending order, a 64-bit hash of the set of their subjects, and how many there are.

    The hash is the sum modulo 2^64 of the subjects mixed by splitmix64 (Steele, Lea and Flood 2014), so
    it does not depend on their order.
    """
    order = np.argsort(persons, kind="stable")
    unique, first, counts = np.unique(persons[order], return_index=True, return_counts=True)
    if unique.size == 0:
        return unique, unique.copy(), unique.copy()
    x = subjects[order].astype(np.uint64) + _MIX[0]
    x = (x ^ (x >> np.uint64(30))) * _MIX[1]
    x = (x ^ (x >> np.uint64(27))) * _MIX[2]
    x ^= x >> np.uint64(31)
    return unique, np.add.reduceat(x, first).view(np.int64), counts.astype(np.int64)


def as_subjects(numbers: Sequence[int] | Subjects) -> Subjects:
    """Numbers as an array of subjects."""
    return np.asarray(numbers, dtype=np.int64)


def is_in(numbers: Subjects, known: Subjects) -> NDArray[np.bool_]:
    """Which numbers are among `known`, which is sorted."""
    if known.size == 0:
        return np.zeros(numbers.size, dtype=np.bool_)
    at = np.minimum(np.searchsorted(known, numbers), known.size - 1)
    return np.asarray(known[at] == numbers)


def pair_keys(nodes: Subjects, a: Subjects, b: Subjects) -> Subjects:
    """One number for each pair of nodes; `nodes` is sorted and holds every end."""
    return np.searchsorted(nodes, a).astype(np.int64) * nodes.size + np.searchsorted(nodes, b)


def pairs_in(a: Subjects, b: Subjects, known_a: Subjects, known_b: Subjects) -> NDArray[np.bool_]:
    """Which pairs are among the known ones."""
    nodes = np.unique(np.concatenate([a, b, known_a, known_b]))
    return is_in(pair_keys(nodes, a, b), np.unique(pair_keys(nodes, known_a, known_b)))


def clusters(subjects: Subjects, near: int) -> list[tuple[int, int]]:
    """The ranges that hold the subjects (sorted), cut wherever two neighbours are `near` or more apart."""
    if subjects.size == 0:
        return []
    cuts = np.flatnonzero(np.diff(subjects) >= near)
    lows = subjects[np.concatenate([[0], cuts + 1])]
    highs = subjects[np.concatenate([cuts, [subjects.size - 1]])]
    return list(zip(lows.tolist(), highs.tolist(), strict=True))
