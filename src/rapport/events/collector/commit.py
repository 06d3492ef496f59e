"""Group commit: requests that arrive while one commit is being flushed share the next one."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Sequence

from rapport.events.spool import Body, Spool
from rapport.kit import clock
from rapport.kit.errors import Unavailable

log = logging.getLogger(__name__)

WAITING_BYTES_MAX = 64 * 1024 * 1024
COMMIT_BODIES_MAX = 256
UNREADY_S = 10.0  # after a failed commit; then a balancer may let a request try whether it works again

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
        self.failing = ""  # why the last commit failed, or nothing
        self._failed_at_s = 0.0
        self._stopping = False
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Store what waits, then end the thread."""
        self._stopping = True
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def failed_lately(self) -> bool:
        return bool(self.failing) and clock.monotonic_s() - self._failed_at_s < UNREADY_S

    def keep(self, body: Body) -> asyncio.Future[None]:
        """Done once the body is durable; raises Unavailable where too much waits already."""
        if self._stopping:
            raise Unavailable("the collector is stopping", "Send it again in a moment.", retry_after_s=2)
        if self.waiting_bytes > WAITING_BYTES_MAX:
            raise Unavailable(
                "more events arrive than the disk takes", "Send it again later.", retry_after_s=2
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
        error = ""
        try:
            self.spool.append([body for body, _ in group])
        except Exception as refusal:  # whatever it is, the senders must hear that nothing was stored
            error = f"the spool cannot be written: {refusal}"
        took_s = clock.monotonic_s() - began
        self._loop.call_soon_threadsafe(self._report, group, error, took_s)

    def _report(self, group: Sequence[_Waiting], error: str, took_s: float) -> None:
        if error and not self.failing:
            log.error("%s", error)
        elif self.failing and not error:
            log.warning("the spool can be written again")
        self.failing = error
        if error:
            self._failed_at_s = clock.monotonic_s()
        else:
            self.commits += 1
            self.commit_s += took_s
        for body, done in group:
            self.waiting_bytes -= len(body.body or b"")
            # A request whose client hung up has stopped waiting.
            if done.done():
                continue
            if error:
                done.set_exception(Unavailable(error, "Nothing of it was stored; send it again later.", 5))
            else:
                done.set_result(None)
