"""One round of `/sync`: what happened in our rooms since the last, and what was left out of it.

The server gives the newest messages of each room and says where it left some out; those are read back to where
we were. The place that the server names (`next_batch`) is the cursor, beside what is known of the rooms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from rapport.kit import clock, wire
from rapport.listening.contract import Context, Gap, Page, Said
from rapport.plugins.connectors.matrix import events
from rapport.plugins.connectors.matrix.events import Room
from rapport.plugins.connectors.matrix.server import Refused, Server, path

PER_REQUEST, PAGES_MAX = 100, 30
PER_PAGE = 200
OURS_MAX = 400  # of what we said, by which an answer to us is known
TYPES = [
    "m.room.message",
    "m.reaction",
    "m.room.redaction",
    "m.room.member",
    "m.room.encrypted",
    "m.room.canonical_alias",
    "m.room.join_rules",
]
STATES = ["m.room.canonical_alias", "m.room.join_rules", "m.room.member"]


@dataclass(slots=True)
class Cursor:
    """What was read before: the server's place, the rooms, what we said, and rooms told to be encrypted."""

    since: str = ""
    rooms: dict[str, Room] = field(default_factory=dict)
    ours: list[str] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> Cursor:
        """From its text; one that cannot be read is one that begins."""
        found = wire.document(text.encode())
        rooms = {}
        for id in wire.at(found, "rooms") or {}:
            one = wire.at(found, "rooms", id)
            is_small, is_open = wire.at(one, "small") is True, wire.at(one, "open") is True
            rooms[str(id)] = Room(str(id), wire.text_at(one, "name"), is_small, is_open)
        ours = [one for one in wire.items_at(found, "ours") if isinstance(one, str)]
        shut = [one for one in wire.items_at(found, "shut") if isinstance(one, str)]
        return cls(wire.text_at(found, "since"), rooms, ours, shut)

    def text(self) -> str:
        """As text, with no more than it needs."""
        rooms = {
            room.id: {"name": room.name, "small": room.is_small, "open": room.is_open}
            for room in self.rooms.values()
        }
        kept = {"since": self.since, "rooms": rooms, "ours": self.ours[-OURS_MAX:], "shut": self.shut}
        return json.dumps(kept, separators=(",", ":"))


