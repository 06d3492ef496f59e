"""One round of reading: what concerns us, tags and timelines, what we said elsewhere, what is gone or changed.

Numbers grow with time, and `min_id` gives what comes right after one; so each stream is read from where it was
left, oldest first. 300 requests in five minutes are allowed to an account. Notifications (and the timeline,
where it is read) are asked for each round; everything else takes turns, one request a round.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rapport.kit import wire
from rapport.listening.contract import Context, Gap, Page, Said
from rapport.plugins.connectors.mastodon import statuses
from rapport.plugins.connectors.mastodon.server import Parameters, Refused, Server
from rapport.plugins.connectors.mastodon.statuses import Seen

LIMIT = 40
PAGES_MAX = 25  # of one stream in one round; the rest comes in the next, or is a gap on the first
KNOWN_MAX = 600
TAGS_AT_ONCE = 5  # one tag, and four more of which any will do
RECHECKED = 20  # as many as the server gives at once
RECHECK_EVERY, OWN_EVERY = dt.timedelta(seconds=40), dt.timedelta(seconds=30)
SEARCH_EVERY = dt.timedelta(seconds=60)

Read = Callable[[Any, str, str], Seen | None]


@dataclass(slots=True)
class Cursor:
    """What was read before.

    marks : by stream, the largest number that was read
    known : what was told, oldest first: number to when it was changed last; other things than posts have "-"
    threads : the thread of each post that is known, by its number
    due : when something was done last
    """

    marks: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    threads: dict[str, str] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    turn: int = 0  # of the tags
    place: int = 0  # of the words that are searched for
    again: int = 0  # of what is asked for once more

    @classmethod
    def read(cls, text: str) -> Cursor:
        """From its text; one that cannot be read is one that begins."""
        found = wire.document(text.encode())
        if not isinstance(found, dict):
            return cls()
        maps = {
            name: {k: v for k, v in (found.get(name) or {}).items() if isinstance(v, str)}
            for name in ("marks", "known", "threads", "due")
        }
        places = {name: wire.count_at(found, name) or 0 for name in ("turn", "place", "again")}
        return cls(
            maps["marks"],
            maps["known"],
            maps["threads"],
            maps["due"],
            places["turn"],
            places["place"],
            places["again"],
        )

    def text(self) -> str:
        """As text, with no more than it needs."""
        for name in list(self.known)[: max(len(self.known) - KNOWN_MAX, 0)]:
            del self.known[name]
        self.threads = {number: root for number, root in self.threads.items() if number in self.known}
        kept = {
            "marks": self.marks,
            "known": self.known,
            "threads": self.threads,
            "due": self.due,
            "turn": self.turn,
            "place": self.place,
            "again": self.again,
        }
        return json.dumps(kept, separators=(",", ":"))


class Round:
    """One round of reading with an account."""

    def __init__(self, server: Server, cursor: str, context: Context) -> None:
        self._server, self._context = server, context
        self._cursor = Cursor.read(cursor)
        self._us, self._host = server.us, server.config.host
        self._unread = 0

    def pages(self) -> Iterator[Page]:
        """Everything that is new."""
        before = self._cursor.text()
        told: Parameters = [("types[]", kind) for kind in statuses.TOLD]
        yield from self._stream("told", "/api/v1/notifications", told, statuses.notification)
        if self._server.config.timeline != "none" and self._context.words:
            local: Parameters = [("local", "true")] if self._server.config.timeline == "local" else []
            yield from self._stream(
                "timeline", "/api/v1/timelines/public", local, statuses.status, self._is_followed
            )
        tags = self._tags()
        if tags:
            asked: Parameters = [("any[]", tag) for tag in tags[1:]]
            name = "tags:" + ",".join(tags)
            yield from self._stream(name, f"/api/v1/timelines/tag/{tags[0]}", asked, statuses.status)
        yield from self._sometimes()
        gaps = self._gaps()
        if gaps or self._cursor.text() != before:
            yield Page((), self._cursor.text(), gaps)

    def _sometimes(self) -> Iterator[Page]:
        if self._is_due("own", OWN_EVERY):
            asked: Parameters = [("exclude_reblogs", "true")]
            yield from self._stream("own", f"/api/v1/accounts/{self._us}/statuses", asked, statuses.status)
        if self._context.words and self._is_due("search", SEARCH_EVERY):
            yield from self._search()
        if self._is_due("recheck", RECHECK_EVERY):
            yield from self._recheck()

    def _is_due(self, name: str, every: dt.timedelta) -> bool:
        now, last = self._context.now(), wire.moment(self._cursor.due.get(name, ""))
        if last is not None and last <= now < last + every:
            return False
        self._cursor.due[name] = wire.written(now)
        return True

    def _tags(self) -> Sequence[str]:
        """The tags whose turn it is."""
        tags = sorted({tag for word in self._context.words if (tag := tag_of(word))})
        groups = [tags[n : n + TAGS_AT_ONCE] for n in range(0, len(tags), TAGS_AT_ONCE)]
        if not groups:
            return ()
        self._cursor.turn = (self._cursor.turn + 1) % len(groups)
        return groups[self._cursor.turn]

    def _is_followed(self, seen: Seen) -> bool:
        """Whether a post of the timeline holds a word that is followed; what holds none is not kept."""
        text = plain(seen.said.text)
        return any(plain(word) in text for word in self._context.words)

    def _stream(
        self,
        name: str,
        path: str,
        asked: Parameters,
        read: Read,
        wanted: Callable[[Seen], bool] | None = None,
    ) -> Iterator[Page]:
        """Tell what one stream holds since it was left."""
        mark = self._cursor.marks.get(name, "")
        if not mark:
            yield from self._begin(name, path, asked, read, wanted)
            return
        for _ in range(PAGES_MAX):
            found = self._got(path, [*asked, ("min_id", mark), ("limit", LIMIT)]).value
            numbers = [wire.text_at(item, "id") for item in found]
            newest = max([mark, *filter(None, numbers)], key=statuses.in_order)
            if newest == mark:
                break
            mark = newest
            yield from self._told(self._whole(found, read, wanted), name, mark)

    def _begin(
        self, name: str, path: str, asked: Parameters, read: Read, wanted: Callable[[Seen], bool] | None
    ) -> Iterator[Page]:
        """The first time: back from now to where we begin, by the pages that the server links to."""
        got = self._got(path, [*asked, ("limit", LIMIT)])
        items: list[Any] = []
        gaps = list[Gap]()
        for n in range(PAGES_MAX):
            items += got.value
            times = [t for item in got.value if (t := wire.moment(wire.at(item, "created_at")))]
            onward = got.links.get("next")
            if not got.value or not onward or min(times, default=self._context.now()) < self._context.since:
                break
            if n == PAGES_MAX - 1:
                message = (
                    f"more than {PAGES_MAX * LIMIT} posts were there at the start; older ones were not read"
                )
                gaps.append(Gap(self._context.since, min(times), "horizon", message))
                break
            got = self._next(onward)
        numbers = [wire.text_at(item, "id") for item in items]
        mark = max(["0", *filter(None, numbers)], key=statuses.in_order)
        seen = [s for s in self._whole(items, read, wanted) if s.said.ts >= self._context.since]
        yield from self._told(seen, name, mark, gaps)

    def _told(
        self, seen: list[Seen], name: str = "", mark: str = "", gaps: Sequence[Gap] = ()
    ) -> Iterator[Page]:
        """A page of what is new, with what it answers; the mark moves on with it."""
        new = {s.number: s for s in seen if s.number not in self._cursor.known}
        ordered = sorted(new.values(), key=lambda s: (s.said.ts, statuses.in_order(s.number)))
        said = [one for s in ordered for one in self._with_ancestors(s)]
        if name:
            self._cursor.marks[name] = mark
        if said or gaps:
            yield Page(said, self._cursor.text(), gaps)

    def _with_ancestors(self, seen: Seen) -> Iterator[Said]:
        """What a post answers, as far as it is not known, and then the post."""
        parent = statuses.number_of(seen.said.in_reply_to)
        if parent and parent not in self._cursor.threads:
            for one in self._ancestors(seen.number):
                if one.number not in self._cursor.known:
                    yield self._noted(one)
        if seen.number not in self._cursor.known:
            yield self._noted(seen)

    def _ancestors(self, number: str) -> list[Seen]:
        try:
            found = self._server.get(f"/api/v1/statuses/{number}/context").value
        except Refused as refused:
            if refused.status == 404:  # it was deleted since
                return []
            raise refused.failed from None
        return self._whole(wire.items_at(found, "ancestors"), statuses.status)

    def _noted(self, seen: Seen) -> Said:
        """Remember that it was told; and which thread it is in, which the server does not say."""
        self._cursor.known[seen.number] = seen.edited if seen.said.kind == "post" else "-"
        if seen.said.kind != "post":
            return seen.said
        root = self._cursor.threads.get(statuses.number_of(seen.said.in_reply_to))
        root = root or seen.said.thread or seen.said.in_reply_to
        self._cursor.threads[seen.number] = root
        one = seen.said
        return one if one.thread == root else replace(one, thread=root)

    def _got(self, path: str, asked: Parameters) -> Any:
        try:
            got = self._server.get(path, asked)
        except Refused as refused:
            raise refused.failed from None
        return got if isinstance(got.value, list) else type(got)([], got.links)

    def _next(self, address: str) -> Any:
        try:
            got = self._server.next_of(address)
        except Refused as refused:
            raise refused.failed from None
        return got if isinstance(got.value, list) else type(got)([], got.links)

    def _search(self) -> Iterator[Page]:
        """Words in the texts of posts, where the server searches them; many find their own people's alone."""
        words = self._context.words
        place = self._cursor.place % len(words)
        self._cursor.place = place + 1
        mark = self._cursor.marks.get(f"search:{words[place]}", "")
        asked: Parameters = [
            ("q", words[place]),
            ("type", "statuses"),
            ("limit", LIMIT),
            *([("min_id", mark)] if mark else []),
        ]
        try:
            found = self._server.get("/api/v2/search", asked).value
        except Refused as refused:
            if refused.status in {403, 404}:  # a token without that right, or a server without it
                return
            raise refused.failed from None
        items = wire.items_at(found, "statuses")
        seen = [s for s in self._whole(items, statuses.status) if s.said.ts >= self._context.since]
        newest = max([mark or "0", *(s.number for s in seen)], key=statuses.in_order)
        yield from self._told(seen, f"search:{words[place]}", newest)

    def _whole(
        self, items: Sequence[Any], read: Read, wanted: Callable[[Seen], bool] | None = None
    ) -> list[Seen]:
        """What can be read and is wanted; what cannot be read is counted once."""
        whole = []
        for item in items:
            if wire.at(item, "reblog") or (read is statuses.notification and statuses.is_other(item)):
                continue
            seen = read(item, self._us, self._host)
            if seen is None:
                text = json.dumps(item, sort_keys=True).encode()
                name = "unread-" + hashlib.sha256(text).hexdigest()[:12]
                self._unread += name not in self._cursor.known
                self._cursor.known[name] = "-"
            elif wanted is None or wanted(seen):
                whole.append(seen)
        return whole

    def _gaps(self) -> list[Gap]:
        if not self._unread:
            return []
        now = self._context.now()
        return [Gap(now, now, "unreachable", f"{self._unread} entries came in a form that could not be read")]

    def among(self, numbers: Sequence[str]) -> list[Said]:
        """Which of some statuses are gone, and which were changed since they were first told."""
        said: list[Said] = []
        for start in range(0, len(numbers), RECHECKED):
            part = numbers[start : start + RECHECKED]
            there = {s.number: s for s in self._again(part)}
            said += [self._gone(n) for n in part if n not in there and self._is_gone(n)]
            said += [statuses.changed(s, self._context.now()) for s in there.values() if s.edited]
        return said

    def _recheck(self) -> Iterator[Page]:
        """Ask for some of what was told once more: what is gone, and what has changed."""
        held = [number for number, edited in self._cursor.known.items() if edited != "-"]
        start = self._cursor.again if self._cursor.again < len(held) else 0
        part = held[start : start + RECHECKED]
        self._cursor.again = start + len(part)
        if not part:
            return
        there = {s.number: s for s in self._again(part)}
        said = []
        for number in part:
            seen = there.get(number)
            if seen is None and self._is_gone(number):
                said.append(self._gone(number))
            elif seen is not None and seen.edited != self._cursor.known[number]:
                self._cursor.known[number] = seen.edited
                said.append(statuses.changed(seen, self._context.now()))
        if said:
            yield Page(said, self._cursor.text())

    def _again(self, numbers: Sequence[str]) -> list[Seen]:
        """Those that are still there; servers before 4.3 cannot be asked for many at once."""
        try:
            found = self._server.get("/api/v1/statuses", [("id[]", number) for number in numbers]).value
        except Refused as refused:
            if refused.status not in {404, 405}:
                raise refused.failed from None
            return [s for number in numbers[:5] if (s := self._one(number))]
        return self._whole(found if isinstance(found, list) else [], statuses.status)

    def _one(self, number: str) -> Seen | None:
        try:
            found = self._server.get(f"/api/v1/statuses/{number}").value
        except Refused as refused:
            if refused.status in {404, 410}:
                return None
            raise refused.failed from None
        return statuses.status(found, self._us, self._host)

    def _is_gone(self, number: str) -> bool:
        try:
            self._server.get(f"/api/v1/statuses/{number}")
        except Refused as refused:
            if refused.status in {404, 410}:
                return True
            raise refused.failed from None
        return False

    def _gone(self, number: str) -> Said:
        self._cursor.known.pop(number, None)
        id = f"{number}@{self._host}"
        now = self._context.now()
        return Said(f"{id}#deletion", "deletion", now, "", about=id, venue=f"mastodon:{self._host}")


def tag_of(word: str) -> str:
    """The tag that a word or phrase would be; empty where it can be none."""
    tag = re.sub(r"[^\w]", "", word).lower()
    return tag if re.search(r"[^\W\d_]", tag) else ""


def plain(text: str) -> str:
    """A text as words are looked for in it: without case, accents and marks."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in spread if not unicodedata.combining(c))))
