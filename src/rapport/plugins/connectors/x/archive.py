"""The archive that X hands out: `data/tweets.js` and its further parts, and the older form with one file a month.

Each file is a list behind an assignment: `window.YTD.tweets.part0 = [...]`, `Grailbird.data.tweets_2012_01 = [...]`.
All posts in it are by the account that asked for it, which only `account.js` beside them names.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rapport.kit import wire
from rapport.kit.errors import Invalid
from rapport.kit.pour import Json, Unsound
from rapport.listening.contract import Left, Part, Said, Unread

_OPENING = re.compile(r"(?:window\.YTD\.tweets?\.part\d+|Grailbird\.data\.tweets_\d{4}_\d{2})\s*=\s*(?=\[)")
_TIME = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4}) (\d{4})")
MONTHS = {
    name: f"{n:02d}"
    for n, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], start=1
    )
}
_ACCOUNT = re.compile(rb"window\.YTD\.account\.part0\s*=\s*")
_BEGINS = re.compile(rb"\s*(?:window\.YTD\.tweets?\.part\d+|Grailbird\.data\.tweets_\d{4}_\d{2})\s*=\s*\[")


class XArchive:
    """Posts of one account."""

    title = "archive of X"
    paths = r"(^|/)(data/)?(tweets?(-part\d+)?\.js|js/tweets/\d{4}_\d{2}\.js)$"

    def holds(self, head: bytes) -> bool:
        return _BEGINS.match(head.removeprefix(b"\xef\xbb\xbf")) is not None

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        us = _account(part)
        posts = Json(part.open())
        posts.after(_OPENING)
        for post in posts.items():
            yield (
                Unread("This is no JSON.", {"raw": post.text})
                if isinstance(post, Unsound)
                else _post(post, us)
            )

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        return _post(row, _account(part))


def _account(part: Part) -> tuple[str, str]:
    """Handle and name of whose archive it is."""
    told = part.beside("account.js") or b""
    found = wire.at(
        wire.document(_ACCOUNT.sub(b"", told.removeprefix(b"\xef\xbb\xbf").strip())), 0, "account"
    )
    handle = part.account or wire.text_at(found, "username")
    if not handle:
        raise Invalid(
            f"{part.name} does not say whose posts they are",
            "Import the whole archive, or say the handle with the option account.",
        )
    return handle.lstrip("@"), wire.text_at(found, "accountDisplayName")


def _post(given: Any, us: tuple[str, str]) -> Said | Left | Unread:
    post = wire.at(given, "tweet") or given
    if not isinstance(post, dict):
        return Unread("This is no post.", {"raw": json.dumps(given, ensure_ascii=False)})
    id, at = wire.text_at(post, "id_str"), _moment(wire.text_at(post, "created_at"))
    text = wire.text_at(post, "full_text") or wire.text_at(post, "text")
    if not id.isdigit():
        return Unread("The post has no number (id_str).", post)
    if at is None:
        return Unread("The time (created_at) cannot be read.", post)
    # An archive says `retweeted: false` of reposts as well; only their words tell.
    if text.startswith("RT @") or wire.at(post, "retweeted_status"):
        return Left("reposts")
    if not text:
        return Left("posts without words")
    handle, name = us
    answered = wire.text_at(post, "in_reply_to_status_id_str")
    language = wire.text_at(post, "lang")
    return Said(
        id=id,
        kind="post",
        ts=at,
        author=handle.lower(),
        author_name=name,
        text=_words(text, post),
        in_reply_to=answered,
        thread="" if answered else id,
        venue="x",
        language=language if re.fullmatch(r"[a-z]{2}", language) else "",
        url=f"https://x.com/{handle}/status/{id}",
        is_ours=True,
    )


def _words(text: str, post: Any) -> str:
    """The text as it was written: with the addresses that X shortened, and without its escapes."""
    for link in wire.items_at(post, "entities", "urls"):
        short, whole = wire.text_at(link, "url"), wire.text_at(link, "expanded_url")
        if short and whole:
            text = text.replace(short, whole)
    return html.unescape(text)


def _moment(text: str) -> dt.datetime | None:
    """`Wed Oct 10 20:19:24 +0000 2018`, or as the oldest archives write it, `2012-01-31 10:00:00 +0000`."""
    found = _TIME.fullmatch(text)
    if found:
        text = f"{found[5]}-{MONTHS.get(found[1], '')}-{found[2]} {found[3]} {found[4]}"
    try:
        # Much faster than strptime, and the same in every language.
        return dt.datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-")).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
