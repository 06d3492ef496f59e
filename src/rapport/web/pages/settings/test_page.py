from __future__ import annotations

from rapport.staff import selectors
from rapport.staff.models import Staff
from rapport.web.conftest import PASSWORD, logged_in


def test_bob_changes_his_own_and_not_the_organisations(bob: Staff) -> None:
    client = logged_in(bob)
    assert client.get("/settings/").context["organisation"] is None
    saved = client.post(
        "/settings/", {"form": "mine", "name": "Bob B", "language": "ko", "timezone": "Asia/Seoul"}
    )
    assert saved.status_code == 302
    bob.refresh_from_db()
    assert (bob.name, bob.language, bob.timezone) == ("Bob B", "ko", "Asia/Seoul")
    client.post(
        "/settings/",
        {"form": "organisation", "name": "Bobs", "currency": "USD", "timezone": "UTC", "language": "en"},
    )
    firm = selectors.organisation()
    assert firm is not None
    assert firm.name == "Otter Tools"


def test_alice_changes_the_organisation(alice: Staff) -> None:
    form = {"form": "organisation", "name": "Otters", "currency": "usd", "timezone": "UTC", "language": "en"}
    assert logged_in(alice).post("/settings/", form).status_code == 302
    assert selectors.currency() == "USD"
    for wrong, said in (({"currency": "ALI"}, "is not a currency"), ({"name": "   "}, "required")):
        told = logged_in(alice).post("/settings/", form | wrong)
        assert told.status_code == 400
        assert said in told.content.decode()
    assert selectors.currency() == "USD"


def test_single_keys_can_be_switched_off(alice: Staff) -> None:
    client = logged_in(alice)
    assert "data-no-keys" not in client.get("/settings/").content.decode()
    mine = {"form": "mine", "name": "Alice", "language": "en", "timezone": "UTC"}
    client.post("/settings/", mine)
    assert "data-no-keys" in client.get("/settings/").content.decode()
    client.post("/settings/", mine | {"has_keys": "on"})
    assert "data-no-keys" not in client.get("/settings/").content.decode()


def test_a_password_needs_the_current_one(alice: Staff) -> None:
    client = logged_in(alice)
    wrong = client.post("/settings/", {"form": "password", "current": "no", "new": "a longer new password"})
    assert wrong.status_code == 400
    assert "The current password is not right." in wrong.content.decode()
    right = client.post(
        "/settings/", {"form": "password", "current": PASSWORD, "new": "a longer new password"}
    )
    assert right.status_code == 302
    assert client.get("/settings/").status_code == 200


def test_the_theme_is_kept_with_and_without_script(alice: Staff) -> None:
    client = logged_in(alice)
    assert (
        client.post("/settings/theme/", {"theme": "dark"}, headers={"HX-Request": "true"}).status_code == 204
    )
    alice.refresh_from_db()
    assert alice.theme == "dark"
    answer = client.post("/settings/theme/", {"theme": "light", "next": "/staff/"})
    assert answer["Location"] == "/staff/"
    away = client.post("/settings/theme/", {"theme": "light", "next": "//evil.example/"})
    assert away["Location"] == "/settings/"
    assert client.post("/settings/theme/", {"theme": "pink"}).status_code == 400
    assert client.get("/settings/theme/").status_code == 405
