"""Write a survey: its questions in order, their logic in sentences, what is missing, and publishing it.

Every button is a form of its own and works without script; with it, htmx swaps the page's parts in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.kit.errors import Invalid, NotFound
from rapport.staff.rules import Right
from rapport.surveys import rules, selectors, services
from rapport.surveys.services import drafting
from rapport.web.access import may, needs
from rapport.web.components import surveyforms, surveywords, words


@dataclass(frozen=True, slots=True)
class Line:
    """One question in the list."""

    key: str
    text: str
    kind: str
    logic: list[str]
    gives: str
    is_required: bool
    with_previous: bool
    place: int
    wrong: list[str]


@needs(Right.SEE_SURVEYS)
def edit(request: HttpRequest, slug: str) -> HttpResponseBase:
    survey = selectors.survey(slug)
    draft = survey.draft
    problems = [(p, surveywords.problem(p, draft)) for p in survey.problems]
    state, tone = surveywords.state(survey)
    context = {
        "survey": survey,
        "title": surveywords.title(draft.title, draft.main_language, slug),
        "state": state,
        "tone": tone,
        "lines": [_line(q, n, draft, problems) for n, q in enumerate(draft.questions)],
        "kinds": surveywords.KINDS.items(),
        "missing": [text for _p, text in problems],
        "general": surveyforms.texts_form(draft),
        "languages": [(code, name, code in draft.languages) for code, name in settings.LANGUAGES],
        "quotas": [
            (
                quota,
                surveywords.all_of(quota.when, draft) if quota.when else _("everybody"),
                survey.seats.get(quota.key, 0),
            )
            for quota in draft.quotas
        ],
        "about": surveyforms.abouts(draft, draft.questions),
        "operators": surveywords.OPERATORS.items(),
        "can_change": may(request, Right.CHANGE_SURVEYS),
        "here": "edit",
    }
    return render(request, "pages/survey_edit/page.html", context)


def _line(
    question: rules.Question, n: int, draft: rules.Definition, problems: list[tuple[rules.Problem, str]]
) -> Line:
    gives = str(surveywords.GIVES.get(question.gives.kind, "")) if question.gives else ""
    return Line(
        key=question.key,
        text=surveywords.asked(question, draft),
        kind=str(surveywords.KINDS[question.kind]),
        logic=surveywords.logic(question, draft),
        gives=gives,
        is_required=question.is_required,
        with_previous=question.with_previous,
        place=n,
        wrong=[text for p, text in problems if p.question == question.key],
    )


@needs(Right.CHANGE_SURVEYS)
@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One press of a button beside the questions."""
    given = request.POST
    do, _colon, key = given.get("do", "").partition(":")
    if do == "add":
        kind, text = given.get("kind", "open"), given.get("text", "").strip()
        changed = services.edit(slug, drafting.added(kind, text))
        return redirect("survey_question", slug=slug, key=changed.questions[-1].key)
    doing = _CHANGES.get(do)
    if doing is None:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    services.edit(slug, doing(given, key))
    if do == "texts":
        messages.success(request, _("Kept."))
    return redirect(
        f"{reverse('survey_edit', args=[slug])}#q-{key}"
        if do in {"up", "down"}
        else reverse("survey_edit", args=[slug])
    )


def _quota(given: QueryDict, _key: str) -> drafting.Change:
    name, limit = given.get("name", "").strip(), given.get("limit", "")
    if not name or not limit.isdecimal():
        raise Invalid(_("a quota needs a name and a number"), _("Fill in both."))
    return lambda survey: drafting.with_quota(
        name, int(limit), surveyforms.conditions(given, "quota", survey, survey.questions)
    )(survey)


_CHANGES: dict[str, Callable[[QueryDict, str], drafting.Change]] = {
    "up": lambda _given, key: drafting.moved(key, -1),
    "down": lambda _given, key: drafting.moved(key, 1),
    "delete": lambda _given, key: drafting.without(key),
    "texts": lambda given, _key: surveyforms.texts(given),
    "quota": _quota,
    "unquota": lambda _given, key: drafting.without_quota(key),
}


@needs(Right.CHANGE_SURVEYS)
def question(request: HttpRequest, slug: str, key: str) -> HttpResponseBase:
    """One question: its words, its choices, its logic, what it gives."""
    survey = selectors.survey(slug)
    draft = survey.draft
    found = draft.question(key)
    if found is None:
        raise NotFound(_("this question was removed"), _("Go back to the survey."))
    wrong = ""
    if request.method == "POST":
        try:
            written = surveyforms.question(request.POST, found, draft)
        except Invalid as error:
            wrong = str(error)
        else:
            services.edit(slug, drafting.rewritten(written))
            if request.POST.get("do") == "more":
                return redirect("survey_question", slug=slug, key=key)
            messages.success(request, _("Kept."))
            return redirect(f"{reverse('survey_edit', args=[slug])}#q-{key}")
    context = {
        "survey": survey,
        "title": surveywords.asked(found, draft),
        "survey_title": surveywords.title(draft.title, draft.main_language, slug),
        "question": found,
        "kind": surveywords.KINDS[found.kind],
        "form": surveyforms.question_form(found, draft),
        "languages": [(code, dict(settings.LANGUAGES).get(code, code)) for code in draft.languages],
        "operators": surveywords.OPERATORS.items(),
        "gives_kinds": surveywords.GIVES.items(),
        "results_of": surveyforms.results_of(draft),
        "traits": [
            (name, label) for name, label in words.TRAITS.items() if name not in surveyforms.NOT_ASKED
        ],
        "is_first": draft.questions[0].key == key,
        "wrong": wrong,
    }
    return render(request, "pages/survey_edit/question.html", context, status=400 if wrong else 200)


@needs(Right.CHANGE_SURVEYS)
@require_POST
def state(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Publish, pause, open again, close, or throw a draft away."""
    assert request.user.is_authenticated
    do = request.POST.get("do")
    if do == "publish":
        number = services.publish(slug, by=request.user.email)
        messages.success(request, _("Version %(n)s is open for answers.") % {"n": number})
        return redirect("survey_ask", slug=slug)
    if do == "discard":
        services.discard(slug)
        messages.success(request, _("The draft is gone."))
        return redirect("surveys")
    steps = {"pause": services.pause, "open_again": services.open_again, "close": services.close}
    if do not in steps:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    steps[do](slug)
    return redirect(request.POST.get("back") or reverse("survey_edit", args=[slug]))


urlpatterns = [
    path("surveys/<slug:slug>/edit/", edit, name="survey_edit"),
    path("surveys/<slug:slug>/change/", change, name="survey_change"),
    path("surveys/<slug:slug>/state/", state, name="survey_state"),
    path("surveys/<slug:slug>/questions/<str:key>/", question, name="survey_question"),
]
