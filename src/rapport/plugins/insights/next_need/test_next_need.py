"""When it happens again, what it will be, and what the query counts."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.kit import query
from rapport.plugins.insights.next_need import choosing, learned, reading, timing
from rapport.plugins.insights.next_need.plugin import plugin
from rapport.plugins.insights.next_need.reading import Bought, Days

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
CONTEXT = Context(now=NOW, seed=3, parameters=dict(plugin.parameters))
ANA, BO, CHI = 8, 16, 24

EVENT = pa.schema(
    [
        ("subject", pa.int64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("name", pa.string()),
        ("properties", pa.string()),
    ]
)
SHAPE = pa.schema(
    [
        ("person", pa.int64()),
        ("order_days_ago", pa.list_(pa.float64())),
        ("line", pa.list_(reading.LINE)),
        ("next_days", pa.float64()),
        ("next_category", pa.list_(pa.string())),
    ]
)


def order(person: int, days_ago: float, *items: tuple[str, str]) -> dict[str, Any]:
    lines = [{"product_code": code, "category": category} for code, category in items]
    return {
        "subject": person,
        "ts": NOW - dt.timedelta(days=days_ago),
        "name": "order_placed",
        "properties": json.dumps({"items": lines}),
    }


def table(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the query yields for these events; everybody is one subject."""
    people = sorted({e["subject"] for e in events})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("given", pa.Table.from_pylist(events, schema=EVENT))
        con.execute("CREATE TABLE event AS SELECT * REPLACE (properties::JSON AS properties) FROM given")
        con.register("identity", pa.table({"subject": people, "person": people, "core": people}))
        asked = {"now": NOW, "horizon_days": 90}
        found: list[dict[str, Any]] = query.run(con, plugin.needs, asked).to_arrow_table().to_pylist()
    return found


def given(
    histories: list[list[tuple[float, str]]], coming: dict[int, tuple[float, list[str]]] | None = None
) -> pa.Table:
    """Rows as the query gives them, from histories of (days ago, category)."""
    coming = coming or {}
    return pa.Table.from_pylist(
        [
            {
                "person": 8 * k + 8,
                "order_days_ago": sorted({d for d, _ in history}),
                "line": [{"category": c, "days_ago": d} for d, c in history if c],
                "next_days": coming[k][0] if k in coming else None,
                "next_category": coming[k][1] if k in coming else [],
            }
            for k, history in enumerate(histories)
        ],
        schema=SHAPE,
    )


