"""A survey as the one who is asked meets it: a page at a time, without script or cookie.

Opening any address here changes nothing, however often a machine does it: a response begins with the first
answers that are sent. After that the address carries the response, so the back button and a reload work.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.kit import signing
from rapport.kit.errors import Conflict, Invalid, RapportError
from rapport.onsite import selectors as onsite
from rapport.people import selectors as people
from rapport.surveys import rules, selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import text_in
from rapport.web.access import public
from rapport.web.components import formats, surveying
from rapport.web.customers import customer_page, hidden, show
from rapport.web.middleware import POLICY

GONE = 410
VISITOR_CHARS_MAX = 64


@dataclass(frozen=True, slots=True)
class Link:
    """What an address says: which survey, whose link, which response; and whether it stands in a frame."""

    slug: str
    token: str = ""
    identifier: str = ""  # of a link that was signed for somebody, or a visitor's own number
    place: str = "link"
    response: uuid.UUID | None = None
    is_inline: bool = False
    visitor: str = ""

    def url(self, **query: object) -> str:
        """The address of this survey, for this holder."""
        name = "customer_survey_inline" if self.is_inline else "customer_survey"
        address = reverse(f"{name}_of" if self.token else name, args=[self.slug, *filter(None, [self.token])])
        kept = {key: str(value) for key, value in query.items() if value not in (None, "")}
        if self.visitor and not self.token:
            kept["visitor"] = self.visitor
        return f"{address}?{urlencode(kept)}" if kept else address


def read_link(request: HttpRequest, slug: str, token: str, *, is_inline: bool) -> Link:
    """Who came: a response under way, somebody we signed a link for, a visitor, or anybody."""
    visitor = request.GET.get("visitor", "")[:VISITOR_CHARS_MAX] if is_inline else ""
    place = "site" if is_inline else "link"
    if not token:
        identifier = f"anonymous:{visitor}" if visitor else ""
        going = selectors.response_of(slug, identifier) if identifier else None
        return Link(slug, "", identifier, place, going, is_inline, visitor)
    try:
        (text,) = signing.read("response", token)
        response = selectors.response(uuid.UUID(text))
        if response.survey != slug:
            raise Invalid(_("this link belongs to another survey"), _("Open the link in our message again."))
        return Link(slug, token, response.identifier, response.place, response.id, is_inline)
    except Invalid:
        of_slug, identifier, place = signing.read("survey", token)
        if of_slug != slug:
            raise Invalid(
                _("this link belongs to another survey"), _("Open the link in our message again.")
            ) from None
    return Link(slug, token, identifier, place, selectors.response_of(slug, identifier), is_inline)


def in_their_language(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Speak the language that the holder of the link chose or that we know of them, where the address asks none."""

    @functools.wraps(view)
    def opened(request: HttpRequest, slug: str, token: str = "", **kwargs: Any) -> HttpResponseBase:
        if not request.GET.get("lang"):
            stated = _language_of(token)
            if stated:
                query = request.GET.copy()
                query["lang"] = stated
                request.GET = query  # type: ignore[assignment]
        return customer_page(view)(request, slug, token, **kwargs)

    return csrf_exempt(public(opened))


def _language_of(token: str) -> str:
    if not token:
        return ""
    try:
        (text,) = signing.read("response", token)
        return selectors.response(uuid.UUID(text)).language
    except RapportError:
        pass
    try:
        identifier = signing.read("survey", token)[1]
        stated = consent.preferences(identifier).get("language") or people.person(identifier).language
    except RapportError:
        return ""
    return str(stated or "").split("-")[0]


@in_their_language
def survey(request: HttpRequest, slug: str, token: str = "", *, is_inline: bool = False) -> HttpResponseBase:
    """Show the page that waits, or take it."""
    asked = selectors.asked(slug)
    link = read_link(request, slug, token, is_inline=is_inline)
    response = selectors.response(link.response) if link.response else None
    if response is not None and response.state != "open":
        return _end(request, link, response)
    reason = asked.closed or ("quota_full" if asked.is_full and response is None else "")
    if not reason and is_inline and response is None:
        reason = selectors.may_show(slug, link.identifier)
    if reason:
        return _closed(request, link, reason)
    if request.method == "POST":
        return _take(request, link, response)
    return _ask(request, link, asked, response)


@xframe_options_exempt
def inline(request: HttpRequest, slug: str, token: str = "") -> HttpResponseBase:
    """The same within a frame on the firm's own pages and the page for trying, and on nobody else's."""
    answer = survey(request, slug, token, is_inline=True)
    origins = " ".join(dict.fromkeys(o for site in onsite.sites() if site.is_on for o in site.origins))
    allowed = f"frame-ancestors 'self' {origins}".rstrip()
    answer.headers["Content-Security-Policy"] = POLICY.replace("frame-ancestors 'none'", allowed)
    return answer


def _ask(
    request: HttpRequest,
    link: Link,
    asked: selectors.Asked,
    response: selectors.ResponseView | None,
    refused: surveys.Refused | None = None,
) -> HttpResponseBase:
    definition = response.definition if response else asked.definition
    answers = response.answers if response else {}
    walk = response.walk if response else selectors.first_walk(link.slug, link.identifier)
    if not walk.pages:
        return _closed(request, link, "answered")
    wanted = request.POST.get("page") if refused else request.GET.get("page")
    page = next((p for p in walk.pages if str(p.place) == wanted), walk.pages[-1])
    at = walk.pages.index(page)
    before = walk.pages[at - 1] if at else None
    language = surveying.spoken(definition)
    raw = surveying.raw_of(request.POST) if refused else None
    context = {
        "title": text_in(definition.title, language, definition.main_language),
        "intro": text_in(definition.intro, language, definition.main_language),
        "incentive": _incentive(definition, language),
        "lang": language if language != get_language() else "",
        "questions": surveying.shown(definition, page, answers, refused.wrong if refused else None, raw),
        "gives": _gives(link.slug, definition, answers, before.keys if before else (), language),
        "place": page.place,
        "is_first": at == 0,
        "done": round(100 * page.place / max(1, walk.n_pages)),
        "wrong": bool(refused),
        "action": link.url(lang=request.GET.get("lang")),
        "back_url": link.url(page=before.place, lang=request.GET.get("lang")) if before else "",
        "is_inline": link.is_inline,
        "whose": _whose(link),
        "wishes_url": _wishes_url(link),
    }
    return show(request, "pages/customer_survey/page.html", context, status=400 if refused else 200)


