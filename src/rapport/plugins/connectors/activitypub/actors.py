"""Who others are: their accounts and keys, asked for where they live, and remembered for an hour.

Whoever sends us something makes us ask somebody: a flood of such requests must cost them more than us. So what
could not be had is remembered as well, one host is asked so many times a minute, and few wait side by side.
"""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from rapport.kit import http, wire
from rapport.kit.errors import Denied, Invalid
from rapport.kit.http import Request
from rapport.listening.contract import Context, Failed
from rapport.plugins.connectors.activitypub import signatures
from rapport.plugins.connectors.activitypub.account import KIND, Account

ACCEPTED = f'{KIND}, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
KNOWN_FOR = dt.timedelta(hours=1)
ANEW_AFTER = dt.timedelta(minutes=1)  # a key is asked for again no sooner, however many signatures fail
MISSING_FOR = dt.timedelta(hours=1)  # what is not there, or is no account
SILENT_FOR = dt.timedelta(minutes=1)  # whoever did not answer
REMEMBERED_MAX = 5_000
ASKED_MAX, ASKED_PER = 60, dt.timedelta(minutes=1)  # of one host
SIDE_BY_SIDE = 3
WAITING_MAX = 1  # for one of these to end; each keeps somebody from being shown a screen
ID_CHARS_MAX = 255  # what every store takes whole
URL_CHARS_MAX = 510
GONE = frozenset({404, 410})
ACTORS = frozenset({"Person", "Service", "Application", "Organization", "Group"})
_NAME = re.compile(r"[\w.-]{1,100}")
_KIND = re.compile(
    r'application/(activity\+json\s*(;|$)|ld\+json\s*;.*\bprofile="?https://www\.w3\.org/ns/activitystreams\b)',
    re.IGNORECASE,
)


class Missing(Failed):
    """It cannot be had: what is there is no such thing, or nothing is; `is_gone` where it says so itself."""

    def __init__(self, message: str, *, is_gone: bool = False) -> None:
        super().__init__(message, reason="permission", retry_after_s=3_600.0, is_permanent=True)
        self.is_gone = is_gone


@dataclass(frozen=True, slots=True)
class Actor:
    """An account elsewhere."""

    id: str
    handle: str
    name: str
    inbox: str
    shared: str  # where its server takes what is for several; its own inbox where there is none
    key: str
    pem: str
    at: dt.datetime  # when it was asked for


