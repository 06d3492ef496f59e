"""Publishing: what the firm says on its own pages, on its days; written, checked, approved and followed."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.kit import clock
from rapport.kit.errors import Invalid, RapportError
from rapport.listening.services import album
from rapport.listening.services import pictures as pictures_of_posts
from rapport.listening.services.album import Kept
from rapport.pacing import selectors as pacing
from rapport.publishing import selectors, services
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import days
from rapport.web.access import may, needs
from rapport.web.components import posting
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

NAMES = ("post", "post_new")
UPLOAD_BYTES_MAX = pictures_of_posts.BYTES_MAX
entries = [
    Entry("publishing", gettext_lazy("Publishing"), "calendar", "reach", 30, Right.SEE_PUBLISHING, also=NAMES)
]
actions = [Action("post_new", gettext_lazy("New post"), Right.CHANGE_PUBLISHING)]
SPANS = {"week": gettext_lazy("Week"), "month": gettext_lazy("Month")}


@needs(Right.SEE_PUBLISHING)
def calendar(request: HttpRequest) -> HttpResponseBase:
    """Everything that is planned, day by day."""
    zone = posting.zone()
    span = request.GET.get("span", "week") if request.GET.get("span") in SPANS else "week"
    today = clock.now().astimezone(zone).date()
    first = _first(request.GET.get("from", ""), span, today)
    after = first + dt.timedelta(days=7) if span == "week" else _month_after(first)
    before = (
        first - dt.timedelta(days=7) if span == "week" else _first("", "month", first - dt.timedelta(days=1))
    )
    at = [dt.datetime.combine(day, dt.time(), tzinfo=zone) for day in (first, after)]
    rows = selectors.calendar(at[0].astimezone(dt.UTC), at[1].astimezone(dt.UTC))
    fared = posting.fares([row for row in rows if row.state in ("published", "failed")])
    filled = []
    for offset in range((after - first).days):
        day = first + dt.timedelta(days=offset)
        mine = [row for row in rows if row.planned_at and row.planned_at.astimezone(zone).date() == day]
        if mine or span == "week":
            filled.append(
                (
                    day,
                    day == today,
                    [(row, *posting.state(row.state), fared.get(str(row.id))) for row in mine],
                )
            )
    context = {
        "span": span,
        "spans": list(SPANS.items()),
        "first": first,
        "last": after - dt.timedelta(days=1),
        "before": before,
        "after": after,
        "days": filled,
        "is_empty": not rows,
        "loose": [(row, *posting.state(row.state)) for row in selectors.without_time()],
        "pressing": [(row, *posting.state(row.state)) for row in selectors.pressing()],
        "zone": zone.key,
        "can_change": may(request, Right.CHANGE_PUBLISHING),
        "has_sources": bool(posting.posting_sources()),
    }
    with timezone.override(zone):
        return render(request, "pages/publishing/page.html", context)


def _first(text: str, span: str, today: dt.date) -> dt.date:
    try:
        day = days.read(text) or today
    except Invalid:
        day = today
    return day - dt.timedelta(days=day.weekday()) if span == "week" else day.replace(day=1)


def _month_after(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=32)).replace(day=1)


@needs(Right.CHANGE_PUBLISHING)
def new(request: HttpRequest) -> HttpResponseBase:
    """Write a post, from nothing or like one that there is."""
    like = request.GET.get("like", "")
    try:
        return _editor(request, None, like=selectors.post(uuid.UUID(like)) if like else None)
    except ValueError:
        return redirect("post_new")


@needs(Right.SEE_PUBLISHING)
def one(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """One post: its words, what stands against them, and what became of it."""
    return _editor(request, selectors.post(number))


def _editor(
    request: HttpRequest, view: selectors.PostView | None, *, like: selectors.PostView | None = None
) -> HttpResponseBase:
    assert request.user.is_authenticated
    held = view or like
    can_change = may(request, Right.CHANGE_PUBLISHING)
    sources = posting.posting_sources()
    wrong: RapportError | None = None
    given: Any = None
    pictures = list(held.pictures) if held else []
    if request.method == "POST" and can_change:
        given = request.POST
        pictures, wrong = _pictures(request)
        do = given.get("do", "")
        if wrong is None and do != "pictures" and not do.startswith("without:"):
            try:
                version = int(given["version"]) if given.get("version", "").isdecimal() else None
                written = _read(request, pictures)
                kept = services.write(
                    replace(written, planned_at=clock.now()) if do == "now" else written,
                    by=request.user.email,
                    post=view.id if view else None,
                    version=version,
                )
                if do == "keep":
                    services.back_to_draft(kept.pk)
            except RapportError as error:
                wrong = error
            else:
                _submitted(request, kept.pk, do)
                return redirect("post", kept.pk)
    texts = (
        {row.name: given.get(f"text_{row.name}", "") for row in sources}
        if given
        else dict(held.texts if held else {})
    )
    chosen = (
        given.getlist("sources") if given else list(held.sources) if held else [r.name for r in sources[:1]]
    )
    firm = staff.organisation()
    zone = posting.zone()
    context = {
        "view": view,
        "wrong": f"{sentence(wrong.message)} {sentence(wrong.hint)}" if wrong else "",
        "text": given.get("text", "") if given else held.text if held else "",
        "language": given.get("language", "")
        if given
        else held.language
        if held
        else firm.language
        if firm
        else "en",
        "campaign": given.get("campaign", "") if given else held.campaign if held else "",
        "planned_at": given.get("planned_at", "")
        if given
        else days.written_moment(view.planned_at if view else None, zone),
        "sources": [(row, row.name in chosen, texts.get(row.name, "")) for row in sources],
        "has_own": any(texts.values()),
        **_shown(pictures),
        "zone": zone.key,
        "can_change": can_change and (view is None or view.may_change),
        "can_approve": may(request, Right.APPROVE_PUBLISHING),
        "state": posting.state(view.state) if view else ("", ""),
        "can_write": can_change,
        "is_past": view is not None and view.planned_at is not None and view.planned_at < clock.now(),
        "postings": [(p, *posting.state(p.state), posting.why(p.answer)) for p in view.postings]
        if view
        else [],
        "checked": _checked(view) if view and view.may_change else [],
        "fared": posting.fares([view]).get(str(view.id)) if view and view.postings else None,
    }
    with timezone.override(zone):
        return render(request, "pages/publishing/one.html", context, status=400 if wrong else 200)


def _submitted(request: HttpRequest, number: uuid.UUID, do: str) -> None:
    """Have what was kept approved where that was asked for; where it may not leave, its words stay."""
    assert request.user.is_authenticated
    if do not in ("submit", "ask", "now"):
        messages.success(request, _("Kept."))
        return
    try:
        done = services.submit(number, by=request.user.email, asks_colleague=do == "ask")
    except RapportError as error:
        messages.error(request, f"{sentence(error.message)} {sentence(error.hint)}")
    else:
        is_now = done.planned_at is not None and done.planned_at <= clock.now()
        messages.success(request, _said(done.state, is_now=is_now))


def _checked(view: selectors.PostView) -> list[posting.Shown]:
    written = services.Written(
        view.text, view.sources, view.texts, view.language, view.campaign, view.planned_at
    )
    return _held_against(written, view.pictures)


def _held_against(written: services.Written, pictures: Sequence[Kept]) -> list[posting.Shown]:
    """A post as it would leave by each of its networks."""
    at = written.planned_at if written.planned_at and written.planned_at > clock.now() else None
    return [
        posting.shown(
            services.check(
                name,
                written.texts.get(name) or written.text,
                language=written.language,
                at=at,
                pictures=pictures,
            )
        )
        for name in written.sources[:20]
    ]


def _shown(pictures: Sequence[Kept]) -> dict[str, Any]:
    """What the list of pictures in the form shows."""
    return {
        "pictures": pictures,
        "pictures_max": services.PICTURES_MAX,
        "can_add": len(pictures) < services.PICTURES_MAX,
        "megabytes_max": UPLOAD_BYTES_MAX >> 20,
    }


def _pictures(request: HttpRequest) -> tuple[list[Kept], RapportError | None]:
    """The pictures of a form: those it had, without the one that was taken away, and the files that were chosen.

    What was fine stays where one of them is not: the second tells why.
    """
    given = request.POST
    without = given.get("do", "").removeprefix("without:")
    digests = [one for one in dict.fromkeys(given.getlist("picture")) if one != without]
    found: dict[str, Kept] = {}
    wrong: RapportError | None = None
    for digest in digests[:20]:
        try:
            (one,) = services.chosen([services.Shown(digest, given.get(f"alt_{digest}", ""))])
            found[one.digest] = one
        except RapportError as error:
            wrong = error
    for file in request.FILES.getlist("files"):
        if len(found) >= services.PICTURES_MAX:
            wrong = Invalid(
                _("a post takes %(n)d pictures at most") % {"n": services.PICTURES_MAX},
                _("Take some of them away."),
            )
            break
        try:
            # One byte more than may be says that it is too large; the rest need not be read.
            one = album.keep(file.read(UPLOAD_BYTES_MAX + 1), (file.name or "")[:80])
            found.setdefault(one.digest, one)
        except RapportError as error:
            wrong = error
    return list(found.values()), wrong


def _read(request: HttpRequest, pictures: Sequence[Kept]) -> services.Written:
    given = request.POST
    sources = given.getlist("sources")
    return services.Written(
        given.get("text", ""),
        sources,
        {name: given.get(f"text_{name}", "") for name in sources},
        given.get("language", "").strip(),
        given.get("campaign", ""),
        days.read_moment(given.get("planned_at", ""), posting.zone()),
        [services.Shown(one.digest, one.alt) for one in pictures],
    )


def _said(state: str, *, is_now: bool = False) -> str:
    return {
        "waiting": _("It waits for a colleague's approval."),
        "planned": _planned(is_now=is_now),
        "approved": _("It is approved; set a time and it leaves then."),
    }.get(state, _("Kept."))


def _planned(*, is_now: bool) -> str:
    if not is_now:
        return _("It leaves at its time.")
    return (
        _("It waits while everything is paused.") if pacing.pause_all() else _("It leaves within a moment.")
    )


@needs(Right.CHANGE_PUBLISHING)
@require_POST
def check(request: HttpRequest) -> HttpResponseBase:
    """What is being typed, held against each chosen network."""
    pictures, _wrong = _pictures(request)
    return render(
        request,
        "pages/publishing/checked.html",
        {"checked": _held_against(_read(request, pictures), pictures)},
    )


@needs(Right.CHANGE_PUBLISHING)
@require_POST
def pictures(request: HttpRequest) -> HttpResponseBase:
    """The pictures of a form after one was added or taken away, and the networks' word on them."""
    found, wrong = _pictures(request)
    context = {
        **_shown(found),
        "checked": _held_against(_read(request, found), found),
        "wrong_picture": f"{sentence(wrong.message)} {sentence(wrong.hint)}" if wrong else "",
        "is_beside": True,
    }
    return render(request, "pages/publishing/changed.html", context)


