from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path

import pytest

from rapport.kit import clock
from rapport.listening import selectors as listening
from rapport.listening import services
from rapport.listening.contract import Failed, Finding
from rapport.listening.tests.networks import Square, rows, says, source, square
from rapport.staff.models import Staff
from rapport.web.conftest import logged_in

__all__ = ["source", "square"]  # fixtures


def test_a_network_is_set_up_from_the_form_that_its_connector_describes(alice: Staff, square: Square) -> None:
    client = logged_in(alice)
    html = client.get("/sources/networks/").content.decode()
    assert "No network is read yet." in html
    for text in (
        "Square",
        "Nothing at all, it is a test.",
        "What is said elsewhere.",
        "Words are kept for 30 days.",
    ):
        assert text in html
    form = client.get("/sources/networks/add/square/").content.decode()
    assert 'name="set_server"' in form
    assert 'type="password" name="set_password"' in form
    given = {"name": "market", "set_server": "ftp://x", "set_password": "open sesame", "days_back": "7"}
    assert "is no address" in client.post("/sources/networks/add/square/", given).content.decode()
    given["set_server"] = "https://square.example"
    tried = client.post("/sources/networks/add/square/", {**given, "do": "try"}).content.decode()
    assert "it was looked at" in tried
    assert 'value="open sesame"' in tried, "what was typed is not to be typed again"
    assert listening.sources() == []
    answer = client.post("/sources/networks/add/square/", {**given, "do": "save", "asks_approval": "on"})
    assert answer.status_code == 302
    row = listening.source("market")
    assert (row.is_on, row.changed_by, row.asks_approval) == (True, "alice@example.com", True)
    page = client.get("/sources/networks/market/").content.decode()
    assert "open sesame" not in page
    assert "gone here within 24 hours" in page
    assert client.get("/sources/networks/add/nowhere/").status_code == 404
    assert client.get("/sources/networks/nowhere/").status_code == 404


def test_a_gap_is_drawn_and_a_login_that_ended_is_said_in_words(
    alice: Staff, square: Square, source: str
) -> None:
    square.said = [says("Hello", id="1")]
    services.read_source(source)
    square.refuses = [
        Failed("The key was revoked", reason="login", retry_after_s=None, hint="Make a new one.")
    ]
    with clock.frozen(clock.now() + dt.timedelta(hours=30)):
        services.read_source(source)
        client = logged_in(alice)
        html = client.get(f"/sources/networks/{source}/").content.decode()
        assert "It was stopped: The key was revoked" in html
        assert "Make a new one." in html
        assert '<rect class="gap"' in html
        assert "Log-in ended" in html
        assert "Needs its log-in" in client.get("/sources/networks/").content.decode()
        health = client.get("/health/").content.decode()
        assert "The key was revoked" in health
        assert "The key was revoked" in client.get("/").content.decode()
        done = client.post(
            f"/sources/networks/{source}/",
            {"do": "save", "set_server": "https://square.example", "set_password": "new", "days_back": "7"},
        )
        assert done.status_code == 302
        assert services.read_source(source).trouble == ""
        assert "The key was revoked" not in client.get("/health/").content.decode()


def test_it_is_tested_and_switched(alice: Staff, square: Square, source: str) -> None:
    client = logged_in(alice)
    url = f"/sources/networks/{source}/"
    assert "it was looked at" in client.post(url, {"do": "check"}).content.decode()
    assert client.post(url, {"do": "off"}).status_code == 302
    assert not listening.source(source).is_on
    assert "Its words are kept for 30 days" in client.get(url).content.decode()
    assert client.post(url, {"do": "on"}).status_code == 302
    assert listening.source(source).is_on


def test_nobodys_set_up_overwrites_anothers_unseen(alice: Staff, square: Square, source: str) -> None:
    client, url = logged_in(alice), f"/sources/networks/{source}/"
    mine = {"do": "save", "set_server": "https://square.example", "days_back": "9"}
    was = listening.source(source).changed_at.isoformat()
    with clock.frozen(clock.now() + dt.timedelta(hours=1)):
        services.change_source(source, {"password": "new"}, by="bob@example.com")
    assert "bob@example.com has changed this" in client.post(url, {**mine, "was": was}).content.decode()
    assert listening.source(source).days_back == 7
    was = listening.source(source).changed_at.isoformat()
    assert client.post(url, {**mine, "was": was}).status_code == 302
    assert listening.source(source).days_back == 9


def test_what_was_set_up_by_mistake_is_removed_and_what_brought_something_is_not(
    alice: Staff, bob: Staff, square: Square, source: str
) -> None:
    client = logged_in(alice)
    url = f"/sources/networks/{source}/"
    square.refuses = [Failed("Wrong address")]
    services.read_source(source)
    assert 'value="remove"' in client.get(url).content.decode()
    assert logged_in(bob).post(url, {"do": "remove"}).status_code == 403
    assert client.post(url, {"do": "remove"})["Location"] == "/sources/networks/"
    assert (listening.sources(), listening.gaps()) == ([], [])
    services.add_source(source, "square", {"password": "open sesame"})
    square.said = [says("Hello", id="1")]
    services.read_source(source)
    assert 'value="remove"' not in client.get(url).content.decode()
    said = client.post(url, {"do": "remove"}, follow=True).content.decode()
    assert "goes by its terms" in said
    assert listening.source(source).n_said == 1


