"""Pinterest in this process: pins of the account in pages with a bookmark, and its limits and errors."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from rapport.kit import wire
from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

TOKEN, ME = "pina_a-token", "otterlamps"


class Pinterest(Act):
    """`pin` is what the firm does."""

    places = ("https://api.pinterest.com",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.pins: dict[str, tuple[str, str, dt.datetime]] = {}
        self.page_max, self.left = 100, 100
        self.boards = {"549755885175": "Lamps"}
        self.media: dict[str, tuple[str, bytes, str]] = {}  # by pin: kind, picture and its words

    def pin(self, title: str, text: str) -> str:
        """The firm makes a pin."""
        id = str(813_744_226_420_795_884 + len(self.pins))
        self.pins[id] = (title, text, self.day())
        return id

    def answer(self, asked: Asked) -> Answered:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered({"code": 2, "message": "Authentication failed."}, 401)
        self.left -= 1
        if self.left < 0:
            told = {"code": 8, "message": "This request exceeded a rate limit."}
            return Answered(told, 429, {"x-ratelimit-limit": "100", "x-ratelimit-reset": "42"})
        path = asked.path.removeprefix("/v5/")
        if path.startswith("boards/") and asked.method == "GET":
            name = self.boards.get(path.removeprefix("boards/"))
            if name is None:
                return Answered({"code": 40, "message": "Board not found."}, 404)
            return Answered({"id": path.removeprefix("boards/"), "name": name})
        if path == "pins" and asked.method == "POST":
            return self._made(asked.content)
        if path == "user_account":
            return Answered({"username": ME, "account_type": "BUSINESS"})
        if path != "pins":
            id = path.removeprefix("pins/")
            if id not in self.pins:
                return Answered({"code": 50, "message": "Pin not found."}, 404)
            return Answered(self._told(id))
        start = int(asked.first("bookmark", "b0")[1:])
        end = start + min(int(asked.first("page_size", "25")), self.page_max)
        ids = list(reversed(self.pins))
        onward = f"b{end}" if end < len(ids) else None
        return Answered({"items": [self._told(id) for id in ids[start:end]], "bookmark": onward})

    def _made(self, body: Any) -> Answered:
        if wire.text_at(body, "board_id") not in self.boards:
            return Answered({"code": 40, "message": "Board not found."}, 404)
        kind, words = wire.text_at(body, "media_source", "content_type"), wire.text_at(body, "alt_text")
        is_whole = wire.text_at(body, "media_source", "source_type") == "image_base64"
        if not is_whole or kind not in {"image/jpeg", "image/png"} or len(words) > 500:
            return Answered({"code": 1, "message": "Invalid request: 'media_source' or 'alt_text'."}, 400)
        picture = base64.b64decode(wire.text_at(body, "media_source", "data"), validate=True)
        id = self.pin(wire.text_at(body, "title"), wire.text_at(body, "description"))
        self.media[id] = (kind, picture, words)
        return Answered(self._told(id), 201)

    def _told(self, id: str) -> dict[str, str]:
        title, text, at = self.pins[id]
        told = {"id": id, "title": title, "description": text, "created_at": at.strftime("%Y-%m-%dT%H:%M:%S")}
        return told | ({"board_id": next(iter(self.boards))} if id in self.media else {})
