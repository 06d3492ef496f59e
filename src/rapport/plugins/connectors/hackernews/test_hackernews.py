"""Hacker News read, against one in this process that answers as its search and its items do."""

from __future__ import annotations

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Publishes
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.hackernews import simulator
from rapport.plugins.connectors.hackernews.plugin import Config, plugin


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.HackerNews:
    return simulator.HackerNews(day)


@pytest.fixture
def reader(network: simulator.HackerNews) -> Reader:
    return Reader(plugin, Config(), network)


def test_stories_and_comments_with_followed_words_are_read(
    network: simulator.HackerNews, reader: Reader
) -> None:
    story = network.say("Ana", "", title="Show HN: A &quot;lantern&quot;", url="https://ana.example/")
    comment = network.say("bo", "My lantern <i>broke</i><p>after a week", answers=story)
    deep = network.say("chi", "Which lantern?", answers=comment)
    network.say("bo", "Something else", answers=story)
    said = {one.id: one for one in reader.read()}
    assert set(said) == {story, comment, deep}
    assert said[story].text == 'Show HN: A "lantern"\n\nhttps://ana.example/'
    assert (said[story].author, said[story].author_name, said[story].thread) == ("ana", "Ana", story)
    assert said[comment].text == "My lantern broke\n\nafter a week"
    assert (said[deep].in_reply_to, said[deep].thread) == (comment, story)
    assert said[deep].url == f"https://news.ycombinator.com/item?id={deep}"
    assert not reader.read()


def test_pages_are_walked_back_and_a_thousand_is_a_gap(
    network: simulator.HackerNews, reader: Reader, day: Day
) -> None:
    for n in range(1_100):
        day.later(30)
        network.say("ana", "", title=f"lantern {n}")
    pages = reader.pages()
    said = [one for page in pages for one in page.said]
    assert len(said) == 1_000
    (gap,) = [gap for page in pages for gap in page.gaps]
    assert (gap.reason, gap.until) == ("horizon", said[0].ts)
    day.later(900)
    network.say("bo", "", title="one more lantern")
    asked = len(network.asked)
    assert [one.author for one in reader.read()] == ["bo"]
    assert sum(path == "/api/v1/search_by_date" for path in network.paths[asked:]) == 1


def test_answers_to_accounts_of_ours_ask_us(network: simulator.HackerNews, reader: Reader, day: Day) -> None:
    reader.config = Config(usernames="Shop_HN")
    ours = network.say("Shop_HN", "", title="Show HN: Our shop")
    back = network.say("ana", "Do you ship?", answers=ours)
    said = {one.id: one for one in reader.read()}
    assert said[ours].is_ours
    assert (said[back].asks_us, said[back].in_reply_to) == (True, ours)
    later = network.say("bo", "And to me?", answers=ours)
    day.later(61)
    assert [one.id for one in reader.read()] == [later]


def test_what_was_deleted_flagged_or_changed_is_told_once(
    network: simulator.HackerNews, reader: Reader, day: Day
) -> None:
    ids = [network.say("ana", "my lantern", title=f"story {n}") for n in range(3)]
    assert len(reader.read()) == 3
    day.later(61)
    assert not reader.read()
    network.named(ids[0])["deleted"] = True
    network.named(ids[1])["dead"] = True
    network.named(ids[2])["text"] = "my torch"
    day.later(61)
    said = {(one.kind, one.about): one.text for one in reader.read()}
    assert said == {
        ("deletion", ids[0]): "",
        ("deletion", ids[1]): "",
        ("edit", ids[2]): "story 2\n\nmy torch",
    }
    day.later(61)
    assert not reader.read()


def test_an_item_that_is_not_there_is_no_deletion(
    network: simulator.HackerNews, reader: Reader, day: Day
) -> None:
    network.say("ana", "my lantern", title="story")
    reader.read()
    network.items.clear()  # null is also what a replica that lags behind answers
    day.later(61)
    assert not reader.read()


def test_a_limit_and_rubbish_are_said(network: simulator.HackerNews, reader: Reader) -> None:
    network.fail("/search_by_date", Answered({"message": "Too many requests", "status": 429}, 429))
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 600.0)
    assert "Too many requests" in failed.message
    network.fail("/search_by_date", Answered("<html>"))
    assert "no JSON" in refused(reader.read).message
    assert [one.state for one in reader.findings()] == ["ok", "ok"]
    reader.words = ()
    assert [one.state for one in reader.findings()] == ["ok", "ok", "warn"]


def test_nothing_is_posted_and_what_cannot_work_is_refused() -> None:
    assert not isinstance(plugin, Publishes)
    assert not plugin.terms.may_answer
    for config in (Config(which="jobs"), Config(usernames="a/b")):
        with pytest.raises(Invalid):
            plugin.check(config)
