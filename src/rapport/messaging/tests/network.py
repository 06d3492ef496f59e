"""A network on loopback that counts what it is given, and a connector that posts there."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rapport.kit import registry
from rapport.listening.contract import (
    KIND,
    Context,
    Draft,
    Failed,
    Finding,
    Manners,
    Receipt,
    Terms,
)


@dataclass(frozen=True, slots=True)
class Config:
    port: int = field(default=0, metadata={"label": "Port", "help": "Of the network"})


class Connector:
    """Posts over plain HTTP. `how` is what a network can tell of a post whose answer was lost."""

    title, network, config = "Loopback", "loopback", Config
    costs = sees = cannot_see = "Nothing."

    def __init__(self, how: str = "find", terms: Terms | None = None) -> None:
        self.name, self.how = "loopback", how
        self.manners = Manners(requests=100_000, publishes_once=how == "once")
        self.terms = terms or Terms(
            None, True, True, True, True, False, 24, True, "https://example.org/terms", dt.date(2026, 11, 22)
        )

    def check(self, config: Any) -> None: ...

    def findings(self, _config: Any, _context: Context) -> Sequence[Finding]:
        return ()

    def publish(self, config: Any, draft: Draft, _context: Context) -> Receipt:
        return self._receipt(
            self._ask(
                config,
                "POST",
                "/post",
                {
                    "id": draft.id,
                    "text": draft.text,
                    "once": self.how == "once",
                    "to": draft.in_reply_to,
                    "pictures": [
                        [one.alt, one.content_type, one.width, one.height, len(one.read()), one.url]
                        for one in draft.media
                    ],
                },
            )
        )

    def find(self, config: Any, draft: Draft, _context: Context) -> Receipt | None:
        if self.how != "find":
            raise Failed("this network cannot tell", is_permanent=True, retry_after_s=None)
        found = self._ask(config, "GET", f"/find/{draft.id}", None)
        return self._receipt(found) if found else None

    def _receipt(self, found: dict[str, Any]) -> Receipt:
        return Receipt(found["post"], f"https://loopback.example/{found['post']}", "created")

    def _ask(self, config: Config, method: str, path: str, body: dict[str, Any] | None) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", config.port, timeout=10)
        try:
            line.request(method, path, json.dumps(body) if body else None)
            answer = line.getresponse()
            said = json.loads(answer.read())
        except OSError as error:
            raise Failed(f"nobody answers: {error}", is_unsure=method == "POST") from None
        finally:
            line.close()
        if answer.status >= 400:
            raise Failed(said["error"], is_permanent=answer.status == 422, retry_after_s=said.get("after"))
        return said


def offer(connector: Connector) -> None:
    """Make the connector known in this process, as a folder of plug-ins would."""
    registry.plugins(KIND)["loopback"] = registry.Plugin("loopback", KIND, __name__, connector)


class Network:
    """The server: it keeps what was posted, and may be told to refuse, or to say something when a post comes."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.refuse: tuple[int, str] | None = None
        self.before: Callable[[int], None] | None = None  # called with the number of the post, not yet kept
        self.after: Callable[[int], None] | None = None  # kept, and not yet answered
        self.n_seen = 0
        network, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    network.n_seen += 1
                    n = network.n_seen
                if network.refuse:
                    self.answer(network.refuse[0], {"error": network.refuse[1]})
                    return
                if network.before:
                    network.before(n)
                with lock:
                    known = next((p for p in network.posts if given["once"] and p["id"] == given["id"]), None)
                    if known is None:
                        known = given | {"post": f"p{len(network.posts)}"}
                        network.posts.append(known)
                if network.after:
                    network.after(n)
                self.answer(200, {"post": known["post"]})

            def do_GET(self) -> None:
                wanted = self.path.rpartition("/")[2]
                self.answer(200, next((p for p in network.posts if p["id"] == wanted), None))

            def answer(self, status: int, said: Any) -> None:
                body = json.dumps(said).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # who asked was killed

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port: int = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
