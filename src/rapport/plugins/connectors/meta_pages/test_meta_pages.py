"""Facebook Pages and Instagram read and answered, against a Graph API in this process."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Draft, Hook
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.meta_pages import simulator
from rapport.plugins.connectors.meta_pages.graph import Config
from rapport.plugins.connectors.meta_pages.plugin import GRAM_RIGHTS, PAGE_RIGHTS, plugin
from rapport.plugins.connectors.meta_pages.simulator import ME, SECRET, TOKEN, VERIFY, error

CONFIG = Config("facebook", ME, TOKEN, SECRET, VERIFY)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def page(day: Day) -> simulator.Meta:
    return simulator.Meta(day)


@pytest.fixture
def reader(page: simulator.Meta) -> Reader:
    return Reader(plugin, CONFIG, page)


@pytest.fixture
def gram(day: Day) -> Reader:
    return Reader(plugin, replace(CONFIG, place="instagram"), simulator.Meta(day, is_page=False))


def test_comments_and_answers_under_a_page_are_read_once(
    page: simulator.Meta, reader: Reader, day: Day
) -> None:
    post = page.say(ME, "New lanterns")
    theirs = page.say("ana", "Does it flicker?", post)
    ours = page.say(ME, "It should not.", theirs)
    said = {one.id: one for one in reader.read()}
    assert set(said) == {post, theirs, ours}
    assert (said[theirs].author, said[theirs].author_name, said[theirs].asks_us) == ("ana", "Ana", True)
    assert (said[theirs].in_reply_to, said[theirs].thread, said[theirs].venue) == (post, post, "facebook")
    assert (said[ours].in_reply_to, said[ours].thread, said[ours].is_ours) == (theirs, post, True)
    day.later(120)
    assert not reader.read()


def test_pages_are_walked_by_their_cursors(page: simulator.Meta, reader: Reader, day: Day) -> None:
    page.page_max = 10
    post = page.say(ME, "New lanterns")
    ids = []
    for n in range(35):
        day.later(60)
        ids.append(page.say("ana", f"number {n}", post))
    assert [one.id for one in reader.read()] == [post, *ids]
    day.later(600)
    last = page.say("bo", "and me", post)
    asked = len(page.asked)
    assert [one.id for one in reader.read()] == [last]
    assert sum(path.endswith("/comments") for path in page.paths[asked:]) == 1


def test_comments_and_answers_on_instagram_are_read(gram: Reader) -> None:
    network = gram.network
    assert isinstance(network, simulator.Meta)
    post = network.say(ME, "New lanterns")
    theirs = network.say("ana", "Does it flicker?", post)
    back = network.say("bo", "Mine does", theirs)
    said = {one.id: one for one in gram.read()}
    assert (said[theirs].author, said[theirs].venue) == ("ana", "instagram")
    assert (said[back].in_reply_to, said[back].thread) == (theirs, post)
    draft = Draft("d1", "Please clean its contacts.", in_reply_to=theirs, thread=post)
    receipt = gram.publish(draft)
    assert network.things[receipt.id].parent == theirs
    assert gram.find(draft) == receipt
    assert plugin.network_of(gram.config) == "instagram"
    assert refused(lambda: gram.publish(Draft("d2", "Hello"))).is_permanent


def test_what_visitors_post_on_the_page_is_theirs(page: simulator.Meta, reader: Reader) -> None:
    ours, theirs = page.say(ME, "New lanterns"), page.say("ana", "My order never came")
    said = {one.id: one for one in reader.read()}
    assert (said[ours].author, said[ours].is_ours, said[ours].asks_us) == (ME, True, False)
    assert (said[theirs].author, said[theirs].is_ours, said[theirs].asks_us) == ("ana", False, True)
    assert reader.find(Draft("d1", "My order never came")) is None


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_every_comment_on_instagram_is_read_in_whatever_order_they_come(
    gram: Reader, day: Day, is_newest_first: bool
) -> None:
    network = gram.network
    assert isinstance(network, simulator.Meta)
    network.is_newest_first = is_newest_first
    post = network.say(ME, "New lanterns")
    for n in range(60):
        day.later(1)
        network.say("ana", f"first {n}", post)
    assert len(gram.read()) == 61
    day.later(7_200)
    last = network.say("bo", "and me", post)
    assert [one.id for one in gram.read()] == [last]
    ids = [network.say("bo", f"answer {n}", last) for n in range(40)]
    day.later(120)
    assert {one.id for one in gram.read()} == set(ids), "more than come with a comment"


def test_what_the_account_itself_comments_is_ours(gram: Reader) -> None:
    network = gram.network
    assert isinstance(network, simulator.Meta)
    post = network.say(ME, "New lanterns")
    headers, body = network.hook(network.say(ME, "More soon", post))
    (one,) = gram.receive(headers, body).said
    assert (one.is_ours, one.asks_us) == (True, False)


def test_the_web_hook_is_believed_only_when_signed(page: simulator.Meta, reader: Reader) -> None:
    post = page.say(ME, "New lanterns")
    id = page.say("ana", "Does it flicker?", post)
    headers, body = page.hook(id)
    (one,) = reader.receive(headers, body).said
    (same,) = [said for said in reader.read() if said.id == id]
    assert replace(one, url=same.url) == same, "the same comment comes from both sides as one"
    for spoilt in ({"x-hub-signature-256": "sha256=0"}, {}):
        with pytest.raises(Denied):
            reader.receive(spoilt, body)
    with pytest.raises(Denied):
        reader.receive(headers, body + b" ")
    reader.config = replace(CONFIG, number="99999")
    assert not reader.receive(headers, body).said, "another page of the same app"


def test_the_web_hook_tells_changes_and_deletions(page: simulator.Meta, reader: Reader, gram: Reader) -> None:
    post = page.say(ME, "New lanterns")
    id = page.say("ana", "Does it flicker??", post)
    (edit,) = reader.receive(*page.hook(id, "edited")).said
    assert (edit.kind, edit.about, edit.text) == ("edit", id, "Does it flicker??")
    (gone,) = reader.receive(*page.hook(id, "remove")).said
    assert (gone.kind, gone.about) == ("deletion", id)
    network = gram.network
    assert isinstance(network, simulator.Meta)
    theirs = network.say("bo", "Lovely", network.say(ME, "New lanterns"))
    (one,) = gram.receive(*network.hook(theirs)).said
    assert (one.id, one.author, one.asks_us) == (theirs, "bo", True)


def test_meta_asks_whose_address_it_is(reader: Reader) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    got = plugin.receive(CONFIG, Hook("GET", asked, {}, b""), reader.context)
    assert (got.status, got.body) == (200, b"1158201444")
    for config in (replace(CONFIG, verify_token="other"), replace(CONFIG, verify_token="")):
        with pytest.raises(Denied):
            plugin.receive(config, Hook("GET", asked | {"hub.verify_token": ""}, {}, b""), reader.context)


def test_deletions_are_told_when_asked(page: simulator.Meta, reader: Reader) -> None:
    post = page.say(ME, "New lanterns")
    kept, gone = page.say("ana", "one", post), page.say("bo", "two", post)
    page.delete(gone)
    (one,) = plugin.recheck(CONFIG, [kept, gone], reader.context)
    assert (one.kind, one.about) == ("deletion", gone)
    page.fail(f"/{kept}", error(10, "(#10) Application does not have permission for this action", 403))
    assert refused(lambda: plugin.recheck(CONFIG, [kept], reader.context)).reason == "permission"


def test_a_right_that_was_taken_away_deletes_nothing(page: simulator.Meta, reader: Reader) -> None:
    post = page.say(ME, "New lanterns")
    ids = [page.say("ana", f"number {n}", post) for n in range(3)]
    reader.read()
    page.is_let_read = False
    failed = refused(lambda: plugin.recheck(CONFIG, ids, reader.context))
    assert (failed.reason, "pages_read_user_content" in failed.message) == ("permission", True)


def test_an_answer_is_posted_and_found_again(page: simulator.Meta, reader: Reader) -> None:
    post = page.say(ME, "New lanterns")
    theirs = page.say("ana", "Does it flicker?", post)
    draft = Draft("d1", "Please clean its contacts.", in_reply_to=theirs, thread=post)
    page.fail(f"/{theirs}/comments", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert page.things[found.id].parent == theirs
    assert reader.find(replace(draft, text="Never sent")) is None
    own = Draft("d2", "Open day on Sunday.")
    assert reader.find(own) is None
    assert reader.publish(own) == reader.find(own)


def test_each_right_is_named_with_what_to_do(page: simulator.Meta, reader: Reader, gram: Reader) -> None:
    found = {one.what: one for one in reader.findings()}
    assert {one.state for one in found.values()} == {"ok"}
    assert set(found) == {"Log-in", "Posts and comments", *PAGE_RIGHTS, "Web hook"}
    page.scopes.remove("pages_manage_engagement")
    page.is_subscribed, page.ends_at = False, int(page.day().timestamp()) + 86_400
    wrong = {one.what: one for one in reader.findings() if one.state != "ok"}
    assert set(wrong) == {"pages_manage_engagement", "End", "Web hook"}
    assert "Ask for pages_manage_engagement" in wrong["pages_manage_engagement"].hint
    assert "2026-03-03" in wrong["End"].message
    assert {one.what for one in gram.findings()} >= set(GRAM_RIGHTS)
    page.fail("/debug_token", error(100, "(#100) not yours"))
    (unknown,) = [one for one in reader.findings() if one.what == "Rights"]
    assert (unknown.state, "pages_manage_engagement" in unknown.hint) == ("warn", True)


def test_an_expired_token_is_said_in_words(page: simulator.Meta, reader: Reader) -> None:
    reader.config = replace(CONFIG, access_token="EAAG-expired")
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert "Session has expired" in failed.message
    assert "new long-lived token" in failed.hint
    assert [one.state for one in reader.findings()] == ["bad"]
    page.fail("/feed", Answered({"error": {"message": "try again", "code": 2}}, 500))
    assert refused(Reader(plugin, CONFIG, page).read).reason == "unreachable"


def test_a_limit_that_is_nearly_spent_is_left_alone(page: simulator.Meta, reader: Reader, day: Day) -> None:
    page.used_percent = 96
    reader.read()
    asked = len(page.asked)
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 900.0)
    assert len(page.asked) == asked, "it was asked although nearly nothing was left"
    day.later(901)
    page.used_percent = 100
    assert "request limit reached" in refused(reader.read).message
    day.later(901)
    usage = {ME: [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 19}]}
    page.fail("/feed", Answered(error(32, "Page request limit reached").body, 403, {
        "X-Business-Use-Case-Usage": json.dumps(usage)
    }))  # fmt: skip
    assert refused(reader.read).retry_after_s == 19 * 60.0


@pytest.mark.parametrize(
    "change", [{"place": "threads"}, {"number": "otter"}, {"access_token": ""}, {"app_secret": "short"}]
)
def test_what_cannot_work_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        plugin.check(replace(CONFIG, **change))
