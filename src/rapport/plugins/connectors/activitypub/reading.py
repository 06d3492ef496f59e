"""What posts and activities say (ActivityStreams 2.0), without asking anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rapport.kit import markup, wire
from rapport.listening.contract import Said
from rapport.plugins.connectors.activitypub.account import EVERYBODY, Account
from rapport.plugins.connectors.activitypub.actors import ID_CHARS_MAX, URL_CHARS_MAX, Actor, host_of

# That of Mastodon's connector: whoever lives on a server is the same by whichever way they are heard, and so are
# the server's rules.
NETWORK = "mastodon"
POSTS = frozenset({"Note", "Article", "Page"})
REACTIONS = {"Like": "like", "Announce": "repost"}
EDITED_CHARS_MAX = 40
TEXT_CHARS_MAX = 100_000  # of what may be HTML: several times what is kept of the words
EVERYBODYS = frozenset({EVERYBODY, "as:Public", "Public"})


def id_of(value: Any) -> str:
    """The id of what is given whole or by its id alone; of several, the first."""
    if isinstance(value, list):
        value = value[0] if value else None
    found = value if isinstance(value, str) else wire.text_at(value, "id")
    return found if len(found) <= ID_CHARS_MAX and found.isprintable() else ""


def ids_at(value: Any, name: str) -> set[str]:
    """The ids in a member that holds one or several."""
    found = wire.at(value, name)
    return {id for one in (found if isinstance(found, list) else [found]) if (id := id_of(one))}


def is_post(value: Any) -> bool:
    """Whether it is what somebody says; a vote in a poll has a name and no words."""
    is_vote = wire.text_at(value, "name") and not wire.text_at(value, "content")
    return wire.text_at(value, "type") in POSTS and not is_vote


def concerns(account: Account, post: Any) -> bool:
    """Whether a post is said to us: it names us, is sent to us, or answers what we said."""
    return (
        account.id in ids_at(post, "to") | ids_at(post, "cc")
        or _names(account, post)
        or id_of(wire.at(post, "inReplyTo")).startswith(account.posts)
    )


def _names(account: Account, post: Any) -> bool:
    tags = wire.at(post, "tag")
    return any(
        wire.text_at(tag, "type") == "Mention" and wire.text_at(tag, "href") == account.id
        for tag in (tags if isinstance(tags, list) else [tags])
    )


def post(value: Mapping[str, Any], author: Actor, now: dt.datetime) -> Said:
    """A post."""
    id, parent = id_of(value), id_of(wire.at(value, "inReplyTo"))
    at = wire.moment(wire.at(value, "published")) or now
    return Said(
        id=id,
        kind="post",
        ts=min(at, now),
        author=author.handle,
        author_name=author.name,
        text=text(value),
        in_reply_to=parent,
        thread="" if parent else id,
        venue=venue(author.id),
        language=language(value),
        url=_url(value) or id,
        is_private=not (ids_at(value, "to") | ids_at(value, "cc")) & EVERYBODYS,
        asks_us=True,
    )


def venue(id: str) -> str:
    """Where it was said: the server of its author."""
    return f"{NETWORK}:{host_of(id)}"


def text(value: Mapping[str, Any]) -> str:
    """The words of a post, behind the warning that it carries."""
    told = wire.at(value, "contentMap")
    others = told.values() if isinstance(told, dict) else ()
    content = wire.text_at(value, "content") or next((one for one in others if isinstance(one, str)), "")
    plain = wire.text_at(value, "mediaType") in {"text/plain", "text/markdown"}
    content = content[:TEXT_CHARS_MAX]
    parts = [
        wire.text_at(value, "name")[:TEXT_CHARS_MAX],  # of an article
        markup.text_of(wire.text_at(value, "summary")[:TEXT_CHARS_MAX]),
        content.strip() if plain else markup.text_of(content),
    ]
    return "\n\n".join(part for part in parts if part)


def language(value: Mapping[str, Any]) -> str:
    """The language that a post says it is in."""
    told = wire.at(value, "contentMap")
    if not isinstance(told, dict) or not told:
        return ""
    content = wire.text_at(value, "content")
    found = next((name for name, words in told.items() if words == content), "")
    name = found or (next(iter(told)) if len(told) == 1 else "")
    short = str(name).replace("_", "-").partition("-")[0].lower()
    return short if short.isalpha() and len(short) in (2, 3) else ""


def _url(value: Mapping[str, Any]) -> str:
    """The page of a post, where it has one that can be opened."""
    told = wire.at(value, "url")
    for one in told if isinstance(told, list) else [told]:
        address = one if isinstance(one, str) else wire.text_at(one, "href")
        if len(address) <= URL_CHARS_MAX and host_of(address):
            return address
    return ""


def edited(value: Mapping[str, Any]) -> str:
    """When a post says that it was last changed."""
    return wire.text_at(value, "updated")[:EDITED_CHARS_MAX]


def edit(said: Said, edited: str, now: dt.datetime) -> Said:
    """That a post was changed to what it says now."""
    at = wire.moment(edited) or now
    return Said(
        f"{said.id}#{edited or wire.written(now)}",
        "edit",
        min(at, now),
        said.author,
        said.text,
        about=said.id,
        venue=said.venue,
        is_private=said.is_private,
    )


def deletion(id: str, author: str, now: dt.datetime) -> Said:
    """That a post was taken back."""
    return Said(f"{id}#deletion", "deletion", now, author, about=id, venue=venue(id))


def reaction(kind: str, about: str, author: Actor, now: dt.datetime) -> Said:
    """That somebody likes or passes on what we said; they do so once, however often it is sent."""
    return Said(
        f"{kind}#{author.id}#{about}",
        "reaction",
        now,
        author.handle,
        author_name=author.name,
        about=about,
        venue=venue(author.id),
        detail={"kind": kind},
    )


def block(author: Actor, activity: str, now: dt.datetime) -> Said:
    """That somebody wants to hear no more of us."""
    return Said(f"block#{author.id}#{activity}", "block", now, author.handle, author_name=author.name)
