"""The thread in which messages travel: an event loop of its own, with many of them in flight.

Rows are written by the thread that owns the dispatcher; this one knows no database.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from rapport.kit import clock
from rapport.messaging.contract import Channel, Context, Message, Receipt, Session, TransportError

CLOSE_S = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one message."""

    delivery: uuid.UUID
    result: Receipt | TransportError


class Post:
    """Hands messages to a session in a thread of its own, and gives back what came of them."""

    def __init__(self, channel: Channel, config: Any, context: Context) -> None:
        self._channel, self._config, self._context = channel, config, context
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._session: Session | None = None
        self._opening: asyncio.Lock | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"post-{channel.name}", daemon=True)
        self.in_flight = 0
        self._thread.start()

    def submit(self, delivery: uuid.UUID, message: Message) -> None:
        """Let a message travel; its outcome comes later."""
        self.in_flight += 1
        self._schedule(self._send(delivery, message))

    def outcomes(self, wait_s: float, gather_s: float = 0.0) -> list[Outcome]:
        """What has come back, after waiting `wait_s` at most for the first, and `gather_s` for the others."""
        found: list[Outcome] = []
        if not self.in_flight:
            return found
        with contextlib.suppress(queue.Empty):
            found.append(self._outcomes.get(timeout=wait_s) if wait_s else self._outcomes.get_nowait())
            until = clock.monotonic_s() + gather_s
            while len(found) < self.in_flight:
                left = until - clock.monotonic_s()
                found.append(self._outcomes.get(timeout=left) if left > 0 else self._outcomes.get_nowait())
        self.in_flight -= len(found)
        return found

    def close(self) -> None:
        """End the connections and the thread; what is still in flight stays without an outcome."""
        with contextlib.suppress(TimeoutError):
            self._schedule(self._end()).result(CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _schedule(self, work: Coroutine[Any, Any, None]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _send(self, delivery: uuid.UUID, message: Message) -> None:
        result: Receipt | TransportError
        try:
            result = await (await self._opened()).send(message)
        except TransportError as error:
            result = error
        except Exception as error:  # a fault of the channel's code: the message may have left
            result = TransportError(
                f"{type(error).__name__}: {error}", permanent=False, of_channel=True, is_unsure=True
            )
        self._outcomes.put(Outcome(delivery, result))

    async def _opened(self) -> Session:
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._session is None:
                self._session = await self._channel.open(self._config, self._context)
            return self._session

    async def _end(self) -> None:
        others = [t for t in asyncio.all_tasks(self._loop) if t is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
