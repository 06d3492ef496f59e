"""KakaoTalk: what people say to the channel's chatbot, which calls us as a skill."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.kit import wire
from rapport.kit.errors import Denied, Invalid
from rapport.listening.contract import Context, Finding, Hook, Manners, Received, Said, Terms, setting

HEADER = "x-rapport-key"
KEY_CHARS_MIN = 24
ANSWER_CHARS_MAX = 1_000
# The same words of the same person within so short a time are the same call, which Kakao sent again.
SAME_S = 10


@dataclass(frozen=True, slots=True)
class Config:
    """Which chatbot, and what it says at once."""

    secret: str = setting(
        "", "Secret", f"At least {KEY_CHARS_MIN} characters; enter it as the skill's header X-Rapport-Key.",
        secret=True,
    )  # fmt: skip
    bot: str = setting("", "Bot's id", "In the address of the chatbot's admin centre, 24 letters and digits.")
    answer: str = setting(
        "Thank you, we have got your message. A person will answer you in this channel.",
        "Answer",
        "What the chatbot says at once. Say it in the language of your customers.",
    )


class Kakao:
    """One chatbot of a channel."""

    name = "kakao"
    title = "KakaoTalk channel"
    network = "kakao"
    config: type[Config] = Config
    terms = Terms(
        keep_days=30,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=False,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=False,
        source="https://kakaobusiness.gitbook.io/main/tool/chatbot/skill_guide",
        read_on=None,
        note=(
            "Kakao gives a key of a person that holds for this chatbot alone. What is here is our own caution, since "
            "its operating policy was not read word for word by us: have it read."
        ),
    )
    manners = Manners()
    costs = (
        "A channel and its chatbot are free of charge; it needs the firm's own, with a skill that leads here."
    )
    sees = "What people say to the channel's chatbot where a block of it uses the skill, each as a message to the firm."
    cannot_see = (
        "Chats with staff in the channel, blocks without the skill, names and numbers of people, what is taken back, "
        "and our answers there, which staff give in Kakao's own channel manager."
    )

    def check(self, config: Config) -> None:
        if len(config.secret) < KEY_CHARS_MIN or not re.fullmatch(r"[\x21-\x7e]+", config.secret):
            raise Invalid(
                f"the secret has fewer than {KEY_CHARS_MIN} characters, or a space",
                "Make a random one, and enter it as a header of the skill as well.",
            )
        if not re.fullmatch(r"[0-9a-f]{24}", config.bot):
            raise Invalid(f"{config.bot!r} is no id of a bot", "It is in the address of the admin centre.")
        if not config.answer.strip() or len(config.answer) > ANSWER_CHARS_MAX:
            raise Invalid(
                "there is nothing to answer, or it is too long",
                f"Kakao wants an answer of 1 to {ANSWER_CHARS_MAX} characters within five seconds.",
            )

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:  # noqa: ARG002
        message = "Kakao offers nothing to ask: whether the skill leads here is seen when somebody writes"
        hint = "Press Test in the skill's settings: the chatbot's answer has to appear there."
        return [Finding("Skill", "warn", message, hint)]

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        # Kakao signs nothing; what a skill may carry is a header with a secret of ours.
        if not hmac.compare_digest(hook.headers.get(HEADER, "").encode(), config.secret.encode()):
            raise Denied("the skill's header is missing or another", "Enter the same secret at the skill.")
        body = wire.document(hook.body)
        if not isinstance(body, dict):
            raise Invalid("the body is no JSON", "See that a skill of the chatbot leads here.")
        bot = wire.text_at(body, "bot", "id")
        # The admin centre's test calls with an exclamation mark behind the id: nobody wrote.
        is_test = bot.endswith("!")
        if bot.rstrip("!") != config.bot:
            raise Denied("this is another chatbot", "Enter the id of the chatbot whose skill leads here.")
        said = [] if is_test else _read(body, context.now())
        answer = {"version": "2.0", "template": {"outputs": [{"simpleText": {"text": config.answer}}]}}
        sent = json.dumps(answer, ensure_ascii=False).encode()
        return Received(said, body=sent, content_type="application/json")


def _read(body: object, now: dt.datetime) -> list[Said]:
    """What somebody said; nothing where the call does not say who."""
    asked = wire.at(body, "userRequest")
    author, text = wire.text_at(asked, "user", "id"), wire.text_at(asked, "utterance").strip()
    if not author or not text:
        return []
    # A call has neither an id nor a time of its own.
    when = int(now.timestamp()) // SAME_S
    id = hashlib.sha256(f"{author}\n{text}\n{when}".encode()).hexdigest()[:32]
    return [
        Said(
            id=id,
            kind="message",
            ts=now,
            author=author,
            text=text,
            thread=author,
            venue="kakao",
            language=_language(wire.text_at(asked, "lang")),
            is_private=True,
            asks_us=True,
        )
    ]


def _language(code: str) -> str:
    return {"kr": "ko", "jp": "ja"}.get(code, code if re.fullmatch(r"[a-z]{2}", code) else "")


plugin = Kakao()
