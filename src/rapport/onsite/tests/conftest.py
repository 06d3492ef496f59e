"""A published site, and people who browse it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.events import services as events
from rapport.events import spool, subscriptions
from rapport.events.collector import Collector
from rapport.events.tests.collecting import Request, running
from rapport.kit import clock, ids
from rapport.onsite import selectors, services

MONDAY = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
SHOP = "https://shop.example"
ANA = "0123456789abcdef0123456789abcdef"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture(autouse=True)
def noon() -> Iterator[dt.datetime]:
    with clock.frozen(MONDAY):
        yield MONDAY


@pytest.fixture
def site(home: Path, db: None) -> selectors.SiteView:  # noqa: ARG001  what it is written to
    """A shop that counts before consent."""
    services.add_site("Web shop", by="alice@example.com", origins=[SHOP])
    return services.change_site("web-shop", by="alice@example.com", before_consent="count", greets=True)


Browse = Callable[..., Any]


@pytest.fixture
def browse(site: selectors.SiteView) -> Browse:
    """Have a browser send messages to a collector, load them, and let every subscriber react."""

    def send(*messages: dict[str, Any], key: str = site.key, origin: str = SHOP) -> Any:
        filled = [
            {"messageId": str(ids.uuid7()), "timestamp": clock.now().isoformat(), **m} for m in messages
        ]
        body = json.dumps({"key": key, "sentAt": clock.now().isoformat(), "batch": filled}).encode()
        request = Request("/c", [body], headers={"origin": origin, "user-agent": FIREFOX}, key=None)
        collector = Collector()
        answer: Any = running(collector, lambda: request.send_to(collector))
        spool.forget()
        settle()
        return answer.json

    return send


def settle() -> None:
    """Load what waits, and let every subscriber react."""
    last = spool.current().next_seq() - 1
    if last:
        events.settle(last)
        subscriptions.drain()


def allowing(*purposes: str, anonymous: str = ANA) -> dict[str, Any]:
    """What a browser says of itself once its owner allowed these."""
    chosen = {"analytics": False, "personalisation": False} | dict.fromkeys(purposes, True)
    return {"anonymousId": anonymous, "context": {"consent": {"categoryPreferences": chosen}}}


def granted(purpose: str, anonymous: str = ANA) -> dict[str, Any]:
    properties = {"purpose": purpose, "wording": "banner-1", "shown": "shop.example/"}
    return {"type": "track", "event": "consent_granted", "anonymousId": anonymous, "properties": properties}


__all__ = ["ANA", "MONDAY", "SHOP", "Browse", "allowing", "granted", "settle"]