def _take(request: HttpRequest, link: Link, response: selectors.ResponseView | None) -> HttpResponseBase:
    raw = surveying.raw_of(request.POST)
    place = request.POST.get("page", "")
    try:
        if not place.isdecimal():
            raise Conflict(_("this page was not sent whole"), _("Answer the page that is shown now."))
        if response is None:
            _check_first(link, int(place), raw)
            begun = surveys.begin(
                link.slug,
                identifier=link.identifier,
                place=link.place,
                language=(get_language() or "en").split("-")[0],
            )
        else:
            begun = response.id
        surveys.answer(begun, int(place), raw)
    except surveys.Refused as refused:
        return _ask(request, link, selectors.asked(link.slug), response, refused)
    onward = Link(link.slug, surveys.response_token(begun), is_inline=link.is_inline)
    return redirect(onward.url(lang=_explicit(request)))


def _check_first(link: Link, place: int, raw: dict[str, list[str]]) -> None:
    """Refuse a first page before a response is made for it: what cannot be kept begins nothing."""
    walk = selectors.first_walk(link.slug, link.identifier)
    page = next((p for p in walk.pages if p.place == place), None)
    if page is not None:
        surveys.read(page, raw)


def _end(request: HttpRequest, link: Link, response: selectors.ResponseView) -> HttpResponseBase:
    definition = response.definition
    language = surveying.spoken(definition)
    if response.state == "quota_full":
        return _closed(request, link, "quota_full", status=200)
    if response.state == "screened_out":
        title = _("Thank you")
        message = text_in(definition.screened_out, language, definition.main_language)
        gives = []
    else:
        title, message = _("Thank you"), _("Your answers are kept.")
        gives = _gives(link.slug, definition, response.answers, tuple(response.answers), language)
        if definition.gives:
            gives += _given(link.slug, definition, definition.gives, response.answers, language)
    context = {
        "title": title,
        "message": message,
        "lang": language if language != get_language() and response.state == "screened_out" else "",
        "gives": gives,
        "incentive": _incentive(definition, language) if response.state == "finished" else "",
        "is_inline": link.is_inline,
        "wishes_url": _wishes_url(link),
    }
    return show(request, "pages/customer_survey/end.html", context)


def _closed(request: HttpRequest, link: Link, reason: str, status: int = GONE) -> HttpResponseBase:
    title, message = surveying.closed_words(reason)
    context = {"title": title, "message": message, "is_inline": link.is_inline}
    return show(request, "pages/customer_survey/end.html", context, status=status)


def _gives(
    slug: str,
    definition: rules.Definition,
    answers: dict[str, rules.Value | None],
    keys: tuple[str, ...],
    language: str,
) -> list[dict[str, Any]]:
    """What the answers to these questions give, for those that were given."""
    asked = [definition.question(key) for key in keys if answers.get(key) is not None]
    return [
        one for q in asked if q and q.gives for one in _given(slug, definition, q.gives, answers, language)
    ]


def _given(
    slug: str,
    definition: rules.Definition,
    gives: rules.Gives,
    answers: dict[str, rules.Value | None],
    language: str,
) -> list[dict[str, Any]]:
    shown: dict[str, Any] = {
        "text": text_in(gives.text, language, definition.main_language),
        "link": gives.link if gives.kind == "link" else "",
        "is_result": gives.kind == "result",
    }
    if gives.kind == "result":
        mine = answers.get(gives.question)
        found = selectors.others(slug, definition, gives.question)
        n = sum(count for _value, _label, count in found)
        said = {str(mine)} if not isinstance(mine, tuple) else set(mine)
        shown["n"] = n
        shown["others"] = [
            {
                "label": text_in(label, language, definition.main_language) if label else value,
                "n": count,
                "share": formats.percent(count / n),
                "is_mine": value in said,
            }
            for value, label, count in found
        ]
    return [shown]


def _incentive(definition: rules.Definition, language: str) -> str:
    if definition.incentive is None:
        return ""
    return text_in(definition.incentive.text, language, definition.main_language)


def _whose(link: Link) -> str:
    return hidden(link.identifier) if link.identifier and not link.identifier.startswith("anonymous:") else ""


def _wishes_url(link: Link) -> str:
    """To the holder's own pages, where the link came by their mail."""
    return links.url_for(link.identifier) if link.place == "mail" and link.identifier else ""


def _explicit(request: HttpRequest) -> str:
    """The language that this reader chose in the address, to stay in it."""
    return request.GET.get("lang", "")


_methods = require_http_methods(["GET", "HEAD", "POST"])

urlpatterns = [
    path("s/<slug:slug>", _methods(survey), name="customer_survey"),
    path("s/<slug:slug>/inline", _methods(csrf_exempt(public(inline))), name="customer_survey_inline"),
    path(
        "s/<slug:slug>/inline/<str:token>",
        _methods(csrf_exempt(public(inline))),
        name="customer_survey_inline_of",
    ),
    path("s/<slug:slug>/<str:token>", _methods(survey), name="customer_survey_of"),
]
