"""What Reddit hands out: `comments.csv` and `posts.csv` of one account, and dumps with one thing a line (NDJSON)."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rapport.kit import wire
from rapport.kit.errors import Invalid
from rapport.kit.pour import Bytes, lines
from rapport.listening.contract import Left, Part, Said, Unread
from rapport.plugins.connectors.reddit import things

LINE_BYTES_MAX = 8 << 20
SHOWN_CHARS = 2_000
_NAMED = re.compile(r"(?:^|\n)account name,([\w-]{2,32})\s*(?:\r|\n|$)")
_POST = re.compile(r"/comments/(\w+)")


class RedditArchive:
    """Comments and posts."""

    title = "archive of Reddit"
    paths = r"(^|/)((comments|posts)\.csv|R[CS]_[\w.-]+|[^/]+\.(ndjson|jsonl))$"

    def holds(self, head: bytes) -> bool:
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
        if first.startswith(b"id,permalink,date,"):
            return b"subreddit" in first and b"body" in first
        return _is_thing(wire.document(first))

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        head = part.open().read(64)
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"id,"):
            yield from _own(part)
            return
        us = part.account.strip().removeprefix("u/")
        for raw in lines(part.open(), line_bytes_max=LINE_BYTES_MAX):
            if raw.strip():
                yield _thing(raw, us)

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        if "raw" in row or "created_utc" in row:
            raw = str(row["raw"]) if "raw" in row else json.dumps(dict(row))
            return _thing(raw.encode(), part.account.strip().removeprefix("u/"))
        return _line({str(k): str(v) for k, v in row.items()}, _account(part))


def _is_thing(found: Any) -> bool:
    if not isinstance(found, dict) or not {"id", "author", "created_utc", "subreddit"} <= found.keys():
        return False
    return {"body", "parent_id"} <= found.keys() or "title" in found


def _thing(raw: bytes, us: str) -> Said | Left | Unread:
    """A comment or a post of a dump, as the interface would have told it."""
    found = wire.document(raw)
    if not isinstance(found, dict):
        return Unread(
            "The line is not one JSON object.", {"raw": raw.decode("utf-8", "replace")[:SHOWN_CHARS]}
        )
    kind = "t1" if "body" in found else "t3"
    created = found.get("created_utc")
    if isinstance(created, str) and created.isdigit():
        created = int(created)
    held = {**found, "name": found.get("name") or f"{kind}_{found.get('id') or ''}", "created_utc": created}
    if things.is_gone(held):
        return Left("deleted posts")
    read = things.read({"kind": kind, "data": held}, us or "[nobody]")
    if read is None or read.said.id in {"t1_", "t3_"}:
        return Unread("It has no id, or no time (created_utc) that can be read.", found)
    return read.said if read.said.text.strip() else Left("posts without words")


def _account(part: Part) -> str:
    """Whose archive it is: `statistics.csv` beside it says."""
    told = _NAMED.search((part.beside("statistics.csv") or b"").decode("utf-8", "replace"))
    name = part.account.strip().removeprefix("u/") or (told[1] if told else "")
    if not name:
        raise Invalid(
            f"{part.name} does not say whose posts they are",
            "Import the whole archive, or say the name with the option account.",
        )
    return name


def _own(part: Part) -> Iterator[Said | Left | Unread]:
    us = _account(part)
    rows = csv.reader(_texts(part.open()), strict=False)
    names = next(rows, [])
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Unread(f"The row cannot be read: {error}.", {})
            continue
        if len(row) != len(names):
            yield Unread(
                f"The row has {len(row)} columns where the first line names {len(names)}.",
                {"raw": ",".join(row)[:SHOWN_CHARS]},
            )
        else:
            yield _line(dict(zip(names, row, strict=True)), us)


def _texts(stream: Bytes) -> Iterator[str]:
    for k, line in enumerate(lines(stream)):
        text = line.decode("utf-8", "replace").replace("\0", "")
        yield text if k else text.removeprefix("\ufeff")


def _line(row: Mapping[str, str], us: str) -> Said | Left | Unread:
    """A row of `comments.csv`, which names its `link` and `parent`, or of `posts.csv`, which has a `title`."""
    # From which address it was sent is nothing that anybody said.
    row = {name: value for name, value in row.items() if name != "ip"}
    is_comment = "title" not in row
    number, at = row.get("id", ""), _moment(row.get("date", ""))
    if not re.fullmatch(r"\w+", number):
        return Unread("It has no id.", row)
    if at is None:
        return Unread("The time (date) cannot be read.", row)
    text = (
        row.get("body", "") if is_comment else "\n\n".join(filter(None, (row["title"], row.get("body", ""))))
    )
    if row.get("body", "").strip() in things.GONE:
        return Left("deleted posts")
    if not text.strip():
        return Left("posts without words")
    post = _POST.search(row.get("link", "") or row.get("permalink", ""))
    thread = f"t3_{post[1]}" if is_comment and post else "" if is_comment else f"t3_{number}"
    parent = row.get("parent", "").rpartition("_")[2]
    community = row.get("subreddit", "").removeprefix("r/").lower()
    address = row.get("permalink", "")
    said = Said(
        id=f"{'t1' if is_comment else 't3'}_{number}",
        kind="post",
        ts=at,
        author=us.lower(),
        author_name=us,
        text=text,
        in_reply_to=(f"t1_{parent}" if parent else thread) if is_comment else "",
        thread=thread,
        venue=f"reddit:r/{community}" if community else "reddit",
        url=f"https://www.reddit.com{address}" if address.startswith("/") else address,
        is_ours=True,
    )
    # A comment right under a post names the post itself as its parent in some archives.
    return replace(said, in_reply_to=thread) if is_comment and f"t3_{parent}" == thread else said


def _moment(text: str) -> dt.datetime | None:
    return wire.moment(re.sub(r" ?UTC$", "+00:00", text.strip()))
