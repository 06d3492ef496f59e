"""How long each kind of event is kept, and what would go now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from rapport.consent.models import Retention
from rapport.consent.rules import keeping
from rapport.events import plan
from rapport.events import selectors as events
from rapport.events import services as log
from rapport.kit import clock


@dataclass(frozen=True, slots=True)
class KeptView:
    """One kind of event: how many there are, how long they are kept, and how many are older."""

    name: str
    meaning: str
    n: int
    first_at: dt.datetime | None
    days: int | None  # empty: for good
    n_older: int
    may_end: bool
    carried_out_at: dt.datetime | None
    n_erased: int
    changed_by: str


def retention(tried: Mapping[str, int] | None = None) -> list[KeptView]:
    """Every kind of event that there is or that has a rule; with `tried`, as if these rules were set."""
    now = clock.now()
    rules = {r.name: r for r in Retention.objects.all()}
    days = {name: r.days for name, r in rules.items()} | dict(tried or {})
    seen = {name: (n, first) for name, n, first, _, _ in events.names()}
    older = log.counted_before({name: keeping.limit(d, now) for name, d in days.items()}) if days else {}
    planned = plan.current()
    found = []
    for name in sorted(seen.keys() | days.keys()):
        n, first = seen.get(name, (0, None))
        rule = rules.get(name)
        found.append(
            KeptView(
                name=name,
                meaning=planned[name].meaning if name in planned else "",
                n=n,
                first_at=first,
                days=days.get(name),
                n_older=older.get(name, 0),
                may_end=keeping.may_end(name),
                carried_out_at=rule.carried_out_at if rule else None,
                n_erased=rule.n_erased if rule else 0,
                changed_by=rule.changed_by if rule else "",
            )
        )
    return sorted(found, key=lambda k: (not k.may_end, -k.n, k.name))
