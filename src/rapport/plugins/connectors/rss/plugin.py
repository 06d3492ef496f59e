"""Feeds: news, blogs, forums and podcasts that offer RSS, Atom or JSON Feed."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rapport.kit import http
from rapport.kit.http import Answer, Request
from rapport.listening.contract import (
    WHOSE,
    Context,
    Failed,
    Finding,
    Gap,
    Manners,
    Page,
    Said,
    Terms,
    check_whose,
    refusal,
    setting,
)
from rapport.plugins.connectors.rss import feeds
from rapport.plugins.connectors.rss.feeds import Entry

KNOWN_MAX = 2_000  # entries that are remembered; more than any feed shows
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"

OTHERS = Terms.least(
    90,
    "A feed is published to be read. What may be kept for analysis follows from articles 4 and 15 of the"
    " directive on copyright; whoever reserved the rights does so on the site, so look there before adding it.",
    source="https://eur-lex.europa.eu/eli/dir/2019/790/oj",
    read_on=dt.date(2026, 11, 22),
)
OWN = Terms.of_own_place(
    "On the firm's own site its own terms hold: see that its privacy notice says what is done with comments.",
)


@dataclass(frozen=True, slots=True)
class Config:
    """Where the feed is."""

    url: str = setting("", "Address of the feed", "As the site offers it, such as https://example.com/feed.")
    whose: str = setting("others", "Whose site", "Decides what may be done with its words.", choices=WHOSE)


class Rss:
    """One feed a source."""

    name = "rss"
    title = "RSS, Atom and JSON feeds"
    network = "web"
    config: type[Any] = Config
    terms = OTHERS
    manners = Manners(requests=12, per_s=3_600, every_s=600)
    costs = "Free, without any key or account."
    sees = "What a site lists in its feed: articles, posts or comments, usually the newest ten to fifty."
    cannot_see = (
        "What a feed cuts short, what fell off its end between two looks (a gap says so), and deletions."
    )

    def check(self, config: Config) -> None:
        http.place_of(config.url)
        check_whose(config.whose, "site")

    def network_of(self, config: Config) -> str:  # noqa: ARG002  every feed lies on the web
        return self.network

    def terms_of(self, config: Config) -> Terms:
        return OWN if config.whose == "own" else OTHERS

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        answer = context.fetch(Request(config.url, headers={"Accept": ACCEPT}))
        found = _entries(answer, config, context)
        dated = sum(entry.published is not None for entry in found)
        listed = [Finding("feed", "ok", f"it lists {len(found)} entries")]
        if dated < len(found):
            listed.append(
                Finding(
                    "times",
                    "warn",
                    f"{len(found) - dated} say no time",
                    "They count as said when first seen.",
                )
            )
        if not any(name in answer.headers for name in ("etag", "last-modified")):
            listed.append(
                Finding(
                    "changes", "warn", "it does not say when it changed", "It is fetched whole each time."
                )
            )
        return listed

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        before = json.loads(cursor) if cursor else {}
        headers = {"Accept": ACCEPT}
        if before.get("etag"):
            headers["If-None-Match"] = before["etag"]
        if before.get("modified"):
            headers["If-Modified-Since"] = before["modified"]
        answer = context.fetch(Request(config.url, headers=headers))
        if answer.status == 304:
            return
        found = _entries(answer, config, context)
        known: dict[str, str] = before.get("known", {})
        host = urlsplit(config.url).hostname or "web"
        now = context.now()
        said: list[Said] = []
        for entry in reversed(found):  # a feed lists the newest first
            seen = known.get(entry.id)
            at = min(entry.published or now, now)
            if seen is None and (cursor or at >= context.since):
                said.append(_said(entry, host, at))
            elif seen is not None and seen != entry.digest:
                said.append(_changed(entry, host, now))
        fresh = {entry.id: entry.digest for entry in found}
        kept = {**{key: value for key, value in known.items() if key not in fresh}, **fresh}
        after = {
            "etag": answer.headers.get("etag", ""),
            "modified": answer.headers.get("last-modified", ""),
            "known": dict(list(kept.items())[-KNOWN_MAX:]),
            "read_at": now.isoformat(),
        }
        said.sort(key=lambda one: one.ts)
        yield Page(said, json.dumps(after), _horizon(before, found, now))


def _entries(answer: Answer, config: Config, context: Context) -> list[Entry]:
    host = urlsplit(config.url).hostname or config.url
    if answer.status == 410:
        raise Failed(
            f"{host} says that the feed is gone for good", reason="permission", retry_after_s=None,
            hint="Look for its new address on the site.",
        )  # fmt: skip
    if answer.status != 200:
        raise refusal(answer, host, context.now())
    try:
        found = feeds.entries(answer.body, answer.url, answer.headers.get("content-type", ""))
    except feeds.Unreadable as error:
        raise Failed(
            f"what {host} sends cannot be read: {error}", retry_after_s=3_600.0,
            hint="Open the address in a browser; the site may have moved its feed.",
        ) from None  # fmt: skip
    return [entry for entry in found if entry.id]


def _horizon(before: dict[str, Any], found: list[Entry], now: dt.datetime) -> list[Gap]:
    """Where nothing that a feed shows was known, others may have come and gone between two looks."""
    known = before.get("known", {})
    if not known or not found or any(entry.id in known for entry in found):
        return []
    read_at = dt.datetime.fromisoformat(before["read_at"])
    oldest = min((entry.published for entry in found if entry.published), default=now)
    until = min(max(oldest, read_at), now)
    if until <= read_at:
        return []
    return [Gap(read_at, until, "horizon", "The feed had filled up anew since it was last read.")]


def _said(entry: Entry, host: str, at: dt.datetime) -> Said:
    return Said(
        id=_id(entry, host),
        kind="post",
        ts=at,
        author=_author(entry, host),
        author_name=entry.author,
        text=_text(entry),
        in_reply_to=entry.in_reply_to,
        venue=f"web:{host}",
        language=entry.language.partition("-")[0].lower(),
        url=entry.url,
    )


def _changed(entry: Entry, host: str, now: dt.datetime) -> Said:
    about = _id(entry, host)
    return Said(
        id=f"{about}#{entry.digest}",
        kind="edit",
        ts=now,
        author=_author(entry, host),
        text=_text(entry),
        about=about,
        venue=f"web:{host}",
        language=entry.language.partition("-")[0].lower(),
        url=entry.url,
    )


def _id(entry: Entry, host: str) -> str:
    """An id that no other feed has: some sites number their entries from one."""
    return entry.id if "://" in entry.id or entry.id.startswith(("tag:", "urn:")) else f"{host}#{entry.id}"


def _author(entry: Entry, host: str) -> str:
    """A handle for a name that is only known on this site."""
    name = re.sub(r"\s+", "-", entry.author.strip().lower())
    return f"{name}@{host}" if name else host


def _text(entry: Entry) -> str:
    if not entry.title or entry.text.startswith(entry.title):
        return entry.text or entry.title
    return f"{entry.title}\n\n{entry.text}".strip()


plugin = Rss()
