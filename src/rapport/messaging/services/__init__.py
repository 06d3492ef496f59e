"""Verbs of messaging: send, answer, confirm, set a channel up, let what is planned leave, stop everything."""

from __future__ import annotations

from rapport.messaging.services.accounts import register_channel
from rapport.messaging.services.asking import may_ask
from rapport.messaging.services.confirming import confirm, confirm_link
from rapport.messaging.services.dispatching import dispatch_forever, drain, running_beside
from rapport.messaging.services.replying import Answer, Preview, Standing, preview_reply, reply, standing_at
from rapport.messaging.services.sending import Outgoing, Planned, Sent, Withheld, send, send_many
from rapport.messaging.services.stopping import Stopped, pause_all, resume_all
from rapport.messaging.services.templates import register_template, template, templates

__all__ = [
    "Answer",
    "Outgoing",
    "Planned",
    "Preview",
    "Sent",
    "Standing",
    "Stopped",
    "Withheld",
    "confirm",
    "confirm_link",
    "dispatch_forever",
    "drain",
    "may_ask",
    "pause_all",
    "preview_reply",
    "register_channel",
    "register_template",
    "reply",
    "resume_all",
    "running_beside",
    "send",
    "send_many",
    "standing_at",
    "template",
    "templates",
]
