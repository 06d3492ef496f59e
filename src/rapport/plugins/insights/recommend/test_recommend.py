"""What goes together, what is bought again, what is left out, and what the query counts."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from rapport.insights.contract import Context
from rapport.kit import query
from rapport.plugins.insights.recommend import learned, measuring, reading, similar, tuning
from rapport.plugins.insights.recommend.plugin import plugin
from rapport.plugins.insights.recommend.similar import Recipe

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
CONTEXT = Context(now=NOW, seed=3, parameters=dict(plugin.parameters))
ANA, BO, CHI = 8, 16, 24

EVENT = pa.schema(
    [
        ("subject", pa.int64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("name", pa.string()),
        ("source", pa.string()),
        ("properties", pa.string()),
    ]
)


def order(
    person: int, days_ago: float, *codes: str, name: str = "order_placed", **more: Any
) -> dict[str, Any]:
    items = [
        {
            "product_code": c,
            "category": c[0],
            "product_name": f"Thing {c}",
            "quantity": more.get("quantity", 1),
        }
        for c in codes
    ]
    return {
        "subject": person,
        "ts": NOW - dt.timedelta(days=days_ago),
        "name": name,
        "source": "shop",
        "properties": json.dumps({"items": items, **more}),
    }


def listed(code: str, days_ago: float) -> dict[str, Any]:
    return {
        "subject": 1,
        "ts": NOW - dt.timedelta(days=days_ago),
        "name": "product_listed",
        "source": "catalogue",
        "properties": json.dumps({"product_code": code}),
    }


def table(events: list[dict[str, Any]]) -> pa.Table:
    """What the query yields for these events; everybody is one subject."""
    people = sorted({e["subject"] for e in events if e["name"] != "product_listed"})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("given", pa.Table.from_pylist(events, schema=EVENT))
        con.execute("CREATE TABLE event AS SELECT * REPLACE (properties::JSON AS properties) FROM given")
        con.register("identity", pa.table({"subject": people, "person": people, "core": people}))
        return query.run(con, plugin.needs, {"now": NOW, "horizon_days": 90}).to_arrow_table()


def bought(histories: list[list[tuple[str, float]]], **columns: Any) -> pa.Table:
    """Rows as the query gives them, one per history of (code, days ago)."""
    return pa.Table.from_pylist(
        [
            {
                "person": 8 * k + 8,
                "country": columns.get("country", ""),
                "line": [{"product_code": c, "days_ago": float(d)} for c, d in history],
                "refunded": columns.get("refunded", {}).get(k, []),
                "described": [
                    {"product_code": c, "product_name": c, "category": g, "is_offered": o}
                    for c, g, o in (columns.get("described", []) if k == 0 else [])
                ],
                "next_product": columns.get("next_product", {}).get(k, []),
            }
            for k, history in enumerate(histories)
        ],
        schema=pa.schema(
            [
                ("person", pa.int64()),
                ("country", pa.string()),
                ("line", pa.list_(reading.LINE)),
                ("refunded", pa.list_(pa.string())),
                ("described", pa.list_(reading.DESCRIBED)),
                ("next_product", pa.list_(pa.string())),
            ]
        ),
    )


def offers(given: pa.Table, learnt_from: pa.Table | None = None) -> dict[int, list[str]]:
    """The codes recommended to each row, best first."""
    learnt = plugin.fit(given if learnt_from is None else learnt_from, CONTEXT)
    found: dict[int, list[str]] = {}
    for row in sorted(plugin.score(learnt, given, CONTEXT).to_pylist(), key=lambda r: r["name"]):
        found.setdefault(row["person"] // 8 - 1, []).append(row["label"])
    return found


def two_tastes(n: int = 300, seed: int = 1) -> list[list[tuple[str, float]]]:
    """People who like either the twelve products A or the twelve B, and buy each at most once."""
    rng = np.random.default_rng(seed)
    histories = []
    for k in range(n):
        side = "AB"[k % 2]
        mine = [f"{side}{j:02d}" for j in rng.choice(12, 6, replace=False)]
        histories.append([(code, 10.0 + 20 * j) for j, code in enumerate(mine)])
    return histories


def test_the_query_gives_lines_refunds_and_what_came_then() -> None:
    ana, bo = table(
        [
            order(ANA, 40, "A1", "A2", country="DE"),
            order(ANA, 10, "A1"),
            order(ANA, 5, "A1", name="order_refunded"),
            order(ANA, -3, "B1"),
            order(ANA, -95, "C1"),
            order(BO, 30, "B1", "B1"),
            order(BO, 20, "B1", name="order_refunded"),
            order(BO, 10, "B1"),
            order(CHI, -1, "A1"),
        ]
    ).to_pylist()
    assert (ana["person"], ana["country"]) == (ANA, "DE")
    assert sorted((x["product_code"], x["days_ago"]) for x in ana["line"]) == [
        ("A1", 10),
        ("A1", 40),
        ("A2", 40),
    ]
    assert ana["refunded"] == ["A1"]
    assert ana["next_product"] == ["B1"]
    assert [x["days_ago"] for x in bo["line"]].count(30) == 1, "two lines of one order are one"
    assert bo["refunded"] == [], "it was bought again since"
    assert {x["product_code"]: x["category"] for x in ana["described"] + bo["described"]} == {
        "A1": "A",
        "A2": "A",
        "B1": "B",
    }


def test_one_of_twelve_given_back_is_not_the_whole() -> None:
    def given_back(n: int) -> list[str]:
        events = [order(ANA, 9, "A1", quantity=12), order(ANA, 5, "A1", name="order_refunded", quantity=n)]
        found: list[str] = table(events).to_pylist()[0]["refunded"]
        return found

    assert given_back(1) == []
    assert given_back(6) == ["A1"]


def test_a_product_that_the_last_whole_catalogue_lacks_is_off_the_shelf() -> None:
    found = table(
        [
            *(listed(f"A{k}", 300) for k in range(6)),
            *(listed(f"A{k}", 100) for k in range(5)),
            listed("A1", 2),  # a change of price is no catalogue
            order(ANA, 20, *(f"A{k}" for k in range(6)), "B1"),
        ]
    ).to_pylist()[0]["described"]
    assert {x["product_code"] for x in found if not x["is_offered"]} == {"A5"}
    assert len(found) == 7


def test_odd_items_are_no_trouble() -> None:
    events = [order(ANA, 3, "A1"), order(BO, 2), order(CHI, 1)]
    events[1]["properties"] = '{"items": "none"}'
    events[2]["properties"] = '{"items": [{"product_code": 7}, {"product_code": null}, {}]}'
    rows = table(events).to_pylist()
    assert [[x["product_code"] for x in row["line"]] for row in rows] == [["A1"], [], ["7"]]


def test_without_its_additions_the_linear_model_is_ease() -> None:
    x = sparse.csr_matrix((np.random.default_rng(2).random((60, 15)) < 0.3).astype(np.float32))
    counted = similar.together(x, 0.0)
    gram = (x.T @ x).toarray().astype(float)
    ridge = 3.0 * np.diag(gram).mean()
    p = np.linalg.inv(gram + ridge * np.eye(15))
    expected = -p / np.diag(p)
    np.fill_diagonal(expected, 0)
    found = similar.weights(counted, Recipe(3.0, 0.0, 0.0, 0.0), similar.directions_of(counted))
    assert np.allclose(found, expected)


def test_pruning_keeps_the_largest_cells() -> None:
    b = np.random.default_rng(4).standard_normal((40, 40))
    kept = similar.pruned(b.copy(), most=200)
    assert kept.nnz == 200
    assert np.abs(kept.data).min() >= np.sort(np.abs(b).ravel())[-200].astype(np.float32)


@pytest.mark.parametrize(("width", "k"), [(3, 10), (600, 10), (601, 40), (5_003, 25)])
def test_the_best_of_many_are_the_best(width: int, k: int) -> None:
    scores = np.random.default_rng(width).standard_normal((50, width)).astype(np.float32)
    found = np.sort(np.take_along_axis(scores, similar.best(scores, k), axis=1), axis=1)
    assert np.array_equal(found, np.sort(scores, axis=1)[:, -min(k, width) :])


def test_what_goes_together_is_found_and_nothing_that_is_bought_once_comes_twice() -> None:
    histories = two_tastes()
    found = offers(bought(histories))
    own_side = [code[0] == "AB"[k % 2] for k, codes in found.items() for code in codes]
    assert np.mean(own_side) > 0.95
    assert not any(code in {c for c, _ in histories[k]} for k, codes in found.items() for code in codes)


def test_what_is_bought_every_month_is_offered_again_when_it_is_due() -> None:
    rng = np.random.default_rng(5)
    histories = []
    for k in range(200):
        mine = f"M{k % 10}"
        histories.append([(mine, 28.0 + 30 * j + float(rng.uniform(-2, 2))) for j in range(8)])
    found = offers(bought(histories))
    assert np.mean([codes[0] == f"M{k % 10}" for k, codes in found.items()]) > 0.95


def test_given_back_and_off_the_shelf_are_left_out() -> None:
    histories = two_tastes()
    refunded = {k: ["A00", "B00"] for k in range(len(histories))}
    described = [("A01", "", False), ("B01", "", False)]
    codes = {
        c
        for offered in offers(bought(histories, refunded=refunded, described=described)).values()
        for c in offered
    }
    assert codes
    assert not codes & {"A00", "B00", "A01", "B01"}


def test_no_two_new_ones_are_of_a_category_or_differ_in_size_alone() -> None:
    described = [(f"{s}{j:02d}", f"{s}{j % 4}", True) for s in "AB" for j in range(12)]
    category = {code: c for code, c, _ in described}
    found = offers(bought(two_tastes(), described=described))
    assert all(len({category[c] for c in codes}) == len(codes) for codes in found.values())
    assert max(map(len, found.values())) == 3


def test_who_never_ordered_gets_what_the_country_buys_most() -> None:
    histories = [[("RICE", 20.0 + k % 9), ("TEA", 50.0)] for k in range(60)] + [
        [("WINE", 20.0 + k % 9)] for k in range(40)
    ]
    given = bought([*histories, []])
    country = ["GB"] * 60 + ["FR"] * 40 + ["FR"]
    given = given.set_column(1, "country", pa.array(country))
    learnt = plugin.fit(given, CONTEXT)
    last = plugin.score(learnt, given.slice(100), CONTEXT).to_pylist()
    assert last[0]["label"] == "WINE"
    assert last[0]["reason"] == "Many customers in FR buy WINE: 40 orders from there so far."


def test_a_product_or_country_never_learnt_is_no_trouble() -> None:
    learnt_from = bought(two_tastes())
    stranger = bought([[("A00", 5.0), ("never seen", 5.0)]], country="XX")
    (codes,) = offers(stranger, learnt_from).values()
    assert len(codes) == 3


def test_one_product_and_one_person_is_enough_and_too_little() -> None:
    assert offers(bought([[("A1", 3.0)]])) in ({}, {0: ["A1"]})
    assert offers(bought([[]])) == {}


def test_a_reseller_with_ten_thousand_lines_counts_the_last_thousand() -> None:
    many = [(f"A{j % 50:02d}", float(j)) for j in range(10_000)]
    given = bought([many, [("A01", 2.0)]])
    lines = reading.bought(given, reading.catalogue(given))
    assert np.bincount(lines.person).tolist() == [1_000, 1]
    assert lines.days_ago.max() == 999


def test_bytes_come_back_as_what_they_were() -> None:
    learnt = plugin.fit(bought(two_tastes()), CONTEXT)
    assert learned.as_bytes(learned.from_bytes(learnt)) == learnt


def test_what_is_held_back_is_recent_and_unknown() -> None:
    rng = np.random.default_rng(6)
    given = bought([[(f"A{rng.integers(9)}", float(d)) for d in rng.uniform(0, 400, 12)] for _ in range(80)])
    products = reading.catalogue(given)
    held = tuning.hold_back(reading.bought(given, products), 90, rng)
    assert held is not None
    assert held.how == "what came in the last stretch"
    assert held.known.days_ago.max() <= 400 - 90
    assert len(np.unique(held.person)) > 70


def test_orders_without_a_time_are_held_back_at_random() -> None:
    given = bought([[(code, 5.0) for code, _ in history] for history in two_tastes()])
    held = tuning.hold_back(reading.bought(given, reading.catalogue(given)), 90, CONTEXT.rng())
    assert held is not None
    assert held.how == "a random tenth"


def test_quality_is_what_one_counts_by_hand() -> None:
    said = np.array([[3, 1, 2, -1, -1, -1, -1, -1, -1, -1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
    found = measuring.quality(said, np.array([0, 0, 1]), np.array([1, -1, 9]), 10)
    second, tenth = 1 / np.log2(3), 1 / np.log2(11)
    assert found.ndcg == pytest.approx([second / (1 + second), tenth])
    assert found.recall.tolist() == [0.5, 1.0]
    assert found.any_taken.tolist() == [1.0, 1.0]


def test_a_backtest_beats_the_most_bought_where_tastes_differ() -> None:
    histories = two_tastes()
    rng = np.random.default_rng(9)
    coming = {
        k: [
            str(c)
            for c in rng.choice(
                [c for c in (f"{'AB'[k % 2]}{j:02d}" for j in range(12)) if c not in dict(h)], 3
            )
        ]
        for k, h in enumerate(histories)
    }
    found = plugin.backtest(bought(histories, next_product=coming), CONTEXT)
    assert found.n == 300
    assert all(m.is_better for m in found.metrics)
    recall = next(m for m in found.metrics if m.name == "recall@10 against the most bought")
    assert recall.value > 0.95
    assert recall.baseline_value < 0.8
    (curve,) = found.curves
    assert sum(p.n for p in curve.points) == 900


def test_a_backtest_in_which_nobody_came_again_says_so() -> None:
    found = plugin.backtest(bought(two_tastes(60)), CONTEXT)
    assert found.metrics == ()
    assert "Nobody" in found.note
