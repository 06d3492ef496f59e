"""What the query counts, what likeness and help are learnt, and that nothing goes by who somebody is."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from rapport.insights.contract import SCORES, Context
from rapport.kit import query
from rapport.plugins.insights.portfolio import helping, judging, likeness
from rapport.plugins.insights.portfolio.helping import Matters
from rapport.plugins.insights.portfolio.plugin import plugin, tiers_of

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
CONTEXT = Context(now=NOW, seed=3, parameters=dict(plugin.parameters))
ANA, BO, CHI = 8, 16, 24
EVENT = pa.schema(
    [
        ("seq", pa.int64()),
        ("subject", pa.int64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("name", pa.string()),
        ("text", pa.string()),
        ("value_minor", pa.int64()),
        ("currency", pa.string()),
        ("properties", pa.string()),
    ]
)


def happened(
    who: int, days: float, name: str, minor: int | None = None, text: str | None = None, **told: Any
) -> dict[str, Any]:
    """An event so many days before now; `currency` in the properties is the event's."""
    currency = told.pop("currency", "EUR" if minor is not None else None)
    return {
        "subject": who, "ts": NOW - dt.timedelta(days=days), "name": name, "text": text, "value_minor": minor,
        "currency": currency, "properties": json.dumps(told),
    }  # fmt: skip


def table(*events: dict[str, Any], scores: list[dict[str, Any]] | None = None) -> pa.Table:
    """What the query yields."""
    rows = [{"seq": k, **event} for k, event in enumerate(events)]
    people = sorted({row["subject"] for row in rows})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("event", pa.Table.from_pylist(rows, schema=EVENT))
        con.register("identity", pa.table({"subject": people, "person": people, "core": people}))
        con.register("score", pa.Table.from_pylist(scores or [], schema=SCORES))
        asked = {"now": NOW, "horizon_days": 90, **plugin.parameters}
        return query.run(con, plugin.needs, asked).to_arrow_table()


