"""A server on loopback that plays a network, and what a connector may use of the world to ask it."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from rapport.kit import clock, http, wire
from rapport.kit.errors import RapportError
from rapport.kit.http import Answer, Limits, Request
from rapport.listening.contract import Context, Failed


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came; names of headers in lower case."""

    method: str
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes

    def first(self, name: str, otherwise: str = "") -> str:
        """The first value of a parameter."""
        return next(iter(self.query.get(name, ())), otherwise)

    @property
    def content(self) -> Any:
        """The body as JSON."""
        return wire.document(self.body)

    @property
    def form(self) -> dict[str, tuple[str, str, bytes]]:
        """The body as a form with files (RFC 7578): by name the file's name, its type and what it holds."""
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        found = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        told = {}
        for part in found.iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            assert isinstance(name, str)
            assert isinstance(content, bytes)
            told[name] = (part.get_filename() or "", part.get_content_type(), content)
        return told


@dataclass(frozen=True, slots=True)
class Answered:
    """What is answered; a body that is neither bytes nor text goes as JSON."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def written(self) -> bytes:
        """The body as it goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(slots=True)
class Fault:
    """Something that goes wrong with requests to a path, so many times.

    answer : what is answered instead; None: the connection ends
    is_after : the request is carried out all the same, and only its answer is lost
    """

    path: str
    answer: Answered | None = None
    times: int = 1
    is_after: bool = False


class Server:
    """An HTTP server on a free port of loopback; whoever derives from it answers."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.on_asked: Callable[[Asked], None] | None = None  # called before a request is carried out
        self.on_answered: Callable[[Asked], None] | None = None  # and after, before its answer leaves
        self._broken: list[Exception] = []
        self._lock = threading.RLock()
        self._server = _Listener(("127.0.0.1", 0), _Handler)
        self._server.network = self
        self._running = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self._server.server_port}"

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

    def take(self, asked: Asked) -> Answered | None:
        """Answer one request; None: the connection ends without a word."""
        with self._lock:
            self.asked.append(asked)
            fault = next((f for f in self.faults if f.times and asked.path.endswith(f.path)), None)
            if fault is not None:
                fault.times -= 1
                if fault.is_after:
                    self._answered(asked)
                return fault.answer
            return self._answered(asked)

    def _answered(self, asked: Asked) -> Answered:
        try:
            if self.on_asked:
                self.on_asked(asked)
            answered = self.answer(asked)
            if self.on_answered:
                self.on_answered(asked)
            return answered
        except Exception as error:
            self._broken.append(error)
            return Answered({"error": repr(error)}, 500)

    def start(self) -> None:
        """Begin to listen."""
        self._running.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._running.join()
        if self._broken:
            raise self._broken[0]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    network: Server

    def handle_error(self, *_: object) -> None:
        """Whoever asked has gone; a test sees that for itself."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def _take(self) -> None:
        parts = urlsplit(self.path)
        size = int(self.headers.get("content-length") or 0)
        asked = Asked(
            self.command,
            unquote(parts.path),
            parse_qs(parts.query, keep_blank_values=True),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(size) if size else b"",
        )
        answered = self.server.network.take(asked)
        if answered is None:
            self.close_connection = True
            return
        body = answered.written
        self.send_response(answered.status)
        for name, value in {"content-type": "application/json", **answered.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _take  # noqa: N815  http.server calls them so

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def context(
    *,
    words: Sequence[str] = (),
    now: Callable[[], dt.datetime] = clock.now,
    since: dt.datetime | None = None,
    memory: dict[str, Any] | None = None,
) -> Context:
    """What a connector may use, with loopback for the world; RAPPORT_OUTBOUND_LOOPBACK has to be 1."""

    def fetch(request: Request) -> Answer:
        try:
            return http.fetch(
                request, permits=lambda _: None, limits=Limits(time_s=20.0, answer_bytes=20_000_000)
            )
        except RapportError as error:
            raise Failed(error.message, retry_after_s=5.0) from None

    return Context(
        now=now,
        fetch=fetch,
        words=words,
        is_stopping=lambda: False,
        since=since or now() - dt.timedelta(days=1),
        memory={} if memory is None else memory,
    )
