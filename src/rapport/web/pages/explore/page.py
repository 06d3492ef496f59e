"""Explore: a question put by choosing words, its answer drawn, and what is behind each number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, register_converter, reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.events import selectors as events
from rapport.explore import selectors as explore
from rapport.explore import services
from rapport.explore.rules import catalogue, parsing
from rapport.explore.rules.compiling import Cell
from rapport.explore.rules.question import Cohorts, Figures, Funnel, Paths, Question
from rapport.explore.rules.ways import Page
from rapport.kit import clock
from rapport.kit.errors import Invalid, RapportError
from rapport.kit.money import Money
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web import days
from rapport.web.access import demand, may, needs
from rapport.web.components import exploredways, exploring, formats, lines
from rapport.web.components.explored import written
from rapport.web.errors import sentence as as_sentence
from rapport.web.layout import Action, Entry
from rapport.web.pages.explore import asked as form

entries = [
    Entry(
        "explore",
        gettext_lazy("Explore"),
        "explore",
        "learn",
        28,
        Right.SEE_EXPLORE,
        also=("explore_behind", "explore_people", "explore_saved", "explore_kept"),
    )
]
actions = [Action("explore", gettext_lazy("Ask a question"), Right.SEE_EXPLORE)]

QUICK_S = 1.2  # so long the first request waits, since most answers are there by then
SHOWN = 50


class AnswerConverter:
    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(AnswerConverter, "answer_key")


@needs(Right.SEE_EXPLORE)
def ask(request: HttpRequest) -> HttpResponseBase:
    """The sentence to fill in; below it the answer, or questions to begin with."""
    assert request.user.is_authenticated
    email, role = request.user.email, request.user.role
    wrong, question = "", None
    try:
        given = form.document_of(request.GET)
        question = parsing.parse(given) if given is not None else None
        if question is not None:
            services.compiled(question)
    except RapportError as error:
        wrong, question = exploring.refusal(error), None
    kind = request.GET.get("kind", "figures")
    is_draft = request.GET.get("draft") == "1"
    sentence = form.sentence(question or _nearly(request.GET), kind, services.world())
    saved = explore.saved_for(email, role)
    context: dict[str, Any] = {
        "sentence": sentence,
        "kinds": [
            (name, *words, name == sentence.kind, f"{reverse('explore')}?kind={name}&draft=1")
            for name, words in exploring.KINDS.items()
        ],
        "wrong": "" if is_draft else wrong,
        "question": None if is_draft else question,
        "said": exploring.sentence(question) if question else "",
        "answer_url": _answer_url(question) if question else "",
        "written": written(question) if question else "",
        "saved": [(one, exploring.sentence(one.question)) for one in saved],
        "refused": [(one, exploring.refusal(one.error)) for one in explore.refused_for(email, role)],
        "starters": [
            (title, said, f"{reverse('explore')}?{urlencode({'q': written(q)})}")
            for title, said, q in form.starters()
        ],
        "can_change": may(request, Right.CHANGE_EXPLORE),
    }
    status = 400 if wrong and not is_draft else 200
    return render(request, "pages/explore/page.html", context, status=status)


def _nearly(given: QueryDict) -> Question | None:
    """Of a sentence that does not hold together, as much as does, so that nobody writes it twice."""
    try:
        found = form.document_of(given)
    except RapportError:
        return None
    for without in (
        (),
        ("by",),
        ("by", "where"),
        ("by", "where", "compare", "grain"),
        ("by", "where", "compare", "period"),
    ):
        if found is None:
            return None
        try:
            return parsing.parse({k: v for k, v in found.items() if k not in without})
        except RapportError:
            continue
    return None


def _answer_url(question: Question) -> str:
    return f"{reverse('explore_answer')}?{urlencode({'q': written(question)})}"


@needs(Right.SEE_EXPLORE)
def answer(request: HttpRequest) -> HttpResponseBase:
    """The answer where it comes at once, else how far it is; a page of its own without htmx."""
    assert request.user.is_authenticated
    question = _question(request.GET)
    look = services.begin(question, by=request.user.email)
    until_s = clock.monotonic_s() + (QUICK_S if _is_fragment(request) else services.LIMIT_S)
    while look.state in ("running", "waiting") and clock.monotonic_s() < until_s:
        clock.sleep(0.03)
        look = services.look(look.key)
    return _looked(request, look, question)


@needs(Right.SEE_EXPLORE)
def taken(request: HttpRequest) -> HttpResponseBase:
    """Every number of an answer as CSV: what it is of, and its two parts where it is a quotient."""
    assert request.user.is_authenticated
    question = _question(request.GET)
    found = services.ask(question, by=request.user.email, limit_s=services.LIMIT_S)
    response = HttpResponse(exploredways.as_csv(found), content_type="text/csv; charset=utf-8")
    name = slugify(exploring.sentence(question), allow_unicode=True)[:60] or "answer"
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or "attachment"
    return response


@needs(Right.SEE_EXPLORE)
def watch(request: HttpRequest, key: str) -> HttpResponseBase:
    """How far a question is."""
    question = _question(request.GET)
    return _looked(request, services.look(key), question)


@needs(Right.SEE_EXPLORE)
@require_POST
def stop(request: HttpRequest, key: str) -> HttpResponseBase:
    """End a question that takes too long."""
    services.stop(key)
    if _is_fragment(request):
        return HttpResponse(status=204)
    return redirect("explore")


def _looked(request: HttpRequest, look: services.Look, question: Question) -> HttpResponseBase:
    again = f"{reverse('explore')}?{urlencode({'q': written(question)})}"
    context: dict[str, Any] = {"look": look, "again_url": again, "said": exploring.sentence(question)}
    if look.answer is not None:
        context |= {"shown": exploredways.shown(look.answer), "answer": look.answer}
        context["csv_url"] = f"{reverse('explore_csv')}?{urlencode({'q': written(question)})}"
    elif look.state == "gone":
        context |= {"message": _("The process that worked on it has ended."), "hint": _("Ask again.")}
    elif look.state == "failed":
        context |= {"message": as_sentence(look.message), "hint": as_sentence(look.hint)}
    else:
        query = urlencode({"q": written(question)})
        context["watch_url"] = f"{reverse('explore_watch', args=[look.key])}?{query}"
        context["percent"] = formats.percent(look.ratio) if look.ratio else ""
    if _is_fragment(request):
        return render(request, "pages/explore/answer.html", context)
    return render(request, "pages/explore/answer_page.html", context)


def _is_fragment(request: HttpRequest) -> bool:
    fragment: Any = getattr(request, "htmx", False)
    return bool(fragment) and not fragment.boosted


def _question(given: QueryDict) -> Question:
    document = form.document_of(given)
    if document is None:
        raise Invalid(_("the address asks nothing"), _("Begin at Explore."))
    return parsing.parse(document)


@needs(Right.CHANGE_EXPLORE)
@require_POST
def save(request: HttpRequest) -> HttpResponseBase:
    """Keep a question under a name."""
    assert request.user.is_authenticated
    question = _question(request.POST)
    try:
        key = services.save(request.POST.get("name", ""), question, by=request.user.email)
    except RapportError as error:
        messages.error(request, f"{as_sentence(error.message)} {as_sentence(error.hint)}")
        return redirect(f"{reverse('explore')}?{urlencode({'q': written(question)})}")
    messages.success(request, _("Saved. Say here who may see it, and when it asks itself."))
    return redirect("explore_saved", key=key)


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person behind a number."""

    id: int
    name: str
    at: dt.datetime


