"""Read a source: each page is durable in the log before the cursor moves, so a kill between repeats and loses nothing."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django.db import transaction
from django.db.models import F

from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.kit import clock, home
from rapport.kit.errors import Conflict, Invalid, NotFound, RapportError
from rapport.listening.contract import (
    Context,
    Failed,
    Finding,
    Gap,
    Hook,
    Named,
    Page,
    Reads,
    Received,
    Receives,
    Said,
)
from rapport.listening.models import Source
from rapport.listening.rules import pace
from rapport.listening.services import asking, following, gaps, posting, saying, sources, troubles

log = logging.getLogger(__name__)

BEAT_S = 5.0  # a reader that lasts says so often that it is still there
FOLLOWED_KINDS = ("post", "message", "edit")


@dataclass(frozen=True, slots=True)
class Round:
    """What one reading of a source brought."""

    n_said: int
    n_pages: int
    is_whole: bool  # read until nothing was left
    trouble: str = ""
    hint: str = ""
    again_in_s: float | None = None  # None: when somebody has acted


def read_source(
    name: str, *, until: dt.datetime | None = None, is_stopping: asking.Stopping = asking.never
) -> Round:
    """Read what is new, page by page; ends when nothing is left, at `until`, when told to stop or in trouble.

    Raises Conflict where another process reads it, or where it is not on. What the network refuses is no
    error but a Round with its trouble, noted with the source, and a gap.
    """
    with home.lock(f"source-{name}"):
        source = sources.row(name)
        if source.state != Source.State.ON:
            raise Conflict(f"the source {name} is not on", "Switch it on, or enter its log-in anew.")
        offered = sources.connector(source.connector)
        if not isinstance(offered, Reads):
            raise Conflict(f"{offered.title} is not asked: it calls us", f"Its address is /hooks/{name}/.")
        return _Reading(source, until, is_stopping).read(offered)


class _Reading:
    """One round under way."""

    def __init__(self, source: Source, until: dt.datetime | None, is_stopping: asking.Stopping) -> None:
        self.source = source
        self.until = until
        self.is_told = is_stopping
        self.began_at = clock.now()
        self.beat_at = self.began_at
        self.resumes = bool(source.cursor)
        self.n_said = self.n_pages = 0
        self.is_cut = False
        self.every_s = 0.0
        self.is_lasting = False

    def read(self, offered: Reads) -> Round:
        manners = sources.connector(self.source.connector).manners
        self.every_s, self.is_lasting = float(manners.every_s), manners.is_lasting
        note_absence(self.source, self.began_at, BEAT_S if self.is_lasting else self.every_s)
        context = asking.context(self.source, manners, self.is_stopping)
        try:
            config = sources.config_of(self.source)
        except Invalid as error:
            return self._failed(Failed(error.message, reason="login", hint=error.hint))
        try:
            for page in offered.fetch(config, self.source.cursor, context):
                self._keep(page)
                if self.is_stopping() or (self.until is not None and clock.now() >= self.until):
                    self.is_cut = True
                    break
        except Failed as error:
            return self._failed(error)
        except RapportError as error:
            return self._failed(Failed(error.message, reason="permission", hint=error.hint))
        except Exception as error:
            log.exception("the connector %s failed", self.source.connector)
            said, hint = _broke(error)
            return self._failed(Failed(said, hint=hint))
        if not (self.is_cut and not self.n_pages):
            again = None if self.is_cut else clock.now() + dt.timedelta(seconds=self.every_s)
            troubles.clear(self.source, self.began_at, again, is_made_good=self.resumes)
        return Round(
            self.n_said, self.n_pages, not self.is_cut, again_in_s=0.0 if self.is_cut else self.every_s
        )

    def is_stopping(self) -> bool:
        """Asked by whoever reads for long: also says that the reader is there, and whether it should be."""
        now = clock.now()
        if abs((now - self.beat_at).total_seconds()) >= BEAT_S:  # backwards where the clock was set back
            self.beat_at = now
            self.is_cut = self.is_cut or self._beat(now)
        self.is_cut = self.is_cut or self.is_told()
        return self.is_cut

    def _beat(self, now: dt.datetime) -> bool:
        if self.is_lasting:
            # Nobody refused for a while: it is connected, and hears whatever is said.
            troubles.clear(self.source, now, None, is_made_good=self.resumes)
        row = Source.objects.filter(name=self.source.name).values("state", "changed_at").first()
        return row is None or row["state"] != Source.State.ON or row["changed_at"] != self.source.changed_at

    def _keep(self, page: Page) -> None:
        self.n_said += keep(self.source, page.said, page.gaps, cursor=page.cursor)
        self.n_pages += 1
        self.source.cursor = page.cursor

    def _failed(self, error: Failed) -> Round:
        again_in_s = troubles.note(sources.row(self.source.name), error, has_advanced=self.n_pages > 0)
        return Round(self.n_said, self.n_pages, False, error.message, error.hint, again_in_s)


def receive(name: str, hook: Hook) -> Received:
    """Take a request that a network sent us; durable before it is answered. What comes twice comes in once.

    Raises NotFound or Conflict where there is no such source that is on, Denied for a signature that does
    not hold, Failed where what has to be asked first cannot be asked now.
    """
    source = sources.row(name)
    offered = sources.connector(source.connector)
    if source.state != Source.State.ON or not isinstance(offered, Receives):
        raise Conflict(f"the source {name} takes no calls", "Switch it on, or ask it instead.")
    context = asking.context(source, sources.connector(source.connector).manners, is_called=True)
    got = offered.receive(sources.config_of(source), hook, context)
    if got.said:
        keep(source, got.said, (), cursor=None)
    return got


def finger(resource: str) -> Mapping[str, Any] | None:
    """What WebFinger says of a resource: the first source that is on and is that account; None where none is."""
    for source in Source.objects.filter(state=Source.State.ON).order_by("created_at", "name"):
        try:
            offered = sources.connector(source.connector)
        except NotFound:
            continue
        if isinstance(offered, Named):
            found = offered.finger(sources.plain_of(source), resource, sources.address(source.name))
            if found is not None:
                return found
    return None


def keep(source: Source, said: Sequence[Said], found: Sequence[Gap], *, cursor: str | None) -> int:
    """Record what was said, then move the cursor; gives how many rows were recorded."""
    rows = _rows(source, [saying.whole(one) for one in said])
    if rows:
        events.record(
            pa.Table.from_pylist(rows, schema=event_rules.TOUCHPOINT),
            source=source.name,
            within=source.network,
        )
    _after_recording()
    changed: dict[str, object] = {"n_said": F("n_said") + len(rows)}
    if rows:
        changed["said_at"] = clock.now()
    with transaction.atomic():
        Source.objects.filter(name=source.name).update(**changed)
        if cursor is not None:
            # A reader that began before the source was changed moves no cursor of what it is now.
            Source.objects.filter(name=source.name, changed_at=source.changed_at).update(cursor=cursor)
        Source.objects.filter(name=source.name, began_at__isnull=True).update(began_at=clock.now())
        gaps.keep(source.name, found)
    return len(rows)


def note_absence(source: Source, now: dt.datetime, every_s: float) -> None:
    """Where nobody read for longer than the rounds lie apart, none of our readers ran."""
    wait_s = (source.next_at - source.seen_at).total_seconds() if source.next_at and source.seen_at else 0.0
    if source.failures == 0 and pace.was_away(source.seen_at, now, max(every_s, wait_s)):
        gaps.open_gap(
            source.name, source.seen_at or now, "stopped", "Rapport did not run, or did not read this source."
        )


def _rows(source: Source, said: Sequence[Said]) -> list[dict[str, object]]:
    limit = sources.keep_since(source)
    wanted = [
        one
        for one in posting.without_echoes(source, said)
        if limit is None or one.ts >= limit or one.kind in {"deletion", "edit"}
    ]
    matched = following.matched(
        [one.text if one.kind in FOLLOWED_KINDS else "" for one in wanted],
        [one.language for one in wanted],
        [one.venue or source.network for one in wanted],
    )
    return [saying.touchpoint(one, source.network, keys) for one, keys in zip(wanted, matched, strict=True)]


def _broke(error: Exception) -> tuple[str, str]:
    """A mistake of a connector's own, in words, and where the whole of it stands."""
    said = f"what the network answered could not be understood: {type(error).__name__}: {error}"
    return said, "The log has the whole of it."


def _nothing() -> None:
    """Between the log and the cursor; a test kills the reader here."""


_after_recording: Callable[[], None] = _nothing


def check_source(name: str) -> list[Finding]:
    """Ask a source's network whether log-in, rights and addresses work."""
    source = sources.row(name)
    offered = sources.connector(source.connector)
    return try_out(source.connector, sources.config_of(source), asking.context(source, offered.manners))


def try_out(connector: str, config: Any, context: Context | None = None) -> list[Finding]:
    """The same for a configuration that was not kept yet."""
    offered = sources.connector(connector)
    try:
        config = sources.completed(offered, config)
        offered.check(config)
        context = context or asking.context(Source(name=""), offered.manners)
        return list(offered.findings(config, context))
    except Failed as error:
        return [Finding(error.reason, "bad", error.message, error.hint)]
    except RapportError as error:
        return [Finding("configuration", "bad", error.message, error.hint)]
    except Exception as error:
        # Whatever a server answers: who tries it out is told, as who reads it is.
        log.exception("the connector %s failed", connector)
        return [Finding("unreachable", "bad", *_broke(error))]
