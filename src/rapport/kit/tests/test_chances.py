"""Figures of how good chances were, against plain counting and against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import chances


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_auc_is_the_share_of_pairs_ranked_right(rows: list[tuple[int, bool]]) -> None:
    values, positive = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    if positive.all() or not positive.any():
        return
    pairs = [(a > b) + (a == b) / 2 for a in values[positive] for b in values[~positive]]
    found = chances.auc(values, positive)
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.low <= found.value <= found.high


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(200):
        chance = rng.beta(2, 2, 400)
        seen = (rng.random(400) < chance) * 1.0
        slope, brier = chances.slope(chance, seen), chances.brier(chance, seen)
        # E[(p - y)^2] = E[p (1 - p)] = 1/5 for p of Beta(2, 2)
        held.append((slope.low <= 1 <= slope.high, brier.low <= 0.2 <= brier.high))
    assert (np.mean(held, axis=0) > 0.89).all()
    assert (np.mean(held, axis=0) < 0.99).all()


def test_toward_which_side_a_slope_is_better() -> None:
    assert chances.higher_is_better(0.95, 0.7)
    assert not chances.higher_is_better(1.05, 1.4)
    assert not chances.higher_is_better(1.5, 0.9), "further from 1: higher is not better here"
    assert chances.higher_is_better(0.5, 0.9), "and lower is not either"


def test_the_tenth_with_most_at_stake() -> None:
    lost = np.array([0.0] * 15 + [1.0] * 3 + [10.0, 5.0])
    found = chances.held_by_top(lost, np.arange(20.0))
    assert found.value == pytest.approx(15 / 18)
    assert 0 < found.low < found.value < found.high <= 1
