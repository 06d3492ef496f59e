"""How the installation fares, and what the token that asks opens."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from rapport.staff.rules import Scope
from rapport.web import health
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken, token_of
from rapport.web.api.consents import vars_of
from rapport.web.api.problems import described

router = Router(tags=["installation"])


@router.get(
    "/token", auth=BearerToken(), response=described(shapes.TokenState), summary="What does my token open?"
)
def token(request: HttpRequest) -> Any:
    found = token_of(request)
    return {
        "name": found.name,
        "scopes": found.scopes,
        "staff": found.staff.email if found.staff else None,
        "per_minute": found.per_minute,
        "expires_at": found.expires_at,
    }


@router.get(
    "/health", auth=BearerToken(Scope.HEALTH_READ), response=described(shapes.Health), summary="Is all well?"
)
def checks(request: HttpRequest) -> Any:  # noqa: ARG001  ninja's shape
    """What is broken, since when, and what to do: the same as the page Health and `rapport doctor`."""
    found = health.checks()
    states = {check.state for check in found}
    worst = next(state for state in ("bad", "warn", "ok") if state in states or state == "ok")
    return {"state": worst, "checks": [vars_of(check, shapes.Check) for check in found]}
