"""What the market hands over: the shape, the plan, the same bytes each time, chunks that stay small."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from rapport.demo import market
from rapport.demo.tests.conftest import END, START, Seen
from rapport.events import plan
from rapport.events.rules import IDENTIFIERS_MAX, TOUCHPOINT, normal_identifier
from rapport.kit import clock
from rapport.kit.errors import Invalid

JSON_TYPES = {
    "string": {"VARCHAR"},
    "integer": {"UBIGINT", "BIGINT"},
    "object": {"OBJECT"},
    "array": {"ARRAY"},
}
JSON_TYPES["number"] = JSON_TYPES["integer"] | {"DOUBLE"}


def digest(n_people: int, seed: int) -> str:
    """A fingerprint of everything a small market yields, buffers and all."""
    found = hashlib.sha256()
    for table in market.generate(n_people, seed, END):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        found.update(sink.getvalue())
    return found.hexdigest()


def test_another_process_makes_the_same_bytes() -> None:
    code = "from rapport.demo.tests.test_shape import digest; print(digest(120, 7))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == digest(120, 7)


def test_another_seed_size_or_end_makes_another_market() -> None:
    assert len({digest(60, 7), digest(60, 8), digest(61, 7)}) == 3
    later = pa.concat_tables(market.generate(60, 7, END + dt.timedelta(days=1)))
    ids = pa.concat_tables(market.generate(60, 7, END)).column("message_id")
    assert not pc.any(pc.is_in(later.column("message_id"), ids.combine_chunks())).as_py()


def test_rows_are_the_same_whatever_the_chunk() -> None:
    small = pa.concat_tables(market.generate(2600, 3, END, events_scale=0.02))
    large = list(market.generate(2600, 3, END, events_scale=0.02, chunk_people=5000))
    assert len(large) == 2  # what is on offer, and everybody
    order = [("ts", "ascending"), ("message_id", "ascending")]
    assert small.sort_by(order).equals(pa.concat_tables(large).sort_by(order))
    assert pc.all(pc.greater_equal(large[1]["ts"][1:], large[1]["ts"][:-1])).as_py()


def test_only_a_chunk_is_held_at_a_time() -> None:
    market.generate(1, 1, END)
    list(market.generate(10, 1, END))  # what is kept for good, the lexicon, is there now
    before, sizes, held = pa.total_allocated_bytes(), [], []
    for table in market.generate(10_000, 3, END, events_scale=0.02):
        sizes.append(table.nbytes)
        held.append(pa.total_allocated_bytes() - before)
        del table
    assert len(sizes) == 5
    # Were chunks kept, the last one would find four times what the second found.
    assert held[-1] < 1.7 * held[1]


def test_the_shape_is_that_of_touchpoints(seen: Seen) -> None:
    for table in (seen.block.touchpoints, seen.listings):
        assert table.schema == TOUCHPOINT
        for field in TOUCHPOINT:
            assert field.nullable or table.column(field.name).null_count == 0
    ids = pa.concat_tables([seen.listings, seen.block.touchpoints]).column("message_id")
    assert len(ids.unique()) == len(ids)
    assert seen.one("SELECT count(*) FROM event WHERE text = ''") == 0


def test_everything_lies_in_the_two_years(seen: Seen) -> None:
    ((first, last),) = seen.rows("SELECT min(ts), max(ts) FROM event")
    assert isinstance(first, dt.datetime)
    assert isinstance(last, dt.datetime)
    assert START - dt.timedelta(hours=1) <= first < START + dt.timedelta(hours=2)
    assert END - dt.timedelta(hours=12) < last < END


def test_every_name_is_in_the_plan(seen: Seen) -> None:
    names = {str(name) for (name,) in seen.rows("SELECT DISTINCT name FROM event")}
    assert names <= plan.builtin().keys()
    assert names >= {
        "order_placed", "order_refunded", "person_identified", "page_viewed", "screen_viewed", "site_searched",
        "post_published", "message_received", "message_sent", "message_opened", "message_clicked",
        "message_unsubscribed", "survey_answered", "complaint_raised", "community_joined", "community_posted",
    }  # fmt: skip


def test_properties_are_what_the_plan_says(seen: Seen) -> None:
    seen.con.register("listing", seen.listings)
    every = "(SELECT name, properties FROM event UNION ALL SELECT name, properties FROM listing)"
    assert seen.one(f"SELECT count(*) FROM {every} WHERE NOT json_valid(properties)") == 0
    found = seen.rows(
        f"WITH e AS (SELECT name, properties, unnest(json_keys(properties)) AS property FROM {every})"
        " SELECT DISTINCT name, property, json_type(properties, '$.' || property) FROM e"
    )
    for name, prop, kind in found:
        planned = plan.builtin()[str(name)].properties
        assert str(prop) in planned, f"{name} has {prop}, which is not in the plan"
        assert kind in JSON_TYPES[planned[str(prop)].type], f"{name}.{prop} is {kind}"
    for event in plan.builtin().values():
        for prop in event.properties.values():
            if prop.required:
                path = f"$.{prop.name}"
                without = f"json_extract_string(properties, '{path}') IS NULL"
                assert (
                    seen.one(f"SELECT count(*) FROM {every} WHERE name = '{event.name}' AND {without}") == 0
                )


def test_identifiers_are_spelled_as_the_log_spells_them(seen: Seen) -> None:
    spelled = seen.rows("SELECT DISTINCT identifier FROM event UNION SELECT DISTINCT unnest(also) FROM event")
    for (identifier,) in spelled:
        namespace, _, value = str(identifier).partition(":")
        assert normal_identifier(namespace, value) == identifier
    assert seen.one("SELECT max(len(also)) + 1 FROM event") <= IDENTIFIERS_MAX
    assert seen.one("SELECT count(*) FROM event WHERE list_contains(also, identifier)") == 0
    assert seen.one("SELECT count(*) FROM event WHERE len(also) > 0 AND evidence IS NULL") == 0


def test_products_on_offer_come_first() -> None:
    first = next(market.generate(30, 1, END))
    assert set(first["name"].to_pylist()) == {"product_listed"}
    assert all(i.startswith("product:") for i in first["identifier"].to_pylist())


def test_a_person_leaves_about_fifty_touchpoints(seen: Seen) -> None:
    assert 40 < seen.one("SELECT count(*) / 2000 FROM event") < 60
    per_person = (
        "SELECT quantile_cont(n, 0.99) / median(n) FROM"
        " (SELECT count(*) AS n FROM event JOIN single USING (identifier) GROUP BY person)"
    )
    assert seen.one(per_person) > 5  # a heavy tail


def test_the_end_defaults_to_midnight() -> None:
    with clock.frozen(dt.datetime(2026, 3, 2, 15, 30, tzinfo=dt.UTC)):
        assert market.market(5).end == END


def test_what_cannot_be_a_market_is_refused() -> None:
    with pytest.raises(Invalid, match="0 people"):
        market.market(0)
    with pytest.raises(Invalid, match="no time zone"):
        market.market(5, 1, dt.datetime(2026, 3, 2))  # noqa: DTZ001
    with pytest.raises(Invalid, match="negative"):
        market.market(5, -1)


@pytest.mark.parametrize("n_people", [1, 2, 7, 40])
def test_tiny_markets_work(n_people: int) -> None:
    tables = list(market.generate(n_people, 5, END))
    assert tables[-1].schema == TOUCHPOINT
    assert market.truth(n_people, 5, END).table("person").num_rows == n_people


def test_a_thinned_market_keeps_its_orders() -> None:
    whole, thin = (pa.concat_tables(market.generate(400, 5, END, events_scale=s)) for s in (1.0, 0.2))
    orders = [pc.sum(pc.equal(t["name"], "order_placed")).as_py() for t in (whole, thin)]
    assert orders[1] == pytest.approx(orders[0], rel=0.1)
    assert thin.num_rows < 0.45 * whole.num_rows
