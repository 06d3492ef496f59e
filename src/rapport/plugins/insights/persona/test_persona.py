"""What the query counts, that planted kinds come back and no others, and that what is sensitive never enters."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.kit import query
from rapport.plugins.insights.persona import choosing, encoding, judging, learned, mixture
from rapport.plugins.insights.persona.plugin import plugin

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)  # a Monday
ANA, BO, CHI = 8, 16, 24
FEW = {**plugin.parameters, "refits": 5, "most": 3}


def context(**parameters: Any) -> Context:
    return Context(now=NOW, seed=3, parameters={**FEW, **parameters})


def event(
    subject: int, days: float, name: str, channel: str | None = None, **properties: Any
) -> dict[str, Any]:
    return {
        "subject": subject,
        "ts": NOW - dt.timedelta(days=days),
        "name": name,
        "channel": channel,
        "currency": "EUR",
        "properties": json.dumps(properties),
    }


def item(category: str, price: int = 1000, quantity: int = 1) -> dict[str, Any]:
    return {"category": category, "unit_price_minor": price, "quantity": quantity}


def asked(
    events: list[dict[str, Any]], scores: list[dict[str, Any]] | None = None
) -> dict[int, dict[str, Any]]:
    """What the query yields, by person."""
    schema = pa.schema(
        [
            ("subject", pa.int64()),
            ("ts", pa.timestamp("us", tz="UTC")),
            ("name", pa.string()),
            ("channel", pa.string()),
            ("currency", pa.string()),
            ("properties", pa.string()),
        ]
    )
    people = sorted({row["subject"] for row in events})
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("told", pa.Table.from_pylist(events, schema=schema))
        con.execute("CREATE VIEW event AS SELECT * REPLACE (properties::JSON AS properties) FROM told")
        con.register("identity", pa.table({"subject": people, "person": people, "core": people}))
        con.execute(
            "CREATE TABLE score (person BIGINT, name VARCHAR, value DOUBLE, unit VARCHAR, label VARCHAR)"
        )
        for row in scores or []:
            con.execute("INSERT INTO score VALUES ($person, $name, $value, '', $label)", row)
        found = query.run(con, plugin.needs, {"now": NOW, "horizon_days": 90}).to_arrow_table().to_pylist()
    return {row["person"]: row for row in found}


def listed(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["name"]: entry["n"] for entry in entries}


def test_the_query_counts_what_somebody_buys_and_how() -> None:
    found = asked(
        [
            event(
                ANA,
                400,
                "person_identified",
                traits={"country": "kr", "language": "ko", "birth_date": "1980-05-01"},
            ),
            event(ANA, 40, "order_placed", "app", items=[item("tyres", 2000, 4), item("oil")]),
            event(ANA, 10, "order_placed", "web", items=[item("oil")]),
            event(ANA, -5, "order_placed", "web", items=[item("wipers")]),
            event(BO, 9, "order_placed", "shop", items=[item("tyres", 1000, 1)]),
            event(ANA, 9, "order_refunded"),
            event(CHI, 9, "page_viewed", "web", path="/guide/oil"),  # nobody knows who looked
        ]
    )
    assert set(found) == {ANA, BO}
    ana = found[ANA]
    assert (ana["age_years"], ana["country"], ana["language"], ana["n_orders"]) == (46, "KR", "ko", 2)
    assert listed(ana["bought"]) == {"tyres": 1, "oil": 2}
    assert listed(ana["ordered_by"]) == {"app": 1, "web": 1}
    assert listed(ana["next_bought"]) == {"wipers": 1}
    assert ana["refund_share"] == 0.5
    assert ana["orders_year"] == pytest.approx(2 / (400 / 365))
    # Half above the median of tyres (1500), twice the usual quantity less a little; oil is the usual.
    assert ana["price_level"] == pytest.approx(np.log(2000 / 1500) / 3)
    assert found[BO]["price_level"] == pytest.approx(np.log(1000 / 1500))


def test_hours_are_local_and_a_visit_of_many_pages_is_one_moment() -> None:
    told = event(ANA, 90, "person_identified", traits={"country": "KR"})
    page = {"path": "/guide/oil", "url": "https://shop.example/guide/oil"}
    came = ["https://www.search.example/x", "https://shop.example/", ""]
    looks = [
        event(ANA, 2.99 - k / 10_000, "page_viewed", "web", referrer=r, **page) for k, r in enumerate(came)
    ]
    ana = asked([told, *looks])[ANA]
    assert listed(ana["hours"]) == {"weekday evenings": 1}  # Friday 12:00 UTC is 21:00 in Seoul
    assert listed(ana["looks_by"]) == {"web": 3}
    assert listed(ana["sections"]) == {"guide": 3}
    assert listed(ana["referrers"]) == {"search.example": 1}


def test_what_other_models_wrote_is_read_and_the_persona_so_far() -> None:
    scores = [
        {"person": ANA, "name": "interest:oil", "value": 0.7, "label": ""},
        {"person": ANA, "name": "persona", "value": 0.9, "label": "p4"},
        {"person": ANA, "name": "rfm", "value": 12.0, "label": "champions"},
    ]
    ana = asked([event(ANA, 3, "order_placed", items=[])], scores)[ANA]
    assert ana["former"] == "p4"
    assert ana["figures"] == [{"name": "interest:oil", "value": 0.7}]


def person(number: int, goods: dict[str, int], channel: str, **columns: Any) -> dict[str, Any]:
    entries = [{"name": name, "n": n} for name, n in goods.items()]
    return {
        "person": number, "former": "", "age_years": None, "country": "", "language": "", "n_orders": 3,
        "orders_year": 3.0, "price_level": 0.0, "pieces": 0.0, "refund_share": 0.0, "views_year": 0.0, "says_year": 0.0,
        "writes_year": 0.0, "bought": entries, "ordered_by": [{"name": channel, "n": 3}], "looks_by": [], "hours": [],
        "referrers": [], "sections": [], "figures": [], "next_bought": entries, **columns,
    }  # fmt: skip


def kinds(n: int = 120, **columns: Any) -> pa.Table:
    """Half of them buy tyres and oil by app, the others wax and racks in the shop."""
    rng = np.random.default_rng(5)
    rows = []
    for k in range(n):
        goods = ("tyres", "oil") if k % 2 else ("wax", "racks")
        drawn = {goods[0]: int(rng.integers(1, 4)), goods[1]: int(rng.integers(1, 4))}
        rows.append(person(k, drawn, "app" if k % 2 else "shop", orders_year=float(rng.gamma(2)), **columns))
    return pa.Table.from_pylist(rows)


def one_cloud(n: int = 160) -> pa.Table:
    """Everybody draws from the same urn: there are no kinds."""
    rng = np.random.default_rng(6)
    goods = ("tyres", "oil", "wax", "racks")
    rows = []
    for k in range(n):
        drawn = rng.multinomial(4, [0.25] * 4)
        rows.append(
            person(
                k, {g: int(m) for g, m in zip(goods, drawn, strict=True) if m}, str(rng.choice(["app", "shop"])),
                orders_year=float(rng.gamma(2)), price_level=float(rng.normal()),
            )
        )  # fmt: skip
    return pa.Table.from_pylist(rows)


def test_planted_kinds_are_found_again_and_each_person_in_theirs() -> None:
    table = kinds()
    model = plugin.fit(table, context())
    said = plugin.score(model, table, context())
    labels = said.column("label").to_numpy(zero_copy_only=False).astype(str)
    assert len(set(labels)) == 2
    assert len(set(labels[::2])) == len(set(labels[1::2])) == 1
    assert min(said.column("value").to_pylist()) > 0.6
    reason = said.column("reason")[1].as_py()
    assert reason.startswith("Like the others of this persona: ")
    assert all(part in reason for part in ("orders in the app", "buys oil", "buys tyres"))
    assert " and " in reason


def test_people_without_kinds_have_no_persona() -> None:
    table = one_cloud()
    model = plugin.fit(table, context())
    told = json.loads(model)
    assert told["choice"]
    assert not any(t["is_stable"] for t in told["choice"])
    assert told["personas"] == []
    assert plugin.score(model, table, context()).num_rows == 0
    found = plugin.backtest(table, context())
    assert found.metrics == ()
    assert "no stable personas" in found.note


def test_too_few_people_are_not_parted() -> None:
    model = plugin.fit(kinds(40), context())
    assert json.loads(model)["choice"] == []
    assert plugin.score(model, kinds(40), context()).num_rows == 0


def test_keys_go_on_through_a_refit_and_a_new_one_is_never_an_old_one() -> None:
    own = np.array([0] * 50 + [1] * 30 + [2] * 20)
    former = pa.array(["p7"] * 45 + [""] * 5 + ["p2"] * 30 + [""] * 20)
    assert learned.keys_for(own, 3, former, first_free=1) == ["p7", "p2", "p8"]
    assert learned.keys_for(own, 3, former, first_free=12) == ["p7", "p2", "p12"]
    # Of a persona that fell apart the larger half goes on under its key.
    assert learned.keys_for(own, 3, pa.array(["p1"] * 100), first_free=2) == ["p1", "p2", "p3"]
    assert learned.keys_for(own, 3, pa.array([""] * 100), first_free=5) == ["p5", "p6", "p7"]


def test_a_refit_on_the_same_people_keeps_every_key() -> None:
    table = kinds()
    said = plugin.score(plugin.fit(table, context(first_free=4)), table, context())
    again = table.set_column(table.column_names.index("former"), "former", said.column("label"))
    later = Context(now=NOW, seed=11, parameters={**FEW, "first_free": 6})
    assert plugin.score(plugin.fit(again, later), again, later).column("label").equals(said.column("label"))


def test_what_is_sensitive_never_enters() -> None:
    rows = kinds().to_pylist()
    for k, row in enumerate(rows):
        row["bought"].append({"name": ("fertility_tests", "kosher_food", "umstandsmode")[k % 3], "n": 9})
        row["sections"] = [{"name": "religious-books" if k % 2 else "guide", "n": 1}]
        row["figures"] = [
            {"name": "interest:politics", "value": float(k % 2)}, {"name": "interest:tyres", "value": k / 120},
        ]  # fmt: skip
    table = pa.Table.from_pylist(rows)
    scales = encoding.learn(table)
    entered = {level for _, level in scales.columns} | set(scales.grids) | set(scales.bands)
    assert not {
        name
        for name in entered
        if any(w in name for w in ("kosher", "fertility", "umstand", "religi", "politic"))
    }
    assert "interest:tyres" in scales.grids
    without = encoding.encode(kinds(), scales)
    assert np.array_equal(
        encoding.encode(table, scales).counts[:, scales.blocks["bought"]],
        without.counts[:, scales.blocks["bought"]],
    )


def test_what_is_missing_says_nothing() -> None:
    scales = encoding.learn(kinds(age_years=40.0))
    nobody = pa.Table.from_pylist([person(1, {}, "app", ordered_by=[{"name": "app", "n": 0}], orders_year=None)],
                                  schema=kinds().schema)  # fmt: skip
    people = encoding.encode(nobody, scales)
    inputs = mixture.weigh(people, scales, mixture.alikeness(people, scales))
    assert inputs.drawn[:, scales.blocks["bought"]].sum() == 0
    assert inputs.known.sum() == 0


def test_normal_scores_are_of_the_place_among_all_and_ties_share_theirs() -> None:
    values = np.array([1.0, 2.0, 2.0, 3.0, 100.0])
    grid = np.quantile(values, encoding.GRID)
    found = encoding._normal(np.array([1.0, 2.0, 3.0, 100.0, 1e9, np.nan]), grid)
    assert np.isnan(found[-1])
    assert (np.diff(found[:-1]) >= 0).all()
    assert found[3] == found[4]
    assert abs(found[1]) < 0.5


def test_counts_of_one_person_speak_less_the_more_alike_they_are() -> None:
    scales = encoding.Scales({"bought": ("oil", "tyres")}, {}, {})
    alike = encoding.People(np.array([[9.0, 0, 0], [0, 9.0, 0]]), np.zeros((2, 0)))
    mixed = encoding.People(np.array([[5.0, 4.0, 0], [4.0, 5.0, 0]]), np.zeros((2, 0)))
    (entire,), (none,) = mixture.alikeness(alike, scales), mixture.alikeness(mixed, scales)
    assert entire == pytest.approx(1.0)
    assert none == pytest.approx(1 / 5)  # what the voice of purchases asks for at least
    assert mixture.weigh(alike, scales, [entire]).drawn.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_likelihood_of_a_mixture_is_that_of_its_formula() -> None:
    rng = np.random.default_rng(2)
    inputs = mixture.Inputs(
        rng.random((4, 3)), np.array([[1.0], [0.5], [0.0], [1.0]]), rng.normal(size=(4, 1)), (slice(0, 3),)
    )
    model = mixture.Mixture(
        np.array([0.3, 0.7]), np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]), np.array([[-1.0], [1.0]]),
        np.array([[0.5], [2.0]]),
    )  # fmt: skip
    found = mixture.log_likelihood(inputs, model)
    for i in range(4):
        for k in range(2):
            z = (inputs.level[i, 0] - model.mean[k, 0]) / model.spread[k, 0]
            expected = np.log(model.size[k]) + inputs.drawn[i] @ np.log(model.shares[k])
            expected += inputs.known[i, 0] * (-0.5 * z**2 - np.log(model.spread[k, 0]))
            assert found[i, k] == pytest.approx(expected)


def test_personas_say_more_of_others_than_dealt_out_inputs_do_and_more_than_demographics() -> None:
    found = plugin.backtest(kinds(country="DE", language="de"), context())
    agreement, gain, *_ = found.metrics
    assert agreement.value > 0.9
    assert gain.baseline_value < gain.value
    surprise = next(m for m in found.metrics if m.baseline.startswith("age band"))
    assert surprise.high is not None
    assert surprise.high < surprise.baseline_value
    untold = plugin.backtest(kinds(), context()).metrics
    assert not [m for m in untold if m.baseline.startswith("age band")], "nobody's demographics are known"


def test_shuffling_keeps_every_column_and_breaks_every_row() -> None:
    table = kinds()
    known = learned.read(plugin.fit(table, context()))
    people = encoding.encode(table, known.scales)
    dealt = judging.shuffled(people, known, np.random.default_rng(0))
    assert np.array_equal(np.sort(dealt.counts, axis=0), np.sort(people.counts, axis=0))
    assert not np.array_equal(dealt.counts, people.counts)


def test_agreement_of_partitions() -> None:
    same = choosing.crossed(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), 2)
    assert choosing.adjusted_rand(same) == 1.0
    assert choosing.jaccard(same).tolist() == [1.0, 1.0]
    apart = choosing.crossed(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 2)
    assert choosing.adjusted_rand(apart) == pytest.approx(-0.5)
    assert choosing.jaccard(apart) == pytest.approx([1 / 3, 1 / 3])
