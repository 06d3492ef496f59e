"""What connectors keep for their sources from day to day, and how it goes: dropped, past its time, or forgotten."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from rapport.events import traces
from rapport.events.quoting import may_name
from rapport.events.rules import normal_identifier
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.listening.models import Kept, Source
from rapport.listening.services import sources

KEY_CHARS_MAX = 200
AT_ONCE = 500
LAST = "\U0010ffff"  # comes after everything that a key holds


class Keeping:
    """The entries of one source; see the contract."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rows = Kept.objects.filter(source=source.name)

    def get(self, key: str) -> Any:
        """What lies under a key; None where nothing does."""
        return self._known().filter(key=key).values_list("value", flat=True).first()

    def put(self, key: str, value: Any, *, about: str = "", days: int | None = None) -> None:
        """Keep a value, in place of what was there."""
        if not key or len(key) > KEY_CHARS_MAX:
            raise Invalid(f"{key[:60]!r} is no key", f"Use up to {KEY_CHARS_MAX} characters.")
        now = clock.now()
        limits = [n for n in (days, sources.keep_days(self._source)) if n is not None]
        Kept.objects.update_or_create(
            source=self._source.name,
            key=key,
            defaults={
                "value": value,
                "identifier": normal_identifier(self._source.network, about)[:320] if about else "",
                "until": None if days is None else now + dt.timedelta(days=min(limits)),
                "changed_at": now,
            },
        )

    def drop(self, *keys: str) -> int:
        """Let entries go; gives how many there were."""
        return sum(
            self._rows.filter(key__in=keys[at : at + AT_ONCE]).delete()[0]
            for at in range(0, len(keys), AT_ONCE)
        )

    def among(self, start: str, *, after: str = "", limit: int = 100) -> Sequence[tuple[str, Any]]:
        """Entries whose keys begin with `start`, in the order of keys, those behind `after`."""
        rows = self._beginning(start).filter(key__gt=after).order_by("key")
        return list(rows.values_list("key", "value")[:limit])

    def count(self, start: str) -> int:
        """How many entries there are whose keys begin with `start`."""
        return int(self._beginning(start).count())

    def _beginning(self, start: str) -> Any:
        rows = self._known().filter(key__startswith=start)
        # SQLite compares the beginnings of texts whatever their capitals, for which no index helps; bytes it can find.
        is_sqlite = connection.vendor == "sqlite"
        return rows.filter(key__gte=start, key__lt=f"{start}{LAST}") if is_sqlite else rows

    def _known(self) -> Any:
        """What is past its time is not there any more, also before it is swept."""
        return self._rows.filter(Q(until__isnull=True) | Q(until__gt=clock.now()))


def sweep(now: dt.datetime) -> int:
    """Delete what is past its time; gives how many entries went."""
    return Kept.objects.filter(until__lte=now).delete()[0]


def forget(identifiers: Sequence[str], found: traces.Traces) -> int:
    """Delete what tells of somebody, and what names them: a post of ours that answers them, on its way or not."""
    n = 0
    for at in range(0, len(identifiers), AT_ONCE):
        n += Kept.objects.filter(identifier__in=identifiers[at : at + AT_ONCE]).delete()[0]
    rows = Kept.objects.annotate(told=Cast("value", TextField())).filter(may_name(found, "told", "key"))
    naming = [
        pk
        for pk, key, value in rows.values_list("pk", "key", "value").iterator(AT_ONCE)
        if found.found_in(f"{key} {json.dumps(value, ensure_ascii=False)}")
    ]
    for at in range(0, len(naming), AT_ONCE):
        n += Kept.objects.filter(pk__in=naming[at : at + AT_ONCE]).delete()[0]
    return n
