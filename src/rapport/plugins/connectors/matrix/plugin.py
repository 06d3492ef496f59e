"""Matrix: rooms that an account of ours is in, and our answers there (client-server API)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from rapport.kit import wire
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Manners,
    Media,
    Page,
    Pictures,
    Receipt,
    Terms,
    nothing_posted,
)
from rapport.plugins.connectors.matrix import events
from rapport.plugins.connectors.matrix import server as servers
from rapport.plugins.connectors.matrix.reading import Round
from rapport.plugins.connectors.matrix.server import Config, Refused, Server, path

BYTES_MAX = 60_000  # an event may have 65,536, with its signatures
LOOKED_AT = 100  # messages back, where one may be whose answer was lost


class Matrix:
    """One account on one server."""

    name = "matrix"
    title = "Matrix"
    network = "matrix"
    config: type[Config] = Config
    terms = Terms(
        keep_days=90,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=True,
        deletes_within_h=24,
        is_public=False,
        source="https://spec.matrix.org/latest/client-server-api/#redactions",
        read_on=dt.date(2026, 11, 22),
        note=(
            "Each server and each room has rules of its own: read them, and say so on the rule card. What is "
            "redacted there is deleted here. Days and hours are our own caution."
        ),
    )
    manners = Manners(
        requests=300,
        per_s=60,
        every_s=2,
        publishes_once=True,
        length_max=4_000,
        pictures=Pictures(most=10, bytes_max=5_000_000, side_max=4_096),
    )
    costs = "Free: an account on any server is enough."
    sees = (
        "Messages, edits, reactions and redactions in rooms that the account is in, private ones included, and "
        "invitations to rooms."
    )
    cannot_see = (
        "Rooms that the account is not in, and rooms that are encrypted from end to end, which are told as gaps; "
        "of pictures and files the name alone."
    )

    def check(self, config: Config) -> None:
        servers.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        server = Server(config, context)
        try:
            who = wire.text_at(server.get(path("account", "whoami")), "user_id")
            rooms = wire.items_at(server.get(path("joined_rooms")), "joined_rooms")
        except Refused as refused:
            return [Finding("Log-in", "bad", refused.failed.message, refused.failed.hint)]
        except Failed as failed:
            return [Finding("Log-in", "bad", failed.message, failed.hint)]
        if who != config.account:
            return [
                Finding(
                    "Log-in",
                    "bad",
                    f"the access token is that of {who}",
                    "Enter that account, or another token.",
                )
            ]
        found = [Finding("Log-in", "ok", f"it is {who}")]
        if not rooms:
            found.append(Finding("Rooms", "warn", "the account is in no room", "Invite it to one."))
        else:
            found.append(Finding("Rooms", "ok", f"the account is in {len(rooms)}"))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        try:
            yield from Round(Server(config, context), cursor, context).pages()
        except Refused as refused:
            raise refused.failed from None

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        if len(draft.text.encode()) > BYTES_MAX:
            raise Failed("the message is too long for Matrix", is_permanent=True, hint="Say it shorter.")
        server = Server(config, context)
        try:
            room = _room(server, draft)
            _check_open(server, room)
            content = _content(draft, _answered(server, draft))
            _show(server, room, draft)
            sent = server.put(path("rooms", room, "send", "m.room.message", _key(draft)), content)
        except Refused as refused:
            raise _for_publishing(refused) from None
        return _receipt(room, wire.text_at(sent, "event_id"))

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        server = Server(config, context)
        try:
            room = _room(server, draft)
            found = server.get(path("rooms", room, "messages"), [("dir", "b"), ("limit", LOOKED_AT)])
        except Refused as refused:
            raise refused.failed from None
        for event in wire.items_at(found, "chunk"):
            is_ours = wire.text_at(event, "sender") == config.account
            if is_ours and wire.text_at(event, "content", events.OURS) == _key(draft):
                return _receipt(room, wire.text_at(event, "event_id"))
        return None


def _show(server: Server, room: str, draft: Draft) -> None:
    """The pictures, each a message before that with the words: where it ended between them, the rest follows.

    A number is known to a server for half an hour or so; after that the room itself says which are there already.
    """
    if not draft.media:
        return
    there = _shown(server, room)
    with nothing_posted():
        for n, one in enumerate(draft.media):
            key = f"{_key(draft)}-{n}"
            if key in there:
                continue
            try:
                address = server.upload(one.read(), one.content_type)
                if not address.startswith("mxc://"):
                    raise Failed("the server does not say what became of a picture", retry_after_s=30.0)
                server.put(path("rooms", room, "send", "m.room.message", key), _picture(one, address, key))
            except Refused as refused:
                raise refused.failed from None


def _shown(server: Server, room: str) -> set[str]:
    """The numbers under which we said something in a room of late."""
    found = server.get(path("rooms", room, "messages"), [("dir", "b"), ("limit", LOOKED_AT)])
    return {wire.text_at(event, "content", events.OURS) for event in wire.items_at(found, "chunk")}


def _picture(one: Media, address: str, key: str) -> dict[str, Any]:
    told = {"mimetype": one.content_type, "w": one.width, "h": one.height, "size": len(one.read())}
    # The body of a picture is what programs read out to those who do not see it.
    return {"msgtype": "m.image", "body": one.alt, "url": address, "info": told, events.OURS: key}


def _room(server: Server, draft: Draft) -> str:
    """The room that a draft belongs to: of what it answers, else the venue's, else that of our own posts."""
    for id in (draft.in_reply_to, draft.thread):
        room, _ = events.parts_of(id)
        if room.startswith("!"):
            return room
    is_own = draft.venue == "matrix" and not draft.is_private
    name = server.config.posts_to if is_own else draft.venue.removeprefix("matrix:")
    if name.startswith("!"):
        return name
    if name.startswith("#"):
        return wire.text_at(server.get(path("directory", "room", name)), "room_id")
    raise Failed(
        "no room is named for this message",
        is_permanent=True,
        hint="Answer somebody, or name a room such as #help:example.org; for posts of our own in this source.",
    )


