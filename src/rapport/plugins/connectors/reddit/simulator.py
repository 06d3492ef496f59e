"""Reddit in this process: a log-in, listings with `after`, search, an inbox, answers, and its limits and errors."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

ME, PASSWORD, CLIENT, SECRET = "Otter_Shop", "a password", "an-id", "a-secret"
LISTED_MAX = 1_000


@dataclass(slots=True)
class Thing:
    """A comment, post or private message."""

    name: str
    author: str
    text: str
    at: dt.datetime
    title: str = ""
    subreddit: str = ""
    parent: str = ""
    link: str = ""
    to: str = ""
    edited: float | bool = False


class Reddit(Act):
    """`post`, `comment` and `write` are what people do."""

    places = ("https://www.reddit.com", "https://oauth.reddit.com")

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.things: dict[str, Thing] = {}
        self.tokens: set[str] = set()
        self.left = 996.0
        self.page_max = 100
        self.n_logins = 0

    def post(self, author: str, title: str, text: str = "", *, to: str = "lanterns") -> str:
        """Somebody posts in a community."""
        name = f"t3_{len(self.things) + 1:x}"
        self.things[name] = Thing(name, author, text, self.day(), title, to, link=name)
        return name

    def comment(self, author: str, parent: str, text: str) -> str:
        """Somebody answers."""
        name, above = f"t1_{len(self.things) + 1:x}", self.things[parent]
        self.things[name] = Thing(
            name, author, text, self.day(), "", above.subreddit, parent, above.link or parent
        )
        return name

    def write(self, author: str, subject: str, text: str, *, to: str = ME) -> str:
        """Somebody writes to somebody alone."""
        name = f"t4_{len(self.things) + 1:x}"
        self.things[name] = Thing(name, author, text, self.day(), subject, to=to)
        return name

    def answer(self, asked: Asked) -> Answered:
        if not asked.headers.get("user-agent", "").endswith(f"(by /u/{ME})"):
            return Answered({"message": "Too Many Requests", "error": 429}, 429)
        if asked.path == "/api/v1/access_token":
            return self._log_in(asked)
        if asked.headers.get("authorization", "").removeprefix("bearer ") not in self.tokens:
            return Answered({"message": "Unauthorized", "error": 401}, 401)
        self.left -= 1
        second = self.day().timestamp() % 600
        told = {
            "x-ratelimit-used": f"{996 - self.left:.0f}",
            "x-ratelimit-remaining": f"{max(self.left, 0):.1f}",
            "x-ratelimit-reset": f"{600 - second:.0f}",
        }
        if self.left < 0:
            return Answered({"message": "Too Many Requests", "error": 429}, 429, told)
        found = self._answered(asked)
        return Answered(found.body, found.status, told)

    def _log_in(self, asked: Asked) -> Answered:
        pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {pair}":
            return Answered({"message": "Unauthorized", "error": 401}, 401)
        form = parse_qs(asked.body.decode())
        if (form["username"], form["password"]) != ([ME], [PASSWORD]):
            return Answered({"error": "invalid_grant"})
        self.n_logins += 1
        token = f"token-{self.n_logins}"
        self.tokens.add(token)
        return Answered({"access_token": token, "token_type": "bearer", "expires_in": 86_400, "scope": "*"})

    def _answered(self, asked: Asked) -> Answered:
        path, parts = asked.path, asked.path.strip("/").split("/")
        if path == "/api/v1/me":
            return Answered({"name": ME, "id": "abc"})
        if path == "/api/comment":
            return self._commented(parse_qs(asked.body.decode()))
        if path == "/api/submit":
            return self._submitted(parse_qs(asked.body.decode()))
        if path == "/api/info":
            names = asked.first("id").split(",")
            return Answered(_listing([self._told(self.things[n]) for n in names if n in self.things], None))
        if path == "/message/inbox":
            return self._listed(asked, self._is_for_me, in_inbox=True)
        if path == "/message/sent":
            return self._listed(asked, lambda t: t.author == ME and t.name.startswith("t4_"))
        if parts[0] == "user":
            kinds = {"comments": ("t1_",), "submitted": ("t3_",), "overview": ("t1_", "t3_")}[parts[2]]
            return self._listed(asked, lambda t: t.author == ME and t.name.startswith(kinds))
        if parts[-1] == "search":
            terms = [term.strip('" ').lower() for term in asked.first("q").split(" OR ")]
            here = parts[1].split("+") if parts[0] == "r" and asked.first("restrict_sr") else None
            return self._listed(
                asked,
                lambda t: (
                    t.name.startswith("t3_")
                    and any(term in f"{t.title} {t.text}".lower() for term in terms)
                    and (here is None or t.subreddit in here)
                ),
            )
        if parts[0] == "r" and parts[-1] == "comments":
            here = parts[1].split("+")
            return self._listed(asked, lambda t: t.name.startswith("t1_") and t.subreddit in here)
        return Answered({"message": "Not Found", "error": 404}, 404)

    def _is_for_me(self, thing: Thing) -> bool:
        if thing.author in {ME, "[deleted]"}:
            return False
        above = self.things.get(thing.parent)
        return (
            thing.to == ME
            or (above is not None and above.author == ME)
            or (thing.name.startswith("t1_") and f"u/{ME}".lower() in thing.text.lower())
        )

    def _listed(self, asked: Asked, wanted: Callable[[Thing], bool], *, in_inbox: bool = False) -> Answered:
        found = [t for t in reversed(self.things.values()) if wanted(t)][:LISTED_MAX]
        after = asked.first("after")
        start = next((n + 1 for n, t in enumerate(found) if t.name == after), 0)
        size = min(int(asked.first("limit", "25")), self.page_max)
        part = found[start : start + size]
        onward = part[-1].name if part and start + size < len(found) else None
        return Answered(_listing([self._told(t, in_inbox=in_inbox) for t in part], onward))

    def _told(self, thing: Thing, *, in_inbox: bool = False) -> dict[str, Any]:
        kind = thing.name[:2]
        held: dict[str, Any] = {
            "id": thing.name[3:],
            "name": thing.name,
            "author": thing.author,
            "created_utc": thing.at.timestamp(),
            "edited": thing.edited,
            "subreddit": thing.subreddit or None,
        }
        link = f"/r/{thing.subreddit}/comments/{thing.link[3:]}/title/"
        if kind == "t3":
            held |= {"title": thing.title, "selftext": thing.text, "permalink": link}
        elif kind == "t1":
            held |= {"body": thing.text, "parent_id": thing.parent}
            if in_inbox:  # which gives a context in place of the link's name
                held |= {"context": f"{link}{thing.name[3:]}/?context=3", "was_comment": True}
            else:
                held |= {"link_id": thing.link, "permalink": f"{link}{thing.name[3:]}/"}
        else:
            held |= {"body": thing.text, "subject": thing.title, "dest": thing.to, "was_comment": False}
            held |= {"parent_id": thing.parent or None, "first_message_name": thing.link or None}
        return {"kind": kind, "data": held}

    def _commented(self, form: dict[str, list[str]]) -> Answered:
        parent, text = form["thing_id"][0], form["text"][0]
        above = self.things.get(parent)
        if above is None or above.text == "[deleted]":
            return _errors("DELETED_COMMENT", "that comment has been deleted", "parent")
        if parent.startswith("t4_"):
            name = self.write(ME, f"re: {above.title}", text, to=above.author)
            self.things[name].parent, self.things[name].link = parent, above.link or parent
        else:
            name = self.comment(ME, parent, text)
        return Answered({"json": {"errors": [], "data": {"things": [self._told(self.things[name])]}}})

    def _submitted(self, form: dict[str, list[str]]) -> Answered:
        if form["sr"][0] == "closed":
            return _errors("SUBREDDIT_NOTALLOWED", "you aren't allowed to post there.", "sr")
        name = self.post(ME, form["title"][0], form["text"][0], to=form["sr"][0])
        url = f"https://www.reddit.com/r/{form['sr'][0]}/comments/{name[3:]}/title/"
        return Answered({"json": {"errors": [], "data": {"url": url, "id": name[3:], "name": name}}})


def _listing(children: list[Any], after: str | None) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": after, "before": None, "children": children}}


def _errors(code: str, words: str, member: str) -> Answered:
    return Answered({"json": {"errors": [[code, words, member]]}})