def said(rows: pa.Table, learnt_from: pa.Table | None = None) -> dict[tuple[int, str], dict[str, Any]]:
    learnt = plugin.fit(rows if learnt_from is None else learnt_from, CONTEXT)
    found = plugin.score(learnt, rows, CONTEXT).to_pylist()
    return {(row["person"] // 8 - 1, row["name"]): row for row in found}


def regulars(n: int = 200, seed: int = 1) -> list[list[tuple[float, str]]]:
    """Half order every 20 days or so and half every 60; each mostly one of four categories."""
    rng = np.random.default_rng(seed)
    histories = []
    for k in range(n):
        pause = 20.0 if k % 2 else 60.0
        days = (
            rng.uniform(0, 0.7 * pause) + np.r_[0, np.cumsum(pause * rng.uniform(0.8, 1.2, int(600 / pause)))]
        )
        mine = rng.random(len(days)) < 0.8
        histories.append(
            [(float(d), f"c{k % 4}" if m else f"c{rng.integers(4)}") for d, m in zip(days, mine, strict=True)]
        )
    return histories


def test_the_query_keeps_what_came_then_apart_from_what_is_known() -> None:
    ana, bo = table(
        [
            order(ANA, 40, ("A1", "oil"), ("A2", "oil")),
            order(ANA, 10, ("B1", "wipers")),
            order(ANA, -5, ("C1", "tyres"), ("A1", "oil")),
            order(ANA, -6, ("D1", "mats")),
            order(BO, 30),
            order(BO, -95, ("A1", "oil")),
            order(CHI, -1, ("A1", "oil")),
        ]
    )
    assert sorted(ana["order_days_ago"]) == [10, 40]
    assert sorted((x["category"], x["days_ago"]) for x in ana["line"]) == [("oil", 40), ("wipers", 10)]
    assert (ana["next_days"], sorted(ana["next_category"])) == (5, ["oil", "tyres"])
    assert (bo["person"], bo["line"], bo["next_days"]) == (BO, [], None)


def test_without_any_category_the_product_stands_for_it() -> None:
    (ana,) = table([order(ANA, 40, ("A1", ""), ("A2", ""))])
    assert sorted(x["category"] for x in ana["line"]) == ["A1", "A2"]


def test_regular_people_are_foretold_by_their_own_pause() -> None:
    found = said(given(regulars()))
    for pause, odd in ((20, 1), (60, 0)):
        rows = [row for (k, name), row in found.items() if name == "next_order_days" and k % 2 == odd]
        assert np.median([row["high"] for row in rows]) < 1.3 * pause
        assert np.mean([row["low"] <= row["value"] <= row["high"] for row in rows]) == 1
    assert "every 2" in found[1, "next_order_days"]["reason"]


def test_what_is_left_shrinks_while_time_goes_by() -> None:
    learnt = learned.learn(given(regulars()), 90, 10, CONTEXT.rng())
    where = timing.Standing(np.full(3, np.log(60.0)), np.full(3, 9), np.array([5.0, 30.0, 50.0]))
    left = timing.days_left(learnt.orders, where, 0.5)
    assert (np.diff(left) < 0).all()
    assert left[0] == pytest.approx(55, abs=5)


def test_shares_and_days_are_each_others_inverse() -> None:
    learnt = learned.learn(given(regulars()), 90, 10, CONTEXT.rng())
    where = timing.Standing(np.log(np.array([20.0, 60.0])), np.array([9, 3]), np.array([4.0, 10.0]))
    for share in (0.1, 0.5, 0.9):
        for within in (None, 90.0):
            days = timing.days_left(learnt.orders, where, share, within)
            assert timing.share_by(learnt.orders, where, days, within) == pytest.approx(share, abs=0.03)


def test_the_present_pause_counts_as_longer_than_it_is() -> None:
    """Without the censored pauses, half of which are long, the curve would end at 0 after the first."""
    days = Days(100, np.repeat(np.arange(100), 2), np.tile([210, 200], 100))
    once = timing.learn(days, np.zeros(100, np.int64), 1)
    assert once.lasting[0, -1] == pytest.approx(0.0, abs=0.01)
    days = Days(
        200,
        np.r_[np.repeat(np.arange(100), 2), np.arange(100, 200)],
        np.r_[np.tile([210, 200], 100), [300] * 100],
    )
    mixed = timing.learn(days, np.zeros(200, np.int64), 1)
    assert mixed.lasting[0, -1] == pytest.approx(0.5, abs=0.01)


def test_a_pause_longer_than_any_ever_seen_says_as_long_again() -> None:
    rows = given([*regulars(), [(3_000.0, "c1")]])
    late = said(rows)[200, "next_order_days"]
    assert late["value"] == pytest.approx(3_000, rel=0.01)


def test_the_category_bought_most_is_next_and_new_is_kept_apart() -> None:
    histories = regulars()
    found = said(given(histories))
    right = [found[k, "next_category"]["label"] == f"c{k % 4}" for k in range(200)]
    assert np.mean(right) > 0.95
    for k, history in enumerate(histories):
        had = {c for _, c in history}
        assert found[k, "next_repeat_category"]["label"] in had
        assert (k, "next_new_category") not in found or found[k, "next_new_category"]["label"] not in had


def test_what_is_due_is_told_from_what_was_bought_just_now() -> None:
    """Everybody buys two things in turn, so the one that is not the last is next."""
    rng = np.random.default_rng(2)
    histories = []
    for k in range(300):
        start = rng.uniform(0, 30)
        histories.append([(float(start + 30 * j), "ab"[(j + k) % 2]) for j in range(14)])
    found = said(given(histories))
    assert np.mean([found[k, "next_category"]["label"] == "ab"[(k + 1) % 2] for k in range(300)]) > 0.95


def test_the_season_speaks_for_what_was_bought_at_this_time_of_earlier_years() -> None:
    days = np.array([10, 30, 200, 320, 340, 150])
    lines = Bought(6, np.arange(6), np.array([0, 0, 0, 1, 1, 0]), days)
    assert choosing.known(lines, 2).season[1] > 0 > choosing.known(lines, 2).season[0]
    assert (choosing.known(replace(lines, days_ago=days % 200), 2).season == 0).all()


def test_chances_are_near_what_comes_true() -> None:
    histories, coming = regulars(400), {}
    for k, history in enumerate(histories):
        (first, what), (second, _) = sorted(history)[:2]
        cut = first + 0.6 * (second - first)
        coming[k] = (cut - first, [what])
        histories[k] = [(d - cut, c) for d, c in history if d > cut]
    found = plugin.backtest(given(histories, coming), CONTEXT)
    assert found.n == 400
    curve = next(c for c in found.curves if c.name == "next_category")
    said_, seen = (sum(p.n * getattr(p, f) for p in curve.points) / 400 for f in ("said", "seen"))
    assert said_ == pytest.approx(seen, abs=0.06)
    rate = next(m for m in found.metrics if m.baseline == "the category that everybody buys most")
    assert rate.is_better


def test_a_backtest_of_regular_people_beats_everybodys_pause_and_keeps_its_word() -> None:
    rng = np.random.default_rng(8)
    histories, coming = [], {}
    for k in range(600):
        pause = 20.0 if k % 2 else 60.0
        elapsed = rng.uniform(0, 0.8) * pause
        histories.append(
            [(float(elapsed + d), "c") for d in np.r_[0, np.cumsum(pause * rng.uniform(0.8, 1.2, 8))]]
        )
        coming[k] = (float(pause * rng.uniform(0.8, 1.2) - elapsed), ["c"])
    coming = {k: (d, c) for k, (d, c) in coming.items() if d >= 0}
    found = plugin.backtest(given(histories, coming), CONTEXT)
    inside, own, everybody = found.metrics[-3:]
    assert inside.value > 0.7
    assert everybody.is_better
    assert everybody.value < 0.5 * everybody.baseline_value
    assert own.value < own.baseline_value + 1
    assert all(abs(p.said - p.seen) < 0.15 for p in found.curves[0].points)


def test_nobody_came_again() -> None:
    found = plugin.backtest(given(regulars(50)), CONTEXT)
    assert found.metrics == ()
    assert "Nobody" in found.note


@pytest.mark.parametrize("history", [[(3.0, "c")], [(3.0, "")], [(0.0, "c"), (0.0, "d")]])
def test_one_person_is_enough_and_too_little(history: list[tuple[float, str]]) -> None:
    found = said(given([history]))
    assert found[0, "next_order_days"]["value"] >= 0
    assert ((0, "next_category") in found) == bool(history[0][1])


def test_a_category_never_learnt_is_no_trouble() -> None:
    found = said(given([[(3.0, "never seen"), (9.0, "c1")]]), given(regulars()))
    assert found[0, "next_repeat_category"]["label"] == "c1"


def test_bytes_come_back_as_what_they_were() -> None:
    content = plugin.fit(given(regulars(60)), CONTEXT)
    assert learned.as_bytes(learned.from_bytes(content)) == content
