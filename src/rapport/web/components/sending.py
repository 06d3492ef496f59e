"""What became of messages, and what troubles a mail account, in the reader's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.messaging.selectors import AccountView

STATES: dict[str, tuple[Any, str]] = {
    "planned": (gettext_lazy("waits"), ""),
    "sending": (gettext_lazy("under way"), "accent"),
    "sent": (gettext_lazy("sent"), "ok"),
    "withheld": (gettext_lazy("withheld"), "warn"),
    "failed": (gettext_lazy("failed"), "danger"),
    "unknown": (gettext_lazy("unknown"), "danger"),
}
REASONS: dict[str, Any] = {
    "no_channel": gettext_lazy("the channel is not set up"),
    "no_address": gettext_lazy("no address on this channel"),
    "no_consent": gettext_lazy("no consent was given"),
    "denied": gettext_lazy("consent was refused"),
    "withdrawn": gettext_lazy("consent was taken back"),
    "expired": gettext_lazy("consent has expired"),
    "objected": gettext_lazy("the person objected"),
    "restricted": gettext_lazy("the person contests what we hold"),
    "inactive_purpose": gettext_lazy("the purpose is switched off"),
    "unknown_person": gettext_lazy("nobody is known by this address, so nobody agreed"),
    "asked_for_pause": gettext_lazy("the person asked for a pause"),
    "asked_too_often": gettext_lazy("asked for too often today"),
    "held_out": gettext_lazy("held out, to measure what messages do"),
    "suppressed_bounced": gettext_lazy("mail to this address came back before"),
    "suppressed_complained": gettext_lazy("the person complained"),
    "suppressed_unsubscribed": gettext_lazy("the person unsubscribed"),
    "suppressed_objected": gettext_lazy("the person objected to messages"),
    "suppressed_erased": gettext_lazy("the person was erased"),
    "suppressed_staff": gettext_lazy("a colleague stopped messages to this address"),
    "bounced": gettext_lazy("the address does not exist; it gets nothing more"),
    "refused": gettext_lazy("the receiver refused the message"),
    "turned_away": gettext_lazy("turned away for now; tried again"),
    "gave_up": gettext_lazy("turned away for days; given up"),
    "too_late": gettext_lazy("it was no longer worth sending"),
    "cannot_render": gettext_lazy("the message could not be put together"),
    "unsure": gettext_lazy("it may have arrived: sending ended before the answer; not sent again"),
    "asked_again": gettext_lazy("posting ended before the answer; the network is asked whether it has it"),
    "no_source": gettext_lazy("the source it was to leave by is gone"),
    "terms": gettext_lazy("the network's terms do not allow it"),
    "pictures": gettext_lazy("its pictures do not fit the network"),
    "rule_card": gettext_lazy("the venue's rule card forbids it"),
    "needs_approval": gettext_lazy("nobody has approved it"),
    "not_approver": gettext_lazy("who approved it may not approve answers"),
    "sent_again": gettext_lazy("it may arrive twice: sending ended before the answer; sent again"),
}

MESSAGES: dict[str, Any] = {
    "double_opt_in": gettext_lazy("Confirmation of a sign-up"),
    "sign_in": gettext_lazy("Log-in link"),
    "own_pages": gettext_lazy("Link to somebody's own pages"),
    "request_received": gettext_lazy("A request arrived"),
    "request_done": gettext_lazy("A request is answered"),
    "receipt": gettext_lazy("Receipt"),
    "test": gettext_lazy("Test"),
    "letter": gettext_lazy("Letter"),
    "survey_invitation": gettext_lazy("Invitation to a survey"),
    "answer": gettext_lazy("Answer"),
    "chat_answer": gettext_lazy("Answer to a chat"),
    "notice_warning": gettext_lazy("Warning of a notice"),
}

# The commonest ways in which a mail server cannot be used, told from the words that come back.
_TROUBLES: tuple[tuple[str, Any], ...] = (
    (r"^(535|534|530|538)|auth", gettext_lazy("The server did not accept the log-in name or password.")),
    (r"refused|connect call failed|errno 111", gettext_lazy("Nothing listens at this host and port.")),
    (
        r"name or service|getaddrinfo|nodename|temporary failure in name|no address",
        gettext_lazy("This host name is not known. Check its spelling."),
    ),
    (
        r"certificate|ssl|tls|encrypted|wrong version",
        gettext_lazy(
            "No encrypted connection came about. Try the other kind of encryption, or the other port."
        ),
    ),
    (
        r"did not answer|timed out|timeout",
        gettext_lazy(
            "The server did not answer in time. A firewall may be in between, or the port is wrong."
        ),
    ),
    (r"closed the connection|^421", gettext_lazy("The server closed the connection. Try again in a while.")),
    (
        r"sender|5\.7\.|relay|not allowed|denied|spf",
        gettext_lazy("The server does not let you send from this address, or to this one."),
    ),
    (r"starttls|not supported", gettext_lazy("The server offers no STARTTLS here. Try TLS and port 465.")),
)


@dataclass(frozen=True, slots=True)
class State:
    """How an account fares, as a chip shows it."""

    label: str
    tone: str


def account_state(account: AccountView | None) -> State:
    """How a channel fares in one or two words."""
    if account is None:
        return State(_("not set up"), "warn")
    if account.trouble:
        return State(_("cannot send"), "danger")
    return State(_("works"), "ok") if account.sent_at else State(_("not tried yet"), "")


def explained(answer: str) -> str:
    """A server's answer in words that say what to do."""
    for pattern, words in _TROUBLES:
        if re.search(pattern, answer, re.IGNORECASE):
            return str(words)
    return _("The server did not take it. Its own words are below.")


def state(name: str) -> tuple[str, str]:
    """A delivery's state in words, and its tone."""
    label, tone = STATES.get(name, (name, ""))
    return str(label), tone


def message(template: str) -> str:
    """What a template is called in a list."""
    return str(MESSAGES.get(template, template.replace("_", " ")))


def reason(code: str) -> str:
    """Why a delivery was withheld or failed, in words."""
    return str(REASONS.get(code, code.replace("_", " ")))
