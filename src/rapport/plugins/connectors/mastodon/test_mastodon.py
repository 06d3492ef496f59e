"""Mastodon read and answered, against a server in this process that behaves as Mastodon does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Context, Draft, Failed, Page, Said
from rapport.listening.tests import serving
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.mastodon import reading, simulator
from rapport.plugins.connectors.mastodon.plugin import plugin
from rapport.plugins.connectors.mastodon.server import Config

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

    def __init__(self, network: simulator.Mastodon, day: Day) -> None:
        self.config = Config(network.address, simulator.TOKEN)
        self.network, self.day, self.cursor = network, day, ""
        self.words: tuple[str, ...] = ("lantern",)
        self.memory: dict[str, Any] = {}

    def read_all_of(self, timeline: str) -> None:
        self.config = Config(self.network.address, simulator.TOKEN, timeline)

    @property
    def context(self) -> Context:
        since = NOON - dt.timedelta(days=1)
        return serving.context(words=self.words, now=self.day, since=since, memory=self.memory)

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

    def id(self, number: str) -> str:
        return f"{number}@{self.network.host}"


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day, monkeypatch: pytest.MonkeyPatch) -> Iterator[simulator.Mastodon]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    with simulator.Mastodon(now=day) as server:
        yield server


@pytest.fixture
def reader(network: simulator.Mastodon, day: Day) -> Reader:
    return Reader(network, day)


def test_a_mention_arrives_whole(network: simulator.Mastodon, reader: Reader) -> None:
    number = network.say("ana@far.example", "@shop my lantern flickers, see https://ana.example/film <3")
    (said,) = reader.read()
    assert (said.id, said.kind, said.author, said.author_name) == (
        reader.id(number),
        "post",
        "ana@far.example",
        "Ana",
    )
    assert said.text == "@shop my lantern flickers, see https://ana.example/film <3"
    assert (said.ts, said.language, said.venue) == (NOON, "en", f"mastodon:{network.host}")
    assert (said.thread, said.reach, said.asks_us) == (said.id, 12, True)
    assert not said.is_private


def test_a_private_mention_is_private(network: simulator.Mastodon, reader: Reader) -> None:
    network.say("ana", "@shop my order 12", visibility="direct")
    (said,) = reader.read()
    assert said.is_private
    assert said.author == f"ana@{network.host}"


def test_tags_of_followed_words_are_read(network: simulator.Mastodon, reader: Reader, day: Day) -> None:
    reader.words = ("Otter Lantern", "rain", "a", "b", "c", "d", "e")
    network.say("ana", "Love my #OtterLantern")
    network.say("bo", "#rain again")
    network.say("chi", "lantern without a tag")
    found = reader.read()
    day.later(5)
    found += reader.read()
    assert {s.author.partition("@")[0] for s in found} == {"ana", "bo"}
    assert not any(s.asks_us for s in found)


def test_the_public_timeline_is_read_for_words(network: simulator.Mastodon, reader: Reader, day: Day) -> None:
    reader.read_all_of("known")
    network.say("ana", "My LANTÉRN is broken")
    network.say("bo", "Nothing of that kind")
    assert [s.text for s in reader.read()] == ["My LANTÉRN is broken"]
    assert all(page.said == () for page in reader.pages()), "nothing comes twice"
    network.say("bo", "which lantern?")
    day.later(4)
    assert [s.text for s in reader.read()] == ["which lantern?"]


def test_a_server_that_searches_words_finds_them(
    network: simulator.Mastodon, reader: Reader, day: Day
) -> None:
    network.searches_words = True
    number = network.say("ana", "my lantern is broken")
    assert [s.id for s in reader.read()] == [reader.id(number)]


def test_pages_are_read_to_the_end_and_told_in_order(
    network: simulator.Mastodon, reader: Reader, day: Day
) -> None:
    first = [network.say("ana", f"@shop {n}", at=NOON + dt.timedelta(seconds=n)) for n in range(90)]
    assert [s.id for s in reader.read()] == [reader.id(n) for n in first]
    more = [network.say("ana", f"@shop {n}", at=NOON + dt.timedelta(seconds=n)) for n in range(90, 190)]
    day.later(5)
    assert [s.id for s in reader.read()] == [reader.id(n) for n in more]


def test_a_reader_that_was_killed_goes_on_after_the_last_page(
    network: simulator.Mastodon, reader: Reader, day: Day
) -> None:
    reader.read()
    wanted = [network.say("ana", f"@shop {n}", at=NOON + dt.timedelta(seconds=n)) for n in range(100)]
    first = next(iter(plugin.fetch(reader.config, reader.cursor, reader.context)))
    reader.cursor = first.cursor
    assert [s.id for s in first.said] + [s.id for s in reader.read()] == [reader.id(n) for n in wanted]


def test_what_was_said_before_we_begin_is_left(network: simulator.Mastodon, reader: Reader) -> None:
    network.say("ana", "@shop long ago", at=NOON - dt.timedelta(days=2))
    network.say("ana", "@shop today")
    assert [s.text for s in reader.read()] == ["@shop today"]


def test_more_than_can_be_read_at_the_start_is_a_gap(
    network: simulator.Mastodon, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGES_MAX", 2)
    for n in range(100):
        network.say("ana", f"@shop {n}", at=NOON + dt.timedelta(seconds=n))
    (gap,) = [gap for page in reader.pages() for gap in page.gaps]
    assert (gap.reason, gap.until) == ("horizon", NOON + dt.timedelta(seconds=20))


def test_threads_are_whole_and_named_by_their_first_post(
    network: simulator.Mastodon, reader: Reader, day: Day
) -> None:
    root = network.say("bo", "Which lamp?", at=NOON - dt.timedelta(days=5))
    middle = network.say("chi", "Ask the shop", answers=root)
    leaf = network.say("ana", "@shop do you know?", answers=middle)
    found = reader.read()
    assert [s.id for s in found] == [reader.id(n) for n in (root, middle, leaf)]
    assert {s.thread for s in found} == {reader.id(root)}
    mine = network.say(simulator.ME, "@ana the small one", answers=leaf)
    thanks = network.say("ana", "@shop thank you!", answers=mine)
    day.later(31)
    told = {s.id: s for s in reader.read()}
    assert told[reader.id(mine)].is_ours
    assert told[reader.id(thanks)].asks_us
    assert {s.thread for s in told.values()} == {reader.id(root)}


def test_likes_are_reactions_and_what_is_not_whole_is_a_gap_once(
    network: simulator.Mastodon, reader: Reader, day: Day
) -> None:
    mine = network.say(simulator.ME, "We are open")
    network.favourite("ana", mine)
    network.odd = [{"id": "5", "type": "mention", "status": None}, {"id": "6", "type": "follow"}]
    pages = reader.pages()
    said = {s.kind: s for page in pages for s in page.said}
    assert (said["reaction"].about, said["reaction"].detail) == (reader.id(mine), {"kind": "like"})
    assert ["1 entries" in gap.message for page in pages for gap in page.gaps] == [True]
    reader.cursor = reader.cursor.replace("told", "never")
    assert [gap for page in reader.pages() for gap in page.gaps] == []


@pytest.mark.parametrize("gives_many", [True, False])
def test_what_was_deleted_or_changed_is_told(
    network: simulator.Mastodon, reader: Reader, day: Day, gives_many: bool
) -> None:
    network.gives_many = gives_many
    gone, changed = network.say("ana", "@shop one"), network.say("bo", "@shop two")
    reader.read()
    network.take_back(gone)
    day.later(41)
    network.change(changed, "@shop three")
    told = {s.kind: s for s in reader.read()}
    assert told["deletion"].about == reader.id(gone)
    assert (told["edit"].about, told["edit"].text, told["edit"].ts) == (
        reader.id(changed),
        "@shop three",
        day.at,
    )
    day.later(41)
    assert reader.read() == []


@pytest.mark.parametrize("gives_many", [True, False])
def test_what_was_read_long_ago_can_be_asked_for_again(
    network: simulator.Mastodon, reader: Reader, gives_many: bool
) -> None:
    network.gives_many = gives_many
    numbers = [network.say("ana", f"@shop {n}") for n in range(30)]
    network.take_back(numbers[7])
    network.change(numbers[3], "@shop new words")
    ids = [reader.id(n) for n in numbers]
    said = plugin.recheck(reader.config, [*ids, "7@elsewhere.example"], reader.context)
    assert {s.kind: s.about for s in said if s.kind == "deletion"} == {"deletion": ids[7]}
    assert [s.about for s in said if s.kind == "edit"] == [ids[3]]


def test_a_token_that_was_taken_back_is_said_in_words(network: simulator.Mastodon, reader: Reader) -> None:
    reader.config = Config(network.address, "wrong")
    with pytest.raises(Failed) as caught:
        reader.read()
    assert (caught.value.reason, caught.value.retry_after_s) == ("login", None)
    assert "The access token is invalid" in caught.value.message
    assert "new token" in caught.value.hint


def test_the_limit_that_the_server_names_is_kept(network: simulator.Mastodon, reader: Reader) -> None:
    until = "2026-03-02T12:02:00.000000Z"
    network.fail(
        "/notifications", Answered({"error": "Too many requests"}, 429, {"x-ratelimit-reset": until})
    )
    with pytest.raises(Failed) as caught:
        reader.read()
    assert (caught.value.reason, caught.value.retry_after_s) == ("rate", 120.0)


def test_our_token_goes_to_no_other_server(network: simulator.Mastodon, reader: Reader) -> None:
    network.fail(
        "/notifications", Answered([{"id": "7"}], headers={"link": '<https://evil.example/x>; rel="next"'})
    )
    with pytest.raises(Failed, match="no business"):
        reader.read()


def test_an_answer_names_whom_it_answers(network: simulator.Mastodon, reader: Reader) -> None:
    number = network.say("ana@far.example", "@shop which lantern?")
    receipt = reader.publish(Draft("d1", "The small one.", in_reply_to=reader.id(number), language="en"))
    (mine,) = network.of_me()
    assert (mine.text, mine.answers, mine.visibility) == ("@ana@far.example The small one.", number, "public")
    assert receipt.id == reader.id(mine.number)
    assert receipt.url.endswith(mine.number)


def test_a_private_mention_is_answered_in_private(network: simulator.Mastodon, reader: Reader) -> None:
    number = network.say("ana", "@shop my order", visibility="direct")
    reader.publish(Draft("d1", "@ana It is on its way.", in_reply_to=reader.id(number)))
    (mine,) = network.of_me()
    assert (mine.text, mine.visibility) == ("@ana It is on its way.", "direct")


def test_the_same_draft_is_one_post_however_often_it_is_sent(
    network: simulator.Mastodon, reader: Reader
) -> None:
    number = network.say("ana", "@shop which?")
    draft = Draft("d1", "This one: https://otter.example/a", in_reply_to=reader.id(number))
    assert plugin.find(reader.config, draft, reader.context) is None
    network.fail("/api/v1/statuses", is_after=True)
    with pytest.raises(Failed):
        reader.publish(draft)
    found = plugin.find(reader.config, draft, reader.context)
    again = reader.publish(draft)
    assert found == again
    assert len(network.of_me()) == 1


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (Draft("d", " "), "no words"),
        (Draft("d", "x" * 501), "character limit"),
        (Draft("d", "x", is_private=True), "nobody is named"),
        (Draft("d", "x", in_reply_to="1@elsewhere.example"), "not a post on"),
    ],
)
def test_what_cannot_be_posted_is_refused_for_good(reader: Reader, draft: Draft, words: str) -> None:
    with pytest.raises(Failed, match=words) as caught:
        reader.publish(draft)
    assert caught.value.is_permanent


def test_an_answer_to_what_is_gone_is_refused_for_good(network: simulator.Mastodon, reader: Reader) -> None:
    with pytest.raises(Failed, match="not there any more") as caught:
        reader.publish(Draft("d", "x", in_reply_to=reader.id("77")))
    assert caught.value.is_permanent


def test_the_check_names_what_works(network: simulator.Mastodon, reader: Reader) -> None:
    reader.read_all_of("local")
    assert [f.state for f in plugin.findings(reader.config, reader.context)] == ["ok", "ok", "ok"]
    network.fail("/timelines/public", Answered({"error": "This method requires an authenticated user"}, 403))
    assert [f.state for f in plugin.findings(reader.config, reader.context)] == ["ok", "ok", "bad"]
    wrong = Config(network.address, "wrong")
    assert [f.state for f in plugin.findings(wrong, reader.context)] == ["bad"]


@pytest.mark.parametrize(
    "config",
    [
        Config("mastodon.social", "x"),
        Config("https://mastodon.social/@shop", "x"),
        Config(access_token=""),
        Config(access_token="two words"),
        Config(access_token="x", timeline="all"),
        Config(access_token="x", visibility="direct"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config: Config) -> None:
    with pytest.raises(Invalid):
        plugin.check(config)


@pytest.mark.parametrize(
    ("word", "tag"),
    [("Otter Lantern", "otterlantern"), ("C++", "c"), ("2026", ""), ("Grüße!", "grüße"), ("灯", "灯")],
)
def test_words_as_tags(word: str, tag: str) -> None:
    assert reading.tag_of(word) == tag
