"""While something runs live, its comments do not wait for what other subscribers make of the same texts."""

from __future__ import annotations

import datetime as dt
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connection

from rapport.events import lake, subscriptions
from rapport.kit import clock, home, process
from rapport.kit.errors import Conflict
from rapport.publishing.models import Broadcast
from rapport.publishing.services import early
from rapport.publishing.services.live import EARLY, KEY, LATE

log = logging.getLogger(__name__)

LIVE_S = 0.15  # between two looks at the spool while something runs
LOG_S = 2.0  # between two looks at the log, which confirms what was shown
IDLE_S = 3.0
RETRY_S = 2.0
SWITCH_S = 0.0005  # a thread that waits for its turn beside the worker's others gets it after that


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
    usual_s = sys.getswitchinterval()
    while not stop:
        try:
            close_old_connections()
            if not is_live():
                if shown is not None:
                    sys.setswitchinterval(usual_s)
                    shown = None
                stop.wait(IDLE_S)
                continue
            if shown is None:
                # Each row that is read gives the turn away: at Python's five milliseconds it takes seconds to get back.
                sys.setswitchinterval(SWITCH_S)
                shown = early.Early()
            if not shown.look():
                stop.wait(LIVE_S)
        except Exception:
            shown = None  # and from where the log has got to, past what it cannot read
            log.exception("comments could not be shown early; trying again in %s s, none is lost", RETRY_S)
            stop.wait(RETRY_S)


@contextmanager
def running_beside(stop: process.Stop) -> Iterator[None]:
    """Show and gather live comments in threads until told to stop."""
    threads = [
        threading.Thread(target=_in_thread, args=(work, stop), name=name, daemon=True)
        for name, work in (("live", gather_forever), ("live-early", show_forever))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=15)


def _in_thread(work: Callable[[process.Stop], None], stop: process.Stop) -> None:
    try:
        work(stop)
    finally:
        connection.close()
