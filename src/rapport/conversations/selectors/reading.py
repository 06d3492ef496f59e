"""One conversation: its head, its messages, who watches it, what was done with it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext as _

from rapport.conversations.models import Approval, Conversation, Draft, Log, Mention, Message, Watching
from rapport.conversations.selectors.rows import (
    AnswerTo,
    ApprovalView,
    ConversationView,
    DraftView,
    LogRow,
    MentionView,
    Messages,
    MessageView,
    Row,
    Watcher,
)
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound

MESSAGES = 50
MESSAGES_MAX = 500
WATCH = dt.timedelta(seconds=20)  # without a sign of life somebody is no longer here
LISTED_MAX = 100
IN_PUBLIC = ("post_published", "community_posted")  # what everybody could read

_HEAD = tuple(
    n
    for n in ConversationView.__dataclass_fields__
    if n not in ("merged_into", "split_from", "merged_from", "because")
)
_MESSAGE = tuple(n for n in MessageView.__dataclass_fields__ if n not in ("delivery", "approval"))


def conversation(number: uuid.UUID) -> ConversationView:
    """One conversation, also one that was merged into another. Raises NotFound."""
    found = Conversation.objects.filter(pk=number).first()
    if found is None or found.state == "aside":
        raise NotFound(
            _("there is no conversation %(id)s") % {"id": number},
            _("It may have been erased, or kept long enough."),
        )
    return view(found)


def view(one: Conversation) -> ConversationView:
    """The head of a conversation as other layers see it."""
    merged = Conversation.objects.filter(merged_into=one.pk, state="merged").exclude(state_before="")
    return ConversationView(
        **{name: getattr(one, name) for name in _HEAD},
        because=tuple(one.because),
        merged_into=one.merged_into_id,
        merged_from=tuple(merged.values_list("id", flat=True)),
        split_from=one.split_from_id,
    )


def messages(number: uuid.UUID, before: str = "", limit: int = MESSAGES, *, down_to: int = 0) -> Messages:
    """The newest messages of a conversation, or those before a token, oldest first.

    down_to : a message that is to be among them, as far as `MESSAGES_MAX` allows
    """
    found = Message.objects.filter(conversation=number).order_by("-ts", "-id")
    wanted = found.filter(pk=down_to).first() if down_to and not before else None
    if wanted is not None:
        newer = found.filter(ts__gte=wanted.ts).filter(Q(ts__gt=wanted.ts) | Q(id__gte=wanted.id))
        limit = max(limit, newer[:MESSAGES_MAX].count())
    limit = max(1, min(limit, MESSAGES_MAX))
    if before:
        ts, last = _token(before)
        found = found.filter(ts__lte=ts).filter(Q(ts__lt=ts) | Q(id__lt=last))
    rows = list(found[: limit + 1])
    shown = rows[:limit]
    token = f"{clock.to_us(shown[-1].ts)}_{shown[-1].id}" if len(rows) > limit else ""
    return Messages(tuple(message_views(shown[::-1])), token)


def since(number: uuid.UUID, moment: dt.datetime) -> tuple[MessageView, ...]:
    """What was said, noted or sent in a conversation after a moment, oldest first."""
    rows = Message.objects.filter(conversation=number, ts__gt=moment).order_by("ts", "id")[:LISTED_MAX]
    return tuple(message_views(list(rows)))


def message_views(rows: Sequence[Message]) -> list[MessageView]:
    """Messages as other layers see them, each with how its approval stands."""
    asked = dict(Approval.objects.filter(message__in=[m.id for m in rows]).values_list("message", "state"))
    return [
        MessageView(
            **{name: getattr(m, name) for name in _MESSAGE},
            delivery=m.delivery or "",
            approval=asked.get(m.id, ""),
        )
        for m in rows
    ]


def to_answer(number: uuid.UUID, message: int | None = None) -> Message | None:
    """The message that an answer answers: that one, or the newest of theirs that wants one.

    Once they wrote to us alone, what we say next is for them alone: then it is the newest that was private.
    """
    theirs = Message.objects.filter(conversation=number, direction=Message.Direction.IN)
    theirs = theirs.exclude(state="deleted")
    if message is not None:
        return theirs.filter(pk=message).first()
    if not is_public_now(number):
        theirs = theirs.exclude(event_name__in=IN_PUBLIC)
    newest = theirs.order_by("-ts", "-id")
    return newest.exclude(why="").first() or newest.first()


def is_public_now(number: uuid.UUID) -> bool:
    """Whether the last that they said was said in public."""
    theirs = Message.objects.filter(conversation=number, direction=Message.Direction.IN)
    last = theirs.exclude(state="deleted").order_by("-ts", "-id").values_list("event_name", flat=True).first()
    return last in IN_PUBLIC


def answering(number: uuid.UUID) -> AnswerTo | None:
    """Whom an answer now would reach and how; None where there is nobody to answer."""
    found = to_answer(number)
    if found is None:
        return None
    return AnswerTo(
        found.id, found.identifier, found.author_name, found.event_name in IN_PUBLIC, found.network, found.source,
        found.venue, found.post_id,
    )  # fmt: skip


def watching(number: uuid.UUID, but: int | None = None) -> list[Watcher]:
    """Who has it open now, whoever writes first; without `but`, who asks."""
    rows = Watching.objects.filter(conversation=number, at__gt=clock.now() - WATCH).order_by(
        "-is_writing", "staff"
    )
    return [Watcher(w.staff, w.is_writing, w.at) for w in rows if w.staff != but]


def draft(number: uuid.UUID, staff: int) -> DraftView | None:
    """What somebody has written and not sent."""
    found = Draft.objects.filter(conversation=number, staff=staff).first()
    return DraftView(found.text, found.version, found.saved_no, found.saved_at) if found else None


def log_of(number: uuid.UUID, limit: int = LISTED_MAX) -> list[LogRow]:
    """What was done with a conversation, newest first."""
    rows = Log.objects.filter(conversation=number).order_by("-at", "-id")[:limit]
    return [LogRow(row.at, row.by, row.did, row.detail) for row in rows]


def mentions(staff: int, *, unseen: bool = True, limit: int = LISTED_MAX) -> list[MentionView]:
    """Notes that name a member of staff, newest first."""
    found = (
        Mention.objects.filter(staff=staff).select_related("conversation", "message").order_by("-at", "-id")
    )
    if unseen:
        found = found.filter(seen_at=None)
    return [
        MentionView(
            m.id,
            m.conversation_id,
            m.conversation.title,
            m.message_id,
            m.message.text,
            m.by,
            m.at,
            m.seen_at is not None,
        )
        for m in found[:limit]
    ]


def approvals(number: uuid.UUID | None = None, limit: int = LISTED_MAX) -> list[ApprovalView]:
    """Answers that wait for approval, the longest first; of one conversation, those decided as well."""
    found = Approval.objects.select_related("message").order_by("asked_at", "id")
    found = found.filter(conversation=number) if number else found.filter(state=Approval.State.ASKED)
    return [
        ApprovalView(
            a.id,
            a.conversation_id,
            a.message_id,
            a.message.text,
            a.state,
            a.asked_by,
            a.asked_at,
            a.decided_by,
            a.reason,
        )
        for a in found[:limit]
    ]


def earlier(number: uuid.UUID, limit: int = 20) -> list[Row]:
    """Other conversations of whoever began this one, newest first."""
    one = Conversation.objects.filter(pk=number).values_list("identifier", "subject").first()
    if one is None or not one[0]:
        return []
    found = (
        Conversation.objects.filter(identifier=one[0])
        .exclude(pk=number)
        .exclude(state__in=("aside", "merged"))
    )
    return [Row(**row) for row in found.order_by("-last_ts").values(*Row.__dataclass_fields__)[:limit]]


def of_subjects(subjects: Sequence[int], limit: int = 20) -> list[Row]:
    """Conversations that any of these subjects began, newest first."""
    found = Conversation.objects.filter(subject__in=list(subjects)).exclude(state__in=("aside", "merged"))
    return [Row(**row) for row in found.order_by("-last_ts").values(*Row.__dataclass_fields__)[:limit]]


def _token(text: str) -> tuple[dt.datetime, int]:
    moment, _bar, last = text.partition("_")
    try:
        return clock.from_us(int(moment)), int(last)
    except (ValueError, OverflowError):
        raise Invalid(
            _("%(text)s leads to no page") % {"text": text[:60]}, _("Begin at the newest.")
        ) from None
