"""Conversations by the API: read with the scope for it, written only by somebody, and never past what is new."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client

from rapport.conversations.models import Conversation, Message
from rapport.conversations.services import answering
from rapport.kit import clock, ids
from rapport.messaging import services as messaging
from rapport.staff import services as staff
from rapport.staff.models import Staff
from rapport.staff.rules import Scope

READ, WRITE = Scope.CONVERSATIONS_READ, Scope.CONVERSATIONS_WRITE


def client(owner: Staff, *scopes: Scope, machine: bool = False) -> Client:
    _row, text = staff.create_token(owner, name="desk", scopes=list(scopes), machine=machine)
    return Client(headers={"authorization": f"Bearer {text}"})


@pytest.fixture
def asked(home: Path, db: None) -> Conversation:
    now = clock.now()
    one = Conversation.objects.create(
        id=ids.uuid7(), channel="email", network="email", identifier="email:ana@example.org", title="Order 12", state="open",
        why="private", first_ts=now, last_ts=now, waiting_since=now, n_messages=1,
    )  # fmt: skip
    for direction, text in (("in", "Where is it?"), ("note", "call her")):
        Message.objects.create(
            conversation=one, origin=one.id, ts=now - dt.timedelta(minutes=1), direction=direction, text=text,
            identifier="email:ana@example.org", network="email", event_name="message_received", why="private",
        )  # fmt: skip
    return one


def test_whoever_may_read_them_reads_them_without_notes(alice: Staff, asked: Conversation) -> None:
    reads = client(alice, READ)
    page = reads.get("/api/conversations").json()
    assert [row["id"] for row in page["rows"]] == [str(asked.id)]
    whole = reads.get(f"/api/conversations/{asked.id}").json()
    assert [m["text"] for m in whole["messages"]] == ["Where is it?"]
    assert "call her" not in str(whole)
    assert client(alice, Scope.PEOPLE_READ).get("/api/conversations").status_code == 403
    assert reads.post(f"/api/conversations/{asked.id}/resolve", {}, "application/json").status_code == 403
    assert reads.get(f"/api/conversations/{ids.uuid7()}").status_code == 404


def test_an_answer_leaves_once_and_not_past_what_is_new(
    alice: Staff, asked: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[messaging.Answer] = []

    def reply(answer: messaging.Answer) -> messaging.Sent:
        given.append(answer)
        return messaging.Sent(ids.uuid7(), "planned")

    monkeypatch.setattr(answering.messaging, "reply", reply)
    writes = client(alice, READ, WRITE)
    body = {"text": "On its way", "version": asked.version}
    machine = client(alice, WRITE, machine=True)
    assert machine.post(f"/api/conversations/{asked.id}/answer", body, "application/json").status_code == 403
    done = writes.post(f"/api/conversations/{asked.id}/answer", body, "application/json")
    assert (done.status_code, done.json()["state"]) == (201, "planned")
    again = writes.post(f"/api/conversations/{asked.id}/answer", body, "application/json")
    assert again.status_code == 409
    assert [a.text for a in given] == ["On its way"]
    settled = writes.post(f"/api/conversations/{asked.id}/resolve", {"outcome": "solved"}, "application/json")
    assert settled.status_code == 200
    assert Conversation.objects.get(pk=asked.pk).state == "resolved"


def test_the_command_line_lists_and_shows_them(asked: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from rapport.cli import conversations as cli

    monkeypatch.setattr(cli.stores, "set_up", lambda: None)
    listed = CliRunner().invoke(cli.conversations_command, ["list", "--json"])
    assert str(asked.id) in listed.output
    shown = CliRunner().invoke(cli.conversations_command, ["show", str(asked.id)])
    assert "Where is it?" in shown.output
    bad = CliRunner().invoke(cli.conversations_command, ["show", "x"])
    assert "no conversation's number" in str(bad.exception)
