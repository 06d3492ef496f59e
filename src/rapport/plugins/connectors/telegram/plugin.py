"""Telegram: what is written to a bot of the firm, alone or in groups, and its answers (Bot API)."""

from __future__ import annotations

import contextlib
import datetime as dt
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.kit import wire
from rapport.kit.errors import Denied, Invalid
from rapport.kit.http import Request
from rapport.kit.marks import Marks
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Hook,
    Manners,
    Page,
    Pictures,
    Receipt,
    Received,
    Said,
    Terms,
    refusal,
    setting,
)
from rapport.plugins.connectors.telegram.archive import TelegramArchive

API = "https://api.telegram.org"
LENGTH_MAX = 4_096
# Bots may give a picture a caption, and no alternative text (https://core.telegram.org/bots/api#sendphoto).
PICTURES = Pictures(most=10, bytes_max=10_000_000, side_max=4_096, takes_alt=False, text_max=1_024)
PAGE = 100  # the most that getUpdates gives at once
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105  the name of a header
US = "us"  # where it is remembered who the bot is
# Updates of these kinds are asked for; Telegram gives reactions only to those who ask, and to administrators.
KINDS = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "message_reaction",
    "my_chat_member",
)
WAYS = {
    "asked": "Telegram is asked every few seconds",
    "called": "Telegram calls us (set its web hook yourself)",
}
HELD = (
    "photo",
    "video",
    "voice",
    "audio",
    "document",
    "sticker",
    "animation",
    "video_note",
    "location",
    "contact",
)
_ID = re.compile(r"(-?\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Config:
    """Which bot, and how its updates reach us."""

    bot_token: str = setting("", "Token of the bot", "From @BotFather, such as 123:ABC…", secret=True)
    way: str = setting("asked", "How it is read", choices=WAYS)
    webhook_secret: str = setting(
        "",
        "Secret of the web hook",
        "What setWebhook was given as secret_token: letters, digits, _ and -. Needed where Telegram calls.",
        secret=True,
        optional=True,
    )
    posts_to: str = setting(
        "", "Channel for our posts", "Such as @ottershop, where the bot is an administrator.", optional=True
    )


class Telegram:
    """One bot."""

    name = "telegram"
    title = "Telegram"
    network = "telegram"
    config: type[Config] = Config
    terms = Terms(
        keep_days=365,
        may_match=True,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=False,
        source="https://telegram.org/tos/bot-developers",
        read_on=None,
        note=(
            "Read the page named here before you switch this on. "
            "A bot may send nothing unasked, needs a privacy policy and has to answer /privacy with it; it may keep "
            "what its service needs and no longer, encrypted, and deletes what somebody asks for. No data is gathered "
            "for models; other uses need each person's consent. The year and the hours are our own limit."
        ),
    )
    # About thirty messages a second in all, one a second to one chat and twenty a minute to a group.
    archive = TelegramArchive()
    manners = Manners(requests=20, per_s=1, every_s=3, length_max=LENGTH_MAX, pictures=PICTURES)
    costs = "Free: a bot made with @BotFather is enough."
    sees = "What is written to the bot alone, and in groups and channels where it is a member what it is let see."
    cannot_see = (
        "Deletions, which Telegram never tells bots; whatever lay there for longer than 24 hours without being "
        "fetched; in groups with privacy mode all but commands, mentions and answers; public search."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"\d{1,20}:[\w-]{30,80}", config.bot_token, re.ASCII):
            raise Invalid("this is no token of a bot", "Copy the whole of it from @BotFather: 123456:ABC…")
        if config.way not in WAYS:
            raise Invalid(f"{config.way!r} is no way to read", f"There are {', '.join(WAYS)}.")
        if config.webhook_secret and not re.fullmatch(r"[\w-]{16,256}", config.webhook_secret, re.ASCII):
            raise Invalid(
                "the web hook's secret has to be 16 to 256 letters, digits, _ or -",
                "Make one with: openssl rand -hex 32.",
            )
        if config.posts_to and not re.fullmatch(r"@\w{4,64}|-\d{1,20}", config.posts_to, re.ASCII):
            raise Invalid(f"{config.posts_to!r} is no channel", "Write it like @ottershop.")
        if config.way == "called" and not config.webhook_secret:
            raise Invalid("without a secret anybody could call", "Give one here and to setWebhook.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        try:
            me = self._us(config, context)
            hook = asked(config, context, "getWebhookInfo", {})
        except Failed as failed:
            return [Finding("Token", "bad", failed.message, failed.hint)]
        found = [Finding("Token", "ok", f"it is that of @{wire.text_at(me, 'username')}")]
        url, wrong = wire.text_at(hook, "url"), wire.text_at(hook, "last_error_message")
        if bool(url) != (config.way == "called"):
            message = f"Telegram calls {url}" if url else "Telegram calls nobody"
            hint = (
                "Call deleteWebhook, or choose that Telegram calls."
                if url
                else "Call setWebhook with our address."
            )
            found.append(Finding("Way", "bad", f"{message}, which is not what was chosen here", hint))
        elif url and context.address and url.rstrip("/") != context.address.rstrip("/"):
            hint = f"Call setWebhook with {context.address}."
            found.append(Finding("Way", "bad", f"Telegram calls {url}, which is not this source", hint))
        elif wrong:
            found.append(Finding("Way", "warn", f"Telegram's last call failed: {wrong}"))
        else:
            found.append(Finding("Way", "ok", WAYS[config.way]))
        if config.posts_to:
            found.append(self._channel(config, context))
        if wire.at(me, "can_read_all_group_messages") is not True:
            hint = "Switch privacy mode off with @BotFather where the bot should read whole groups."
            found.append(Finding("Groups", "warn", "in groups it sees what addresses it alone", hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        if config.way == "called":
            return
        marks = Marks.read(cursor)
        me = self._us(config, context)
        us, name = wire.count_at(me, "id") or 0, wire.text_at(me, "username")
        while not context.is_stopping():
            body: dict[str, Any] = {"limit": PAGE, "timeout": 0, "allowed_updates": list(KINDS)}
            if marks.left.get("offset"):
                # Asking for what follows an update tells Telegram that it arrived, so it is durable before.
                body["offset"] = int(marks.left["offset"])
            updates = asked(config, context, "getUpdates", body)
            numbers = [n for one in updates if (n := wire.count_at(one, "update_id")) is not None]
            if not numbers:
                return
            marks.left["offset"] = str(max(numbers) + 1)
            yield Page([said for one in updates for said in read(one, us, name)], marks.text())

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        told = hook.headers.get(SECRET_HEADER, "")
        if not config.webhook_secret or not hmac.compare_digest(
            config.webhook_secret.encode(), told.encode()
        ):
            raise Denied("the secret is not ours", "Give setWebhook the same secret_token as this source.")
        update = wire.document(hook.body)
        if wire.count_at(update, "update_id") is None:
            raise Invalid("the body is no update of Telegram", "See that nothing else calls this address.")
        name = ""
        if b"@" in hook.body:
            # What came is kept also where Telegram cannot be asked now; that it names the bot is then not known.
            with contextlib.suppress(Failed):
                name = wire.text_at(self._us(config, context), "username")
        return Received(read(update, int(config.bot_token.partition(":")[0]), name))

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        chat, number = _place(config, draft)
        body: dict[str, Any] = {"chat_id": chat}
        if number:
            # Where what is answered was deleted meanwhile, the answer stands by itself rather than not at all.
            body["reply_parameters"] = {"message_id": number, "allow_sending_without_reply": True}
        made = _sent(config, context, draft, body)
        sent, chat_number = wire.count_at(made, "message_id"), wire.at(made, "chat", "id") or chat
        if sent is None:
            raise Failed("Telegram does not say what became of it", is_unsure=True, retry_after_s=None)
        return Receipt(f"{chat_number}/{sent}", link(made))

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:  # noqa: ARG002  the contract's
        raise Failed(
            "Telegram shows bots nothing of what they wrote",
            retry_after_s=None,
            is_unsure=True,
            hint="Look into the chat: if the answer is not there, send it anew.",
        )

    def _channel(self, config: Config, context: Context) -> Finding:
        try:
            chat = asked(config, context, "getChat", {"chat_id": config.posts_to})
        except Failed as failed:
            return Finding("Channel", "bad", failed.message, "Make the bot an administrator of the channel.")
        return Finding("Channel", "ok", f"our posts go to {wire.text_at(chat, 'title') or config.posts_to}")

    def _us(self, config: Config, context: Context) -> Mapping[str, Any]:
        held = context.memory.get(US)
        if not held or held[0] != config.bot_token:
            held = context.memory[US] = (config.bot_token, asked(config, context, "getMe", {}))
        known: Mapping[str, Any] = held[1]
        return known


def _sent(config: Config, context: Context, draft: Draft, body: dict[str, Any]) -> Any:
    """What was made of a draft; pictures travel in the same request as their words, so that there are both or none."""
    if not draft.media:
        return asked(config, context, "sendMessage", {**body, "text": draft.text})
    files = {
        f"p{n}": (f"picture.{one.content_type.partition('/')[2]}", one.content_type, one.read())
        for n, one in enumerate(draft.media)
    }
    if len(files) == 1:
        return asked(
            config, context, "sendPhoto", {**body, "photo": "attach://p0", "caption": draft.text}, files
        )
    group: list[dict[str, str]] = [{"type": "photo", "media": f"attach://{name}"} for name in files]
    group[0]["caption"] = draft.text  # of the whole album, where no other has one
    return wire.at(asked(config, context, "sendMediaGroup", {**body, "media": group}, files), 0)


def asked(
    config: Config,
    context: Context,
    method: str,
    body: Mapping[str, Any],
    files: Mapping[str, tuple[str, str, bytes]] | None = None,
) -> Any:
    """Ask the Bot API; raises Failed in its words, and never with the token, which stands in the address."""
    sent = json.dumps(body, ensure_ascii=False).encode()
    headers: Mapping[str, str] = {"content-type": "application/json"}
    if files:
        said = [(k, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for k, v in body.items()]
        sent, headers = wire.form(said, [(name, *file) for name, file in files.items()])
    answer = context.fetch(Request(f"{API}/bot{config.bot_token}/{method}", "POST", sent, headers))
    found = wire.document(answer.body)
    if answer.status == 200 and wire.at(found, "ok") is True:
        return wire.at(found, "result")
    code = wire.count_at(found, "error_code") or answer.status
    words = wire.text_at(found, "description")
    if answer.status == 200 and not isinstance(found, dict):
        raise Failed("Telegram answered with something that is no JSON", is_unsure=method.startswith("send"))
    is_unsure = method.startswith("send") and code >= 500
    wait = wire.count_at(found, "parameters", "retry_after")
    if code == 429 and wait:
        return _raise(
            Failed(f"Telegram wants fewer messages: {words}", reason="rate", retry_after_s=float(wait))
        )
    moved = wire.at(found, "parameters", "migrate_to_chat_id")
    if isinstance(moved, int):
        raise Failed(
            f"the group is now chat {moved}", is_permanent=True, hint="Answer what is written there."
        )
    if code in {401, 404}:  # a token that was revoked, and one that never was
        raise Failed(
            f"Telegram does not accept the bot's token: {words or 'it does not know it'}",
            reason="login",
            retry_after_s=None,
            hint="Ask @BotFather for the token, and enter it anew.",
        )
    if code == 409:
        raise Failed(
            f"somebody else reads this bot: {words}",
            reason="permission",
            retry_after_s=600.0,
            hint="Call deleteWebhook, end the other reader, or choose that Telegram calls.",
        )
    if code == 403:
        raise Failed(f"the bot may not write there: {words}", reason="permission", is_permanent=True)
    failed = refusal(answer, "Telegram", context.now(), words=words)
    failed.is_unsure = is_unsure
    raise failed


def _raise(failed: Failed) -> Any:
    raise failed


def read(update: Any, us: int, name: str = "") -> list[Said]:
    """What one update says; nothing where it is of a kind that we do not read."""
    for kind in ("message", "channel_post"):
        if isinstance(message := wire.at(update, kind), dict):
            return [said] if (said := written(message, us, name)) else []
        if isinstance(message := wire.at(update, f"edited_{kind}"), dict):
            said = written(message, us, name)
            if said is None:
                return []
            edited = wire.count_at(message, "edit_date") or 0
            id = f"{said.id}#{edited}-{wire.count_at(update, 'update_id')}"
            at = dt.datetime.fromtimestamp(edited, dt.UTC) if edited else said.ts
            edit = Said(
                id,
                "edit",
                at,
                said.author,
                said.text,
                about=said.id,
                venue=said.venue,
                is_private=said.is_private,
            )
            return [edit]
    if isinstance(reaction := wire.at(update, "message_reaction"), dict):
        return _reaction(update, reaction)
    return _block(update)


def written(message: Any, us: int, name: str = "") -> Said | None:
    """A message; None where it is not whole, or a notice of Telegram's."""
    chat, number = wire.at(message, "chat", "id"), wire.count_at(message, "message_id")
    at_s, kind = wire.count_at(message, "date"), wire.text_at(message, "chat", "type")
    words = wire.text_at(message, "text") or wire.text_at(message, "caption")
    held = next((name for name in HELD if name in message), "")
    if not isinstance(chat, int) or number is None or at_s is None or not (words or held):
        return None
    # Who speaks as a channel or a group is named beside a stand-in that all of those share.
    who = wire.at(message, "sender_chat") or wire.at(message, "from") or wire.at(message, "chat")
    author = wire.at(who, "id")
    parent = wire.count_at(message, "reply_to_message", "message_id")
    is_private = kind == "private"
    topic = wire.count_at(message, "message_thread_id")
    thread = f"{chat}" if is_private else f"{chat}/{topic or parent or number}"
    is_ours = author == us
    to_us = wire.at(message, "reply_to_message", "from", "id") == us
    return Said(
        id=f"{chat}/{number}",
        kind="message" if is_private else "post",
        ts=dt.datetime.fromtimestamp(at_s, dt.UTC),
        author=str(author) if isinstance(author, int) else "",
        author_name=_name(who),
        text=words or f"({held.replace('_', ' ')})",
        in_reply_to=f"{chat}/{parent}" if parent else "",
        thread=thread,
        venue="telegram" if is_private else f"telegram:{chat}",
        language=wire.text_at(who, "language_code")[:2].lower(),
        url=link(message),
        subject_line="" if is_private else wire.text_at(message, "chat", "title"),
        # Groups are not public either, unless they have a name by which anybody finds them.
        is_private=is_private or not wire.text_at(message, "chat", "username"),
        is_ours=is_ours,
        asks_us=not is_ours and (is_private or to_us or _names_us(message, words, us, name)),
    )


def _names_us(message: Any, words: str, us: int, name: str) -> bool:
    """Whether it begins with a command, or mentions the bot."""
    kinds = [
        (wire.text_at(one, "type"), wire.at(one, "user", "id")) for one in wire.items_at(message, "entities")
    ]
    is_command = any(kind == "bot_command" for kind, _ in kinds) and words.startswith("/")
    is_named = bool(name) and f"@{name}".lower() in words.lower()
    return is_command or is_named or any(kind == "text_mention" and who == us for kind, who in kinds)


def _reaction(update: Any, reaction: Any) -> list[Said]:
    chat, number = wire.at(reaction, "chat", "id"), wire.count_at(reaction, "message_id")
    at_s, who = wire.count_at(reaction, "date"), wire.at(reaction, "user") or wire.at(reaction, "actor_chat")
    new = wire.items_at(reaction, "new_reaction")
    if not isinstance(chat, int) or number is None or at_s is None or not new:
        return []
    id = f"reaction-{wire.count_at(update, 'update_id')}"
    kind = wire.text_at(new, 0, "emoji") or "like"
    at, author = dt.datetime.fromtimestamp(at_s, dt.UTC), wire.at(who, "id")
    about = f"{chat}/{number}"
    is_private = wire.text_at(reaction, "chat", "type") == "private"
    return [
        Said(
            id,
            "reaction",
            at,
            str(author or ""),
            about=about,
            venue="telegram" if is_private else f"telegram:{chat}",
            is_private=is_private or not wire.text_at(reaction, "chat", "username"),
            detail={"kind": kind},
        )
    ]


def _block(update: Any) -> list[Said]:
    """Somebody who wrote to the bot alone has stopped it."""
    told = wire.at(update, "my_chat_member")
    at_s, status = wire.count_at(told, "date"), wire.text_at(told, "new_chat_member", "status")
    if at_s is None or status != "kicked" or wire.text_at(told, "chat", "type") != "private":
        return []
    author = wire.at(told, "from", "id")
    id = f"block-{wire.count_at(update, 'update_id')}"
    return [Said(id, "block", dt.datetime.fromtimestamp(at_s, dt.UTC), str(author or ""), venue="telegram")]


def link(message: Any) -> str:
    """Where a message can be seen; empty in private chats."""
    number, name = wire.count_at(message, "message_id"), wire.text_at(message, "chat", "username")
    chat = str(wire.at(message, "chat", "id") or "")
    if wire.text_at(message, "chat", "type") == "private":
        return ""
    if name:
        return f"https://t.me/{name}/{number}"
    return f"https://t.me/c/{chat.removeprefix('-100')}/{number}" if chat.startswith("-100") else ""


def _name(who: Any) -> str:
    names = (wire.text_at(who, part) for part in ("first_name", "last_name"))
    return " ".join(name for name in names if name) or wire.text_at(who, "title")


def _place(config: Config, draft: Draft) -> tuple[int | str, int]:
    """The chat, and the message in it, that a draft is for; what answers nobody is for the firm's own channel."""
    found = _ID.fullmatch(draft.in_reply_to)
    if found:
        return int(found[1]), int(found[2])
    chat = draft.venue.removeprefix("telegram:") if draft.venue.startswith("telegram:") else draft.to
    if not re.fullmatch(r"-?\d+", chat):
        if config.posts_to and draft.venue == "telegram" and not (draft.is_private or draft.in_reply_to):
            return config.posts_to, 0
        raise Failed(
            "it is not said which chat this is for",
            is_permanent=True,
            hint="A bot may write to those alone who wrote to it: answer something that was said. For posts of our own, "
            "name a channel in this source.",
        )
    return int(chat), 0


plugin = Telegram()
