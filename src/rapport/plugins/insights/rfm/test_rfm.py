"""Fifths, cells, and what the query counts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.insights.contract import Context
from rapport.kit import query
from rapport.plugins.insights.rfm import fifths
from rapport.plugins.insights.rfm.plugin import plugin

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
CONTEXT = Context(now=NOW)
ANA, BO, CHI = 8, 16, 24


def table(orders: list[tuple[int, int, str, int | None, str | None]]) -> pa.Table:
    """What the query yields for events: person, days before now, name, minor units, currency."""
    rows = [
        {"subject": s, "ts": NOW - dt.timedelta(days=d), "name": n, "value_minor": v, "currency": c}
        for s, d, n, v, c in orders
    ]
    schema = pa.schema(
        [
            ("subject", pa.int64()),
            ("ts", pa.timestamp("us", tz="UTC")),
            ("name", pa.string()),
            ("value_minor", pa.int64()),
            ("currency", pa.string()),
        ]
    )
    people = sorted({row[0] for row in orders})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("event", pa.Table.from_pylist(rows, schema=schema))
        con.register("identity", pa.table({"subject": people, "person": people, "core": people}))
        return query.run(con, plugin.needs, {"now": NOW, "horizon_days": 90}).to_arrow_table()


def test_the_query_counts_orders_and_nets_refunds() -> None:
    (row,) = table(
        [
            (ANA, 40, "order_placed", 5000, "EUR"),
            (ANA, 10, "order_placed", 2500, "EUR"),
            (ANA, 5, "order_refunded", -1000, "EUR"),
            (ANA, 4, "order_refunded", 500, "EUR"),  # a source that writes refunds without a sign
            (ANA, 1, "page_viewed", None, None),
        ]
    ).to_pylist()
    assert row == {
        "person": ANA,
        "currency": "EUR",
        "recency_days": 10.0,
        "n_orders": 2,
        "value_minor": 6000,
        "n_next": 0,
    }


def test_money_of_two_currencies_is_not_added() -> None:
    (row,) = table(
        [
            (BO, 9, "order_placed", 900, "USD"),
            (BO, 8, "order_placed", 100, "EUR"),
            (BO, 7, "order_placed", 200, "EUR"),
        ]
    ).to_pylist()
    assert (row["currency"], row["value_minor"], row["n_orders"]) == ("EUR", 300, 3)


def test_what_happens_from_now_on_is_apart_from_what_is_known() -> None:
    found = table(
        [
            (ANA, 10, "order_placed", 100, "EUR"),
            (ANA, 0, "order_placed", 100, "EUR"),
            (ANA, -89, "order_placed", 100, "EUR"),
            (ANA, -90, "order_placed", 100, "EUR"),
            (CHI, -1, "order_placed", 100, "EUR"),  # unknown before the cut: not a row
        ]
    ).to_pylist()
    assert [(row["person"], row["n_orders"], row["n_next"]) for row in found] == [(ANA, 1, 2)]


def test_somebody_who_was_only_refunded_is_no_buyer() -> None:
    assert table([(CHI, 3, "order_refunded", -100, "EUR")]).num_rows == 0


def test_an_order_without_an_amount_counts_as_an_order() -> None:
    (row,) = table([(ANA, 3, "order_placed", None, None)]).to_pylist()
    assert (row["currency"], row["n_orders"], row["value_minor"]) == ("", 1, 0)


figures = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=200).map(np.array)


@given(figures)
def test_equal_people_get_equal_fifths_and_more_is_never_less(values: Any) -> None:
    parts = fifths.fifth(values, fifths.cuts(values))
    order = np.argsort(values, kind="stable")
    assert (np.diff(parts[order]) >= 0).all()
    assert len({(v, p) for v, p in zip(values, parts, strict=True)}) == len(set(values))
    assert parts.min() == 1
    assert parts.max() <= 5


@given(figures)
def test_a_fifth_is_the_share_of_people_below(values: Any) -> None:
    below = (values[None, :] < values[:, None]).sum(axis=1)
    expected = 1 + 5 * below // len(values)
    assert (fifths.fifth(values, fifths.cuts(values)) == expected).all()


def test_a_hundred_different_people_make_five_equal_parts() -> None:
    values = np.random.default_rng(3).permutation(100).astype(float)
    assert np.bincount(fifths.fifth(values, fifths.cuts(values)))[1:].tolist() == [20] * 5


def test_every_cell_has_a_name_and_every_name_a_cell() -> None:
    r, f = (a.ravel() for a in np.meshgrid(np.arange(1, 6), np.arange(1, 6), indexing="ij"))
    assert set(fifths.label(r, f)) == set(range(len(fifths.LABELS)))


def scored(rows: list[dict[str, Any]]) -> dict[tuple[int, str], dict[str, Any]]:
    given_ = pa.Table.from_pylist(rows)
    found = plugin.score(plugin.fit(given_, CONTEXT), given_, CONTEXT).to_pylist()
    return {(row["person"], row["name"]): row for row in found}


def buyer(
    person: int, days: float, n: int, minor: int, currency: str = "EUR", n_next: int = 0
) -> dict[str, Any]:
    return {
        "person": person,
        "currency": currency,
        "recency_days": days,
        "n_orders": n,
        "value_minor": minor,
        "n_next": n_next,
    }


def test_the_reason_names_the_figures_in_the_persons_own_money() -> None:
    found = scored(
        [
            buyer(1, 1.9, 1, 12345),
            buyer(2, 30, 2, -507),
            buyer(3, 31, 3, 900, "JPY"),
            buyer(4, 32, 3, 1234567, "KWD"),
            buyer(5, 33, 3, 0, ""),
        ]
    )
    assert found[1, "recency_days"]["reason"] == "Last bought 1 day ago: fifth 5 of 5, 5 being the latest."
    assert found[1, "frequency"]["reason"] == "Placed 1 order: fifth 1 of 5, 5 being the most."
    assert found[2, "monetary_minor"]["reason"].startswith("Spent -5.07 EUR net of refunds: fifth 1 of 5")
    assert "900 JPY" in found[3, "rfm"]["reason"]
    assert "1234.567 KWD" in found[4, "rfm"]["reason"]
    assert (found[3, "monetary_minor"]["unit"], found[5, "monetary_minor"]["unit"]) == ("minor JPY", "minor")
    assert found[1, "rfm"]["reason"] == (
        "New: last bought 1 day ago (5), 1 order (1), 123.45 EUR (3); 5 is the best fifth."
    )


def test_money_is_ranked_within_its_currency() -> None:
    rows = [buyer(k, 10, 1, 100 * k) for k in range(1, 6)] + [
        buyer(9, 10, 1, 5, "JPY"),
        buyer(10, 10, 1, 6, "JPY"),
    ]
    found = scored(rows)
    assert [found[k, "monetary_minor"]["label"] for k in (1, 5, 9, 10)] == [
        "fifth 1 of 5",
        "fifth 5 of 5",
        "fifth 1 of 5",
        "fifth 3 of 5",
    ]


def test_a_currency_it_never_learnt_ranks_in_the_middle() -> None:
    learnt = plugin.fit(pa.Table.from_pylist([buyer(1, 1, 1, 1), buyer(2, 2, 2, 2)]), CONTEXT)
    found = plugin.score(learnt, pa.Table.from_pylist([buyer(3, 1, 1, 1, "CHF")]), CONTEXT).to_pylist()
    assert found[2]["label"] == "fifth 3 of 5"


def test_a_backtest_on_people_who_always_return_beats_recency() -> None:
    """Frequent buyers come back whatever their last order; recency alone cannot see that."""
    rng = np.random.default_rng(1)
    rows = [
        buyer(k, float(rng.uniform(1, 300)), 9 if k % 5 == 0 else 1, 1000, n_next=int(k % 5 == 0))
        for k in range(300)
    ]
    found = plugin.backtest(pa.Table.from_pylist(rows), CONTEXT)
    auc, share, champions = found.metrics
    assert auc.value > 0.8
    assert auc.baseline_value < 0.6
    assert auc.is_better
    assert share.is_better
    assert champions.value == 1.0
    assert champions.baseline_value == pytest.approx(0.2)
    assert found.n == 300


def test_a_backtest_where_nobody_returned_says_so() -> None:
    found = plugin.backtest(pa.Table.from_pylist([buyer(1, 1, 1, 1), buyer(2, 2, 2, 2)]), CONTEXT)
    assert found.metrics == ()
    assert "nobody" in found.note
