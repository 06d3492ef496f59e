"""The visitors' door of the collector: `/c/r.js` (the script), `/c/config` (its settings), `/c` (what it saw).

A site's key is public: it stands in every page. So what it opens is little: it may send what browsers may
say, from the site's own pages, at a bounded rate, and it reads nothing but the settings of the script.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from rapport.events import spool
from rapport.events.collector import door, script, sites, visitor
from rapport.events.collector.envelope import Refused
from rapport.events.collector.refusals import WRITE_EVERY_S, Refusals
from rapport.kit import clock

if TYPE_CHECKING:
    from rapport.events.collector.asgi import Collector

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
Read = Callable[[int | None], Awaitable[bytes]]
Headers = list[tuple[bytes, bytes]]

SCRIPT_AGE_S = 3600
CONFIG_AGE_S = 300

_JSON = (b"content-type", b"application/json")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_ANYWHERE = (b"cross-origin-resource-policy", b"cross-origin")
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")


class Answer(Exception):
    """A request that is answered before its body counts: why, in a word of `refusals.REASONS`."""

    def __init__(self, status: int, reason: str, hint: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.hint = hint
        self.wait_s = wait_s


class SiteDoor:
    """What `/c` and the addresses below it answer."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self.sites = sites.Sites()
        self.limit = door.Limit()
        self.refusals = Refusals()
        self._writing: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Write what is not written yet."""
        if self._writing is not None:
            self._writing.cancel()
        self._write()

    async def answer(self, scope: Scope, read: Read, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        headers = dict(scope["headers"])
        if method == "POST" and path == "/c":
            await self._take(scope, headers, read, send)
        elif method in ("GET", "HEAD") and path == "/c/r.js":
            await self._script(method, headers, send)
        elif method in ("GET", "HEAD") and path == "/c/config":
            await self._config(scope, headers, send)
        elif method == "OPTIONS":
            # The script needs no preflight; who sends JSON under its own name by hand does.
            allow = [
                _ANY_ORIGIN,
                (b"access-control-allow-methods", b"GET, POST"),
                (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", b"86400"),
            ]
            await _respond(send, 204, b"", allow)
        else:
            refusal = {"error": f"there is nothing at {path}", "hint": "See /c/r.js, /c/config and POST /c."}
            await _respond(send, 404, json.dumps(refusal).encode(), [_JSON, _ANY_ORIGIN])

    # The script and its settings

    async def _script(self, method: str, headers: dict[bytes, bytes], send: Send) -> None:
        served = script.current()
        sent: Headers = [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"cache-control", b"public, max-age=%d, stale-while-revalidate=86400" % SCRIPT_AGE_S),
            (b"etag", served.tag),
            (b"vary", b"accept-encoding"),
            _ANY_ORIGIN,
            _ANYWHERE,
            _NO_SNIFFING,
        ]
        if _is_known(headers, served.tag):
            await _respond(send, 304, b"", sent)
            return
        body = served.plain
        if b"gzip" in headers.get(b"accept-encoding", b""):
            sent.append((b"content-encoding", b"gzip"))
            body = served.packed
        sent.append((b"content-length", b"%d" % len(body)))
        await _respond(send, 200, b"" if method == "HEAD" else body, sent)

    async def _config(self, scope: Scope, headers: dict[bytes, bytes], send: Send) -> None:
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        key = asked.get("key", [""])[0]
        site = self.sites.of_key(key)
        sent: Headers = [_JSON, _ANY_ORIGIN, _ANYWHERE, _NO_SNIFFING]
        if site is None or not site.is_on:
            reason = "unknown_key" if site is None else "switched_off"
            self._note("" if site is None else site.source, reason, origin=_origin(headers))
            refusal = {"error": reason, "hint": "Copy the snippet from Rapport's Tracking screen again."}
            await _respond(send, 404, json.dumps(refusal).encode(), sent)
            return
        is_private = headers.get(b"sec-gpc") == b"1" or headers.get(b"dnt") == b"1"
        wanted = asked.get("lang", [""])[0][:32]
        told = sites.config_of(key, site, self.sites.published, wanted=wanted, is_private=is_private)
        body = json.dumps(told, ensure_ascii=False).encode()
        tag = b'"%b"' % hashlib.sha256(body).hexdigest()[:16].encode()
        sent += [
            (b"cache-control", b"public, max-age=%d" % CONFIG_AGE_S),
            (b"vary", b"sec-gpc, dnt"),
            (b"etag", tag),
        ]
        if _is_known(headers, tag):
            await _respond(send, 304, b"", sent)
        else:
            await _respond(send, 200, b"" if scope["method"] == "HEAD" else body, sent)

    # What it saw

    async def _take(self, scope: Scope, headers: dict[bytes, bytes], read: Read, send: Send) -> None:
        origin = _origin(headers)
        allow: Headers = [_JSON, (b"access-control-allow-origin", origin.encode("latin-1") or b"null")]
        allow += [(b"vary", b"origin"), (b"access-control-expose-headers", b"retry-after")]
        source = ""
        try:
            length = headers.get(b"content-length", b"")
            raw = await read(int(length) if length.isdigit() else None)
            self._collector.metrics.bytes_read += len(raw)
            sent = visitor.read(raw)
            site = self._admit(sent.key, origin, scope, headers)
            source = site.source
        except Answer as answer:
            self._note(self._source_of(answer, raw), answer.reason, origin=origin)
            if answer.wait_s:
                allow.append((b"retry-after", b"%d" % max(1, round(answer.wait_s))))
            self._collector.metrics.answers[answer.status] += 1
            document = {"error": answer.reason, "hint": answer.hint}
            await _respond(send, answer.status, json.dumps(document).encode(), allow)
            return
        except Refused as error:
            reason = "too_large" if error.status == 413 else "not_json"
            self._note(source, reason, origin=origin)
            self._collector.metrics.answers[error.status] += 1
            document = {"error": error.message, "hint": error.hint}
            await _respond(send, error.status, json.dumps(document).encode(), allow)
            return
        bot = door.machine(headers.get(b"user-agent", b"").decode("latin-1"))
        host = urlsplit(origin).hostname or ""
        sender = visitor.Sender(sent.key, site, host, bot, self.sites.withdrawn)
        taken = visitor.take(sent.batch, sender)
        for reason, what in taken.refused:
            self._note(source, reason, what=what, origin=origin)
        if taken.kept:
            body = spool.Body(
                spool.SEGMENT,
                source,
                len(taken.kept),
                taken.document(sent.sent_at),
                received_at=clock.now_us(),
            )
            await self._collector.keep(body)
        self._collector.metrics.events += len(taken.kept)
        self._collector.metrics.answers[200] += 1
        told = {"success": True, "taken": len(taken.kept), "refused": [list(r) for r in taken.refused]}
        if taken.has_withdrawn:
            told["forget"] = True
        await _respond(send, 200, json.dumps(told).encode(), allow)

    def _admit(self, key: str, origin: str, scope: Scope, headers: dict[bytes, bytes]) -> sites.Site:
        """The site that this request may send for."""
        peer = (scope.get("client") or ("",))[0]
        network = door.network_of(peer, headers.get(b"x-forwarded-for", b"").decode("latin-1"))
        wait_s = self.limit.wait_s(network, key)
        if wait_s:
            raise Answer(429, "too_often", "Wait as long as Retry-After says.", wait_s)
        site = self.sites.of_key(key)
        if site is None:
            raise Answer(401, "unknown_key", "Copy the snippet from Rapport's Tracking screen again.")
        if not site.is_on:
            raise Answer(403, "switched_off", "Switch the site on, on Rapport's Tracking screen.")
        if not origin:
            raise Answer(403, "no_origin", "Only pages in browsers send here; programs send to /v1/.")
        host = headers.get(b"host", b"").decode("latin-1")
        if not door.is_allowed(origin, site.origins, host):
            raise Answer(403, "foreign_origin", f"Allow {origin} on Rapport's Tracking screen.")
        return site

    def _source_of(self, answer: Answer, raw: bytes) -> str:
        """Whom a refusal concerns; nobody where the key is unknown."""
        if answer.reason == "unknown_key":
            return ""
        site = self.sites.of_key(visitor.read(raw).key)
        return site.source if site else ""

    def _note(self, source: str, reason: str, *, what: str = "", origin: str = "") -> None:
        self.refusals.add(source, reason, what=what, origin=origin)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().call_later(WRITE_EVERY_S, self._write)

    def _write(self) -> None:
        self._writing = None
        if not self.refusals.is_unwritten:
            return
        try:
            self.refusals.write()
        except OSError as error:
            # What was refused is worth seeing, and not worth refusing more for.
            log.warning("what was refused cannot be written: %s", error)


def _origin(headers: dict[bytes, bytes]) -> str:
    origin = headers.get(b"origin", b"").decode("latin-1")
    return "" if origin == "null" else origin


def _is_known(headers: dict[bytes, bytes], tag: bytes) -> bool:
    told = headers.get(b"if-none-match", b"")
    return tag in (one.strip().removeprefix(b"W/") for one in told.split(b","))


async def _respond(send: Send, status: int, body: bytes, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
