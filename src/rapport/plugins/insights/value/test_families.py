"""The families against their published figures, against their own simulations, and where peers fail."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hyp2f1

from rapport.plugins.insights.value import spending
from rapport.plugins.insights.value.beta_geometric import BG_NBD, MBG_NBD
from rapport.plugins.insights.value.families import FAMILIES
from rapport.plugins.insights.value.fitting import Family, fit
from rapport.plugins.insights.value.histories import Ages, Floats, States, states
from rapport.plugins.insights.value.pareto_nbd import PARETO_NBD
from rapport.plugins.insights.value.rush import Rush

# Calibration of 39 weeks on the CDNOW sample. BG/NBD: Fader, Hardie and Lee 2005, table 2. Pareto/NBD: the same
# table. MBG/NBD: the R package BTYDplus (Platzer), which fits it as MBG/CNBD-k with k = 1. Gamma-Gamma: Fader and
# Hardie 2013.
PUBLISHED = {
    "bg_nbd": (0.243, 4.414, 0.793, 2.426),
    "mbg_nbd": (0.525, 6.183, 0.891, 1.614),
    "pareto_nbd": (0.553, 10.578, 0.606, 11.669),
}
LOG_LIKELIHOOD = {"bg_nbd": -9582.4, "pareto_nbd": -9595.0}
GAMMA_GAMMA = (6.25, 3.74, 15.44)


@pytest.fixture(params=sorted(FAMILIES))
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[str(request.param)]


def people(x: Any, last: Any, seen: Any) -> States:
    return States(
        np.asarray(x, np.float64), np.asarray(last, np.float64), np.asarray(seen, np.float64), np.ones(len(x))
    )


def cdnow(shared: Path) -> tuple[States, Floats, Floats]:
    """The sample's states in weeks at the end of week 39, and number and mean value of repeat purchases."""
    first: dict[str, int] = {}
    days: dict[str, dict[int, float]] = {}
    start = np.datetime64("1997-01-01")
    with (shared / "cdnow" / "CDNOW_sample.txt").open(encoding="ascii", newline="") as file:
        for _, customer, date, _, value in csv.reader(
            (" ".join(line.split()) for line in file), delimiter=" "
        ):
            day = int((np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}") - start).astype(int))
            if day < 273:
                bought = days.setdefault(customer, {})
                bought[day] = bought.get(day, 0.0) + float(value)
    first = {c: min(bought) for c, bought in days.items()}
    x = np.array([len(bought) - 1 for bought in days.values()], np.float64)
    last = np.array([max(bought) - first[c] for c, bought in days.items()]) / 7
    seen = np.array([272 - first[c] for c in days]) / 7
    repeats = [[v for d, v in bought.items() if d > first[c]] for c, bought in days.items()]
    n = np.array([len(r) for r in repeats if r], np.float64)
    mean = np.array([np.mean(r) for r in repeats if r])
    return states(x, last, seen), n, mean


@pytest.mark.shared
def test_the_published_parameters_come_out(shared: Path, family: Family) -> None:
    s, _, _ = cdnow(shared)
    assert s.n_people == 2357
    assert len(s) < 1100, "people who share a history are counted once"
    found = fit(family, s, prior=0.0)
    assert found.converged
    assert np.round(found.theta, 3) == pytest.approx(PUBLISHED[family.name], abs=0.0011)
    if family.name in LOG_LIKELIHOOD:
        assert found.log_likelihood == pytest.approx(LOG_LIKELIHOOD[family.name], abs=0.06)
    weak = fit(family, s)
    assert weak.theta == pytest.approx(found.theta, rel=0.003), "the prior moves nothing that matters"


@pytest.mark.shared
def test_the_published_prices_come_out(shared: Path) -> None:
    _, n, mean = cdnow(shared)
    assert len(n) == 946
    found = spending.fit(n, mean, prior=0.0)
    assert (found.p, found.q, found.v) == pytest.approx(GAMMA_GAMMA, abs=0.006)


def drawn(family: Family, theta: Floats, n: int, seed: int) -> tuple[States, Floats, Floats]:
    """People who live by a family, looked at after 20 to 52 weeks; what they buy in 26 more, and who is left."""
    rng = np.random.default_rng(seed)
    r, alpha, a, b = theta
    seen = np.round(rng.uniform(20, 52, n) * 7) / 7
    rate = rng.gamma(r, 1 / alpha, n)
    if family.name == "pareto_nbd":
        ends = rng.exponential(1 / np.maximum(rng.gamma(a, 1 / b, n), 1e-12))
    else:
        leaves = np.clip(rng.beta(a, b, n), 1e-9, 1.0)
        throws = rng.geometric(leaves) - (family.name == "mbg_nbd")
        # The time of the purchase after which the person is gone.
        ends = np.where(throws > 0, rng.gamma(np.maximum(throws, 1), 1 / rate), 0.0)
        ends = np.where(throws > 10_000, np.inf, ends)
    x = rng.poisson(rate * np.minimum(seen, ends)).astype(np.float64)
    last = np.zeros(n)
    after = np.zeros(n)
    if family.name == "pareto_nbd":
        span = np.minimum(seen, ends)
        last = np.where(x > 0, span * rng.beta(np.maximum(x, 1), 1), 0.0)
        after = rng.poisson(rate * np.maximum(np.minimum(ends, seen + 26) - seen, 0)).astype(np.float64)
    else:
        x, last, after = _by_gaps(rng, rate, throws, seen)
    return states(x, last, seen), after, np.stack([x, last, seen])


def _by_gaps(
    rng: np.random.Generator, rate: Floats, throws: Any, seen: Floats
) -> tuple[Floats, Floats, Floats]:
    """Purchase by purchase: how many before now, when the last was, and how many in 26 weeks more."""
    at, x, after = (np.zeros(len(rate)) for _ in range(3))
    last = np.zeros(len(rate))
    for k in range(1, 600):
        at = at + rng.exponential(1 / rate)
        there = throws >= k
        known, later = there & (at <= seen), there & (at > seen) & (at <= seen + 26)
        x, after = x + known, after + later
        last = np.where(known, at, last)
        if not (there & (at <= seen + 26)).any():
            break
    return x, last, after


def test_parameters_of_simulated_people_are_found_again(family: Family) -> None:
    theta = np.array(
        {
            "bg_nbd": (0.8, 6.0, 0.9, 3.0),
            "mbg_nbd": (0.8, 6.0, 0.9, 3.0),
            "pareto_nbd": (0.8, 6.0, 0.7, 12.0),
        }[family.name]
    )
    s, after, each = drawn(family, theta, 30_000, 5)
    found = fit(family, s)
    assert found.converged
    error = np.sqrt(np.diag(found.covariance))
    assert (np.abs(np.log(found.theta / theta)) < 4 * error).all(), (found.theta, error)
    assert error.max() < 0.2
    alone = people(*each)
    alive = family.alive(found.theta, alone)
    expected = alive * family.expected_if_alive(found.theta, alone, np.full(len(alone), 26.0))
    assert expected.sum() == pytest.approx(after.sum(), rel=0.03)
    for lo, hi in ((0.0, 0.4), (0.4, 0.8), (0.8, 1.01)):
        mine = (alive >= lo) & (alive < hi)
        if mine.sum() > 300:
            assert expected[mine].mean() == pytest.approx(after[mine].mean(), rel=0.12), (lo, hi)


def test_prices_of_simulated_people_are_found_again() -> None:
    rng = np.random.default_rng(3)
    p, q, v = 4.0, 3.0, 30.0
    n = rng.integers(1, 9, 20_000).astype(np.float64)
    mean = rng.gamma(p * n) / rng.gamma(q, 1 / v, len(n)) / n
    found = spending.fit(n, mean)
    assert (found.p, found.q, found.v) == pytest.approx((p, q, v), rel=0.05)
    nobody = found.expected(np.zeros(1), np.zeros(1))[0]
    assert nobody == pytest.approx(p * v / (q - 1), rel=0.05)
    many = found.expected(np.array([500.0]), np.array([99.0]))[0]
    assert many == pytest.approx(99, rel=0.02), "many own orders outweigh everybody else's"


def test_prices_where_there_is_little_are_finite() -> None:
    for n, mean in (([], []), ([1.0], [5.0]), ([1.0, 1.0], [7.0, 7.0]), ([3.0, 1.0], [1e15, 1e-2])):
        found = spending.fit(np.array(n), np.array(mean))
        assert np.isfinite([found.p, found.q, found.v]).all()
        assert found.q > 1
        assert np.isfinite(found.expected(np.array([0.0, 2.0]), np.array([0.0, 5.0]))).all()


histories = st.lists(
    st.tuples(st.integers(0, 300), st.floats(0, 1), st.floats(0.0, 500), st.floats(0.0, 2.0)),
    min_size=1,
    max_size=12,
)
parameters = st.tuples(*[st.floats(-4, 4).map(np.exp)] * 4)


def given_people(rows: list[tuple[int, float, float, float]]) -> States:
    x, share, seen, _ = (np.array(c, np.float64) for c in zip(*rows, strict=True))
    return States(x, np.where(x > 0, share * seen, 0.0), seen, np.ones(len(x)))


@settings(max_examples=60, deadline=None)
@given(histories, parameters, st.sampled_from(sorted(FAMILIES)))
def test_anything_gives_finite_figures_in_their_range(rows: Any, theta: Any, name: str) -> None:
    family, s, at = FAMILIES[name], given_people(rows), np.array(theta)
    found = family.log_likelihood(at, s)
    assert np.isfinite(found.value)
    assert np.isfinite(found.gradient).all()
    alive = family.alive(at, s)
    assert ((alive >= 0) & (alive <= 1)).all()
    ahead = np.array([row[3] for row in rows]) * 100
    expected = family.expected_if_alive(at, s, ahead)
    rate = (at[0] + s.n_repeats) / (at[1] + s.seen)
    assert (expected >= 0).all()
    assert (expected <= rate * ahead * (1 + 1e-6) + 1e-9).all(), "leaving takes purchases away, and adds none"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(histories, parameters, st.sampled_from(sorted(FAMILIES)))
def test_the_gradient_is_that_of_the_likelihood(rows: Any, theta: Any, name: str) -> None:
    family, s, at = FAMILIES[name], given_people(rows), np.log(np.array(theta))
    said = family.log_likelihood(np.exp(at), s).gradient
    step = 1e-5
    seen = [
        (
            family.log_likelihood(np.exp(at + step * e), s).value
            - family.log_likelihood(np.exp(at - step * e), s).value
        )
        / (2 * step)
        for e in np.eye(4)
    ]
    assert said == pytest.approx(np.array(seen), rel=1e-3, abs=1e-2)


def test_the_rush_has_its_gradient_too(family: Family) -> None:
    from rapport.plugins.insights.value.fitting import _loss

    s = people([0, 1, 4, 30], [0, 10, 200, 260], [300, 250, 210, 273])
    ages = Ages(np.array([10.0, 60.0, 200.0]), np.array([5.0, 2.0, 9.0]), 40.0)
    at = np.append(np.log(family.starts(s)[0]), np.log([0.5, 30.0]))
    loss = _loss(family, s, ages, np.zeros(6), np.ones(6), 1.0)
    seen = [(loss(at + e)[0] - loss(at - e)[0]) / 2e-5 for e in 1e-5 * np.eye(6)]
    assert loss(at)[1] == pytest.approx(np.array(seen), rel=1e-5, abs=1e-6)


def test_a_rush_is_found_where_there_is_one_and_not_where_there_is_none() -> None:
    rng = np.random.default_rng(2)
    n, days = 6_000, 365.0
    for truth in (Rush(), Rush(2.0, 30.0)):
        rate = rng.gamma(1.2, 1 / 120, n)
        most = truth.age(np.array([days]))[0]
        number = rng.poisson(rate * most)
        clock = rng.random(number.sum()) * most
        grid = np.linspace(0, days, 4000)
        day = np.round(np.interp(clock, truth.age(grid), grid)).clip(1)
        person = np.repeat(np.arange(n), number)
        last = np.zeros(n)
        np.maximum.at(last, person, day)
        age, weight = np.unique(day, return_counts=True)
        found = fit(
            MBG_NBD,
            states(number, last, np.full(n, days)),
            Ages(age, weight.astype(np.float64), 60.0),
        ).rush
        head_start = found.age(np.array([days]))[0] - days
        assert head_start == pytest.approx(most - days, abs=8.0), (truth, found)


def test_expectations_are_those_of_the_printed_formulas() -> None:
    r, alpha, a, b = PUBLISHED["bg_nbd"]
    s = people([0, 1, 2, 10, 26], [0, 20, 30.43, 38, 30.9], [38.9] * 5)
    t, x, seen = 39.0, s.n_repeats, s.seen
    ratio = (alpha + seen) / (alpha + seen + t)
    z = t / (alpha + seen + t)
    printed = (a + b + x - 1) / (a - 1) * (1 - ratio ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z))
    assert BG_NBD.expected_if_alive(np.array([r, alpha, a, b]), s, np.full(5, t)) == pytest.approx(printed)
    printed = (a + b + x) / (a - 1) * (1 - ratio ** (r + x) * hyp2f1(r + x, b + x + 1, a + b + x, z))
    assert MBG_NBD.expected_if_alive(np.array([r, alpha, a, b]), s, np.full(5, t)) == pytest.approx(printed)
    r, alpha, shape, beta = PUBLISHED["pareto_nbd"]
    printed = (
        (r + x) * (beta + seen) / ((alpha + seen) * (shape - 1))
        * (1 - ((beta + seen) / (beta + seen + t)) ** (shape - 1))
    )  # fmt: skip
    found = PARETO_NBD.expected_if_alive(np.array([r, alpha, shape, beta]), s, np.full(5, t))
    assert found == pytest.approx(printed)


