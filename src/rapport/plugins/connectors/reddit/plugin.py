"""Reddit: who answers or names us there, what is said of what we follow, and our answers (Data API, OAuth2)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rapport.kit import wire
from rapport.kit.marks import Found, Marks
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Gap,
    Manners,
    Page,
    Receipt,
    Said,
    Terms,
    tried,
)
from rapport.plugins.connectors.reddit import account as accounts
from rapport.plugins.connectors.reddit import things
from rapport.plugins.connectors.reddit.account import Account, Config, Parameters
from rapport.plugins.connectors.reddit.archive import RedditArchive

_WORD = re.compile(r"\w+")
LISTED_MAX = 1_000  # no list goes further back, however many pages are asked for
PAGE = 100  # the most that a list gives at once
QUERY_CHARS_MAX = 480  # Reddit cuts queries at 512
LENGTH_MAX = 10_000
OWN_EVERY_S, SEARCH_EVERY_S, RECHECK_EVERY_S = 60.0, 30.0, 60.0
OVER = {"DELETED_COMMENT", "DELETED_LINK", "THREAD_LOCKED", "TOO_OLD", "COMMENTER_BLOCKED_POSTER"}


class Reddit:
    """One account."""

    name = "reddit"
    title = "Reddit"
    network = "reddit"
    config: type[Config] = Config
    terms = Terms(
        keep_days=30,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=48,
        is_public=True,
        source="https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki",
        read_on=dt.date(2026, 11, 22),
        note=(
            "Commercial use, and learning from what people say, need an agreement with Reddit: have one before this "
            "is switched on. What is deleted there has to go here; Reddit advises to keep nothing that is not asked "
            "for again longer than 48 hours. The thirty days are our own caution."
        ),
    )
    # A hundred requests a minute for an application, counted over ten minutes; we leave room.
    archive = RedditArchive()
    manners = Manners(requests=80, per_s=60, every_s=15, length_max=LENGTH_MAX)
    costs = (
        "An account and an application of the kind script are free for uses that are not commercial; "
        "a firm needs Reddit's agreement, which may cost."
    )
    sees = (
        "Answers to the account, mentions of its name and private messages to it, posts with the words that are "
        "followed, and in the communities that are named their newest comments as well."
    )
    cannot_see = (
        "Comments outside the communities that are named, chats and what Reddit made one of, private communities that "
        "the account is no member "
        "of, what a list holds beyond its newest thousand, and changes of what is older than the newest 800."
    )

    def check(self, config: Config) -> None:
        accounts.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        account = Account(config, context)

        def who() -> str:
            told = account.get("/api/v1/me")
            if wire.at(told, "is_suspended") is True:
                raise Failed("Reddit has suspended the account", hint="Appeal at reddit.com/appeals.")
            return f"it is that of {wire.text_at(told, 'name')}"

        def read(path: str, *asked: tuple[str, str | int]) -> Callable[[], str]:
            return lambda: account.get(path, [*asked, ("limit", 1)]) and "can be read"

        found = tried(
            ("Inbox", read("/message/inbox"), "The application needs the right privatemessages."),
            (
                "Own posts",
                read(f"/user/{config.username}/overview"),
                "The application needs the right history.",
            ),
            ("Search", read("/search", ("q", config.username)), "The application needs the right read."),
            *(
                (f"r/{place}", read(f"/r/{place}/comments"), "Let the account in there, or name it no more.")
                for place in config.places
            ),
            who=who,
        )
        if len(found) > 1:
            try:
                account.get("/message/sent", [("limit", 1)])
            except Failed as failed:
                hint = "Answers in other programs are not seen here; Reddit makes chats of private messages."
                found.append(Finding("Sent messages", "warn", failed.message, hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from _Round(Account(config, context), Marks.read(cursor), context).pages()

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        account = Account(config, context)
        if draft.in_reply_to:
            told = account.post("/api/comment", [("thing_id", draft.in_reply_to), ("text", draft.text)])
        else:
            told = account.post("/api/submit", _submission(draft))
        _raise_errors(told)
        made = wire.at(told, "json", "data", "things", 0, "data") or wire.at(told, "json", "data")
        number = wire.text_at(made, "name")
        if not number:
            raise Failed("Reddit does not say what became of it", is_unsure=True, retry_after_s=30.0)
        permalink = wire.text_at(made, "permalink")
        url = f"https://www.reddit.com{permalink}" if permalink else wire.text_at(made, "url")
        return Receipt(number, url)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        account = Account(config, context)
        if draft.in_reply_to.startswith("t4_"):
            path = "/message/sent"
        elif draft.in_reply_to:
            path = f"/user/{config.username}/comments"
        else:
            path = f"/user/{config.username}/submitted"
        listed = account.get(path, [("limit", PAGE), ("sort", "new")])
        for thing in wire.items_at(listed, "data", "children"):
            seen = things.read(thing, config.username)
            is_same = seen is not None and seen.said.in_reply_to == draft.in_reply_to
            if (
                seen is not None
                and is_same
                and wire.says(seen.said.text, draft.text, is_end=not draft.in_reply_to)
            ):
                return Receipt(seen.id, seen.said.url)
        return None


class _Round:
    """One round of reading."""

    def __init__(self, account: Account, marks: Marks, context: Context) -> None:
        self._account, self._marks, self._context = account, marks, context
        self._us = account.config.username
        self._n_listed = 0

    def pages(self) -> Iterator[Page]:
        marks, now = self._marks, self._context.now()
        before = marks.text()
        yield from self._list("inbox", "/message/inbox", (), asks_us=True)
        if marks.is_due("own", OWN_EVERY_S, now):
            yield from self._list("own", f"/user/{self._us}/overview", [("sort", "new")])
            yield from self._sent()
        if self._context.words and marks.is_due("search", SEARCH_EVERY_S, now):
            yield from self._followed()
        if marks.is_due("recheck", RECHECK_EVERY_S, now):
            yield from self._recheck()
        if marks.text() != before:
            yield Page((), marks.text())

    def _sent(self) -> Iterator[Page]:
        """Our private messages. Reddit makes chats of them, and shows them to fewer and fewer applications."""
        try:
            yield from self._list("sent", "/message/sent", ())
        except Failed as failed:
            if not failed.is_permanent and failed.message != accounts.NO_JSON:
                raise

    def _followed(self) -> Iterator[Page]:
        places = "+".join(self._account.config.places)
        for query in self._marks.part("query", queries(self._context.words), 2):
            asked: Parameters = [("q", query), ("sort", "new"), ("type", "link")]
            path = f"/r/{places}/search" if places else "/search"
            here: Parameters = [("restrict_sr", "true")] if places else []
            yield from self._list(f"search:{places}:{query}", path, [*asked, *here])
        if places:
            yield from self._list(f"comments:{places}", f"/r/{places}/comments", (), only_followed=True)

    def _list(
        self, name: str, path: str, asked: Parameters, *, asks_us: bool = False, only_followed: bool = False
    ) -> Iterator[Page]:
        """Tell what a list holds since it was left."""
        walk = self._marks.walk(name, self._listed(path, asked, asks_us), self._context.since)
        found = [one for one in walk.found if not only_followed or self._is_followed(one.said)]
        gaps = []
        cut = walk.found[0].at if walk.found and self._n_listed >= LISTED_MAX else walk.cut
        if cut is not None and cut > walk.since:
            message = "Reddit's lists go back no further than their newest thousand"
            gaps.append(Gap(walk.since, cut, "horizon", message))
        said = list(self._marks.new(found))
        if said or gaps:
            yield Page(said, self._marks.text(), gaps)

    def _listed(self, path: str, asked: Parameters, asks_us: bool) -> Iterator[list[Found[Said]]]:
        after, self._n_listed = "", 0
        while True:
            onward: Parameters = [("after", after)] if after else []
            told = self._account.get(path, [*asked, ("limit", PAGE), *onward])
            children = wire.items_at(told, "data", "children")
            self._n_listed += len(children)
            yield [seen for one in children if (seen := things.read(one, self._us, asks_us=asks_us))]
            after = wire.text_at(told, "data", "after")
            if not after:
                return

    def _is_followed(self, said: Said) -> bool:
        text = _spaced(said.text)
        return any(
            (_spaced(word).rstrip() if word in self._context.beginnings else _spaced(word)) in text
            for word in self._context.words
        )

    def _recheck(self) -> Iterator[Page]:
        """Ask for some of what was told once more: what is gone, and what has changed."""
        public = [number for number in self._marks.held() if number.startswith(("t1_", "t3_"))]
        part = self._marks.part("recheck", public, PAGE)
        if not part:
            return
        told = self._account.get("/api/info", [("id", ",".join(part))])
        if not isinstance(wire.at(told, "data", "children"), list):
            raise Failed("Reddit did not say what is still there")
        held = {
            wire.text_at(one, "data", "name"): one
            for one in wire.items_at(told, "data", "children")
            if wire.text_at(one, "data", "name")
        }
        now = self._context.now()
        said = [
            Said(f"{number}#deletion", "deletion", now, "", about=number)
            for number in part
            if number not in held or things.is_gone(wire.at(held[number], "data"))
        ]
        for one in said:
            self._marks.forget(one.about)
        seen = [found for one in held.values() if (found := things.read(one, self._us))]
        edits = {one.id: things.edit(one, now) for one in seen}
        said += [edits[one.id] for one in self._marks.changed(seen)]
        if said:
            yield Page(said, self._marks.text())


def queries(words: Sequence[str]) -> list[str]:
    """The words that are followed as queries, as many in one as Reddit takes."""
    found = [""]
    for word in words:
        term = '"' + re.sub(r'["\\]', " ", word).strip() + '"'
        joined = f"{found[-1]} OR {term}" if found[-1] else term
        if len(joined) <= QUERY_CHARS_MAX:
            found[-1] = joined
        else:
            found.append(term[:QUERY_CHARS_MAX])
    return [one for one in found if one]


def _submission(draft: Draft) -> Parameters:
    place = draft.venue.removeprefix("reddit:r/")
    if not re.fullmatch(r"\w{2,21}", place) or not draft.subject_line:
        raise Failed(
            "a post of our own needs a community and a title",
            is_permanent=True,
            hint="Name the venue as reddit:r/cars, and give a subject line.",
        )
    return [("kind", "self"), ("sr", place), ("title", draft.subject_line[:300]), ("text", draft.text)]


def _raise_errors(told: Any) -> None:
    """Reddit refuses with a status of 200, and says why in words."""
    errors = wire.items_at(told, "json", "errors")
    if not errors:
        return
    code, words = wire.text_at(errors, 0, 0), wire.text_at(errors, 0, 1)
    if code == "RATELIMIT":
        wait = wire.at(told, "json", "ratelimit")
        wait_s = float(wait) if isinstance(wait, (int, float)) else _wait_s(words)
        raise Failed(f"Reddit wants us to post less often: {words}", reason="rate", retry_after_s=wait_s)
    if code in OVER:
        raise Failed(f"what this answers cannot be answered any more: {words}", is_permanent=True)
    raise Failed(f"Reddit refused it ({code}): {words}", is_permanent=True)


def _wait_s(words: str) -> float:
    found = re.search(r"(\d+) (second|minute|hour)", words)
    return int(found[1]) * {"second": 1.0, "minute": 60.0, "hour": 3_600.0}[found[2]] if found else 600.0


def _spaced(text: str) -> str:
    return f" {' '.join(re.findall(_WORD, text.casefold()))} "


plugin = Reddit()
