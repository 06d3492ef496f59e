"""The firm's catalogue of aspects: declaring, changing and dropping them, and deciding on those that were found.

The model that reads by the catalogue reads every text again after a change; what it said stands meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from django.db import transaction

from rapport.insights.contract import KIND
from rapport.insights.models import Aspect
from rapport.insights.selectors.aspects import MODEL, aspect, offered
from rapport.insights.services import reading
from rapport.kit import clock, registry
from rapport.kit.errors import Conflict, Invalid
from rapport.people.rules import sensitive, sensitive_texts

MOST = 60  # aspects in force; each costs every text a look
WORDS_MOST = 200  # of one aspect in one language
WORD_LONGEST = 60  # characters
KEY_LONGEST = 40
TITLE_LONGEST = 80

Words = Mapping[str, Sequence[str]]

_LANGUAGE = re.compile(r"[a-z]{2}")
_SYLLABLE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")  # one sign of these is a word


def declare(title: str, words: Words, by: str) -> str:
    """Add an aspect; gives its key. Raises Conflict where there is one already, Denied for what is never inferred."""
    title = _title(title)
    key = _key(title)
    with transaction.atomic():
        _own()
        if Aspect.objects.filter(key=key, is_declared=True, is_active=True).exists():
            raise Conflict(f"there is an aspect {title!r} already", "Add the words to that one.")
        _put(key, title, _checked(words), by)
    _read_anew()
    return key


def change(key: str, title: str, words: Words, by: str) -> None:
    """Give an aspect another title or other words; one that waited for a yes or was dropped is in force from then on."""
    title, checked = _title(title), _checked(words)
    _refuse(key, title)
    with transaction.atomic():
        _own()
        was = aspect(key)
        if was.is_declared and was.is_active and was.title == title and dict(was.words) == checked:
            return
        _put(key, title, checked, by)
    _read_anew()


def accept(key: str, by: str) -> None:
    """Say yes to an aspect that was found, or take one back that was dropped."""
    found = aspect(key)
    change(key, found.title, found.words, by)


def drop(key: str, by: str) -> None:
    """Take an aspect out of the catalogue, or say no to one that was found; it is not proposed again."""
    with transaction.atomic():
        _own()
        found = aspect(key)
        if not found.is_active:
            return
        Aspect.objects.filter(key=key).update(is_active=False, changed_by=by, changed_at=clock.now())
    if found.is_declared:
        _read_anew()


def _own() -> None:
    """Before the first change what was offered becomes the firm's own."""
    if Aspect.objects.filter(is_declared=True).exists():
        return
    for one in offered():
        Aspect.objects.update_or_create(
            key=one.key,
            defaults={
                "title": one.title,
                "words": {k: list(v) for k, v in one.words.items()},
                "is_declared": True,
                "is_active": True,
                "changed_at": clock.now(),
            },
        )


def _put(key: str, title: str, words: dict[str, list[str]], by: str) -> None:
    if Aspect.objects.filter(is_declared=True, is_active=True).exclude(key=key).count() >= MOST:
        raise Invalid(f"there are {MOST} aspects already", "Drop one that nobody talks about.")
    Aspect.objects.update_or_create(
        key=key,
        defaults={
            "title": title,
            "words": words,
            "is_declared": True,
            "is_active": True,
            "changed_by": by,
            "changed_at": clock.now(),
        },
    )


def _read_anew() -> None:
    if MODEL in registry.plugins(KIND):
        reading.read_anew(MODEL)


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not title or len(title) > TITLE_LONGEST:
        raise Invalid("an aspect needs a title", f"Give it one of at most {TITLE_LONGEST} characters.")
    return title


def _key(title: str) -> str:
    key = re.sub(r"\W+", "_", title.lower()).strip("_")[:KEY_LONGEST]
    if not key:
        raise Invalid(f"{title!r} has no letter", "Give the aspect a title with letters.")
    _refuse(key, title)
    return key


def _refuse(key: str, title: str) -> None:
    """What is never inferred of anybody is no aspect either."""
    for name in (key, re.sub(r"\W+", "_", title.lower())):
        sensitive.refuse(name)
    sensitive_texts.refuse(title)


def _checked(words: Words) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for language, given in words.items():
        if not _LANGUAGE.fullmatch(language):
            raise Invalid(f"{language!r} is no language", "Give languages by two letters, such as en.")
        kept = list(dict.fromkeys(" ".join(w.split()) for w in given if w.strip()))
        for word in kept:
            sensitive_texts.refuse(word)
            if len(word) > WORD_LONGEST or not re.search(r"\w", word):
                raise Invalid(
                    f"{word[:80]!r} is no word", f"Give words of at most {WORD_LONGEST} characters."
                )
            if "*" in word and len(re.sub(r"\W", "", word)) < 2 and not _SYLLABLE.search(word):
                raise Invalid(
                    f"{word!r} would find nearly every text", "Write more of the word before the *."
                )
        if len(kept) > WORDS_MOST:
            raise Invalid(f"{len(kept)} words are too many", f"Give at most {WORDS_MOST} in a language.")
        if kept:
            found[language] = kept
    if not found:
        raise Invalid("an aspect needs words", "Give at least one word by which people name it.")
    return found
