"""The visitor script in a real browser, on pages of a shop's own server, against a real collector."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rapport.events.collector import sites
from rapport.events.spool import Spool
from rapport.web.tests.test_browser import ARGUMENTS, CHROMIUM, WAIT_MS, free_port, set_up

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]

AXE = Path(__file__).parents[4] / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
KEY = "site_browser"
# What somebody may find in storage before they have chosen: nothing.
STORED = "JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage}) + document.cookie"
BUTTONS = "[...document.querySelector('rapport-banner').shadowRoot.querySelectorAll('button')]"

PAGE = """<!doctype html><html lang="{lang}"><head><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script async src="{collector}/c/r.js" data-key="{key}"></script></head>
<body><main><h1>{title}</h1><p><span data-rapport-slot="top-line">as it was</span></p>
<div id="asked"></div>
<p><a href="/next">Next</a> <a href="https://elsewhere.example/x?secret=1" id="out">Elsewhere</a>
<button data-rapport-click="brochure">Brochure</button></p>
<form name="newsletter" action="/sent" method="get"><label>Topic <input name="topic" data-rapport-value></label>
<label>Mail <input name="mail"></label><label>Word <input name="word" type="password" data-rapport-value></label>
<button>Send</button></form>
<p data-rapport-results="3"></p><a href="#" data-rapport-consent id="choices">Privacy choices</a></main></body></html>"""


@dataclass
class Shop:
    """A shop's own web server, a collector on another port, and what reached its spool."""

    address: str
    collector: str
    home: Path
    process: subprocess.Popen[bytes]
    port: int
    requests: list[str] = field(default_factory=list)
    published: str = ""

    def publish(self, **changes: Any) -> None:
        """Set the site as the screens would, and wait until the collector has read it."""
        texts = {
            "title": "May we?",
            "body": "Either answer is fine.",
            "accept": "Allow all",
            "refuse": "Refuse all",
            "save": "Save",
        }
        asked = {"analytics": "Remember pages.", "personalisation": "Greet me."}
        site = {
            "source": "shop",
            "origins": [self.address],
            "before_consent": "nothing",
            "version": "asked-1",
            "purposes": [{"key": k, "texts": {"en": [v, f"{k}-1"]}} for k, v in asked.items()],
            "texts": {"en": texts},
            "search": ["q"],
            "forms": ["newsletter"],
            "slots": {
                "top-line": {"kind": "text", "content": {"en": {"text": "Free delivery"}}},
                "asked": {
                    "kind": "survey",
                    "content": {"en": {"text": "A few questions", "href": f"{self.address}/s/nps/inline"}},
                },
            },
            **changes,
        }
        document = json.dumps({"sites": {KEY: site}, "web": self.address})
        if document == self.published:
            return
        self.published = document
        file = self.home / "onsite" / "sites.json"
        file.parent.mkdir(exist_ok=True)
        file.with_suffix(".new").write_text(document)
        file.with_suffix(".new").replace(file)
        time.sleep(sites.FRESH_S + 0.1)

    def sent(self) -> list[dict[str, Any]]:
        """Every message in the spool, in order and once.

        What was on its way when somebody left a page is sent again under the same number: the loader,
        which is not at work here, is who drops the second.
        """
        spool = Spool(self.home / "spool" / "spool.sqlite3")
        bodies = spool.read(1, max_events=10**6, max_bytes=10**9)
        spool.close()
        batches = (json.loads(body.body or b"")["batch"] for body in bodies)
        return list({message["messageId"]: message for batch in batches for message in batch}.values())

    def start(self) -> None:
        self.process = collect(self.home, self.port)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def collect(home: Path, port: int) -> subprocess.Popen[bytes]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "rapport", "collect", "--port", str(port)],
        env={**kept, "RAPPORT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    import socket

    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return process


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    if os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"):
        pytest.skip("the collector has no operational store; the other run does the same")
    home = tmp_path_factory.mktemp("visited")
    Spool(home / "spool" / "spool.sqlite3").create()
    port = free_port()
    collector = f"http://127.0.0.1:{port}"
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            title = self.path.strip("/").split("?")[0] or "home"
            lang = "de" if title == "german" else "en"
            body = PAGE.format(title=title, collector=collector, key=KEY, lang=lang).encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            # As strict as a page that needs one script can be: nothing inline, no eval, no unchecked HTML.
            self.send_header(
                "content-security-policy",
                f"default-src 'none'; script-src {collector}; connect-src {collector}; form-action 'self';"
                " require-trusted-types-for 'script'; trusted-types 'none'",
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = Shop(
        f"http://127.0.0.1:{server.server_port}", collector, home, collect(home, port), port, requests
    )
    yield made
    made.stop()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # For the whole browser: what a page leaves behind when it closes knows no emulation, and a headless
        # browser is a machine.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, f"--user-agent={USER_AGENT}"]
        )
        yield browser
        browser.close()


Opened = Callable[..., Any]


@pytest.fixture
def opened(shop: Shop, chromium: Any) -> Iterator[Opened]:
    """Open a page in a browser of its own; whatever its console calls an error fails the test."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def show(path: str = "/", *, script: str = "", width: int = 1000, **options: Any) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 700},
            base_url=shop.address,
            **({"user_agent": USER_AGENT} | options),
        )
        context.set_default_timeout(WAIT_MS)
        if script:
            context.add_init_script(script)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.goto(path)
        until(page, "window.rapport && rapport.version")
        return page

    yield show
    for context in contexts:
        context.close()
    settled(shop)
    # What the network refuses is said by the browser itself; what the script does wrong is what counts.
    assert [text for text in wrong if not text.startswith("Failed to load resource")] == []


def settled(shop: Shop) -> None:
    """Wait for what a page sends as it closes, which the next test would take for its own."""
    seen = -1
    while (n := len(shop.sent())) != seen:
        seen = n
        time.sleep(0.3)


def until(page: Any, expression: str) -> None:
    deadline = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate(f"!!({expression})"):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(30)


def arrived(shop: Shop, n: int, since: int) -> list[dict[str, Any]]:
    """What came after `since` messages, once there are `n`; and no more than that."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while len(found := shop.sent()[since:]) < n:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    time.sleep(0.7)  # longer than the script gathers, so that one too many would be seen
    return shop.sent()[since:]


def press(page: Any, text: str) -> None:
    page.locator("rapport-banner").get_by_role("button", name=text).click()


def names(messages: list[dict[str, Any]]) -> list[str]:
    return [message.get("event") or message["type"] for message in messages]


def test_nothing_is_stored_and_nothing_leaves_before_somebody_has_chosen(shop: Shop, opened: Opened) -> None:
    shop.publish()
    before = len(shop.sent())
    page = opened("/?utm_campaign=spring")
    until(page, "document.querySelector('rapport-banner')")
    assert page.locator("[data-rapport-slot]").inner_text() == "Free delivery"
    for path in ("/a", "/b"):
        page.evaluate(f"history.pushState(null, '', '{path}')")
    page.click("[data-rapport-click]")
    page.wait_for_timeout(900)
    assert page.evaluate(STORED) == "{}{}"
    page.goto("/next")
    until(page, "window.rapport && rapport.version")
    assert page.evaluate(STORED) == "{}{}"
    assert page.context.cookies() == []
    assert len(shop.sent()) == before


def test_who_allows_is_followed_over_ten_pages_of_an_app_each_once(shop: Shop, opened: Opened) -> None:
    shop.publish()
    before = len(shop.sent())
    page = opened(
        "/?utm_campaign=spring&utm_source=mail",
        extra_http_headers={"referer": "https://search.example/x?q=y"},
    )
    press(page, "Allow all")
    until(page, "!document.querySelector('rapport-banner')")
    for i in range(10):
        page.evaluate(f"history.pushState({{}}, '', '/app/{i}'); document.title = 'App {i}'")
        page.evaluate("history.replaceState(history.state, '', location.href)")  # as routers do, and no page
    page.evaluate("history.back()")
    found = arrived(shop, 15, before)
    assert names(found)[:4] == ["page", "consent_granted", "consent_granted", "banner_answered"]
    pages = [message for message in found if message["type"] == "page"]
    assert [message["properties"]["path"] for message in pages] == [
        "/",
        *(f"/app/{i}" for i in range(10)),
        "/app/8",
    ]
    assert pages[0]["properties"]["campaign"] == "spring"
    assert pages[0]["properties"]["campaign_source"] == "mail"
    assert pages[3]["properties"]["from"] == "/app/1"
    assert len({message["anonymousId"] for message in found if "anonymousId" in message}) == 1
    granted = found[1]["properties"]
    assert granted == {
        "purpose": "analytics",
        "wording": "analytics-1",
        "shown": f"{shop.address.removeprefix('http://')}/",
        "how": "banner",
    }
    # The next page knows: no banner, the same number, and no cookie.
    page.goto("/next")
    until(page, "window.rapport && rapport.version && rapport('allows', 'analytics')")
    assert not page.locator("rapport-banner").count()
    assert arrived(shop, 16, before)[-1]["anonymousId"] == found[0]["anonymousId"]
    assert page.context.cookies() == []


def test_who_refuses_is_asked_no_more_and_leaves_nothing_but_the_refusal(shop: Shop, opened: Opened) -> None:
    shop.publish()
    before = len(shop.sent())
    page = opened("/")
    press(page, "Refuse all")
    page.goto("/next")
    until(page, "window.rapport && rapport.version")
    page.click("[data-rapport-click]")
    assert not page.locator("rapport-banner").count()
    found = arrived(shop, 1, before)
    assert names(found) == ["banner_answered"]
    assert found[0]["properties"]["choice"] == "refused"
    kept = json.loads(page.evaluate("localStorage.rapport"))
    assert set(kept) == {"asked", "at", "allowed"}
    assert not any(kept["allowed"].values())
    # Changing one's mind is as easy: the link in the footer, then one purpose alone.
    page.click("#choices")
    page.locator("rapport-banner").get_by_label("Remember pages.").check()
    press(page, "Save")
    found = arrived(shop, 4, before)[1:]
    assert names(found)[:2] == ["consent_granted", "consent_denied"]
    assert [m["properties"]["purpose"] for m in found[:2]] == ["analytics", "personalisation"]
    # And back again: what was allowed is withdrawn, and the number is gone.
    page.click("#choices")
    press(page, "Refuse all")
    found = arrived(shop, 6, before)
    assert names(found)[-2:] == ["consent_withdrawn", "banner_answered"]
    assert "id" not in json.loads(page.evaluate("localStorage.rapport"))


def test_where_the_firm_counts_a_page_is_one_count_or_one_event_and_never_both(
    shop: Shop, opened: Opened
) -> None:
    shop.publish(before_consent="count")
    before = len(shop.sent())
    page = opened("/undecided")
    page.goto("/refused")  # leaving counts the page that was left
    until(page, "window.rapport && rapport.version")
    press(page, "Refuse all")
    until(page, "localStorage.rapport")
    page.evaluate("history.pushState(null, '', '/after')")
    found = arrived(shop, 4, before)
    counted = [m["properties"]["path"] for m in found if m.get("event") == "page_counted"]
    assert sorted(counted) == ["/after", "/refused", "/undecided"]
    assert all("anonymousId" not in m for m in found)
    other = opened("/allowed")
    press(other, "Allow all")
    found = arrived(shop, 8, before)[4:]
    assert [m["properties"]["path"] for m in found if m["type"] == "page"] == ["/allowed"]
    assert "page_counted" not in names(found)


@pytest.mark.parametrize("by", ["script", "header"])
def test_a_browser_that_asks_not_to_be_tracked_is_not_asked(shop: Shop, opened: Opened, by: str) -> None:
    shop.publish(before_consent="count")
    before = len(shop.sent())
    signal = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})"
    page = (
        opened("/gpc", script=signal)
        if by == "script"
        else opened("/gpc", extra_http_headers={"Sec-GPC": "1"}, bypass_csp=True)
    )
    found = arrived(shop, 1, before)
    assert names(found) == ["page_counted"]
    assert not page.locator("rapport-banner").count()
    assert page.evaluate(STORED) == "{}{}"
    # It can still be told otherwise, by an act of its owner's own.
    page.click("#choices")
    press(page, "Allow all")
    assert "consent_granted" in names(arrived(shop, 4, before))


