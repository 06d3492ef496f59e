"""What the events of a room say (Matrix specification, Room events and instant messaging).

An event's id is unique by itself, but is asked for by its room; so ours are `ROOM/EVENT`. The thread of a
private room is the room; elsewhere it is what a thread was begun with, or what is answered.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from rapport.kit import clock, wire
from rapport.listening.contract import Said

SPOKEN = frozenset({"m.text", "m.notice", "m.emote"})
SHOWN = {"m.image": "picture", "m.file": "file", "m.video": "film", "m.audio": "sound", "m.location": "place"}
OURS = "org.rapport.draft"  # under which what we post names the draft it was made of
_FALLBACK = re.compile(r"\A(?:> ?[^\n]*\n)+\n?")


@dataclass(frozen=True, slots=True)
class Room:
    """What is known of a room."""

    id: str
    name: str = ""  # its address, where it has one
    is_small: bool = False  # nobody is in it but us and one more
    is_open: bool = False  # whoever wants to may enter

    @property
    def is_private(self) -> bool:
        """Whether what is said there is said to us alone."""
        return self.is_small and not self.is_open

    @property
    def venue(self) -> str:
        """As a venue."""
        return f"matrix:{self.name or self.id}"


def id_of(room: str, event: str) -> str:
    """Our id of an event."""
    return f"{room}/{event}"


def parts_of(id: str) -> tuple[str, str]:
    """The room and the event of an id of ours; the event is empty where a room is meant."""
    room, _, event = id.partition("/")
    return room, event


def said(event: Any, room: Room, us: str, ours: frozenset[str]) -> Said | None:
    """What an event says; None for those that say nothing to us. `ours` are ids of what we said."""
    kind, id = wire.text_at(event, "type"), wire.text_at(event, "event_id")
    author, at = wire.text_at(event, "sender"), wire.count_at(event, "origin_server_ts")
    content = wire.at(event, "content")
    if not id or not author or at is None or at > 253_402_300_799_000 or not isinstance(content, dict):
        return None
    ts = clock.from_us(at * 1000)
    if kind == "m.room.redaction":
        return _redaction(event, content, room, id, ts)
    if kind == "m.reaction":
        return _reaction(content, room, id, author, ts)
    if kind == "m.room.member":
        is_ban = wire.text_at(event, "state_key") == us and wire.text_at(content, "membership") == "ban"
        return Said(id_of(room.id, id), "block", ts, author[1:], venue=room.venue) if is_ban else None
    if kind != "m.room.message":
        return None
    if author == us and wire.text_at(content, "msgtype") == "m.image" and wire.text_at(content, OURS):
        return None  # a picture of a post of ours, which is on record with its words
    if wire.text_at(content, "m.relates_to", "rel_type") == "m.replace":
        return _edit(content, room, id, author, ts)
    return _message(content, room, id, author, ts, us, ours)


def is_unreadable(event: Any) -> bool:
    """Whether an event should say something, and is not whole."""
    if wire.text_at(event, "type") != "m.room.message":
        return False
    # A redacted event has no content left: it says nothing, and is not broken.
    if wire.at(event, "unsigned", "redacted_because") is not None or wire.at(event, "content") == {}:
        return False
    kind = wire.text_at(event, "content", "msgtype")
    return not kind or kind in SPOKEN  # other kinds, such as to verify a device, have no words


def _message(
    content: Any, room: Room, id: str, author: str, ts: dt.datetime, us: str, ours: frozenset[str]
) -> Said | None:
    text = _text(content)
    if text is None:
        return None
    answers = wire.text_at(content, "m.relates_to", "m.in_reply_to", "event_id")
    in_thread = wire.text_at(content, "m.relates_to", "rel_type") == "m.thread"
    if in_thread and wire.at(content, "m.relates_to", "is_falling_back") is True:
        answers = ""  # for programs that know no threads: it names the newest message, whichever that was
    root = wire.text_at(content, "m.relates_to", "event_id") if in_thread else ""
    answers = answers or root
    began = root or ("" if answers else id)
    thread = room.id if room.is_private else (id_of(room.id, began) if began else "")
    named = us in wire.items_at(content, "m.mentions", "user_ids") or us in text
    is_ours = author == us
    is_asked = room.is_private or named or id_of(room.id, answers) in ours
    return Said(
        id=id_of(room.id, id),
        kind="message" if room.is_private else "post",
        ts=ts,
        author=author[1:],
        text=text,
        in_reply_to=id_of(room.id, answers) if answers else "",
        thread=thread,
        venue=room.venue,
        url=f"https://matrix.to/#/{room.id}/{id}",
        is_private=room.is_private,
        is_ours=is_ours,
        asks_us=not is_ours and is_asked and wire.text_at(content, "msgtype") != "m.notice",
    )


def _text(content: Any) -> str | None:
    """The words of a message; None where it has none."""
    kind, body = wire.text_at(content, "msgtype"), wire.text_at(content, "body")
    if kind in SHOWN:
        name = wire.text_at(content, "filename")
        caption = body if name and body != name else ""
        return f"{caption}\n[{SHOWN[kind]}: {name or body}]".strip()
    if kind not in SPOKEN or not body:
        return None
    if wire.at(content, "m.relates_to", "m.in_reply_to"):
        # Programs of before 2024 put what they answer in front, marked as a quotation.
        body = _FALLBACK.sub("", body) if body.startswith(("> <", "> * <")) else body
    return body


def _edit(content: Any, room: Room, id: str, author: str, ts: dt.datetime) -> Said | None:
    about = wire.text_at(content, "m.relates_to", "event_id")
    text = _text(wire.at(content, "m.new_content"))
    if not about or text is None:
        return None
    return Said(
        id_of(room.id, id),
        "edit",
        ts,
        author[1:],
        text,
        about=id_of(room.id, about),
        venue=room.venue,
        is_private=room.is_private,
    )


def _redaction(event: Any, content: Any, room: Room, id: str, ts: dt.datetime) -> Said | None:
    about = wire.text_at(content, "redacts") or wire.text_at(
        event, "redacts"
    )  # moved there in room version 11
    if not about:
        return None
    author = wire.text_at(event, "sender")[1:]
    return Said(id_of(room.id, id), "deletion", ts, author, about=id_of(room.id, about), venue=room.venue)


def _reaction(content: Any, room: Room, id: str, author: str, ts: dt.datetime) -> Said | None:
    about = wire.text_at(content, "m.relates_to", "event_id")
    if not about:
        return None
    kind = wire.text_at(content, "m.relates_to", "key")[:32] or "like"
    return Said(
        id_of(room.id, id),
        "reaction",
        ts,
        author[1:],
        about=id_of(room.id, about),
        venue=room.venue,
        is_private=room.is_private,
        detail={"kind": kind},
    )
