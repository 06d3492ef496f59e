"""An account of ours at our own address: set up on screen, found by others, called, and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rapport.kit import clock, secret
from rapport.listening import services
from rapport.listening.models import Source
from rapport.listening.services import asking
from rapport.listening.tests.acting import NOON, Day
from rapport.listening.tests.networks import rows
from rapport.listening.tests.test_running import Until
from rapport.plugins.connectors.activitypub.simulator import US, Fediverse, Person
from rapport.staff.models import Staff
from rapport.web.conftest import alice, logged_in

__all__ = ["alice"]  # a fixture

PAGE = "/sources/networks/otter/"
FORM = {"name": "otter", "set_account": "help", "set_title": "Otter Tools", "set_visibility": "public"}


@pytest.fixture
def network(home: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    settings.ALLOWED_HOSTS = [
        "testserver",
        "shop.example",
    ]  # as it is where the address was set from the start
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", "https://shop.example")
    found = Fediverse(Day(), lambda url: Client().get(url.removeprefix("https://shop.example")).json())
    monkeypatch.setattr("rapport.kit.http.fetch", lambda request, **_: found.take(request))
    with clock.frozen(NOON):
        yield found
    asking.forget_memory("otter")


@pytest.fixture
def ana(network: Fediverse, db: None) -> Person:
    services.add_source("otter", "activitypub", {"title": "Otter Tools"})
    return network.person("ana")


def call(person: Person, activity: Any, **spoilt: str) -> Any:
    headers, body = person.signed(activity, **spoilt)
    kind = headers.pop("content-type")
    return Client(enforce_csrf_checks=True).post(
        "/hooks/otter/inbox", body, content_type=kind, headers=headers
    )


def test_it_is_set_up_on_screen_with_a_key_that_is_never_shown(alice: Staff, network: Fediverse) -> None:
    client = logged_in(alice)
    html = client.get("/sources/networks/add/activitypub/").content.decode()
    assert "@help@shop.example" in html
    assert "set_private_key" not in html
    given = {**FORM, "days_back": "7", "asks_approval": "on"}
    assert client.post("/sources/networks/add/activitypub/", {**given, "do": "save"}).status_code == 302
    page = client.get(PAGE).content.decode()
    assert "@help@shop.example" in page
    assert "enter it there" not in page, "there is nowhere to enter an address"
    assert 'class="notice danger"' not in page

    def key() -> str:
        row = Source.objects.get()
        assert "private_key" not in row.config
        return str(json.loads(secret.unseal(row.sealed))["private_key"])

    before = key()
    assert before.splitlines()[1] not in page
    assert client.post(PAGE, {**given, "set_title": "Otter", "do": "save"}).status_code == 302
    assert key() == before
    document = Client().get("/hooks/otter/actor").json()
    assert (document["id"], document["name"]) == (US, "Otter")


def test_an_address_that_others_cannot_use_is_said_on_screen(
    alice: Staff, network: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", "http://localhost:8000")
    html = logged_in(alice).get("/sources/networks/add/activitypub/").content.decode()
    assert "@help@localhost:8000" in html
    assert "is not encrypted" in html
    assert "RAPPORT_PUBLIC_URL" in html


def test_others_find_it_while_it_is_on(ana: Person) -> None:
    def found(resource: str) -> Any:
        return Client().get("/.well-known/webfinger", {"resource": resource} if resource else {})

    answer = found("acct:help@shop.example")
    assert answer["content-type"] == "application/jrd+json"
    assert answer["access-control-allow-origin"] == "*"
    assert answer.json()["links"][0]["href"] == US
    assert found("acct:other@shop.example").status_code == 404
    assert found("").status_code == 400
    assert Client().get("/hooks/otter/followers")["content-type"] == "application/activity+json"
    assert Client().get("/hooks/otter/posts/none").status_code == 404
    services.switch_off("otter")
    assert found("acct:help@shop.example").status_code == 404
    assert Client().get("/hooks/otter/actor").status_code == 404


def test_a_delivery_is_durable_before_it_is_accepted_and_comes_in_once(ana: Person) -> None:
    said = ana.does("Create", ana.note("My lantern flickers"))
    assert [call(ana, said).status_code for _ in range(2)] == [202, 202]
    (row,) = rows()
    assert (row["identifier"], row["text"]) == ("mastodon:ana@lake.example", "@help My lantern flickers")
    assert (row["venue"], row["properties"]["asks_us"]) == ("mastodon:lake.example", True)
    assert call(ana, said, target="post /hooks/otter/other").status_code == 403
    assert Client().post("/hooks/otter/inbox", "{", content_type="application/json").status_code == 400
    assert call(ana, ana.does("Delete", said["object"]["id"])).status_code == 202
    assert call(ana, said).status_code == 202
    assert [row["name"] for row in rows()] == ["post_published", "post_deleted"]


def test_who_cannot_be_checked_just_now_is_to_come_again(ana: Person, network: Fediverse) -> None:
    network.fail("/users/ana")
    said = ana.does("Create", ana.note("My lantern flickers"))
    answer = call(ana, said)
    assert answer.status_code == 503
    assert int(answer["retry-after"]) > 0
    assert rows() == []
    network.day.later(61)
    with clock.frozen(network.day()):
        assert call(ana, said).status_code == 202
    assert len(rows()) == 1


def test_what_followers_wait_for_leaves_unless_everything_is_paused(
    ana: Person, network: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.pacing import services as pacing

    assert call(ana, ana.does("Follow", US)).status_code == 202
    pacing.pause_all("alice@example.com", "a storm")
    services.deliver("otter")
    assert network.taken == []
    pacing.resume_all("alice@example.com")
    services.deliver("otter")
    assert [activity["type"] for _, activity in network.taken] == ["Accept"]
    services.forget(["mastodon:ana@lake.example"])
    assert Client().get("/hooks/otter/followers").json()["totalItems"] == 0


@pytest.mark.django_db(transaction=True)
def test_whoever_listens_lets_leave_what_waits(ana: Person, network: Fediverse) -> None:
    assert call(ana, ana.does("Follow", US)).status_code == 202
    stop = Until(lambda: network.taken)
    services.run_forever(stop)  # type: ignore[arg-type]
    assert stop.left > 0
    assert [activity["type"] for _, activity in network.taken] == ["Accept"]