@needs(Right.SEE_PUBLISHING)
def picture(request: HttpRequest, digest: str) -> HttpResponseBase:
    """One picture, small, or whole where that is asked for."""
    if "whole" in request.GET:
        found = album.find(digest)
        answer = HttpResponse(found.path.read_bytes(), content_type=found.content_type)
    else:
        answer = HttpResponse(album.small_path(digest).read_bytes(), content_type="image/jpeg")
    answer["Cache-Control"] = "private, max-age=31536000, immutable"  # its address is that of its content
    return answer


@needs(Right.SEE_PUBLISHING)
@require_POST
def act(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Approve, send back, withdraw, try again, or say what is seen there."""
    assert request.user.is_authenticated
    do, _colon, source = request.POST.get("do", "").partition(":")
    by = request.user.email
    right = Right.APPROVE_PUBLISHING if do in ("approve", "send_back") else Right.CHANGE_PUBLISHING
    try:
        if not may(request, right):
            raise Invalid(_("your role does not let you do this"), _("Ask a colleague who may."))
        if do == "approve":
            version = request.POST.get("version", "")
            done = services.approve(number, by=by, version=int(version) if version.isdecimal() else 0)
        elif do == "send_back":
            done = services.send_back(number, by=by, because=request.POST.get("because", ""))
        elif do == "submit":
            done = services.submit(number, by=by)
        elif do == "discard":
            services.discard(number)
            messages.success(request, _("Deleted."))
            return redirect("publishing")
        elif do == "withdraw":
            done = services.withdraw(number)
        elif do == "again":
            done = services.try_again(number, source)
        elif do in ("there", "not_there"):
            done = services.settle(number, source, is_there=do == "there")
        else:
            raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    except RapportError as error:
        messages.error(request, f"{sentence(error.message)} {sentence(error.hint)}")
    else:
        is_now = done.planned_at is not None and done.planned_at <= clock.now()
        said = _said(done.state, is_now=is_now) if do in ("approve", "submit") else _("Done.")
        messages.success(request, said)
    return redirect("post", number)


urlpatterns = [
    path("publishing/", calendar, name="publishing"),
    path("publishing/new/", new, name="post_new"),
    path("publishing/check/", check, name="post_check"),
    path("publishing/pictures/", pictures, name="post_pictures"),
    path("publishing/pictures/<slug:digest>/", picture, name="post_picture"),
    path("publishing/<uuid:number>/", one, name="post"),
    path("publishing/<uuid:number>/do/", act, name="post_do"),
]
