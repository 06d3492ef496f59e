"""WhatsApp: messages to the firm's number by signed web hooks, and our answers within their window (Cloud API)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
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
from rapport.plugins.connectors.meta_pages import rights
from rapport.plugins.connectors.whatsapp.archive import WhatsAppArchive

API = "https://graph.facebook.com/v23.0"
SIGNATURE = "x-hub-signature-256"
SENT = "sent"  # where it is remembered which number a draft of ours got
SENT_MAX = 2_000
SHOWN = "display_phone_number,verified_name,quality_rating,webhook_configuration"
RIGHTS = {
    "whatsapp_business_messaging": "receive and send messages",
    "whatsapp_business_management": "see the number's state and whom Meta calls",
}
TOLD, TOLD_DAYS = "told:", 3  # by which number we know a message, while it may be changed or taken back
KEY_CHARS_MAX = 200
SILENT = frozenset({"system", "request_welcome"})  # told by WhatsApp itself, or of a chat that was opened
WINDOW = dt.timedelta(hours=24)  # after somebody wrote to us
LENGTH_MAX = 4_096
BUSY = frozenset({4, 80007, 130429, 131048, 131056, 133016})
TEMPORARY = frozenset({1, 2, 131000, 131016, 133004})


@dataclass(frozen=True, slots=True)
class Config:
    """Which number, and by which app."""

    number: str = setting(
        "", "Phone number's id", "Digits, in the app's set-up of WhatsApp; not the number itself."
    )
    access_token: str = setting(
        "", "Access token", "Of a system account of the firm, which does not end by itself.", secret=True
    )
    app_secret: str = setting(
        "", "App secret", "Of the firm's own app. Its web hooks are signed with it.", secret=True
    )
    verify_token: str = setting(
        "", "Verify token", "Any words; enter the same where the app's web hook is set up.", secret=True
    )


class WhatsApp:
    """One number of the firm."""

    name = "whatsapp"
    title = "WhatsApp"
    network = "whatsapp"
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
        source="https://www.whatsapp.com/legal/business-policy",
        read_on=None,
        note=(
            "What people write may be used to answer them, and for nothing else; a way to a person has to be offered, "
            "and whoever asks for no more messages gets none. What is kept, and how long, is the firm's to say."
        ),
    )
    archive = WhatsAppArchive()
    manners = Manners(requests=60, per_s=60, every_s=60, length_max=LENGTH_MAX)
    costs = (
        "Answers within 24 hours are free; it needs an app, a number and an account of the firm's own with WhatsApp, "
        "and what begins a conversation is paid for."
    )
    sees = "What people write to the firm's number, names they give themselves, reactions, and what became of ours."
    cannot_see = (
        "Anything before the web hook was set up, or while it did not answer for longer than Meta tries again, "
        "groups, pictures and voices themselves, and, where the number is not in the WhatsApp Business app as well, "
        "what is changed or taken back."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"[0-9]{5,20}", config.number):
            raise Invalid(
                f"{config.number!r} is no id of a number", "Copy it from the app's set-up of WhatsApp."
            )
        if not re.fullmatch(r"[\x21-\x7e]{8,}", config.access_token):
            raise Invalid("there is no access token", "Make one for a system account of the firm.")
        if not re.fullmatch(r"[0-9a-f]{32}", config.app_secret):
            raise Invalid("this is no app secret", "Copy it from the app's basic settings.")
        if not config.verify_token.strip():
            raise Invalid("there is no verify token", "Choose any words, and enter them at Meta as well.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        told: Any = None

        def who() -> str:
            nonlocal told
            told = _asked(config, context, f"{config.number}?fields={SHOWN}")
            name, shown = wire.text_at(told, "verified_name"), wire.text_at(told, "display_phone_number")
            return f"it may use {shown} of {name}"

        found = tried(who=who)
        if found[0].state == "bad":
            return found
        found += rights.findings(context, API, config.access_token, config.app_secret, RIGHTS)
        named = wire.at(told, "webhook_configuration")
        called = [text for text in named.values() if isinstance(text, str)] if isinstance(named, dict) else []
        is_elsewhere = context.address.rstrip("/") not in {one.rstrip("/") for one in called}
        if called and context.address and is_elsewhere:
            message, hint = (
                f"Meta calls {', '.join(called)}",
                f"Enter {context.address} in the app's set-up of WhatsApp.",
            )
            found.append(Finding("Web hook", "bad", message, hint))
        elif called:
            found.append(Finding("Web hook", "ok", "Meta calls this source"))
        else:
            message = "Meta does not say whom it calls"
            hint = "In the app's set-up of WhatsApp, enter this source's address and subscribe to messages."
            found.append(Finding("Web hook", "warn", message, hint))
        if wire.text_at(told, "quality_rating") == "RED":
            message = "WhatsApp rates what this number sends as bad, and may limit it"
            found.append(Finding("Quality", "warn", message, "Write less, and to whoever wants it alone."))
        return found

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        if hook.method == "GET":
            return _challenged(config, hook)
        right = hmac.new(config.app_secret.encode(), hook.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(f"sha256={right}".encode(), hook.headers.get(SIGNATURE, "").encode()):
            raise Denied("the signature does not hold", "Enter the secret of the app whose web hook this is.")
        body = wire.document(hook.body)
        if not isinstance(body, dict):
            raise Invalid("the body is no JSON", "See that Meta's web hook leads here.")
        said: list[Said] = []
        for entry in wire.items_at(body, "entry"):
            for change in wire.items_at(entry, "changes"):
                value = wire.at(change, "value")
                # An account may have several numbers, all with one web hook.
                if wire.text_at(value, "metadata", "phone_number_id") != config.number:
                    continue
                for status in wire.items_at(value, "statuses"):
                    _note_sent(context, status)
                names = {
                    wire.text_at(one, who): wire.text_at(one, "profile", "name")
                    for one in wire.items_at(value, "contacts")
                    for who in ("wa_id", "user_id")
                }
                for message in wire.items_at(value, "messages"):
                    one = _read(config, message, names, context)
                    said += [one] if one else []
        return Received(said)

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to send", is_permanent=True)
        number, at = _answered(draft)
        now = context.now()
        if now >= at + WINDOW:
            raise Failed(
                f"WhatsApp takes free words only within 24 hours after somebody wrote; that was over {_ago(now - at)}",
                reason="permission",
                is_permanent=True,
                hint="Send an approved template from WhatsApp Manager, or answer in another way that they agreed to.",
            )
        # Whoever shows a name instead of a number is named by an id of Meta's, as it was told.
        to = draft.thread.rpartition(":")[2] or draft.to.removeprefix("+")
        if not re.fullmatch(r"[0-9]{6,15}|[A-Z]{2}\.[0-9A-Za-z.]{1,140}", to):
            raise Failed("nobody is named whom this message is for", is_permanent=True)
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to" if to.isdigit() else "recipient": to,
            "context": {"message_id": number},
            "type": "text",
            "text": {"body": draft.text, "preview_url": False},
            "biz_opaque_callback_data": draft.id,  # comes back with what became of it
        }
        told = _asked(config, context, f"{config.number}/messages", body)
        id = wire.text_at(told, "messages", 0, "id")
        if not id:
            raise Failed("WhatsApp does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(id, "", wire.text_at(told, "messages", 0, "message_status"))

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:  # noqa: ARG002
        number = context.memory.get(SENT, {}).get(draft.id)
        if number is not None:
            return Receipt(number)
        # There is no list of what was sent, and silence of the web hook proves nothing.
        raise Failed(
            "WhatsApp cannot be asked whether a message was taken",
            is_unsure=True,
            retry_after_s=60.0,
            hint="Look at the conversation in WhatsApp Manager before you send it again.",
        )


def _read(config: Config, message: Any, names: Mapping[str, str], context: Context) -> Said | None:
    """One message; None where it is not whole, or says nothing."""
    number, stamp = wire.text_at(message, "id"), wire.text_at(message, "timestamp")
    # People who show a name instead of their number come without it.
    author = wire.text_at(message, "from") or wire.text_at(message, "from_user_id")
    kind = wire.text_at(message, "type")
    if not number or not re.fullmatch(r"[0-9]{9,11}", stamp) or not author or kind in SILENT:
        return None
    at = dt.datetime.fromtimestamp(int(stamp), dt.UTC)
    # The window runs from this moment, and no list tells it later; so the id carries it.
    id = f"{number}@{stamp}"
    if kind == "reaction":
        about = wire.text_at(message, "reaction", "message_id")
        emoji = wire.text_at(message, "reaction", "emoji")
        if not about or not emoji:
            return None  # taken back
        return Said(id, "reaction", at, author, about=about, is_private=True, detail={"kind": emoji})
    if kind in {"edit", "revoke"}:
        return _changed(id, at, author, message, context)
    if context.kept is not None:
        context.kept.put(f"{TOLD}{number}"[:KEY_CHARS_MAX], id, about=author, days=TOLD_DAYS)
    return Said(
        id=id,
        kind="message",
        ts=at,
        author=author,
        author_name=names.get(author, ""),
        text=_words(message, kind),
        in_reply_to=wire.text_at(message, "context", "id"),
        thread=f"{config.number}:{author}",
        venue="whatsapp",
        is_private=True,
        asks_us=True,
    )


def _changed(id: str, at: dt.datetime, author: str, message: Any, context: Context) -> Said | None:
    """That a message was changed or taken back; None where we do not know it any more."""
    kind = wire.text_at(message, "type")
    key = f"{TOLD}{wire.text_at(message, kind, 'original_message_id')}"
    about = context.kept.get(key) if context.kept is not None and len(key) <= KEY_CHARS_MAX else None
    if not isinstance(about, str):
        return None
    if kind == "revoke":
        return Said(f"{about}#deletion", "deletion", at, author, about=about, is_private=True)
    held = wire.at(message, "edit", "message")
    words = _words(held, wire.text_at(held, "type"))
    return Said(id, "edit", at, author, words, about=about, venue="whatsapp", is_private=True)


def _words(message: Any, kind: str) -> str:
    """What a message says; of what is no text, its caption and what it is."""
    if kind == "text":
        return wire.text_at(message, "text", "body")
    if kind == "button":
        return wire.text_at(message, "button", "text")
    if kind == "interactive":
        which = wire.text_at(message, "interactive", "type")
        return wire.text_at(message, "interactive", which, "title")
    caption = wire.text_at(message, kind, "caption")
    return f"[{kind or 'unknown'}] {caption}".strip()


def _note_sent(context: Context, status: Any) -> None:
    draft, number = wire.text_at(status, "biz_opaque_callback_data"), wire.text_at(status, "id")
    if draft and number and wire.text_at(status, "status") != "failed":
        held = context.memory.setdefault(SENT, {})
        held[draft] = number
        while len(held) > SENT_MAX:
            del held[next(iter(held))]


def _answered(draft: Draft) -> tuple[str, dt.datetime]:
    """The message that is answered, and when it was written."""
    number, _, stamp = draft.in_reply_to.rpartition("@")
    if not number or not re.fullmatch(r"[0-9]{9,11}", stamp):
        raise Failed(
            "WhatsApp takes free words only in answer to a message",
            reason="permission",
            is_permanent=True,
            hint="What begins a conversation has to be a template that WhatsApp approved.",
        )
    return number, dt.datetime.fromtimestamp(int(stamp), dt.UTC)


def _ago(passed: dt.timedelta) -> str:
    hours = int(passed.total_seconds() // 3_600)
    return f"{hours} hours ago" if hours < 72 else f"{hours // 24} days ago"


def _asked(config: Config, context: Context, path: str, body: Any = None) -> Any:
    headers = {"authorization": f"Bearer {config.access_token}"}
    if body is None:
        request = Request(f"{API}/{path}", headers=headers)
    else:
        sent = json.dumps(body, ensure_ascii=False).encode()
        request = Request(f"{API}/{path}", "POST", sent, headers | {"content-type": "application/json"})
    answer = context.fetch(request)
    found = wire.document(answer.body)
    if answer.status != 200 or wire.at(found, "error"):
        raise _failed(answer, wire.at(found, "error"), context.now())
    return found


def _failed(answer: Answer, error: Any, now: dt.datetime) -> Failed:
    code = wire.count_at(error, "code")
    words = wire.text_at(error, "error_data", "details") or wire.text_at(error, "message")
    if code in {0, 190}:
        return Failed(
            f"WhatsApp does not accept the access token any more: {words}",
            reason="login",
            retry_after_s=None,
            hint="Make a new one for a system account of the firm, and enter it in this source.",
        )
    if code in BUSY:
        return Failed(f"WhatsApp wants fewer messages: {words}", reason="rate", retry_after_s=60.0)
    if code in TEMPORARY:
        return Failed(f"WhatsApp is out of order for now: {words}", retry_after_s=60.0, is_unsure=True)
    if code == 131047:
        return Failed(f"the 24 hours are over: {words}", reason="permission", is_permanent=True)
    if code in {10, 131005, 131031} or (code is not None and 200 <= code <= 299):
        return Failed(f"WhatsApp does not let us do this: {words}", reason="permission", is_permanent=True)
    failed = refusal(answer, "WhatsApp", now, words=words)
    failed.is_unsure = answer.status >= 500
    return failed


def _challenged(config: Config, hook: Hook) -> Received:
    """Meta asks whether this address is ours, with the token that was entered there."""
    given = hook.query.get("hub.verify_token", "")
    is_right = hmac.compare_digest(given.encode(), config.verify_token.encode())
    if hook.query.get("hub.mode") != "subscribe" or not config.verify_token or not is_right:
        raise Denied("the verify token is another", "Enter the same words here and at Meta.")
    return Received(body=hook.query.get("hub.challenge", "")[:200].encode())


plugin = WhatsApp()
