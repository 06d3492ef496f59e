"""The archive that Mastodon hands out: `outbox.json`, all that the account did, and `actor.json`, who it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from rapport.kit import markup, wire
from rapport.kit.errors import Invalid
from rapport.kit.pour import Json, Unsound
from rapport.listening.contract import Left, Part, Said, Unread

PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
SAID = frozenset({"Note", "Question", "Article", "Page"})
_STATUS = re.compile(r"/(?:users/[^/]+|@[^/]+|ap/users/\d+)/(?:statuses/)?(\d+)$")
_ACTOR = re.compile(r"/(?:users/|@)([^/]+)$")
_IN_HEAD = re.compile(rb'"type"\s*:\s*"OrderedCollection"')


class MastodonArchive:
    """What one account said."""

    title = "archive of Mastodon"
    paths = r"(^|/)outbox\.json$"

    def holds(self, head: bytes) -> bool:
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return begins.startswith(b"{") and b'"orderedItems"' in head and _IN_HEAD.search(head) is not None

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        us, name = _account(part)
        outbox = Json(part.open())
        for member in outbox.members():
            if member != "orderedItems":
                continue
            for one in outbox.items():
                if isinstance(one, Unsound):
                    yield Unread("This is no JSON.", {"raw": one.text})
                else:
                    yield _done(one, us, name)

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        return _done(row, *_account(part))


def _account(part: Part) -> tuple[str, str]:
    """The handle with its server, and the name; the handle is empty where each post has to say it."""
    actor = wire.document(part.beside("actor.json") or b"")
    host = urlsplit(wire.text_at(actor, "id")).hostname or ""
    handle = wire.text_at(actor, "preferredUsername").lower()
    said = part.account.strip().lstrip("@").lower()
    if said and "@" not in said:
        raise Invalid(f"{part.account!r} names no server", "Write the account like shop@mastodon.example.")
    return said or (f"{handle}@{host}" if handle and host else ""), wire.text_at(actor, "name")


def _done(activity: Any, us: str, name: str) -> Said | Left | Unread:
    """One activity: what was said by it, if anything."""
    if not isinstance(activity, dict):
        return Unread("This is no activity.", {"raw": json.dumps(activity, ensure_ascii=False)})
    kind = wire.text_at(activity, "type")
    if kind == "Announce":
        return Left("reposts")
    if kind in {"Delete", "Tombstone"} or wire.text_at(activity, "object", "type") == "Tombstone":
        return Left("deleted posts")
    post = activity if kind in SAID else wire.at(activity, "object")
    if kind not in SAID | {"Create"} or wire.text_at(post, "type") not in SAID:
        return Left("activities that say nothing")
    number, at = wire.text_at(post, "id"), wire.moment(wire.text_at(post, "published"))
    author = us or _handle(wire.text_at(post, "attributedTo") or wire.text_at(activity, "actor"))
    if not number or at is None:
        return Unread("The post has no id, or no time (published) that can be read.", activity)
    if not author:
        return Unread("Nothing says who wrote it (attributedTo).", activity)
    words = markup.text_of(wire.text_at(post, "content"))
    warning = wire.text_at(post, "summary")
    text = f"{warning}\n\n{words}" if warning else words
    if not text.strip():
        return Left("posts without words")
    host = author.partition("@")[2]
    id, answered = _id(number, host), _id(_parent(post), host)
    return Said(
        id=id,
        kind="post",
        ts=at,
        author=author,
        author_name=name,
        text=text,
        in_reply_to=answered,
        thread="" if answered else id,
        venue=f"mastodon:{host}",
        language=next(iter(wire.at(post, "contentMap") or {}), "")[:2].lower(),
        url=wire.text_at(post, "url") or number,
        is_private=not PUBLIC & {*_ids(post, "to"), *_ids(post, "cc")},
        is_ours=True,
    )


def _parent(post: Any) -> str:
    found = wire.at(post, "inReplyTo")
    return found if isinstance(found, str) else wire.text_at(found, "id")


def _id(address: str, home: str) -> str:
    """A post's address as the number that its own server calls it by; the address itself elsewhere."""
    found, host = _STATUS.search(address), urlsplit(address).hostname or ""
    return f"{found[1]}@{host}" if found and host and (host == home or "/users/" in address) else address


def _handle(actor: str) -> str:
    found, host = _ACTOR.search(urlsplit(actor).path), urlsplit(actor).hostname
    return f"{found[1].lower()}@{host}" if found and host else ""


def _ids(post: Any, member: str) -> list[str]:
    found = wire.at(post, member)
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]
