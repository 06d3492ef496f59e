"""The way in: an address, or an old link, and a fresh link by mail; nobody learns who is known."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from rapport.consent import links, services
from rapport.kit import clock
from rapport.messaging import selectors as messaging
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified

ANA = "email:ana@example.org"


@pytest.fixture
def known(alice: Staff, say: Say) -> None:
    say(identified("customer:1", ANA, name="Ana Ruiz"))


def sent() -> list[tuple[str, str, str]]:
    return [(d.identifier, d.template, d.language) for d in messaging.deliveries()]


def test_whoever_is_known_gets_a_link_and_nobody_learns_it(known: None) -> None:
    client = Client(enforce_csrf_checks=True)
    pages = [
        client.post("/my/", {"email": email}, follow=True).content
        for email in (" Ana@Example.org ", "nobody@example.org")
    ]
    assert pages[0] == pages[1]
    assert b"If we know this address" in pages[0]
    assert sent() == [(ANA, "own_pages", "en")]


def test_asked_for_twice_in_a_quarter_of_an_hour_it_comes_once(known: None, noon: dt.datetime) -> None:
    for minutes in (0, 10):
        with clock.frozen(noon + dt.timedelta(minutes=minutes)):
            Client().post("/my/", {"email": "ana@example.org"})
    assert len(sent()) == 1
    with clock.frozen(noon + dt.timedelta(minutes=16)):
        Client().post("/my/", {"email": "ana@example.org"})
    assert len(sent()) == 2


def test_no_more_than_eight_come_in_a_day(known: None, noon: dt.datetime) -> None:
    for n in range(12):
        with clock.frozen(noon + dt.timedelta(minutes=16 * n)):
            Client().post("/my/", {"email": "ana@example.org"})
    assert len(sent()) == 8


@pytest.mark.parametrize(
    ("email", "told"), [("", "Write your e-mail address."), ("ana", "This is no e-mail address.")]
)
def test_what_is_no_address_is_told(known: None, email: str, told: str) -> None:
    answer = Client().post("/my/", {"email": email})
    assert answer.status_code == 400
    assert told in answer.content.decode()


def test_an_old_link_mails_a_new_one_to_its_own_address_alone(known: None) -> None:
    with clock.frozen(clock.now() - dt.timedelta(days=900)):
        old = links.standing_token(ANA)
    answer = Client(enforce_csrf_checks=True).post(
        f"/my/new/{old}?page=take&lang=de", {"email": "bo@example.org"}
    )
    assert "a•••@example.org" in answer.content.decode()
    assert sent() == [(ANA, "own_pages", "de")]
    assert Client().get(f"/my/new/{old}").status_code == 405


def test_an_address_that_takes_nothing_is_told(known: None) -> None:
    services.suppress(ANA, "email", "bounced")
    html = Client().post(f"/my/new/{links.standing_token(ANA)}").content.decode()
    assert "We cannot write to you there" in html


def test_a_telephone_number_gets_no_mail(known: None) -> None:
    answer = Client().post(f"/my/new/{links.standing_token('phone:+34600')}")
    assert answer.status_code == 400
    assert "only write to e-mail addresses" in answer.content.decode()


@pytest.mark.parametrize("path", ["/my/cart", "/u/", "/u/a/b", "/objects"])
def test_where_no_page_is_customers_are_told_in_their_own_frame(alice: Staff, path: str) -> None:
    answer = Client().get(path)
    html = answer.content.decode()
    assert answer.status_code == 404
    assert "Otter Tools" in html
    assert "Ctrl-K" not in html
