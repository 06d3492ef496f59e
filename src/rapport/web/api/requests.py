"""What people ask about their data, opened and followed from the firm's other systems."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from rapport.consent import selectors, services
from rapport.staff.rules import Scope
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken, caller
from rapport.web.api.consents import vars_of
from rapport.web.api.problems import described

router = Router(tags=["requests"])
reads, writes = BearerToken(Scope.REQUESTS_READ), BearerToken(Scope.REQUESTS_WRITE)


@router.post("", auth=writes, response=described(shapes.Request, 201), summary="Open one")
def opened(request: HttpRequest, asked: shapes.Asking) -> Any:
    """The answer is due in 30 days. The same person asking the same again is one request."""
    made = services.open_request(asked.ref, asked.kind, by=caller(request), note=asked.note)
    return Status(201, vars_of(made, shapes.Request))


@router.get("", auth=reads, response=described(list[shapes.Request]), summary="What waits for an answer")
def waiting(request: HttpRequest) -> Any:  # noqa: ARG001  ninja's shape
    """At most 200, the one that is due first at the top."""
    return [vars_of(row, shapes.Request) for row in selectors.open_requests()]


@router.get("/{request_id}", auth=reads, response=described(shapes.Request), summary="How one stands")
def one(request: HttpRequest, request_id: uuid.UUID) -> Any:  # noqa: ARG001  ninja's shape
    return vars_of(selectors.request(request_id), shapes.Request)