def test_where_the_key_is_lost_terms_hold_and_secrets_are_entered_again(
    alice: Staff, square: Square, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in(alice)
    url = f"/sources/networks/{source}/"
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "another one")
    assert listening.source(source).keep_days == 30, "what may be kept is known without any secret"
    assert services.read_source(source).hint.endswith("or enter the secret again.")
    html = client.get(url).content.decode()
    assert "It was stopped: a stored secret cannot be read" in html
    given = {"do": "save", "set_server": "https://square.example", "set_password": "again", "days_back": "7"}
    assert client.post(url, given).status_code == 302
    assert services.read_source(source).trouble == ""


def test_bob_may_look_and_not_change(bob: Staff, charlie: Staff, square: Square, source: str) -> None:
    client = logged_in(bob)
    assert client.post(f"/sources/networks/{source}/", {"do": "off"}).status_code == 403
    assert client.get("/sources/networks/add/square/").status_code == 403
    assert logged_in(charlie).get("/sources/networks/").status_code == 403
    assert listening.source(source).is_on


@pytest.mark.django_db
def test_a_network_calls_and_nobody_hears_more_than_they_must(
    square: Square, source: str, home: Path
) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    url = f"/hooks/{source}/"

    def call(body: bytes | str = "Hello", where: str = url, **headers: str) -> int:
        given = {"x-password": "open sesame", "x-id": "1"} | headers
        return client.post(where, body, content_type="text/plain", headers=given).status_code

    assert call() == 202
    assert call() == 202, "a replay is taken and comes in once"
    assert call(**{"x-password": "wrong"}) == 403
    assert call(where="/hooks/nobody/") == 404
    assert call(body=b"x" * 1_000_001) == 413
    services.switch_off(source)
    assert call() == 404
    assert [row["text"] for row in rows()] == ["Hello"]


def test_terms_that_nobody_read_are_not_said_to_have_been_read(
    alice: Staff, square: Square, source: str
) -> None:
    client = logged_in(alice)
    nobody = "A summary that nobody has checked at its source yet"
    pages = ("/sources/networks/", f"/sources/networks/{source}/")
    assert not any(nobody in client.get(page).content.decode() for page in pages[1:])
    square.terms = dataclasses.replace(square.terms, read_on=None)
    for page in pages:
        assert nobody in client.get(page).content.decode(), page


def test_terms_of_which_a_copy_was_read_say_of_when_it_was(alice: Staff, square: Square, source: str) -> None:
    client = logged_in(alice)
    pages = ("/sources/networks/", f"/sources/networks/{source}/")
    square.terms = dataclasses.replace(square.terms, as_of=dt.date(2020, 2, 29))
    for page in pages:
        text = re.sub(r"</?time[^>]*>", "", client.get(page).content.decode())
        assert "As they stood on 29 Feb 2020, in a copy that was read on 1 Jan" in text, page


def test_whatever_goes_wrong_while_it_is_tried_is_said_and_nothing_is_lost(
    alice: Staff, square: Square, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in(alice)
    given = {"name": "market", "set_server": "https://square.example", "set_password": "pw", "days_back": "7"}
    for error, said in (
        (RecursionError("too deep"), "could not be understood: RecursionError: too deep"),
        (Failed("It wants fewer requests", reason="rate"), "Too many requests"),
    ):

        def broken(*_: object, error: Exception = error) -> list[Finding]:
            raise error

        monkeypatch.setattr(square, "findings", broken)
        answer = client.post("/sources/networks/add/square/", {**given, "do": "try"})
        assert answer.status_code == 200
        html = answer.content.decode()
        assert said in html
        assert 'value="pw"' in html
        assert "no-store" in answer["Cache-Control"], "what was typed lies in no browser's store"


def test_a_trouble_that_passes_says_what_to_do_and_when_it_is_tried_again(
    alice: Staff, square: Square, source: str
) -> None:
    client = logged_in(alice)
    assert 'hx-trigger="every 2s"' in client.get(f"/sources/networks/{source}/").content.decode()
    square.said = [says("Hello", id="1")]
    square.refuses = [Failed("Not allowed", reason="permission", hint="Give it the right to read.")]
    services.read_source(source)
    html = client.get(f"/sources/networks/{source}/").content.decode()
    assert "It cannot be read just now: Not allowed" in html
    assert 'hx-trigger="every 2s"' not in html
    assert "never read yet" in html
    assert "In trouble" in html, "who has just set it up is not told that it waits"
    assert "Give it the right to read. It is tried again by itself: " in html
    assert "every 1 min, at most 1,000 requests in 1 min" in html.replace("\xa0", " ")