class Round:
    """One round of reading with an account."""

    def __init__(self, server: Server, cursor: str, context: Context) -> None:
        self._server, self._context = server, context
        self._cursor = Cursor.read(cursor)
        self._us = server.config.account
        self._unread = 0

    def pages(self) -> Iterator[Page]:
        """Everything that is new."""
        before = self._cursor.text()
        found = self._synced()
        said: list[Said] = []
        gaps: list[Gap] = []
        for id, joined in (wire.at(found, "rooms", "join") or {}).items():
            one, missing = self._room(str(id), joined)
            said += one
            gaps += missing
        for id, left in (wire.at(found, "rooms", "leave") or {}).items():
            said += self._left(str(id), left)
        self._accept(found)
        said.sort(key=lambda one: one.ts)
        gaps += self._broken()
        # Until the last of them is durable the place stays: a reader that is killed reads the whole answer again.
        for start in range(0, len(said) - PER_PAGE, PER_PAGE):
            yield Page(said[start : start + PER_PAGE], before)
        rest = said[len(said) - (len(said) % PER_PAGE or PER_PAGE) :] if said else []
        self._cursor.since = wire.text_at(found, "next_batch") or self._cursor.since
        if rest or gaps or self._cursor.text() != before:
            yield Page(rest, self._cursor.text(), gaps)

    def _synced(self) -> Any:
        wanted = {
            "presence": {"not_types": ["*"]},
            "account_data": {"types": ["m.direct"]},
            "room": {
                "timeline": {"limit": PER_REQUEST, "types": TYPES},
                "state": {"types": STATES, "lazy_load_members": True},
                "ephemeral": {"not_types": ["*"]},
                "account_data": {"not_types": ["*"]},
            },
        }
        asked: list[tuple[str, str | int]] = [
            ("filter", json.dumps(wanted, separators=(",", ":"))),
            ("timeout", 0),
        ]
        if self._cursor.since:
            asked.append(("since", self._cursor.since))
        return self._got(path("sync"), asked)

    def _got(self, path: str, asked: list[tuple[str, str | int]]) -> Any:
        try:
            return self._server.get(path, asked)
        except Refused as refused:
            raise refused.failed from None

    def _room(self, id: str, joined: Any) -> tuple[list[Said], list[Gap]]:
        """What was said in one room."""
        timeline = wire.items_at(joined, "timeline", "events")
        room = self._known(id, joined, [*wire.items_at(joined, "state", "events"), *timeline])
        gaps: list[Gap] = []
        if wire.at(joined, "timeline", "limited") is True:
            earlier, gaps = self._left_out(id, wire.text_at(joined, "timeline", "prev_batch"))
            timeline = [*earlier, *timeline]
        if (
            any(wire.text_at(event, "type") == "m.room.encrypted" for event in timeline)
            and id not in self._cursor.shut
        ):
            self._cursor.shut.append(id)
            now = self._context.now()
            gaps.append(
                Gap(
                    now,
                    now,
                    "permission",
                    f"the room {room.name or id} is encrypted from end to end, and is not read",
                )
            )
        return self._said(timeline, room), gaps

    def _said(self, timeline: list[Any], room: Room) -> list[Said]:
        told = []
        for event in timeline:
            one = events.said(event, room, self._us, frozenset(self._cursor.ours))
            if one is None:
                self._unread += events.is_unreadable(event)
            elif one.ts >= self._context.since or self._cursor.since:
                if one.is_ours:
                    self._cursor.ours.append(one.id)
                told.append(one)
        return told

    def _known(self, id: str, joined: Any, states: list[Any]) -> Room:
        """What is known of a room, with what is said of it now."""
        room = self._cursor.rooms.get(id) or Room(id)
        n_joined = wire.count_at(joined, "summary", "m.joined_member_count")
        n_invited = wire.count_at(joined, "summary", "m.invited_member_count") or 0
        if n_joined is not None:
            room = replace(room, is_small=n_joined + n_invited <= 2)
        for event in states:
            kind = wire.text_at(event, "type")
            if kind == "m.room.canonical_alias":
                room = replace(room, name=wire.text_at(event, "content", "alias"))
            elif kind == "m.room.join_rules":
                # Two people in a room that all may enter are not alone there.
                room = replace(room, is_open=wire.text_at(event, "content", "join_rule") == "public")
        self._cursor.rooms[id] = room
        return room

    def _left_out(self, id: str, start: str) -> tuple[list[Any], list[Gap]]:
        """The messages that the answer left out, oldest first: back to where we were, or to where we begin."""
        found: list[Any] = []
        at = start
        for _ in range(PAGES_MAX):
            if not at:
                return found[::-1], []
            asked: list[tuple[str, str | int]] = [("dir", "b"), ("from", at), ("limit", PER_REQUEST)]
            if self._cursor.since:
                asked.append(("to", self._cursor.since))
            answer = self._got(path("rooms", id, "messages"), asked)
            part = wire.items_at(answer, "chunk")
            found += part
            ended = wire.text_at(answer, "end")
            oldest = wire.count_at(part[-1], "origin_server_ts") if part else None
            is_before = oldest is not None and clock.from_us(oldest * 1000) < self._context.since
            if not part or not ended or ended == at or is_before:
                return found[::-1], []
            at = ended
        oldest = wire.count_at(found[-1], "origin_server_ts") or 0
        message = (
            f"more than {PAGES_MAX * PER_REQUEST} messages came at once in a room; older ones were not read"
        )
        return found[::-1], [Gap(self._context.since, clock.from_us(oldest * 1000), "horizon", message)]

    def _left(self, id: str, left: Any) -> list[Said]:
        """A room that we were put out of."""
        room = self._cursor.rooms.pop(id, None) or Room(id)
        return self._said(wire.items_at(left, "timeline", "events"), room)

    def _accept(self, found: Any) -> None:
        """Enter the rooms that we are invited to, as far as the firm wants that."""
        for id, invited in (wire.at(found, "rooms", "invite") or {}).items():
            states = wire.items_at(invited, "invite_state", "events")
            mine = [
                e
                for e in states
                if wire.text_at(e, "type") == "m.room.member" and wire.text_at(e, "state_key") == self._us
            ]
            by = wire.text_at(mine[0], "sender") if mine else ""
            wants = self._server.config.accepts
            if wants == "all" or (
                wants == "server" and by.partition(":")[2] == self._server.config.home and by
            ):
                try:
                    self._server.post(path("join", str(id)), {})
                except Refused as refused:
                    if refused.status not in {403, 404}:  # taken back since, or its server is gone
                        raise refused.failed from None

    def _broken(self) -> list[Gap]:
        if not self._unread:
            return []
        now = self._context.now()
        return [
            Gap(now, now, "unreachable", f"{self._unread} messages came in a form that could not be read")
        ]
