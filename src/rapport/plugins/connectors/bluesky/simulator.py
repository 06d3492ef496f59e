"""A Bluesky network in this process: accounts, posts, notifications, search and sessions, on loopback.

It answers as the reference servers do (`@atproto/pds` and `@atproto/bsky`): the same paging, the same names of
errors, the same refusals of records. What it does not do is sign, federate or validate more than is said here.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rapport.kit import clock, wire
from rapport.listening.tests.serving import Answered, Asked, Server
from rapport.plugins.connectors.bluesky import posts

ME = "shop.test"
PASSWORD = "abcd-efgh-ijkl-mnop"  # noqa: S105  of nobody
KEY_ALPHABET = frozenset("234567abcdefghijklmnopqrstuvwxyz")


@dataclass(slots=True)
class Record:
    """A record in somebody's repository."""

    uri: str
    did: str
    value: dict[str, Any]
    indexed_at: dt.datetime

    @property
    def cid(self) -> str:
        """What the content is known by."""
        text = json.dumps(self.value, sort_keys=True).encode()
        return "bafyrei" + base64.b32encode(hashlib.sha256(text).digest()).decode().lower().rstrip("=")


@dataclass(slots=True)
class Told:
    """One notification."""

    reason: str
    record: Record
    subject: str = ""


