"""What betrays an identifier in a text: pure, so that every store looks for the same."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

GONE = "[erased]"
TELLING_CHARS = 6  # a shorter value, such as a customer number 17, also stands in texts about other things
TELLING_DIGITS = 9

# In JSON a value may stand alone in a field; then also a short one is meant, if the field names a person.
_FIELDS = ("userId", "anonymousId", "previousId", "user_id", "customer_id", "customerId", "identifier", "id")


def is_telling(namespace: str, value: str) -> bool:
    """Whether the bare value points at one person alone, so that finding it in a text means them."""
    if namespace in {"email", "phone"}:
        return len(value) >= TELLING_CHARS
    return len(value) >= (TELLING_DIGITS if value.isdecimal() else TELLING_CHARS)


@dataclass(frozen=True, slots=True)
class Traces:
    """The texts to look for, and the pattern that finds them whole and in any spelling of JSON and addresses."""

    texts: tuple[str, ...]  # lower case; a store that can only look for a substring looks for these first
    pattern: str  # RE2 and Python alike; group 1 is what stands before, group 2 what stands after

    def __bool__(self) -> bool:
        return bool(self.texts)

    @property
    def shortest(self) -> tuple[str, ...]:
        """Those that are part of no other: where none of these stands, none of the others does."""
        return tuple(t for t in self.texts if not any(o in t for o in self.texts if o != t))

    def found_in(self, text: str) -> bool:
        """Whether the text names one of the identifiers."""
        return bool(self.texts) and re.search(self.pattern, text) is not None

    def without(self, text: str) -> str:
        """The text with every such place made unreadable."""
        if not self.texts:
            return text
        once = re.sub(self.pattern, rf"\1{GONE}\2", text)
        return re.sub(self.pattern, rf"\1{GONE}\2", once)  # two in a row share the character between them


def of(identifiers: Sequence[str]) -> Traces:
    """The traces of identifiers `namespace:value`."""
    plain: set[str] = set()
    for identifier in identifiers:
        namespace, _, value = identifier.partition(":")
        plain.add(identifier)
        if is_telling(namespace, value):
            plain.add(value)
    spelt = {spelling for text in plain for spelling in _spellings(text)}
    texts = tuple(sorted({text.lower() for text in spelt}, key=lambda t: (len(t), t)))
    if not texts:
        return Traces((), "")
    # Longest first, so that an address is not cut short by another that it begins with.
    either = "|".join(re.escape(text) for text in reversed(texts))
    return Traces(texts, rf"(?i)(^|[^a-z0-9_.+-])(?:{either})($|[^a-z0-9_])")


def _spellings(text: str) -> set[str]:
    """The text as it is, as JSON writes it, and as an address does."""
    escaped = json.dumps(text)[1:-1]
    return {text, escaped, escaped.replace("/", "\\/"), quote(text, safe=""), quote(text, safe="@:")}


def names_in_fields(text: str, identifiers: Sequence[str]) -> bool:
    """Whether JSON names one of the identifiers in a field that says who somebody is, however short it is."""
    for identifier in identifiers:
        value = json.dumps(identifier.partition(":")[2])
        fields = "|".join(_FIELDS)
        if re.search(rf'"(?:{fields})"\s*:\s*(?:{re.escape(value)}|{re.escape(value[1:-1])}\s*[,}}])', text):
            return True
    return False
