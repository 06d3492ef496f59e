"""Surveys as staff see them: the list, and one with its draft and how it is put to people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from rapport.kit.errors import NotFound
from rapport.surveys import rules
from rapport.surveys.models import Invitation, Quota, Response, Survey, Version
from rapport.surveys.selectors.resulting import Tally, tallies
from rapport.surveys.selectors.standing import closed_because

LISTED_MAX = 500


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """One survey as the list shows it."""

    slug: str
    title: rules.Texts
    main_language: str
    state: str
    closed: str  # why it takes no answers now; '' where it does
    n_questions: int
    n_answered: int  # people with any answer, wherever it was given
    n_begun: int  # responses on our pages
    n_finished: int
    n_invited: int
    n_invited_answered: int
    last_at: dt.datetime | None
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Answers in the log to a survey that is not here."""

    slug: str
    n_answered: int
    n_answers: int
    first_at: dt.datetime
    last_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SurveyView:
    """One survey, for whoever writes it."""

    slug: str
    state: str
    closed: str
    draft: rules.Definition
    version: int | None
    is_changed: bool  # the draft is not what is published
    problems: tuple[rules.Problem, ...]
    places: tuple[str, ...]
    opens_at: dt.datetime | None
    closes_at: dt.datetime | None
    target_ratio: float
    recontact_days: int
    n_responses: int
    published_at: dt.datetime | None
    published_by: str
    seats: dict[str, int]  # taken places by quota

    @property
    def can_be_discarded(self) -> bool:
        return self.version is None and not self.n_responses


def listing() -> tuple[list[SurveyRow], list[Elsewhere]]:
    """Every survey, last changed first; and the names of surveys that only the log knows."""
    answered = tallies("survey_answered")
    counted = {
        row["survey"]: row
        for row in Response.objects.values("survey").annotate(
            begun=Count("id"), finished=Count("id", filter=Q(state=Response.State.FINISHED))
        )
    }
    sent = Invitation.objects.filter(state="sent").values("survey")
    invited = {row["survey"]: row["n"] for row in sent.annotate(n=Count("identifier", distinct=True))}
    by_mail = Response.objects.filter(place="mail").values("survey")
    came = {row["survey"]: row["n"] for row in by_mail.annotate(n=Count("identifier", distinct=True))}
    rows = []
    for survey in Survey.objects.order_by("-changed_at", "slug")[:LISTED_MAX]:
        draft = rules.from_json(survey.draft)
        tally = answered.pop(survey.slug, None)
        own = counted.get(survey.pk)
        n_own = (own["begun"], own["finished"]) if own else (0, 0)
        rows.append(_row(survey, draft, tally, n_own, invited.get(survey.pk, 0), came.get(survey.pk, 0)))
    elsewhere = [Elsewhere(slug, t.n_subjects, t.n, t.first_at, t.last_at) for slug, t in answered.items()]
    return rows, elsewhere


def _row(
    survey: Survey,
    draft: rules.Definition,
    tally: Tally | None,
    n_own: tuple[int, int],
    n_invited: int,
    n_came: int,
) -> SurveyRow:
    return SurveyRow(
        slug=survey.slug,
        title=draft.title,
        main_language=draft.main_language,
        state=survey.state,
        closed=closed_because(survey),
        n_questions=len(draft.questions),
        n_answered=tally.n_subjects if tally else 0,
        n_begun=n_own[0],
        n_finished=n_own[1],
        n_invited=n_invited,
        n_invited_answered=n_came,
        last_at=tally.last_at if tally else None,
        changed_at=survey.changed_at,
    )


def survey(slug: str) -> SurveyView:
    """One survey. Raises NotFound."""
    row = Survey.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound(f"there is no survey at {slug!r}", "The list of surveys has those there are.")
    draft = rules.from_json(row.draft)
    last = Version.objects.filter(survey=row, number=row.version).first() if row.version else None
    return SurveyView(
        slug=slug,
        state=row.state,
        closed=closed_because(row),
        draft=draft,
        version=row.version,
        is_changed=last is None or rules.from_json(last.definition) != draft,
        problems=tuple(rules.problems(draft)),
        places=tuple(row.places),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        target_ratio=row.target_ratio,
        recontact_days=row.recontact_days,
        n_responses=Response.objects.filter(survey=row).count(),
        published_at=last.published_at if last else None,
        published_by=last.published_by if last else "",
        seats=dict(Quota.objects.filter(survey=row).values_list("key", "n_taken")),
    )
