"""A call for help is delivered to our own account, answered with approval and disclosure, and thanked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.test_listening_loop import (
    ASKS,
    Day,
    day,
    firm,
    proposed,
    said_in,
    the_conversation,
)

from rapport.conversations import services as conversations
from rapport.conversations.models import Message
from rapport.events import services as events
from rapport.events import spool, subscriptions
from rapport.kit import clock
from rapport.listening import services as listening
from rapport.listening.contract import Hook
from rapport.listening.services import asking, rounds
from rapport.listening.services import posting as networks
from rapport.messaging import services as messaging
from rapport.plugins.connectors.activitypub.simulator import ADDRESS, Fediverse, Person
from rapport.staff.models import Staff

__all__ = ["day", "firm"]  # fixtures


@pytest.fixture
def network(day: Day, firm: dict[str, Staff], monkeypatch: pytest.MonkeyPatch) -> Iterator[Fediverse]:
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", "https://shop.example")

    def ours(url: str) -> Any:
        return json.loads(
            listening.receive("otter", Hook("GET", {}, {}, b"", url.removeprefix(ADDRESS))).body
        )

    found = Fediverse(clock.now, ours)  # type: ignore[arg-type]
    monkeypatch.setattr("rapport.kit.http.fetch", lambda request, **_: found.take(request))
    listening.add_source("otter", "activitypub", {"title": "Otter Tools"}, by="alice@otter.example")
    yield found
    asking.forget_memory("otter")


def deliver(person: Person, activity: Any) -> None:
    headers, body = person.signed(activity)
    assert listening.receive("otter", Hook("POST", {}, headers, body, "inbox")).status == 202


def settle(day: Day) -> None:
    """Time goes on, and everybody who follows the log reacts."""
    day.later(61)
    for _ in range(3):
        events.settle(spool.current().next_seq() - 1)
        subscriptions.drain()


def test_a_call_for_help_is_heard_answered_and_thanked_for(
    network: Fediverse, firm: dict[str, Staff], day: Day
) -> None:
    ana = network.person("ana")
    note = ana.note(ASKS)
    deliver(ana, ana.does("Create", note))
    settle(day)
    one = the_conversation()
    assert (one.identifier, one.network, one.is_public) == (
        "mastodon:ana@lake.example",
        "mastodon",
        True,
    )

    outcome = conversations.answer(one.id, proposed(ASKS), by=firm["bob"].pk, version=one.version)
    mine = Message.objects.get(conversation=one, direction="out")
    assert outcome.state == "waiting", "nobody posts in public alone"
    messaging.drain()
    assert network.taken == []

    conversations.approve(mine.pk, by=firm["alice"].pk)
    messaging.drain()
    (activity,) = network.sent_to(ana)
    answer = activity["object"]
    assert answer["inReplyTo"] == note["id"]
    assert "wick" in answer["content"]
    assert "Otter Tools" in answer["content"], "who speaks is said"

    deliver(ana, ana.does("Create", ana.note("That worked, thank you!", number=2, answers=answer["id"])))
    settle(day)
    one = the_conversation()
    assert [direction for direction, _ in said_in(one)] == ["in", "out", "in"]
    assert said_in(one)[-1][1].endswith("That worked, thank you!")
    assert one.waiting_since is None
    messaging.drain()
    assert len(network.taken) == 1
    assert network.n_copies == 0

    deliver(ana, ana.does("Delete", note["id"]))
    settle(day)
    assert not Message.objects.filter(text__contains="flickers").exists()


class Killed(BaseException):
    """Stands in for SIGKILL: nothing after it is carried out."""


def test_killed_in_between_nothing_is_lost_and_nothing_said_twice(
    network: Fediverse, firm: dict[str, Staff], day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any, **_named: Any) -> None:
        raise Killed

    def killed_in(place: Any, name: str, act: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, die)
            with pytest.raises(Killed):
                act()

    ana = network.person("ana")
    asked = ana.does("Create", ana.note(ASKS))
    for place, name in ((events, "record"), (rounds, "_after_recording")):
        killed_in(place, name, lambda: deliver(ana, asked))
    deliver(ana, asked)  # who got no answer sends it again
    settle(day)
    one = the_conversation()
    assert said_in(one) == [("in", f"@help {ASKS}")]

    draft = networks.Draft(
        "0190f5c8c0de7000a000000000000001", "Dry the wick.", in_reply_to=asked["object"]["id"]
    )
    killed_in(networks, "_note", lambda: networks.publish("otter", draft))
    receipt = networks.publish("otter", draft)
    assert [activity["object"]["id"] for activity in network.sent_to(ana)] == [receipt.id]
    assert network.n_copies == 0, "what was taken is on record, and is not even sent again"
