"""What answers of others hold: JSON read without trust in its shape, times, waits and links of headers.

Whoever writes to us may leave out, misname or mistype whatever they please. So nothing here raises for a
shape: what is not there, or is not what it should be, reads as empty, and the caller says what that means.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from rapport.kit import ids

_LINK = re.compile(r'<([^<>]*)>\s*((?:;\s*[\w!#$&+.^`|~-]+\s*=\s*(?:"[^"]*"|[^\s;,"]+)\s*)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)
_FRACTION = re.compile(r"(\.\d{6})\d+")
EPOCH_FROM = 1_000_000_000  # a number of seconds as large as this is a moment, and no wait


def document(body: bytes) -> Any:
    """The JSON of a body; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def at(value: Any, *path: str | int) -> Any:
    """What lies at a path of names and positions; None where nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: Any, *path: str | int) -> str:
    """The text at a path; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def items_at(value: Any, *path: str | int) -> list[Any]:
    """The list at a path; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def count_at(value: Any, *path: str | int) -> int | None:
    """The whole number, not below zero, at a path; None where there is none."""
    found = at(value, *path)
    is_count = isinstance(found, int) and not isinstance(found, bool) and found >= 0
    return found if is_count else None


def says(shown: str, sent: str, *, is_end: bool = False) -> bool:
    """Whether a text is the one that was sent, however it was laid out since; `is_end`: or ends with it.

    Letters and digits count; where what was sent has none, whatever is no space.
    """
    sort = str.isalnum if any(c.isalnum() for c in sent) else _is_shown
    plain, wanted = ("".join(filter(sort, text.casefold())) for text in (shown, sent))
    return bool(wanted) and (plain.endswith(wanted) if is_end else plain == wanted)


def _is_shown(letter: str) -> bool:
    return not letter.isspace()


def form(
    said: Iterable[tuple[str, str]], files: Iterable[tuple[str, str, str, bytes]]
) -> tuple[bytes, Mapping[str, str]]:
    """A form with files as RFC 7578 writes it, and its header; a file is a name, a file name, a type and its bytes."""
    mark = f"rapport-{ids.token()}".encode()
    parts = [(name, "", "", value.encode()) for name, value in said] + list(files)
    body = b""
    for name, file_name, kind, content in parts:
        head = f'Content-Disposition: form-data; name="{name}"'
        head += f'; filename="{file_name}"\r\nContent-Type: {kind}' if file_name else ""
        body += b"--" + mark + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + b"--" + mark + b"--\r\n", {"content-type": f"multipart/form-data; boundary={mark.decode()}"}


def moment(text: object) -> dt.datetime | None:
    """An RFC 3339 time as an aware UTC datetime; None where it is none or has no zone."""
    if not isinstance(text, str):
        return None
    try:
        # Some write nanoseconds, of which Python reads six digits alone.
        found = dt.datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip()))
        return found.astimezone(dt.UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def written(at: dt.datetime) -> str:
    """An aware datetime as RFC 3339 in UTC, with milliseconds."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wait_s(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """How long a server asks to wait: Retry-After, else when its limit is renewed; None where it says nothing.

    Retry-After is seconds or a date (RFC 9110, 10.2.3). The time of renewal is written by some as seconds to
    go, by others as seconds since 1970, by others as a date (`RateLimit-Reset`, `X-RateLimit-Reset`).
    """
    for name in ("retry-after", "ratelimit-reset", "x-ratelimit-reset"):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
            number = float(text)
            seconds = number - now.timestamp() if number >= EPOCH_FROM else number
            return max(seconds, 0.0)
        until = moment(text) or _http_date(text)
        if until is not None:
            return max((until - now).total_seconds(), 0.0)
    return None


def _http_date(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def links(headers: Mapping[str, str]) -> dict[str, str]:
    """Addresses of a Link header by their relation (RFC 8288)."""
    found: dict[str, str] = {}
    for address, parameters in _LINK.findall(headers.get("link", "")):
        said = _REL.search(parameters)
        for relation in (said[1] or said[2] or "").lower().split() if said else ():
            found.setdefault(relation, address)
    return found
