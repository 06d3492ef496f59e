"""Consent in words: purposes, grounds, channels, states, and where an answer was given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent.selectors import PurposeView, TopicView
from rapport.web.components import words

CHANNELS: dict[str, Any] = {
    "email": gettext_lazy("e-mail"),
    "sms": gettext_lazy("text message"),
    "phone": gettext_lazy("telephone"),
    "post": gettext_lazy("post"),
    "push": gettext_lazy("notice on the telephone"),
    "onsite": gettext_lazy("notice on our site"),
}

# Why we may, said to the person: the grounds of GDPR article 6(1).
GROUNDS: dict[str, Any] = {
    "consent": gettext_lazy("Only if you allow it. You can take it back at any time."),
    "contract": gettext_lazy(
        "Needed for what you ordered or asked of us, so it cannot be switched off here."
    ),
    "legal_obligation": gettext_lazy("Required by law, so it cannot be switched off here."),
    "legitimate_interest": gettext_lazy(
        "We have a fair interest in it, so we do it without asking. You can object, and we stop."
    ),
}

STATES: dict[str, Any] = {
    "granted": gettext_lazy("allowed"),
    "denied": gettext_lazy("refused"),
    "withdrawn": gettext_lazy("taken back"),
    "expired": gettext_lazy("no longer valid"),
}

HOW: dict[str, Any] = {
    "confirmed": gettext_lazy("by a link that you confirmed"),
    "form": gettext_lazy("in a form"),
    "banner": gettext_lazy("in the notice on our site"),
    "preference_page": gettext_lazy("on this page"),
    "one_click": gettext_lazy("by the link in a message"),
    "import": gettext_lazy("in records that we took over"),
    "staff": gettext_lazy("through a member of our staff"),
    "api": gettext_lazy("through another system of ours"),
}

STOPPED: dict[str, Any] = {
    "bounced": gettext_lazy("Our messages came back from there, so we send none."),
    "complained": gettext_lazy("A message of ours was called unwanted there, so we send none."),
    "objected": gettext_lazy("You objected, so we send nothing there."),
    "unsubscribed": gettext_lazy("You asked for no more, so we send nothing there."),
    "erased": gettext_lazy("You asked us to forget you, so we send nothing there."),
}

# What layers below say in English, because they know no languages; customers' pages translate it.
FROM_BELOW = (
    gettext_lazy("this link is not one that we made, or part of it is missing"),
    gettext_lazy("Copy the whole address from the message, or ask for a new link."),
    gettext_lazy("this link is no longer good"),
    gettext_lazy("Ask for a new one."),
    # sections of what each store holds of somebody
    gettext_lazy("What you would rather have"),
    gettext_lazy("Where we send you nothing"),
    gettext_lazy("Times when use of your data was restricted"),
    gettext_lazy("What you asked of us"),
    gettext_lazy("this installation"),
    # stores that a certificate counts
    gettext_lazy("events"),
    gettext_lazy("sessions"),
    gettext_lazy("annotations"),
    gettext_lazy("day counters"),
    gettext_lazy("claims"),
    gettext_lazy("identifiers"),
    gettext_lazy("rows of others that quoted them"),
    gettext_lazy("bodies in the spool"),
    gettext_lazy("refused rows"),
    gettext_lazy("uploaded files"),
    gettext_lazy("uploads not yet imported"),
    gettext_lazy("people"),
    gettext_lazy("requests"),
    gettext_lazy("consents and wishes"),
    gettext_lazy("messages"),
    gettext_lazy("surveys"),
    gettext_lazy("holdouts"),
)

FREQUENCIES: dict[str, Any] = {
    "as_you_like": gettext_lazy("As often as there is something to say"),
    "weekly": gettext_lazy("At most once a week"),
    "monthly": gettext_lazy("At most once a month"),
}


def name(purpose: PurposeView) -> str:
    """What a purpose is called: the firm's own word, or ours in the reader's language."""
    return _(purpose.name) if purpose.name else purpose.key


def meaning(purpose: PurposeView) -> str:
    """What a purpose means, in a sentence."""
    return _(purpose.meaning) if purpose.meaning else ""


def topic(found: TopicView) -> tuple[str, str]:
    """What a topic is called, and its meaning."""
    return _(found.name), _(found.meaning) if found.meaning else ""


def channel(key: str) -> str:
    """A channel within a sentence."""
    return str(CHANNELS.get(key, words.plain(key).lower()))


def ground(basis: str) -> str:
    """Why something may be done, in a sentence."""
    return str(GROUNDS.get(basis, ""))


def state(key: str) -> str:
    """What somebody said, in a word."""
    return str(STATES.get(key, words.plain(key).lower()))


def how(key: str) -> str:
    """In what way somebody said it."""
    return str(HOW.get(key, "")) if key else ""


def stopped(reason: str) -> str:
    """Why nothing goes out to an address, though it is allowed."""
    return str(STOPPED.get(reason, _("Nothing is sent there at present.")))


class Said(Protocol):
    """An answer as the ledger keeps it."""

    @property
    def purpose(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def wording(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def how(self) -> str: ...
    @property
    def shown(self) -> str: ...


S = TypeVar("S", bound=Said)


def latest(ledger: Iterable[S], purpose: str, channel: str) -> S | None:
    """The answer that decides about a purpose on a channel."""
    of = [said for said in ledger if said.purpose == purpose and said.channel in ("", channel)]
    return max(of, key=lambda said: said.at, default=None)


def since(key: str, at: dt.datetime, way: str, shown: str) -> str:
    """What was said, when and where: allowed on 2 March 2026, in a form (shop.example/checkout)."""
    day = date_format(timezone.localtime(at).date(), "DATE_FORMAT")
    told = _("%(state)s on %(day)s") % {"state": state(key), "day": day}
    where = how(way)
    if where:
        told = f"{told}, {where}"
    # What was shown is the source's own note; on a page of ours the way says it all.
    if shown and way in ("form", "banner", "import", "api", "confirmed"):
        told = f"{told} ({shown})"
    return told[:1].upper() + told[1:]
