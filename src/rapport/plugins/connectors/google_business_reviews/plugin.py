"""Google Business Profile: what people say of a place of the firm in reviews, and its replies (My Business API v4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from rapport.kit import oauth, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Request
from rapport.kit.marks import Found, Marks
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Gap,
    Manners,
    Page,
    Receipt,
    Said,
    Terms,
    refusal,
    setting,
    tried,
)

API = "https://mybusiness.googleapis.com/v4"
LOGIN = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/business.manage"
PAGE = 50
LENGTH_MAX = 4_096  # in bytes
RECHECK_EVERY_S, RECHECKED = 300.0, 5
STARS = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
_ORIGINAL = re.compile(r"\(Original\)\s*(.+)\Z", re.DOTALL)
_TRANSLATED = re.compile(r"\s*\(Translated by Google\).*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Config:
    """Which place, and by which consent."""

    account: str = setting("", "Account", "Digits, from accounts/….")
    location: str = setting("", "Location", "Digits, from locations/….")
    client_id: str = setting("", "Application's id", "…apps.googleusercontent.com")
    client_secret: str = setting("", "Application's secret", secret=True)
    refresh_token: str = setting(
        "",
        "Refresh token",
        "What an owner of the place consented to, with the scope business.manage.",
        secret=True,
    )

    @property
    def place(self) -> str:
        """The place as Google names it."""
        return f"accounts/{self.account}/locations/{self.location}"


class GoogleBusiness:
    """One place a source."""

    name = "google_business_reviews"
    title = "Google reviews of a place"
    network = "google_business"
    config: type[Config] = Config
    terms = Terms(
        keep_days=30,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=True,
        deletes_within_h=24,
        is_public=True,
        source="https://developers.google.com/my-business/content/policies",
        read_on=None,
        note=(
            "The page named here was not read for this version: read it before you switch this on. "
            "An owner replies to reviews of the own place, which is what they are for. Google's policies limit how "
            "long content may be kept beside the service; thirty days, and the rest, are our cautious reading."
        ),
    )
    # Three hundred requests a minute for a project; a review has one reply, so the same one may be sent again.
    manners = Manners(requests=60, per_s=60, every_s=120, publishes_once=True, length_max=LENGTH_MAX // 4)
    costs = "Needs Google's approval of the firm's own project for this interface; asking is free then."
    sees = "Every review of the place, with or without words, their changes, and our replies to them."
    cannot_see = (
        "Questions and answers of the place, who wrote a review beyond the name that is shown, and deletions of what "
        "is older than the newest 800 that were read."
    )

    def check(self, config: Config) -> None:
        for text, what in ((config.account, "account"), (config.location, "location")):
            if not re.fullmatch(r"\d{3,30}", text, re.ASCII):
                raise Invalid(f"{text!r} is no {what}", "Write its digits alone.")
        for text, what in (
            (config.client_id, "application's id"),
            (config.client_secret, "application's secret"),
            (config.refresh_token, "refresh token"),
        ):
            if not re.fullmatch(r"[\x21-\x7e]{8,}", text):
                raise Invalid(f"there is no {what}", "See the page of this connector for how to get one.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        profile = Profile(config, context)

        def who() -> str:
            profile.logged_in()
            return "the consent holds"

        def reviews() -> str:
            told = profile.get(f"{config.place}/reviews?pageSize=1")
            n = wire.count_at(told, "totalReviewCount") or 0
            return f"the place has {n}, which can be read and replied to"

        return tried(("Reviews", reviews, ""), who=who)

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        profile, marks = Profile(config, context), Marks.read(cursor)
        before = marks.text()
        walk = marks.walk("reviews", _listed(profile, config), context.since)
        found = [one for review in walk.found for one in review.said]
        edits = [_edit(said, marks.known[said.id]) for said in marks.changed(found)]
        said = [*marks.new(found), *edits]
        gaps = []
        if walk.cut is not None:
            gaps.append(Gap(walk.since, walk.cut, "horizon", "more was said than we read back in one round"))
        if said or gaps:
            yield Page(said, marks.text(), gaps)
        if marks.is_due("recheck", RECHECK_EVERY_S, context.now()):
            yield from _recheck(profile, config, marks, context)
        if marks.text() != before:
            yield Page((), marks.text())

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip() or not draft.in_reply_to:
            raise Failed("there has to be a review to reply to, and words", is_permanent=True)
        if len(draft.text.encode()) > LENGTH_MAX:
            raise Failed(f"a reply holds {LENGTH_MAX} bytes at most", is_permanent=True)
        target = f"{config.place}/reviews/{quote(draft.in_reply_to, safe='')}/reply"
        made = Profile(config, context).put(target, {"comment": draft.text})
        if not wire.text_at(made, "comment"):
            raise Failed("Google does not say what became of it", is_unsure=True, retry_after_s=60.0)
        return Receipt(f"{draft.in_reply_to}#reply")

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        target = f"{config.place}/reviews/{quote(draft.in_reply_to, safe='')}"
        told = Profile(config, context).get(target, is_there=False)
        words = wire.text_at(told, "reviewReply", "comment")
        is_same = bool(words) and words.strip() == draft.text.strip()
        return Receipt(f"{draft.in_reply_to}#reply") if is_same else None


class Profile:
    """Asks Google with the owner's consent."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context

    def get(self, target: str, *, is_there: bool = True) -> Any:
        """Ask for something; raises Failed. None for what is not there, where that may be."""
        return self._asked(target, None, is_there)

    def put(self, target: str, body: Any) -> Any:
        """Write something; raises Failed."""
        return self._asked(target, json.dumps(body, ensure_ascii=False).encode(), True)

    def _asked(self, target: str, body: bytes | None, is_there: bool) -> Any:
        headers = {"authorization": f"Bearer {self._token()}", "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        request = Request(f"{API}/{target}", "GET" if body is None else "PUT", body, headers)
        answer = self._context.fetch(request)
        found = wire.document(answer.body)
        if answer.status == 404 and not is_there:
            return None
        if answer.status == 200:
            if not isinstance(found, dict):
                raise Failed("Google answered with something that is no JSON")
            return found
        words = wire.text_at(found, "error", "message")
        failed = refusal(answer, "Google", self._context.now(), words=words)
        if answer.status == 401:
            oauth.dropped(self._context.memory)
        if answer.status == 429:
            failed.retry_after_s = wire.wait_s(answer.headers, self._context.now()) or 60.0
            if "limit of 0" in words or "limit '0'" in words:
                failed.hint = "The project was not approved for this interface yet: ask Google for access."
        elif answer.status == 403:
            failed.hint = (
                "The consent has to be that of an owner or manager of the place, with business.manage."
            )
        failed.is_unsure = body is not None and answer.status >= 500
        raise failed

    def logged_in(self) -> None:
        """See that the consent holds, and that it is for this; raises Failed."""
        scope = self._logged_in().scope.split()
        if scope and SCOPE not in scope:
            raise Failed(
                "the consent is not for business.manage", hint="Let the owner consent anew, with that scope."
            )

    def _token(self) -> str:
        config = self._config
        key = (config.client_id, config.client_secret, config.refresh_token)
        return oauth.held(self._context.memory, key, self._context.now(), self._logged_in)

    def _logged_in(self) -> oauth.Token:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._config.client_id,
            "client_secret": self._config.client_secret,
            "refresh_token": self._config.refresh_token,
        }
        try:
            return oauth.given(self._context.fetch, LOGIN, form)
        except oauth.Refused as refused:
            raise self._login(refused) from None

    def _login(self, refused: oauth.Refused) -> Failed:
        if refused.answer.status >= 429:
            return refusal(refused.answer, "Google", self._context.now(), words=refused.words)
        return Failed(
            f"Google does not accept the consent any more: {refused.words or refused.code or 'no token was given'}",
            reason="login",
            retry_after_s=None,
            hint="Let an owner of the place consent anew, and enter the new refresh token here.",
        )


