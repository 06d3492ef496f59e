"""What the query counts, what is said of people, and the back-test."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from rapport.insights.contract import SCORED, Context
from rapport.kit import query
from rapport.plugins.insights.value.model import from_bytes
from rapport.plugins.insights.value.plugin import asked, plugin
from rapport.plugins.insights.value.reading import buyers

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
TODAY = int(NOW.timestamp() // 86_400)
ANA, BO, CHI = 8, 16, 24


def context(**parameters: Any) -> Context:
    return Context(now=NOW, seed=1, parameters={**plugin.parameters, **parameters})


def table(orders: list[tuple[int, float, str, int | None, str | None]], **more: Any) -> pa.Table:
    """What the query yields for events: person, days before now, name, minor units, currency."""
    rows = [
        {
            "subject": s, "ts": NOW - dt.timedelta(days=d), "name": n, "value_minor": v, "currency": c,
            "channel": "web", "properties": '{"country":"DE"}', **more,
        }
        for s, d, n, v, c in orders
    ]  # fmt: skip
    schema = pa.schema(
        [
            ("subject", pa.int64()), ("ts", pa.timestamp("us", tz="UTC")), ("name", pa.string()),
            ("value_minor", pa.int64()), ("currency", pa.string()), ("channel", pa.string()),
            ("properties", pa.string()),
        ]
    )  # fmt: skip
    people = sorted({row[0] for row in orders})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("given", pa.Table.from_pylist(rows, schema=schema))
        con.execute("CREATE VIEW event AS SELECT * REPLACE (properties::JSON AS properties) FROM given")
        con.register("identity", pa.table({"subject": people, "person": people, "core": people}))
        return query.run(con, plugin.needs, {"now": NOW, "horizon_days": 90}).to_arrow_table()


def days_of(row: dict[str, Any]) -> list[tuple[int, int | None]]:
    return sorted((TODAY - order["day"], order["spent_minor"]) for order in row["orders"])


def test_the_query_gives_days_and_what_they_cost() -> None:
    (row,) = table(
        [
            (ANA, 40, "order_placed", 5000, "EUR"),
            (ANA, 40.1, "order_placed", 300, "EUR"),  # on the same day: one purchase
            (ANA, 10, "order_placed", 2500, "EUR"),
            (ANA, 5, "order_refunded", -1000, "EUR"),
            (ANA, 4, "order_refunded", 500, "EUR"),  # a source that writes refunds without a sign
            (ANA, 1, "page_viewed", None, None),
            (ANA, -3, "order_placed", 700, "EUR"),
            (ANA, -3.1, "order_placed", 100, "EUR"),
            (ANA, -89, "order_placed", 50, "EUR"),
            (ANA, -91, "order_placed", 9000, "EUR"),  # beyond the horizon
        ]
    ).to_pylist()
    assert days_of(row) == [(10, 2500), (40, 5300)]
    assert (row["refunded_minor"], row["n_next"], row["spent_next_minor"]) == (1500, 2, 850)
    assert (row["currency"], row["country"], row["channel"]) == ("EUR", "DE", "web")


def test_money_of_another_currency_counts_as_an_order_and_not_as_money() -> None:
    (row,) = table(
        [
            (BO, 9, "order_placed", 900, "USD"),
            (BO, 8, "order_placed", 100, "EUR"),
            (BO, 7, "order_placed", 200, "EUR"),
            (BO, -1, "order_placed", 5, "USD"),
        ]
    ).to_pylist()
    assert row["currency"] == "EUR"
    assert days_of(row) == [(7, 200), (8, 100), (9, None)]
    assert (row["n_next"], row["spent_next_minor"]) == (1, 0)


def test_who_only_gave_back_or_only_comes_later_is_no_buyer() -> None:
    assert table([(CHI, 3, "order_refunded", -100, "EUR"), (BO, -3, "order_placed", 1, "EUR")]).num_rows == 0


def said_of(given: pa.Table, **parameters: Any) -> dict[tuple[int, str], dict[str, Any]]:
    ctx = context(**parameters)
    found = plugin.score(plugin.fit(given, ctx), given, ctx)
    assert found.schema.equals(SCORED)
    return {(row["person"], row["name"]): row for row in found.to_pylist()}


def shop(n: int = 900, days: int = 400, seed: int = 1, **columns: Any) -> pa.Table:
    """Buyers as MBG/NBD has them, in the shape of the query; half live in AT and order twice as often."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, days - 30, n)
    rate = rng.gamma(1.0, 1 / 60, n) * np.where(np.arange(n) % 2 == 1, 2.0, 1.0)
    rows = []
    for i in range(n):
        at = np.cumsum(rng.exponential(1 / rate[i], rng.geometric(0.12)))
        later = np.unique(np.concatenate([[0], np.ceil(at)]).astype(int)) + first[i]
        price = rng.gamma(4, 2000 / rng.gamma(4, 1.0), len(later)).astype(int) + 1
        past, ahead = later < days, (later >= days) & (later < days + 90)
        rows.append(
            {
                "person": i, "currency": "EUR", "refunded_minor": 0, "channel": "web",
                "country": "AT" if i % 2 else "DE",
                "orders": [
                    {"day": TODAY - days + int(d), "spent_minor": int(p)}
                    for d, p in zip(later[past], price[past], strict=True)
                ],
                "n_next": int(ahead.sum()), "spent_next_minor": int(price[ahead].sum()), **columns,
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows)


def test_a_regular_who_fell_silent_is_told_from_one_who_did_not() -> None:
    rows = shop().to_pylist()
    steady = [{"day": TODAY - d, "spent_minor": 4000} for d in range(5, 125, 20)]
    silent = [{"day": TODAY - d - 95, "spent_minor": 4000} for d in range(5, 125, 20)]
    once = [{"day": TODAY - 380, "spent_minor": 4000}]
    for person, orders in ((10_001, steady), (10_002, silent), (10_003, once)):
        rows.append({**rows[0], "person": person, "orders": orders, "country": "DE"})
    found = said_of(pa.Table.from_pylist(rows))
    alive = {p: found[p, "alive"]["value"] for p in (10_001, 10_002, 10_003)}
    assert alive[10_001] > 0.85
    assert alive[10_002] < 0.5
    assert alive[10_003] < 0.7, "who ordered once and long ago may be gone too"
    assert found[10_002, "alive"]["reason"].startswith(
        "Ordered on 6 days, every 20 days or so, and now silent for 100 days: of 100 people like that, "
    )
    assert found[10_003, "alive"]["reason"].startswith(
        "Ordered once, 380 days ago: of 100 people like that, "
    )
    for name in ("expected_orders_90d", "expected_spend_90d_minor", "clv_minor"):
        ana, bo = found[10_001, name], found[10_002, name]
        assert ana["value"] > 2 * bo["value"]
        assert ana["low"] <= ana["value"] <= ana["high"], name
        assert ana["high"] > bo["high"]
    assert found[10_001, "expected_spend_90d_minor"]["unit"] == "minor EUR"
    each = found[10_001, "expected_spend_90d_minor"]["value"] / found[10_001, "expected_orders_90d"]["value"]
    assert each == pytest.approx(4000, rel=0.2), "six own orders outweigh everybody else's"


def test_margin_discount_and_refunds_are_in_the_worth() -> None:
    given = shop(400)
    back = shop(400, refunded_minor=3000)
    whole = said_of(given, margin_ratio=1.0, discount_ratio=0.0)
    third = said_of(given, margin_ratio=0.3, discount_ratio=0.0)
    late = said_of(given, margin_ratio=1.0, discount_ratio=0.5)
    less = said_of(back, margin_ratio=1.0, discount_ratio=0.0)
    gross = said_of(back, margin_ratio=1.0, discount_ratio=0.0, counts_refunds=False)
    for person in (1, 2, 3):
        at = (person, "clv_minor")
        assert third[at]["value"] == pytest.approx(0.3 * whole[at]["value"])
        assert third[at]["high"] == pytest.approx(0.3 * whole[at]["high"])
        assert 0.7 * whole[at]["value"] < late[at]["value"] < 0.95 * whole[at]["value"]
        assert less[at]["value"] < 0.95 * whole[at]["value"]
        assert gross[at]["value"] == pytest.approx(whole[at]["value"])
        assert "comes back and 100% of the rest is margin" in less[at]["reason"]


def test_currencies_do_not_meet() -> None:
    rows = shop(300).to_pylist()
    for row in rows[::3]:
        row["currency"] = "JPY"
        for order in row["orders"]:
            order["spent_minor"] *= 100
    alone = said_of(pa.Table.from_pylist([r for r in rows if r["currency"] == "EUR"]))
    both = said_of(pa.Table.from_pylist(rows))
    spend = "expected_spend_90d_minor"
    assert both[0, spend]["unit"] == "minor JPY"
    each = [found[1, spend]["value"] / found[1, "expected_orders_90d"]["value"] for found in (alone, both)]
    assert each[0] == pytest.approx(each[1], rel=1e-6), "yen do not make euro orders dearer"


ABSURD = {
    "currency": "",
    "refunded_minor": 10**15,
    "country": None,
    "channel": None,
    "n_next": 0,
    "spent_next_minor": 0,
}


@pytest.mark.parametrize(
    "orders",
    [
        [(TODAY, None)],
        [(TODAY, 0)],
        [(TODAY - 1, -500)],
        [(TODAY - 3_000_000, 10**15), (TODAY - 2, 1)],
        [(TODAY - d, 100) for d in range(3_000)],
        [(TODAY - 5, 7), (TODAY - 5, 7)],
    ],
)
@pytest.mark.parametrize("among", [0, 60])
def test_absurd_histories_give_sane_figures(orders: list[tuple[int, int | None]], among: int) -> None:
    rows: list[dict[str, Any]] = shop(among).to_pylist() if among else []
    rows.append({**ABSURD, "person": 99_999, "orders": [{"day": d, "spent_minor": s} for d, s in orders]})
    given = pa.Table.from_pylist(rows)
    found = said_of(given)
    for name in ("alive", "expected_orders_90d", "expected_spend_90d_minor", "clv_minor"):
        row = found[99_999, name]
        assert np.isfinite(row["value"])
        assert row["value"] >= 0
        assert row["low"] is None or 0 <= row["low"] <= row["high"] < np.inf
    tested = plugin.backtest(given, context())
    assert all(np.isfinite(m.value) and np.isfinite(m.baseline_value) for m in tested.metrics)


def test_whole_numbers_add_up_to_the_expected_total() -> None:
    given = shop(2_000)
    found = said_of(given)
    labels = [row["label"] for (_, name), row in found.items() if name == "expected_orders_90d"]
    whole = sum(0 if label == "no order" else int(label.split()[0]) for label in labels)
    expected = sum(row["value"] for (_, name), row in found.items() if name == "expected_orders_90d")
    assert whole == pytest.approx(expected, rel=0.05)


def test_a_backtest_beats_the_naive_rules_and_its_intervals_hold_what_they_state() -> None:
    given = shop(2_500, seed=3)
    found = plugin.backtest(given, context())
    by_name = {m.name: m for m in found.metrics}
    assert found.n == 2_500
    assert by_name["orders in all, off by"].value < 0.12
    for name in (
        "orders in all, off by", "orders per person, off by (expected number)",
        "orders per person, off by (whole number)", "ranking of who orders again (AUC)",
        "spend per person, off by (EUR)", "orders within their interval", "spend within its interval (EUR)",
    ):  # fmt: skip
        metric = by_name[name]
        assert metric.is_better, metric
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low <= metric.value <= metric.high or name.endswith("off by")
    assert 0.79 < by_name["spend within its interval (EUR)"].value < 0.92
    assert {curve.name for curve in found.curves} == {
        "alive", "expected_orders_90d", "expected_spend_90d_minor",
    }  # fmt: skip
    orders = found.curves[0]
    assert sum(point.n for point in orders.points) == 2_500
    assert all(a.said < b.said for a, b in zip(orders.points, orders.points[1:], strict=False))
    top = orders.points[-1]
    assert top.seen == pytest.approx(top.said, rel=0.2)


def test_the_judged_time_is_never_learnt_from() -> None:
    given = shop(600)
    other = given.set_column(given.column_names.index("n_next"), "n_next", pa.array([9] * given.num_rows))
    assert plugin.fit(given, context()) == plugin.fit(other, context())
    split = plugin.backtest(other, context()).split
    assert split == "learnt from orders before 2026-03-02, judged on the 90 days after it"


def test_a_firm_may_forbid_that_groups_count() -> None:
    assert from_bytes(plugin.fit(shop(300), context(heeds_groups=False))).factors == ()


def test_one_family_may_be_asked_for() -> None:
    given = shop(400)
    for family in ("bg_nbd", "mbg_nbd", "pareto_nbd"):
        assert from_bytes(plugin.fit(given, context(family=family))).shape.family == family


def test_what_is_learnt_survives_its_bytes() -> None:
    given = shop(500)
    content = plugin.fit(given, context())
    assert from_bytes(content).to_bytes() == content
    people = buyers(given, asked(context(), 90).now)
    assert from_bytes(content).factor(people).shape == (500,)


@pytest.mark.shared
def test_on_cdnow_totals_are_right_and_people_too(shared: Path) -> None:
    """The whole command's path: a file of order lines, learnt from 39 weeks, judged on 39 more."""
    lines = [line.split() for line in (shared / "cdnow" / "CDNOW_sample.txt").read_text("ascii").splitlines()]
    cut = dt.datetime(1997, 10, 1, tzinfo=dt.UTC)
    known = [(int(c), dt.datetime.strptime(d, "%Y%m%d").replace(tzinfo=dt.UTC), v) for _, c, d, _, v in lines]
    rows = [
        {
            "subject": c,
            "ts": at,
            "name": "order_placed",
            "value_minor": round(100 * float(v)),
            "currency": "USD",
        }
        for c, at, v in known
    ]
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("given", pa.Table.from_pylist(rows))
        con.execute(
            "CREATE VIEW event AS SELECT *, NULL::VARCHAR AS channel, NULL::JSON AS properties FROM given;"
            " CREATE VIEW identity AS SELECT DISTINCT subject, subject AS person, subject AS core FROM given"
        )
        asked_ = {"now": cut, "horizon_days": 273}
        given = query.run(con, plugin.needs, asked_).to_arrow_table()
    found = plugin.backtest(given, Context(now=cut, seed=1, horizon_days=273, parameters=plugin.parameters))
    by_name = {m.name: m for m in found.metrics}
    assert found.n == 2357
    assert by_name["orders in all, off by"].value < 0.05
    assert by_name["orders per person, off by (whole number)"].value < 0.755
    assert by_name["orders per person, off by (expected number)"].value < 0.81
    assert all(m.is_better for m in found.metrics)
