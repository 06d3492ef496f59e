"""Events from the firm's own systems, checked against the plan before they are taken."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from django.http import HttpRequest
from ninja import Router, Status

from rapport.events import plan, rules, services
from rapport.kit import ids
from rapport.kit.errors import Invalid
from rapport.staff.rules import Scope
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken
from rapport.web.api.problems import described

router = Router(tags=["events"], auth=BearerToken(Scope.EVENTS_WRITE))


@router.post("", response=described(shapes.Recorded, 201), summary="Record what happened")
def record(request: HttpRequest, given: shapes.Touchpoints) -> Any:  # noqa: ARG001  ninja's shape
    """All or nothing: an event that the plan refuses refuses the request, and says which and why.

    On disk when this answers; on the person's timeline a second or so later.
    """
    rows = [_row(touchpoint) for touchpoint in given.events]
    _only_by_the_api(given.events)
    table = pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT)
    if wrong := services.objections(table):
        first = wrong[0]
        raise Invalid(
            f"events[{first.place}].{first.field}: {first.message}",
            f"{len(wrong)} of {len(rows)} events are refused, so none was recorded.",
        )
    span = services.record(table, source=given.source)
    return Status(201, {"n": span.n, "first_seq": span.first, "last_seq": span.first + span.n - 1})


def _row(touchpoint: shapes.Touchpoint) -> dict[str, Any]:
    row = touchpoint.model_dump(exclude={"properties"})
    namespace, _, value = touchpoint.identifier.partition(":")
    row["identifier"] = rules.normal_identifier(namespace, value)
    row["also"] = [rules.normal_identifier(*other.split(":", 1)) for other in touchpoint.also]
    row["message_id"] = touchpoint.message_id or str(ids.uuid7())
    row["properties"] = json.dumps(touchpoint.properties, allow_nan=False)
    return row


def _only_by_the_api(events: list[shapes.Touchpoint]) -> None:
    """Refuse events that only another part of Rapport can know, such as a message having been sent."""
    known = plan.current()
    for place, event in enumerate(events):
        planned = known.get(event.name)
        if planned and not {"api", "shop", "connector"} & set(planned.emits):
            raise Invalid(
                f"events[{place}].name: {event.name} is recorded by {', '.join(planned.emits)} alone",
                "Record what your own system saw.",
            )
