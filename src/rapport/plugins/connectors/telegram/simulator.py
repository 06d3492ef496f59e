"""Telegram's Bot API in this process: updates by offset, web hooks, messages, its errors and floods."""

from __future__ import annotations

import json
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
        self.channels: dict[str, int] = {}  # of which the bot is an administrator, by name
        self.photos: dict[tuple[int, int], list[tuple[str, bytes]]] = {}  # by message: kind and content
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
            "chat": self._chat(chat),
            "date": int(self.day().timestamp()),
            "text": text,
        }
        if answers:
            told["reply_to_message"] = self.messages[chat, answers]
        self.messages[chat, number] = told
        return told

    def _chat(self, chat: int) -> dict[str, Any]:
        name = next((name for name, number in self.channels.items() if number == chat), "")
        if name:
            return {"id": chat, "type": "channel", "title": "Otter lamps", "username": name.lstrip("@")}
        if chat > 0:
            return {"id": chat, "type": "private"}
        return {"id": chat, "type": "supergroup", "title": "Lamps"}

    def answer(self, asked: Asked) -> Answered:
        token, _, method = asked.path.removeprefix("/bot").rpartition("/")
        if token != TOKEN:
            return _wrong(401, "Unauthorized")
        files: list[tuple[str, bytes]] = []
        if asked.headers.get("content-type", "").startswith("multipart/"):
            body, files = _read(asked)
        else:
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
        body["chat_id"] = self.channels.get(body["chat_id"], body["chat_id"])
        if method == "getChat":
            if body["chat_id"] not in self.channels.values():
                return _wrong(400, "Bad Request: chat not found")
            return Answered({"ok": True, "result": self._chat(body["chat_id"])})
        return self._sent(body, files)

    def _sent(self, body: dict[str, Any], files: list[tuple[str, bytes]]) -> Answered:
        caption = body.get("caption", "") or body.get("media", [{}])[0].get("caption", "")
        chat, text = body["chat_id"], caption if files else body["text"]
        if chat in self.stopped:
            return _wrong(403, "Forbidden: bot was blocked by the user")
        if chat not in self.channels.values() and not any(place[0] == chat for place in self.messages):
            return _wrong(400, "Bad Request: chat not found")
        if len(text) > 4_096:
            return _wrong(400, "Bad Request: message is too long")
        if files and len(text) > 1_024:
            return _wrong(400, "Bad Request: message caption is too long")
        if "media" in body and not 2 <= len(files) == len(body["media"]) <= 10:
            return _wrong(400, "Bad Request: there must be 2 to 10 items in the album")
        number = body.get("reply_parameters", {}).get("message_id", 0)
        message = self._message(BOT, chat, text, number if (chat, number) in self.messages else 0)
        if files:
            self.photos[chat, message["message_id"]] = files
        return Answered({"ok": True, "result": [message] if "media" in body else message})


def _read(asked: Asked) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """What a form says, and the files that it attaches and names."""
    body: dict[str, Any] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for name, (file_name, kind, content) in asked.form.items():
        if file_name:
            files[name] = (kind, content)
            continue
        text = content.decode()
        body[name] = json.loads(text) if text[:1] in "[{" or text.lstrip("-").isdigit() else text
    named = [body["photo"]] if "photo" in body else [one["media"] for one in body["media"]]
    return body, [files[name.removeprefix("attach://")] for name in named]


def _wrong(code: int, words: str, **parameters: Any) -> Answered:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": words}
    return Answered(body | ({"parameters": parameters} if parameters else {}), code)


def flood(wait_s: int) -> Answered:
    """What is answered to who writes too much."""
    return _wrong(429, f"Too Many Requests: retry after {wait_s}", retry_after=wait_s)
