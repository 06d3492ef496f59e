"""What time does to conversations: snoozes end, waiting becomes too long, what is quiet closes, old words go."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.models import QuerySet

from rapport.conversations.models import Approval, Conversation, Message, Node, Playbook, Watching
from rapport.conversations.rules import clocks, summary, weighing
from rapport.conversations.selectors import targets
from rapport.conversations.services import answering, gathering, summing, telling
from rapport.conversations.services.ticking import tick
from rapport.conversations.services.working import note_done
from rapport.events import lake
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit import clock, query
from rapport.people import selectors as people

AT_ONCE = 500
ASIDE_DAYS = 90  # public words that nobody had to answer are kept so long, for threads that go on
ORDERED_DAYS = (30, 90)


def mind() -> None:
    """Everything that is due; called every few seconds, and cheap where nothing is."""
    wake()
    age()
    telling.tell_owed()
    answering.follow_deliveries()


def wake() -> int:
    """Open snoozed conversations whose moment has come; gives how many."""
    due = Conversation.objects.filter(state="snoozed", snoozed_until__lte=clock.now()).order_by(
        "snoozed_until"
    )
    n = 0
    for number in list(due.values_list("id", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            one = Conversation.objects.select_for_update().get(pk=number)
            if one.state != "snoozed" or one.snoozed_until is None or one.snoozed_until > clock.now():
                continue
            one.state, one.snoozed_until = Conversation.State.OPEN, None
            summing.touch(one, ["state", "snoozed_until"])
            note_done(one, None, "woke")
            summing.bring_up([number], bumps=False)
            n += 1
    return n


def age() -> int:
    """Mark answers that are overdue, and lift whoever has waited longer than the firm's longest wait to the top."""
    now = clock.now()
    n = 0
    with transaction.atomic():
        late = Conversation.objects.filter(is_overdue=False, due_at__lt=now, state="open")
        ids = list(late.values_list("id", flat=True)[: 10 * AT_ONCE])
        if ids:
            n += _update(ids, is_overdue=True)
        goals = targets.targets()
        named = [channel for channel in goals if channel != clocks.EVERY]
        for channel, target in goals.items():
            before = now - dt.timedelta(hours=target.wait_max_h)
            waited = Conversation.objects.filter(
                state="open", waiting_since__lt=before, priority__lt=weighing.OVERDUE
            )
            waited = waited.filter(channel=channel) if channel else waited.exclude(channel__in=named)
            found = list(waited.values_list("id", flat=True)[: 10 * AT_ONCE])
            if found:
                summing.bring_up(found, bumps=False)
                n += len(found)
    return n


def _update(ids: Sequence[uuid.UUID], **values: object) -> int:
    no = tick()
    return sum(
        Conversation.objects.filter(id__in=ids[at : at + AT_ONCE]).update(changed_no=no, **values)
        for at in range(0, len(ids), AT_ONCE)
    )


def close_quiet() -> int:
    """Close what has been quiet for the firm's limit: as solved where we answered, as left alone where we did not."""
    now, n = clock.now(), 0
    goals = targets.targets()
    named = [channel for channel in goals if channel != clocks.EVERY]
    for channel, target in goals.items():
        quiet = Conversation.objects.filter(last_ts__lt=now - dt.timedelta(days=target.stale_days))
        quiet = quiet.filter(channel=channel) if channel else quiet.exclude(channel__in=named)
        n += _close(quiet.filter(state="pending"), "solved", summary.ANSWERED)
        n += _close(quiet.filter(state="open", waiting_since=None), "solved", summary.ANSWERED)
        n += _close(quiet.filter(state="open").exclude(waiting_since=None), "left_alone", summary.STALE)
    return n


