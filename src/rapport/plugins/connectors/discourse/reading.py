"""One round of reading a forum: what addresses us, its newest posts, older ones by search, what is gone or changed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from rapport.kit import wire
from rapport.kit.marks import Found, Marks
from rapport.listening.contract import Context, Gap, Page, Said
from rapport.plugins.connectors.discourse import forum as forums
from rapport.plugins.connectors.discourse.forum import Forum, Parameters

WINDOW = 50  # the forum's newest posts come by windows of so many numbers
EMPTY_MAX = 5  # windows that hold nothing we may see, one after the other
TOLD_PAGE = 60
SEARCH_EVERY_S, RECHECK_EVERY_S, RECHECKED = 300.0, 60.0, 5
FOUND_MAX = 15  # posts that a search found and that are asked for in one round
_WORD = re.compile(r"\w+")


class Round:
    """One round."""

    def __init__(self, forum: Forum, marks: Marks, context: Context) -> None:
        self._forum, self._marks, self._context = forum, marks, context
        self._host, self._us = forum.config.host, forum.config.api_username

    def pages(self) -> Iterator[Page]:
        """Everything that is new."""
        before = self._marks.text()
        yield from self._to_us()
        yield from self._newest()
        now = self._context.now()
        if self._context.words and self._marks.is_due("search", SEARCH_EVERY_S, now):
            yield from self._search()
        if self._marks.is_due("recheck", RECHECK_EVERY_S, now):
            yield from self._recheck()
        if self._marks.text() != before:
            yield Page((), self._marks.text())

    def _to_us(self) -> Iterator[Page]:
        """What the forum notifies the account of: answers, mentions, private messages, likes."""
        told_at: list[dt.datetime] = []
        walk = self._marks.walk("told", self._told(told_at), self._context.since)
        if told_at:
            self._marks.left["told"] = wire.written(max(told_at))
        said: list[Said] = []
        topics: dict[int, set[str]] = {}
        for one in self._marks.new(walk.found):
            if one.kind == "reaction":
                said.append(one)
            else:
                topics.setdefault(forums.place_of(one.id, self._host)[0], set()).add(one.about)
        for number, ids in topics.items():
            said += self._addressed(number, ids)
        if said or walk.cut is not None:
            said.sort(key=lambda one: (one.ts, one.id))
            yield Page(said, self._marks.text(), self._gaps(walk.since, walk.cut))

    def _addressed(self, number: int, ids: set[str]) -> list[Said]:
        """What of a topic is put to us: all where it is private, else what answers or names us.

        The forum tells of a topic once, however many posts came there since somebody read it in the account's
        name, which nobody does. So it is asked for the topic itself. `ids` are posts that it did name.
        """
        topic = self._forum.topic(number)
        found = []
        for post in self._forum.posts(topic) if topic else ():
            is_named = str(wire.count_at(post, "id")) in ids
            seen = forums.read(post, self._host, self._us, asks_us=is_named, topic=topic)
            if seen and seen.at >= self._context.since and (seen.said.is_private or seen.said.asks_us):
                found.append(seen)
        return list(self._marks.new(sorted(found, key=lambda one: (one.at, one.id))))

    def _told(self, told_at: list[dt.datetime]) -> Iterator[list[Found[Said]]]:
        """Pages of notifications; badges and the like are passed over, and say all the same how far the list goes."""
        offset, since = 0, self._marks.since("told", self._context.since)
        while True:
            asked: Parameters = [("username", self._us), ("limit", TOLD_PAGE), ("offset", offset)]
            items = wire.items_at(self._forum.get("/notifications.json", asked), "notifications")
            yield [one for item in items if (one := self._notified(item))]
            offset += len(items)
            told_at += [at for item in items if (at := wire.moment(wire.at(item, "created_at")))]
            if len(items) < TOLD_PAGE or min(told_at, default=since) < since:
                return

    def _notified(self, item: object) -> Found[Said] | None:
        number, at = wire.count_at(item, "id"), wire.moment(wire.at(item, "created_at"))
        kind = wire.at(item, "notification_type")
        topic, post = wire.count_at(item, "topic_id"), wire.count_at(item, "post_number")
        if number is None or at is None or not topic or not post:
            return None
        id, venue = f"{topic}/{post}@{self._host}", f"discourse:{self._host}"
        who = wire.text_at(item, "data", "display_username") or wire.text_at(item, "data", "username")
        author = f"{who.lower()}@{self._host}" if who else ""
        if kind == forums.LIKED:
            said = Said(f"like-{number}@{self._host}", "reaction", at, author, about=id, venue=venue)
            return Found(f"told-{number}", at, said)
        if kind in forums.TO_US:
            about = str(wire.count_at(item, "data", "original_post_id") or "")
            return Found(f"told-{number}", at, Said(id, "post", at, author, about=about))
        return None

    def _whole(self, id: str, titles: Mapping[int, str]) -> Said | None:
        """A public post that is known by its id alone; None where it is gone."""
        topic, number = forums.place_of(id, self._host)
        post = self._forum.get_if_there(f"/posts/by_number/{topic}/{number}.json")
        where = forums.Topic(topic, titles.get(topic, ""), False, ())
        seen = forums.read(post, self._host, self._us, topic=where)
        return next(self._marks.new([seen]), None) if seen else None

    def _newest(self) -> Iterator[Page]:
        walk = self._marks.walk("newest", self._windows(), self._context.since)
        is_all = self._forum.config.which == "all"
        wanted = [one for one in walk.found if is_all or self._concerns(one.said)]
        edits = [self._edit(one) for one in self._marks.changed(wanted)]
        said = [*self._marks.new(wanted), *edits]
        gaps = self._gaps(walk.since, walk.cut)
        if said or gaps:
            yield Page(said, self._marks.text(), gaps)

    def _windows(self) -> Iterator[list[Found[Said]]]:
        before, n_empty = 0, 0
        while n_empty < EMPTY_MAX:
            told = self._forum.get("/posts.json", [("before", before)] if before else [])
            posts = wire.items_at(told, "latest_posts")
            numbers = [n for post in posts if (n := wire.count_at(post, "id"))]
            seen = [one for post in posts if (one := forums.read(post, self._host, self._us))]
            if seen:
                yield seen
            # A window may hold nothing but what we may not see, and more may lie behind it.
            n_empty = 0 if seen else n_empty + 1
            before = min(numbers) - 1 if numbers else before - WINDOW
            if before <= 0:
                return

    def _concerns(self, said: Said) -> bool:
        text = spaced(said.text)
        return said.asks_us or said.is_ours or names(text, self._context)

    def _search(self) -> Iterator[Page]:
        """Older posts with words that are followed only since, or that came while nobody read."""
        day = self._context.since.date().isoformat()
        for word in self._marks.part("word", self._context.words, 1):
            plain = re.sub(r'["\\]', " ", word)
            found = self._forum.get(
                "/search.json", [("q", f'"{plain}" after:{day} order:latest'), ("page", 1)]
            )
            ids = [
                f"{topic}/{number}@{self._host}"
                for post in wire.items_at(found, "posts")
                if (topic := wire.count_at(post, "topic_id"))
                and (number := wire.count_at(post, "post_number"))
            ]
            titles = {
                number: wire.text_at(one, "title")
                for one in wire.items_at(found, "topics")
                if (number := wire.count_at(one, "id"))
            }
            fresh = [id for id in ids if id not in self._marks.known][:FOUND_MAX]
            whole = [post for id in fresh if (post := self._whole(id, titles))]
            said = [post for post in whole if post.ts >= self._context.since]
            if said:
                yield Page(sorted(said, key=lambda one: one.ts), self._marks.text())

    def _recheck(self) -> Iterator[Page]:
        """Ask for some of what was told once more."""
        held = [id for id in self._marks.held() if "/" in id]
        said: list[Said] = []
        for id in self._marks.part("recheck", held, RECHECKED):
            topic, number = forums.place_of(id, self._host)
            post = self._forum.get_if_there(f"/posts/by_number/{topic}/{number}.json")
            seen = forums.read(post, self._host, self._us)
            if seen is None:
                self._marks.forget(id)
                said.append(deletion(id, self._host, self._context.now()))
            elif list(self._marks.changed([seen])):
                where = self._forum.topic(topic)
                whole = forums.read(post, self._host, self._us, topic=where) if where else None
                said.append(edit(whole or seen, self._context.now()))
        if said:
            yield Page(said, self._marks.text())

    def _edit(self, said: Said) -> Said:
        return edit(Found(said.id, said.ts, said, self._marks.known[said.id]), self._context.now())

    def _gaps(self, since: dt.datetime, cut: dt.datetime | None) -> list[Gap]:
        if cut is None:
            return []
        return [Gap(since, cut, "horizon", f"more was said on {self._host} than we read back in one round")]


def edit(seen: Found[Said], now: dt.datetime) -> Said:
    """That a post was changed, and what it says now."""
    one = seen.said
    id = f"{one.id}#{seen.version}"
    return Said(
        id, "edit", now, one.author, one.text, about=one.id, venue=one.venue, is_private=one.is_private
    )


def deletion(id: str, host: str, now: dt.datetime) -> Said:
    """That a post is gone."""
    return Said(f"{id}#deletion", "deletion", now, "", about=id, venue=f"discourse:{host}")


def names(text: str, context: Context) -> bool:
    """Whether a text, spaced, holds one of the words that are followed."""
    return any(
        (spaced(word).rstrip() if word in context.beginnings else spaced(word)) in text
        for word in context.words
    )


def spaced(text: str) -> str:
    """A text as words are looked for in it."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
