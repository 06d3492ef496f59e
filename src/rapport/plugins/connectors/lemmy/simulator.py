"""A Lemmy instance in this process: a log-in, posts and comments in communities, answers, mentions, its errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rapport.kit import wire
from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

ME, PASSWORD, HOST = "shop", "a password", "lemmy.example"
READERS = ("/user/replies", "/user/mention", "/private_message/list", "/comment", "/post", "/private_message")


@dataclass(slots=True)
class Thing:
    """A post, comment or private message; `path` is a comment's."""

    kind: str
    id: int
    author: str
    text: str
    at: datetime
    title: str = ""
    post: int = 0
    path: str = ""
    to: str = ""
    community: str = "lamps"
    updated: str = ""
    deleted: bool = False
    removed: bool = False


class Lemmy(Act):
    """`post`, `comment` and `write` are what people do; people elsewhere are named `ana@far.example`."""

    places = (f"https://{HOST}",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.things: list[Thing] = []
        self.tokens: set[str] = set()
        self.n_logins = 0
        self.page_max = 50
        self.is_bot, self.version = True, "0.19.11"
        self.is_banned = False
        self.people: list[str] = [ME]

    def post(self, author: str, title: str, text: str = "", *, to: str = "lamps") -> str:
        """Somebody posts; gives the id that we know it by."""
        return self._add(Thing("p", 0, author, text, self.day(), title, community=to))

    def comment(self, author: str, parent: str, text: str) -> str:
        """Somebody answers."""
        above = self.named(parent)
        post = above.id if above.kind == "p" else above.post
        path = above.path or "0"
        return self._add(
            Thing("c", 0, author, text, self.day(), post=post, path=path, community=above.community)
        )

    def write(self, author: str, text: str, *, to: str = ME) -> str:
        """Somebody writes to somebody alone."""
        return self._add(Thing("m", 0, author, text, self.day(), to=to))

    def _add(self, thing: Thing) -> str:
        self.people += [one for one in (thing.author, thing.to) if one and one not in self.people]
        self.things.append(thing)
        thing.id = len(self.things)
        thing.path = f"{thing.path}.{thing.id}" if thing.kind == "c" else ""
        return f"{thing.kind}{thing.id}@{HOST}"

    def named(self, id: str) -> Thing:
        """A thing by the id that we know it by."""
        return self.things[int(id[1:].partition("@")[0]) - 1]

    def answer(self, asked: Asked) -> Answered:
        path = asked.path.removeprefix("/api/v3")
        if path == "/user/login":
            return self._log_in(asked.content)
        is_ours = asked.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens
        if not is_ours and (path in READERS or asked.method == "POST"):
            return Answered({"error": "not_logged_in"}, 400)
        if asked.method == "POST":
            return self._made(path, asked.content)
        return self._got(path, asked, is_ours)

    def _log_in(self, body: dict[str, str]) -> Answered:
        if self.is_banned or (body["username_or_email"], body["password"]) != (ME, PASSWORD):
            return Answered({"error": "incorrect_login"}, 401)
        self.n_logins += 1
        self.tokens.add(f"jwt-{self.n_logins}")
        return Answered(
            {"jwt": f"jwt-{self.n_logins}", "registration_created": False, "verify_email_sent": False}
        )

    def _got(self, path: str, asked: Asked, is_ours: bool) -> Answered:
        if path == "/site":
            person = {**self._person(ME), "bot_account": self.is_bot}
            mine = {"local_user_view": {"person": person}} if is_ours else None
            return Answered({"my_user": mine, "version": self.version})
        if path == "/user/replies":
            return self._list(asked, "replies", self._is_reply, "c")
        if path == "/user/mention":
            return self._list(asked, "mentions", lambda t: f"@{ME}@{HOST}" in t.text and t.author != ME, "c")
        if path == "/private_message/list":
            return self._list(asked, "private_messages", lambda t: ME in {t.author, t.to}, "m")
        if path == "/user":
            return self._of(asked)
        if path == "/search":
            word, kind = asked.first("q").lower(), asked.first("type_", "All")
            found = Answered({"type_": kind, "comments": [], "posts": []})
            for name, letter in (("comments", "c"), ("posts", "p")):
                if kind in {"All", name.title()}:
                    found.body[name] = self._list(
                        asked, name, lambda t: word in f"{t.title} {t.text}".lower(), letter
                    ).body[name]
            return found
        if path in {"/comment", "/post"}:
            number = int(asked.first("id"))
            thing = self.things[number - 1] if number <= len(self.things) else None
            if thing is None or thing.kind != path[1]:
                return Answered({"error": f"couldnt_find_{path[1:]}"}, 404)
            return Answered({f"{path[1:]}_view": self._view(thing)})
        if path == "/community":
            name = asked.first("name").partition("@")[0]
            if name != "lamps":
                return Answered({"error": "couldnt_find_community"}, 404)
            return Answered({"community_view": {"community": {"id": 1, **_community(name)}}})
        return Answered({"error": "unknown"}, 404)

    def _of(self, asked: Asked) -> Answered:
        name = asked.first("username").removesuffix(f"@{HOST}")
        if name not in self.people:
            return Answered({"error": "couldnt_find_person"}, 404)
        mine = {
            kinds: self._list(asked, kinds, lambda t: t.author == name, kinds[0]).body[kinds]
            for kinds in ("comments", "posts")
        }
        return Answered({"person_view": {"person": self._person(name)}, **mine})

    def _is_reply(self, thing: Thing) -> bool:
        above = [p for p in thing.path.split(".")[1:-1] if p] or [str(thing.post)]
        return thing.author != ME and self.things[int(above[-1]) - 1].author == ME

    def _list(self, asked: Asked, name: str, wanted: Any, kind: str) -> Answered:
        found = [t for t in reversed(self.things) if t.kind == kind and wanted(t) and not t.deleted]
        size = min(int(asked.first("limit", "10")), self.page_max)
        start = (int(asked.first("page", "1")) - 1) * size
        return Answered({name: [self._view(t) for t in found[start : start + size]]})

    def _made(self, path: str, body: dict[str, Any]) -> Answered:
        if path == "/comment":
            post = self.things[body["post_id"] - 1]
            if post.removed:
                return Answered({"error": "locked"}, 400)
            id = self.comment(ME, f"x{body.get('parent_id') or post.id}", body["content"])
            return Answered({"comment_view": self._view(self.named(id))})
        if path == "/post":
            return Answered({"post_view": self._view(self.named(self.post(ME, body["name"], body["body"])))})
        to = self.people[body["recipient_id"] - 1]
        id = self.write(ME, body["content"], to=to)
        return Answered({"private_message_view": self._view(self.named(id))})

    def _person(self, name: str) -> dict[str, Any]:
        short, _, host = name.partition("@")
        number = self.people.index(name) + 1
        return {"id": number, "name": short, "actor_id": f"https://{host or HOST}/u/{short}"}

    def _view(self, thing: Thing) -> dict[str, Any]:
        held: dict[str, Any] = {
            "id": thing.id,
            "published": wire.written(thing.at).replace("Z", "000Z"),
            "deleted": thing.deleted,
            "removed": thing.removed,
        }
        if thing.updated:
            held["updated"] = thing.updated
        view = {"creator": self._person(thing.author), "community": _community(thing.community)}
        if thing.kind == "p":
            return {**view, "post": held | {"name": thing.title, "body": thing.text}}
        if thing.kind == "c":
            path = re.sub(r"^0?\.?", "0.", thing.path)
            return {**view, "comment": held | {"content": thing.text, "post_id": thing.post, "path": path}}
        del view["community"]
        view["recipient"] = self._person(thing.to)
        return {**view, "private_message": held | {"content": thing.text}}


def _community(name: str) -> dict[str, Any]:
    return {"name": name, "actor_id": f"https://{HOST}/c/{name}"}
