"""Verbs of messaging: send, confirm, set a channel up, let what is planned leave."""

from __future__ import annotations

from rapport.messaging.services.asking import may_ask
from rapport.messaging.services.confirming import confirm, confirm_link
from rapport.messaging.services.dispatching import dispatch_forever, drain, running_beside
from rapport.messaging.services.sending import Outgoing, Planned, Sent, Withheld, send, send_many
from rapport.messaging.services.templates import register_template, template, templates

__all__ = [
    "Outgoing",
    "Planned",
    "Sent",
    "Withheld",
    "confirm",
    "confirm_link",
    "dispatch_forever",
    "drain",
    "may_ask",
    "register_template",
    "running_beside",
    "send",
    "send_many",
    "template",
    "templates",
]
