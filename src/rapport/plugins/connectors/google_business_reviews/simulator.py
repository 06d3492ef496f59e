"""Google Business Profile in this process: reviews of one place, a consent that is renewed or ended, its errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from rapport.kit import wire
from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

ACCOUNT, LOCATION = "111222333", "444555666"
CLIENT, SECRET, REFRESH = "an-id.apps.googleusercontent.com", "a-client-secret", "1//a-refresh-token"
NAMES = ("ONE", "TWO", "THREE", "FOUR", "FIVE")
PLACE = f"accounts/{ACCOUNT}/locations/{LOCATION}"


class Business(Act):
    """`review` and `change` are what people do."""

    places = ("https://mybusiness.googleapis.com", "https://oauth2.googleapis.com")

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.reviews: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.page_max = 50
        self.n_logins = 0
        self.scope = "https://www.googleapis.com/auth/business.manage"
        self.is_revoked = False

    def review(self, who: str, stars: int, words: str = "") -> str:
        """Somebody reviews the place."""
        id = f"AbF{len(self.reviews) + 1:04d}"
        reviewer = {"displayName": who, "isAnonymous": False} if who else {"isAnonymous": True}
        now = wire.written(self.day())
        self.reviews[id] = {
            "name": f"{PLACE}/reviews/{id}",
            "reviewId": id,
            "reviewer": reviewer,
            "createTime": now,
        }
        self.change(id, stars, words)
        return id

    def change(self, id: str, stars: int, words: str) -> None:
        """They change what they said."""
        told = {"starRating": NAMES[stars - 1], "updateTime": wire.written(self.day())}
        self.reviews[id] |= told | ({"comment": words} if words else {})

    def reply(self, id: str, words: str) -> dict[str, str]:
        """The owner replies; the review itself keeps its time."""
        made = {"comment": words, "updateTime": wire.written(self.day())}
        self.reviews[id]["reviewReply"] = made
        return made

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/token":
            return self._log_in({k: v[0] for k, v in parse_qs(asked.body.decode()).items()})
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return wrong(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        target = asked.path.removeprefix("/v4/").removeprefix(f"{PLACE}/reviews")
        if not target:
            return self._listed(asked)
        id, _, verb = target.removeprefix("/").partition("/")
        if id not in self.reviews:
            return wrong(404, "NOT_FOUND", "Requested entity was not found.")
        if asked.method == "PUT" and verb == "reply":
            return Answered(self.reply(id, asked.content["comment"]))
        return Answered(self.reviews[id])

    def _log_in(self, form: dict[str, str]) -> Answered:
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            return Answered({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if self.is_revoked or (form["grant_type"], form["refresh_token"]) != ("refresh_token", REFRESH):
            words = "Token has been expired or revoked."
            return Answered({"error": "invalid_grant", "error_description": words}, 400)
        self.n_logins += 1
        self.tokens.add(f"ya29.{self.n_logins}")
        return Answered(
            {
                "access_token": f"ya29.{self.n_logins}",
                "expires_in": 3_599,
                "scope": self.scope,
                "token_type": "Bearer",
            }
        )

    def _listed(self, asked: Asked) -> Answered:
        found = sorted(self.reviews.values(), key=lambda r: str(r["updateTime"]), reverse=True)
        start = int(asked.first("pageToken", "0"))
        size = min(int(asked.first("pageSize", "10")), self.page_max)
        body: dict[str, Any] = {"totalReviewCount": len(found), "averageRating": 3.5}
        if found:
            body["reviews"] = found[start : start + size]
        if start + size < len(found):
            body["nextPageToken"] = str(start + size)
        return Answered(body)


def wrong(status: int, name: str, words: str) -> Answered:
    """An error in Google's form."""
    return Answered({"error": {"code": status, "message": words, "status": name}}, status)
