"""One saved question: its newest answer, how it came to it, who sees it and when it asks itself."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.explore import selectors as explore
from rapport.explore import services
from rapport.kit.errors import Denied, RapportError
from rapport.staff.rules import Right, Role, roles_with
from rapport.web import jobs
from rapport.web.access import may, needs
from rapport.web.components import exploredways, exploring
from rapport.web.components.explored import written
from rapport.web.components.formats import ROLE_LABELS
from rapport.web.errors import sentence as as_sentence


@needs(Right.SEE_EXPLORE)
def saved(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    found = explore.saved_or_refused(key)
    if isinstance(found, explore.RefusedView):
        _demand_open(request, found)
        context = {
            "view": found,
            "why": exploring.refusal(found.error),
            "can_change": may(request, Right.CHANGE_EXPLORE) and _is_theirs(request, found),
        }
        return render(request, "pages/explore_saved/refused.html", context)
    view = _opened(request, key)
    answer = explore.newest_answer(key)
    return render(request, "pages/explore_saved/page.html", _context(request, view, answer))


@needs(Right.SEE_EXPLORE)
def kept(request: HttpRequest, key: uuid.UUID, kept: uuid.UUID) -> HttpResponseBase:
    """An answer of the past, as it was."""
    view = _opened(request, key)
    answer = explore.kept_answer(key, kept)
    context = {**_context(request, view, answer), "is_past": True}
    return render(request, "pages/explore_saved/page.html", context)


@needs(Right.SEE_EXPLORE)
def card(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    """The newest answer in short, for Home."""
    view = _opened(request, key)
    answer = explore.newest_answer(key)
    shown = exploredways.shown(answer, full_width=False) if answer else None
    context = {"view": view, "shown": shown, "chart": shown.charts[0] if shown and shown.charts else None}
    return render(request, "pages/explore_saved/card.html", {**context, "answer": answer})


@needs(Right.SEE_EXPLORE)
@require_POST
def run(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    """Ask it now, beside the other jobs."""
    assert request.user.is_authenticated
    _opened(request, key)
    jobs.ask_saved.enqueue(str(key), request.user.email)
    messages.success(request, _("It is being asked. The answer appears here in a moment."))
    return redirect("explore_saved", key=key)


@needs(Right.CHANGE_EXPLORE)
@require_POST
def change(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    assert request.user.is_authenticated
    view = _owned(request, key)
    given = request.POST
    try:
        services.change(
            key,
            name=given.get("name", view.name),
            shared=given.get("shared", view.shared),
            roles=given.getlist("roles"),
            schedule=given.get("schedule", view.schedule),
            is_pinned=given.get("pinned") == "1",
        )
    except RapportError as error:
        messages.error(request, f"{as_sentence(error.message)} {as_sentence(error.hint)}")
    else:
        messages.success(request, _("Changed."))
        if given.get("pinned") == "1" and view.asked_at is None:
            # Home shows what was kept, and nothing is yet.
            jobs.ask_saved.enqueue(str(key), request.user.email)
    return redirect("explore_saved", key=key)


@needs(Right.CHANGE_EXPLORE)
@require_POST
def remove(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    found = explore.saved_or_refused(key)
    _demand_open(request, found)
    _demand_owned(request, found)
    services.remove(key)
    messages.success(request, _("Removed, with its history."))
    return redirect("explore")


def _opened(request: HttpRequest, key: uuid.UUID) -> explore.SavedView:
    view = explore.saved(key)
    _demand_open(request, view)
    return view


def _owned(request: HttpRequest, key: uuid.UUID) -> explore.SavedView:
    """One that somebody may change, and not only open."""
    view = _opened(request, key)
    _demand_owned(request, view)
    return view


def _demand_open(request: HttpRequest, view: explore.SavedView | explore.RefusedView) -> None:
    assert request.user.is_authenticated
    if not explore.may_open(view, request.user.email, request.user.role):
        raise Denied(
            _("this question is not shared with you"),
            _("Ask %(who)s to share it.") % {"who": view.created_by},
        )


def _demand_owned(request: HttpRequest, view: explore.SavedView | explore.RefusedView) -> None:
    if not _is_theirs(request, view):
        raise Denied(
            _("only %(who)s or an owner may change this question") % {"who": view.created_by},
            _("Save a question of your own."),
        )


def _is_theirs(request: HttpRequest, view: explore.SavedView | explore.RefusedView) -> bool:
    assert request.user.is_authenticated
    return view.created_by == request.user.email or request.user.role == Role.OWNER


def _context(request: HttpRequest, view: explore.SavedView, answer: Any) -> dict[str, Any]:
    query = urlencode({"q": written(view.question)})
    roles = roles_with(Right.SEE_EXPLORE)
    return {
        "view": view,
        "said": exploring.sentence(view.question),
        "answer": answer,
        "shown": exploredways.shown(answer) if answer else None,
        "history": explore.history(view.key),
        "ask_url": f"{reverse('explore')}?{query}",
        "live_url": f"{reverse('explore_answer')}?{query}",
        "can_change": may(request, Right.CHANGE_EXPLORE) and _is_theirs(request, view),
        "shares": [
            ("mine", _("Only I"), view.shared == "mine"),
            ("roles", _("Colleagues by role"), view.shared == "roles"),
            ("link", _("Whoever has this address and may see Explore"), view.shared == "link"),
        ],
        "roles": [(role.value, ROLE_LABELS[role], role.value in view.roles) for role in roles],
        "schedules": [(n, label, n == view.schedule) for n, label in exploring.SCHEDULES.items()],
        "schedule": exploring.SCHEDULES[view.schedule],
        "address": request.build_absolute_uri(reverse("explore_saved", args=[view.key])),
    }


urlpatterns = [
    path("explore/saved/<uuid:key>/", saved, name="explore_saved"),
    path("explore/saved/<uuid:key>/at/<uuid:kept>/", kept, name="explore_kept"),
    path("explore/saved/<uuid:key>/card/", card, name="explore_card"),
    path("explore/saved/<uuid:key>/run/", run, name="explore_run"),
    path("explore/saved/<uuid:key>/change/", change, name="explore_change"),
    path("explore/saved/<uuid:key>/remove/", remove, name="explore_remove"),
]
