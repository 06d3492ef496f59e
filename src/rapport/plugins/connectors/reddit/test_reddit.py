"""Reddit read and answered, against one in this process that behaves as its Data API does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.reddit import simulator
from rapport.plugins.connectors.reddit.account import Config
from rapport.plugins.connectors.reddit.plugin import plugin, queries
from rapport.plugins.connectors.reddit.simulator import ME

CONFIG = Config(ME, simulator.PASSWORD, simulator.CLIENT, simulator.SECRET)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.Reddit:
    return simulator.Reddit(day)


@pytest.fixture
def reader(network: simulator.Reddit) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_an_answer_to_us_arrives_whole(network: simulator.Reddit, reader: Reader) -> None:
    ours = network.post(ME, "New lanterns")
    theirs = network.comment("Ana", ours, "Mine <3 flickers & dims")
    said = {one.id: one for one in reader.read()}
    one = said[theirs]
    assert (one.author, one.author_name, one.text) == ("ana", "Ana", "Mine <3 flickers & dims")
    assert (one.in_reply_to, one.thread, one.venue) == (ours, ours, "reddit:r/lanterns")
    assert one.url == f"https://www.reddit.com/r/lanterns/comments/{ours[3:]}/title/{theirs[3:]}/?context=3"
    assert (one.kind, one.asks_us, one.is_ours) == ("post", True, False)
    assert said[ours].is_ours


def test_a_private_message_is_private_and_answered_so(network: simulator.Reddit, reader: Reader) -> None:
    first = network.write("Bo", "My order", "Where is order 12?")
    (one,) = reader.read()
    assert (one.kind, one.is_private, one.subject_line, one.thread) == ("message", True, "My order", first)
    draft = Draft("d1", "It leaves today.", in_reply_to=first, thread=first, is_private=True)
    receipt = reader.publish(draft)
    assert network.things[receipt.id].to == "Bo"
    assert reader.find(draft) == receipt
    assert reader.find(replace(draft, text="It leaves tomorrow.")) is None


def test_what_reddit_shows_no_more_of_messages_stops_nothing_else(
    network: simulator.Reddit, reader: Reader
) -> None:
    # Since messages became chats their lists lead to the log-in page of the site.
    network.fail("/message/sent", Answered("<!DOCTYPE html><title>Log in</title>"), times=9)
    theirs = network.post("Bo", "A lantern")
    assert [one.id for one in reader.read()] == [theirs]


def test_followed_words_are_found_in_posts_and_in_named_communities(
    network: simulator.Reddit, reader: Reader, day: Day
) -> None:
    here, there = network.post("ana", "Lantern or torch?"), network.post("bo", "A lantern", to="camping")
    network.post("chi", "Something else")
    assert [one.id for one in reader.read()] == [here, there]
    assert not reader.read()
    named = Reader(plugin, replace(CONFIG, communities="r/camping, lamps"), network)
    aside = network.comment("chi", there, "Get a better LANTERN!")
    network.comment("chi", there, "Lanternless nights")
    assert {one.id for one in named.read()} == {there, aside}
    day.later(40)
    later = network.comment("ana", there, "this lantern")
    assert [one.id for one in named.read()] == [later]


def test_pages_are_read_back_to_where_it_was_left(
    network: simulator.Reddit, reader: Reader, day: Day
) -> None:
    ids = []
    for n in range(230):
        day.later(10)
        ids.append(network.post("ana", f"lantern {n}"))
    assert [one.id for one in reader.read()] == ids
    day.later(600)
    more = network.post("bo", "a lantern again")
    asked = len(network.asked)
    assert [one.id for one in reader.read()] == [more]
    assert sum(one.path == "/search" for one in network.asked[asked:]) == 1


def test_more_than_reddit_lists_is_a_gap(network: simulator.Reddit, reader: Reader, day: Day) -> None:
    for n in range(1_050):
        day.later(1)
        network.post("ana", f"lantern {n}")
    pages = reader.pages()
    said = [one for page in pages for one in page.said]
    assert len(said) == 1_000
    # A list that ends at its thousandth is older than we asked for, or there was more: only the first can be told.
    assert said[0].text == "lantern 50"
    (gap,) = [gap for page in pages for gap in page.gaps]
    assert (gap.reason, gap.until) == ("horizon", said[0].ts)


def test_what_is_deleted_or_changed_is_told_once(network: simulator.Reddit, reader: Reader, day: Day) -> None:
    kept, gone, taken = (network.post(who, "A lantern", "which?") for who in ("ana", "bo", "chi"))
    assert len(reader.read()) == 3
    network.things[kept].text, network.things[kept].edited = "this one", day.at.timestamp() + 30
    network.things[gone].author = network.things[gone].text = "[deleted]"
    del network.things[taken]
    day.later(61)
    said = {(one.kind, one.about): one for one in reader.read()}
    assert set(said) == {("edit", kept), ("deletion", gone), ("deletion", taken)}
    assert said["edit", kept].text == "A lantern\n\nthis one"
    day.later(61)
    assert not reader.read()


def test_an_answer_is_posted_and_found_again(network: simulator.Reddit, reader: Reader) -> None:
    theirs = network.post("ana", "My lantern flickers")
    draft = Draft("d1", "Clean the **contact**.", in_reply_to=theirs, thread=theirs)
    network.fail("/api/comment", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert network.things[found.id].text == draft.text
    assert found.url.startswith("https://www.reddit.com/r/lanterns/comments/")
    assert reader.find(replace(draft, text="Never sent")) is None


def test_words_that_end_alike_or_have_no_letters_are_told_apart(
    network: simulator.Reddit, reader: Reader
) -> None:
    theirs = network.comment("Ana", network.post("Bo", "A lantern"), "It works again")
    reader.publish(Draft("d1", "We are glad. Thank you!", in_reply_to=theirs))
    assert reader.find(Draft("d2", "Thank you!", in_reply_to=theirs)) is None
    assert reader.find(Draft("d3", "👍", in_reply_to=theirs)) is None
    receipt = reader.publish(Draft("d3", "👍", in_reply_to=theirs))
    assert reader.find(Draft("d3", "👍", in_reply_to=theirs)) == receipt


def test_a_post_of_our_own_needs_a_place_and_a_title(network: simulator.Reddit, reader: Reader) -> None:
    draft = Draft("d1", "Come and see.", venue="reddit:r/lanterns", subject_line="Open day")
    assert network.things[reader.publish(draft).id].title == "Open day"
    assert refused(lambda: reader.publish(replace(draft, subject_line=""))).is_permanent
    failed = refused(lambda: reader.publish(replace(draft, venue="reddit:r/closed")))
    assert "you aren't allowed to post there" in failed.message


@pytest.mark.parametrize(
    ("error", "told", "wait_s"),
    [
        (["RATELIMIT", "try again in 9 minutes.", "ratelimit"], {}, 540.0),
        (["RATELIMIT", "try again.", "ratelimit"], {"ratelimit": 33.5}, 33.5),
        (["THREAD_LOCKED", "Comments are locked.", "parent"], {}, None),
    ],
)
def test_refusals_with_a_status_of_200_are_understood(
    network: simulator.Reddit, reader: Reader, error: list[str], told: dict[str, float], wait_s: float | None
) -> None:
    theirs = network.post("ana", "My lantern")
    network.fail("/api/comment", Answered({"json": {"errors": [error], **told}}))
    failed = refused(lambda: reader.publish(Draft("d1", "Yes.", in_reply_to=theirs)))
    assert error[1] in failed.message
    assert failed.is_permanent == (wait_s is None)
    assert wait_s is None or (failed.reason, failed.retry_after_s) == ("rate", wait_s)


def test_the_limit_that_reddit_tells_is_kept(network: simulator.Reddit, reader: Reader, day: Day) -> None:
    network.left = 1.0
    assert refused(reader.read).reason == "rate"
    asked = len(network.asked)
    failed = refused(reader.read)
    assert failed.retry_after_s == 600.0
    assert len(network.asked) == asked, "it was asked although nothing was left"
    day.later(601)
    network.left = 996.0
    assert reader.read() == []


def test_a_token_that_ended_is_renewed_and_a_password_that_is_wrong_is_said(
    network: simulator.Reddit, reader: Reader, day: Day
) -> None:
    reader.read()
    network.tokens.clear()
    day.later(30)
    reader.read()
    assert network.n_logins == 2
    day.later(86_400)
    reader.read()
    assert network.n_logins == 3
    wrong = Reader(plugin, replace(CONFIG, password="another"), network)
    failed = refused(wrong.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "does not accept the password" in failed.message
    unknown = Reader(plugin, replace(CONFIG, client_secret="another"), network)
    assert "does not know the application" in refused(unknown.read).message
    assert [one.state for one in unknown.findings()] == ["bad"]
    assert [one.state for one in reader.findings()] == ["ok"] * 4
    reader.config = replace(CONFIG, communities="lanterns tents")
    network.fail("/r/tents/comments", Answered({"message": "Forbidden", "reason": "private"}, 403))
    network.fail("/message/sent", Answered("<html>"))
    assert [(one.what, one.state) for one in reader.findings()][4:] == [
        ("r/lanterns", "ok"),
        ("r/tents", "bad"),
        ("Sent messages", "warn"),
    ]
    reader.config = CONFIG


def test_what_cannot_work_is_refused() -> None:
    for change in ({"username": "u/ana!"}, {"password": ""}, {"client_id": "a b"}, {"communities": "a/b"}):
        with pytest.raises(Invalid):
            plugin.check(replace(CONFIG, **change))


def test_words_are_joined_as_far_as_a_query_goes() -> None:
    words = [f"lantern number {n}" for n in range(60)]
    found = queries(words)
    assert len(found) > 1
    assert all(len(one) <= 480 for one in found)
    assert " OR ".join(found).split(" OR ") == [f'"{word}"' for word in words]
    assert queries(['say "hi"']) == ['"say  hi"']
