"""App Store: what people say of an app of the firm in reviews, and its responses (App Store Connect API)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from rapport.kit import oauth, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
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

API = "https://api.appstoreconnect.apple.com"
MEANT_FOR = "appstoreconnect-v1"
LIMIT = "limit"  # where it is remembered
LASTS, SOON = (
    dt.timedelta(minutes=15),
    dt.timedelta(minutes=1),
)  # Apple takes none that lasts over twenty minutes
PAGE = 200
LENGTH_MAX = 5_970
RECHECK_EVERY_S, RECHECKED = 300.0, 5
_LEFT = re.compile(r"user-hour-rem:(\d+)")


@dataclass(frozen=True, slots=True)
class Config:
    """Which app, and by which key."""

    app_id: str = setting("", "Apple ID of the app", "Digits alone.")
    issuer_id: str = setting(
        "", "Issuer", "Users and Access, Integrations. Empty for an individual key.", optional=True
    )
    key_id: str = setting("", "Key's id", "Ten letters and digits.")
    private_key: str = setting(
        "",
        "Private key",
        "The whole .p8 file. The key needs the role Customer Support to respond.",
        secret=True,
        lines=True,
    )


class AppStore:
    """One app a source."""

    name = "app_store"
    title = "App Store reviews"
    network = "app_store"
    config: type[Config] = Config
    terms = Terms(
        keep_days=365,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=True,
        deletes_within_h=24,
        is_public=True,
        source="https://developer.apple.com/support/terms/",
        read_on=None,
        note=(
            "The page named here was not read for this version: read it before you switch this on. "
            "A developer responds to reviews of the own app, which is what they are for; a response is public, and "
            "may neither promote nor ask for anything personal. Days, hours and the rest are our own caution."
        ),
    )
    # About 3,600 requests an hour for a key; a review has one response, so the same one may be sent again.
    manners = Manners(requests=30, per_s=60, every_s=300, publishes_once=True, length_max=LENGTH_MAX)
    costs = (
        "Needs the firm's own membership of the Apple Developer Program and a key made there; asking is free."
    )
    sees = "Every review with words of the app, in all territories, and the responses to them."
    cannot_see = (
        "Ratings without words, who wrote a review beyond a nickname that is no one's alone, and deletions of what is "
        "older than the newest 800 that were read."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"\d{6,15}", config.app_id, re.ASCII):
            raise Invalid(f"{config.app_id!r} is no app", "Its Apple ID stands under App Information.")
        if config.issuer_id and not re.fullmatch(r"[0-9a-fA-F-]{36}", config.issuer_id):
            raise Invalid("this is no issuer", "Copy it from Users and Access, Integrations.")
        if not re.fullmatch(r"[A-Z0-9]{10,12}", config.key_id):
            raise Invalid(f"{config.key_id!r} is no key's id", "It has ten letters and digits.")
        oauth.key_of(config.private_key)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        store = Store(config, context)

        def who() -> str:
            told = store.asked(f"/v1/apps/{config.app_id}")
            return f"the key sees {wire.text_at(told, 'data', 'attributes', 'name')}"

        def reviews() -> str:
            store.asked(f"/v1/apps/{config.app_id}/customerReviews?limit=1")
            return "can be read"

        hint = "Give the key the role Customer Support, App Manager or Admin in App Store Connect."
        found = tried(("Reviews", reviews, hint), who=who)
        if [one.state for one in found] == ["ok", "ok"]:
            message = (
                "whether the key may respond is seen when somebody responds: Apple offers nothing to ask"
            )
            found.append(Finding("Responses", "warn", message, hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        store, marks = Store(config, context), Marks.read(cursor)
        before = marks.text()
        walk = marks.walk("reviews", _listed(store, config), context.since)
        found = [one for review in walk.found for one in review.said.said]
        edits = [_edit(said, marks.known[said.id], context.now()) for said in marks.changed(found)]
        said = [*marks.new(found), *edits]
        gaps = []
        if walk.cut is not None:
            gaps.append(Gap(walk.since, walk.cut, "horizon", "more was said than we read back in one round"))
        if said or gaps:
            yield Page(said, marks.text(), gaps)
        if marks.is_due("recheck", RECHECK_EVERY_S, context.now()):
            yield from _recheck(store, config, marks, context)
        if marks.text() != before:
            yield Page((), marks.text())

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip() or not draft.in_reply_to:
            raise Failed("there has to be a review to respond to, and words", is_permanent=True)
        body = {
            "data": {
                "type": "customerReviewResponses",
                "attributes": {"responseBody": draft.text},
                "relationships": {"review": {"data": {"type": "customerReviews", "id": draft.in_reply_to}}},
            }
        }
        made = wire.at(Store(config, context).asked("/v1/customerReviewResponses", body), "data")
        return _receipt(made)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        told = Store(config, context).asked(
            f"/v1/customerReviews/{draft.in_reply_to}/response", is_there=False
        )
        made = wire.at(told, "data")
        is_same = wire.text_at(made, "attributes", "responseBody").strip() == draft.text.strip()
        return _receipt(made) if made and is_same else None


class Store:
    """Asks App Store Connect."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context

    def asked(self, target: str, body: Any = None, *, is_there: bool = True) -> Any:
        """Ask for something; raises Failed. None for what is not there, where that may be."""
        now = self._context.now()
        until = self._context.memory.get(LIMIT)
        if until is not None and until > now:
            wait_s = (until - now).total_seconds()
            raise Failed("the hour's requests to Apple are spent", reason="rate", retry_after_s=wait_s)
        headers = {"authorization": f"Bearer {self._token()}", "accept": "application/json"}
        sent = None
        if body is not None:
            headers["content-type"] = "application/json"
            sent = json.dumps(body, ensure_ascii=False).encode()
        method = "GET" if body is None else "POST"
        answer = self._context.fetch(Request(f"{API}{target}", method, sent, headers))
        left = _LEFT.search(answer.headers.get("x-rate-limit", ""))
        if left and int(left[1]) == 0:
            # Apple counts over the hour that lies behind, and says not when the first request falls out of it.
            self._context.memory[LIMIT] = now + dt.timedelta(minutes=10)
        if answer.status == 404 and not is_there:
            return None
        if answer.status not in {200, 201}:
            raise self._failed(answer, method)
        found = wire.document(answer.body)
        if not isinstance(found, dict):
            raise Failed("Apple answered with something that is no JSON")
        return found

    def _token(self) -> str:
        now = self._context.now()
        key = (self._config.key_id, self._config.issuer_id, self._config.private_key)
        return oauth.held(self._context.memory, key, now, lambda: self._signed(now), soon=SOON)

    def _signed(self, now: dt.datetime) -> oauth.Token:
        whose = {"iss": self._config.issuer_id} if self._config.issuer_id else {"sub": "user"}
        claims = {
            **whose,
            "iat": int(now.timestamp()),
            "exp": int((now + LASTS).timestamp()),
            "aud": MEANT_FOR,
        }
        text = oauth.signed(claims, oauth.key_of(self._config.private_key), {"kid": self._config.key_id})
        return oauth.Token(text, int(LASTS.total_seconds()))

    def _failed(self, answer: Answer, method: str) -> Failed:
        error = wire.at(wire.document(answer.body), "errors", 0)
        words = wire.text_at(error, "detail") or wire.text_at(error, "title")
        failed = refusal(answer, "Apple", self._context.now(), words=words)
        if answer.status == 401:
            oauth.dropped(self._context.memory)
            failed.hint = (
                "The key was revoked, or its id or issuer is another: make one anew and enter it here."
            )
        if wire.text_at(error, "code").startswith("FORBIDDEN.REQUIRED_AGREEMENTS"):
            failed.hint = "The Account Holder has to accept Apple's newest agreements in App Store Connect."
        if answer.status == 429:
            failed.retry_after_s = wire.wait_s(answer.headers, self._context.now()) or 600.0
        failed.is_unsure = method == "POST" and answer.status >= 500
        return failed


