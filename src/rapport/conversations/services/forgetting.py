"""Forgetting: words, drafts and notes about somebody go; what staff did stays, without them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting, Section
from rapport.conversations.models import Conversation, Draft, Log, Message, Node, Owed, Playbook, VoiceDraft
from rapport.conversations.services import gathering, summing, telling
from rapport.events import traces
from rapport.kit import bulk
from rapport.listening import selectors as listening

AT_ONCE = 500


def erase(erasing: Erasing) -> int:
    """Delete what they said, what we said to them, and what was written about them; gives how many rows."""
    n = 0
    with transaction.atomic():
        names = [text[: gathering.IDENTIFIER_CHARS_MAX] for text in erasing.identifiers]
        mine = Message.objects.filter(identifier__in=names) | Message.objects.filter(
            subject__in=erasing.subjects
        )
        ids = set(mine.values_list("id", flat=True))
        touched = set(mine.values_list("conversation", flat=True))
        whole = set(_begun(erasing))
        touched |= whole
        n += _forget_quotes(erasing, ids)
        n += Playbook.objects.filter(identifier__in=names).delete()[0]
        n += Owed.objects.filter(identifier__in=names).delete()[0]
        # A note or a draft in a conversation of theirs is about them; one that names them is, wherever it stands.
        n += Message.objects.filter(conversation__in=whole, direction=Message.Direction.NOTE).delete()[0]
        n += Draft.objects.filter(conversation__in=touched).delete()[0]
        naming = _naming(erasing.identifiers)
        touched |= set(Message.objects.filter(id__in=naming).values_list("conversation", flat=True))
        n += Message.objects.filter(id__in=naming).delete()[0]
        nodes = list(Message.objects.filter(id__in=ids).values_list("network", "post_id"))
        for part in bulk.parts(sorted(ids)):
            n += Message.objects.filter(id__in=part).delete()[0]
        n += _forget_nodes(nodes)
        Conversation.objects.filter(pk__in=whole).update(
            subject=None, identifier="", author_name="", title="", preview="", failure=""
        )
        Log.objects.filter(conversation__in=whole).delete()
        told = summing.bring_up(touched)
        summing.drop_empty(touched)
        if n:
            _compact()
    telling.tell(told)
    return n


def expire() -> int:
    """Delete what was said longer ago than the terms of its source let us keep words; gives how many messages."""
    n = 0
    for source in listening.sources():
        if source.kept_since is None:
            continue
        old = Message.objects.filter(
            source=source.name, direction=Message.Direction.IN, ts__lt=source.kept_since
        )
        while part := list(old.values_list("id", "conversation", "network", "post_id")[:AT_ONCE]):
            with transaction.atomic():
                ids, touched = {row[0] for row in part}, {row[1] for row in part}
                gathering.unquote(ids)
                gathering.unlearn(Message.objects.filter(id__in=ids))
                Message.objects.filter(id__in=ids).delete()
                _forget_nodes([(network, post_id) for _id, _conversation, network, post_id in part])
                told = summing.bring_up(touched, bumps=False)
                summing.drop_empty(touched)
                held = Message.objects.filter(conversation__in=touched).values("conversation")
                Conversation.objects.filter(id__in=touched).exclude(id__in=held).update(
                    subject=None, identifier="", author_name="", title="", preview=""
                )
            telling.tell(told)
            n += len(part)
    if n:
        _compact()
    return n


def _begun(erasing: Erasing) -> Iterable[uuid.UUID]:
    names = [text[: gathering.IDENTIFIER_CHARS_MAX] for text in erasing.identifiers]
    by_name = Conversation.objects.filter(identifier__in=names)
    return (by_name | Conversation.objects.filter(subject__in=erasing.subjects)).values_list("id", flat=True)


def _forget_quotes(erasing: Erasing, messages: set[int]) -> int:
    n = 0
    names = [text[: gathering.IDENTIFIER_CHARS_MAX] for text in erasing.identifiers]
    for draft in VoiceDraft.objects.filter(identifier__in=names):
        n += draft.delete()[0]
    # They may be quoted in a draft of somebody else's conversation.
    return n + gathering.unquote(messages)


def _naming(identifiers: Sequence[str]) -> list[int]:
    """Notes of ours that quote one of the identifiers."""
    # A short handle is a part of many words; whole, with its network, it is theirs.
    values = [*identifiers, *(value for text in identifiers if len(value := text.partition(":")[2]) > 3)]
    notes = Message.objects.filter(direction=Message.Direction.NOTE)
    if len(values) > traces.FEW:
        named = traces.of_values(values)
        texts = notes.values_list("id", "text").iterator()
        return sorted(number for number, text in texts if named.found_in(text))
    found: set[int] = set()
    for value in values:
        found |= set(notes.filter(text__icontains=value).values_list("id", flat=True))
    return sorted(found)


def _forget_nodes(nodes: Sequence[tuple[str, str]]) -> int:
    """The places of their posts stay where others answered them: a network's number without a word or name."""
    n = 0
    for part in bulk.parts(sorted({(network, post_id) for network, post_id in nodes if post_id})):
        numbers = [post_id for _network, post_id in part]
        answered = set(
            Message.objects.filter(in_reply_to__in=numbers).values_list("network", "in_reply_to").distinct()
        )
        silent: dict[str, list[str]] = {}
        for network, post_id in part:
            if (network, post_id) not in answered:
                silent.setdefault(network, []).append(post_id)
        for network, gone in silent.items():
            n += Node.objects.filter(network=network, post_id__in=gone).delete()[0]
    return n


def _compact() -> None:
    """What was deleted from the search index lies in it until its parts are put together anew."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO conversations_search(conversations_search) VALUES('optimize')")


def sections(exporting: Exporting) -> Iterable[Section]:
    """Everything that conversations hold of somebody: both sides of what was said, and what was quoted."""
    from django.utils.translation import gettext as _

    mine = Message.objects.filter(identifier__in=exporting.identifiers) | Message.objects.filter(
        subject__in=exporting.subjects
    )
    rows = [
        {
            "at": m.ts,
            "who": m.author_name if m.direction == "in" else _("we"),
            "identifier": m.identifier,
            "where": m.venue or m.network,
            "text": m.text,
            "read_as": json.dumps(
                {k: v for k in ("language", "sentiment", "intent", "contact_reason") if (v := getattr(m, k))}
            ),
        }
        for m in mine.distinct().order_by("ts", "id")
    ]
    if rows:
        yield Section(_("Conversations with us"), rows, _("you told us, and we answered"))
    begun = Conversation.objects.filter(identifier__in=exporting.identifiers).exclude(state="aside")
    heads = [
        {"title": c.title, "state": c.state, "urgency": c.urgency, "value_at_risk_minor": c.value_at_risk_minor,
         "because": ", ".join(c.because), "from": c.first_ts}
        for c in begun.order_by("first_ts")
    ]  # fmt: skip
    if heads:
        yield Section(_("How your questions stand"), heads, _("reckoned by us"))
