"""What is said becomes conversations: by reply links in any order, and by author and heading where there are none."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from rapport.conversations import handlers, services
from rapport.conversations.models import Conversation, Message, VoiceDraft
from rapport.conversations.services import summing
from rapport.conversations.tests.conftest import mail, only, ours, post, record, said, threads
from rapport.events import subscriptions

Log = Callable[..., None]


def test_a_reply_joins_what_it_answers_and_who_asked_waits(log: Log) -> None:
    log(
        [
            post("ana", "p1", "@otter my cable is dead, help?", asks_us=True),
            post("bo", "p2", "same here", "p1", 5),
        ]
    )
    one = only()
    assert threads() == {frozenset({"p1", "p2"})}
    assert (one.state, one.why, one.identifier, one.n_messages) == ("open", "asked_us", "bluesky:ana", 2)
    assert one.waiting_since is not None
    assert one.due_at is not None
    assert one.is_public


def test_our_reply_ends_the_waiting_and_their_answer_begins_it_anew(log: Log) -> None:
    log([post("ana", "p1", "@otter is it broken?", asks_us=True), ours("o1", "p1", minutes=3)])
    assert (only().state, only().waiting_since) == ("pending", None)
    log([post("ana", "p2", "It still does not charge", "o1", 8)])
    one = only()
    assert (one.state, one.n_messages) == ("open", 3)
    assert Message.objects.get(post_id="p2").why == "answered_us"


def test_thanks_joins_the_conversation_and_nobody_waits_for_more(log: Log) -> None:
    log([post("ana", "p1", "@otter is it broken?", asks_us=True), ours("o1", "p1", minutes=3)])
    log([post("ana", "p2", "Thank you, that was it!", "o1", 9)])
    one = only()
    assert (one.state, one.n_messages, one.waiting_since) == ("pending", 3, None)


def test_a_parent_that_comes_later_joins_what_answered_it(log: Log) -> None:
    log([post("bo", "p2", "@otter same", "p1", 5, asks_us=True), post("chi", "p4", "no", "p3", 9)])
    assert len(threads()) == 2
    log([post("ana", "p3", "me too", "p1", 3)])
    assert threads() == {frozenset({"p2", "p3", "p4"})}
    log([post("ana", "p1", "is this normal", minutes=0)])
    assert threads() == {frozenset({"p1", "p2", "p3", "p4"})}


def test_two_conversations_that_staff_works_on_become_one_and_nothing_is_lost(log: Log, bob: object) -> None:
    from rapport.conversations import services

    log(
        [
            post("ana", "p1", "@otter help", asks_us=True),
            post("bo", "p3", "@otter help", "p2", 5, asks_us=True),
        ]
    )
    a, b = Conversation.objects.exclude(state="aside").order_by("id")
    services.note(b.id, "call him", by=bob.pk)  # type: ignore[attr-defined]
    services.keep_draft(b.id, bob.pk, "Dear Bo", b.version)  # type: ignore[attr-defined]
    log([post("chi", "p2", "yes", "p1", 2)])
    stays = Conversation.objects.get(state="open")
    went = Conversation.objects.get(state="merged")
    assert (stays.id, went.merged_into_id) == (a.id, a.id)
    from rapport.conversations import selectors

    draft = selectors.draft(a.id, bob.pk)  # type: ignore[attr-defined]
    assert draft is not None
    assert draft.text == "Dear Bo"
    assert "call him" in {m.text for m in selectors.messages(a.id).rows}


WOOD = [
    post("ana", "a1", "@otter one", minutes=1, asks_us=True),
    post("bo", "a2", "two", "a1", 2),
    ours("a3", "a2", minutes=3),
    post("ana", "a4", "three", "a3", 4),
    post("chi", "b1", "four", "b0", 5),  # what it answers is never seen
    post("bo", "b2", "five", "b0", 6),
    post("dov", "c1", "six", minutes=7, thread="c0"),
    post("eve", "c2", "seven", "c1", 8, thread="c0"),
    post("eve", "d1", "eight", minutes=9),
    mail("ana", "My order", "Order 12", -60 * 24 * 26),
    mail("ana", "Still no order", "Re: Order 12", -60 * 24 * 13),
    mail("ana", "And now?", "AW: order 12", 10),
    mail("bo", "Mine too", "Order 12", 30),
]
GROVES = {
    frozenset({"a1", "a2", "a3", "a4"}),
    frozenset({"b1", "b2"}),
    frozenset({"c1", "c2"}),
    frozenset({"d1"}),
    frozenset({"My order", "Still no order", "And now?"}),
    frozenset({"Mine too"}),
}


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_arrival_gives_the_same_conversations(log: Log, seed: int) -> None:
    rng = random.Random(seed)
    rows = WOOD[:]
    rng.shuffle(rows)
    while rows:
        n = rng.randint(1, 5)
        log(rows[:n])
        rows = rows[n:]
    assert threads() == GROVES
    heads = Conversation.objects.exclude(state__in=("aside", "merged")).order_by("first_ts", "identifier")
    assert [(c.why, c.identifier, c.n_messages) for c in heads] == [
        ("private", "email:ana@example.org", 3),
        ("asked_us", "bluesky:ana", 4),
        ("private", "email:bo@example.org", 1),
    ]


def test_a_batch_that_is_given_again_changes_nothing(log: Log) -> None:
    log(WOOD)
    from rapport.events import lake, loader

    before = sorted(Message.objects.values_list("seq", "text", "conversation", "state"))
    versions = sorted(Conversation.objects.values_list("id", "version"))
    with lake.connect() as con:
        head = loader.offset(con)
        batch = subscriptions.read_batch(con, subscriptions.subscribers()[handlers.KEY], 0, head)
    handlers.on_said(batch)
    assert sorted(Message.objects.values_list("seq", "text", "conversation", "state")) == before
    assert sorted(Conversation.objects.values_list("id", "version")) == versions


def test_mail_is_joined_by_its_references_across_people_and_never_by_its_heading(log: Log) -> None:
    log(
        [
            mail("ana", "first", "Order", 1, post_id="<1@a>"),
            mail("ana", "second", "Re: Order", 2, post_id="<3@a>", in_reply_to="<2@otter>", thread="<1@a>"),
            mail("bo", "third", "Re: Order", 3, post_id="<4@b>", in_reply_to="<3@a>"),
            mail("chi", "fourth", "Order", 4, post_id="<5@c>"),
            mail("chi", "fifth", "Order", -60 * 24 * 15, post_id="<6@c>"),  # more than a fortnight before
        ]
    )
    assert threads() == {frozenset({"<1@a>", "<3@a>", "<4@b>"}), frozenset({"<5@c>"}), frozenset({"<6@c>"})}


def test_what_was_deleted_is_empty_and_stays_so_where_it_comes_late(log: Log) -> None:
    log([post("ana", "p1", "@otter help", asks_us=True)])
    log([said("post_deleted", "bluesky:ana", network="bluesky", post_id="p1", message_id="d1")])
    gone = Message.objects.get(post_id="p1")
    assert (gone.text, gone.state) == ("", "deleted")
    assert (only().state, only().resolved_why) == ("resolved", "taken_back")
    log([said("post_deleted", "bluesky:bo", network="bluesky", post_id="p9", message_id="d9")])
    log([post("bo", "p9", "@otter help", asks_us=True)])
    late = Message.objects.get(post_id="p9")
    assert (late.text, late.state, late.why) == ("", "deleted", "")


def test_what_was_deleted_is_quoted_no_more(log: Log, bob: object) -> None:
    log([post("ana", "p1", "@otter the handle broke off", asks_us=True)])
    subscriptions.drain(["people"])
    services.voice_draft(only().id, by=bob.pk)  # type: ignore[attr-defined]
    assert "handle" in VoiceDraft.objects.get().title
    assert len(VoiceDraft.objects.get().quotes) == 1
    log([said("post_deleted", "bluesky:ana", network="bluesky", post_id="p1", message_id="d1")])
    assert (VoiceDraft.objects.get().quotes, VoiceDraft.objects.get().title) == ([], "")


def test_the_newest_words_hold(log: Log) -> None:
    log([post("ana", "p1", "@otter halp", asks_us=True)])
    log([said("post_edited", "bluesky:ana", "@otter help", network="bluesky", post_id="p1", message_id="e1")])
    assert Message.objects.get(post_id="p1").text == "@otter help"
    assert only().preview == "@otter help"


def test_a_chat_goes_on_in_one_conversation(log: Log) -> None:
    def line(n: int, text: str, minutes: float) -> dict[str, object]:
        return said(
            "message_received", "chat:c1", text, minutes=minutes, channel="chat", network="chat", post_id=f"l{n}",
            thread="c1",
        )  # fmt: skip

    log([line(2, "are you there?", 1), line(1, "hello", 0)])
    assert (only().channel, only().is_public, only().n_messages) == ("chat", False, 2)


def test_what_competitors_hear_is_not_our_matter(log: Log) -> None:
    from rapport.listening import services as listening

    listening.follow("otter", "brand", ["otter"])
    listening.follow("stoat", "competitor", ["stoat"])
    log(
        [
            post("ana", "p1", "my stoat cable broke, help", follows=["stoat"]),
            post("bo", "p2", "my otter cable broke, help", follows=["otter", "stoat"]),
            post(
                "chi", "p3", "my otter cable broke, help"
            ),  # imported: nobody said by which word it was found
        ]
    )
    assert dict(Message.objects.values_list("post_id", "may_open")) == {"p1": False, "p2": True, "p3": True}


def test_a_review_with_few_stars_opens_and_one_with_many_does_not(log: Log) -> None:
    log(
        [
            said(
                "post_published", "play:ana", "Meh", channel="review", network="play", post_id="r1", stars=2.0
            ),
            said(
                "post_published", "play:bo", "Wow", channel="review", network="play", post_id="r2", stars=5.0
            ),
        ]
    )
    assert (only().why, only().identifier) == ("review", "play:ana")


def test_history_is_settled_when_it_comes_and_says_why(log: Log) -> None:
    month = 60 * 24 * 31
    log(
        [
            mail("ana", "Where is it", "A", -month),
            mail("bo", "Where is it", "B", -month, post_id="<b>"),
            said("message_sent", "email:bo@example.org", "There", minutes=-month + 9, channel="email", network="email",
                 in_reply_to="<b>", message_id="m"),
        ]
    )  # fmt: skip
    found = dict(Conversation.objects.values_list("identifier", "resolved_why"))
    assert found == {"email:ana@example.org": "stale", "email:bo@example.org": "answered_and_quiet"}
    record([mail("ana", "Hello?", "Re: A", 1)])  # more than a fortnight later: a matter of its own
    assert set(Conversation.objects.values_list("state", flat=True)) == {"resolved", "open"}


def test_what_a_machine_wrote_asks_nothing(log: Log) -> None:
    log([mail("ana", "My lamp flickers, can you help?", "Lamp", post_id="a1")])
    log([mail("news", "Ten lamps you will love", "News", 3, post_id="n1", automatic="list")])
    away = mail("ana", "I am away", "Re: Lamp", 5, post_id="a2", in_reply_to="a1", automatic="reply")
    log([away])
    asked = Conversation.objects.get(pk=Message.objects.get(post_id="a1").conversation_id)
    unasked = Conversation.objects.get(pk=Message.objects.get(post_id="n1").conversation_id)
    assert (asked.state, unasked.state) == ("open", "aside")
    assert {m.post_id: m.why for m in Message.objects.filter(conversation=asked)} == {
        "a1": "private",
        "a2": "",
    }


def test_what_fits_no_store_is_taken_in_all_the_same(log: Log) -> None:
    long, who = "<" + "m" * 400 + "@example.org>", "a" * 64 + "@" + "b" * 180 + ".example"
    wrong = said(
        "message_received", f"email:{who}", "Where is it?", channel="email", venue="v" * 300, network="n" * 100,
        post_id=long, url="javascript:alert(1)",
    )  # fmt: skip
    log([wrong])
    log([mail("bo", "And mine?", minutes=5), said(
        "message_received", f"email:{who}", "Hello?", minutes=6, channel="email", network="n" * 100,
        post_id="2", in_reply_to=long,
    )])  # fmt: skip
    assert frozenset({"And mine?"}) in threads()
    first = Message.objects.get(text="Where is it?")
    assert (first.url, len(first.post_id) <= 255) == ("", True)
    assert first.origin == Message.objects.get(text="Hello?").origin


@pytest.mark.parametrize("seed", range(3))
def test_a_long_public_thread_stands_as_if_every_word_of_it_were_read(
    log: Log, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of thousands of comments below a post most ask nothing, and need not be read for each that comes."""
    rng = random.Random(seed)
    rows = [post("shop", "0", "We are open on Sunday.", asks_us=seed == 2)]
    for n in range(1, 60):
        kind = rng.choice(("plain", "plain", "plain", "plain", "asks", "ours", "answers_us"))
        minutes = rng.choice((n, n, rng.randrange(60)))  # several at once, and some that come late
        if kind == "ours":
            rows.append(ours(f"o{n}", "0", minutes=minutes))
        elif kind == "answers_us":
            rows.append(
                post(
                    f"w{n}",
                    str(n),
                    "It still does not work.",
                    to=f"o{rng.randrange(n)}",
                    minutes=minutes,
                    thread="0",
                )
            )
        else:
            rows.append(
                post(f"w{n}", str(n), f"Number {n} says so.", to="0", minutes=minutes, asks_us=kind == "asks")
            )
    log(rows)
    one = Conversation.objects.order_by("-n_messages")[0]
    assert one.n_messages > 40

    def stands(large: int) -> tuple[Any, Any]:
        monkeypatch.setattr(summing, "LARGE", large)
        monkeypatch.setattr(summing, "ENDS", 3)
        with transaction.atomic():
            summing.bring_up([one.pk], bumps=False)
        row = Conversation.objects.filter(pk=one.pk).values().get()
        row.pop("changed_no")
        return row, sorted(Message.objects.filter(conversation=one.pk).values_list("id", "why"))

    whole = stands(10_000)
    assert stands(5) == whole
    read = summing._pieces([one.pk], [one.pk])[one.pk]
    assert len(read) < 0.8 * one.n_messages