def _close(found: QuerySet[Conversation], outcome: str, why: str) -> int:
    n = 0
    busy = Playbook.objects.filter(state="running").values("conversation")
    asked = Approval.objects.filter(state=Approval.State.ASKED).values(
        "conversation"
    )  # nobody has heard from us
    while True:
        with transaction.atomic():
            part = list(found.exclude(id__in=busy).exclude(id__in=asked).select_for_update()[:AT_ONCE])
            if not part:
                return n
            no, now = tick(), clock.now()
            for one in part:
                one.state, one.outcome, one.resolved_why, one.resolved_at = "resolved", outcome, why, now
                one.due_at, one.is_overdue, one.changed_no = None, False, no
                one.version += 1
            Conversation.objects.bulk_update(
                part,
                [
                    "state",
                    "outcome",
                    "resolved_why",
                    "resolved_at",
                    "due_at",
                    "is_overdue",
                    "changed_no",
                    "version",
                ],
                batch_size=200,
            )
            told = telling.owe(telling.resolved(one) for one in part)
        telling.tell(told)
        n += len(part)


def forget_asides() -> int:
    """Delete public words that nobody had to answer, once their thread has been quiet for long."""
    before = clock.now() - dt.timedelta(days=ASIDE_DAYS)
    n = 0
    Watching.objects.filter(at__lt=clock.now() - dt.timedelta(days=1)).delete()
    while True:
        old = Conversation.objects.filter(state="aside", last_ts__lt=before).exclude(
            id__in=Conversation.objects.exclude(split_from=None).values("split_from")
        )
        part = list(old.values_list("id", flat=True)[:AT_ONCE])
        if not part:
            return n
        with transaction.atomic():
            gathering.unlearn(Message.objects.filter(conversation__in=part))
            Message.objects.filter(conversation__in=part).delete()
            Node.objects.filter(conversation__in=part).delete()
            n += Conversation.objects.filter(id__in=part).delete()[0]


def note_orders() -> int:
    """Whether whoever had a recovery ordered again within 30 and 90 days, once these are over; gives how many."""
    n = 0
    for days in ORDERED_DAYS:
        name = f"ordered_{days}"
        over = Playbook.objects.filter(**{name: None}, begun_at__lt=clock.now() - dt.timedelta(days=days))
        part = list(over.exclude(subject=None).order_by("id")[:AT_ONCE])
        if not part:
            continue
        bought = ordered_after([(p.id, p.subject or 0, p.begun_at) for p in part], days)
        for mine in part:
            setattr(mine, name, mine.id in bought)
        n += Playbook.objects.bulk_update(part, [name])
    return n


def ordered_after(asked: Sequence[tuple[int, int, dt.datetime]], days: int) -> set[int]:
    """Of (number, subject, since), the numbers whose person ordered within so many days; over certain links alone."""
    if not asked:
        return set()
    cores = people.with_their_cores(np.array([subject for _n, subject, _t in asked], dtype=np.int64))
    con = lake.connect()
    try:
        given = pa.table(
            {
                "number": pa.array([n for n, _s, _t in asked], pa.int64()),
                "subject": pa.array([s for _n, s, _t in asked], pa.int64()),
                "since": pa.array([t for _n, _s, t in asked], pa.timestamp("us", tz="UTC")),
            }
        )
        with lake.together(con):
            lake.give(con, "asked", given)
            lake.give(con, "core", cores.select(["subject", "core"]))
            found = query.run(
                con, query.load("rapport.conversations", "ordered_after"), {"days": days}
            ).fetchall()
        return {row[0] for row in found}
    finally:
        con.close()


def customers(subjects: Sequence[int]) -> set[int]:
    """Those of these subjects who certainly are somebody that the firm knows, and could be seen to order."""
    if not subjects:
        return set()
    mine = people.with_their_cores(np.array(sorted(set(subjects)), dtype=np.int64)).to_pylist()
    names = people.identifiers_for([row["subject"] for row in mine])
    known = {
        row["core"] for row in mine if names.get(row["subject"], "").partition(":")[0] in KNOWN_NAMESPACES
    }
    asked = set(subjects)
    return {row["subject"] for row in mine if row["core"] in known and row["subject"] in asked}
