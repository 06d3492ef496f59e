"""What the API's entities say: Status, Notification.

Ids are the server's own numbers, so that two servers have the same for different posts; ours name the server
as well (`109348@mastodon.social`), and so do the handles of those who live there (`ana@mastodon.social`).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from rapport.kit import markup, wire
from rapport.listening.contract import Said

HIDDEN = frozenset({"direct", "private"})  # to those named alone, or to followers alone
REACTIONS = {"favourite": "like", "reblog": "repost"}
TOLD = ("mention", "favourite", "reblog", "quote")  # notifications that say something to us
_OPENING = re.compile(r"^(?:@[\w.-]+(?:@[\w.-]+)?\s+)+")


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was read: its number on the server, what it says, and when it was changed last."""

    number: str
    said: Said
    edited: str = ""


def number_of(id: str) -> str:
    """The server's number in an id of ours."""
    return id.partition("@")[0]


def author_of(account: Any, host: str) -> str:
    """The handle with its server."""
    name = wire.text_at(account, "acct").lower()
    return f"{name}@{host}" if name and "@" not in name else name


def status(entity: Any, us: str, host: str) -> Seen | None:
    """A status; None where it is not whole, or passes on somebody else's."""
    number, created = wire.text_at(entity, "id"), wire.moment(wire.at(entity, "created_at"))
    author = author_of(wire.at(entity, "account"), host)
    if not number or created is None or not author or wire.at(entity, "reblog"):
        return None
    parent = wire.text_at(entity, "in_reply_to_id")
    is_ours = wire.text_at(entity, "account", "id") == us
    warning = wire.text_at(entity, "spoiler_text")
    words = markup.text_of(wire.text_at(entity, "content"))
    said = Said(
        id=f"{number}@{host}",
        kind="post",
        ts=created,
        author=author,
        author_name=wire.text_at(entity, "account", "display_name"),
        text=f"{warning}\n\n{words}" if warning else words,
        in_reply_to=f"{parent}@{host}" if parent else "",
        thread="" if parent else f"{number}@{host}",
        venue=f"mastodon:{host}",
        language=wire.text_at(entity, "language")[:2].lower(),
        url=wire.text_at(entity, "url") or wire.text_at(entity, "uri"),
        reach=wire.count_at(entity, "account", "followers_count"),
        is_private=wire.text_at(entity, "visibility") in HIDDEN,
        is_ours=is_ours,
        asks_us=not is_ours and us in {wire.text_at(m, "id") for m in wire.items_at(entity, "mentions")},
    )
    return Seen(number, said, wire.text_at(entity, "edited_at"))


def notification(entity: Any, us: str, host: str) -> Seen | None:
    """A notification: a status that addresses us, or a reaction; None for others and for what is not whole."""
    kind, number = wire.text_at(entity, "type"), wire.text_at(entity, "id")
    if kind in {"mention", "quote"}:
        return status(wire.at(entity, "status"), us, host)
    created = wire.moment(wire.at(entity, "created_at"))
    about = wire.text_at(entity, "status", "id")
    author = author_of(wire.at(entity, "account"), host)
    if kind not in REACTIONS or not number or created is None or not about or not author:
        return None
    said = Said(
        id=f"notification-{number}@{host}",
        kind="reaction",
        ts=created,
        author=author,
        author_name=wire.text_at(entity, "account", "display_name"),
        about=f"{about}@{host}",
        venue=f"mastodon:{host}",
        detail={"kind": REACTIONS[kind]},
    )
    return Seen(f"notification-{number}", said)


def is_other(entity: Any) -> bool:
    """Whether a notification says nothing to us, such as that somebody follows us now."""
    return wire.text_at(entity, "type") not in TOLD


def in_order(number: str) -> tuple[int, str]:
    """Numbers grow with time; they are text, and longer ones are larger."""
    return (len(number), number)


def changed(seen: Seen, now: dt.datetime) -> Said:
    """That a status was changed."""
    one = seen.said
    return Said(
        f"{one.id}#{seen.edited}",
        "edit",
        wire.moment(seen.edited) or now,
        one.author,
        one.text,
        about=one.id,
        venue=one.venue,
        is_private=one.is_private,
    )


def opens_with(text: str, handle: str) -> bool:
    """Whether a text begins by naming somebody, perhaps behind others."""
    opening = _OPENING.match(text + " ")
    return bool(opening) and handle.lower() in (opening[0] if opening else "").lower()
