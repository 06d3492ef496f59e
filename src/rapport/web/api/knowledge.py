"""What the firm knows, asked by its own site or help desk: the same proposals as in the inbox."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router

from rapport.knowledge import services
from rapport.staff.rules import Scope
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken
from rapport.web.api.problems import described

router = Router(tags=["knowledge"], auth=BearerToken(Scope.KNOWLEDGE_READ))

Question = Annotated[str, Query(min_length=1, max_length=2_000, description="As somebody would write it.")]
Language = Annotated[
    str, Query(max_length=16, description="Of the answer; the firm's where there is none in it.")
]
Known = Annotated[
    list[str],
    Query(max_length=20, description="What is known of whoever asks: `vehicle=Kolt Brio`, once for each."),
]


@router.get(
    "/answers", response=described(shapes.ProposedAnswers), summary="Up to three answers to a question"
)
def answers(request: HttpRequest, question: Question, language: Language = "", known: Known = []) -> Any:  # noqa: ARG001, B006  ninja's shape
    """With how likely each is right, a question back where something is missing, or silence where nothing fits.

    A price that was seen longer than a day ago is left out, and `is_stale` says so. Asking changes nothing.
    """
    pairs = dict(part.split("=", 1) for part in known if "=" in part)
    return dataclasses.asdict(services.propose(question, language=language, known=pairs))
