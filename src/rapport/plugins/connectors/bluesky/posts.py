"""What the network's views of posts and notifications say (lexicons app.bsky.feed and app.bsky.notification)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.kit import wire
from rapport.listening.contract import Said

POST = "app.bsky.feed.post"
MENTION = "app.bsky.richtext.facet#mention"
REACTIONS = {"like": "like", "repost": "repost", "like-via-repost": "like", "repost-via-repost": "repost"}


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was read: what it says, when the network had it, and which version it is."""

    said: Said
    indexed_at: dt.datetime
    cid: str
    blocks_us: bool = False


def author_of(profile: Any) -> str:
    """The handle; the lasting id where the handle is not (or not any more) theirs."""
    handle = wire.text_at(profile, "handle").lower()
    return handle if handle and handle != "handle.invalid" else wire.text_at(profile, "did")


def did_of(uri: str) -> str:
    """Whose repository a record is in."""
    return uri.removeprefix("at://").partition("/")[0]


def web_address(uri: str) -> str:
    """Where a post can be seen."""
    did, _, path = uri.removeprefix("at://").partition("/")
    return f"https://bsky.app/profile/{did}/post/{path.rpartition('/')[2]}"


def post(view: Any, us: str) -> Seen | None:
    """A post view, or a notification of a post; None where it is not whole."""
    uri, record = wire.text_at(view, "uri"), wire.at(view, "record")
    indexed_at = wire.moment(wire.at(view, "indexedAt"))
    author = author_of(wire.at(view, "author"))
    if not uri.startswith("at://") or indexed_at is None or not author or not isinstance(record, dict):
        return None
    parent = wire.text_at(record, "reply", "parent", "uri")
    said = Said(
        id=uri,
        kind="post",
        # Authors say themselves when they wrote it, and some say a time that has not come yet.
        ts=min(wire.moment(record.get("createdAt")) or indexed_at, indexed_at),
        author=author,
        author_name=wire.text_at(view, "author", "displayName"),
        text=wire.text_at(record, "text"),
        in_reply_to=parent,
        thread=wire.text_at(record, "reply", "root", "uri") or uri,
        venue="bluesky",
        language=wire.text_at(record, "langs", 0)[:2].lower(),
        url=web_address(uri),
        is_ours=did_of(uri) == us,
        asks_us=did_of(uri) != us and (did_of(parent) == us or us in mentioned(record)),
    )
    blocks_us = wire.at(view, "author", "viewer", "blockedBy") is True
    return Seen(said, indexed_at, wire.text_at(view, "cid"), blocks_us)


def mentioned(record: Any) -> set[str]:
    """Who is mentioned in a post."""
    features = (f for facet in wire.items_at(record, "facets") for f in wire.items_at(facet, "features"))
    return {wire.text_at(f, "did") for f in features if wire.text_at(f, "$type") == MENTION}


def notification(item: Any, us: str) -> Seen | None:
    """A notification: a post that mentions, answers or quotes us, or a reaction; None for others or what is not whole."""
    reason = wire.text_at(item, "reason")
    if reason in {"mention", "reply", "quote"}:
        return post(item, us)
    uri, about = wire.text_at(item, "uri"), wire.text_at(item, "reasonSubject")
    indexed_at = wire.moment(wire.at(item, "indexedAt"))
    author = author_of(wire.at(item, "author"))
    if reason not in REACTIONS or not uri or not about or indexed_at is None or not author:
        return None
    said = Said(
        id=uri,
        kind="reaction",
        ts=indexed_at,
        author=author,
        author_name=wire.text_at(item, "author", "displayName"),
        about=about,
        venue="bluesky",
        detail={"kind": REACTIONS[reason]},
    )
    return Seen(said, indexed_at, "")


def is_other(item: Any) -> bool:
    """Whether a notification is of a kind that says nothing to us, such as of somebody who follows us now."""
    return wire.text_at(item, "reason") not in {"mention", "reply", "quote", *REACTIONS}


def in_thread(node: Any, us: str) -> Iterator[Seen]:
    """Every post of a thread view, the answered before its answers; depth is the network's to bound."""
    waiting = [node]
    while waiting:
        one = waiting.pop(0)
        found = post(wire.at(one, "post"), us)
        if found:
            yield found
        waiting += wire.items_at(one, "replies")


def oldest_first(found: Sequence[Seen]) -> list[Seen]:
    """In the order in which the network had them; as they are given, where that was at once."""
    return sorted(found, key=lambda seen: seen.indexed_at)
