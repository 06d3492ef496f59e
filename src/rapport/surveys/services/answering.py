"""Answering: each page is kept at once, a correction replaces, the quotas are held, the end is noted.

Every answer is also an event. Its message id is made of the response and the question, so sending a page
twice records it once; a correction is an event `answer_corrected`, which no counter counts again, and
whoever reads answers takes the newest of a response and question.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from django.db import transaction

from rapport.events import rules as log_rules
from rapport.events import services as events
from rapport.kit import clock, ids, signing
from rapport.kit.errors import Conflict, NotFound
from rapport.surveys import rules
from rapport.surveys.models import Answer, Response, Survey
from rapport.surveys.rules import logic
from rapport.surveys.selectors import standing as known
from rapport.surveys.services import seats

SOURCE = "surveys"
SURVEY_TTL = dt.timedelta(days=120)  # of a link in an invitation, where the survey names no end
RESPONSE_TTL = dt.timedelta(days=30)  # of the address of a response that is under way
ENDS = {logic.FINISHED: Response.State.FINISHED, logic.SCREENED_OUT: Response.State.SCREENED_OUT}
CHANNELS = {"mail": "email", "site": "web", "link": "web"}


class Refused(Exception):
    """A page that could not be taken: by question, what is wrong with its answer."""

    def __init__(self, wrong: Mapping[str, rules.Wrong]) -> None:
        super().__init__(", ".join(f"{key}: {one.code}" for key, one in wrong.items()))
        self.wrong = dict(wrong)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a response stands after a page was taken."""

    response: uuid.UUID
    state: str  # open, finished, screened_out, quota_full
    walk: rules.Walk
    gives: tuple[rules.Gives, ...] = field(default_factory=tuple)  # for the questions just answered


def survey_token(slug: str, identifier: str, place: str = "mail", ttl: dt.timedelta = SURVEY_TTL) -> str:
    """What a link carries that asks one identifier: whoever opens it reads that identifier's mail."""
    return signing.sign("survey", slug, identifier, place, ttl=ttl)


def response_token(response: uuid.UUID) -> str:
    """What the address of a response under way carries."""
    return signing.sign("response", str(response), ttl=RESPONSE_TTL)


def begin(slug: str, *, identifier: str = "", place: str = "link", language: str = "") -> uuid.UUID:
    """Open a response, or go on with the one that this identifier has under way; gives its id.

    Without an identifier it belongs to a new anonymous one, which nothing joins to anybody. Raises
    Conflict where the survey takes no answers now.
    """
    with transaction.atomic():
        survey = _open(slug)
        if identifier:
            last = known.last_response(survey, identifier)
            if last is not None:
                return last.id
        response = ids.uuid7()
        definition = known.definition_of(survey, survey.version or 0)
        Response.objects.create(
            id=response,
            survey=survey,
            version=survey.version or 0,
            identifier=identifier or f"anonymous:s-{response.hex}",
            is_signed=bool(identifier) and place != "site",
            place=place,
            language=language or definition.main_language,
            traits=known.declared_traits(identifier, known.traits_asked(definition)) if identifier else {},
            started_at=clock.now(),
            changed_at=clock.now(),
        )
    return response


def answer(response: uuid.UUID, place: int, raw: Mapping[str, Sequence[str]]) -> Standing:
    """Take the answers of one page, given by the page's position; keep them before anything else is asked.

    Raises Refused where an answer cannot be taken, Conflict where the page is not on this response's way or
    the survey takes no answers now.
    """
    with transaction.atomic():
        row = _under_way(response)
        definition = known.definition_of(row.survey, row.version)
        before = known.answers_of(row.id)
        page = _page(definition, before, row, place)
        said = read(page, raw)
        after = {**before, **said}
        walk = logic.walk(definition.questions, after, row.traits)
        revised = _keep(row, said)
        row.changed_at = clock.now()
        row.state = ENDS.get(walk.outcome, Response.State.OPEN)
        given = {key: after[key] for key in walk.keys if key in after}
        if row.state != Response.State.SCREENED_OUT and not seats.take(row, definition, given):
            row.state = Response.State.QUOTA_FULL
        if row.state != Response.State.OPEN:
            row.ended_at = row.changed_at
            revised += _withdraw(row, set(after) - set(walk.keys))
        if row.state in {Response.State.SCREENED_OUT, Response.State.QUOTA_FULL}:
            seats.leave(row)
        _record(row, definition, revised)
        row.save(update_fields=["state", "changed_at", "ended_at"])
    asked = [definition.question(key) for key, one in said.items() if one is not None]
    return Standing(row.id, row.state, walk, tuple(q.gives for q in asked if q and q.gives))


@dataclass(frozen=True, slots=True)
class _Revised:
    """One answer that is new or was changed; empty where it was taken back."""

    question: str
    value: rules.Value | None
    revision: int
    is_new: bool


def _open(slug: str) -> Survey:
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None or survey.version is None:
        raise NotFound(f"there is no survey at {slug!r}", "Check the address, or ask whoever sent it.")
    closed = known.closed_because(survey)
    if closed:
        raise Conflict(f"survey {slug!r} takes no answers: {closed}", "What was answered before is kept.")
    return survey


