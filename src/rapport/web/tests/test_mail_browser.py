"""Mail from its set-up to a confirmed sign-up and a log-in link: real processes, a real SMTP server, a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dkim
import pytest

from rapport.messaging.tests.conftest import Mailbox
from rapport.messaging.tests.loopback import Loopback, words_of
from rapport.web.tests.test_browser import ARGUMENTS, free_port, set_up

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
WAIT_MS = 30_000
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
    pytest.mark.skipif(
        os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
        reason="it serves a data folder of its own, on SQLite, as the other run does",
    ),
]


@dataclass
class Site:
    """Rapport, running, and the server its mail goes to."""

    address: str
    mailbox: Mailbox
    browser: Any
    state: dict[str, Any]  # Alice's cookies

    def page(self, *, alice: bool = False, script: bool = True) -> Any:
        context = self.browser.new_context(
            storage_state=self.state if alice else None,
            base_url=self.address,
            java_script_enabled=script,
            viewport={"width": 1280 if alice else 320, "height": 800},
        )
        context.set_default_timeout(WAIT_MS)
        return context.new_page()

    def wait_for_mail(self, n: int) -> bytes:
        deadline = time.monotonic() + WAIT_MS / 1000
        while len(self.mailbox.arrived) < n:
            assert time.monotonic() < deadline, f"{len(self.mailbox.arrived)} of {n} mails came"
            time.sleep(0.05)
        return self.mailbox.arrived[n - 1][1]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    from playwright.sync_api import sync_playwright

    mailbox = Mailbox()
    server = Loopback(mailbox)
    server.start()
    mailbox.port = server.port
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env = {
        **kept,
        "RAPPORT_HOME": str(tmp_path / "home"),
        "RAPPORT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "rapport", "serve", "--port", str(port)],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        links = (re.search(r"http://\S+/setup/\S+", line) for line in process.stdout)
        link = next(found.group() for found in links if found)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            yield Site(f"http://127.0.0.1:{port}", mailbox, browser, set_up(browser, link))
            browser.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)
        assert process.stdout is not None
        process.stdout.close()
        server.stop()


def link_in(raw: bytes, path: str) -> str:
    found = re.search(rf"http://127\.0\.0\.1:\d+/{path}/\S+", words_of(raw))
    assert found
    return found.group()


def test_from_the_set_up_of_mail_to_a_confirmed_sign_up_and_a_log_in(site: Site) -> None:
    alice = site.page(alice=True)
    set_mail_up(site, alice)
    sign_up(site)
    log_in_by_link(site)
    deadline = time.monotonic() + WAIT_MS / 1000
    while True:  # the mail is there before its sender has written down that it went
        alice.goto("/messages/")
        said = alice.inner_text("main")
        if "3 sent" in said:
            break
        assert time.monotonic() < deadline, said
    assert "3 intended" in said


def set_mail_up(site: Site, page: Any) -> None:
    page.goto("/mail/")
    page.fill("[name=host]", "127.0.0.1")
    page.fill("[name=port]", str(site.mailbox.port))
    page.select_option("[name=security]", "none")
    page.fill("[name=from_address]", "shop@otter.example")
    page.fill("[name=postal_address]", "Main Street 1\nOtterville")
    page.click("button[value=save]")
    page.wait_for_selector("text=Send a test to yourself")
    page.click("button[value=key]")
    page.wait_for_selector("text=A new key is made")
    name, _kind, value = page.locator("#trust .card").first.locator("dd").all_inner_texts()
    page.click("button[value=test]")
    # The worker sends it and the page hears of it without being asked again.
    page.wait_for_selector("text=The server took the test")
    raw = site.wait_for_mail(1)
    assert dkim.verify(raw, dnsfunc=lambda asked, timeout=5: value.encode())
    assert name.endswith("._domainkey.otter.example")


def sign_up(site: Site) -> None:
    page = site.page(script=False)
    page.goto("/signup/marketing")
    page.fill("[name=email]", "ana@example.org")
    page.wait_for_timeout(2_500)  # who is faster is a program
    page.click("button.primary")
    page.wait_for_selector("text=on its way")
    link = link_in(site.wait_for_mail(2), "confirm")
    page.goto(link)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.click("button.primary")
    page.wait_for_selector("text=it is confirmed")
    page.context.close()


def log_in_by_link(site: Site) -> None:
    page = site.page()
    page.goto("/login/")
    page.click("summary")
    page.fill("#link-email", "alice@example.com")
    page.click("form[action='/login/link/'] button")
    page.goto(link_in(site.wait_for_mail(3), "enter"))
    page.click("button.primary")
    page.wait_for_selector("h1:has-text('Alice.')")
    assert page.url.rstrip("/") == site.address
    page.context.close()