@dataclass(frozen=True, slots=True)
class Review:
    """A review and, where there is one, the response to it."""

    said: tuple[Found[Said], ...]


def _listed(store: Store, config: Config) -> Iterator[list[Found[Review]]]:
    asked = [("sort", "-createdDate"), ("limit", PAGE), ("include", "response")]
    target = f"/v1/apps/{config.app_id}/customerReviews?{urlencode(asked)}"
    while target:
        told = store.asked(target)
        responses = _responses(told)
        yield [one for item in wire.items_at(told, "data") if (one := _review(item, responses, config))]
        onward = urlsplit(wire.text_at(told, "links", "next"))
        if onward.netloc and f"{onward.scheme}://{onward.netloc}" != API:
            raise Failed(f"Apple sends us on to {onward.netloc[:100]}, where our key has no business")
        target = f"{onward.path}?{onward.query}" if onward.path else ""


def _responses(told: Any) -> dict[str, Any]:
    return {wire.text_at(one, "id"): one for one in wire.items_at(told, "included")}


def _review(item: Any, responses: dict[str, Any], config: Config) -> Found[Review] | None:
    found = read(item, config.app_id)
    if found is None:
        return None
    said = [found]
    response = responses.get(wire.text_at(item, "relationships", "response", "data", "id"))
    at = wire.moment(wire.at(response, "attributes", "lastModifiedDate"))
    if response and at:
        words = wire.text_at(response, "attributes", "responseBody")
        ours = Said(
            wire.text_at(response, "id"), "post", at, "the developer", words,
            in_reply_to=found.id, thread=found.id, venue=found.said.venue, is_ours=True,
        )  # fmt: skip
        said.append(Found(ours.id, at, ours, _version(words)))
    return Found(found.id, found.at, Review(tuple(said)))


