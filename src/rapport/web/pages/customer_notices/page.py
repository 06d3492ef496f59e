"""What is wrong now, said to everybody: no log-in, no cookie, and a page that caches may keep for a minute."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils import formats, timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from rapport.kit.errors import NotFound
from rapport.knowledge import selectors
from rapport.web.customers import customer_page, show

KEPT_S = 60  # by caches: a notice must be seen soon, and may be asked for by very many at once


@dataclass(frozen=True, slots=True)
class Told:
    """One notice in the reader's language."""

    notice: selectors.NoticeView
    title: str
    text: str
    language: str
    updates: list[tuple[str, str]]
    since: str
    until: str
    ended: str
    changed: str


def _told(notice: selectors.NoticeView) -> Told:
    code = translation.get_language() or "en"
    language = (
        code
        if notice.titles.get(code)
        else next((c for c in ("en", *notice.titles) if notice.titles.get(c)), "")
    )
    updates = [(_moment(update.at), update.text(code)) for update in notice.updates]
    moments = (notice.published_at, notice.until, notice.ended_at, notice.changed_at)
    return Told(notice, notice.title(code), notice.text(code), language, updates, *map(_moment, moments))


def _moment(at: dt.datetime | None) -> str:
    """A moment with its zone: whoever reads may live in another, and order days and months otherwise."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return f"{formats.date_format(local, 'DATETIME_FORMAT')} {local:%Z}"


def _cached(response: HttpResponseBase) -> HttpResponseBase:
    # Anybody may read it, so shared caches may keep it, unlike every other page of a customer's.
    patch_cache_control(response, public=True, max_age=KEPT_S)
    response.headers["X-Robots-Tag"] = "all"
    return response


@require_safe
@customer_page
def listing(request: HttpRequest) -> HttpResponseBase:
    context = {
        "title": _("What is wrong now"),
        "now": [_told(n) for n in selectors.notices_now()],
        "over": [_told(n) for n in selectors.notices(state="ended")[:10]],
    }
    return _cached(show(request, "pages/customer_notices/page.html", context))


@require_safe
@customer_page
def one(request: HttpRequest, slug: str) -> HttpResponseBase:
    notice = selectors.notice(slug)
    if notice.state == "draft":  # as if it were not there: it is nobody's business yet
        raise NotFound(_("there is no such notice"), _("The list of notices has them all."))
    told = _told(notice)
    return _cached(show(request, "pages/customer_notices/one.html", {"title": told.title, "told": told}))


urlpatterns = [
    path("notices/", listing, name="customer_notices"),
    path("notices/<slug:slug>/", one, name="customer_notice"),
]
