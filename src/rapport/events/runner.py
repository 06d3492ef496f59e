"""The long-running loops: load what arrives, give subscribers what is new. Each runs in its own process."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from rapport.events import lake, loader, subscriptions, upkeep
from rapport.kit import clock, home, process
from rapport.kit.errors import Conflict

log = logging.getLogger(__name__)

IDLE_S = 0.25
SMALL_FILES_MAX = 60
LOOK_AFTER_COMMITS = 20
UPKEEP_EVERY_S = 600
RETRY_S = (1, 2, 5, 15, 60)


def load_forever(stop: process.Stop) -> None:
    """Load ranges until told to stop; the caller holds the load lock. Errors are said and tried again."""
    with process.present("load"):
        repair_damage()
        failures = 0
        while not stop:
            worker = loader.Loader()
            try:
                _load_until_trouble(worker, stop)
            except Exception:
                failures = 1 if worker.commits else failures + 1
                pause = RETRY_S[min(failures, len(RETRY_S)) - 1]
                log.exception("loading failed; trying again in %s s, the spool keeps everything", pause)
                process.beat("load", f"failing, next try in {pause} s")
                stop.wait(pause)
            finally:
                worker.close()


def repair_damage() -> None:
    """Before anything is written: find damaged lake files and load their ranges again."""
    con = lake.connect()
    damaged, lost = upkeep.repair(con)
    for sentence in lost:
        log.error("%s", sentence)
    if damaged and not lost:
        log.warning("%d damaged lake files were made good from the spool", len(damaged))


def _load_until_trouble(worker: loader.Loader, stop: process.Stop) -> None:
    last_upkeep = clock.monotonic_s()
    looked_at = 0
    while not stop:
        loaded = worker.load_next()
        process.beat("load", f"at {worker.head}")
        due = clock.monotonic_s() - last_upkeep > UPKEEP_EVERY_S
        full = loaded is not None and worker.commits % loader.COMPACT_EVERY_COMMITS == 0
        if loaded is None and worker.commits - looked_at >= LOOK_AFTER_COMMITS:
            looked_at = worker.commits
            full = upkeep.small_files(worker.con) > SMALL_FILES_MAX
        if due or full:
            upkeep.compact(worker.con)
            last_upkeep = clock.monotonic_s()
        if loaded is None:
            stop.wait(IDLE_S)


def subscribe_forever(stop: process.Stop) -> None:
    """Give every subscriber its batches until told to stop; one that fails is retried, the others go on."""
    con = lake.connect()
    rounds = _Round(con, stop)
    with process.present("work"):
        seen: tuple[int, ...] = ()
        while not stop:
            now = lake.stamp()
            moved = False
            if now != seen or rounds.not_before:
                moved = rounds.serve()
                if not moved:
                    seen = now
            process.beat("work", "busy" if moved else "idle")
            if not moved:
                stop.wait(IDLE_S)
    con.close()


class _Round:
    """One batch for each subscriber that is due, with what is remembered of those that failed."""

    def __init__(self, con: duckdb.DuckDBPyConnection, stop: process.Stop) -> None:
        self.con = con
        self.stop = stop
        self.failures: dict[str, int] = {}
        self.not_before: dict[str, float] = {}

    def serve(self) -> bool:
        """Whether any had one. After each batch of one that nobody waits for, those that are awaited come again."""
        known = subscriptions.subscribers()
        awaited = sorted(key for key in known if known[key].is_awaited)
        moved = self._each(awaited)
        for key in sorted(known.keys() - set(awaited)):
            if self._one(key):
                moved = True
                self._each(awaited)
        return moved

    def _each(self, keys: Sequence[str]) -> bool:
        moved = [self._one(key) for key in keys]
        return any(moved)

    def _one(self, key: str) -> bool:
        if self.stop or clock.monotonic_s() < self.not_before.get(key, 0):
            return False
        moved = False
        try:
            with home.lock(f"subscriber-{key}"):
                moved = subscriptions.advance(key, self.con)
            self.failures.pop(key, None)
            self.not_before.pop(key, None)
        except Conflict:
            return False
        except Exception:
            n = self.failures[key] = self.failures.get(key, 0) + 1
            pause = RETRY_S[min(n, len(RETRY_S)) - 1]
            self.not_before[key] = clock.monotonic_s() + pause
            log.exception("subscriber %s failed; trying again in %s s", key, pause)
        return moved
