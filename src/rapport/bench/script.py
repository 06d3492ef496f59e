"""What the visitor script costs a page: time on its main thread while it loads, against the limit of 30 ms.

The same page is loaded in chromium with the script and without, in turn; what the browser itself counts as
work on the page's main thread (the Performance domain of its debugging protocol: tasks, script, layout) is
compared from the navigation until a second after the load. Half of the loads are of a visitor who is asked,
which draws the banner; the other half of one who has answered.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rapport.bench.harness import Measure, Missing, bench
from rapport.events.collector import script as visitor
from rapport.events.spool import Spool
from rapport.kit import clock

LIMIT_MS = 30.0
LOADS = 12
AFTER_LOAD_MS = 1_000
KEY = "site_bench"
ROWS = 200  # of the page: a listing of a shop, so that adding to it costs what it does there
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
)


@bench("script")
def script() -> Iterator[Measure]:
    """Main-thread time added on load, by visitors who are asked and by those who have answered."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Missing("playwright is not installed (`uv sync --group dev`)") from None
    if not chromium:
        raise Missing("chromium is not installed")
    served = visitor.current()
    figures = {"script": f"{len(served.packed):,} bytes packed, the limit is {visitor.BYTES_MAX:,}"}
    with _collector() as collector, _pages(collector) as pages, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", f"--user-agent={USER_AGENT}"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for name, answered in (("first page, with the banner", False), ("later page", True)):
            pairs = [(_load(browser, pages, answered), _load(browser, pages, None)) for _ in range(LOADS + 1)]
            added = [max(0.0, ours["TaskDuration"] - bare["TaskDuration"]) for ours, bare in pairs[1:]]
            scripts = [ours["ScriptDuration"] - bare["ScriptDuration"] for ours, bare in pairs[1:]]
            yield Measure(
                f"visitor script, {name}",
                f"the limit of {LIMIT_MS:g} ms",
                "ms of main thread added",
                added,
                [LIMIT_MS] * LOADS,
                at_most=1.0,
                figures={
                    **figures,
                    "of that in script": f"{statistics.median(scripts):.1f} ms",
                    "the page without it": f"{statistics.median(b['TaskDuration'] for _, b in pairs[1:]):.1f} ms",
                },
            )
        browser.close()


def _load(browser: Any, pages: str, answered: bool | None) -> dict[str, float]:
    """Milliseconds by kind of work for one load in a fresh profile; None loads the page without the script."""
    context = browser.new_context()
    page = context.new_page()
    if answered:
        page.goto(f"{pages}/with")
        page.wait_for_function("window.rapport && rapport.version")
        page.locator("rapport-banner button").nth(1).click()
    protocol = context.new_cdp_session(page)
    # In the thread's own time: what the machine does beside the browser is not the script's.
    protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _metrics(protocol)
    page.goto(f"{pages}/bare" if answered is None else f"{pages}/with")
    page.wait_for_load_state("load")
    page.wait_for_timeout(AFTER_LOAD_MS)
    after = _metrics(protocol)
    context.close()
    return {name: 1000 * (after[name] - before.get(name, 0.0)) for name in ("TaskDuration", "ScriptDuration")}


def _metrics(protocol: Any) -> dict[str, float]:
    return {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}


@contextmanager
def _collector() -> Iterator[str]:
    """A collector with one site, whose pages may be anywhere on this machine."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        home = Path(folder)
        Spool(home / "spool" / "spool.sqlite3").create()
        purposes = [
            {"key": key, "texts": {"en": ["So that the site gets better.", "1"]}}
            for key in ("analytics", "personalisation")
        ]
        words = {
            "title": "May we?",
            "body": "Either is fine.",
            "accept": "Yes",
            "refuse": "No",
            "save": "Some",
        }
        site = {"source": "bench", "version": "1", "purposes": purposes, "texts": {"en": words}}
        (home / "onsite").mkdir()
        (home / "onsite" / "sites.json").write_text(json.dumps({"sites": {KEY: site}}))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        process = subprocess.Popen(
            [sys.executable, "-m", "rapport", "collect", "--port", str(port)],
            env={**os.environ, "RAPPORT_HOME": folder},
        )
        try:
            _await_open(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _await_open(port: int, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None:
                raise
            clock.sleep(0.05)
        else:
            return


@contextmanager
def _pages(collector: str) -> Iterator[str]:
    """A shop's listing, with the script and without."""
    tag = f'<script async src="{collector}/c/r.js" data-key="{KEY}"></script>'
    rows = "".join(f"<li><a href='/item/{i}'>Article {i}</a> <span>{i}.90</span></li>" for i in range(ROWS))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            head = tag if self.path == "/with" else ""
            body = f"<!doctype html><html lang=en><title>Shop</title>{head}<body><ul>{rows}</ul>".encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
