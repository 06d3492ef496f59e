"""The ASGI application: paths, limits, answers."""

from __future__ import annotations

import asyncio
import functools
import hmac
import json
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from rapport.events import spool
from rapport.events.collector import envelope
from rapport.events.collector.commit import Committer
from rapport.events.collector.envelope import REQUEST_BYTES_MAX, Refused
from rapport.events.collector.keys import Keys
from rapport.events.collector.metrics import CONTENT_TYPE, Metrics
from rapport.events.collector.site import SiteDoor
from rapport.kit import clock, home
from rapport.kit.errors import RapportError, Unavailable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]

BODY_WAIT_S = 30.0  # for a body to arrive in full
STOPPING_BODY_WAIT_S = 2.0  # the same, once asked to stop
DRAIN_WAIT_S = 10.0  # for requests in hand, when stopping
DRAIN_BYTES_MAX = 32 * 1024 * 1024  # of a refused body, read so that its sender hears why

KINDS = ("identify", "track", "page", "screen", "group", "alias", "batch")
_PATHS = {f"/v1/{name}": kind for kind in KINDS for name in (kind, kind[0])}

_CODES = {
    400: "invalid_request",
    401: "invalid_write_key",
    408: "too_slow",
    413: "too_large",
    415: "invalid_encoding",
    503: "unavailable",
}
_JSON = (b"content-type", b"application/json")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_STORED = {"type": "http.response.start", "status": 200, "headers": [_JSON, _ANY_ORIGIN]}
_STORED_BODY = {"type": "http.response.body", "body": b'{"success":true}'}
_PREFLIGHT = [
    _ANY_ORIGIN,
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding"),
    (b"access-control-max-age", b"86400"),
]


