"""Planning and sending through a real SMTP server on loopback."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from typing import Any

import pytest

from rapport.consent import services as consent
from rapport.kit.errors import Invalid
from rapport.messaging import selectors
from rapport.messaging.services import Outgoing, Sent, Withheld, drain, send, send_many
from rapport.messaging.tests.conftest import Mailbox

RECEIPT = {"number": "7", "what": "Wiper blades", "date": "2 March 2026", "amount": "84.50 EUR"}


def receipt(to: str, key: str, **more: Any) -> Outgoing:
    return Outgoing(to=f"email:{to}", purpose="service", template="receipt", key=key, context=RECEIPT, **more)


def letter(to: str, key: str, **more: Any) -> Outgoing:
    context = {
        "subject_line": "Spring",
        "blocks": [
            {"type": "heading", "text": "Spring is here"},
            {"type": "offer", "text": "Ten per cent", "url": "https://otter.example/spring"},
            {"type": "button", "text": "Read on", "url": "https://otter.example/blog?a=1&b=2"},
        ],
    }
    return Outgoing(
        to=f"email:{to}", purpose="marketing", template="letter", key=key, context=context, **more
    )


def parsed(raw: bytes) -> Any:
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_a_receipt_arrives_with_everything_it_needs(account: Any, mailbox: Mailbox) -> None:
    outcome = send(receipt("ana@example.org", "r1"))
    assert isinstance(outcome, Sent)
    assert mailbox.arrived == []  # planning sends nothing
    drain()
    assert mailbox.addresses == ["ana@example.org"]
    mail = parsed(mailbox.arrived[0][1])
    assert mail["From"] == "Otter Tools <shop@otter.example>"
    assert mail["Message-ID"] == f"<{outcome.delivery.hex}@otter.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    text = mail.get_body(("plain",)).get_content()
    assert "Wiper blades" in text
    assert "Hauptstraße 1" in text
    assert "Wiper blades" in mail.get_body(("html",)).get_content()
    assert selectors.delivery(outcome.delivery).state == "sent"


def test_the_same_key_sends_once(account: Any, mailbox: Mailbox) -> None:
    first = send(receipt("ana@example.org", "r1"))
    assert send(receipt("ana@example.org", "r1")) == first
    drain()
    again = send(receipt("ana@example.org", "r1"))
    assert isinstance(again, Sent)
    assert again.state == "sent"
    drain()
    assert len(mailbox.arrived) == 1
