"""Answers: kept first, handed over once, shown as far as they got; nobody writes past what they have not seen."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting
from rapport.conversations import selectors, services
from rapport.conversations.models import Conversation, Message, Reception, VoiceDraft
from rapport.conversations.services import answering, forgetting, gathering
from rapport.conversations.tests.conftest import NOW, mail, only, post, record, said
from rapport.kit import clock, ids
from rapport.kit.errors import Denied, NotFound
from rapport.messaging import services as messaging
from rapport.staff.models import Staff
from rapport.venues.rules import Finding

Log = Callable[..., None]


class Post:
    """Messaging as it answers, without a network behind it."""

    def __init__(self) -> None:
        self.given: list[messaging.Answer] = []
        self.fate: Any = None

    def reply(self, answer: messaging.Answer) -> Any:
        self.given.append(answer)
        if isinstance(self.fate, Exception):
            raise self.fate
        return self.fate or messaging.Sent(ids.uuid7(), "planned")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Post:
    double = Post()
    monkeypatch.setattr(answering.messaging, "reply", double.reply)
    return double


def asked(log: Log) -> Conversation:
    log([post("ana", "p1", "@otter where is it?", asks_us=True, author_name="Ana Ruiz")])
    return only()


def test_an_answer_goes_where_they_asked_and_is_told_once(log: Log, alice: Staff, sent: Post) -> None:
    one = asked(log)
    services.keep_draft(one.id, alice.pk, "On its way", one.version)
    done = services.answer(one.id, "On its way", by=alice.pk, version=one.version)
    (given,) = sent.given
    assert (given.to, given.in_reply_to, given.is_public, given.approved_by, given.was_asked) == (
        "bluesky:ana", "p1", True, "alice@otter.example", True,
    )  # fmt: skip
    assert (done.state, only().state, only().assignee) == ("planned", "pending", alice.pk)
    assert selectors.draft(one.id, alice.pk) is None
    mine = Message.objects.get(pk=done.message)
    record(
        [
            said("reply_published", "bluesky:ana", "On its way", minutes=60, message_id="m", network="bluesky", post_id="o1",
                 in_reply_to="p1", conversation=one.id.hex, message=mine.delivery, url="https://bsky.example/o1")
        ]
    )  # fmt: skip
    (_, ours) = selectors.messages(one.id).rows
    assert (ours.id, ours.state, ours.url, ours.author_name) == (
        mine.id,
        "sent",
        "https://bsky.example/o1",
        "Alice",
    )
    record([post("ana", "p2", "Thank you!", "o1", 61)])
    assert (only().n_messages, only().state) == (3, "pending")


def test_who_wrote_past_something_new_is_told_what_it_was_and_loses_nothing(
    log: Log, alice: Staff, bob: Staff, sent: Post
) -> None:
    one = asked(log)
    services.keep_draft(one.id, bob.pk, "We look", one.version)
    services.answer(one.id, "Found it", by=alice.pk, version=one.version)
    with pytest.raises(services.Moved) as moved:
        services.answer(one.id, "We look", by=bob.pk, version=one.version)
    assert [m.text for m in moved.value.messages][-1:] == ["Found it"]
    assert "answered" in [row.did for row in moved.value.done]
    draft = selectors.draft(one.id, bob.pk)
    assert draft is not None
    assert draft.text == "We look"
    assert len(sent.given) == 1


def test_what_waits_for_approval_leaves_once_somebody_approves(
    log: Log, alice: Staff, bob: Staff, sent: Post
) -> None:
    one = asked(log)
    sent.fate = messaging.Withheld(ids.uuid7(), "needs_approval")
    done = services.answer(one.id, "On its way", by=bob.pk, version=one.version)
    assert (done.state, only().state, sent.given[0].approved_by) == ("waiting", "pending", "")
    assert only().waiting_since is not None  # nobody has heard from us yet
    assert [r.id for r in selectors.page("approvals", alice.pk).rows] == [one.id]
    with pytest.raises(Denied):
        services.approve(done.message, by=bob.pk)
    sent.fate = None
    assert services.approve(done.message, by=alice.pk).state == "planned"
    assert sent.given[0].key == sent.given[1].key
    assert sent.given[1].approved_by == "alice@otter.example"
    with pytest.raises(Exception, match="decided this already"):
        services.refuse(done.message, "no", by=alice.pk)


def test_what_the_rule_card_doubts_is_not_let_out_by_its_writer(
    log: Log, alice: Staff, bob: Staff, sent: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubted = Finding("promotion_doubted", False, "could be taken for advertising", needs_second_look=True)

    def withheld(answer: messaging.Answer) -> Any:
        alone = answer.approved_by in ("", answer.by)
        return SimpleNamespace(reason="needs_approval" if alone else "", message=doubted.said)

    monkeypatch.setattr(answering.messaging, "preview_reply", withheld)
    bob.role = "owner"
    bob.save()
    sent.fate = messaging.Withheld(ids.uuid7(), "needs_approval", findings=(doubted,))
    one = asked(log)
    done = services.answer(one.id, "On its way", by=alice.pk, version=one.version)
    assert (done.state, sent.given[0].approved_by) == ("waiting", "alice@otter.example")
    assert Message.objects.get(pk=done.message).reason == "could be taken for advertising"
    with pytest.raises(Denied, match="wrote this yourself"):
        services.approve(done.message, by=alice.pk)
    sent.fate = None
    assert services.approve(done.message, by=bob.pk).state == "planned"


def test_what_is_refused_is_a_draft_again_and_the_conversation_open(
    log: Log, alice: Staff, bob: Staff, sent: Post
) -> None:
    one = asked(log)
    done = services.ask_approval(one.id, "Maybe?", by=bob.pk, version=one.version)
    assert not sent.given
    services.refuse(done.message, "Too vague", by=alice.pk)
    assert (only().state, only().failure) == ("open", "Too vague")
    draft = selectors.draft(one.id, bob.pk)
    assert draft is not None
    assert draft.text == "Maybe?"
    assert [a.state for a in selectors.approvals(one.id)] == ["refused"]


def test_what_did_not_leave_opens_the_conversation_with_the_reason(
    log: Log, alice: Staff, sent: Post
) -> None:
    one = asked(log)
    sent.fate = messaging.Withheld(ids.uuid7(), "rule_card", "links are not wanted here")
    done = services.answer(one.id, "See otter.example", by=alice.pk, version=one.version)
    assert (done.state, done.reason) == ("withheld", "links are not wanted here")
    assert (only().state, only().failure) == ("open", "links are not wanted here")
    draft = selectors.draft(one.id, alice.pk)
    assert draft is not None
    assert draft.text == "See otter.example"
    sent.fate = NotFound("there is no source bluesky", "Set it up.")
    again = services.answer(one.id, "See our page", by=alice.pk, version=only().version)
    assert (again.state, again.reason) == ("withheld", "there is no source bluesky. Set it up.")


def test_whoever_is_killed_before_handing_over_has_it_handed_over_later(
    log: Log, alice: Staff, sent: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = asked(log)
    sent.fate = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        services.answer(one.id, "On its way", by=alice.pk, version=one.version)
    sent.fate = None
    assert services.follow_deliveries() == 0  # it may be under way
    from rapport.kit import clock

    with clock.frozen(clock.now() + answering.AGAIN_AFTER):
        assert services.follow_deliveries() == 1
    assert {a.key for a in sent.given} == {sent.given[0].key}
    assert Message.objects.filter(direction="out").count() == 1


def test_an_answer_that_left_before_its_writer_was_killed_is_not_a_second_one(
    log: Log, alice: Staff, sent: Post
) -> None:
    one = asked(log)
    sent.fate = RuntimeError("killed")
    with pytest.raises(RuntimeError):
        services.answer(one.id, "On its way", by=alice.pk, version=one.version)
    record(
        [said("reply_published", "bluesky:ana", "On its way", minutes=1, network="bluesky", post_id="o1",
              in_reply_to="p1", conversation=one.id.hex, message="abc")]
    )  # fmt: skip
    (mine,) = Message.objects.filter(direction="out")
    assert (mine.state, mine.post_id, mine.delivery) == ("sent", "o1", "abc")


def test_where_replies_do_harm_we_are_silent_until_somebody_lifts_it(
    log: Log, alice: Staff, sent: Post
) -> None:
    one = asked(log)
    from rapport.kit import clock

    Reception.objects.create(
        scope="venue",
        name=one.venue,
        is_silent=True,
        reckoned_at=clock.now(),
        silent_since=clock.now(),
        figures={},
    )
    with pytest.raises(Denied, match="silent"):
        services.answer(one.id, "Hello", by=alice.pk, version=one.version)
    assert not sent.given
    services.lift_silence(one.venue)
    assert services.answer(one.id, "Hello", by=alice.pk, version=one.version).state == "planned"


def test_without_the_right_nobody_answers(log: Log, charlie: Staff, sent: Post) -> None:
    one = asked(log)
    with pytest.raises(Denied):
        services.answer(one.id, "Hello", by=charlie.pk, version=one.version)
    assert not sent.given


def test_a_real_answer_by_mail_is_planned_by_messaging(log: Log, alice: Staff) -> None:
    log([mail("ana", "Where is it?", "Order 12", 1, post_id="<1@a>")])
    one = only()
    done = services.answer(one.id, "On its way", by=alice.pk, version=one.version)
    # No mail channel is set up here, so it is withheld with a reason rather than lost.
    assert (done.state, only().state) == ("withheld", "open")
    assert "not set up" in done.reason


def test_erasing_somebody_leaves_no_byte_of_them(log: Log, bob: Staff, sent: Post) -> None:
    log(
        [
            post("ana", "p1", "@otter zanzibar cable", asks_us=True, author_name="Ana Ruiz", minutes=1),
            post("bo", "p2", "same quokka here", "p1", 2),
            post("bo", "q1", "@otter other matter", minutes=3, asks_us=True),
        ]
    )
    one, other = Conversation.objects.exclude(state="aside").order_by("first_ts")
    services.note(one.id, "call Zanzibar-Ana", by=bob.pk)
    services.note(other.id, "like bluesky:ana said", by=bob.pk)
    services.keep_draft(one.id, bob.pk, "Dear zanzibar", one.version)
    services.answer(
        one.id, "Your zanzibar cable", by=bob.pk, version=Conversation.objects.get(pk=one.id).version
    )
    services.voice_draft(one.id, by=bob.pk)
    subject = Message.objects.filter(identifier="bluesky:ana").values_list("subject", flat=True)[0]
    exporting = Exporting((subject or 0,), ("bluesky:ana",))
    shown = json.dumps([s.rows for s in forgetting.sections(exporting)], default=str)
    assert "zanzibar cable" in shown
    assert forgetting.erase(Erasing((subject or 0,), ("bluesky:ana",), ("x",))) > 0
    assert forgetting.erase(Erasing((subject or 0,), ("bluesky:ana",), ("x",))) == 0
    assert not Message.objects.filter(text__icontains="zanzibar").exists()
    assert not VoiceDraft.objects.exists()
    assert not selectors.search("zanzibar").rows
    left = json.dumps(list(Conversation.objects.values("title", "preview", "author_name", "identifier")))
    assert "zanzibar" not in left
    assert "Ana" not in left
    assert [m.text for m in selectors.messages(one.id).rows] == ["same quokka here"]
    assert [m.text for m in selectors.messages(other.id).rows] == ["@otter other matter"]


def test_an_answer_that_left_with_its_disclosure_while_its_writer_was_killed_is_one_message(
    log: Log, alice: Staff, sent: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = asked(log)
    sent.fate = KeyError("killed")
    with pytest.raises(KeyError):
        services.answer(one.id, "On its way", by=alice.pk, version=one.version)
    mine, delivery = Message.objects.get(direction="out"), ids.uuid7()
    taken = {f"{answering.KEY}{mine.id}": SimpleNamespace(id=delivery)}
    monkeypatch.setattr(
        gathering.deliveries, "deliveries_of", lambda keys: {k: taken[k] for k in keys if k in taken}
    )
    gone = said(
        "reply_published", "bluesky:ana", "On its way\n\nI work for Otter.", minutes=60, message_id="m",
        network="bluesky", post_id="o1", in_reply_to="p1", conversation=one.id.hex, message=delivery.hex,
    )  # fmt: skip
    record([gone])
    assert Message.objects.filter(direction="out").count() == 1
    sent.fate = messaging.Sent(delivery, "sent")
    with clock.frozen(NOW + dt.timedelta(hours=2)):
        services.follow_deliveries()
    mine.refresh_from_db()
    assert (mine.state, mine.post_id, mine.delivery) == ("sent", "o1", delivery.hex)


def test_who_wrote_to_us_alone_is_answered_alone_whatever_was_merged(
    log: Log, alice: Staff, sent: Post
) -> None:
    """A letter has no number of its own on a network, and stands in a conversation that is public."""
    log([post("ana", "p1", "@otter where is it?", asks_us=True), mail("ana", "It is order 4711", minutes=5)])
    public, letter = Conversation.objects.order_by("first_ts")
    services.merge(letter.id, public.id, by=alice.pk)
    one = only_open()
    to = selectors.answering(one.id)
    assert to is not None
    assert (one.is_public, to.is_public, to.identifier) == (True, False, "email:ana@example.org")
    question = Message.objects.get(post_id="p1")
    with pytest.raises(Denied, match="to us alone last"):
        services.answer(
            one.id, "4711 is on its way", by=alice.pk, version=one.version, to_message=question.id
        )
    services.answer(one.id, "4711 is on its way", by=alice.pk, version=one.version)
    (given,) = sent.given
    assert (given.to, given.is_public, given.in_reply_to) == ("email:ana@example.org", False, "")


def test_what_was_asked_in_public_last_is_answered_there(log: Log, alice: Staff, sent: Post) -> None:
    log([mail("ana", "It is order 4711"), post("ana", "p1", "@otter hello?", asks_us=True, minutes=5)])
    letter, public = Conversation.objects.order_by("first_ts")
    services.merge(public.id, letter.id, by=alice.pk)
    one = only_open()
    services.ask_approval(one.id, "We wrote to you", by=alice.pk, version=one.version)
    services.approve(Message.objects.get(direction="out").id, by=alice.pk)
    (given,) = sent.given
    assert (given.to, given.in_reply_to, given.is_public) == ("bluesky:ana", "p1", True)


def only_open() -> Conversation:
    return Conversation.objects.get(state="open")


def test_an_answer_whose_delivery_was_erased_is_not_on_its_way_for_ever(
    log: Log, alice: Staff, sent: Post
) -> None:
    one = asked(log)
    done = services.answer(one.id, "On its way", by=alice.pk, version=one.version)
    assert services.follow_deliveries() == 1  # no delivery of that number is there any more
    mine = Message.objects.get(pk=done.message)
    assert (mine.state, mine.reason) == ("unknown", "what was noted of its sending was erased")
    assert services.follow_deliveries() == 0


def test_a_letter_whose_sender_is_denied_is_nobodys_and_can_be_answered(
    log: Log, alice: Staff, sent: Post
) -> None:
    denied = mail("ana", "Send my order elsewhere", minutes=5) | {"identifier": "unconfirmed:ana@example.org"}
    log([mail("ana", "Where is my order?", "Order"), denied])
    said_by = dict(Message.objects.values_list("text", "identifier"))
    assert said_by["Send my order elsewhere"] == "unconfirmed:ana@example.org"
    assert len(set(Message.objects.values_list("subject", flat=True))) == 2
    theirs, other = Conversation.objects.order_by("first_ts")
    assert other.identifier == "unconfirmed:ana@example.org"
    services.answer(other.id, "Was that you?", by=alice.pk, version=other.version)
    assert sent.given[0].to == "email:ana@example.org"
    assert theirs.n_messages == 1
