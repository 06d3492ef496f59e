"""What a survey's answers come to: figures with intervals, charts that lead to answers and people, themes, bias."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.consent import services as consent
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.surveys import rules, selectors, services
from rapport.surveys.rules import text_in
from rapport.surveys.rules.figures import Estimate
from rapport.web import charts
from rapport.web.access import may, needs
from rapport.web.components import formats, surveywords, words

PURPOSES = ("analytics", "research")
BARS_MAX = 20
BIAS_ROWS = 8
NPS_GROUPS = ((9, 10, "promoters"), (7, 8, "passives"), (0, 6, "detractors"))


@dataclass(frozen=True, slots=True)
class Shown:
    """One question's results, in words and drawn."""

    result: selectors.QuestionResult
    text: str
    kind: str
    finding: str
    margin: str
    groups: list[tuple[str, str, str]]  # label, share, where its answers are
    charts: list[charts.Chart]
    moods: list[tuple[str, str, str]]  # label, share, where
    themes: list[tuple[str, bool, int, str]]  # phrase, unhappy, texts, where
    answers_url: str


def _warrant(request: HttpRequest, slug: str) -> consent.Warrant:
    assert request.user.is_authenticated
    return consent.warrant("analytics", by=request.user.email, why=f"read the results of survey {slug}")


@needs(Right.SEE_SURVEYS)
def results(request: HttpRequest, slug: str) -> HttpResponseBase:
    survey = selectors.survey(slug)
    found = selectors.results(slug, _warrant(request, slug))
    state, tone = surveywords.state(survey)
    context = {
        "survey": survey,
        "title": surveywords.title(survey.draft.title, survey.draft.main_language, slug),
        "state": state,
        "tone": tone,
        "here": "results",
        "found": found,
        "questions": [_shown(slug, survey.draft, one) for one in found.questions],
        "can_export": may(request, Right.EXPORT_PEOPLE),
        "purposes": PURPOSES,
        "incentive": text_in(survey.draft.incentive.text, survey.draft.main_language)
        if survey.draft.incentive
        else "",
    }
    return render(request, "pages/survey_results/page.html", context)


