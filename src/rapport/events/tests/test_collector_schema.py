"""Whatever is sent to the collector it answers without failing, and the loader takes in whatever it accepted."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from rapport.events import spool
from rapport.events.collector.asgi import KINDS
from rapport.events.tests.collecting import KEY, Request, ask
from rapport.events.tests.say import load

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.django_db]

OBJECT = {"type": "object"}
TEXT = {"type": "string", "maxLength": 60}
MESSAGE = {
    "type": "object",
    "required": ["type", "userId"],
    "properties": {
        "type": {"enum": [kind for kind in KINDS if kind != "batch"]},
        "messageId": TEXT,
        "userId": TEXT,
        "anonymousId": TEXT,
        "previousId": TEXT,
        "groupId": TEXT,
        "event": {"enum": ["Order Completed", "Coupon Viewed", "", "consent_granted"]},
        "name": TEXT,
        "category": TEXT,
        "timestamp": {"type": "string", "format": "date-time"},
        "sentAt": {"type": "string", "format": "date-time"},
        "properties": OBJECT,
        "traits": OBJECT,
        "context": OBJECT,
        "integrations": OBJECT,
    },
}
ANSWERS = {"200": {"description": "stored"}, "default": {"description": "refused"}}


def described(shape: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": shape}}}
    return {"post": {"requestBody": body, "responses": ANSWERS}}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Collector", "version": "1"},
    "paths": {
        **{f"/v1/{kind}": described(MESSAGE) for kind in KINDS if kind != "batch"},
        "/v1/batch": described(
            {
                "type": "object",
                "required": ["batch"],
                "properties": {"batch": {"type": "array", "items": MESSAGE, "minItems": 1, "maxItems": 5}},
            }
        ),
    },
}
OPERATIONS: list[Any] = [
    cast("Any", found).ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
]


def cases() -> st.SearchStrategy[list[Any]]:
    each = [
        o.as_strategy(mode) for o in OPERATIONS for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    return st.lists(st.one_of(each), min_size=12, max_size=30)


def body_of(case: Any) -> bytes:
    if isinstance(case.body, bytes):
        return case.body
    try:
        return json.dumps(case.body).encode()
    except (TypeError, ValueError):  # no body at all
        return b""


def test_nothing_fails_and_what_was_accepted_is_taken_in() -> None:
    seen: dict[int, int] = {}
    box = spool.current()
    box.add_write_key("site", KEY)

    @seed(20260302)
    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(thrown=cases())
    def check(thrown: list[Any]) -> None:
        before = box.next_seq()
        answers = ask(box, *(Request(case.path, [body_of(case)]) for case in thrown))
        for case, answer in zip(thrown, answers, strict=True):
            seen[answer.status] = seen.get(answer.status, 0) + 1
            assert answer.status < 500, (case.path, case.body, answer.body)
        accepted = box.next_seq() - before
        done = load()
        assert sum(d.read for d in done) == accepted
        assert sum(d.accepted + d.duplicate + d.quarantined + d.left_out for d in done) == accepted

    check()
    assert seen[200] > 20
    assert seen[400] > 20
