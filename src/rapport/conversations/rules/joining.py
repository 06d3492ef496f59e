"""Which messages are on one matter, by what they answer: components of reply links, in whatever order they come.

A link goes from a message to what it answers and to what its network says it began with; both may be unseen.
Where nothing is linked, words of one person on one channel under one heading follow each other in time.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

FOLLOWS_DAYS = 14  # words of one person under one heading are on one matter up to this long apart
TOPIC_MAX = 120
_PREFIX = re.compile(
    r"^\s*((re|aw|antw|antwort|sv|vs|r|rv|res|fw|fwd|wg|tr|rif|ref|enc|回复|答复|답장|返信)\s*(\[\d+\])?\s*[:：]\s*)+",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")

K = TypeVar("K", bound=Hashable)


def topic(subject_line: str) -> str:
    """A heading without what answering and passing on put before it.

    >>> topic("Re: AW:  Order 12  late")
    'Order 12 late'
    """
    return _SPACE.sub(" ", _PREFIX.sub("", subject_line)).strip()[:TOPIC_MAX]


class Sets(Generic[K]):
    """Disjoint sets with path halving (Tarjan and van Leeuwen 1984); the smaller root stays, so order says nothing."""

    def __init__(self) -> None:
        self._parent: dict[K, K] = {}

    def add(self, key: K) -> None:
        self._parent.setdefault(key, key)

    def root(self, key: K) -> K:
        parent = self._parent
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(self, one: K, other: K) -> None:
        a, b = self.root(one), self.root(other)
        if a != b:
            low, high = (a, b) if repr(a) <= repr(b) else (b, a)
            self._parent[high] = low

    def groups(self) -> dict[K, list[K]]:
        """Members by root."""
        found: dict[K, list[K]] = {}
        for key in self._parent:
            found.setdefault(self.root(key), []).append(key)
        return found


@dataclass(frozen=True, slots=True)
class Follows:
    """A message without links: who wrote it on which channel under which heading, and when (seconds)."""

    node: Hashable
    author: Hashable
    at_s: float


def consecutive(
    messages: Iterable[Follows], days: float = FOLLOWS_DAYS
) -> Iterable[tuple[Hashable, Hashable]]:
    """Pairs of neighbours in time of one author (channel, heading) that are no further apart than `days`."""
    by_author: dict[Hashable, list[Follows]] = {}
    for message in messages:
        by_author.setdefault(message.author, []).append(message)
    for mine in by_author.values():
        mine.sort(key=lambda m: (m.at_s, repr(m.node)))
        for before, after in itertools.pairwise(mine):
            if after.at_s - before.at_s <= days * 86_400:
                yield before.node, after.node


def survivors(found: Mapping[K, Sequence[str]], opened: Mapping[str, bool]) -> dict[K, str]:
    """Of conversations that turn out to be one, which stays: the oldest one that staff sees, else the oldest.

    Their numbers sort by the time they were made.
    """
    return {
        root: min(known, key=lambda c: (not opened.get(c, False), c))
        for root, known in found.items()
        if known
    }
