"""X in this process: signatures that are checked, lists with since_id and tokens, windows of limits, errors."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked
from rapport.plugins.connectors.x.account import signature
from rapport.plugins.connectors.x.plugin import EPOCH_MS, moment

ME, ME_NAME = "100", "OtterLamps"
KEY, KEY_SECRET, TOKEN, TOKEN_SECRET = "an-api-key", "an-api-secret", "100-a-token", "a-token-secret"
WINDOW_S = 900
SHOWN_CHARS = 280  # of a long post; all of it is a member of its own


@dataclass(slots=True)
class Post:
    """A post."""

    id: str
    author: str
    text: str
    at: dt.datetime
    above: str = ""
    thread: str = ""
    repost_of: str = ""
    versions: tuple[str, ...] = ()


class X(Act):
    """`say` is what people do."""

    places = ("https://api.x.com",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.posts: dict[str, Post] = {}
        self.people = {ME_NAME: ME}
        self.media: dict[str, list[Any]] = {}  # kind, content and words of what was handed over
        self.shown: dict[str, list[str]] = {}  # by post: its pictures
        self.limit, self.page_max = 300, 100
        self.used: dict[tuple[str, int], int] = {}
        self.level = "read-write"
        self.nonces: set[str] = set()

    def say(self, author: str, text: str, above: str = "", *, repost_of: str = "") -> str:
        """Somebody posts, answers or reposts."""
        self.people.setdefault(author, str(101 + len(self.people)))
        # As X makes them: milliseconds since its own beginning, and some bits that tell posts of one moment apart.
        since_ms = int(self.day().timestamp() * 1_000) - EPOCH_MS
        id = str((since_ms << 22) + len(self.posts))
        thread = self.posts[above].thread if above in self.posts else id
        self.posts[id] = Post(id, author, text, self.day(), above, thread, repost_of)
        return id

    def change(self, id: str, text: str) -> str:
        """Somebody changes a post: it gets a number of its own, and the lists show that one alone."""
        before = self.posts.pop(id)
        new = self.say(before.author, text, before.above)
        self.posts[new].thread = before.thread
        self.posts[new].versions = (*(before.versions or (id,)), new)
        return new

    def answer(self, asked: Asked) -> Answered:
        if not self._is_signed(asked):
            return problem(401, "Unauthorized", "Unauthorized")
        kind = f"{asked.method} {re.sub('[0-9]+', ':id', asked.path)}"
        second = int(self.day().timestamp())
        window = (kind, second // WINDOW_S)
        self.used[window] = self.used.get(window, 0) + 1
        told = {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(max(self.limit - self.used[window], 0)),
            "x-rate-limit-reset": str((second // WINDOW_S + 1) * WINDOW_S),
        }
        if self.used[window] > self.limit:
            return Answered(problem(429, "Too Many Requests", "Too Many Requests").body, 429, told)
        found = self._answered(asked)
        return Answered(found.body, found.status, told | {"x-access-level": self.level})

    def _is_signed(self, asked: Asked) -> bool:
        found = re.findall(r'(\w+)="([^"]*)"', asked.headers.get("authorization", ""))
        told = {name: unquote(value) for name, value in found}
        given = told.pop("oauth_signature", "")
        is_new = told.get("oauth_nonce", "") not in self.nonces
        self.nonces.add(told.get("oauth_nonce", ""))
        asked_for = {name: values[0] for name, values in asked.query.items()}
        right = signature(
            asked.method, f"https://api.x.com{asked.path}", asked_for | told, KEY_SECRET, TOKEN_SECRET
        )
        known = (told.get("oauth_consumer_key"), told.get("oauth_token")) == (KEY, TOKEN)
        return known and is_new and given == right

    def _answered(self, asked: Asked) -> Answered:
        path = asked.path
        if path == "/2/users/me":
            return Answered({"data": {"id": ME, "username": ME_NAME, "name": "Otter Lamps"}})
        if path == "/2/media/upload":
            return self._uploaded(asked.content)
        if path == "/2/media/metadata":
            return self._described(asked.content)
        if path == "/2/tweets":
            return self._posted(asked) if asked.method == "POST" else self._by_number(asked)
        if path.endswith("/mentions"):
            name = f"@{ME_NAME.lower()}"
            return self._list(asked, lambda one: name in one.text.lower(), "pagination_token")
        if path == f"/2/users/{ME}/tweets":
            return self._list(asked, lambda one: one.author == ME_NAME, "pagination_token")
        return self._searched(asked)

    def _searched(self, asked: Asked) -> Answered:
        horizon = self.day() - dt.timedelta(days=7)
        start = asked.first("start_time")
        since = moment(asked.first("since_id", "0"))
        if (start and dt.datetime.fromisoformat(start) < horizon) or (
            asked.first("since_id") and since < horizon
        ):
            words = "Invalid 'since_id' or 'start_time': it must be within the last 7 days."
            return problem(400, "Invalid Request", words)
        if len(asked.first("query")) > 512:
            return problem(400, "Invalid Request", "Rules must be no longer than 512 characters.")
        terms = [one.lower() for one in re.findall(r'"([^"]*)"', asked.first("query"))]
        return self._list(
            asked, lambda o: not o.repost_of and any(t in o.text.lower() for t in terms), "next_token"
        )

    def _list(self, asked: Asked, is_wanted: Callable[[Post], bool], token_name: str) -> Answered:
        after, start = int(asked.first("since_id", "0")), asked.first("start_time")
        found = [one for one in self.posts.values() if is_wanted(one) and int(one.id) > after]
        if start:
            found = [one for one in found if one.at >= dt.datetime.fromisoformat(start)]
        found.sort(key=lambda one: int(one.id), reverse=True)
        begin = int(asked.first(token_name, "t0")[1:])
        part = found[begin : begin + min(int(asked.first("max_results", "10")), self.page_max)]
        meta: dict[str, Any] = {"result_count": len(part)}
        if not part:
            return Answered({"meta": meta})
        meta |= {"newest_id": part[0].id, "oldest_id": part[-1].id}
        if begin + len(part) < len(found):
            meta["next_token"] = f"t{begin + len(part)}"
        names = sorted({one.author for one in part})
        people = [
            {
                "id": self.people[name],
                "username": name,
                "name": name.title(),
                "public_metrics": {"followers_count": 7},
            }
            for name in names
        ]
        return Answered(
            {
                "data": [self._told(one, asked.first("tweet.fields")) for one in part],
                "includes": {"users": people},
                "meta": meta,
            }
        )

    def _told(self, one: Post, members: str) -> dict[str, Any]:
        kinds = (("replied_to", one.above), ("retweeted", one.repost_of))
        above = [{"type": kind, "id": id} for kind, id in kinds if id]
        told: dict[str, Any] = {
            "id": one.id,
            "text": one.text[:SHOWN_CHARS],
            "author_id": self.people[one.author],
            "conversation_id": one.thread,
            "created_at": one.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "lang": "en",
            "edit_history_tweet_ids": list(one.versions or (one.id,)),
        }
        if len(one.text) > SHOWN_CHARS and "note_tweet" in members.split(","):
            told["note_tweet"] = {"text": one.text}
        return told | ({"referenced_tweets": above} if above else {})

    def _by_number(self, asked: Asked) -> Answered:
        numbers = asked.first("ids").split(",")
        found = [{"id": n, "text": self.posts[n].text} for n in numbers if n in self.posts]
        gone = [
            {
                "resource_id": n,
                "resource_type": "tweet",
                "title": "Not Found Error",
                "detail": f"Could not find tweet with ids: [{n}].",
                "type": "https://api.twitter.com/2/problems/resource-not-found",
            }
            for n in numbers
            if n not in self.posts
        ]
        return Answered(({"data": found} if found else {}) | ({"errors": gone} if gone else {}))

    def _posted(self, asked: Asked) -> Answered:
        text = asked.content["text"]
        above = asked.content.get("reply", {}).get("in_reply_to_tweet_id", "")
        if above and above not in self.posts:
            words = "You attempted to reply to a Tweet that is deleted or not visible to you."
            return problem(403, "Forbidden", words)
        if any(one.text == text and one.author == ME_NAME for one in self.posts.values()):
            return problem(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content.")
        named = asked.content.get("media", {}).get("media_ids", [])
        if len(named) > 4 or any(number not in self.media for number in named):
            return problem(400, "Invalid Request", "Your media IDs are invalid.")
        id = self.say(ME_NAME, text, above)
        self.shown[id] = named
        return Answered({"data": {"id": id, "text": text}}, 201)

    def _uploaded(self, body: Any) -> Answered:
        content = base64.b64decode(body["media"], validate=True)
        is_whole = body["media_category"] == "tweet_image" and body["media_type"].startswith("image/")
        if not is_whole or len(content) > 5 * 1024 * 1024:
            return problem(400, "Invalid Request", "media type unrecognized or file too large.")
        number = str(1_880_028_106_020_515_840 + len(self.media))
        self.media[number] = [body["media_type"], content, ""]
        told = {"id": number, "media_key": f"3_{number}", "expires_after_secs": 86_400, "size": len(content)}
        return Answered({"data": told})

    def _described(self, body: Any) -> Answered:
        words = body["metadata"]["alt_text"]["text"]
        if body["id"] not in self.media or len(words) > 1_000:
            return problem(400, "Invalid Request", "One or more parameters to your request was invalid.")
        self.media[body["id"]][2] = words
        return Answered({"data": {"id": body["id"], "associated_metadata": {"alt_text": {"text": words}}}})


def problem(status: int, title: str, words: str) -> Answered:
    """As X refuses."""
    return Answered({"title": title, "detail": words, "type": "about:blank", "status": status}, status)
