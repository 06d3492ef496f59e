"""What a colleague made of something while somebody wrote, beside what they wrote themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.web.components import formats


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that is another now than in the form."""

    label: str
    now: str
    mine: str


def differences(
    now: Mapping[str, Any], mine: Mapping[str, Any], labels: Mapping[str, Any]
) -> list[Difference]:
    """The parts that differ, as they stand now and as somebody wrote them."""
    pairs = ((label, _text(now.get(name)), _text(mine.get(name))) for name, label in labels.items())
    return [Difference(str(label), theirs, own) for label, theirs, own in pairs if theirs != own]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_text(one)}" for key, one in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        is_flat = all(isinstance(one, str) for one in value)
        return ", ".join(value) if is_flat else "\n".join(" · ".join(map(str, one)) for one in value)
    if hasattr(value, "tzinfo"):
        return formats.when_text(value)
    return "" if value is None else str(value)
