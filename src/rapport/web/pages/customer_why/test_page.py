"""Why Ana hears from us."""

from __future__ import annotations

import pytest
from django.test import Client

from rapport.consent import links, services
from rapport.messaging import services as messaging
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified

ANA, BO = "email:ana@example.org", "email:bo@example.org"


@pytest.fixture
def page(alice: Staff, say: Say) -> str:
    say(identified("customer:1", ANA, name="Ana Ruiz"), identified("customer:2", BO, name="Bo"))
    services.grant(ANA, "marketing", "email", how="form", shown="shop.example/news")
    return links.url_for(ANA, "why").removeprefix(links.public_url())


def message_to(identifier: str) -> str:
    outcome = messaging.send(
        messaging.Outgoing(
            to=identifier,
            purpose="service",
            template="receipt",
            key=f"receipt:{identifier}",
            context={"number": "1042", "what": "Wipers", "date": "today", "amount": "84.50 EUR"},
        )
    )
    return str(outcome.delivery)


def test_each_use_stands_with_its_ground_and_evidence(page: str) -> None:
    html = Client().get(page).content.decode()
    assert "Allowed at present" in html
    assert "in a form (shop.example/news)" in html
    assert "We have a fair interest in it" in html
    assert "Not allowed, so we do not do it" in html
    assert "News and offers: text message" in html


def test_one_message_is_explained_to_whom_it_went(page: str) -> None:
    html = Client().get(page, {"message": message_to(ANA)}).content.decode()
    assert "The message you ask about" in html
    assert "It went to a•••@example.org on" in html
    assert "Needed for what you ordered" in html


@pytest.mark.parametrize("asked", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_message_that_is_none_is_passed_over(page: str, asked: str) -> None:
    html = Client().get(page, {"message": asked}).content.decode()
    assert "The message you ask about" not in html
    assert "Allowed at present" in html


def test_what_went_to_somebody_else_is_not_told(page: str) -> None:
    html = Client().get(page, {"message": message_to(BO)}).content.decode()
    assert "The message you ask about" not in html
