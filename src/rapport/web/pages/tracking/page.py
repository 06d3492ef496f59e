"""Tracking: what to paste into a site, what its script does, and what arrives at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.consent import selectors as consent
from rapport.kit import home
from rapport.kit.errors import Invalid, RapportError
from rapport.onsite import rules, services
from rapport.onsite import selectors as onsite
from rapport.onsite.chat import selectors as chats
from rapport.staff.rules import Right
from rapport.surveys import selectors as surveying
from rapport.web.access import may, needs
from rapport.web.components import words
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry
from rapport.web.middleware import POLICY
from rapport.web.pages.tracking.forms import BannerForm, SettingsForm, SlotForm, WordsForm

PAGES = (
    "tracking_site",
    "tracking_settings",
    "tracking_banner",
    "tracking_places",
    "tracking_live",
    "tracking_chat",
)
entries = [
    Entry(
        "tracking",
        gettext_lazy("Tracking"),
        "tracking",
        "setup",
        42,
        Right.SEE_TRACKING,
        also=(*PAGES, "tracking_place", "tracking_add"),
    )
]
actions = [Action("tracking", gettext_lazy("See what a site sends"), Right.SEE_TRACKING)]

FATES: dict[str, tuple[Any, str]] = {
    "loaded": (gettext_lazy("kept"), "accent"),
    "waiting": (gettext_lazy("on its way"), ""),
    "quarantined": (gettext_lazy("in quarantine"), "warn"),
    "refused": (gettext_lazy("refused"), "danger"),
}
REASONS: dict[str, Any] = {
    "unknown_key": gettext_lazy("No site has this key. Copy the snippet again."),
    "switched_off": gettext_lazy("The site is switched off."),
    "no_origin": gettext_lazy("It came from no page in a browser."),
    "foreign_origin": gettext_lazy("This address is not among those of the site's pages."),
    "too_often": gettext_lazy("Too many requests from one network in a short time."),
    "not_json": gettext_lazy("It could not be read."),
    "too_large": gettext_lazy("It was too large."),
    "unknown_type": gettext_lazy("It is nothing that the script sends."),
    "no_consent": gettext_lazy("The visitor has not allowed it."),
    "withdrawn": gettext_lazy("The visitor took consent back elsewhere; the browser was told to forget."),
    "machine": gettext_lazy("A machine sent it; of machines only pages are noted."),
    "unproved": gettext_lazy(
        "Who it is was claimed and not proved: the link had expired, or the signature was wrong."
    ),
}


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that is missing or amiss, and what to do about it."""

    text: str
    todo: str
    tone: str = "warn"
    origin: str = ""  # to be allowed by a press


@needs(Right.SEE_TRACKING)
def start(request: HttpRequest) -> HttpResponseBase:
    found = onsite.sites()
    if not found:
        return _render(request, "add.html", None, {"sites": []})
    return redirect("tracking_site", found[0].source)


@needs(Right.CHANGE_TRACKING)
def add(request: HttpRequest) -> HttpResponseBase:
    wrong = ""
    if request.method == "POST":
        assert request.user.is_authenticated
        origin = request.POST.get("origin", "").strip()
        try:
            name = request.POST.get("name", "")
            site = services.add_site(name, by=request.user.email, origins=[origin] if origin else [])
        except RapportError as error:
            wrong = f"{sentence(error.message)} {error.hint}"
        else:
            return redirect("tracking_site", site.source)
    context = {"wrong": wrong, "sites": onsite.sites(), "asked": request.POST}
    return _render(request, "add.html", None, context, status=400 if wrong else 200)


@needs(Right.SEE_TRACKING)
def site(request: HttpRequest, source: str) -> HttpResponseBase:
    found = onsite.site(source)
    state = onsite.state(source)
    answered = state.n_accepted + state.n_partly + state.n_refused
    context = {
        "state": state,
        "hints": _hints(found, state),
        "collector": collector_url(request),
        "answered": answered,
        "accepted_ratio": state.n_accepted / answered if answered else None,
        "partly_ratio": state.n_partly / answered if answered else None,
        "refused_ratio": state.n_refused / answered if answered else None,
    }
    return _render(request, "page.html", found, context)


@needs(Right.CHANGE_TRACKING)
@require_POST
def act(request: HttpRequest, source: str) -> HttpResponseBase:
    assert request.user.is_authenticated
    by, do = request.user.email, request.POST.get("do")
    if do == "allow":
        services.allow_origin(source, request.POST.get("origin", ""), by=by)
        messages.success(request, _("Pages of this address may send from now on."))
    elif do == "key":
        services.replace_key(source, by=by)
        messages.success(
            request, _("The site has a new key. Pages with the old one are refused from now on.")
        )
    elif do == "secret":
        services.replace_login_secret(source, by=by)
        messages.success(request, _("The site has a new login secret."))
    else:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    back = request.POST.get("back")
    return redirect(back if back in PAGES else "tracking_site", source)


