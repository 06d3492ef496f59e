"""X read and answered, against one in this process that behaves as its API does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.contract import Draft
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.plugins.connectors.x import simulator
from rapport.plugins.connectors.x.account import Config, signature
from rapport.plugins.connectors.x.plugin import plugin, queries
from rapport.plugins.connectors.x.simulator import ME_NAME, problem

CONFIG = Config(simulator.KEY, simulator.KEY_SECRET, simulator.TOKEN, simulator.TOKEN_SECRET)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def network(day: Day) -> simulator.X:
    return simulator.X(day)


@pytest.fixture
def reader(network: simulator.X) -> Reader:
    return Reader(plugin, CONFIG, network)


def test_the_signature_is_that_of_the_published_example() -> None:
    # X's reference, Creating a signature.
    told = {
        "status": "Hello Ladies + Gentlemen, a signed OAuth request!",
        "include_entities": "true",
        "oauth_consumer_key": "xvz1evFS4wEEPTGEFPHBog",
        "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1318622958",
        "oauth_token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
        "oauth_version": "1.0",
    }
    made = signature(
        "POST",
        "https://api.twitter.com/1.1/statuses/update.json",
        told,
        "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
        "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
    )
    assert made == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="


def test_mentions_and_followed_words_are_read_once(network: simulator.X, reader: Reader, day: Day) -> None:
    ours = network.say(ME_NAME, "New lanterns")
    theirs = network.say("ana", f"@{ME_NAME} does it flicker?", ours)
    aside = network.say("bo", "A lantern & a tent")
    network.say("chi", "RT A lantern", repost_of=aside)
    network.say("chi", "nothing of ours")
    said = {one.id: one for one in reader.read()}
    assert set(said) == {ours, theirs, aside}
    one = said[theirs]
    assert (one.author, one.author_name, one.in_reply_to, one.thread) == ("ana", "Ana", ours, ours)
    assert (one.asks_us, said[aside].asks_us, said[ours].is_ours) == (True, False, True)
    assert (one.url, one.language, one.reach) == (f"https://x.com/ana/status/{theirs}", "en", 7)
    day.later(400)
    assert not reader.read()


def test_only_what_is_newer_is_asked_for_and_pages_are_followed(
    network: simulator.X, reader: Reader, day: Day
) -> None:
    ids = []
    for n in range(130):
        day.later(5)
        ids.append(network.say("ana", f"lantern {n}"))
    assert [one.id for one in reader.read()] == ids
    day.later(200)
    last = network.say("ana", "lantern again")
    asked = len(network.asked)
    assert [one.id for one in reader.read()] == [last]
    (search,) = [one for one in network.asked[asked:] if one.path.endswith("recent")]
    assert search.first("since_id") == ids[-1]


def test_what_is_too_much_or_too_old_is_a_gap(network: simulator.X, reader: Reader, day: Day) -> None:
    first = network.say("ana", "lantern")
    reader.read()
    day.later(9 * 86_400)
    network.page_max = 10
    ids = [network.say("ana", f"lantern {n}") for n in range(120)]
    pages = reader.pages()
    assert [one.id for page in pages for one in page.said] == ids[-100:]
    old, cut = [gap for page in pages for gap in page.gaps]
    assert (old.reason, old.since) == ("horizon", network.posts[first].at)
    assert (cut.reason, cut.until) == ("rate", network.posts[ids[20]].at)


def test_a_word_that_nobody_says_for_a_week_is_looked_for_on(
    network: simulator.X, reader: Reader, day: Day
) -> None:
    network.say("ana", "A lantern")
    assert len(reader.read()) == 1
    for _ in range(16):
        day.later(86_400)
        assert not [gap for page in reader.pages() for gap in page.gaps], "it was asked each day"
    late = network.say("bo", "The lantern again")
    day.later(400)
    assert [one.id for one in reader.read()] == [late]


def test_a_long_post_is_read_to_its_end(network: simulator.X, reader: Reader) -> None:
    network.say("ana", "My lantern " + "and more " * 60 + "ends.")
    (one,) = reader.read()
    assert one.text.endswith("ends.")


def test_what_is_changed_is_no_new_post(network: simulator.X, reader: Reader, day: Day) -> None:
    first = network.say("ana", "My lantern flickrs")
    reader.read()
    for text in ("My lantern flickers", "My lantern flickers a lot"):
        day.later(400)
        network.change(next(reversed(network.posts)), text)
        (edit,) = reader.read()
        assert (edit.kind, edit.about, edit.text) == ("edit", first, text)
    network.change(network.say("bo", "A lantrn"), "A lantern")
    day.later(400)
    assert [one.kind for one in reader.read()] == ["post"], "nobody read how it was before"


def test_deletions_are_told_when_asked(network: simulator.X, reader: Reader) -> None:
    kept, gone = network.say("ana", "lantern"), network.say("bo", "lantern")
    reader.read()
    del network.posts[gone]
    (one,) = plugin.recheck(CONFIG, [kept, gone], reader.context)
    assert (one.kind, one.about) == ("deletion", gone)


def test_an_answer_is_posted_and_found_again(network: simulator.X, reader: Reader) -> None:
    theirs = network.say("ana", f"@{ME_NAME} does it flicker?")
    draft = Draft("d1", "Please clean its contacts.", in_reply_to=theirs, thread=theirs)
    network.fail("/2/tweets", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert network.posts[found.id].above == theirs
    assert reader.find(replace(draft, text="Never sent")) is None
    again = refused(lambda: reader.publish(draft))
    assert again.is_permanent
    assert "duplicate content" in again.message
    gone = refused(lambda: reader.publish(replace(draft, text="Other", in_reply_to="1")))
    assert "deleted or not visible" in gone.message


def test_a_window_that_is_spent_is_waited_for(network: simulator.X, reader: Reader, day: Day) -> None:
    network.limit = 1
    network.say("ana", f"@{ME_NAME} hello")
    assert reader.read()
    day.later(61)
    asked = len(network.asked)
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 839.0)
    assert len(network.asked) == asked, "it was asked although nothing was left"
    reader.memory.clear()
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 839.0)


def test_a_log_in_that_ended_and_credits_that_are_spent_are_said(
    network: simulator.X, reader: Reader
) -> None:
    assert [one.state for one in reader.findings()] == ["ok"] * 5
    network.level = "read"
    network.fail("/search/recent", problem(402, "CreditsDepleted", "Your account has no credits."))
    wrong = {one.what: one.hint for one in reader.findings() if one.state == "bad"}
    assert set(wrong) == {"Search", "Answers"}
    assert "read and write" in wrong["Answers"]
    other = Reader(plugin, replace(CONFIG, access_token_secret="another-secret"), network)
    failed = refused(other.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert [one.state for one in other.findings()] == ["bad"]
    network.fail("/mentions", problem(402, "CreditsDepleted", "Your account has no credits."))
    failed = refused(reader.read)
    assert (failed.reason, "no credits" in failed.message) == ("permission", True)


def test_words_are_joined_as_far_as_a_query_goes() -> None:
    found = queries([f"lantern number {n}" for n in range(60)])
    assert len(found) > 1
    assert all(len(one) <= 512 for one in found)
    assert queries(['say "hi"']) == ['("say  hi") -is:retweet']


@pytest.mark.parametrize("name", ["api_key", "access_token_secret"])
def test_what_cannot_work_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **{name: "a b"}))
