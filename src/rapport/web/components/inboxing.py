"""What the inbox calls things: views, states, channels, reasons, steps; rows as lists show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from rapport.kit import clock
from rapport.web.components import formats, spokenwords, standing, words

VIEWS: dict[str, Any] = {
    "open": pgettext_lazy("conversations", "Open"),
    "mine": gettext_lazy("Mine"),
    "nobodys": gettext_lazy("Nobody’s"),
    "overdue": gettext_lazy("Overdue"),
    "public": gettext_lazy("Public"),
    "approvals": gettext_lazy("To approve"),
    "mentions": gettext_lazy("Names me"),
    "recoveries": gettext_lazy("Recovery due"),
    "pending": gettext_lazy("Waiting for them"),
    "snoozed": gettext_lazy("Put off"),
    "resolved": gettext_lazy("Resolved"),
}
# In sight where something is in them.
FIRST_VIEWS = ("open", "mine", "nobodys", "overdue", "approvals", "mentions", "recoveries")
STATES: dict[str, Any] = {
    "aside": gettext_lazy("set aside"),
    "open": pgettext_lazy("conversation", "open"),
    "pending": gettext_lazy("waiting"),
    "snoozed": gettext_lazy("put off"),
    "resolved": gettext_lazy("resolved"),
    "merged": gettext_lazy("joined with another"),
}
OUTCOMES: dict[str, Any] = {
    "solved": gettext_lazy("Solved"),
    "no_answer_needed": gettext_lazy("No answer needed"),
    "handed_over": gettext_lazy("Handed over"),
    "left_alone": gettext_lazy("Left alone"),
}
CHANNELS: dict[str, Any] = {
    "social": gettext_lazy("post"),
    "review": gettext_lazy("review"),
    "email": gettext_lazy("e-mail"),
    "direct": gettext_lazy("private message"),
    "chat": gettext_lazy("chat"),
    "survey": gettext_lazy("survey"),
    "phone": gettext_lazy("telephone"),
}
WHY: dict[str, Any] = {
    "private": gettext_lazy("written to us alone"),
    "asked_us": gettext_lazy("addresses us"),
    "answered_us": gettext_lazy("answers us"),
    "help": gettext_lazy("asks for help with what we follow"),
    "complaint": gettext_lazy("complains about what we follow"),
    "review": gettext_lazy("a review with few stars"),
    "survey": gettext_lazy("unhappy words in a survey"),
    "staff": gettext_lazy("opened by a colleague"),
}
BECAUSE: dict[str, Any] = {
    "overdue": gettext_lazy("has waited longer than we promise anybody"),
    "safety": gettext_lazy("speaks of danger"),
    "vulnerable": gettext_lazy("somebody who needs care"),
    "refund": gettext_lazy("money is owed"),
    "leaving": gettext_lazy("threatens to leave"),
    "complaint": gettext_lazy("a complaint"),
    "help": gettext_lazy("asks for help"),
    "question": gettext_lazy("a question"),
    "review": gettext_lazy("few stars"),
    "buying": gettext_lazy("wants to buy"),
    "praise": gettext_lazy("praise"),
    "negative": gettext_lazy("negative words"),
    "value": gettext_lazy("much could be lost"),
    "staff": gettext_lazy("set by a colleague"),
}
MESSAGE_STATES: dict[str, tuple[Any, str]] = {
    "waiting": (gettext_lazy("waits for approval"), "warn"),
    "refused": (gettext_lazy("not approved"), "danger"),
    "planned": (gettext_lazy("on its way"), ""),
    "withheld": (gettext_lazy("withheld"), "danger"),
    "sent": (gettext_lazy("sent"), ""),
    "failed": (gettext_lazy("could not be sent"), "danger"),
    "unknown": (gettext_lazy("may have been sent"), "warn"),
    "edited": (gettext_lazy("edited since"), ""),
    "deleted": (gettext_lazy("deleted by its author"), ""),
}
PLAYBOOKS: dict[str, Any] = {
    "correction": gettext_lazy("Correct it, with a source"),
    "apology": gettext_lazy("Apologise and make it good"),
    "handover": gettext_lazy("Hand it over"),
    "followup": gettext_lazy("Follow up"),
    "follow_up": gettext_lazy("Follow up"),
}
DEPARTMENTS: dict[str, Any] = {
    "logistics": gettext_lazy("Logistics"),
    "product": gettext_lazy("Product"),
    "pricing": gettext_lazy("Pricing"),
    "web": gettext_lazy("Website and app"),
    "billing": gettext_lazy("Billing"),
    "service": gettext_lazy("Service"),
}
TONES = {"negative": "danger", "positive": "accent"}


def view_title(key: str, name: str) -> str:
    """What a view is called: those everybody has in the reader's language, a saved one as it was named."""
    return name or str(VIEWS.get(key, words.plain(key)))


def state(key: str) -> str:
    """A conversation's state in words."""
    return str(STATES.get(key, words.plain(key)))


def outcome(key: str) -> str:
    """How it ended, in words."""
    return str(OUTCOMES.get(key, words.plain(key)))


def department(key: str) -> str:
    """A department in words; one of the firm's own as it was named."""
    return str(DEPARTMENTS.get(key, key))


def place(channel: str, network: str, venue: str) -> str:
    """Where it was said: `post on Mastodon`, `e-mail`."""
    kind = str(CHANNELS.get(channel, words.plain(channel)))
    if not network or network == channel:
        return kind
    inside = venue.partition(":")[2]
    said = {"kind": kind, "network": standing.network(network), "place": inside}
    if inside and inside != network:
        return _("%(kind)s on %(network)s, %(place)s") % said
    return _("%(kind)s on %(network)s") % said


def because(codes: tuple[str, ...]) -> str:
    """Why it stands where it stands, in one line."""
    return ", ".join(str(BECAUSE.get(code, words.plain(code))) for code in codes)


def waits(since: dt.datetime | None) -> str:
    """How long somebody has waited; empty where nobody waits."""
    if since is None:
        return ""
    return _("waits %(duration)s") % {"duration": formats.duration((clock.now() - since).total_seconds())}


def tone(sentiment: str) -> str:
    """The colour of a sentiment."""
    return TONES.get(sentiment, "")


def said_of(name: str, key: str) -> str:
    """Language, sentiment or intent in words; empty where nothing is known."""
    if name == "language":
        return language(key)
    return spokenwords.label(name, key) if key else ""


def language(code: str) -> str:
    """A language by its name in the reader's own; the code where nobody here knows the name."""
    try:
        return str(get_language_info(code)["name_translated"]) if code else ""
    except KeyError:
        return code


def colleague(names: Mapping[int, str], staff: int | None) -> str:
    """A colleague by name; one who has left is said so."""
    if staff is None:
        return ""
    return names.get(staff) or _("somebody who has left")
