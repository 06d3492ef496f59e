"""Lifts, words and movement, by figures one can check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rapport.personas import rules
from rapport.personas.rules import Lift, Profile


def profile(share: float, lifts: tuple[Lift, ...] = ()) -> Profile:
    return Profile(share, 0, 1, 0, 0.7, 0.8, lifts=lifts)


def test_a_lift_is_the_share_over_everybodys_and_its_interval_holds_it() -> None:
    found = rules.lift("bought", "oil", n=50, of=100, n_all=100, of_all=400)
    assert (found.share, found.everybody, found.lift) == (0.5, 0.25, 2.0)
    assert found.low < 2.0 < found.high
    assert found.low > 1
    assert found.is_sure
    few = rules.lift("bought", "oil", n=1, of=3, n_all=100, of_all=400)
    assert not few.is_sure
    assert few.weight == 0.0


def test_what_nobody_or_everybody_shows_has_no_weight() -> None:
    assert rules.lift("bought", "oil", 0, 100, 50, 400).weight == 0.0
    everybody = rules.lift("bought", "oil", 100, 100, 400, 400)
    assert everybody.lift == 1.0
    assert everybody.weight == 0.0
    only_they = rules.lift("bought", "oil", 100, 100, 100, 400)
    assert only_they.lift == 4.0


def test_what_lifts_most_comes_first_and_only_beyond_chance() -> None:
    lifts = (
        rules.lift("bought", "oil", 60, 100, 100, 400),
        rules.lift("bought", "wax", 26, 100, 100, 400),
        rules.lift("hours", "weekday evenings", 90, 100, 200, 400),
    )
    assert [one.name for one in profile(0.25, lifts).best()] == ["oil", "weekday evenings"]
    assert [one.name for one in profile(0.25, lifts).best(("hours",))] == ["weekday evenings"]


def test_a_word_is_distinctive_by_its_log_odds_and_rare_ones_are_drawn_to_everybodys() -> None:
    counts = np.array([[90.0, 10.0, 50.0, 1.0], [10.0, 90.0, 50.0, 0.0]])
    z = rules.distinctive(counts)
    assert z[0, 0] > 1.96
    assert z[1, 1] > 1.96
    assert z[0] == pytest.approx(-z[1])
    assert abs(z[0, 2]) < 0.1
    assert 0 < z[0, 3] < 1.96


def test_a_profile_survives_json() -> None:
    one = profile(0.3, (rules.lift("bought", "oil", 50, 100, 100, 400),))
    assert Profile.from_json(one.as_json()) == one


def test_a_small_move_is_not_told_and_a_large_one_is() -> None:
    assert not rules.moved(profile(0.21), 210, profile(0.20), 200).is_notable
    assert rules.moved(profile(0.30), 300, profile(0.20), 200).is_notable
    # As large, but of so few that it may be chance.
    assert not rules.moved(profile(0.30), 6, profile(0.20), 4).is_notable


def test_another_mix_of_goods_is_a_move_of_the_profile() -> None:
    oil, wax = rules.lift("bought", "oil", 50, 100, 100, 400), rules.lift("bought", "wax", 50, 100, 100, 400)
    assert rules.moved(profile(0.2, (oil,)), 20, profile(0.2, (wax,)), 20).profile == 1.0
    assert rules.moved(profile(0.2, (oil, wax)), 20, profile(0.2, (oil, wax)), 20).profile == 0.0
    assert rules.moved(profile(0.2, (oil, wax)), 20, profile(0.2, (oil,)), 20).profile == pytest.approx(0.5)


def test_wilsons_interval_stays_within_a_share() -> None:
    assert rules.share_interval(0, 0) == (0.0, 1.0)
    low, high = rules.share_interval(0, 50)
    assert low == 0.0
    assert 0 < high < 0.1
    assert rules.share_interval(50, 50)[1] == pytest.approx(1.0)
