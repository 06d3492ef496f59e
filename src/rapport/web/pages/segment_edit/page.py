"""Say whom a segment holds: rows of sentences in brackets, and beside them at once how many people that is.

Every button sends the whole form, so all of it works without script; with it, htmx swaps the rows in place
and asks for the count while somebody types.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from rapport.kit.errors import Conflict, RapportError
from rapport.segments import selectors, services
from rapport.staff.rules import Right
from rapport.web import jobs, latest
from rapport.web.access import needs
from rapport.web.components import segmentforms, segmenting, segmentstarters, segmentwhy
from rapport.web.components.segmentcontrols import Offer
from rapport.web.components.segmenttree import Bracket
from rapport.web.errors import sentence
from rapport.web.layout import Action

actions = [Action("segment_new", gettext_lazy("New segment"), Right.CHANGE_SEGMENTS)]

CHANGED = "segment-changed"  # what the count listens for once the rows were swapped


@needs(Right.CHANGE_SEGMENTS)
def new(request: HttpRequest) -> HttpResponseBase:
    """A segment from nothing, from one of the starters, or like another one."""
    offer = segmenting.offer()
    if request.method == "POST":
        return _sent(request, offer)
    given = {"title": "", "meaning": "", "purpose": services.PURPOSE}
    form = Bracket()
    if starter := segmentstarters.STARTERS.get(request.GET.get("start", "")):
        given |= {"title": str(starter.title), "meaning": str(starter.meaning)}
        form = segmentforms.form(starter.rule(offer), offer)
    elif like := request.GET.get("like", ""):
        found = selectors.segment(like)
        given = {
            "title": _("%(title)s, copy") % {"title": found.title},
            "meaning": found.meaning,
            "purpose": found.purpose,
        }
        form = segmentforms.form(found.rule, offer)
    return _page(request, offer, form, given)


@needs(Right.CHANGE_SEGMENTS)
def edit(request: HttpRequest, key: str) -> HttpResponseBase:
    """Change the rule of a segment; who is in it changes with it, and its history goes on."""
    found = selectors.segment(key)
    offer = segmenting.offer(of=key)
    if request.method == "POST":
        return _sent(request, offer, found)
    given = {"title": found.title, "meaning": found.meaning, "purpose": found.purpose}
    return _page(request, offer, segmentforms.form(found.rule, offer), given, of=found)


def _sent(request: HttpRequest, offer: Offer, of: selectors.SegmentView | None = None) -> HttpResponseBase:
    given = request.POST
    form, goes_on = segmentforms.changed(given, offer)
    built = segmentforms.built(form, offer)
    context: dict[str, Any] = {}
    if given.get("do") == "save":
        if built.is_whole:
            try:
                return _kept(request, built, of)
            except RapportError as error:
                context["wrong_form"] = f"{sentence(error.message)} {sentence(error.hint)}"
        else:
            context["wrong_form"] = _("Nothing was kept yet: see what is said beside the conditions.")
    context |= _live(request, built)
    if given.get("do") == "why":
        leave = segmenting.leave(request, given.get("purpose", ""))
        context |= segmentwhy.asked_why(offer, built.rule, leave, given.get("who", ""))
    said = {name: given.get(name, "") for name in ("title", "meaning", "who", "purpose")}
    status = 400 if "wrong_form" in context else 200
    return _page(
        request, offer, form, said, of=of, goes_on=goes_on, wrong=built.wrong, status=status, **context
    )


def _kept(
    request: HttpRequest, built: segmentforms.Built, of: selectors.SegmentView | None
) -> HttpResponseBase:
    assert request.user.is_authenticated
    said: dict[str, Any] = {
        "title": request.POST.get("title", ""),
        "meaning": request.POST.get("meaning", ""),
        "purpose": request.POST.get("purpose", "") or services.PURPOSE,
        "rule": built.rule,
        "by": request.user.email,
    }
    if of is not None:
        key = services.change(of.key, **said).key
    else:
        try:
            key = services.create(**said).key
        except Conflict:
            raise Conflict(
                _("there is a segment called “%(title)s” already") % {"title": said["title"]},
                _("Choose another name."),
            ) from None
    jobs.refresh_segment.enqueue(key)
    messages.success(request, _("Kept. Who is in it is being worked out."))
    return redirect("segment", key=key)


def _page(
    request: HttpRequest,
    offer: Offer,
    form: Bracket,
    given: dict[str, str],
    *,
    of: selectors.SegmentView | None = None,
    goes_on: str = "",
    wrong: Any = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "title": _("Change “%(title)s”") % {"title": of.title} if of else _("New segment"),
        "back_url": reverse("segment", args=[of.key]) if of else reverse("segments"),
        "back": of.title if of else _("Segments"),
        "of": of.key if of else "",
        "given": given,
        "purposes": segmenting.purposes(),
        "bracket": segmentforms.shown(form, offer, wrong or {}, goes_on),
        "form_url": reverse("segment_form"),
        "how_counted": segmenting.how_counted(),
        **more,
    }
    return render(request, "pages/segment_edit/page.html", context, status=status)


# ---- fragments ----------------------------------------------------------------------------------------


def _read(request: HttpRequest) -> tuple[Offer, Bracket, segmentforms.Built]:
    offer = segmenting.offer(of=request.POST.get("of", ""))
    form, _goes_on = segmentforms.changed(request.POST, offer)
    return offer, form, segmentforms.built(form, offer)


@needs(Right.CHANGE_SEGMENTS)
@require_POST
def rows(request: HttpRequest) -> HttpResponseBase:
    """The rows after a button or a choice that changes which fields there are."""
    offer = segmenting.offer(of=request.POST.get("of", ""))
    form, goes_on = segmentforms.changed(request.POST, offer)
    bracket = segmentforms.shown(form, offer, {}, goes_on)
    context = {"bracket": bracket, "form_url": reverse("segment_form")}
    answer = render(request, "pages/segment_edit/rules.html", context)
    return trigger_client_event(answer, CHANGED, after="settle")


@needs(Right.CHANGE_SEGMENTS)
@require_POST
def count(request: HttpRequest) -> HttpResponseBase:
    """How many people that is, whom one can reach, and a few of them."""
    _offer, form, built = _read(request)
    try:
        with segmenting.latest_of(request, "count"):
            context = _live(request, built)
    except latest.Superseded:
        return HttpResponse(status=204)
    slots = [(place, built.wrong.get(place, "")) for place in segmentforms.places(form)]
    return render(request, "pages/segment_edit/live.html", {**context, "slots": slots})


@needs(Right.CHANGE_SEGMENTS)
@require_POST
def why(request: HttpRequest) -> HttpResponseBase:
    """Whether somebody is in, line by line."""
    offer, _form, built = _read(request)
    leave = segmenting.leave(request, request.POST.get("purpose", ""))
    context = segmentwhy.asked_why(offer, built.rule, leave, request.POST.get("who", ""))
    return render(request, "pages/segment_edit/why.html", context)


@needs(Right.CHANGE_SEGMENTS)
@require_POST
def year(request: HttpRequest) -> HttpResponseBase:
    """How many would have fitted the rule in the last year."""
    _offer, _form, built = _read(request)
    try:
        with segmenting.latest_of(request, "year") as question:
            spark = segmenting.year(
                built.rule, segmenting.leave(request, request.POST.get("purpose", "")), question
            )
    except latest.Superseded:
        return HttpResponse(status=204)
    note = _("By what people did until then; what else is known of them is taken as of now")
    return render(request, "components/segment_spark.html", {"spark": spark, "spark_note": note})


def _live(request: HttpRequest, built: segmentforms.Built) -> dict[str, Any]:
    try:
        leave = segmenting.leave(request, request.POST.get("purpose", ""))
        return {"live": segmenting.live(built, leave)}
    except RapportError as error:
        return {"failed": {"text": sentence(error.message), "hint": sentence(error.hint)}}


urlpatterns = [
    path("segments/new/", new, name="segment_new"),
    path("segments/draft/rows/", rows, name="segment_form"),
    path("segments/draft/count/", count, name="segment_count"),
    path("segments/draft/why/", why, name="segment_why"),
    path("segments/draft/year/", year, name="segment_year"),
    path("segment/<slug:key>/edit/", edit, name="segment_edit"),
]