def read(item: Any, app: str) -> Found[Said] | None:
    """A review; None where it is not whole."""
    id, held = wire.text_at(item, "id"), wire.at(item, "attributes")
    at, stars = wire.moment(wire.at(held, "createdDate")), wire.count_at(held, "rating")
    if not id or at is None or stars is None:
        return None
    name, land = wire.text_at(held, "reviewerNickname"), wire.text_at(held, "territory")
    text = "\n\n".join(part for part in (wire.text_at(held, "title"), wire.text_at(held, "body")) if part)
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=f"{name}@{land}".lower() if name else "",
        author_name=name,
        text=text,
        thread=id,
        venue=f"app_store:{app}",
        asks_us=True,
        detail={"stars": stars, "territory": land},
    )
    return Found(id, at, said, _version(f"{stars} {text}"))


def _recheck(store: Store, config: Config, marks: Marks, context: Context) -> Iterator[Page]:
    """Ask for some reviews once more: what is gone, and what has changed."""
    said: list[Said] = []
    for id in marks.part("recheck", marks.held(), RECHECKED):
        told = store.asked(f"/v1/customerReviews/{id}?include=response", is_there=False)
        if told is None:
            # Responses are known by ids of their own, and cannot be asked for here.
            if store.asked(f"/v1/customerReviewResponses/{id}", is_there=False) is None:
                marks.forget(id)
                said.append(Said(f"{id}#deletion", "deletion", context.now(), "", about=id))
            continue
        # A review keeps its place in the list when somebody responds to it.
        seen = _review(wire.at(told, "data"), _responses(told), config)
        parts = seen.said.said if seen else ()
        said += [_edit(one, marks.known[one.id], context.now()) for one in marks.changed(parts)]
        said += marks.new(parts)
    if said:
        yield Page(said, marks.text())


def _edit(said: Said, version: str, now: dt.datetime) -> Said:
    id = f"{said.id}#{version}"
    return Said(id, "edit", now, said.author, said.text, about=said.id, venue=said.venue, detail=said.detail)


def _receipt(made: Any) -> Receipt:
    id = wire.text_at(made, "id")
    if not id:
        raise Failed("Apple does not say what became of it", is_unsure=True, retry_after_s=60.0)
    state = wire.text_at(made, "attributes", "state")
    return Receipt(id, "", "Apple will show it within a day" if state == "PENDING_PUBLISH" else state.lower())


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


plugin = AppStore()
