"""What Reddit's things say: comments (t1), posts (t3) and private messages (t4)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from rapport.kit import wire
from rapport.kit.marks import Found
from rapport.listening.contract import Said

GONE = frozenset({"[deleted]", "[removed]"})  # what stands where the author or a moderator took it away
_IN_CONTEXT = re.compile(r"/comments/(\w+)/")


def read(thing: Any, us: str, *, asks_us: bool = False) -> Found[Said] | None:
    """One thing; None where it is not whole, or not there any more."""
    kind, held = wire.text_at(thing, "kind"), wire.at(thing, "data")
    number, created = wire.text_at(held, "name"), wire.at(held, "created_utc")
    if kind not in {"t1", "t3", "t4"} or not number or not _is_number(created):
        return None
    at = dt.datetime.fromtimestamp(float(created), dt.UTC)
    author = wire.text_at(held, "author").lower()
    words = wire.text_at(held, "selftext") if kind == "t3" else wire.text_at(held, "body")
    if is_gone(held):
        return None
    is_ours = author == us.lower()
    text = (
        "\n\n".join(part for part in (wire.text_at(held, "title"), words) if part) if kind == "t3" else words
    )
    parent = wire.text_at(held, "parent_id")
    permalink = wire.text_at(held, "permalink") or wire.text_at(held, "context")
    community = wire.text_at(held, "subreddit").lower()
    said = Said(
        id=number,
        kind="message" if kind == "t4" else "post",
        ts=at,
        author=author,
        author_name=wire.text_at(held, "author"),
        text=text,
        in_reply_to=parent,
        thread=_thread(kind, held, number, permalink),
        venue=f"reddit:r/{community}" if community and kind != "t4" else "reddit",
        url=f"https://www.reddit.com{permalink}" if permalink.startswith("/") else "",
        subject_line=wire.text_at(held, "subject") if kind == "t4" else "",
        is_private=kind == "t4",
        is_ours=is_ours,
        asks_us=not is_ours and (asks_us or f"u/{us.lower()}" in text.lower()),
    )
    return Found(number, at, said, version(held))


def is_gone(held: Any) -> bool:
    """Whether its author or a moderator took it away."""
    words = wire.text_at(held, "body") or wire.text_at(held, "selftext")
    taken = wire.text_at(held, "removed_by_category")
    return words in GONE or bool(taken) or wire.text_at(held, "author") == "[deleted]"


def version(held: Any) -> str:
    """When it was changed last; empty where never."""
    edited = wire.at(held, "edited")
    return f"{float(edited):.0f}" if _is_number(edited) else ""


def edit(found: Found[Said], now: dt.datetime) -> Said:
    """That something was changed, and what it says now."""
    one = found.said
    at = dt.datetime.fromtimestamp(float(found.version), dt.UTC) if found.version else now
    return Said(f"{one.id}#{found.version}", "edit", at, one.author, one.text, about=one.id, venue=one.venue)


def _thread(kind: str, held: Any, number: str, permalink: str) -> str:
    if kind == "t3":
        return number
    if kind == "t4":
        return wire.text_at(held, "first_message_name") or number
    found = _IN_CONTEXT.search(permalink)
    return wire.text_at(held, "link_id") or (f"t3_{found[1]}" if found else "")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
