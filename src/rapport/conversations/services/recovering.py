"""Recoveries: begin one, do its steps by their clocks, end it with what came of it."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Avg
from django.utils.translation import gettext as _

from rapport.conversations.models import Conversation, Message, Playbook, PlaybookStep
from rapport.conversations.rules import playbooks
from rapport.conversations.services import summing, telling
from rapport.conversations.services.working import held, note_done
from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, NotFound


def begin_playbook(number: uuid.UUID, kind: str, *, by: int) -> int:
    """Begin a recovery; gives its number. Raises Conflict where one of its kind is under way."""
    now = clock.now()
    planned = playbooks.steps(kind, now)
    with held(number) as one:
        if Playbook.objects.filter(conversation=one, kind=kind, state="running").exists():
            raise Conflict(_("this recovery is under way here"), _("Go on with its steps."))
        made = Playbook.objects.create(
            conversation=one,
            kind=kind,
            subject=one.subject,
            identifier=one.identifier,
            venue=one.venue,
            begun_at=now,
            begun_by=by,
            stance_before=_stance(one, before=now),
        )
        PlaybookStep.objects.bulk_create(
            PlaybookStep(playbook=made, position=n, code=step.code, due_at=due)
            for n, (step, due) in enumerate(planned, start=1)
        )
        summing.touch(one, [])
        note_done(one, by, "began_playbook", kind=kind)
        return made.id


def do_step(playbook: int, position: int, *, by: int, note: str = "") -> str:
    """Note that a step is done; after the last the recovery ends. Gives its state."""
    with transaction.atomic():
        mine = Playbook.objects.select_for_update().select_related("conversation").filter(pk=playbook).first()
        if mine is None or mine.state != "running":
            raise NotFound(_("there is no such recovery under way"), _("Load the conversation again."))
        step = PlaybookStep.objects.filter(playbook=mine, position=position).first()
        if step is None:
            raise NotFound(_("this recovery has no such step"), _("Load the conversation again."))
        if step.done_at is not None:
            return mine.state
        rule = playbooks.PLAYBOOKS[mine.kind][position - 1]
        if rule.needs_note and not note.strip():
            raise Invalid(_("this step asks what was found or given"), _("Write it down in a few words."))
        step.done_at, step.done_by, step.note = clock.now(), by, note.strip()[:300]
        step.save(update_fields=["done_at", "done_by", "note"])
        summing.touch(mine.conversation, [])
        note_done(mine.conversation, by, "did_step", kind=mine.kind, step=step.code)
        told: list[telling.Told] = []
        if not PlaybookStep.objects.filter(playbook=mine, done_at=None).exists():
            told = _end(mine)
    telling.tell(told)
    return mine.state


def give_up(playbook: int, *, by: int) -> None:
    """End a recovery without its remaining steps."""
    with transaction.atomic():
        mine = Playbook.objects.select_for_update().select_related("conversation").filter(pk=playbook).first()
        if mine is None or mine.state != "running":
            raise NotFound(_("there is no such recovery under way"), _("Load the conversation again."))
        told = _end(mine, "given_up")
        summing.touch(mine.conversation, [])
        note_done(mine.conversation, by, "gave_up_playbook", kind=mine.kind)
    telling.tell(told)


def _end(mine: Playbook, outcome: str = "") -> list[telling.Told]:
    mine.state, mine.ended_at = "ended", clock.now()
    mine.stance_after = _stance(mine.conversation, after=mine.begun_at)
    mine.outcome = outcome or playbooks.outcome(mine.stance_before, mine.stance_after)
    mine.save(update_fields=["state", "ended_at", "stance_after", "outcome"])
    return telling.owe(
        [telling.recovered(mine.id, mine.conversation_id, mine.kind, mine.outcome, mine.conversation)]
    )


def _stance(one: Conversation, *, before: object = None, after: object = None) -> float | None:
    said = Message.objects.filter(conversation=one, direction=Message.Direction.IN).exclude(stance=None)
    if before is not None:
        said = said.filter(ts__lte=before)
    if after is not None:
        said = said.filter(ts__gt=after)
    found = said.aggregate(mean=Avg("stance"))["mean"]
    return None if found is None else float(found)
