"""One-click unsubscribing as RFC 8058 has it, and what a scanner of links must not be able to do."""

from __future__ import annotations

import pytest
from django.test import Client

from rapport.consent import links, services
from rapport.consent import selectors as consent
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified

ANA = "email:ana@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path_of(url: str) -> str:
    return url.removeprefix(links.public_url())


@pytest.fixture
def way_out(say: Say, alice: Staff) -> str:
    """Ana allowed marketing by mail, and holds a message with a way out."""
    say(identified("customer:1", ANA, name="Ana Ruiz"))
    services.grant(ANA, "marketing", "email", how="form", shown="shop.example/news")
    return path_of(links.one_click_url(ANA, "marketing", "email", "m-1"))


def allowed() -> bool:
    return consent.allows(ANA, "marketing", "email").allowed


def test_a_mail_program_unsubscribes_with_one_post(way_out: str) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(way_out, ONE_CLICK)  # multipart/form-data, as RFC 8058 allows
    assert answer.status_code == 200
    assert not client.cookies, "it needs no cookie and sets none"
    assert "Set-Cookie" not in answer.headers
    assert not allowed()
    assert "no longer use “News and offers” by e-mail for a•••@example.org" in answer.content.decode()


def test_it_may_be_url_encoded_and_may_come_twice(way_out: str) -> None:
    for _again in range(2):
        answer = Client(enforce_csrf_checks=True).post(
            way_out, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 200
    assert not allowed()


def test_it_takes_effect_when_it_returns_and_keeps_its_evidence(way_out: str) -> None:
    Client().post(way_out, ONE_CLICK)
    newest = max(consent.ledger(ANA), key=lambda said: said.at)
    assert (newest.purpose, newest.channel, newest.state) == ("marketing", "email", "withdrawn")
    assert (newest.how, newest.shown) == ("one_click", "message m-1")


def test_a_scanner_changes_nothing(way_out: str) -> None:
    for _again in range(3):
        assert Client().get(way_out).status_code == 200
        assert Client().head(way_out).status_code == 200
    assert allowed()
    assert len(consent.ledger(ANA)) == 1


def test_the_page_has_one_button_that_does_what_the_program_does(way_out: str) -> None:
    html = Client().get(way_out).content.decode()
    assert "Nothing has changed yet." in html
    assert 'name="List-Unsubscribe" value="One-Click"' in html
    assert "<script" not in html


def test_another_body_is_refused_in_words(way_out: str) -> None:
    answer = Client().post(way_out, {"action": "subscribe"})
    assert answer.status_code == 400
    assert allowed()
    assert Client().put(way_out).status_code == 405


def test_the_page_after_it_leads_to_the_other_wishes(way_out: str) -> None:
    html = Client().post(way_out, ONE_CLICK).content.decode()
    assert f"{links.public_url()}/my/preferences/" in html


def test_a_damaged_link_is_told_and_not_obeyed(way_out: str) -> None:
    answer = Client().post(way_out[:-3], ONE_CLICK)
    assert answer.status_code == 400
    assert "not one that we made" in answer.content.decode()
    assert allowed()
