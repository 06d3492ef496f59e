"""The page or account that we read and write as, and how Meta's Graph API is asked."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rapport.kit import wire
from rapport.kit.errors import Denied, Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed, Hook, refusal, setting

API = "https://graph.facebook.com/v23.0"
SIGNATURE = "x-hub-signature-256"
PLACES = {"facebook": "A Facebook Page", "instagram": "An Instagram professional account"}
PAUSE = "pause"  # where it is remembered
FULL_PERCENT = 95
WINDOW_S = 3_600.0  # limits are counted over a rolling hour
BUSY = frozenset({4, 17, 32, 341, 368, 613, 80001, 80002})
TEMPORARY = frozenset({1, 2})

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which page or account, and by which app."""

    place: str = setting("facebook", "Place", "Each needs a source of its own.", choices=PLACES)
    number: str = setting("", "Id", "Digits: of the Page, or of the Instagram professional account.")
    access_token: str = setting(
        "", "Page access token", "A long-lived one, of the Page or of the one the account is linked to.",
        secret=True,
    )  # fmt: skip
    app_secret: str = setting(
        "", "App secret", "Of the firm's own app. It proves requests of both sides.", secret=True
    )
    verify_token: str = setting(
        "", "Verify token", "Any words; enter the same where the app's web hook is set up.",
        secret=True, optional=True,
    )  # fmt: skip

    @property
    def is_page(self) -> bool:
        """Whether it is a Facebook Page."""
        return self.place == "facebook"


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if config.place not in PLACES:
        raise Invalid(f"{config.place!r} is no place of Meta's", f"There are {', '.join(PLACES)}.")
    if not re.fullmatch(r"[0-9]{5,20}", config.number):
        raise Invalid(f"{config.number!r} is no id", "It is a number, shown in Meta Business Suite.")
    if not re.fullmatch(r"[\x21-\x7e]{8,}", config.access_token):
        raise Invalid("there is no access token", "Make a long-lived one for the Page.")
    if not re.fullmatch(r"[0-9a-f]{32}", config.app_secret):
        raise Invalid(
            "this is no app secret", "Copy it from the app's basic settings: 32 small letters and digits."
        )


def check_signature(config: Config, hook: Hook) -> None:
    """Raise Denied unless Meta signed it; compared in a time that says nothing of how much was right."""
    right = hmac.new(config.app_secret.encode(), hook.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"sha256={right}".encode(), hook.headers.get(SIGNATURE, "").encode()):
        raise Denied("the signature does not hold", "Enter the secret of the app whose web hook this is.")


class Graph:
    """Asks Meta in the page's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context

    def get(self, path: str, parameters: Parameters = ()) -> Any:
        """Ask for something."""
        return self._asked("GET", path, parameters)

    def post(self, path: str, form: Parameters, files: Sequence[tuple[str, str, str, bytes]] = ()) -> Any:
        """Make something; files as `wire.form` takes them."""
        return self._asked("POST", path, form, files)

    def _asked(
        self,
        method: str,
        path: str,
        parameters: Parameters,
        files: Sequence[tuple[str, str, str, bytes]] = (),
    ) -> Any:
        self._spare()
        token = self.config.access_token
        # A token alone is not enough where the app wants this proof; it never harms.
        proof = hmac.new(self.config.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        told = urlencode([*parameters, ("appsecret_proof", proof)])
        headers = {"authorization": f"Bearer {token}"}
        if method == "GET":
            request = Request(f"{API}/{path}?{told}", headers=headers)
        elif files:
            said = [(name, str(value)) for name, value in [*parameters, ("appsecret_proof", proof)]]
            body, kind = wire.form(said, files)
            request = Request(f"{API}/{path}", method, body, {**headers, **kind})
        else:
            headers["content-type"] = "application/x-www-form-urlencoded"
            request = Request(f"{API}/{path}", method, told.encode(), headers)
        answer = self._context.fetch(request)
        self._note_usage(answer)
        found = wire.document(answer.body)
        if answer.status != 200 or wire.at(found, "error"):
            raise self._failed(answer, wire.at(found, "error"))
        if not isinstance(found, dict):
            raise Failed("Meta answered with something that is no JSON", is_unsure=method == "POST")
        return found

    def _spare(self) -> None:
        until, now = self._context.memory.get(PAUSE), self._context.now()
        if until is not None and until > now:
            raise Failed(
                "Meta's limit of requests is nearly spent",
                reason="rate",
                retry_after_s=(until - now).total_seconds(),
                hint="It goes on by itself.",
            )

    def _note_usage(self, answer: Answer) -> None:
        """Wait where a share of a limit is nearly all of it; Meta shuts out for longer who goes on."""
        wait_s = 0.0
        told = wire.document(answer.headers.get("x-app-usage", "").encode())
        if _is_full(told):
            wait_s = WINDOW_S / 4
        business = wire.document(answer.headers.get("x-business-use-case-usage", "").encode())
        for parts in business.values() if isinstance(business, dict) else ():
            for part in parts if isinstance(parts, list) else ():
                again_s = 60.0 * (wire.count_at(part, "estimated_time_to_regain_access") or 0)
                wait_s = max(wait_s, again_s, WINDOW_S / 4 if _is_full(part) else 0.0)
        if wait_s:
            self._context.memory[PAUSE] = self._context.now() + dt.timedelta(seconds=wait_s)

    def _failed(self, answer: Answer, error: Any) -> Failed:
        code, words = wire.count_at(error, "code"), wire.text_at(error, "message")
        shown = wire.text_at(error, "error_user_msg") or words
        now = self._context.now()
        if code in {102, 190}:
            return Failed(
                f"Meta does not accept the access token any more: {words}",
                reason="login",
                retry_after_s=None,
                hint="Make a new long-lived token for the Page, and enter it in this source.",
            )
        if code in BUSY:
            until = self._context.memory.get(PAUSE)
            wait_s = max((until - now).total_seconds(), 60.0) if until is not None else WINDOW_S / 4
            return Failed(f"Meta wants fewer requests: {shown}", reason="rate", retry_after_s=wait_s)
        if code in TEMPORARY:
            return Failed(f"Meta is out of order for now: {shown}", retry_after_s=60.0, is_unsure=True)
        if code == 10 or (code is not None and 200 <= code <= 299):
            return Failed(
                f"Meta does not let us do this: {shown}",
                reason="permission",
                retry_after_s=3_600.0,
                is_permanent=True,
                hint="Give the app the permission that is named, and make a new token with it.",
            )
        failed = refusal(answer, "Meta", now, words=shown)
        failed.is_unsure = answer.status >= 500
        return failed


def _is_full(told: Any) -> bool:
    return any(
        (wire.count_at(told, name) or 0) >= FULL_PERCENT
        for name in ("call_count", "total_time", "total_cputime")
    )
