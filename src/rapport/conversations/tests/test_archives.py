"""Archives of networks become the conversations that they were."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from rapport.conversations import handlers
from rapport.conversations.models import Conversation, Message
from rapport.conversations.tests.conftest import threads
from rapport.events import subscriptions
from rapport.kit import clock
from rapport.listening import services as listening

pytestmark = pytest.mark.usefixtures("log")

CHAT = """\
[31/12/2023, 10:00:00] Ana: Where is my order?
[31/12/2023, 10:05:00] Shop: On its way.
[01/01/2024, 11:00:00] Ana: It is here, thank you!
"""
MAILS = """\
From x Mon Mar  5 10:00:00 2018
From: Ana <ana@example.org>
To: shop@example.com
Date: Mon, 05 Mar 2018 10:00:00 +0000
Message-ID: <1@example.org>
Subject: My order

Where is it?

From x Mon Mar  5 11:00:00 2018
From: shop@example.com
To: ana@example.org
Date: Mon, 05 Mar 2018 11:00:00 +0000
Message-ID: <2@example.com>
In-Reply-To: <1@example.org>
References: <1@example.org>
Subject: Re: My order

On its way.

From x Mon Mar  5 12:00:00 2018
From: Bo <bo@example.org>
To: shop@example.com
Date: Mon, 05 Mar 2018 12:00:00 +0000
Message-ID: <3@example.org>
Subject: Opening hours

Are you open on Sunday?
"""


def bring_in(path: Path, content: str, account: str = "") -> None:
    path.write_text(content, encoding="utf-8")
    options = {"account": account} if account else {}
    summary = listening.import_file("posts", path, options=options)
    assert summary.last_seq is not None
    subscriptions.settle(summary.last_seq, [handlers.KEY])


def test_mail_by_its_references(tmp_path: Path) -> None:
    bring_in(tmp_path / "all.mbox", MAILS)
    assert threads() == {frozenset({"1@example.org", "2@example.com"}), frozenset({"3@example.org"})}
    assert {one.identifier for one in Conversation.objects.all()} == {
        "email:ana@example.org",
        "email:bo@example.org",
    }


def test_a_chat_with_both_sides(tmp_path: Path) -> None:
    bring_in(tmp_path / "WhatsApp Chat with Ana.txt", CHAT)
    (one,) = Conversation.objects.all()
    assert (one.identifier, one.n_messages) == ("whatsapp:ana", 3)
    assert list(Message.objects.order_by("ts").values_list("direction", "text")) == [
        ("in", "Where is my order?"),
        ("out", "On its way."),
        ("in", "It is here, thank you!"),
    ]


def test_a_group_by_what_answers_what(tmp_path: Path) -> None:
    said = [
        (1, 111, "Where is my order?", None),
        (2, 222, "Same here", 1),
        (3, 999, "Tomorrow", 2),
        (4, 333, "Hi", None),
    ]
    messages = [
        {"id": n, "type": "message", "date_unixtime": "1614859200", "from": str(who), "from_id": f"user{who}", "text": text}
        | ({"reply_to_message_id": answered} if answered else {})
        for n, who, text, answered in said
    ]  # fmt: skip
    group = {"name": "Fans", "type": "private_supergroup", "id": 5, "messages": messages}
    with clock.frozen(dt.datetime(2021, 3, 5, tzinfo=dt.UTC)):
        bring_in(tmp_path / "result.json", json.dumps(group), "999")
    assert threads() == {frozenset({"-1005/1", "-1005/2", "-1005/3"}), frozenset({"-1005/4"})}
