"""Networks: those that are read, those that can be added, and each with its terms and its gaps."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from rapport.consent import links
from rapport.events import selectors as events
from rapport.kit import clock
from rapport.kit.errors import NotFound, RapportError
from rapport.listening import selectors as listening
from rapport.listening import services
from rapport.listening.services import sources
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.components import formats, networking
from rapport.web.layout import Action

actions = [Action("networks", gettext_lazy("Read a network"), Right.CHANGE_SOURCES)]

DAYS = 28  # of the strip of coverage
NARROWEST = 3.0  # of a thousand: a gap of minutes has to be seen as well


@dataclass(frozen=True, slots=True)
class Row:
    """One source in the list."""

    found: listening.SourceRow
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """One part of the strip of coverage: where it lies, how wide it is, and what it says."""

    left: float  # of a thousand
    width: float
    kind: str  # seen, late or gap
    said: str


@needs(Right.SEE_SOURCES)
def networks(request: HttpRequest) -> HttpResponseBase:
    rows = listening.sources()
    context = {
        "tab": "networks",
        "rows": [Row(row, *networking.state(row)) for row in rows],
        "offered": listening.offered(),
        "can_change": may(request, Right.CHANGE_SOURCES),
        "n_quarantined": sum(events.quarantine_counts().values()),
    }
    return render(request, "pages/networks/page.html", context)


@needs(Right.CHANGE_SOURCES)
@never_cache
@sensitive_post_parameters()
def add(request: HttpRequest, connector: str) -> HttpResponseBase:
    offered = next((one for one in listening.offered() if one.name == connector), None)
    if offered is None:
        raise NotFound(_("there is no such network"), _("Choose one from the list."))
    first = {f.name: f for f in _settings(connector)}
    initial = {name: _default(field) for name, field in first.items()}
    initial |= {
        "days_back": 7,
        "asks_approval": True,
        "name": "" if offered.n_sources else connector.replace("_", "-"),
    }
    form = networking.form_of(connector, request.POST or None, initial, is_new=True)
    findings: list[Any] = []
    if request.method == "POST" and form.is_valid():
        assert request.user.is_authenticated
        try:
            if request.POST.get("do") == "try":
                findings = _tried(connector, networking.values_of(form))
            else:
                name = services.add_source(
                    form.cleaned_data["name"],
                    connector,
                    networking.values_of(form),
                    by=request.user.email,
                    keep_days=form.cleaned_data["keep_days"],
                    asks_approval=form.cleaned_data.get("asks_approval", True),
                    days_back=form.cleaned_data.get("days_back", 0),
                )
                messages.success(request, _("It is set up and read from now on."))
                return redirect("network", name)
        except RapportError as error:
            form.add_error(None, str(error))
    context = {
        "offered": offered,
        "form": form,
        "findings": [networking.finding(one) for one in findings],
        "terms": networking.terms(offered.terms, offered.terms.keep_days),
        "pace": networking.pace(offered.manners) if offered.is_asked else "",
        "account": _account(connector, form),
        "is_new": True,
    }
    return render(request, "pages/networks/form.html", context)


@needs(Right.SEE_SOURCES)
@never_cache
@sensitive_post_parameters()
def network(request: HttpRequest, name: str) -> HttpResponseBase:
    row = listening.source(name)
    findings: list[Any] = []
    form = None
    if request.method == "POST":
        demand(request, Right.CHANGE_SOURCES)
        answer, findings, form = _done(request, row)
        if answer is not None:
            return answer
        row = listening.source(name)
    can_change = may(request, Right.CHANGE_SOURCES)
    until = clock.now()
    since = until - dt.timedelta(days=DAYS)
    gaps = listening.gaps(name, since, until)
    if form is None and can_change and row.title != row.connector:
        initial = listening.settings_of(name) | {
            "days_back": row.days_back,
            "keep_days": row.own_keep_days,
            "asks_approval": row.asks_approval,
        }
        form = networking.form_of(row.connector, None, initial, is_new=False)
    account = listening.account_of(name)
    context = {
        "tab": "networks",
        "row": row,
        "state": networking.state(row),
        "terms": networking.terms(row.terms, row.keep_days) if row.terms else [],
        "strip": _strip(row, gaps, since, until),
        "gaps": [(gap, networking.reason(gap.reason)) for gap in reversed(gaps)],
        "since": since,
        "findings": [networking.finding(one) for one in findings],
        "form": form,
        "pace": networking.pace(row.manners) if row.is_asked else "",
        "offered": next((one for one in listening.offered() if one.name == row.connector), None),
        "can_change": can_change,
        "account": account,
        "hook": f"{links.public_url()}{reverse('source_hook', args=[name])}"
        if row.is_called and account is None
        else "",
        "days": DAYS,
        "is_awaited": row.is_on and row.is_asked and row.seen_at is None and not row.trouble,
    }
    return render(request, "pages/networks/one.html", context)


def _done(request: HttpRequest, row: listening.SourceRow) -> tuple[HttpResponseBase | None, list[Any], Any]:
    """What a button did: an answer, or findings or a form with its mistakes to show."""
    assert request.user.is_authenticated
    by = request.user.email
    do = request.POST.get("do", "")
    if do in {"on", "off"}:
        services.switch(row.name, do == "on", by=by)
        said = (
            _("It is read from now on.") if do == "on" else _("It is read no more; what is missed is a gap.")
        )
        messages.success(request, said)
        return redirect("network", row.name), [], None
    if do == "remove":
        try:
            services.remove_source(row.name)
        except RapportError as error:
            messages.error(request, str(error))
            return redirect("network", row.name), [], None
        messages.success(request, _("%(name)s is removed.") % {"name": row.name})
        return redirect("networks"), [], None
    if do == "check":
        return None, services.check_source(row.name), None
    if do != "save":
        return redirect("network", row.name), [], None
    form = networking.form_of(row.connector, request.POST, {}, is_new=False)
    if said := networking.meanwhile(request.POST, row.changed_at, row.changed_by):
        form.add_error(None, said)
    if form.is_valid():
        try:
            left = services.change_source(
                row.name,
                networking.values_of(form),
                by=by,
                keep_days=form.cleaned_data["keep_days"],
                asks_approval=form.cleaned_data.get("asks_approval"),
                days_back=form.cleaned_data.get("days_back"),
            )
        except RapportError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            if left:
                messages.warning(
                    request,
                    _("Kept no longer, because it was given for another server: %(names)s.")
                    % {"names": ", ".join(left)},
                )
            return redirect("network", row.name), [], None
    return None, [], form


def _tried(connector: str, values: dict[str, Any]) -> list[Any]:
    return services.try_out(connector, sources.connector(connector).config(**values))


def _account(connector: str, form: Any) -> listening.AccountView | None:
    """The account that the form would set up, as far as it can be read."""
    known = {field.name for field in _settings(connector)}
    given = getattr(form, "cleaned_data", {})
    values = {k.removeprefix("set_"): v for k, v in given.items() if k.removeprefix("set_") in known}
    return listening.account_to_be(connector, given.get("name", ""), values)


def _settings(connector: str) -> Any:
    return dataclasses.fields(sources.connector(connector).config)


def _default(field: Any) -> Any:
    return field.default_factory() if field.default is dataclasses.MISSING else field.default


def _strip(
    row: listening.SourceRow, gaps: list[listening.GapRow], since: dt.datetime, until: dt.datetime
) -> list[Stretch]:
    """What was covered, as it lay in time; what lies before the source was begun is left empty."""
    began = max(since, row.began_at or row.created_at)
    whole = (until - since).total_seconds()

    def part(a: dt.datetime, b: dt.datetime, kind: str, said: str) -> Stretch:
        left = (max(a, since) - since).total_seconds() / whole * 1_000
        right = (min(b, until) - since).total_seconds() / whole * 1_000
        return Stretch(round(left, 2), round(max(right - left, NARROWEST), 2), kind, said)

    found = []
    if row.seen_at is not None and row.seen_at > began:
        found.append(part(began, row.seen_at, "seen", _("Read")))
    for gap in gaps:
        when = formats.when_text(gap.since)
        words = {"reason": networking.reason(gap.reason), "when": when}
        if gap.is_made_good:
            found.append(
                part(gap.since, gap.until or until, "late", _("%(reason)s from %(when)s; read later") % words)
            )
        else:
            found.append(part(gap.since, gap.until or until, "gap", _("%(reason)s from %(when)s") % words))
    return found


urlpatterns = [
    path("sources/networks/", networks, name="networks"),
    path("sources/networks/add/<str:connector>/", add, name="network_add"),
    path("sources/networks/<slug:name>/", network, name="network"),
]
