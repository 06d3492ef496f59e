"""Lemmy: who answers, names or writes to us there, what is said of what we follow, and our answers (API v3)."""

from __future__ import annotations

import datetime as dt
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
from rapport.plugins.connectors.lemmy import instance as instances
from rapport.plugins.connectors.lemmy.instance import Config, Instance, Parameters

PAGE = 50  # the most that an instance gives at once
LENGTH_MAX = 10_000
OWN_EVERY_S, SEARCH_EVERY_S, RECHECK_EVERY_S, RECHECKED = 60.0, 60.0, 60.0, 5

Read = Callable[[Any], "Found[Said] | None"]


class Lemmy:
    """One account on one instance."""

    name = "lemmy"
    title = "Lemmy"
    network = "lemmy"
    config: type[Config] = Config
    terms = Terms(
        keep_days=90,
        may_match=False,
        may_derive=False,
        may_train=False,
        may_answer=True,
        may_answer_unasked=False,
        deletes_within_h=24,
        is_public=True,
        source="https://legal.lemmy.world/tos/",
        read_on=None,
        note=(
            "The page named here was not read for this version: read it before you switch this on. "
            "Each instance and each community has rules of its own, and many want bots marked and advertising kept "
            "out; on the largest one a bot posts only where a community's owners allowed it. Read them, and say so on "
            "the rule card. Days and hours here are our own caution."
        ),
    )
    # Instances choose their limits; searches are the scarcest with a hundred in ten minutes on the largest.
    manners = Manners(requests=40, per_s=60, every_s=20, length_max=LENGTH_MAX)
    costs = "Free: an account is enough."
    sees = (
        "Answers to the account, mentions of it, private messages to it, what it says elsewhere, and posts and "
        "comments with the words that are followed, as far as its instance has them."
    )
    cannot_see = (
        "Communities that nobody on the instance follows, votes of single people, and changes or deletions of what "
        "is older than the newest 800 that were told; those come through slowly."
    )

    def check(self, config: Config) -> None:
        instances.check(config)

    def findings(self, config: Config, context: Context) -> Sequence[Finding]:
        instance, person, version = Instance(config, context), None, ""

        def who() -> str:
            nonlocal person, version
            site = instance.get("/site")
            person, version = (
                wire.at(site, "my_user", "local_user_view", "person"),
                wire.text_at(site, "version"),
            )
            if wire.at(person, "banned") is True:
                raise Failed(f"{config.host} has banned the account", hint="Ask its administrators why.")
            return f"it is that of {instances.handle(person) or config.username}"

        def read(path: str, *asked: tuple[str, str | int]) -> Callable[[], str]:
            return lambda: instance.get(path, [*asked, ("limit", 1)]) and "can be read"

        found = tried(
            ("Answers and mentions", read("/user/replies"), ""),
            ("Private messages", read("/private_message/list"), ""),
            ("Search", read("/search", ("q", config.username)), ""),
            who=who,
        )
        if len(found) == 1:
            return found
        if version and not version.startswith("0."):
            message = (
                f"the instance runs Lemmy {version}, which keeps this interface (v3) for a while and in parts"
            )
            hint = "What is shown as bad above is what that version no longer offers in it."
            found.append(Finding("Version", "warn", message, hint))
        if wire.at(person, "bot_account") is not True:
            hint = (
                "Mark it as one in the account's settings where a program writes: most instances want that."
            )
            found.append(Finding("Bot", "warn", "the account is not marked as a bot's", hint))
        return found

    def fetch(self, config: Config, cursor: str, context: Context) -> Iterator[Page]:
        yield from _Round(Instance(config, context), Marks.read(cursor), context).pages()

    def publish(self, config: Config, draft: Draft, context: Context) -> Receipt:
        if not draft.text.strip():
            raise Failed("there are no words to post", is_permanent=True)
        instance = Instance(config, context)
        if draft.is_private:
            person = instance.get_if_there("/user", [("username", draft.to)]) if draft.to else None
            number = wire.count_at(person, "person_view", "person", "id")
            if number is None:
                raise Failed(
                    f"{config.host} does not know {draft.to or 'whom this is for'}", is_permanent=True
                )
            body: dict[str, Any] = {"content": draft.text, "recipient_id": number}
            view = wire.at(instance.post("/private_message", body), "private_message_view")
            return _receipt(instances.message(view, config), config)
        if not draft.in_reply_to:
            return _receipt(self._begun(instance, draft), config)
        kind, number = instances.number_of(draft.in_reply_to, config.host)
        if kind == "c":
            above = instance.get_if_there("/comment", [("id", number)])
            post = wire.count_at(above, "comment_view", "comment", "post_id")
            if post is None or instances.is_gone(wire.at(above, "comment_view", "comment")):
                raise Failed("the comment that this answers is not there any more", is_permanent=True)
            body = {"content": draft.text, "post_id": post, "parent_id": number}
        else:
            body = {"content": draft.text, "post_id": number}
        view = wire.at(instance.post("/comment", body), "comment_view")
        return _receipt(instances.comment(view, config), config)

    def _begun(self, instance: Instance, draft: Draft) -> Found[Said] | None:
        name = draft.venue.removeprefix("lemmy:")
        if not draft.venue.startswith("lemmy:") or not draft.subject_line:
            raise Failed(
                "a post of our own needs a community and a title",
                is_permanent=True,
                hint="Name the venue as lemmy:cars@lemmy.world, and give a subject line.",
            )
        found = instance.get_if_there("/community", [("name", name)])
        number = wire.count_at(found, "community_view", "community", "id")
        if number is None:
            raise Failed(f"{instance.config.host} does not know the community {name}", is_permanent=True)
        body = {"name": draft.subject_line[:200], "body": draft.text, "community_id": number}
        return instances.post(wire.at(instance.post("/post", body), "post_view"), instance.config)

    def find(self, config: Config, draft: Draft, context: Context) -> Receipt | None:
        instance = Instance(config, context)
        if draft.is_private:
            listed = instance.get("/private_message/list", [("limit", PAGE), ("page", 1)])
            views = wire.items_at(listed, "private_messages")
            found = [instances.message(view, config) for view in views]
        else:
            listed = instance.get("/user", [("username", config.username), ("sort", "New"), ("limit", PAGE)])
            found = [instances.comment(view, config) for view in wire.items_at(listed, "comments")]
            found += [instances.post(view, config) for view in wire.items_at(listed, "posts")]
        # Private messages answer nothing there; they are of one conversation with whom they are for.
        place = draft.thread or f"with-{draft.to.lower()}@{config.host}"
        for one in found:
            if one is None or not one.said.is_ours:
                continue
            is_there = (
                one.said.thread == place if draft.is_private else one.said.in_reply_to == draft.in_reply_to
            )
            if is_there and wire.says(one.said.text, draft.text, is_end=not draft.in_reply_to):
                return _receipt(one, config)
        return None


