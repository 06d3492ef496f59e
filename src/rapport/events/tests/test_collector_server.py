"""The collector as it runs: its own process, real connections, killed and asked to end."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rapport.events.spool import Spool
from rapport.events.tests.collecting import KEY, basic, documents
from rapport.kit import clock

START_WAIT_S = 30
SENDERS = 6


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool" / "spool.sqlite3")
    made.create()
    made.add_write_key("shop", KEY)
    yield made
    made.close()


class Server:
    """A collector process on a free port of loopback."""

    def __init__(self, spool: Spool) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        code = (
            "import sys; from pathlib import Path; from rapport.events.collector import Collector, serve;"
            "from rapport.events.spool import Spool;"
            "serve('127.0.0.1', int(sys.argv[1]), Collector(Spool(Path(sys.argv[2]))))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, str(self.port), str(spool.path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._wait_until_open()

    def _wait_until_open(self) -> None:
        until_s = clock.monotonic_s() + START_WAIT_S
        while clock.monotonic_s() < until_s and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                clock.sleep(0.02)
        self.process.kill()
        raise RuntimeError(f"the collector did not open: {self.process.communicate()[0]}")

    def connect(self) -> contextlib.closing[http.client.HTTPConnection]:
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20))

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send the signal and wait; the exit status and what was printed."""
        self.process.send_signal(number)
        printed = self.process.communicate(timeout=30)[0]
        return self.process.returncode, printed


@pytest.fixture
def server(spool: Spool) -> Iterator[Server]:
    made = Server(spool)
    yield made
    if made.process.poll() is None:
        made.end(signal.SIGKILL)


def send(
    connection: http.client.HTTPConnection, path: str, body: bytes, **headers: str
) -> tuple[int, dict[str, object]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, body, {"authorization": basic(KEY), **named})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


class Senders:
    """Threads that each send one batch after the other until the server is gone."""

    def __init__(self, server: Server, label: str) -> None:
        self.acknowledged: list[str] = []
        self.refused: list[tuple[int, object]] = []
        self._threads = [
            threading.Thread(target=self._send, args=(server, f"{label}-{i}")) for i in range(SENDERS)
        ]
        for thread in self._threads:
            thread.start()

    def _send(self, server: Server, label: str) -> None:
        with server.connect() as connection, contextlib.suppress(OSError, http.client.HTTPException):
            for n in range(100_000):
                names = [f"{label}-{n}-{i}" for i in range(3)]
                messages = [{"type": "page", "messageId": name, "anonymousId": "a"} for name in names]
                status, answer = send(connection, "/v1/batch", json.dumps({"batch": messages}).encode())
                if status == 200:
                    self.acknowledged += names
                else:
                    self.refused.append((status, answer))

    def wait_for(self, acknowledged: int) -> None:
        until_s = clock.monotonic_s() + START_WAIT_S
        while len(self.acknowledged) < acknowledged:
            assert clock.monotonic_s() < until_s, self.refused
            clock.sleep(0.001)

    def join(self) -> list[str]:
        for thread in self._threads:
            thread.join(30)
        return self.acknowledged


def stored_ids(spool: Spool) -> list[str]:
    return [message["messageId"] for document in documents(spool) for message in document["batch"]]


def test_killed_in_the_middle_every_acknowledged_event_is_in_the_spool_once(spool: Spool) -> None:
    draw = np.random.default_rng(7)
    acknowledged: list[str] = []
    for attempt in range(4):
        server = Server(spool)
        senders = Senders(server, str(attempt))
        senders.wait_for(int(draw.integers(3, 400)))
        server.end(signal.SIGKILL)
        acknowledged += senders.join()
        assert senders.refused == []
    kept = stored_ids(spool)
    assert len(kept) == len(set(kept))
    assert set(acknowledged) <= set(kept)
    # What was stored and not acknowledged was in hand when the process died: one request a sender at most.
    assert len(kept) - len(acknowledged) <= 4 * SENDERS * 3
    assert spool.next_seq() == len(kept) + 1


def test_asked_to_end_it_answers_what_is_in_hand_and_ends_well(spool: Spool, server: Server) -> None:
    senders = Senders(server, "end")
    senders.wait_for(200)
    status, printed = server.end(signal.SIGTERM)
    acknowledged = senders.join()
    assert (status, printed) == (0, "")
    assert senders.refused == []
    assert sorted(acknowledged) == sorted(stored_ids(spool))


def test_one_connection_goes_on_after_refusals_of_every_kind(spool: Spool, server: Server) -> None:
    page = {"type": "page", "messageId": "1", "anonymousId": "a"}
    whole = json.dumps({"batch": [page]}).encode()
    large = json.dumps({"batch": [page | {"properties": {"text": "x" * 10_000_000}}]}).encode()
    bomb = gzip.compress(b" " * 10_000_000)
    with server.connect() as connection:
        assert send(connection, "/v1/batch", large)[0] == 413
        assert send(connection, "/v1/batch", b"{")[0] == 400
        assert send(connection, "/v1/batch", whole.replace(b'"a"', b'"\xff"'))[0] == 400
        assert send(connection, "/v1/batch", bomb, content_encoding="gzip")[0] == 413
        packed = gzip.compress(whole)
        assert send(connection, "/v1/batch", packed, content_encoding="gzip") == (200, {"success": True})
        assert send(connection, "/v1/page", json.dumps(page | {"messageId": "2"}).encode())[0] == 200
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
    assert 'rapport_collector_requests_total{status="413"} 2' in metrics
    assert stored_ids(spool) == ["1", "2"]


def test_a_body_in_chunks_of_unknown_length_is_read(spool: Spool, server: Server) -> None:
    pieces = [b'{"batch":[', b'{"type":"page","messageId":"1"}', b"]}"]
    with server.connect() as connection:
        connection.request(
            "POST", "/v1/batch", iter(pieces), {"authorization": basic(KEY)}, encode_chunked=True
        )
        assert connection.getresponse().status == 200
    assert stored_ids(spool) == ["1"]


def test_a_sender_that_hangs_up_does_no_harm(spool: Spool, server: Server) -> None:
    head = f"POST /v1/page HTTP/1.1\r\nhost: x\r\nauthorization: {basic(KEY)}\r\ncontent-length: 900\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as rude:
        rude.sendall(head.encode() + b'{"anony')
    with server.connect() as connection:
        assert send(connection, "/v1/page", b'{"messageId":"1"}')[0] == 200
    assert stored_ids(spool) == ["1"]
    assert server.end(signal.SIGTERM) == (0, "")


def test_a_port_that_is_taken_is_said(spool: Spool, server: Server, home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rapport", "collect", "--port", str(server.port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert f"127.0.0.1:{server.port}" in done.stderr
    assert "Traceback" not in done.stderr
