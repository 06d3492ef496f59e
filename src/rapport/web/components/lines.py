"""An event as a line of a timeline or a list, in the reader's words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rapport.kit.money import Money
from rapport.web.components import formats, spokenwords
from rapport.web.components.words import EVENTS, plain, trait

ITEMS_MAX = 6
PAGES = ("page_viewed", "screen_viewed")  # what somebody reads in a row is told in one line
ROW_LEAST = 3  # pages read in a row
ROW_GAP = dt.timedelta(minutes=30)


class Happened(Protocol):
    """What an event of a timeline and of a list have in common."""

    @property
    def seq(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def venue(self) -> str | None: ...
    @property
    def text(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Chip:
    """What a model says of a text, in one word and how sure."""

    text: str
    tone: str
    title: str
    url: str = ""  # of the text, where it can be corrected


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as a line: what, how much, the words themselves, the rest."""

    seq: int
    name: str
    at: dt.datetime
    label: str
    icon: str
    headline: str
    quote: str
    money: str
    where: str
    details: list[tuple[str, str]]
    identifier: str = ""
    subject: int = 0
    chips: list[Chip] = field(default_factory=list)
    marked: SafeString | str = ""  # the words themselves, those that decided marked


def shown(
    event: Happened,
    *,
    at: dt.datetime,
    subject: int,
    money: Money | None,
    properties: Mapping[str, Any],
    identifier: str = "",
    annotations: Iterable[Any] = (),
    opens: bool = False,
) -> Shown:
    """One event in the reader's words; whatever its properties hold, this gives a line.

    `opens` has what models say lead to the text, and marks the words that decided.
    """
    said = list(annotations)
    label, picture = EVENTS.get(event.name, (plain(event.name), "other"))
    return Shown(
        seq=event.seq,
        name=event.name,
        at=at,
        label=str(label),
        icon=picture,
        headline=_headline(event.name, properties),
        quote=event.text or "",
        money=formats.money(money.minor, money.currency) if money else "",
        where=" · ".join(dict.fromkeys(p for p in (event.venue, event.channel, event.source) if p)),
        details=_details(properties),
        identifier=identifier,
        subject=subject,
        chips=[chip for one in said if (chip := _chip(one, event.seq if opens else 0))],
        marked=_marked(event.text, said) if opens and event.text else "",
    )


def in_rows(shown_lines: Sequence[Shown]) -> list[Shown]:
    """Lines, newest first, with the pages that somebody read in a row told as one."""
    told: list[Shown] = []
    row: list[Shown] = []
    for line in shown_lines:
        if row and not (_is_page(line) and row[-1].at - line.at <= ROW_GAP and line.where == row[0].where):
            told += _told(row)
            row = []
        if _is_page(line):
            row.append(line)
        else:
            told.append(line)
    return told + _told(row)


def _is_page(line: Shown) -> bool:
    return line.name in PAGES


def _told(row: list[Shown]) -> list[Shown]:
    if len(row) < ROW_LEAST:
        return row
    newest, oldest = row[0], row[-1]
    lasted = formats.duration((newest.at - oldest.at).total_seconds())
    pages = ", ".join(dict.fromkeys(line.headline for line in reversed(row)))
    headline = ngettext(
        "%(n)s page in %(time)s: %(pages)s", "%(n)s pages in %(time)s: %(pages)s", len(row)
    ) % {
        "n": formats.number(len(row)),
        "time": lasted,
        "pages": pages,
    }
    details = [(formats.when_text(line.at), line.headline) for line in row]
    return [dataclasses.replace(newest, headline=headline, details=details, chips=[], quote="", marked="")]


def read_properties(text: str | None) -> dict[str, Any]:
    """An event's properties; what is no object has none."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _headline(name: str, properties: Mapping[str, Any]) -> str:
    p = {key: _text(value) for key, value in properties.items() if not isinstance(value, dict | list)}
    if name in {"order_placed", "order_refunded"}:
        return _order(properties, p)
    if name in {"page_viewed", "page_failed", "page_crawled", "asset_requested"}:
        page = p.get("path") or p.get("url") or p.get("title", "")
        came = urlsplit(p.get("referrer", "")).hostname
        return _("%(page)s, came from %(site)s") % {"page": page, "site": came} if came else page
    if name == "site_searched":
        n = p.get("n_results", "")
        found = ngettext("%(n)s result", "%(n)s results", int(n)) % {"n": n} if n.isdecimal() else ""
        return ", ".join(part for part in (f"“{p.get('query', '')}”", found) if part)
    if name in {"survey_answered", "answer_corrected"}:
        answer = p.get("answer") or p.get("score", "")
        asked = p.get("asked") or p.get("question") or p.get("survey", "")
        return ": ".join(part for part in (asked, answer) if part)
    if name == "person_identified":
        told = properties.get("traits")
        return ", ".join(trait(key) for key in told) if isinstance(told, dict) else ""
    if name in {"identity_merged", "identity_unmerged"}:
        return _("%(other)s, by %(who)s") % {"other": p.get("other", ""), "who": p.get("by", "")}
    wanted = (
        "reason",
        "campaign",
        "subject",
        "author_name",
        "product_name",
        "name",
        "space",
        "segment",
        "group_id",
    )
    return next((p[key] for key in wanted if p.get(key)), "")


def _order(properties: Mapping[str, Any], p: Mapping[str, str]) -> str:
    lines = properties.get("items")
    parts = []
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict):
            called = line.get("product_name") or line.get("product_code") or ""
            quantity = line.get("quantity")
            parts.append(f"{_text(quantity)} × {called}" if quantity not in (None, 1) else _text(called))
    more = len(parts) - ITEMS_MAX
    text = ", ".join(parts[:ITEMS_MAX])
    if more > 0:
        text = ngettext("%(items)s and %(n)d more", "%(items)s and %(n)d more", more) % {
            "items": text,
            "n": more,
        }
    number = p.get("order_id", "")
    return ": ".join(part for part in (number, text or p.get("reason", "")) if part)


def _details(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in properties.items():
        if key == "traits" and isinstance(value, dict):
            found += [(trait(name), _text(told)) for name, told in value.items()]
        elif value not in (None, "", [], {}):
            found.append((plain(key), _text(value)))
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def _chip(annotation: Any, seq: int) -> Chip | None:
    """What is said of a text; what is said of most texts is left out. `seq` opens it, where it is not 0."""
    if (annotation.name, annotation.label) in spokenwords.USUAL:
        return None
    sure = formats.percent(annotation.probability) if annotation.probability is not None else ""
    said_by = f"{annotation.model} {annotation.version}".strip()
    title = ", ".join(part for part in (spokenwords.title(annotation.name), sure, said_by) if part)
    url = f"{reverse('text', args=[seq])}?{urlencode({'name': annotation.name})}" if seq else ""
    if annotation.name == "language":
        return Chip(annotation.label, "", title)
    tone = spokenwords.tone(annotation.name, annotation.label)
    part = annotation.name.partition(":")[2]
    text = spokenwords.label(annotation.name, annotation.label)
    return Chip(f"{plain(part).lower()}: {text}" if part else text, tone, title, url)


def _marked(text: str, annotations: Sequence[Any]) -> SafeString:
    """The text with the words that decided what models say of it."""
    words: list[str] = []
    for annotation in annotations:
        if (annotation.name, annotation.label) not in spokenwords.USUAL:
            found = read_properties(getattr(annotation, "detail", None)).get("words")
            words += [str(word) for word in found] if isinstance(found, list) else []
    return spokenwords.marked(text, words)
