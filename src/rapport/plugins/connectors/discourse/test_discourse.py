"""A Discourse forum read and answered, against one in this process that behaves as Discourse does."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Draft, Failed
from rapport.listening.tests.acting import Day, Reader, refused
from rapport.listening.tests.serving import Answered
from rapport.plugins.connectors.discourse import reading, simulator
from rapport.plugins.connectors.discourse.forum import Config
from rapport.plugins.connectors.discourse.plugin import OTHERS, OWN, plugin
from rapport.plugins.connectors.discourse.simulator import HOST, ME

CONFIG = Config(f"https://{HOST}", simulator.KEY, ME, simulator.SECRET)


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def forum(day: Day) -> simulator.Forum:
    found = simulator.Forum(day)
    found.limit = 10_000
    return found


@pytest.fixture
def reader(forum: simulator.Forum) -> Reader:
    return Reader(plugin, CONFIG, forum)


def test_followed_words_mentions_and_answers_are_read(forum: simulator.Forum, reader: Reader) -> None:
    first = forum.begin("ana", "Which light", "A **Lantern** or a torch?")
    forum.say("bo", 1, "Neither, stay at home.")
    named = forum.say("chi", 1, "@shop what do you say?")
    ours = forum.say(ME, 1, "It depends.", answers=3)
    back = forum.say("chi", 1, "On what?", answers=4)
    said = {one.id: one for one in reader.read()}
    assert set(said) == {first, named, ours, back}
    assert said[first].text == "Which light\n\nA **Lantern** or a torch?"
    assert (said[first].author, said[first].thread) == (f"ana@{HOST}", first)
    assert (said[back].in_reply_to, said[back].thread, said[back].asks_us) == (ours, first, True)
    assert said[back].url == f"https://{HOST}/t/which-light/1/5"
    assert (said[first].asks_us, said[named].asks_us, said[ours].is_ours) == (False, True, True)
    assert not reader.read()


def test_every_post_is_read_where_that_is_wanted_and_windows_are_walked(
    forum: simulator.Forum, reader: Reader, day: Day
) -> None:
    forum.begin("ana", "Talk", "hello")
    for n in range(130):
        day.later(30)
        forum.say("bo", 1, f"word {n}")
    reader.config = replace(CONFIG, which="all")
    assert len(reader.read()) == 131
    day.later(3_600)
    forum.say("bo", 1, "and more")
    asked = len(forum.asked)
    assert [one.text for one in reader.read()] == ["and more"]
    assert forum.paths[asked:].count("/posts.json") == 1


def test_windows_that_hold_nothing_for_us_are_passed(forum: simulator.Forum, reader: Reader) -> None:
    first = forum.begin("ana", "Light", "My lantern")
    forum.begin("ana", "Secret", "psst", people=("ana", "bo"))
    for n in range(120):
        forum.say("bo", 2, f"psst {n}")
    assert first in {one.id for one in reader.read()}


def test_a_private_message_is_private_and_answered_so(forum: simulator.Forum, reader: Reader) -> None:
    first = forum.begin("bo", "My order", "Where is order 12?", people=(ME,))
    (one,) = reader.read()
    assert (one.id, one.kind, one.is_private, one.subject_line) == (first, "message", True, "My order")
    receipt = reader.publish(Draft("d1", "It leaves today.", in_reply_to=first, is_private=True))
    assert forum.named(receipt.id).raw == "It leaves today."
    receipt = reader.publish(
        Draft("d2", "Did it arrive?", to=f"bo@{HOST}", subject_line="Order 12", is_private=True)
    )
    assert forum.topics[forum.named(receipt.id).topic].people == ("bo",)


def test_each_message_of_a_private_topic_arrives_though_the_forum_tells_of_them_together(
    forum: simulator.Forum, reader: Reader, day: Day
) -> None:
    first = forum.begin("bo", "My order", "Where is order 12?", people=(ME,))
    assert [one.id for one in reader.read()] == [first]
    ids = []
    for n in range(3):
        day.later(30)
        ids.append(forum.say("bo", 1, f"Hello? {n}"))
    said = reader.read()
    assert [one.id for one in said] == ids
    assert {(one.kind, one.is_private, one.subject_line) for one in said} == {("message", True, "My order")}
    day.later(30)
    ours = forum.say(ME, 1, "It leaves today.")
    last = forum.say("bo", 1, "Thanks")
    assert [(one.id, one.is_ours) for one in reader.read()] == [(ours, True), (last, False)]
    assert not reader.read()


def test_each_answer_to_us_arrives_and_what_others_say_to_each_other_does_not(
    forum: simulator.Forum, reader: Reader, day: Day
) -> None:
    ours = forum.begin(ME, "Open day", "Come and see.")
    reader.read()
    day.later(60)
    first = forum.say("ana", 1, "When?", answers=1)
    aside = forum.say("bo", 1, "I was there", answers=2)
    assert [(one.id, one.asks_us) for one in reader.read()] == [(first, True)]
    day.later(60)
    second, third = forum.say("chi", 1, "Where?", answers=1), forum.say("bo", 1, "Why?", answers=1)
    said = reader.read()
    assert [(one.id, one.in_reply_to, one.asks_us) for one in said] == [
        (second, ours, True),
        (third, ours, True),
    ]
    assert aside not in {one.id for one in said}


def test_what_is_changed_in_a_private_topic_stays_private(
    forum: simulator.Forum, reader: Reader, day: Day
) -> None:
    first = forum.begin("bo", "My order", "Where is order 12?", people=(ME,))
    reader.read()
    forum.named(first).raw, forum.named(first).version = "Where is order 13?", 2
    day.later(61)
    (edit,) = reader.read()
    assert (edit.kind, edit.is_private, edit.text) == ("edit", True, "My order\n\nWhere is order 13?")


def test_a_private_answer_that_was_lost_is_found_and_another_is_not_taken_for_it(
    forum: simulator.Forum, reader: Reader
) -> None:
    first = forum.begin("bo", "My order", "Where is order 12?", people=(ME,))
    draft = Draft("d1", "It leaves today.", in_reply_to=first, is_private=True)
    assert reader.find(draft) is None
    forum.fail("/posts.json", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    later = forum.say("bo", 1, "And order 14?")
    assert reader.find(replace(draft, id="d2", in_reply_to=later)) is None, "that answered another"
    assert reader.find(draft) == found


def test_what_addresses_us_is_found_behind_badges_and_badges_are_not_read_again(
    forum: simulator.Forum, reader: Reader, day: Day
) -> None:
    forum.begin("ana", "Light", "Hello")
    named = forum.say("bo", 1, "@shop help")
    for _ in range(130):
        day.later(60)
        forum.badge()
    reader.words = ()
    assert [one.id for one in reader.read()] == [named]
    day.later(7_200)
    for _ in range(10):
        forum.badge()
    asked = len(forum.paths)
    assert not reader.read()
    assert forum.paths[asked:].count("/notifications.json") == 1


def test_a_like_is_a_reaction(forum: simulator.Forum, reader: Reader) -> None:
    ours = forum.begin(ME, "News", "We are open.")
    forum.like("ana", ours)
    (like,) = [one for one in reader.read() if one.kind == "reaction"]
    assert (like.about, like.author) == (ours, f"ana@{HOST}")


def test_changes_and_deletions_are_told_once(forum: simulator.Forum, reader: Reader, day: Day) -> None:
    changed = forum.begin("ana", "Light", "My lantern")
    gone = forum.say("bo", 1, "my lantern too")
    assert len(reader.read()) == 2
    forum.named(changed).raw, forum.named(changed).version = "My old lantern", 2
    forum.named(gone).deleted_at = "2026-03-02T12:00:30.000Z"
    day.later(61)
    said = {(one.kind, one.about): one.text for one in reader.read()}
    assert said == {("edit", changed): "Light\n\nMy old lantern", ("deletion", gone): ""}
    day.later(61)
    assert not reader.read()


def test_what_is_followed_only_now_is_searched(forum: simulator.Forum, reader: Reader, day: Day) -> None:
    old = forum.begin("ana", "Rain", "My umbrella broke")
    assert not reader.read()
    reader.words = ("umbrella",)
    day.later(1_000)
    assert [one.id for one in reader.read()] == [old]


def test_the_web_hook_is_believed_only_when_signed(forum: simulator.Forum, reader: Reader) -> None:
    id = forum.begin("ana", "Light", "My lantern")
    headers, body = forum.call("post_created", forum.named(id))
    (one,) = reader.receive(headers, body).said
    assert (one.id, one.text) == (id, "Light\n\nMy lantern")
    for spoilt in ({**headers, "x-discourse-event-signature": "sha256=0"}, {}):
        with pytest.raises(Denied):
            reader.receive(spoilt, body)
    with pytest.raises(Denied):
        reader.receive(headers, body + b" ")
    reader.config = replace(CONFIG, webhook_secret="")
    with pytest.raises(Denied):
        reader.receive(headers, body)


def test_the_web_hook_tells_changes_deletions_and_pings(forum: simulator.Forum, reader: Reader) -> None:
    post = forum.named(forum.begin("ana", "Light", "My lantern"))
    (edit,) = reader.receive(*forum.call("post_edited", post, version=2)).said
    assert (edit.kind, edit.about) == ("edit", f"1/1@{HOST}")
    (gone,) = reader.receive(*forum.call("post_destroyed", post)).said
    assert (gone.kind, gone.about) == ("deletion", f"1/1@{HOST}")
    assert not reader.receive(*forum.call("ping", post)).said
    other = forum.named(forum.say("bo", 1, "unrelated"))
    assert not reader.receive(*forum.call("post_created", other)).said


def test_an_answer_is_posted_where_it_belongs_and_found_again(forum: simulator.Forum, reader: Reader) -> None:
    forum.begin("ana", "Light", "My lantern")
    theirs = forum.say("bo", 1, "It flickers")
    draft = Draft("d1", "Please clean its contacts.", in_reply_to=theirs)
    forum.fail("/posts.json", is_after=True)
    assert refused(lambda: reader.publish(draft)).is_unsure
    found = reader.find(draft)
    assert found is not None
    assert (forum.named(found.id).raw, forum.named(found.id).answers) == (draft.text, 2)
    assert reader.find(replace(draft, text="Something else")) is None
    topic = reader.publish(Draft("d2", "Come and see.", subject_line="Open day"))
    assert forum.topics[forum.named(topic.id).topic].title == "Open day"


def test_refusals_are_in_the_forums_words(forum: simulator.Forum, reader: Reader) -> None:
    theirs = forum.begin("ana", "Light", "My lantern")
    failed = refused(lambda: reader.publish(Draft("d1", "Yes.", in_reply_to=theirs)))
    assert "Body is too short" in failed.message
    assert failed.is_permanent
    with pytest.raises(Failed, match="not a post on"):
        reader.publish(Draft("d1", "Yes, it is.", in_reply_to="1/1@elsewhere.example"))
    forum.is_moderated = True
    assert "moderators" in reader.publish(Draft("d2", "Yes, it is.", in_reply_to=theirs)).answer


def test_a_key_that_ended_and_a_limit_are_said(forum: simulator.Forum, reader: Reader, day: Day) -> None:
    forum.limit = 1
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("rate", 60.0)
    day.later(61)
    forum.limit = 60
    assert reader.read() == []
    assert [one.state for one in reader.findings()] == ["ok"] * 5
    forum.fail("/search.json", Answered({"errors": [simulator.BAD_KEY], "error_type": "invalid_access"}, 403))
    (bad,) = [one for one in reader.findings() if one.state == "bad"]
    assert (bad.what, "to search" in bad.hint) == ("Search", True)
    reader.config = replace(CONFIG, api_key="0" * 30, webhook_secret="")
    failed = refused(reader.read)
    assert (failed.reason, failed.retry_after_s) == ("login", None)
    assert [one.state for one in reader.findings()] == ["bad"] * 5 + ["warn"]


def test_whose_place_it_is_decides_the_terms() -> None:
    assert plugin.terms_of(CONFIG) is OTHERS
    assert plugin.terms_of(replace(CONFIG, whose="own")) is OWN
    for change in ({"api_key": "short"}, {"api_username": "a b"}, {"webhook_secret": "x"}, {"which": "none"}):
        with pytest.raises(Invalid):
            plugin.check(replace(CONFIG, **change))


def test_a_word_with_an_open_end_is_found_by_its_beginning() -> None:
    context: Any = SimpleNamespace(words=("brems", "lamp"), beginnings=frozenset({"brems"}))
    said = {"Neue Bremsbeläge": True, "Scheibenbremse": False, "A lamp": True, "Lamps": False}
    assert {text: reading.names(reading.spaced(text), context) for text in said} == said
