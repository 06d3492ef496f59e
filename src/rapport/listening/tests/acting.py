"""Networks that are acted in this process, without a socket, and a source that reads them.

A network derives from `Act`, names the addresses that it answers for, and answers as its reference says. What a
reader asks and is answered is kept, so that `sample.json` can be recorded from it (`recorded`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rapport.kit import wire
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Draft, Failed, Finding, Hook, Page, Receipt, Received, Said
from rapport.listening.tests import playing
from rapport.listening.tests.serving import Answered, Asked, Fault

PLAIN = "application/json"
NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


class Day:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> dt.datetime:
        return self.at

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.at += dt.timedelta(seconds=seconds)


class Act:
    """A network; whoever derives from it answers."""

    places: Sequence[str] = ()  # the addresses that it answers for, without a path
    content_type = PLAIN

    def __init__(self, day: Day) -> None:
        self.day = day
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []

    @property
    def paths(self) -> list[str]:
        """What it was asked for, in order."""
        return [one.path for one in self.asked]

    def answer(self, asked: Asked) -> Answered:
        """What to answer."""
        raise NotImplementedError

    def fail(
        self, path: str, answer: Answered | None = None, *, times: int = 1, is_after: bool = False
    ) -> None:
        """Let requests to a path go wrong."""
        self.faults.append(Fault(path, answer, times, is_after))

    def take(self, request: Request) -> Answer:
        """Answer one request; raises Failed as the core does where nobody answers."""
        parts = urlsplit(request.url)
        assert f"{parts.scheme}://{parts.netloc}" in self.places, f"asks {request.url}, which is elsewhere"
        asked = Asked(
            request.method,
            unquote(parts.path),
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in request.headers.items()},
            request.body or b"",
        )
        self.asked.append(asked)
        fault = next((f for f in self.faults if f.times and asked.path.endswith(f.path)), None)
        answered: Answered | None
        if fault is not None:
            fault.times -= 1
            if fault.is_after:
                self.answer(asked)
            answered = fault.answer
        else:
            answered = self.answer(asked)
        if answered is None:
            raise Failed(f"{parts.netloc} did not answer", is_unsure=request.method != "GET")
        headers = {"content-type": self.content_type, **answered.headers}
        return Answer(
            request.url, answered.status, {k.lower(): v for k, v in headers.items()}, answered.written
        )


@dataclass
class Reader:
    """A source: what reads it, with its configuration, cursor and memory."""

    plugin: Any
    config: Any
    network: Act
    words: Sequence[str] = ("lantern",)
    cursor: str = ""
    memory: dict[str, Any] = field(default_factory=dict)
    since: dt.datetime = NOON - dt.timedelta(days=1)
    exchanges: list[dict[str, Any]] = field(default_factory=list)
    kept: playing.Shelf = field(default_factory=playing.Shelf)
    is_paused: bool = False

    @property
    def context(self) -> Context:
        """What the connector may use."""
        return Context(
            self.network.day,
            self._fetch,
            self.words,
            lambda: False,
            self.since,
            self.memory,
            kept=self.kept,
            address=playing.ADDRESS,
            may_post=lambda: not self.is_paused,
        )

    def _fetch(self, request: Request) -> Answer:
        answer = self.network.take(request)
        wanted: dict[str, Any] = {"method": request.method, "url": request.url}
        got: dict[str, Any] = {"status": answer.status, "body": wire.document(answer.body)}
        told = {k: v for k, v in answer.headers.items() if (k, v) != ("content-type", PLAIN)}
        self.exchanges.append({"request": wanted, "answer": got | ({"headers": told} if told else {})})
        return answer

    def pages(self) -> list[Page]:
        """One round; the cursor moves on page by page, as the core does it."""
        found = []
        for page in self.plugin.fetch(self.config, self.cursor, self.context):
            found.append(page)
            self.cursor = page.cursor
        return found

    def read(self) -> list[Said]:
        """What one round said."""
        return [said for page in self.pages() for said in page.said]

    def findings(self) -> list[Finding]:
        """What the set-up says."""
        return list(self.plugin.findings(self.config, self.context))

    def publish(self, draft: Draft) -> Receipt:
        """Post."""
        found: Receipt = self.plugin.publish(self.config, draft, self.context)
        return found

    def find(self, draft: Draft) -> Receipt | None:
        """Look for what may have been posted."""
        found: Receipt | None = self.plugin.find(self.config, draft, self.context)
        return found

    def receive(
        self, headers: Mapping[str, str], body: Any, *, method: str = "POST", place: str = ""
    ) -> Received:
        """Be called."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        got: Received = self.plugin.receive(self.config, Hook(method, {}, headers, sent, place), self.context)
        return got


def refused(act: Callable[[], object]) -> Failed:
    """What something fails with."""
    try:
        act()
    except Failed as failed:
        return failed
    raise AssertionError("it did not fail")


def recorded(
    config: Mapping[str, Any], reader: Reader, pages: Sequence[Page], members: Sequence[str]
) -> dict[str, Any]:
    """A recording of one round, as sample.json holds it."""
    said = []
    for one in (said for page in pages for said in page.said):
        told = {name: getattr(one, name) for name in members if getattr(one, name) not in ("", None, False)}
        said.append({**told, "ts": one.ts.isoformat().replace("+00:00", "Z")})
    return {
        "config": dict(config),
        "now": reader.network.day().isoformat().replace("+00:00", "Z"),
        "since": reader.since.isoformat().replace("+00:00", "Z"),
        "words": list(reader.words),
        "exchanges": list(reader.exchanges),
        "said": said,
    }
