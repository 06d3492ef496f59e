"""What models and staff say of public words opens them, or leaves them aside; few are gone to who want nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from rapport.conversations import services
from rapport.conversations.models import Conversation, Message
from rapport.conversations.services import reading
from rapport.conversations.tests.conftest import mail, only, post, settle
from rapport.events import rules as log_rules
from rapport.events import services as events
from rapport.staff.models import Staff

Log = Callable[..., None]


def annotate(post_id: str, **said: str) -> None:
    message = Message.objects.get(post_id=post_id)
    rows = [
        {"seq": message.seq, "subject": message.subject, "ts": message.ts, "name": name, "label": label, "value": None,
         "probability": 0.9, "model": "intent", "version": "4"}
        for name, label in said.items()
    ]  # fmt: skip
    events.annotate(pa.Table.from_pylist(rows, schema=log_rules.ANNOTATION))
    settle()


def test_a_post_about_us_opens_once_a_model_says_that_it_asks_for_help(log: Log) -> None:
    log([post("ana", "p1", "My otter cable is dead, how do I fix it?")])
    assert Conversation.objects.get().state == "aside"
    annotate("p1", help_request="yes", intent="help_request", language="en")
    assert (only().state, only().why, only().intent, only().language) == (
        "open",
        "help",
        "help_request",
        "en",
    )
    annotate("p1", help_request="no")
    assert (only().state, only().resolved_why) == ("resolved", "taken_back")


def test_an_unsure_complaint_is_left_alone(log: Log) -> None:
    log([post("ana", "p1", "Well, otter.")])
    annotate("p1", sentiment="negative")
    assert not Message.objects.get().is_complaint
    annotate("p1", intent="complaint")
    assert only().why == "complaint"
    assert not reading.complains("complaint", 0.7, by_staff=False)
    assert reading.complains("complaint", None, by_staff=True)
    assert not reading.complains("praise", 0.99, by_staff=True)


def test_what_staff_say_of_a_text_holds_at_once(
    log: Log, bob: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        "rapport.conversations.services.working.insights.correct", lambda *a: taught.append(a)
    )
    log([mail("ana", "Great, it broke again", "A", 1)])
    one = only()
    services.correct(one.id, "sentiment", "negative", by=bob.pk)
    services.set_language(one.id, "de", by=bob.pk)
    assert (only().sentiment, only().language) == ("negative", "de")
    assert only().version > one.version
    assert [(t[1], t[2], t[3]) for t in taught] == [
        ("sentiment", "negative", "bob@otter.example"),
        ("language", "de", "bob@otter.example"),
    ]


def test_saying_in_which_language_they_write_makes_nobody_complain(
    log: Log, bob: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rapport.conversations.services.working.insights.correct", lambda *_: None)
    log([mail("ana", "It broke again", "A", 1)])
    Message.objects.update(intent="complaint", is_complaint=False)  # as a model read it that is not sure
    services.set_language(only().id, "de", by=bob.pk)
    assert not Message.objects.get().is_complaint
    services.correct(only().id, "intent", "complaint", by=bob.pk)
    assert Message.objects.get().is_complaint
    services.correct(only().id, "sentiment", "negative", by=bob.pk)
    assert Message.objects.get().is_complaint
