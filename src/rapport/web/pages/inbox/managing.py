"""What is arranged for the inbox: views, ready answers, several steps in one press, how soon to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.conversations import selectors, services
from rapport.conversations.rules import clocks, playbooks
from rapport.conversations.rules import views as rules
from rapport.conversations.services.arranging import MACRO_STEPS
from rapport.kit.errors import Invalid, RapportError
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.components import inboxing, spokenwords
from rapport.web.errors import sentence

ORDERS = (
    ("priority", gettext_lazy("what presses most first")),
    ("last", gettext_lazy("newest first")),
    ("waiting", gettext_lazy("who waits longest first")),
)
# What a step of several does, and how it is written in the form: the verb, then what it takes.
STEPS: tuple[tuple[str, Any], ...] = (
    ("", gettext_lazy("nothing more")),
    ("assign:me", gettext_lazy("take it")),
    ("assign:nobody", gettext_lazy("give it back to all")),
    ("priority:high", gettext_lazy("set high priority")),
    ("priority:low", gettext_lazy("set low priority")),
    ("snooze:24", gettext_lazy("put it off for a day")),
    ("snooze:168", gettext_lazy("put it off for a week")),
    *((f"resolve:{key}", gettext_lazy("resolve it")) for key in ("solved",)),
    ("resolve:no_answer_needed", gettext_lazy("resolve it: no answer needed")),
    ("resolve:handed_over", gettext_lazy("resolve it: handed over")),
    ("wait:", gettext_lazy("say that it is their turn")),
    *((f"playbook:{kind}", inboxing.PLAYBOOKS[kind]) for kind in playbooks.PLAYBOOKS),
)
TAKES = {key: takes[0] for key, takes in MACRO_STEPS.items() if takes}
STEPS_OFFERED = 4


@needs(Right.SEE_INBOX)
def manage(request: HttpRequest) -> HttpResponseBase:
    """Everything that is arranged for the inbox, each with its form."""
    wrong = ""
    if request.method == "POST":
        what = request.POST.get("form", "")
        try:
            said = FORMS[what](request) if what in FORMS else ""
        except RapportError as error:
            wrong = f"{sentence(error.message)} {error.hint}"
        except ValueError:  # of int() and float(): a number that is none
            wrong = _("A number is missing or is none.")
        else:
            messages.success(request, said or _("Saved."))
            return redirect(f"{reverse('inbox_manage')}#{what.partition('-')[0]}")
    return render(request, "pages/inbox/manage.html", _context(request, wrong), status=400 if wrong else 200)


def _context(request: HttpRequest, wrong: str) -> dict[str, Any]:
    assert request.user.is_authenticated
    me = request.user.pk
    given: QueryDict | dict[str, str] = request.POST if wrong else {}
    edited = request.GET.get("edit", "")
    canned = selectors.canned(limit=500)
    steps = (*STEPS, *((f"draft:{row.short}", _put_in(row.title)) for row in canned))
    return {
        "wrong": wrong,
        "given": given,
        "can_manage": may(request, Right.MANAGE_INBOX),
        "can_answer": may(request, Right.ANSWER),
        "views": [row for row in selectors.views(me) if row.name],
        "states": [(key, inboxing.state(key)) for key in rules.STATES],
        "channels": list(inboxing.CHANNELS.items()),
        "orders": ORDERS,
        "sentiments": [
            (key, spokenwords.label("sentiment", key)) for key in ("negative", "neutral", "positive")
        ],
        "canned": [(row, list(row.texts)) for row in canned],
        "edited": next((row for row in canned if row.short == edited), None),
        "languages": _languages(next((row for row in canned if row.short == edited), None), given),
        "macros": [(row, [_step_said(step, steps) for step in row.steps]) for row in selectors.macros()],
        "steps": steps,
        "nth": range(STEPS_OFFERED),
        "targets": [_target(row) for row in selectors.target_rows()],
        "days": list(WEEKDAYS.values()),
        "zones": sorted(available_timezones()),
    }


def _languages(edited: Any, given: QueryDict | dict[str, str]) -> list[tuple[str, str, str]]:
    """The languages of the screens, each with what a ready answer says in it as far as it is written."""
    return [
        (code, name, given.get(f"text_{code}") or (edited.texts.get(code, "") if edited else ""))
        for code, name in settings.LANGUAGES
    ]


def _put_in(title: str) -> str:
    return _("put in the ready answer “%(title)s”") % {"title": title}


def _step_said(step: dict[str, Any], steps: Sequence[tuple[str, Any]]) -> str:
    do = str(step["do"])
    to = str(step.get(TAKES.get(do, ""), ""))
    said = dict(steps)
    return str(said.get(f"{do}:{to}") or f"{do} {to}".strip())


def _target(row: Any) -> dict[str, Any]:
    name = str(inboxing.CHANNELS.get(row.channel, row.channel)) if row.channel else _("everything else")
    hours = []
    for span in row.hours:
        hours.append("" if span is None else f"{_clock(span[0])}-{_clock(span[1])}")
    return {
        "row": row,
        "name": name,
        "hours": hours,
        "key": row.channel or "every",
        "stars_max": str(row.stars_max),
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _minute(text: str) -> int:
    hour, _colon, minute = text.strip().partition(":")
    return int(hour) * 60 + int(minute or 0)


# Forms


def _save_view(request: HttpRequest) -> str:
    assert request.user.is_authenticated
    given = request.POST
    wanted: dict[str, Any] = {"states": given.getlist("states") or ["open"]}
    wanted |= {
        name: given[name]
        for name in ("channel", "language", "sentiment", "assignee", "order")
        if given.get(name)
    }
    if given.get("is_public"):
        wanted["is_public"] = given["is_public"] == "yes"
    if given.get("is_overdue"):
        wanted["is_overdue"] = True
    services.save_view(
        given.get("name", ""), wanted, by=request.user.pk, is_shared=bool(given.get("is_shared"))
    )
    return _("The view stands among the others now.")


def _drop_view(request: HttpRequest) -> str:
    assert request.user.is_authenticated
    services.drop_view(request.POST.get("key", ""), by=request.user.pk)
    return _("The view is gone; what was in it is not.")


def _save_canned(request: HttpRequest) -> str:
    assert request.user.is_authenticated
    demand(request, Right.MANAGE_INBOX)
    was = request.POST.get("was", "")
    before = next((row for row in selectors.canned(limit=500) if row.short == was), None)
    # What it says in a language that no screen has is not shown in the form, and stays.
    texts = {**(before.texts if before else {})}
    texts |= {code: request.POST.get(f"text_{code}", "") for code, _name in settings.LANGUAGES}
    services.save_canned(
        request.POST.get("short", ""), request.POST.get("title", ""), texts, by=request.user.pk, was=was
    )
    return _("Saved. It is put in by a slash and its short name.")


def _drop_canned(request: HttpRequest) -> str:
    demand(request, Right.MANAGE_INBOX)
    services.drop_canned(request.POST.get("short", ""))
    return _("It is gone.")


def _save_macro(request: HttpRequest) -> str:
    assert request.user.is_authenticated
    demand(request, Right.MANAGE_INBOX)
    steps: list[dict[str, Any]] = []
    for given in request.POST.getlist("steps"):
        do, _colon, to = given.partition(":")
        if do:
            steps.append({"do": do, **({TAKES[do]: to} if do in TAKES else {})})
    if note := request.POST.get("note", "").strip():
        steps.append({"do": "note", "text": note})
    services.save_macro(request.POST.get("name", ""), steps, by=request.user.pk)
    return _("Saved. It stands under More in every conversation.")


def _drop_macro(request: HttpRequest) -> str:
    demand(request, Right.MANAGE_INBOX)
    number = request.POST.get("number", "")
    if not number.isdecimal():
        raise Invalid(_("nothing was chosen"), _("Choose one of the list."))
    services.drop_macro(int(number))
    return _("It is gone.")


def _save_target(request: HttpRequest) -> str:
    demand(request, Right.MANAGE_INBOX)
    given = request.POST
    channel = "" if given.get("channel") == "every" else given.get("channel", "")
    hours: list[tuple[int, int] | None] = []
    for text in given.getlist("hours"):
        begin, dash, end = text.replace("–", "-").partition("-")
        hours.append((_minute(begin), _minute(end)) if dash else None)
    services.save_target(
        channel,
        clocks.Target(
            answer_min=int(given.get("answer_min", "")),
            wait_max_h=int(given.get("wait_max_h", "")),
            timezone=given.get("timezone", "UTC"),
            hours=tuple(hours),
            stale_days=int(given.get("stale_days", "")),
            stars_max=float(given.get("stars_max", "2")),
        ),
    )
    return _("Saved. What waits has its new time already.")


FORMS = {
    "views": _save_view,
    "views-drop": _drop_view,
    "canned": _save_canned,
    "canned-drop": _drop_canned,
    "macros": _save_macro,
    "macros-drop": _drop_macro,
    "targets": _save_target,
}

urlpatterns = [path("inbox/arrange/", manage, name="inbox_manage")]
