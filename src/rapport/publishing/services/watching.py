"""While something runs live, its comments do not wait for what other subscribers make of the same texts."""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import AbstractContextManager

from django.db import close_old_connections

from rapport.events import lake, subscriptions
from rapport.kit import clock, home, process, threads
from rapport.kit.errors import Conflict
from rapport.publishing.models import Broadcast
from rapport.publishing.services import early
from rapport.publishing.services.live import EARLY, KEY, LATE

log = logging.getLogger(__name__)

LIVE_S = 0.15  # between two looks at the spool while something runs
LOG_S = 2.0  # between two looks at the log, which confirms what was shown
IDLE_S = 3.0
RETRY_S = 2.0
PROCESS = "live"
END_S = 15.0  # until it is killed


def is_live(now: dt.datetime | None = None) -> bool:
    """Whether comments of any broadcast are gathered now."""
    at = now or clock.now()
    return Broadcast.objects.filter(starts_at__lte=at + EARLY, ends_at__gte=at - LATE).exists()


def gather_forever(stop: process.Stop) -> None:
    """Gather comments whenever something is live, until told to stop; the usual round does it otherwise."""
    con = None
    seen: tuple[int, ...] = ()
    while not stop:
        try:
            close_old_connections()
            if not is_live():
                stop.wait(IDLE_S)
                continue
            con = con or lake.connect()
            stamp = lake.stamp()
            if stamp != seen:
                with home.lock(f"subscriber-{KEY}"):
                    while subscriptions.advance(KEY, con):
                        pass
                seen = stamp
            stop.wait(LOG_S)
        except Conflict:
            stop.wait(LOG_S)  # the usual round is at it
        except Exception:
            log.exception("comments could not be gathered; trying again in %s s, none is lost", RETRY_S)
            stop.wait(RETRY_S)
    if con is not None:
        con.close()


def show_forever(stop: process.Stop) -> None:
    """Show comments as soon as they are in the spool whenever something is live, until told to stop."""
    shown: early.Early | None = None
    asked = -IDLE_S
    while not stop:
        try:
            # Not before each look: a connection that is opened anew takes longer than most looks.
            if clock.monotonic_s() - asked >= IDLE_S:
                close_old_connections()
                if not is_live():
                    shown = None
                    stop.wait(IDLE_S)
                    continue
                asked = clock.monotonic_s()
            shown = shown or early.Early()
            if not shown.look():
                stop.wait(LIVE_S)
        except Exception:
            shown, asked = None, -IDLE_S  # and from where the log has got to, past what it cannot read
            log.exception("comments could not be shown early; trying again in %s s, none is lost", RETRY_S)
            stop.wait(RETRY_S)


def run(stop: process.Stop) -> None:
    """Show and gather the comments of what runs live until told to stop; the process `rapport live`."""
    with process.present(PROCESS), threads.beside(stop, END_S, early=show_forever):
        gather_forever(stop)


def keep_running(stop: process.Stop) -> None:
    """Have `rapport live` run whenever something is live, until told to stop; it is started again where it ends."""
    process.keep(PROCESS, stop, end_s=END_S, is_wanted=_is_wanted)


def _is_wanted() -> bool:
    close_old_connections()
    return is_live()


def running_beside(stop: process.Stop) -> AbstractContextManager[None]:
    """Keep `rapport live` running from a thread until told to stop.

    Beside the models that read texts in the worker's own process a comment would wait for seconds; a process of
    its own gets its share of the processor from the system.
    """
    return threads.beside(stop, 2 * END_S, live=keep_running)
