"""What staff does with one conversation: take it, put it off, settle it, open it again, say what it is."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.conversations.models import Conversation, Draft, Log, Mention, Message, Watching
from rapport.conversations.rules import clocks, ready, views, weighing
from rapport.conversations.selectors import reading, targets
from rapport.conversations.services import reading as reading_said
from rapport.conversations.services import summing, telling
from rapport.conversations.services.outcomes import Moved
from rapport.insights import services as insights
from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.staff import selectors as staff
from rapport.staff.rules import Right

TEXT_MAX = 20_000
_NAMED = re.compile(r"(?<![\w@])@([\w.+-]+(?:@[\w-]+(?:\.[\w-]+)+)?)")
CORRECTED = ("language", "sentiment", "intent")
PRIORITIES = {"urgent": 5.0, "high": 1.5, "normal": None, "low": 0.01}


@contextmanager
def held(number: uuid.UUID, version: int | None = None) -> Iterator[Conversation]:
    """One conversation within a transaction, nobody else writing to it. Raises NotFound, Conflict, Moved.

    version : the one that whoever acts has seen; None where it does not matter
    """
    with transaction.atomic():
        one = Conversation.objects.select_for_update().filter(pk=number).first()
        if one is None:
            raise NotFound(
                _("there is no conversation %(id)s") % {"id": number}, _("It may have been erased.")
            )
        if one.state == Conversation.State.MERGED:
            raise Conflict(
                _("this conversation was merged into another"), _("Open the one that it is part of now.")
            )
        if version is not None and version != one.version:
            raise moved(one, version)
        yield one


def moved(one: Conversation, version: int) -> Moved:
    """That a conversation is no longer what somebody saw, with what happened since."""
    done = [row for row in reading.log_of(one.id) if int(str(row.detail.get("version", 0))) > version]
    messages = tuple(m for m in reading.messages(one.id).rows if m.direction != "note")
    newer = messages[-1:] if not done else messages[-3:]
    return Moved(
        _("somebody wrote or did something here meanwhile"),
        _("Look at what is new, then send again; your words are kept."),
        reading.view(one),
        newer,
        tuple(done),
    )


def note_done(one: Conversation, by: int | None, did: str, **detail: Any) -> None:
    """Write down who did what; `detail` holds codes and numbers, never anybody's words."""
    Log.objects.create(
        conversation=one, at=clock.now(), by=by, did=did, detail={"version": one.version, **detail}
    )


def assign(number: uuid.UUID, to: int | None, *, by: int | None, team: str | None = None) -> int:
    """Give it to somebody, or to nobody; gives the new version. Raises NotFound, Invalid."""
    if to is not None:
        found = staff.staff_by_id(to)
        if not found.may(Right.ANSWER):
            raise Invalid(
                _("%(name)s may not answer") % {"name": found.name or found.email},
                _("Choose somebody who answers, or have their role changed."),
            )
    with held(number) as one:
        one.assignee = to
        if team is not None:
            one.team = team.strip()[:64]
        version = summing.touch(one, ["assignee", "team"])
        note_done(one, by, "assigned", to=to, team=one.team)
        return version


def snooze(number: uuid.UUID, until: dt.datetime, *, by: int) -> int:
    """Put it off until a moment, or until they write again."""
    if until <= clock.now():
        raise Invalid(_("that moment is over"), _("Choose one that is still to come."))
    with held(number) as one:
        one.state, one.snoozed_until = Conversation.State.SNOOZED, until
        one.due_at, one.is_overdue = None, False  # until it comes back nobody is late
        version = summing.touch(one, ["state", "snoozed_until", "due_at", "is_overdue"])
        note_done(one, by, "snoozed", until=until.isoformat())
        return version


