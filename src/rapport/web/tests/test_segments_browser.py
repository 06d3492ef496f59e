"""The builder of segments in a real browser: by keys alone, counting as one types, and without script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from rapport.kit import clock
from rapport.segments import selectors, services
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified, touchpoint
from rapport.web.tests.test_customers_browser import AXE, CHROMIUM, serious
from rapport.web.tests.test_surveys_browser import logged_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"):
        pytest.skip("the pages are the same there, and the other run looks at them")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # The browser's own loop runs in this thread, which is no reason for Django to refuse its queries.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(transactional_db: None, alice: Staff, say: Say, live_server: Any) -> str:
    """Ana bought twice, Bo once."""
    # Tests whose data other processes see end with every table empty, that of the purposes too.
    import_module("rapport.consent.migrations.0002_starting_set").write_starting_set(apps, None)
    now = clock.now()
    orders = [
        touchpoint(
            "order_placed", who, ts=now, value_minor=5000, currency="EUR", properties={"order_id": f"{n}"}
        )
        for n, who in enumerate(("customer:1", "customer:1", "customer:2"))
    ]
    say(identified("customer:1", name="Ana Ruiz"), identified("customer:2", name="Bo"), *orders)
    return str(live_server.url)


def counted(page: Any, n: int) -> None:
    page.wait_for_selector(f".live-count .value:text-is('{n}')")


def test_keys_alone_build_a_segment_that_counts_as_one_types(site: str, chromium: Any) -> None:
    page = logged_in(chromium, site, viewport={"width": 1280, "height": 800})
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.goto("/segments/new/")
    counted(page, 2)
    assert page.evaluate("document.activeElement.id") == "title"
    page.keyboard.type("Buys often")
    page.locator("#add-r").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#f-r_0-about")
    page.wait_for_selector("#f-r_0-about:focus")
    page.keyboard.press("Tab")  # what kind of it
    page.keyboard.press("Tab")
    page.keyboard.press("s")  # so often
    page.wait_for_selector("#f-r_0-n")
    page.wait_for_selector("#f-r_0-do:focus")  # the keyboard stays where it was
    counted(page, 1)
    page.locator("#f-r_0-n").focus()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.wait_for_selector("#wrong-r_0:has-text('A number is missing')")
    counted(page, 2)  # without the row that is wrong
    page.keyboard.type("3")
    counted(page, 0)
    page.wait_for_selector("#wrong-r_0:has-text('A number is missing')", state="detached")
    page.keyboard.press("Control+A")
    page.keyboard.type("2")
    counted(page, 1)
    page.wait_for_selector(".live a:has-text('Ana Ruiz')")
    page.locator("#why-who").focus()
    page.keyboard.type("customer:2")
    page.locator("#why-look").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#why .fails:has-text('once, on')")
    page.locator("button[value=save]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Buys often')")
    page.wait_for_selector("text=is being worked out")
    services.refresh()
    page.wait_for_selector("text=1 person, worked out today")  # by itself
    page.context.close()
    # Leaving a question for a newer one is how it is meant.
    assert [text for text in wrong if not text.startswith(("htmx:sendAbort", "htmx:afterRequest"))] == []


def test_without_script_the_same_buttons_build_it(site: str, chromium: Any) -> None:
    page = logged_in(chromium, site, java_script_enabled=False)
    page.goto("/segments/new/")
    page.click("#add-r")
    page.select_option("#f-r_0-do", "count")
    page.click("button:has-text('Show its fields')")
    page.fill("#f-r_0-n", "2")
    page.fill("#why-who", "customer:1")
    page.click("#why-look")
    page.wait_for_selector("#why:has-text('is in')")
    counted(page, 1)
    page.click("button[value='remove:r_0']")
    counted(page, 2)
    page.fill("#title", "Everybody")
    page.click("button[value=save]")
    page.wait_for_selector("h1:has-text('Everybody')")
    page.context.close()
    assert [one.key for one in selectors.segments()] == ["everybody"]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: run scripts/node.sh")
@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_axe_finds_nothing_serious_and_every_page_fits(
    site: str, chromium: Any, width: int, scheme: str
) -> None:
    rule = {
        "all": [
            {"event": "order_placed", "count": {"op": ">=", "value": 1}},
            {"any": [{"identifier": "email"}]},
        ]
    }
    key = services.create("Buyers", rule, by="alice@example.com").key
    services.create("Both", {"segment": key}, by="alice@example.com")
    services.refresh()
    page = logged_in(
        chromium, site, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    found: dict[str, list[str]] = {}
    for path in ("/segments/", "/segments/new/?start=lapsed", f"/segment/{key}/", f"/segment/{key}/edit/"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.locator("h1").count() == 1, path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if wrong := serious(page):
            found[path] = wrong
    page.context.close()
    assert found == {}
