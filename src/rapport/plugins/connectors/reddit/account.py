"""The account that we read and write as: its log-in, and how Reddit's Data API is asked."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rapport.kit import oauth, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed, refusal, setting

LOGIN = "https://www.reddit.com/api/v1/access_token"
API = "https://oauth.reddit.com"
NO_JSON = "Reddit answered with something that is no JSON"
LIMIT = "limit"  # where it is remembered

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which account, by which application, and where it reads."""

    username: str = setting("", "Account", "Its name without u/. The application has to be its own.")
    password: str = setting(
        "", "Password", "Of that account; it may not ask for a second factor.", secret=True
    )
    client_id: str = setting(
        "", "Application's id", "On reddit.com/prefs/apps, of an application of the kind script."
    )
    client_secret: str = setting("", "Application's secret", secret=True)
    communities: str = setting(
        "",
        "Communities",
        "Names without r/, separated by spaces: followed words are looked for there alone, in comments too.",
        optional=True,
    )

    @property
    def places(self) -> tuple[str, ...]:
        """The communities that are read."""
        return tuple(one.removeprefix("r/").lower() for one in re.split(r"[\s,]+", self.communities) if one)


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if not re.fullmatch(r"[\w-]{3,20}", config.username, re.ASCII):
        raise Invalid(f"{config.username!r} is no account of Reddit", "Write its name without u/.")
    for name, what in (("password", "password"), ("client_id", "id"), ("client_secret", "secret")):
        text = getattr(config, name)
        if not text or (name != "password" and not re.fullmatch(r"[\w-]+", text, re.ASCII)):
            raise Invalid(
                f"there is no {what}" if not text else f"this is no {what} of an application",
                "Make an application of the kind script on reddit.com/prefs/apps with that account.",
            )
    for place in config.places:
        if not re.fullmatch(r"\w{2,21}", place, re.ASCII):
            raise Invalid(f"{place!r} is no community", "Write names such as cars, separated by spaces.")


class Account:
    """Asks Reddit in the account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context
        # Reddit wants platform, application, version and account named, and refuses who hides behind another.
        self._named = f"server:rapport:{config.client_id}:v1 (by /u/{config.username})"

    def get(self, path: str, parameters: Parameters = ()) -> Any:
        """Ask for something, as raw text instead of escaped HTML."""
        target = f"{API}{path}?{urlencode([*parameters, ('raw_json', 1)])}"
        return self._asked(Request(target, headers=self._headers()))

    def post(self, path: str, form: Parameters) -> Any:
        """Make something."""
        headers = self._headers() | {"content-type": "application/x-www-form-urlencoded"}
        body = urlencode([("api_type", "json"), ("raw_json", 1), *form]).encode()
        return self._asked(Request(f"{API}{path}", "POST", body, headers))

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"bearer {self._token()}", "user-agent": self._named}

    def _token(self) -> str:
        key = (self.config.username, self.config.client_id, self.config.client_secret, self.config.password)
        return oauth.held(self._context.memory, key, self._context.now(), self._logged_in)

    def _logged_in(self) -> oauth.Token:
        pair = f"{self.config.client_id}:{self.config.client_secret}".encode()
        form = {
            "grant_type": "password",
            "username": self.config.username,
            "password": self.config.password,
        }
        headers = {
            "authorization": "Basic " + base64.b64encode(pair).decode(),
            "user-agent": self._named,
        }
        try:
            return oauth.given(self._context.fetch, LOGIN, form, headers)
        except oauth.Refused as refused:
            raise self._login(refused) from None

    def _login(self, refused: oauth.Refused) -> Failed:
        if refused.answer.status == 401:
            return Failed(
                "Reddit does not know the application",
                reason="login",
                retry_after_s=None,
                hint="Copy its id and its secret anew from reddit.com/prefs/apps.",
            )
        if refused.answer.status != 200:
            return self._failed(refused.answer)
        return Failed(
            f"Reddit does not accept the password of {self.config.username}: "
            f"{refused.code or 'no token was given'}",
            reason="login",
            retry_after_s=None,
            hint="The application has to be of the kind script and the account's own, without a second factor.",
        )

    def _asked(self, request: Request) -> Any:
        self._spare()
        answer = self._context.fetch(request)
        self._note_limit(answer)
        if answer.status == 401:
            # The token may be over before its time; the next request brings a new one, or the reason why not.
            oauth.dropped(self._context.memory)
            headers = dict(request.headers) | {"authorization": f"bearer {self._token()}"}
            answer = self._context.fetch(Request(request.url, request.method, request.body, headers))
            self._note_limit(answer)
        if answer.status != 200:
            failed = self._failed(answer)
            # Reddit's front may give up on what its back has taken.
            failed.is_unsure = request.method == "POST" and answer.status >= 500
            raise failed
        found = wire.document(answer.body)
        if not isinstance(found, dict):
            raise Failed(NO_JSON, is_unsure=request.method == "POST")
        return found

    def _spare(self) -> None:
        """Ask nothing where Reddit said that nothing is left."""
        until = self._context.memory.get(LIMIT)
        now = self._context.now()
        if until is not None and until > now:
            raise Failed(
                "Reddit's limit of requests is spent",
                reason="rate",
                retry_after_s=(until - now).total_seconds(),
                hint="It goes on by itself.",
            )

    def _note_limit(self, answer: Answer) -> None:
        left, reset = (answer.headers.get(f"x-ratelimit-{n}", "") for n in ("remaining", "reset"))
        if re.fullmatch(r"\d+(\.\d+)?", left) and re.fullmatch(r"\d+(\.\d+)?", reset) and float(left) < 1:
            self._context.memory[LIMIT] = self._context.now() + dt.timedelta(seconds=float(reset))

    def _failed(self, answer: Answer) -> Failed:
        found = wire.document(answer.body)
        words = wire.text_at(found, "message") or wire.text_at(found, "reason")
        failed = refusal(answer, "Reddit", self._context.now(), words=words)
        if answer.status == 429:
            failed.retry_after_s = wire.wait_s(answer.headers, self._context.now()) or 60.0
        return failed
