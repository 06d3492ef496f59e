"""NPS, CSAT and CES against their published definitions, intervals against scipy and by their coverage."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rapport.surveys.rules import figures, themes

counts = st.dictionaries(st.integers(0, 10), st.integers(1, 500), min_size=1)


@given(counts)
def test_nps_is_promoters_less_detractors(by_score: dict[int, int]) -> None:
    """Reichheld (2003): 9 and 10 promote, 0 to 6 detract; the difference of their percentages."""
    found = figures.nps(by_score)
    answers = np.repeat(list(by_score), list(by_score.values()))
    expected = 100 * (np.mean(answers >= 9) - np.mean(answers <= 6))
    assert found is not None
    assert found.value == pytest.approx(expected)
    assert -100 <= found.low <= found.value <= found.high <= 100
    assert found.n == len(answers)


def test_the_interval_of_nps_nears_scipys_for_many_answers() -> None:
    by_score = {10: 40_000, 8: 30_000, 2: 30_000}
    found = figures.nps(by_score)
    answers = np.repeat([100.0, 0.0, -100.0], list(by_score.values()))
    low, high = stats.t.interval(0.95, len(answers) - 1, loc=answers.mean(), scale=stats.sem(answers))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize(("up", "down"), [(0.5, 0.2), (0.9, 0.05), (0.1, 0.1), (0.98, 0.01)])
@pytest.mark.parametrize("n", [10, 30])
def test_the_interval_of_nps_covers_what_it_promises(up: float, down: float, n: int) -> None:
    """Exact, over every possible sample: the interval holds the truth about 19 times in 20."""
    covered = 0.0
    for n_up, n_down in itertools.product(range(n + 1), repeat=2):
        if n_up + n_down > n:
            continue
        sample = {9: n_up, 0: n_down, 7: n - n_up - n_down}
        found = figures.nps({score: count for score, count in sample.items() if count})
        assert found is not None
        if found.low - 1e-9 <= 100 * (up - down) <= found.high + 1e-9:
            covered += stats.multinomial.pmf([n_up, n_down, sample[7]], n, [up, down, 1 - up - down])
    assert covered >= 0.93


def test_all_alike_is_no_certainty() -> None:
    found = figures.nps({10: 5})
    assert found is not None
    assert (found.value, found.high) == (100, 100)
    assert found.low < 60
    mean = figures.mean_of({7: 1}, low=1, high=7)
    assert mean is not None
    assert (mean.value, mean.low, mean.high) == (7, 1, 7)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_has_wilsons_interval(pair: tuple[int, int]) -> None:
    part, n = pair
    found = figures.share(part, n)
    expected = stats.binomtest(part, n).proportion_ci(method="wilson")
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_csat_counts_the_upper_two() -> None:
    found = figures.csat({1: 1, 3: 1, 4: 1, 5: 2})
    assert found is not None
    assert (found.value, found.n) == (0.6, 5)


@given(st.dictionaries(st.integers(1, 7), st.integers(1, 200), min_size=2))
def test_ces_is_a_mean_with_students_interval(by_score: dict[int, int]) -> None:
    found = figures.mean_of(by_score, low=1, high=7)
    answers = np.repeat(list(by_score), list(by_score.values())).astype(float)
    low, high = stats.t.interval(0.95, len(answers) - 1, loc=answers.mean(), scale=stats.sem(answers))
    assert found is not None
    assert found.value == pytest.approx(answers.mean())
    assert (found.low, found.high) == pytest.approx((max(1.0, low), min(7.0, high)))


def test_of_nobody_there_is_no_figure() -> None:
    assert figures.nps({}) is None
    assert figures.share(0, 0) is None
    assert figures.mean_of({}, low=1, high=7) is None


def test_a_standardised_difference_is_austins() -> None:
    es, de = figures.differences([("ES", 30, 400), ("DE", 70, 600)])
    assert es.standardised == pytest.approx((0.3 - 0.4) / math.sqrt((0.3 * 0.7 + 0.4 * 0.6) / 2))
    assert de.standardised == pytest.approx(-es.standardised)
    assert es.is_notable
    (alone,) = figures.differences([("ES", 3, 5)])
    assert alone.standardised == 0
    assert math.isinf(figures.differences([("ES", 3, 0), ("DE", 0, 5)])[0].standardised)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_log_odds_are_finite_signed_and_symmetric(n_a: int, n_b: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n_a)), data.draw(st.integers(0, n_b))
    z = themes.log_odds_z(a, n_a, b, n_b)
    assert math.isfinite(z)
    assert z == pytest.approx(-themes.log_odds_z(b, n_b, a, n_a))
    if n_a == n_b:
        assert (z > 0) == (a > b) or a == b


def test_a_word_that_always_stands_in_a_pair_is_shown_as_the_pair() -> None:
    counted = [
        themes.Counted("en", "brake", 20, 20, 0),
        themes.Counted("en", "brake pads", 20, 20, 0),
        themes.Counted("en", "late", 20, 20, 0),
        themes.Counted("en", "late again", 5, 5, 0),
        themes.Counted("en", "the", 60, 30, 30),
        themes.Counted("de", "spät", 20, 20, 0),
    ]
    found = themes.themes(counted, {"en": (40, 40), "de": (0, 0)})
    assert {t.phrase for t in found} == {"brake pads", "late"}
