from __future__ import annotations

import pytest
from django.test import Client

from rapport.staff import selectors, services
from rapport.staff.models import Staff
from rapport.web.conftest import PASSWORD

FORM = {
    "organisation": "Otter Tools",
    "name": "Alice",
    "email": "alice@example.com",
    "password": PASSWORD,
    "language": "en",
    "timezone": "Europe/Madrid",
    "currency": "eur",
}


@pytest.mark.django_db
def test_the_first_run_ends_logged_in_as_owner() -> None:
    token = services.create_login_link()
    client = Client()
    assert client.get(f"/enter/{token}/")["Location"] == f"/setup/{token}/"
    assert client.get(f"/setup/{token}/").status_code == 200
    answer = client.post(f"/setup/{token}/", FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert selectors.owner_names() == ["Alice"]
    assert selectors.currency() == "EUR"
    assert client.get("/settings/").status_code == 200


@pytest.mark.django_db
def test_a_mistake_is_said_and_can_be_corrected() -> None:
    token = services.create_login_link()
    answer = Client().post(f"/setup/{token}/", {**FORM, "password": "short"})
    assert answer.status_code == 400
    assert "too short" in answer.content.decode()
    assert "short" not in answer.context["form"]["password"].as_widget()
    assert Client().post(f"/setup/{token}/", FORM).status_code == 302


@pytest.mark.django_db
def test_a_guessed_token_sets_nothing_up() -> None:
    assert Client().post("/setup/guessed/", FORM).status_code == 404
    assert not selectors.is_set_up()


def test_there_is_no_second_first_run(alice: Staff) -> None:
    token = services.create_login_link()
    assert Client().post(f"/setup/{token}/", FORM)["Location"] == "/login/"


def test_a_log_in_link_opens_no_set_up(bob: Staff, alice: Staff) -> None:
    Staff.objects.filter(pk=alice.pk).update(is_active=False)
    assert Client().get(f"/setup/{services.create_login_link(bob)}/").status_code == 404