def resolve(number: uuid.UUID, outcome: str = "solved", *, by: int | None, why: str = "") -> int:
    """Settle it, or leave it alone for a reason. Resolved again, nothing changes."""
    if outcome not in views.OUTCOMES:
        raise Invalid(
            _("%(name)s is no way to settle it") % {"name": outcome}, f"{', '.join(views.OUTCOMES)}."
        )
    with held(number) as one:
        if one.state == Conversation.State.RESOLVED and one.outcome == outcome:
            return one.version
        one.state, one.outcome, one.resolved_at = Conversation.State.RESOLVED, outcome, clock.now()
        one.resolved_why, one.snoozed_until, one.due_at, one.is_overdue = why[:120], None, None, False
        version = summing.touch(
            one, ["state", "outcome", "resolved_at", "resolved_why", "snoozed_until", "due_at", "is_overdue"]
        )
        note_done(one, by, "resolved", outcome=outcome)
        told = telling.owe([telling.resolved(one)])
    telling.tell(told)
    return version


def reopen(number: uuid.UUID, *, by: int | None) -> int:
    """Open it again."""
    with held(number) as one:
        if one.state == Conversation.State.OPEN:
            return one.version
        _open(one)
        version = summing.touch(one, _OPENED)
        note_done(one, by, "reopened")
        return version


_OPENED = ["state", "outcome", "resolved_at", "resolved_why", "snoozed_until", "due_at", "is_overdue"]


def _open(one: Conversation) -> None:
    target = targets.of(one.channel, targets.targets())
    one.state, one.outcome, one.resolved_why = Conversation.State.OPEN, "", ""
    one.resolved_at = one.snoozed_until = None
    one.due_at = clocks.due(one.waiting_since, target) if one.waiting_since else None
    one.is_overdue = one.due_at is not None and one.due_at < clock.now()


def wait(number: uuid.UUID, *, by: int) -> int:
    """Say that it is their turn: nobody of ours has to do anything until they write."""
    with held(number) as one:
        one.state, one.snoozed_until, one.due_at, one.is_overdue = (
            Conversation.State.PENDING,
            None,
            None,
            False,
        )
        version = summing.touch(one, ["state", "snoozed_until", "due_at", "is_overdue"])
        note_done(one, by, "waits")
        return version


def prioritise(number: uuid.UUID, level: str, *, by: int) -> int:
    """Set by hand how much it presses: urgent, high, low; normal gives it back to what is reckoned."""
    if level not in PRIORITIES:
        raise Invalid(_("%(name)s is no priority") % {"name": level}, f"{', '.join(PRIORITIES)}.")
    with held(number) as one:
        value = PRIORITIES[level]
        one.priority_by = None if value is None else by
        if value is not None:
            floor = weighing.OVERDUE if one.priority >= weighing.OVERDUE else 0.0
            one.priority = value + floor
        version = summing.touch(one, ["priority", "priority_by"])
        note_done(one, by, "prioritised", level=level)
        told = summing.bring_up([number], bumps=False) if value is None else []
    telling.tell(told)
    return version


def note(number: uuid.UUID, text: str, *, by: int) -> int:
    """Write something that stays among us; colleagues named with @ are told on screen. Gives the message's number."""
    text = words(text)
    with held(number) as one:
        who = staff.staff_by_id(by)
        made = Message.objects.create(
            conversation=one,
            origin=one.id,
            ts=clock.now(),
            direction=Message.Direction.NOTE,
            by=by,
            author_name=who.name or who.email,
            text=text,
        )
        for named in _colleagues(text):
            if named != by:
                Mention.objects.create(conversation=one, message=made, staff=named, by=by, at=made.ts)
        summing.touch(one, [])
        note_done(one, by, "noted")
        return made.id


def mention(number: uuid.UUID, whom: int, *, by: int, text: str = "") -> int:
    """Ask a colleague to look, with a note; gives the note's number."""
    who = staff.staff_by_id(whom)
    return note(number, f"@{who.email} {text}".strip(), by=by)


def seen_mentions(number: uuid.UUID, *, by: int) -> int:
    """Whoever opens a conversation has seen where they are named in it; gives how many were new."""
    return Mention.objects.filter(conversation=number, staff=by, seen_at=None).update(seen_at=clock.now())


def _colleagues(text: str) -> list[int]:
    """Who is named: by address, by the part before its @, or by a name in one word."""
    wanted = {name.casefold().rstrip(".") for name in _NAMED.findall(text)}
    if not wanted:
        return []
    found = []
    for one in staff.all_staff():
        names = {
            one.email.casefold(),
            one.email.partition("@")[0].casefold(),
            ready.handle(one.name).casefold(),
        }
        names |= {ready.handle(one.name.partition(" ")[0]).casefold()}
        if one.is_active and (names - {""}) & wanted:
            found.append(one.pk)
    return found


