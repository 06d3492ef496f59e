"""Taking in a survey whose answers came from elsewhere: an import, another tool, the API."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.surveys import rules
from rapport.surveys.models import Survey, Version
from rapport.surveys.rules.questions import KINDS, Choice, several
from rapport.surveys.services.editing import SLUG

CHOICES_MAX = 12  # with more different answers than this, a question was in one's own words
PACKAGE = "rapport.surveys"


def adopt(
    slug: str,
    *,
    by: str,
    definition: rules.Definition | None = None,
    is_open: bool = False,
    languages: Sequence[str] = ("en",),
) -> str:
    """Make a survey of answers that the log holds under this name, closed unless told otherwise.

    Without a definition its questions are guessed from the answers; their words are the ones the answers
    came with. Safe to repeat: what is there already stays as it is.
    """
    if not SLUG.match(slug):
        raise NotFound(f"{slug!r} can be no survey's address", "Import the answers under another name.")
    made = definition or _guessed(slug, languages)
    now = clock.now()
    with transaction.atomic():
        survey, is_new = Survey.objects.get_or_create(
            slug=slug,
            defaults={
                "draft": rules.to_json(made),
                "state": Survey.State.PUBLISHED if is_open else Survey.State.CLOSED,
                "version": 1,
                "places": ["link", "mail"],
                "created_at": now,
                "created_by": by,
                "changed_at": now,
            },
        )
        if is_new:
            Version.objects.create(
                survey=survey, number=1, definition=rules.to_json(made), published_at=now, published_by=by
            )
    return slug


def _guessed(slug: str, languages: Sequence[str]) -> rules.Definition:
    con = lake.connect()
    try:
        asked = {"survey": slug, "most": CHOICES_MAX}
        rows = query.run(con, query.load(PACKAGE, "guessed"), asked).fetchall()
    finally:
        con.close()
    if not rows:
        raise NotFound(f"the log holds no answers to {slug!r}", "Import them, then take the survey in.")
    language = languages[0]
    questions = tuple(_question(row, language) for row in rows)
    title = {code: slug.replace("_", " ").replace("-", " ").capitalize() for code in languages}
    return rules.Definition(languages=tuple(languages), title=title, questions=questions)


def _question(row: Sequence[Any], language: str) -> rules.Question:
    key, n_scored, n_whole, low, high, answers = row
    given: dict[str, Any] = {"key": str(key), "text": {language: str(key) or "?"}}
    kind = "open"
    if n_scored and n_whole == n_scored and low >= 0 and high <= 10:
        if high > 7 or re.search(r"nps|recommend", str(key)):
            kind = "nps"
        elif low >= 1 and high <= 5:
            kind = "csat"
        else:
            kind = "scale"
            given |= {"low": int(min(low, 1)), "high": int(max(high, 5))}
    elif n_scored:
        kind = "number"
    elif answers and len(answers) > 1:
        kind = "multiple" if any(a.startswith("[") for a in answers) else "single"
        offered = sorted({choice for a in answers for choice in several(a)})
        given["choices"] = tuple(Choice(a, {language: a}) for a in offered)
    return KINDS[kind](**given)