@needs(Right.SEE_EXPLORE)
def behind(request: HttpRequest) -> HttpResponseBase:
    """The events behind one number, newest first, with their people."""
    demand(request, Right.SEE_PEOPLE)
    assert request.user.is_authenticated
    question = _question(request.GET)
    if not isinstance(question, Figures):
        raise Invalid(_("the address asks nothing"), _("Begin at Explore."))
    at, cell = _cell(request.GET, question)
    before = _before(request.GET.get("before", ""))
    rows = services.behind(question, at, cell, by=request.user.email, limit=SHOWN + 1, before=before)
    more, rows = len(rows) > SHOWN, rows[:SHOWN]
    measured = catalogue.measure(question.measures[at].measure)
    is_session = measured.base == catalogue.SESSION
    found = {} if is_session else {e.seq: e for e in explore.events_of([r[0] for r in rows], *_ends(rows))}
    context = {
        "said": exploring.sentence(question),
        "measure": exploring.measure(question.measures[at]),
        "of": _of(question, cell),
        "n_people": rows[0][4] if rows else 0,
        "n_rows": rows[0][5] if rows else 0,
        "is_session": is_session,
        "people": _somebody([(r[3], r[1]) for r in rows]),
        "events": [_shown(found[r[0]]) for r in rows if r[0] in found],
        "back_url": f"{reverse('explore')}?{urlencode({'q': written(question)})}",
        "next_url": _with(request.GET, before=f"{rows[-1][1]}.{rows[-1][0]}") if more else "",
        "first_url": _with(request.GET, before="") if before else "",
    }
    return render(request, "pages/explore/behind.html", context)


