"""LinkedIn in this process: a page's posts, comments with start and count, tokens and versions that end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

NUMBER, TOKEN, VERSION = "5515715", "AQX-a-token", "202606"
ME, ANA = f"urn:li:organization:{NUMBER}", "urn:li:person:ana1"


@dataclass(slots=True)
class Thing:
    """A post or a comment."""

    id: str
    author: str
    text: str
    at_ms: int
    post: str = ""
    parent: str = ""
    changed_ms: int = 0


class LinkedIn(Act):
    """`post` and `say` are what people do."""

    places = ("https://api.linkedin.com", "https://www.linkedin.com")

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.things: dict[str, Thing] = {}
        self.page_max, self.left = 100, 500
        self.is_counted = True  # whether lists say how many there are, or merely that there are more
        self.images: dict[
            str, tuple[str, bytes]
        ] = {}  # by their number: kind and content, once they were put
        self.content: dict[str, Any] = {}  # by post: what it shows

    def post(self, text: str) -> str:
        """The page posts."""
        return self._add(f"urn:li:share:{7_000 + len(self.things)}", ME, text)

    def say(self, author: str, text: str, above: str) -> str:
        """Somebody comments, or answers."""
        parent = self.things[above]
        post = parent.post or parent.id
        id = f"urn:li:comment:({post},{7_000 + len(self.things)})"
        return self._add(id, author, text, post, above if parent.post else "")

    def _add(self, id: str, author: str, text: str, post: str = "", parent: str = "") -> str:
        self.things[id] = Thing(id, author, text, int(self.day().timestamp() * 1_000), post, parent)
        return id

    def answer(self, asked: Asked) -> Answered:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired")
        if asked.path.startswith("/dms-uploads/"):
            self.images[asked.path.rpartition("/")[2]] = (asked.headers["content-type"], asked.body)
            return Answered(b"", 201)
        if asked.headers.get("linkedin-version") != VERSION:
            return error(426, "NONEXISTENT_VERSION", "Requested version is not active")
        assert asked.headers.get("x-restli-protocol-version") == "2.0.0"
        self.left -= 1
        if self.left < 0:
            return error(429, "TOO_MANY_REQUESTS", "Resource level throttle limit for calls is reached.")
        if asked.path == "/rest/images":
            assert asked.first("action") == "initializeUpload"
            assert asked.content["initializeUploadRequest"]["owner"] == ME
            image = f"urn:li:image:C{len(self.images)}-{len(self.asked)}"
            self.images[image] = ("", b"")
            address = f"https://www.linkedin.com/dms-uploads/sp/{image}"
            return Answered({"value": {"uploadUrl": address, "image": image, "uploadUrlExpiresAt": 1}})
        if asked.path == "/rest/posts" and asked.method == "POST":
            return self._posted(asked.content)
        if asked.path == "/rest/posts":
            own = [one for one in self.things.values() if not one.post]
            told = [
                {"id": o.id, "author": ME, "commentary": o.text, "createdAt": o.at_ms} for o in reversed(own)
            ]
            return self._page(asked, told)
        under, _, number = asked.path.removeprefix("/rest/socialActions/").partition("/comments")
        if number:
            one = self.things.get(f"urn:li:comment:({under},{number[1:]})")
            return Answered(self._told(one)) if one else error(404, "NOT_FOUND", "Not Found")
        if under not in self.things:
            return error(404, "NOT_FOUND", "Not Found")
        if asked.method == "POST":
            assert asked.content["actor"] == ME
            assert asked.content.get("parentComment", under) == under
            return Answered(
                self._told(self.things[self.say(ME, asked.content["message"]["text"], under)]), 201
            )
        return self._page(asked, [self._told(one) for one in self._under(under)])

    def _posted(self, body: Any) -> Answered:
        assert (body["author"], body["lifecycleState"], body["visibility"]) == (ME, "PUBLISHED", "PUBLIC")
        text = re.sub(r"\\(.)", "", body["commentary"])
        if re.search(r"[|{}@\[\]()<>*_~]", text):
            return error(400, "INVALID_REQUEST", "commentary holds marks that mean something else")
        content = body.get("content", {})
        shown = content.get("multiImage", {}).get("images") or [content["media"]] if content else []
        if "multiImage" in content and not 2 <= len(shown) <= 20:
            return error(422, "INVALID_CONTENT", "MultiImage post must have between 2 and 20 images")
        if any(not self.images.get(one["id"], ("", b""))[1] for one in shown):
            return error(400, "INVALID_REQUEST", "the image is not available")
        id = self.post(re.sub(r"\\(.)", r"\1", body["commentary"]))
        self.content[id] = shown
        return Answered(b"", 201, {"x-restli-id": id})

    def _under(self, id: str) -> list[Thing]:
        is_post = not self.things[id].post
        return [
            o for o in self.things.values() if (o.post == id and not o.parent if is_post else o.parent == id)
        ]

    def _told(self, one: Thing) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": one.id.rpartition(",")[2].rstrip(")"),
            "commentUrn": one.id,
            "actor": one.author,
            "object": one.post,
            "message": {"attributes": [], "text": one.text},
            "created": {"actor": one.author, "time": one.at_ms},
            "lastModified": {"actor": one.author, "time": one.changed_ms or one.at_ms},
        }
        if n := len(self._under(one.id)):
            told["commentsSummary"] = {"aggregatedTotalComments": n}
        return told | ({"parentComment": one.parent} if one.parent else {})

    def _page(self, asked: Asked, found: list[Any]) -> Answered:
        start, count = int(asked.first("start", "0")), min(int(asked.first("count", "10")), self.page_max)
        paging: dict[str, Any] = {"start": start, "count": count, "links": []}
        if self.is_counted:
            paging["total"] = len(found)
        elif start + count < len(found):
            paging["links"] = [{"rel": "next", "type": "application/json", "href": "/rest/onward"}]
        return Answered({"elements": found[start : start + count], "paging": paging})


def error(status: int, code: str, words: str) -> Answered:
    """As LinkedIn refuses."""
    return Answered({"status": status, "serviceErrorCode": 65_601, "code": code, "message": words}, status)
