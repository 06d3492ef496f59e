"""What betrays an identifier in a text: pure, so that every store looks for the same."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
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


# Letters and digits between others: what stands before and after a trace can lengthen none of its runs, so a text
# that names a trace holds each of the trace's runs as a run of its own.
_RUN = re.compile(r"[a-z0-9]+")
RUN = _RUN.pattern
FEW = 40  # up to so many, looking for each is quicker than taking texts apart


@dataclass(frozen=True, slots=True)
class Traces:
    """The texts to look for, whole and in any spelling of JSON and addresses.

    texts : lower case; a store that can only look for a substring looks for these first
    by_run : the texts by the one of their runs of letters and digits that the fewest others have
    runless : those without such a run
    """

    texts: tuple[str, ...]
    by_run: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    runless: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.texts)

    @property
    def are_many(self) -> bool:
        """Whether a store should look for runs, or at every row, rather than for each text."""
        return len(self.texts) > FEW

    @property
    def shortest(self) -> tuple[str, ...]:
        """Those that are part of no other: where none of these stands, none of the others does."""
        if self.are_many:
            return self.texts
        return tuple(t for t in self.texts if not any(o in t for o in self.texts if o != t))

    def found_in(self, text: str) -> bool:
        """Whether the text names one of the identifiers."""
        near = self._near(text)
        return bool(near) and _pattern(near).search(text) is not None

    def without(self, text: str) -> str:
        """The text with every such place made unreadable."""
        near = self._near(text)
        if not near:
            return text
        once = _pattern(near).sub(rf"\1{GONE}\2", text)
        return _pattern(near).sub(rf"\1{GONE}\2", once)  # two in a row share the character between them

    def _near(self, text: str) -> tuple[str, ...]:
        """Those that stand somewhere in the text, be it within a longer word."""
        low = text.lower()
        asked: Iterable[str] = self.texts
        if self.are_many:
            asked = [t for run in set(_RUN.findall(low)) for t in self.by_run.get(run, ())]
            asked += self.runless
        return tuple(sorted(t for t in asked if t in low))


@lru_cache(maxsize=256)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str]:
    """Finds these whole; group 1 is what stands before, group 2 what stands after."""
    # Longest first, so that an address is not cut short by another that it begins with.
    either = "|".join(re.escape(text) for text in sorted(texts, key=lambda t: (-len(t), t)))
    return re.compile(rf"(?i)(^|[^a-z0-9_.+-])(?:{either})($|[^a-z0-9_])")


def of(identifiers: Sequence[str]) -> Traces:
    """The traces of identifiers `namespace:value`."""
    plain: set[str] = set()
    for identifier in identifiers:
        namespace, _, value = identifier.partition(":")
        plain.add(identifier)
        if is_telling(namespace, value):
            plain.add(value)
    return of_values(spelling for text in plain for spelling in _spellings(text))


def of_values(values: Iterable[str]) -> Traces:
    """The traces of these texts as they stand, be they short."""
    texts = tuple(sorted({text.lower() for text in values}, key=lambda t: (len(t), t)))
    runs = {text: _RUN.findall(text) for text in texts}
    shared = Counter(run for found in runs.values() for run in set(found))
    by_run: defaultdict[str, list[str]] = defaultdict(list)
    for text, found in runs.items():
        if found:
            by_run[min(found, key=lambda run: (shared[run], -len(run)))].append(text)
    return Traces(
        texts, {run: tuple(found) for run, found in by_run.items()}, tuple(t for t in texts if not runs[t])
    )


def _spellings(text: str) -> set[str]:
    """The text as it is, as JSON writes it, and as an address does."""
    escaped = json.dumps(text)[1:-1]
    return {text, escaped, escaped.replace("/", "\\/"), quote(text, safe=""), quote(text, safe="@:")}


def names_in_fields(text: str, identifiers: Sequence[str]) -> bool:
    """Whether JSON names one of the identifiers in a field that says who somebody is, however short it is."""
    named = {value.rstrip() for value in _NAMED.findall(text)}
    if not named:
        return False
    values = (json.dumps(identifier.partition(":")[2]) for identifier in identifiers)
    return any(value in named or value[1:-1] in named for value in values)


# What stands in such a field: a text with its quotes, or a bare number.
_NAMED = re.compile(rf'"(?:{"|".join(_FIELDS)})"\s*:\s*("(?:[^"\\]|\\.)*"|[^",}}\]\s]+(?=\s*[,}}]))')