@needs(Right.SEE_EXPLORE)
def persons(request: HttpRequest) -> HttpResponseBase:
    """The people behind one number of who came back, or of steps."""
    demand(request, Right.SEE_PEOPLE)
    assert request.user.is_authenticated
    question = _question(request.GET)
    step = _whole(request.GET.get("step", "0"))
    email = request.user.email
    first = _whole(request.GET.get("from", "0"))
    page = Page(limit=SHOWN + 1, offset=first)
    if isinstance(question, Cohorts):
        cohort = days.read(request.GET.get("cohort", "")) or dt.date(1990, 1, 1)
        rows = services.cohort_people(question, cohort, step, by=email, page=page)
        units = {"month": _("Months later: %(n)s"), "week": _("Weeks later: %(n)s")}
        of = f"{exploring.bucket(cohort, question.unit)} · {units[question.unit] % {'n': step}}"
    elif isinstance(question, Funnel):
        if step >= len(question.steps):
            raise Invalid(_("there is no such step"), _("Go back to the question."))
        has_left, group = request.GET.get("left") == "1", request.GET.get("group")
        rows = services.funnel_people(question, step, has_left=has_left, group=group, by=email, page=page)
        of = f"{step + 1}. {exploring.step(question.steps[step])}"
        if has_left:
            of = _("%(step)s, and no further") % {"step": of}
        if group is not None:
            of += f" · {exploring.group(question.by, group)}"
    elif isinstance(question, Paths) and 1 < len(request.GET.getlist("place")) <= question.steps + 1:
        places = request.GET.getlist("place")
        rows = services.path_people(question, places, by=email, page=page)
        of = " → ".join(exploring.place(question, p) for p in places if p)
    else:
        raise Invalid(_("the address asks nothing"), _("Begin at Explore."))
    context = {
        "said": exploring.sentence(question),
        "of": of,
        "n_people": rows[0][2] if rows else 0,
        "people": _somebody([(r[0], r[1]) for r in rows[:SHOWN]]),
        "back_url": f"{reverse('explore')}?{urlencode({'q': written(question)})}",
        "next_url": _with(request.GET, **{"from": str(first + SHOWN)}) if len(rows) > SHOWN else "",
        "first_url": _with(request.GET, **{"from": ""}) if first else "",
    }
    return render(request, "pages/explore/persons.html", context)


def _cell(given: QueryDict, question: Figures) -> tuple[int, Cell]:
    at = _whole(given.get("m", "0"))
    groups = tuple(given.getlist("g"))
    if at >= len(question.measures) or len(groups) not in (0, len(question.by)):
        raise Invalid(_("the address names no number of this question"), _("Go back to the question."))
    return at, Cell(
        groups=groups or None,
        bucket=days.read(given.get("b", "")),
        is_before=given.get("side") == "before",
        currency=given.get("c", ""),
    )


def _of(question: Figures, cell: Cell) -> str:
    parts = []
    if cell.groups is not None:
        parts += [exploring.group(n, v) for n, v in zip(question.by, cell.groups, strict=True)]
    if cell.bucket:
        parts.append(exploring.bucket(cell.bucket, question.grain))
    if cell.is_before:
        parts.append(_("the period before"))
    if cell.currency:
        parts.append(cell.currency)
    return " · ".join(parts)


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Invalid(_("“%(value)s” is no number") % {"value": text}, _("Go back to the question."))
    return int(text)


def _before(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    us, _dot, seq = text.partition(".")
    if not (us.isdecimal() and seq.isdecimal()) or len(text) > 40:
        raise Invalid(_("the place in the list is damaged"), _("Begin at the top."))
    return int(us), int(seq)


def _ends(rows: Sequence[Any]) -> tuple[dt.datetime, dt.datetime]:
    """The first and the last moment of a page of rows."""
    moments = [r[1] for r in rows] or [0]
    return clock.from_us(min(moments)), clock.from_us(max(moments))


def _somebody(found: Sequence[tuple[int, int]]) -> list[Somebody]:
    """Each person once, as their newest row has them."""
    newest: dict[int, int] = {}
    for person, us in found:
        newest.setdefault(person, us)
    heads = {row.id: row for row in people.person_rows(list(newest))}
    return [
        Somebody(person, _name(heads.get(person), person), clock.from_us(us)) for person, us in newest.items()
    ]


def _name(head: Any, person: int) -> str:
    if head is None:
        return _("Visitor %(number)s") % {"number": person}
    return str(head.display_name or head.id)


def _shown(row: events.EventRow) -> lines.Shown:
    money = Money(row.value_minor, row.currency) if row.value_minor is not None and row.currency else None
    return lines.shown(
        row,
        at=row.ts,
        subject=row.subject,
        money=money,
        properties=lines.read_properties(row.properties),
        identifier=row.identifier or "",
    )


def _with(given: QueryDict, **changed: str) -> str:
    query = given.copy()
    for key, value in changed.items():
        query[key] = value
        if not value:
            del query[key]
    return f"?{query.urlencode()}"


urlpatterns = [
    path("explore/", ask, name="explore"),
    path("explore/answer/", answer, name="explore_answer"),
    path("explore/answer.csv", taken, name="explore_csv"),
    path("explore/answer/<answer_key:key>/", watch, name="explore_watch"),
    path("explore/answer/<answer_key:key>/stop/", stop, name="explore_stop"),
    path("explore/save/", save, name="explore_save"),
    path("explore/behind/", behind, name="explore_behind"),
    path("explore/people/", persons, name="explore_people"),
]
