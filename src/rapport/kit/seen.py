"""That somebody changes what they have seen, and not what a colleague has made of it since.

A form carries the mark of what it shows. Whoever keeps it gives the mark back; where the thing is another now,
nothing is written and both are shown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rapport.kit.errors import Conflict


class Changed(Conflict):
    """Somebody else has changed it since it was shown."""


def mark(content: Mapping[str, Any]) -> str:
    """A mark of what stands there: the same for the same content, whoever wrote it and when."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:24]


def refuse_changed(seen: str | None, content: Mapping[str, Any]) -> None:
    """Raise Changed where `content` is not what was seen; None: whoever writes did not look, and means it."""
    if seen is not None and seen != mark(content):
        raise Changed(
            "somebody else has changed this since you opened it",
            "Look at what is different; your words are kept below. Keep it again to put them in place of theirs.",
        )
