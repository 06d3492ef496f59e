"""LinkedIn: comments under the posts of the firm's page, and our answers (Community Management API)."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from rapport.kit import wire
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
    Media,
    Page,
    Pictures,
    Receipt,
    Said,
    Terms,
    nothing_posted,
    refusal,
    setting,
    tried,
)

API = "https://api.linkedin.com/rest"
VERSION = "202606"  # LinkedIn holds each version for a year
POSTS, COMMENTS = 20, 100
COMMENTS_MAX = 2_000  # under one post or comment, in one round
LENGTH_MAX = 1_250
# Images API and MultiImage API: 2 to 20 together, JPEG, PNG or GIF of fewer than 36,152,320 dots.
PICTURES = Pictures(most=20, bytes_max=8_000_000, side_max=4_096, alt_max=4_086)
_MARKS = re.compile(r"[|{}@\[\]()<>\\*_~]|#(?!\w)")  # that mean something in a post's text unless escaped
_COMMENT = re.compile(r"urn:li:comment:\((urn:li:\w+:\d+),(\d+)\)")


@dataclass(frozen=True, slots=True)
class Config:
    """Which page, and with which token."""

    organization: str = setting("", "Page's number", "In the address of the page's admin view, digits alone.")
    access_token: str = setting(
        "", "Access token", "Of an administrator of the page; it ends after 60 days.", secret=True
    )
    version: str = setting(VERSION, "Version", "Year and month of LinkedIn's interface, such as 202606.")

    @property
    def us(self) -> str:
        """The page, as LinkedIn names it."""
        return f"urn:li:organization:{self.organization}"


class LinkedIn:
    """One page."""

    name = "linkedin"
    title = "LinkedIn"
    network = "linkedin"
    config: type[Config] = Config
    terms = Terms(
        keep_days=2,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://learn.microsoft.com/en-us/linkedin/marketing/data-storage-requirements",
        read_on=None,
        note=(
            "LinkedIn lets what members say be kept for 48 hours, and their profiles for 24; nothing may be joined to "
            "customers, mixed with other data, exported, sold or used for advertising and sales, and answers may not "
            "be posted by machine: a person has to send each. Older conversations stay with LinkedIn."
        ),
    )
    manners = Manners(requests=30, per_s=60, every_s=300, length_max=LENGTH_MAX, pictures=PICTURES)
    costs = "Free, with an app of the firm's own that LinkedIn approved for its Community Management API."
    sees = "Comments and answers under the newest 20 posts of the firm's page, and what the page says there."
    cannot_see = (
        "Posts of members and of other pages, mentions elsewhere, private messages, names of members, and comments "
        "under older posts."
    )

    def check(self, config: Config) -> None:
        if not re.fullmatch(r"[0-9]{1,15}", config.organization):
            raise Invalid(f"{config.organization!r} is no number of a page", "It has digits alone.")
        if not re.fullmatch(r"[\x21-\x7e]{8,}", config.access_token):
            raise Invalid(
                "there is no access token", "Let an administrator of the page make one for the app."
            )
        if not re.fullmatch(r"20\d\d(0[1-9]|1[0-2])", config.version):
            raise Invalid(f"{config.version!r} is no version", "Write year and month, such as 202606.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        posts: list[Any] | None = None

        def own() -> str:
            nonlocal posts
            posts = _posts(config, context, 1)
            return "can be read" if posts else "the page has none yet"

        def comments() -> str:
            if posts is None:
                raise Failed("are found by the posts, which cannot be read")
            for post in posts:
                _get(config, context, f"socialActions/{_urn(post)}/comments?start=0&count=1")
            return "can be read" if posts else "will be seen with the first post"

        right = "Let an administrator of the page make a token with {}."
        found = tried(
            ("Posts", own, right.format("r_organization_social")),
            ("Comments", comments, right.format("r_organization_social_feed")),
        )
        if {one.state for one in found} == {"ok"}:
            message = (
                "whether the token may answer is seen when somebody answers: LinkedIn offers nothing to ask"
            )
            hint = right.format("w_organization_social_feed, and w_organization_social for posts")
            found.append(Finding("Answers", "warn", message, hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        marks = Marks.read(cursor)
        before = marks.text()
        posts = _posts(config, context, POSTS)
        own = [seen for post in posts if (seen := _post(post, config))]
        said = list(marks.new(sorted((p for p in own if p.at >= context.since), key=lambda one: one.at)))
        if said:
            yield Page(said, marks.text())
        for post in own:
            walk = marks.walk(post.id, _listed(config, context, post.id), context.since)
            gaps = []
            if walk.cut is not None and walk.cut > walk.since:
                message = "more comments came under a post than can be read at once"
                gaps.append(Gap(walk.since, walk.cut, "horizon", message))
            said = list(marks.new(walk.found))
            if said or gaps:
                yield Page(said, marks.text(), gaps)
        kept = {post.id for post in own}
        marks.left = {name: left for name, left in marks.left.items() if name in kept}
        if marks.text() != before:
            yield Page((), marks.text())

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        now = context.now()
        said = []
        for id in ids:
            found = _COMMENT.fullmatch(id)
            if not found:
                continue
            path = f"socialActions/{quote(found[1], safe='')}/comments/{found[2]}"
            told = _get(config, context, path, is_gone_told=True)
            if told is None:
                said.append(Said(f"{id}#deletion", "deletion", now, "", about=id))
                continue
            seen = _comment(told, config, found[1])
            changed = wire.count_at(told, "lastModified", "time")
            if seen and changed and changed > (wire.count_at(told, "created", "time") or 0):
                at = dt.datetime.fromtimestamp(changed / 1_000, dt.UTC)
                one = seen.said
                said.append(
                    Said(f"{id}#{changed}", "edit", at, one.author, one.text, about=id, venue="linkedin")
                )
        return said

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        if not draft.in_reply_to:
            return _posted(config, context, draft)
        under = draft.thread or draft.in_reply_to
        body = {"actor": config.us, "object": under, "message": {"text": draft.text}}
        if _COMMENT.fullmatch(draft.in_reply_to):
            body["parentComment"] = draft.in_reply_to
        path = f"socialActions/{quote(draft.in_reply_to, safe='')}/comments"
        told = _asked(config, context, path, body)
        id = wire.text_at(told, "commentUrn") or _name(told, under)
        if not id:
            raise Failed("LinkedIn does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(id, _url(under))

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        if not draft.in_reply_to:
            return _own(config, context, draft)
        for page in _listed(config, context, draft.in_reply_to, draft.thread):
            for seen in page:
                # Under a post come the answers to its comments as well.
                is_there = bool(_COMMENT.fullmatch(draft.in_reply_to)) or not _COMMENT.fullmatch(
                    seen.said.in_reply_to
                )
                if seen.said.is_ours and is_there and wire.says(seen.said.text, draft.text):
                    return Receipt(seen.id, _url(draft.thread or draft.in_reply_to))
        return None


def _posted(config: Config, context: Context, draft: Draft) -> Receipt:
    """A post of the page's own; its pictures were uploaded before, and are seen nowhere until it shows them."""
    body: dict[str, Any] = {
        "author": config.us,
        "commentary": _MARKS.sub(r"\\\g<0>", draft.text),
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    with nothing_posted():
        images = [{"id": _uploaded(config, context, one), "altText": one.alt} for one in draft.media]
    if images:
        body["content"] = {"media": images[0]} if len(images) == 1 else {"multiImage": {"images": images}}
    answer = _answered(config, context, "posts", body)
    id = answer.headers.get("x-restli-id", "")
    if not id:
        raise Failed("LinkedIn does not say what became of it", is_unsure=True, retry_after_s=30.0)
    return Receipt(id, _url(id))


def _own(config: Config, context: Context, draft: Draft) -> Receipt | None:
    for post in _posts(config, context, POSTS):
        if wire.says(wire.text_at(post, "commentary"), draft.text):
            id = wire.text_at(post, "id")
            return Receipt(id, _url(id))
    return None


def _uploaded(config: Config, context: Context, one: Media) -> str:
    """What LinkedIn calls a picture, once it was put to the address that it named."""
    asked = {"initializeUploadRequest": {"owner": config.us}}
    told = _asked(config, context, "images?action=initializeUpload", asked)
    image, address = wire.text_at(told, "value", "image"), wire.text_at(told, "value", "uploadUrl")
    if not image or not (urlsplit(address).hostname or "").endswith(".linkedin.com"):
        raise Failed("LinkedIn does not say where a picture is put", retry_after_s=60.0)
    headers = {"authorization": f"Bearer {config.access_token}", "content-type": one.content_type}
    answer = context.fetch(Request(address, "PUT", one.read(), headers))
    if answer.status not in {200, 201}:
        raise _failed(answer, wire.document(answer.body), context.now())
    return image


def _posts(config: Config, context: Context, size: int) -> list[Any]:
    author = quote(config.us, safe="")
    path = f"posts?author={author}&q=author&count={size}&sortBy=CREATED"
    return wire.items_at(_get(config, context, path), "elements")


def _listed(config: Config, context: Context, under: str, thread: str = "") -> Iterator[list[Found[Said]]]:
    """Pages of comments, with the answers to each where there are some. LinkedIn promises no order."""
    found: list[Found[Said]] = []
    start = 0
    while True:
        path = f"socialActions/{quote(under, safe='')}/comments?start={start}&count={COMMENTS}"
        told = _get(config, context, path)
        elements = wire.items_at(told, "elements")
        for held in elements:
            seen = _comment(held, config, thread or under)
            if seen is None:
                continue
            found.append(seen)
            if not _COMMENT.fullmatch(under) and wire.count_at(
                held, "commentsSummary", "aggregatedTotalComments"
            ):
                for page in _listed(config, context, seen.id, under):
                    found += page
        start += len(elements)
        # Not every list says how many there are; some merely say that there are more.
        is_more = start < (wire.count_at(told, "paging", "total") or 0) or any(
            wire.text_at(link, "rel") == "next" for link in wire.items_at(told, "paging", "links")
        )
        if not elements or not is_more or start >= COMMENTS_MAX:
            break
    yield sorted(found, key=lambda one: one.at, reverse=True)


def _post(held: Any, config: Config) -> Found[Said] | None:
    id, created = wire.text_at(held, "id"), wire.count_at(held, "createdAt")
    if not id or created is None:
        return None
    at = dt.datetime.fromtimestamp(created / 1_000, dt.UTC)
    text = wire.text_at(held, "commentary")
    said = Said(id, "post", at, config.us, text, thread=id, venue="linkedin", url=_url(id), is_ours=True)
    return Found(id, at, said)


def _comment(held: Any, config: Config, thread: str) -> Found[Said] | None:
    """One comment; None where it is not whole."""
    id, created = (
        wire.text_at(held, "commentUrn") or _name(held, thread),
        wire.count_at(held, "created", "time"),
    )
    if not id or created is None:
        return None
    at, author = dt.datetime.fromtimestamp(created / 1_000, dt.UTC), wire.text_at(held, "actor")
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=author,
        text=wire.text_at(held, "message", "text"),
        in_reply_to=wire.text_at(held, "parentComment") or thread,
        thread=thread,
        venue="linkedin",
        url=_url(thread),
        is_ours=author == config.us,
        asks_us=author != config.us,  # said under the firm's own posts
    )
    return Found(id, at, said)


