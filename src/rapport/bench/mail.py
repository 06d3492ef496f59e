"""Deliveries over loopback SMTP, against aiosmtplib alone sending the same mail to the same server.

Ours goes all the way: a row before anything leaves, consent and suppression looked at again, rendering, MIME,
the DKIM signature, a durable mark, the note of what came of it, the event in the log. The peer gets one of
those mails ready made and signed, sends it as often, and keeps nothing. Both keep as many in flight, to one
server in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapport.bench import child
from rapport.bench.harness import Measure, bench
from rapport.kit import clock

RUNS = 3
MESSAGES = 500
IN_FLIGHT = 8

SERVER = """
import sys
from aiosmtpd.controller import Controller
class Sink:
    kept = False
    async def handle_DATA(self, server, session, envelope):
        if not self.kept:
            self.kept = True
            open(sys.argv[1], "wb").write(envelope.original_content)
        return "250 2.0.0 taken"
class Loopback(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
server = Loopback(Sink(), hostname="127.0.0.1", port=0)
server.start()
print(server.port, flush=True)
sys.stdin.read()
"""


@bench("mail")
def mail() -> Measure:
    found = child.measure("rapport.bench.mail")
    return Measure(
        "mail",
        "aiosmtplib alone sending the same mail, ready made",
        "deliveries/s",
        found["ours"],
        found["theirs"],
        figures={
            "bytes of one mail": f"{found['bytes']:,}",
            "deliveries of a run": f"{MESSAGES:,}",
            "in flight": str(IN_FLIGHT),
        },
    )


def main() -> None:
    """Both in turn, in a data folder of their own; prints the figures as JSON."""
    from rapport.web import stores

    stores.initialise()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "mail"
        with _server(kept) as port:
            _set_up(port)
            _ours(-1)  # connections, templates and queries are read once
            raw = kept.read_bytes()
            pairs = [(_ours(i), asyncio.run(_theirs(port, raw))) for i in range(RUNS)]
    print(json.dumps({"ours": [a for a, _ in pairs], "theirs": [b for _, b in pairs], "bytes": len(raw)}))


@contextmanager
def _server(kept: Path) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(kept)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)
        process.stdin.close()
        process.stdout.close()


def _set_up(port: int) -> None:
    from rapport.messaging.services import accounts

    config = {"host": "127.0.0.1", "port": port, "security": "none", "in_flight": IN_FLIGHT}
    accounts.set_up("email", {**config, "from_address": "shop@otter.example"}, "Main Street 1")
    accounts.make_keys("email")


def _ours(run: int) -> float:
    """Deliveries a second, from the first row to the last event."""
    from rapport.messaging import selectors
    from rapport.messaging.services import Outgoing, drain, send_many

    receipt = {"what": "Wiper blades and a battery cable", "date": "2 March 2026", "amount": "84.50 EUR"}
    messages = [
        Outgoing(f"email:p{i}@example.org", "service", "receipt", f"{run}:{i}", {**receipt, "number": str(i)})
        for i in range(MESSAGES)
    ]
    before = selectors.sums().sent
    began_s = clock.monotonic_s()
    send_many(messages)
    drain()
    took_s = clock.monotonic_s() - began_s
    return (selectors.sums().sent - before) / took_s


async def _theirs(port: int, raw: bytes) -> float:
    """Deliveries a second of the same mail over as many connections."""
    import aiosmtplib

    left = MESSAGES

    async def work() -> None:
        nonlocal left
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            while left > 0:
                left -= 1
                await smtp.sendmail("shop@otter.example", [f"p{left}@example.org"], raw)

    began_s = clock.monotonic_s()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return MESSAGES / (clock.monotonic_s() - began_s)


if __name__ == "__main__":
    main()
