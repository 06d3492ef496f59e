"""Consent: may I, and what somebody said; suppression; who outside gets what."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from rapport.consent import selectors, services
from rapport.staff.rules import Scope
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken, caller, token_of
from rapport.web.api.problems import described

router = Router(tags=["consent"])
reads, writes = BearerToken(Scope.CONSENT_READ), BearerToken(Scope.CONSENT_WRITE)


@router.get(
    "/purposes", auth=reads, response=described(list[shapes.Purpose]), summary="What data is used for"
)
def purposes(request: HttpRequest) -> Any:  # noqa: ARG001  ninja's shape
    return [vars_of(p, shapes.Purpose) for p in selectors.purposes()]


@router.get(
    "/recipients", auth=reads, response=described(list[shapes.Recipient]), summary="Who outside gets what"
)
def recipients(request: HttpRequest) -> Any:  # noqa: ARG001  ninja's shape
    return [vars_of(r, shapes.Recipient) for r in selectors.recipients()]


@router.get("/consent", auth=reads, response=described(shapes.Permission), summary="May I?")
def permission(
    request: HttpRequest,  # noqa: ARG001  ninja's shape
    identifier: shapes.Identifier,
    purpose: shapes.Key,
    channel: shapes.Channel = "",
) -> Any:
    """Whether data of somebody may be used now, and whether a message may go to this very identifier."""
    answer = selectors.allows(identifier, purpose, channel)
    stopped = selectors.is_suppressed(identifier, channel)
    return {name: getattr(answer, name) for name in ("allowed", "reason", "state", "since", "basis")} | {
        "suppressed": stopped
    }


@router.get(
    "/consent/ledger", auth=reads, response=described(list[shapes.Answered]), summary="Everything they said"
)
def ledger(request: HttpRequest, identifier: shapes.Identifier) -> Any:  # noqa: ARG001  ninja's shape
    """Every answer of somebody with its evidence, newest first; never across a probable identity."""
    return [vars_of(row, shapes.Answered) for row in selectors.ledger(identifier)]


@router.post("/consent/grant", auth=writes, response=described(shapes.Noted, 201), summary="They allow it")
def grant(request: HttpRequest, said: shapes.Statement) -> Any:
    """In force, and on record, when this answers."""
    return _noted(request, services.grant, said)


@router.post("/consent/deny", auth=writes, response=described(shapes.Noted, 201), summary="They refuse it")
def deny(request: HttpRequest, said: shapes.Statement) -> Any:
    """In force, and on record, when this answers."""
    return _noted(request, services.deny, said)


@router.post(
    "/consent/withdraw", auth=writes, response=described(shapes.Noted, 201), summary="They take it back"
)
def withdraw(request: HttpRequest, said: shapes.Statement) -> Any:
    """In force when this answers; also where the purpose or channel is no longer one of yours."""
    return _noted(request, services.withdraw, said)


@router.get(
    "/suppressions", auth=reads, response=described(list[shapes.Suppression]), summary="Is sending stopped?"
)
def suppressions(request: HttpRequest, identifier: shapes.Identifier) -> Any:  # noqa: ARG001  ninja's shape
    """Every suppression an identifier ever had, newest first."""
    return [vars_of(row, shapes.Suppression) for row in selectors.suppressions(identifier)]


@router.post(
    "/suppressions", auth=writes, response=described(list[shapes.Suppression], 201), summary="Stop sending"
)
def suppress(request: HttpRequest, asked: shapes.Suppressing) -> Any:
    """Send nothing more to an identifier. Saying it twice changes nothing."""
    services.suppress(asked.identifier, asked.channel, asked.reason, by=caller(request), note=asked.note)
    return Status(201, suppressions(request, asked.identifier))


@router.post(
    "/suppressions/lift", auth=writes, response=described(list[shapes.Suppression]), summary="Send again"
)
def lift(request: HttpRequest, asked: shapes.Lifting) -> Any:
    """Take suppressions back; what consent says stays as it is."""
    services.lift(asked.identifier, asked.channel, by=caller(request))
    return suppressions(request, asked.identifier)


def _noted(request: HttpRequest, verb: Any, said: shapes.Statement) -> Any:
    evidence = said.model_dump(exclude={"identifier", "purpose", "channel"})
    source = f"api {token_of(request).name}"[:255]
    return Status(201, {"id": verb(said.identifier, said.purpose, said.channel, source=source, **evidence)})


def vars_of(row: Any, shape: type[Schema]) -> dict[str, Any]:
    """Of a row, what a shape shows."""
    return {name: getattr(row, name) for name in shape.model_fields}
