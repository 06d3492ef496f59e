"""WhatsApp's Cloud API in this process: messages that arrive by signed calls, and answers within their window."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

APP = "123456789"
ME, TOKEN, SECRET, VERIFY = "106540352242922", "EAAG-a-token", "0123456789abcdef" * 2, "our words"


class WhatsApp(Act):
    """`write` is what people do, and gives what Meta calls with."""

    places = ("https://graph.facebook.com",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.wrote_at: dict[str, dt.datetime] = {}
        self.sent: list[dict[str, Any]] = []
        self.n_written = 0
        self.calls = "https://shop.example/hooks/otter/"
        self.scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
        self.per_round, self.used = 80, 0

    def write(
        self, author: str, text: str = "", *, to: str = ME, **more: Any
    ) -> tuple[dict[str, str], bytes]:
        """Somebody writes, or sends what is no text; authors with a full stop hide their number."""
        self.n_written += 1
        self.wrote_at[author] = self.day()
        is_hidden = "." in author
        who = {"from_user_id": author} if is_hidden else {"from": author, "from_user_id": f"US.{author}"}
        message = {
            **who,
            "id": f"wamid.{self.n_written:06d}",
            "timestamp": str(int(self.day().timestamp())),
            "type": "text",
            **({"text": {"body": text}} if text else {}),
            **more,
        }
        known = {"user_id": author} if is_hidden else {"wa_id": author, "user_id": f"US.{author}"}
        people = [{"profile": {"name": "Ana"}, **known}]
        return self._called({"contacts": people, "messages": [message]}, to)

    def status(self, sent: dict[str, Any], status: str) -> tuple[dict[str, str], bytes]:
        """What became of one of ours."""
        told = {
            "id": sent["id"],
            "status": status,
            "timestamp": str(int(self.day().timestamp())),
            "recipient_id": sent["to"],
            "biz_opaque_callback_data": sent["biz_opaque_callback_data"],
        }
        return self._called({"statuses": [told]}, ME)

    def _called(self, value: dict[str, Any], to: str) -> tuple[dict[str, str], bytes]:
        metadata = {"display_phone_number": "15550783881", "phone_number_id": to}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        right = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return {"x-hub-signature-256": f"sha256={right}"}, body

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/v23.0/debug_token" and asked.headers["authorization"] == f"Bearer {APP}|{SECRET}":
            return Answered(
                {"data": {"is_valid": asked.first("input_token") == TOKEN, "scopes": self.scopes}}
            )
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(190, "Error validating access token: Session has expired.", 401)
        if asked.path == "/v23.0/app":
            return Answered({"id": APP})
        if asked.path == f"/v23.0/{ME}":
            told = {"verified_name": "Otter Lamps", "display_phone_number": "+1 555-078-3881"}
            hook = {"webhook_configuration": {"application": self.calls}} if self.calls else {}
            return Answered(told | {"quality_rating": "GREEN", "id": ME} | hook)
        assert (asked.method, asked.path) == ("POST", f"/v23.0/{ME}/messages")
        self.used += 1
        if self.used > self.per_round:
            return error(130429, "Rate limit hit", 400, "Too many messages in a short period of time.")
        body = asked.content
        assert (body["messaging_product"], body["type"]) == ("whatsapp", "text")
        to = body.get("to") or body["recipient"]
        if body.get("to", "0").isdigit() is False:
            return error(100, "Invalid parameter", 400, "to has to be a phone number")
        wrote_at = self.wrote_at.get(to)
        if wrote_at is None or self.day() > wrote_at + dt.timedelta(hours=24):
            return error(131047, "Re-engagement message", 400, "More than 24 hours have passed.")
        self.sent.append({**body, "id": f"wamid.ours{len(self.sent) + 1}"})
        return Answered(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": to}],
                "messages": [{"id": self.sent[-1]["id"]}],
            }
        )


def error(code: int, words: str, status: int, details: str = "") -> Answered:
    """As Meta refuses."""
    told: dict[str, Any] = {"message": f"(#{code}) {words}", "type": "OAuthException", "code": code}
    if details:
        told["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return Answered({"error": told}, status)
