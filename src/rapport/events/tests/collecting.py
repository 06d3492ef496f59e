"""Speaking ASGI to a collector without a server."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.events.collector import Collector
from rapport.events.spool import Spool, Stored

KEY = "a-write-key"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Request:
    """One request; `parts` are the pieces its body arrives in."""

    path: str
    parts: Sequence[bytes] = (b"",)
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    key: str | None = KEY
    client: str = "192.0.2.7"
    hangs_up: bool = False

    async def send_to(self, collector: Collector) -> Answer | None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.key is not None:
            headers.setdefault("authorization", basic(self.key))
        scope = {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
            "client": (self.client, 4711),
        }
        waiting = list(self.parts)
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            if not waiting:
                if self.hangs_up:
                    return {"type": "http.disconnect"}
                await asyncio.Event().wait()
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting) or self.hangs_up}

        async def send(message: Any) -> None:
            sent.append(message)

        await collector(scope, receive, send)
        if not sent:
            return None
        start, *bodies = sent
        return Answer(
            start["status"],
            {k.decode(): v.decode() for k, v in start["headers"]},
            b"".join(b["body"] for b in bodies),
        )


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def post(path: str, document: object, **more: Any) -> Request:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Request(path, [body], **more)


def batch(*messages: object, **more: Any) -> Request:
    return post("/v1/batch", {"batch": list(messages)}, **more)


def running(collector: Collector, work: Callable[[], Awaitable[Any]]) -> Any:
    """Do the work between the collector's start and its stop."""

    async def life() -> Any:
        await collector.start()
        try:
            return await work()
        finally:
            await collector.stop()

    return asyncio.run(life())


def ask(spool: Spool, *requests: Request) -> list[Answer]:
    """What a collector on this spool answers to these requests, one after the other."""
    collector = Collector(spool)

    async def work() -> list[Answer | None]:
        return [await request.send_to(collector) for request in requests]

    answers: list[Answer] = running(collector, work)
    return answers


def stored(spool: Spool) -> list[Stored]:
    return spool.read(1, max_events=10**9, max_bytes=10**12)


def documents(spool: Spool) -> list[Any]:
    return [json.loads(body.body or b"") for body in stored(spool)]
