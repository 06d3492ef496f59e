"""Addresses in a text, however they are written: with a scheme, without, spelled out, in pieces. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.venues.rules.folding import Folded

SHORTENERS = frozenset(
    [
        "bit.ly",
        "goo.gl",
        "t.co",
        "amzn.to",
        "tinyurl.com",
        "ow.ly",
        "is.gd",
        "buff.ly",
        "rebrand.ly",
        "cutt.ly",
        "shorturl.at",
        "rb.gy",
        "lnkd.in",
        "t.ly",
        "tiny.cc",
        "bl.ink",
        "s.id",
        "v.gd",
        "dlvr.it",
        "fb.me",
        "linktr.ee",
        "wp.me",
        "spr.ly",
        "trib.al",
        "smarturl.it",
        "adf.ly",
        "j.mp",
        "shorte.st",
        "db.tt",
        "git.io",
        "qr.ae",
        "soo.gd",
        "clck.ru",
        "vk.cc",
        "snip.ly",
        "short.io",
        "tny.im",
        "x.co",
        "u.to",
        "shor.by",
        "lihi.cc",
        "surl.li",
        "urlz.fr",
        "lc.cx",
        "kutt.it",
        "dub.sh",
        "geni.us",
        "a.co",
        "ebay.to",
        "mz.cm",
        "kurzelinks.de",
        "beacons.ai",
    ]
)
# Endings that nothing but an address has; those of two letters are taken as such where they are one.
_ENDINGS = [
    "com",
    "net",
    "org",
    "info",
    "biz",
    "shop",
    "store",
    "app",
    "dev",
    "online",
    "site",
    "website",
    "eu",
    "blog",
    "tech",
    "cloud",
    "xyz",
    "club",
    "deals",
    "sale",
    "page",
    "link",
    "click",
    "live",
    "world",
    "email",
    "group",
    "agency",
    "digital",
    "space",
    "today",
    "center",
    "solutions",
    "services",
    "tools",
    "parts",
    "auto",
    "cars",
    "bike",
    "example",
    "test",
    "invalid",
    "io",
    "ai",
    "co",
    "me",
    "tv",
    "gg",
    "ly",
    "gl",
    "to",
    "cc",
    "uk",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "at",
    "ch",
    "be",
    "lu",
    "ie",
    "se",
    "no",
    "dk",
    "fi",
    "cz",
    "sk",
    "hu",
    "ro",
    "bg",
    "gr",
    "hr",
    "si",
    "lt",
    "lv",
    "ee",
    "ru",
    "ua",
    "tr",
    "us",
    "ca",
    "mx",
    "br",
    "ar",
    "cl",
    "pe",
    "au",
    "nz",
    "jp",
    "kr",
    "cn",
    "in",
    "za",
    "il",
    "is",
]
# Endings that are words or kinds of files as well: an address only with a path, or beside a word such as "www".
_DOUBTFUL = frozenset(
    [
        "py",
        "md",
        "rs",
        "sh",
        "ts",
        "so",
        "ps",
        "pl",
        "cc",
        "ai",
        "id",
        "do",
        "is",
        "in",
        "to",
        "no",
        "at",
        "be",
        "me",
        "my",
        "us",
        "as",
        "am",
        "it",
        "so",
        "mo",
        "la",
        "de",
        "es",
        "sale",
        "live",
        "page",
        "link",
        "today",
        "center",
        "test",
        "auto",
        "parts",
        "tools",
        "cars",
        "group",
        "email",
        "app",
        "dev",
        "blog",
        "space",
        "world",
        "digital",
    ]
)
_FILES = frozenset(["py", "md", "rs", "sh", "ts", "pl", "ps", "cc", "so"])
_HOST = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+"
_SCHEME = re.compile(
    r"\b(?:https?|hxxps?|ftp)\s?:\s?/\s?/\s?(?P<host>[^\s/?#<>\"')\]]+)(?P<path>[^\s<>\"')\]]*)"
)
_WWW = re.compile(r"\bwww\s?\.\s?(?P<host>[^\s/?#<>\"')\],]+)")
_BARE = re.compile(
    rf"(?<![\w@./-])(?P<host>{_HOST}(?P<end>[a-z]{{2,12}}))(?![\w-]|\.\w)(?P<path>:\d+)?(?P<rest>/[^\s<>\"')\]]*)?"
)
_DOT = r"(?:dot|punkt|point|punto|ponto|punt|kropka|piste|tecka|nokta)"
_OPEN, _CLOSE = r"[\[({<]", r"[\])}>]"
_SURE = r"(?:com|net|org|info|biz|shop|store|io|eu|example|co\s?\.?\s?uk|de|fr|es|it|pt|nl|pl|app|dev|online|site)"
_SPELLED = re.compile(
    rf"\b(?P<host>[\w-]{{2,63}})\s*(?:{_OPEN}\s*(?:{_DOT}|\.|,)\s*{_CLOSE}|[\s\-_*]{_DOT}[\s\-_*])\s*(?P<end>{_SURE})\b"
)
_POINT_OF = re.compile(r"\s(?:point|punto|ponto)\sde$")  # "the second point of the joint"
_APART = re.compile(
    r"(?<![\w@])(?P<host>[\w-]{2,63})(?:\s+\.\s*|\s*[·•]\s*|,)(?P<end>com|net|org|info|biz|shop|store|example)\b"
)
_NO_DOT = re.compile(
    r"\b(?P<host>[a-z][\w-]{2,62})\s(?P<end>com|dotcom)(?=\s*(?:$|[.,;:!?)/\n]|for\b|and\b|und\b|et\b|y\b|if\b))"
)
_CUED = re.compile(
    r"\b(?:visit|go to|check(?: out)?|google|search(?: for)?|over (?:at|on|to)|site|website|shop|webseite|besucht?"
    r"|besuchen sie|visite[zr]?|visitad?|visita(?:te)?|visitez|odwiedz|bezoek)\W{1,3}(?:us\s)?(?:at\s|on\s)?"
    r"(?P<host>[a-z][\w-]{2,62})\s(?P<end>com|net|org|example)\b"
)
_BROKEN = re.compile(r"\bh[\s.]?t[\s.]?t[\s.]?p[\s.]?s?\s?(?::|\s)\s?/?\s?/|\bhxxps?\b|\bhttps?\s+[\w-]{3,}")
_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]+\s?(?:@|\(at\)|\[at\]|\{at\})\s?"
    r"(?P<host>[\w-]+(?:(?:\.|\s\.\s?|\s?(?:\(dot\)|\[dot\]|\sdot\s)\s?)[\w-]+)+)"
)
_REMOTE = re.compile(r"(?<!\w)@[\w.-]+@[\w.-]+\w|(?<!\w)@[\w-]+(?:\.[\w-]+)+")


# "e.g.it", "z.B.in": an abbreviation and the next word, its space left out.
_ABBREVIATED = re.compile(r"^[^\W\d_]\.(?:[^\W\d_]{1,2}\.)+[^\W\d_]{2,3}$")


@dataclass(frozen=True, slots=True)
class Address:
    """One address as the text has it.

    is_disguised : written so that it is none to a machine
    is_bare : found by its host alone, so that it may be part of an address found before
    """

    host: str
    written: str
    is_disguised: bool = False
    is_bare: bool = False

    def is_of(self, domains: Sequence[str]) -> bool:
        return any(self.host == d or self.host.endswith(f".{d}") for d in (x.lower() for x in domains))

    @property
    def is_shortened(self) -> bool:
        return self.host.removeprefix("www.") in SHORTENERS


def addresses(text: Folded, own_domains: Sequence[str] = (), language: str = "") -> list[Address]:
    """Every address that a reader could follow, once each; mail addresses and handles are none."""
    found: dict[str, Address] = {}
    for reading in text.readings:
        clear = _MAIL.sub(" ", _REMOTE.sub(" ", reading))
        for address in (*_written(clear), *_spelled(clear, language), *_own(clear, own_domains)):
            key = re.sub(r"\W", "", address.host.removeprefix("www."))
            whole = key if address.is_disguised else f"{key} {address.written.partition(address.host)[2]}"
            known = any(
                whole == k
                or ((address.is_disguised or address.is_bare) and k.startswith(key))
                or (address.is_bare and k.partition(" ")[0].endswith(key))
                for k in found
            )
            if key and not known:
                found[whole] = address
        if found:
            break  # further readings would find the same once more, spelled another way
    return list(found.values())


def _written(text: str) -> list[Address]:
    found = [
        Address(_host(m["host"]), m.group().strip(), is_disguised=m.group().startswith("hxxp"))
        for m in _SCHEME.finditer(text)
        if m["host"]
    ]
    rest = _SCHEME.sub(" ", text)
    found += [Address(_host(m["host"]), m.group().strip()) for m in _WWW.finditer(rest)]
    for m in _BARE.finditer(_WWW.sub(" ", rest)):
        if _is_address(m):
            found.append(Address(_host(m["host"]), m.group().strip()))
    return found


def _is_address(m: re.Match[str]) -> bool:
    end, host = m["end"], m["host"]
    if host in SHORTENERS or (m["rest"] and len(m["rest"]) > 1):
        return end in _ENDINGS or end in _FILES or len(end) == 2
    if end in _FILES:
        return False
    if _ABBREVIATED.match(host):
        return False
    if end in _DOUBTFUL and host.count(".") == 1:
        # "fixed.it" is a full stop without its space; "shop-otter.it" is an address.
        label = host.partition(".")[0]
        follows = m.string[m.end() : m.end() + 2]
        return "-" in label or (len(label) > 3 and not re.match(r"\s\w", follows)) or _is_cued(m)
    return end in _ENDINGS


def _is_cued(m: re.Match[str]) -> bool:
    before = m.string[max(0, m.start() - 24) : m.start()]
    return bool(re.search(r"\b(at|on|visit|see|to|site|auf|unter|bei|sur|en|su|op|na|em)\W+$", before))


def _spelled(text: str, language: str) -> list[Address]:
    """Addresses that are taken apart so that no machine makes them links."""
    found = []
    patterns = [_SPELLED, _APART, _CUED]
    if language not in {"pt", "gl"}:  # there "com" is "with"
        patterns.append(_NO_DOT)
    for pattern in patterns:
        for m in pattern.finditer(text):
            if _POINT_OF.search(m.group()):
                continue
            end = re.sub(r"\s", "", m["end"]).replace("dotcom", "com")
            found.append(Address(f"{m['host']}.{end}", m.group().strip(), is_disguised=True))
    if not found and (broken := _BROKEN.search(text)):
        found.append(Address("?", broken.group().strip(), is_disguised=True))
    return found


def _own(text: str, domains: Sequence[str]) -> list[Address]:
    """The firm's own addresses in whatever pieces."""
    found = []
    for domain in domains:
        labels = [re.escape(label) for label in domain.lower().split(".")]
        between = rf"(?:[^\w]|\b(?:{_THEN}|{_DOT})\b){{0,24}}"
        if m := re.search(rf"(?<![\w@]){between.join(labels)}(?![\w])", text):
            is_plain = m.group() == domain.lower()
            found.append(Address(domain.lower(), m.group(), is_disguised=not is_plain, is_bare=True))
        # "Search for ottertools and take the first" leads there as well.
        sought = rf"\b{_SEEK}\b[^.!?\n]{{0,30}}\b{labels[0]}\b"
        if len(labels[0]) > 3 and (m := re.search(sought, text)):
            found.append(Address(domain.lower(), m.group(), is_disguised=True, is_bare=True))
    return found


_THEN = "then|followed|by|and|a|period|full|stop|dann|puis|luego|poi|depois"
_SEEK = (
    r"(?:search(?: for)?|google|type|look up|duckduckgo|bing|suche? nach|google[nt]?|cherche[zr]?|tape[zr]|busca\w*"
    r"|cerca(?:te)?|procur[ae]|zoek(?: naar| op)?|wyszukaj|wpisz)"
)


def mail_addresses(text: Folded) -> list[str]:
    """Mail addresses, also where "at" is a word; each with its host in plain spelling."""
    found = []
    for m in _MAIL.finditer(_REMOTE.sub(" ", text.plain)):
        host = re.sub(r"\s|\(|\)|\[|\]", "", m["host"]).replace("dot", ".").replace("..", ".")
        if "." in host and host.rpartition(".")[2].isalpha():
            found.append(f"{m.group().split('@')[0].split(' ')[0]}@{host}")
    return found


def _host(text: str) -> str:
    return (
        re.sub(r"\s", "", text).rstrip(".,;:!?").partition("@")[2]
        or re.sub(r"\s", "", text).rstrip(".,;:!?").partition(":")[0]
    )
