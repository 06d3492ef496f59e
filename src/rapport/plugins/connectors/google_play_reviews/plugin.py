"""Google Play: what people say of an app of the firm in reviews, and its replies (Android Publisher API v3)."""

from __future__ import annotations

import datetime as dt
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

API = "https://androidpublisher.googleapis.com/androidpublisher/v3/applications"
LOGIN = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SHOWN = dt.timedelta(days=7)  # Google shows reviews that were written or changed within a week, and no others
PAGE = 100
LENGTH_MAX = 350
RECHECK_EVERY_S, RECHECKED = 300.0, 5
SPENT = {"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"}


@dataclass(frozen=True, slots=True)
class Config:
    """Which app, and by which service account."""

    package: str = setting("", "Package", "Such as com.example.lamps.")
    service_account: str = setting("", "Service account", "Its address: …@….iam.gserviceaccount.com.")
    private_key: str = setting(
        "",
        "Private key",
        "The member private_key of the account's JSON file. It needs the right to reply to reviews.",
        secret=True,
        lines=True,
    )


class GooglePlay:
    """One app a source."""

    name = "google_play_reviews"
    title = "Google Play reviews"
    network = "google_play"
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
        source="https://developers.google.com/android-publisher/reply-to-reviews",
        read_on=dt.date(2026, 11, 22),
        note=(
            "A developer replies to reviews of the own app, which is what they are for; replies may neither promote "
            "nor ask for ratings or anything personal. Days and hours are our own caution."
        ),
    )
    # Two hundred lists an hour and two thousand replies a day for an app; the same reply may be sent again.
    manners = Manners(requests=150, per_s=3_600, every_s=120, publishes_once=True, length_max=LENGTH_MAX)
    costs = "Needs the firm's own developer account and a service account that it admits; asking is free."
    sees = "Reviews with words of the app's production version, their changes, and our replies to them."
    cannot_see = (
        "Ratings without words, reviews that were neither written nor changed within the last seven days, who wrote "
        "them beyond a name that is shown, and whether a review was taken away."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", config.package, re.ASCII):
            raise Invalid(f"{config.package!r} is no package", "Write it as in the store: com.example.lamps.")
        if not re.fullmatch(r"[\w.-]+@[\w.-]+\.gserviceaccount\.com", config.service_account, re.ASCII):
            raise Invalid(
                f"{config.service_account!r} is no service account", "Copy its address (client_email)."
            )
        oauth.key_of(config.private_key)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        play = Play(config, context)

        def who() -> str:
            play.logged_in()
            return f"Google knows {config.service_account}"

        def reviews() -> str:
            play.get(f"/reviews?{urlencode([('maxResults', 1)])}")
            return f"those of {config.package} can be read and replied to"

        return tried(("Reviews", reviews, ""), who=who)

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        play, marks, now = Play(config, context), Marks.read(cursor), context.now()
        before, left = marks.text(), wire.moment(marks.left.get("asked", ""))
        walk = marks.walk("reviews", _listed(play, config), context.since)
        # The newest is changed last: what is known and has another version was changed by its author.
        found = [one for review in walk.found for one in review.said]
        edits = [_edit(said, marks.known[said.id]) for said in marks.changed(found)]
        said = [*marks.new(found), *edits]
        gaps = []
        if left is not None and left < now - SHOWN:
            message = (
                "Google shows reviews of the last seven days alone, and nobody asked for longer than that"
            )
            gaps.append(Gap(left, now - SHOWN, "horizon", message))
        if walk.cut is not None:
            gaps.append(Gap(walk.since, walk.cut, "horizon", "more was said than we read back in one round"))
        if said or gaps or left is None or left < now - dt.timedelta(hours=1):
            marks.left["asked"] = wire.written(now)
        if said or gaps or marks.text() != before:
            yield Page(said, marks.text(), gaps)
        if marks.is_due("recheck", RECHECK_EVERY_S, now):
            told = _recheck(play, config, marks)
            yield Page(told, marks.text())

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip() or not draft.in_reply_to:
            raise Failed("there has to be a review to reply to, and words", is_permanent=True)
        if len(draft.text) > LENGTH_MAX:
            raise Failed(f"a reply holds {LENGTH_MAX} characters at most", is_permanent=True)
        target = f"/reviews/{quote(draft.in_reply_to, safe='')}:reply"
        made = Play(config, context).post(target, {"replyText": draft.text})
        if not wire.text_at(made, "result", "replyText"):
            raise Failed("Google does not say what became of it", is_unsure=True, retry_after_s=60.0)
        return Receipt(f"{draft.in_reply_to}#reply", _url(config, draft.in_reply_to))

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        told = Play(config, context).get(f"/reviews/{quote(draft.in_reply_to, safe='')}", is_there=False)
        for comment in wire.items_at(told, "comments"):
            words = wire.text_at(comment, "developerComment", "text")
            if words and words.strip() == draft.text.strip():
                return Receipt(f"{draft.in_reply_to}#reply", _url(config, draft.in_reply_to))
        return None


class Play:
    """Asks Google in the service account's name."""

    def __init__(self, config: Config, context: Context) -> None:
        self._config, self._context = config, context

    def get(self, target: str, *, is_there: bool = True) -> Any:
        """Ask for something; raises Failed. None for what is not there, where that may be."""
        return self._asked(target, None, is_there)

    def post(self, target: str, body: Any) -> Any:
        """Make something; raises Failed."""
        return self._asked(target, json.dumps(body, ensure_ascii=False).encode(), True)

    def _asked(self, target: str, body: bytes | None, is_there: bool) -> Any:
        headers = {"authorization": f"Bearer {self._token()}", "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        url = f"{API}/{self._config.package}{target}"
        answer = self._context.fetch(Request(url, "GET" if body is None else "POST", body, headers))
        found = wire.document(answer.body)
        if answer.status == 404 and not is_there:
            return None
        if answer.status == 200:
            if not isinstance(found, dict):
                raise Failed("Google answered with something that is no JSON")
            return found
        words = wire.text_at(found, "error", "message")
        failed = refusal(answer, "Google Play", self._context.now(), words=words)
        if answer.status == 401:
            oauth.dropped(self._context.memory)
        if wire.text_at(found, "error", "errors", 0, "reason") in SPENT or answer.status == 429:
            wait = wire.wait_s(answer.headers, self._context.now()) or 600.0
            failed = Failed(f"Google wants fewer requests: {words}", reason="rate", retry_after_s=wait)
        elif answer.status == 403:
            failed.hint = (
                "Invite the service account in the Play Console, with the right to reply to reviews."
            )
        failed.is_unsure = body is not None and answer.status >= 500
        raise failed

    def logged_in(self) -> None:
        """See that the account's key holds; raises Failed."""
        self._token()

    def _token(self) -> str:
        key = (self._config.service_account, self._config.private_key)
        return oauth.held(self._context.memory, key, self._context.now(), self._logged_in)

    def _logged_in(self) -> oauth.Token:
        at_s = int(self._context.now().timestamp())
        claims = {
            "iss": self._config.service_account,
            "scope": SCOPE,
            "aud": LOGIN,
            "iat": at_s,
            "exp": at_s + 3_600,
        }
        statement = oauth.signed(claims, oauth.key_of(self._config.private_key))
        form = {"grant_type": GRANT, "assertion": statement}
        try:
            return oauth.given(self._context.fetch, LOGIN, form)
        except oauth.Refused as refused:
            raise self._login(refused) from None

    def _login(self, refused: oauth.Refused) -> Failed:
        if refused.answer.status >= 429:
            return refusal(refused.answer, "Google", self._context.now(), words=refused.words)
        return Failed(
            f"Google does not accept the service account's key: {refused.words or refused.code or 'no token was given'}",
            reason="login",
            retry_after_s=None,
            hint="Make a new key for the service account, and enter it here; see that our clock is right.",
        )


def _listed(play: Play, config: Config) -> Iterator[list[Found[tuple[Found[Said], ...]]]]:
    token = ""
    while True:
        onward = [("token", token)] if token else []
        told = play.get(f"/reviews?{urlencode([('maxResults', PAGE), *onward])}")
        yield [one for item in wire.items_at(told, "reviews") if (one := read(item, config))]
        token = wire.text_at(told, "tokenPagination", "nextPageToken")
        if not token:
            return


def _recheck(play: Play, config: Config, marks: Marks) -> list[Said]:
    """What was replied to some older reviews since: a review keeps its place in the list when it is replied to.

    One that is not shown may have been taken away or may merely be older than a week, so that says nothing.
    """
    said: list[Said] = []
    reviews = [id for id in marks.held() if not id.endswith("#reply")]
    for id in marks.part("recheck", reviews, RECHECKED):
        seen = read(play.get(f"/reviews/{quote(id, safe='')}", is_there=False), config)
        for one in [seen] if seen else []:
            said += [_edit(each, marks.known[each.id]) for each in marks.changed(one.said)]
            said += marks.new(one.said)
    return said


def read(item: Any, config: Config) -> Found[tuple[Found[Said], ...]] | None:
    """A review and, where there is one, our reply to it; None where it is not whole."""
    id, said = wire.text_at(item, "reviewId"), list[Found[Said]]()
    venue = f"google_play:{config.package}"
    for comment in wire.items_at(item, "comments"):
        theirs, ours = wire.at(comment, "userComment"), wire.at(comment, "developerComment")
        at = moment(theirs or ours)
        if not id or at is None:
            continue
        version = f"{at.timestamp():.3f}"
        if theirs:
            name, stars = wire.text_at(item, "authorName"), wire.count_at(theirs, "starRating")
            # Title and words stand in one text, with a tab between them.
            title, _, words = wire.text_at(theirs, "text").partition("\t")
            one = Said(
                id, "post", at, name.lower(), "\n\n".join(part.strip() for part in (title, words) if part.strip()),
                author_name=name, thread=id, venue=venue, asks_us=True, url=_url(config, id),
                language=wire.text_at(theirs, "reviewerLanguage")[:2].lower(),
                detail={"stars": stars} if stars else {},
            )  # fmt: skip
            said.append(Found(id, at, one, version))
        else:
            one = Said(
                f"{id}#reply", "post", at, "the developer", wire.text_at(ours, "text"),
                in_reply_to=id, thread=id, venue=venue, is_ours=True,
            )  # fmt: skip
            said.append(Found(one.id, at, one, version))
    review = next((one for one in said if one.id == id), None)
    return Found(id, review.at, tuple(said)) if review else None


def moment(comment: Any) -> dt.datetime | None:
    """When a comment was changed last: seconds since 1970 as text or number, and nanoseconds."""
    seconds, nanos = (
        wire.at(comment, "lastModified", "seconds"),
        wire.count_at(comment, "lastModified", "nanos"),
    )
    if not re.fullmatch(r"\d{9,11}", str(seconds)):
        return None
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).replace(
        microsecond=(nanos or 0) // 1_000 % 1_000_000
    )


def _edit(said: Said, version: str) -> Said:
    id = f"{said.id}#{version}"
    return Said(
        id, "edit", said.ts, said.author, said.text, about=said.id, venue=said.venue, detail=said.detail
    )


def _url(config: Config, review: str) -> str:
    return (
        f"https://play.google.com/store/apps/details?{urlencode({'id': config.package, 'reviewId': review})}"
    )


plugin = GooglePlay()
