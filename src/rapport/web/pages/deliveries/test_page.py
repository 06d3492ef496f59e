"""Deliveries: the sum adds up, every fate has its reason, and the person is one click away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rapport.consent import services as consent
from rapport.messaging.services import drain, send, send_many
from rapport.messaging.tests.conftest import Mailbox, account, mailbox  # noqa: F401  fixtures
from rapport.messaging.tests.test_sending import letter, receipt
from rapport.web.conftest import Say, identified, logged_in

if TYPE_CHECKING:
    from rapport.staff.models import Staff

pytestmark = pytest.mark.usefixtures("account")


def test_intended_is_sent_withheld_and_failed(alice: Staff, mailbox: Mailbox) -> None:  # noqa: F811
    mailbox.refuse["gone@example.org"] = "550 5.1.1 nobody of that name"
    consent.deny("email:bo@example.org", "marketing", "email", how="form")
    send_many(
        [receipt("ana@example.org", "1"), receipt("gone@example.org", "2"), letter("bo@example.org", "3")]
    )
    drain()
    page = logged_in(alice).get("/messages/").content.decode()
    assert "3 intended" in page
    for part in ("1 sent", "1 withheld", "1 failed"):
        assert part in page
    assert "the address does not exist" in page
    assert "consent was refused" in page
    failed = logged_in(alice).get("/messages/?state=failed").content.decode()
    assert "gone@example.org" in failed
    assert "ana@example.org" not in failed


def test_one_delivery_shows_the_dialogue_and_leads_to_the_person(
    alice: Staff,
    say: Say,
    mailbox: Mailbox,  # noqa: F811
) -> None:
    say(identified("customer:1", "email:ana@example.org", name="Ana"))
    mailbox.refuse["ana@example.org"] = "550 5.1.1 nobody of that name"
    sent = send(receipt("ana@example.org", "1"))
    drain()
    page = logged_in(alice).get(f"/messages/{sent.delivery}/").content.decode()
    assert "&lt; 550 5.1.1 nobody of that name" in page
    assert "The person" in page


def test_the_timeline_shows_messages(alice: Staff, say: Say, mailbox: Mailbox) -> None:  # noqa: F811
    from rapport.events import services as events
    from rapport.events import spool
    from rapport.people import selectors as people

    say(identified("customer:1", "email:ana@example.org", name="Ana"))
    send_many([receipt("ana@example.org", "1"), letter("ana@example.org", "2")])
    drain()
    events.settle(spool.current().next_seq() - 1)
    found = people.timeline(people.person_id("customer:1"))
    told = {event.name: event.properties for event in found.events}
    assert told["message_sent"]["template"] == "receipt"
    assert told["message_withheld"]["reason"] == "no_consent"


@pytest.mark.parametrize("query", ["?before=x", "?before=1.zz"])
def test_a_damaged_place_is_said(alice: Staff, query: str) -> None:
    assert logged_in(alice).get(f"/messages/{query}").status_code == 400


def test_who_may_not_see_messages_does_not(charlie: Any) -> None:
    assert logged_in(charlie).get("/messages/").status_code == 403


def test_an_answer_shows_its_words_and_on_whose_word_it_left(alice: Staff, mailbox: Mailbox) -> None:  # noqa: F811
    from rapport.messaging.services import Answer, reply

    answer = Answer(
        source="email",
        to="email:ana@example.org",
        text="The fuse is F14.",
        key="a1",
        conversation="c1",
        subject_line="Pump",
        by="bob@example.com",
        is_public=False,
        was_asked=True,
    )
    sent = reply(answer)
    drain()
    page = logged_in(alice).get(f"/messages/{sent.delivery}/").content.decode()
    for part in ("The fuse is F14.", "bob@example.com", "private"):
        assert part in page
    assert "Answer" in logged_in(alice).get("/messages/").content.decode()
