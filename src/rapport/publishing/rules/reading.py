"""Whether a post can be read by everybody, also by those who have it read to them. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

PICTOGRAPHS_MAX = 3  # in a row
TAGS_MAX = 3
CAPITALS_MIN = 20  # letters, from which on a text that is all capitals shouts
TAG_LETTERS = 14  # a tag of one case that is longer is several words

_PICTOGRAPHS = re.compile(r"(?:[\u2600-\u27bf\U0001f000-\U0001faff]\ufe0f?\u200d?\s*)+")
_TAG = re.compile(r"(?<![\w&/])#(?P<tag>\w*[^\W\d_]\w*)")


@dataclass(frozen=True, slots=True)
class Hurdle:
    """One thing that shuts somebody out: a code, and the words."""

    code: str
    words: str


def hurdles(text: str) -> list[Hurdle]:
    """What of a text a screen reader or a slow reader stumbles over; empty where nothing is.

    >>> [hurdle.code for hurdle in hurdles("New in our shop: \U0001d5ef\U0001d5f9\U0001d5ee\U0001d5f1\U0001d5f2")]
    ['letters']
    """
    found = []
    if posing := "".join(c for c in text if "MATHEMATICAL" in unicodedata.name(c, "")):
        found.append(Hurdle("letters", posing[:40]))
    for run in _PICTOGRAPHS.finditer(text):
        if len([c for c in run.group() if not c.isspace() and c not in "\ufe0f\u200d"]) > PICTOGRAPHS_MAX:
            found.append(Hurdle("pictographs", run.group().strip()))
            break
    tags = [m["tag"] for m in _TAG.finditer(text)]
    if run_on := next((t for t in tags if len(t) >= TAG_LETTERS and t.islower() and "_" not in t), ""):
        found.append(Hurdle("tag_run_on", f"#{run_on}"))
    if len(tags) > TAGS_MAX:
        found.append(Hurdle("tags", f"#{tags[TAGS_MAX]}"))
    letters = [c for c in text if c.isalpha() and c.lower() != c.upper()]
    if len(letters) >= CAPITALS_MIN and all(c.isupper() for c in letters):
        found.append(Hurdle("capitals", text.strip()[:40]))
    return found
