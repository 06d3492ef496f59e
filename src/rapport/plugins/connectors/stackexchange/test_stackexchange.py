"""A site of Stack Exchange read and answered, against one in this process that behaves as the API does."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.kit.http import Answer
from rapport.listening.contract import Draft, Failed
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.stackexchange import simulator, site
from rapport.plugins.connectors.stackexchange.plugin import plugin
from rapport.plugins.connectors.stackexchange.simulator import ME, SITE
from rapport.plugins.connectors.stackexchange.site import Config

CONFIG = Config(SITE, "lamps", simulator.KEY, simulator.TOKEN)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.Exchange:
    return simulator.Exchange(day)


@pytest.fixture
def reader(network: simulator.Exchange) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_questions_with_words_or_tags_are_read_with_what_is_said_to_them(
    network: simulator.Exchange, reader: Reader
) -> None:
    asked = network.ask(1, 'Which "lantern"?', "For < 20 nights", "camping")
    tagged = network.ask(2, "How to clean it?", "It is dim", "lamps")
    other = network.ask(3, "How to cook?", "Rice", "kitchen")
    answer = network.reply(2, asked, "The red one")
    comment = network.comment(3, asked, "Why?")
    network.reply(1, other, "With water")
    said = {one.id: one for one in reader.read()}
    assert set(said) == {asked, tagged, answer, comment}
    one = said[asked]
    assert one.text == 'Which "lantern"?\n\nFor < 20 nights'
    assert (one.author, one.author_name, one.venue) == (f"1@{SITE}", "Person 1 & Co", f"stackexchange:{SITE}")
    assert (said[answer].in_reply_to, said[answer].thread) == (asked, asked)
    assert (said[comment].in_reply_to, said[comment].thread) == (asked, asked)
    assert not reader.read()


def test_an_answer_that_comes_late_is_read(network: simulator.Exchange, reader: Reader, day: Day) -> None:
    asked = network.ask(1, "A lantern", "Which?")
    reader.read()
    day.later(90_000)
    answer = network.reply(2, asked, "The red one")
    network.ask(3, "Another lantern", "?")
    assert answer in {one.id for one in reader.read()}


def test_pages_are_walked_and_words_take_turns(network: simulator.Exchange, reader: Reader, day: Day) -> None:
    network.page_max = 10
    for n in range(35):
        day.later(60)
        network.ask(n, f"lantern {n}", "?")
    assert len(reader.read()) == 35
    reader.words = tuple(f"word{n}" for n in range(6))
    for n in range(6):
        network.ask(1, f"word{n}", "?")
    day.later(301)
    assert len(reader.read()) == 4
    day.later(301)
    assert len(reader.read()) == 2


def test_changes_and_deletions_are_told_once(network: simulator.Exchange, reader: Reader, day: Day) -> None:
    changed, gone = network.ask(1, "A lantern", "Old"), network.ask(1, "A lantern too", "Gone")
    comment = network.comment(2, changed, "Why?")
    assert len(reader.read()) == 3
    network.named(changed).update(body="<p>New</p>", last_edit_date=int(day.at.timestamp()) + 9)
    network.named(gone)["gone"] = network.named(comment)["gone"] = True
    day.later(700)
    said = {(one.kind, one.about): one.text for one in reader.read()}
    assert said == {
        ("edit", changed): "A lantern\n\nNew",
        ("deletion", gone): "",
        ("deletion", comment): "",
    }
    day.later(700)
    assert not reader.read()


def test_what_names_us_asks_us(network: simulator.Exchange, reader: Reader) -> None:
    asked = network.ask(1, "Rain", "?", "none")
    named = network.comment(2, asked, "@shop do you know?")
    (one,) = reader.read()
    assert (one.id, one.asks_us) == (named, True)


def test_the_backoff_of_a_method_is_kept(network: simulator.Exchange, reader: Reader, day: Day) -> None:
    network.ask(1, "A lantern", "?")
    reader.words = ("lantern", "torch")
    network.backoff = 17
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 17.0)
    network.backoff = 0
    day.later(18)
    assert reader.cursor
    reader.read()
    assert [path for path in network.paths if path == "/2.3/search/advanced"]


@pytest.mark.parametrize("left", [0, 1])
def test_a_quota_that_is_spent_is_waited_for(network: simulator.Exchange, reader: Reader, left: int) -> None:
    network.left = left
    failed = refused(reader.read)
    assert failed.reason == "rate"
    assert failed.retry_after_s == (3_600.0 if left else 4_321.0)
    asked = len(network.asked)
    refused(reader.read)
    assert len(network.asked) == (asked if left else asked + 1)


@pytest.mark.parametrize("packs", ["gzip", "zlib", "bare"])
def test_answers_are_unpacked_however_they_are_packed(
    network: simulator.Exchange, reader: Reader, packs: str
) -> None:
    network.packs = packs
    network.ask(1, "A lantern", "?")
    assert len(reader.read()) == 1


def test_an_answer_that_unpacks_to_too_much_or_not_at_all_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(site, "UNPACKED_MAX", 1_000)
    with pytest.raises(Failed, match="more than"):
        site.unpacked(Answer("", 200, {"content-encoding": "gzip"}, gzip.compress(b"0" * 100_000)))
    with pytest.raises(Failed, match="cannot be unpacked"):
        site.unpacked(Answer("", 200, {"content-encoding": "gzip"}, b"\xff\xffrubbish"))


def test_questions_are_answered_and_the_rest_is_commented_on(
    network: simulator.Exchange, reader: Reader
) -> None:
    asked = network.ask(1, "A lantern", "Which?")
    theirs = network.comment(2, asked, "The red one?")
    draft = Draft("d1", "We make them: take the *red* one.", in_reply_to=asked)
    network.fail("/answers/add", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert network.named(found.id)["owner"]["user_id"] == ME
    assert reader.find(replace(draft, text="Not sent")) is None
    below = Draft("d2", "Yes, that one.", in_reply_to=theirs)
    receipt = reader.publish(below)
    assert network.named(receipt.id)["post_id"] == int(asked[1:].partition("@")[0])
    assert reader.find(below) == receipt
    assert refused(lambda: reader.publish(replace(below, text="x" * 601))).is_permanent


def test_the_same_words_elsewhere_are_no_answer_here(network: simulator.Exchange, reader: Reader) -> None:
    first = network.comment(2, network.ask(1, "A lantern", "Which?"), "The red one?")
    second = network.comment(
        3, network.reply(4, network.ask(5, "A lantern", "Why?"), "So."), "And the blue one?"
    )
    draft = Draft("d1", "Yes, that one is right.", in_reply_to=first)
    receipt = reader.publish(draft)
    assert reader.find(replace(draft, id="d2", in_reply_to=second)) is None
    assert reader.find(draft) == receipt


def test_who_only_reads_posts_nothing(network: simulator.Exchange, reader: Reader) -> None:
    asked = network.ask(1, "A lantern", "Which?")
    reader.config = replace(CONFIG, access_token="")
    assert "only reads" in refused(lambda: reader.publish(Draft("d", "Red.", in_reply_to=asked))).message
    reader.config = CONFIG
    failed = refused(lambda: reader.publish(Draft("d", "forbidden words", in_reply_to=asked)))
    assert (failed.reason, failed.is_permanent) == ("permission", True)


def test_a_token_that_ended_and_an_unknown_site_are_said(network: simulator.Exchange, reader: Reader) -> None:
    assert [one.state for one in reader.findings()] == ["ok"] * 4
    network.scopes, network.reputation = ["no_expiry"], 1
    assert [(one.what, one.state) for one in reader.findings()][2:] == [
        ("write_access", "bad"),
        ("no_expiry", "ok"),
        ("Comments", "warn"),
    ]
    reader.config = replace(CONFIG, access_token="another-token")
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "invalid or expired" in failed.message
    reader.config = Config("nowhere")
    assert "No site found" in refused(reader.read).message
    network.fail("/search/advanced", Answered({"error_id": 500, "error_name": "internal_error"}, 500))
    reader.config = Config(SITE)
    assert refused(reader.read).reason == "unreachable"
    assert [one.state for one in reader.findings()] == ["ok", "warn", "ok"]
    for change in ({"site": "a/b"}, {"tags": "a,b"}, {"app_key": "x"}, {"app_key": ""}):
        with pytest.raises(Invalid):
            plugin.check(replace(CONFIG, **change))
