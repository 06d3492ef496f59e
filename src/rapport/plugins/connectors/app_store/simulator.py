"""App Store Connect in this process: reviews and responses of one app, keys that are looked at, limits, errors."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

APP, ISSUER, KEY_ID = "1234567890", "57246542-96fe-1a63-e053-0824d011072a", "2X9R4HXF34"
KEY = ec.derive_private_key(20_260_302, ec.SECP256R1())  # of nobody
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
API = "https://api.appstoreconnect.apple.com"


class Store(Act):
    """`review` is what people do."""

    places = (API,)

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.reviews: dict[str, dict[str, Any]] = {}
        self.responses: dict[str, dict[str, Any]] = {}
        self.page_max = 200
        self.left = 3_600
        self.is_revoked = False

    def review(self, who: str, stars: int, title: str, body: str) -> str:
        """Somebody reviews the app."""
        id = f"r-{len(self.reviews) + 1:04d}"
        self.reviews[id] = {
            "rating": stars,
            "title": title,
            "body": body,
            "reviewerNickname": who,
            "createdDate": self.day().isoformat(),
            "territory": "USA",
        }
        return id

    def answer(self, asked: Asked) -> Answered:
        if self.is_revoked or not self._is_signed(asked.headers.get("authorization", "")):
            words = "Provide a properly configured and signed bearer token, and make sure that it has not expired."
            return _wrong(401, "NOT_AUTHORIZED", "Authentication credentials are missing or invalid.", words)
        self.left -= 1
        headers = {"x-rate-limit": f"user-hour-lim:3600;user-hour-rem:{max(self.left, 0)};"}
        if self.left < 0:
            return _wrong(429, "RATE_LIMIT_EXCEEDED", "The request rate limit has been reached.", "Wait.")
        found = self._answered(asked)
        return Answered(found.body, found.status, headers)

    def _is_signed(self, header: str) -> bool:
        parts = header.removeprefix("Bearer ").split(".")
        if len(parts) != 3:
            return False
        raw = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts]
        head, claims, now = json.loads(raw[0]), json.loads(raw[1]), self.day().timestamp()
        numbers = (int.from_bytes(raw[2][:32], "big"), int.from_bytes(raw[2][32:], "big"))
        try:
            KEY.public_key().verify(
                encode_dss_signature(*numbers), f"{parts[0]}.{parts[1]}".encode(), ec.ECDSA(hashes.SHA256())
            )
        except InvalidSignature:
            return False
        return (
            (head["alg"], head["kid"]) == ("ES256", KEY_ID)
            and (claims["iss"], claims["aud"]) == (ISSUER, "appstoreconnect-v1")
            and claims["iat"] <= now < claims["exp"] <= claims["iat"] + 1_200
        )

    def _answered(self, asked: Asked) -> Answered:
        parts = asked.path.strip("/").split("/")[1:]
        if parts == ["apps", APP]:
            return Answered({"data": {"type": "apps", "id": APP, "attributes": {"name": "Lamps"}}})
        if parts == ["apps", APP, "customerReviews"]:
            return self._listed(asked)
        if parts == ["customerReviewResponses"]:
            return self._responded(asked.content["data"])
        if parts[0] == "customerReviews" and parts[1] in self.reviews:
            if parts[2:] == ["response"]:
                response = next((r for r in self.responses.values() if r["review"] == parts[1]), None)
                return Answered({"data": _response(response)}) if response else _gone()
            held = {r["review"]: r for r in self.responses.values()}
            is_asked = asked.first("include") == "response" and parts[1] in held
            more = {"included": [_response(held[parts[1]])]} if is_asked else {}
            return Answered({"data": self.shown(parts[1]), **more})
        if parts[0] == "customerReviewResponses" and parts[1] in self.responses:
            return Answered({"data": _response(self.responses[parts[1]])})
        return _gone()

    def _listed(self, asked: Asked) -> Answered:
        found = list(reversed(self.reviews))
        start, size = int(asked.first("cursor", "0")), min(int(asked.first("limit", "50")), self.page_max)
        part = found[start : start + size]
        links = {"self": f"{API}{asked.path}"}
        if start + size < len(found):
            links["next"] = (
                f"{API}{asked.path}?sort=-createdDate&include=response&cursor={start + size}&limit={size}"
            )
        included = [_response(r) for r in self.responses.values() if r["review"] in part]
        return Answered({"data": [self.shown(id) for id in part], "included": included, "links": links})

    def shown(self, id: str) -> dict[str, Any]:
        """A review as Apple shows it."""
        response = next((r for r in self.responses.values() if r["review"] == id), None)
        named = {"data": {"type": "customerReviewResponses", "id": response["id"]}} if response else {}
        shown = {"type": "customerReviews", "id": id, "attributes": self.reviews[id]}
        return shown | {"relationships": {"response": named}}

    def _responded(self, told: dict[str, Any]) -> Answered:
        review = told["relationships"]["review"]["data"]["id"]
        if review not in self.reviews:
            return _gone()
        return Answered({"data": _response(self.respond(review, told["attributes"]["responseBody"]))}, 201)

    def respond(self, review: str, words: str) -> dict[str, Any]:
        """The developer responds, in place of what was there."""
        held = {
            "id": f"resp-{review}",
            "review": review,
            "responseBody": words,
            "lastModifiedDate": self.day().isoformat(),
            "state": "PENDING_PUBLISH",
        }
        self.responses[held["id"]] = held
        return held


def _response(held: dict[str, Any]) -> dict[str, Any]:
    attributes = {k: v for k, v in held.items() if k not in {"id", "review"}}
    return {"type": "customerReviewResponses", "id": held["id"], "attributes": attributes}


def _gone() -> Answered:
    return _wrong(404, "NOT_FOUND", "The specified resource does not exist", "There is no such resource.")


def _wrong(status: int, code: str, title: str, detail: str) -> Answered:
    return Answered(
        {"errors": [{"status": str(status), "code": code, "title": title, "detail": detail}]}, status
    )
