from __future__ import annotations

from django.test import Client

from rapport.staff import services
from rapport.staff.models import Staff


def test_opening_a_link_uses_nothing_up_and_its_button_logs_in_once(alice: Staff) -> None:
    path = f"/enter/{services.create_login_link(alice)}/"
    for _ in range(2):  # a mail scanner, then Alice
        assert "Hello, Alice" in Client().get(path).content.decode()
    client = Client()
    assert client.post(path)["Location"] == "/"
    assert client.get("/settings/").status_code == 200
    again = Client().post(path)
    assert again.status_code == 404
    assert "expired or was used before" in again.content.decode()


def test_an_invited_person_is_led_to_choose_a_password(bob: Staff) -> None:
    client = Client()
    answer = client.post(f"/enter/{services.create_login_link(bob)}/")
    assert answer["Location"] == "/settings/"
    page = client.get("/settings/")
    assert "current" not in page.context["password"].fields
    done = client.post("/settings/", {"form": "password", "new": "a first long password"})
    assert done.status_code == 302
    bob.refresh_from_db()
    assert bob.check_password("a first long password")
    assert client.get("/settings/").status_code == 200  # still logged in
