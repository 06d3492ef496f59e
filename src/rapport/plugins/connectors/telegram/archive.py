"""What Telegram Desktop exports: `result.json`, one chat, or all of an account's under `chats.list`.

Numbers are Telegram's own, so they become those that a bot is told: a group's stands behind a minus, one of a large
group or channel behind -100.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rapport.kit import wire
from rapport.kit.pour import Json, Unsound
from rapport.listening.contract import Left, Part, Said, Unread

ALONE = frozenset({"personal_chat", "bot_chat"})
LARGE = frozenset({"private_supergroup", "public_supergroup", "private_channel", "public_channel"})
OPEN = frozenset({"public_supergroup", "public_channel"})
HELD = ("photo", "media_type", "location_information", "contact_information", "poll", "file")
_CHAT = re.compile(
    rb'"type"\s*:\s*"(?:personal_chat|bot_chat|(?:private|public)_(?:group|supergroup|channel))"'
)
_ALL = re.compile(rb'"(?:personal_information|chats|left_chats)"\s*:\s*\{')

Chat = Mapping[str, Any]  # name, type and id


class TelegramArchive:
    """Messages of a chat, or of all of them."""

    title = "export of Telegram"
    paths = r"(^|/)result\.json$"

    def holds(self, head: bytes) -> bool:
        if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            return False
        is_chat = b'"messages"' in head and _CHAT.search(head) is not None
        return is_chat or (b"telegram" in head.lower() and _ALL.search(head) is not None)

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        us = part.account.strip().lstrip("@").removeprefix("user")
        export = Json(part.open())
        chat: dict[str, Any] = {}
        for member in export.members():
            if member in {"chats", "left_chats"}:
                yield from _chats(export, us, part.zone)
            elif member == "personal_information":
                found = export.value()
                us = us or str(wire.at(found, "user_id") or "")
            elif member == "messages":
                yield from _messages(export, chat, us, part.zone)
            elif member in {"name", "type", "id"}:
                chat[member] = export.value()

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        us = part.account.strip().lstrip("@").removeprefix("user")
        message = {key: value for key, value in row.items() if key != "chat"}
        return _message(message, wire.at(dict(row), "chat") or {}, us, part.zone)


def _chats(export: Json, us: str, zone: dt.tzinfo) -> Iterator[Said | Left | Unread]:
    for member in export.members():
        if member != "list":
            continue
        for _ in export.elements():
            chat: dict[str, Any] = {}
            for name in export.members():
                if name == "messages":
                    yield from _messages(export, chat, us, zone)
                elif name in {"name", "type", "id"}:
                    chat[name] = export.value()


def _messages(export: Json, chat: Chat, us: str, zone: dt.tzinfo) -> Iterator[Said | Left | Unread]:
    heard = ""  # the last that somebody else said
    for message in export.items():
        if isinstance(message, Unsound):
            yield Unread("This is no JSON.", {"raw": message.text})
            continue
        found = _message(message, chat, us, zone)
        if isinstance(found, Said) and found.is_ours and found.kind == "message":
            # In a chat of two, what we say answers what was said before, whether or not we marked it so.
            found = replace(found, in_reply_to=found.in_reply_to or heard)
        elif isinstance(found, Said):
            heard = found.id
        yield found


def _message(message: Any, chat: Chat, us: str, zone: dt.tzinfo) -> Said | Left | Unread:
    if not isinstance(message, dict):
        return Unread("This is no message.", {"raw": json.dumps(message, ensure_ascii=False)})
    place, kind = _place(chat), str(chat.get("type", ""))
    if wire.text_at(message, "type") != "message":
        return Left("notices of the network")
    if not place:
        return Left("notes that somebody kept for themselves")
    row = {"chat": dict(chat), **message}
    number, at = wire.count_at(message, "id"), _moment(message, zone)
    if number is None:
        return Unread("The message has no number (id).", row)
    if at is None:
        return Unread("The time (date) cannot be read.", row)
    words = _words(message.get("text"))
    held = next((_held(message, name) for name in HELD if message.get(name)), "")
    if not words and not held:
        return Left("messages without words")
    author = _number(message.get("from_id"))
    name = wire.text_at(message, "from")
    is_alone = kind in ALONE
    # In a chat of two, whoever is not the other one is the owner of the archive.
    is_ours = (bool(us) and us in {author, name}) or (is_alone and author not in {"", str(chat.get("id"))})
    parent = wire.count_at(message, "reply_to_message_id")
    return Said(
        id=f"{place}/{number}",
        kind="message" if is_alone else "post",
        ts=at,
        author=author,
        author_name=name,
        text=words or f"({held})",
        in_reply_to=f"{place}/{parent}" if parent else "",
        thread=place if is_alone else f"{place}/{parent or number}",
        venue="telegram" if is_alone else f"telegram:{place}",
        url=f"https://t.me/c/{chat.get('id')}/{number}" if kind in LARGE else "",
        subject_line="" if is_alone else str(chat.get("name") or ""),
        is_private=kind not in OPEN,
        is_ours=is_ours,
        asks_us=is_alone and not is_ours,
    )


def _place(chat: Chat) -> str:
    """The number of a chat as bots are told it; empty where it is none that others are in."""
    number, kind = chat.get("id"), chat.get("type")
    if not isinstance(number, int):
        return ""
    if kind in LARGE:
        return f"-100{number}"
    return f"-{number}" if kind == "private_group" else str(number) if kind in ALONE else ""


def _moment(message: Any, zone: dt.tzinfo) -> dt.datetime | None:
    """When it was said: in seconds since 1970, or, in older exports, as clocks showed it."""
    seconds = str(wire.at(message, "date_unixtime") or "")
    try:
        if seconds.isdigit():
            return dt.datetime.fromtimestamp(int(seconds), dt.UTC)
        told = dt.datetime.fromisoformat(wire.text_at(message, "date"))
        return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _words(text: Any) -> str:
    """A text is one, or a list of texts and of parts that are links, mentions and the like."""
    parts = text if isinstance(text, list) else [text]
    return "".join(one if isinstance(one, str) else wire.text_at(one, "text") for one in parts).strip()


def _held(message: Any, name: str) -> str:
    return str(message["media_type"]).replace("_", " ") if name == "media_type" else name.partition("_")[0]


def _number(id: Any) -> str:
    """`user123` and `channel123` as the network counts them; older exports write the number alone."""
    text = str(id or "")
    return f"-100{text.removeprefix('channel')}" if text.startswith("channel") else text.removeprefix("user")