def test_a_survey_stands_in_a_frame_and_knows_who_allowed_it(shop: Shop, opened: Opened) -> None:
    shop.publish()
    page = opened("/?s=1", bypass_csp=True)
    page.evaluate("document.getElementById('asked').dataset.rapportSlot = 'asked'")
    page.evaluate("history.pushState(null, '', '/asked')")
    frame = page.locator("iframe[title='A few questions']")
    frame.wait_for()
    assert frame.get_attribute("src") == f"{shop.address}/s/nps/inline"
    press(page, "Allow all")
    until(page, "document.querySelector('iframe').src.includes('?visitor=')")


def test_blocked_storage_breaks_nothing(shop: Shop, opened: Opened) -> None:
    shop.publish()
    before = len(shop.sent())
    blocked = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    page = opened("/", script=blocked)
    press(page, "Allow all")
    page.evaluate("history.pushState(null, '', '/a')")
    assert names(arrived(shop, 5, before)).count("page") == 2


def test_what_happens_offline_arrives_once_online_again(shop: Shop, opened: Opened) -> None:
    shop.publish()
    before = len(shop.sent())
    page = opened("/")
    press(page, "Allow all")
    arrived(shop, 4, before)
    until(page, "!JSON.parse(localStorage.rapport).held.length")  # the page has heard that they arrived
    page.context.set_offline(True)
    for i in range(3):
        page.evaluate(f"history.pushState(null, '', '/off/{i}')")
    page.wait_for_timeout(1200)
    assert len(json.loads(page.evaluate("localStorage.rapport"))["held"]) == 3
    page.context.set_offline(False)
    found = arrived(shop, 7, before)[4:]
    assert [m["properties"]["path"] for m in found] == ["/off/0", "/off/1", "/off/2"]
    until(page, "!JSON.parse(localStorage.rapport).held.length")


