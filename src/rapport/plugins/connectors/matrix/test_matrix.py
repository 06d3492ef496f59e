"""Matrix read and answered, against a server in this process that behaves as Synapse does."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Context, Draft, Failed, Page, Said
from rapport.listening.tests import serving
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.matrix import events, reading, simulator
from rapport.plugins.connectors.matrix import plugin as writing
from rapport.plugins.connectors.matrix.plugin import plugin
from rapport.plugins.connectors.matrix.server import Config

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
NAMED: dict[str, Any] = {"m.mentions": {"user_ids": [simulator.ME]}}
ANA, BO = "@ana:maker.example", "@bo:otter.example"


class Reader:
    """A source: its configuration, cursor and memory."""

    def __init__(self, network: simulator.Matrix) -> None:
        self.config = Config(network.address, simulator.ME, simulator.TOKEN)
        self.cursor = ""
        self.memory: dict[str, Any] = {}

    def change(self, **values: Any) -> None:
        self.config = dataclasses.replace(self.config, **values)

    @property
    def context(self) -> Context:
        return serving.context(now=lambda: NOON, since=NOON - dt.timedelta(days=1), memory=self.memory)

    def pages(self) -> list[Page]:
        found = []
        for page in plugin.fetch(self.config, self.cursor, self.context):
            found.append(page)
            self.cursor = page.cursor
        return found

    def read(self) -> list[Said]:
        return [said for page in self.pages() for said in page.said]

    def publish(self, draft: Draft) -> Any:
        return plugin.publish(self.config, draft, self.context)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[simulator.Matrix]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    with simulator.Matrix(now=lambda: NOON) as server:
        yield server


@pytest.fixture
def reader(network: simulator.Matrix) -> Reader:
    return Reader(network)


@pytest.fixture
def lobby(network: simulator.Matrix) -> str:
    return network.room("lobby", ANA, BO, alias="#help:otter.example", join_rule="public")


@pytest.fixture
def aside(network: simulator.Matrix) -> str:
    return network.room("aside", ANA)


def test_what_is_said_in_a_room_arrives_whole(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    event = network.say(lobby, ANA, "My lantern flickers")
    (said,) = reader.read()
    assert (said.id, said.kind, said.author, said.text) == (
        f"{lobby}/{event}",
        "post",
        ANA[1:],
        "My lantern flickers",
    )
    assert (said.venue, said.thread, said.ts) == ("matrix:#help:otter.example", said.id, NOON)
    assert not said.asks_us
    assert not said.is_private
    assert reader.read() == []


def test_a_room_with_one_other_is_private(network: simulator.Matrix, reader: Reader, aside: str) -> None:
    network.say(aside, ANA, "My order?")
    (said,) = reader.read()
    assert (said.kind, said.is_private, said.asks_us, said.thread) == ("message", True, True, aside)


def test_two_in_an_open_room_are_not_alone(network: simulator.Matrix, reader: Reader) -> None:
    room = network.room("open", ANA, join_rule="public")
    network.say(room, ANA, "Hello?")
    (said,) = reader.read()
    assert not said.is_private
    network.say(room, ANA, "Nobody here?")
    (said,) = reader.read()
    assert not said.is_private, "it is remembered"


def test_what_addresses_us_says_so(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    named = network.say(lobby, ANA, "shop, do you know?", **NAMED)
    mine = network.say(lobby, simulator.ME, "We do.", answers=named)
    network.say(lobby, ANA, f"> <{simulator.ME}> We do.\n\nThank you!", answers=mine)
    network.say(lobby, BO, "same here", answers=named)
    network.say(lobby, BO, "I am a machine", msgtype="m.notice", **NAMED)
    asks, ours, thanks, aside, machine = reader.read()
    assert [s.asks_us for s in (asks, ours, thanks, aside, machine)] == [True, False, True, False, False]
    assert ours.is_ours
    assert (thanks.text, thanks.in_reply_to) == ("Thank you!", ours.id)
    assert thanks.thread == "", "the core follows what is answered"


def test_threads_are_named_by_what_they_began_with(
    network: simulator.Matrix, reader: Reader, lobby: str
) -> None:
    root = network.say(lobby, ANA, "A long story")
    part = network.say(lobby, ANA, "goes on", thread=root, answers=root)
    network.say(lobby, BO, "in answer", thread=root, answers=part)
    first, second, third = reader.read()
    assert {s.thread for s in (first, second, third)} == {first.id}
    assert second.in_reply_to == first.id, (
        "a thread names the newest message for old programs: it is not answered"
    )


def test_edits_redactions_reactions_and_bans_are_told(
    network: simulator.Matrix, reader: Reader, lobby: str
) -> None:
    one = network.say(lobby, ANA, "lampe")
    two = network.say(lobby, ANA, "oops")
    reader.read()
    network.edit(lobby, ANA, one, "lamp")
    network.redact(lobby, ANA, two)
    network.happened(
        lobby, BO, "m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": one, "key": "👍"}}
    )
    network.happened(lobby, BO, "m.room.member", {"membership": "ban"}, state_key=simulator.ME)
    edit, deletion, reaction, block = reader.read()
    assert (edit.kind, edit.about, edit.text) == ("edit", f"{lobby}/{one}", "lamp")
    assert (deletion.kind, deletion.about) == ("deletion", f"{lobby}/{two}")
    assert (reaction.kind, reaction.about, reaction.detail) == ("reaction", f"{lobby}/{one}", {"kind": "👍"})
    assert (block.kind, block.author) == ("block", BO[1:])


def test_what_was_redacted_before_we_read_it_is_nothing(
    network: simulator.Matrix, reader: Reader, lobby: str
) -> None:
    network.redact(lobby, ANA, network.say(lobby, ANA, "oops"))
    pages = reader.pages()
    assert [s.kind for page in pages for s in page.said] == ["deletion"]
    assert [gap for page in pages for gap in page.gaps] == []


def test_what_the_answer_left_out_is_read_back(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    network.say(lobby, ANA, "first")
    reader.read()
    wanted = [f"{lobby}/{network.say(lobby, ANA, str(n))}" for n in range(250)]
    assert [s.id for s in reader.read()] == wanted
    assert network.paths.count(f"/_matrix/client/v3/rooms/{lobby}/messages") == 3


def test_a_reader_that_was_killed_between_pages_loses_nothing(
    network: simulator.Matrix, reader: Reader, lobby: str
) -> None:
    reader.read()
    wanted = [f"{lobby}/{network.say(lobby, ANA, str(n))}" for n in range(450)]
    first = next(iter(plugin.fetch(reader.config, reader.cursor, reader.context)))
    assert len(first.said) == reading.PER_PAGE
    reader.cursor = first.cursor
    assert [s.id for s in reader.read()] == wanted, "what came is told again, and known by its id"


@pytest.mark.parametrize("n", [199, 200, 201, 400, 401])
def test_pages_hold_each_message_once(network: simulator.Matrix, reader: Reader, lobby: str, n: int) -> None:
    reader.read()
    network.limit = 1000
    wanted = [f"{lobby}/{network.say(lobby, ANA, str(i))}" for i in range(n)]
    assert [s.id for s in reader.read()] == wanted


def test_more_than_can_be_read_back_is_a_gap(
    network: simulator.Matrix, reader: Reader, lobby: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGES_MAX", 1)
    reader.read()
    for n in range(300):
        network.say(lobby, ANA, str(n))
    (gap,) = [gap for page in reader.pages() for gap in page.gaps]
    assert gap.reason == "horizon"


def test_an_encrypted_room_is_a_gap_once(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    network.happened(lobby, ANA, "m.room.encrypted", {"algorithm": "m.megolm.v1", "ciphertext": "x"})
    (gap,) = [gap for page in reader.pages() for gap in page.gaps]
    assert gap.reason == "permission"
    assert "#help:otter.example is encrypted" in gap.message
    network.happened(lobby, ANA, "m.room.encrypted", {"algorithm": "m.megolm.v1", "ciphertext": "y"})
    assert [gap for page in reader.pages() for gap in page.gaps] == []


def test_messages_that_are_not_whole_are_a_gap(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    network.happened(lobby, ANA, "m.room.message", {"msgtype": "m.text", "body": 7})
    network.happened(lobby, ANA, "m.room.message", {"body": "no kind"})
    network.happened(lobby, ANA, "m.room.message", {"msgtype": "m.key.verification.request"})
    network.say(lobby, ANA, "whole")
    pages = reader.pages()
    assert [s.text for page in pages for s in page.said] == ["whole"]
    assert ["2 messages" in gap.message for page in pages for gap in page.gaps] == [True]


def test_pictures_are_named(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    network.say(lobby, ANA, "lamp.png", msgtype="m.image")
    network.say(lobby, ANA, "look at this", msgtype="m.image", filename="lamp.png")
    assert [s.text for s in reader.read()] == ["[picture: lamp.png]", "look at this\n[picture: lamp.png]"]


@pytest.mark.parametrize(
    ("accepts", "by", "is_in"),
    [("none", ANA, False), ("server", ANA, False), ("server", BO, True), ("all", ANA, True)],
)
def test_invitations_are_accepted_as_the_firm_wants(
    network: simulator.Matrix, reader: Reader, lobby: str, accepts: str, by: str, is_in: bool
) -> None:
    network.say(lobby, ANA, "before")
    network.invite(lobby, by)
    reader.change(accepts=accepts)
    reader.read()
    assert (simulator.ME in network.rooms[lobby].members) == is_in
    assert [s.text for s in reader.read()] == (["before"] if is_in else [])


def test_a_password_opens_a_session_once(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    reader.change(access_token="", password=simulator.PASSWORD)
    reader.read()
    reader.read()
    assert network.n_log_ins == 1
    network.tokens.clear()
    network.say(lobby, ANA, "still there?")
    assert len(reader.read()) == 1
    assert network.n_log_ins == 2


@pytest.mark.parametrize("change", [{"access_token": "wrong"}, {"access_token": "", "password": "wrong"}])
def test_a_log_in_that_is_over_is_said_in_words(
    network: simulator.Matrix, reader: Reader, change: dict[str, str]
) -> None:
    reader.change(**change)
    with pytest.raises(Failed) as caught:
        reader.read()
    assert (caught.value.reason, caught.value.retry_after_s) == ("login", None)


def test_the_limit_that_the_server_names_is_kept(network: simulator.Matrix, reader: Reader) -> None:
    network.fail("/sync", Answered({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, 429))
    with pytest.raises(Failed) as caught:
        reader.read()
    assert (caught.value.reason, caught.value.retry_after_s) == ("rate", 2.5)


def test_an_answer_is_posted_where_it_belongs(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    plain = network.say(lobby, ANA, "Which?")
    reader.publish(Draft("d1", "This one.", in_reply_to=f"{lobby}/{plain}", thread=f"{lobby}/{plain}"))
    inside = network.say(lobby, ANA, "And then?", thread=plain, answers=plain)
    receipt = reader.publish(Draft("d2", "That one.", in_reply_to=f"{lobby}/{inside}"))
    first, second = network.of_me(lobby)
    assert first["content"]["m.relates_to"] == {"m.in_reply_to": {"event_id": plain}}
    assert second["content"]["m.relates_to"]["rel_type"] == "m.thread"
    assert second["content"]["m.relates_to"]["event_id"] == plain
    assert second["content"]["m.mentions"] == {"user_ids": [ANA]}
    assert receipt.id == f"{lobby}/{second['event_id']}"


def test_a_room_can_be_named_by_its_address(network: simulator.Matrix, reader: Reader, lobby: str) -> None:
    reader.publish(Draft("d1", "We are open.", venue="matrix:#help:otter.example"))
    assert [e["content"]["body"] for e in network.of_me(lobby)] == ["We are open."]


def test_the_same_draft_is_one_message_however_often_it_is_sent(
    network: simulator.Matrix, reader: Reader, lobby: str
) -> None:
    event = network.say(lobby, ANA, "Which?")
    draft = Draft("d1", "This one.", in_reply_to=f"{lobby}/{event}")
    assert plugin.find(reader.config, draft, reader.context) is None
    network.faults.append(serving.Fault(f"/{writing._key(draft)}", is_after=True))
    with pytest.raises(Failed):
        reader.publish(draft)
    found = plugin.find(reader.config, draft, reader.context)
    assert found is not None
    assert reader.publish(draft) == found
    assert len(network.of_me(lobby)) == 1


def test_nothing_is_posted_into_an_encrypted_room(
    network: simulator.Matrix, reader: Reader, lobby: str
) -> None:
    network.rooms[lobby].is_encrypted = True
    with pytest.raises(Failed, match="encrypted") as caught:
        reader.publish(Draft("d1", "x", thread=lobby))
    assert caught.value.is_permanent
    assert network.of_me(lobby) == []


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (Draft("d", " ", venue="matrix:#help:otter.example"), "no words"),
        (Draft("d", "x" * 70_000), "too long"),
        (Draft("d", "x"), "no room"),
        (Draft("d", "x", venue="matrix:#gone:otter.example"), "alias not found"),
        (Draft("d", "x", thread="!gone:otter.example"), "not in room"),
    ],
)
def test_what_cannot_be_posted_is_refused_for_good(
    network: simulator.Matrix, reader: Reader, lobby: str, draft: Draft, words: str
) -> None:
    with pytest.raises(Failed, match=words) as caught:
        reader.publish(draft)
    assert caught.value.is_permanent


def test_an_answer_to_what_is_gone_is_refused_for_good(
    network: simulator.Matrix, reader: Reader, lobby: str
) -> None:
    with pytest.raises(Failed, match="not there any more") as caught:
        reader.publish(Draft("d", "x", in_reply_to=f"{lobby}/$gone"))
    assert caught.value.is_permanent


def test_the_check_names_what_works(network: simulator.Matrix, reader: Reader) -> None:
    assert [f.state for f in plugin.findings(reader.config, reader.context)] == ["ok", "warn"]
    network.room("lobby", ANA)
    assert [f.state for f in plugin.findings(reader.config, reader.context)] == ["ok", "ok"]
    reader.change(account="@other:otter.example")
    assert [f.state for f in plugin.findings(reader.config, reader.context)] == ["bad"]
    reader.change(access_token="wrong")
    assert [f.state for f in plugin.findings(reader.config, reader.context)] == ["bad"]


@pytest.mark.parametrize(
    "change",
    [
        {"server": "matrix.org"},
        {"server": "https://matrix.org/x"},
        {"account": "shop"},
        {"account": "@shop"},
        {"access_token": ""},
        {"access_token": "two words"},
        {"accepts": "friends"},
    ],
)
def test_a_configuration_that_cannot_work_is_refused(change: dict[str, str]) -> None:
    good = Config(account=simulator.ME, access_token="x")
    plugin.check(good)
    with pytest.raises(Invalid):
        plugin.check(dataclasses.replace(good, **change))


def test_an_event_from_another_age_is_nothing() -> None:
    event = {
        "type": "m.room.message",
        "event_id": "$1",
        "sender": ANA,
        "origin_server_ts": 10**18,
        "content": {},
    }
    assert events.said(event, events.Room("!r:x"), simulator.ME, frozenset()) is None
