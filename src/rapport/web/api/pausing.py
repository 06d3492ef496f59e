"""Pausing everything that leaves."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from rapport.messaging import selectors, services
from rapport.pacing import selectors as pacing
from rapport.staff.rules import Scope
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken, token_of
from rapport.web.api.consents import vars_of
from rapport.web.api.problems import described

router = Router(tags=["installation"], auth=BearerToken(Scope.PAUSE_WRITE))


@router.get("", response=described(shapes.Paused), summary="Is everything paused?")
def state(request: HttpRequest) -> Any:  # noqa: ARG001  ninja's shape
    return _paused()


@router.post("", response=described(shapes.Paused), summary="Let nothing leave from now on")
def pause(request: HttpRequest, wanted: shapes.PauseWanted) -> Any:
    """On any channel: once this has answered, nothing is handed over. Log-in links of colleagues still leave."""
    services.pause_all(_who(request), wanted.why)
    return _paused()


@router.delete("", response=described(shapes.Paused), summary="Let everything leave again")
def resume(request: HttpRequest) -> Any:
    """What waited leaves once each."""
    services.resume_all(_who(request))
    return _paused()


def _who(request: HttpRequest) -> str:
    token = token_of(request)
    return token.staff.email if token.staff else token.name


def _paused() -> dict[str, Any]:
    holds = pacing.pause_all()
    return {
        "pause": vars_of(holds, shapes.Pause) if holds else None,
        "n_waiting": selectors.n_waiting(),
        "n_outdated": selectors.n_outdated(),
    }