def _under_way(response: uuid.UUID) -> Response:
    row = (
        Response.objects.select_for_update(of=("self",)).select_related("survey").filter(id=response).first()
    )
    if row is None:
        raise NotFound("this response is no longer kept", "Begin again with the link you were given.")
    if row.state != Response.State.OPEN:
        raise Conflict(f"this response is {row.state}", "There is nothing more to answer.")
    closed = known.closed_because(row.survey)
    if closed:
        raise Conflict(f"the survey takes no answers: {closed}", "What was answered before is kept.")
    return row


def _page(
    definition: rules.Definition, before: Mapping[str, rules.Value | None], row: Response, place: int
) -> logic.Page:
    way = logic.walk(definition.questions, before, row.traits)
    page = next((page for page in way.pages if page.place == place), None)
    if page is None:
        raise Conflict(f"page {place + 1} is not asked here", "Go on with the page that is shown now.")
    return page


def read(page: logic.Page, raw: Mapping[str, Sequence[str]]) -> dict[str, rules.Value | None]:
    """The answers of a page as its form sent them. Raises Refused, naming every one that cannot be taken."""
    said: dict[str, rules.Value | None] = {}
    wrong: dict[str, rules.Wrong] = {}
    for question in page.questions:
        try:
            said[question.key] = question.read(raw.get(question.key, ()))
        except rules.Wrong as error:
            wrong[question.key] = error
    if wrong:
        raise Refused(wrong)
    return said


def _keep(row: Response, said: Mapping[str, rules.Value | None]) -> list[_Revised]:
    """Write a page's answers; gives those that are new or changed."""
    kept = {a.question: a for a in Answer.objects.filter(response=row.id, question__in=list(said))}
    revised = []
    for key, value in said.items():
        old = kept.get(key)
        plain = list(value) if isinstance(value, tuple) else value
        if old is None:
            Answer.objects.create(response=row, question=key, value=plain, revision=1, at=clock.now())
            if value is not None:
                revised.append(_Revised(key, value, 1, is_new=True))
        elif old.value != plain:
            # An answer first given on going back is new to the log, not a correction of it.
            first = old.value is None and old.revision == 1
            revision = old.revision + (not first)
            Answer.objects.filter(response=row.id, question=key).update(
                value=plain, revision=revision, at=clock.now()
            )
            revised.append(_Revised(key, value, revision, is_new=first))
    return revised


def _withdraw(row: Response, off_the_way: set[str]) -> list[_Revised]:
    """Take back what was said on pages that the final way does not lead over."""
    gone = list(Answer.objects.filter(response=row.id, question__in=off_the_way))
    Answer.objects.filter(response=row.id, question__in=off_the_way).delete()
    return [_Revised(a.question, None, a.revision + 1, is_new=False) for a in gone if a.value is not None]


def _record(row: Response, definition: rules.Definition, revised: Sequence[_Revised]) -> None:
    touchpoints = [_answered(row, definition, one) for one in revised]
    touchpoints += [
        _told(row, question.trait, one)
        for one in revised
        if (question := definition.question(one.question)) and question.trait and one.value is not None
    ]
    if row.ended_at is not None:
        about = {"survey": row.survey.slug, "outcome": row.state, "response": str(row.id)}
        touchpoints.append(_touchpoint(row, "survey_ended", f"{row.id}:end", about))
    if touchpoints:
        events.record(pa.Table.from_pylist(touchpoints, schema=log_rules.TOUCHPOINT), source=SOURCE)


def _answered(row: Response, definition: rules.Definition, one: _Revised) -> dict[str, Any]:
    question = definition.question(one.question)
    about: dict[str, Any] = {
        "survey": row.survey.slug,
        "question": one.question,
        "response": str(row.id),
        "version": row.version,
        "language": row.language,
    }
    text = None
    if question is not None:
        about["asked"] = rules.text_in(question.text, row.language, definition.main_language)
    if question is not None and one.value is not None:
        about["answer"] = question.answer(one.value)
        score = question.score(one.value)
        if score is not None:
            about["score"] = score
        if question.kind == "open":
            text = str(about.pop("answer"))
    name = "survey_answered" if one.is_new else "answer_corrected"
    mark = "" if one.is_new else f":{one.revision}"
    return _touchpoint(row, name, f"{row.id}:{one.question}{mark}", about, text)


def _told(row: Response, trait: str, one: _Revised) -> dict[str, Any]:
    value = list(one.value) if isinstance(one.value, tuple) else one.value
    about = {"traits": {trait: value}, "origin": "declared"}
    message_id = f"{row.id}:{one.question}:trait:{one.revision}"
    return {**_touchpoint(row, "person_identified", message_id, about), "evidence": "answer"}


def _touchpoint(
    row: Response, name: str, message_id: str, about: Mapping[str, Any], text: str | None = None
) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "name": name,
        "ts": row.changed_at,
        "identifier": row.identifier,
        "channel": CHANNELS[row.place],
        "text": text,
        "properties": json.dumps(about, ensure_ascii=False),
    }
