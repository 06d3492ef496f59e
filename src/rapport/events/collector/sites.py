"""The sites that carry the visitor script, as the screens published them; read at most every two seconds.

The settings live in the operational store, which the collector does not open: whoever changes them writes
this file anew (`onsite.services.publish`). Without it there are no sites, and `/c` refuses everybody.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec

from rapport.kit import clock, home, secret

log = logging.getLogger(__name__)

FRESH_S = 2.0
NOTHING, COUNT = "nothing", "count"  # what is taken of somebody who has not allowed more
WITHDRAWN = "visitor withdrew"  # the use of the keyed hashes of browsers that took their consent back
LOGIN = "site login"  # the use of the secret with which a shop proves who logged in


class Purpose(msgspec.Struct, frozen=True):
    """One use that the banner asks for, and its text with that text's version, by language."""

    key: str
    texts: dict[str, tuple[str, str]]


class Slot(msgspec.Struct, frozen=True):
    """A named place on a page: its kind, and its content by language."""

    kind: str
    content: dict[str, dict[str, str]]


class Site(msgspec.Struct, frozen=True):
    """One site: who may send for it, and what its script does."""

    source: str
    is_on: bool = True
    origins: list[str] = []
    before_consent: str = NOTHING
    is_asking: bool = True
    version: str = ""  # of what the banner asks; another one asks again
    ask_again_days: int = 180
    language: str = "en"
    purposes: list[Purpose] = []
    texts: dict[str, dict[str, str]] = {}
    search: list[str] = []
    forms: list[str] = []
    greeting: bool = False
    slots: dict[str, Slot] = {}
    login: int = 1  # counts up when the login secret is replaced


class Published(msgspec.Struct, frozen=True):
    """Everything the collector needs to know: sites by their public key."""

    sites: dict[str, Site] = {}
    web: str = ""  # where the screens are reached, which answer for slots
    withdrawn: list[str] = []  # keyed hashes of `anonymous:` identifiers


_decode = msgspec.json.Decoder(Published).decode


def location() -> Path:
    """The published file."""
    return home.path("onsite", "sites.json")


def withdrawn_hash(identifier: str) -> str:
    """How a browser that took its consent back is named in the published file."""
    return secret.keyed_hash(WITHDRAWN, identifier)


def login_secret(key: str, site: Site) -> str:
    """What a shop signs a customer's number with, so that nobody can claim to be somebody else."""
    return secret.keyed_hash(LOGIN, f"{key} {site.login}")


class Sites:
    """The published sites, as new as two seconds."""

    def __init__(self) -> None:
        self.published = Published()
        self.withdrawn: frozenset[str] = frozenset()
        self._seen: tuple[int, int] | None = None
        self._read_at_s = -FRESH_S

    def of_key(self, key: str) -> Site | None:
        """The site of a public key."""
        if clock.monotonic_s() - self._read_at_s > FRESH_S or key not in self.published.sites:
            self._read()
        return self.published.sites.get(key)

    def _read(self) -> None:
        self._read_at_s = clock.monotonic_s()
        file = location()
        try:
            state = file.stat()
            seen = (state.st_mtime_ns, state.st_ino)
            if seen == self._seen:
                return
            self.published = _decode(file.read_bytes())
        except FileNotFoundError:
            self.published = Published()
            seen = None
        except (OSError, msgspec.DecodeError) as error:
            # The sites as they were are better than none; the next reading may find the file whole.
            log.warning("%s cannot be read: %s", file, error)
            return
        self._seen = seen
        self.withdrawn = frozenset(self.published.withdrawn)


def language_of(wanted: str, known: Any, default: str) -> str:
    """The language that is asked for where it is known (`de-AT` is answered in `de`), else the site's own."""
    wanted = wanted.lower().replace("_", "-")
    for one in (wanted, wanted.partition("-")[0], default):
        if one in known:
            return str(one)
    return next(iter(known), "en")


def config_of(key: str, site: Site, published: Published, *, wanted: str, is_private: bool) -> dict[str, Any]:
    """What the script is told, in one language; `is_private` where the browser asks not to be tracked."""
    language = language_of(wanted, site.texts, site.language)
    slots = {}
    for name, slot in site.slots.items():
        content = slot.content.get(language) or slot.content.get(site.language) or {}
        slots[name] = {"kind": slot.kind, **content}
        if not site.greeting:
            slots[name].pop("named", None)
    asked = [
        (purpose.key, *(purpose.texts.get(language) or purpose.texts.get(site.language) or ("", "")))
        for purpose in site.purposes
    ]
    return {
        "key": key,
        "count": site.before_consent == COUNT,
        "version": site.version,
        "days": site.ask_again_days,
        "lang": language,
        "purposes": asked if site.is_asking else [],
        "texts": site.texts.get(language, {}),
        "search": site.search,
        "forms": site.forms,
        "slots": slots,
        "web": published.web,
        "gpc": is_private,
    }
