"""Conversations by the API: read with the scope for it, written only by somebody, and never past what is new."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.test import Client

from rapport.conversations import selectors, services
from rapport.conversations.services import answering
from rapport.events import services as events
from rapport.events import spool, subscriptions
from rapport.kit import ids
from rapport.messaging import services as messaging
from rapport.staff import services as staff
from rapport.staff.models import Staff
from rapport.staff.rules import Scope

READ, WRITE = Scope.CONVERSATIONS_READ, Scope.CONVERSATIONS_WRITE


def client(owner: Staff, *scopes: Scope, machine: bool = False) -> Client:
    _row, text = staff.create_token(owner, name="desk", scopes=list(scopes), machine=machine)
    return Client(headers={"authorization": f"Bearer {text}"})


@pytest.fixture
def asked(home: Path, alice: Staff) -> uuid.UUID:
    events.touchpoint(
        "message_received", "email:ana@example.org", source="crm", message_id="m1", channel="email",
        text="Where is it?", properties={"network": "email", "subject": "Order 12"},
    )  # fmt: skip
    events.settle(spool.current().next_seq() - 1)
    subscriptions.drain(["conversations"])
    (row,) = selectors.page("open", alice.pk).rows
    services.note(row.id, "call her", by=alice.pk)
    return row.id


def test_whoever_may_read_them_reads_them_without_notes(alice: Staff, asked: uuid.UUID) -> None:
    reads = client(alice, READ)
    page = reads.get("/api/conversations").json()
    assert [row["id"] for row in page["rows"]] == [str(asked)]
    whole = reads.get(f"/api/conversations/{asked}").json()
    assert [m["text"] for m in whole["messages"]] == ["Where is it?"]
    assert "call her" not in str(whole)
    assert client(alice, Scope.PEOPLE_READ).get("/api/conversations").status_code == 403
    assert reads.post(f"/api/conversations/{asked}/resolve", {}, "application/json").status_code == 403
    assert reads.get(f"/api/conversations/{ids.uuid7()}").status_code == 404


def test_an_answer_leaves_once_and_not_past_what_is_new(
    alice: Staff, asked: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[messaging.Answer] = []

    def reply(answer: messaging.Answer) -> messaging.Sent:
        given.append(answer)
        return messaging.Sent(ids.uuid7(), "planned")

    monkeypatch.setattr(answering.messaging, "reply", reply)
    writes = client(alice, READ, WRITE)
    body = {"text": "On its way", "version": selectors.conversation(asked).version}
    machine = client(alice, WRITE, machine=True)
    assert machine.post(f"/api/conversations/{asked}/answer", body, "application/json").status_code == 403
    done = writes.post(f"/api/conversations/{asked}/answer", body, "application/json")
    assert (done.status_code, done.json()["state"]) == (201, "planned")
    again = writes.post(f"/api/conversations/{asked}/answer", body, "application/json")
    assert again.status_code == 409
    assert [a.text for a in given] == ["On its way"]
    settled = writes.post(f"/api/conversations/{asked}/resolve", {"outcome": "solved"}, "application/json")
    assert settled.status_code == 200
    assert selectors.conversation(asked).state == "resolved"
