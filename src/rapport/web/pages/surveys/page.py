"""Surveys: which there are, how they stand, how many answered, and those the log alone knows of."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.kit.errors import RapportError
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.surveys import selectors, services
from rapport.surveys.rules import starters
from rapport.web.access import may, needs
from rapport.web.components import formats, surveywords
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

entries = [
    Entry(
        "surveys",
        gettext_lazy("Surveys"),
        "surveys",
        "reach",
        40,
        Right.SEE_SURVEYS,
        also=(
            "survey_new",
            "survey_edit",
            "survey_question",
            "survey_ask",
            "survey_results",
            "survey_bias",
            "survey_answers",
        ),
    )
]
actions = [Action("survey_new", gettext_lazy("New survey"), Right.CHANGE_SURVEYS)]


@dataclass(frozen=True, slots=True)
class Line:
    """One survey, in words."""

    row: selectors.SurveyRow
    title: str
    state: str
    tone: str
    rate: str
    questions: str


@needs(Right.SEE_SURVEYS)
def listing(request: HttpRequest) -> HttpResponseBase:
    rows, elsewhere = selectors.listing()
    lines = [
        Line(
            row,
            surveywords.title(row.title, row.main_language, row.slug),
            *surveywords.state(row),
            rate=_rate(row),
            questions=surveywords.n_questions(row.n_questions),
        )
        for row in rows
    ]
    context = {"lines": lines, "elsewhere": elsewhere, "can_change": may(request, Right.CHANGE_SURVEYS)}
    return render(request, "pages/surveys/page.html", context)


@needs(Right.CHANGE_SURVEYS)
def new(request: HttpRequest) -> HttpResponseBase:
    wrong = ""
    if request.method == "POST":
        assert request.user.is_authenticated
        name = request.POST.get("starter", "")
        languages = [code for code, _name in settings.LANGUAGES if code in request.POST.getlist("languages")]
        main = request.POST.get("main", "")
        try:
            if main not in languages:
                languages.insert(0, main if main in dict(settings.LANGUAGES) else "en")
            languages.sort(key=lambda code: code != main)
            begun = starters.starter(name, languages)
            slug = services.create(
                request.POST.get("slug", ""),
                begun.definition,
                by=request.user.email,
                reach=services.Reach(begun.places),
            )
        except RapportError as error:
            wrong = f"{sentence(error.message)} {sentence(error.hint)}"
        else:
            return redirect("survey_edit", slug=slug)
    firm = staff.organisation()
    chosen = request.POST.get("main") or (firm.language if firm else "en")
    context = {
        "starters": [(name, *surveywords.STARTERS[name]) for name in starters.names()],
        "starter": request.POST.get("starter", "nps"),
        "slug": request.POST.get("slug", ""),
        "main": chosen,
        "languages": [
            (code, name, code in (request.POST.getlist("languages") or [chosen]))
            for code, name in settings.LANGUAGES
        ],
        "wrong": wrong,
    }
    return render(request, "pages/surveys/new.html", context, status=400 if wrong else 200)


@needs(Right.CHANGE_SURVEYS)
@require_POST
def adopt(request: HttpRequest) -> HttpResponseBase:
    assert request.user.is_authenticated
    slug = services.adopt(
        request.POST.get("slug", ""), by=request.user.email, languages=[request.user.language or "en"]
    )
    messages.success(request, _("Taken in. Its questions were guessed from the answers; correct them here."))
    return redirect("survey_results", slug=slug)


def _rate(row: selectors.SurveyRow) -> str:
    """The share of those invited who answered; where nobody was, how many of those who began came to the end."""
    if row.n_invited:
        return _("%(share)s of those invited") % {
            "share": formats.share(row.n_invited_answered, row.n_invited)
        }
    if row.n_begun:
        return _("%(share)s of those who began finished") % {
            "share": formats.share(row.n_finished, row.n_begun)
        }
    return ""


urlpatterns = [
    path("surveys/", listing, name="surveys"),
    path("surveys/new/", new, name="survey_new"),
    path("surveys/take-in/", adopt, name="survey_adopt"),
]