@needs(Right.SEE_TRACKING)
def change(request: HttpRequest, source: str) -> HttpResponseBase:
    found = onsite.site(source)
    form = SettingsForm(found, request.POST or None)
    if request.method == "POST" and _saved(request, form, source):
        return redirect("tracking_settings", source)
    context = {"form": form, "secret": found.login_secret if may(request, Right.CHANGE_TRACKING) else ""}
    return _render(request, "settings.html", found, context, status=400 if form.errors else 200)


@needs(Right.SEE_TRACKING)
def banner(request: HttpRequest, source: str) -> HttpResponseBase:
    found = onsite.site(source)
    language = request.GET.get("language", found.language)
    language = language if language in rules.LANGUAGES else found.language
    purposes = [(p.key, _(p.name)) for p in consent.purposes(active_only=True) if p.can_be_refused]
    is_words = request.POST.get("form") == "words"
    form = BannerForm(found, purposes, None if is_words else request.POST or None, auto_id="banner_%s")
    said = WordsForm(found, language, request.POST if is_words else None, auto_id="words_%s")
    back = f"{reverse('tracking_banner', args=[source])}?language={language}"
    if request.method == "POST" and is_words:
        if said.is_valid() and _saved(
            request, said, source, {"texts": {**found.texts, language: said.cleaned_data}}
        ):
            return redirect(back)
    elif request.method == "POST" and _saved(request, form, source):
        return redirect(back)
    context = {
        "form": form,
        "said": said,
        "language": language,
        "languages": settings.LANGUAGES,
        "words": rules.words(found.texts, language),
        "texts": [_purpose_text(key, language) for key in found.purposes],
        "is_several": len(found.purposes) > 1,
    }
    return _render(request, "banner.html", found, context, status=400 if form.errors or said.errors else 200)


def _purpose_text(purpose: str, language: str) -> str:
    written = next((w for w in consent.wordings(purpose) if w.language == language), None)
    return (
        written.text if written else rules.shipped_text(purpose, language) or consent.purpose(purpose).meaning
    )


@needs(Right.SEE_TRACKING)
def places(request: HttpRequest, source: str) -> HttpResponseBase:
    found = onsite.site(source)
    if request.method == "POST":
        assert request.user.is_authenticated
        _demand_change(request)
        services.change_site(source, by=request.user.email, greets="greets" in request.POST)
        messages.success(request, _("Saved."))
        return redirect("tracking_places", source)
    language = request.LANGUAGE_CODE if request.LANGUAGE_CODE in rules.LANGUAGES else found.language
    shown = [(slot, (slot.content.get(language) or {}).get("text", "")) for slot in found.slots]
    return _render(request, "places.html", found, {"slots": shown})


