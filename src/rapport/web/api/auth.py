"""Who calls: the token, what it opens, and how often it may ask."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from rapport.kit import clock
from rapport.kit.errors import Denied
from rapport.staff import selectors, services
from rapport.staff.models import Token
from rapport.staff.rules import Scope
from rapport.web.errors import NotLoggedIn, TooMany

BUCKETS_MAX = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Rate:
    """A token bucket for each API token, in this process: a minute's requests at once, then refilled evenly."""

    def __init__(self) -> None:
        self._buckets: dict[int, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: int, per_minute: int) -> float:
        """Take one request; gives the seconds to wait where there is none left, else 0."""
        now_s = clock.monotonic_s()
        with self._lock:
            if len(self._buckets) > BUCKETS_MAX:
                self._buckets.clear()
            bucket = self._buckets.setdefault(key, _Bucket(per_minute, now_s))
            bucket.left = min(per_minute, bucket.left + (now_s - bucket.at_s) * per_minute / 60)
            bucket.at_s = now_s
            if bucket.left < 1:
                return (1 - bucket.left) * 60 / per_minute
            bucket.left -= 1
            return 0.0

    def forget(self) -> None:
        """Begin anew."""
        self._buckets.clear()


rate = Rate()


class BearerToken(HttpBearer):
    """A token that opens a scope, or, without one, any usable token."""

    def __init__(self, scope: Scope | None = None) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Any:  # noqa: ARG002  ninja's shape
        found = selectors.usable_token(token)
        if found is None:
            raise NotLoggedIn(
                _("this token is unknown, revoked or expired"), _("Make one under Installation, API tokens.")
            )
        wait_s = rate.take(found.pk, found.per_minute)
        if wait_s:
            raise TooMany(
                _("this token may ask %(n)s times a minute") % {"n": found.per_minute},
                _("Wait as long as Retry-After says."),
                retry_after_s=wait_s,
            )
        if self.scope is not None and not selectors.token_opens(found, self.scope):
            raise Denied(
                _("this token does not open %(scope)s") % {"scope": self.scope},
                _("Make a token with that scope, if your role carries it."),
            )
        services.note_used(found.pk)
        return found


def token_of(request: HttpRequest) -> Token:
    """The token that a request came with."""
    found: Token = request.auth  # type: ignore[attr-defined]
    return found


def caller(request: HttpRequest) -> str:
    """Who asks, for what is written down: a colleague's address, or the machine's token by name."""
    found = token_of(request)
    return found.staff.email if found.staff else f"token {found.name}"[:255]
