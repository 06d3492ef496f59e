"""Events acknowledged after a durable commit, against the same server answering without storing.

Two servers run side by side in processes of their own; this process sends batches of 50 over kept-alive
loopback connections to the one, then to the other. Messages have the shape and size of what Segment's
browser library sends for one page or product viewed (about 900 bytes).
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rapport.bench.harness import Measure, bench, paired
from rapport.events.collector import Collector, serve
from rapport.events.spool import Body, Spool
from rapport.kit import clock, ids

BATCH = 50
CONNECTIONS = 64
RUN_S = 2.0
WARM_S = 0.5
BODIES = 64  # different ones, sent in turn


class Answering(Collector):
    """The collector without its store: reads, checks, answers."""

    async def keep(self, body: Body) -> None:  # noqa: ARG002  that is the point
        return


@bench("collector")
def collector() -> Measure:
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        spool = Spool(Path(folder) / "spool.sqlite3")
        spool.create()
        key = spool.add_write_key("bench")
        with _server("store", spool.path) as storing, _server("answer", spool.path) as answering:
            requests = _requests(key)
            measure = paired(
                "collector",
                lambda: asyncio.run(_rate(storing, requests)),
                lambda: asyncio.run(_rate(answering, requests)),
                unit="events/s",
                of="the same server not storing",
                at_least=0.7,
            )
        stored = spool.next_seq() - 1
        spool.close()
    figures = {
        "bytes of one event": f"{len(requests[0]) / BATCH:.0f}",
        "events stored": f"{stored:,}",
        "connections": str(CONNECTIONS),
    }
    return Measure(
        measure.name, measure.of, measure.unit, measure.ours, measure.peer, measure.at_least, figures=figures
    )


@contextmanager
def _server(what: str, path: Path) -> Iterator[int]:
    """A server process on a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "rapport.bench.collector", what, str(path), str(port)])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise
                clock.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


async def _rate(port: int, requests: Sequence[bytes]) -> float:
    """Events a second over all connections, after warming up."""
    loop = asyncio.get_running_loop()
    senders = [_Sender(requests, i) for i in range(CONNECTIONS)]
    for sender in senders:
        await loop.create_connection(lambda sender=sender: sender, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.sleep(WARM_S)
    before, began_s = sum(s.answered for s in senders), clock.monotonic_s()
    await asyncio.sleep(RUN_S)
    after, took_s = sum(s.answered for s in senders), clock.monotonic_s() - began_s
    for sender in senders:
        sender.close()
    for sender in senders:
        await sender.closed
    return (after - before) * BATCH / took_s


class _Sender(asyncio.Protocol):
    """One connection that sends the next request when the last one is answered."""

    def __init__(self, requests: Sequence[bytes], place: int) -> None:
        self._requests = requests
        self._next = place
        self.answered = 0
        self._ending = False
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the collector answered {data[:300]!r}")
        self.answered += 1
        if self._ending:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        if not self.closed.done():
            self.closed.set_result(None)

    def close(self) -> None:
        """Close once the request in hand is answered."""
        self._ending = True

    def _send(self) -> None:
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1


def _requests(key: str) -> list[bytes]:
    draw = np.random.default_rng(1)
    auth = base64.b64encode(f"{key}:".encode()).decode()
    requests = []
    for _ in range(BODIES):
        body = json.dumps(
            {"batch": [_message(draw) for _ in range(BATCH)], "sentAt": "2026-03-02T12:00:05.112Z"},
            separators=(",", ":"),
        ).encode()
        head = (
            "POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"authorization: Basic {auth}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


def message_bodies(n: int) -> list[bytes]:
    """Bodies of `n` different requests, as the collector stores them."""
    draw = np.random.default_rng(2)
    return [json.dumps({"batch": [_message(draw) for _ in range(BATCH)]}).encode() for _ in range(n)]


_BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
)


def _message(draw: np.random.Generator) -> dict[str, object]:
    """What Segment's browser library sends when a product is viewed."""
    product, person = int(draw.integers(1, 20_000)), int(draw.integers(1, 100_000))
    path = f"/parts/brakes/pad-{product}"
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"ajs-next-{ids.uuid7()}",
        "anonymousId": str(ids.uuid7()),
        "userId": f"C{person:06d}",
        "timestamp": f"2026-03-02T12:{person % 60:02d}:{product % 60:02d}.{draw.integers(1000):03d}Z",
        "properties": {
            "product_id": f"P{product}",
            "sku": f"BP-{product:05d}-{person % 97}",
            "category": "Brakes",
            "name": f"Brake pad set {product}, front axle",
            "brand": "Invented Parts",
            "price": float(draw.integers(900, 19_900)) / 100,
            "currency": "EUR",
            "quantity": 1,
        },
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.70.0"},
            "locale": "de-DE",
            "timezone": "Europe/Berlin",
            "userAgent": _BROWSERS[person % len(_BROWSERS)],
            "page": {
                "path": path,
                "referrer": "https://search.example/",
                "search": "",
                "title": f"Brake pad set {product}",
                "url": f"https://shop.example{path}",
            },
        },
    }


if __name__ == "__main__":
    what, path, port = sys.argv[1:]
    serve("127.0.0.1", int(port), (Collector if what == "store" else Answering)(Spool(Path(path))))
