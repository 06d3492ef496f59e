"""Meta in this process: posts and comments with cursors, shares of limits, errors with codes, signed web hooks."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

APP = "123456789"
ME, TOKEN, SECRET, VERIFY = "17841400000000001", "EAAG-a-token", "0123456789abcdef" * 2, "our words"


@dataclass(slots=True)
class Thing:
    """A post of the page, a comment, or an answer."""

    id: str
    author: str
    text: str
    at: dt.datetime
    post: str = ""
    parent: str = ""
    under: list[str] = field(default_factory=list)


class Meta(Act):
    """`say` is what people do; a page's posts are those without anything above them."""

    places = ("https://graph.facebook.com",)

    def __init__(self, day: Day, *, is_page: bool = True) -> None:
        super().__init__(day)
        self.is_page = is_page
        self.things: dict[str, Thing] = {}
        self.page_max, self.used_percent = 100 if is_page else 50, 3
        self.is_newest_first, self.is_let_read = True, True
        self.is_subscribed, self.ends_at = True, 0
        self.scopes = [
            "pages_read_engagement",
            "pages_read_user_content",
            "pages_manage_engagement",
            "pages_manage_posts",
            "instagram_basic",
            "instagram_manage_comments",
            "instagram_content_publish",
        ]
        self.replies_max = 25  # that come with a comment
        self.photos: dict[str, tuple[str, bytes, str]] = {}  # kind, content and words of what was handed over
        self.shown: dict[str, list[str]] = {}  # by post: the photos or addresses in it
        self.reachable: dict[str, bytes] = {}  # what can be fetched from the addresses of others
        self.containers: dict[str, dict[str, str]] = {}
        self.works_for = 0  # how often it says of a container that it is not ready

    def say(self, author: str, text: str, above: str = "") -> str:
        """Somebody posts, comments or answers."""
        number = str(1_000 + len(self.things))
        parent = self.things.get(above)
        post = (parent.post or parent.id) if parent else ""
        id = f"{(post or ME).rpartition('_')[2]}_{number}" if self.is_page else number
        self.things[id] = Thing(id, author, text, self.day(), post, above if parent and parent.post else "")
        if parent:
            parent.under.append(id)
        return id

    def delete(self, id: str) -> None:
        """Somebody takes something back."""
        gone = self.things.pop(id)
        self.things[gone.parent or gone.post].under.remove(id)

    def hook(self, id: str, verb: str = "add") -> tuple[dict[str, str], bytes]:
        """What Meta calls with about a comment."""
        one = self.things[id]
        if self.is_page:
            value: dict[str, Any] = {
                "item": "comment",
                "verb": verb,
                "comment_id": id,
                "post_id": one.post,
                "parent_id": one.parent or one.post,
                "from": {"id": one.author, "name": one.author.title()},
                "message": one.text,
                "created_time": int(one.at.timestamp()),
            }
            change = {"field": "feed", "value": value}
        else:
            who = {"id": f"9{one.author}", "username": one.author}
            if one.author == ME:
                # Of the account's own, also where it is written by another name of Meta's for it.
                who = {"id": "26000000000000001", "username": "otterlamps", "self_ig_scoped_id": "9001"}
            value = {"id": id, "text": one.text, "from": who}
            value |= {"media": {"id": one.post}} | ({"parent_id": one.parent} if one.parent else {})
            change = {"field": "comments", "value": value}
        kind = "page" if self.is_page else "instagram"
        entry = {"id": ME, "time": int(self.day().timestamp()), "changes": [change]}
        body = json.dumps({"object": kind, "entry": [entry]}).encode()
        right = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return {"x-hub-signature-256": f"sha256={right}"}, body

    def answer(self, asked: Asked) -> Answered:
        found = self._answered(asked)
        usage = {"call_count": self.used_percent, "total_time": 1, "total_cputime": 1}
        return Answered(found.body, found.status, {"x-app-usage": json.dumps(usage)})

    def _answered(self, asked: Asked) -> Answered:
        if asked.path == "/v23.0/debug_token":
            return self._token(asked)
        form = self._form(asked)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        proof = hmac.new(SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
        if form.get("appsecret_proof") != [proof]:
            return error(100, "Invalid appsecret_proof provided in the API argument")
        if token != TOKEN:
            words = "Error validating access token: Session has expired on Sunday, 01-Mar-26 03:00:00 PST."
            return error(190, words, 401)
        if self.used_percent >= 100:
            return error(4, "(#4) Application request limit reached", 403)
        _, version, number, *rest = asked.path.split("/")
        assert version == "v23.0"
        if number == "app":
            return Answered({"id": APP, "name": "Our app"})
        if number == ME:
            return self._mine(asked, rest)
        if number in self.containers:
            return self._container(number)
        one = self.things.get(number)
        if rest == ["comments"] and asked.method == "GET" and not self.is_let_read:
            words = "(#10) This endpoint requires the 'pages_read_user_content' permission"
            return error(10, words, 403)
        if one is None or (one.post and not rest and not self.is_let_read):
            words = (
                f"Unsupported get request. Object with ID '{number}' does not exist, cannot be loaded due to "
                "missing permissions, or does not support this operation."
            )
            return error(100, words)
        if not rest:
            told = self._told(one)
            return Answered({"id": one.id} | {k: v for k, v in told.items() if k in asked.first("fields")})
        assert rest[0] == ("comments" if self.is_page or not one.post else "replies")
        if asked.method == "POST":
            return Answered({"id": self.say(ME, form["message"][0], one.id)})
        found = [self.things[id] for id in one.under]
        if self.is_page and asked.first("filter") == "stream":
            found = [each for each in self.things.values() if each.post == one.id]
        found.sort(key=lambda each: each.at, reverse=self.is_newest_first)
        return self._page(asked, [self._told(each) for each in found])

    def _token(self, asked: Asked) -> Answered:
        if asked.headers["authorization"] != f"Bearer {APP}|{SECRET}" or asked.first("input_token") != TOKEN:
            return error(
                100, "(#100) You must provide an app access token, or a user access token of a developer"
            )
        told = {"app_id": APP, "is_valid": True, "scopes": self.scopes, "expires_at": self.ends_at}
        return Answered({"data": told})

    def _mine(self, asked: Asked, rest: list[str]) -> Answered:
        if rest == ["subscribed_apps"]:
            return Answered(
                {"data": [{"id": APP, "subscribed_fields": ["feed"]}] if self.is_subscribed else []}
            )
        if not rest:
            return Answered({"id": ME, "name" if self.is_page else "username": "otterlamps"})
        if asked.method == "POST":
            return self._made(rest[0], self._form(asked), asked)
        assert rest[0] == ("feed" if self.is_page else "media")
        own = [one for one in self.things.values() if not one.post]
        return self._page(asked, [self._told(one, asked.first("fields")) for one in reversed(own)])

    def _form(self, asked: Asked) -> Mapping[str, Sequence[str]]:
        if asked.method != "POST":
            return asked.query
        if asked.headers["content-type"].startswith("multipart/"):
            return {name: [value.decode()] for name, (file, _kind, value) in asked.form.items() if not file}
        return parse_qs(asked.body.decode(), keep_blank_values=True)

    def _made(self, what: str, form: Mapping[str, Sequence[str]], asked: Asked) -> Answered:
        """A post, a photo that nobody sees yet, or on Instagram a container and what it becomes."""
        given = {name: values[0] for name, values in form.items()}
        if self.is_page and what == "photos":
            _name, kind, content = asked.form["source"]
            assert given["published"] == "false"
            number = str(5_000 + len(self.photos))
            self.photos[number] = (kind, content, given["alt_text_custom"])
            return Answered({"id": number})
        if self.is_page:
            assert what == "feed"
            named = [json.loads(value)["media_fbid"] for name, value in given.items() if "attached" in name]
            if any(number not in self.photos for number in named):
                return error(100, "(#100) Invalid parameter")
            id = self.say(ME, given["message"])
            self.shown[id] = named
            return Answered({"id": id})
        if what == "media":
            number = str(1_789_000 + len(self.containers))
            self.containers[number] = {**given, "left": str(self.works_for)}
            return Answered({"id": number})
        assert what == "media_publish"
        return self._published(given["creation_id"])

    def _container(self, number: str) -> Answered:
        one = self.containers[number]
        left = int(one["left"])
        one["left"] = str(left - 1)
        if left > 0:
            return Answered({"id": number, "status_code": "IN_PROGRESS", "status": "In Progress"})
        for address in self._addresses(number):
            if not self.reachable.get(address, b"").startswith(b"\xff\xd8\xff"):
                words = "Error: Media upload has failed with error code 2207052"
                return Answered({"id": number, "status_code": "ERROR", "status": words})
        return Answered({"id": number, "status_code": "FINISHED", "status": "Finished"})

    def _addresses(self, number: str) -> list[str]:
        one = self.containers[number]
        children = one.get("children", "").split(",") if "children" in one else [number]
        return [self.containers[child]["image_url"] for child in children]

    def _published(self, number: str) -> Answered:
        one = self.containers.get(number)
        if one is None or int(one["left"]) >= 0 or "published" in one or "is_carousel_item" in one:
            return error(9007, "Media ID is not available")
        one["published"] = "yes"
        id = self.say(ME, one.get("caption", ""))
        self.shown[id] = self._addresses(number)
        return Answered({"id": id})

    def _page(self, asked: Asked, found: list[Any]) -> Answered:
        start = int(asked.first("after", "c0")[1:])
        end = start + min(int(asked.first("limit", "25")), self.page_max)
        if not found[start:end]:
            return Answered({"data": []})
        paging: dict[str, Any] = {"cursors": {"before": f"c{start}", "after": f"c{end}"}}
        if end < len(found):
            paging["next"] = f"https://graph.facebook.com/v23.0/next?after=c{end}"
        return Answered({"data": found[start:end], "paging": paging})

    def _told(self, one: Thing, fields: str = "") -> dict[str, Any]:
        at = one.at.strftime("%Y-%m-%dT%H:%M:%S+0000")
        if self.is_page:
            told: dict[str, Any] = {"id": one.id, "message": one.text, "created_time": at}
            told["permalink_url"] = f"https://www.facebook.com/{one.id}"
            if one.post or "from" in fields:
                told["from"] = {"id": one.author, "name": one.author.title()}
            return told | ({"parent": {"id": one.parent}} if one.parent else {})
        if not one.post:
            return {
                "id": one.id,
                "caption": one.text,
                "timestamp": at,
                "permalink": f"https://ig.example/{one.id}",
            }
        author = {"id": ME, "username": "otterlamps"} if one.author == ME else None
        who = author or {"id": f"9{one.author}", "username": one.author}
        told = {"id": one.id, "text": one.text, "timestamp": at, "username": who["username"], "from": who}
        if one.under:
            answers = [self._told(self.things[id]) for id in one.under[: self.replies_max]]
            told["replies"] = {"data": answers}
            if len(answers) < len(one.under):
                onward = f"https://graph.facebook.com/v23.0/{one.id}/replies?after=c{len(answers)}"
                told["replies"]["paging"] = {"cursors": {"after": f"c{len(answers)}"}, "next": onward}
        return told


def error(code: int, words: str, status: int = 400) -> Answered:
    """As Meta refuses."""
    told = {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A1b2C3"}
    return Answered({"error": told}, status)
