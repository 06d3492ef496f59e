"""Bluesky read and answered, against a network in this process that behaves as the reference servers do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.listening.contract import Context, Draft, Failed, Page, Said
from rapport.listening.tests import serving
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.bluesky import posts, reading, simulator, writing
from rapport.plugins.connectors.bluesky.account import Config
from rapport.plugins.connectors.bluesky.plugin import plugin

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


class Day:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> dt.datetime:
        return self.at

    def later(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


class Reader:
    """A source: its configuration, cursor and memory."""

    def __init__(self, network: simulator.Bluesky, day: Day, *words: str) -> None:
        self.config = Config(network.address, simulator.ME, simulator.PASSWORD)
        self.day, self.words, self.cursor = day, words, ""
        self.memory: dict[str, Any] = {}

    @property
    def context(self) -> Context:
        return serving.context(
            words=self.words, now=self.day, since=NOON - dt.timedelta(days=1), memory=self.memory
        )

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
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day, monkeypatch: pytest.MonkeyPatch) -> Iterator[simulator.Bluesky]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    with simulator.Bluesky(now=day) as server:
        yield server


@pytest.fixture
def reader(network: simulator.Bluesky, day: Day) -> Reader:
    return Reader(network, day, "lantern")


def mention(network: simulator.Bluesky, text: str) -> list[Any]:
    end = len(f"@{simulator.ME}")
    feature = {"$type": posts.MENTION, "did": network.me}
    return [{"index": {"byteStart": 0, "byteEnd": end}, "features": [feature]}]


def test_a_post_about_what_we_follow_arrives_whole(network: simulator.Bluesky, reader: Reader) -> None:
    uri = network.say("ana.test", "My lantern flickers. What can I do?")
    network.say("bo.test", "Nothing of that kind")
    (said,) = reader.read()
    assert (said.id, said.kind, said.author, said.author_name) == (uri, "post", "ana.test", "Ana")
    assert (said.ts, said.language, said.venue, said.thread) == (NOON, "en", "bluesky", uri)
    assert said.url.startswith("https://bsky.app/profile/did:plc:")
    assert not said.asks_us
    assert not said.is_ours


def test_what_addresses_us_says_so_and_nothing_comes_twice(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    text = f"@{simulator.ME} my lantern is broken"
    uri = network.say("ana.test", text, facets=mention(network, text))
    (said,) = reader.read()
    assert said.asks_us, "it is in the notifications and in the search, and is told once"
    day.later(5)
    assert reader.read() == []
    mine = network.say(simulator.ME, "Is it the switch?", answers=uri)
    thanks = network.say("ana.test", "It was, thank you!", answers=mine)
    day.later(60)
    ours, theirs = reader.read()
    assert (ours.id, ours.is_ours, ours.asks_us) == (mine, True, False)
    assert (theirs.id, theirs.asks_us, theirs.in_reply_to, theirs.thread) == (thanks, True, mine, uri)


def test_pages_are_read_to_the_end_and_told_oldest_first(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    wanted = []
    for n in range(250):
        wanted.append(network.say("ana.test", f"lantern {n}", at=NOON + dt.timedelta(seconds=n)))
    day.later(300)
    pages = reader.pages()
    assert [s.id for p in pages for s in p.said] == wanted
    assert max(len(p.said) for p in pages) == reading.PER_PAGE
    assert network.paths.count("/xrpc/app.bsky.feed.searchPosts") == 3


def test_a_reader_that_was_killed_goes_on_after_the_last_page(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    wanted = [network.say("ana.test", f"lantern {n}", at=NOON + dt.timedelta(seconds=n)) for n in range(250)]
    day.later(300)
    first = next(iter(plugin.fetch(reader.config, "", reader.context)))
    reader.cursor = first.cursor
    told = [s.id for s in first.said] + [s.id for s in reader.read()]
    assert told == wanted


def test_more_than_can_be_read_is_a_gap(
    network: simulator.Bluesky, reader: Reader, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGES_MAX", 2)
    for n in range(250):
        network.say("ana.test", f"lantern {n}", at=NOON + dt.timedelta(seconds=n))
    day.later(300)
    (gap,) = [gap for page in reader.pages() for gap in page.gaps]
    assert gap.reason == "horizon"
    assert gap.since < gap.until == NOON + dt.timedelta(seconds=50)


def test_what_a_post_answers_comes_before_it(network: simulator.Bluesky, reader: Reader) -> None:
    root = network.say("bo.test", "Which lamp?", at=NOON - dt.timedelta(days=9))
    middle = network.say("chi.test", "Depends", answers=root, at=NOON - dt.timedelta(days=8))
    leaf = network.say("ana.test", "I like my lantern", answers=middle)
    assert [s.id for s in reader.read()] == [root, middle, leaf]


def test_a_thread_that_we_spoke_in_is_followed(network: simulator.Bluesky, reader: Reader, day: Day) -> None:
    root = network.say("ana.test", "My lantern broke")
    reader.read()
    mine = network.say(simulator.ME, "We can help", answers=root)
    day.later(30)
    reader.read()
    more = network.say("ana.test", "It is the old one, by the way", answers=root)
    aside = network.say("bo.test", "Same here", answers=more)
    day.later(30)
    assert [s.id for s in reader.read()] == [more, aside]
    assert mine in reader.cursor


def test_likes_are_reactions_and_followers_are_nothing(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    mine = network.say(simulator.ME, "We are open")
    like = network.like("ana.test", mine)
    network.odd = [{"reason": "follow", "uri": "at://did:plc:x/app.bsky.graph.follow/1", "indexedAt": "x"}]
    said = {s.kind: s for s in reader.read()}
    assert (said["reaction"].id, said["reaction"].about) == (like, mine)
    assert said["reaction"].detail == {"kind": "like"}
    assert set(said) == {"reaction", "post"}


def test_entries_that_are_not_whole_are_a_gap_once(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    network.odd = [{"reason": "mention"}, {"reason": "reply", "uri": 7}, {"reason": "mention", "record": []}]
    wanted = network.say("ana.test", "My lantern")
    pages = reader.pages()
    assert [s.id for p in pages for s in p.said] == [wanted]
    (gap,) = [gap for page in pages for gap in page.gaps]
    assert "3 entries" in gap.message
    day.later(5)
    assert [gap for page in reader.pages() for gap in page.gaps] == []


def test_what_was_deleted_or_changed_is_told(network: simulator.Bluesky, reader: Reader, day: Day) -> None:
    gone = network.say("ana.test", "lantern one")
    changed = network.say("bo.test", "lantern two")
    reader.read()
    network.take_back(gone)
    network.change(changed, "lantern three")
    day.later(61)
    told = {s.kind: s for s in reader.read()}
    assert told["deletion"].about == gone
    assert (told["edit"].about, told["edit"].text) == (changed, "lantern three")
    day.later(61)
    assert reader.read() == []


def test_whoever_blocks_us_has_not_deleted_anything(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    network.say("ana.test", "lantern one")
    reader.read()
    network.blocks_me.add(network.joined("ana.test"))
    day.later(61)
    (said,) = reader.read()
    assert (said.kind, said.author) == ("block", "ana.test")
    day.later(61)
    assert reader.read() == []


def test_what_was_read_long_ago_can_be_asked_for_again(network: simulator.Bluesky, reader: Reader) -> None:
    uris = [network.say("ana.test", f"lantern {n}") for n in range(30)]
    hidden = network.say("bo.test", "lantern")
    network.blocks_me.add(network.joined("bo.test"))
    network.take_back(uris[7])
    (said,) = plugin.recheck(reader.config, [*uris, hidden, "something else"], reader.context)
    assert (said.kind, said.about) == ("deletion", uris[7])


def test_a_session_is_opened_once_and_renewed(network: simulator.Bluesky, reader: Reader, day: Day) -> None:
    reader.read()
    reader.read()
    network.end_sessions()
    network.say("ana.test", "lantern")
    assert len(reader.read()) == 1
    assert network.n_sessions == 1
    network.end_sessions(and_renewals=True)
    day.later(5)
    reader.read()
    assert network.n_sessions == 2


def test_a_password_that_was_taken_back_is_said_in_words(network: simulator.Bluesky, reader: Reader) -> None:
    reader.config = Config(network.address, simulator.ME, "wrong")
    with pytest.raises(Failed) as caught:
        reader.read()
    assert (caught.value.reason, caught.value.retry_after_s) == ("login", None)
    assert "Invalid identifier or password" in caught.value.message
    assert "app password" in caught.value.hint


def test_the_limit_that_the_network_names_is_kept(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    until = str(int(day.at.timestamp()) + 120)
    answer = Answered(
        {"error": "RateLimitExceeded"}, 429, {"ratelimit-limit": "3000", "ratelimit-reset": until}
    )
    network.say("ana.test", f"@{simulator.ME} hello", facets=mention(network, ""))
    network.fail("searchPosts", answer)
    pages = plugin.fetch(reader.config, "", reader.context)
    assert len(next(pages).said) == 1, "what was read before is not lost"
    with pytest.raises(Failed) as caught:
        next(pages)
    assert (caught.value.reason, caught.value.retry_after_s) == ("rate", 120.0)


def test_many_words_take_turns(network: simulator.Bluesky, reader: Reader, day: Day) -> None:
    reader.words = tuple(f"word{n}" for n in range(20))
    network.say("ana.test", "about word19")
    reader.read()
    assert network.paths.count("/xrpc/app.bsky.feed.searchPosts") == reading.WORDS_AT_ONCE
    day.later(3)
    reader.read()
    asked = {one.first("q") for one in network.asked}
    assert asked >= set(reader.words)


def test_an_answer_is_posted_where_it_belongs(network: simulator.Bluesky, reader: Reader) -> None:
    root = network.say("ana.test", "Which lantern?")
    leaf = network.say("bo.test", "Yes, which?", answers=root)
    network.joined("ana.test")
    text = "Grüße @ana.test, see https://otter.example/lanterns. We are @nobody.test #light"
    receipt = reader.publish(Draft("d1", text, in_reply_to=leaf, language="en"))
    (record,) = network.of_me()
    assert receipt.id == record.uri
    assert record.value["reply"]["root"]["uri"] == root
    assert record.value["reply"]["parent"]["uri"] == leaf
    marked = {
        text.encode()[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode(): f["features"][0]
        for f in record.value["facets"]
    }
    assert marked["@ana.test"]["did"] == network.joined("ana.test")
    assert marked["https://otter.example/lanterns"]["uri"] == "https://otter.example/lanterns"
    assert set(marked) == {"@ana.test", "https://otter.example/lanterns", "#light"}


def test_the_same_draft_is_one_post_however_often_it_is_sent(
    network: simulator.Bluesky, reader: Reader, day: Day
) -> None:
    root = network.say("ana.test", "Which lantern?")
    draft = Draft("d1", "This one.", in_reply_to=root)
    assert plugin.find(reader.config, draft, reader.context) is None
    network.fail("putRecord", is_after=True)
    with pytest.raises(Failed):
        reader.publish(draft)
    assert len(network.of_me()) == 1
    day.later(10)
    again = reader.publish(draft)
    assert [r.uri for r in network.of_me()] == [again.id]
    assert plugin.find(reader.config, draft, reader.context) == again


def test_another_draft_with_the_same_key_is_a_post_of_its_own(
    network: simulator.Bluesky, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"d1": ["3aaaaaaaaaaaa", "3bbbbbbbbbbbb"], "d2": ["3aaaaaaaaaaaa", "3cccccccccccc"]}
    monkeypatch.setattr(writing, "keys", lambda id: iter(keys[id]))
    first = reader.publish(Draft("d1", "One"))
    second = reader.publish(Draft("d2", "Two"))
    assert (first.id[-1], second.id[-1]) == ("a", "c")
    assert [r.value["text"] for r in network.of_me()] == ["One", "Two"]


def test_keys_are_those_of_the_network() -> None:
    found = {key for n in range(500) for key in writing.keys(f"draft-{n}")}
    assert len(found) == 1500
    assert all(
        len(key) == 13 and set(key) <= set(writing.ALPHABET) and key[0] in "234567abcdefghij" for key in found
    )


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("abc", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("👨‍👩‍👧‍👦!", 2),
        ("👍🏽", 1),
        ("🇩🇪🇫🇷", 2),
        ("ก็", 1),
        ("", 0),
        ("各位", 2),
    ],
)
def test_characters_are_counted_as_readers_count_them(text: str, n: int) -> None:
    assert writing.graphemes(text) == n


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (Draft("d", "x" * 301), "301 characters"),
        (Draft("d", "  "), "no words"),
        (Draft("d", "hello", is_private=True), "private"),
        (Draft("d", "hello", in_reply_to="at://did:plc:x/app.bsky.feed.post/3k1"), "not there any more"),
    ],
)
def test_what_cannot_be_posted_is_refused_for_good(reader: Reader, draft: Draft, words: str) -> None:
    with pytest.raises(Failed, match=words) as caught:
        reader.publish(draft)
    assert caught.value.is_permanent


def test_the_check_names_what_works(network: simulator.Bluesky, reader: Reader) -> None:
    assert {f.state for f in plugin.findings(reader.config, reader.context)} == {"ok"}
    network.scope = "com.atproto.access"
    reader.memory.clear()
    assert [f.what for f in plugin.findings(reader.config, reader.context) if f.state == "warn"] == [
        "Password"
    ]
    network.fail("searchPosts", Answered({"error": "Forbidden"}, 403))
    assert [f.what for f in plugin.findings(reader.config, reader.context) if f.state == "bad"] == ["Search"]
    wrong = Config(network.address, simulator.ME, "wrong")
    assert [f.state for f in plugin.findings(wrong, reader.context)] == ["bad"]


@pytest.mark.parametrize(
    "config",
    [
        Config(handle="@shop.test", app_password="x"),
        Config(handle="shop", app_password="x"),
        Config(handle="shop.test"),
        Config(server="https://bsky.social/path", handle="shop.test", app_password="x"),
        Config(server="bsky.social", handle="shop.test", app_password="x"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config: Config) -> None:
    with pytest.raises(Invalid):
        plugin.check(config)


def test_a_cursor_of_another_make_begins_anew(network: simulator.Bluesky, reader: Reader) -> None:
    network.say("ana.test", "lantern")
    reader.cursor = '{"marks": 7, "known": ['
    assert len(reader.read()) == 1


def test_time_is_the_earlier_of_what_the_author_and_the_network_say() -> None:
    view = {
        "uri": "at://did:plc:a/app.bsky.feed.post/1",
        "author": {"did": "did:plc:a", "handle": "handle.invalid"},
        "record": {"text": "x", "createdAt": "2031-01-01T00:00:00Z"},
        "indexedAt": "2026-03-02T12:00:00Z",
    }
    seen = posts.post(view, "did:plc:us")
    assert seen is not None
    assert (seen.said.ts, seen.said.author) == (NOON, "did:plc:a")
    assert clock.now().tzinfo is not None
