"""The named people of every test of the screens: Alice owns, Bob answers, Charlie may do nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from django.test import Client

from rapport.events import rules, services, subscriptions
from rapport.people import selectors as people

if TYPE_CHECKING:
    from rapport.staff.models import Staff

MONDAY = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
Say = Callable[..., services.Range]
_numbers = itertools.count()

PASSWORD = "seven quiet otters swim"  # noqa: S105  of nobody


@pytest.fixture
def alice(db: None) -> Staff:  # noqa: ARG001  the fixture opens the database
    from rapport.staff import services as staff

    return staff.create_owner(
        name="Alice",
        email="alice@example.com",
        password=PASSWORD,
        organisation="Otter Tools",
        timezone="Europe/Madrid",
        language="en",
        currency="EUR",
    )


@pytest.fixture
def bob(alice: Staff) -> Staff:
    from rapport.staff import services as staff

    return staff.invite(alice, email="bob@example.com", name="Bob", role="answers")[0]


@pytest.fixture
def charlie(alice: Staff) -> Staff:
    from rapport.staff import services as staff

    return staff.invite(alice, email="charlie@example.com", name="Charlie", role="none")[0]


def logged_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    return client


def touchpoint(name: str, identifier: str, **columns: Any) -> dict[str, Any]:
    """A row in the TOUCHPOINT shape, on Monday noon unless told otherwise."""
    return {
        "message_id": columns.pop("message_id", f"m{next(_numbers)}"),
        "name": name,
        "ts": columns.pop("ts", MONDAY),
        "identifier": identifier,
        "properties": json.dumps(columns.pop("properties", {})),
        **columns,
    }


def identified(identifier: str, *also: str, **traits: Any) -> dict[str, Any]:
    """Somebody, their other identifiers and traits."""
    properties = {"traits": traits, "origin": "declared"}
    return touchpoint(
        "person_identified", identifier, also=list(also), evidence="import", properties=properties
    )


@pytest.fixture
def say(home: Path, db: None) -> Say:  # noqa: ARG001  what it speaks into
    """Record touchpoints, load them and let every subscriber react; gives their range."""
    people.forget_counts()

    def record(*rows: dict[str, Any], source: str = "crm", batch: str = "") -> services.Range:
        table = pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT)
        span = services.record(table, source=source, batch=batch)
        services.settle(span.first + span.n - 1)
        subscriptions.drain()
        return span

    return record


@pytest.fixture
def ana(say: Say) -> int:
    """Ana, known by customer number, mail and a handle; she ordered, wrote and complained."""
    say(
        identified("customer:1", "email:ana@example.org", name="Ana Ruiz", country="ES", language="es"),
        touchpoint(
            "person_identified",
            "mastodon:ana@example.social",
            also=["email:ana@example.org"],
            evidence="login",
            properties={"traits": {"author_name": "ana"}, "origin": "observed"},
        ),
        touchpoint(
            "order_placed",
            "customer:1",
            channel="shop",
            value_minor=8450,
            currency="EUR",
            properties={
                "order_id": "1042",
                "items": [
                    {"product_code": "w", "product_name": "Wiper blades", "quantity": 2},
                    {"product_code": "b", "product_name": "Battery cable", "quantity": 1},
                ],
            },
        ),
        touchpoint(
            "post_published",
            "mastodon:ana@example.social",
            venue="mastodon",
            text="Does anyone know <why>?",
            ts=MONDAY + dt.timedelta(hours=1),
        ),
        touchpoint(
            "complaint_raised",
            "customer:1",
            text="It came late.",
            ts=MONDAY + dt.timedelta(hours=2),
            properties={"reason": "late"},
        ),
        batch="import-1",
    )
    return people.person_id("customer:1")