def _listed(profile: Profile, config: Config) -> Iterator[list[Found[tuple[Found[Said], ...]]]]:
    token = ""
    while True:
        onward = [("pageToken", token)] if token else []
        asked = urlencode([("pageSize", PAGE), ("orderBy", "updateTime desc"), *onward])
        told = profile.get(f"{config.place}/reviews?{asked}")
        yield [one for item in wire.items_at(told, "reviews") if (one := read(item, config))]
        token = wire.text_at(told, "nextPageToken")
        if not token:
            return


def read(item: Any, config: Config) -> Found[tuple[Found[Said], ...]] | None:
    """A review and, where there is one, our reply to it; None where it is not whole."""
    id = wire.text_at(item, "reviewId")
    created, updated = wire.moment(wire.at(item, "createTime")), wire.moment(wire.at(item, "updateTime"))
    stars = STARS.get(wire.text_at(item, "starRating"))
    if not id or created is None or stars is None:
        return None
    updated = updated or created
    is_unnamed = wire.at(item, "reviewer", "isAnonymous") is True
    name = "" if is_unnamed else wire.text_at(item, "reviewer", "displayName")
    venue = f"google_business:{config.location}"
    theirs = Said(
        id, "post", created, name.lower(), original(wire.text_at(item, "comment")), author_name=name, thread=id,
        venue=venue, asks_us=True, detail={"stars": stars},
    )  # fmt: skip
    said = [Found(id, created, theirs, wire.written(updated))]
    reply = wire.at(item, "reviewReply")
    at = wire.moment(wire.at(reply, "updateTime"))
    if at is not None:
        ours = Said(
            f"{id}#reply", "post", at, "the owner", original(wire.text_at(reply, "comment")),
            in_reply_to=id, thread=id, venue=venue, is_ours=True,
        )  # fmt: skip
        said.append(Found(ours.id, at, ours, wire.written(at)))
    return Found(id, updated, tuple(said))


def original(words: str) -> str:
    """What its author wrote, without the translation that Google puts before or behind it."""
    found = _ORIGINAL.search(words)
    return (found[1] if found else _TRANSLATED.sub("", words)).strip()


def _recheck(profile: Profile, config: Config, marks: Marks, context: Context) -> Iterator[Page]:
    """Ask for some reviews once more: the list says neither what is gone nor what was replied to an old one."""
    said: list[Said] = []
    reviews = [id for id in marks.held() if not id.endswith("#reply")]
    for id in marks.part("recheck", reviews, RECHECKED):
        told = profile.get(f"{config.place}/reviews/{quote(id, safe='')}", is_there=False)
        if told is None:
            marks.forget(id)
            said.append(Said(f"{id}#deletion", "deletion", context.now(), "", about=id))
        elif seen := read(told, config):
            said += [_edit(one, marks.known[one.id]) for one in marks.changed(seen.said)]
            said += marks.new(seen.said)
    if said:
        yield Page(said, marks.text())


def _edit(said: Said, version: str) -> Said:
    at = wire.moment(version) or said.ts
    id = f"{said.id}#{version}"
    return Said(id, "edit", at, said.author, said.text, about=said.id, venue=said.venue, detail=said.detail)


plugin = GoogleBusiness()
