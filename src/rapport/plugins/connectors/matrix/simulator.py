"""A Matrix server in this process, on loopback: rooms, /sync with gaps, /messages, sending once for a number.

It answers as Synapse does for what we ask: places that grow, `limited` timelines with where to read on from,
redactions that empty events, numbers of what was sent by device, error codes. It does not federate or encrypt.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rapport.kit import clock, wire
from rapport.listening.tests.serving import Answered, Asked, Server

ME = "@shop:otter.example"
TOKEN, PASSWORD = "a-token", "a-password"


@dataclass(slots=True)
class Room:
    """One room: who is in it, who is asked in, what is said of it, and what happened."""

    id: str
    alias: str = ""
    join_rule: str = "invite"
    members: set[str] = field(default_factory=set)
    invited: dict[str, str] = field(default_factory=dict)
    is_encrypted: bool = False
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    joined_at: int = 0


@dataclass
class Matrix(Server):
    """The server. `say`, `edit`, `redact`, `react` are what people do."""

    now: Callable[[], dt.datetime] = clock.now
    rooms: dict[str, Room] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    sent: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    n_log_ins: int = 0
    limit: int = 20  # of a timeline in /sync
    _n: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def room(self, name: str, *members: str, alias: str = "", join_rule: str = "invite") -> str:
        """A room with us and others in it."""
        self._n += 1
        room = Room(f"!{name}:otter.example", alias, join_rule, {ME, *members}, joined_at=self._n)
        self.rooms[room.id] = room
        return room.id

    def invite(self, room: str, by: str) -> None:
        """Somebody asks us into a room that we are not in."""
        self.rooms[room].members.discard(ME)
        self.rooms[room].invited[ME] = by

    def happened(self, room: str, sender: str, kind: str, content: dict[str, Any], **more: Any) -> str:
        """An event comes into a room; gives its id."""
        self._n += 1
        at = int(self.now().timestamp() * 1000)
        event = {
            "event_id": f"$event{self._n}",
            "type": kind,
            "sender": sender,
            "origin_server_ts": at,
            "content": content,
            **more,
        }
        self.rooms[room].events.append((self._n, event))
        return str(event["event_id"])

    def say(
        self, room: str, sender: str, text: str, *, answers: str = "", thread: str = "", **more: Any
    ) -> str:
        """Somebody says something."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text, **more}
        if thread:
            content["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread, "is_falling_back": True}
        if answers:
            content.setdefault("m.relates_to", {})["m.in_reply_to"] = {"event_id": answers}
        return self.happened(room, sender, "m.room.message", content)

    def edit(self, room: str, sender: str, event: str, text: str) -> str:
        """Somebody changes what they said."""
        content = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event},
        }
        return self.happened(room, sender, "m.room.message", content)

    def redact(self, room: str, sender: str, event: str) -> None:
        """Somebody takes back what they said: its content is gone from then on."""
        for _, one in self.rooms[room].events:
            if one["event_id"] == event:
                one["content"] = {}
                one["unsigned"] = {"redacted_because": {"sender": sender}}
        self.happened(room, sender, "m.room.redaction", {"redacts": event})

    def of_me(self, room: str) -> list[dict[str, Any]]:
        """What we said in a room."""
        spoken = (e for _, e in self.rooms[room].events if e["type"] == "m.room.message")
        return [e for e in spoken if e["sender"] == ME]

    def answer(self, asked: Asked) -> Answered:
        """What the server would say."""
        path = asked.path.removeprefix("/_matrix/client/v3/")
        if path == "login":
            return self._log_in(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return _error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
        if path == "/_matrix/media/v3/upload":
            address = f"mxc://otter.example/file{len(self.files)}"
            self.files[address] = (asked.headers["content-type"], asked.body)
            return Answered({"content_uri": address})
        parts = path.split("/")
        if path == "account/whoami":
            return Answered({"user_id": ME, "device_id": "RAPPORT"})
        if path == "joined_rooms":
            return Answered({"joined_rooms": [r.id for r in self._mine()]})
        if path == "sync":
            return self._sync(asked)
        if parts[0] == "join":
            return self._join(parts[1])
        if path.startswith("directory/room/"):
            found = next((r.id for r in self.rooms.values() if r.alias == parts[2]), "")
            return (
                Answered({"room_id": found}) if found else _error(404, "M_NOT_FOUND", "Room alias not found")
            )
        room = self.rooms.get(parts[1])
        if room is None or ME not in room.members:
            return _error(403, "M_FORBIDDEN", f"User {ME} not in room {parts[1]}")
        return self._of_room(room, parts[2:], asked)

    def _of_room(self, room: Room, parts: list[str], asked: Asked) -> Answered:
        if parts[0] == "messages":
            return self._messages(room, asked)
        if parts[0] == "event":
            found = next((e for _, e in room.events if e["event_id"] == parts[1]), None)
            return Answered(found) if found else _error(404, "M_NOT_FOUND", "Event not found.")
        if parts[0] == "state":
            is_there = room.is_encrypted and parts[1] == "m.room.encryption"
            return (
                Answered({"algorithm": "m.megolm.v1"})
                if is_there
                else _error(404, "M_NOT_FOUND", "not found.")
            )
        if parts[0] == "send" and asked.method == "PUT":
            number = parts[2]
            if number not in self.sent:
                self.sent[number] = self.happened(room.id, ME, parts[1], asked.content)
            return Answered({"event_id": self.sent[number]})
        return _error(404, "M_UNRECOGNIZED", "Unrecognized request")

    def _mine(self) -> list[Room]:
        return [r for r in self.rooms.values() if ME in r.members]

    def _log_in(self, asked: Asked) -> Answered:
        self.n_log_ins += 1
        if wire.text_at(asked.content, "password") != PASSWORD:
            return _error(403, "M_FORBIDDEN", "Invalid username or password")
        token = f"session-{self.n_log_ins}"
        self.tokens.add(token)
        return Answered({"user_id": ME, "access_token": token, "device_id": asked.content["device_id"]})

    def _join(self, id: str) -> Answered:
        room = self.rooms[id]
        if ME not in room.invited:
            return _error(403, "M_FORBIDDEN", "You are not invited to this room.")
        del room.invited[ME]
        room.members.add(ME)
        self._n += 1
        room.joined_at = self._n
        return Answered({"room_id": id})

    def _sync(self, asked: Asked) -> Answered:
        since = int(asked.first("since", "s0")[1:])
        joined = {}
        for room in self._mine():
            is_new = room.joined_at > since
            start = 0 if is_new else since
            new = [(n, e) for n, e in room.events if n > start]
            if not new and not is_new:
                continue
            kept = new[-self.limit :]
            joined[room.id] = {
                "summary": {"m.joined_member_count": len(room.members), "m.invited_member_count": 0},
                "state": {"events": self._state(room) if is_new else []},
                "timeline": {
                    "events": [e for _, e in kept],
                    "limited": len(kept) < len(new),
                    "prev_batch": f"t{kept[0][0]}" if kept else "t0",
                },
            }
        invited = {
            r.id: {
                "invite_state": {
                    "events": [
                        {
                            "type": "m.room.member",
                            "sender": r.invited[ME],
                            "state_key": ME,
                            "content": {"membership": "invite"},
                        }
                    ]
                }
            }
            for r in self.rooms.values()
            if ME in r.invited
        }
        return Answered(
            {"next_batch": f"s{self._n}", "rooms": {"join": joined, "invite": invited, "leave": {}}}
        )

    def _state(self, room: Room) -> list[dict[str, Any]]:
        found = [{"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": room.join_rule}}]
        if room.alias:
            found.append(
                {"type": "m.room.canonical_alias", "state_key": "", "content": {"alias": room.alias}}
            )
        return found

    def _messages(self, room: Room, asked: Asked) -> Answered:
        """Backwards from a place, down to another."""
        start = int(asked.first("from")[1:]) if asked.first("from") else self._n + 1
        until = int(asked.first("to", "s0")[1:])
        found = [(n, e) for n, e in reversed(room.events) if until < n < start]
        part = found[: int(asked.first("limit", "10"))]
        more = {"end": f"t{part[-1][0]}"} if len(part) < len(found) else {}
        return Answered({"chunk": [e for _, e in part], "start": asked.first("from"), **more})


def _error(status: int, code: str, words: str) -> Answered:
    return Answered({"errcode": code, "error": words}, status)
