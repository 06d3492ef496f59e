"""What people ask of us under the law, in the reader's words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.consent.rules import asking
from rapport.consent.selectors import RequestView
from rapport.web.components import formats

KINDS: dict[str, Any] = {
    asking.ACCESS: gettext_lazy("See everything"),
    asking.PORTABILITY: gettext_lazy("Take it along"),
    asking.CORRECTION: gettext_lazy("Correct something"),
    asking.ERASURE: gettext_lazy("Be forgotten"),
    asking.OBJECTION: gettext_lazy("Object"),
    asking.RESTRICTION: gettext_lazy("Restrict use"),
}

ARTICLES: dict[str, Any] = {
    asking.ACCESS: gettext_lazy("GDPR article 15"),
    asking.PORTABILITY: gettext_lazy("GDPR article 20"),
    asking.CORRECTION: gettext_lazy("GDPR article 16"),
    asking.ERASURE: gettext_lazy("GDPR article 17"),
    asking.OBJECTION: gettext_lazy("GDPR article 21"),
    asking.RESTRICTION: gettext_lazy("GDPR article 18"),
}

# What happens when it is carried out, and what somebody must do themselves.
HAPPENS: dict[str, Any] = {
    asking.ACCESS: gettext_lazy(
        "Download everything we keep, with where each value comes from, hand it over, then note it as answered."
    ),
    asking.PORTABILITY: gettext_lazy(
        "Download everything as JSON, which another firm can read, hand it over, then note it as answered."
    ),
    asking.CORRECTION: gettext_lazy(
        "Correct it where it comes from, and on the person's page; then note here what was corrected."
    ),
    asking.ERASURE: gettext_lazy(
        "Everything listed here is deleted from every store, and cannot be had back. A keyed hash keeps them"
        " out when a file is imported again. A certificate says what was deleted, not whose it was."
    ),
    asking.OBJECTION: gettext_lazy(
        "Every purpose that they may refuse is withdrawn for them, at once. What a contract needs goes on."
    ),
    asking.RESTRICTION: gettext_lazy(
        "What we know stays, and is used for nothing that needs their consent or our interest."
    ),
}

DO: dict[str, Any] = {
    asking.ACCESS: gettext_lazy("Answered"),
    asking.PORTABILITY: gettext_lazy("Answered"),
    asking.CORRECTION: gettext_lazy("Corrected"),
    asking.ERASURE: gettext_lazy("Erase them"),
    asking.OBJECTION: gettext_lazy("Withdraw it all"),
    asking.RESTRICTION: gettext_lazy("Restrict use"),
}

STATES: dict[str, Any] = {
    asking.OPEN: gettext_lazy("open"),
    asking.RUNNING: gettext_lazy("being carried out"),
    asking.DONE: gettext_lazy("answered"),
    asking.REFUSED: gettext_lazy("refused"),
}

STORES: dict[str, Any] = {
    "events": gettext_lazy("Events"),
    "sessions": gettext_lazy("Visits"),
    "annotations": gettext_lazy("What models read in their words"),
    "day counters": gettext_lazy("Day counters"),
    "claims": gettext_lazy("Statements that two identifiers are one"),
    "identifiers": gettext_lazy("Identifiers"),
    "rows of others that quoted them": gettext_lazy("Other people's rows in which they were made unreadable"),
    "bodies in the spool": gettext_lazy("Bodies in the spool"),
    "refused rows": gettext_lazy("Refused rows"),
    "uploaded files": gettext_lazy("Uploaded files"),
    "people": gettext_lazy("Profile, traits and scores"),
    "requests": gettext_lazy("Requests emptied"),
    "consents and wishes": gettext_lazy("Consents and wishes"),
    "messages": gettext_lazy("Messages"),
    "holdouts": gettext_lazy("Holdouts"),
}


def kind(key: str) -> Any:
    """A kind of request as a person says it."""
    return KINDS.get(key, key)


def store(name: str) -> Any:
    """Where something was erased."""
    return STORES.get(name, name[:1].upper() + name[1:])


def time_left(request: RequestView) -> str:
    """How long there is, or how late it is."""
    if request.days_left < 0:
        n = -request.days_left
        return ngettext("%(n)s day late", "%(n)s days late", n) % {"n": formats.number(n)}
    if request.days_left == 0:
        return _("today")
    n = request.days_left
    return ngettext("%(n)s day left", "%(n)s days left", n) % {"n": formats.number(n)}


def tone(request: RequestView) -> str:
    """How a request is marked: late, soon, or not at all."""
    return "danger" if request.is_overdue else "warn" if request.is_soon else ""