def test_what_a_dead_collector_did_not_take_arrives_with_the_next_page(shop: Shop, opened: Opened) -> None:
    shop.publish()
    before = len(shop.sent())
    page = opened("/")
    press(page, "Allow all")
    arrived(shop, 4, before)
    until(page, "!JSON.parse(localStorage.rapport).held.length")  # the page has heard that they arrived
    shop.stop()
    page.evaluate("history.pushState(null, '', '/lost')")
    page.wait_for_timeout(900)
    shop.start()
    page.goto("/found")
    found = arrived(shop, 6, before)[4:]
    assert sorted({m["properties"].get("path", m.get("event")) for m in found}) == ["/found", "/lost"]
    # What was both left behind and kept counts once: it has the number it had.
    assert len({m["messageId"] for m in found}) == 2


def test_searches_links_and_forms_are_told_without_what_is_nobodys_business(
    shop: Shop, opened: Opened
) -> None:
    shop.publish()
    before = len(shop.sent())
    page = opened("/find?q=wiper&token=secret")
    press(page, "Allow all")
    page.click("[data-rapport-click]")
    page.evaluate("document.getElementById('out').addEventListener('click', (e) => e.preventDefault())")
    page.click("#out")
    page.fill("[name=topic]", "wipers")
    page.fill("[name=mail]", "ana@example.org")
    page.fill("[name=word]", "otter")
    page.locator("[name=word]").press("Enter")
    found = arrived(shop, 9, before)
    said = {name: [m["properties"] for m in found if m.get("event") == name] for name in names(found)}
    assert said["site_searched"] == [{"query": "wiper", "n_results": 3}]
    assert said["link_clicked"] == [
        {"path": "/find", "name": "brochure"},
        {"path": "/find", "target": "https://elsewhere.example/x"},
    ]
    (form,) = said["form_sent"]
    assert form["fields"] == ["topic", "mail", "word"]
    assert form["values"] == {"topic": "wipers"}
    text = json.dumps(found)
    assert "secret" not in text
    assert "otter" not in text
    assert "ana@example.org" not in text


