"""Inviting by mail: whom consent and the wait allow, through the one send pipeline, each with a link of their own."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy

from rapport.consent import links
from rapport.consent import services as consent
from rapport.consent.selectors import many
from rapport.kit import bulk, clock
from rapport.kit.errors import Conflict
from rapport.messaging import services as messaging
from rapport.messaging.rules.blocks import MESSAGE, Block, Template
from rapport.surveys import rules
from rapport.surveys.models import Survey
from rapport.surveys.selectors import inviting as selectors
from rapport.surveys.selectors import standing
from rapport.surveys.selectors.inviting import Base
from rapport.surveys.services.answering import SURVEY_TTL, survey_token

PURPOSE = "research"
CHUNK = 500
TEMPLATE = Template(
    key="survey_invitation",
    kind=MESSAGE,
    meaning=gettext_lazy("Asks somebody to answer a survey, by a link of their own."),
    subject_line="{title}",
    blocks=(
        Block("heading", "{title}"),
        Block("text", "{intro}"),
        Block("button", gettext_lazy("Answer"), "{url}"),
        Block("note", gettext_lazy("You may stop at any page; what you answered until then is kept.")),
    ),
    purposes=(PURPOSE,),
    ttl_s=14 * 86_400,
)


@dataclass(frozen=True, slots=True)
class Invited:
    """What became of the people who came into question: n_base = n + all that were withheld."""

    n_base: int
    n: int
    withheld: Mapping[str, int]  # by reason: our own, then those of the send pipeline


def invite(slug: str, base: Base, *, by: str) -> Invited:
    """Ask by mail everybody of the base whom consent, the wait and the sample allow.

    Raises Conflict where the survey takes no answers or is not asked by mail. May be called again after a
    crash: a person gets one invitation to a survey a day at most, and the wait holds from the first.
    """
    survey = Survey.objects.filter(slug=slug).first()
    asked = standing.asked(slug)
    if survey is None or asked.closed or asked.is_full:
        raise Conflict(f"survey {slug!r} takes no answers now", "Publish it, or open it again, first.")
    if "mail" not in asked.places:
        raise Conflict(f"survey {slug!r} is not asked by mail", "Add “by mail” to its places.")
    warrant = consent.warrant(PURPOSE, by=by, why=f"invite to survey {slug}", channel="email")
    found = selectors.candidates(slug, base, warrant).to_pylist()
    withheld: Counter[str] = Counter(row["reason"] for row in found if row["reason"])
    n = 0
    for chunk in _chunks([row for row in found if not row["reason"]]):
        messages = _messages(survey, asked, chunk)
        planned = messaging.send_many(messages)
        rows = []
        for message, outcome in zip(messages, planned.outcomes, strict=True):
            reason = outcome.reason if isinstance(outcome, messaging.Withheld) else ""
            withheld[reason] += bool(reason)
            n += not reason
            state = "withheld" if reason else "sent"
            rows.append(
                (survey.pk, message.to, state, reason, bulk.time_value(clock.now()), clock.now().date(), by)
            )
        bulk.upsert(
            "surveys_invitation",
            ("survey_id", "identifier", "state", "reason", "invited_at", "invited_on", "invited_by"),
            rows,
            conflict=("survey_id", "identifier", "invited_on"),
        )
    return Invited(len(found), n, {reason: count for reason, count in withheld.items() if count})


def link(slug: str, identifier: str, *, place: str = "mail", closes_at: dt.datetime | None = None) -> str:
    """The whole address at which one identifier answers a survey."""
    ttl = min(SURVEY_TTL, closes_at - clock.now()) if closes_at else SURVEY_TTL
    token = survey_token(slug, identifier, place, ttl)
    return f"{links.public_url()}/s/{slug}/{token}"


def _messages(survey: Survey, asked: standing.Asked, rows: list[dict[str, Any]]) -> list[messaging.Outgoing]:
    wishes = many.wishes_of([row["identifier"] for row in rows], "language")
    spoken = {code for code, _name in settings.LANGUAGES}
    made = []
    for row in rows:
        wanted = str(wishes.get(row["identifier"]) or row["language"] or "").partition("-")[0]
        language = wanted if wanted in spoken else ""
        definition = asked.definition
        text = {
            name: rules.text_in(texts, language, definition.main_language)
            for name, texts in (("title", definition.title), ("intro", definition.intro))
        }
        made.append(
            messaging.Outgoing(
                to=row["identifier"],
                purpose=PURPOSE,
                template=TEMPLATE.key,
                key=f"survey:{survey.slug}:{clock.now().date()}:{row['identifier']}"[:200],
                context={**text, "url": link(survey.slug, row["identifier"], closes_at=survey.closes_at)},
                campaign=f"survey:{survey.slug}",
                language=language or None,
            )
        )
    return made


def _chunks(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk
