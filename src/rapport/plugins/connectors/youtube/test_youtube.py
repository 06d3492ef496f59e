"""Comments on YouTube read and answered, against one in this process that behaves as its Data API does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.plugins.connectors.youtube import simulator
from rapport.plugins.connectors.youtube.channel import Config
from rapport.plugins.connectors.youtube.plugin import plugin
from rapport.plugins.connectors.youtube.simulator import ME, VIDEO

CONFIG = Config(ME, simulator.CLIENT, simulator.SECRET, simulator.REFRESH)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.YouTube:
    return simulator.YouTube(day)


@pytest.fixture
def reader(network: simulator.YouTube) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_comments_and_answers_are_read_once(network: simulator.YouTube, reader: Reader, day: Day) -> None:
    first = network.say("UCana", "Does it flicker?")
    ours = network.say(ME, "It should not.", first)
    said = {one.id: one for one in reader.read()}
    assert set(said) == {first, ours}
    assert (said[first].author, said[first].author_name, said[first].asks_us) == ("UCana", "@UCana", True)
    assert (said[ours].in_reply_to, said[ours].thread, said[ours].is_ours) == (first, first, True)
    assert said[ours].url == f"https://www.youtube.com/watch?v={VIDEO}&lc={ours}"
    day.later(61)
    assert not reader.read()


def test_pages_are_walked_and_only_the_first_is_asked_again(
    network: simulator.YouTube, reader: Reader, day: Day
) -> None:
    ids = []
    for n in range(230):
        day.later(10)
        ids.append(network.say("UCana", f"number {n}"))
    assert [one.id for one in reader.read()] == ids
    day.later(600)
    last = network.say("UCbo", "and me")
    asked = len(network.asked)
    assert [one.id for one in reader.read()] == [last]
    lists = [one for one in network.asked[asked:] if "allThreadsRelatedToChannelId" in one.query]
    assert len(lists) == 1


def test_answers_to_old_threads_are_found_also_those_that_the_list_leaves_out(
    network: simulator.YouTube, reader: Reader, day: Day
) -> None:
    first = network.say("UCana", "Does it flicker?")
    reader.read()
    day.later(86_400)
    ids = [network.say(f"UC{n}", f"answer {n}", first) for n in range(7)]
    network.page_max = 3
    assert sorted(one.id for one in reader.read()) == sorted(ids)


def test_deletions_and_changes_are_told_when_asked(
    network: simulator.YouTube, reader: Reader, day: Day
) -> None:
    kept, gone, changed = (network.say("UCana", text) for text in ("one", "two", "three"))
    reader.read()
    network.delete(gone)
    day.later(60)
    network.comments[changed].text, network.comments[changed].changed = "three!", day.at
    said = plugin.recheck(CONFIG, [kept, gone, changed], reader.context)
    assert [(one.kind, one.about, one.text) for one in said] == [
        ("deletion", gone, ""),
        ("edit", changed, "three!"),
    ]


@pytest.mark.parametrize("is_strict", [True, False])
def test_what_is_gone_keeps_nothing_else_from_being_read(
    network: simulator.YouTube, reader: Reader, day: Day, is_strict: bool
) -> None:
    ids = [network.say("UCana", f"number {n}") for n in range(9)]
    reader.read()
    network.is_strict = is_strict
    for gone in (ids[2], ids[7]):
        network.delete(gone)
    day.later(86_400)
    answer = network.say("UCbo", "Mine too", ids[5])
    assert [one.id for one in reader.read()] == [answer]
    said = plugin.recheck(CONFIG, ids, reader.context)
    assert [(one.kind, one.about) for one in said] == [("deletion", ids[2]), ("deletion", ids[7])]
    day.later(86_400)
    asked = len(network.asked)
    assert not reader.read()
    (older,) = [one for one in network.asked[asked:] if one.first("id")]
    assert ids[2] not in older.first("id"), "what is gone is asked for again and again"


def test_a_thread_that_cannot_be_shown_whole_stops_nobody(
    network: simulator.YouTube, reader: Reader, day: Day
) -> None:
    first = network.say("UCana", "Does it flicker?")
    for n in range(9):
        network.say("UCbo", f"answer {n}", first)
    network.broken.add(first)
    day.later(5)
    other = network.say("UCchi", "Is it bright?")
    said = [one.id for one in reader.read()]
    assert {first, other} < set(said)
    assert len(said) == 2 + simulator.SHOWN_MAX


def test_an_answer_goes_under_the_thread_and_is_found_again(
    network: simulator.YouTube, reader: Reader
) -> None:
    first = network.say("UCana", "Does it flicker?")
    second = network.say("UCbo", "Mine does.", first)
    draft = Draft("d1", "Please clean its contacts.", in_reply_to=second)
    network.fail("/comments", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert network.comments[found.id].above == first
    assert reader.find(replace(draft, text="Never sent")) is None
    gone = refused(lambda: reader.publish(replace(draft, in_reply_to="Ugffff")))
    assert gone.is_permanent
    assert "could not be found" in gone.message


def test_a_comment_of_our_own_needs_a_video(network: simulator.YouTube, reader: Reader) -> None:
    draft = Draft("d1", "New: the small one.", venue=f"youtube:{VIDEO}")
    receipt = reader.publish(draft)
    assert network.comments[receipt.id].text == draft.text
    assert reader.find(draft) == receipt
    assert refused(lambda: reader.publish(replace(draft, venue="youtube"))).is_permanent
    closed = refused(lambda: reader.publish(replace(draft, venue="youtube:aaaaaaaaaaa")))
    assert (closed.reason, closed.is_permanent) == ("permission", True)


def test_the_quota_is_kept_until_midnight_in_california(
    network: simulator.YouTube, reader: Reader, day: Day
) -> None:
    reader.config = replace(CONFIG, units=1_000)
    network.say("UCana", "Does it flicker?")
    reader.memory["spent"] = ("2026-03-02", 900)
    asked = len(network.asked)
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 20 * 3_600.0)
    assert len(network.asked) == asked, "it was asked although nothing was left"
    assert reader.publish(Draft("d1", "No.", in_reply_to="Ug000001")).id, "the rest is for answers"
    day.later(20 * 3_600)
    assert reader.read()
    network.quota = 0
    day.later(61)
    assert "exceeded your quota" in refused(reader.read).message


def test_a_log_in_that_ended_is_renewed_or_said(network: simulator.YouTube, reader: Reader, day: Day) -> None:
    reader.read()
    network.tokens.clear()
    day.later(61)
    reader.read()
    assert network.n_logins == 2
    assert [one.state for one in reader.findings()] == ["ok"] * 3
    network.scope = "https://www.googleapis.com/auth/youtube.readonly"
    assert [(one.what, one.state) for one in reader.findings()][1:] == [
        ("Comments", "ok"),
        ("Answers", "bad"),
    ]
    other = Reader(plugin, replace(CONFIG, refresh_token="old"), network)
    failed = refused(other.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "expired or revoked" in failed.message
    wrong = Reader(plugin, replace(CONFIG, channel="UC" + "x" * 22), network)
    assert [one.state for one in wrong.findings()] == ["bad"]


@pytest.mark.parametrize("change", [{"channel": "@otter"}, {"client_secret": ""}, {"units": 5}])
def test_what_cannot_work_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **change))  # type: ignore[arg-type]
