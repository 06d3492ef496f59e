from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from rapport.insights.contract import Context
from rapport.plugins.insights.participation import rates, travel
from rapport.plugins.insights.participation.places import Places, read
from rapport.plugins.insights.participation.plugin import plugin

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
CONTEXT = Context(NOW, parameters=dict(plugin.parameters))


def drawn(n: int, seed: int = 1) -> tuple[Places, np.ndarray]:
    """People of three known kinds, each posting at a rate of their own."""
    rng = np.random.default_rng(seed)
    level = rng.choice(3, n, p=[0.8, 0.16, 0.04])
    per_week = np.array([0.01, 0.15, 1.2])[level] * rng.gamma(3, 1 / 3, n)
    posts = rng.poisson(per_week * 52).astype(np.float64)
    none = np.zeros(n)
    network = np.full(n, "bluesky", object)
    return Places(n, np.arange(n), network, np.full(n, 52.0), posts, none, none, none, none), level


def place(**given: object) -> dict[str, object]:
    usual = {
        "network": "bluesky",
        "weeks": 52.0,
        "n": 0,
        "n_next": 0,
        "n_reach": 0,
        "log_reach": 0.0,
        "n_replies": 0,
    }
    return usual | given


def test_levels_are_found_again_better_than_by_the_rule() -> None:
    seen, level = drawn(3000)
    found = rates.rates(rates.learn(seen), seen)
    ours = (found.level == level).mean()
    assert ours > 0.9
    assert ours > (rates.by_rule(seen.n) == level).mean()


def test_rates_lie_within_their_interval_and_the_more_posts_the_higher() -> None:
    seen, _level = drawn(1000)
    found = rates.rates(rates.learn(seen), seen)
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    order = np.argsort(seen.n, kind="stable")
    assert (np.diff(found.value[order]) >= -1e-12).all()


def test_one_post_in_a_first_week_makes_no_leader() -> None:
    rows = [{"person": k, "places": [place(weeks=1.0, n=int(k == 0))]} for k in range(20)]
    scored = plugin.score(
        plugin.fit(pa.Table.from_pylist(rows), CONTEXT), pa.Table.from_pylist(rows), CONTEXT
    )
    first = next(r for r in scored.to_pylist() if r["person"] == 0 and r["name"] == "participation")
    assert first["label"] != "leader"
    assert first["value"] < 1.0


def test_reach_and_volume_are_apart() -> None:
    """Few posts that thousands read travel far; many that nobody reads do not."""
    often = place(n=100, n_reach=100, log_reach=100 * np.log(11), n_replies=2)
    seldom = place(n=4, n_reach=4, log_reach=4 * np.log(5001), n_replies=12)
    rows = [{"person": 1, "places": [often]}, {"person": 2, "places": [seldom]}]
    rows += [
        {"person": k, "places": [place(n=3, n_reach=3, log_reach=3 * np.log(51), n_replies=1)]}
        for k in range(3, 40)
    ]
    table = pa.Table.from_pylist(rows)
    said = {
        (r["person"], r["name"]): r["value"]
        for r in plugin.score(plugin.fit(table, CONTEXT), table, CONTEXT).to_pylist()
    }
    assert said[1, "participation"] > said[2, "participation"]
    assert said[2, "influence"] > 3
    assert said[1, "influence"] < 1


def test_who_never_posted_has_no_influence() -> None:
    seen = read(pa.Table.from_pylist([{"person": 1, "places": [place()]}]))
    assert not travel.travel(travel.learn(seen), seen).known.any()


def test_a_network_that_tells_of_a_faith_has_no_score_of_its_own() -> None:
    table = pa.Table.from_pylist(
        [{"person": 1, "places": [place(network="catholic_forum", n=9), place(n=1)]}]
    )
    names = set(plugin.score(plugin.fit(table, CONTEXT), table, CONTEXT).column("name").to_pylist())
    assert names == {"participation", "participation:bluesky", "influence"}
