"""The screens in a real browser against the real processes: keys, palette, undo, import, narrow and dark."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]

PASSWORD = "seven quiet otters swim"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
]
ORDERS = "order_id,ordered_at,customer_id,product_code,quantity,unit_price\n1,2026-02-01,7,w,2,24.50\n2,soon,8,w,1,9\n"
WAIT_MS = 20_000


@dataclass
class Site:
    """Rapport, running."""

    address: str
    home: Path
    state: dict[str, Any]  # Alice's cookies


def free_port() -> int:
    """A port with a free one after it, for the collector."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return int(port)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"):
        pytest.skip("it serves a data folder of its own, on SQLite, as the other run does")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[Site]:
    """An invented shop, served; Alice has set it up by the link that `serve` printed."""
    home = tmp_path_factory.mktemp("served")
    # A data folder of its own, on SQLite: two of these on one server would find each other's owner.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env = {**kept, "RAPPORT_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    rapport = [sys.executable, "-m", "rapport"]
    subprocess.run([*rapport, "demo", "--people", "300"], env=env, check=True, capture_output=True)
    port = free_port()
    process = subprocess.Popen(
        [*rapport, "serve", "--port", str(port)], env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        link = ""
        for line in process.stdout:
            if found := re.search(r"http://\S+/setup/\S+", line):
                link = found.group()
                break
        assert link, "serve printed no set-up link"
        yield Site(f"http://127.0.0.1:{port}", home, set_up(chromium, link))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


def set_up(chromium: Any, link: str) -> dict[str, Any]:
    """Fill in the first page that anybody sees; gives the cookies of whoever did."""
    context = chromium.new_context(timezone_id="Europe/Madrid")
    page = context.new_page()
    page.goto(link.replace("localhost", "127.0.0.1"))
    assert page.input_value("[name=timezone]") == "Europe/Madrid"  # guessed from the browser
    page.fill("[name=organisation]", "Otter Tools")
    page.fill("[name=name]", "Alice Ferrer")
    page.fill("[name=email]", "alice@example.com")
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")
    page.wait_for_selector("h1:has-text('Alice.')", timeout=WAIT_MS)
    state: dict[str, Any] = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(site: Site, chromium: Any) -> Iterator[Any]:
    """A page of Alice's, on which any error of script or content policy fails the test."""
    yield from opened(site, chromium, width=1280)


@pytest.fixture
def narrow(site: Site, chromium: Any) -> Iterator[Any]:
    yield from opened(site, chromium, width=360, color_scheme="dark")


def opened(site: Site, chromium: Any, *, width: int, **options: Any) -> Iterator[Any]:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, storage_state=site.state, base_url=site.address, **options
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    yield page
    context.close()
    # htmx names an abort as an error; leaving a page while something is being fetched is none.
    said = [text for text in wrong if not text.startswith(("htmx:sendAbort", "htmx:afterRequest"))]
    assert said == [], (site.home / "logs" / "web.log").read_text("utf-8")[-4000:]


def until(page: Any, expression: str) -> None:
    """Wait until something is so; the page's own policy lets nobody put code into it to wait there."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def somebody(page: Any) -> str:
    """A name on the list of people; those who go by a number only are left out."""
    names = page.locator("tr[data-row] th a").all_inner_texts()
    return next(name for name in names if re.fullmatch(r"[^\d@]+ [^\d@]+", name))


def settle(page: Any) -> None:
    """Wait until nothing is being fetched any more."""
    page.wait_for_load_state("networkidle")
    until(page, "!document.querySelector('.htmx-request')")


PAGES = [
    "/",
    "/people/",
    "/people/?kind=author",
    "/people/proposals/",
    "/events/",
    "/insights/",
    "/insights/rfm/",
    "/sources/",
    "/sources/upload/",
    "/sources/quarantine/",
    "/sources/site/",
    "/sources/plan/",
    "/sources/mappings/",
    "/tracking/website/",
    "/tracking/website/live/",
    "/tracking/website/banner/",
    "/tracking/website/places/",
    "/tracking/website/settings/",
    "/health/",
    "/staff/",
    "/settings/",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_telephone_in_the_dark(narrow: Any, path: str) -> None:
    narrow.goto(path)
    settle(narrow)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 360
    background = narrow.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(22, 24, 26)"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_named_and_has_one_heading(page: Any, path: str) -> None:
    page.goto(path)
    settle(page)
    assert page.title().endswith("· Rapport")
    assert page.locator("h1").count() == 1
    unnamed = page.eval_on_selector_all(
        "main a, main button, main input:not([type=hidden]), main select, main textarea",
        """elements => elements.filter(e => !(e.innerText || e.getAttribute('aria-label') || e.textContent.trim()
             || (e.labels && e.labels.length) || e.title)).map(e => e.outerHTML)""",
    )
    assert unnamed == []


def test_keys_reach_everything(page: Any) -> None:
    page.goto("/people/")
    page.keyboard.press("?")
    page.wait_for_selector("dialog#keys[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog#keys[open]", state="detached")
    page.keyboard.press("/")
    until(page, "document.activeElement.name == 'q'")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    second = page.locator("tr[data-row] th a").nth(1)
    page.wait_for_selector("tr.is-on:nth-of-type(2)")
    name = second.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text({name!r})")
    page.go_back()
    page.keyboard.press("n")
    page.wait_for_url("**cursor=**")


def test_the_palette_finds_pages_and_people(page: Any) -> None:
    page.goto("/people/")
    name = somebody(page)
    page.goto("/")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-found [role=option][aria-selected=true]")
    page.keyboard.type("heal")
    until(page, "document.querySelectorAll('#palette-found [role=option]').length === 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/health/")
    page.keyboard.press("Control+k")
    page.keyboard.type(name)
    page.wait_for_selector(f"#palette-found [role=option]:has-text({name!r})")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text({name!r})")


def test_people_are_narrowed_while_one_types(page: Any) -> None:
    page.goto("/people/")
    name = somebody(page)
    before = page.locator("tr[data-row]").count()
    page.fill("#f-q", name)
    until(page, f"document.querySelectorAll('tr[data-row]').length < {before}")
    assert name in page.locator("tr[data-row]").first.inner_text()
    page.wait_for_url("**q=**")
    page.fill("#f-q", "zzzzzz")
    page.wait_for_selector("text=Nobody fits.")


def test_a_timeline_goes_on_as_one_scrolls(page: Any) -> None:
    page.goto("/people/?kind=person")
    busiest = page.evaluate(
        """() => [...document.querySelectorAll('tr[data-row]')].map(r => [+r.children[5].innerText.replace(',', ''),
             r.querySelector('a').href]).sort((a, b) => b[0] - a[0])[0]"""
    )
    page.goto(busiest[1])
    before = page.locator(".timeline > li[data-row]").count()
    if busiest[0] <= 50:
        assert page.locator(".timeline > li.more").count() == 0
        return
    page.locator(".timeline > li.more").scroll_into_view_if_needed()
    until(page, f"document.querySelectorAll('.timeline > li[data-row]').length > {before}")


def test_a_separation_is_asked_about_done_and_undone(page: Any) -> None:
    page.goto("/people/")
    row = page.locator("tr[data-row]").filter(has=page.locator("td.num:text-matches('^[3-9]$')")).first
    row.locator("a").click()
    page.wait_for_url("**/person/*/")
    page.wait_for_selector("button:has-text('Not one person')")
    address = page.url
    whys = page.locator("button:has-text('Not one person')")
    n = whys.count()
    assert n
    whys.first.click()
    page.click("dialog#confirm button[value=no]")  # asked, and thought better of it
    page.wait_for_selector("dialog#confirm", state="hidden")
    assert page.locator("button:has-text('Not one person')").count() == n
    whys.first.click()
    page.click("dialog#confirm button[value=yes]")
    page.wait_for_selector(".toast form")
    page.click(".toast button:has-text('Undo')")
    page.wait_for_selector("text=They are one person now.")
    page.goto(address)
    assert page.locator("button:has-text('Not one person')").count() == n


def test_a_file_is_imported_by_the_worker_while_one_watches(page: Any, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS)
    page.goto("/sources/")
    page.click("a:has-text('Import a file')")
    page.check("input[value=orders]")
    page.set_input_files("#file", str(file))
    page.click("text=Look at it")
    page.wait_for_selector("text=which is no time we can read")
    page.click("button:has-text('Dry run')")
    page.wait_for_selector("text=Dry run: nothing was written")
    page.click("button[value=import]")
    page.wait_for_selector("text=How it was read")
    page.wait_for_selector("main :text('49.00')")
    page.click("a:has-text('Refused')")
    page.click("tbody a")
    page.fill("input[aria-invalid=true]", "2026-02-02")
    page.click("button[value=replay_cells]")
    page.wait_for_selector("text=Sent again.")


def test_the_theme_changes_at_once_and_stays(page: Any) -> None:
    page.goto("/settings/")
    for theme, background in (("dark", "rgb(22, 24, 26)"), ("light", "rgb(246, 246, 244)")):
        page.click("details.me:not(.pausing) summary")
        with page.expect_response("**/settings/theme/"):
            page.click(f"[name=theme][value={theme}]")
        until(page, f"getComputedStyle(document.body).backgroundColor == {background!r}")
        page.reload()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    page.click("details.me:not(.pausing) summary")
    with page.expect_response("**/settings/theme/"):
        page.click("[name=theme][value=auto]")


def test_a_mark_of_a_chart_opens_the_events_behind_it(page: Any) -> None:
    page.goto("/home/charts/activity/")
    page.goto("/")
    mark = page.locator('.plot.wide a:not([aria-label$=": 0"])').last  # a week that has just begun is empty
    mark.wait_for()
    label = mark.get_attribute("aria-label")
    assert re.match(r".+: \d", label)
    mark.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/?**")


def test_the_rail_is_a_drawer_on_a_telephone(narrow: Any) -> None:
    narrow.goto("/people/")
    rail = narrow.locator("#rail")
    assert not rail.is_visible()
    narrow.click("text=Menu")
    rail.wait_for(state="visible")
    narrow.keyboard.press("Escape")
    rail.wait_for(state="hidden")
    narrow.click("text=Menu")
    narrow.click("#rail summary:has-text('Set up')")
    narrow.click("#rail a:has-text('Health')")
    narrow.wait_for_url("**/health/")


def test_motion_and_script_are_not_needed(site: Site, chromium: Any) -> None:
    context = chromium.new_context(
        storage_state=site.state, base_url=site.address, java_script_enabled=False, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/people/?q=a")
    page.locator("tr[data-row] th a").first.click()
    page.wait_for_selector(".timeline, main :text('Nothing has happened')")
    page.goto("/")
    page.locator("a.quiet").first.click()  # what script would fetch is a link without it
    page.wait_for_selector("text=Where it hurts")
    context.close()


def test_what_runs_is_well(page: Any) -> None:
    deadline = time.monotonic() + 30
    while True:
        page.goto("/health/")
        if page.locator("text=does not run").count() == 0 or time.monotonic() > deadline:
            break
    assert page.locator("text=does not run").count() == 0
    assert page.locator(".chip.danger").count() == 0
