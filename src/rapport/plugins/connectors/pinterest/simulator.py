"""Pinterest in this process: pins of the account in pages with a bookmark, and its limits and errors."""

from __future__ import annotations

import datetime as dt

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

    def _told(self, id: str) -> dict[str, str]:
        title, text, at = self.pins[id]
        return {"id": id, "title": title, "description": text, "created_at": at.strftime("%Y-%m-%dT%H:%M:%S")}
