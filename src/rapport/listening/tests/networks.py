# ruff: noqa: ARG001, ARG002  a network for tests need not use all that it is given
"""A network for tests: what was said is in a list, pages of two, and it can refuse, die and be posted to."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rapport.events import lake, spool
from rapport.events import services as events
from rapport.kit import clock, registry
from rapport.kit.errors import Denied, Invalid
from rapport.listening import services
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Hook,
    Manners,
    Page,
    Receipt,
    Received,
    Said,
    Terms,
)

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Config:
    """Where it is, and our log-in."""

    server: str = field(default="https://square.example", metadata={"label": "Server", "help": ""})
    password: str = field(default="", metadata={"label": "Password", "help": "", "secret": True})


@dataclass
class Square:
    """People say things on a square. The cursor is how many were heard."""

    name: str = "square"
    title: str = "Square"
    network: str = "square"
    config: type[Any] = Config
    costs: str = "Nothing at all, it is a test."
    sees: str = "Everything that is said here."
    cannot_see: str = "What is said elsewhere."
    terms: Terms = field(
        default_factory=lambda: Terms(
            30, True, True, True, True, False, 24, True, "https://square.example/terms", dt.date(2026, 1, 1)
        )
    )
    manners: Manners = field(default_factory=lambda: Manners(requests=1_000, per_s=60, every_s=60))
    said: list[Said] = field(default_factory=list)
    refuses: list[Failed] = field(default_factory=list)  # one for each page that fails, first to last
    posted: list[Draft] = field(default_factory=list)
    loses: list[Failed] = field(
        default_factory=list
    )  # posts whose answer is lost; they are taken all the same
    page: int = 2

    def check(self, config: Config) -> None:
        if not config.server.startswith("https://"):
            raise Invalid(f"{config.server!r} is no address", "Write https://HOST.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        return [Finding("log-in", "ok" if config.password else "bad", "it was looked at")]

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        place = int(cursor or 0)
        while place < len(self.said):
            if self.refuses:
                raise self.refuses.pop(0)
            found = self.said[place : place + self.page]
            place += len(found)
            yield Page(found, str(place))
        if self.refuses:
            raise self.refuses.pop(0)

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        if hook.headers.get("x-password") != config.password:
            raise Denied("the signature does not hold")
        return Received([says(hook.body.decode(), author="bo", id=hook.headers["x-id"])], 202)

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        self.posted.append(draft)
        if self.loses:
            raise self.loses.pop(0)
        return Receipt(f"p{len(self.posted)}", f"https://square.example/p{len(self.posted)}")

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        place = next((i for i, one in enumerate(self.posted, 1) if one.id == draft.id), 0)
        return Receipt(f"p{place}") if place else None


def says(text: str, *, author: str = "ana", id: str = "", ts: dt.datetime = NOON, **more: Any) -> Said:
    """Something that somebody says."""
    kind = more.pop("kind", "post")
    return Said(id or f"{author}-{text[:20]}", kind, ts, author, text, **more)


@pytest.fixture
def square(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Square]:
    """The network, known to the registry, at noon."""
    found = Square()
    plugin = registry.Plugin("square", "connectors", "rapport.listening.tests.networks", found)
    monkeypatch.setitem(registry.plugins("connectors"), "square", plugin)
    with clock.frozen(NOON):
        yield found


@pytest.fixture
def source(db: None, square: Square) -> str:
    """A source that reads it."""
    return services.add_source("market", "square", {"password": "open sesame"}, by="alice@example.com")


def rows() -> list[dict[str, Any]]:
    """What the lake holds, in order."""
    waiting = spool.current().next_seq() - 1
    if waiting:
        events.settle(waiting)
    con = lake.connect()
    try:
        table = con.execute(
            "SELECT e.*, s.identifier FROM event AS e JOIN lake.subject AS s ON e.subject = s.subject ORDER BY e.seq"
        ).to_arrow_table()
    finally:
        con.close()
    return [{**row, "properties": json.loads(row["properties"])} for row in table.to_pylist()]
