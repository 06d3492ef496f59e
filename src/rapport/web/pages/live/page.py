"""Live desk: what people say while something of ours runs; questions first, those alike once, from a phone too."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rapport.kit import clock, money
from rapport.kit.errors import Invalid, RapportError
from rapport.listening import selectors as listening
from rapport.messaging import services as messaging
from rapport.publishing import selectors, services
from rapport.publishing.selectors.desk import PAGE, SHOWS
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import days
from rapport.web.access import may, needs
from rapport.web.components import posting
from rapport.web.errors import sentence, status_of
from rapport.web.layout import Action, Entry

entries = [
    Entry(
        "live",
        gettext_lazy("Live desk"),
        "live",
        "talk",
        15,
        Right.SEE_PUBLISHING,
        also=("desk", "live_new", "live_change"),
    )
]
actions = [Action("live_new", gettext_lazy("New broadcast"), Right.CHANGE_PUBLISHING)]
ROWS_MAX = 200  # that one press brings; the next one goes on from there
TABS = {
    "questions": gettext_lazy("Questions"),
    "all": gettext_lazy("Everything"),
    "answered": gettext_lazy("Answered"),
    "hidden": gettext_lazy("Hidden"),
}
STATES = {
    "planned": (gettext_lazy("not begun yet"), ""),
    "live": (gettext_lazy("live"), "danger"),
    "over": (gettext_lazy("over"), ""),
}


@needs(Right.SEE_PUBLISHING)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Every broadcast, the newest first."""
    zone = posting.zone()
    context = {
        "rows": [(row, *STATES[row.state]) for row in selectors.broadcasts()],
        "can_change": may(request, Right.CHANGE_PUBLISHING),
        "zone": zone.key,
    }
    with timezone.override(zone):
        return render(request, "pages/live/page.html", context)


@needs(Right.CHANGE_PUBLISHING)
def new(request: HttpRequest) -> HttpResponseBase:
    """Set up a broadcast."""
    return _form(request, None)


