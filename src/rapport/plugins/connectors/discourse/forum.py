"""A forum that runs Discourse: its address and key, how it is asked, and what its posts say.

A post is known by its topic and its number there (`812/4@forum.example`), which is how answers name what they
answer, and what an address of the forum shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from rapport.kit import http, markup, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.kit.marks import Found
from rapport.listening.contract import Context, Failed, Said, refusal, setting

WHOSE = {"others": "Somebody else's forum", "own": "The firm's own forum"}
WHICH = {"followed": "Those with words that are followed, and what addresses us", "all": "Every public post"}
MENTIONED, REPLIED, QUOTED, LIKED, PRIVATE, GROUP_MENTIONED = 1, 2, 3, 5, 6, 15  # kinds of notifications
TO_US = frozenset({MENTIONED, REPLIED, QUOTED, PRIVATE, GROUP_MENTIONED})
POSTS = 50  # of a topic, the newest, in one request
_NUMBER = re.compile(r"(\d+)/(\d+)@(.+)")

Parameters = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Config:
    """Which forum, as whom."""

    server: str = setting("", "Forum", "Its address, such as https://forum.example.com.")
    api_key: str = setting(
        "",
        "API key",
        "Made by an administrator under Admin, API, for a single account; read and write of posts, topics, search, "
        "notifications and user actions.",
        secret=True,
    )
    api_username: str = setting("", "Account", "The account that the key speaks as.")
    webhook_secret: str = setting(
        "",
        "Secret of the web hook",
        "Of at least 12 characters. Empty where the forum does not call us: it is then asked.",
        secret=True,
        optional=True,
    )
    which: str = setting("followed", "Which posts", choices=WHICH)
    whose: str = setting("others", "Whose place", "Decides what may be done with its words.", choices=WHOSE)

    @property
    def host(self) -> str:
        """The forum's name, which ends the handles and numbers of posts."""
        return urlsplit(self.server).netloc.lower()


def check(config: Config) -> None:
    """Raise Invalid for what cannot work."""
    http.place_of(config.server)
    if not re.fullmatch(r"[0-9a-zA-Z]{20,128}", config.api_key):
        raise Invalid("this is no key of Discourse", "An administrator makes one under Admin, API.")
    if not re.fullmatch(r"[\w.-]{1,60}", config.api_username):
        raise Invalid(f"{config.api_username!r} is no account", "Write its name without @.")
    if config.webhook_secret and len(config.webhook_secret) < 12:
        raise Invalid("the web hook's secret is shorter than 12 characters", "Discourse wants twelve too.")
    if config.which not in WHICH or config.whose not in WHOSE:
        raise Invalid(
            "it has to be said which posts are read, and whose place it is", "Choose one of those shown."
        )


def place_of(id: str, host: str) -> tuple[int, int]:
    """Topic and number of a post by its id; raises Failed where it is none of this forum."""
    found = _NUMBER.fullmatch(id)
    if not found or found[3] != host:
        raise Failed(
            f"{id} is not a post on {host}", is_permanent=True, hint="Answer with the source that read it."
        )
    return int(found[1]), int(found[2])


@dataclass(frozen=True, slots=True)
class Topic:
    """What a forum says of a topic: a post by itself says neither its title nor whether it is private.

    newest : the forum's own numbers of its newest posts, oldest first
    """

    number: int
    title: str
    is_private: bool
    newest: tuple[int, ...]


