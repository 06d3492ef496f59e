"""What the other sides see of conversations: plain rows without Django in them."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from rapport.conversations.rules.views import Wanted


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as a list shows it."""

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
    assignee: int | None
    team: str
    language: str
    sentiment: str
    intent: str
    priority: float
    is_overdue: bool
    waiting_since: dt.datetime | None
    due_at: dt.datetime | None
    last_ts: dt.datetime
    n_messages: int
    failure: str
    snoozed_until: dt.datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some conversations in their order; `next` goes on after the last, and is empty where there are no more."""

    rows: tuple[Row, ...]
    next: str


@dataclass(frozen=True, slots=True)
class ConversationView:
    """One conversation with everything that stands at its head."""

    id: uuid.UUID
    subject: int | None
    identifier: str
    author_name: str
    channel: str
    network: str
    source: str
    venue: str
    title: str
    state: str
    why: str
    first_ts: dt.datetime
    last_ts: dt.datetime
    waiting_since: dt.datetime | None
    first_answered_at: dt.datetime | None
    due_at: dt.datetime | None
    is_overdue: bool
    urgency: float
    value_at_risk_minor: int
    priority: float
    priority_by: int | None
    because: tuple[str, ...]
    assignee: int | None
    team: str
    is_public: bool
    language: str
    sentiment: str
    intent: str
    n_messages: int
    snoozed_until: dt.datetime | None
    outcome: str
    resolved_at: dt.datetime | None
    resolved_why: str
    failure: str
    merged_into: uuid.UUID | None
    merged_from: tuple[uuid.UUID, ...]
    split_from: uuid.UUID | None
    version: int


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message or note. `state` of ours says how far it got; of theirs whether it was edited or deleted."""

    id: int
    seq: int | None
    ts: dt.datetime
    direction: str  # in, out, note
    identifier: str
    author_name: str
    by: int | None
    text: str
    language: str
    network: str
    post_id: str
    in_reply_to: str
    url: str
    event_name: str
    sentiment: str
    intent: str
    stars: float | None
    state: str
    reason: str
    delivery: str
    playbook: str
    approval: str  # '', asked, approved, refused
    origin: uuid.UUID  # another conversation than the one it is shown in: it was merged


@dataclass(frozen=True, slots=True)
class AnswerTo:
    """The message that an answer now would answer, and so who reads it and which way it goes."""

    message: int
    identifier: str
    author_name: str
    is_public: bool
    network: str
    source: str
    venue: str
    post_id: str


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of one conversation, oldest first; `before` asks for older ones, empty where there are none."""

    rows: tuple[MessageView, ...]
    before: str


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a search found; `marked` is a piece of it as (words, is found) in turn."""

    message: int
    conversation: uuid.UUID
    title: str
    state: str
    channel: str
    author_name: str
    direction: str
    ts: dt.datetime
    marked: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class FoundPage:
    rows: tuple[Found, ...]
    next: str


@dataclass(frozen=True, slots=True)
class ViewRow:
    """A view in the list of views. `key` opens it: a starting view's name or `v<number>` of a saved one."""

    key: str
    name: str  # of a saved one; the screen names the starting ones
    wanted: Wanted
    is_shared: bool
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody else who has it open."""

    staff: int
    is_writing: bool
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What moved since a token; `is_all` where so much did that the list should be asked for anew."""

    token: int
    ids: tuple[uuid.UUID, ...]
    is_all: bool


@dataclass(frozen=True, slots=True)
class DraftView:
    """What somebody has written and not sent; written for another version, it may no longer fit."""

    text: str
    version: int
    saved_no: int
    saved_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An answer that waits for approval, or waited."""

    id: int
    conversation: uuid.UUID
    message: int
    text: str
    state: str
    asked_by: int
    asked_at: dt.datetime
    decided_by: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class CannedView:
    short: str
    title: str
    texts: dict[str, str]

    def text(self, language: str) -> str:
        """In that language, or the nearest there is."""
        main = language.partition("-")[0]
        return (
            self.texts.get(language)
            or self.texts.get(main)
            or self.texts.get("en")
            or next(iter(self.texts.values()), "")
        )


@dataclass(frozen=True, slots=True)
class MacroView:
    id: int
    name: str
    steps: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class LogRow:
    """Who did what, when; `by` None: by itself."""

    at: dt.datetime
    by: int | None
    did: str
    detail: dict[str, object]


@dataclass(frozen=True, slots=True)
class MentionView:
    id: int
    conversation: uuid.UUID
    title: str
    message: int
    text: str
    by: int
    at: dt.datetime
    is_seen: bool


@dataclass(frozen=True, slots=True)
class TargetView:
    channel: str
    answer_min: int
    wait_max_h: int
    timezone: str
    hours: tuple[tuple[int, int] | None, ...]
    stale_days: int
    stars_max: float
    is_saved: bool


@dataclass(frozen=True, slots=True)
class StepView:
    position: int
    code: str
    due_at: dt.datetime
    done_at: dt.datetime | None
    done_by: int | None
    note: str
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class PlaybookView:
    id: int
    conversation: uuid.UUID
    kind: str
    state: str
    begun_at: dt.datetime
    steps: tuple[StepView, ...]
    outcome: str
    stance_before: float | None
    stance_after: float | None
    ordered_30: bool | None
    ordered_90: bool | None


@dataclass(frozen=True, slots=True)
class VoiceView:
    id: uuid.UUID
    conversation: uuid.UUID | None
    department: str
    title: str
    quotes: tuple[dict[str, object], ...]
    aspect: str
    reason: str
    due_on: dt.date
    state: str
    made_by: int
    made_at: dt.datetime
