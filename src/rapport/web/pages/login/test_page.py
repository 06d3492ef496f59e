from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from rapport.messaging.services import drain
from rapport.messaging.tests.conftest import Mailbox, account, mailbox  # noqa: F401  fixtures
from rapport.messaging.tests.loopback import words_of
from rapport.staff.models import Staff
from rapport.web.conftest import PASSWORD, logged_in


def attempt(client: Client, password: str, **more: str) -> int:
    answer = client.post("/login/", {"username": "Alice@Example.com", "password": password, **more})
    return answer.status_code


def test_alice_logs_in_and_out(alice: Staff) -> None:
    client = Client()
    answer = client.post(
        "/login/", {"username": "Alice@Example.com", "password": PASSWORD, "next": "/settings/"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    assert client.get("/settings/").status_code == 200
    assert client.get("/logout/").status_code == 405  # a link that is only opened logs nobody out
    client.post("/logout/")
    assert client.get("/settings/").status_code == 302


def test_the_way_back_stays_on_this_site(alice: Staff) -> None:
    answer = Client().post(
        "/login/", {"username": alice.email, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/"


def test_a_wrong_password_does_not_say_which_half_was_wrong(alice: Staff) -> None:
    texts = []
    for address in ("alice@example.com", "nobody@example.com"):
        answer = Client().post("/login/", {"username": address, "password": "not this one at all"})
        texts.append(answer.context["form"].non_field_errors())
    assert texts[0] == texts[1]
    assert "do not go together" in str(texts[0])


def test_guessing_is_paused_in_words_and_only_for_this_address(alice: Staff, bob: Staff) -> None:
    client = Client()
    statuses = [attempt(client, f"guess number {i}") for i in range(9)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert attempt(client, PASSWORD) == 429  # even the right one waits
    answer = client.post("/login/", {"username": "alice@example.com", "password": PASSWORD})
    assert "Wait 15 minutes" in answer.content.decode()
    assert client.post("/login/", {"username": bob.email, "password": "x"}).status_code == 200


@pytest.mark.django_db
def test_before_set_up_the_page_says_where_the_link_is() -> None:
    assert "rapport serve" in Client().get("/login/").content.decode()


def test_a_closed_account_is_out_at_once(alice: Staff, bob: Staff) -> None:
    client = logged_in(bob)
    assert client.get("/settings/").status_code == 200
    Staff.objects.filter(pk=bob.pk).update(is_active=False)
    assert client.get("/settings/").status_code == 302


def test_a_link_by_mail_lets_in_once_and_says_nothing_of_who_is_known(
    alice: Staff,
    account: Any,  # noqa: F811
    mailbox: Mailbox,  # noqa: F811
) -> None:
    client = Client()
    assert b"Log in without a password" in client.get("/login/").content
    known = client.post("/login/link/", {"email": "Alice@example.com"}, follow=True)
    unknown = Client().post("/login/link/", {"email": "nobody@example.com"}, follow=True)
    assert known.status_code == unknown.status_code == 200
    assert "is on its way" in known.content.decode()
    assert "is on its way" in unknown.content.decode()
    drain()
    assert mailbox.addresses == ["alice@example.com"]
    text = words_of(mailbox.arrived[0][1])
    path = urlsplit(re.findall(r"http://localhost:8000\S+", text)[0]).path
    client.get(path)  # a scanner
    assert client.post(path).status_code == 302
    assert client.get("/").status_code == 200
    assert Client().post(path).status_code == 404


def test_links_by_mail_are_few(alice: Staff, account: Any, mailbox: Mailbox) -> None:  # noqa: F811
    for _ in range(5):
        Client().post("/login/link/", {"email": "alice@example.com"})
    drain()
    assert len(mailbox.arrived) == 3


def test_without_mail_no_link_is_offered(alice: Staff) -> None:
    assert b"Log in without a password" not in Client().get("/login/").content
