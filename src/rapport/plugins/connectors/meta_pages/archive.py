"""What Facebook hands out of a page or profile: `posts/*.json` and comments, lists of what was said with its time.

Its files write each byte of UTF-8 as a letter of its own (`Gr\\u00c3\\u00bc\\u00c3\\u009fe`): that is put right. They
hold no numbers of posts, so each gets one of its own words and moment.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rapport.kit import wire
from rapport.kit.pour import Json, Unsound
from rapport.listening.contract import Left, Part, Said, Unread

_BEGINS = re.compile(rb'\s*(?:\{\s*"(?:page_|profile_|your_)?(?:posts|comments)\w*"\s*:\s*)?\[\s*\{')
_TIME = re.compile(rb'"timestamp"\s*:\s*\d{9,10}\b')
_SAID = re.compile(rb'"(?:post|comment|attachments|media)"\s*:')


class FacebookArchive:
    """Posts and comments of one page or profile."""

    title = "archive of Facebook"
    paths = r"(^|/)(posts/[^/]+|[^/]*(posts|comments)[^/]*)\.json$"

    def holds(self, head: bytes) -> bool:
        head = head.removeprefix(b"\xef\xbb\xbf")
        begins = _BEGINS.match(head)
        return begins is not None and bool(_TIME.search(head)) and bool(_SAID.search(head))

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        export = Json(part.open())
        if export.peek() == "[":
            yield from _items(export, part)
            return
        for _ in export.members():
            if export.peek() == "[":
                yield from _items(export, part)

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        return _said(dict(row), part)


def _items(export: Json, part: Part) -> Iterator[Said | Left | Unread]:
    for one in export.items():
        yield Unread("This is no JSON.", {"raw": one.text}) if isinstance(one, Unsound) else _said(one, part)


def _said(given: Any, part: Part) -> Said | Left | Unread:
    one = mended(given)
    if not isinstance(one, dict):
        return Unread("This is no post.", {"raw": json.dumps(one, ensure_ascii=False)})
    told = next(
        (x["comment"] for x in wire.items_at(one, "data") if isinstance(wire.at(x, "comment"), dict)), None
    )
    seconds = wire.count_at(told, "timestamp") or wire.count_at(one, "timestamp")
    if not seconds:
        return Unread("The time (timestamp) cannot be read.", one)
    text = wire.text_at(told, "comment") if told else _words(one)
    if not text.strip():
        return Left("posts without words")
    try:
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return Unread("The time (timestamp) cannot be read.", one)
    kind = "comment" if told else "post"
    id = f"export-{hashlib.sha256(f'{kind} {seconds} {text}'.encode()).hexdigest()[:32]}"
    return Said(
        id=id,
        kind="post",
        ts=at,
        author=part.account.strip(),
        author_name=wire.text_at(told, "author") or part.account.strip(),
        text=text,
        thread=id,
        venue="facebook",
        is_ours=True,
    )


def _words(post: Any) -> str:
    """What a post says; where it is a picture alone, what stands under it."""
    said = [wire.text_at(one, "post") for one in wire.items_at(post, "data")]
    under = [
        wire.text_at(one, "media", "description")
        for attached in wire.items_at(post, "attachments")
        for one in wire.items_at(attached, "data")
    ]
    return next((text for text in (*said, *under) if text.strip()), "")


def mended(value: Any) -> Any:
    """A value whose texts hold letters in place of the bytes that stand for them; what is no such text stays."""
    if isinstance(value, dict):
        return {mended(key): mended(one) for key, one in value.items()}
    if isinstance(value, list):
        return [mended(one) for one in value]
    if not isinstance(value, str) or value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
