"""Requests: what people ask about their data, by when they have a right to an answer, and doing it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.consent.rules import asking as rules
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound, RapportError
from rapport.people import selectors as people
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import jobs, takeout
from rapport.web.access import demand, may, needs
from rapport.web.components import asking, places
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

entries = [
    Entry(
        "requests",
        gettext_lazy("Requests"),
        "asked",
        "setup",
        20,
        Right.SEE_PRIVACY,
        also=("request", "request_open", "erasure"),
    )
]
actions = [Action("request_open", gettext_lazy("Write down a request"), Right.CHANGE_PRIVACY)]

STUCK_S = 60
IMMEDIATE = frozenset({rules.OBJECTION, rules.RESTRICTION})


@needs(Right.SEE_PRIVACY)
def listing(request: HttpRequest) -> HttpResponseBase:
    closed = consent.closed_requests(before=places.read(request.GET.get("before", "")))
    last = closed[-1] if len(closed) == 50 else None
    first_page = not request.GET.get("before")
    context = {
        "open": [_line(r) for r in consent.open_requests()] if first_page else [],
        "closed": [_line(r) for r in closed],
        "due": consent.due(),
        "first_page": first_page,
        "next_url": _after(last) if last else "",
        "first_url": "" if first_page else reverse("requests"),
        "stopped": [e for e in consent.erasures() if e.ended_at is None and e.error] if first_page else [],
        "n_to_replay": consent.n_to_replay() if first_page else 0,
        "can_change": may(request, Right.CHANGE_PRIVACY),
    }
    return render(request, "pages/requests/page.html", context)


def _line(request: consent.RequestView) -> dict[str, Any]:
    return {
        "request": request,
        "kind": asking.kind(request.kind),
        "left": asking.time_left(request),
        "tone": asking.tone(request),
        "state": asking.STATES.get(request.state, request.state),
        "by": _("the person") if request.opened_by == services.BY_PERSON else request.opened_by,
    }


def _after(last: consent.RequestView) -> str:
    assert last.closed_at
    return f"{reverse('requests')}?{urlencode({'before': places.write(last.closed_at, last.id)})}"


@needs(Right.CHANGE_PRIVACY)
def open_one(request: HttpRequest) -> HttpResponseBase:
    """Write down what somebody asked by telephone, letter or in the shop."""
    assert request.user.is_authenticated
    given = request.POST if request.method == "POST" else request.GET
    context = {
        "kinds": [(k, asking.kind(k), asking.ARTICLES[k]) for k in rules.KINDS],
        "given": {key: given.get(key, "") for key in ("ref", "kind", "note")},
        "wrong": "",
    }
    if request.method == "POST":
        try:
            opened = services.open_request(
                given.get("ref", ""), given.get("kind", ""), by=request.user.email, note=given.get("note", "")
            )
        except RapportError as error:
            context["wrong"] = f"{sentence(error.message)} {error.hint}"
            return render(request, "pages/requests/open.html", context, status=400)
        return redirect("request", opened.id)
    return render(request, "pages/requests/open.html", context)


@needs(Right.SEE_PRIVACY)
def one(request: HttpRequest, request_id: uuid.UUID) -> HttpResponseBase:
    if request.method == "POST":
        return _decide(request, request_id)
    context = _about(request, consent.request(request_id))
    if getattr(request, "htmx", False):
        return render(request, "pages/requests/state.html", context)
    return render(request, "pages/requests/one.html", context)


def _about(request: HttpRequest, asked: consent.RequestView, wrong: str = "") -> dict[str, Any]:
    extent = _extent(asked)
    waited_s = (clock.now() - asked.opened_at).total_seconds()
    progress = jobs.progress(f"request-{asked.id}")
    return {
        **_line(asked),
        "asked": asked,
        "article": asking.ARTICLES.get(asked.kind, ""),
        "happens": asking.HAPPENS.get(asked.kind, ""),
        "do": asking.DO.get(asked.kind, _("Answered")),
        "extent": extent,
        "events": _n_events(extent),
        "is_erasure": asked.kind == rules.ERASURE,
        "is_file": asked.kind in (rules.ACCESS, rules.PORTABILITY),
        "is_running": asked.state == rules.RUNNING,
        "is_stuck": asked.state == rules.RUNNING and progress is None and waited_s > STUCK_S,
        "progress": progress.phase if progress else _("Waiting for the worker"),
        "certificate": _certificate(asked.erasure) if asked.erasure else None,
        "wrong": wrong,
        "can_do": may(request, Right.ERASE_PEOPLE if asked.kind == rules.ERASURE else Right.CHANGE_PRIVACY),
        "can_export": may(request, Right.EXPORT_PEOPLE),
    }


def _extent(asked: consent.RequestView) -> services.Extent | None:
    """Whom it concerns; None where we know nobody under that identifier."""
    if not asked.identifier or not asked.is_open:
        return None
    try:
        return services.extent(asked.identifier)
    except NotFound:
        return None


def _n_events(extent: services.Extent | None) -> int:
    life = people.activity([extent.person]).get(extent.person) if extent else None
    return life.n_events if life else 0


def _certificate(erasure_id: uuid.UUID) -> dict[str, Any]:
    found = services.certificate(erasure_id)
    return {
        "found": found,
        "rows": [(asking.store(name), n) for name, n in found.counts.items()],
    }


def _decide(request: HttpRequest, request_id: uuid.UUID) -> HttpResponseBase:
    assert request.user.is_authenticated
    asked = consent.request(request_id)
    demand(request, Right.ERASE_PEOPLE if asked.kind == rules.ERASURE else Right.CHANGE_PRIVACY)
    do, answer, by = request.POST.get("do"), request.POST.get("answer", ""), request.user.email
    try:
        if do == "refuse":
            services.close(request_id, by=by, answer=answer, refused=True)
            messages.success(request, _("Refused, with your reason. Tell them, and that they may complain."))
        elif do == "carry_out" and asked.kind == rules.ERASURE:
            services.begin(request_id, by=by)
            jobs.carry_out_request.enqueue(str(request_id), by, request.POST.get("probable") == "yes")
        elif do == "carry_out":
            services.carry_out(request_id, by=by, answer=answer)
            messages.success(request, _("Done, and noted."))
        else:
            raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    except Invalid as error:
        context = _about(request, asked, f"{sentence(error.message)} {error.hint}")
        return render(request, "pages/requests/one.html", context, status=400)
    return redirect("request", request_id)


@needs(Right.EXPORT_PEOPLE)
def everything(request: HttpRequest, request_id: uuid.UUID) -> HttpResponseBase:  # noqa: ARG001
    """The file that the person asked for."""
    asked = consent.request(request_id)
    extent = _extent(asked)
    if extent is None:
        raise NotFound(_("we know nothing of them"), _("Answer that, and note the request as answered."))
    taken = takeout.gather(extent.subjects, extent.identifiers, firm=_firm())
    return HttpResponse(
        takeout.as_json(taken),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="everything-{asked.id}.json"'},
    )


def _firm() -> str:
    organisation = staff.organisation()
    return organisation.name if organisation else ""


@needs(Right.SEE_PRIVACY)
def certificate(request: HttpRequest, erasure_id: uuid.UUID) -> HttpResponseBase:
    """What was erased, and how much of it: to be printed and kept."""
    context = {"certificate": _certificate(erasure_id), "firm": _firm()}
    return render(request, "pages/requests/certificate.html", context)


urlpatterns = [
    path("privacy/requests/", listing, name="requests"),
    path("privacy/requests/new/", open_one, name="request_open"),
    path("privacy/requests/<uuid:request_id>/", one, name="request"),
    path("privacy/requests/<uuid:request_id>/everything.json", everything, name="request_file"),
    path("privacy/erasures/<uuid:erasure_id>/", certificate, name="erasure"),
]
