"""What the loader would refuse is told beforehand, by the loader's own query."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import rules, services
from rapport.events.tests.say import ask, load, message, send
from rapport.kit import clock

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.django_db]


def row(**changes: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{len(changes)}{sorted(changes.items())}",
        "name": "order_placed",
        "ts": clock.now(),
        "identifier": "customer:1",
        "properties": '{"order_id": "7"}',
        **changes,
    }


WRONG = [
    (row(properties="{}"), "missing_property", "order_id"),
    (row(properties='{"order_id": 7}'), "wrong_type", "order_id"),
    (row(properties="{"), "bad_properties", "properties"),
    (row(name="said_nothing_known", properties="["), "bad_properties", "properties"),
    (row(properties="[1]"), "missing_property", "order_id"),
    (row(identifier="ana"), "no_identifier", "identifier"),
    (row(name="Order Placed"), "bad_name", "event"),
    (row(ts=dt.datetime(1980, 1, 1, tzinfo=dt.UTC)), "ancient", "timestamp"),
    (row(also=[f"email:{i}@example.org" for i in range(20)]), "too_many_identifiers", "also"),
]


def test_objections_are_those_that_the_loader_then_makes() -> None:
    rows = [row(), *(wrong for wrong, _, _ in WRONG), row(name="never_heard_of", properties='{"a": 1}')]
    table = pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT)
    said = services.objections(table)
    assert [(o.place, o.reason, o.field) for o in said] == [
        (place, reason, field) for place, (_, reason, field) in enumerate(WRONG, start=1)
    ]
    assert all(objection.message for objection in said)
    services.record(table, source="crm")
    (loaded,) = load()
    assert loaded.quarantined == len(WRONG)
    assert ask("SELECT name FROM event ORDER BY seq") == [("order_placed",), ("never_heard_of",)]


@pytest.mark.parametrize("key", ["", "*", "**", '"', "\\", "#-1", "[0]"])
def test_no_name_that_a_sender_gives_a_property_stops_the_loader(key: str) -> None:
    send(message(event="Order Completed", properties={"order_id": "7", key: "x"}))
    (loaded,) = load()
    assert (loaded.accepted, loaded.quarantined) == (1, 0)
