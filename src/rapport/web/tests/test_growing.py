"""Conversations leave behind what nothing answers, and drafts of what did."""

from __future__ import annotations

import datetime as dt

from django.apps import apps

from rapport.conversations import selectors as conversations
from rapport.conversations import services as conversing
from rapport.conversations.rules.views import Wanted
from rapport.kit import clock
from rapport.knowledge import selectors, services
from rapport.staff.models import Staff
from rapport.web import growing
from rapport.web.conftest import MONDAY, Say, touchpoint


def test_a_question_that_nothing_answers_is_listed_once(alice: Staff, say: Say) -> None:
    services.write_entry(
        "wipers",
        services.Written(
            "Wipers judder", {"en": "Clean the glass."}, [("en", "My wipers judder")], state="published"
        ),
        by="a",
    )
    with clock.frozen(MONDAY + dt.timedelta(hours=1)):
        say(
            asked("1", "@shop Can I pay my order by invoice?"), asked("2", "My wipers judder, what can I do?")
        )
        say(touchpoint("page_viewed", "anonymous:1"))  # lets what conversations said be read
    assert [row.question for row in selectors.unanswered()] == ["Can I pay my order by invoice?"]


def asked(number: str, text: str) -> dict[str, object]:
    return touchpoint(
        "post_published", "bluesky:bo", channel="social", venue="bluesky", text=text,
        properties={"network": "bluesky", "asks_us": True, "post_id": number},
    )  # fmt: skip


def test_a_history_that_is_taken_in_asks_nobody(alice: Staff, say: Say) -> None:
    services.write_entry(
        "w", services.Written("W", {"en": "W"}, [("en", "wipers")], state="published"), by="a"
    )
    with clock.frozen(MONDAY + growing.RECENT + dt.timedelta(days=1)):
        say(asked("1", "Can I pay my order by invoice?"))
        say(touchpoint("page_viewed", "anonymous:1"))
    assert selectors.unanswered() == []


def test_an_answer_in_own_words_that_solved_it_waits_as_a_draft(alice: Staff, say: Say) -> None:
    services.write_entry(
        "w", services.Written("W", {"en": "W"}, [("en", "wipers")], state="published"), by="a"
    )
    with clock.frozen(MONDAY + dt.timedelta(hours=1)):
        say(asked("1", "Can I pay my order by invoice?"))
        say(
            touchpoint(
                "reply_published", "bluesky:bo", channel="social", venue="bluesky", text="Yes: choose it at the till.",
                ts=MONDAY + dt.timedelta(minutes=30),
                properties={"network": "bluesky", "post_id": "2", "in_reply_to": "1"},
            )
        )  # fmt: skip
        (row,) = conversations.page(Wanted(states=("open", "pending")), alice.pk).rows
        conversing.resolve(row.id, by=alice.pk)
        for _ in range(2):
            say(touchpoint("page_viewed", "anonymous:1"))
    (draft,) = [entry for entry in selectors.entries()[0] if entry.state == "draft"]
    view = selectors.entry(draft.key)
    assert (view.title, view.solutions) == (
        "Can I pay my order by invoice?",
        {"en": "Yes: choose it at the till."},
    )
    assert selectors.unanswered() == []


def test_a_question_goes_when_its_post_is_deleted(alice: Staff, say: Say) -> None:
    services.write_entry(
        "w", services.Written("W", {"en": "W"}, [("en", "wipers")], state="published"), by="a"
    )
    with clock.frozen(MONDAY + dt.timedelta(hours=1)):
        say(asked("1", "Can I pay my order by invoice?"), asked("2", "Where is the quokka shop?"))
        (row,) = [
            row
            for row in conversations.page(Wanted(states=("open",)), alice.pk).rows
            if "invoice" in row.preview
        ]
        conversing.resolve(row.id, by=alice.pk)
        (message,) = conversations.messages(row.id).rows
        services.resolved(
            message.text, "Yes: choose it at the till.", [], "a",
            identifier=message.identifier, conversation=row.id.hex, heard=growing.heard_in([message]),
        )  # fmt: skip
        say(touchpoint("page_viewed", "anonymous:1"))
        assert any("invoice" in entry.title for entry in selectors.entries()[0])
        say(taken_back("1"))
    assert [row.question for row in selectors.unanswered()] == ["Where is the quokka shop?"]
    assert not any("invoice" in entry.title for entry in selectors.entries()[0])
    assert "invoice" not in everything_kept()
    assert services.was_learnt_from(row.id.hex)  # and it is not learnt from once more


def taken_back(number: str) -> dict[str, object]:
    return touchpoint(
        "post_deleted", "bluesky:bo", channel="social", venue="bluesky",
        properties={"network": "bluesky", "post_id": number},
    )  # fmt: skip


def everything_kept() -> str:
    """Every column of every row that knowledge keeps."""
    return " ".join(
        str(row) for model in apps.get_app_config("knowledge").get_models() for row in model.objects.values()
    )


def test_what_was_asked_first_is_found_in_a_long_conversation(alice: Staff, say: Say) -> None:
    def line(n: int) -> dict[str, object]:
        return touchpoint(
            "message_received", "email:bo@example.org", channel="email", venue="email", text=f"line {n}",
            ts=MONDAY + dt.timedelta(minutes=n), properties={"network": "email", "subject": "Long", "post_id": f"<{n}>"},
        )  # fmt: skip

    with clock.frozen(MONDAY + dt.timedelta(hours=2)):
        say(*(line(n) for n in range(60)))
        (row,) = conversations.page(Wanted(), alice.pk).rows
        first = growing._first_asked(row.id)
    assert first is not None
    assert first.text == "line 0"