class Memory:
    """What one process remembers of others, for all its threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.places = threading.BoundedSemaphore(SIDE_BY_SIDE + WAITING_MAX)
        self.slots = threading.BoundedSemaphore(SIDE_BY_SIDE)
        self.actors: OrderedDict[str, Actor] = OrderedDict()  # by id, and by the id of the key
        self.missing: OrderedDict[str, tuple[dt.datetime, Failed]] = OrderedDict()
        self.asked: OrderedDict[str, list[dt.datetime]] = OrderedDict()  # by host

    def take(self, host: str, now: dt.datetime) -> bool:
        """Whether a host may be asked once more now."""
        with self.lock:
            lately = [at for at in self.asked.pop(host, []) if now - at < ASKED_PER]
            is_free = len(lately) < ASKED_MAX
            self.asked[host] = [*lately, now] if is_free else lately
            _shorten(self.asked)
            return is_free

    def keep(self, actor: Actor) -> None:
        with self.lock:
            for key in {actor.id, actor.key}:
                self.actors[key] = actor
                self.actors.move_to_end(key)
            _shorten(self.actors)

    def forget(self, id: str) -> None:
        with self.lock:
            found = self.actors.pop(id, None)
            if found is not None:
                self.actors.pop(found.key, None)
                self.actors.pop(found.id, None)

    def miss(self, url: str, until: dt.datetime, why: Failed) -> None:
        with self.lock:
            self.missing[url] = (until, why)
            self.missing.move_to_end(url)
            _shorten(self.missing)


def _shorten(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > REMEMBERED_MAX:
        kept.popitem(last=False)


def host_of(url: str) -> str:
    """The host of an id, with its port; empty where it is no address on the web."""
    try:
        place = http.place_of(url)
    except Invalid:
        return ""
    return place.named


class Actors:
    """Asks for accounts and posts, signed as our account: some servers show them to nobody else."""

    def __init__(self, account: Account, context: Context, *, is_limited: bool = True) -> None:
        """`is_limited`: it is others who make us ask, and one host is asked only so often because of them."""
        self._account, self._context, self._is_limited = account, context, is_limited
        self._memory: Memory = context.memory.setdefault("actors", Memory())

    def by_key(self, key: str, *, anew: bool = False) -> Actor:
        """Whose key it is; asked for again with `anew`, unless it was a moment ago. Raises Failed."""
        known = self._memory.actors.get(key)
        now = self._context.now()
        if known is not None and now - known.at < (ANEW_AFTER if anew else KNOWN_FOR):
            return known
        bare = key.partition("#")[0]
        found = self.document(bare)
        owner = wire.text_at(found, "owner") if "publicKeyPem" in found else ""
        if owner and owner != bare:  # a key that lies at an address of its own
            found = self.document(owner)
        actor = self._read(found)
        if key not in {actor.key, actor.id}:
            raise Missing(f"{actor.id} does not say that {key} is its key")
        return actor

    def by_id(self, id: str) -> Actor:
        """The account of that id. Raises Failed."""
        known = self._memory.actors.get(id)
        if known is not None and known.id == id and self._context.now() - known.at < KNOWN_FOR:
            return known
        return self._read(self.document(id))

    def by_handle(self, handle: str) -> Actor:
        """The account of a handle, by WebFinger. Raises Failed."""
        name, _, host = handle.lstrip("@").partition("@")
        if not name or not host:
            raise Missing(f"{handle!r} is no handle")
        scheme = urlsplit(self._account.address).scheme
        url = f"{scheme}://{host}/.well-known/webfinger?resource={quote(f'acct:{name}@{host}', safe=':@')}"
        found = self._got(Request(url, headers={"accept": "application/jrd+json, application/json"}))
        for link in wire.items_at(found, "links"):
            if wire.text_at(link, "rel") == "self" and "json" in wire.text_at(link, "type"):
                return self.by_id(wire.text_at(link, "href"))
        raise Missing(f"{host} does not say where {handle} is")

    def forget(self, id: str) -> None:
        """Ask for an account again when it is needed next."""
        self._memory.forget(id)

    def document(self, url: str) -> dict[str, Any]:
        """What lies at an id, as the server says that lives there; raises Failed, `Missing` where nothing does."""
        found = self._activity(url)
        id = wire.text_at(found, "id")
        if id != url and id and host_of(id) == host_of(url):
            # What lies at an id says what is so, and nothing else: many servers show what their people put there.
            found = self._activity(id)
            url = id
        if not id or wire.text_at(found, "id") != url:
            raise Missing(f"what lies at {url[:200]} is not its own")
        if wire.text_at(found, "type") == "Tombstone":
            raise Missing(f"{url[:200]} is gone", is_gone=True)
        return found

    def _activity(self, url: str) -> dict[str, Any]:
        return self._got(Request(url, headers={"accept": ACCEPTED}), is_activity=True)

    def _got(self, request: Request, *, is_activity: bool = False) -> dict[str, Any]:
        url, now, account = request.url, self._context.now(), self._account
        if len(url) > URL_CHARS_MAX or not host_of(url):
            raise Missing(f"{url[:80]!r} is no address")
        until, why = self._memory.missing.get(url, (now, None))
        if why is not None and until > now:
            raise why
        if is_activity:
            request = signatures.signed(request, account.key, account.config.private_key, now)
        try:
            return self._asked(request, now, is_activity=is_activity)
        except Missing as error:
            self._memory.miss(url, now + MISSING_FOR, error)
            raise
        except Failed as error:
            if error.reason == "permission":  # an address that leads where nothing of ours goes
                error = Missing(error.message)
                self._memory.miss(url, now + MISSING_FOR, error)
                raise error from None
            if error.reason == "unreachable":
                self._memory.miss(url, now + SILENT_FOR, error)
            raise

    def _asked(self, request: Request, now: dt.datetime, *, is_activity: bool) -> dict[str, Any]:
        host = host_of(request.url)
        if self._is_limited and not self._memory.take(host, now):
            raise Failed(f"{host} was asked often enough for a while", reason="rate", retry_after_s=60.0)
        with self._turn():
            answer = self._context.fetch(request)
        if answer.status in GONE:
            raise Missing(f"{request.url[:200]} is not there", is_gone=True)
        if answer.status == 429 or answer.status >= 500:
            raise Failed(f"{host} answered {answer.status}", retry_after_s=60.0)
        found = wire.document(answer.body)
        if answer.status != 200 or not isinstance(found, dict):
            raise Missing(f"{host} does not show {request.url[:200]} ({answer.status})")
        if is_activity and host_of(answer.url) != host:
            raise Missing(f"{host} sends on to another server")
        # Files that somebody put on a server are sent as what they are.
        if is_activity and not _KIND.match(answer.headers.get("content-type", "")):
            raise Missing(f"{request.url[:200]} is not sent as an activity")
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        too_many = Failed("too many wait for other servers already", reason="rate", retry_after_s=30.0)
        if not self._memory.places.acquire(blocking=False):
            raise too_many
        try:
            if not self._memory.slots.acquire(timeout=2.0):
                raise too_many
            try:
                yield
            finally:
                self._memory.slots.release()
        finally:
            self._memory.places.release()

    def _read(self, found: dict[str, Any]) -> Actor:
        id, inbox = wire.text_at(found, "id"), wire.text_at(found, "inbox")
        pem, key = wire.text_at(found, "publicKey", "publicKeyPem"), wire.text_at(found, "publicKey", "id")
        if wire.text_at(found, "type") not in ACTORS or len(id) > ID_CHARS_MAX:
            raise Missing(f"{id[:200]} is no account")
        shared = wire.text_at(found, "endpoints", "sharedInbox")
        if max(map(len, (inbox, key, shared))) > URL_CHARS_MAX:
            raise Missing(f"{id} has addresses that are too long")
        if not id or host_of(inbox) != host_of(id):  # or anybody could have us call somebody else
            raise Missing(f"{id[:200]} has no inbox of its own")
        if (
            not pem
            or host_of(key) != host_of(id)
            or wire.text_at(found, "publicKey", "owner") not in {"", id}
        ):
            raise Missing(f"{id[:200]} has no key of its own")
        name = wire.text_at(found, "preferredUsername")
        if not _NAME.fullmatch(name):
            name = re.sub(r"[^\w.-]", "", id.rstrip("/").rpartition("/")[2])[:100] or "unnamed"
        actor = Actor(
            id,
            f"{name}@{host_of(id)}".lower(),
            wire.text_at(found, "name")[:200],
            inbox,
            shared if host_of(shared) == host_of(inbox) else inbox,
            key,
            pem[:10_000],
            self._context.now(),
        )
        self._memory.keep(actor)
        return actor


def denied(error: Missing) -> Denied:
    """That a request is refused because whoever signed it cannot be known."""
    return Denied(f"the signature cannot be checked: {error.message}")
