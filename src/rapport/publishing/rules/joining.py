"""What belongs to a broadcast: comments that name its tag, answer its post, or stand at its venue. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

JOINS_MAX = 20


def joins_of(written: Iterable[str]) -> list[str]:
    """What somebody wrote, once each, without white space; tags in lower case."""
    found = ("".join(one.split()) for one in written)
    kept = [one.casefold() if one.startswith("#") else one for one in found if one]
    return list(dict.fromkeys(kept))[:JOINS_MAX]


def belongs(joins: Sequence[str], row: Mapping[str, Any]) -> bool:
    """Whether a comment belongs to what these join; without any, everything that its source brings does.

    >>> belongs(["#ottertv"], {"words": "does it fit? #OtterTV", "thread": "", "in_reply_to": "", "venue": ""})
    True
    """
    if not joins:
        return True
    for one in joins:
        if one.startswith("#"):
            if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", row["words"].casefold()):
                return True
        elif one in (row["thread"], row["in_reply_to"], row["venue"], row.get("post_id", "")):
            return True
    return False
