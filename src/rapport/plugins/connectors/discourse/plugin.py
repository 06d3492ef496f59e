"""Discourse: forums that run it, read through their API and web hooks, and answered."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rapport.kit import wire
from rapport.kit.errors import Denied, Invalid
from rapport.kit.marks import Marks
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Hook,
    Manners,
    Page,
    Receipt,
    Received,
    Terms,
    tried,
)
from rapport.plugins.connectors.discourse import forum as forums
from rapport.plugins.connectors.discourse import reading
from rapport.plugins.connectors.discourse.forum import Config, Forum, Parameters

LENGTH_MAX = 32_000
LOOKED_AT = 10  # of our newest answers, where one may be whose answer was lost
SIGNATURE, EVENT = "x-discourse-event-signature", "x-discourse-event"
WRITTEN, CHANGED, GONE = {"post_created", "post_recovered"}, {"post_edited"}, {"post_destroyed"}

OTHERS = Terms(
    keep_days=90,
    may_match=False,
    may_derive=False,
    may_train=False,
    may_answer=True,
    may_answer_unasked=False,
    deletes_within_h=24,
    is_public=True,
    source="https://meta.discourse.org/guidelines",
    read_on=None,
    note=(
        "Each forum has terms of its own at /tos and /guidelines: read them, and say so on its rule card. Those that "
        "Discourse ships as an example let no program but a browser or a public search engine read a forum, and "
        "nobody advertise there or gather personal data: have the forum's owner agree to this. Days and hours are our "
        "own caution."
    ),
)
OWN = replace(
    OTHERS,
    keep_days=None,
    may_match=True,
    may_derive=True,
    may_train=True,
    may_answer_unasked=True,
    note="In the firm's own forum its own terms hold: see that its privacy notice says what is done with posts.",
)


class Discourse:
    """One forum a source."""

    name = "discourse"
    title = "Discourse forum"
    network = "discourse"
    config: type[Config] = Config
    terms = OTHERS
    # An administrator's keys may ask sixty times a minute, all keys together; we leave room for others.
    manners = Manners(requests=40, per_s=60, every_s=20, length_max=LENGTH_MAX)
    costs = "Free; an administrator of the forum has to make a key for an account, and a web hook where you want one."
    sees = (
        "What addresses the account, private messages to it, likes, and the forum's newest public posts: those with "
        "words that are followed, or all."
    )
    cannot_see = (
        "Categories that the account may not read, private messages of others, whispers, and changes of posts older "
        "than the newest 800 that were told, unless the forum calls us with them."
    )

    def check(self, config: Config) -> None:
        forums.check(config)

    def network_of(self, config: Config) -> str:  # noqa: ARG002  the contract's signature
        return self.network

    def terms_of(self, config: Config) -> Terms:
        return OWN if config.whose == "own" else OTHERS

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        forum = Forum(config, context)
        us = config.api_username

        def read(path: str, *asked: tuple[str, str | int]) -> Callable[[], str]:
            return lambda: forum.get(path, asked) and "can be read"

        def topic() -> str:
            newest = wire.items_at(forum.get("/posts.json"), "latest_posts")
            if number := wire.count_at(newest, 0, "topic_id"):
                forum.get(f"/t/{number}.json")
            return "can be read"

        # The forum says the same of a key that it does not know and of one that lacks a right.
        scope = "See that the key is of this very account; where it has single rights, it needs {}."
        found = tried(
            (
                "Notifications", read("/notifications.json", ("username", us), ("limit", 1)),
                scope.format("that to read notifications"),
            ),
            ("Posts", read("/posts.json"), scope.format("that to read posts")),
            ("Topics", topic, scope.format("that to read topics")),
            ("Search", read("/search.json", ("q", us)), scope.format("that to search")),
            (
                "Sent answers", read("/user_actions.json", ("username", us), ("filter", "4")),
                scope.format("that to read user actions"),
            ),
        )  # fmt: skip
        if not config.webhook_secret:
            message = "the forum is asked every 20 s; deletions of older posts come through slowly"
            hint = "Have a web hook made under Admin, API, Webhooks, for events of posts."
            found.append(Finding("Web hook", "warn", message, hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from reading.Round(Forum(config, context), Marks.read(cursor), context).pages()

    def receive(self, config: Config, hook: Hook, context: Context) -> Received:
        check_signature(config, hook)
        event = hook.headers.get(EVENT, "")
        body = wire.document(hook.body)
        if not isinstance(body, dict):
            raise Invalid(
                "the body is no JSON", "See the web hook's content type: it has to be application/json."
            )
        post = wire.at(body, "post")
        if event in GONE:
            topic, number = wire.count_at(post, "topic_id"), wire.count_at(post, "post_number")
            if not topic or not number:
                raise Invalid("the event names no post", "See that the web hook sends events of posts.")
            id = f"{topic}/{number}@{config.host}"
            return Received([reading.deletion(id, config.host, context.now())])
        seen = forums.read(post, config.host, config.api_username)
        if seen is None or event not in WRITTEN | CHANGED:
            return Received()  # a ping, or something else that the forum tells
        if event in CHANGED:
            return Received([reading.edit(seen, context.now())])
        text = reading.spaced(seen.said.text)
        is_wanted = config.which == "all" or seen.said.asks_us or seen.said.is_ours or seen.said.is_private
        if not is_wanted and not reading.names(text, context):
            return Received()
        return Received([seen.said])

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        body: dict[str, Any] = {"raw": draft.text}
        if draft.in_reply_to:
            topic, number = forums.place_of(draft.in_reply_to, config.host)
            body |= {"topic_id": topic} | ({"reply_to_post_number": number} if number > 1 else {})
        elif not draft.subject_line:
            raise Failed("a topic of our own needs a title", is_permanent=True, hint="Give a subject line.")
        else:
            body["title"] = draft.subject_line
            if draft.is_private:
                to = draft.to.removesuffix(f"@{config.host}")
                body |= {"archetype": "private_message", "target_recipients": to}
        made = Forum(config, context).post("/posts.json", body)
        if wire.text_at(made, "action") == "enqueued":
            waiting = wire.count_at(made, "pending_post", "id") or 0
            return Receipt(f"pending-{waiting}@{config.host}", "", "it waits for the forum's moderators")
        seen = forums.read(made, config.host, config.api_username)
        if seen is None:
            raise Failed(f"{config.host} does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(seen.id, seen.said.url)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        forum = Forum(config, context)
        if draft.in_reply_to:
            return _found_below(forum, draft)
        kinds = "12" if draft.is_private else "4"  # private messages that were begun, and topics
        asked: Parameters = [("username", config.api_username), ("filter", kinds), ("offset", 0)]
        actions = wire.items_at(forum.get("/user_actions.json", asked), "user_actions")
        for action in actions[:LOOKED_AT]:
            at, number = wire.count_at(action, "topic_id"), wire.count_at(action, "post_number")
            seen = forums.read(
                forum.get_if_there(f"/posts/by_number/{at}/{number}.json"), config.host, config.api_username
            )
            if seen and seen.said.is_ours and wire.says(seen.said.text, draft.text, is_end=True):
                return Receipt(seen.id, seen.said.url)
        return None


def _found_below(forum: Forum, draft: Draft) -> Receipt | None:
    """An answer of ours in the topic itself: what was said in private ones stands in no list of the account's."""
    config = forum.config
    topic = forum.topic(forums.place_of(draft.in_reply_to, config.host)[0])
    for post in reversed(forum.posts(topic)) if topic else ():
        seen = forums.read(post, config.host, config.api_username, topic=topic)
        is_there = seen is not None and seen.said.is_ours and seen.said.in_reply_to == draft.in_reply_to
        if seen is not None and is_there and wire.says(seen.said.text, draft.text):
            return Receipt(seen.id, seen.said.url)
    return None


def check_signature(config: Config, hook: Hook) -> None:
    """Raise Denied unless the forum signed it; compared in a time that says nothing of how much was right."""
    if not config.webhook_secret:
        raise Denied("this source takes no calls", "Enter the secret of the forum's web hook.")
    right = hmac.new(config.webhook_secret.encode(), hook.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"sha256={right}".encode(), hook.headers.get(SIGNATURE, "").encode()):
        raise Denied("the signature does not hold", "Enter the same secret here and in the forum's web hook.")


plugin = Discourse()
