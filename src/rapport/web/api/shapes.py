"""The shapes that go in and out: what the OpenAPI document says of them is read from here."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import StringConstraints

LIMIT_MAX = 100
EVENTS_MAX = 500

# One line of text: no control characters, which no store keeps.
_LINE = r"^[^\x00-\x1f\x7f]+$"
Line = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_LINE)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]
Channel = Annotated[str, StringConstraints(max_length=32, pattern=r"^[a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
Cursor = Annotated[str, StringConstraints(max_length=1_000, pattern=r"^[A-Za-z0-9_.-]*$")]
Identifier = Annotated[
    str,
    StringConstraints(min_length=3, max_length=287, pattern=r"^[a-z][a-z0-9_]{1,31}:[^\x00-\x1f\x7f]+$"),
    Field(description="`namespace:value`, such as `email:ana@example.org` or `customer:1001`."),
]
Ref = Annotated[
    str,
    StringConstraints(min_length=1, max_length=287, pattern=r"^[^\x00-\x1f\x7f/]+$"),
    Field(description="A person's number, or any identifier of theirs as `namespace:value`."),
]
Time = Annotated[dt.datetime, Field(description="ISO 8601 with a time zone.")]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Problem(Schema):
    """Anything but success: what happened with the value, and what to do."""

    message: str
    hint: str = ""
    fields: list[str] = Field([], description="Where in the request it is, outermost first.")


class PersonRow(Schema):
    id: int
    kind: Literal["person", "visitor"]
    display_name: str
    country: str
    language: str
    n_identifiers: int


class People(Schema):
    people: list[PersonRow]
    next: str = Field("", description="The `cursor` of the next page; empty at the end.")
    n_hidden: int = Field(0, description="Of this page, how many may not be read for the purpose.")


class Trait(Schema):
    name: str
    value: Any
    origin: Literal["declared", "observed", "inferred"]
    confidence: float | None
    at: dt.datetime
    source: str
    identifier: str
    is_sensitive: bool = Field(
        description="Of a special category (GDPR article 9): declared, never inferred."
    )


class Score(Schema):
    name: str
    value: float
    unit: str
    label: str
    as_of: dt.datetime
    model: str
    low: float | None
    high: float | None
    is_stale: bool


class Person(Schema):
    """What may be read of a person for the purpose; `is_partial` where something else may not."""

    id: int
    kind: Literal["person", "visitor"]
    display_name: str = Field(description="Empty where only a part of the person may be read.")
    identifiers: list[str]
    traits: list[Trait]
    scores: list[Score]
    is_partial: bool


class Event(Schema):
    seq: int
    at: dt.datetime
    name: str
    source: str
    channel: str | None
    venue: str | None
    text: str | None
    value_minor: int | None
    currency: str | None
    properties: dict[str, Any]


class Timeline(Schema):
    events: list[Event]
    next: str = Field("", description="The `before` of the next older page; empty at the end.")


class Permission(Schema):
    """Whether something may be done, and why (not)."""

    allowed: bool
    reason: str = Field(
        description="granted, basis_contract, no_consent, denied, withdrawn, expired, objected …"
    )
    state: str
    since: dt.datetime | None
    basis: str
    suppressed: str | None = Field(
        description="Why nothing is sent to the identifier on this channel, if so."
    )


class Statement(Schema):
    """What somebody said, and the evidence for it."""

    identifier: Identifier
    purpose: Key
    channel: Channel = Field("", description="Empty: every channel of the purpose.")
    how: Literal["api", "form", "banner", "preference_page", "confirmed"] = "api"
    shown: Text = Field("", description="Where they said it: an address, a form's name.")
    wording: Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    at: Time | None = Field(None, description="When; now where it is missing.")
    expires_at: Time | None = None


class Noted(Schema):
    id: uuid.UUID = Field(description="Of the event that is the evidence.")


class Answered(Schema):
    """One answer of the ledger with its evidence."""

    id: uuid.UUID
    identifier: str
    purpose: str
    channel: str
    state: str
    at: dt.datetime
    expires_at: dt.datetime | None
    how: str
    shown: str
    wording: str
    source: str


class Purpose(Schema):
    key: str
    name: str
    meaning: str
    legal_basis: str
    channels: list[str]
    is_active: bool


class Recipient(Schema):
    name: str
    kind: str
    host: str
    fields: list[str]
    purpose: str
    country: str
    since: dt.datetime


class Suppressing(Schema):
    identifier: Identifier
    channel: Channel = Field("", description="Empty: every channel.")
    reason: Literal["bounced", "complained", "objected", "unsubscribed", "staff"] = "staff"
    note: Text = ""


class Lifting(Schema):
    identifier: Identifier
    channel: Channel | None = Field(
        None, description="Empty text: what stands for every channel. Missing: all."
    )


class Suppression(Schema):
    channel: str
    reason: str
    at: dt.datetime
    by: str
    lifted_at: dt.datetime | None


class Touchpoint(Schema):
    """One thing that happened, as your system reports it."""

    message_id: Line | None = Field(
        None, description="Unique in your system: sent twice, it counts once. Missing: each sending counts."
    )
    name: Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")] = Field(
        description="As in the event plan, such as `order_placed`."
    )
    ts: Time
    identifier: Identifier
    also: list[Identifier] = Field(
        [], max_length=7, description="Identifiers that certainly are the same one."
    )
    evidence: Key | None = Field(None, description="How you know that they are: order, login …")
    channel: Line | None = None
    venue: Line | None = None
    text: Text | None = None
    value_minor: Int64 | None = Field(None, description="Money in minor units; negative for a refund.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    properties: dict[str, Any] = {}


class Touchpoints(Schema):
    source: Key = Field(description="The system they come from, under which they are listed.")
    events: list[Touchpoint] = Field(min_length=1, max_length=EVENTS_MAX)


class Recorded(Schema):
    n: int
    first_seq: int
    last_seq: int


class Asking(Schema):
    """What somebody asks about their data."""

    ref: Ref
    kind: Literal["access", "portability", "correction", "erasure", "objection", "restriction"]
    note: Text = ""


class Request(Schema):
    id: uuid.UUID
    kind: str
    identifier: str = Field(description="Empty once they were erased.")
    note: str
    opened_at: dt.datetime
    opened_by: str
    due_at: dt.datetime
    days_left: int
    state: str
    answer: str
    closed_at: dt.datetime | None


class Survey(Schema):
    slug: str
    state: str
    n_questions: int
    n_answered: int
    n_begun: int
    n_finished: int
    last_at: dt.datetime | None


class Estimate(Schema):
    value: float
    low: float
    high: float
    n: int


class AnswerCount(Schema):
    answer: str
    n: int


class QuestionResult(Schema):
    key: str
    kind: str
    n: int
    n_people: int
    estimate: Estimate | None
    answers: list[AnswerCount]


class SurveyResults(Schema):
    n_people: int
    n_responses: int
    n_answers: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    questions: list[QuestionResult]


class Check(Schema):
    name: str
    state: Literal["ok", "warn", "bad"]
    message: str
    hint: str
    since: dt.datetime | None


class Health(Schema):
    state: Literal["ok", "warn", "bad"]
    checks: list[Check]


class TokenState(Schema):
    name: str
    scopes: list[str]
    staff: str | None = Field(description="Whose it is; empty for a machine's.")
    per_minute: int
    expires_at: dt.datetime | None


class Pause(Schema):
    """A stretch in which nothing left but log-in links of colleagues."""

    since: dt.datetime
    by: str
    why: str
    n_in_flight: int  # handed over before it began, and without an answer then
    ended_at: dt.datetime | None
    ended_by: str


class Paused(Schema):
    """Whether everything is paused, and what waits for its end."""

    pause: Pause | None
    n_waiting: int
    n_outdated: int  # of these, past their time: they will not leave


class PauseWanted(Schema):
    why: Text = ""


class AnswerOption(Schema):
    """One thing that would help; without its price where that was seen longer than a day ago."""

    product: str
    place: str
    url: str
    is_ours: bool
    price_minor: int | None
    currency: str
    priced_at: dt.datetime | None
    is_stale: bool


class AnswerSource(Schema):
    name: str
    url: str


class ProposedAnswer(Schema):
    """One answer that may be right."""

    key: str
    kind: Literal["entry", "notice", "fact"]
    title: str
    text: str
    language: str
    probability: float = Field(ge=0, le=1, description="That it is right.")
    because: str
    options: list[AnswerOption]
    sources: list[AnswerSource]


class AnswerAsk(Schema):
    """What has to be known first, and how one asks for it."""

    slot: str
    question: str


class ProposedAnswers(Schema):
    proposals: list[ProposedAnswer]
    asks: AnswerAsk | None
    abstains: bool
    because: str
