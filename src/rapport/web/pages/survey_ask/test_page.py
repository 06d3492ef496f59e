from __future__ import annotations

import pytest
from django.test import Client

from rapport.consent import services as consent
from rapport.staff.models import Staff
from rapport.surveys import selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters
from rapport.web.conftest import Say, identified, logged_in


@pytest.fixture
def client(alice: Staff, say: Say) -> Client:
    reach = surveys.Reach(("link", "mail", "site"))
    surveys.create("nps", starters.starter("nps", ["en"]).definition, by="alice", reach=reach)
    surveys.publish("nps", by="alice")
    say(identified("customer:1", "email:ana@example.org", name="Ana"), identified("email:bo@example.org"))
    consent.grant("email:ana@example.org", "research", "email", how="form", shown="test")
    return logged_in(alice)


def test_the_ways_and_the_plan_stand_there(client: Client) -> None:
    html = client.get("/surveys/nps/ask/").content.decode()
    assert "/s/nps" in html
    assert "&lt;iframe" in html
    assert "1 person would be invited, of 2 people with an address." in html
    assert "not allowed research by mail" in html
    none = client.get("/surveys/nps/ask/?bought=30").content.decode()
    assert "0 people would be invited, of 0 people" in none


def test_reach_changes_and_refuses_what_cannot_be(client: Client) -> None:
    given = {
        "places": ["mail"],
        "target_percent": "12,5",
        "recontact_days": "90",
        "opens_at": "",
        "closes_at": "2031-01-01T09:00",
    }
    client.post("/surveys/nps/reach/", given)
    survey = selectors.survey("nps")
    assert (survey.places, survey.target_ratio, survey.recontact_days) == (("mail",), 0.125, 90)
    assert survey.closes_at is not None
    assert survey.closes_at.isoformat() == "2031-01-01T08:00:00+00:00"  # Alice reads the clock in Madrid
    for wrong in (
        {"target_percent": "0"},
        {"recontact_days": "x"},
        {"opens_at": "soon"},
        {"places": ["moon"]},
    ):
        assert client.post("/surveys/nps/reach/", {**given, **wrong}).status_code == 400


def test_without_mail_set_up_the_reason_is_told(client: Client) -> None:
    told = client.post("/surveys/nps/invite/", follow=True).content.decode()
    assert "Nobody was invited" in told
