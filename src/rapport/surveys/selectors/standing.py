"""How a survey and a response stand: open or why not, what is known of the one who answers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.surveys import rules
from rapport.surveys.models import Answer, Invitation, Quota, Response, Seat, Survey, Version
from rapport.surveys.rules import conditions, logic
from rapport.surveys.rules.definition import RESULT_ANSWERS_MIN

HELD = dt.timedelta(hours=1)  # a place of a quota is held so long for a response that nobody touches


@dataclass(frozen=True, slots=True)
class Asked:
    """A survey as the one who answers meets it."""

    slug: str
    version: int
    definition: rules.Definition
    closed: str  # why it takes no answers now; '' where it does
    is_full: bool
    recontact_days: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResponseView:
    """One response, how far it got, and what it says."""

    id: uuid.UUID
    survey: str
    identifier: str
    state: str
    place: str
    language: str
    answers: dict[str, rules.Value | None]
    walk: logic.Walk
    definition: rules.Definition
    started_at: dt.datetime
    ended_at: dt.datetime | None


def closed_because(survey: Survey) -> str:
    """Why a survey takes no answers now: draft, paused, closed, not_open_yet, over; '' where it does."""
    now = clock.now()
    if survey.version is None:
        return "draft"
    if survey.state != Survey.State.PUBLISHED:
        return str(survey.state)
    if survey.opens_at and now < survey.opens_at:
        return "not_open_yet"
    if survey.closes_at and now >= survey.closes_at:
        return "over"
    return ""


def traits_asked(definition: rules.Definition) -> set[str]:
    """The traits that a survey looks at: those it asks for, and those its conditions name."""
    stated = [c for q in definition.questions for c in q.show_if]
    stated += [c for q in definition.questions for j in q.jumps for c in j.when]
    stated += [c for quota in definition.quotas for c in quota.when]
    of_conditions = {c.name for c in stated if c.about == conditions.TRAIT}
    return of_conditions | {q.trait for q in definition.questions if q.trait}


def declared_traits(identifier: str, names: Iterable[str]) -> dict[str, Any]:
    """What somebody declared of these traits; nothing of somebody not known yet."""
    wanted = set(names)
    if not wanted:
        return {}
    try:
        found = people.person(identifier).traits
    except NotFound:
        return {}
    told: dict[str, Any] = {}
    for trait in found:
        stated = [view for view in (trait.chosen, *trait.others) if view.origin == "declared"]
        if trait.name in wanted and stated and stated[0].value not in (None, ""):
            told[trait.name] = _plain(stated[0].value)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [str(one) for one in value]
    return value if isinstance(value, str | int | float) else str(value)


def asked(slug: str) -> Asked:
    """A published survey by its address. Raises NotFound for one that nobody was ever asked."""
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None or survey.version is None:
        raise NotFound(f"there is no survey at {slug!r}", "Check the address, or ask whoever sent it.")
    definition = definition_of(survey, survey.version)
    return Asked(
        slug=slug,
        version=survey.version,
        definition=definition,
        closed=closed_because(survey),
        is_full=_is_full(survey, definition),
        recontact_days=survey.recontact_days,
        places=tuple(survey.places),
    )


def definition_of(survey: Survey, version: int) -> rules.Definition:
    """What a version asks."""
    return rules.from_json(Version.objects.get(survey=survey, number=version).definition)


def _is_full(survey: Survey, definition: rules.Definition) -> bool:
    """Whether the quota over everybody has no place left, not counting those left lying."""
    stale = clock.now() - HELD
    for quota in definition.quotas:
        if quota.when:
            continue
        row = Quota.objects.filter(survey=survey, key=quota.key).first()
        if row is None or row.n_taken < quota.limit:
            continue
        lying = Seat.objects.filter(
            survey=survey,
            key=quota.key,
            response__state=Response.State.OPEN,
            response__changed_at__lt=stale,
        ).count()
        if row.n_taken - lying >= quota.limit:
            return True
    return False


def answers_of(response: uuid.UUID) -> dict[str, rules.Value | None]:
    """What a response says so far; None where a question was left empty."""
    rows = Answer.objects.filter(response=response).values_list("question", "value")
    return {question: tuple(value) if isinstance(value, list) else value for question, value in rows}


def response(response_id: uuid.UUID) -> ResponseView:
    """One response. Raises NotFound where it is no longer kept."""
    row = Response.objects.select_related("survey").filter(id=response_id).first()
    if row is None:
        raise NotFound("this response is no longer kept", "Begin again with the link you were given.")
    definition = definition_of(row.survey, row.version)
    answers = answers_of(row.id)
    return ResponseView(
        id=row.id,
        survey=row.survey.slug,
        identifier=row.identifier,
        state=row.state,
        place=row.place,
        language=row.language,
        answers=answers,
        walk=logic.walk(definition.questions, answers, row.traits),
        definition=definition,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def last_response(survey: Survey, identifier: str) -> Response | None:
    """The response that an identifier has under way, or ended less than the survey's wait ago."""
    last = Response.objects.filter(survey=survey, identifier=identifier).order_by("-started_at").first()
    if last is None or last.state == Response.State.OPEN:
        return last
    since = clock.now() - dt.timedelta(days=survey.recontact_days)
    return last if last.ended_at and last.ended_at >= since else None


