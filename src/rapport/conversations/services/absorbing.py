"""Two conversations that turn out to be one, because a message came that answers both: nothing of either is lost."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.conversations.models import (
    Approval,
    Conversation,
    Draft,
    Log,
    Mention,
    Message,
    Node,
    Playbook,
    VoiceDraft,
)

_MOVING = (Log, Playbook, Approval, Mention, VoiceDraft)
_KEPT = ("assignee", "team", "priority_by")  # of the other where the one that stays has none


def absorb(stays: Conversation, others: Sequence[Conversation]) -> None:
    """Move everything of the others over; one that staff has seen stays as a sign to where it went."""
    if not others:
        return
    ids = [one.id for one in others]
    Message.objects.filter(origin__in=ids).update(origin=stays.id)
    Message.objects.filter(conversation__in=ids).update(conversation=stays.id)
    Node.objects.filter(conversation__in=ids).update(conversation=stays.id)
    Conversation.objects.filter(merged_into__in=ids).update(merged_into=stays.id)
    Conversation.objects.filter(split_from__in=ids).update(split_from=stays.id)
    move_belongings(stays, others)
    changed = []
    for one in others:
        for name in _KEPT:
            if getattr(stays, name) in (None, "") and getattr(one, name) not in (None, ""):
                setattr(stays, name, getattr(one, name))
                changed.append(name)
    if changed:
        stays.save(update_fields=changed)
    Conversation.objects.filter(id__in=[o.id for o in others if o.state == "aside"]).delete()
    seen = [o.id for o in others if o.state != "aside"]
    # `state_before` stays empty: the network itself says that they are one, so there is nothing to take back.
    Conversation.objects.filter(id__in=seen).update(
        state="merged", state_before="", merged_into=stays.id, split_from=None, n_messages=0, preview=""
    )


def move_belongings(stays: Conversation, others: Sequence[Conversation]) -> None:
    """Notes of who did what, recoveries, approvals, mentions and drafts go with the messages."""
    for table in _MOVING:
        table.objects.filter(conversation__in=[o.id for o in others]).update(conversation=stays.id)
    _move_drafts(stays, others)


def _move_drafts(stays: Conversation, others: Sequence[Conversation]) -> None:
    for draft in Draft.objects.filter(conversation__in=[o.id for o in others]):
        mine = Draft.objects.filter(conversation=stays.id, staff=draft.staff).first()
        if mine is None:
            Draft.objects.filter(pk=draft.pk).update(conversation=stays.id)
            continue
        mine.text = f"{mine.text}\n\n{draft.text}"
        mine.saved_no += 1
        mine.save(update_fields=["text", "saved_no"])
        draft.delete()
