"""What surveys came to, of those whose answers may be read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from rapport.staff.rules import Scope
from rapport.surveys import selectors
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken
from rapport.web.api.consents import vars_of
from rapport.web.api.people import Purpose, warrant_for
from rapport.web.api.problems import described

router = Router(tags=["surveys"], auth=BearerToken(Scope.SURVEYS_READ))


@router.get("", response=described(list[shapes.Survey]), summary="Every survey, and how many answered")
def listing(request: HttpRequest) -> Any:  # noqa: ARG001  ninja's shape
    rows, _elsewhere = selectors.listing()
    return [vars_of(row, shapes.Survey) for row in rows]


@router.get("/{slug}/results", response=described(shapes.SurveyResults), summary="What the answers come to")
def results(request: HttpRequest, slug: shapes.Key, purpose: Purpose) -> Any:
    """Question by question, with the interval of each figure."""
    found = selectors.results(slug, warrant_for(request, purpose))
    questions = [
        {
            "key": q.key,
            "kind": q.kind,
            "n": q.n,
            "n_people": q.n_people,
            "estimate": vars_of(q.estimate, shapes.Estimate) if q.estimate else None,
            "answers": [{"answer": str(bar.answer), "n": bar.n} for bar in q.bars],
        }
        for q in found.questions
    ]
    totals = {
        name: getattr(found, name) for name in ("n_people", "n_responses", "n_answers", "first_at", "last_at")
    }
    return totals | {"questions": questions}
