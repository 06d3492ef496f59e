"""What a site may be set to, what its banner says, and when the banner has to ask again. Pure."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from rapport.kit.errors import Invalid

NOTHING, COUNT = "nothing", "count"
POLICIES = (NOTHING, COUNT)

GREETING, TEXT, SURVEY = "greeting", "text", "survey"
KINDS = (GREETING, TEXT, SURVEY)

LANGUAGES = ("en", "de", "fr", "es", "ko")
WORDS = ("title", "body", "accept", "refuse", "save")
WORD_CHARS_MAX = 400

MEASURING = "analytics"  # the purpose without which a browser's events are nobody's
PERSONAL = "personalisation"  # the purpose without which nobody is greeted by name
SEARCH = ("q", "query", "s", "search")  # parameters that sites commonly search by

# Evidence that ties a browser to somebody known, good enough to say a name out loud.
SURE = ("login", "link")

_SLOT = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_SOURCE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@functools.cache
def starting() -> dict[str, dict[str, Any]]:
    """The words that ship with Rapport, by language."""
    return tomllib.loads(
        resources.files("rapport.onsite").joinpath("banner.toml").read_text(encoding="utf-8")
    )


def source(text: str) -> str:
    """A site's name as the source of its events."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.strip().lower()).strip("-.")
    if not _SOURCE.fullmatch(name):
        raise Invalid(f"{text!r} cannot be a site's name", "Write letters and digits, such as web-shop.")
    return name


def origin(text: str) -> str:
    """Where a site's pages live, as browsers say it: `https://shop.example`, or `https://*.shop.example`."""
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    parts = urlsplit(text.lower())
    host = parts.hostname or ""
    try:
        port = parts.port
    except ValueError:
        port, host = None, ""
    name = host.removeprefix("*.")
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:.]+", name):
        raise Invalid(f"{text!r} is not the address of a site", "Write it like https://shop.example.")
    if "*" in name or (host != name and "." not in name):
        raise Invalid(f"{text!r} allows too much", "A star may stand for what comes before your own domain.")
    shown = f"[{host}]" if ":" in host else host
    is_usual = port is None or (parts.scheme, port) in {("https", 443), ("http", 80)}
    return f"{parts.scheme}://{shown}" + ("" if is_usual else f":{port}")


def slot_name(text: str) -> str:
    """A slot's name as pages write it."""
    if not _SLOT.fullmatch(text.strip()):
        raise Invalid(
            f"{text!r} cannot be a slot's name", "Write small letters, digits and hyphens, such as top-line."
        )
    return text.strip()


def parameters(texts: list[str]) -> list[str]:
    """Names of search parameters, each once."""
    names = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    for name in names:
        if not _PARAMETER.fullmatch(name):
            raise Invalid(f"{name!r} cannot be a parameter's name", "Write it as it stands in the address.")
    return names


def words(overrides: Mapping[str, Mapping[str, str]], language: str) -> dict[str, str]:
    """What the banner says in a language: the firm's own words where it wrote some."""
    own = overrides.get(language, {})
    shipped = starting()[language]
    return {word: own.get(word) or shipped[word] for word in WORDS}


def checked_words(overrides: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Overrides that say something other than what ships; Invalid where a text is too long."""
    kept: dict[str, dict[str, str]] = {}
    for language, given in overrides.items():
        if language not in LANGUAGES:
            raise Invalid(f"the banner does not speak {language!r}", f"It speaks {', '.join(LANGUAGES)}.")
        for word, written in given.items():
            text = written.strip()
            if len(text) > WORD_CHARS_MAX:
                raise Invalid(
                    f"{word} in {language} is too long", f"Write at most {WORD_CHARS_MAX} characters."
                )
            if word in WORDS and text and text != starting()[language][word]:
                kept.setdefault(language, {})[word] = text
    return kept


def shipped_text(purpose: str, language: str) -> str:
    """What the banner says of a purpose where the firm wrote no words of its own for it."""
    return str(starting()[language]["purposes"].get(purpose, ""))


def text_version(text: str) -> str:
    """The name of a text by its content, for the evidence of who read it."""
    return f"banner-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def asked_version(asked: object) -> str:
    """Another name whenever what is asked changes, so that everybody is asked again."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:10]


def greeting(content: Mapping[str, Mapping[str, str]], language: str, name: str) -> str:
    """The greeting by name in a language."""
    said = content.get(language) or next(iter(content.values()), {})
    template = said.get("named") or str(starting().get(language, starting()["en"])["greeting_named"])
    return template.replace("{name}", name)
