"""Group commit: requests that arrive while one commit is being flushed share the next one."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Sequence

from rapport.events.spool import Body, Spool
from rapport.kit import clock
from rapport.kit.errors import RapportError, Unavailable

WAITING_BYTES_MAX = 64 * 1024 * 1024
COMMIT_BODIES_MAX = 256

_Waiting = tuple[Body, asyncio.Future[None]]


class Committer:
    """One thread that stores what the event loop hands it and reports back once it is durable.

    `keep`, `waiting_bytes` and the counters belong to the event loop's thread.
    """

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.waiting_bytes = 0
        self.commits = 0
        self.commit_s = 0.0
        self.failing: RapportError | None = None
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Store what waits, then end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def keep(self, body: Body) -> asyncio.Future[None]:
        """Done once the body is durable; raises Unavailable where too much waits already."""
        if self.waiting_bytes > WAITING_BYTES_MAX or not self.is_running:
            raise Unavailable(
                "more events arrive than the disk takes", "Send them again later.", retry_after_s=2
            )
        self.waiting_bytes += len(body.body or b"")
        done = self._loop.create_future()
        self._queue.put((body, done))
        return done

    def _run(self) -> None:
        ended = False
        while not ended:
            group = [self._queue.get()]
            while len(group) < COMMIT_BODIES_MAX and not self._queue.empty():
                group.append(self._queue.get())
            ended = None in group
            kept = [one for one in group if one is not None]
            if kept:
                self._commit(kept)
        self.spool.close()

    def _commit(self, group: Sequence[_Waiting]) -> None:
        began = clock.monotonic_s()
        error: RapportError | None = None
        try:
            self.spool.append([body for body, _ in group])
        except (sqlite3.Error, OSError) as refusal:
            error = Unavailable(
                f"the spool cannot be written: {refusal}",
                "Nothing of this request was stored; send it again later.",
                retry_after_s=5,
            )
        except RapportError as refusal:
            error = refusal
        took_s = clock.monotonic_s() - began
        self._loop.call_soon_threadsafe(self._report, group, error, took_s)

    def _report(self, group: Sequence[_Waiting], error: RapportError | None, took_s: float) -> None:
        self.failing = error
        if error is None:
            self.commits += 1
            self.commit_s += took_s
        for body, done in group:
            self.waiting_bytes -= len(body.body or b"")
            # A request whose client hung up has stopped waiting.
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
