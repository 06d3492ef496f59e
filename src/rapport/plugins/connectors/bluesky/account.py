"""The account we read and post as: its configuration, its session, and how its server is asked (XRPC over HTTP).

A session is opened with the app password and lasts hours; servers allow 100 to 300 openings a day, so it is
remembered between rounds and renewed with its refresh token (https://atproto.com/specs/xrpc).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rapport.kit import http, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed, setting

HANDLE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,200}")
OVER = frozenset(
    {"ExpiredToken", "InvalidToken"}
)  # of a session; some servers say it with 400, some with 401
SHUT = frozenset({"AccountTakedown", "AccountDeactivated", "AccountSuspended", "AuthFactorTokenRequired"})
SESSION = "session"  # where it is remembered

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which account, and where it lives."""

    server: str = setting(
        "https://bsky.social", "Server", "Where the account lives; bsky.social unless you host it elsewhere."
    )
    handle: str = setting("", "Handle", "Without @, such as shop.bsky.social or otter.example.")
    app_password: str = setting(
        "", "App password", "Make one under Settings, Privacy and security, App passwords.", secret=True
    )


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    place = http.place_of(config.server)
    if place.target != "/":
        raise Invalid(
            f"{config.server!r} holds a path", "Write the server alone, such as https://bsky.social."
        )
    if not HANDLE.fullmatch(config.handle.lower()) and not DID.fullmatch(config.handle):
        raise Invalid(f"{config.handle!r} is no handle", "Write it like shop.bsky.social, without @.")
    if not config.app_password:
        raise Invalid(
            "there is no app password",
            "Make one on Bluesky under Settings, Privacy and security, App passwords.",
        )


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The server's own error for one request, for callers who know what it means there."""

    status: int
    name: str
    words: str
    failed: Failed


class Account:
    """Asks the server in the account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self._server = config.server.rstrip("/")
        self._config, self._context = config, context

    @property
    def did(self) -> str:
        """The account's lasting id."""
        return str(self._session()["did"])

    @property
    def is_main_password(self) -> bool:
        """Whether the session may do everything, since somebody gave the main password."""
        return str(self._session()["scope"]) == "com.atproto.access"

    def query(self, method: str, parameters: Parameters = ()) -> Any:
        """What the server gives for a query; raises Refused."""
        address = f"{self._server}/xrpc/{method}" + (f"?{urlencode(parameters)}" if parameters else "")
        return self._asked(Request(address))

    def procedure(self, method: str, body: Mapping[str, Any]) -> Any:
        """What the server gives for a change; raises Refused."""
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json"}
        return self._asked(Request(f"{self._server}/xrpc/{method}", "POST", text, headers))

    def upload(self, content: bytes, kind: str) -> Any:
        """What the server calls a file that a record may then show; raises Refused."""
        address = f"{self._server}/xrpc/com.atproto.repo.uploadBlob"
        return wire.at(self._asked(Request(address, "POST", content, {"content-type": kind})), "blob")

    def _asked(self, request: Request) -> Any:
        try:
            return self._once(request, str(self._session()["access"]))
        except Refused as refused:
            if refused.name not in OVER:
                raise
        self._renew()
        return self._once(request, str(self._session()["access"]))

    def _once(self, request: Request, token: str) -> Any:
        headers = {**request.headers, "authorization": f"Bearer {token}", "accept": "application/json"}
        answer = self._context.fetch(Request(request.url, request.method, request.body, headers))
        if answer.status != 200:
            raise self._refused(answer)
        found = wire.document(answer.body)
        if not isinstance(found, dict):
            raise Refused(200, "", "", Failed(f"{self._server} answered with something that is no JSON"))
        return found

    def _session(self) -> dict[str, Any]:
        held = self._context.memory.get(SESSION)
        if isinstance(held, dict) and held.get("of") == self._of:
            return held
        body = {"identifier": self._config.handle, "password": self._config.app_password}
        return self._opened("createSession", json.dumps(body).encode(), {"content-type": "application/json"})

    @property
    def _of(self) -> tuple[str, str, str]:
        return (self._server, self._config.handle, self._config.app_password)

    def _renew(self) -> None:
        held = self._session()
        self._context.memory.pop(SESSION, None)
        try:
            self._opened("refreshSession", None, {"authorization": f"Bearer {held['refresh']}"})
        except Failed as failed:
            if failed.reason != "login":
                raise
            self._session()  # the refresh token is over as well: begin anew with the password

    def _opened(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
        answer = self._context.fetch(
            Request(f"{self._server}/xrpc/com.atproto.server.{method}", "POST", body, headers)
        )
        found = wire.document(answer.body)
        if answer.status != 200:
            raise self._refused(answer, is_log_in=True).failed
        access, did = wire.text_at(found, "accessJwt"), wire.text_at(found, "did")
        if not access or not did:
            raise Failed(f"{self._server} opened no session", retry_after_s=300.0)
        held = {
            "of": self._of,
            "access": access,
            "refresh": wire.text_at(found, "refreshJwt"),
            "did": did,
            "scope": _scope_of(access),
        }
        self._context.memory[SESSION] = held
        return held

    def _refused(self, answer: Answer, *, is_log_in: bool = False) -> Refused:
        found = wire.document(answer.body)
        name, words = wire.text_at(found, "error"), wire.text_at(found, "message")[:300]
        return Refused(answer.status, name, words, self._failed(answer, name, words, is_log_in))

    def _failed(self, answer: Answer, name: str, words: str, is_log_in: bool) -> Failed:
        wait = wire.wait_s(answer.headers, self._context.now())
        said = f": {words}" if words else ""
        if answer.status == 429:
            return Failed(
                f"{self._server} wants fewer requests{said}", reason="rate", retry_after_s=wait or 60.0
            )
        if answer.status >= 500:
            return Failed(f"{self._server} answered {answer.status}{said}", retry_after_s=wait or 30.0)
        if name == "AuthFactorTokenRequired":
            return Failed(
                f"{self._config.handle} asks for a code by mail, as it does for the main password",
                reason="login",
                retry_after_s=None,
                hint="Enter an app password instead: it needs no code, and can be taken back.",
            )
        if name in SHUT:
            return Failed(
                f"the account {self._config.handle} is closed{said}",
                reason="login",
                retry_after_s=None,
                hint="Log in at Bluesky to see why.",
            )
        if is_log_in or answer.status == 401 or name in OVER:
            return Failed(
                f"{self._server} does not accept the log-in of {self._config.handle}{said}",
                reason="login",
                retry_after_s=None,
                hint="Make a new app password, and enter it for this source.",
            )
        if answer.status == 403:
            return Failed(
                f"{self._server} does not permit this{said}",
                reason="permission",
                retry_after_s=3_600.0,
                is_permanent=True,
            )
        return Failed(
            f"{self._server} refused with {answer.status} {name}{said}",
            retry_after_s=600.0,
            is_permanent=True,
        )


def _scope_of(token: str) -> str:
    """What a session may do, as its token says; only to warn, so its signature does not matter."""
    import base64
    import binascii

    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return ""
    return wire.text_at(claims, "scope")
