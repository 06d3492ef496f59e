"""LINE in this process: events that are signed, pushes that a retry key lets through once, plans that end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

SECRET, TOKEN = "0123456789abcdef" * 2, "a-channel-token"


class Line(Act):
    """`write` is what people do, and gives what LINE calls with."""

    places = ("https://api.line.me",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.sent: dict[str, dict[str, Any]] = {}
        self.calls = "https://shop.example/hooks/otter/"
        self.n_events, self.plan, self.is_on = 0, 200, True

    def write(self, author: str, text: str, *, group: str = "", **more: Any) -> dict[str, Any]:
        """Somebody writes to the account, or in a group where it is."""
        message = {"id": str(444_573_844_083_572_737 + self.n_events), "type": "text", "text": text, **more}
        return self.event("message", author, group=group, message=message, replyToken="a-reply-token")

    def event(self, kind: str, author: str, *, group: str = "", **more: Any) -> dict[str, Any]:
        """Anything that LINE tells."""
        self.n_events += 1
        place = {"type": "group", "groupId": group} if group else {"type": "user"}
        return {
            "type": kind,
            "mode": "active",
            "timestamp": int(self.day().timestamp() * 1_000),
            "source": {**place, "userId": author},
            "webhookEventId": f"01FZ74A0TDDPYRVKNK77XKC3{self.n_events:02d}",
            "deliveryContext": {"isRedelivery": False},
            **more,
        }

    def call(self, *events: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """A signed call with events."""
        body = json.dumps({"destination": "U" + "0" * 32, "events": events}).encode()
        made = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
        return {"x-line-signature": base64.b64encode(made).decode()}, body

    def answer(self, asked: Asked) -> Answered:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            words = (
                "Authentication failed. Confirm that the access token in the authorization header is valid."
            )
            return Answered({"message": words}, 401)
        path = asked.path.removeprefix("/v2/bot/")
        if path == "message/push":
            return self._pushed(asked)
        if path == "channel/webhook/endpoint" and not self.calls:
            return Answered({"message": "Webhook endpoint not found."}, 404)
        told: dict[str, dict[str, Any]] = {
            "info": {"displayName": "Otter Lamps", "basicId": "@216ru"},
            "channel/webhook/endpoint": {
                "endpoint": self.calls,
                "active": self.is_on,
            },
            "message/quota": {"type": "limited", "value": self.plan},
            "message/quota/consumption": {"totalUsage": len(self.sent)},
        }
        return Answered(told[path])

    def _pushed(self, asked: Asked) -> Answered:
        key = asked.headers["x-line-retry-key"]
        if key in self.sent:
            body = {
                "message": "The retry key is already accepted",
                "sentMessages": [{"id": self.sent[key]["id"]}],
            }
            return Answered(body, 409, {"x-line-accepted-request-id": "123e4567"})
        if len(self.sent) >= self.plan:
            return Answered({"message": "You have reached your monthly limit."}, 429)
        if not asked.content["to"].startswith("U"):
            details = [{"message": "The value must be a known id", "property": "to"}]
            return Answered(
                {"message": "The property, 'to', in the request body is invalid", "details": details}, 400
            )
        self.sent[key] = {**asked.content, "id": str(461_230_966_842_064_897 + len(self.sent))}
        return Answered({"sentMessages": [{"id": self.sent[key]["id"], "quoteToken": "q"}]})
