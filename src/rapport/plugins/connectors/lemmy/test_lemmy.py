"""Lemmy read and answered, against an instance in this process that behaves as Lemmy does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.lemmy import simulator
from rapport.plugins.connectors.lemmy.instance import Config, moment
from rapport.plugins.connectors.lemmy.plugin import plugin
from rapport.plugins.connectors.lemmy.simulator import HOST, ME

CONFIG = Config(f"https://{HOST}", ME, simulator.PASSWORD)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.Lemmy:
    return simulator.Lemmy(day)


@pytest.fixture
def reader(network: simulator.Lemmy) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_answers_mentions_and_followed_words_are_read(network: simulator.Lemmy, reader: Reader) -> None:
    ours = network.post(ME, "Open day", "Come and see.")
    back = network.comment("ana@far.example", ours, "When?")
    there = network.post("bo", "Which lantern?", "For rain.")
    named = network.comment("chi", there, f"Ask [@{ME}@{HOST}](https://{HOST}/u/{ME})")
    deep = network.comment("bo", named, "They sell a lantern?")
    network.comment("chi", deep, "They do.")
    said = {one.id: one for one in reader.read()}
    assert set(said) == {ours, back, there, named, deep}
    one = said[back]
    assert (one.author, one.venue, one.in_reply_to) == ("ana@far.example", f"lemmy:lamps@{HOST}", ours)
    assert (one.thread, one.asks_us, one.url) == (
        ours,
        True,
        f"https://{HOST}/comment/{one.id[1 : -len(HOST) - 1]}",
    )
    assert (said[deep].in_reply_to, said[deep].thread, said[deep].asks_us) == (named, there, False)
    assert said[there].text == "Which lantern?\n\nFor rain."
    assert said[named].asks_us
    assert said[ours].is_ours
    assert not reader.read()


def test_pages_are_walked_back_to_where_it_was_left(
    network: simulator.Lemmy, reader: Reader, day: Day
) -> None:
    ours = network.post(ME, "Open day")
    for n in range(120):
        day.later(20)
        network.comment("ana", ours, f"question {n}")
    assert len([one for one in reader.read() if not one.is_ours]) == 120
    day.later(900)
    network.comment("bo", ours, "and another")
    asked = len(network.asked)
    assert [one.text for one in reader.read()] == ["and another"]
    assert sum(path.endswith("/user/replies") for path in network.paths[asked:]) == 1


def test_comments_are_found_though_posts_are_few(network: simulator.Lemmy, reader: Reader, day: Day) -> None:
    old = network.post("ana", "A lantern")
    day.later(7_200)
    for n in range(70):
        network.comment("bo", old, f"lantern {n}")
    assert len(reader.read()) == 71


def test_private_messages_are_answered_to_whoever_wrote(network: simulator.Lemmy, reader: Reader) -> None:
    id = network.write("ana@far.example", "Where is order 12?")
    (one,) = reader.read()
    assert (one.id, one.kind, one.is_private) == (id, "message", True)
    draft = Draft("d1", "It leaves today.", in_reply_to=id, thread=one.thread, to=one.author, is_private=True)
    receipt = reader.publish(draft)
    assert (network.named(receipt.id).to, network.named(receipt.id).text) == ("ana@far.example", draft.text)
    assert reader.find(draft) == receipt
    assert refused(lambda: reader.publish(replace(draft, to="nobody@far.example"))).is_permanent


def test_what_others_wrote_and_what_was_for_others_is_no_answer_of_ours(
    network: simulator.Lemmy, reader: Reader
) -> None:
    id = network.write("ana@far.example", "Where is order 12? Thank you.")
    (one,) = reader.read()
    draft = Draft("d1", "Thank you.", in_reply_to=id, thread=one.thread, to=one.author, is_private=True)
    assert reader.find(draft) is None, "it is she who said that"
    network.write(ME, "Thank you.", to="bo")
    assert reader.find(draft) is None, "that went to somebody else"
    receipt = reader.publish(draft)
    assert reader.find(draft) == receipt


def test_changes_and_deletions_are_told_once(network: simulator.Lemmy, reader: Reader, day: Day) -> None:
    there = network.post("ana", "A lantern")
    changed, gone, taken = (network.comment("bo", there, f"lantern {n}") for n in range(3))
    assert len(reader.read()) == 4
    network.named(changed).text, network.named(changed).updated = "torch", "2026-03-02T12:00:30.000000Z"
    network.named(gone).deleted, network.named(taken).removed = True, True
    day.later(61)
    said = {(one.kind, one.about): one.text for one in reader.read()}
    assert said == {("edit", changed): "torch", ("deletion", gone): "", ("deletion", taken): ""}
    day.later(61)
    assert not reader.read()


def test_an_answer_is_posted_and_found_again(network: simulator.Lemmy, reader: Reader) -> None:
    there = network.post("ana", "My lantern flickers")
    theirs = network.comment("bo", there, "Mine too")
    draft = Draft("d1", "Please **clean** it.", in_reply_to=theirs)
    network.fail("/comment", is_after=False)
    # The comment that is answered is asked for first; that it did not answer is no post that may have left.
    assert not refused(lambda: reader.publish(draft)).is_unsure
    receipt = reader.publish(draft)
    assert network.named(receipt.id).path.endswith(
        f".{theirs[1:].partition('@')[0]}.{network.named(receipt.id).id}"
    )
    assert reader.find(draft) == receipt
    assert reader.find(replace(draft, in_reply_to=there)) is None
    on_post = reader.publish(replace(draft, id="d2", in_reply_to=there))
    assert network.named(on_post.id).post == network.named(there).id
    own = Draft("d3", "Come.", venue=f"lemmy:lamps@{HOST}", subject_line="Open day")
    assert network.named(reader.publish(own).id).title == "Open day"
    assert refused(lambda: reader.publish(replace(own, venue=f"lemmy:none@{HOST}"))).is_permanent


def test_what_cannot_be_answered_is_said(network: simulator.Lemmy, reader: Reader) -> None:
    there = network.post("ana", "My lantern")
    theirs = network.comment("bo", there, "Mine")
    network.named(theirs).deleted = True
    assert (
        "not there any more" in refused(lambda: reader.publish(Draft("d", "Yes", in_reply_to=theirs))).message
    )
    network.named(there).removed = True
    assert refused(lambda: reader.publish(Draft("d", "Yes", in_reply_to=there))).is_permanent
    assert (
        "is not on"
        in refused(lambda: reader.publish(Draft("d", "Yes", in_reply_to="c1@far.example"))).message
    )


def test_a_session_that_ended_is_renewed_and_a_ban_is_said(
    network: simulator.Lemmy, reader: Reader, day: Day
) -> None:
    reader.read()
    network.tokens.clear()
    assert reader.read() == []
    assert network.n_logins == 2
    assert [one.state for one in reader.findings()] == ["ok"] * 4
    network.version = "1.0.0"
    (newer,) = [one for one in reader.findings() if one.state == "warn"]
    assert (newer.what, "1.0.0" in newer.message) == ("Version", True)
    network.version = "0.19.11"
    network.is_bot = False
    assert [one.state for one in reader.findings()] == ["ok"] * 4 + ["warn"]
    network.tokens.clear()
    network.is_banned = True
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "incorrect login" in failed.message
    assert [one.state for one in reader.findings()] == ["bad"]


@pytest.mark.parametrize("status", [400, 429])
def test_a_limit_is_waited_for_whatever_status_it_has(
    network: simulator.Lemmy, reader: Reader, status: int
) -> None:
    network.fail("/user/replies", Answered({"error": "rate_limit_error"}, status))
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 120.0)


def test_odd_shapes_and_old_times() -> None:
    assert moment("2023-06-12T10:11:12.123456") == moment("2023-06-12T10:11:12.123456Z")
    assert moment(None) is None
    for change in ({"server": "https://a.example/c"}, {"username": "a@b"}, {"password": ""}):
        with pytest.raises(Invalid):
            plugin.check(replace(CONFIG, **change))
