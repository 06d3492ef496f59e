"""Google Play's reviews of one app in this process: a log-in by a signed statement, pages, a week, limits, errors."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from rapport.listening.tests.acting import Act, Day
from rapport.listening.tests.serving import Answered, Asked

PACKAGE, ACCOUNT = "com.example.lamps", "reviews@lamps.iam.gserviceaccount.com"
# A key of nobody, made for this file.
PEM = """\
-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDHzdjjTvFKEndt
bierQpSKwQywxz8rp/H07IntMWNI0OLqucPlZ6Vzef6res8ftuvSCXwgYjGJHKAQ
coHeM94LPmpHbQKprYSamM5pHTbisE5I4ewYZxWIhpznlQsVUnqci3acW5m+4/k2
Ay43ULkbH/DaJyUCJMs4Gywb9RnTc6Qt0fo4FP7cPW0FUXrex6PlxprpaatdBudV
7AFxw8LBmRpZvO/U1Tdu9uTsAfki6IprjPQUc1rG4blCbJaAHETY/bTn/yfFg2dm
f40TnzkvH6kWiNXFFyTlo8/TSKHK0mCcnUj/zGJ3HtWo5gDJT1UN1AqFAlLObH2t
hbW2zbyHAgMBAAECggEADys+FZfHMs/vGDQ+N77Qxy372CnwTlCsSmNw3zyaJIuT
Rq2+xRpW0csHvh4PPoGlKqeEsHKz/wxYzJbc7DE04Namu/B3PMmLIS+LsChDI/et
odPhGEMvO9O4cs56bm56F4txAFLl+7uUDnk0V4e93eTRZMaHBUAk24gYk7DKeqaQ
/O8e+huzsj+u7p1dB6Nmpc8SncSoINTNMK5Up0+aTW112Xcuxf8NC75psN5zIYX+
9Dz4xcBcmTEp8D/MVNw2xFjbeFyHFaWPjCFV1+pU0SHwOzrfPmPHV/tZjsgpjDUB
Bde9NC4FI/92maJ1Ncrx9uVuLqaBEHYxefwMoGeb1QKBgQDxZoIF5vQkQmeKqte6
SUR5/SHo2gQHlRR/scq8bg69Atw9jlUDUMMVr+nkVh7P/1mqV85SYhwO+G4kVbjz
RWck5WjjSn2CH6DsXm3LdVdhNhwrqYa8xCmjSXMy534HxvgcPEQAOjE0V2HywZ8V
mirJKR/uB+EK1jyteLOYV+uZrQKBgQDT41KIE1nSSz+ifGs1qcm9xXboMiokBquu
zOEDsFDW3uG9SLCwy+gyOLYg9clvRP7WFVfuwquOgugC20Xi13rSsWhSd0B8WUPX
/uQlN3hnCYRBgEwjfIO8BUVYnJHOqEPi7xbU2r3REmgJaQlJe6ThajoqbZuLyP3v
BFn+edudgwKBgEMBUA/xVk0GPZVI7I5hrecqcxIeCcZNBB6ZrAt3hRHDzHwtmL1N
2oiXhpWBrhXP7ASTUMqfPuiM3o2pWaf02LduEhoc4A+RVeqmH1W9IV7zVQhtit+0
l1Yimh5EEUB5Yv77X2isvmGn66ElS1IEs+GYT6uTdky6wKbp/PfJV7UVAoGBAKJy
hQLoexO8N0RWyUcyLgZ9TsWEOES4jIWOc/EFC2VBKaaaBUT2f8WJLzEj31ScfBgb
8veNbkPrXv9Zp0Hb3EGOXCHlZZ4wPdBqjfVuirPMWwZw227VdpX/IIRoPW1IGgvx
K/ry3VZeGz8jtUgOMIHVlFSVBgzsgqruFiUAvfwLAoGBANM5J60s9x/aPXvfJ/Rd
fjvfsu6U8au/QUJlPMeF6ijQKB5f1+Kj8OFzZXD8Ujfd3F1+lm4+qejUsAhMcXLH
w/0lzYGaotm2w0wxHW7f5tsSGluMqgCzCSZSUSP2fDd5KMREl53q9McE7cLj7Wx+
MOhLsIbz++w85O96Mz+EuWGF
-----END PRIVATE KEY-----
"""
WEEK_S = 7 * 86_400


class Play(Act):
    """`review` and `change` are what people do."""

    places = ("https://androidpublisher.googleapis.com", "https://oauth2.googleapis.com")

    def __init__(self, day: Day) -> None:
        super().__init__(day)
        self.reviews: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.page_max = 100
        self.n_logins = 0
        self.is_invited = True
        self.is_revoked = False

    def review(self, who: str, stars: int, text: str) -> str:
        """Somebody reviews the app."""
        id = f"gp:{len(self.reviews) + 1:04d}"
        self.reviews[id] = {"reviewId": id, "authorName": who, "comments": []}
        self.change(id, stars, text)
        return id

    def change(self, id: str, stars: int, text: str) -> None:
        """They change what they said."""
        theirs = {"text": text, "starRating": stars, "reviewerLanguage": "en_GB", "lastModified": self._now()}
        self.reviews[id]["comments"][0:1] = [{"userComment": theirs}]

    def reply(self, id: str, words: str) -> None:
        """The developer replies."""
        self.reviews[id]["comments"][1:] = [
            {"developerComment": {"text": words, "lastModified": self._now()}}
        ]

    def _now(self) -> dict[str, Any]:
        return {"seconds": str(int(self.day().timestamp())), "nanos": 213_000_000}

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/token":
            return self._log_in(parse_qs(asked.body.decode()))
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return wrong(
                401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "authError"
            )
        if not self.is_invited:
            words = "The caller does not have permission"
            return wrong(403, "PERMISSION_DENIED", words, "permissionDenied")
        target = asked.path.partition(f"/applications/{PACKAGE}/reviews")[2]
        if not target:
            return self._listed(asked)
        id, _, verb = target.removeprefix("/").rpartition(":reply")
        id = id or verb.removeprefix("/") or target.removeprefix("/")
        if id not in self.reviews:
            return wrong(404, "NOT_FOUND", "Requested entity was not found.", "notFound")
        if asked.method == "GET":
            if self._changed(self.reviews[id]) <= self.day().timestamp() - WEEK_S:
                return wrong(404, "NOT_FOUND", "Requested entity was not found.", "notFound")
            return Answered(self.reviews[id])
        words = asked.content["replyText"]
        self.reply(id, words)
        return Answered({"result": {"replyText": words, "lastEdited": self._now()}})

    def _log_in(self, form: dict[str, list[str]]) -> Answered:
        head, claims, signature = form["assertion"][0].split(".")
        raw = {
            n: base64.urlsafe_b64decode(p + "=" * (-len(p) % 4)) for n, p in (("c", claims), ("s", signature))
        }
        key = serialization.load_pem_private_key(PEM.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        try:
            key.public_key().verify(
                raw["s"], f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return Answered({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        told, now = json.loads(raw["c"]), self.day().timestamp()
        is_right = told["iss"] == ACCOUNT and told["aud"] == "https://oauth2.googleapis.com/token"
        if self.is_revoked or not is_right or not told["iat"] <= now < told["exp"] <= told["iat"] + 3_600:
            return Answered({"error": "invalid_grant", "error_description": "Account not found."}, 400)
        self.n_logins += 1
        self.tokens.add(f"ya29.{self.n_logins}")
        return Answered(
            {"access_token": f"ya29.{self.n_logins}", "expires_in": 3_599, "token_type": "Bearer"}
        )

    def _changed(self, review: dict[str, Any]) -> int:
        return int(review["comments"][0]["userComment"]["lastModified"]["seconds"])

    def _listed(self, asked: Asked) -> Answered:
        now = self.day().timestamp()
        found = [r for r in self.reviews.values() if self._changed(r) > now - WEEK_S]
        found.sort(key=self._changed, reverse=True)
        start, size = int(asked.first("token", "0")), min(int(asked.first("maxResults", "10")), self.page_max)
        body: dict[str, Any] = {"reviews": found[start : start + size]} if found else {}
        if start + size < len(found):
            body["tokenPagination"] = {"nextPageToken": str(start + size)}
        return Answered(body)


def wrong(status: int, name: str, words: str, reason: str) -> Answered:
    """An error in Google's form."""
    errors = [{"message": words, "domain": "global", "reason": reason}]
    return Answered({"error": {"code": status, "message": words, "status": name, "errors": errors}}, status)
