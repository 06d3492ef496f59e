"""Brings conversations up to what was said in them, many at once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Substr

from rapport.conversations.models import Conversation, Message, Node
from rapport.conversations.rules import clocks, summary, weighing
from rapport.conversations.rules.summary import Piece, Standing, Summary
from rapport.conversations.selectors import targets
from rapport.conversations.services import telling, valuing
from rapport.conversations.services.ticking import tick
from rapport.kit import bulk, clock

BEGINNING_CHARS = 240  # of a message's words, for title and preview
LARGE = (
    500  # messages: of more in public, those that neither ask nor answer anything are counted and not read
)
ENDS = 20  # but for so many at either end

_PIECE = (
    "id", "conversation_id", "ts", "seq", "direction", "subject", "identifier", "author_name", "network", "source",
    "venue", "post_id", "in_reply_to", "topic", "event_name", "asks_us", "may_open", "is_help", "is_complaint",
    "is_thanks", "signs",
    "stars", "sentiment", "intent", "language", "state", "why",
)  # fmt: skip
_WRITTEN = (
    "subject", "identifier", "network", "source", "venue", "title", "state", "why", "first_ts", "last_ts",
    "last_in_ts", "waiting_since", "first_answered_at", "due_at", "is_overdue", "urgency", "value_at_risk_minor",
    "priority", "because", "is_public", "language", "sentiment", "intent", "n_messages", "preview", "author_name",
    "snoozed_until", "outcome", "resolved_at", "resolved_why", "version", "changed_no",
)  # fmt: skip


def bring_up(
    ids: Collection[uuid.UUID], *, asked_anew: Collection[int] = (), bumps: bool = True
) -> list[telling.Told]:
    """Reckon these conversations anew; within the caller's transaction. Gives what the log should be told.

    asked_anew : messages that came just now
    bumps : whoever writes to one of these has not seen it as it now is
    """
    if not ids:
        return []
    known = {c.id: c for c in Conversation.objects.select_for_update().filter(id__in=ids)}
    large = [
        one for one in known.values() if one.n_messages > LARGE and one.channel in summary.PUBLIC_CHANNELS
    ]
    counted = {
        one.id: Message.objects.filter(conversation=one.id).exclude(direction=Message.Direction.NOTE).count()
        for one in large
    }
    pieces = _pieces(known, {one.id for one in large})
    risk = valuing.at_risk_minor(s for mine in pieces.values() for s in _subjects(mine))
    goals = targets.targets()
    now, no = clock.now(), tick()
    told: list[telling.Told] = []
    written, whys = [], []
    fresh = set(asked_anew)
    for one in known.values():
        mine = pieces[one.id]
        if not mine:
            continue
        target = targets.of(one.channel, goals)
        sum_ = summary.summed([p for p, _ in mine], target.stars_max)
        if one.id in counted:
            sum_ = dataclasses.replace(sum_, n_messages=counted[one.id])
        whys += [(sum_.whys.get(p.id, ""), p.id) for p, was in mine if sum_.whys.get(p.id, "") != was]
        told += _stand(one, sum_, target, now, asks_anew=any(m in fresh for m in sum_.whys))
        _weigh(one, sum_, target, now, risk.get(one.subject or 0, 0))
        one.version += bumps
        one.changed_no = no
        written.append(one)
    _write(written)
    bulk.execute_many("UPDATE conversations_message SET why = %s WHERE id = %s", whys)
    return telling.owe(told)


def _write(written: Sequence[Conversation]) -> None:
    """One statement for each: Django's own way makes one of thousands of cases, which takes ten times as long."""
    by_name = {c.name: c for c in Conversation._meta.concrete_fields}
    columns = [by_name[name] for name in _WRITTEN]
    changed = ", ".join(f"{name} = %s" for name in _WRITTEN)
    bulk.execute_many(
        f"UPDATE conversations_conversation SET {changed} WHERE id = %s",
        [
            (
                *(c.get_db_prep_save(getattr(one, c.attname), connection) for c in columns),
                bulk.uuid_value(one.id),
            )
            for one in written
        ],
    )


def drop_empty(ids: Iterable[uuid.UUID]) -> None:
    """Delete conversations that no message is in any more, and that no merging points at."""
    for part in bulk.parts(list(ids)):
        held = set(
            Message.objects.filter(conversation__in=part).values_list("conversation", flat=True).distinct()
        )
        held |= set(Message.objects.filter(origin__in=part).values_list("origin", flat=True).distinct())
        empty = [i for i in part if i not in held]
        Node.objects.filter(conversation__in=empty).delete()
        Conversation.objects.filter(id__in=empty).delete()


