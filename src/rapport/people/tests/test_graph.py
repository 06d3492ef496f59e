"""Components, renumbering and fingerprints against the simplest program that could be right."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rapport.people.rules import graph

numbers = st.integers(min_value=1, max_value=2**62)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int]]]:
    nodes = sorted(draw(st.sets(numbers, max_size=25)))
    if not nodes:
        return [], []
    ends = st.sampled_from(nodes)
    return nodes, draw(st.lists(st.tuples(ends, ends), max_size=30))


def naive(nodes: list[int], edges: list[tuple[int, int]]) -> dict[int, int]:
    """Union-find by relabelling everything for each edge."""
    label = {n: n for n in nodes}
    for a, b in edges:
        small, large = sorted((label[a], label[b]))
        label = {n: small if of == large else of for n, of in label.items()}
    return label


def ends(edges: list[tuple[int, int]]) -> tuple[graph.Subjects, graph.Subjects]:
    return graph.as_subjects([a for a, _ in edges]), graph.as_subjects([b for _, b in edges])


@given(graphs())
def test_components_equal_the_naive_reference(drawn: tuple[list[int], list[tuple[int, int]]]) -> None:
    nodes, edges = drawn
    found = graph.components(graph.as_subjects(nodes), *ends(edges))
    assert dict(zip(nodes, found.tolist(), strict=True)) == naive(nodes, edges)


@given(graphs(), st.integers(min_value=0, max_value=30))
def test_joining_step_by_step_equals_joining_at_once(
    drawn: tuple[list[int], list[tuple[int, int]]], cut: int
) -> None:
    nodes, edges = drawn
    person = graph.components(graph.as_subjects(nodes), *ends(edges[:cut]))
    left, right = ends(edges[cut:])
    at = graph.as_subjects(nodes)
    old, new = graph.joined(person[np.searchsorted(at, left)], person[np.searchsorted(at, right)])
    after = graph.renumbered(person, old, new)
    assert dict(zip(nodes, after.tolist(), strict=True)) == naive(nodes, edges)
    assert not np.isin(new, old).any()  # so that the renumbering may be done in any order


@given(st.data())
def test_a_fingerprint_is_of_the_set_and_not_of_its_order(data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(st.integers(1, 5), numbers), unique_by=lambda t: t[1], max_size=20))
    shuffled = data.draw(st.permutations(rows))
    first = graph.fingerprints(*(graph.as_subjects([r[i] for r in rows]) for i in (0, 1)))
    second = graph.fingerprints(*(graph.as_subjects([r[i] for r in shuffled]) for i in (0, 1)))
    for one, other in zip(first, second, strict=True):
        assert one.tolist() == other.tolist()
    sizes = {p: sum(1 for q, _ in rows if q == p) for p, _ in rows}
    assert dict(zip(first[0].tolist(), first[2].tolist(), strict=True)) == sizes


@given(st.sets(numbers, min_size=1, max_size=12), st.sets(numbers, min_size=1, max_size=12))
def test_different_sets_have_different_fingerprints(one: set[int], other: set[int]) -> None:
    both = [
        graph.fingerprints(np.zeros(len(s), np.int64), graph.as_subjects(sorted(s)))[1][0]
        for s in (one, other)
    ]
    assert (both[0] == both[1]) == (one == other)


@given(graphs(), graphs())
def test_pairs_are_found_among_known_ones(
    some: tuple[list[int], list[tuple[int, int]]], known: tuple[list[int], list[tuple[int, int]]]
) -> None:
    pairs, others = some[1], known[1] + some[1][::2]
    found = graph.pairs_in(*ends(pairs), *ends(others))
    assert found.tolist() == [pair in set(others) for pair in pairs]


@given(st.sets(st.integers(1, 500), max_size=30), st.integers(1, 60))
def test_clusters_hold_every_subject_and_are_far_apart(drawn: set[int], near: int) -> None:
    found = graph.clusters(graph.as_subjects(sorted(drawn)), near)
    assert all(any(low <= n <= high for low, high in found) for n in drawn)
    assert {n for pair in found for n in pair} <= drawn
    for (_, high), (low, _) in itertools.pairwise(found):
        assert low - high >= near
    for low, high in found:
        inside = sorted(n for n in drawn if low <= n <= high)
        assert all(b - a < near for a, b in itertools.pairwise(inside))
