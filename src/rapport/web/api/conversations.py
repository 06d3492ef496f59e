"""Conversations for other systems of the firm: read them page by page, answer, note and settle them.

What is written is written by somebody: the token must be a colleague's own, and leaves by the same way as an
answer from the inbox, past the same rule cards and approvals.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from ninja import Status as Answered

from rapport.conversations import selectors, services
from rapport.conversations.rules.views import Wanted
from rapport.kit.errors import Denied
from rapport.staff.rules import Scope
from rapport.web.api import shapes
from rapport.web.api.auth import BearerToken, token_of
from rapport.web.api.consents import vars_of
from rapport.web.api.problems import described

router = Router(tags=["conversations"])
reads, writes = BearerToken(Scope.CONVERSATIONS_READ), BearerToken(Scope.CONVERSATIONS_WRITE)
NOBODY = 0  # of the machine that asks: views of one's own are empty for it


class Conversation(Schema):
    id: uuid.UUID
    title: str
    preview: str
    author_name: str
    identifier: str
    channel: str
    network: str
    venue: str
    state: str
    is_public: bool
    language: str
    sentiment: str
    intent: str
    is_overdue: bool
    waiting_since: dt.datetime | None
    due_at: dt.datetime | None
    last_ts: dt.datetime
    n_messages: int
    version: int


class Conversations(Schema):
    rows: list[Conversation]
    next: str  # cursor of the next page; empty on the last


class Message(Schema):
    id: int
    ts: dt.datetime
    direction: str
    identifier: str
    author_name: str
    text: str
    language: str
    url: str
    state: str
    reason: str


class Whole(Schema):
    id: uuid.UUID
    title: str
    state: str
    outcome: str
    channel: str
    network: str
    venue: str
    identifier: str
    is_public: bool
    why: str
    waiting_since: dt.datetime | None
    due_at: dt.datetime | None
    urgency: float
    because: list[str]
    version: int
    messages: list[Message]  # the newest, oldest first
    before: str  # cursor of those before them; empty where there are none


class Answer(Schema):
    text: shapes.Text
    version: int  # of the conversation that whoever answers has read
    language: str = ""


class Note(Schema):
    text: shapes.Text


class Settling(Schema):
    outcome: Literal["solved", "no_answer_needed", "handed_over", "left_alone"] = "solved"


class Given(Schema):
    message: int
    state: str  # waiting (for approval), planned, sent, withheld, failed, unknown
    reason: str
    version: int


class Changed(Schema):
    version: int


@router.get("", auth=reads, response=described(Conversations), summary="Conversations of one state")
def listing(
    request: HttpRequest,
    state: Literal["open", "pending", "snoozed", "resolved"] = "open",
    channel: shapes.Channel = "",
    order: Literal["priority", "last", "waiting"] = "priority",
    cursor: shapes.Cursor = "",
    limit: Annotated[int, Query(ge=1, le=shapes.LIMIT_MAX)] = 50,
) -> Any:
    """A page in the order that the inbox has; `next` goes on."""
    wanted = Wanted(states=(state,), channel=channel, order=order)
    page = selectors.page(wanted, _asker(request), cursor, limit)
    return {"rows": [vars_of(row, Conversation) for row in page.rows], "next": page.next}


@router.get("/{number}", auth=reads, response=described(Whole), summary="One conversation and its messages")
def one(request: HttpRequest, number: uuid.UUID, cursor: shapes.Cursor = "") -> Any:  # noqa: ARG001  ninja's shape
    """Both sides of it; notes stay among staff."""
    head = selectors.conversation(number)
    said = selectors.messages(number, cursor)
    return {
        **{name: getattr(head, name) for name in Whole.model_fields if name not in ("messages", "before", "because")},
        "because": list(head.because),
        "messages": [vars_of(m, Message) for m in said.rows if m.direction != "note"],
        "before": said.before,
    }  # fmt: skip


@router.post("/{number}/answer", auth=writes, response=described(Given, 201), summary="Answer it")
def answer(request: HttpRequest, number: uuid.UUID, given: Answer) -> Any:
    """409 where somebody wrote or did something since `version`; read it again then."""
    done = services.answer(
        number, given.text, by=_writer(request), version=given.version, language=given.language[:16]
    )
    return Answered(201, {name: getattr(done, name) for name in Given.model_fields})


@router.post(
    "/{number}/note", auth=writes, response=described(Changed, 201), summary="Note something for staff"
)
def note(request: HttpRequest, number: uuid.UUID, given: Note) -> Any:
    """Nobody outside sees it."""
    services.note(number, given.text, by=_writer(request))
    return Answered(201, {"version": selectors.conversation(number).version})


@router.post("/{number}/resolve", auth=writes, response=described(Changed), summary="Settle it")
def resolve(request: HttpRequest, number: uuid.UUID, given: Settling) -> Any:
    """Settled twice in the same way, nothing changes."""
    return {"version": services.resolve(number, given.outcome, by=_writer(request))}


def _asker(request: HttpRequest) -> int:
    found = token_of(request)
    return int(found.staff_id or NOBODY)


def _writer(request: HttpRequest) -> int:
    """Who answers for what is written. Raises Denied for a machine's token."""
    found = token_of(request)
    if found.staff_id is None:
        raise Denied(
            _("an answer is somebody's, and this token is a machine's"),
            _("Use a token of a member of staff who answers."),
        )
    return int(found.staff_id)
