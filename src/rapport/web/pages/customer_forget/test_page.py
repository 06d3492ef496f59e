"""Ana is forgotten at her word: asked twice, certified, and her links open nothing any more."""

from __future__ import annotations

import re
from typing import NoReturn

import pytest
from django.test import Client

from rapport.consent import links, services
from rapport.consent import selectors as consent
from rapport.kit.errors import NotFound, Unavailable
from rapport.people import selectors as people
from rapport.staff.models import Staff

ANA = "email:ana@example.org"


@pytest.fixture
def page(alice: Staff, ana: int) -> str:
    return links.url_for(ANA, "forget").removeprefix(links.public_url())


def post(page: str, **form: str) -> str:
    return Client(enforce_csrf_checks=True).post(page, form).content.decode()


def test_it_says_what_goes_and_what_stays_before_it_asks(page: str) -> None:
    html = Client().get(page).content.decode()
    assert "What goes" in html
    assert "What stays, and why" in html
    assert "bills that the law makes us keep" in html
    assert "Are you sure?" not in html
    assert "Are you sure?" in post(page, do="ask")
    assert people.person_id(ANA)


def test_without_the_tick_nothing_is_erased(page: str) -> None:
    answer = Client().post(page, {"do": "erase"})
    assert answer.status_code == 400
    assert "Nothing was erased yet." in answer.content.decode()
    assert people.person_id(ANA)
    assert consent.open_requests() == []


def test_looking_erases_nothing_whatever_the_address_says(page: str) -> None:
    for _again in range(3):
        assert Client().get(page, {"do": "erase", "sure": "yes"}).status_code == 200
        assert Client().head(page, {"do": "erase", "sure": "yes"}).status_code == 200
    assert people.person_id(ANA)
    assert consent.open_requests() == []


def test_she_is_forgotten_and_gets_a_certificate(page: str) -> None:
    services.grant(ANA, "marketing", "email", how="form")
    html = post(page, do="erase", sure="yes")
    assert "You are forgotten" in html
    (erasure,) = consent.erasures()
    assert str(erasure.id) in html
    assert re.search(r"Addresses and numbers of yours</dt><dd>[23]</dd>", html)
    with pytest.raises(NotFound):
        people.person_id(ANA)
    assert consent.is_erased(ANA)
    (done,) = consent.closed_requests()
    assert (done.kind, done.state, done.identifier, done.erasure) == ("erasure", "done", "", erasure.id)
    assert "ana@example.org" not in html
    assert "/my/" not in html, "no link of hers opens anything, so none is shown"


def test_afterwards_every_page_says_that_nothing_is_known(page: str) -> None:
    post(page, do="erase", sure="yes")
    for name in ("everything", "take", "correct", "forget"):
        html = Client().get(links.url_for(ANA, name).removeprefix(links.public_url())).content.decode()
        assert "We know nothing of you" in html
    assert "nothing to forget" in post(page, do="erase", sure="yes")


def test_what_cannot_be_done_this_minute_stays_on_the_list(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_given: object, **_more: object) -> NoReturn:
        raise Unavailable("the loader holds the lake")

    monkeypatch.setattr(services, "erase", busy)
    html = post(page, do="erase", sure="yes")
    assert "could not be carried out this minute" in html
    (asked,) = consent.open_requests()
    assert asked.kind == "erasure"
    assert str(asked.id) in html