@needs(Right.CHANGE_TRACKING)
def place(request: HttpRequest, source: str, name: str = "") -> HttpResponseBase:
    found = onsite.site(source)
    slot = next((one for one in found.slots if one.name == name), None)
    if request.POST.get("do") == "remove":
        services.remove_slot(source, name)
        messages.success(request, _("Removed. Pages that name it show what they hold themselves."))
        return redirect("tracking_places", source)
    language = request.LANGUAGE_CODE or "en"
    surveys = [
        (row.slug, row.title.get(language) or row.title.get(row.main_language) or row.slug)
        for row in surveying.listing()[0]
        if row.state == "published"
    ]
    form = SlotForm(slot, surveys, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.write_slot(
                source, given["name"], kind=given["kind"], content=form.content(), is_on=given["is_on"]
            )
        except Invalid as error:
            form.add_error(None, f"{sentence(error.message)} {error.hint}")
        else:
            messages.success(request, _("Saved."))
            return redirect("tracking_places", source)
    context = {"form": form, "slot": slot}
    return _render(request, "place.html", found, context, status=400 if form.errors else 200)


@dataclass(frozen=True, slots=True)
class Line:
    """One arrival in words."""

    arrival: onsite.Arrival
    fate: Any
    tone: str
    label: str
    why: str
    is_allowable: bool
    browser: str  # the first signs of its number


@needs(Right.SEE_TRACKING)
def live(request: HttpRequest, source: str) -> HttpResponseBase:
    found = onsite.site(source)
    lines = [
        Line(
            one,
            *FATES[one.fate],
            words.event_label(one.name) if one.name else "",
            str(REASONS.get(one.reason, "")) or (sentence(one.message) if one.message else ""),
            one.reason == "foreign_origin" and bool(one.origin),
            one.identifier.removeprefix("anonymous:")[:6] if one.identifier.startswith("anonymous:") else "",
        )
        for one in onsite.arrivals(source)
    ]
    fragment = bool(getattr(request, "htmx", False))
    context = {"lines": lines, "minutes": int(onsite.RECENT.total_seconds() // 60)}
    return _render(request, "live_lines.html" if fragment else "live.html", found, context)


@needs(Right.SEE_TRACKING)
def try_page(request: HttpRequest, source: str = "") -> HttpResponseBase:
    """A small shop that carries the script, under a policy as strict as a bank's."""
    sites = onsite.sites()
    found = onsite.site(source) if source else sites[0] if sites else None
    if found is None:
        return redirect("tracking_add")
    language = request.GET.get("lang", "")
    goods = [_("Wiper blades"), _("Battery cable"), _("Snow chains"), _("Roof box")]
    query = request.GET.get("q", "").strip()
    context = {
        "site": found,
        "collector": collector_url(request),
        "web": f"{request.scheme}://{request.get_host()}",
        "lang": language if language in rules.LANGUAGES else "",
        "query": query,
        "goods": [one for one in goods if query.lower() in one.lower()],
        "is_article": request.GET.get("article", ""),
        "has_chat": chats.desk(found.source).is_on,
    }
    answer = render(request, "pages/tracking/try.html", context)
    place = urlsplit(collector_url(request))
    collector = f"{place.scheme}://{place.netloc}"
    here = "'self'"  # where the chat's script comes from
    answer["Content-Security-Policy"] = POLICY.replace(
        "script-src 'self'", f"script-src {collector}{' ' + here if context['has_chat'] else ''}"
    ).replace("connect-src 'self'", f"connect-src 'self' {collector}; frame-src 'self'")  # a survey's place
    return answer


def collector_url(request: HttpRequest) -> str:
    """Where browsers reach the collector: as set, else the port after this one on the same host.

    Behind a proxy that gives both one name and the usual port, `/c` is taken to lead to the collector.
    """
    if given := home.env("COLLECTOR_URL"):
        return given.rstrip("/")
    here = urlsplit(f"{request.scheme}://{request.get_host()}")
    if here.port is None:
        return f"{here.scheme}://{here.netloc}"
    return f"{here.scheme}://{here.netloc.rpartition(':')[0]}:{here.port + 1}"


def _hints(found: onsite.SiteView, state: onsite.SiteState) -> list[Hint]:
    hints = []
    if not found.is_on:
        hints.append(
            Hint(
                _("This site is switched off; nothing it sends is taken."),
                _("Switch it on under Settings."),
                "danger",
            )
        )
    if not found.origins:
        hints.append(
            Hint(_("No address is allowed yet, so pages of yours are refused."), _("Add it under Settings."))
        )
    if rules.MEASURING not in found.purposes and found.before_consent == rules.NOTHING:
        hints.append(
            Hint(
                _(
                    "Nothing can arrive: the banner does not ask for it, and nothing is counted without asking."
                ),
                _("Change one of the two."),
            )
        )
    foreign = [a.origin for a in onsite.arrivals(found.source) if a.reason == "foreign_origin" and a.origin]
    for origin in list(dict.fromkeys(foreign))[:3]:
        hints.append(
            Hint(_("Pages at %(origin)s were refused just now.") % {"origin": origin}, "", "danger", origin)
        )
    if state.last_at is None:
        hints.append(
            Hint(
                _("Nothing has arrived yet."), _("Paste the snippet into your pages, or try it on ours."), ""
            )
        )
    elif state.is_quiet:
        hints.append(
            Hint(
                _("Nothing has arrived for more than a day."),
                _("See whether the snippet is still on your pages."),
            )
        )
    if found.greets and not any(slot.kind == rules.GREETING and slot.is_on for slot in found.slots):
        hints.append(
            Hint(_("Greeting by name is on, and no place shows a greeting."), _("Add one under Places."))
        )
    return hints


def _saved(request: HttpRequest, form: Any, source: str, changes: dict[str, Any] | None = None) -> bool:
    """Save a valid form's values; what the domain refuses is shown in the form."""
    _demand_change(request)
    assert request.user.is_authenticated
    if not form.is_valid():
        return False
    try:
        services.change_site(source, by=request.user.email, **(changes or form.cleaned_data))
    except Invalid as error:
        form.add_error(None, f"{sentence(error.message)} {error.hint}")
        return False
    messages.success(request, _("Saved. The collector heeds it within seconds, browsers within minutes."))
    return True


def _demand_change(request: HttpRequest) -> None:
    from rapport.web.access import demand

    demand(request, Right.CHANGE_TRACKING)


def _render(
    request: HttpRequest,
    template: str,
    found: onsite.SiteView | None,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponseBase:
    here = request.resolver_match.url_name if request.resolver_match else ""
    shared = {
        "site": found,
        "here": here,
        "others": [one for one in onsite.sites() if not found or one.source != found.source],
        "can_change": may(request, Right.CHANGE_TRACKING),
    }
    return render(request, f"pages/tracking/{template}", {**shared, **context}, status=status)


urlpatterns = [
    path("tracking/", start, name="tracking"),
    path("tracking/add/", add, name="tracking_add"),
    path("tracking/<str:source>/", site, name="tracking_site"),
    path("tracking/<str:source>/do/", act, name="tracking_act"),
    path("tracking/<str:source>/settings/", change, name="tracking_settings"),
    path("tracking/<str:source>/banner/", banner, name="tracking_banner"),
    path("tracking/<str:source>/places/", places, name="tracking_places"),
    path("tracking/<str:source>/place/", place, name="tracking_place_add"),
    path("tracking/<str:source>/places/<str:name>/", place, name="tracking_place"),
    path("tracking/<str:source>/live/", live, name="tracking_live"),
    path("c/try", try_page, name="tracking_try"),
    path("c/try/<str:source>", try_page, name="tracking_try_site"),
]
