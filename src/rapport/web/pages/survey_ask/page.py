"""Put a survey to people: its link, how to show it on the site, invitations by mail, and when."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.consent import links
from rapport.consent import services as consent
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.surveys import selectors, services
from rapport.web.access import may, needs
from rapport.web.components import formats, surveywords

PERIODS_DAYS = (0, 30, 90, 365)


@needs(Right.SEE_SURVEYS)
def ask(request: HttpRequest, slug: str) -> HttpResponseBase:
    survey = selectors.survey(slug)
    state, tone = surveywords.state(survey)
    base = _base(request.GET)
    context = {
        "survey": survey,
        "title": surveywords.title(survey.draft.title, survey.draft.main_language, slug),
        "state": state,
        "tone": tone,
        "address": f"{links.public_url()}/s/{slug}",
        "places": [(key, label, key in survey.places) for key, label in surveywords.PLACES.items()],
        "opens_at": _local(survey.opens_at),
        "closes_at": _local(survey.closes_at),
        "target_percent": f"{survey.target_ratio * 100:g}",
        "can_change": may(request, Right.CHANGE_SURVEYS),
        "here": "ask",
        "by_mail": "mail" in survey.places,
        "on_site": "site" in survey.places,
        **_plan(request, survey, base),
    }
    return render(request, "pages/survey_ask/page.html", context)


def _plan(request: HttpRequest, survey: selectors.SurveyView, base: selectors.Base) -> dict[str, Any]:
    """Who would be invited now, where it is asked by mail and this reader may know."""
    if "mail" not in survey.places or survey.version is None or not may(request, Right.CHANGE_SURVEYS):
        return {}
    assert request.user.is_authenticated
    warrant = consent.warrant(
        "research", by=request.user.email, why=f"plan invitations to {survey.slug}", channel="email"
    )
    plan = selectors.invitable(survey.slug, base, warrant)
    return {
        "plan": plan,
        "n_text": formats.people(plan.n),
        "withheld": [surveywords.withheld(reason, n) for reason, n in plan.withheld.items()],
        "countries": people.facets("country"),
        "languages": settings.LANGUAGES,
        "periods": [(days, days == base.bought_within_days) for days in PERIODS_DAYS],
        "base": base,
    }


@needs(Right.CHANGE_SURVEYS)
@require_POST
def reach(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Change where and when it is asked."""
    given = request.POST
    try:
        ratio = float(given.get("target_percent", "100").replace(",", ".")) / 100
        days = int(given.get("recontact_days", "30"))
    except ValueError:
        raise Invalid(_("a share or a wait is no number"), _("Write digits.")) from None
    services.set_reach(
        slug,
        services.Reach(
            tuple(given.getlist("places")),
            _moment(given.get("opens_at", "")),
            _moment(given.get("closes_at", "")),
            ratio,
            days,
        ),
    )
    messages.success(request, _("Kept."))
    return redirect("survey_ask", slug=slug)


@needs(Right.CHANGE_SURVEYS)
@require_POST
def invite(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the invitations that the plan shows."""
    assert request.user.is_authenticated
    done = services.invite(slug, _base(request.POST), by=request.user.email)
    withheld = ", ".join(surveywords.withheld(reason, n) for reason, n in done.withheld.items())
    if done.n:
        messages.success(
            request,
            _("%(people)s are invited.") % {"people": formats.people(done.n)}
            + (f" {withheld}." if withheld else ""),
        )
    else:
        messages.warning(
            request, _("Nobody was invited: %(reasons)s.") % {"reasons": withheld or _("nobody fits")}
        )
    return redirect("survey_ask", slug=slug)


def _base(given: Any) -> selectors.Base:
    days = given.get("bought", "0")
    return selectors.Base(
        country=given.get("country", ""),
        language=given.get("language", ""),
        bought_within_days=int(days) if days.isdecimal() else 0,
    )


def _local(moment: dt.datetime | None) -> str:
    """As a form's field takes it, in the reader's zone."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M") if moment else ""


def _moment(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        return timezone.make_aware(dt.datetime.fromisoformat(text))
    except ValueError:
        raise Invalid(
            _("%(text)s is no day and time") % {"text": text}, _("It looks like 2026-05-31 09:00.")
        ) from None


urlpatterns = [
    path("surveys/<slug:slug>/ask/", ask, name="survey_ask"),
    path("surveys/<slug:slug>/reach/", reach, name="survey_reach"),
    path("surveys/<slug:slug>/invite/", invite, name="survey_invite"),
]
