"""The unmodified Segment libraries against a collector that is killed and started again: everything once."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.events import lake, services, spool, subscriptions
from rapport.people import selectors as people

HERE = Path(__file__).parent
NODE_MODULES = HERE.parent / "node" / "node_modules"
EVENTS = 10_000
KILLS = 3
SLOW_MINUTES = 150  # the clock of the machine that runs the library for Node

pytestmark = pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="spool and lake, which this fills, are the same whichever operational store is used",
)


class Shop:
    """A data folder with a write key, and a collector, a process of its own, that can be killed."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.host = f"http://127.0.0.1:{self.port}"
        self.collector: subprocess.Popen[bytes] | None = None
        self.key = spool.current().add_write_key("shop")

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        con = lake.connect()
        try:
            return con.execute(question).fetchall()
        finally:
            con.close()

    def start(self) -> None:
        command = [sys.executable, "-m", "rapport", "collect", "--port", str(self.port)]
        self.collector = subprocess.Popen(command, env=dict(os.environ))
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.host}/readyz", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                assert self.collector.poll() is None, "the collector ended"
                assert time.monotonic() < until, "the collector did not open"
                time.sleep(0.05)

    def kill(self) -> None:
        if self.collector is not None:
            self.collector.kill()
            self.collector.wait()


@pytest.fixture
def shop(home: Path, db: None) -> Iterator[Shop]:
    made = Shop()
    made.start()
    yield made
    made.kill()


def told(shop: Shop, *command: str) -> dict[str, Any]:
    """Run a library's driver; the collector dies under it, three times, and what the driver says at the end."""
    driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert driver.stdin
    assert driver.stdout
    try:
        for _ in range(KILLS):
            assert driver.stdout.readline() == "handed\n"
            driver.stdin.write("\n")  # the next step is handed over while the server is down
            driver.stdin.flush()
            shop.kill()
            shop.start()
        assert driver.stdout.readline() == "handed\n"
        out, _ = driver.communicate("\n", timeout=120)
    finally:
        driver.kill()
    said: dict[str, Any] = json.loads(out)
    return said


def check(shop: Shop, said: dict[str, Any], prefix: str, order: str) -> None:
    assert said["failures"] == []
    assert said["retried"] > 0, "the server was never missed, so nothing was shown"
    services.settle(spool.current().next_seq() - 1)
    assert shop.rows("SELECT count(*) FROM event") == [(EVENTS + 6,)]
    numbers = "CAST(json_extract_string(properties, '$.number') AS BIGINT)"
    assert shop.rows(
        f"SELECT count(*), count(DISTINCT {numbers}), min({numbers}), max({numbers}),"
        " count(DISTINCT subject) FROM event WHERE name = 'coupon_viewed'"
    ) == [(EVENTS, EVENTS, 0, EVENTS - 1, 500)]
    (kinds,) = shop.rows("SELECT list(name ORDER BY name) FROM event WHERE name <> 'coupon_viewed'")
    assert kinds[0] == [
        "group_joined",
        "identifier_aliased",
        "order_placed",
        "page_viewed",
        "person_identified",
        "screen_viewed",
    ]
    properties = dict(shop.rows("SELECT name, properties FROM event WHERE name <> 'coupon_viewed'"))
    page, screen = json.loads(properties["page_viewed"]), json.loads(properties["screen_viewed"])
    assert page == {"path": "/wipers", "name": "Wipers", "category": "shop", "campaign": "spring"}
    assert screen == {"name": "Home", "category": "app"}
    assert json.loads(properties["group_joined"])["group_id"].startswith("household-")
    bought = json.loads(properties["order_placed"])
    assert (bought["order_id"], bought["integrations"]) == (order, {"All": True, "Mailer": False})
    assert shop.rows("SELECT value_minor, currency FROM event WHERE name = 'order_placed'") == [(2430, "EUR")]
    subscriptions.drain()
    assert {i.text for i in people.person(f"customer:{prefix}-1").identifiers} >= {
        f"customer:{prefix}-1",
        f"anonymous:{prefix}-browser",
        f"customer:{prefix}-before",
        "email:ana@example.org" if prefix == "py" else "email:bo@example.org",
    }


def test_the_python_library_loses_nothing_and_doubles_nothing(shop: Shop) -> None:
    driver = [sys.executable, str(HERE / "segment_python.py")]
    said = told(shop, *driver, shop.host, shop.key, str(EVENTS), str(KILLS + 1))
    check(shop, said, "py", "P1")
    assert shop.rows("SELECT epoch_ms(ts) FROM event WHERE name = 'order_placed'") == [
        (int(dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC).timestamp() * 1000),)
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.skipif(
    not (NODE_MODULES / "@segment").is_dir(), reason="scripts/node.sh has not fetched the npm packages"
)
def test_the_node_library_loses_nothing_and_doubles_nothing(shop: Shop) -> None:
    driver = ["node", str(HERE / "segment_node.mjs"), str(NODE_MODULES)]
    said = told(shop, *driver, shop.host, shop.key, str(EVENTS), str(KILLS + 1), str(SLOW_MINUTES))
    check(shop, said, "no", "N1")
    # The machine's clock was hours slow; by `sentAt` its times were put right to when things happened.
    ((late_s,),) = shop.rows("SELECT max(abs(epoch(received_at) - epoch(ts))) FROM event")
    assert late_s < 60
