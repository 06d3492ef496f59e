"""One command runs everything; a part that dies comes back; stopping loses nothing."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.kit import ports

WAIT_S = 90


class Installation:
    """A data folder of its own and the command that serves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_ports()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RAPPORT_", "DJANGO_"))},
            "RAPPORT_HOME": str(folder),
        }
        self.served = subprocess.Popen(
            [sys.executable, "-m", "rapport", "serve", "--port", str(self.port)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def rapport(self, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "rapport", *arguments, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout)

    def get(self, path: str, port: int | None = None) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def track(self, key: str, **message: Any) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port + 1}/v1/track",
            data=json.dumps(message).encode(),
            headers={
                "content-type": "application/json",
                "authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.loads(answer.read()) == {"success": True}

    def pid_of(self, part: str) -> int:
        entry = json.loads((self.folder / "run" / f"{part}.json").read_text())
        return int(entry["pid"])

    def kill(self, part: str) -> None:
        """Kill a part with SIGKILL and wait for the one that the supervisor starts in its place."""
        killed = self.pid_of(part)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: self.pid_of(part) != killed, f"{part} being started again")

    def is_there(self, part: str) -> bool:
        """Whether the part's lock is held; processes that it forked hold it too."""
        with open(self.folder / "locks" / f"process-{part}.lock", "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def free_ports() -> int:
    """A port that is free and whose next one is free too."""
    while True:
        with socket.socket() as a, socket.socket() as b:
            a.bind(("127.0.0.1", 0))
            port = int(a.getsockname()[1])
            try:
                b.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def eventually(look: Any, what: str) -> Any:
    """The first truthy answer; the last error is shown where none comes in time."""
    until, last = time.monotonic() + WAIT_S, ""
    while time.monotonic() < until:
        try:
            if found := look():
                return found
        except (OSError, ValueError, KeyError) as error:
            last = repr(error)
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {WAIT_S} s; {last}")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "home")
    yield made
    made.served.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        made.served.wait(30)
    made.served.kill()
    made.served.communicate()


@pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="it serves a data folder of its own, on SQLite",
)
def test_everything_runs_comes_back_and_stops(installation: Installation) -> None:
    eventually(lambda: installation.get("/readyz") == "ok\n", "the screens being ready")
    eventually(lambda: installation.get("/livez", installation.port + 1), "the collector being there")
    key = installation.rapport("key", "shop")["write_key"]

    installation.track(
        key,
        userId="ana",
        event="Order Completed",
        properties={"order_id": "1", "total": 5, "currency": "EUR"},
    )
    shown = eventually(
        lambda: (found := installation.rapport("people", "show", "customer:ana")).get("timeline") and found,
        "Ana's order being on her timeline",
    )
    assert [event["name"] for event in shown["timeline"]] == ["order_placed"]

    installation.kill("collect")
    eventually(lambda: installation.get("/livez", installation.port + 1), "the collector answering again")
    installation.track(
        key, userId="bo", event="Order Completed", properties={"order_id": "2", "total": 7, "currency": "EUR"}
    )

    # Granian's worker holds the lock of `web`: a new one starts only where the worker has ended as well.
    installation.kill("web")
    eventually(lambda: installation.get("/readyz") == "ok\n", "the screens being ready again")

    installation.served.send_signal(signal.SIGTERM)
    out, _ = installation.served.communicate(timeout=60)
    assert installation.served.returncode == 0, out
    assert re.search(r"/setup/\S+/", out), out
    installation.rapport("load", "--drain")
    assert installation.rapport("sql", "SELECT count(*) AS n FROM event")["rows"] == [[2]]


def test_a_second_one_is_refused_until_the_first_is_killed_and_its_parts_end_with_it(
    installation: Installation,
) -> None:
    eventually(lambda: installation.get("/livez"), "the screens being there")
    parts = ("web", "collect", "load", "work", "listen")
    eventually(lambda: all(installation.is_there(part) for part in parts), "every part being there")
    second = subprocess.run(
        [sys.executable, "-m", "rapport", "serve", "--port", str(free_ports())],
        env=installation.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "already runs on the data folder" in second.stderr

    installation.served.kill()
    eventually(lambda: not any(installation.is_there(part) for part in parts), "its parts ending with it")
    for port in (installation.port, installation.port + 1):
        ports.must_be_free("127.0.0.1", port)
