"""YouTube: comments on the firm's channel and its videos, and our answers (Data API v3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
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
from rapport.plugins.connectors.youtube import channel as channels
from rapport.plugins.connectors.youtube.channel import Channel, Config

PAGE = 100  # the most that a list gives at once
IDS_MAX = 50  # the most ids in one question
LENGTH_MAX = 10_000
THREADS_EVERY_S, OLDER_EVERY_S = 60.0, 120.0


class YouTube:
    """One channel."""

    name = "youtube"
    title = "YouTube"
    network = "youtube"
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
        source="https://developers.google.com/youtube/terms/developer-policies",
        read_on=dt.date(2026, 11, 22),
        as_of=dt.date(2026, 6, 1),
        note=(
            "What is kept of YouTube has to be asked for again or deleted within thirty days, and within seven where "
            "somebody asks to have theirs deleted. Nothing may be derived of it that YouTube does not show itself, "
            "nor summed over channels of several owners, and somebody has to agree to each comment before it is "
            "posted. The 48 hours for deletions are our own caution."
        ),
    )
    manners = Manners(requests=60, per_s=60, every_s=60, length_max=LENGTH_MAX)
    costs = "Free within 10,000 units a day; it needs a project of the firm's own in Google Cloud."
    sees = "Comments and answers under the channel's videos, what becomes of them, and what the channel says there."
    cannot_see = (
        "Comments under videos of others, live chats, comments held for review, and answers to threads that are "
        "older than the newest 800."
    )

    def check(self, config: Config) -> None:
        channels.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        channel = Channel(config, context)

        def who() -> str:
            told = channel.get("channels", [("part", "id,snippet"), ("mine", "true")])
            mine = [wire.text_at(one, "id") for one in wire.items_at(told, "items")]
            if config.channel not in mine:
                message = "it is that of another channel: " + (", ".join(mine) or "of none")
                raise Failed(message, hint="Let the owner of this channel agree.")
            return (
                f"it is that of {wire.text_at(told, 'items', mine.index(config.channel), 'snippet', 'title')}"
            )

        def comments() -> str:
            channel.get("commentThreads", _threads(config, 1))
            return "can be read"

        def answers() -> str:
            scope = channel.scope()
            if scope and channels.SCOPE not in scope:
                raise Failed("the log-in is not for youtube.force-ssl")
            return "can be posted"

        hint = "Let the channel's owner agree anew, with the scope youtube.force-ssl."
        return tried(("Comments", comments, hint), ("Answers", answers, hint), who=who)

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from _Round(Channel(config, context), Marks.read(cursor), context).pages()

    def recheck(self, config: Config, ids: Sequence[str], context: Context) -> Sequence[Said]:
        channel, now = Channel(config, context), context.now()
        said: list[Said] = []
        for start in range(0, len(ids), IDS_MAX):
            part = ids[start : start + IDS_MAX]
            held = channel.by_id("comments", [("part", "snippet"), ("textFormat", "plainText")], part)
            if held is None:
                continue  # an answer that is not whole says nothing of what is gone
            said += [Said(f"{id}#deletion", "deletion", now, "", about=id) for id in part if id not in held]
            said += [edit for id in part if id in held and (edit := _edit(held[id], config.channel))]
        return said

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        channel = Channel(config, context)
        if draft.in_reply_to:
            # Threads have one level: an answer to an answer goes under the comment that began it.
            above = draft.in_reply_to.partition(".")[0]
            made = channel.post("comments", {"snippet": {"parentId": above, "textOriginal": draft.text}})
            number, video = wire.text_at(made, "id"), wire.text_at(made, "snippet", "videoId")
        else:
            video = draft.venue.removeprefix("youtube:")
            if not re.fullmatch(r"[\w-]{11}", video, re.ASCII):
                raise Failed(
                    "a comment of our own needs a video",
                    is_permanent=True,
                    hint="Name the venue as youtube:ID, with the id of the video.",
                )
            comment = {"snippet": {"textOriginal": draft.text}}
            snippet = {"channelId": config.channel, "videoId": video, "topLevelComment": comment}
            number = wire.text_at(channel.post("commentThreads", {"snippet": snippet}), "id")
        if not number:
            raise Failed("YouTube does not say what became of it", is_unsure=True, retry_after_s=30.0)
        return Receipt(number, _url(video, number))

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        channel = Channel(config, context)
        if draft.in_reply_to:
            listed = _answers(channel, draft.in_reply_to.partition(".")[0])
        else:
            asked = [
                ("part", "snippet"),
                ("videoId", draft.venue.removeprefix("youtube:")),
                ("order", "time"),
            ]
            told = channel.get("commentThreads", [*asked, ("textFormat", "plainText"), ("maxResults", PAGE)])
            listed = iter([wire.at(t, "snippet", "topLevelComment") for t in wire.items_at(told, "items")])
        for comment in listed:
            seen = _read(comment, config.channel)
            if seen and seen.said.is_ours and wire.says(seen.said.text, draft.text):
                return Receipt(seen.id, seen.said.url)
        return None


class _Round:
    """One round of reading."""

    def __init__(self, channel: Channel, marks: Marks, context: Context) -> None:
        self._channel, self._marks, self._context = channel, marks, context
        self._us = channel.config.channel

    def pages(self) -> Iterator[Page]:
        marks, now = self._marks, self._context.now()
        before = marks.text()
        if marks.is_due("threads", THREADS_EVERY_S, now):
            yield from self._newest()
        if marks.is_due("older", OLDER_EVERY_S, now):
            yield from self._older()
        if marks.text() != before:
            yield Page((), marks.text())

    def _newest(self) -> Iterator[Page]:
        """Threads that began since the list was left."""
        walk = self._marks.walk("threads", self._listed(), self._context.since)
        gaps = []
        if walk.cut is not None and walk.cut > walk.since:
            message = "more comments came than can be read at once"
            gaps.append(Gap(walk.since, walk.cut, "horizon", message))
        fresh = [one for one in walk.found if one.id not in self._marks.known]
        said = [part for one in fresh for part in self._told(one.said)]
        for one in fresh:
            self._marks.known[one.id] = one.version
        if said or gaps:
            yield Page(sorted(said, key=lambda one: (one.ts, one.id)), self._marks.text(), gaps)

    def _older(self) -> Iterator[Page]:
        """Answers in threads that we know: a thread keeps its place in the list when somebody answers."""
        part = self._marks.part("older", self._marks.held(), IDS_MAX)
        if not part:
            return
        asked = [("part", "snippet,replies"), ("textFormat", "plainText")]
        held = self._channel.by_id("commentThreads", asked, part)
        for id in part:
            if held is not None and id not in held:
                self._marks.forget(
                    id
                )  # what tells that it is gone is the core, which asks for all that is kept
        said: list[Said] = []
        for id, thread in (held or {}).items():
            count = _count(thread)
            if self._marks.known.get(id, count) != count:
                self._marks.known[id] = count
                said += self._told(thread)[1:]
        if said:
            yield Page(said, self._marks.text())

    def _listed(self) -> Iterator[list[Found[Any]]]:
        onward = ""
        while True:
            asked = _threads(self._channel.config, PAGE) + ([("pageToken", onward)] if onward else [])
            told = self._channel.get("commentThreads", asked)
            found = []
            for thread in wire.items_at(told, "items"):
                seen = _read(wire.at(thread, "snippet", "topLevelComment"), self._us)
                if seen is not None:
                    found.append(Found(seen.id, seen.at, thread, _count(thread)))
            yield found
            onward = wire.text_at(told, "nextPageToken")
            if not onward:
                return

    def _told(self, thread: Any) -> list[Said]:
        """The comment that began a thread, and its answers: those that the list left out are asked for."""
        seen = _read(wire.at(thread, "snippet", "topLevelComment"), self._us)
        if seen is None:
            return []
        held = wire.items_at(thread, "replies", "comments")
        if len(held) < (wire.count_at(thread, "snippet", "totalReplyCount") or 0):
            try:
                held = list(_answers(self._channel, seen.id))
            except Failed as failed:
                # Some threads cannot be listed, now or ever; what came with them is better than none, and than a halt.
                if not failed.is_permanent:
                    raise
        answers = [found.said for one in held if (found := _read(one, self._us, seen.said.url))]
        return [seen.said, *sorted(answers, key=lambda one: (one.ts, one.id))]


def _threads(config: Config, size: int) -> list[tuple[str, str | int]]:
    return [
        ("part", "snippet,replies"),
        ("allThreadsRelatedToChannelId", config.channel),
        ("order", "time"),
        ("textFormat", "plainText"),
        ("maxResults", size),
    ]


def _answers(channel: Channel, thread: str) -> Iterator[Any]:
    onward = ""
    while True:
        asked: list[tuple[str, str | int]] = [("part", "snippet"), ("parentId", thread)]
        asked += [("textFormat", "plainText"), ("maxResults", PAGE)]
        if onward:
            asked.append(("pageToken", onward))
        told = channel.get("comments", asked)
        yield from wire.items_at(told, "items")
        onward = wire.text_at(told, "nextPageToken")
        if not onward:
            return


def _read(comment: Any, us: str, above_url: str = "") -> Found[Said] | None:
    """One comment; None where it is not whole."""
    held, id = wire.at(comment, "snippet"), wire.text_at(comment, "id")
    at = wire.moment(wire.text_at(held, "publishedAt"))
    if at is None or not id:
        return None
    above, author = wire.text_at(held, "parentId"), wire.text_at(held, "authorChannelId", "value")
    # Answers do not always name the video; the comment that they answer does.
    video = wire.text_at(held, "videoId") or "".join(re.findall(r"[?&]v=([\w-]+)", above_url))
    said = Said(
        id=id,
        kind="post",
        ts=at,
        author=author,
        author_name=wire.text_at(held, "authorDisplayName"),
        text=wire.text_at(held, "textOriginal") or wire.text_at(held, "textDisplay"),
        in_reply_to=above,
        thread=above or id,
        venue="youtube",
        url=_url(video, id),
        is_ours=author == us,
        asks_us=author != us,  # said under the firm's own videos
    )
    return Found(id, at, said, wire.text_at(held, "updatedAt"))


def _edit(comment: Any, us: str) -> Said | None:
    """That a comment was changed, where it was."""
    seen = _read(comment, us)
    changed = wire.moment(seen.version) if seen else None
    if seen is None or changed is None or changed <= seen.at:
        return None
    one = seen.said
    return Said(
        f"{one.id}#{seen.version}", "edit", changed, one.author, one.text, about=one.id, venue="youtube"
    )


def _count(thread: Any) -> str:
    return str(wire.count_at(thread, "snippet", "totalReplyCount") or 0)


def _url(video: str, id: str) -> str:
    return f"https://www.youtube.com/watch?v={video}&lc={id}" if video else ""


plugin = YouTube()