def _name(held: Any, thread: str) -> str:
    number = wire.text_at(held, "id")
    under = wire.text_at(held, "object") or thread
    return f"urn:li:comment:({under},{number})" if number.isdigit() else ""


def _urn(post: Any) -> str:
    return quote(wire.text_at(post, "id"), safe="")


def _url(post: str) -> str:
    return f"https://www.linkedin.com/feed/update/{post}/" if post.startswith("urn:li:") else ""


def _get(config: Config, context: Context, path: str, *, is_gone_told: bool = False) -> Any:
    return _asked(config, context, path, None, is_gone_told=is_gone_told)


def _asked(
    config: Config, context: Context, path: str, body: Any = None, *, is_gone_told: bool = False
) -> Any:
    answer = _answered(config, context, path, body, is_gone_told=is_gone_told)
    if is_gone_told and answer.status == 404:
        return None
    found = wire.document(answer.body)
    if not isinstance(found, dict):
        raise Failed("LinkedIn answered with something that is no JSON", is_unsure=body is not None)
    return found


def _answered(
    config: Config, context: Context, path: str, body: Any, *, is_gone_told: bool = False
) -> Answer:
    headers = {
        "authorization": f"Bearer {config.access_token}",
        "linkedin-version": config.version,
        "x-restli-protocol-version": "2.0.0",
    }
    if body is None:
        answer = context.fetch(Request(f"{API}/{path}", headers=headers))
    else:
        sent = json.dumps(body, ensure_ascii=False).encode()
        headers["content-type"] = "application/json"
        answer = context.fetch(Request(f"{API}/{path}", "POST", sent, headers))
    if answer.status not in {200, 201} and not (is_gone_told and answer.status == 404):
        raise _failed(answer, wire.document(answer.body), context.now())
    return answer


def _failed(answer: Answer, found: Any, now: dt.datetime) -> Failed:
    words, code = wire.text_at(found, "message"), wire.text_at(found, "code")
    if code in {"EXPIRED_ACCESS_TOKEN", "REVOKED_ACCESS_TOKEN", "INVALID_ACCESS_TOKEN"}:
        return Failed(
            f"LinkedIn does not accept the access token any more: {words}",
            reason="login",
            retry_after_s=None,
            hint="They end after 60 days: let an administrator of the page make a new one, and enter it here.",
        )
    if answer.status == 426 or code == "NONEXISTENT_VERSION":
        failed = Failed(f"LinkedIn has ended this version of its interface: {words}", reason="permission")
        failed.hint, failed.is_permanent = "Enter a newer version: year and month.", True
        return failed
    failed = refusal(answer, "LinkedIn", now, words=words)
    if answer.status == 429:
        # Limits are counted by the day, and begin anew at midnight UTC.
        midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
        failed.retry_after_s = wire.wait_s(answer.headers, now) or (midnight - now).total_seconds()
    failed.is_unsure = answer.status >= 500
    return failed


plugin = LinkedIn()
