"""The account we read and post as, and how its server is asked (Mastodon's REST API)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from rapport.kit import http, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Request
from rapport.listening.contract import Context, Failed, setting

TIMELINES = {
    "none": "No: tags and the server's search alone",
    "local": "Posts of people on this server",
    "known": "Every public post that this server knows (many, on a large one)",
}
VISIBILITIES = {"public": "Public", "unlisted": "Public, but left out of timelines"}
ACCOUNT = "account"  # where it is remembered

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which account, and what of its server is read."""

    server: str = setting("https://mastodon.social", "Server", "Where the account lives.")
    access_token: str = setting(
        "",
        "Access token",
        "On your server under Preferences, Development, New application; it needs read, write:statuses and write:media.",
        secret=True,
    )
    timeline: str = setting(
        "none",
        "Read the public timeline for words that are followed",
        "Tags are read anyway; most servers search no words of posts.",
        choices=TIMELINES,
    )
    visibility: str = setting(
        "public", "Our public answers are", "What was said to us alone is answered so.", choices=VISIBILITIES
    )

    @property
    def host(self) -> str:
        """The server's name, which ends the handles of those who live there."""
        return urlsplit(self.server).netloc.lower()


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if http.place_of(config.server).target != "/":
        raise Invalid(
            f"{config.server!r} holds a path", "Write the server alone, such as https://mastodon.social."
        )
    if (
        not config.access_token
        or not config.access_token.isascii()
        or config.access_token.split() != [config.access_token]
    ):
        raise Invalid(
            "there is no access token",
            "Make an application on your server under Preferences, Development, and copy its token.",
        )
    if config.timeline not in TIMELINES:
        raise Invalid(f"{config.timeline!r} is no timeline", f"There are {', '.join(TIMELINES)}.")
    if config.visibility not in VISIBILITIES:
        raise Invalid(f"{config.visibility!r} is no visibility", f"There are {', '.join(VISIBILITIES)}.")


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The server's own error for one request, for callers who know what it means there."""

    status: int
    words: str
    failed: Failed


@dataclass(frozen=True, slots=True)
class Got:
    """An answer: what it holds, and where the pages before and after it are."""

    value: Any
    links: Mapping[str, str]
    is_ready: bool = True  # not so while the server still works on it (202 and 206)


class Server:
    """Asks the server in the account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context
        self._base = config.server.rstrip("/")

    @property
    def account(self) -> Mapping[str, Any]:
        """Who we are there."""
        key = (self._base, self.config.access_token)
        held = self._context.memory.get(ACCOUNT)
        if not held or held[0] != key:
            found = self.get("/api/v1/accounts/verify_credentials").value
            if not wire.text_at(found, "id"):
                raise Failed(f"{self.config.host} does not say whose token this is", retry_after_s=600.0)
            held = self._context.memory[ACCOUNT] = (key, found)
        known: Mapping[str, Any] = held[1]
        return known

    @property
    def us(self) -> str:
        """The account's id on its server."""
        return wire.text_at(self.account, "id")

    def get(self, path: str, parameters: Parameters = ()) -> Got:
        """Ask for something; raises Refused."""
        return self._asked("GET", path + (f"?{urlencode(parameters)}" if parameters else ""))

    def next_of(self, address: str) -> Got:
        """Ask for what a Link header names; only ever on the server itself."""
        if urlsplit(address).netloc.lower() != self.config.host:
            raise Failed(
                f"{self.config.host} sends us on to {address[:100]}, where our token has no business"
            )
        parts = urlsplit(address)
        return self._asked("GET", f"{parts.path}?{parts.query}")

    def post(self, path: str, body: Mapping[str, Any], key: str) -> Got:
        """Make something; the server makes it once for a key (it remembers keys for an hour)."""
        headers = {"content-type": "application/json", "idempotency-key": key}
        return self._asked("POST", path, json.dumps(body, ensure_ascii=False).encode(), headers)

    def upload(self, content: bytes, kind: str, alt: str) -> Got:
        """Hand over a picture that a status may then show."""
        ending = kind.partition("/")[2]
        said = [("description", alt)] if alt else []
        body, headers = wire.form(said, [("file", f"picture.{ending}", kind, content)])
        return self._asked("POST", "/api/v2/media", body, headers)

    def _asked(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Got:
        told = {
            **(headers or {}),
            "authorization": f"Bearer {self.config.access_token}",
            "accept": "application/json",
        }
        answer = self._context.fetch(Request(f"{self._base}{target}", method, body, told))
        found = wire.document(answer.body)
        if answer.status in {200, 202, 206}:
            if not isinstance(found, list | dict):
                raise Failed(f"{self.config.host} answered with something that is no JSON")
            return Got(found, wire.links(answer.headers), answer.status == 200)
        words = (wire.text_at(found, "error_description") or wire.text_at(found, "error"))[:300]
        wait = wire.wait_s(answer.headers, self._context.now())
        raise Refused(answer.status, words, self._failed(answer.status, words, wait))

    def _failed(self, status: int, words: str, wait: float | None) -> Failed:
        host, said = self.config.host, f": {words}" if words else ""
        if status == 429:
            return Failed(f"{host} wants fewer requests{said}", reason="rate", retry_after_s=wait or 300.0)
        if status >= 500:
            return Failed(f"{host} answered {status}{said}", retry_after_s=wait or 30.0)
        if status == 401 or (status == 403 and "login is currently disabled" in words.lower()):
            return Failed(
                f"{host} does not accept the access token{said}",
                reason="login",
                retry_after_s=None,
                hint="Make a new token on your server under Preferences, Development, and enter it here.",
            )
        if status == 403:
            return Failed(
                f"{host} does not permit this{said}",
                reason="permission",
                retry_after_s=3_600.0,
                is_permanent=True,
                hint="Give the application the rights read, write:statuses and write:media, and make its token anew.",
            )
        return Failed(f"{host} refused with {status}{said}", retry_after_s=600.0, is_permanent=status == 422)
