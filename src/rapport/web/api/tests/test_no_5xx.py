"""Whatever is sent to the API, it never fails: Schemathesis throws what the document allows, and what it does not."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from rapport.staff import services as staff
from rapport.staff.models import Staff
from rapport.staff.rules import Scope
from rapport.web.api import auth

pytestmark = pytest.mark.django_db

EXAMPLES = 12  # of each endpoint
ANA = {"ref": "customer:1", "slug": "thanks", "request_id": "018f0000-0000-7000-8000-000000000000"}


@pytest.fixture
def thrower(ana: int, alice: Staff, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, str]:
    """The API as it describes itself, with somebody in it, and a token that opens everything."""
    monkeypatch.setattr(auth.rate, "take", lambda _key, _per_minute: 0.0)
    _, text = staff.create_token(alice, name="thrower", scopes=list(Scope))
    return schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application()), text


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """Requests that fit the document, that do not, and that ask about somebody who is there."""
    fitting = operation.as_strategy(GenerationMode.POSITIVE)
    named = {p.name for p in operation.path_parameters}
    known = {name: value for name, value in ANA.items() if name in named}
    wanted = [fitting, operation.as_strategy(GenerationMode.NEGATIVE)]
    if known:
        wanted.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known))
    return st.one_of(wanted)


def thrown_at(operation: Any, text: str) -> Counter[int]:
    """The statuses of the answers of one endpoint."""
    seen: Counter[int] = Counter()

    @seed(20260302)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation))
    def check(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {text}"})
        seen[answer.status_code] += 1
        assert answer.status_code < 500, (
            case.method,
            case.formatted_path,
            case.query,
            case.body,
            answer.text,
        )

    check()
    return seen


def test_no_endpoint_fails_whatever_it_is_given(thrower: tuple[Any, str], noon: dt.datetime) -> None:
    schema, text = thrower
    operations = [found.ok() for found in schema.get_all_operations()]
    statuses = {operation.label: thrown_at(operation, text) for operation in operations}
    assert len(statuses) >= 18
    assert all(statuses.values())
    # Both served and refused, also for having no token: else the above would hold of a closed door.
    total = sum(statuses.values(), Counter())
    assert total[400]
    assert total[401]
    assert total[200] + total[201] > len(statuses)
