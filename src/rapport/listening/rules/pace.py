"""How often a network is asked: a bucket of requests that fills steadily, and pauses that grow. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

BACK_OFF_S = (5.0, 15.0, 60.0, 300.0, 900.0)
WAIT_MAX_S = 6 * 3_600.0  # nobody is left unasked for longer, whatever was wished
MISSED_ROUNDS = 3  # so many rounds late, and the reader did not run


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left after a request was asked for; `wait_s` is 0 where it may be made now."""

    tokens: float
    wait_s: float


def take(tokens: float | None, since_s: float, *, requests: int, per_s: int) -> Taken:
    """One request out of a bucket that held `tokens` so many seconds ago and is never fuller than `requests`.

    The bucket holds `requests` and fills in `per_s`: the token bucket of RFC 2697, with one colour.
    """
    rate = requests / per_s
    held = requests if tokens is None else min(requests, tokens + max(0.0, since_s) * rate)
    if held >= 1:
        return Taken(held - 1, 0.0)
    return Taken(held, (1 - held) / rate)


def pause_s(failures: int, told_s: float | None, chance: float) -> float:
    """Seconds until a network is asked again: what it told us, or longer with each failure, never all at once.

    `chance` in [0, 1) spreads the wait over [0.75, 1.25): sources that failed together do not come back
    together. What a network told is never undercut.
    """
    own = BACK_OFF_S[min(max(failures, 1), len(BACK_OFF_S)) - 1]
    if told_s is not None and told_s > own:
        return min(told_s * (1 + chance / 4), WAIT_MAX_S)
    return min(own * (0.75 + chance / 2), WAIT_MAX_S)


def is_due(next_at: dt.datetime | None, now: dt.datetime, every_s: float) -> bool:
    """Whether a source is to be asked now; one put off for longer than any wait was so by a clock that was wrong."""
    return next_at is None or not 0 < (next_at - now).total_seconds() <= max(WAIT_MAX_S, every_s)


def was_away(seen_at: dt.datetime | None, now: dt.datetime, every_s: float) -> bool:
    """Whether so much time went by since a source was last seen that its reader cannot have run."""
    return seen_at is not None and (now - seen_at).total_seconds() > MISSED_ROUNDS * every_s + 30
