"""What is kept from day to day: posts that address us, by whom; followers; our own posts; what waits to leave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from rapport.kit import wire
from rapport.listening.contract import Context, Keeping

KEEP_DAYS = 90
GOING = "going/"
PAGE = 200


def number(text: str) -> str:
    """What an id is known by in a key."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]


class Shelf:
    """The entries of one account."""

    def __init__(self, context: Context) -> None:
        assert context.kept is not None, "an account that is only tried reads and posts nothing"
        self._kept: Keeping = context.kept

    def heard(self, post: str) -> dict[str, Any] | None:
        """What is known of a post of others by its id."""
        found = self._kept.get(f"said/{number(post)}")
        return found if isinstance(found, dict) else None

    def hear(self, post: str, actor: str, handle: str, **more: Any) -> None:
        """Note a post of others. The id of its author leads to it as well."""
        value = {"id": post, "actor": actor, "handle": handle, **more}
        self._kept.put(f"by/{number(actor)}/{number(post)}", {"id": post}, about=handle, days=KEEP_DAYS)
        self._kept.put(f"said/{number(post)}", value, about=handle, days=KEEP_DAYS)

    def take_back(self, post: str, actor: str) -> None:
        """Note that a post is gone, so that nobody brings it back by sending it again."""
        self._kept.put(f"said/{number(post)}", {"is_gone": True}, days=KEEP_DAYS)
        self._kept.drop(f"by/{number(actor)}/{number(post)}")

    def posts_by(self, actor: str, limit: int) -> list[str]:
        """Ids of posts of an author that are not gone."""
        return [
            wire.text_at(value, "id") for _, value in self._kept.among(f"by/{number(actor)}/", limit=limit)
        ]

    def follow(self, actor: str, handle: str, inbox: str, shared: str, activity: str) -> None:
        """Note that somebody follows us; it stays until they take it back."""
        value = {"actor": actor, "handle": handle, "inbox": inbox, "shared": shared, "activity": activity}
        self._kept.put(f"follower/{number(actor)}", value, about=handle)

    def follower(self, actor: str) -> dict[str, Any] | None:
        """What is known of a follower; None for whoever follows us not."""
        found = self._kept.get(f"follower/{number(actor)}")
        return found if isinstance(found, dict) else None

    def unfollow(self, actor: str) -> None:
        """Note that somebody does not follow us any more, or is gone."""
        self._kept.drop(f"follower/{number(actor)}")

    def followers(self) -> Iterator[dict[str, Any]]:
        """Everybody who follows us."""
        return (value for _, value in self._all("follower/"))

    @property
    def n_followers(self) -> int:
        return self._kept.count("follower/")

    @property
    def n_posts(self) -> int:
        """How many public posts of ours can be read."""
        return self._kept.count("post/")

    def post(self, key: str) -> dict[str, Any] | None:
        """A public post of ours, as it was put."""
        found = self._kept.get(f"post/{key}")
        return found if isinstance(found, dict) else None

    def letter(self, key: str) -> dict[str, Any] | None:
        """A private one, which nobody may read here."""
        found = self._kept.get(f"letter/{key}")
        return found if isinstance(found, dict) else None

    def put(self, key: str, value: dict[str, Any], *, is_private: bool, about: str) -> None:
        """Keep a post of ours; what answers somebody for as long as their words."""
        start = "letter" if is_private else "post"
        self._kept.put(f"{start}/{key}", value, about=about, days=KEEP_DAYS if about else None)

    def withdraw(self, key: str) -> None:
        """Let a post of ours go that nobody took."""
        self._kept.drop(f"post/{key}", f"letter/{key}")

    def send(self, due_s: int, to: str, name: str, value: dict[str, Any], *, about: str = "") -> None:
        """Let something leave for an inbox, once it is due; the same for the same name stays one."""
        key = f"{GOING}{due_s:012d}/{name}/{number(to)}"
        self._kept.put(key, {**value, "to": to, "about": about}, about=about, days=KEEP_DAYS)

    def going(self, due_s: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """What is due, the longest first."""
        for key, value in self._all(GOING):
            if int(key.split("/")[1]) > due_s:
                return
            yield key, value

    def gone(self, key: str) -> None:
        """Note that something has left, or never will."""
        self._kept.drop(key)

    def _all(self, start: str) -> Iterator[tuple[str, Any]]:
        after = ""
        while page := self._kept.among(start, after=after, limit=PAGE):
            yield from page
            after = page[-1][0]
