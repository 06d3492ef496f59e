"""Correcting what we know: the person's own word holds at once; what cannot be typed becomes a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from rapport.aio import rules as aio_rules
from rapport.aio import selectors as aio
from rapport.aio import services as aio_services
from rapport.consent import services
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.web.components import stating, words
from rapport.web.customers import BY_PERSON, Holder, for_fresh_holder, show

SOURCE = "self"  # the source of events in which somebody speaks of themselves on these pages
VALUE_CHARS_MAX = 255
NOTE_CHARS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One attribute that can be corrected."""

    name: str
    label: str
    value: str
    typed: str
    is_guess: bool
    is_called_wrong: bool
    wrong: str


@require_http_methods(["GET", "HEAD", "POST"])
@for_fresh_holder
def correct(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    try:
        mine = people.own(holder.identifier)
    except NotFound:
        context = {"title": _("We know nothing of you")}
        return show(request, "pages/customer_correct/nothing.html", context, holder=holder)
    known = {t.name: t.chosen for t in mine.traits if _can_be_typed(t)}
    concluded = _concluded(mine)
    if request.method != "POST":
        return _page(request, holder, known, concluded)
    form = request.POST
    changed = {
        name: form[f"is_{name}"].strip()
        for name in known
        if f"is_{name}" in form and form[f"is_{name}"].strip() != form.get(f"was_{name}", "")
    }
    wrong = {name: _wrong(value) for name, value in changed.items() if _wrong(value)}
    if wrong:
        return _page(request, holder, known, concluded, wrong, status=400)
    said = {name: value for name, value in changed.items() if value}
    n = _carry_out(holder, known, said, changed.keys() - said.keys(), form)
    n += _not_so(holder, concluded, form)
    return redirect(holder.url("correct", said=str(n)))


def _page(
    request: HttpRequest,
    holder: Holder,
    known: dict[str, people.TraitView],
    concluded: dict[str, stating.Stated],
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    form = request.POST if wrong else QueryDict()
    said = request.GET.get("said", "")
    context = {
        "title": _("Correct it"),
        "lines": [_line(trait, form, wrong or {}) for trait in known.values()],
        "statements": concluded,
        "called_wrong": form.getlist("statement"),
        "wrong": wrong or {},
        "note": form.get("note", ""),
        "note_chars_max": NOTE_CHARS_MAX,
        "value_chars_max": VALUE_CHARS_MAX,
        "saved": _saved(int(said)) if said.isdecimal() else "",
    }
    return show(request, "pages/customer_correct/page.html", context, holder=holder, status=status)


def _line(trait: people.TraitView, form: QueryDict, wrong: dict[str, str]) -> Line:
    return Line(
        name=trait.name,
        label=words.trait(trait.name),
        value=str(trait.value),
        typed=form.get(f"is_{trait.name}", str(trait.value)),
        is_guess=trait.origin == "inferred",
        is_called_wrong=trait.name in form.getlist("guess"),
        wrong=wrong.get(trait.name, ""),
    )


def _can_be_typed(trait: people.TraitsOf) -> bool:
    return isinstance(trait.chosen.value, str | int | float) and not isinstance(trait.chosen.value, bool)


def _wrong(value: str) -> str:
    if len(value) > VALUE_CHARS_MAX:
        return _("This is too long. Write at most %(n)s characters.") % {"n": VALUE_CHARS_MAX}
    if any(ord(c) < 32 for c in value):
        return _("Write this on one line.")
    return ""


def _carry_out(
    holder: Holder,
    known: dict[str, people.TraitView],
    said: dict[str, Any],
    emptied: set[str],
    form: QueryDict,
) -> int:
    """Take the person at their word; guesses called wrong, emptied lines and the rest become a request."""
    if said:
        people_services.declare(holder.identifier, said, source=SOURCE)
    guesses = [n for n in form.getlist("guess") if n in known and known[n].origin == "inferred"]
    # Staff read these notes in English terms of the log, whatever the language of the page.
    asked = [f"changed by the person: {', '.join(sorted(said))}" if said else ""]
    asked += [f"calls the guess wrong: {', '.join(sorted(guesses))}" if guesses else ""]
    asked += [f"wants removed: {', '.join(sorted(emptied))}" if emptied else ""]
    asked += [form.get("note", "").strip()[:NOTE_CHARS_MAX]]
    note = "\n".join(part for part in asked if part)
    if note:
        services.open_request(holder.identifier, "correction", by=BY_PERSON, note=note)
    return len(said) + len(guesses) + len(emptied) + bool(asked[-1])


def _concluded(mine: people.OwnView) -> dict[str, stating.Stated]:
    """What is concluded of them and stands, by the name under which the form knows it."""
    views = aio.of_subjects(mine.subjects)
    return {f"{v.kind}:{v.about}": stating.stated(v) for v in views if v.state != aio_rules.SAID_WRONG}


def _not_so(holder: Holder, concluded: dict[str, stating.Stated], form: QueryDict) -> int:
    """What they call wrong is dropped at once and not concluded again; nobody need look at it first."""
    called = [concluded[name] for name in dict.fromkeys(form.getlist("statement")) if name in concluded]
    for one in called:
        aio_services.not_so(holder.identifier, one.kind, one.about, by=BY_PERSON)
    return len(called)


def _saved(n: int) -> str:
    if not n:
        return _("Nothing was different, so nothing changed.")
    return ngettext(
        "Noted: %(n)s thing. What you typed holds from now on; for the rest a person answers within 30 days.",
        "Noted: %(n)s things. What you typed holds from now on; for the rest a person answers within 30 days.",
        n,
    ) % {"n": n}


urlpatterns = [path("my/correct/<str:token>", correct, name="customer_correct")]
