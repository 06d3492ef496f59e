"""The account that we read and write as: requests signed with OAuth 1.0a, and the windows of X's limits."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from rapport.kit import ids, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed, refusal, setting

API = "https://api.x.com"
US, LIMITS, LEVEL = "us", "limits", "level"  # where they are remembered
WINDOW_S = 900.0

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which account, by which app."""

    api_key: str = setting("", "API key", "Of the firm's own app at console.x.com.", secret=True)
    api_key_secret: str = setting("", "API key's secret", secret=True)
    access_token: str = setting(
        "", "Access token", "Of the account, made for that app with the right to read and write.", secret=True
    )
    access_token_secret: str = setting("", "Access token's secret", secret=True)


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    for name in ("api_key", "api_key_secret", "access_token", "access_token_secret"):
        if not re.fullmatch(r"[\w-]{8,}", getattr(config, name), re.ASCII):
            raise Invalid(
                f"the {name.replace('_', ' ')} is missing or is none",
                "Copy all four from Keys and tokens of the app at console.x.com.",
            )


def signature(
    method: str, address: str, parameters: Mapping[str, str], secret: str, token_secret: str
) -> str:
    """The signature of a request (RFC 5849, 3.4): HMAC-SHA1 over method, address and sorted parameters."""
    told = sorted((_escaped(name), _escaped(value)) for name, value in parameters.items())
    base = "&".join(_escaped(part) for part in (method, address, "&".join(f"{n}={v}" for n, v in told)))
    key = f"{_escaped(secret)}&{_escaped(token_secret)}".encode()
    return base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()


class Account:
    """Asks X in the account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context

    @property
    def us(self) -> str:
        """The account's number."""
        return self._me()[0]

    @property
    def name(self) -> str:
        """The account's name, without @."""
        return self._me()[1]

    @property
    def level(self) -> str:
        """What the access token may do, as X says it with each answer: read, read-write and more; or nothing."""
        return str(self._context.memory.get(LEVEL, ""))

    def get(self, path: str, parameters: Parameters = ()) -> Any:
        """Ask for something."""
        return self._asked("GET", path, {name: str(value) for name, value in parameters}, None)

    def post(self, path: str, body: Any) -> Any:
        """Make something."""
        return self._asked("POST", path, {}, json.dumps(body, ensure_ascii=False).encode())

    def _me(self) -> tuple[str, str]:
        held = self._context.memory.get(US)
        if not held or held[0] != self.config.access_token:
            told = self.get("/2/users/me")
            number, name = wire.text_at(told, "data", "id"), wire.text_at(told, "data", "username")
            if not number:
                raise Failed("X does not say whose access token this is", reason="login", retry_after_s=None)
            held = self._context.memory[US] = (self.config.access_token, number, name)
        return str(held[1]), str(held[2])

    def _asked(self, method: str, path: str, parameters: dict[str, str], body: bytes | None) -> Any:
        # Each kind of request has a limit of its own; numbers in a path make no other kind.
        kind = f"{method} {re.sub(r'[0-9]+', ':id', path.removeprefix('/2'))}"
        self._spare(kind)
        address = f"{API}{path}"
        headers = {"authorization": self._signed(method, address, parameters)}
        if body is not None:
            headers["content-type"] = "application/json"
        target = f"{address}?{urlencode(parameters, quote_via=quote)}" if parameters else address
        answer = self._context.fetch(Request(target, method, body, headers))
        self._note_limit(kind, answer)
        if answer.status not in {200, 201}:
            raise self._failed(answer)
        found = wire.document(answer.body)
        if not isinstance(found, dict):
            raise Failed("X answered with something that is no JSON", is_unsure=method == "POST")
        return found

    def _signed(self, method: str, address: str, parameters: Mapping[str, str]) -> str:
        told = {
            "oauth_consumer_key": self.config.api_key,
            "oauth_nonce": ids.uuid7().hex,
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": f"{self._context.now().timestamp():.0f}",
            "oauth_token": self.config.access_token,
            "oauth_version": "1.0",
        }
        told["oauth_signature"] = signature(
            method,
            address,
            {**parameters, **told},
            self.config.api_key_secret,
            self.config.access_token_secret,
        )
        return "OAuth " + ", ".join(f'{name}="{_escaped(value)}"' for name, value in told.items())

    def _spare(self, kind: str) -> None:
        """Ask nothing where X said that nothing is left."""
        until = self._context.memory.setdefault(LIMITS, {}).get(kind)
        now = self._context.now()
        if until is not None and until > now:
            raise Failed(
                f"X's limit for {kind} is spent",
                reason="rate",
                retry_after_s=(until - now).total_seconds(),
                hint="It goes on by itself.",
            )

    def _note_limit(self, kind: str, answer: Answer) -> None:
        if level := answer.headers.get("x-access-level", ""):
            self._context.memory[LEVEL] = level
        left, reset = (answer.headers.get(f"x-rate-limit-{n}", "") for n in ("remaining", "reset"))
        if left == "0" and re.fullmatch(r"[0-9]{9,11}", reset):
            until = dt.datetime.fromtimestamp(int(reset), dt.UTC)
            self._context.memory.setdefault(LIMITS, {})[kind] = until

    def _failed(self, answer: Answer) -> Failed:
        found, now = wire.document(answer.body), self._context.now()
        words = wire.text_at(found, "detail") or wire.text_at(found, "errors", 0, "message")
        words = words or wire.text_at(found, "title")
        failed = refusal(answer, "X", now, words=words)
        if answer.status == 429:
            reset = answer.headers.get("x-rate-limit-reset", "")
            until_s = int(reset) - now.timestamp() if re.fullmatch(r"[0-9]{9,11}", reset) else None
            failed.retry_after_s = max(until_s or wire.wait_s(answer.headers, now) or WINDOW_S, 1.0)
        if answer.status == 402:
            failed = Failed(f"X wants to be paid first: {words}", reason="permission", retry_after_s=3_600.0)
            failed.hint = "Buy credits for the app at console.x.com."
        failed.is_unsure = answer.status >= 500
        return failed


def _escaped(text: str) -> str:
    return quote(text, safe="~")
