"""Telegram's Bot API in this process: updates by offset, web hooks, messages, its errors and floods."""

from __future__ import annotations

from typing import Any

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

BOT, TOKEN, NAME = 4242, "4242:" + "A" * 35, "shop_bot"
SECRET = "a-secret-of-the-web-hook"  # noqa: S105  of nobody
DAY_S = 86_400


class Telegram(Act):
    """`write` is what people do; chats above zero are with one person."""

    places = ("https://api.telegram.org",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.updates: list[dict[str, Any]] = []
        self.messages: dict[tuple[int, int], dict[str, Any]] = {}
        self.hook = ""
        self.stopped: set[int] = set()
        self.page_max = 100
        self._n = 100

    def write(
        self, who: int, text: str, *, chat: int = 0, answers: int = 0, kind: str = "message", **more: Any
    ) -> str:
        """Somebody writes to the bot, or in a group; gives the id that we know it by."""
        message = self._message(who, chat or who, text, answers) | more
        self.update(kind, message)
        return f"{message['chat']['id']}/{message['message_id']}"

    def update(self, kind: str, told: dict[str, Any]) -> dict[str, Any]:
        """Something happens that the bot is told of."""
        self._n += 1
        self.updates.append({"update_id": self._n, kind: told, "at": self.day().timestamp()})
        return {"update_id": self._n, kind: told}

    def _message(self, who: int, chat: int, text: str, answers: int) -> dict[str, Any]:
        number = 1 + sum(1 for place in self.messages if place[0] == chat)
        person = {"id": who, "is_bot": who == BOT, "first_name": f"Person {who}", "language_code": "en-GB"}
        told: dict[str, Any] = {
            "message_id": number,
            "from": person,
            "chat": {"id": chat, "type": "private"}
            if chat > 0
            else {"id": chat, "type": "supergroup", "title": "Lamps"},
            "date": int(self.day().timestamp()),
            "text": text,
        }
        if answers:
            told["reply_to_message"] = self.messages[chat, answers]
        self.messages[chat, number] = told
        return told

    def answer(self, asked: Asked) -> Answered:
        token, _, method = asked.path.removeprefix("/bot").rpartition("/")
        if token != TOKEN:
            return _wrong(401, "Unauthorized")
        body = asked.content or {}
        if method == "getMe":
            me = {"id": BOT, "is_bot": True, "username": NAME, "can_read_all_group_messages": False}
            return Answered({"ok": True, "result": me})
        if method == "getWebhookInfo":
            return Answered({"ok": True, "result": {"url": self.hook, "pending_update_count": 0}})
        if method == "getUpdates":
            if self.hook:
                words = "Conflict: can't use getUpdates method while webhook is active"
                return _wrong(409, words)
            now = self.day().timestamp()
            self.updates = [
                one
                for one in self.updates
                if one["update_id"] >= body.get("offset", 0) and one["at"] > now - DAY_S
            ]
            part = self.updates[: min(body.get("limit", 100), self.page_max)]
            told = [{k: v for k, v in one.items() if k != "at"} for one in part]
            return Answered({"ok": True, "result": told})
        return self._sent(body)

    def _sent(self, body: dict[str, Any]) -> Answered:
        chat, text = body["chat_id"], body["text"]
        if chat in self.stopped:
            return _wrong(403, "Forbidden: bot was blocked by the user")
        if not any(place[0] == chat for place in self.messages):
            return _wrong(400, "Bad Request: chat not found")
        if len(text) > 4_096:
            return _wrong(400, "Bad Request: message is too long")
        number = body.get("reply_parameters", {}).get("message_id", 0)
        message = self._message(BOT, chat, text, number if (chat, number) in self.messages else 0)
        return Answered({"ok": True, "result": message})


def _wrong(code: int, words: str, **parameters: Any) -> Answered:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": words}
    return Answered(body | ({"parameters": parameters} if parameters else {}), code)


def flood(wait_s: int) -> Answered:
    """What is answered to who writes too much."""
    return _wrong(429, f"Too Many Requests: retry after {wait_s}", retry_after=wait_s)
