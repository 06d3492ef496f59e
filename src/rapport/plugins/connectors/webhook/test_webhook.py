"""A signed web hook: what was not signed, or long ago, is refused whole."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest

from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Context, Hook
from rapport.plugins.connectors.webhook.plugin import Config, plugin

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
OLD, NEW = "an-old-secret-of-24-letters", "a-new-secret-of-24-letters-or-more"
CONFIG = Config(network="ourforum", secret=f"{OLD} {NEW}")
CONTEXT = Context(lambda: NOON, lambda request: pytest.fail("it asks nobody"), (), lambda: False, NOON)
ENTRY = {"id": "1", "ts": NOON.isoformat(), "author": "ana", "text": "Hello"}


def signed(document: Any, *, secret: str = NEW, late_s: int = 0) -> Hook:
    body = json.dumps(document).encode()
    at = str(int(NOON.timestamp()) - late_s)
    mac = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return Hook("POST", {}, {"x-rapport-timestamp": at, "x-rapport-signature": f"v1=00,v1={mac}"}, body)


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_either_secret_holds_while_one_is_being_changed(secret: str) -> None:
    got = plugin.receive(CONFIG, signed(ENTRY, secret=secret), CONTEXT)
    assert (got.status, [s.text for s in got.said]) == (202, ["Hello"])


@pytest.mark.parametrize("late_s", [301, -301])
def test_an_old_request_is_a_replay(late_s: int) -> None:
    plugin.receive(CONFIG, signed(ENTRY, late_s=299), CONTEXT)
    with pytest.raises(Denied, match="too old"):
        plugin.receive(CONFIG, signed(ENTRY, late_s=late_s), CONTEXT)


def test_another_secret_another_time_or_another_body_is_refused() -> None:
    hook = signed(ENTRY)
    with pytest.raises(Denied):
        plugin.receive(CONFIG, signed(ENTRY, secret="a-stranger's-guess-of-24-letters"), CONTEXT)
    later = {**hook.headers, "x-rapport-timestamp": str(int(NOON.timestamp()) + 1)}
    with pytest.raises(Denied, match="signature"):
        plugin.receive(CONFIG, dataclasses.replace(hook, headers=later), CONTEXT)
    with pytest.raises(Denied):
        plugin.receive(CONFIG, dataclasses.replace(hook, headers={"x-rapport-signature": "é"}), CONTEXT)


@pytest.mark.parametrize("document", [{"id": "1"}, [ENTRY, {"ts": "x"}], [ENTRY] * 1001, "hello"])
def test_a_request_is_taken_whole_or_not_at_all(document: Any) -> None:
    with pytest.raises(Invalid):
        plugin.receive(CONFIG, signed(document), CONTEXT)


def test_a_body_that_is_no_json_is_refused() -> None:
    at = str(int(NOON.timestamp()))
    mac = hmac.new(NEW.encode(), at.encode() + b".{", hashlib.sha256).hexdigest()
    hook = Hook("POST", {}, {"x-rapport-timestamp": at, "x-rapport-signature": mac}, b"{")
    with pytest.raises(Invalid, match="no JSON"):
        plugin.receive(CONFIG, hook, CONTEXT)


@pytest.mark.parametrize("change", [{"secret": "short"}, {"secret": ""}, {"network": ""}, {"whose": "x"}])
def test_what_cannot_work_is_refused(change: dict[str, str]) -> None:
    plugin.check(CONFIG)
    with pytest.raises(Invalid):
        plugin.check(dataclasses.replace(CONFIG, **change))
