"""One site of Stack Exchange in this process: questions, answers, comments, packed answers, quota, backoff, errors."""

from __future__ import annotations

import gzip
import html
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

KEY, TOKEN, SITE, ME = "key-of-the-app", "token-of-ours", "diy", 77  # of nobody


class Exchange(Act):
    """`ask`, `answer_to` and `comment` are what people do."""

    places = ("https://api.stackexchange.com",)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.items: list[dict[str, Any]] = []
        self.left = 10_000
        self.backoff = 0
        self.packs = "gzip"
        self.page_max = 100
        self.scopes, self.reputation = ["no_expiry", "write_access"], 101

    def ask(self, who: int, title: str, text: str, *tags: str) -> str:
        """Somebody asks; gives the id that we know it by."""
        return self._add("question", who, text, title=html.escape(title), tags=list(tags))

    def reply(self, who: int, question: str, text: str) -> str:
        """Somebody answers a question."""
        return self._add("answer", who, text, question_id=int(question[1:].partition("@")[0]))

    def comment(self, who: int, post: str, text: str) -> str:
        """Somebody comments on a post."""
        return self._add("comment", who, text, post_id=int(post[1:].partition("@")[0]))

    def named(self, id: str) -> dict[str, Any]:
        """A thing by the id that we know it by."""
        return self.items[int(id[1:].partition("@")[0]) - 1]

    def _add(self, kind: str, who: int, text: str, **more: Any) -> str:
        number = len(self.items) + 1
        self.items.append(
            {
                f"{kind}_id": number,
                "creation_date": int(self.day().timestamp()),
                "owner": {
                    "user_id": who,
                    "display_name": f"Person {who} &amp; Co",
                    "user_type": "registered",
                },
                "body": f"<p>{html.escape(text)}</p>",
                "link": f"https://{SITE}.stackexchange.com/{kind[0]}/{number}",
                "gone": False,
                **more,
            }
        )
        return f"{kind[0]}{number}@{SITE}"

    def answer(self, asked: Asked) -> Answered:
        form = {k: v[0] for k, v in parse_qs(asked.body.decode()).items()}
        told = {k: v[0] for k, v in asked.query.items()} | form
        if self.left <= 0:
            words = "too many requests from this IP, more requests available in 4321 seconds"
            return self._packed(
                {"error_id": 502, "error_name": "throttle_violation", "error_message": words}, 400
            )
        self.left -= 1
        if told.get("access_token", TOKEN) != TOKEN:
            words = "invalid or expired `access_token`"
            return self._packed(
                {"error_id": 402, "error_name": "invalid_access_token", "error_message": words}, 400
            )
        if asked.path == f"/2.3/access-tokens/{TOKEN}" and "site" not in told:
            return self._packed({"items": [{"account_id": 1, "scope": self.scopes}], "has_more": False})
        if told["site"] != SITE:
            words = f"No site found for name `{told['site']}`"
            return self._packed({"error_id": 400, "error_name": "bad_parameter", "error_message": words}, 400)
        path = asked.path.removeprefix("/2.3")
        found = self._made(path, form) if asked.method == "POST" else self._found(path, told)
        if isinstance(found, Answered):
            return found
        size, page = min(int(told.get("pagesize", "30")), self.page_max), int(told.get("page", "1"))
        part = found[(page - 1) * size : page * size]
        body: dict[str, Any] = {
            "items": [{k: v for k, v in one.items() if k != "gone"} for one in part],
            "has_more": page * size < len(found),
            "quota_max": 10_000,
            "quota_remaining": self.left,
        }
        if self.backoff:
            body["backoff"] = self.backoff
        return self._packed(body)

    def _packed(self, body: Any, status: int = 200) -> Answered:
        text = json.dumps(body).encode()
        packed = gzip.compress(text, mtime=0) if self.packs == "gzip" else zlib.compress(text)
        if self.packs == "bare":
            packed = packed[2:-4]
        headers = {"content-encoding": "gzip" if self.packs == "gzip" else "deflate"}
        return Answered(packed, status, headers)

    def _found(self, path: str, told: dict[str, str]) -> list[dict[str, Any]] | Answered:
        if path == "/info":
            return []
        if path == "/me":
            return [{"user_id": ME, "reputation": self.reputation}]
        parts = path.strip("/").split("/")
        ids = [int(n) for n in parts[1].split(";")] if len(parts) > 1 and parts[1][0].isdigit() else []
        if path == "/search/advanced":
            word = told["q"].lower()
            return self._newest("question", told, lambda t: word in f"{t['title']} {t['body']}".lower())
        if path == "/questions":
            return self._newest("question", told, lambda t: told["tagged"] in t["tags"])
        if path in {"/me/answers", "/me/comments"}:
            return self._newest(parts[1][:-1], told, lambda t: t["owner"]["user_id"] == ME)
        if path == "/me/mentioned":
            return self._newest("comment", told, lambda t: "@shop" in t["body"])
        if parts[-1] == "answers" and ids and parts[0] == "questions":
            return self._newest("answer", told, lambda t: t["question_id"] in ids)
        if parts[-1] == "comments" and ids and parts[0] == "questions":
            return self._newest("comment", told, lambda t: t["post_id"] in ids)
        if ids:
            return self._newest(parts[0][:-1], told, lambda t: t[f"{parts[0][:-1]}_id"] in ids)
        words = "no method found with this name"
        return self._packed({"error_id": 404, "error_name": "no_method", "error_message": words}, 400)

    def _newest(
        self, kind: str, told: dict[str, str], wanted: Callable[[dict[str, Any]], bool]
    ) -> list[dict[str, Any]]:
        since = int(told.get("fromdate", "0"))
        found: Sequence[dict[str, Any]] = [
            t for t in reversed(self.items) if f"{kind}_id" in t and not t["gone"]
        ]
        if kind == "question":
            found = [t for t in found if "answer_id" not in t]
        return [t for t in found if t["creation_date"] >= since and wanted(t)]

    def _made(self, path: str, form: dict[str, str]) -> list[dict[str, Any]] | Answered:
        parts = path.strip("/").split("/")
        if form["body"].startswith("forbidden"):
            words = "This account may not post."
            return self._packed({"error_id": 403, "error_name": "access_denied", "error_message": words}, 400)
        post = f"x{parts[1]}@{SITE}"
        id = (
            self.reply(ME, post, form["body"])
            if parts[0] == "questions"
            else self.comment(ME, post, form["body"])
        )
        return [self.named(id)]
