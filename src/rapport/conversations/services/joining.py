"""Merging two conversations, taking it back, and splitting one: each exactly undoes another."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from rapport.conversations.models import Conversation, Message, Node
from rapport.conversations.services import absorbing, gathering, summing, telling
from rapport.conversations.services.ticking import tick
from rapport.conversations.services.working import held, note_done
from rapport.kit import ids
from rapport.kit.errors import Conflict, Invalid, NotFound


def merge(number: uuid.UUID, into: uuid.UUID, *, by: int) -> None:
    """Show the messages of one in the other, of the same or of different channels; later ones go there as well.

    Where a message came from stays known, so `unmerge` takes it back exactly.
    """
    if number == into:
        raise Invalid(_("a conversation cannot be merged into itself"), _("Choose another one."))
    with transaction.atomic():
        _both(number, into)
        with held(number) as one, held(into) as other:
            if one.is_public != other.is_public:
                # What was said in private would stand beside an answer that everybody reads.
                note_done(other, by, "mixed", public=True)
            Message.objects.filter(conversation=one.id).update(conversation=other.id)
            one.state_before, one.state = one.state, Conversation.State.MERGED
            one.merged_into, one.changed_no = other, tick()
            one.version += 1
            one.save(update_fields=["state_before", "state", "merged_into", "changed_no", "version"])
            note_done(other, by, "merged", other=one.id.hex)
            told = summing.bring_up([other.id])
    telling.tell(told)


def unmerge(number: uuid.UUID, *, by: int) -> None:
    """Take a merging back: its own messages, and what has come to it since, are shown in it again."""
    with transaction.atomic():
        one = Conversation.objects.select_for_update().filter(pk=number).first()
        if one is None or one.state != Conversation.State.MERGED or one.merged_into_id is None:
            raise NotFound(_("this conversation is not merged into any"), _("Nothing was changed."))
        if not one.state_before:
            raise Conflict(
                _("the network itself says that these are one conversation"),
                _("Split off the messages that are about something else."),
            )
        other = Conversation.objects.select_for_update().get(pk=one.merged_into_id)
        shown = gathering.shown_in({other.id})[other.id]  # it may have been merged further since
        mine = _with_merged(one.id)
        Message.objects.filter(origin__in=mine).update(conversation=one.id)
        one.state, one.state_before, one.merged_into = one.state_before, "", None
        one.save(update_fields=["state", "state_before", "merged_into"])
        note_done(other, by, "unmerged", other=one.id.hex)
        told = summing.bring_up([one.id, other.id, shown])
    telling.tell(told)


def split(number: uuid.UUID, messages: Collection[int], *, by: int) -> uuid.UUID:
    """Make a conversation of its own out of these messages; what answers them will go there. Gives its number."""
    with held(number) as one:
        chosen = list(Message.objects.filter(conversation=one.id, id__in=list(messages)).defer("text"))
        if not chosen or len(chosen) != len(set(messages)):
            raise NotFound(_("some of these messages are not in this conversation"), _("Load it again."))
        said = Message.objects.filter(conversation=one.id).exclude(direction=Message.Direction.NOTE)
        if not said.exclude(id__in=[m.id for m in chosen]).exists():
            raise Invalid(_("nothing would be left here"), _("Leave at least one message where it is."))
        if any(m.origin != one.id for m in chosen):
            raise Conflict(
                _("some of these messages came from a conversation that was merged into this one"),
                _("Take the merging back first."),
            )
        off = Conversation.objects.create(
            id=ids.uuid7(),
            channel=one.channel,
            network=one.network,
            source=one.source,
            venue=one.venue,
            state=Conversation.State.OPEN if one.state in ("resolved", "aside") else one.state,
            why="staff",
            assignee=one.assignee,
            team=one.team,
            first_ts=one.first_ts,
            last_ts=one.last_ts,
            split_from=one,
            changed_no=tick(),
        )
        _move(chosen, off.id)
        note_done(one, by, "split", other=off.id.hex)
        note_done(off, by, "split_off", other=one.id.hex)
        told = summing.bring_up([one.id, off.id])
    telling.tell(told)
    return off.id


def unsplit(number: uuid.UUID, *, by: int) -> uuid.UUID:
    """Put a conversation that was split off back where it came from; gives that one's number."""
    with held(number) as off:
        if off.split_from_id is None:
            raise NotFound(_("this conversation was not split off any"), _("Nothing was changed."))
        with held(off.split_from_id) as one:
            Message.objects.filter(origin=off.id).update(origin=one.id)
            Message.objects.filter(conversation=off.id).update(conversation=one.id)
            Node.objects.filter(conversation=off.id).update(conversation=one.id)
            Conversation.objects.filter(merged_into=off.id).update(merged_into=one.id)
            Conversation.objects.filter(split_from=off.id).update(split_from=one.id)
            absorbing.move_belongings(one, [off])
            note_done(one, by, "unsplit", other=off.id.hex)
            off.delete()
            told = summing.bring_up([one.id])
            back = one.id
    telling.tell(told)
    return back


def _move(chosen: list[Message], to: uuid.UUID) -> None:
    Message.objects.filter(id__in=[m.id for m in chosen]).update(conversation=to, origin=to)
    by_network: dict[str, list[str]] = {}
    for message in chosen:
        if message.post_id:
            by_network.setdefault(message.network, []).append(message.post_id)
        elif message.seq is not None:
            by_network.setdefault("event", []).append(str(message.seq))
    for network, posts in by_network.items():
        Node.objects.filter(network=network, post_id__in=posts).update(conversation=to)


def _both(*numbers: uuid.UUID) -> None:
    """Lock in one order, so that two who merge the same pair the other way round do not wait for each other."""
    list(Conversation.objects.select_for_update().filter(id__in=numbers).order_by("id").values_list("id"))


def _with_merged(number: uuid.UUID) -> list[uuid.UUID]:
    """A conversation and all that were merged into it, at whatever remove."""
    found, last = [number], [number]
    while last:
        last = list(
            Conversation.objects.filter(merged_into__in=last, state="merged").values_list("id", flat=True)
        )
        found += last
    return found
