"""People who write to us, and staff who answer: Alice owns, Bob answers, Charlie has no access."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.conversations.models import Conversation, Message
from rapport.events import rules as log_rules
from rapport.events import services, spool, subscriptions
from rapport.kit import clock
from rapport.staff.models import Staff

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)  # a Monday
OURS = "brand.example"


def settle() -> None:
    """Load what was recorded, and let conversations react."""
    services.settle(spool.current().next_seq() - 1)
    subscriptions.drain(["conversations"])


def said(
    name: str,
    who: str,
    text: str = "",
    *,
    minutes: float = 0.0,
    message_id: str = "",
    channel: str = "social",
    venue: str = "",
    **properties: Any,
) -> dict[str, Any]:
    """One touchpoint, so many minutes after NOW (before, where negative)."""
    return {
        "message_id": message_id or f"{name}:{properties.get('post_id') or hash((who, text, minutes))}",
        "name": name,
        "ts": NOW + dt.timedelta(minutes=minutes),
        "identifier": who,
        "channel": channel,
        "venue": venue or properties.get("network", ""),
        "text": text or None,
        "properties": json.dumps(properties),
    }


def post(
    who: str, post_id: str, text: str, to: str = "", minutes: float = 0.0, **more: Any
) -> dict[str, Any]:
    """A public post on Bluesky."""
    more = {"network": "bluesky", "post_id": post_id} | ({"in_reply_to": to} if to else {}) | more
    return said("post_published", f"bluesky:{who}", text, minutes=minutes, **more)


def ours(
    post_id: str, to: str, text: str = "We look into it.", minutes: float = 0.0, **more: Any
) -> dict[str, Any]:
    """A public reply of ours."""
    more = {"network": "bluesky", "post_id": post_id, "in_reply_to": to} | more
    return said("reply_published", f"bluesky:{OURS}", text, minutes=minutes, **more)


def mail(who: str, text: str, subject: str = "", minutes: float = 0.0, **more: Any) -> dict[str, Any]:
    """A mail to us."""
    more = {"network": "email", "subject": subject} | more
    return said(
        "message_received", f"email:{who}@example.org", text, minutes=minutes, channel="email", **more
    )


def record(rows: Sequence[Mapping[str, Any]], source: str = "bluesky") -> None:
    services.record(pa.Table.from_pylist(list(rows), schema=log_rules.TOUCHPOINT), source=source)
    settle()


def threads() -> set[frozenset[str]]:
    """The posts of each conversation, by their networks' numbers or words."""
    found: dict[Any, set[str]] = {}
    for of, post_id, text in Message.objects.values_list("origin", "post_id", "text"):
        found.setdefault(of, set()).add(post_id or text)
    return {frozenset(posts) for posts in found.values()}


def only() -> Conversation:
    return Conversation.objects.exclude(state="aside").get()


@pytest.fixture
def held_clock() -> Any:
    with clock.frozen(NOW + dt.timedelta(hours=1)):
        yield


@pytest.fixture
def log(home: Path, db: None, held_clock: None) -> Callable[..., None]:  # noqa: ARG001  what it writes into
    """Record what was said, and have it gathered."""
    return record


@pytest.fixture
def alice(db: None) -> Staff:  # noqa: ARG001
    return Staff.objects.create(email="alice@otter.example", name="Alice", role="owner")


@pytest.fixture
def bob(db: None) -> Staff:  # noqa: ARG001
    return Staff.objects.create(email="bob@otter.example", name="Bob Berg", role="answers")


@pytest.fixture
def charlie(db: None) -> Staff:  # noqa: ARG001
    return Staff.objects.create(email="charlie@otter.example", name="Charlie", role="none")