@needs(Right.SEE_SURVEYS)
def bias(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Who answered beside who might have; a fragment for htmx, a page of its own without it."""
    survey = selectors.survey(slug)
    compared = selectors.compared(slug, _warrant(request, slug))
    labels = {"country": _("Country"), "language": _("Language"), "rfm": _("Recency, frequency, value")}
    dimensions: list[dict[str, Any]] = [
        {
            "label": labels[b.dimension],
            "rows": [
                (
                    one.label or _("not known"),
                    formats.share(one.n_answered, compared.n_answered),
                    formats.share(one.n_base, compared.n_base),
                    _difference(one.standardised),
                    one.is_notable,
                )
                for one in b.rows[:BIAS_ROWS]
            ],
            "n_more": max(0, len(b.rows) - BIAS_ROWS),
        }
        for b in compared.biases
        if any(one.label for one in b.rows)
    ]
    context = {
        "survey": survey,
        "title": surveywords.title(survey.draft.title, survey.draft.main_language, slug),
        "here": "results",
        "compared": compared,
        "is_invited": compared.base == "invited",
        "dimensions": dimensions,
        "n_notable": sum(row[4] for d in dimensions for row in d["rows"]),
    }
    template = "bias.html" if getattr(request, "htmx", False) else "bias_page.html"
    return render(request, f"pages/survey_results/{template}", context)


def _difference(value: float) -> str:
    if value in {float("inf"), float("-inf")}:
        return _("only there") if value > 0 else _("never there")
    sign = "+" if value >= 0.005 else "−" if value <= -0.005 else ""
    return f"{sign}{formats.number(abs(value), 2)}"


@needs(Right.SEE_SURVEYS)
def answers(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The answers behind a figure, newest first, and whose they are."""
    survey = selectors.survey(slug)
    given = request.GET
    before = given.get("before", "")
    chosen = _chosen(given)
    rows = selectors.answers_page(
        slug, chosen, _warrant(request, slug), before=int(before) if before.isdecimal() else None
    )
    asked = selectors.questions_of(slug)
    names = {p.id: p.display_name for p in people.person_rows({row.person for row in rows})}
    more = len(rows) == selectors.PAGE
    query = given.copy()
    query.pop("before", None)
    first = f"{request.path}?{query.urlencode()}"
    query["before"] = str(rows[-1].seq) if rows else ""
    context = {
        "survey": survey,
        "title": surveywords.title(survey.draft.title, survey.draft.main_language, slug),
        "here": "results",
        "rows": [
            {
                "row": row,
                "name": names.get(row.person, ""),
                "question": ""
                if chosen.question
                else _text(asked.get(row.question), survey.draft) or row.question,
                "answer": _answer(asked.get(row.question), row.answer, survey.draft),
                "mood": words.LABELS.get(row.sentiment, ("", "")),
            }
            for row in rows
        ],
        "chosen": _chips(chosen, asked, survey.draft),
        "can_see_people": may(request, Right.SEE_PEOPLE),
        "next_url": f"{request.path}?{query.urlencode()}" if more else "",
        "first_url": first if before else "",
    }
    return render(request, "pages/survey_results/answers.html", context)


@needs(Right.EXPORT_PEOPLE)
@require_POST
def export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The answers as CSV, for a purpose and a reason, marked and written down."""
    assert request.user.is_authenticated
    purpose = request.POST.get("purpose", "")
    if purpose not in PURPOSES:
        raise Invalid(_("no purpose was chosen"), _("Choose what the answers are for."))
    selectors.survey(slug)
    taken = services.export_answers(
        slug, purpose, by=request.user.email, why=request.POST.get("why", "").strip()
    )
    response = StreamingHttpResponse(taken.lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="answers-{slug}-{taken.mark}.csv"'
    return response


def _shown(slug: str, draft: rules.Definition, one: selectors.QuestionResult) -> Shown:
    text = _text(one.question, draft) or one.key or _("without a name")
    drawn = []
    if one.bars and one.kind not in {"open", "date"}:
        drawn.append(_bars(slug, draft, one))
    if len(one.months) > 1:
        drawn.append(_months(slug, one))
    return Shown(
        result=one,
        text=text,
        kind=str(surveywords.KINDS.get(one.kind, one.kind)),
        finding=_finding(draft, one),
        margin=_margin(one),
        groups=_groups(slug, one) if one.kind == "nps" else [],
        charts=drawn,
        moods=_moods(slug, one),
        themes=[
            (t.phrase, t.is_negative, t.n, _url(slug, question=one.key, phrase=t.phrase)) for t in one.themes
        ],
        answers_url=_url(slug, question=one.key),
    )


def _finding(draft: rules.Definition, one: selectors.QuestionResult) -> str:
    """What the answers come to, in one sentence."""
    estimate = one.estimate
    if estimate is None:
        if one.kind in {"single", "multiple"} and one.bars:
            top = one.bars[0]
            return _("Most often: %(answer)s, %(share)s") % {
                "answer": _answer(one.question, top.answer, draft),
                "share": formats.share(top.n, one.n),
            }
        return ""
    if one.kind == "nps":
        return _("NPS %(interval)s") % {"interval": _signed(estimate)}
    if one.kind == "csat":
        return _("%(interval)s are satisfied") % {
            "interval": formats.interval(estimate.low, estimate.high, estimate.value, "%")
        }
    return _("%(interval)s on average") % {
        "interval": formats.interval(estimate.low, estimate.high, estimate.value, "", 1)
    }


def _signed(estimate: Estimate) -> str:
    low, high, likely = (_with_sign(v) for v in (estimate.low, estimate.high, estimate.value))
    return _("%(low)s to %(high)s, likely %(likely)s") % {"low": low, "high": high, "likely": likely}


def _with_sign(value: float) -> str:
    sign = "+" if value >= 0.5 else "−" if value <= -0.5 else ""
    return f"{sign}{formats.number(abs(value))}"


def _margin(one: selectors.QuestionResult) -> str:
    estimate = one.estimate
    if estimate is None:
        return ""
    if one.kind == "csat":
        margin = _("%(n)s percentage points") % {"n": formats.number(100 * estimate.margin, 1)}
    else:
        margin = _("%(n)s points") % {"n": formats.number(estimate.margin, 1 if one.kind == "nps" else 2)}
    return _("Margin of error ± %(margin)s, at 95 %%, from %(n)s answers.") % {
        "margin": margin,
        "n": formats.number(estimate.n),
    }


def _groups(slug: str, one: selectors.QuestionResult) -> list[tuple[str, str, str]]:
    by_score = selectors.scores_of(one.bars)
    labels = {
        "promoters": _("Promoters (9, 10)"),
        "passives": _("Passives (7, 8)"),
        "detractors": _("Detractors (0 to 6)"),
    }
    n = sum(by_score.values())
    return [
        (
            labels[name],
            formats.share(sum(count for s, count in by_score.items() if low <= s <= high), n),
            _url(slug, question=one.key, low=low, high=high),
        )
        for low, high, name in NPS_GROUPS
    ]


def _bars(slug: str, draft: rules.Definition, one: selectors.QuestionResult) -> charts.Chart:
    counts = {bar.answer: bar.n for bar in one.bars}
    question = one.question
    choices = [c.key for c in getattr(question, "choices", ())]
    is_scale = one.kind in {"nps", "csat", "ces", "scale"}
    if is_scale and question is not None:
        by_score = selectors.scores_of(one.bars)
        low, high = int(getattr(question, "low", 0)), int(getattr(question, "high", 10))
        rows = [
            (str(s), float(by_score.get(s, 0)), _url(slug, question=one.key, low=s, high=s))
            for s in range(low, high + 1)
        ]
    elif choices:
        order = sorted([*choices, *(a for a in counts if a not in choices)], key=lambda a: -counts.get(a, 0))
        rows = [
            (_answer(question, a, draft), float(counts.get(a, 0)), _url(slug, question=one.key, answer=a))
            for a in order
        ]
    else:
        rows = [
            (a, float(n), _url(slug, question=one.key, answer=a)) for a, n in list(counts.items())[:BARS_MAX]
        ]
    return charts.ranked(
        _finding(draft, one) or _("Answers"),
        rows,
        label_title=_("Answer"),
        value_title=_("Responses"),
        right=Right.SEE_SURVEYS,
        note=_margin(one),
        is_scale=is_scale,
    )


def _months(slug: str, one: selectors.QuestionResult) -> charts.Chart:
    as_percent = one.kind == "csat"
    points = [
        charts.Point(
            m.month,
            m.estimate.value,
            low=m.estimate.low,
            high=m.estimate.high,
            href=_url(slug, question=one.key, month=m.month.isoformat()[:7]),
        )
        for m in one.months
    ]
    y_title = {"nps": _("NPS per month"), "csat": _("Satisfied share per month")}.get(
        one.kind, _("Mean per month")
    )
    last = one.months[-1]
    said = formats.percent if as_percent else (lambda v: formats.number(v, 0 if one.kind == "nps" else 1))
    title = _("%(figure)s in the last month with answers (%(n)s)") % {
        "figure": said(last.estimate.value),
        "n": formats.number(last.estimate.n),
    }
    return charts.over_time(
        "lines",
        title,
        points,
        charts.series(("", "")),
        y_title=y_title,
        x_title=_("Month"),
        right=Right.SEE_SURVEYS,
        said=said,
        as_percent=as_percent,
        note=_("The band is the interval at 95 %; months with few answers have a wide one."),
    )


def _moods(slug: str, one: selectors.QuestionResult) -> list[tuple[str, str, str]]:
    n = sum(m.n for m in one.moods)
    if not n:
        return []
    counts = {
        "negative": sum(m.n_negative for m in one.moods),
        "neutral": sum(m.n_neutral for m in one.moods),
        "positive": sum(m.n_positive for m in one.moods),
    }
    return [
        (
            str(words.LABELS[label][0]),
            formats.share(count, n),
            _url(slug, question=one.key, sentiment=label, said=1),
        )
        for label, count in counts.items()
    ]


def _url(slug: str, **query: object) -> str:
    kept = {key: str(value) for key, value in query.items() if value not in (None, "")}
    return f"{reverse('survey_answers', args=[slug])}?{urlencode(kept)}"


def _chosen(given: Any) -> selectors.Chosen:
    def number(name: str) -> float | None:
        try:
            return float(given[name]) if given.get(name) else None
        except ValueError:
            return None

    first, until = _month(given.get("month", ""))
    return selectors.Chosen(
        question=given.get("question") or None,
        answer=given.get("answer") or None,
        low=number("low"),
        high=number("high"),
        sentiment=given.get("sentiment") or None,
        phrase=given.get("phrase") or None,
        only_said=given.get("said") == "1" or bool(given.get("phrase")),
        first_ts=first,
        until_ts=until,
    )


def _month(text: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    try:
        first = dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC)
    except ValueError:
        return None, None
    return first, (first + dt.timedelta(days=32)).replace(day=1)


def _chips(chosen: selectors.Chosen, asked: dict[str, rules.Question], draft: rules.Definition) -> list[str]:
    """What the list is narrowed to, in words."""
    found = []
    question = asked.get(chosen.question or "")
    if chosen.question:
        found.append(_text(question, draft) or chosen.question)
    if chosen.answer:
        found.append(_answer(question, chosen.answer, draft))
    if chosen.low is not None and chosen.high is not None:
        low, high = (formats.number(v) for v in (chosen.low, chosen.high))
        found.append(low if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high})
    if chosen.sentiment:
        found.append(str(words.LABELS.get(chosen.sentiment, (chosen.sentiment, ""))[0]))
    if chosen.phrase:
        found.append(f"“{chosen.phrase}”")
    if chosen.first_ts:
        found.append(chosen.first_ts.strftime("%Y-%m"))
    return found


def _text(question: rules.Question | None, draft: rules.Definition) -> str:
    return text_in(question.text, get_language() or "en", draft.main_language) if question else ""


def _answer(question: rules.Question | None, answer: str | None, draft: rules.Definition) -> str:
    """An answer in the reader's words: choices by their text, several parted by commas."""
    if answer is None:
        return ""
    choices = {c.key: c.text for c in getattr(question, "choices", ())}
    keys = rules.several(answer)
    return ", ".join(
        text_in(choices[k], get_language() or "en", draft.main_language) or k if k in choices else k
        for k in keys
    )


urlpatterns = [
    path("surveys/<slug:slug>/results/", results, name="survey_results"),
    path("surveys/<slug:slug>/results/bias/", bias, name="survey_bias"),
    path("surveys/<slug:slug>/results/export/", export, name="survey_export"),
    path("surveys/<slug:slug>/answers/", answers, name="survey_answers"),
]