def _pieces(
    known: Collection[uuid.UUID], large: Collection[uuid.UUID] = ()
) -> dict[uuid.UUID, list[tuple[Piece, str]]]:
    found: dict[uuid.UUID, list[tuple[Piece, str]]] = {i: [] for i in known}
    channels = dict(Conversation.objects.filter(id__in=known).values_list("id", "channel"))
    wanted = Q(conversation__in=[number for number in known if number not in large])
    for number in large:
        wanted |= Q(conversation=number) & _mattering(number)
    said = Message.objects.filter(wanted).annotate(begins=Substr("text", 1, BEGINNING_CHARS))
    for row in said.values(*_PIECE, "begins"):
        was = row.pop("why")
        of = row.pop("conversation_id")
        signs = tuple(s for s in row.pop("signs").split(",") if s)
        row["seq"] = row["seq"] or 0
        is_public = channels[of] in summary.PUBLIC_CHANNELS and row["event_name"] in _PUBLIC_EVENTS
        begins = row.pop("begins")
        found[of].append((Piece(**row, text=begins, signs=signs, channel_is_public=is_public), was))
    return found


def _mattering(number: uuid.UUID) -> Q:
    """The messages of a large public conversation that can make a difference to how it stands."""
    mine = Message.objects.filter(conversation=number)
    order = ("ts", "network", "post_id", "seq", "id")
    ends = {
        *mine.order_by(*order).values_list("id", flat=True)[:ENDS],
        *mine.order_by(*(f"-{name}" for name in order)).values_list("id", flat=True)[:ENDS],
    }
    ours = mine.filter(direction=Message.Direction.OUT).exclude(post_id="").values("post_id")
    opens = Q(may_open=True) & (Q(is_help=True) | Q(is_complaint=True))
    asks = ~Q(why="") | Q(asks_us=True) | opens | Q(stars__isnull=False) | Q(in_reply_to__in=ours)
    asks |= ~Q(event_name__in=_PUBLIC_EVENTS)  # what was said to us alone wants an answer
    return ~Q(direction=Message.Direction.IN) | asks | ~Q(topic="") | Q(id__in=ends)


_PUBLIC_EVENTS = ("post_published", "reply_published", "community_posted")


def _subjects(pieces: list[tuple[Piece, str]]) -> set[int | None]:
    return {p.subject for p, _ in pieces if p.direction == "in"} or {None}


def _stand(
    one: Conversation, sum_: Summary, target: clocks.Target, now: dt.datetime, *, asks_anew: bool
) -> list[telling.Told]:
    """Write what was said into the conversation, and let its state follow; gives events for the log."""
    for name in (
        "subject", "identifier", "network", "source", "venue", "title", "first_ts", "last_ts", "last_in_ts",
        "waiting_since", "first_answered_at", "is_public", "sentiment", "intent", "n_messages", "preview",
        "author_name",
    ):  # fmt: skip
        setattr(one, name, getattr(sum_, name))
    one.language = one.language if one.language and not sum_.language else sum_.language
    before = "" if not one.changed_no else one.state
    if before == Conversation.State.MERGED:
        return []
    is_held = one.why == "staff"
    one.why = one.why if is_held else sum_.why
    stands = summary.standing(before, sum_, now, target.stale_days, asks_anew=asks_anew, is_held=is_held)
    return _enter(one, before, stands, now)


def _enter(one: Conversation, before: str, stands: Standing, now: dt.datetime) -> list[telling.Told]:
    one.state = stands.state
    if stands.state == before:
        return []
    if stands.state == "resolved":
        one.outcome, one.resolved_why, one.resolved_at = stands.outcome, stands.why, now
        return [telling.resolved(one)] if before not in ("", "aside") else []
    one.outcome, one.resolved_why, one.resolved_at = "", "", None
    one.snoozed_until = None
    return [telling.opened(one)] if before in ("", "aside") and stands.state in ("open", "pending") else []


def _weigh(
    one: Conversation, sum_: Summary, target: clocks.Target, now: dt.datetime, risk_minor: int
) -> None:
    since = sum_.waiting_since
    one.value_at_risk_minor = risk_minor
    one.due_at = clocks.due(since, target) if since and one.state == "open" else None
    one.is_overdue = one.due_at is not None and one.due_at < now
    waited = since is not None and one.state == "open" and now - since > dt.timedelta(hours=target.wait_max_h)
    weight = weighing.weigh(
        found=sum_.signs,
        intent=sum_.intent,
        sentiment=sum_.sentiment,
        stars=sum_.stars,
        value_at_risk_minor=risk_minor,
        is_overdue=waited,
    )
    one.urgency, one.because = weight.urgency, list(weight.because)
    if one.priority_by is None:
        one.priority = weight.priority
    elif waited and one.priority < weighing.OVERDUE:
        one.priority += weighing.OVERDUE


def touch(one: Conversation, fields: Iterable[str], *, bumps: bool = True) -> int:
    """Save what staff changed in one conversation, as a new version; gives that version."""
    one.version += bumps
    one.changed_no = tick()
    one.save(update_fields=[*fields, "version", "changed_no"])
    return one.version


def bring_up_alone(ids: Collection[uuid.UUID]) -> None:
    """The same in a transaction of its own, nobody having written; what follows is told."""
    with transaction.atomic():
        told = bring_up(ids, bumps=False)
    telling.tell(told)