def test_the_moment_of_leaving_is_integrated_as_by_adaptive_steps() -> None:
    for theta, digits in (
        (PUBLISHED["pareto_nbd"], 1e-6),
        ((0.3, 200.0, 0.01, 3.0), 1e-4),
        ((3.0, 2.0, 5.0, 400.0), 1e-4),
    ):
        for x, last, seen in ((0, 0, 38.9), (3, 30, 38.9), (220, 300, 373), (1, 0.1, 500)):
            r, alpha, shape, beta = theta
            k = r + x

            def density(u: float, k: float = k, theta: Any = theta, last: float = last) -> float:
                _, alpha, shape, beta = theta
                start = -k * np.log(alpha + last)
                return float(
                    np.exp(
                        np.log(shape) + shape * np.log(beta) - (shape + 1) * np.log(beta + u)
                        - k * np.log(alpha + u) - start
                    )
                )  # fmt: skip

            left = quad(density, last, seen, epsabs=0, epsrel=1e-11, limit=400)[0]
            stays = np.exp(
                -k * np.log((alpha + seen) / (alpha + last)) + shape * np.log(beta / (beta + seen))
            )
            found = PARETO_NBD.alive(np.array(theta), people([x], [last], [seen]))[0]
            assert found == pytest.approx(stays / (stays + left), rel=digits), (theta, x)


