"""What people care about, think and stand for, over all; the firm's promises and questions; one click: not so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rapport.aio import rules, selectors, services
from rapport.aio.selectors import StandingView
from rapport.kit.errors import Denied, Invalid
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web import charts, jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, scoring, stating
from rapport.web.errors import sentence
from rapport.web.layout import Entry

entries = [
    Entry(
        "aio",
        gettext_lazy("What people stand for"),
        "statements",
        "know",
        28,
        Right.SEE_PERSONAS,
        also=("aio_questions", "aio_question", "aio_question_new"),
    )
]

INTERESTS_DRAWN = 12
LANGUAGES: dict[str, Any] = {
    "en": gettext_lazy("English"),
    "de": gettext_lazy("German"),
    "fr": gettext_lazy("French"),
    "es": gettext_lazy("Spanish"),
    "it": gettext_lazy("Italian"),
    "pt": gettext_lazy("Portuguese"),
    "ko": gettext_lazy("Korean"),
}
PART_LABELS: dict[str, Any] = {
    "yes": gettext_lazy("Says yes"),
    "no": gettext_lazy("Says no"),
    "about": gettext_lazy("Speaks of it"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """People, and the list of them."""

    n: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing people stand toward, as a row of a table."""

    title: str
    share: str
    interval: str
    all: Count
    positive: Count
    negative: Count
    n_declared: str


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of a question in one language, as typed."""

    code: str
    name: Any
    parts: list[tuple[str, Any, str]]
    is_filled: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A question of a survey that may answer this one."""

    question: selectors.SurveyQuestion
    is_chosen: bool
    low: str
    high: str


@require_safe
@needs(Right.SEE_PERSONAS)
def overall(request: HttpRequest) -> HttpResponseBase:
    found = selectors.overall()
    context: dict[str, Any] = {
        "can_run": may(request, Right.RUN_INSIGHTS),
        "is_running": selectors.is_running(),
        "progress": jobs.progress("statements"),
        "found": found,
    }
    if found is not None:
        names_people = may(request, Right.SEE_PEOPLE)
        context |= {
            "interests": _interests(found, names_people),
            "attitudes": [_line(v, names_people) for v in found.attitudes],
            "promises": [_line(v, names_people) for v in found.opinions if v.is_promise],
            "questions": [_line(v, names_people) for v in found.opinions if not v.is_promise],
        }
    return render(request, "pages/aio/page.html", context)


def _url(view: StandingView, label: str | None, sees: bool) -> str:
    if not (sees and view.has_score):
        return ""
    return scoring.people_url(people.Within(f"{view.standing.kind}:{view.standing.about}", label=label))


def _line(view: StandingView, sees: bool) -> Line:
    one = view.standing
    judged = one.n_positive + one.n_negative
    return Line(
        title=stating.title(view.title),
        share=formats.percent(one.share) if judged else formats.NONE,
        interval=_("%(low)s to %(high)s")
        % {"low": formats.percent(one.low), "high": formats.percent(one.high)}
        if judged
        else "",
        all=Count(formats.number(one.n), _url(view, None, sees)),
        positive=Count(formats.number(one.n_positive), _url(view, "for", sees)),
        negative=Count(formats.number(one.n_negative), _url(view, "against", sees)),
        n_declared=formats.number(one.n_declared),
    )


def _interests(found: selectors.Overall, sees: bool) -> charts.Chart | None:
    if not found.interests:
        return None
    first = found.interests[0]
    finding = _(
        "More people stand out for %(topic)s than for anything else: %(share)s (%(low)s to %(high)s)"
    ) % {
        "topic": stating.title(first.title),
        "share": formats.share(first.standing.n, found.n_people),
        "low": formats.percent(first.standing.low),
        "high": formats.percent(first.standing.high),
    }
    return charts.ranked(
        finding,
        [
            (stating.title(v.title), v.standing.n, _url(v, None, sees))
            for v in found.interests[:INTERESTS_DRAWN]
        ],
        label_title=_("Topic"),
        value_title=_("People"),
        right=Right.SEE_PERSONAS,
        note=_("Who turns to a topic clearly more than people do on average, or says so themselves."),
        full_width=True,
    )


@needs(Right.RUN_INSIGHTS)
@require_POST
def refresh(request: HttpRequest) -> HttpResponseBase:
    jobs.refresh_statements_soon()
    messages.success(request, _("It is worked out as soon as the worker is free."))
    return redirect("aio")


@require_safe
@needs(Right.SEE_PERSONAS)
def questions(request: HttpRequest) -> HttpResponseBase:
    found = [
        (asked, stating.title(asked.title), sum(len(asked.phrases(p)) for p in rules.PARTS), len(asked.words))
        for asked in selectors.questions()
    ]
    context = {"questions": found, "can_change": may(request, Right.CHANGE_PERSONAS)}
    return render(request, "pages/aio/questions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.CHANGE_PERSONAS)
def question(request: HttpRequest, key: str) -> HttpResponseBase:
    asked = selectors.question(key)
    if request.method != "POST":
        return _form(request, asked)
    return _change(request, _typed(request.POST, asked), is_new=False)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.CHANGE_PERSONAS)
