from __future__ import annotations

from typing import Any

import pytest

from rapport.consent import outbound
from rapport.consent import selectors as consent
from rapport.kit.errors import Denied
from rapport.people import selectors as people
from rapport.staff import services as staff
from rapport.staff.models import Staff
from rapport.web.conftest import Say, logged_in, touchpoint

NEW = {
    "name": "Otter Print",
    "kind": "mail_house",
    "host": "https://Print.example/upload",
    "purpose": "marketing",
    "fields_": "name, postcode city",
    "country": "DE",
    "why": "They print our catalogue.",
}


def test_a_recipient_is_registered_and_ended(alice: Staff) -> None:
    client = logged_in(alice)
    assert "Nothing leaves" in client.get("/privacy/recipients/").content.decode()
    assert client.post("/privacy/recipients/", NEW).status_code == 302
    html = client.get("/privacy/recipients/").content.decode()
    for text in ("Otter Print", "print.example", "postcode", "They print our catalogue.", "News and offers"):
        assert text in html
    outbound.check("print.example", "marketing", ["name", "city"])
    (entry,) = consent.recipients()
    assert (entry.by, entry.fields) == ("alice@example.com", ("city", "name", "postcode"))
    assert client.post(f"/privacy/recipients/{entry.id}/end/").status_code == 302
    with pytest.raises(Denied):
        outbound.check("print.example", "marketing", ["name"])
    assert "Otter Print" in client.get("/privacy/recipients/").content.decode()
    assert client.post(f"/privacy/recipients/{entry.id}/end/").status_code == 409


@pytest.mark.parametrize(
    "changes", [{"host": "2130706433"}, {"fields_": ","}, {"purpose": "resale"}, {"name": ""}]
)
def test_what_makes_no_sense_is_said_beside_the_form(alice: Staff, changes: dict[str, Any]) -> None:
    answer = logged_in(alice).post("/privacy/recipients/", NEW | changes)
    assert answer.status_code == 400
    assert 'class="wrong"' in answer.content.decode() or "notice danger" in answer.content.decode()
    assert consent.recipients() == []


def test_an_analyst_sees_and_changes_nothing(alice: Staff) -> None:
    analyst = staff.invite(alice, email="dee@example.com", name="Dee", role="analyst")[0]
    client = logged_in(analyst)
    html = client.get("/privacy/recipients/").content.decode()
    assert 'name="host"' not in html
    assert client.post("/privacy/recipients/", NEW).status_code == 403
    assert client.post("/privacy/authors/", {"days": "7"}).status_code == 403
    assert "90 days after their last post" in client.get("/privacy/authors/").content.decode()


def test_who_answers_customers_does_not_see_it(bob: Staff) -> None:
    assert logged_in(bob).get("/privacy/recipients/").status_code == 403
    assert logged_in(bob).get("/privacy/authors/").status_code == 403


def test_how_long_public_authors_are_kept_is_set(alice: Staff, say: Say) -> None:
    say(touchpoint("post_published", "mastodon:chi@example.social", text="hello"))
    client = logged_in(alice)
    assert "<dd>1</dd>" in client.get("/privacy/authors/").content.decode()
    assert client.post("/privacy/authors/", {"days": "30"}).status_code == 302
    assert people.author_terms().days == 30
    for wrong in ("", "-1", "many", "0", "9999"):
        answer = client.post("/privacy/authors/", {"days": wrong})
        assert answer.status_code == 400
        assert "notice danger" in answer.content.decode()
    assert people.author_terms().days == 30