@dataclass
class Bluesky(Server):
    """The network. `say` and `like` are what people do; `me` is the account that a source reads as."""

    now: Callable[[], dt.datetime] = clock.now
    handles: dict[str, str] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    blocks_me: set[str] = field(default_factory=set)
    odd: list[Any] = field(
        default_factory=list
    )  # entries that are put before the first page of notifications
    blobs: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    n_sessions: int = 0
    scope: str = "com.atproto.appPass"
    _n: int = 0
    _open: set[str] = field(default_factory=set)
    _renewals: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.me = self.joined(ME)

    def joined(self, handle: str) -> str:
        """The lasting id of whoever has that handle."""
        digest = base64.b32encode(hashlib.sha256(handle.encode()).digest()).decode().lower()
        return self.handles.setdefault(handle, f"did:plc:{digest[:24]}")

    def say(
        self,
        handle: str,
        text: str,
        *,
        answers: str = "",
        at: dt.datetime | None = None,
        facets: list[Any] | None = None,
        quotes: str = "",
    ) -> str:
        """Somebody posts; gives the post's address."""
        value: dict[str, Any] = {
            "$type": posts.POST,
            "text": text,
            "createdAt": wire.written(at or self.now()),
            "langs": ["en"],
        }
        if facets:
            value["facets"] = facets
        if answers:
            parent = self.records[answers]
            reference = {"uri": parent.uri, "cid": parent.cid}
            value["reply"] = {
                "root": wire.at(parent.value, "reply", "root") or reference,
                "parent": reference,
            }
        self._n += 1
        return self._written(self.joined(handle), f"3k{self._n:011d}", value, at, quotes)

    def like(self, handle: str, uri: str) -> str:
        """Somebody likes a post."""
        self._n += 1
        did = self.joined(handle)
        value = {
            "$type": "app.bsky.feed.like",
            "subject": {"uri": uri},
            "createdAt": wire.written(self.now()),
        }
        record = Record(f"at://{did}/app.bsky.feed.like/3k{self._n:011d}", did, value, self.now())
        self.told.append(Told("like", record, uri))
        return record.uri

    def take_back(self, uri: str) -> None:
        """Somebody deletes a post."""
        del self.records[uri]
        self.told = [one for one in self.told if one.record.uri != uri]

    def change(self, uri: str, text: str) -> None:
        """Somebody overwrites the record of a post."""
        self.records[uri].value["text"] = text

    def end_sessions(self, *, and_renewals: bool = False) -> None:
        """Every access token is over, and the refresh tokens as well where told so."""
        self._open.clear()
        if and_renewals:
            self._renewals.clear()

    def of_me(self) -> list[Record]:
        """Our posts, oldest first."""
        return sorted((r for r in self.records.values() if r.did == self.me), key=lambda r: r.indexed_at)

    def _written(
        self, did: str, key: str, value: dict[str, Any], at: dt.datetime | None = None, quotes: str = ""
    ) -> str:
        record = Record(f"at://{did}/{posts.POST}/{key}", did, value, at or self.now())
        self.records[record.uri] = record
        if did != self.me:
            parent = wire.text_at(value, "reply", "parent", "uri")
            if posts.did_of(parent) == self.me:
                self.told.append(Told("reply", record, parent))
            elif self.me in posts.mentioned(value):
                self.told.append(Told("mention", record))
            elif quotes:
                self.told.append(Told("quote", record, quotes))
        return record.uri

    def answer(self, asked: Asked) -> Answered:
        """What the reference servers would say."""
        name = asked.path.removeprefix("/xrpc/")
        if name == "com.atproto.server.createSession":
            return self._create_session(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if name == "com.atproto.server.refreshSession":
            if token not in self._renewals:
                return _error("ExpiredToken", "Token has been revoked")
            self._renewals.discard(token)
            return self._session()
        if not token:
            return _error("AuthenticationRequired", "Authentication Required", 401)
        if token not in self._open:
            return _error("ExpiredToken", "Token has expired")
        known: dict[str, Callable[[Asked], Answered]] = {
            "app.bsky.notification.listNotifications": self._notifications,
            "app.bsky.feed.getAuthorFeed": self._author_feed,
            "app.bsky.feed.searchPosts": self._search,
            "app.bsky.feed.getPosts": self._get_posts,
            "app.bsky.feed.getPostThread": self._thread,
            "app.bsky.actor.getProfile": self._profile,
            "com.atproto.repo.getRecord": self._get_record,
            "com.atproto.repo.putRecord": self._put_record,
            "com.atproto.repo.uploadBlob": self._upload,
            "com.atproto.identity.resolveHandle": self._resolve,
        }
        verb = known.get(name)
        return verb(asked) if verb else _error("MethodNotImplemented", "Method Not Implemented", 501)

    def _create_session(self, asked: Asked) -> Answered:
        self.n_sessions += 1
        who, password = wire.text_at(asked.content, "identifier"), wire.text_at(asked.content, "password")
        if who not in {ME, self.me} or password != PASSWORD:
            return _error("AuthenticationRequired", "Invalid identifier or password", 401)
        return self._session()

    def _session(self) -> Answered:
        self._n += 1
        claims = base64.urlsafe_b64encode(json.dumps({"scope": self.scope, "n": self._n}).encode()).decode()
        access, renewal = f"e30.{claims.rstrip('=')}.sig", f"renewal-{self._n}"
        self._open.add(access)
        self._renewals.add(renewal)
        return Answered({"accessJwt": access, "refreshJwt": renewal, "did": self.me, "handle": ME})

    def _author(self, did: str) -> dict[str, Any]:
        handle = next(h for h, d in self.handles.items() if d == did)
        name = handle.partition(".")[0].capitalize()
        return {
            "did": did,
            "handle": handle,
            "displayName": name,
            "viewer": {"muted": False, "blockedBy": did in self.blocks_me},
        }

    def _view(self, record: Record) -> dict[str, Any]:
        return {
            "uri": record.uri,
            "cid": record.cid,
            "author": self._author(record.did),
            "record": record.value,
            "indexedAt": wire.written(record.indexed_at),
        }

    def _shown(self) -> list[Record]:
        """Newest first; nothing of whoever blocks us."""
        there = [r for r in self.records.values() if r.did not in self.blocks_me]
        return sorted(there, key=lambda r: (r.indexed_at, r.uri), reverse=True)

    def _notifications(self, asked: Asked) -> Answered:
        told = sorted(self.told, key=lambda one: (one.record.indexed_at, one.record.uri), reverse=True)
        told = [one for one in told if one.record.did not in self.blocks_me]
        items = [
            {
                **self._view(one.record),
                "reason": one.reason,
                "isRead": False,
                **({"reasonSubject": one.subject} if one.subject else {}),
            }
            for one in told
        ]
        return _paged(asked, [*self.odd, *items], "notifications")

    def _author_feed(self, asked: Asked) -> Answered:
        mine = [{"post": self._view(r)} for r in self._shown() if r.did == asked.first("actor")]
        return _paged(asked, mine, "feed")

    def _search(self, asked: Asked) -> Answered:
        phrase = asked.first("q").strip('"').casefold()
        since = wire.moment(asked.first("since"))
        found = [
            self._view(r)
            for r in self._shown()
            if phrase in r.value["text"].casefold() and (since is None or r.indexed_at >= since)
        ]
        return _paged(asked, found, "posts")

    def _get_posts(self, asked: Asked) -> Answered:
        uris = asked.query.get("uris", [])
        if not 1 <= len(uris) <= 25:
            return _error("InvalidRequest", "Error: uris must not have more than 25 elements")
        there = {r.uri: r for r in self._shown()}
        return Answered({"posts": [self._view(there[uri]) for uri in uris if uri in there]})

    def _thread(self, asked: Asked) -> Answered:
        there = {r.uri: r for r in self._shown()}
        if asked.first("uri") not in there:
            return _error("NotFound", f"Post not found: {asked.first('uri')}")

        def node(record: Record) -> dict[str, Any]:
            answers = [
                r for r in there.values() if wire.text_at(r.value, "reply", "parent", "uri") == record.uri
            ]
            return {
                "$type": "app.bsky.feed.defs#threadViewPost",
                "post": self._view(record),
                "replies": [node(r) for r in answers],
            }

        return Answered({"thread": node(there[asked.first("uri")])})

    def _profile(self, asked: Asked) -> Answered:
        if asked.first("actor") not in self.handles.values():
            return _error("InvalidRequest", "Profile not found")
        return Answered(self._author(asked.first("actor")))

    def _get_record(self, asked: Asked) -> Answered:
        uri = f"at://{asked.first('repo')}/{asked.first('collection')}/{asked.first('rkey')}"
        record = self.records.get(uri)
        if record is None:
            return _error("RecordNotFound", f"Could not locate record: {uri}")
        return Answered({"uri": uri, "cid": record.cid, "value": record.value})

    def _put_record(self, asked: Asked) -> Answered:
        body = asked.content
        key, value = wire.text_at(body, "rkey"), wire.at(body, "record")
        if wire.text_at(body, "repo") != self.me:
            return _error("AuthenticationRequired", "Authentication Required", 401)
        if len(key) != 13 or set(key) - KEY_ALPHABET or key[0] not in "234567abcdefghij":
            return _error("InvalidRequest", f"Invalid record key: {key}")
        wrong = self._wrong_in(value)
        if wrong:
            return _error("InvalidRequest", f"Invalid app.bsky.feed.post record: {wrong}")
        uri = f"at://{self.me}/{posts.POST}/{key}"
        there = self.records.get(uri)
        if there is not None and there.value != value and body.get("swapRecord", "") is None:
            return _error("InvalidSwap", f"Record was at {there.cid}")
        if there is None:
            self._written(self.me, key, value)
        return Answered({"uri": uri, "cid": self.records[uri].cid, "validationStatus": "valid"})

    def _upload(self, asked: Asked) -> Answered:
        digest = base64.b32encode(hashlib.sha256(asked.body).digest()).decode().lower().rstrip("=")
        cid, kind = f"bafkrei{digest}", asked.headers.get("content-type", "")
        if not asked.body or not kind:
            return _error("InvalidRequest", "Request encoding (Content-Type) required but not provided")
        self.blobs[cid] = (kind, asked.body)
        told = {"$type": "blob", "ref": {"$link": cid}, "mimeType": kind, "size": len(asked.body)}
        return Answered({"blob": told})

    def _wrong_pictures(self, value: Any) -> str:
        shown = wire.items_at(value, "embed", "images")
        if len(shown) > 4:
            return "Record/embed/images must not have more than 4 elements"
        for n, one in enumerate(shown):
            kind, content = self.blobs.get(wire.text_at(one, "image", "ref", "$link"), ("", b""))
            if not content:
                return f"Could not find blob: {wire.text_at(one, 'image', 'ref', '$link')}"
            if not kind.startswith("image/") or len(content) > 1_000_000:
                return f"Record/embed/images/{n}/image is of another kind, or larger than 1000000 bytes"
            if not isinstance(wire.at(one, "alt"), str):
                return f'Record/embed/images/{n} must have the property "alt"'
            for side in ("width", "height"):
                if not wire.count_at(one, "aspectRatio", side):
                    return f"Record/embed/images/{n}/aspectRatio/{side} can not be less than 1"
        return ""

    def _wrong_in(self, value: Any) -> str:
        text = wire.text_at(value, "text")
        if wire.moment(wire.at(value, "createdAt")) is None:
            return 'Missing required field "createdAt"'
        if len(text.encode()) > 3000:
            return "text must not be longer than 3000 bytes"
        for facet in wire.items_at(value, "facets"):
            start, end = wire.count_at(facet, "index", "byteStart"), wire.count_at(facet, "index", "byteEnd")
            if start is None or end is None or not start < end <= len(text.encode()):
                return "facet index out of range"
        for which in ("root", "parent"):
            reference = wire.at(value, "reply", which)
            if wire.at(value, "reply") and self.records[wire.text_at(reference, "uri")].cid != wire.text_at(
                reference, "cid"
            ):
                return f"reply/{which} is another version"
        return self._wrong_pictures(value)

    def _resolve(self, asked: Asked) -> Answered:
        did = self.handles.get(asked.first("handle"))
        return Answered({"did": did}) if did else _error("InvalidRequest", "Unable to resolve handle")


def _paged(asked: Asked, items: list[Any], name: str) -> Answered:
    """A page, and a cursor as long as something is left."""
    start, limit = int(asked.first("cursor", "0")), int(asked.first("limit", "50"))
    if limit > 100:
        return _error("InvalidRequest", "Error: limit can not be greater than 100")
    part = items[start : start + limit]
    more = {"cursor": str(start + limit)} if start + limit < len(items) else {}
    return Answered({name: part, **more})


def _error(name: str, words: str, status: int = 400) -> Answered:
    return Answered({"error": name, "message": words}, status)
