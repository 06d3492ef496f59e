"""Questions about pacing: which experiments there are, whether everything is paused."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.pacing.models import Experiment, Pause


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


def share_ratio(experiment: str) -> float | None:
    """Which share of people an experiment holds out; None where nobody defined it."""
    row = Experiment.objects.filter(key=experiment).only("share_ratio").first()
    return row.share_ratio if row else None


def defined(experiments: list[str]) -> list[str]:
    """Those of these experiments that somebody defined, in the order given."""
    there = set(Experiment.objects.filter(key__in=experiments).values_list("key", flat=True))
    return [experiment for experiment in experiments if experiment in there]