def set_language(number: uuid.UUID, language: str, *, by: int) -> int:
    """Say in which language they write; the models learn it from their newest words."""
    return correct(number, "language", language, by=by)


def correct(number: uuid.UUID, name: str, label: str, *, by: int) -> int:
    """Say what their newest words mean (language, sentiment, intent): it holds here at once, and teaches the model.

    Raises NotFound where nobody said anything that a model reads, Invalid for a label that there is not.
    """
    if name not in CORRECTED:
        raise Invalid(_("%(name)s cannot be corrected here") % {"name": name}, f"{', '.join(CORRECTED)}.")
    asking = Message.objects.filter(conversation=number, direction=Message.Direction.IN).exclude(seq=None)
    newest = asking.exclude(why="").order_by("-ts", "-id").first() or asking.order_by("-ts", "-id").first()
    if newest is None or newest.seq is None:
        raise NotFound(_("nobody said anything here that could be read"), _("Nothing was changed."))
    who = staff.staff_by_id(by)
    insights.correct(newest.seq, name, label, who.email)
    with held(number) as one:
        setattr(newest, name, label)
        if name == "intent":  # who says in which language they write says nothing of what they want
            newest.is_complaint = reading_said.complains(label, None, by_staff=True)
        newest.save(update_fields=[name, "is_complaint"])
        note_done(one, by, "corrected", name=name, label=label, version=one.version + 1)
        told = summing.bring_up([number])
    telling.tell(told)
    return Conversation.objects.values_list("version", flat=True).get(pk=number)


def watch(number: uuid.UUID, *, by: int, writes: bool = False) -> None:
    """Say that somebody has it open; said again every few seconds, or it is over."""
    if not Conversation.objects.filter(pk=number).exists():
        raise NotFound(_("there is no conversation %(id)s") % {"id": number}, _("It may have been erased."))
    Watching.objects.update_or_create(
        conversation_id=number, staff=by, defaults={"at": clock.now(), "is_writing": writes}
    )


def unwatch(number: uuid.UUID, *, by: int) -> None:
    """Say that somebody has closed it."""
    Watching.objects.filter(conversation=number, staff=by).delete()


def keep_draft(number: uuid.UUID, by: int, text: str, version: int, saved_no: int | None = None) -> int:
    """Keep what somebody writes; gives the number of this save. An empty text forgets it.

    saved_no : the save that the window has seen; where another window saved since, Conflict, and nothing is lost
    """
    if len(text) > TEXT_MAX:
        raise Invalid(
            _("a text has at most %(most)s characters") % {"most": TEXT_MAX},
            _("Shorten it, or send it in parts."),
        )
    with transaction.atomic():
        mine = Draft.objects.select_for_update().filter(conversation=number, staff=by).first()
        if mine is not None and saved_no is not None and saved_no != mine.saved_no and mine.text != text:
            raise Conflict(
                _("another window of yours has saved other words here"), _("Choose which of the two to keep.")
            )
        if not text.strip():
            if mine is not None:
                mine.delete()
            return 0
        if mine is None:
            if not Conversation.objects.filter(pk=number).exists():
                raise NotFound(
                    _("there is no conversation %(id)s") % {"id": number}, _("It may have been erased.")
                )
            mine = Draft(conversation_id=number, staff=by, saved_no=0)
        mine.text, mine.version, mine.saved_at = text, version, clock.now()
        mine.saved_no += 1
        mine.save()
        return mine.saved_no


def words(text: str) -> str:
    """What somebody wrote, without what no one can see. Raises Invalid for nothing or too much."""
    text = text.replace("\0", "").strip()
    if not text:
        raise Invalid(_("there is nothing written"), _("Write something first."))
    if len(text) > TEXT_MAX:
        raise Invalid(
            _("a text has at most %(most)s characters") % {"most": TEXT_MAX},
            _("Shorten it, or send it in parts."),
        )
    return text
