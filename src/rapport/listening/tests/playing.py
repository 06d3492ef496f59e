"""Play what a connector recorded: answers in order, and what it made of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from rapport.kit import registry
from rapport.kit.http import Answer, Request
from rapport.listening import contract
from rapport.listening.contract import Connector, Context, Said

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
ADDRESS = "https://shop.example/hooks/otter/"  # where the source of a recording is called


def sample(name: str) -> dict[str, Any]:
    """The recording of a connector."""
    package = registry.plugin(contract.KIND, name).module.rpartition(".")[0]
    found: dict[str, Any] = json.loads(resources.files(package).joinpath("sample.json").read_text("utf-8"))
    return found


def at(text: str | None, otherwise: dt.datetime) -> dt.datetime:
    """A time of a recording."""
    return dt.datetime.fromisoformat(text) if text else otherwise


def configured(connector: Connector, recorded: Mapping[str, Any]) -> Any:
    """The configuration of the recording, or the one a form begins with."""
    return connector.config(**recorded.get("config", {}))


def as_bytes(body: Any) -> bytes:
    """A recorded body as it went over the wire."""
    if body is None:
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@dataclass
class Shelf:
    """What a connector keeps, in memory; `about` says of whom each entry tells."""

    values: dict[str, Any] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        """What lies under a key."""
        return self.values.get(key)

    def put(self, key: str, value: Any, *, about: str = "", days: int | None = None) -> None:  # noqa: ARG002  nothing ages
        """Keep a value, as the store gives it back."""
        self.values[key], self.about[key] = json.loads(json.dumps(value)), about

    def drop(self, *keys: str) -> int:
        """Let entries go."""
        return sum(self.values.pop(key, None) is not None for key in keys)

    def among(self, start: str, *, after: str = "", limit: int = 100) -> list[tuple[str, Any]]:
        """Entries in the order of keys."""
        found = sorted(key for key in self.values if key.startswith(start) and key > after)
        return [(key, self.values[key]) for key in found[:limit]]

    def count(self, start: str) -> int:
        """How many there are."""
        return sum(key.startswith(start) for key in self.values)


@dataclass
class Tape:
    """Answers in the order in which they were recorded; says where a request was another."""

    exchanges: Sequence[Mapping[str, Any]]
    asked: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        place = len(self.asked)
        self.asked.append(request)
        assert place < len(self.exchanges), f"asks {request.method} {request.url}, which was not recorded"
        wanted, answer = self.exchanges[place]["request"], self.exchanges[place]["answer"]
        assert (request.method, request.url) == (wanted.get("method", "GET"), wanted["url"])
        if "body" in wanted:
            sent = request.body or b""
            if isinstance(wanted["body"], str):
                assert sent.decode() == wanted["body"]
            else:
                assert json.loads(sent) == wanted["body"]
        for header, value in wanted.get("headers", {}).items():
            assert {k.lower(): v for k, v in request.headers.items()}[header.lower()] == value
        headers = {k.lower(): v for k, v in answer.get("headers", {}).items()}
        return Answer(request.url, answer.get("status", 200), headers, as_bytes(answer.get("body")))


def context(recorded: Mapping[str, Any], fetch: Any) -> Context:
    """What the connector may use while its recording is played."""
    now = at(recorded.get("now"), NOON)
    return Context(
        now=lambda: now,
        fetch=fetch,
        words=tuple(recorded.get("words", ())),
        is_stopping=lambda: False,
        since=at(recorded.get("since"), now - dt.timedelta(days=1)),
        kept=Shelf(),
        address=ADDRESS,
    )


def compare(found: Sequence[Said], wanted: Sequence[Mapping[str, Any]]) -> None:
    """What was said, in order; members that the recording does not name are not compared."""
    assert [s.id for s in found] == [w["id"] for w in wanted]
    for said, expected in zip(found, wanted, strict=True):
        for member, value in expected.items():
            actual = getattr(said, member)
            if member == "ts":
                assert actual == dt.datetime.fromisoformat(value), said.id
            elif member == "detail":
                assert dict(actual) == value, said.id
            else:
                assert actual == value, (said.id, member)