def test_it_converges_where_nobody_is_seen_to_leave(family: Family) -> None:
    """As in shops with regulars only: plain maximum likelihood runs off to an infinite b or beta there."""
    rng = np.random.default_rng(4)
    seen = rng.uniform(50, 300, 800)
    rate = rng.gamma(0.7, 1 / 60, 800)
    x = rng.poisson(rate * seen)
    last = np.where(x > 0, seen * rng.beta(np.maximum(x, 1), 1), 0.0)
    s = states(x, last, seen)
    found = fit(family, s)
    assert found.converged
    assert np.isfinite(found.covariance).all()
    assert np.median(family.alive(found.theta, s)[s.n_repeats > 2]) > 0.9


@pytest.mark.parametrize(
    ("x", "last", "seen"),
    [
        ([0], [0], [0]),
        ([0, 0], [0, 0], [5, 9]),
        ([1], [3], [3]),
        ([400], [365], [365]),
        ([2] * 50, [9] * 50, [90] * 50),
    ],
)
def test_it_converges_on_next_to_nothing(family: Family, x: Any, last: Any, seen: Any) -> None:
    s = people(x, last, seen)
    found = fit(family, s)
    assert np.isfinite(found.theta).all()
    assert np.isfinite(family.expected_if_alive(found.theta, s, np.full(len(s), 90.0))).all()


def test_draws_have_the_mean_that_is_expected(family: Family) -> None:
    theta = np.array(PUBLISHED[family.name])
    rng = np.random.default_rng(8)
    for x, seen, ahead in ((0.0, 38.9, 39.0), (3.0, 20.0, 10.0), (40.0, 300.0, 100.0)):
        n, share = family.draw_if_alive(
            np.tile(theta, (200_000, 1)), rng, x, np.array([seen]), np.array([ahead])
        )
        s = people([x], [seen / 2], [seen])
        expected = family.expected_if_alive(theta, s, np.array([ahead]))[0]
        assert n.mean() == pytest.approx(expected, rel=0.03)
        assert ((share > 0) & (share <= 1)).all()
