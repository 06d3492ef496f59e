"""YouTube in this process: a token that is renewed, threads of comments in pages, a quota, answers, errors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

ME, VIDEO = "UC" + "o" * 22, "dQw4w9WgXcQ"
CLIENT, SECRET, REFRESH = "an-id.apps.example", "a-secret", "1//refresh"
SHOWN_MAX = 5  # answers that a list of threads gives with each


@dataclass(slots=True)
class Comment:
    """A comment or an answer."""

    id: str
    author: str
    text: str
    at: dt.datetime
    above: str = ""
    changed: dt.datetime | None = None
    answers: list[str] = field(default_factory=list)


class YouTube(Act):
    """`say` is what people do."""

    places = ("https://oauth2.googleapis.com", "https://www.googleapis.com")

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.comments: dict[str, Comment] = {}
        self.tokens: set[str] = set()
        self.scope = "https://www.googleapis.com/auth/youtube.force-ssl"
        self.is_strict = False  # lists by id refuse where one is gone, as the reference says, or leave it out
        self.broken: set[str] = set()  # threads whose answers cannot be listed
        self.quota, self.n_logins, self.page_max = 10_000, 0, 100

    def say(self, author: str, text: str, above: str = "") -> str:
        """Somebody comments, or answers."""
        number = f"Ug{len(self.comments) + 1:06x}"
        id = f"{above}.{number}" if above else number
        self.comments[id] = Comment(id, author, text, self.day(), above)
        if above:
            self.comments[above].answers.append(id)
        return id

    def delete(self, id: str) -> None:
        """Somebody takes a comment back."""
        gone = self.comments.pop(id)
        if gone.above:
            self.comments[gone.above].answers.remove(id)

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/token":
            return self._log_in(parse_qs(asked.body.decode()))
        self.quota -= 50 if asked.method == "POST" else 1
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, "authError", "Invalid Credentials")
        if self.quota < 0:
            return error(
                403, "quotaExceeded", "The request cannot be completed: you have exceeded your quota."
            )
        if asked.method == "POST":
            return self._posted(asked)
        found = {"channels": self._mine, "comments": self._comments, "commentThreads": self._threads}
        return found[asked.path.rpartition("/")[2]](asked)

    def _log_in(self, form: dict[str, list[str]]) -> Answered:
        if (form["client_id"], form["client_secret"]) != ([CLIENT], [SECRET]):
            return Answered({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if form["refresh_token"] != [REFRESH]:
            told = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return Answered(told, 400)
        self.n_logins += 1
        self.tokens = {f"token-{self.n_logins}"}
        return Answered(
            {
                "access_token": f"token-{self.n_logins}",
                "expires_in": 3_599,
                "scope": self.scope,
                "token_type": "Bearer",
            }
        )

    def _mine(self, _: Asked) -> Answered:
        return Answered({"items": [{"id": ME, "snippet": {"title": "Otter Lamps"}}]})

    def _threads(self, asked: Asked) -> Answered:
        ids = asked.first("id")
        found = [one for one in self.comments.values() if not one.above]
        if ids:
            if self.is_strict and any(id not in self.comments for id in ids.split(",")):
                words = "One or more of the specified comment threads cannot be found."
                return error(404, "commentThreadNotFound", words)
            found = [one for one in found if one.id in ids.split(",")]
            return Answered({"items": [self._thread(one) for one in found]})
        found.sort(key=lambda one: (one.at, one.id), reverse=True)
        return self._page(asked, [self._thread(one) for one in found])

    def _comments(self, asked: Asked) -> Answered:
        if ids := asked.first("id"):
            if self.is_strict and any(id not in self.comments for id in ids.split(",")):
                words = "One or more of the specified comments cannot be found."
                return error(404, "commentNotFound", words)
            return Answered(
                {"items": [self._one(self.comments[i]) for i in ids.split(",") if i in self.comments]}
            )
        above = self.comments.get(asked.first("parentId"))
        if above and above.id in self.broken:
            return error(
                400, "processingFailure", "The API server failed to successfully process the request."
            )
        if above is None:
            return error(404, "commentNotFound", "The comment cannot be found.")
        return self._page(asked, [self._one(self.comments[id]) for id in above.answers])

    def _page(self, asked: Asked, found: list[Any]) -> Answered:
        start, size = (
            int(asked.first("pageToken", "0")),
            min(int(asked.first("maxResults", "20")), self.page_max),
        )
        onward = {"nextPageToken": str(start + size)} if start + size < len(found) else {}
        return Answered({"items": found[start : start + size], **onward})

    def _thread(self, one: Comment) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": one.id,
            "snippet": {
                "channelId": ME,
                "videoId": VIDEO,
                "totalReplyCount": len(one.answers),
                "topLevelComment": self._one(one),
            },
        }
        if one.answers:
            told["replies"] = {"comments": [self._one(self.comments[id]) for id in one.answers[-SHOWN_MAX:]]}
        return told

    def _one(self, one: Comment) -> dict[str, Any]:
        told = {
            "textDisplay": one.text,
            "authorDisplayName": f"@{one.author}",
            "authorChannelId": {"value": one.author},
            "publishedAt": written(one.at),
            "updatedAt": written(one.changed or one.at),
        }
        return {
            "id": one.id,
            "snippet": told | ({"parentId": one.above} if one.above else {"videoId": VIDEO}),
        }

    def _posted(self, asked: Asked) -> Answered:
        held = asked.content["snippet"]
        if asked.path.endswith("commentThreads"):
            if held["videoId"] != VIDEO:
                return error(403, "commentsDisabled", "The video has disabled comments.")
            return Answered({"id": self.say(ME, held["topLevelComment"]["snippet"]["textOriginal"])})
        if held["parentId"] not in self.comments:
            return error(404, "parentCommentNotFound", "The specified parent comment could not be found.")
        return Answered(self._one(self.comments[self.say(ME, held["textOriginal"], held["parentId"])]))


def written(at: dt.datetime) -> str:
    """As YouTube writes moments."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def error(status: int, why: str, words: str) -> Answered:
    """As Google's interfaces refuse."""
    told = {"message": words, "domain": "youtube", "reason": why}
    return Answered({"error": {"code": status, "message": words, "errors": [told]}}, status)
