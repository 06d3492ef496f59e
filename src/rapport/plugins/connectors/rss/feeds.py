"""Read a feed strictly: Atom (RFC 4287), RSS 2.0 and 1.0, JSON Feed 1.1; no entity is ever expanded.

A feed that is not well-formed is refused with the place, as RFC 4287 wants it, and not guessed at. A document
type is refused as a whole: it is what entities that grow without end, or read files, are declared in.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin
from xml.parsers import expat

from rapport.kit import markup

ATOM = "http://www.w3.org/2005/Atom"
THREAD = "http://purl.org/syndication/thread/1.0"  # RFC 4685
DC = "http://purl.org/dc/elements/1.1/"
RSS_1 = "http://purl.org/rss/1.0/"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
XML = "http://www.w3.org/XML/1998/namespace"
DEPTH_MAX = 64


class Unreadable(Exception):
    """What came is no feed that can be read; says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed."""

    id: str
    title: str
    text: str
    url: str
    author: str
    published: dt.datetime | None
    language: str
    in_reply_to: str

    @property
    def digest(self) -> str:
        """Tells an entry that was changed from one that was not."""
        return hashlib.sha256(f"{self.title}\x1f{self.text}".encode()).hexdigest()[:16]


@dataclass(slots=True)
class Element:
    """One element of a document: its name as `namespace name`, what is in it."""

    name: str
    attributes: dict[str, str]
    parts: list[Element]
    text: str = ""

    def find(self, *names: str) -> Element | None:
        """The first child of one of these names, in the order of the names."""
        for name in names:
            for part in self.parts:
                if part.name == name:
                    return part
        return None

    def said(self, *names: str) -> str:
        """The text of the first child of one of these names that has any."""
        for name in names:
            for part in self.parts:
                if part.name == name and part.text.strip():
                    return part.text.strip()
        return ""


def entries(body: bytes, url: str, content_type: str = "") -> list[Entry]:
    """The entries of a feed as it lists them; Unreadable where it is none."""
    start = body.lstrip()[:1]
    if "json" in content_type or start == b"{":
        return list(_json(body, url))
    root = _tree(body)
    name = root.name.rpartition(" ")[2].lower()
    if root.name == f"{ATOM} feed":
        return list(_atom(root, url))
    if name in {"rss", "rdf"}:
        return list(_rss(root, url))
    raise Unreadable(f"it is no feed: it begins with <{name}>")


def moment(text: str) -> dt.datetime | None:
    """A time as feeds write it (RFC 3339, RFC 822), aware; None where it is none."""
    text = text.strip()
    for read in (_rfc3339, _rfc822):
        at = read(text)
        if at is not None:
            return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return None


def _rfc3339(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc822(text: str) -> dt.datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None


def _tree(body: bytes) -> Element:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    top = Element("", {}, [])
    open_now = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_now) > DEPTH_MAX:
            raise Unreadable(f"its elements lie more than {DEPTH_MAX} deep")
        element = Element(name, attributes, [])
        open_now[-1].parts.append(element)
        open_now.append(element)

    def end(_name: str) -> None:
        closed = open_now.pop()
        # Words inside the markup of an XHTML text belong to the element that holds the markup.
        if closed.name.startswith("http://www.w3.org/1999/xhtml "):
            open_now[-1].text += closed.text + " "

    def refuse(*_: Any) -> None:
        raise Unreadable("it declares a document type, which no feed needs")

    def characters(words: str) -> None:
        open_now[-1].text += words

    for when, what in {
        "StartElementHandler": start,
        "EndElementHandler": end,
        "CharacterDataHandler": characters,
        "StartDoctypeDeclHandler": refuse,
        "EntityDeclHandler": refuse,
    }.items():
        setattr(parser, when, what)
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Unreadable(f"it is not well-formed: {error}") from None
    except (LookupError, ValueError) as error:
        raise Unreadable(f"its letters cannot be read: {error}") from None
    return top.parts[0]


def _atom(root: Element, url: str) -> Iterator[Entry]:
    language = root.attributes.get(f"{XML} lang", "")
    feed_author = _atom_author(root)
    for part in root.parts:
        if part.name != f"{ATOM} entry":
            continue
        body = part.find(f"{ATOM} content", f"{ATOM} summary")
        reply = part.find(f"{THREAD} in-reply-to")
        link = _atom_link(part, url)
        yield Entry(
            id=part.said(f"{ATOM} id") or link,
            title=_plain(part.said(f"{ATOM} title")),
            text=_words(body),
            url=link,
            author=_atom_author(part) or feed_author,
            published=moment(part.said(f"{ATOM} published", f"{ATOM} updated")),
            language=part.attributes.get(f"{XML} lang", language),
            in_reply_to=(reply.attributes.get("ref") or reply.attributes.get("href", "")) if reply else "",
        )


def _atom_link(part: Element, url: str) -> str:
    links = [p.attributes for p in part.parts if p.name == f"{ATOM} link" and p.attributes.get("href")]
    chosen = next((one for one in links if one.get("rel", "alternate") == "alternate"), None)
    return urljoin(url, (chosen or (links[0] if links else {})).get("href", "")) if links else ""


def _atom_author(part: Element) -> str:
    author = part.find(f"{ATOM} author")
    return author.said(f"{ATOM} name") if author else ""


def _words(body: Element | None) -> str:
    if body is None:
        return ""
    kind = body.attributes.get("type", "text")
    return _plain(body.text) if "html" in kind else body.text.strip()


def _rss(root: Element, url: str) -> Iterator[Entry]:
    """RSS 2.0 has its items in the channel and no namespace, RSS 1.0 beside it and one of its own."""
    channel = next((p for p in root.parts if _local(p) == "channel"), root)
    language = next((p.text.strip() for p in channel.parts if _local(p) == "language"), "")
    for item in (*channel.parts, *(root.parts if root is not channel else ())):
        if _local(item) != "item":
            continue
        # Modules have names of their own for the same things: media:title is not the item's title.
        own = {
            _local(p): p.text.strip()
            for p in reversed(item.parts)
            if " " not in p.name or p.name.startswith(f"{RSS_1} ")
        }
        link = urljoin(url, own.get("link", "")) if own.get("link") else ""
        yield Entry(
            id=own.get("guid") or link or own.get("title", ""),
            title=_plain(own.get("title", "")),
            text=_plain(item.said(f"{CONTENT} encoded") or own.get("description", "")),
            url=link,
            author=item.said(f"{DC} creator") or _rss_author(own.get("author", "")),
            published=moment(own.get("pubDate", "") or item.said(f"{DC} date")),
            language=language,
            in_reply_to="",
        )


def _rss_author(text: str) -> str:
    """RSS wants an address with the name in brackets; the name is what readers see."""
    name, address = email.utils.parseaddr(text)
    if "(" in text and text.rstrip().endswith(")"):
        return text[text.index("(") + 1 : text.rindex(")")].strip()
    return name or address.partition("@")[0] or text


def _local(part: Element) -> str:
    return part.name.rpartition(" ")[2]


def _json(body: bytes, url: str) -> Iterator[Entry]:
    try:
        feed = json.loads(body)
        items = feed["items"]
        assert isinstance(items, list)
    except (ValueError, KeyError, TypeError, AssertionError):
        raise Unreadable("it is JSON, and no JSON Feed: it has no list of items") from None
    feed_authors = feed.get("authors") or ([feed["author"]] if feed.get("author") else [])
    for item in items:
        if not isinstance(item, dict) or not (item.get("id") or item.get("url")):
            continue
        authors = item.get("authors") or ([item["author"]] if item.get("author") else feed_authors)
        link = urljoin(url, str(item.get("url") or item.get("external_url") or ""))
        yield Entry(
            id=str(item.get("id") or link),
            title=str(item.get("title") or ""),
            text=str(item.get("content_text") or "")
            or _plain(str(item.get("content_html") or item.get("summary") or "")),
            url=link,
            author=next((str(a.get("name") or "") for a in authors if isinstance(a, dict)), ""),
            published=moment(str(item.get("date_published") or item.get("date_modified") or "")),
            language=str(item.get("language") or feed.get("language") or ""),
            in_reply_to="",
        )


def _plain(html: str) -> str:
    return markup.text_of(html) if "<" in html or "&" in html else html.strip()
