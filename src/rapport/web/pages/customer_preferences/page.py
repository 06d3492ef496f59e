"""The preference centre: what we may do, over which channels, how often, about what, in which language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit import clock
from rapport.web.components import consenting
from rapport.web.customers import Holder, for_holder, privacy_signal, show, without_language

SHOWN = "preference page"  # where an answer was given, as the ledger keeps it
PAUSES_DAYS = {"14": 14, "30": 30, "90": 90}
PAUSE_MAX_DAYS = 730  # whoever wants longer wants none at all
# A person who allows it again means it, so these no longer hold; a mailbox that does not exist stays so.
LIFTED = ("unsubscribed", "objected", "complained")


@dataclass(frozen=True, slots=True)
class Way:
    """One switch: a purpose on one channel, or a purpose that has no channel."""

    key: str  # purpose, or purpose.channel
    channel: str
    label: str
    is_allowed: bool  # as it is now
    is_ticked: bool  # as it is offered: a browser that asks not to be tracked has it taken out already
    since: str
    stopped: str  # why nothing goes out there all the same


@dataclass(frozen=True, slots=True)
class Line:
    """One purpose with its switches."""

    purpose: consent.PurposeView
    name: str
    meaning: str
    wording: str
    ground: str
    can_be_refused: bool
    ways: list[Way]
    is_asked_by_browser: bool


@require_http_methods(["GET", "HEAD", "POST"])
@for_holder
def preferences(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, holder)
    wrong = _wrong_pause(request.POST)
    if wrong:
        return _page(request, holder, wrong=wrong, status=400)
    n = _refuse_all(holder) if request.POST.get("do") == "none" else _apply(request.POST, holder)
    chose_language = request.POST.get("language") != request.POST.get("was_language")
    answered = without_language(holder) if chose_language else holder
    return redirect(answered.url("preferences", said=str(n)))


def _page(request: HttpRequest, holder: Holder, *, wrong: str = "", status: int = 200) -> HttpResponse:
    signal = privacy_signal(request)
    ledger = consent.ledger(holder.identifier)
    lines = [_line(p, holder, signal, ledger) for p in consent.purposes(active_only=True)]
    wishes = consent.preferences(holder.identifier)
    said = request.GET.get("said", "")
    given = request.POST if wrong else QueryDict()
    was_wishes = dict(wishes)
    if wrong:  # nothing that was ticked or chosen is lost over one wrong day
        lines = [_as_sent(line, given.getlist("allow")) for line in lines]
        wishes |= {name: given[name] for name in ("frequency", "language") if name in given}
        wishes["topics"] = given.getlist("topic")
    context = {
        "title": _("Your wishes"),
        "lines": lines,
        "was": [way.key for line in lines for way in line.ways if way.is_allowed],
        "is_anything_allowed": any(way.is_allowed for line in lines for way in line.ways),
        "is_taken_out": any(line.is_asked_by_browser for line in lines),
        "saved": _saved(int(said)) if said.isdecimal() else "",
        "wrong_pause": wrong,
        "topics": _topics(wishes["topics"]),
        "was_topics": _chosen_topics(was_wishes["topics"]),
        "frequencies": [
            (key, label, key == wishes["frequency"]) for key, label in consenting.FREQUENCIES.items()
        ],
        "was_frequency": was_wishes["frequency"],
        "pause_until": _ahead(wishes["pause_until"]),
        "pauses": [
            (days, ngettext("For %(n)s day", "For %(n)s days", n) % {"n": n}, given.get("pause") == days)
            for days, n in PAUSES_DAYS.items()
        ],
        "pause_date": given.get("pause_date", ""),
        "is_date_chosen": given.get("pause") == "date",
        "least_date": (_today() + dt.timedelta(days=1)).isoformat(),
        "most_date": (_today() + dt.timedelta(days=PAUSE_MAX_DAYS)).isoformat(),
        "languages_offered": [(code, name, code == wishes["language"]) for code, name in settings.LANGUAGES],
        "was_language": was_wishes["language"] or "",
    }
    return show(request, "pages/customer_preferences/page.html", context, holder=holder, status=status)


def _line(
    purpose: consent.PurposeView, holder: Holder, signal: str, ledger: Sequence[consenting.Said]
) -> Line:
    refuses = bool(signal) and purpose.can_be_refused and not purpose.channels
    ways = [_way(purpose, c, holder, ledger, refuses=refuses) for c in purpose.channels or ("",)]
    words = consent.current_wording(purpose.key, get_language() or "en")
    return Line(
        purpose=purpose,
        name=consenting.name(purpose),
        meaning=consenting.meaning(purpose),
        wording=words.text if words and purpose.needs_consent else "",
        ground=consenting.ground(purpose.legal_basis),
        can_be_refused=purpose.can_be_refused,
        ways=ways if purpose.can_be_refused else [],
        is_asked_by_browser=refuses and any(way.is_allowed for way in ways),
    )


def _as_sent(line: Line, allowed: list[str]) -> Line:
    """The switches as the form had them."""
    return replace(line, ways=[replace(way, is_ticked=way.key in allowed) for way in line.ways])


def _way(
    purpose: consent.PurposeView,
    channel: str,
    holder: Holder,
    ledger: Sequence[consenting.Said],
    *,
    refuses: bool,
) -> Way:
    answer = consent.allows(holder.identifier, purpose.key, channel)
    # Before anything was said, what we do without asking counts as allowed, also for whom we know nothing of.
    allowed = answer.allowed or (answer.reason == "unknown_person" and not purpose.needs_consent)
    stopped = consent.is_suppressed(holder.identifier, channel, purpose.key) if channel and allowed else None
    return Way(
        key=f"{purpose.key}.{channel}" if channel else purpose.key,
        channel=channel,
        label=consenting.channel(channel) if channel else "",
        is_allowed=allowed,
        is_ticked=allowed and not refuses,
        since=_since(answer, ledger, purpose.key, channel),
        stopped=consenting.stopped(stopped) if stopped else "",
    )


def _since(answer: consent.Answer, ledger: Sequence[consenting.Said], purpose: str, channel: str) -> str:
    """Since when it stands so, and where it was said."""
    if not answer.since:
        return ""
    said = consenting.latest(ledger, purpose, channel)
    return consenting.since(answer.state, answer.since, said.how if said else "", said.shown if said else "")


def _topics(chosen: list[str] | None) -> list[tuple[str, str, str, bool]]:
    found = consent.topics()
    return [(t.key, *consenting.topic(t), chosen is None or t.key in chosen) for t in found]


def _chosen_topics(chosen: list[str] | None) -> list[str]:
    return [key for key, _name, _meaning, is_chosen in _topics(chosen) if is_chosen]


def _today() -> dt.date:
    return timezone.localtime(clock.now()).date()


def _ahead(day: str | None) -> dt.date | None:
    """The end of a pause that is still to come."""
    until = dt.date.fromisoformat(day) if day else None
    return until if until and until > _today() else None


def _wrong_pause(form: QueryDict) -> str:
    """What is wrong with the date of a pause, in words; empty where nothing is."""
    if form.get("do") == "none" or form.get("pause") != "date":
        return ""
    try:
        day = dt.date.fromisoformat(form.get("pause_date", ""))
    except ValueError:
        return _("Write the day until which we shall be quiet, for example %(day)s.") % {
            "day": (_today() + dt.timedelta(days=30)).isoformat()
        }
    if day <= _today():
        return _("That day is over. Choose one to come.")
    if day > _today() + dt.timedelta(days=PAUSE_MAX_DAYS):
        return _("That is more than two years. Choose “No to everything” instead, or an earlier day.")
    return ""


def _apply(form: QueryDict, holder: Holder) -> int:
    """Carry out what differs from what was shown, and nothing else: the page may be older than the truth."""
    was, now = set(form.getlist("was")), set(form.getlist("allow"))
    n = 0
    for purpose in consent.purposes(active_only=True):
        if purpose.can_be_refused:
            n += _change(purpose, holder, was=was, now=now)
    return n + _state_wishes(form, holder)


def _change(purpose: consent.PurposeView, holder: Holder, *, was: set[str], now: set[str]) -> int:
    keys = {(f"{purpose.key}.{c}" if c else purpose.key): c for c in purpose.channels or ("",)}
    refused = [channel for key, channel in keys.items() if key in was - now]
    if refused and not now & keys.keys():
        refused = [""]  # nothing is left of the purpose: one answer says it for channels to come as well
    for channel in refused:
        services.withdraw(holder.identifier, purpose.key, channel, how="preference_page", shown=SHOWN)
    granted = [channel for key, channel in keys.items() if key in now - was]
    words = consent.current_wording(purpose.key, get_language() or "en") if granted else None
    for channel in granted:
        services.grant(
            holder.identifier,
            purpose.key,
            channel,
            how="preference_page",
            shown=SHOWN,
            wording=words.version if words else "",
        )
        for reason in LIFTED if channel else ():
            services.lift(holder.identifier, channel, reason, by="the person, on the preference page")
    return len(refused) + len(granted)


def _refuse_all(holder: Holder) -> int:
    n = 0
    for purpose in consent.purposes(active_only=True):
        ways = purpose.channels or ("",)
        if purpose.can_be_refused and any(
            consent.allows(holder.identifier, purpose.key, channel).reason not in ("withdrawn", "objected")
            for channel in ways
        ):
            services.withdraw(holder.identifier, purpose.key, how="preference_page", shown=SHOWN)
            n += 1
    return n


def _state_wishes(form: QueryDict, holder: Holder) -> int:
    stated: dict[str, Any] = {}
    topics = [t.key for t in consent.topics()]
    chosen = [key for key in form.getlist("topic") if key in topics]
    if topics and set(chosen) != set(form.getlist("was_topic")):
        stated["topics"] = None if set(chosen) == set(topics) else chosen
    frequency = form.get("frequency")
    if frequency in consent.FREQUENCIES and frequency != form.get("was_frequency"):
        stated["frequency"] = frequency
    language = form.get("language", "")
    if language != form.get("was_language", "") and language in ("", *dict(settings.LANGUAGES)):
        stated["language"] = language or None
    pause = form.get("pause", "")
    if pause in PAUSES_DAYS:
        stated["pause_until"] = (_today() + dt.timedelta(days=PAUSES_DAYS[pause])).isoformat()
    elif pause == "date":
        stated["pause_until"] = form["pause_date"]
    elif pause == "end":
        stated["pause_until"] = None
    for name, value in stated.items():
        services.state_preference(holder.identifier, name, value)
    return len(stated)


def _saved(n: int) -> str:
    if not n:
        return _("Nothing was different, so nothing changed.")
    return ngettext(
        "Saved: %(n)s change. It holds from now on.", "Saved: %(n)s changes. They hold from now on.", n
    ) % {"n": n}


urlpatterns = [path("my/preferences/<str:token>", preferences, name="customer_preferences")]
