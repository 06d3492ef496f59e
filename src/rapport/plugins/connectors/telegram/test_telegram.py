"""A bot on Telegram read and answered, against a Bot API in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.telegram import simulator
from rapport.plugins.connectors.telegram.plugin import SECRET_HEADER, Config, plugin
from rapport.plugins.connectors.telegram.simulator import BOT, NAME

CONFIG = Config(simulator.TOKEN)
CALLED = Config(simulator.TOKEN, "called", simulator.SECRET)
GROUP = -1001234


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.Telegram:
    return simulator.Telegram(day)


@pytest.fixture
def reader(network: simulator.Telegram) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_a_private_message_arrives_whole_and_once(network: simulator.Telegram, reader: Reader) -> None:
    id = network.write(7, "Where is order 12?")
    (one,) = reader.read()
    assert (one.id, one.kind, one.author, one.author_name) == (id, "message", "7", "Person 7")
    assert (one.thread, one.language, one.is_private, one.asks_us) == ("7", "en", True, True)
    assert not reader.read()


def test_updates_come_by_pages_and_are_told_as_read_only_when_kept(
    network: simulator.Telegram, reader: Reader
) -> None:
    network.page_max = 2
    ids = [network.write(7, f"line {n}") for n in range(5)]
    pages = plugin.fetch(CONFIG, "", reader.context)
    first = next(pages)
    assert [one.id for one in first.said] == ids[:2]
    assert len(network.updates) == 5, "they were let go before the first page was durable"
    assert [one.id for one in reader.read()] == ids
    assert not network.updates


def test_groups_are_read_and_who_addresses_us_is_known(network: simulator.Telegram, reader: Reader) -> None:
    network.write(7, "hello all", chat=GROUP)
    ours = reader.publish(Draft("d0", "Hello!", venue=f"telegram:{GROUP}"))
    network.write(8, "thanks", chat=GROUP, answers=int(ours.id.partition("/")[2]))
    network.write(8, f"and you, @{NAME.upper()}?", chat=GROUP)
    network.write(9, "/help", chat=GROUP, entities=[{"type": "bot_command", "offset": 0, "length": 5}])
    network.write(9, "", chat=GROUP, photo=[{}])
    network.write(9, "", chat=GROUP, new_chat_title="Other lamps")
    said = reader.read()
    assert [one.asks_us for one in said] == [False, True, True, True, False]
    assert {one.venue for one in said} == {f"telegram:{GROUP}"}
    assert (said[0].kind, said[0].is_private, said[0].url) == ("post", True, "https://t.me/c/1234/1")
    assert said[1].in_reply_to == ours.id
    assert said[4].text == "(photo)"


def test_changes_reactions_and_blocks_are_told(network: simulator.Telegram, reader: Reader, day: Day) -> None:
    id = network.write(7, "My lantern flickrs")
    network.update(
        "edited_message", {**network.messages[7, 1], "text": "My lantern flickers", "edit_date": 1772452860}
    )
    network.update(
        "message_reaction",
        {
            "chat": {"id": 7, "type": "private"},
            "message_id": 1,
            "user": {"id": 7},
            "date": int(day.at.timestamp()),
            "new_reaction": [{"type": "emoji", "emoji": "👍"}],
        },
    )
    network.update(
        "my_chat_member",
        {
            "chat": {"id": 7, "type": "private"},
            "from": {"id": 7},
            "date": int(day.at.timestamp()),
            "new_chat_member": {"status": "kicked"},
        },
    )
    _, edit, reaction, block = reader.read()
    assert (reaction.is_private, reaction.venue) == (True, "telegram"), "said to the bot alone"
    assert (edit.kind, edit.about, edit.text) == ("edit", id, "My lantern flickers")
    assert (reaction.kind, reaction.about, reaction.detail) == ("reaction", id, {"kind": "👍"})
    assert (block.kind, block.author) == ("block", "7")


def test_an_answer_goes_to_what_it_answers(network: simulator.Telegram, reader: Reader) -> None:
    id = network.write(7, "Where is order 12?")
    receipt = reader.publish(Draft("d1", "It leaves today.", in_reply_to=id, to="7", is_private=True))
    sent = network.messages[7, int(receipt.id.partition("/")[2])]
    assert (sent["text"], sent["reply_to_message"]["message_id"], sent["from"]["id"]) == (
        "It leaves today.",
        1,
        BOT,
    )
    group = reader.publish(Draft("d2", "Hello", in_reply_to=network.write(7, "hi", chat=GROUP)))
    assert group.url == "https://t.me/c/1234/2"


def test_what_may_have_left_cannot_be_looked_for(network: simulator.Telegram, reader: Reader) -> None:
    draft = Draft("d1", "It leaves today.", in_reply_to=network.write(7, "Where?"))
    network.fail("/sendMessage", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    failed = refused(lambda: reader.find(draft))
    assert failed.is_unsure
    assert "Look into the chat" in failed.hint
    network.fail("/sendMessage", Answered({"ok": False, "error_code": 500, "description": "Internal"}, 500))
    assert refused(lambda: reader.publish(draft)).is_unsure


def test_refusals_are_in_telegrams_words(network: simulator.Telegram, reader: Reader) -> None:
    draft = Draft("d1", "It leaves today.", in_reply_to=network.write(7, "Where?"))
    network.stopped.add(7)
    failed = refused(lambda: reader.publish(draft))
    assert (failed.reason, failed.is_permanent, failed.is_unsure) == ("permission", True, False)
    assert "blocked by the user" in failed.message
    failed = refused(lambda: reader.publish(Draft("d2", "Hello", to="99")))
    assert ("chat not found" in failed.message, failed.is_permanent) == (True, True)
    assert refused(lambda: reader.publish(Draft("d3", "Hello", to="@ana"))).is_permanent
    network.fail("/sendMessage", simulator.flood(13))
    failed = refused(lambda: reader.publish(draft))
    assert (failed.reason, failed.retry_after_s, failed.is_permanent) == ("rate", 13.0, False)
    network.fail(
        "/sendMessage",
        Answered(
            {"ok": False, "error_code": 400, "description": "", "parameters": {"migrate_to_chat_id": -1009}},
            400,
        ),
    )
    assert "-1009" in refused(lambda: reader.publish(draft)).message


def test_the_web_hook_is_believed_only_with_its_secret(network: simulator.Telegram, reader: Reader) -> None:
    reader.config = CALLED
    assert reader.read() == []
    assert not network.asked, "it was asked although Telegram calls"
    network.write(7, "Where is order 12?")
    update = {k: v for k, v in network.updates[0].items() if k != "at"}
    (one,) = reader.receive({SECRET_HEADER: simulator.SECRET}, update).said
    assert one.text == "Where is order 12?"
    # What Telegram sends twice has the same id, and comes in once.
    assert reader.receive({SECRET_HEADER: simulator.SECRET}, update).said[0].id == one.id
    for headers in ({}, {SECRET_HEADER: "another-secret-of-it"}, {SECRET_HEADER: ""}):
        with pytest.raises(Denied):
            reader.receive(headers, update)
    with pytest.raises(Invalid):
        reader.receive({SECRET_HEADER: simulator.SECRET}, b"no update")
    reader.config = replace(CALLED, webhook_secret="")
    with pytest.raises(Denied):
        reader.receive({SECRET_HEADER: ""}, update)


def test_who_is_called_knows_the_bots_name_too(network: simulator.Telegram, reader: Reader) -> None:
    reader.config = CALLED
    network.write(8, f"and you, @{NAME}?", chat=GROUP)
    update = {k: v for k, v in network.updates[0].items() if k != "at"}
    (one,) = reader.receive({SECRET_HEADER: simulator.SECRET}, update).said
    assert one.asks_us
    reader.memory.clear()
    network.fail("/getMe")
    (one,) = reader.receive({SECRET_HEADER: simulator.SECRET}, update).said
    assert not one.asks_us, "what came is kept also where Telegram cannot be asked"


def test_who_speaks_as_a_channel_or_group_is_that_one(network: simulator.Telegram, reader: Reader) -> None:
    stand_in = 136_817_688  # which Telegram puts in place of whoever speaks as a channel
    for chat in (-1001, -1002):
        network.write(
            stand_in,
            "hello",
            chat=GROUP,
            sender_chat={"id": chat, "type": "channel", "title": f"News {chat}"},
        )
    assert [(one.author, one.author_name) for one in reader.read()] == [
        ("-1001", "News -1001"),
        ("-1002", "News -1002"),
    ]


def test_an_answer_that_says_nothing_leaves_open_whether_it_was_taken(
    network: simulator.Telegram, reader: Reader
) -> None:
    id = network.write(7, "Where is order 12?")
    network.fail("/sendMessage", Answered("<html>"), is_after=True)
    failed = refused(lambda: reader.publish(Draft("d1", "It leaves today.", in_reply_to=id)))
    assert (failed.is_unsure, failed.is_permanent) == (True, False)


def test_a_token_that_ended_and_another_reader_are_said(network: simulator.Telegram, reader: Reader) -> None:
    assert [one.state for one in reader.findings()] == ["ok", "ok", "warn"]
    network.hook = "https://elsewhere.example/"
    failed = refused(reader.read)
    assert (failed.reason, "somebody else reads this bot" in failed.message) == ("permission", True)
    assert [one.state for one in reader.findings()] == ["ok", "bad", "warn"]
    reader.config = Config("4242:" + "B" * 35)
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "B" * 35 not in failed.message + failed.hint
    assert [one.state for one in reader.findings()] == ["bad"]


def test_what_cannot_work_is_refused() -> None:
    plugin.check(CALLED)
    for change in ({"bot_token": "x"}, {"way": "none"}, {"webhook_secret": "a b"}, {"webhook_secret": ""}):
        with pytest.raises(Invalid):
            plugin.check(replace(CALLED, **change))
