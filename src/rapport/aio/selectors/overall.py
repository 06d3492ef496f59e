"""How people stand over all, as the last refresh found it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.aio import rules
from rapport.aio.models import Question, Refresh
from rapport.aio.selectors.titles import titled, titles
from rapport.kit import clock

STOPPED_AFTER = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StandingView:
    """How people stand toward one thing, and what it is called."""

    title: str
    standing: rules.Standing
    is_promise: bool = False
    has_score: bool = False  # so that segments and lists can ask for it


@dataclass(frozen=True, slots=True)
class Overall:
    """What people care about, think and stand for, of how many it is known, and as of when."""

    as_of: dt.datetime
    n_people: int
    n_statements: int
    duration_s: float
    interests: tuple[StandingView, ...]
    attitudes: tuple[StandingView, ...]
    opinions: tuple[StandingView, ...]


def overall() -> Overall | None:
    """The last refresh that was carried out; None where there was none yet."""
    last = last_refresh()
    if last is None:
        return None
    named = titles()
    promises = set(Question.objects.filter(is_promise=True).values_list("key", flat=True))
    by_kind: dict[str, list[StandingView]] = {kind: [] for kind in rules.KINDS}
    for given in last.counts:
        one = rules.Standing(**given)
        place = len(by_kind[one.kind])
        by_kind[one.kind].append(
            StandingView(
                named.get((one.kind, one.about), titled(one.about)),
                one,
                one.about in promises,
                place < rules.SCORES_MAX[one.kind],
            )
        )
    return Overall(
        last.started_at,
        last.n_people,
        last.n_statements,
        last.duration_s,
        tuple(by_kind[rules.INTEREST]),
        tuple(by_kind[rules.ATTITUDE]),
        tuple(by_kind[rules.OPINION]),
    )


def last_refresh() -> Refresh | None:
    """The newest refresh that ended well."""
    return Refresh.objects.filter(error="", ended_at__isnull=False).order_by("-started_at").first()


def is_running() -> bool:
    """Whether one is under way that began within the last day."""
    newest = Refresh.objects.order_by("-started_at").first()
    if newest is None or newest.ended_at is not None:
        return False
    return clock.now() - newest.started_at < STOPPED_AFTER  # one that was killed never ends
