"""What a network said as rows of the log: which event it is, whose, and under which number."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from rapport.events.rules import normal_identifier, unconfirmed
from rapport.listening.contract import Said

BESIDE = (
    "automatic",
    "attachments",
    "quoted",
    "unconfirmed",
    "bounce_of",
    "status",
)  # what a letter holds beside its words
UNNAMED = "unnamed"  # whoever a network does not name
TEXT_CHARS_MAX = 20_000
ID_CHARS_MAX = 500
NAMES = {
    "post": "post_published",
    "message": "message_received",
    "edit": "post_edited",
    "deletion": "post_deleted",
    "reaction": "reaction_given",
    "block": "firm_blocked",
}
OUR_PUBLIC, OUR_PRIVATE = "reply_published", "message_sent"


def whole(said: Said) -> Said:
    """The same without halves of letters, which JSON can carry and no store takes, and with a time that says where.

    One post that cannot be written down must not keep all that come after it from being read.
    """
    texts = {name: getattr(said, name) for name in _TEXTS}
    changed: dict[str, Any] = {n: fixed for n, text in texts.items() if (fixed := _repaired(text)) != text}
    changed |= {name: _short(text) for name in _IDS if len(text := texts[name]) > ID_CHARS_MAX}
    if said.ts.tzinfo is None:
        return dataclasses.replace(said, ts=said.ts.replace(tzinfo=dt.UTC), **changed)
    return dataclasses.replace(said, **changed) if changed else said


_TEXTS = tuple(field.name for field in dataclasses.fields(Said) if field.type == "str")


_IDS = ("id", "about", "in_reply_to", "thread")


def _short(id: str) -> str:
    """An id that the store takes, the same each time: some feeds put a whole article into theirs."""
    whole = _repaired(id)
    return f"{whole[: ID_CHARS_MAX - 65]}#{hashlib.sha256(whole.encode()).hexdigest()}"


def _repaired(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def event_name(said: Said) -> str:
    """The name of the event that this is."""
    if said.kind in {"post", "message"}:
        is_private = said.is_private or said.kind == "message"
        if said.is_ours:
            return OUR_PRIVATE if is_private else OUR_PUBLIC
        return "message_received" if is_private else "post_published"
    return NAMES[said.kind]


def channel(said: Said, network: str) -> str:
    """The channel it came by: mail, a private word, a review, or in public."""
    if network == "email":
        return "email"
    if said.is_private or said.kind == "message":
        return "direct"
    return "review" if "stars" in said.detail else "social"


def identifier(said: Said, network: str) -> str:
    """Who said it; whoever is not believed to be who they say is somebody else, so that no profile has their words."""
    who = normal_identifier(network, said.author if said.author.strip(" @") else UNNAMED)
    return (unconfirmed(who) if said.detail.get("unconfirmed") and not said.is_ours else who)[:287]


def message_id(said: Said) -> str:
    """The number under which it is known again, whatever source of the network tells it."""
    return f"{said.kind}:{said.id}"


def touchpoint(said: Said, network: str, follows: Sequence[str]) -> dict[str, Any]:
    """One row in the shape of events.rules.TOUCHPOINT."""
    return {
        "message_id": message_id(said),
        "name": event_name(said),
        "ts": said.ts,
        "identifier": identifier(said, network),
        "channel": channel(said, network),
        "venue": said.venue or network,
        "text": clean(said.text) or None,
        "properties": _repaired(json.dumps(properties(said, network, follows), ensure_ascii=False)),
    }


def properties(said: Said, network: str, follows: Sequence[str]) -> dict[str, Any]:
    """What the event plan knows of such an event; what is empty is left out."""
    name = event_name(said)
    found: dict[str, Any] = {"network": network}
    if name in {"post_edited", "post_deleted", "reaction_given"}:
        found["post_id"] = said.about
    elif name != "firm_blocked":
        found["post_id"] = said.id
    if name == "reaction_given":
        found["kind"] = str(said.detail.get("kind") or "like")
    if name == "post_edited":
        found["follows"] = list(follows)
    if name in {OUR_PUBLIC, OUR_PRIVATE, "post_published", "message_received"}:
        found |= {"in_reply_to": said.in_reply_to, "url": said.url, "thread": said.thread}
    if name in {"post_published", "message_received"}:
        found |= {"author_name": said.author_name[:200], "language": said.language}
    if name == "message_received":
        found["subject"] = said.subject_line[:500]
        found |= {name: said.detail[name] for name in BESIDE if name in said.detail}
    if name == "post_published":
        found |= {
            "reach": said.reach,
            "asks_us": said.asks_us or None,
            "follows": list(follows),
            "stars": said.detail.get("stars"),
        }
    return {key: value for key, value in found.items() if value not in ("", None, [])}


def clean(text: str) -> str:
    """Text without what no store takes, cut where nobody reads on."""
    return text.replace("\x00", "").strip()[:TEXT_CHARS_MAX]


def digest(text: str) -> str:
    """What a text is known by however a network lays it out: its letters and digits."""
    plain = re.sub(r"<[^>]+>", " ", text)
    plain = re.sub(r"https?://\S+", " ", plain).casefold()
    return hashlib.sha256("".join(c for c in plain if c.isalnum()).encode()).hexdigest()
