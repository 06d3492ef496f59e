from __future__ import annotations

import re

from rapport.staff import selectors, services
from rapport.staff.models import Staff
from rapport.web.conftest import logged_in

NEW = {
    "name": "Web shop",
    "machine": "1",
    "scopes": ["events:write", "health:read"],
    "days": "90",
    "per_minute": "60",
}


def test_a_token_is_made_shown_once_and_works(alice: Staff, home: object) -> None:
    client = logged_in(alice)
    html = client.post("/tokens/", NEW).content.decode()
    found = re.search(r'value="(rpt_[^"]+)"', html)
    assert found
    token = selectors.usable_token(found[1])
    assert token is not None
    assert (token.name, token.staff, token.per_minute, token.scopes) == (
        "Web shop",
        None,
        60,
        ["events:write", "health:read"],
    )
    assert (
        client.get("/api/token", headers={"authorization": f"Bearer {found[1]}"}).json()["name"] == "Web shop"
    )
    again = client.get("/tokens/").content.decode()
    assert found[1] not in again
    assert found[1][:9] in again


def test_a_token_is_revoked(alice: Staff) -> None:
    made, text = services.create_token(alice, name="Till", scopes=["health:read"])
    client = logged_in(alice)
    assert client.post(f"/tokens/{made.pk}/").status_code == 302
    assert selectors.usable_token(text) is None
    assert "revoked" in client.get("/tokens/").content.decode()
    assert client.post(f"/tokens/{made.pk}/").status_code == 409


def test_without_the_right_one_sees_and_makes_ones_own(alice: Staff, bob: Staff) -> None:
    made, _ = services.create_token(alice, name="Till", scopes=["health:read"])
    client = logged_in(bob)
    html = client.get("/tokens/").content.decode()
    assert "Till" not in html
    assert 'value="health:read"' not in html
    assert client.post("/tokens/", NEW).status_code == 400
    mine = {**NEW, "machine": "0", "scopes": ["people:read"]}
    assert "rpt_" in client.post("/tokens/", mine).content.decode()
    assert [t.name for t in selectors.tokens(bob)] == ["Web shop"]
    assert client.post(f"/tokens/{made.pk}/").status_code == 403


def test_who_may_do_nothing_makes_no_token(charlie: Staff) -> None:
    client = logged_in(charlie)
    assert '<form method="post" class="fields' not in client.get("/tokens/").content.decode()
    assert client.post("/tokens/", {**NEW, "machine": "0"}).status_code == 400


def test_nothing_chosen_is_said(alice: Staff) -> None:
    answer = logged_in(alice).post("/tokens/", {**NEW, "scopes": []})
    assert answer.status_code == 400
    assert "Choose at least one thing" in answer.content.decode()
