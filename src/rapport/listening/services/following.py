"""Follow words: keep rules, and say which of them find a text."""

from __future__ import annotations

from collections.abc import Sequence

from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.listening.models import Follow
from rapport.listening.rules import following
from rapport.listening.rules.following import Rule


def follow(
    key: str,
    kind: str,
    with_words: Sequence[str],
    without_words: Sequence[str] = (),
    languages: Sequence[str] = (),
    places: Sequence[str] = (),
    *,
    title: str = "",
    by: str = "",
) -> Rule:
    """Follow words from now on, or change what is followed under this key. Raises Invalid for what cannot be."""
    rule = following.checked(
        Rule(key, title, kind, tuple(with_words), tuple(without_words), tuple(languages), tuple(places))
    )
    Follow.objects.update_or_create(
        key=rule.key,
        defaults={
            "title": rule.title,
            "kind": rule.kind,
            "with_words": list(rule.with_words),
            "without_words": list(rule.without_words),
            "languages": list(rule.languages),
            "places": list(rule.places),
            "is_on": True,
            "changed_at": clock.now(),
            "changed_by": by,
        },
    )
    return rule


def unfollow(key: str, *, by: str = "") -> None:
    """Follow it no more; what was found before keeps its mark."""
    changed = {"is_on": False, "changed_at": clock.now(), "changed_by": by}
    if not Follow.objects.filter(key=key).update(**changed):
        raise NotFound(f"nothing is followed as {key}", "`rapport source follow` shows what is.")


def rule_of(row: Follow) -> Rule:
    """The rule that a row holds."""
    return Rule(
        row.key,
        row.title,
        row.kind,
        tuple(row.with_words),
        tuple(row.without_words),
        tuple(row.languages),
        tuple(row.places),
    )


def rules() -> list[Rule]:
    """What is followed, in the order of the keys."""
    return [rule_of(row) for row in Follow.objects.filter(is_on=True).order_by("key")]


def matched(
    texts: Sequence[str], languages: Sequence[str] | None = None, venues: Sequence[str] | None = None
) -> list[list[str]]:
    """For each text the keys of what is followed that it was found by."""
    nothing = [""] * len(texts)
    return following.matched(rules(), texts, languages or nothing, venues or nothing)
