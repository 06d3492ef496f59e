"""The season, the trials on the past, and what groups say."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from rapport.plugins.insights.value import choosing, groups, season
from rapport.plugins.insights.value.beta_geometric import MBG_NBD
from rapport.plugins.insights.value.buying import Shape, learn
from rapport.plugins.insights.value.histories import Log, Spans
from rapport.plugins.insights.value.reading import Buyers

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
TODAY = int(NOW.timestamp() // 86_400)


def test_a_country_that_orders_more_is_heeded_where_it_is_not_chance() -> None:
    n = 2_000
    rng = np.random.default_rng(7)
    nobody = np.zeros(0, np.int64)
    people = Buyers(
        Log(n, nobody, nobody, np.zeros(0)),
        Spans(nobody, nobody, nobody, nobody),
        np.repeat("EUR", n),
        np.zeros(n),
        np.ones(n),
        np.ones(n),
        rng.gamma(4.0, 1_000.0, n),
        np.where(np.arange(n) // 2 % 2 == 1, "AT", "DE"),
        np.repeat("web", n),
    )
    expected = rng.gamma(1.0, 1.0, len(people)) + 0.01
    shape = Shape(MBG_NBD.name, has_rush=False, has_season=False)
    for more, kinds in ((1.5, ["country"]), (1.0, [])):
        bought = rng.poisson(expected * np.where(people.country == "AT", more, 1.0)).astype(np.float64)
        trial = choosing.Trial(shape, 1.0, 1.0, 3, np.zeros(len(people)), bought, expected)
        found = groups.factors(trial, people, groups.fifths(people), 1)
        assert [f.kind for f in found] == kinds
        for f in found:
            assert f.by_group["AT"] / f.by_group["DE"] == pytest.approx(more, rel=0.1)
            assert (f.of(people.country) * expected).sum() == pytest.approx(expected.sum(), rel=0.01)
            assert f.of(np.array(["FR"])).tolist() == [1.0], "of a country never seen nothing is said"


def seasonal(n: int, days: int, height: float, seed: int) -> Log:
    """Regulars whose rate follows a yearly wave that peaks at the turn of the year."""
    rng = np.random.default_rng(seed)
    day = np.arange(TODAY - days, TODAY)
    wave = np.exp(height * np.cos(2 * np.pi * day / season.YEAR_DAYS))
    wave /= wave.mean()
    passed = np.concatenate([[0.0], np.cumsum(wave)])
    person, at = [], []
    for i in range(n):
        first = int(rng.integers(0, days // 2))
        left = passed[-1] - passed[first]
        k = rng.poisson(rng.gamma(1.5, 1 / 60) * left)
        drawn = np.interp(passed[first] + rng.random(k) * left, passed, np.arange(days + 1.0))
        days_of_person = np.unique(np.append(np.floor(drawn).astype(int), first))
        person.append(np.full(len(days_of_person), i))
        at.append(days_of_person + TODAY - days)
    log_day = np.concatenate(at)
    return Log(n, np.concatenate(person), log_day, np.full(len(log_day), 100.0))


def test_a_season_is_found_where_there_is_one_and_not_where_there_is_none() -> None:
    for height in (0.6, 0.0):
        log = seasonal(1_500, 760, height, 4)
        plain = learn(Shape(MBG_NBD.name, has_rush=False, has_season=False), log, TODAY)
        clock = season.clock(MBG_NBD, plain.theta, log, TODAY)
        at = np.arange(TODAY, TODAY + 365)
        truth = np.exp(height * np.cos(2 * np.pi * at / season.YEAR_DAYS))
        truth /= truth.mean()
        assert np.abs(clock.speed(at) - truth).max() < 0.25
        assert clock.speed(at).mean() == pytest.approx(1, abs=0.01)
        passed = np.diff(clock.at(np.array([TODAY, TODAY + 365])))[0]
        assert passed == pytest.approx(365, rel=0.01)


def test_a_season_is_used_once_more_than_a_year_was_known_at_a_trial() -> None:
    best = choosing.choose(seasonal(1_500, 760, 0.6, 4), TODAY, 90)[0]
    assert best.shape.has_season
    short = seasonal(1_500, 370, 0.6, 4)
    assert not any(t.shape.has_season for t in choosing.choose(short, TODAY, 90))
    assert season.clock(MBG_NBD, np.array([1.0, 60.0, 0.1, 9.0]), short, TODAY).height == ()


def test_trials_know_only_what_was_known_then() -> None:
    log = seasonal(800, 500, 0.0, 6)
    for moment in choosing.moments(log, TODAY, 90):
        assert moment.known.day.max() < moment.day
        assert moment.day + moment.horizon_days <= TODAY
    best, *others = choosing.choose(log, TODAY, 90)
    assert [t.deviance for t in others] == sorted(t.deviance for t in others)
    assert best.shape.has_season or best.deviance <= others[0].deviance