class _Round:
    """One round of reading."""

    def __init__(self, instance: Instance, marks: Marks, context: Context) -> None:
        self._instance, self._marks, self._context = instance, marks, context
        self._config = instance.config

    def pages(self) -> Iterator[Page]:
        marks, now, config = self._marks, self._context.now(), self._config
        before = marks.text()
        whole: Parameters = [("unread_only", "false")]

        def to_us(view: Any) -> Found[Said] | None:
            return instances.comment(view, config, asks_us=True)

        def private(view: Any) -> Found[Said] | None:
            return instances.message(view, config)

        newest: Parameters = [("sort", "New"), *whole]
        yield from self._list("replies", self._listed("/user/replies", newest, "replies", to_us))
        yield from self._list("mentions", self._listed("/user/mention", newest, "mentions", to_us))
        path = "/private_message/list"
        yield from self._list("private", self._listed(path, whole, "private_messages", private))
        public: dict[str, Read] = {"comments": self._comment, "posts": self._post}
        if marks.is_due("own", OWN_EVERY_S, now):
            asked: Parameters = [("username", config.username), ("sort", "New")]
            for name, read in public.items():
                yield from self._list(f"own:{name}", self._listed("/user", asked, name, read))
        if self._context.words and marks.is_due("search", SEARCH_EVERY_S, now):
            for word in marks.part("word", self._context.words, 1):
                for name, read in public.items():
                    asked = [("q", word), ("type_", name.title()), ("sort", "New"), ("listing_type", "All")]
                    listed = self._listed("/search", asked, name, read)
                    yield from self._list(f"search:{name}:{word}", listed)
        if marks.is_due("recheck", RECHECK_EVERY_S, now):
            yield from self._recheck()
        if marks.text() != before:
            yield Page((), marks.text())

    def _comment(self, view: Any) -> Found[Said] | None:
        return instances.comment(view, self._config)

    def _post(self, view: Any) -> Found[Said] | None:
        return instances.post(view, self._config)

    def _list(self, name: str, pages: Iterator[list[Found[Said]]]) -> Iterator[Page]:
        walk = self._marks.walk(name, pages, self._context.since)
        edits = [
            _edit(Found(said.id, said.ts, said, self._marks.known[said.id]), self._context.now())
            for said in self._marks.changed(walk.found)
        ]
        said = [*self._marks.new(walk.found), *edits]
        gaps = []
        if walk.cut is not None:
            message = f"more was said on {self._config.host} than we read back in one round"
            gaps.append(Gap(walk.since, walk.cut, "horizon", message))
        if said or gaps:
            yield Page(said, self._marks.text(), gaps)

    def _listed(self, path: str, asked: Parameters, name: str, read: Read) -> Iterator[list[Found[Said]]]:
        """Pages by number, the newest first."""
        page = 1
        while True:
            told = self._instance.get(path, [*asked, ("page", page), ("limit", PAGE)])
            views = wire.items_at(told, name)
            yield [one for view in views if (one := read(view))]
            if len(views) < PAGE:
                return
            page += 1

    def _recheck(self) -> Iterator[Page]:
        """Ask for some of what was told once more; one request for each."""
        held = [id for id in self._marks.held() if id.startswith(("c", "p"))]
        now, said = self._context.now(), list[Said]()
        for id in self._marks.part("recheck", held, RECHECKED):
            kind, number = instances.number_of(id, self._config.host)
            path, read = ("/comment", self._comment) if kind == "c" else ("/post", self._post)
            view = wire.at(self._instance.get_if_there(path, [("id", number)]), f"{path[1:]}_view")
            seen = read(view)
            if seen is None:
                self._marks.forget(id)
                said.append(Said(f"{id}#deletion", "deletion", now, "", about=id))
            elif list(self._marks.changed([seen])):
                said.append(_edit(seen, now))
        if said:
            yield Page(said, self._marks.text())


def _edit(seen: Found[Said], now: dt.datetime) -> Said:
    one = seen.said
    at = instances.moment(seen.version) or now
    return Said(f"{one.id}#{seen.version}", "edit", at, one.author, one.text, about=one.id, venue=one.venue)


def _receipt(seen: Found[Said] | None, config: Config) -> Receipt:
    if seen is None:
        raise Failed(f"{config.host} does not say what became of it", is_unsure=True, retry_after_s=30.0)
    return Receipt(seen.id, seen.said.url)


plugin = Lemmy()
