"""What is done with surveys: write, publish, answer, invite, take in from elsewhere."""

from __future__ import annotations

from rapport.surveys.services.adopting import adopt
from rapport.surveys.services.answering import (
    Refused,
    Standing,
    answer,
    begin,
    read,
    response_token,
    survey_token,
)
from rapport.surveys.services.editing import (
    Reach,
    close,
    create,
    discard,
    edit,
    open_again,
    pause,
    publish,
    set_reach,
)
from rapport.surveys.services.exporting import export_answers
from rapport.surveys.services.inviting import Invited, invite, link

__all__ = [
    "Invited",
    "Reach",
    "Refused",
    "Standing",
    "adopt",
    "answer",
    "begin",
    "close",
    "create",
    "discard",
    "edit",
    "export_answers",
    "invite",
    "link",
    "open_again",
    "pause",
    "publish",
    "read",
    "response_token",
    "set_reach",
    "survey_token",
]