class Forum:
    """Asks a forum in the account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self._context = config, context
        self._base = config.server.rstrip("/")

    def get(self, path: str, parameters: Parameters = ()) -> Any:
        """Ask for something; raises Failed."""
        answer = self._answer("GET", path, parameters)
        if answer.status != 200:
            raise self._failed(answer)
        return self._document(answer)

    def get_if_there(self, path: str) -> Any:
        """Ask for one thing; None where it is gone or hidden."""
        answer = self._answer("GET", path, ())
        if answer.status in {404, 410} or (answer.status == 403 and not _is_key(answer)):
            return None
        if answer.status != 200:
            raise self._failed(answer)
        return self._document(answer)

    def topic(self, number: int) -> Topic | None:
        """A topic; None where it is gone, or hidden."""
        told = self.get_if_there(f"/t/{number}.json")
        if told is None:
            return None
        stream = wire.items_at(told, "post_stream", "stream")
        return Topic(
            number,
            wire.text_at(told, "title"),
            wire.text_at(told, "archetype") == "private_message",
            tuple(id for id in stream if isinstance(id, int))[-POSTS:],
        )

    def posts(self, topic: Topic) -> list[Any]:
        """The newest posts of a topic, with their raw words."""
        asked: Parameters = [("post_ids[]", id) for id in topic.newest]
        if not asked:
            return []
        told = self.get(f"/t/{topic.number}/posts.json", [*asked, ("include_raw", "true")])
        return wire.items_at(told, "post_stream", "posts")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make something; raises Failed."""
        answer = self._answer("POST", path, (), json.dumps(body, ensure_ascii=False).encode())
        if answer.status != 200:
            failed = self._failed(answer)
            failed.is_unsure = answer.status >= 500
            raise failed
        return self._document(answer, is_unsure=True)

    def _answer(self, method: str, path: str, parameters: Parameters, body: bytes | None = None) -> Answer:
        headers = {
            "api-key": self.config.api_key,
            "api-username": self.config.api_username,
            "accept": "application/json",
        }
        if body is not None:
            headers["content-type"] = "application/json"
        target = self._base + path + (f"?{urlencode(parameters)}" if parameters else "")
        return self._context.fetch(Request(target, method, body, headers))

    def _document(self, answer: Answer, *, is_unsure: bool = False) -> Any:
        found = wire.document(answer.body)
        if not isinstance(found, (dict, list)):
            raise Failed(f"{self.config.host} answered with something that is no JSON", is_unsure=is_unsure)
        return found

    def _failed(self, answer: Answer) -> Failed:
        found = wire.document(answer.body)
        words = " ".join(w for w in wire.items_at(found, "errors") if isinstance(w, str))
        failed = refusal(answer, self.config.host, self._context.now(), words=words)
        if answer.status == 403 and _is_key(answer):
            return Failed(
                f"{self.config.host} does not accept the API key: {words}",
                reason="login",
                retry_after_s=None,
                hint="Have a key made under Admin, API, for the very account that is entered here.",
            )
        wait = wire.at(found, "extras", "wait_seconds")
        if answer.status == 429 and isinstance(wait, (int, float)):
            failed.retry_after_s = max(float(wait), failed.retry_after_s or 0.0)
        return failed


def _is_key(answer: Answer) -> bool:
    """Whether a 403 is about the key, rather than about one thing that it may not see."""
    found = wire.document(answer.body)
    words = " ".join(w for w in wire.items_at(found, "errors") if isinstance(w, str)).lower()
    return "api username or key is invalid" in words


def read(
    post: Any, host: str, us: str, *, asks_us: bool = False, topic: Topic | None = None
) -> Found[Said] | None:
    """A post; None where it is not whole, is a notice of the forum itself, or is gone.

    `topic` is the one that it stands in, where the post does not say what that is.
    """
    topic_id, number = wire.count_at(post, "topic_id"), wire.count_at(post, "post_number")
    at, author = wire.moment(wire.at(post, "created_at")), wire.text_at(post, "username").lower()
    if not topic_id or not number or at is None or not author or is_gone(post):
        return None
    if wire.at(post, "post_type") not in {
        None,
        1,
    }:  # 2 and more: moderators' actions, small actions, whispers
        return None
    id = f"{topic_id}/{number}@{host}"
    words = wire.text_at(post, "raw") or markup.text_of(wire.text_at(post, "cooked"))
    title = topic.title if topic else wire.text_at(post, "topic_title")
    text = f"{title}\n\n{words}" if title and number == 1 else words
    parent = wire.count_at(post, "reply_to_post_number") or (1 if number > 1 else 0)
    where = wire.text_at(post, "topic_archetype")
    is_private = topic.is_private if topic else where == "private_message"
    is_ours = author == us.lower()
    slug = wire.text_at(post, "topic_slug") or "-"
    answers_us = wire.text_at(post, "reply_to_user", "username").lower() == us.lower()
    mentions = re.search(rf"(?<![\w@])@{re.escape(us)}(?![\w-])", words, re.IGNORECASE)
    said = Said(
        id=id,
        kind="message" if is_private else "post",
        ts=at,
        author=f"{author}@{host}",
        author_name=wire.text_at(post, "name") or wire.text_at(post, "username"),
        text=text,
        in_reply_to=f"{topic_id}/{parent}@{host}" if parent else "",
        thread=f"{topic_id}/1@{host}",
        venue=f"discourse:{host}",
        url=f"https://{host}/t/{slug}/{topic_id}/{number}",
        subject_line=title if is_private else "",
        is_private=is_private,
        is_ours=is_ours,
        asks_us=not is_ours and (asks_us or is_private or answers_us or bool(mentions)),
    )
    return Found(id, at, said, str(wire.count_at(post, "version") or 1))


def is_gone(post: Any) -> bool:
    """Whether it was deleted, by its author or the forum; an administrator's key still sees it."""
    return bool(wire.at(post, "deleted_at")) or wire.at(post, "user_deleted") is True
