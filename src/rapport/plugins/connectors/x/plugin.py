"""X: who mentions or answers us, what is said of what we follow, and our answers (API v2)."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rapport.kit import wire
from rapport.kit.marks import Marks
from rapport.listening.contract import (
    Context,
    Draft,
    Failed,
    Finding,
    Gap,
    Manners,
    Media,
    Page,
    Pictures,
    Receipt,
    Said,
    Terms,
    nothing_posted,
    tried,
)
from rapport.plugins.connectors.x import account as accounts
from rapport.plugins.connectors.x.account import Account, Config
from rapport.plugins.connectors.x.archive import XArchive

PAGE = 100  # the most that a list gives at once
PAGES_MAX = 10  # of one list in one round; each post that is read is paid for
QUERY_CHARS_MAX = 512
LENGTH_MAX = 280
# Media best practices: four pictures to a post, 5 MB each; the text of one has 1,000 characters.
PICTURES = Pictures(most=4, bytes_max=5_000_000, side_max=4_096, alt_max=1_000)
MENTIONS_EVERY_S, OWN_EVERY_S, SEARCH_EVERY_S = 60.0, 300.0, 120.0
HORIZON = dt.timedelta(days=7) - dt.timedelta(minutes=5)  # of the recent search
LATE = dt.timedelta(minutes=5)  # what is said may be found so much later
EPOCH_MS = 1_288_834_974_657  # from which the numbers of posts count milliseconds, above their lowest 22 bits
# What a post is told with; X gives a number and a text alone unless it is asked for more.
ASKED: list[tuple[str, str | int]] = [
    ("max_results", PAGE),
    ("tweet.fields", "author_id,conversation_id,created_at,lang,note_tweet,public_metrics,referenced_tweets"),
    ("expansions", "author_id"),
    ("user.fields", "name,public_metrics,username"),
]


class X:
    """One account."""

    name = "x"
    title = "X"
    network = "x_com"
    config: type[Config] = Config
    terms = Terms(
        keep_days=30,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://docs.x.com/developer-terms/agreement",
        read_on=dt.date(2026, 11, 22),
        as_of=dt.date(2026, 4, 27),
        note=(
            "What is deleted or changed on X has to follow here, at the latest 24 hours after somebody asks; people "
            "may not be joined to accounts without their express agreement, nor profiled one by one; no large model "
            "may be trained on posts; nobody gets automated answers who did not agree to them. The thirty days, and "
            "that nothing is joined or learned at all, are our own caution."
        ),
    )
    # Three hundred searches and three hundred lists of mentions in fifteen minutes; we ask for far fewer.
    archive = XArchive()
    manners = Manners(requests=60, per_s=60, every_s=30, length_max=LENGTH_MAX, pictures=PICTURES)
    costs = "Every post that is read and every one that is written is paid for, with the firm's own app and credits."
    sees = "Posts that mention or answer the account, what it posts itself, and posts with the words that are followed."
    cannot_see = (
        "Protected accounts, private messages, likes, what is older than seven days when it is searched first, and "
        "what X leaves out of its search."
    )

    def check(self, config: Config) -> None:
        accounts.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        account = Account(config, context)

        def read(path: str, *asked: tuple[str, str | int]) -> Callable[[], str]:
            return lambda: account.get(path.format(account.us), asked) and "can be read"

        def posting() -> str:
            if account.level == "read":
                raise Failed("the access token may read alone")
            return (
                "the access token may post" if account.level else "X does not say whether the token may post"
            )

        credit = "See that the app is in a project of console.x.com that has credits."
        return tried(
            ("Mentions", read("/2/users/{}/mentions", ("max_results", 5)), credit),
            ("Own posts", read("/2/users/{}/tweets", ("max_results", 5)), credit),
            ("Search", lambda: _searched(account), credit),
            (
                "Answers",
                posting,
                "Give the app the right to read and write, and make the access token anew after that.",
            ),
            who=lambda: f"it is that of @{account.name}",
        )

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from _Round(Account(config, context), Marks.read(cursor), context).pages()

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        account, now = Account(config, context), context.now()
        said: list[Said] = []
        for start in range(0, len(ids), PAGE):
            part = [id for id in ids[start : start + PAGE] if id.isdigit()]
            if not part:
                continue
            told = account.get("/2/tweets", [("ids", ",".join(part))])
            held = {wire.text_at(one, "id") for one in wire.items_at(told, "data")}
            # X names each post that it does not give: one that is gone, and one whose account is protected by now.
            gone = {wire.text_at(one, "resource_id") for one in wire.items_at(told, "errors")}
            said += [
                Said(f"{id}#deletion", "deletion", now, "", about=id)
                for id in part
                if id in gone and id not in held
            ]
        return said

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        account = Account(config, context)
        body: dict[str, Any] = {"text": draft.text}
        if draft.in_reply_to:
            body["reply"] = {"in_reply_to_tweet_id": draft.in_reply_to}
        with nothing_posted():
            if numbers := [_uploaded(account, one) for one in draft.media]:
                body["media"] = {"media_ids": numbers}
        number = wire.text_at(account.post("/2/tweets", body), "data", "id")
        if not number:
            raise Failed("X does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(number, f"https://x.com/{account.name}/status/{number}")

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        account = Account(config, context)
        told = account.get(f"/2/users/{account.us}/tweets", ASKED)
        for one in _read(told, account):
            is_same = one.in_reply_to == draft.in_reply_to and wire.says(
                _without_addresses(one.text), _without_addresses(draft.text), is_end=True
            )
            if is_same:
                return Receipt(one.id, one.url)
        return None


def _uploaded(account: Account, one: Media) -> str:
    """The number of a picture that has its alternative text; no post shows it yet, and X lets it go after a day."""
    body = {
        "media": base64.b64encode(one.read()).decode(),
        "media_category": "tweet_image",
        "media_type": one.content_type,
    }
    number = wire.text_at(account.post("/2/media/upload", body), "data", "id")
    if not number:
        raise Failed("X does not say what became of a picture", retry_after_s=30.0)
    account.post("/2/media/metadata", {"id": number, "metadata": {"alt_text": {"text": one.alt}}})
    return number


class _Round:
    """One round of reading."""

    def __init__(self, account: Account, marks: Marks, context: Context) -> None:
        self._account, self._marks, self._context = account, marks, context

    def pages(self) -> Iterator[Page]:
        marks, now, account = self._marks, self._context.now(), self._account
        before = marks.text()
        if marks.is_due("mentions", MENTIONS_EVERY_S, now):
            yield from self._list("mentions", f"/2/users/{account.us}/mentions", [], "pagination_token")
        if marks.is_due("own", OWN_EVERY_S, now):
            yield from self._list("own", f"/2/users/{account.us}/tweets", [], "pagination_token")
        if self._context.words and marks.is_due("search", SEARCH_EVERY_S, now):
            for query in marks.part("query", queries(self._context.words), 1):
                path = "/2/tweets/search/recent"
                yield from self._list(f"search:{query}", path, [("query", query)], "next_token")
        if marks.text() != before:
            yield Page((), marks.text())

    def _list(
        self, name: str, path: str, asked: list[tuple[str, str | int]], onward_name: str
    ) -> Iterator[Page]:
        """Tell what a list holds after the newest number that was read; it gives the newest first."""
        now = self._context.now()
        number, _, read_at = self._marks.left.get(name, "").partition("@")
        number = number if number.isdigit() else ""
        horizon, left_at = now - HORIZON, wire.moment(read_at)
        since = self._context.since
        gaps, is_old = [], False
        if name.startswith("search:") and (left_at or since) < horizon:
            # The search refuses numbers older than it goes back to.
            message = "X's search goes back seven days"
            gaps.append(Gap(left_at or since, horizon, "horizon", message))
            number, since = "", horizon
        elif name.startswith("search:") and number and left_at and moment(number) < horizon:
            # The newest that was found may be older than that, also where it was asked for a minute ago.
            is_old, since = True, max(left_at - LATE, horizon)
        is_by_number = bool(number) and not is_old
        begin = [("since_id", number)] if is_by_number else [("start_time", wire.written(since)[:19] + "Z")]
        found: dict[str, Said] = {}
        versions: dict[str, list[Any]] = {}
        onward, newest = "", number
        for n in range(PAGES_MAX):
            told = self._account.get(
                path, [*asked, *ASKED, *begin, *([(onward_name, onward)] if onward else [])]
            )
            found |= {one.id: one for one in _read(told, self._account)}
            versions |= {
                wire.text_at(post, "id"): wire.items_at(post, "edit_history_tweet_ids")
                for post in wire.items_at(told, "data")
            }
            if n == 0:
                newest = wire.text_at(told, "meta", "newest_id") or number
            onward = wire.text_at(told, "meta", "next_token")
            if not onward:
                break
        ordered = sorted(found.values(), key=lambda one: (one.ts, int(one.id)))
        if onward and ordered:
            from_at = left_at if number and left_at else since
            gaps.append(
                Gap(from_at, ordered[0].ts, "rate", "more was said than is read and paid for at once")
            )
        if newest:
            self._marks.left[name] = f"{newest}@{wire.written(now)}"
        said = [
            self._told(one, versions.get(one.id, [])) for one in ordered if one.id not in self._marks.known
        ]
        if said or gaps:
            yield Page(said, self._marks.text(), gaps)

    def _told(self, one: Said, versions: Sequence[Any]) -> Said:
        """A post as it is told: a changed one gets a number of its own there, and is no new one."""
        known = self._marks.known
        earlier = next((id for id in versions if isinstance(id, str) and id != one.id and id in known), "")
        first = known.get(earlier, "") or earlier
        known[one.id] = first
        if not first:
            return one
        now = self._context.now()
        return Said(f"{first}#{one.id}", "edit", now, one.author, one.text, about=first, venue=one.venue)


def _searched(account: Account) -> str:
    account.get("/2/tweets/search/recent", [("query", f"from:{account.name}"), ("max_results", 10)])
    return "can be asked"


def queries(words: Sequence[str]) -> list[str]:
    """The words that are followed as queries without reposts, as many in one as X takes."""
    frame = "({}) -is:retweet"
    found = [""]
    for word in words:
        plain = re.sub(r'["\\]', " ", word).strip()
        if not plain:
            continue
        term = f'"{plain}"'
        joined = f"{found[-1]} OR {term}" if found[-1] else term
        if len(frame.format(joined)) <= QUERY_CHARS_MAX:
            found[-1] = joined
        elif len(frame.format(term)) <= QUERY_CHARS_MAX:
            found.append(term)
    return [frame.format(one) for one in found if one]


def _read(told: Any, account: Account) -> list[Said]:
    """The posts of an answer, with the authors that it holds beside them; reposts are left out."""
    authors = {wire.text_at(one, "id"): one for one in wire.items_at(told, "includes", "users")}
    us, us_name = account.us, account.name
    found = []
    for post in wire.items_at(told, "data"):
        id, at = wire.text_at(post, "id"), wire.moment(wire.text_at(post, "created_at"))
        above = {
            wire.text_at(r, "type"): wire.text_at(r, "id") for r in wire.items_at(post, "referenced_tweets")
        }
        if not id.isdigit() or at is None or "retweeted" in above:
            continue
        number = wire.text_at(post, "author_id")
        # Of a long post the text holds the beginning alone.
        text = wire.text_at(post, "note_tweet", "text") or wire.text_at(post, "text")
        author = authors.get(number)
        handle = wire.text_at(author, "username") or (us_name if number == us else "")
        is_named = re.search(rf"@{re.escape(us_name)}(?!\w)", text, re.IGNORECASE) is not None
        found.append(
            Said(
                id=id,
                kind="post",
                ts=at,
                author=(handle or number).lower(),
                author_name=wire.text_at(author, "name"),
                text=text,
                in_reply_to=above.get("replied_to", ""),
                thread=wire.text_at(post, "conversation_id"),
                venue="x",
                language=_language(wire.text_at(post, "lang")),
                url=f"https://x.com/{handle or 'i'}/status/{id}",
                reach=wire.count_at(author, "public_metrics", "followers_count"),
                is_ours=number == us,
                asks_us=number != us and is_named,
            )
        )
    return found


def moment(id: str) -> dt.datetime:
    """When a post was made, as its number says."""
    return dt.datetime.fromtimestamp(((int(id) >> 22) + EPOCH_MS) / 1_000, dt.UTC)


def _language(code: str) -> str:
    return code if re.fullmatch(r"[a-z]{2}", code) else ""  # zxx, und and the like are no language


def _without_addresses(text: str) -> str:
    """They are shortened there."""
    return re.sub(r"https?://\S+", "", text)


plugin = X()