class Collector:
    """The application. Its lifespan opens and drains the spool given, or else the installation's."""

    def __init__(self, store: spool.Spool | None = None) -> None:
        self._store = store
        self.metrics = Metrics()
        self.site = SiteDoor(self)
        self.committer: Committer
        self.keys: Keys
        self._in_hand = 0
        self._reading: set[asyncio.Timeout] = set()
        self._stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._lifespan(receive, send)
            return
        kind = _PATHS.get(scope["path"])
        if kind is not None and scope["method"] == "POST":
            await self._collect(kind, scope, receive, send)
        elif scope["path"] == "/c" or scope["path"].startswith("/c/"):
            await self._from_page(scope, receive, send)
        else:
            await self._other(kind, scope, send)

    async def keep(self, body: spool.Body) -> None:
        """Return once the body is durable."""
        await self.committer.keep(body)

    async def start(self) -> None:
        store = self._store or spool.current()
        self.committer = Committer(store)
        self.keys = Keys(store)
        self._stopping = False
        self.committer.start()

    def hurry(self) -> None:
        """Expect to be stopped: nobody may take long any more to send a body."""
        self._stopping = True
        soon = asyncio.get_running_loop().time() + STOPPING_BODY_WAIT_S
        for reading in self._reading:
            reading.reschedule(soon)

    async def stop(self) -> None:
        """Answer what is in hand, store what waits."""
        self.hurry()
        until_s = clock.monotonic_s() + DRAIN_WAIT_S
        while self._in_hand and clock.monotonic_s() < until_s:
            await asyncio.sleep(0.01)
        self.site.close()
        await self.committer.stop()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _collect(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._in_hand += 1
        try:
            body = await self._body(kind, scope["headers"], receive)
            await self.keep(body)
        except (Refused, RapportError, sqlite3.Error) as error:
            await self._refuse(error, send)
        except _HungUp:
            return
        else:
            self.metrics.events += body.n
            self.metrics.answers[200] += 1
            await send(_STORED)
            await send(_STORED_BODY)
        finally:
            self._in_hand -= 1

    async def _from_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what the visitor script asks and says."""
        self._in_hand += 1
        try:
            await self.site.answer(scope, functools.partial(self._read, receive), send)
        except (Refused, RapportError, sqlite3.Error) as error:
            await self._refuse(error, send)
        except _HungUp:
            return
        finally:
            self._in_hand -= 1

    async def _body(self, kind: str, headers: list[tuple[bytes, bytes]], receive: Receive) -> spool.Body:
        """Read and check a request; what it holds, ready to store."""
        authorization = b""
        encoding = b""
        length = None
        for name, value in headers:
            if name == b"authorization":
                authorization = value
            elif name == b"content-encoding":
                encoding = value
            elif name == b"content-length":
                length = int(value)
        # A header of another scheme may be a proxy's business; then the key is looked for in the body.
        named = authorization[:6].lower() == b"basic "
        source = self.keys.of_header(authorization) if named else None
        raw = await self._read(receive, length)
        self.metrics.bytes_read += len(raw)
        if encoding and encoding.lower() != b"identity":
            if encoding.lower() != b"gzip":
                raise Refused(
                    415,
                    f"Content-Encoding {encoding.decode('latin-1')!r} is not understood",
                    "Send gzip or none.",
                )
            raw = envelope.inflate(raw)
        if named and source is None:
            raise _unknown_key()
        found = envelope.of_batch(raw) if kind == "batch" else envelope.of_single(kind, raw)
        if source is None:
            source = self.keys.of_key(found.write_key)
            if source is None:
                raise _unknown_key()
        return spool.Body(spool.SEGMENT, source, found.n, found.document, received_at=clock.now_us())

    async def _read(self, receive: Receive, length: int | None) -> bytes:
        """The body in full; refuses one that is too large or too slow."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(STOPPING_BODY_WAIT_S if self._stopping else BODY_WAIT_S) as reading:
                self._reading.add(reading)
                more = True
                while more:
                    if size > REQUEST_BYTES_MAX or (length or 0) > REQUEST_BYTES_MAX:
                        await _discard(receive, length or 0)
                        raise envelope.too_large()
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _HungUp
                    part = message.get("body", b"")
                    parts.append(part)
                    size += len(part)
                    # Where the length is known, the last part is known by it, one turn of the loop sooner.
                    more = message.get("more_body", False) and size != length
        except TimeoutError:
            raise Refused(408, "the body took too long to arrive", "Send it again.") from None
        finally:
            self._reading.discard(reading)
        if size > REQUEST_BYTES_MAX:
            raise envelope.too_large()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _refuse(self, error: Exception, send: Send) -> None:
        headers = [_JSON, _ANY_ORIGIN]
        if isinstance(error, Refused):
            status, message, hint = error.status, error.message, error.hint
        elif isinstance(error, RapportError):
            status, message, hint = 503, error.message, error.hint
        else:
            status, message, hint = 503, f"the spool cannot be read: {error}", "Send it again later."
        if status == 503:
            wait_s = error.retry_after_s if isinstance(error, Unavailable) else 5.0
            headers.append((b"retry-after", b"%d" % max(1, round(wait_s))))
        # No WWW-Authenticate with a 401: it would make browsers ask the shop's visitors for a password.
        self.metrics.answers[status] += 1
        # `code` and `message` are what Segment's own libraries look for, and then tell their caller.
        refusal = {"error": message, "hint": hint, "code": _CODES.get(status, "refused"), "message": message}
        await _answer(send, status, refusal, headers)

    async def _other(self, kind: str | None, scope: Scope, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if kind is not None and method == "OPTIONS":
            await _respond(send, 204, b"", _PREFLIGHT)
        elif kind is not None:
            refusal = {"error": f"{method} is not taken here", "hint": f"POST to {path}."}
            await _answer(send, 405, refusal, [_JSON, _ANY_ORIGIN, (b"allow", b"POST, OPTIONS")])
        elif method in ("GET", "HEAD") and path == "/livez":
            await _answer(send, 200, {"alive": True}, [_JSON])
        elif method in ("GET", "HEAD") and path == "/readyz":
            reason = self._unready()
            await _answer(send, 503 if reason else 200, {"ready": not reason, "reason": reason}, [_JSON])
        elif method in ("GET", "HEAD") and path == "/metrics":
            if _may_read_metrics(scope):
                await _respond(send, 200, self._metrics_text(), [(b"content-type", CONTENT_TYPE)])
            else:
                refusal = {
                    "error": "not yours to read",
                    "hint": "Send RAPPORT_METRICS_TOKEN as a bearer token.",
                }
                await _answer(send, 403, refusal, [_JSON])
        else:
            refusal = {
                "error": f"there is nothing at {path}",
                "hint": f"POST to /v1/ and one of {', '.join(KINDS)}.",
            }
            await _answer(send, 404, refusal, [_JSON, _ANY_ORIGIN])

    def _unready(self) -> str:
        """Why nothing should be sent here now, or nothing."""
        if self._stopping:
            return "stopping"
        if not self.committer.is_running:
            return "the thread that writes the spool has ended"
        if self.committer.failed_lately:
            return self.committer.failing
        try:
            self.committer.spool.write_keys()
        except (RapportError, sqlite3.Error) as error:
            return f"the spool cannot be read: {error}"
        return ""

    def _metrics_text(self) -> bytes:
        c = self.committer
        return self.metrics.text(
            commits=c.commits, commit_s=c.commit_s, waiting_bytes=c.waiting_bytes
        ).encode()


class _HungUp(Exception):
    """The sender closed the connection before its body was complete."""


async def _discard(receive: Receive, length: int) -> None:
    """Read on without keeping: a sender still writing would see a broken connection, not the reason."""
    if length > DRAIN_BYTES_MAX:
        return
    size = 0
    while size < DRAIN_BYTES_MAX:
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return


def _unknown_key() -> Refused:
    return Refused(
        401,
        "the write key is missing or unknown",
        "Send the key of a source as the user name of basic authentication; `rapport key` makes one.",
    )


def _may_read_metrics(scope: Scope) -> bool:
    """With the token where one is set, else from this machine alone."""
    headers = dict(scope["headers"])
    token = home.env("METRICS_TOKEN")
    if token:
        given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        return hmac.compare_digest(given, token.encode())
    return (scope.get("client") or ("",))[0] in {"127.0.0.1", "::1"} and b"x-forwarded-for" not in headers


async def _answer(send: Send, status: int, document: object, headers: list[tuple[bytes, bytes]]) -> None:
    await _respond(send, status, json.dumps(document).encode(), headers)


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