def test_a_signed_link_says_who_it_is_and_leaves_the_address_at_once(shop: Shop, opened: Opened) -> None:
    shop.publish()
    before = len(shop.sent())
    token = subprocess.run(
        [
            sys.executable,
            "-c",
            "from rapport.kit import signing; print(signing.sign('site', 'email:ana@example.org'))",
        ],
        env={k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
        | {"RAPPORT_HOME": str(shop.home)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    page = opened(f"/offer?size=2&rp={token}")
    assert page.url == f"{shop.address}/offer?size=2"
    assert page.evaluate(STORED) == "{}{}"
    press(page, "Allow all")
    found = arrived(shop, 5, before)
    (who,) = [m for m in found if m["type"] == "identify"]
    assert who["context"]["rapport"] == {"proved": ["email:ana@example.org"], "evidence": "link"}
    assert token not in json.dumps(found)


def test_the_banner_by_keyboard_and_by_what_a_screen_reader_hears(shop: Shop, opened: Opened) -> None:
    shop.publish()
    page = opened("/")
    banner = page.get_by_role("dialog", name="May we?")
    assert banner.is_visible()
    assert page.evaluate("document.activeElement === document.body")  # it takes nobody's place
    labels = []
    for _ in range(5):
        page.keyboard.press("Tab")
        labels.append(
            page.evaluate(
                "(e => e.textContent || e.closest('label').textContent)(document.activeElement.shadowRoot.activeElement)"
            )
        )
    assert labels == ["Remember pages.", "Greet me.", "Refuse all", "Allow all", "Save"]
    page.keyboard.press("Escape")
    page.wait_for_selector("rapport-banner", state="detached")
    assert page.evaluate(STORED) == "{}{}"  # closing it chooses nothing
    page.focus("#choices")
    page.keyboard.press("Enter")
    until(page, "document.activeElement.tagName == 'RAPPORT-BANNER'")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "rapport('allows', 'analytics') && !rapport('allows', 'personalisation')")
    assert page.evaluate("document.activeElement.id") == "choices"  # back where one came from


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (320, "dark"), (1000, "light")])
def test_the_banner_passes_axe_and_moves_nothing(
    shop: Shop, opened: Opened, width: int, scheme: str, tmp_path: Path
) -> None:
    shop.publish()
    watched = (
        "window.shift = 0; new PerformanceObserver((l) => { for (const e of l.getEntries()) window.shift += e.value })"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page = opened("/", script=watched, width=width, color_scheme=scheme, bypass_csp=True)
    until(page, "document.querySelector('rapport-banner')")
    refuse, accept = page.evaluate(f"{BUTTONS}.slice(0, 2).map(b => [b.offsetWidth, b.offsetHeight])")
    assert refuse == accept
    assert min(refuse) >= 44
    # Alike to the eye, too.
    styles = page.evaluate(
        f"{BUTTONS}.map(b => getComputedStyle(b)).map(s => [s.backgroundColor, s.color, s.borderColor, s.font].join())"
    )
    assert len(set(styles)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.shift") == 0
    page.screenshot(
        path=str(Path(os.environ.get("RAPPORT_SHOTS", tmp_path)) / f"banner-{width}-{scheme}.png")
    )
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('rapport-banner')")
    assert [(v["id"], v["impact"]) for v in found["violations"]] == []
    assert len(found["passes"]) > 5  # it looked


def test_a_page_of_another_origin_sends_nothing(shop: Shop, opened: Opened) -> None:
    shop.publish(origins=["https://shop.example"], before_consent="count")
    before = len(shop.sent())
    # The collector's own host is always allowed, and here it is the page's too; so the page has another name.
    page = opened(shop.address.replace("127.0.0.1", "localhost") + "/")
    press(page, "Allow all")
    page.wait_for_timeout(1000)
    assert len(shop.sent()) == before


def test_from_the_snippet_to_a_greeting_by_name(chromium: Any, tmp_path: Path) -> None:
    """The whole way, with every process running: try it, see it arrive, log in, be greeted, take it back."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env = {**kept, "RAPPORT_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    rapport = [sys.executable, "-m", "rapport"]
    port = free_port()
    process = subprocess.Popen(
        [*rapport, "serve", "--port", str(port)], env=env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        link = next(
            found.group() for line in process.stdout if (found := re.search(r"http://\S+/setup/\S+", line))
        )
        key = json.loads(subprocess.check_output([*rapport, "key", "crm", "--json"], env=env))["write_key"]
        state = set_up(chromium, link)
        context = chromium.new_context(storage_state=state, base_url=f"http://127.0.0.1:{port}")
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.goto("/tracking/website/places/")
        page.check("#greets")
        page.get_by_role("button", name="Save").click()
        page.goto("/tracking/website/settings/")
        page.get_by_text("Show the secret").click()
        secret = page.locator("details pre").first.inner_text()
        who = {"userId": "1001", "traits": {"given_name": "Ana"}}
        answer = context.request.post(
            f"http://127.0.0.1:{port + 1}/v1/identify", data=json.dumps(who | {"writeKey": key})
        )
        assert answer.ok

        time.sleep(sites.FRESH_S + 0.1)
        page.goto("/c/try?lang=de")
        press(page, "Alles erlauben")
        proof = hmac.new(secret.encode(), b"1001", hashlib.sha256).hexdigest()
        page.evaluate(f"rapport('identify', '1001', '{proof}')")
        page.goto("/tracking/website/live/")
        page.get_by_role("row").filter(has_text="Details").filter(has_text="kept").wait_for()
        for purpose in ("analytics", "personalisation"):
            assert page.get_by_role("row").filter(has_text=purpose).filter(has_text="kept").count() == 1

        greeting = page.locator("[data-rapport-slot=greeting]")
        deadline = time.monotonic() + WAIT_MS / 1000
        while True:  # until the worker has put Ana and her browser together
            page.goto("/c/try?lang=de")
            until(page, "window.rapport && rapport.version")
            page.wait_for_timeout(500)
            if greeting.inner_text() == "Willkommen zurück, Ana":
                break
            assert time.monotonic() < deadline, greeting.inner_text()
        page.locator("[data-rapport-consent]").click()
        press(page, "Alles ablehnen")
        page.reload()
        until(page, "window.rapport && rapport.version")
        page.wait_for_timeout(500)
        assert greeting.inner_text() == "Willkommen"
        context.close()
        assert wrong == []
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        process.stdout.close()
