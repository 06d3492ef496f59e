"""Customers' pages in a real browser: axe-core finds nothing serious, they fit, and work without script.

axe-core (Deque Systems) checks what of WCAG 2.2 AA a machine can check; `scripts/node.sh` fetches it.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread

from rapport.consent import links, services
from rapport.consent import selectors as consent
from rapport.kit.errors import NotFound
from rapport.messaging.services import drain
from rapport.messaging.tests.conftest import Mailbox, account, mailbox  # noqa: F401  fixtures
from rapport.messaging.tests.loopback import words_of
from rapport.people import selectors as people
from rapport.staff.models import Staff
from rapport.web.conftest import Say, touchpoint

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = Path(__file__).parents[4] / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run scripts/node.sh"),
]
ANA = "email:ana@example.org"
WAIT_MS = 30_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOTS = os.environ.get("CUSTOMER_SHOTS", "")  # a folder in which whoever looks at the pages wants pictures


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"):
        pytest.skip("the pages are the same there, and the other run looks at them")
    from playwright.sync_api import sync_playwright

    # The browser's own loop runs in this thread, which is no reason for Django to refuse its queries.
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield browser
        browser.close()
    patch.undo()


@pytest.fixture
def served(db: None) -> Iterator[str]:
    """The screens on a port, in a thread that shares the test's own transaction."""
    connection: Any = connections["default"]
    close, owner = connection.close, threading.get_ident()

    def close_own() -> None:
        """Not by a thread that the browser left behind: it would end the transaction of whichever test runs then."""
        if threading.get_ident() == owner:
            close()

    connection.close = close_own
    connection.inc_thread_sharing()
    thread = LiveServerThread("localhost", StaticFilesHandler, {"default": connection})
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://localhost:{thread.port}"
    thread.terminate()
    connection.dec_thread_sharing()


@pytest.fixture
def addresses(
    served: str, alice: Staff, ana: int, say: Say, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Every page of Ana's, and how they look when something is wrong."""
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", served)
    services.grant(ANA, "marketing", "email", how="form", shown="shop.example/news")
    say(
        touchpoint(
            "person_identified", "customer:1", properties={"traits": {"city": "Vigo"}, "origin": "inferred"}
        )
    )
    found = {page: links.url_for(ANA, page) for page in links.PAGES}
    return found | {
        "unsubscribe": links.one_click_url(ANA, "marketing", "email", "m-1"),
        "door": f"{links.public_url()}/my/",
        "authors": links.object_url("mastodon"),
        "anew": f"{links.public_url()}/my/everything/{links.standing_token(ANA)}",
        "wrong": f"{links.public_url()}/my/preferences/AAAA",
        "nothing": links.url_for("email:nobody@example.org", "everything"),
    }


def opened(chromium: Any, **options: Any) -> Any:
    context = chromium.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    return context.new_page()


def serious(page: Any) -> list[str]:
    """What axe-core finds that keeps somebody from using the page, in words."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [
        f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:200]})"
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]


def shoot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_serious_and_every_page_fits(
    addresses: dict[str, str], chromium: Any, width: int, scheme: str
) -> None:
    page = opened(chromium, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    wrong: dict[str, list[str]] = {}
    for name, address in addresses.items():
        page.goto(address)
        assert page.locator("h1").count() == 1, name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        shoot(page, f"{name}-{width}-{scheme}")
        if found := serious(page):
            wrong[name] = found
    page.goto(addresses["forget"])
    page.click("button[value=ask]")
    page.click("button[value=erase]")  # without the tick: the error is told
    shoot(page, f"forget-wrong-{width}-{scheme}")
    wrong |= {"forget, not sure": found} if (found := serious(page)) else {}
    page.goto(addresses["preferences"])
    page.check("input[name=pause][value=date]")
    page.click("button[value=save]")
    shoot(page, f"preferences-wrong-{width}-{scheme}")
    wrong |= {"preferences, no date": found} if (found := serious(page)) else {}
    page.context.close()
    assert wrong == {}


def test_a_thumb_and_a_keyboard_reach_everything(addresses: dict[str, str], chromium: Any) -> None:
    page = opened(chromium, viewport={"width": 320, "height": 800}, bypass_csp=True)
    page.goto(addresses["preferences"])
    small = page.eval_on_selector_all(
        "main button, main select, main .pick, nav a, .button",
        """all => all.map(e => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
             .filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)""",
    )
    assert small == [], "WCAG 2.2, 2.5.8: a target is at least 24 by 24 pixels"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0, "and it is seen"
    page.context.close()


def test_without_script_wishes_are_stated_and_one_is_forgotten(
    addresses: dict[str, str], chromium: Any
) -> None:
    page = opened(chromium, java_script_enabled=False, locale="en-GB")
    page.goto(addresses["preferences"])
    page.uncheck("input[name=allow][value='marketing.email']")
    page.check("input[name=frequency][value=monthly]")
    page.click("button[value=save]")
    page.wait_for_selector("main :text('Saved: 2 changes')")
    assert not consent.allows(ANA, "marketing", "email").allowed
    with page.expect_download() as download:
        page.goto(addresses["take"])
        page.click("button[value=json]")
    assert "Ana Ruiz" in Path(download.value.path()).read_text("utf-8")
    page.goto(addresses["forget"])
    page.click("button[value=ask]")
    page.check("input[name=sure]")
    page.click("button[value=erase]")
    page.wait_for_selector("h1:has-text('You are forgotten')")
    assert page.context.cookies() == []
    page.context.close()


def deliver() -> None:
    """Let the mail leave, from a thread of its own: the browser's loop runs in this one."""
    connection = connections["default"]

    def run() -> None:
        connections["default"] = connection
        drain()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.usefixtures("account", "ana")
def test_a_link_by_mail_shows_hands_over_and_erases_everything(
    served: str,
    alice: Staff,
    mailbox: Mailbox,  # noqa: F811
    chromium: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAPPORT_PUBLIC_URL", served)
    page = opened(chromium, locale="en-GB")
    page.goto(f"{served}/my/")
    page.fill("#id_email", "Ana@example.org")
    page.click("text=Send me a link")
    page.wait_for_selector("main :text('on its way')")
    deliver()
    assert mailbox.addresses == ["ana@example.org"]
    link = next(iter(re.findall(rf"{re.escape(served)}/\S+", words_of(mailbox.arrived[0][1]))))
    page.goto(link)
    assert page.inner_text("h1") == "What we know of you"
    assert "Ana Ruiz" in page.inner_text("main")
    mine = page.url
    page.click("footer >> text=Take it with you")
    with page.expect_download() as download:
        page.click("button[value=json]")
    assert "It came late." in Path(download.value.path()).read_text("utf-8")
    page.click("footer >> text=Forget me")
    page.click("button[value=ask]")
    page.check("input[name=sure]")
    page.click("button[value=erase]")
    page.wait_for_selector("h1:text-is('You are forgotten')")
    shoot(page, "forgotten")
    with pytest.raises(NotFound):
        people.person_id(ANA)
    page.goto(mine)
    assert page.inner_text("h1") == "We know nothing of you"
    page.context.close()
