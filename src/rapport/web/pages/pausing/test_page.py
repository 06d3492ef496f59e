"""Pausing everything: one press in the frame, said above every page, and everything leaves once after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from rapport.messaging import services as messaging
from rapport.messaging.tests.conftest import Mailbox, account, mailbox  # noqa: F401  fixtures
from rapport.messaging.tests.test_sending import receipt
from rapport.pacing import selectors as pacing
from rapport.pacing import services as pausing
from rapport.staff import services as staffing
from rapport.staff.rules import Scope
from rapport.web.conftest import logged_in

if TYPE_CHECKING:
    from rapport.staff.models import Staff

pytestmark = pytest.mark.usefixtures("account")


def pause(client: Client, **more: str) -> str:
    given = {"why": "a wrong price in the receipt", "next": "/messages/", **more}
    return client.post("/pause/switch/", given, follow=True).content.decode()


def test_one_press_stops_everything_and_every_page_says_so(
    alice: Staff,
    bob: Staff,
    mailbox: Mailbox,  # noqa: F811
) -> None:
    owner, answers = logged_in(alice), logged_in(bob)
    assert "Pause everything now" in owner.get("/messages/").content.decode()
    messaging.send(receipt("ana@example.org", "r1"))
    page = pause(answers)
    messaging.drain()
    assert mailbox.arrived == []
    page = owner.get("/messages/").content.decode()
    for part in (
        "Everything is paused: nothing leaves.",
        "a wrong price in the receipt",
        "1 message waits",
        bob.email,
    ):
        assert part in page
    page = pause(owner, do="resume")
    assert "Everything is paused" not in page
    messaging.drain()
    messaging.drain()
    assert mailbox.addresses == ["ana@example.org"]
    (row,) = pacing.pauses_of_all()
    assert (row.by, row.ended_by, row.why) == (bob.email, alice.email, "a wrong price in the receipt")
    assert "a wrong price in the receipt" in owner.get("/pause/").content.decode()


def test_colleagues_can_still_log_in(alice: Staff, mailbox: Mailbox) -> None:  # noqa: F811
    pause(logged_in(alice))
    given = {"enter_url": "http://localhost:8000/enter/x", "name": "Alice", "minutes": 30}
    messaging.send(messaging.Outgoing("staff:alice@example.com", "service", "sign_in", "s1", context=given))
    messaging.send(receipt("ana@example.org", "r1"))
    messaging.drain()
    assert mailbox.addresses == ["alice@example.com"]


def test_who_may_not_pause_sees_the_bar_without_the_button(alice: Staff, charlie: Staff) -> None:
    stranger = logged_in(charlie)
    assert stranger.post("/pause/switch/", {"why": "x"}).status_code == 403
    assert pacing.pause_all() is None
    messaging.pause_all(alice.email, "x")
    page = stranger.get("/settings/").content.decode()
    assert "Everything is paused" in page
    assert "Let everything leave again" not in page


def test_a_second_press_changes_nothing(alice: Staff) -> None:
    client = logged_in(alice)
    pause(client)
    pause(client, why="another reason")
    (row,) = pacing.pauses_of_all()
    assert row.why == "a wrong price in the receipt"
    assert "Nothing was paused." not in pause(client, do="resume")
    assert "Nothing was paused." in pause(client, do="resume")


def test_a_second_press_takes_nothing_of_the_record_back(alice: Staff) -> None:
    holds = pausing.pause_all(alice.email, "w" * 5_000)
    assert len(holds.why) == 500
    pausing.note_in_flight(holds.id, 3)
    pause(logged_in(alice))  # by now all of them have their answer
    (row,) = pacing.pauses_of_all()
    assert row.n_in_flight == 3


def test_the_api_pauses_and_goes_on(alice: Staff, client: Client) -> None:
    _, text = staffing.create_token(alice, name="alarm", scopes=[Scope.PAUSE_WRITE])
    head: Any = {"headers": {"authorization": f"Bearer {text}"}}
    assert client.get("/api/pause", **head).json()["pause"] is None
    found = client.post("/api/pause", {"why": "x"}, content_type="application/json", **head).json()
    assert (found["pause"]["why"], found["n_waiting"]) == ("x", 0)
    assert client.delete("/api/pause", **head).json()["pause"] is None
