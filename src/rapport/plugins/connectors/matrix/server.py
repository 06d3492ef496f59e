"""The account we read and post as, and how its server is asked (Matrix client-server API, v1.11 and later)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from rapport.kit import http, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Request
from rapport.listening.contract import Context, Failed, setting

ACCOUNT = re.compile(r"@[!-9;-~]+:[A-Za-z0-9.\-]+(?::\d{1,5})?")
INVITATIONS = {
    "none": "No: staff accept them in another program",
    "server": "Those of people on the same server",
    "all": "All",
}
SESSION = "session"  # where it is remembered

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which account, and which invitations it accepts."""

    server: str = setting("https://matrix.org", "Server", "The address that programs connect to.")
    account: str = setting("", "Account", "Such as @shop:example.org.")
    access_token: str = setting("", "Access token", "Or a password below.", secret=True, optional=True)
    password: str = setting(
        "", "Password", "Of the account, where there is no access token.", secret=True, optional=True
    )
    accepts: str = setting("none", "Accept invitations to rooms", choices=INVITATIONS)
    posts_to: str = setting(
        "", "Room for our posts", "Such as #news:example.org, which the account is in.", optional=True
    )

    @property
    def home(self) -> str:
        """The name of the server that the account belongs to."""
        return self.account.partition(":")[2]


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if http.place_of(config.server).target != "/":
        raise Invalid(
            f"{config.server!r} holds a path", "Write the server alone, such as https://matrix.org."
        )
    if not ACCOUNT.fullmatch(config.account):
        raise Invalid(f"{config.account!r} is no account", "Write it like @shop:example.org.")
    if not config.access_token and not config.password:
        raise Invalid("there is neither an access token nor a password", "Enter one of them.")
    if (
        not (config.access_token.isascii() and config.access_token.isprintable())
        or " " in config.access_token
    ):
        raise Invalid("the access token holds what no token does", "Copy it anew.")
    if config.posts_to and not re.fullmatch(r"[#!][!-9;-~]+:[A-Za-z0-9.\-]+(?::\d{1,5})?", config.posts_to):
        raise Invalid(f"{config.posts_to!r} is no room", "Write it like #news:example.org.")
    if config.accepts not in INVITATIONS:
        raise Invalid(
            f"{config.accepts!r} is no rule for invitations", f"There are {', '.join(INVITATIONS)}."
        )


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The server's own error for one request, for callers who know what it means there."""

    status: int
    code: str
    words: str
    failed: Failed


def path(*parts: str) -> str:
    """A path of the API, its parts written so that none of their letters means anything else."""
    return "/_matrix/client/v3/" + "/".join(quote(part, safe="") for part in parts)


class Server:
    """Asks the server in the account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context
        self._base = config.server.rstrip("/")

    def get(self, path: str, parameters: Parameters = ()) -> Any:
        """Ask for something; raises Refused."""
        return self._asked("GET", path + (f"?{urlencode(parameters)}" if parameters else ""), None)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Set something; raises Refused."""
        return self._asked("PUT", path, body)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Do something; raises Refused."""
        return self._asked("POST", path, body)

    def upload(self, content: bytes, kind: str) -> str:
        """The address of a file that a message may then show; raises Refused."""
        return wire.text_at(self._asked("POST", "/_matrix/media/v3/upload", content, kind), "content_uri")

    def _asked(self, method: str, target: str, body: Mapping[str, Any] | bytes | None, kind: str = "") -> Any:
        try:
            return self._once(method, target, body, self._token(), kind)
        except Refused as refused:
            if refused.code != "M_UNKNOWN_TOKEN" or self.config.access_token:
                raise
        # The session that the password opened is over; it opens another.
        self._context.memory.pop(SESSION, None)
        return self._once(method, target, body, self._token(), kind)

    def _token(self) -> str:
        if self.config.access_token:
            return self.config.access_token
        key = (self._base, self.config.account, self.config.password)
        held = self._context.memory.get(SESSION)
        if held and held[0] == key:
            return str(held[1])
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": self.config.account},
            "password": self.config.password,
            # The same device each time: a new one for every start would fill the account's list of them, and
            # what was sent once is known by device.
            "device_id": "RAPPORT" + hashlib.sha256(self.config.account.encode()).hexdigest()[:8].upper(),
            "initial_device_display_name": "Rapport",
        }
        try:
            found = self._once("POST", path("login"), body, "")
        except Refused as refused:
            raise refused.failed from None
        token = wire.text_at(found, "access_token")
        self._context.memory[SESSION] = (key, token)
        return token

    def _once(
        self, method: str, target: str, body: Mapping[str, Any] | bytes | None, token: str, kind: str = ""
    ) -> Any:
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        sent = None
        if body is not None:
            headers["content-type"] = kind or "application/json"
            sent = (
                body
                if isinstance(body, bytes)
                else json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
            )
        answer = self._context.fetch(Request(f"{self._base}{target}", method, sent, headers))
        found = wire.document(answer.body)
        if answer.status == 200:
            if not isinstance(found, dict):
                raise Failed(f"{self._base} answered with something that is no JSON")
            return found
        code, words = wire.text_at(found, "errcode"), wire.text_at(found, "error")[:300]
        # Older servers say how long to wait in the body alone.
        told_ms = wire.count_at(found, "retry_after_ms")
        wait = wire.wait_s(answer.headers, self._context.now()) or (told_ms / 1000 if told_ms else None)
        raise Refused(answer.status, code, words, self._failed(answer.status, code, words, wait))

    def _failed(self, status: int, code: str, words: str, wait: float | None) -> Failed:
        said = f": {words}" if words else ""
        if status == 429:
            return Failed(
                f"{self._base} wants fewer requests{said}", reason="rate", retry_after_s=wait or 30.0
            )
        if status >= 500:
            return Failed(f"{self._base} answered {status}{said}", retry_after_s=wait or 30.0)
        is_log_in = code in {"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"}
        if (
            status == 401
            or is_log_in
            or (status == 403 and not self.config.access_token and "assword" in words)
        ):
            return Failed(
                f"{self._base} does not accept the log-in of {self.config.account}{said}",
                reason="login",
                retry_after_s=None,
                hint="Enter the password, or a new access token, for this source.",
            )
        if status == 403:
            return Failed(
                f"{self._base} does not permit this{said}",
                reason="permission",
                retry_after_s=3_600.0,
                is_permanent=True,
            )
        return Failed(
            f"{self._base} refused with {status} {code}{said}",
            retry_after_s=600.0,
            is_permanent=status == 400,
        )
