"""What Segment's libraries send beside event and properties, and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rapport.events.tests.say import ask, load, message, send

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.django_db]

UUID = "0b9c2a1e-5b0f-4a1c-9f51-2f3c7c1d9e10"


def properties() -> dict[str, Any]:
    ((found,),) = ask("SELECT properties FROM event")
    kept: dict[str, Any] = json.loads(found)
    return kept


def test_campaign_category_and_integrations_join_the_properties() -> None:
    send(
        message(
            "page",
            category="shop",
            properties={"path": "/"},
            context={"campaign": {"name": "spring", "source": "mail"}, "ip": "203.0.113.9"},
            integrations={"All": False},
        )
    )
    load()
    assert properties() == {
        "path": "/",
        "category": "shop",
        "campaign": "spring",
        "integrations": {"All": False},
    }


def test_what_was_said_in_the_properties_comes_first() -> None:
    send(message(properties={"campaign": "mine"}, context={"campaign": {"name": "theirs"}}))
    load()
    assert properties() == {"campaign": "mine"}


@pytest.mark.parametrize(
    "fields",
    [
        {"integrations": {}},
        {"integrations": None},
        {"integrations": "all"},
        {"integrations": [1]},
        {"context": None},
        {"context": "here"},
        {"context": {"campaign": "spring"}},
        {"context": {"campaign": {"name": None, "source": " "}}},
        {"category": "only pages have one"},
    ],
)
def test_what_says_nothing_adds_nothing(fields: dict[str, Any]) -> None:
    send(message(properties={"a": 1}, **fields))
    load()
    assert properties() == {"a": 1}


@pytest.mark.parametrize(
    ("previous", "joined"),
    [
        (UUID, {f"anonymous:{UUID}"}),
        ("ana-before", {"anonymous:ana-before", "customer:ana-before"}),
        ("ana", {"anonymous:ana"}),
    ],
)
def test_an_alias_joins_what_its_form_says_it_is(previous: str, joined: set[str], home: Path) -> None:
    send(message("alias", previousId=previous))
    load()
    said = ask("SELECT s.identifier FROM claim AS c JOIN subject AS s ON s.subject IN (c.a, c.b)")
    assert {row[0] for row in said} - {"customer:ana"} == joined