def question_new(request: HttpRequest) -> HttpResponseBase:
    asked = rules.Asked("", "")
    if request.method != "POST":
        return _form(request, asked, is_new=True)
    typed = _typed(request.POST, asked)
    return _change(request, replace(typed, key=rules.key_of(typed.title)), is_new=True)


def _change(request: HttpRequest, typed: rules.Asked, *, is_new: bool) -> HttpResponseBase:
    assert request.user.is_authenticated
    try:
        services.change_question(typed, by=request.user.email, is_new=is_new)
    except (Denied, Invalid) as error:
        return _form(request, typed, is_new=is_new, wrong=error, status=400)
    messages.success(request, _("Saved. What people say to it is worked out with the next refresh."))
    return redirect("aio_questions")


@needs(Right.CHANGE_PERSONAS)
@require_POST
def question_remove(request: HttpRequest, key: str) -> HttpResponseBase:
    services.remove_question(key)
    messages.success(request, _("Removed. What was stated of it goes with the next refresh."))
    return redirect("aio_questions")


def _form(
    request: HttpRequest,
    asked: rules.Asked,
    *,
    is_new: bool = False,
    wrong: Denied | Invalid | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "asked": asked,
        "title": _("A new question") if is_new else stating.title(asked.title),
        "is_new": is_new,
        "wrong": sentence(_(wrong.message)) if wrong else "",
        "wrong_hint": sentence(_(wrong.hint)) if wrong and wrong.hint else "",
        "languages": [_words(asked, code) for code in rules.LANGUAGES],
        "answers": _answers(asked),
        "title_chars_max": rules.TITLE_CHARS_MAX,
    }
    return render(request, "pages/aio/question.html", context, status=status)


def _words(asked: rules.Asked, code: str) -> Words:
    mine = asked.words.get(code, {})
    parts = [(part, label, "\n".join(mine.get(part, ()))) for part, label in PART_LABELS.items()]
    return Words(code, LANGUAGES[code], parts, any(text for _part, _label, text in parts))


def _answers(asked: rules.Asked) -> list[Answer]:
    chosen = {a.question: a for a in asked.answers}
    seen = selectors.survey_questions()
    unseen = [
        selectors.SurveyQuestion(a.question, "", 0, a.low, a.high)
        for a in asked.answers
        if a.question not in {q.key for q in seen}
    ]
    return [
        Answer(
            q,
            q.key in chosen,
            f"{chosen[q.key].low if q.key in chosen else q.low:g}",
            f"{chosen[q.key].high if q.key in chosen else q.high:g}",
        )
        for q in (*seen, *unseen)
    ]


def _typed(form: QueryDict, before: rules.Asked) -> rules.Asked:
    """What was typed, as far as it can be read; phrases come one a line."""
    return rules.Asked(
        key=before.key,
        title=form.get("title", "").strip(),
        is_promise=form.get("is_promise") == "yes",
        words={
            code: {part: _lines(form.get(f"{part}_{code}", "")) for part in rules.PARTS}
            for code in rules.LANGUAGES
            if any(form.get(f"{part}_{code}", "").strip() for part in rules.PARTS)
        },
        answers=tuple(
            rules.Answered(name, _number(form.get(f"low_{n}", "")), _number(form.get(f"high_{n}", "")))
            for n, name in enumerate(form.getlist("question"))
            if str(n) in form.getlist("asks")
        ),
        is_active=form.get("is_active") == "yes",
    )


def _lines(text: str) -> Sequence[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return 0.0


@needs(Right.CHANGE_PEOPLE)
@require_POST
def wrong(request: HttpRequest) -> HttpResponseBase:
    """One click of staff: this is not so."""
    assert request.user.is_authenticated
    form = request.POST
    person = people.person_id(form.get("person", ""))
    services.not_so(person, form.get("kind", ""), form.get("about", ""), by=request.user.email)
    messages.success(request, _("Taken out. It is not worked out again."))
    return redirect(f"{reverse('person', args=[person])}#statements")


@needs(Right.CHANGE_PEOPLE)
@require_POST
def back(request: HttpRequest) -> HttpResponseBase:
    """Take back that something is not so."""
    assert request.user.is_authenticated
    form = request.POST
    person = people.person_id(form.get("person", ""))
    n = services.take_back(person, form.get("kind", ""), form.get("about", ""), by=request.user.email)
    messages.success(
        request,
        ngettext(
            "Taken back. It may be stated again with the next refresh.",
            "Taken back. They may be stated again with the next refresh.",
            n,
        ),
    )
    return redirect(f"{reverse('person', args=[person])}#statements")


urlpatterns = [
    path("aio/", overall, name="aio"),
    path("aio/refresh/", refresh, name="aio_refresh"),
    path("aio/questions/", questions, name="aio_questions"),
    path("aio/questions/new/", question_new, name="aio_question_new"),
    path("aio/questions/<slug:key>/", question, name="aio_question"),
    path("aio/questions/<slug:key>/remove/", question_remove, name="aio_question_remove"),
    path("aio/wrong/", wrong, name="statement_wrong"),
    path("aio/back/", back, name="statement_back"),
]
