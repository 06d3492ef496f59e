"""Hacker News: stories and comments with the words that are followed. It is only read: there is no way to post."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rapport.kit import markup, wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Request
from rapport.kit.marks import Found, Marks
from rapport.listening.contract import (
    Context,
    Failed,
    Finding,
    Gap,
    Manners,
    Page,
    Said,
    Terms,
    refusal,
    setting,
)

SEARCH = "https://hn.algolia.com/api/v1/search_by_date"
ITEM = "https://hacker-news.firebaseio.com/v0/item/{}.json"
UPDATES = "https://hacker-news.firebaseio.com/v0/updates.json"
SHOWN = "https://news.ycombinator.com/item?id={}"
PAGE = 100
FOUND_MAX = 1_000  # the search shows no more of one query
THREADS_EVERY_S, RECHECK_EVERY_S, RECHECKED = 60.0, 60.0, 10
KINDS = {"all": "Stories and comments", "story": "Stories alone"}


@dataclass(frozen=True, slots=True)
class Config:
    """What is read, and who of them speaks for the firm."""

    which: str = setting("all", "Which posts", choices=KINDS)
    usernames: str = setting(
        "",
        "Accounts of ours",
        "Separated by spaces. What they say is known as the firm's, and answers to it as put to us.",
        optional=True,
    )

    @property
    def named(self) -> tuple[str, ...]:
        """The accounts that speak for the firm, as they write themselves: the search tells small from large letters."""
        return tuple(sorted(set(self.usernames.split())))

    @property
    def ours(self) -> frozenset[str]:
        """The same in small letters, as authors are known here."""
        return frozenset(name.lower() for name in self.named)


class HackerNews:
    """All of it, by the search of Algolia and the items of Hacker News itself."""

    name = "hackernews"
    title = "Hacker News"
    network = "hackernews"
    config: type[Config] = Config
    terms = Terms(
        keep_days=90,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=False,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://github.com/HackerNews/API",
        read_on=None,
        note=(
            "The page named here was not read for this version: read it before you switch this on. "
            "Neither interface can post; people answer there by hand, in their own names, and the guidelines want "
            "neither promotion nor asking for votes. Days, hours and the rest are our own caution."
        ),
    )
    # Algolia counts ten thousand requests an hour for an address; the items have no limit that is told.
    manners = Manners(requests=60, per_s=60, every_s=60)
    costs = "Free; neither an account nor a key is needed."
    sees = (
        "Stories and comments with the words that are followed within minutes, answers to accounts of ours, and for "
        "what was told before whether it is still there."
    )
    cannot_see = (
        "Votes on comments, what was flagged away before the search had it, more than the newest thousand of one word "
        "at a time, and changes of what is older than the newest 800 that were told."
    )

    def check(self, config: Config) -> None:
        if config.which not in KINDS:
            raise Invalid(f"{config.which!r} are no posts", f"There are {', '.join(KINDS)}.")
        for name in config.ours:
            if not re.fullmatch(r"[\w-]{2,15}", name, re.ASCII):
                raise Invalid(f"{name!r} is no account of Hacker News", "Write names, separated by spaces.")

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:  # noqa: ARG002  there is no log-in
        found: list[Finding] = []
        for what, url in (("Search", f"{SEARCH}?hitsPerPage=1"), ("Items", UPDATES)):
            try:
                asked(url, context)
            except Failed as failed:
                found.append(Finding(what, "bad", failed.message, failed.hint))
            else:
                found.append(Finding(what, "ok", "can be read"))
        if not context.words:
            hint = "Follow something on the page Listening."
            found.append(Finding("Words", "warn", "no words are followed, so nothing is looked for", hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from _Round(config, Marks.read(cursor), context).pages()


class _Round:
    """One round of reading."""

    def __init__(self, config: Config, marks: Marks, context: Context) -> None:
        self._config, self._marks, self._context = config, marks, context

    def pages(self) -> Iterator[Page]:
        marks, now = self._marks, self._context.now()
        before = marks.text()
        tags = "story" if self._config.which == "story" else "(story,comment)"
        for word in marks.part("word", self._context.words, 10):
            plain = re.sub(r'["\\]', " ", word).strip()
            yield from self._search(f"word:{word}", [("query", f'"{plain}"'), ("tags", tags)])
        if self._config.ours and marks.is_due("threads", THREADS_EVERY_S, now):
            for name in self._config.named:
                yield from self._search(f"by:{name}", [("tags", f"{tags},author_{name}")])
            yield from self._answers()
        if marks.is_due("recheck", RECHECK_EVERY_S, now):
            yield from self._recheck()
        if marks.text() != before:
            yield Page((), marks.text())

    def _search(self, name: str, parameters: Sequence[tuple[str, str]]) -> Iterator[Page]:
        since = self._marks.since(name, self._context.since)
        n_read = [0]
        walk = self._marks.walk(name, self._listed(parameters, since, n_read), self._context.since)
        said = list(self._marks.new(walk.found))
        gaps = []
        cut = walk.found[0].at if walk.found and n_read[0] >= FOUND_MAX else walk.cut
        if cut is not None and cut > walk.since:
            message = f"the search shows no more than the newest {FOUND_MAX} with one word"
            gaps.append(Gap(walk.since, cut, "horizon", message))
        if said or gaps:
            yield Page(said, self._marks.text(), gaps)

    def _listed(
        self, parameters: Sequence[tuple[str, str]], since: dt.datetime, n_read: list[int]
    ) -> Iterator[list[Found[Said]]]:
        page = 0
        while True:
            told = asked(
                f"{SEARCH}?"
                + urlencode(
                    [
                        *parameters,
                        ("numericFilters", f"created_at_i>={int(since.timestamp())}"),
                        ("hitsPerPage", PAGE),
                        ("page", page),
                    ]
                ),
                self._context,
            )
            found = wire.items_at(told, "hits")
            n_read[0] += len(found)
            yield [one for item in found if (one := searched(item, self._config.ours))]
            page += 1
            if not found or page >= (wire.count_at(told, "nbPages") or 0):
                return

    def _answers(self) -> Iterator[Page]:
        """What was said to the newest things of ours: each names its answers."""
        ours = [id for id, version in self._marks.known.items() if version == "ours"][-RECHECKED:]
        said: list[Said] = []
        for id in ours:
            item = asked(ITEM.format(id), self._context)
            for number in wire.items_at(item, "kids"):
                if str(number) not in self._marks.known:
                    answer = asked(ITEM.format(number), self._context)
                    seen = of_item(answer, self._config.ours, asks_us=True)
                    said += self._marks.new([seen]) if seen else ()
        if said:
            yield Page(sorted(said, key=lambda one: one.ts), self._marks.text())

    def _recheck(self) -> Iterator[Page]:
        """Ask for some of what was told once more: Hacker News itself says what was deleted or flagged away."""
        said: list[Said] = []
        for id in self._marks.part("recheck", self._marks.held(), RECHECKED):
            item = asked(ITEM.format(id), self._context)
            if wire.at(item, "deleted") is True or wire.at(item, "dead") is True:
                self._marks.forget(id)
                now = self._context.now()
                said.append(Said(f"{id}#deletion", "deletion", now, "", about=id, venue="hackernews"))
                continue
            seen = of_item(item, self._config.ours)
            if seen is None or self._marks.known[id] in {"ours", seen.version}:
                continue
            if self._marks.known[id]:
                one = seen.said
                told = f"{id}#{seen.version}"
                now = self._context.now()
                said.append(Said(told, "edit", now, one.author, one.text, about=id, venue=one.venue))
            # The search and the item write the same words differently, so the first look only notes them.
            self._marks.known[id] = seen.version
        if said:
            yield Page(said, self._marks.text())


def asked(url: str, context: Context) -> Any:
    """Ask for something; raises Failed."""
    answer = context.fetch(Request(url, headers={"accept": "application/json"}))
    found = wire.document(answer.body)
    if answer.status != 200:
        failed = refusal(answer, "Hacker News", context.now(), words=wire.text_at(found, "message"))
        if answer.status == 429:
            failed.retry_after_s = wire.wait_s(answer.headers, context.now()) or 600.0
        raise failed
    if (
        found is None and answer.body.strip() != b"null"
    ):  # null is what Hacker News says of a number it has not
        raise Failed("Hacker News answered with something that is no JSON")
    return found


def searched(entry: Any, ours: frozenset[str]) -> Found[Said] | None:
    """An entry of the search; None where it is not whole."""
    id, author = wire.text_at(entry, "objectID"), wire.text_at(entry, "author")
    at = wire.count_at(entry, "created_at_i")
    if not id or not author or at is None:
        return None
    story, parent = wire.count_at(entry, "story_id"), wire.count_at(entry, "parent_id")
    words = wire.text_at(entry, "comment_text") or wire.text_at(entry, "story_text")
    title = "" if parent else wire.text_at(entry, "title")
    link = "" if parent else wire.text_at(entry, "url")
    text = _text(title, words, link)
    return _found(id, author, at, text, str(parent or ""), str(story) if parent and story else "", ours)


def of_item(item: Any, ours: frozenset[str], *, asks_us: bool = False) -> Found[Said] | None:
    """An item of Hacker News; None where it is not whole, or is gone."""
    number, author, at = wire.count_at(item, "id"), wire.text_at(item, "by"), wire.count_at(item, "time")
    if number is None or not author or at is None:
        return None
    if wire.at(item, "deleted") is True or wire.at(item, "dead") is True:
        return None
    parent = wire.count_at(item, "parent")
    text = _text(wire.text_at(item, "title"), wire.text_at(item, "text"), wire.text_at(item, "url"))
    found = _found(str(number), author, at, text, str(parent or ""), "", ours, asks_us)
    return Found(found.id, found.at, found.said, _hash(text) if found.version != "ours" else "ours")


def _found(
    id: str,
    author: str,
    at_s: int,
    text: str,
    parent: str,
    thread: str,
    ours: frozenset[str],
    asks_us: bool = False,
) -> Found[Said]:
    at = dt.datetime.fromtimestamp(at_s, dt.UTC)
    is_ours = author.lower() in ours
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=author.lower(),
        author_name=author,
        text=text,
        in_reply_to=parent,
        thread=thread or ("" if parent else id),
        venue="hackernews",
        language="en",
        url=SHOWN.format(id),
        is_ours=is_ours,
        asks_us=asks_us and not is_ours,
    )
    return Found(id, at, said, "ours" if is_ours else "")


def _text(title: str, words: str, link: str) -> str:
    parts = (html.unescape(title), markup.text_of(words), link)
    return "\n\n".join(part for part in parts if part)


def _hash(text: str) -> str:
    plain = "".join(c for c in text.casefold() if c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


plugin = HackerNews()
