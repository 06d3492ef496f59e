from __future__ import annotations

import re

from django.test import Client

from rapport.staff import selectors
from rapport.staff.models import Staff
from rapport.web.conftest import logged_in


def test_alice_invites_bob_who_enters_with_the_link(alice: Staff) -> None:
    client = logged_in(alice)
    page = client.post("/staff/", {"name": "Bob", "email": "bob@example.com", "role": "answers"})
    (path,) = re.findall(r'value="http://testserver(/enter/[^"]+/)"', page.content.decode())
    bob = Client()
    assert bob.post(path)["Location"] == "/settings/"
    assert "Bob" in bob.get("/settings/").content.decode()
    assert path not in client.get("/staff/").content.decode()  # shown once


def test_an_address_has_one_account(alice: Staff, bob: Staff) -> None:
    page = logged_in(alice).post("/staff/", {"name": "B", "email": "BOB@example.com", "role": "owner"})
    assert page.status_code == 400
    assert "has an account already" in page.content.decode()


def test_alice_changes_roles_and_closes_accounts(alice: Staff, bob: Staff) -> None:
    client = logged_in(alice)
    assert client.post(f"/staff/{bob.pk}/", {"do": "role", "role": "analyst"}).status_code == 302
    assert selectors.staff_by_id(bob.pk).role == "analyst"
    client.post(f"/staff/{bob.pk}/", {"do": "close"})
    assert not selectors.staff_by_id(bob.pk).is_active
    refused = client.post(f"/staff/{bob.pk}/", {"do": "link"})
    assert refused.status_code == 409
    client.post(f"/staff/{bob.pk}/", {"do": "open"})
    assert "/enter/" in client.post(f"/staff/{bob.pk}/", {"do": "link"}).content.decode()


def test_the_last_owner_stays_and_nonsense_is_said(alice: Staff) -> None:
    client = logged_in(alice)
    kept = client.post(f"/staff/{alice.pk}/", {"do": "role", "role": "none"})
    assert kept.status_code == 409
    assert "is the only owner" in kept.content.decode()
    assert client.post(f"/staff/{alice.pk}/", {"do": "dance"}).status_code == 400
    assert client.post("/staff/999/", {"do": "close"}).status_code == 404
