"""LINE read and answered, against a Messaging API in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.line import simulator
from rapport.plugins.connectors.line.plugin import Config, plugin

CONFIG = Config(simulator.SECRET, simulator.TOKEN)
ANA, GROUP = "U" + "a" * 32, "C" + "1" * 32


@pytest.fixture
def network() -> simulator.Line:
    return simulator.Line(Day())


@pytest.fixture
def reader(network: simulator.Line) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_a_message_arrives_whole_and_twice_as_one(network: simulator.Line, reader: Reader) -> None:
    event = network.write(ANA, "Where is order 12?", quotedMessageId="17")
    (one,) = reader.receive(*network.call(event)).said
    assert (one.kind, one.author, one.text, one.in_reply_to) == ("message", ANA, "Where is order 12?", "17")
    assert (one.ts, one.thread, one.is_private, one.asks_us) == (network.day.at, ANA, True, True)
    again = {**event, "deliveryContext": {"isRedelivery": True}}
    assert reader.receive(*network.call(again)).said == [one]
    (picture,) = reader.receive(*network.call(network.write(ANA, "", type="image"))).said
    assert picture.text == "[image]"


def test_groups_blocks_and_what_is_taken_back(network: simulator.Line, reader: Reader) -> None:
    plain = network.write(ANA, "Hello all", group=GROUP)
    named = network.write(ANA, "@otter hello", group=GROUP, mention={"mentionees": [{"isSelf": True}]})
    gone = network.event("unsend", ANA, unsend={"messageId": plain["message"]["id"]})
    left, joined = network.event("unfollow", ANA), network.event("follow", ANA)
    said = reader.receive(*network.call(plain, named, gone, left, joined)).said
    assert [(one.kind, one.asks_us, one.is_private) for one in said[:2]] == [
        ("message", False, False),
        ("message", True, False),
    ]
    assert said[0].thread == GROUP
    assert (said[2].kind, said[2].about) == ("deletion", said[0].id)
    assert [(one.kind, one.author) for one in said[3:]] == [("block", ANA)]
    standby = {**network.write(ANA, "Hello"), "mode": "standby"}
    assert not reader.receive(*network.call(standby)).said


def test_a_call_is_believed_only_when_signed(network: simulator.Line, reader: Reader) -> None:
    headers, body = network.call(network.write(ANA, "Hello"))
    for spoilt in ({"x-line-signature": "AAAA"}, {}):
        with pytest.raises(Denied):
            reader.receive(spoilt, body)
    with pytest.raises(Denied):
        reader.receive(headers, body + b" ")
    assert reader.receive(*network.call()).status == 200, "LINE tries the address with no events"


def test_an_answer_is_sent_once_whatever_is_lost(network: simulator.Line, reader: Reader) -> None:
    draft = Draft("d1", "It leaves today.", in_reply_to="17", thread=ANA, is_private=True)
    network.fail("/push", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    receipt = reader.publish(draft)
    assert "already" in receipt.answer
    (sent,) = network.sent.values()
    assert (sent["id"], sent["to"], sent["messages"]) == (
        receipt.id,
        ANA,
        [{"type": "text", "text": "It leaves today."}],
    )
    assert reader.publish(replace(draft, id="d2")).id != receipt.id
    assert refused(lambda: reader.find(draft)).is_unsure, "nothing can be looked up"
    assert plugin.manners.publishes_once


def test_refusals_are_in_words(network: simulator.Line, reader: Reader) -> None:
    draft = Draft("d1", "It leaves today.", thread=ANA)
    nobody = refused(lambda: reader.publish(replace(draft, thread="ana")))
    assert nobody.is_permanent
    wrong = refused(lambda: reader.publish(replace(draft, thread=GROUP)))
    assert "must be a known id" in wrong.message
    network.fail("/push", Answered({"message": "The API rate limit has been exceeded."}, 429))
    assert refused(lambda: reader.publish(draft)).retry_after_s == 60.0
    network.fail("/push", Answered({"message": "Internal Server Error"}, 500))
    assert refused(lambda: reader.publish(draft)).is_unsure
    network.plan = 0
    spent = refused(lambda: reader.publish(draft))
    assert (spent.reason, spent.retry_after_s) == ("rate", 86_400.0)
    assert "plan" in spent.hint


def test_the_set_up_is_looked_at(network: simulator.Line, reader: Reader) -> None:
    assert [one.state for one in reader.findings()] == ["ok", "ok", "ok"]
    for network.calls in ("https://elsewhere.example/", ""):
        assert [one.state for one in reader.findings()] == ["ok", "bad", "ok"]
        assert reader.context.address in reader.findings()[1].hint
    network.calls = reader.context.address
    network.is_on, network.plan = False, 0
    assert [one.state for one in reader.findings()] == ["ok", "bad", "bad"]
    reader.config = replace(CONFIG, access_token="another-token")
    (bad,) = reader.findings()
    assert "does not accept our log-in" in bad.message


@pytest.mark.parametrize("name", ["channel_secret", "access_token"])
def test_what_cannot_work_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **{name: "no"}))
