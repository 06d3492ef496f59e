"""What a connector may use of the world: addresses within the source's rate, the words we follow, the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import transaction

from rapport.kit import clock, home, http
from rapport.kit.errors import Denied, Invalid, Unavailable
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed, Manners
from rapport.listening.models import Follow, Source
from rapport.listening.rules import following, pace
from rapport.listening.services import sources, storing

CALLED = "Rapport"  # in the header by which servers know who asks
WAIT_MAX_S = 30.0  # a reader waits so long for its turn; beyond that the round ends and is gone on with later
LIMITS = http.Limits(time_s=30.0, answer_bytes=20_000_000, redirects=3)
NAP_S = 0.2
# Whoever calls us waits for what their call makes us ask, and so do all who call after them.
CALLED_LIMITS = http.Limits(time_s=5.0, answer_bytes=1_000_000, redirects=2)
CALLED_WAIT_S = 1.0

Stopping = Callable[[], bool]
_holds: list[Callable[[], bool]] = []
# What connectors remember between rounds, such as an open session: of this process, and of sources as they are now.
_memories: dict[tuple[str, str, dt.datetime], dict[str, Any]] = {}


def _any_place(place: http.Place) -> None:
    """The operator chose the address; what is not public is refused by the fetch itself."""


def never() -> bool:
    """Whether to stop, where nobody will say so."""
    return False


def context(
    source: Source, manners: Manners, is_stopping: Stopping = never, *, is_called: bool = False
) -> Context:
    """What the connector of a source gets; less time for everything while somebody who called waits."""

    def fetch(request: Request) -> Answer:
        wait_for_turn(source.name, manners, is_stopping, CALLED_WAIT_S if is_called else WAIT_MAX_S)
        headers = dict(request.headers)
        if not any(name.lower() == "user-agent" for name in headers):
            headers["User-Agent"] = CALLED
        try:
            return http.fetch(
                Request(request.url, request.method, request.body, headers),
                permits=_any_place,
                limits=CALLED_LIMITS if is_called else LIMITS,
            )
        except (Denied, Invalid) as error:
            raise Failed(error.message, reason="permission", retry_after_s=3_600.0, hint=error.hint) from None
        except Unavailable as error:
            raise Failed(
                error.message,
                retry_after_s=error.retry_after_s,
                is_unsure=request.method != "GET",
                hint=error.hint,
            ) from None

    words, beginnings = followed_words()
    return Context(
        now=clock.now,
        fetch=fetch,
        words=words,
        beginnings=beginnings,
        is_stopping=is_stopping,
        since=clock.now() - dt.timedelta(days=source.days_back),
        memory=_memory(source),
        kept=storing.Keeping(source) if source.name else None,
        address=sources.address(source.name or "new"),
        may_post=lambda: not any(holds() for holds in _holds),
    )


def hold_while(holds: Callable[[], bool]) -> None:
    """Let nothing that connectors have waiting leave while `holds()` says so; who pauses everything says it here."""
    _holds.append(holds)


def _memory(source: Source) -> dict[str, Any]:
    """What its connector remembers; a source that was changed begins with nothing."""
    key = (source.name, str(home.root()), source.changed_at)
    if key not in _memories:
        forget_memory(source.name)
    return _memories.setdefault(key, {})


def remembered() -> set[str]:
    """The sources whose connectors remember something."""
    return {name for name, folder, _ in list(_memories) if folder == str(home.root())}


def forget_memory(name: str) -> None:
    """Let what a source's connector remembers go; connections that it keeps are ended."""
    for key in [known for known in list(_memories) if known[:2] == (name, str(home.root()))]:
        for kept in _memories.pop(key, {}).values():
            close = getattr(kept, "close", None)
            if close is not None:
                close()


def followed_words() -> tuple[tuple[str, ...], frozenset[str]]:
    """Every word that what is followed needs, once and without its star; and those that had one."""
    found = [
        word
        for words in Follow.objects.filter(is_on=True).values_list("with_words", flat=True)
        for word in words
    ]
    open_ended = frozenset(
        word.rstrip(following.ANY_END) for word in found if word.endswith(following.ANY_END)
    )
    return tuple(dict.fromkeys(word.rstrip(following.ANY_END) for word in found)), open_ended


def wait_for_turn(name: str, manners: Manners, is_stopping: Stopping, wait_max_s: float = WAIT_MAX_S) -> None:
    """Come back when one more request fits the network's rate; raises Failed where that is too far off.

    Readers and posters of one source share its bucket, which lies in the store: a restart is no way round it.
    """
    left_s = wait_max_s
    while (wait_s := _take(name, manners)) > 0:
        if wait_s > left_s or is_stopping():
            raise Failed(
                "our own limit of requests for this network is spent",
                reason="rate",
                retry_after_s=wait_s,
                hint="It goes on by itself.",
            )
        nap = min(wait_s, NAP_S)
        clock.sleep(nap)
        left_s -= nap


def _take(name: str, manners: Manners) -> float:
    """Seconds to wait; 0 where a request was taken from the bucket."""
    now = clock.now()
    with transaction.atomic():
        row = Source.objects.select_for_update().filter(name=name).values("tokens", "tokens_at").first()
        if row is None:  # a source that is being tried out before it is kept
            return 0.0
        since_s = (now - row["tokens_at"]).total_seconds() if row["tokens_at"] else 0.0
        taken = pace.take(row["tokens"], since_s, requests=manners.requests, per_s=manners.per_s)
        Source.objects.filter(name=name).update(tokens=taken.tokens, tokens_at=now)
    return taken.wait_s
