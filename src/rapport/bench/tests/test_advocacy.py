"""Figures of the bench on made-up truths; and, in a small market, that a ring moves next to nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from rapport.bench import advocacy
from rapport.kit import clock

END = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def test_a_standing_that_is_the_truth_is_perfect_and_covered() -> None:
    true = np.array([-0.5, 0.0, 0.5, 0.9])
    found = {j.name: j for j in advocacy.of_standing(true, (true, true - 0.1, true + 0.1), -true, 0.8)}
    assert found["standing, correlation with the truth"].ours == pytest.approx(1.0)
    assert found["standing, correlation with the truth"].peer == pytest.approx(-1.0)
    assert found["standing, root mean square error"].ours == 0.0
    assert found["standing, truth within the interval"].ours == 1.0
    missed = advocacy.of_standing(true, (true, true + 0.1, true + 0.2), true, 0.8)[2]
    assert missed.ours == 0.0


def test_levels_are_judged_beside_the_rule() -> None:
    true = np.array([2] + [1] * 9 + [0] * 90)
    n = np.array([50] + [5] * 9 + [0] * 90, np.float64)
    (perfect,) = advocacy.of_levels(true, true, n)
    assert (perfect.ours, perfect.peer) == (1.0, 1.0)
    (blind,) = advocacy.of_levels(true, np.zeros(100, np.int64), n)
    assert blind.ours < 0.4


def test_rings_are_judged_by_who_is_out() -> None:
    bad = np.array([True, True, False, False])
    (found,) = advocacy.of_rings(bad, np.array([True, False, False, False]), np.ones(4, np.bool_))
    assert found.ours == pytest.approx(2 / 3)
    assert found.note == "1 of 2 left out, and 0 of 2 others"


def test_correlation_of_what_does_not_vary_is_none() -> None:
    assert advocacy.correlation(np.ones(5), np.arange(5.0)) == 0.0


@pytest.mark.usefixtures("db")
def test_twenty_in_concert_move_under_a_twentieth_of_what_twenty_honest_ones_do(home: Path) -> None:
    """Recorded, loaded, identified, read, judged: in one market of 250 people, one after the other."""
    from rapport.demo import consenting, market

    with clock.frozen(END):
        consenting.write_wordings()
        made = market.load(250, 4, end=END, events_scale=0.6)
        advocacy._read(made.last_seq)
        (moved,) = advocacy._pushed(market.market(250, 4, END), 4, END)
    assert moved.peer > 0.01, "twenty honest accounts are heard"
    assert moved.ours < 0.05 * moved.peer, moved.note
