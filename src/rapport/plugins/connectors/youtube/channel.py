"""The channel that we read and write as: its log-in, and how YouTube's Data API is asked within its quota."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from rapport.kit import oauth, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed, refusal, setting

LOGIN = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
API = "https://www.googleapis.com/youtube/v3"
SPENT = "spent"  # where it is remembered
PACIFIC = ZoneInfo("America/Los_Angeles")  # at whose midnight quotas begin anew
GONE = "YouTube does not have this comment, or one of these, any more"
READ_UNITS, WRITE_UNITS = 1, 50

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which channel, and by which project of Google's."""

    channel: str = setting("", "Channel's id", "Begins with UC; in YouTube's settings under Advanced.")
    client_id: str = setting("", "OAuth client's id", "Of the firm's own project in Google Cloud.")
    client_secret: str = setting("", "OAuth client's secret", secret=True)
    refresh_token: str = setting(
        "", "Refresh token", "Given by the channel's owner for the scope youtube.force-ssl.", secret=True
    )
    units: int = setting(
        10_000, "Units a day", "The project's quota. Nine tenths of it are spent on reading at most.",
        low=1_000, high=10_000_000,
    )  # fmt: skip


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    if not re.fullmatch(r"UC[\w-]{22}", config.channel, re.ASCII):
        raise Invalid(f"{config.channel!r} is no id of a channel", "It begins with UC and has 24 characters.")
    for name, what in (("client_id", "id"), ("client_secret", "secret"), ("refresh_token", "refresh token")):
        if not re.fullmatch(r"[\x21-\x7e]+", getattr(config, name)):
            raise Invalid(
                f"there is no {what}", "Make an OAuth client in the firm's project of Google Cloud."
            )
    if not 1_000 <= config.units <= 10_000_000:
        raise Invalid(f"{config.units} units a day cannot be", "Google gives 10,000 unless it granted more.")


class Channel:
    """Asks YouTube in the channel's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context

    def get(self, path: str, parameters: Parameters) -> Any:
        """Ask for something, unless the day's units for reading are spent."""
        if self._spent() + READ_UNITS > self.config.units * 9 // 10:
            raise self._out_of_quota("the units for reading are spent for today")
        return self._asked(Request(f"{API}/{path}?{urlencode(parameters)}"), READ_UNITS)

    def by_id(self, path: str, parameters: Parameters, ids: Sequence[str]) -> dict[str, Any] | None:
        """Things by their ids, those alone that are there; None for an answer that is not whole.

        The reference says that all are refused where one is gone, and mostly that one is merely left out: so a
        list that is refused is asked for by halves.
        """
        try:
            told = self.get(path, [*parameters, ("id", ",".join(ids))])
        except Failed as failed:
            if failed.message != GONE:
                raise
            half = len(ids) // 2
            if not half:
                return {}
            parts = [self.by_id(path, parameters, part) for part in (ids[:half], ids[half:])]
            return None if None in parts else {id: one for part in parts if part for id, one in part.items()}
        items = wire.at(told, "items")
        return {wire.text_at(one, "id"): one for one in items} if isinstance(items, list) else None

    def post(self, path: str, body: Any) -> Any:
        """Make something."""
        headers = {"content-type": "application/json"}
        sent = json.dumps(body, ensure_ascii=False).encode()
        return self._asked(Request(f"{API}/{path}?part=snippet", "POST", sent, headers), WRITE_UNITS)

    def _spent(self) -> int:
        day, units = self._context.memory.get(SPENT, ("", 0))
        return int(units) if day == self._today() else 0

    def _today(self) -> str:
        return self._context.now().astimezone(PACIFIC).date().isoformat()

    def _asked(self, request: Request, units: int) -> Any:
        answer = self._sent(request, units)
        if answer.status == 401:
            # The token may be over before its time; the next request brings a new one, or the reason why not.
            oauth.dropped(self._context.memory)
            answer = self._sent(request, units)
        if answer.status != 200:
            raise self._failed(answer)
        found = wire.document(answer.body)
        if not isinstance(found, dict):
            raise Failed(
                "YouTube answered with something that is no JSON", is_unsure=request.method == "POST"
            )
        return found

    def _sent(self, request: Request, units: int) -> Answer:
        headers = dict(request.headers) | {"authorization": f"Bearer {self._token()}"}
        # Requests that are refused cost as well.
        self._context.memory[SPENT] = (self._today(), self._spent() + units)
        return self._context.fetch(Request(request.url, request.method, request.body, headers))

    def scope(self) -> list[str]:
        """What the log-in is for, as Google says when it renews it; empty where it does not say."""
        return self._logged_in().scope.split()

    def _token(self) -> str:
        key = (self.config.client_id, self.config.client_secret, self.config.refresh_token)
        return oauth.held(self._context.memory, key, self._context.now(), self._logged_in)

    def _logged_in(self) -> oauth.Token:
        form = {
            "client_id": self.config.client_id,
            "client_secret": self.config.client_secret,
            "refresh_token": self.config.refresh_token,
            "grant_type": "refresh_token",
        }
        try:
            return oauth.given(self._context.fetch, LOGIN, form)
        except oauth.Refused as refused:
            if refused.answer.status not in {200, 400, 401}:
                raise refusal(refused.answer, "Google", self._context.now(), words=refused.code) from None
            raise Failed(
                "Google does not renew the log-in of the channel: "
                f"{refused.words or refused.code or 'no token was given'}",
                reason="login",
                retry_after_s=None,
                hint="Let the channel's owner agree again, and enter the new refresh token. Those of a project "
                "that is still in testing end after seven days.",
            ) from None

    def _out_of_quota(self, words: str) -> Failed:
        now = self._context.now()
        here = now.astimezone(PACIFIC)
        midnight = dt.datetime.combine(here.date() + dt.timedelta(days=1), dt.time(), PACIFIC)
        return Failed(
            f"YouTube's quota: {words}",
            reason="rate",
            retry_after_s=(midnight.astimezone(dt.UTC) - now).total_seconds(),
            hint="It begins anew at midnight in California. Google grants more on request.",
        )

    def _failed(self, answer: Answer) -> Failed:
        error = wire.at(wire.document(answer.body), "error")
        why, words = wire.text_at(error, "errors", 0, "reason"), wire.text_at(error, "message")
        if why in {"quotaExceeded", "dailyLimitExceeded"}:
            return self._out_of_quota(words)
        if why in {"rateLimitExceeded", "userRateLimitExceeded"}:
            return Failed(f"YouTube wants fewer requests: {words}", reason="rate", retry_after_s=60.0)
        if answer.status == 404 and why in {"commentNotFound", "commentThreadNotFound"}:
            return Failed(GONE, is_permanent=True)
        if why in {"commentsDisabled", "parentCommentIsPrivate"}:
            return Failed(f"this cannot be answered: {words}", reason="permission", is_permanent=True)
        failed = refusal(answer, "YouTube", self._context.now(), words=words)
        failed.is_unsure = answer.status >= 500
        return failed
