"""Post for the firm: the row is written before anything leaves, and what may have left is looked for first."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, cast

from rapport.kit import clock, home
from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Connector, Draft, Failed, Publishes, Receipt, Said
from rapport.listening.models import Posted, Source
from rapport.listening.services import asking, fitting, saying, sources, troubles

SLOTS = 16  # posts of one source that may be under way side by side, each draft always in the same one


class IsOff(Denied):
    """The source was switched off: nothing leaves by it until it is on again."""


def publish(name: str, draft: Draft, is_stopping: asking.Stopping = asking.never) -> Receipt:
    """Post a draft by the source of that name; the same draft handed over twice leaves once.

    What waits for the network's rate leaves no more once `is_stopping` says so, and raises Failed.

    Whoever calls this holds no transaction: what is about to leave has to be on record before. Raises
    Denied where the terms forbid it or the source is off, Invalid where it cannot post this, Failed where the
    network refused; `is_unsure` where it may have been taken all the same.
    """
    source, offered = _allowed(name)
    config = sources.config_of(source)
    context = asking.context(source, offered.manners, is_stopping)
    with home.lock(f"posting-{name}-{zlib.crc32(draft.id.encode()) % SLOTS}", wait=True):
        before = Posted.objects.filter(pk=draft.id).first()
        if before is not None and before.state == Posted.State.POSTED:
            return Receipt(before.post_id, before.url, before.answer)
        if before is not None and before.state == Posted.State.SENDING:
            # Also where the network drops a second post: most remember the first for an hour or a day.
            found = None
            try:
                found = offered.find(config, draft, context)
            except Failed as error:
                if not (error.is_permanent and offered.manners.publishes_once):
                    # Whether it left is not known, and sending it again could say it twice.
                    error.is_unsure = True
                    raise
            if found is not None:
                return _note(draft.id, found)
        if is_stopping():
            raise Failed("it was stopped before it left", reason="rate", hint="It goes on by itself.")
        draft = _with_pictures(source, draft)
        _begin(source, draft)
        try:
            receipt = offered.publish(config, draft, context)
        except Failed as error:
            if not error.is_unsure:
                Posted.objects.filter(pk=draft.id).update(state=Posted.State.REFUSED, answer=error.message)
            if error.reason == "login":
                troubles.note(source, error)
            raise
        return _note(draft.id, receipt)


def find(name: str, draft: Draft) -> Receipt | None:
    """Whether a draft whose answer was lost was taken after all; None where it was not. Raises Failed."""
    source, offered = _allowed(name)
    known = Posted.objects.filter(pk=draft.id, state=Posted.State.POSTED).first()
    if known is not None:
        return Receipt(known.post_id, known.url, known.answer)
    found = offered.find(sources.config_of(source), draft, asking.context(source, offered.manners))
    return None if found is None else _note(draft.id, found)


def without_echoes(source: Source, said: Sequence[Said]) -> list[Said]:
    """What a page holds beside our own posts, which are on record since before they left.

    A post of ours may be read before the network's answer to posting it was noted. It is then known by its
    words and what it answers, and the answer is noted here.
    """
    ours = [one for one in said if one.is_ours and one.kind in {"post", "message"}]
    if not ours:
        return list(said)
    known = set(
        Posted.objects.filter(network=source.network, post_id__in=[one.id for one in ours]).values_list(
            "post_id", flat=True
        )
    )
    for one in ours:
        if one.id not in known and (row := _sending(source, one)) is not None:
            _note(row.pk, Receipt(one.id, one.url, "seen on the network"))
            known.add(one.id)
    return [one for one in said if not (one.is_ours and one.id in known)]


def _sending(source: Source, one: Said) -> Posted | None:
    return Posted.objects.filter(
        source=source.name,
        state=Posted.State.SENDING,
        digest=saying.digest(one.text),
        answered=_answered(one.in_reply_to),
    ).first()


class Poster(Connector, Publishes, Protocol):
    """A connector that posts."""


def _allowed(name: str) -> tuple[Source, Poster]:
    source = sources.row(name)
    offered = sources.connector(source.connector)
    if not isinstance(offered, Publishes):
        raise Invalid(f"{offered.title} cannot be posted to", "Answer there by hand.")
    if not sources.terms_of(offered, sources.plain_of(source)).may_answer:
        raise Denied(f"the terms of {offered.title} allow no answers from here", "Answer there by hand.")
    if source.state == Source.State.OFF:
        raise IsOff(f"the source {name} is switched off", "Switch it on to post by it.")
    if source.state == Source.State.NEEDS_LOGIN:
        raise Failed(
            f"the source {name} needs its log-in anew",
            reason="login",
            retry_after_s=None,
            hint="Enter it on the source's page.",
        )
    return source, cast("Poster", offered)


def _with_pictures(source: Source, draft: Draft) -> Draft:
    """The draft with its pictures as its network takes them; Invalid where it takes no such, or needs one.

    Only what the firm says of its own accord needs a picture anywhere: an answer is words.
    """
    if not draft.media and (draft.in_reply_to or draft.is_private):
        return draft
    return replace(draft, media=fitting.fitted(source, draft.media, len(draft.text)))


def _begin(source: Source, draft: Draft) -> None:
    Posted.objects.update_or_create(
        pk=draft.id,
        defaults={
            "source": source.name,
            "network": source.network,
            "state": Posted.State.SENDING,
            "digest": saying.digest(draft.text),
            "answered": _answered(draft.in_reply_to),
            "at": clock.now(),
        },
    )


def _note(draft_id: str, receipt: Receipt) -> Receipt:
    Posted.objects.filter(pk=draft_id).update(
        state=Posted.State.POSTED,
        post_id=receipt.id,
        url=receipt.url,
        answer=receipt.answer[:1_000],
        posted_at=clock.now(),
    )
    return receipt


def _answered(post_id: str) -> str:
    """What is answered, as a digest: some networks put whom into the id of a post."""
    return hashlib.sha256(post_id.encode()).hexdigest() if post_id else ""
