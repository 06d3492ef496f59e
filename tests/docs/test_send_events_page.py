"""What `send-events-from-your-site.md` sends is accepted, loaded, and told of Ana."""

from __future__ import annotations

import base64
import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "send-events-from-your-site.md"


def requests_on_the_page() -> list[tuple[str, bytes]]:
    """(path, body) of each curl line."""
    found = []
    for part in PAGE.read_text().split("curl ")[1:]:
        words = shlex.split(part.split("\n\n")[0].split("\n```")[0])
        url = next(w for w in words if w.startswith("http://localhost:8001/"))
        found.append((url.removeprefix("http://localhost:8001"), words[words.index("-d") + 1].encode()))
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    return {**kept, "RAPPORT_HOME": str(tmp_path / "home")}


def typed(environment: dict[str, str], *commands: str) -> list[Any]:
    """What each command printed as JSON; they run one after the other in a process of their own."""
    done = subprocess.run(
        [sys.executable, Path(__file__).parent / "run_story.py"],
        input=json.dumps([shlex.split(command) for command in commands]),
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for command, (status, said) in zip(commands, answers, strict=True):
        assert status == 0, f"{command}: {said}"
    return [json.loads(said) if said else None for _, said in answers]


@contextmanager
def collector(environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "rapport", "collect", "--port", str(port)], env=environment
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert process.poll() is None, "the collector ended"
                assert time.monotonic() < until, "the collector did not open"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_what_the_page_sends_becomes_anas_history(environment: dict[str, str]) -> None:
    sent = requests_on_the_page()
    assert [path for path, _ in sent] == ["/v1/page", "/v1/identify", "/v1/track"]
    _, made = typed(environment, "init --json", "key web-shop --json")
    basic = base64.b64encode(f"{made['write_key']}:".encode()).decode()
    with collector(environment) as address:
        for path, body in sent * 2:  # sent twice, it counts once
            request = urllib.request.Request(address + path, body, {"Authorization": f"Basic {basic}"})
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert json.load(answer) == {"success": True}
    loaded, _, ana, paid = typed(
        environment,
        "load --drain --json",
        "work --drain",
        "people show email:ana@example.org --json",
        "sql --json \"SELECT value_minor, currency FROM event WHERE name = 'order_placed'\"",
    )
    assert loaded["accepted"] == 3
    assert {e["name"] for e in ana["timeline"]} == {"page_viewed", "person_identified", "order_placed"}
    assert paid["rows"] == [[2430, "EUR"]]
