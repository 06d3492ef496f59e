"""Whoever writes in public objects by handle, and needs no account with us to do so."""

from __future__ import annotations

import pytest
from django.test import Client

from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.staff.models import Staff
from rapport.web.conftest import Say, touchpoint

BO = "mastodon:bo@example.social"


@pytest.fixture
def bo(alice: Staff, say: Say) -> None:
    say(touchpoint("post_published", BO, venue="mastodon", text="Their wipers squeak."))


def test_an_objection_takes_the_handle_off_our_lists(bo: None) -> None:
    assert people.subject_of(BO)
    form = {"network": "Mastodon", "handle": "@Bo@example.social"}
    answer = Client(enforce_csrf_checks=True).post("/object", form)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "is no longer kept or counted by Otter Tools" in html
    assert not answer.cookies
    with pytest.raises(NotFound):
        people.subject_of(BO)


def test_whether_anybody_was_known_is_not_told(bo: None) -> None:
    def told(handle: str) -> str:
        page = Client().post("/object", {"network": "mastodon", "handle": handle}).content.decode()
        return page.replace(handle, "")

    assert told("@bo@example.social") == told("@nobody@example.social")


def test_looking_objects_to_nothing(bo: None) -> None:
    for _again in range(3):
        assert (
            Client().get("/object", {"network": "mastodon", "handle": "@bo@example.social"}).status_code
            == 200
        )
        assert Client().head("/object", {"network": "mastodon"}).status_code == 200
    assert people.subject_of(BO)


def test_what_is_missing_is_told_in_words(bo: None) -> None:
    answer = Client().post("/object", {"network": "mastodon"})
    html = answer.content.decode()
    assert answer.status_code == 400
    assert "Write the name under which you publish." in html
    assert 'aria-invalid="true"' in html
