"""A survey as customers will meet it, in any language, wide or narrow. Nothing that is answered here is kept:

the answers so far travel in the address, which is why a preview has no response and records no event.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext as _

from rapport.staff.rules import Right
from rapport.surveys import rules, selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import logic, text_in
from rapport.web.access import needs
from rapport.web.components import surveying, surveywords
from rapport.web.customers import show

WIDTHS = ("wide", "320")


@needs(Right.SEE_SURVEYS)
def preview(request: HttpRequest, slug: str) -> HttpResponseBase:
    survey = selectors.survey(slug)
    draft = survey.draft
    code = request.GET.get("lang", "")
    language = code if code in draft.languages else draft.main_language
    width = request.GET.get("width", "wide")
    bar = _bar(request, survey, language, width)
    # The bar speaks to staff; everything else as to a customer.
    with translation.override(language):
        return _shown(request, survey, bar | {"width": width if width in WIDTHS else "wide"})


def _shown(request: HttpRequest, survey: selectors.SurveyView, bar: dict[str, Any]) -> HttpResponseBase:
    draft = survey.draft
    language = surveying.spoken(draft)
    answers, refused = _answers(request, draft)
    walk = logic.walk(draft.questions, answers, {})
    context: dict[str, Any] = {
        **bar,
        "title": text_in(draft.title, language, draft.main_language) or survey.slug,
        "intro": text_in(draft.intro, language, draft.main_language),
        "languages": [],
    }
    if refused is None and (walk.outcome != logic.ASKING or not walk.pages):
        context |= _end(draft, walk, answers, language)
        return show(request, "pages/survey_preview/end.html", context)
    if refused is not None:
        page, wrong, raw = refused
    else:
        page, wrong, raw = walk.pages[-1], None, None
    earlier = walk.pages[: walk.pages.index(page)] if page in walk.pages else walk.pages
    context |= {
        "questions": surveying.shown(draft, page, answers, wrong, raw),
        "place": page.place,
        "is_first": page.place == walk.pages[0].place,
        "done": round(100 * page.place / max(1, walk.n_pages)),
        "wrong": bool(wrong),
        "kept": [
            (f"{surveying.PREFIX}{key}", text)
            for p in earlier
            for key in p.keys
            for text in _texts(answers.get(key))
        ],
        "seen": [str(p.place) for p in earlier],
        "back_url": _back(request, earlier, answers),
    }
    return show(request, "pages/survey_preview/page.html", context)


def _answers(request: HttpRequest, draft: rules.Definition) -> tuple[dict[str, rules.Value | None], Any]:
    """The answers of the pages seen so far, and the page that could not be taken with what is wrong in it."""
    raw = surveying.raw_of(request.GET)
    seen = set(request.GET.getlist("seen"))
    answers: dict[str, rules.Value | None] = {}
    while True:
        walk = logic.walk(draft.questions, answers, {})
        if walk.outcome != logic.ASKING or not walk.pages:
            return answers, None
        page = walk.pages[-1]
        if str(page.place) not in seen:
            return answers, None
        try:
            answers |= surveys.read(page, raw)
        except surveys.Refused as refused:
            return answers, (page, refused.wrong, raw)


def _end(
    draft: rules.Definition, walk: rules.Walk, answers: dict[str, rules.Value | None], language: str
) -> dict[str, Any]:
    if walk.outcome == logic.SCREENED_OUT:
        return {"message": text_in(draft.screened_out, language, draft.main_language), "given": []}
    if not draft.questions:
        return {"message": _("There is no question yet."), "given": []}
    gives = [q.gives for q in draft.questions if q.gives and answers.get(q.key) is not None]
    given = [*gives, draft.gives] if draft.gives else gives
    return {
        "message": _("Your answers are kept."),
        "given": [
            {
                "text": text_in(g.text, language, draft.main_language),
                "link": g.link if g.kind == "link" else "",
                "is_result": g.kind == "result",
            }
            for g in given
        ],
    }


def _bar(request: HttpRequest, survey: selectors.SurveyView, language: str, width: str) -> dict[str, Any]:
    names = dict(settings.LANGUAGES)

    def url(**changed: str) -> str:
        query = request.GET.copy()
        for key, value in changed.items():
            query[key] = value
        return f"{request.path}?{query.urlencode()}"

    return {
        "survey": survey,
        "survey_title": surveywords.title(survey.draft.title, survey.draft.main_language, survey.slug),
        "bar_text": _("Preview: nothing you answer here is kept."),
        "bar_back": _("Back to the questions"),
        "bar_again": _("From the start"),
        "again_url": f"{request.path}?{urlencode({'lang': language, 'width': width})}",
        "in_languages": [
            (names.get(code, code), url(lang=code), code == language) for code in survey.draft.languages
        ],
        "in_widths": [
            (label, url(width=key), key == width)
            for key, label in (("wide", _("wide")), ("320", _("320 px")))
        ],
    }


def _back(
    request: HttpRequest, earlier: tuple[logic.Page, ...], answers: dict[str, rules.Value | None]
) -> str:
    if not earlier:
        return ""
    before = earlier[:-1]
    query = [("lang", request.GET.get("lang", "")), ("width", request.GET.get("width", ""))]
    query += [("seen", str(p.place)) for p in before]
    query += [
        (f"{surveying.PREFIX}{key}", text)
        for p in before
        for key in p.keys
        for text in _texts(answers.get(key))
    ]
    return f"{request.path}?{urlencode([pair for pair in query if pair[1]])}"


def _texts(value: rules.Value | None) -> list[str]:
    if value is None:
        return []
    if isinstance(value, tuple):
        return list(value)
    return [f"{value:g}" if isinstance(value, float) else str(value)]


urlpatterns = [path("surveys/<slug:slug>/preview/", preview, name="survey_preview")]
