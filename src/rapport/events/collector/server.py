"""Serving the collector with granian, in this process and on its event loop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from rapport.events.collector.asgi import Collector
from rapport.kit import ports

CONNECTIONS_MAX = 4096


def serve(host: str, port: int, application: Collector | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is in hand and return.

    Embedded rather than under granian's own supervisor: `rapport serve` supervises already.
    """
    application = application or Collector()
    ports.must_be_free(host, port)
    # What is loaded by now stays; requests make hardly any cycles, and looking for them after every 700
    # objects cost a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    asyncio.run(_serve(host, port, application))


async def _serve(host: str, port: int, application: Collector) -> None:
    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=CONNECTIONS_MAX,
        backpressure=CONNECTIONS_MAX,
        log_level=LogLevels.error,
    )
    end: Callable[[], None] = server.signal_handler_interrupt

    def interrupt() -> None:
        application.hurry()
        end()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupt)
    await server.serve()
