"""Ana objects, and has the use of what we know restricted."""

from __future__ import annotations

import pytest
from django.test import Client

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified

ANA = "email:ana@example.org"


@pytest.fixture
def page(alice: Staff, say: Say) -> str:
    say(identified("customer:1", ANA, name="Ana Ruiz"))
    return links.url_for(ANA, "object").removeprefix(links.public_url())


def post(page: str, **form: object) -> str:
    return Client(enforce_csrf_checks=True).post(page, form, follow=True).content.decode()


def test_an_objection_holds_at_once(page: str) -> None:
    assert "Noted. What you objected to stops now." in post(page, do="object", use=["profiling", "marketing"])
    assert consent.allows(ANA, "profiling").reason == "objected"
    assert consent.allows(ANA, "analytics").allowed
    assert [r.purpose for r in consent.ledger(ANA)] == ["profiling"], "what needs consent is not objected to"
    assert "You objected, so we do not do it." in Client().get(page).content.decode()


def test_what_she_writes_is_a_request_that_a_person_answers(page: str) -> None:
    post(page, do="object", note="Do not read my posts.")
    (asked,) = consent.open_requests()
    assert (asked.kind, asked.note, asked.opened_by) == ("objection", "Do not read my posts.", "person")
    assert asked.days_left in {29, 30}


def test_an_empty_form_says_that_nothing_changed(page: str) -> None:
    assert "You ticked and wrote nothing" in post(page, do="object")
    assert consent.ledger(ANA) == []
    assert Client().post(page, {"do": "dance"}).status_code == 400


def test_a_restriction_begins_and_ends(page: str) -> None:
    assert "is kept and used for nothing" in post(page, do="restrict")
    assert consent.allows(ANA, "analytics").reason == "restricted"
    assert consent.allows(ANA, "service").allowed
    (done,) = consent.closed_requests()
    assert (done.kind, done.state) == ("restriction", "done")
    html = Client().get(page).content.decode()
    assert "End the restriction" in html
    assert 'value="profiling"' in html, "one can object while it lasts"
    post(page, do="unrestrict")
    assert consent.allows(ANA, "analytics").allowed


def test_a_browser_that_asks_not_to_be_tracked_finds_it_ticked(page: str) -> None:
    html = Client(headers={"Sec-GPC": "1"}).get(page).content.decode()
    assert html.count("checked") == 2
    assert consent.allows(ANA, "profiling").allowed, "looking changes nothing"


def test_a_stranger_may_object_but_has_nothing_to_restrict(page: str) -> None:
    url = links.url_for("email:chi@example.org", "object").removeprefix(links.public_url())
    assert "Restrict the use" not in Client().get(url).content.decode()
    assert Client().post(url, {"do": "restrict"}).status_code == 404
    post(url, do="object", use=["profiling"])
    assert consent.ledger("email:chi@example.org")[0].state == "withdrawn"
