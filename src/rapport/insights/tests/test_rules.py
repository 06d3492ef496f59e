"""Spans of annotated events, cuts of a back-test, how values lie."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.insights import rules
from rapport.insights.rules import BINS, Distribution, Span, backtest_cut, distribution, drift
from rapport.kit.errors import Invalid

DAY = dt.timedelta(days=1)
FIRST = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def test_stretches_in_order_make_one_span() -> None:
    span = Span()
    for stretch in ((1, 100), (101, 150), (151, 151)):
        assert span.missing_in(*stretch) == stretch
        span = span.with_stretch(*stretch)
    assert span == Span(151)
    assert span.gap_up_to(151) is None
    assert span.gap_up_to(160) == (152, 160)


def test_a_stretch_given_again_is_left_alone() -> None:
    assert Span(100).missing_in(51, 100) is None
    assert Span(100).missing_in(51, 120) == (101, 120)
    assert Span(10, 50, 80).missing_in(50, 80) is None
    assert Span(10, 50, 80).missing_in(60, 90) == (81, 90)


def test_texts_that_arrive_before_old_ones_are_caught_up_with() -> None:
    span = Span().with_stretch(1_001, 1_100).with_stretch(1_101, 1_200)
    assert span == Span(0, 1_001, 1_200)
    assert span.gap_up_to(1_200) == (1, 1_000)
    span = span.with_stretch(1, 400)
    assert span == Span(400, 1_001, 1_200)
    assert span.with_stretch(401, 1_000) == Span(1_200)


def test_after_a_hole_the_newest_stretch_is_kept() -> None:
    assert Span(10, 50, 80).with_stretch(100, 120) == Span(10, 100, 120)


stretches = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 20)).map(lambda p: (p[0], p[0] + p[1])), max_size=12
)


@given(stretches)
def test_a_span_never_claims_what_nobody_annotated_and_catching_up_ends(found: list[tuple[int, int]]) -> None:
    span, done = Span(), set[int]()
    for stretch in found:
        missing = span.missing_in(*stretch)
        if missing:
            done |= set(range(missing[0], missing[1] + 1))
            span = span.with_stretch(*missing)
        claimed = set(range(1, span.done + 1))
        if span.live_from is not None and span.live_to is not None:
            assert span.live_from > span.done + 1
            claimed |= set(range(span.live_from, span.live_to + 1))
        assert claimed <= done
    for _ in range(3):
        gap = span.gap_up_to(90)
        if gap is None:
            break
        assert gap[0] == span.done + 1
        span = span.with_stretch(*gap)
    assert span.gap_up_to(90) is None


def test_a_backtest_is_cut_a_horizon_before_the_end() -> None:
    cut = backtest_cut(FIRST, FIRST + 400 * DAY)
    assert (cut.at, cut.horizon_days) == (FIRST + 310 * DAY, 90)


@pytest.mark.parametrize(("days", "horizon"), [(0, 1), (1, 1), (30, 10), (269, 89), (270, 90)])
def test_a_short_log_is_judged_on_its_last_third(days: int, horizon: int) -> None:
    cut = backtest_cut(FIRST, FIRST + days * DAY)
    assert cut.horizon_days == horizon
    assert cut.at == FIRST + (days - horizon) * DAY


def test_few_distinct_values_get_a_bin_each() -> None:
    found = distribution(np.array([3.0, 3.0, 9.0]), "points", {"lost": 1, "loyal": 2})
    assert [(b.low, b.n) for b in found.bins] == [(3.0, 2), (9.0, 1)]
    assert list(found.labels) == ["loyal", "lost"]
    assert found.quantiles["0.5"] == 3.0


def test_tails_are_gathered_in_the_outer_bins() -> None:
    values = np.concatenate([np.linspace(0, 100, 1_001), [1e9]])
    found = distribution(values, "minor EUR", {})
    assert len(found.bins) == BINS
    assert sum(b.n for b in found.bins) == found.n == 1_002
    assert found.bins[-1].high < 101


def test_values_that_are_nearly_all_one_still_spread_over_bins() -> None:
    values = np.concatenate([np.zeros(10_000), np.arange(1, 30)])
    found = distribution(values, "days", {})
    assert sum(b.n for b in found.bins) == len(values)
    assert found.bins[0].low == 0
    assert found.bins[-1].high == 29


def test_a_distribution_survives_json() -> None:
    found = distribution(np.arange(100.0), "days", {"": 100})
    assert Distribution.from_json(found.as_json()) == found
    assert distribution(np.zeros(0), "days", {}).bins == ()


def test_labels_are_the_most_frequent_first_in_whatever_order_they_were_kept() -> None:
    found = distribution(np.ones(9), "points", {"rare": 2, "often": 7})
    kept = found.as_json()
    kept["labels"] = dict(reversed(kept["labels"].items()))
    assert list(Distribution.from_json(kept).labels) == ["often", "rare"]


def test_drift_is_nought_for_the_same_people_and_large_for_others() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=5_000)
    before = distribution(values, "points", {})
    assert drift(before, values) == pytest.approx(0, abs=1e-9)
    again, moved = drift(before, rng.normal(size=5_000)), drift(before, rng.normal(1, size=5_000))
    assert again is not None
    assert moved is not None
    assert again < 0.02
    assert moved > 0.25
    assert drift(before, np.zeros(0)) is None
    assert drift(distribution(np.zeros(0), "points", {}), values) is None


def test_drift_of_a_small_case() -> None:
    before = distribution(np.array([1.0, 1.0, 2.0, 2.0]), "points", {})
    # From halves to a quarter and three quarters.
    expected = (0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5)
    assert drift(before, np.array([1.0, 2.0, 2.0, 2.0])) == pytest.approx(expected)


@dataclass(frozen=True)
class Named:
    name: str
    after: tuple[str, ...] = ()


def test_models_run_after_those_whose_scores_they_read_and_otherwise_as_named() -> None:
    a, b, c = Named("a", ("c", "elsewhere")), Named("b"), Named("c", ("b",))
    assert rules.in_order([a, b, c]) == [b, c, a]
    assert rules.in_order([b, a]) == [b, a], "a model that does not run now is waited for by nobody"
    with pytest.raises(Invalid, match="a, b wait for each other"):
        rules.in_order([Named("a", ("b",)), Named("b", ("a",))])
