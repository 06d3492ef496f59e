"""A Discourse forum in this process: topics and posts by windows, notifications, search, keys, limits, web hooks."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rapport.kit import markup, wire
from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

ME, KEY, SECRET = "shop", "k3y" * 12, "a-secret-of-the-hook"
HOST = "forum.example"
BAD_KEY = "You are not permitted to view the requested resource. The API username or key is invalid."


@dataclass(slots=True)
class Post:
    """One post."""

    id: int
    topic: int
    number: int
    author: str
    raw: str
    at: datetime
    answers: int = 0
    version: int = 1
    deleted_at: str = ""


@dataclass(slots=True)
class Topic:
    """One topic; `people` are those of a private one."""

    id: int
    title: str
    people: tuple[str, ...] = ()


class Forum(Act):
    """`begin` and `say` are what people do."""

    places = (f"https://{HOST}",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.topics: dict[int, Topic] = {}
        self.posts: list[Post] = []
        self.told: list[dict[str, Any]] = []
        self.n_told = 0
        self.times: list[float] = []
        self.limit = 60
        self.is_moderated = False

    def begin(self, author: str, title: str, raw: str, *, people: tuple[str, ...] = ()) -> str:
        """Somebody begins a topic."""
        topic = Topic(len(self.topics) + 1, title, people)
        self.topics[topic.id] = topic
        return self.say(author, topic.id, raw)

    def say(self, author: str, topic: int, raw: str, *, answers: int = 0) -> str:
        """Somebody answers in a topic; gives the id that we know it by."""
        number = 1 + max((p.number for p in self.posts if p.topic == topic), default=0)
        post = Post(len(self.posts) + 1, topic, number, author, raw, self.day(), answers)
        self.posts.append(post)
        above = self.at(topic, answers or 1)
        if author != ME:
            if self.topics[topic].people:
                if ME in (*self.topics[topic].people, self._first(self.topics[topic]).author):
                    self._tell(6, post)
            elif f"@{ME}" in raw:
                self._tell(1, post)
            elif above and above.author == ME and number > 1:
                self._tell(2, post)
        return f"{topic}/{number}@{HOST}"

    def like(self, who: str, id: str) -> None:
        """Somebody likes a post."""
        self._tell(5, self.named(id), who=who)

    def badge(self) -> None:
        """The account is given a badge."""
        self.n_told += 1
        now = wire.written(self.day())
        told = {"id": self.n_told, "notification_type": 12, "created_at": now, "topic_id": None}
        self.told.append(told | {"post_number": None, "data": {"badge_name": "Basic"}})

    def at(self, topic: int, number: int) -> Post | None:
        """A post by its place."""
        return next((p for p in self.posts if (p.topic, p.number) == (topic, number)), None)

    def named(self, id: str) -> Post:
        """A post by the id that we know it by."""
        topic, number = id.partition("@")[0].split("/")
        found = self.at(int(topic), int(number))
        assert found is not None
        return found

    def call(self, event: str, post: Post, **more: Any) -> tuple[dict[str, str], bytes]:
        """What the forum sends to its web hook: headers and body."""
        where = "private_message" if self.topics[post.topic].people else "regular"
        told = self._shown(post, in_topic_lists=True) | {"topic_archetype": where}
        body = json.dumps({"post": told | more}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return {
            "content-type": "application/json",
            "x-discourse-instance": f"https://{HOST}",
            "x-discourse-event-id": str(post.id),
            "x-discourse-event-type": "post",
            "x-discourse-event": event,
            "x-discourse-event-signature": f"sha256={signature}",
        }, body

    def answer(self, asked: Asked) -> Answered:
        if (asked.headers.get("api-key"), asked.headers.get("api-username")) != (KEY, ME):
            return Answered({"errors": [BAD_KEY], "error_type": "invalid_access"}, 403)
        now = self.day().timestamp()
        self.times = [t for t in self.times if t > now - 60]
        if len(self.times) >= self.limit:
            wait = 60 - (now - self.times[0])
            words = "You’ve performed this action too many times, please try again later."
            body = {"errors": [words], "error_type": "rate_limit", "extras": {"wait_seconds": wait}}
            return Answered(body, 429, {"retry-after": f"{wait:.0f}"})
        self.times.append(now)
        return self._answered(asked)

    def _answered(self, asked: Asked) -> Answered:
        path = asked.path
        if path == "/posts.json" and asked.method == "POST":
            return self._made(asked.content)
        if path == "/posts.json":
            top = int(asked.first("before", str(len(self.posts))))
            window = [p for p in self.posts if top - 50 < p.id <= top and not self.topics[p.topic].people]
            there = [p for p in reversed(window) if not p.deleted_at]
            return Answered({"latest_posts": [self._shown(p, in_topic_lists=True) for p in there]})
        if path.startswith("/posts/by_number/"):
            topic, number = path.removesuffix(".json").split("/")[3:]
            post = self.at(int(topic), int(number))
            if post is None:
                words = "The requested URL or resource could not be found."
                return Answered({"errors": [words], "error_type": "not_found"}, 404)
            return Answered(self._shown(post))
        if path.startswith("/t/"):
            return self._topic(asked)
        if path == "/notifications.json":
            start, size = int(asked.first("offset", "0")), int(asked.first("limit", "60"))
            return Answered({"notifications": self.told[::-1][start : start + size]})
        if path == "/search.json":
            word = asked.first("q").partition('"')[2].partition('"')[0].lower()
            found = [p for p in reversed(self.posts) if word and word in p.raw.lower()]
            found = [p for p in found if not self.topics[p.topic].people]  # private ones only where asked for
            rows = [
                {"id": p.id, "topic_id": p.topic, "post_number": p.number, "blurb": p.raw[:20]} for p in found
            ]
            titles = [{"id": n, "title": self.topics[n].title} for n in sorted({p.topic for p in found})]
            return Answered({"posts": rows[:50], "topics": titles})
        if path == "/user_actions.json":
            kind = asked.first("filter")
            mine = [
                p
                for p in reversed(self.posts)
                if p.author == ME
                # Answers in private topics are noted for those who get them alone.
                and bool(self.topics[p.topic].people) == (kind == "12")
                and (p.number > 1) == (kind == "5")
            ]
            rows = [{"topic_id": p.topic, "post_number": p.number, "excerpt": p.raw[:20]} for p in mine]
            return Answered({"user_actions": rows})
        return Answered({"errors": ["not found"], "error_type": "not_found"}, 404)

    def _made(self, body: dict[str, Any]) -> Answered:
        if len(body["raw"]) < 5:
            words = "Body is too short (minimum is 5 characters)"
            return Answered({"action": "create_post", "errors": [words]}, 422)
        if self.is_moderated:
            return Answered({"action": "enqueued", "success": True, "pending_post": {"id": 7}})
        if "topic_id" in body:
            id = self.say(ME, body["topic_id"], body["raw"], answers=body.get("reply_to_post_number", 0))
        else:
            people = tuple(body.get("target_recipients", "").split(",")) if "archetype" in body else ()
            id = self.begin(ME, body["title"], body["raw"], people=people)
        return Answered(self._shown(self.named(id)))

    def _topic(self, asked: Asked) -> Answered:
        number, _, part = asked.path.removeprefix("/t/").removesuffix(".json").partition("/")
        topic = self.topics.get(int(number))
        if topic is None or (topic.people and ME not in (*topic.people, self._first(topic).author)):
            return Answered({"errors": ["not found"], "error_type": "not_found"}, 404)
        posts = [p for p in self.posts if p.topic == topic.id and not p.deleted_at]
        if part == "posts":
            wanted = {int(id) for id in asked.query.get("post_ids[]", ())}
            shown = [self._shown(p) for p in posts if p.id in wanted]
            if not asked.first("include_raw"):
                shown = [{k: v for k, v in one.items() if k != "raw"} for one in shown]
            return Answered({"post_stream": {"posts": shown}, "id": topic.id})
        where = "private_message" if topic.people else "regular"
        stream = {"posts": [self._shown(p) for p in posts[:20]], "stream": [p.id for p in posts]}
        return Answered({"id": topic.id, "title": topic.title, "archetype": where, "post_stream": stream})

    def _first(self, topic: Topic) -> Post:
        return next(p for p in self.posts if p.topic == topic.id)

    def _tell(self, kind: int, post: Post, *, who: str = "") -> None:
        """Tell the account of something; nobody reads in its name, so what is unread there only grows."""
        number, name = post.number, who or post.author
        if kind in {2, 3, 6, 9}:
            # One for each topic: it leads to the first that is unread, and counts.
            self.told = [
                t
                for t in self.told
                if t["topic_id"] != post.topic or t["notification_type"] not in {2, 3, 6, 9}
            ]
            unread = [
                p
                for p in self.posts
                if p.topic == post.topic
                and p.author != ME
                and (kind == 6 or getattr(self.at(p.topic, p.answers or 1), "author", "") == ME)
            ]
            number = unread[0].number if unread else number
            name = f"{len(unread)} replies" if len(unread) > 1 else name
        self.n_told += 1
        self.told.append(
            {
                "id": self.n_told,
                "notification_type": kind,
                "created_at": wire.written(self.day()),
                "topic_id": post.topic,
                "post_number": number,
                "data": {
                    "display_username": name,
                    "original_username": post.author,
                    "original_post_id": post.id,
                },
            }
        )

    def _shown(self, post: Post, *, in_topic_lists: bool = False) -> dict[str, Any]:
        topic = self.topics[post.topic]
        above = self.at(post.topic, post.answers) if post.answers else None
        titled = {"topic_title": topic.title} if in_topic_lists else {}
        return titled | {
            "id": post.id,
            "username": post.author,
            "name": post.author.title(),
            "created_at": wire.written(post.at),
            "cooked": f"<p>{post.raw}</p>",
            "raw": markup.text_of(post.raw) if post.raw.startswith("<") else post.raw,
            "post_number": post.number,
            "post_type": 1,
            "reply_to_post_number": post.answers or None,
            "version": post.version,
            "topic_id": topic.id,
            "topic_slug": "-".join(topic.title.lower().split()),
            "reply_to_user": {"username": above.author} if above else None,
            "deleted_at": post.deleted_at or None,
        }
