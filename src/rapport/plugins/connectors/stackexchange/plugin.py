"""Stack Exchange: questions with words or tags that are followed, what is said to them, and answers of ours."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal

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
)
from rapport.plugins.connectors.stackexchange import site as sites
from rapport.plugins.connectors.stackexchange.site import Config, Parameters, Site

PAGE = 100  # the most that a page holds, and the most ids that one request names
COMMENT_MAX = 600
EVERY_S, WITHOUT_KEY = (
    300.0,
    6,
)  # without a key there are 300 requests a day, and each thing is asked more rarely
WATCHED = dt.timedelta(days=7)  # how old answers and comments may be that are looked for
BELOW_PAGES = 4
REPUTATION = 50  # with which one may comment on what others wrote
SCOPES: dict[str, Literal["bad", "warn"]] = {"write_access": "bad", "no_expiry": "warn"}

Read = Callable[[Any], "Found[Said] | None"]


class StackExchange:
    """One site a source."""

    name = "stackexchange"
    title = "Stack Exchange"
    network = "stackexchange"
    config: type[Config] = Config
    terms = Terms(
        keep_days=90,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=True,
        deletes_within_h=24,
        is_public=True,
        source="https://stackoverflow.com/legal/api-terms-of-use",
        read_on=None,
        note=(
            "Read the page named here before you switch this on. "
            "Questions there are put to everybody. Whoever answers for a firm has to say so, answers that promote are "
            "removed, and answers that a model wrote are banned on Stack Overflow. What is shown elsewhere needs its "
            "author, a link and its licence (CC BY-SA). Days and hours are our own caution."
        ),
    )
    manners = Manners(requests=20, per_s=60, every_s=300, length_max=30_000)
    costs = (
        "Free: 300 requests a day, and 10,000 with a key that is free as well; to answer, an account's token."
    )
    sees = (
        "Questions with words or tags that are followed, the week's answers to the newest hundred of them and comments "
        "on those, and with a token also comments that name the account."
    )
    cannot_see = (
        "Comments on answers, chats, what was deleted before we read it, and, since each word is one request, a "
        "question sooner than some minutes after it was asked."
    )

    def check(self, config: Config) -> None:
        sites.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        site = Site(config, context)
        try:
            told = site.get("/info")
            us = site.us
        except Failed as failed:
            return [Finding("Site", "bad", failed.message, failed.hint)]
        left, most = wire.count_at(told, "quota_remaining"), wire.count_at(told, "quota_max")
        found = [Finding("Site", "ok", f"{config.site} answers; {left} of {most} requests are left today")]
        if not config.app_key:
            hint = "Make a key on stackapps.com, which is free."
            found.append(Finding("Key", "warn", "without a key it is read every half hour alone", hint))
        if not us:
            return [*found, Finding("Token", "ok", "there is none: it is only read")]
        found.append(Finding("Token", "ok", f"answers are posted as number {us}"))
        return [*found, *_rights(site, config)]

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from _Round(Site(config, context), Marks.read(cursor), context).pages()

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not config.access_token:
            raise Failed(
                "this source only reads",
                is_permanent=True,
                hint="Enter an access token to post by it, or answer there by hand.",
            )
        if not draft.text.strip() or not draft.in_reply_to:
            raise Failed("there has to be something to answer, and words", is_permanent=True)
        site = Site(config, context)
        kind, number = sites.number_of(draft.in_reply_to, config.site)
        if kind == "q":
            path = f"/questions/{number}/answers/add"
        else:
            if len(draft.text) > COMMENT_MAX:
                raise Failed(f"a comment holds {COMMENT_MAX} characters at most", is_permanent=True)
            number = _post(site, kind, number)
            path = f"/posts/{number}/comments/add"
        made = site.post(path, [("body", draft.text), ("preview", "false")])
        seen = sites.read(wire.at(made, "items", 0), config.site, site.us)
        if seen is None:
            raise Failed(f"{config.site} does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(seen.id, seen.said.url)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        if not config.access_token:
            return None
        site = Site(config, context)
        kind, number = sites.number_of(draft.in_reply_to, config.site)
        path = "/me/answers" if kind == "q" else "/me/comments"
        above = number if kind == "q" else _post(site, kind, number)
        asked: Parameters = [("order", "desc"), ("sort", "creation"), ("pagesize", 30)]
        for item in wire.items_at(site.get(path, asked), "items"):
            seen = sites.read(item, config.site, site.us)
            is_there = wire.count_at(item, "question_id" if kind == "q" else "post_id") == above
            if seen is not None and is_there and wire.says(seen.said.text, html.unescape(draft.text)):
                return Receipt(seen.id, seen.said.url)
        return None


class _Round:
    """One round of reading."""

    def __init__(self, site: Site, marks: Marks, context: Context) -> None:
        self._site, self._marks, self._context = site, marks, context
        self._name, self._us = site.config.site, site.us
        self._slow = 1 if site.config.app_key else WITHOUT_KEY

    def pages(self) -> Iterator[Page]:
        marks, now = self._marks, self._context.now()
        before = marks.text()
        if marks.is_due("questions", (EVERY_S - 5) * self._slow, now):
            for word in marks.part("word", self._context.words, 1 if self._slow > 1 else 4):
                yield from self._list(f"word:{word}", "/search/advanced", [("q", word)], self._read)
            for tag in self._site.config.tagged:
                # Several tags in one request would mean all of them on one question.
                yield from self._list(f"tag:{tag}", "/questions", [("tagged", tag)], self._read)
        if self._us and marks.is_due("mentioned", EVERY_S * 2, now):
            yield from self._list("mentioned", "/me/mentioned", (), self._read_to_us)
        if marks.is_due("below", EVERY_S * 2 * self._slow, now):
            yield from self._below()
        if marks.is_due("recheck", EVERY_S * 2 * self._slow, now):
            yield from self._recheck()
        if marks.text() != before:
            yield Page((), marks.text())

    def _read(self, item: Any) -> Found[Said] | None:
        return sites.read(item, self._name, self._us)

    def _read_to_us(self, item: Any) -> Found[Said] | None:
        return sites.read(item, self._name, self._us, asks_us=True)

    def _list(self, name: str, path: str, asked: Parameters, read: Read) -> Iterator[Page]:
        since = self._marks.since(name, self._context.since)
        walk = self._marks.walk(name, self._listed(path, asked, read, since), self._context.since)
        said = list(self._marks.new(walk.found))
        gaps = []
        if walk.cut is not None:
            message = f"more was asked on {self._name} than we read back in one round"
            gaps.append(Gap(walk.since, walk.cut, "horizon", message))
        if said or gaps:
            yield Page(said, self._marks.text(), gaps)

    def _listed(
        self, path: str, asked: Parameters, read: Read, since: dt.datetime
    ) -> Iterator[list[Found[Said]]]:
        page = 1
        while True:
            newest: Parameters = [
                ("order", "desc"),
                ("sort", "creation"),
                ("fromdate", int(since.timestamp())),
                ("page", page),
                ("pagesize", PAGE),
            ]
            told = self._site.get(path, [*asked, *newest])
            yield [one for item in wire.items_at(told, "items") if (one := read(item))]
            if wire.at(told, "has_more") is not True:
                return
            page += 1

    def _below(self) -> Iterator[Page]:
        """Answers of the last days to the newest questions that were told, and comments on those."""
        newest = [id[1:].partition("@")[0] for id in self._marks.held() if id.startswith("q")][-PAGE:]
        if not newest:
            return
        ids, since = ";".join(newest), self._context.now() - WATCHED

        def comment(item: Any) -> Found[Said] | None:
            # A comment names the post that it stands at, which is the question that we asked for.
            return sites.read(item, self._name, self._us, question=wire.count_at(item, "post_id") or 0)

        for what, read in (("answers", self._read), ("comments", comment)):
            # The questions change from round to round, so there is nothing to go on from: what is known is passed.
            pages = islice(self._listed(f"/questions/{ids}/{what}", (), read, since), BELOW_PAGES)
            found = sorted((one for page in pages for one in page), key=lambda one: (one.at, one.id))
            said = list(self._marks.new(found))
            if said:
                yield Page(said, self._marks.text())

    def _recheck(self) -> Iterator[Page]:
        """Ask for some of what was told once more, a hundred in one request: what is gone, and what has changed."""
        now, said = self._context.now(), list[Said]()
        for kind, path in (("q", "/questions"), ("a", "/answers"), ("c", "/comments")):
            held = [id for id in self._marks.held() if id.startswith(kind)]
            part = self._marks.part(f"recheck-{kind}", held, PAGE)
            if not part:
                continue
            ids = ";".join(id[1:].partition("@")[0] for id in part)
            told = self._site.get(f"{path}/{ids}", [("pagesize", PAGE)])
            if wire.at(told, "has_more") is not False or not isinstance(wire.at(told, "items"), list):
                continue  # what is missing from half an answer is not gone
            there = {
                one.id: one for item in wire.items_at(told, "items") if (one := self._read(item)) is not None
            }
            for id in part:
                if id not in there:
                    self._marks.forget(id)
                    said.append(Said(f"{id}#deletion", "deletion", now, "", about=id))
                elif list(self._marks.changed([there[id]])):
                    said.append(_edit(there[id]))
        if said:
            yield Page(said, self._marks.text())


def _edit(seen: Found[Said]) -> Said:
    one = seen.said
    at = dt.datetime.fromtimestamp(int(seen.version), dt.UTC) if seen.version else one.ts
    return Said(f"{one.id}#{seen.version}", "edit", at, one.author, one.text, about=one.id, venue=one.venue)


def _rights(site: Site, config: Config) -> list[Finding]:
    """What the token may do, and the account: comments need some reputation there."""
    anew = "Make the token anew with write_access and no_expiry, and enter it here."
    try:
        token = wire.at(site.get(f"/access-tokens/{config.access_token}", is_of_site=False), "items", 0)
        reputation = wire.count_at(site.get("/me"), "items", 0, "reputation") or 0
    except Failed as failed:
        return [Finding("Rights", "warn", failed.message, failed.hint)]
    scopes = wire.items_at(token, "scope")
    found = [
        Finding(name, "ok", "the token has it")
        if name in scopes
        else Finding(name, state, "the token lacks it", anew)
        for name, state in SCOPES.items()
    ]
    if reputation < REPUTATION:
        message = f"the account has a reputation of {reputation}, and comments elsewhere need {REPUTATION}"
        found.append(Finding("Comments", "warn", message, "Answer questions there by hand first."))
    return found


def _post(site: Site, kind: str, number: int) -> int:
    """The post at which a comment stands, or is to stand; raises Failed where it is gone."""
    if kind != "c":
        return number
    found = wire.count_at(site.get(f"/comments/{number}"), "items", 0, "post_id")
    if found is None:
        raise Failed("the comment that this answers is not there any more", is_permanent=True)
    return found


plugin = StackExchange()
