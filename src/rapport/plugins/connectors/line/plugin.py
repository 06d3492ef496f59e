"""LINE: messages to the firm's official account by signed web hooks, and our answers (Messaging API)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapport.kit import wire
from rapport.kit.errors import Denied, Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Hook,
    Manners,
    Receipt,
    Received,
    Said,
    Terms,
    refusal,
    setting,
    tried,
)

API = "https://api.line.me/v2/bot"
SIGNATURE = "x-line-signature"
DRAFTS = uuid.UUID("6f1f3f1e-6c55-5b6e-9a43-3c5f0f6b5d10")  # the namespace of our retry keys
LENGTH_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Config:
    """Which official account."""

    channel_secret: str = setting(
        "", "Channel secret", "In the LINE Developers Console, under Basic settings.", secret=True
    )
    access_token: str = setting(
        "", "Channel access token", "A long-lived one, under Messaging API.", secret=True
    )


class Line:
    """One official account."""

    name = "line"
    title = "LINE"
    network = "line"
    config: type[Config] = Config
    terms = Terms(
        keep_days=None,
        may_match=True,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=False,
        source="https://terms2.line.me/official_account_api_terms_jp",
        read_on=None,
        note=(
            "LINE asks that messages which their author took back are not looked at or used any more, and forbids to "
            "find out what kind of person stands behind a user's number. How long the rest is kept is the firm's to "
            "say; that nothing is learned is our own caution."
        ),
    )
    manners = Manners(requests=60, per_s=60, every_s=60, publishes_once=True, length_max=LENGTH_MAX)
    costs = "Receiving is free; each answer counts towards the messages of the account's plan, of which some are free."
    sees = "What people write to the official account alone or in groups it was invited to, what they take back, and blocks."
    cannot_see = (
        "Names of authors, anything before the web hook was set up or while it did not answer, pictures and voices "
        "themselves, and whether a message was read."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"[0-9a-f]{32}", config.channel_secret):
            raise Invalid("this is no channel secret", "It has 32 small letters and digits.")
        if not re.fullmatch(r"[\x21-\x7e]{8,}", config.access_token):
            raise Invalid("there is no channel access token", "Issue a long-lived one in the console.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        def told(path: str) -> Any:
            return _document(_asked(config, context, path), context)

        def hook() -> str:
            answer = _asked(config, context, "channel/webhook/endpoint")
            if answer.status == 404:
                raise Failed("LINE calls nobody yet")
            called = _document(answer, context)
            target = wire.text_at(called, "endpoint")
            if wire.at(called, "active") is not True:
                raise Failed("is not switched on")
            if context.address and target.rstrip("/") != context.address.rstrip("/"):
                raise Failed(f"leads to {target}, which is not this source")
            return f"leads to {target}"

        def messages() -> str:
            limit = wire.count_at(told("message/quota"), "value")
            spent = wire.count_at(told("message/quota/consumption"), "totalUsage") or 0
            if limit is None:
                return "as many as are wanted can be sent"
            if spent >= limit:
                raise Failed(f"{spent} of {limit} are used this month")
            return f"{spent} of {limit} are used this month"

        address = f"Enter {context.address or 'its address'} under Messaging API, and switch Use webhook on."
        return tried(
            ("Web hook", hook, address),
            ("Messages", messages, "Change the account's plan in LINE Official Account Manager."),
            who=lambda: f"it is that of {wire.text_at(told('info'), 'displayName')}",
        )

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:  # noqa: ARG002
        made = hmac.new(config.channel_secret.encode(), hook.body, hashlib.sha256).digest()
        if not hmac.compare_digest(base64.b64encode(made), hook.headers.get(SIGNATURE, "").encode()):
            raise Denied(
                "the signature does not hold", "Enter the secret of the channel whose web hook this is."
            )
        body = wire.document(hook.body)
        if not isinstance(body, dict):
            raise Invalid("the body is no JSON", "See that LINE's web hook leads here.")
        found = (_read(event) for event in wire.items_at(body, "events"))
        return Received([one for one in found if one])

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to send", is_permanent=True)
        to = draft.thread or draft.to
        if not re.fullmatch(r"[UCR][0-9a-f]{32}", to):
            raise Failed("nobody on LINE is named whom this message is for", is_permanent=True)
        body = {"to": to, "messages": [{"type": "text", "text": draft.text}]}
        # LINE takes a key once within 24 hours, so a message whose answer was lost is not sent twice.
        key = str(uuid.uuid5(DRAFTS, draft.id))
        answer = _asked(config, context, "message/push", body, {"x-line-retry-key": key})
        found = wire.document(answer.body)
        if answer.status == 409 and answer.headers.get("x-line-accepted-request-id"):
            id = wire.text_at(found, "sentMessages", 0, "id") or f"retry:{key}"
            return Receipt(id, "", "it had been taken already")
        _document(answer, context)
        id = wire.text_at(found, "sentMessages", 0, "id")
        if not id:
            raise Failed("LINE does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(id)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:  # noqa: ARG002
        # There is no list of what was sent. Sending it again with the same key tells, within 24 hours.
        raise Failed(
            "LINE cannot be asked whether a message was taken",
            is_unsure=True,
            retry_after_s=60.0,
            hint="Look at the chat in LINE Official Account Manager before you send it again.",
        )


def _read(event: Any) -> Said | None:
    """One event; None for those that say nothing to us."""
    stamp, kind = wire.count_at(event, "timestamp"), wire.text_at(event, "type")
    author = wire.text_at(event, "source", "userId")
    # Where an account is one of several that answer a chat, those in standby are told and may not act.
    if stamp is None or wire.text_at(event, "mode") == "standby":
        return None
    at = dt.datetime.fromtimestamp(stamp / 1_000, dt.UTC)
    place = wire.text_at(event, "source", "groupId") or wire.text_at(event, "source", "roomId")
    if kind == "unsend":
        about = wire.text_at(event, "unsend", "messageId")
        return Said(f"{about}#deletion", "deletion", at, "", about=about) if about else None
    if kind == "unfollow" and author:
        return Said(wire.text_at(event, "webhookEventId") or f"{author}@{stamp}", "block", at, author)
    message = wire.at(event, "message")
    id, what = wire.text_at(message, "id"), wire.text_at(message, "type")
    if kind != "message" or not id:
        return None
    named = wire.items_at(message, "mention", "mentionees")
    return Said(
        id=id,
        kind="message",
        ts=at,
        author=author,
        text=wire.text_at(message, "text") if what == "text" else f"[{what or 'unknown'}]",
        in_reply_to=wire.text_at(message, "quotedMessageId"),
        thread=place or author,
        venue="line",
        is_private=not place,
        asks_us=not place or any(wire.at(one, "isSelf") is True for one in named),
    )


def _asked(
    config: Config, context: Context, path: str, body: Any = None, more: dict[str, str] | None = None
) -> Answer:
    headers = {"authorization": f"Bearer {config.access_token}", **(more or {})}
    if body is None:
        return context.fetch(Request(f"{API}/{path}", headers=headers))
    sent = json.dumps(body, ensure_ascii=False).encode()
    return context.fetch(
        Request(f"{API}/{path}", "POST", sent, headers | {"content-type": "application/json"})
    )


def _document(answer: Answer, context: Context) -> Any:
    """What an answer holds; raises Failed for a refusal, in LINE's words."""
    found = wire.document(answer.body)
    if answer.status == 200:
        return found
    words = wire.text_at(found, "message")
    detail = wire.text_at(found, "details", 0, "message")
    if answer.status == 429 and "monthly limit" in words:
        raise Failed(
            f"the messages of this month are used up: {words}",
            reason="rate",
            retry_after_s=86_400.0,
            hint="Change the account's plan in LINE Official Account Manager.",
        )
    failed = refusal(answer, "LINE", context.now(), words=f"{words} ({detail})" if detail else words)
    failed.is_unsure = answer.status >= 500
    raise failed


plugin = Line()