def scored(given: pa.Table) -> dict[tuple[int, str], dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = plugin.score(plugin.fit(given, CONTEXT), given, CONTEXT).to_pylist()
    return {(row["person"], row["name"]): row for row in found}


def test_the_query_counts_what_serving_takes_in_the_last_year_and_after() -> None:
    (row,) = table(
        happened(ANA, 400, "order_placed", 5000, items=[{"category": "oil"}]),
        happened(ANA, 40, "order_placed", 3000, items=[{"category": "tyres"}]),
        happened(ANA, 30, "order_placed", 2000, items=[{"category": "tyres"}]),
        happened(ANA, 20, "order_refunded", -1000),
        happened(ANA, 380, "complaint_raised"),
        happened(ANA, 10, "complaint_raised"),
        happened(ANA, 9, "message_received"),
        happened(ANA, 8, "post_published", text="Does it fit?"),
        happened(ANA, 8, "post_published", text="今日は？"),
        happened(ANA, 8, "post_published", text="It fits."),
        happened(ANA, 7, "survey_answered", response="r1"),
        happened(ANA, 7, "survey_answered", response="r1"),
        happened(ANA, 6, "message_sent", campaign="spring"),
        happened(ANA, -5, "order_placed", 700),
        happened(ANA, -6, "complaint_raised"),
        happened(ANA, -91, "order_placed", 900),
    ).to_pylist()
    assert (row["n_orders"], row["spent_minor"], row["refunded_minor"]) == (3, 4000, 1000)
    assert (row["order_minor"], row["category"], row["currency"]) == (
        pytest.approx(10000 / 3),
        "tyres",
        "EUR",
    )
    assert [row[f"n_{k}"] for k in ("complaints", "messages", "questions", "surveys", "refunds")] == [
        1,
        1,
        2,
        1,
        1,
    ]
    assert (row["next_orders"], row["next_spent_minor"], row["next_complaints"]) == (1, 700, 1)
    assert (row["tenure_days"], row["recency_days"]) == (400, 30)
    cost = scored(table(happened(ANA, 20, "order_refunded", -1000), happened(ANA, 21, "order_placed", 1000)))
    assert cost[ANA, "cost_to_serve_minor"]["value"] == 10 * 60 + 500 + 0.2 * 1000


def test_an_answer_is_ours_by_hand_to_the_same_conversation_within_a_month() -> None:
    def hours(*events: dict[str, Any]) -> list[float | None]:
        ordered = happened(ANA, 300, "order_placed", 1000)
        (row,) = table(ordered, *events).to_pylist()
        return [matter["answer_hours"] for matter in row["matters"]]

    asked = happened(ANA, 200, "complaint_raised", conversation="k1")
    assert hours(asked) == [None]
    assert hours(asked, happened(ANA, 199, "message_sent", conversation="k1")) == [pytest.approx(24)]
    assert hours(asked, happened(ANA, 199, "message_sent")) == [pytest.approx(24)]
    assert hours(asked, happened(ANA, 199, "message_sent", conversation="k2")) == [None]
    assert hours(asked, happened(ANA, 199, "message_sent", campaign="spring")) == [None]
    assert hours(asked, happened(ANA, 199, "message_sent", template="receipt")) == [None]
    assert hours(asked, happened(ANA, 169, "message_sent", conversation="k1")) == [None]
    assert hours(asked, happened(ANA, 201, "message_sent", conversation="k1")) == [None]
    # What happened within the last three months is not known yet; whoever never ordered cannot order again.
    assert hours(happened(ANA, 80, "complaint_raised")) == []
    (row,) = table(happened(BO, 200, "complaint_raised")).to_pylist()
    assert row["matters"] == []


def test_whether_somebody_ordered_again_is_judged_within_its_window() -> None:
    (row,) = table(
        happened(ANA, 300, "order_placed", 1000),
        happened(ANA, 250, "order_placed", 1000),
        happened(ANA, 200, "complaint_raised"),
        happened(ANA, 109, "order_placed", 1000),
        happened(ANA, 150, "message_received"),
        happened(ANA, 60, "message_received"),
        happened(ANA, -1, "order_placed", 500),
    ).to_pylist()
    first, second = row["matters"]
    assert (first["n_orders"], first["known_days"], first["returned"]) == (2, 100, False)
    assert second["returned"]
    assert [c["returned"] for c in row["pending"]] == [True]


def test_money_of_two_currencies_is_never_added() -> None:
    (row,) = table(
        happened(BO, 9, "order_placed", 900, currency="USD"),
        happened(BO, 8, "order_placed", 100),
        happened(BO, 7, "order_placed", 200),
        happened(BO, 6, "order_refunded", 50),
    ).to_pylist()
    assert (row["currency"], row["spent_minor"], row["refunded_minor"]) == ("EUR", 250, 50)


def told_of(person: int, name: str, value: float, unit: str = "probability") -> dict[str, Any]:
    return {"person": person, "name": name, "value": value, "unit": unit, "as_of": NOW, "label": ""}


def test_other_models_are_believed_in_their_own_currency_alone() -> None:
    events = [happened(who, 10, "order_placed", 10_000) for who in (ANA, BO, CHI)]
    found = scored(
        table(
            *events,
            scores=[
                told_of(ANA, "clv_minor", 777.0, "minor EUR"),
                told_of(BO, "clv_minor", 777.0, "minor JPY"),
                told_of(CHI, "clv_minor", 777.0, "minor EUR"),
                told_of(CHI, "churn_risk", 0.0),
            ],
        )
    )
    own = 10_000 * 0.3 * 365 / 90  # of somebody new, spread over ninety days
    assert found[ANA, "service_tier"]["value"] == 777.0
    assert found[BO, "service_tier"]["value"] == pytest.approx(own)
    assert found[CHI, "effort_saving_minor"]["value"] == 0.0  # who cannot leave cannot be kept
    assert found[ANA, "effort_saving_minor"]["value"] > 0


def test_the_firms_rates_hold_in_its_own_currency_alone() -> None:
    given = table(
        happened(ANA, 10, "order_placed", 10_000),
        happened(ANA, 5, "complaint_raised"),
        happened(BO, 10, "order_placed", 10_000, currency="JPY"),
        happened(BO, 6, "order_refunded", -1_000, currency="JPY"),
        happened(BO, 5, "complaint_raised"),
        happened(CHI, 5, "complaint_raised"),
    )
    context = replace(CONTEXT, parameters={**plugin.parameters, "currency": "EUR"})
    found = {
        row["person"]: row
        for row in plugin.score(plugin.fit(given, context), given, context).to_pylist()
        if row["name"] == "cost_to_serve_minor"
    }
    assert [found[who]["value"] for who in (ANA, BO, CHI)] == [15 * 60, 0.2 * 1_000, 15 * 60]
    assert found[BO]["reason"] == (
        "In the last year 1 complaint, 1 refund: 25 minutes of service and 200 JPY for goods that came back."
    )


def matters(n: int, help_: float, seed: int = 1) -> Matters:
    """Contacts of people of whom 0.6 stay unanswered, and more when answered."""
    rng = np.random.default_rng(seed)
    again = rng.uniform(0.5, 0.95, n)
    hours = np.where(rng.random(n) < 0.5, rng.uniform(0, 48, n), np.inf)
    stays = 0.6 + help_ * 0.5 ** (hours / 48)
    return Matters(again, hours, rng.random(n) < again * stays)


@pytest.mark.parametrize("truth", [0.0, 0.1, 0.3])
def test_help_is_found_where_there_is_much_to_learn_from(truth: float) -> None:
    found = helping.learn(matters(12_000, truth), 48.0, CONTEXT.rng())
    assert found.likely == pytest.approx(truth, abs=0.03)
    assert found.low <= truth + 0.01
    assert found.high >= truth - 0.01
    assert found.stays == pytest.approx(0.6, abs=0.03)
    assert found.is_learnt


def test_few_contacts_are_shrunk_towards_what_is_assumed() -> None:
    nothing = helping.learn(matters(0, 0.0), 48.0, CONTEXT.rng())
    few, many = (helping.learn(matters(n, 0.3), 48.0, CONTEXT.rng()) for n in (30, 3000))
    assert not nothing.is_learnt
    assert nothing.likely == pytest.approx(helping.ASSUMED, abs=0.01)
    assert abs(few.likely - helping.ASSUMED) < abs(many.likely - helping.ASSUMED)
    assert few.high - few.low > many.high - many.low


def test_the_interval_of_help_holds_the_truth_as_often_as_it_says() -> None:
    """Truths drawn from the prior itself: 95 % of the intervals hold them."""
    rng = np.random.default_rng(8)
    truths = np.clip(rng.normal(helping.ASSUMED, helping.ASSUMED_SD, 60), 0, None)
    held = 0
    for k, truth in enumerate(truths):
        found = helping.learn(matters(400, float(truth), seed=k), 48.0, CONTEXT.rng())
        held += found.low - 0.005 <= truth <= found.high + 0.005
    assert held >= 60 * 0.85


def test_the_ceiling_is_that_of_people_alike_and_widened_where_they_are_few() -> None:
    n = 120
    category = ["oil"] * 60 + ["tyres"] * 60
    worth = np.concatenate([np.arange(60.0), 1000 + np.arange(60.0)])
    like = likeness.likeness(
        pa.array(["EUR"] * n), pa.array(category), np.full(n, 50.0), np.full(n, 100.0), {"EUR": [40.0, 60.0]}
    )
    found = likeness.ceilings(like, worth)
    top, level, many = likeness.looked_up(like, found)
    assert top[0] == pytest.approx(np.quantile(worth[:60], 0.8))
    assert top[60] == pytest.approx(np.quantile(worth[60:], 0.8))
    assert (level == 0).all()
    assert (many == 60).all()
    alone = likeness.likeness(
        pa.array(["EUR", "JPY"]),
        pa.array(["glass", "oil"]),
        np.full(2, 50.0),
        np.full(2, 100.0),
        {"EUR": [40.0, 60.0]},
    )
    top, level, many = likeness.looked_up(alone, found)
    assert (level.tolist(), many.tolist()) == ([1, likeness.LEVELS], [120, 0])
    assert top[0] == pytest.approx(np.quantile(worth, 0.8))


def test_tiers_part_worth_and_not_heads() -> None:
    net = np.array([50.0, 30.0, 10.0, 5.0, 5.0, -3.0])
    (edges,) = tiers_of(pa.array(["EUR"] * 6), net).values()
    assert edges == [50.0, 30.0]  # one person is half of all worth, the next makes it eight tenths
    assert tiers_of(pa.array(["EUR"] * 2), np.array([0.0, -1.0]))["EUR"][0] > 1e300


def test_absurd_figures_give_no_nonsense() -> None:
    given = table(
        happened(ANA, 10, "order_placed", 9_000_000_000_000),
        happened(ANA, 9, "order_refunded", -9_100_000_000_000),
        happened(BO, -400, "order_placed", 100),
        happened(BO, 5, "complaint_raised"),
        happened(CHI, 0.00001, "order_placed", None),
    )
    found = scored(given)
    assert {person for person, _ in found} == {ANA, BO, CHI}
    for row in found.values():
        assert np.isfinite(row["value"])
        assert row["reason"].endswith(".")
    assert found[ANA, "effort_saving_minor"]["value"] == 0.0
    assert found[BO, "service_tier"]["unit"] == "minor"


def test_who_somebody_is_moves_no_score() -> None:
    def told(country: str, **traits: Any) -> dict[tuple[int, str], dict[str, Any]]:
        events = []
        for who in range(8, 60):
            events += [
                happened(who, 300 - who - 40 * k, "order_placed", 100 * who, country=country)
                for k in range(4)
            ]
            events.append(happened(who, 350, "person_identified", traits=traits, origin="declared"))
            if who % 3 == 0:
                events.append(
                    happened(who, 100, "complaint_raised", country=country, language=country.lower())
                )
        return scored(table(*events))

    assert told("ES", name="Ana", language="es", birth_date="1940-01-01", gender="f", age=86) == told(
        "KR", name="Bo", language="ko", birth_date="2004-01-01", gender="m", age=22
    )


def test_a_backtest_tells_dear_from_cheap_and_says_where_it_cannot() -> None:
    events = []
    for who in range(8, 208):
        often = who % 5 == 0
        events += [
            happened(who, 60 * k + who % 30, "order_placed", 9000 if often else 900) for k in range(1, 5)
        ]
        if often:
            events += [happened(who, d, "complaint_raised") for d in (40, 200, -20)]
            events += [happened(who, -d, "order_placed", 9000) for d in (10, 40)]
        elif who % 7 == 0:
            events.append(happened(who, -d if (d := who % 60) else -1, "order_placed", 900))
    found = plugin.backtest(table(*events), CONTEXT)
    metrics = {m.name: m for m in found.metrics}
    cost = metrics["later cost among those who were dear to serve"]
    assert cost.value == 1.0
    assert cost.baseline_value == judging.TOP
    saving = metrics["later worth among those where answering saves most"]
    assert saving.value > 0.9
    assert saving.low is not None
    assert saving.low <= saving.value <= (saving.high or 0)
    assert metrics["miss of the ceiling"].is_better
    assert {c.name for c in found.curves} == {"potential_minor", "cost_to_serve_minor"}
    assert "is not judged" in found.note
    nobody = plugin.backtest(table(happened(ANA, 10, "order_placed", 100)), CONTEXT)
    assert nobody.metrics == ()
    assert nobody.note
