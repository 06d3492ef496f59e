"""The firm's catalogue of aspects: what of the firm people judge, and the words they use for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapport.insights.models import Aspect


@dataclass(frozen=True, slots=True)
class AspectView:
    """One aspect, declared by the firm or found in what people write."""

    key: str
    title: str
    words: Mapping[str, Sequence[str]]  # by ISO 639-1 language
    is_declared: bool
    is_active: bool
    n_found: int


def aspects(*, active_only: bool = True) -> list[AspectView]:
    """The catalogue, by key."""
    found = Aspect.objects.order_by("key")
    if active_only:
        found = found.filter(is_active=True)
    return [AspectView(a.key, a.title, a.words, a.is_declared, a.is_active, a.n_found) for a in found]
