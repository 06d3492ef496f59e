"""Questions about pacing: which experiments there are, whether everything is paused."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.pacing.models import Experiment, Pause, PauseAll


@dataclass(frozen=True, slots=True)
class PauseView:
    """That all but service messages stand still: since when, by whom, why."""

    since: dt.datetime
    by: str
    why: str


def pause() -> PauseView | None:
    """The pause that holds now, if any."""
    row = Pause.objects.filter(id=1).first()
    return PauseView(row.since, row.by, row.why) if row else None


@dataclass(frozen=True, slots=True)
class PauseAllView:
    """That nothing leaves at all but what colleagues need, or did not for a while.

    n_in_flight : messages that had been handed over when it began, and that nobody could call back
    """

    id: int
    since: dt.datetime
    by: str
    why: str
    n_in_flight: int
    ended_at: dt.datetime | None
    ended_by: str


def pause_all() -> PauseAllView | None:
    """The pause of everything that holds now, if any."""
    row = PauseAll.objects.filter(ended_at__isnull=True).first()
    return _everything(row) if row else None


def pauses_of_all(limit: int = 50) -> list[PauseAllView]:
    """Every pause of everything there was, newest first."""
    return [_everything(row) for row in PauseAll.objects.order_by("-id")[:limit]]


def _everything(row: PauseAll) -> PauseAllView:
    return PauseAllView(row.pk, row.since, row.by, row.why, row.n_in_flight, row.ended_at, row.ended_by)


def share_ratio(experiment: str) -> float | None:
    """Which share of people an experiment holds out; None where nobody defined it."""
    row = Experiment.objects.filter(key=experiment).only("share_ratio").first()
    return row.share_ratio if row else None


def defined(experiments: list[str]) -> list[str]:
    """Those of these experiments that somebody defined, in the order given."""
    there = set(Experiment.objects.filter(key__in=experiments).values_list("key", flat=True))
    return [experiment for experiment in experiments if experiment in there]
