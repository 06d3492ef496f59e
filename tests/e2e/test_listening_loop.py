"""Somebody asks for help on a network; it is heard, answered with approval and disclosure, and their thanks comes home."""

from __future__ import annotations

import datetime as dt
import imaplib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from email import message_from_bytes
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import pytest

from rapport.conversations import services as conversations
from rapport.conversations.models import Conversation, Message
from rapport.events import services as events
from rapport.events import spool, subscriptions
from rapport.kit import clock
from rapport.knowledge import services as knowledge
from rapport.knowledge.services import Written
from rapport.listening import services as listening
from rapport.listening.services import asking, rechecking
from rapport.messaging import services as messaging
from rapport.messaging.services import posting
from rapport.messaging.tests.loopback import Loopback
from rapport.plugins.connectors.bluesky import simulator as bluesky
from rapport.plugins.connectors.email import simulator as mail
from rapport.staff.models import Organisation, Staff

ASKS = "My lantern flickers in the rain. What can I do? Please help!"
SOLUTION = "Dry the wick and turn it down a little: it then burns evenly again."


class AtOnce(Executor):
    """Runs what it is given before it comes back: the test's own transaction is then seen."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


class Day:
    """The clock, which goes on when it is told to."""

    def __init__(self) -> None:
        self.at = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
        self.held: list[Any] = []

    def later(self, seconds: float = 5.0) -> None:
        self.at += dt.timedelta(seconds=seconds)
        self.release()
        frozen = clock.frozen(self.at)
        frozen.__enter__()
        self.held.append(frozen)

    def release(self) -> None:
        while self.held:
            self.held.pop().__exit__(None, None, None)


@pytest.fixture
def day() -> Iterator[Day]:
    found = Day()
    found.later(0)
    yield found
    found.release()


@pytest.fixture
def firm(home: Path, db: None, day: Day, monkeypatch: pytest.MonkeyPatch) -> dict[str, Staff]:
    """Otter Tools, which makes lanterns, knows what to do about a wet one, and has two people who answer."""
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    monkeypatch.setattr(posting, "ThreadPoolExecutor", lambda *_, **__: AtOnce())
    Organisation.objects.create(
        id=1, name="Otter Tools", currency="EUR", timezone="UTC", language="en", created_at=clock.now()
    )
    alice = Staff.objects.create(email="alice@otter.example", role="owner", name="Alice")
    bob = Staff.objects.create(email="bob@otter.example", role="answers", name="Bob")
    listening.follow("lantern", "product", ["lantern"], by="alice@otter.example")
    written = Written(
        title="A lantern flickers in the rain",
        solutions={"en": SOLUTION},
        wordings=[("en", "my lantern flickers when it rains"), ("en", "the flame of the lantern is uneven")],
        state="published",
    )
    knowledge.write_entry("", written, by="alice@otter.example")
    return {"alice": alice, "bob": bob}


def round_of(source: str, day: Day) -> None:
    """Time goes on, the source is read, and everybody who follows the log reacts; models speak a pass later."""
    day.later(61)
    got = listening.read_source(source)
    assert not got.trouble, got
    for _ in range(3):
        events.settle(spool.current().next_seq() - 1)
        subscriptions.drain()


def the_conversation() -> Conversation:
    (one,) = Conversation.objects.exclude(state__in=("aside", "merged"))
    return one


def said_in(one: Conversation) -> list[tuple[str, str]]:
    return [(m.direction, m.text) for m in Message.objects.filter(conversation=one).order_by("ts", "id")]


def proposed(question: str) -> str:
    """What the knowledge base would answer, worded."""
    found = knowledge.propose(question, language="en")
    assert found.asks is None
    assert not found.abstains, found.because
    return knowledge.draft(
        [found.proposals[0].key], question, language="en", length_max=220, firm="Otter Tools"
    ).text


# Bluesky.


@pytest.fixture
def network(day: Day, firm: dict[str, Staff]) -> Iterator[bluesky.Bluesky]:
    with bluesky.Bluesky(now=clock.now) as server:
        values = {"server": server.address, "handle": bluesky.ME, "app_password": bluesky.PASSWORD}
        listening.add_source("sky", "bluesky", values, by="alice@otter.example")
        yield server


def test_a_call_for_help_is_heard_answered_and_thanked_for(
    network: bluesky.Bluesky, firm: dict[str, Staff], day: Day
) -> None:
    question = network.say("ana.test", ASKS)
    network.say("chi.test", "A lantern is a nice thing")
    round_of("sky", day)
    one = the_conversation()
    assert (one.identifier, one.network, one.is_public) == ("bluesky:ana.test", "bluesky", True)

    draft = proposed(ASKS)
    assert "wick" in draft
    outcome = conversations.answer(one.id, draft, by=firm["bob"].pk, version=one.version)
    mine = Message.objects.get(conversation=one, direction="out")
    assert outcome.state == "waiting", "nobody posts in public alone"
    messaging.drain()
    assert network.of_me() == []

    conversations.approve(mine.pk, by=firm["alice"].pk)
    messaging.drain()
    (record,) = network.of_me()
    assert record.value["reply"]["parent"]["uri"] == question
    assert "wick" in record.value["text"]
    assert "Otter Tools" in record.value["text"], "who speaks is said"

    network.say("ana.test", "That worked, thank you!", answers=record.uri)
    round_of("sky", day)
    one = the_conversation()
    assert [direction for direction, _ in said_in(one)] == ["in", "out", "in"]
    assert said_in(one)[-1] == ("in", "That worked, thank you!")
    assert one.waiting_since is None
    round_of("sky", day)
    assert len(said_in(the_conversation())) == 3, "our own post is known, and nothing comes twice"


def test_what_was_deleted_there_is_gone_here(
    network: bluesky.Bluesky, firm: dict[str, Staff], day: Day
) -> None:
    question = network.say("ana.test", ASKS)
    round_of("sky", day)
    assert said_in(the_conversation()) == [("in", ASKS)]
    network.take_back(question)
    round_of("sky", day)
    assert not Message.objects.filter(text__contains="flickers").exists()


def test_what_was_read_long_ago_is_asked_for_again(
    network: bluesky.Bluesky, firm: dict[str, Staff], day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rapport.plugins.connectors.bluesky.reading.KNOWN_MAX", 0)
    question = network.say("ana.test", ASKS)
    network.say("bo.test", "The lantern of a lighthouse", at=clock.now())
    round_of("sky", day)
    network.take_back(question)
    told = 0
    for _ in range(12):  # half of the hours that a deletion is given
        day.later(3_600)
        told += rechecking.recheck_if_due("sky")
        assert rechecking.recheck_if_due("sky") == 0, "once an hour"
    assert told == 1
    for _ in range(2):
        events.settle(spool.current().next_seq() - 1)
        subscriptions.drain()
    assert not Message.objects.filter(text__contains="flickers").exists()
    assert Message.objects.filter(text__contains="lighthouse").exists()


def test_an_answer_whose_taking_was_not_heard_is_posted_once(
    network: bluesky.Bluesky, firm: dict[str, Staff], day: Day
) -> None:
    network.say("ana.test", ASKS)
    round_of("sky", day)
    one = the_conversation()
    network.fail("com.atproto.repo.putRecord", is_after=True)
    conversations.answer(one.id, proposed(ASKS), by=firm["alice"].pk, version=one.version)
    messaging.drain()
    assert len(network.of_me()) == 1, "it was taken, and the connection ended before we heard so"
    for _ in range(3):
        day.later(600)
        messaging.drain()
    assert len(network.of_me()) == 1
    round_of("sky", day)
    assert [direction for direction, _ in said_in(the_conversation())] == ["in", "out"]


# Mail.


class Post:
    """Carries what SMTP takes into the mailboxes of whoever it is for."""

    def __init__(self, server: mail.MailServer) -> None:
        self.server, self.sent = server, list[Mail]()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.sent.append(message_from_bytes(envelope.original_content))
        self.bring(envelope.rcpt_tos[0], envelope.original_content)
        return "250 2.0.0 taken"

    def bring(self, to: str, raw: bytes) -> None:
        if to == mail.NAME:
            at = imaplib.Time2Internaldate(clock.now()).strip('"')
            self.server.inbox.put(raw, at)


@pytest.fixture
def letters(day: Day, firm: dict[str, Staff]) -> Iterator[Post]:
    with mail.MailServer() as server:
        carrier = Post(server)
        smtp = Loopback(carrier)
        smtp.start()
        values = {
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "login_name": mail.NAME,
            "password": mail.PASSWORD,
            "from_address": mail.NAME,
            "from_name": "Otter Tools",
            "smtp_host": "127.0.0.1",
            "smtp_port": smtp.port,
            "smtp_security": "none",
            "timeout_s": 5,
        }
        listening.add_source("post", "email", values, by="alice@otter.example")
        yield carrier
        asking.forget_memory("post")
        smtp.stop()


def letter(text: str, id: str, **headers: str) -> bytes:
    lines = {"From": "Ana <ana@maker.example>", "Subject": "My lantern", "Message-ID": f"<{id}>", **headers}
    return ("".join(f"{k}: {v}\n" for k, v in lines.items()) + f"\n{text}\n").encode()


def test_a_letter_is_answered_in_its_thread_and_machines_are_left_alone(
    letters: Post, firm: dict[str, Staff], day: Day
) -> None:
    letters.bring(mail.NAME, letter(ASKS, "a1@maker.example"))
    round_of("post", day)
    one = the_conversation()
    assert (one.identifier, one.channel, one.is_public) == ("email:ana@maker.example", "email", False)

    conversations.answer(one.id, proposed(ASKS), by=firm["bob"].pk, version=one.version)
    messaging.drain()
    (sent,) = letters.sent
    assert sent["In-Reply-To"] == "<a1@maker.example>"
    assert sent["Subject"] == "Re: My lantern"

    number = str(sent["Message-ID"])
    away = {"In-Reply-To": number, "Auto-Submitted": "auto-replied", "Subject": "Away: My lantern"}
    letters.bring(mail.NAME, letter("I am at sea.", "a2@maker.example", **away))
    thanks = letter("Thank you!\n\nOn Monday, Otter Tools wrote:\n> Dry the wick.", "a3@maker.example")
    letters.bring(mail.NAME, thanks.replace(b"Subject", f"In-Reply-To: {number}\nSubject".encode()))
    round_of("post", day)
    one = the_conversation()
    assert [direction for direction, _ in said_in(one)] == ["in", "out", "in", "in"]
    assert said_in(one)[-1] == ("in", "Thank you!")
    assert one.waiting_since is None
    messaging.drain()
    assert len(letters.sent) == 1
