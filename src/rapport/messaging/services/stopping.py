"""Stopping everything that leaves, at once, and going on exactly where it stopped."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.kit import clock
from rapport.messaging.models import Delivery
from rapport.messaging.services.steps import STAFF
from rapport.pacing import selectors as pacing
from rapport.pacing import services as pausing

WAIT_S = 5.0  # for what was handed over before: most servers have answered by then
NAP_S = 0.05


@dataclass(frozen=True, slots=True)
class Stopped:
    """The pause that holds, and what had been handed over before it and is still without an answer."""

    pause: pacing.PauseAllView
    n_in_flight: int


def pause_all(by: str, why: str = "", *, wait_s: float = WAIT_S) -> Stopped:
    """Let nothing leave any more, on any channel; once this has returned, nothing is handed over.

    What was handed over a moment before cannot be called back: it is waited for, up to `wait_s`, and what has no
    answer by then is counted and said. Log-in links of colleagues still leave.
    """
    holds = pausing.pause_all(by, why)
    # Marked before the pause was written: nothing joins these, so the number only falls.
    until = clock.monotonic_s() + wait_s
    while (n := _n_in_flight()) and clock.monotonic_s() < until:
        clock.sleep(NAP_S)
    pausing.note_in_flight(holds.id, n)
    return Stopped(holds, n)


def resume_all(by: str) -> pacing.PauseAllView | None:
    """Let everything that waits leave, once each; gives the pause that ended, None where there was none."""
    return pausing.resume_all(by)


def _n_in_flight() -> int:
    sending = Delivery.objects.filter(state=Delivery.State.SENDING)
    return sending.exclude(identifier__startswith=f"{STAFF}:").count()
