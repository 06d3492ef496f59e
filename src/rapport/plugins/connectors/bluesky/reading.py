"""One round of reading: what concerns us, what we said elsewhere, what was found, what went on, what is gone.

Everything is read newest first, as the network gives it, down to what was read before, and then told oldest
first. The cursor is what was read before: a time for each stream, and the newest posts with their versions,
by which what comes twice is known, and which are asked for again to learn what was deleted or changed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rapport.kit import wire
from rapport.listening.contract import Context, Gap, Page, Said
from rapport.plugins.connectors.bluesky import posts
from rapport.plugins.connectors.bluesky.account import Account, Refused
from rapport.plugins.connectors.bluesky.posts import Seen

PER_REQUEST, PER_PAGE = 100, 100
POSTS_AT_ONCE = 25  # of getPosts
PAGES_MAX = 30  # of one stream in one round; what lies beyond is a gap
KNOWN_MAX = 800  # posts and reactions that are remembered
WORDS_AT_ONCE = 15  # searches a round: 3,000 requests in five minutes are allowed to one address
ANCESTORS_MAX = 10  # how far up a thread we go to see what was answered
OVERLAP = dt.timedelta(minutes=3)  # the network indexes posts a little out of order
OWN_EVERY, THREADS_EVERY = dt.timedelta(seconds=15), dt.timedelta(seconds=20)
RECHECK_EVERY, RECHECKED = dt.timedelta(seconds=60), 100
GONE = frozenset(
    {"RecordNotFound", "RepoNotFound", "RepoDeactivated", "RepoTakendown", "RepoSuspended", "NotFound"}
)
WATCHED_MAX, WATCHED_FOR = 20, dt.timedelta(days=3)

Ask = Callable[[str], tuple[list[Seen], int, str]]
Order = Callable[[Seen], dt.datetime]


def _as_indexed(seen: Seen) -> dt.datetime:
    """Notifications come in the order in which the network had them."""
    return seen.indexed_at


def _as_said(seen: Seen) -> dt.datetime:
    """Feeds and searches come in the order of what authors say, where that is not later."""
    return seen.said.ts


@dataclass(slots=True)
class Cursor:
    """What was read before.

    marks : by stream (`told`, `own`, `word:...`), the newest time up to which all was read
    known : what was told, oldest first: id to version; reactions and blocks have none
    watched : threads in which we spoke: the first post, and until when they are looked at
    due : when something was done last
    """

    marks: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    watched: dict[str, str] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    turn: int = 0
    place: int = 0

    @classmethod
    def read(cls, text: str) -> Cursor:
        """From its text; one that cannot be read is one that begins."""
        found = wire.document(text.encode())
        if not isinstance(found, dict):
            return cls()
        maps = {
            name: {k: v for k, v in (found.get(name) or {}).items() if isinstance(v, str)}
            for name in ("marks", "known", "watched", "due")
        }
        return cls(**maps, turn=wire.count_at(found, "turn") or 0, place=wire.count_at(found, "place") or 0)

    def text(self) -> str:
        """As text, with no more than it needs."""
        for name in list(self.known)[: max(len(self.known) - KNOWN_MAX, 0)]:
            del self.known[name]
        kept = {
            "marks": self.marks,
            "known": self.known,
            "watched": self.watched,
            "due": self.due,
            "turn": self.turn,
            "place": self.place,
        }
        return json.dumps(kept, separators=(",", ":"))


class Round:
    """One round of reading with an account."""

    def __init__(self, account: Account, cursor: str, context: Context) -> None:
        self._account, self._context = account, context
        self._cursor = Cursor.read(cursor)
        self._us = account.did
        self._unread = 0

    def pages(self) -> Iterator[Page]:
        """Everything that is new."""
        before = self._cursor.text()
        yield from self._stream("told", self._notifications, _as_indexed)
        if self._is_due("own", OWN_EVERY):
            yield from self._stream("own", self._own, _as_said)
        for word in self._words():
            if self._context.is_stopping():
                break
            yield from self._stream(f"word:{word}", partial(self._found, word), _as_said)
        if self._is_due("threads", THREADS_EVERY):
            yield from self._threads()
        if self._is_due("recheck", RECHECK_EVERY):
            yield from self._recheck()
        gaps = self._gaps()
        if gaps or self._cursor.text() != before:
            yield Page((), self._cursor.text(), gaps)

    def _is_due(self, name: str, every: dt.timedelta) -> bool:
        now, last = self._context.now(), wire.moment(self._cursor.due.get(name, ""))
        if last is not None and last <= now < last + every:
            return False
        self._cursor.due[name] = wire.written(now)
        return True

    def _words(self) -> Sequence[str]:
        """The words whose turn it is: all, where they are few."""
        words = list(self._context.words)
        if len(words) <= WORDS_AT_ONCE:
            return words
        first = self._cursor.turn % len(words)
        self._cursor.turn = (first + WORDS_AT_ONCE) % len(words)
        return [*words[first:], *words[:first]][:WORDS_AT_ONCE]

    def _stream(self, name: str, ask: Ask, order: Order) -> Iterator[Page]:
        """Read one stream down to its mark, and tell it from there."""
        last = wire.moment(self._cursor.marks.get(name, ""))
        down_to = (last - OVERLAP) if last else self._context.since
        found: dict[str, Seen] = {}
        times = [last or self._context.since]
        at, gaps = "", list[Gap]()
        for n in range(PAGES_MAX + 1):
            if n == PAGES_MAX:
                message = f"more than {PAGES_MAX * PER_REQUEST} posts came at once; older ones were not read"
                gaps.append(Gap(down_to, min(times[1:], default=down_to), "horizon", message))
                break
            seen, n_items, at = ask(at)
            times += map(order, seen)
            found |= {
                s.said.id: s for s in seen if order(s) >= down_to and s.said.id not in self._cursor.known
            }
            if not at or not n_items or any(order(s) < down_to for s in seen):
                break
        yield from self._told(
            posts.oldest_first(list(found.values())[::-1]), gaps, name, wire.written(max(times))
        )

    def _told(
        self, seen: list[Seen], gaps: Sequence[Gap] = (), stream: str = "", mark: str = ""
    ) -> Iterator[Page]:
        """Pages of what is new, each with what it answers; the mark moves on with the last of them."""
        if not seen and not gaps:
            if stream:
                self._cursor.marks[stream] = mark
            return
        for start in range(0, max(len(seen), 1), PER_PAGE):
            part = seen[start : start + PER_PAGE]
            part = [*self._ancestors(part), *part]
            said = [one for s in part for one in (s.said, *self._block(s))]
            for s in part:
                self._note(s)
            is_last = start + PER_PAGE >= len(seen)
            if stream and is_last:
                self._cursor.marks[stream] = mark
            yield Page(said, self._cursor.text(), gaps if is_last else ())

    def _note(self, seen: Seen) -> None:
        said = seen.said
        self._cursor.known[said.id] = seen.cid[-8:]
        if said.is_ours and said.in_reply_to:
            until = wire.written(said.ts + WATCHED_FOR)
            self._cursor.watched[said.thread] = max(until, self._cursor.watched.get(said.thread, ""))
            for root in sorted(self._cursor.watched, key=self._cursor.watched.__getitem__)[:-WATCHED_MAX]:
                del self._cursor.watched[root]

    def _block(self, seen: Seen) -> Iterator[Said]:
        if seen.blocks_us:
            yield from self._blocked(posts.did_of(seen.said.id), seen.said.author)

    def _blocked(self, did: str, author: str) -> Iterator[Said]:
        name = f"{did}#block"
        if name not in self._cursor.known:
            self._cursor.known[name] = ""
            yield Said(name, "block", self._context.now(), author, venue="bluesky")

    def _notifications(self, at: str) -> tuple[list[Seen], int, str]:
        found = self._account_query("app.bsky.notification.listNotifications", [("limit", PER_REQUEST)], at)
        items = wire.items_at(found, "notifications")
        ours = [i for i in items if not posts.is_other(i)]
        return self._whole(ours, posts.notification), len(items), wire.text_at(found, "cursor")

    def _own(self, at: str) -> tuple[list[Seen], int, str]:
        asked = [("actor", self._us), ("filter", "posts_with_replies"), ("limit", PER_REQUEST)]
        found = self._account_query("app.bsky.feed.getAuthorFeed", asked, at)
        items = wire.items_at(found, "feed")
        # What we passed on is in the feed as well, with the reason for it.
        mine = [wire.at(i, "post") for i in items if not wire.at(i, "reason")]
        mine = [view for view in mine if posts.did_of(wire.text_at(view, "uri")) == self._us]
        return self._whole(mine, posts.post), len(items), wire.text_at(found, "cursor")

    def _found(self, word: str, at: str) -> tuple[list[Seen], int, str]:
        last = wire.moment(self._cursor.marks.get(f"word:{word}", ""))
        since = wire.written((last - OVERLAP) if last else self._context.since)
        phrase = word if word.isalnum() else '"' + word.replace('"', " ") + '"'
        asked = [("q", phrase), ("sort", "latest"), ("since", since), ("limit", PER_REQUEST)]
        found = self._account_query("app.bsky.feed.searchPosts", asked, at)
        items = wire.items_at(found, "posts")
        return self._whole(items, posts.post), len(items), wire.text_at(found, "cursor")

    def _account_query(self, method: str, asked: list[tuple[str, Any]], at: str) -> Any:
        try:
            return self._account.query(method, [*asked, ("cursor", at)] if at else asked)
        except Refused as refused:
            raise refused.failed from None

    def _whole(self, items: Sequence[Any], read: Callable[[Any, str], Seen | None]) -> list[Seen]:
        """What can be read; what cannot is counted once."""
        whole = []
        for item in items:
            seen = read(item, self._us)
            if seen is not None:
                whole.append(seen)
                continue
            text = json.dumps(item, sort_keys=True).encode()
            name = "unread:" + hashlib.sha256(text).hexdigest()[:12]
            self._unread += name not in self._cursor.known
            self._cursor.known[name] = ""
        return whole

    def _gaps(self) -> list[Gap]:
        if not self._unread:
            return []
        now = self._context.now()
        message = f"{self._unread} entries came in a form that could not be read"
        return [Gap(now, now, "unreachable", message)]

    def _posts(self, uris: Sequence[str]) -> list[Seen]:
        """Those of some posts that can be seen."""
        found: list[Seen] = []
        for start in range(0, len(uris), POSTS_AT_ONCE):
            asked = [("uris", uri) for uri in uris[start : start + POSTS_AT_ONCE]]
            answer = self._account_query("app.bsky.feed.getPosts", asked, "")
            found += self._whole(wire.items_at(answer, "posts"), posts.post)
        return found

    def _ancestors(self, seen: Sequence[Seen]) -> list[Seen]:
        """What new posts answer, as far as it is not known."""
        here, found = {s.said.id for s in seen}, list[Seen]()
        level = list(seen)
        for _ in range(ANCESTORS_MAX):
            wanted = {
                u for s in level for u in (s.said.in_reply_to, s.said.thread) if s.said.kind == "post" and u
            }
            wanted -= here | self._cursor.known.keys()
            if not wanted:
                break
            level = self._posts(sorted(wanted))
            here |= wanted
            found += level
        return posts.oldest_first(found)

    def _threads(self) -> Iterator[Page]:
        """What went on in threads in which we spoke, though it addresses somebody else."""
        now = wire.written(self._context.now())
        for root, until in list(self._cursor.watched.items()):
            if until < now:
                del self._cursor.watched[root]
                continue
            try:
                found = self._account.query(
                    "app.bsky.feed.getPostThread", [("uri", root), ("depth", 50), ("parentHeight", 0)]
                )
            except Refused as refused:
                if refused.name != "NotFound":
                    raise refused.failed from None
                del self._cursor.watched[root]
                continue
            new = [
                s
                for s in posts.in_thread(wire.at(found, "thread"), self._us)
                if s.said.id not in self._cursor.known
            ]
            yield from self._told(posts.oldest_first(new))

    def among(self, uris: Sequence[str]) -> list[Said]:
        """Which of some posts are gone."""
        there = {seen.said.id for seen in self._posts(uris)}
        return [one for uri in uris if uri not in there for one in self._gone(uri)]

    def _recheck(self) -> Iterator[Page]:
        """Ask for some of what was told once more: what is gone, and what has changed."""
        held = [uri for uri, cid in self._cursor.known.items() if cid]
        start = self._cursor.place if self._cursor.place < len(held) else 0
        part = held[start : start + RECHECKED]
        self._cursor.place = start + len(part)
        there = {s.said.id: s for s in self._posts(part)}
        said = [one for uri in part if uri not in there for one in self._gone(uri)]
        for uri, seen in there.items():
            if seen.cid[-8:] != self._cursor.known[uri]:
                self._cursor.known[uri] = seen.cid[-8:]
                one = seen.said
                said.append(
                    Said(
                        f"{uri}#{seen.cid}",
                        "edit",
                        self._context.now(),
                        one.author,
                        one.text,
                        about=uri,
                        venue="bluesky",
                    )
                )
        if said:
            yield Page(said, self._cursor.text())

    def _gone(self, uri: str) -> Iterator[Said]:
        """A post that is not shown: deleted, or hidden because its author blocks us."""
        did, _, path = uri.removeprefix("at://").partition("/")
        collection, _, rkey = path.partition("/")
        try:
            self._account.query(
                "com.atproto.repo.getRecord", [("repo", did), ("collection", collection), ("rkey", rkey)]
            )
        except Refused as refused:
            if not _is_gone(refused):
                raise refused.failed from None
            self._cursor.known.pop(uri, None)
            yield Said(f"{uri}#deletion", "deletion", self._context.now(), "", about=uri, venue="bluesky")
            return
        profile = self._account_query("app.bsky.actor.getProfile", [("actor", did)], "")
        if wire.at(profile, "viewer", "blockedBy") is True:
            yield from self._blocked(did, posts.author_of(profile))


def _is_gone(refused: Refused) -> bool:
    """Whether a server says that there is no such post, or no such account any more."""
    words = refused.words.lower()
    named = refused.name in GONE or "could not locate record" in words or "could not find repo" in words
    return named and refused.status in {400, 404}