def _check_open(server: Server, room: str) -> None:
    """What we would post into an encrypted room could be read by everybody on the way: so it is not posted."""
    try:
        server.get(path("rooms", room, "state", "m.room.encryption", ""))
    except Refused as refused:
        if refused.status == 404:
            return
        raise
    raise Failed(
        "the room is encrypted from end to end, and answers from here would not be",
        is_permanent=True,
        hint="Answer in another program.",
    )


def _content(draft: Draft, answered: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"msgtype": "m.text", "body": draft.text, events.OURS: _key(draft)}
    event = wire.text_at(answered, "event_id")
    if event:
        relation: dict[str, Any] = {"m.in_reply_to": {"event_id": event}}
        if wire.text_at(answered, "content", "m.relates_to", "rel_type") == "m.thread":
            root = wire.text_at(answered, "content", "m.relates_to", "event_id")
            relation |= {"rel_type": "m.thread", "event_id": root, "is_falling_back": False}
        content["m.relates_to"] = relation
    to = wire.text_at(answered, "sender") or (f"@{draft.to.lstrip('@')}" if draft.to else "")
    content["m.mentions"] = {"user_ids": [to]} if servers.ACCOUNT.fullmatch(to) else {}
    return content


def _answered(server: Server, draft: Draft) -> Any:
    """The message that is answered."""
    room, event = events.parts_of(draft.in_reply_to)
    if not event:
        return None
    try:
        return server.get(path("rooms", room, "event", event))
    except Refused as refused:
        if refused.status == 404:
            raise Failed("the message that this answers is not there any more", is_permanent=True) from None
        raise


def _key(draft: Draft) -> str:
    return "rapport-" + hashlib.sha256(draft.id.encode()).hexdigest()[:40]


def _receipt(room: str, event: str) -> Receipt:
    if not event:
        raise Failed("the server does not say what became of the message", is_unsure=True, retry_after_s=30.0)
    return Receipt(events.id_of(room, event), f"https://matrix.to/#/{room}/{event}", event)


def _for_publishing(refused: Refused) -> Failed:
    failed = refused.failed
    if refused.status >= 500:
        failed.is_unsure = True
    elif refused.status in {403, 404} and failed.reason != "login":
        failed.is_permanent = True
        failed.hint = failed.hint or "The account may have been put out of the room, or may not speak there."
    return failed


plugin = Matrix()