def response_of(slug: str, identifier: str) -> uuid.UUID | None:
    """The id of that response."""
    survey = Survey.objects.filter(slug=slug).first()
    found = last_response(survey, identifier) if survey else None
    return found.id if found else None


def may_show(slug: str, identifier: str) -> str:
    """Why a survey is not put to somebody on the site now: a reason, or '' where it may be.

    Any survey counts for the wait, whichever of the person's identifiers it reached.
    """
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None or survey.version is None:
        return "draft"
    if closed := closed_because(survey):
        return closed
    if "site" not in survey.places:
        return "not_on_site"
    if not identifier:
        return ""
    last = last_response(survey, identifier)
    if last is not None:
        return "" if last.state == Response.State.OPEN else "answered"
    mine = identifiers_of(identifier)
    since = clock.now() - dt.timedelta(days=survey.recontact_days)
    reached = Response.objects.filter(identifier__in=mine, started_at__gte=since).exists()
    invited = Invitation.objects.filter(identifier__in=mine, state="sent", at__gte=since).exists()
    return "recontact" if reached or invited else ""


def identifiers_of(identifier: str) -> list[str]:
    """Every identifier of the person that one belongs to; itself alone while nobody is known by it."""
    try:
        return [i.text for i in people.person(identifier).identifiers]
    except NotFound:
        return [identifier]


def first_walk(slug: str, identifier: str) -> logic.Walk:
    """The way as it begins for somebody who has answered nothing yet."""
    definition = asked(slug).definition
    traits = declared_traits(identifier, traits_asked(definition)) if identifier else {}
    return logic.walk(definition.questions, {}, traits)


def others(slug: str, definition: rules.Definition, key: str) -> list[tuple[str, rules.Texts, int]]:
    """How everybody answered one question so far, as (value, words, n) in its own order.

    Nothing where so few answered that it would show who.
    """
    question = definition.question(key)
    if question is None:
        return []
    rows = Answer.objects.filter(
        response__survey__slug=slug,
        response__state=Response.State.FINISHED,
        question=key,
        value__isnull=False,
    )
    counts: dict[str, int] = {}
    for value, n in rows.values_list("value").annotate(n=Count("question")):
        for one in value if isinstance(value, list) else [value]:
            counts[str(one)] = counts.get(str(one), 0) + n
    if sum(counts.values()) < RESULT_ANSWERS_MIN:
        return []
    choices: dict[str, rules.Texts] = {c.key: c.text for c in getattr(question, "choices", ())}
    order = list(choices) or [str(n) for n in range(int(question.low), int(question.high) + 1)]  # type: ignore[attr-defined]
    return [(value, choices.get(value, {}), counts.get(value, 0)) for value in order]