@needs(Right.CHANGE_PUBLISHING)
def change(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Change when a broadcast runs and what belongs to it."""
    return _form(request, selectors.broadcast(number))


def _form(request: HttpRequest, view: selectors.BroadcastView | None) -> HttpResponseBase:
    assert request.user.is_authenticated
    wrong: RapportError | None = None
    given: Any = request.POST if request.method == "POST" else None
    zone = posting.zone()
    if given is not None:
        try:
            starts, ends = (days.read_moment(given.get(name, ""), zone) for name in ("starts_at", "ends_at"))
            if starts is None or ends is None:
                raise Invalid(_("it has no time"), _("Say when it begins and ends."))
            kept: dict[str, Any] = {
                "title": given.get("title", ""),
                "sources": given.getlist("sources"),
                "joins": given.get("joins", "").splitlines(),
                "starts_at": starts,
                "ends_at": ends,
            }
            if view is None:
                return redirect("desk", services.begin(by=request.user.email, **kept).pk)
            services.change_broadcast(view.id, **kept)
            return redirect("desk", view.id)
        except RapportError as error:
            wrong = error
    now = clock.now().replace(second=0, microsecond=0)
    starts_at, ends_at = (view.starts_at, view.ends_at) if view else (now, now + dt.timedelta(hours=1))
    chosen = given.getlist("sources") if given else list(view.sources) if view else []
    context = {
        "view": view,
        "wrong": f"{sentence(wrong.message)} {sentence(wrong.hint)}" if wrong else "",
        "title": given.get("title", "") if given else view.title if view else "",
        "joins": given.get("joins", "") if given else "\n".join(view.joins) if view else "",
        "starts_at": given.get("starts_at", "") if given else days.written_moment(starts_at, zone),
        "ends_at": given.get("ends_at", "") if given else days.written_moment(ends_at, zone),
        "sources": [(row, row.name in chosen) for row in listening.sources()],
        "zone": zone.key,
    }
    return render(request, "pages/live/form.html", context, status=400 if wrong else 200)


@needs(Right.SEE_PUBLISHING)
def desk(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """The desk of one broadcast."""
    view = selectors.broadcast(number)
    shows = _shows(request)
    before = _number(request.GET.get("before", ""))
    rows = selectors.bunches(number, shows, before=before)
    newest = max((row.id for row in selectors.bunches(number, shows, limit=1)), default=0)
    context = {
        "view": view,
        "state": STATES[view.state],
        "tabs": list(TABS.items()),
        "shows": shows,
        "rows": rows,
        "newest": max([newest, *(row.id for row in rows)]) if not before else newest,
        "next_before": rows[-1].id if len(rows) >= PAGE else 0,
        "is_first": not before,
        "product_text": _product_text(view),
        "price": money.Money(view.price_minor, view.currency).amount if view.price_minor is not None else "",
        "currency": view.currency or staff.currency(),
        **_rights(request),
    }
    return render(request, "pages/live/desk.html", context)


def _rights(request: HttpRequest) -> dict[str, bool]:
    return {"can_answer": may(request, Right.ANSWER), "can_change": may(request, Right.CHANGE_PUBLISHING)}


def _shows(request: HttpRequest) -> str:
    asked = request.GET.get("show", "")
    return asked if asked in SHOWS else SHOWS[0]


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 19 else 0


def _product_text(view: selectors.BroadcastView) -> str:
    if not view.product:
        return ""
    said = [view.product]
    if view.price_minor is not None:
        said.append(f"{money.Money(view.price_minor, view.currency).amount} {view.currency}")
    return " · ".join(said) + (f"\n{view.url}" if view.url else "")


@needs(Right.SEE_PUBLISHING)
def news(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """What changed since this desk looked: how many are new, and how those it shows stand."""
    found = selectors.news(
        number,
        _shows(request),
        after=_number(request.GET.get("after", "")),
        since=_number(request.GET.get("since", "")),
    )
    words = ngettext("%(n)s new", "%(n)s new", found.n_new) % {"n": found.n_new} if found.n_new else ""
    return JsonResponse(
        {
            "token": found.token,
            "n_new": found.n_new,
            "new": words,
            "n_comments": found.n_comments,
            "changed": [{"id": bunch, "n": n, "state": state} for bunch, n, state in found.changed],
        }
    )


@needs(Right.SEE_PUBLISHING)
def rows(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """The bunches that came after those that a desk shows."""
    found = selectors.bunches(
        number, _shows(request), after=_number(request.GET.get("after", "")), limit=ROWS_MAX
    )
    return render(
        request,
        "pages/live/rows.html",
        {"rows": found, **_rights(request), "view": selectors.broadcast(number)},
    )


@needs(Right.ANSWER)
@require_POST
def act(request: HttpRequest, bunch: int) -> HttpResponseBase:
    """Answer, pin, hide or bring back a bunch; a script gets the bunch anew, or the words of what is wrong."""
    assert request.user.is_authenticated
    by = request.user.email
    given = request.POST
    is_script = request.headers.get("X-Requested-With") == "fetch"
    do = given.get("do", "")
    try:
        if do in ("answer", "answer_each"):
            known = given.get("known", "")
            services.answer(
                bunch, given.get("text", ""), by=by, each=do == "answer_each",
                n_known=int(known) if known.isdecimal() else None,
                known_words=given.get("known_words"),
            )  # fmt: skip
        elif do in ("pin", "unpin"):
            services.pin(bunch, is_pinned=do == "pin")
        elif do in ("hide", "show"):
            (services.hide if do == "hide" else services.show)(bunch)
        else:
            raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
        found = selectors.bunch(bunch)
    except RapportError as error:
        said = f"{sentence(error.message)} {sentence(error.hint)}"
        if is_script:
            return HttpResponse(said, status=status_of(error), content_type="text/plain; charset=utf-8")
        messages.error(request, said)
    else:
        if is_script:
            return render(request, "pages/live/bunch.html", {"bunch": found, **_rights(request)})
        if found.withheld and do.startswith("answer"):
            messages.error(request, sentence(found.withheld))
    back = given.get("broadcast", "")
    try:
        return redirect("desk", uuid.UUID(back))
    except ValueError:
        return redirect("live")


@needs(Right.ANSWER)
@require_POST
def product(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Pin the product that is shown, take it down, or say it on our pages."""
    assert request.user.is_authenticated
    given, by = request.POST, request.user.email
    do = given.get("do", "")
    try:
        if do == "unpin":
            services.unpin_product(number)
        elif do == "say":
            outcomes = services.say_product(number, given.get("text", ""), by=by)
            held = [one for one in outcomes if isinstance(one, messaging.Withheld)]
            if held:
                raise Invalid(held[0].message, held[0].hint)
            messages.success(request, _("It leaves within a moment."))
        elif do == "end":
            services.end(number)
        else:
            currency = given.get("currency", "").strip().upper()
            services.pin_product(
                number, title=given.get("title", ""), price_minor=_minor(given.get("price", ""), currency),
                currency=currency, url=given.get("url", ""), by=by,
            )  # fmt: skip
    except RapportError as error:
        messages.error(request, f"{sentence(error.message)} {sentence(error.hint)}")
    return redirect("desk", number)


def _minor(text: str, currency: str) -> int | None:
    if not text.strip():
        return None
    try:
        amount = Decimal(text.strip().replace(",", "."))
        return int((amount * 10 ** money.exponent(currency)).to_integral_exact())
    except (InvalidOperation, ValueError, OverflowError):
        raise Invalid(_("%(text)s is no amount") % {"text": text}, _("Write it as 49.90.")) from None


urlpatterns = [
    path("live/", listing, name="live"),
    path("live/new/", new, name="live_new"),
    path("live/do/<int:bunch>/", act, name="live_do"),
    path("live/<uuid:number>/", desk, name="desk"),
    path("live/<uuid:number>/change/", change, name="live_change"),
    path("live/<uuid:number>/news/", news, name="live_news"),
    path("live/<uuid:number>/rows/", rows, name="live_rows"),
    path("live/<uuid:number>/product/", product, name="live_product"),
]
