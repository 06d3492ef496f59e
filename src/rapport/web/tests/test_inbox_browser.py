"""The inbox in real browsers: two colleagues at once, the card while typing, the keys, a chat and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.web.tests.test_browser import CHROMIUM, WAIT_MS, Site, chromium, site, until

__all__ = ["chromium", "site"]  # fixtures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]

# Written by a process of its own into the data folder that is served.
TOLD = """
import json, sys
import django
django.setup()
from rapport.onsite import selectors as sites
from rapport.onsite.chat import services as chats
from rapport.staff import selectors, services
alice = selectors.staff_by_email("alice@example.com")
bob, token = services.invite(alice, email="bob@example.com", name="Bob Berg", role="answers")
source = sites.sites()[0].source
chats.set_up(source, by="", is_on=True, hours={}, zone="UTC", greeting={}, within_min=30)
print(json.dumps({"token": token, "source": source}))
"""
SAID = """
import json, sys
import django
django.setup()
import pyarrow as pa
from rapport.events import rules, services
rows = json.loads(sys.stdin.read())
from rapport.kit import clock
rows = [{**row, "ts": clock.now()} for row in rows]
services.record(pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT), source="here")
"""


def run(site: Site, code: str, given: str = "") -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env = {**kept, "RAPPORT_HOME": str(site.home), "DJANGO_SETTINGS_MODULE": "rapport.web.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def mailed(site: Site, *said: tuple[str, str]) -> None:
    """People write to us."""
    rows = [
        {
            "message_id": f"mail-{who}-{text[:12]}",
            "name": "message_received",
            "identifier": f"email:{who}@example.org",
            "channel": "email",
            "venue": "email",
            "text": text,
            "properties": json.dumps(
                {"network": "email", "post_id": f"<{who}@e>", "author_name": who.title()}
            ),
        }
        for who, text in said
    ]
    run(site, SAID, json.dumps(rows))


@pytest.fixture(scope="module")
def bob_state(site: Site, chromium: Any) -> dict[str, Any]:
    """Bob's cookies: he was invited, and chose a password."""
    told = json.loads(run(site, TOLD))
    context = chromium.new_context(base_url=site.address)
    page = context.new_page()
    page.goto(f"/enter/{told['token']}/")
    page.click("main button")
    page.wait_for_load_state()
    state: dict[str, Any] = context.storage_state()
    context.close()
    return state


@pytest.fixture
def pages(site: Site, chromium: Any, bob_state: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """A page of Alice's and one of Bob's, on which errors of script or content policy fail the test."""
    wrong: list[str] = []
    contexts, opened = [], []
    for state in (site.state, bob_state):
        context = chromium.new_context(
            viewport={"width": 1280, "height": 850}, storage_state=state, base_url=site.address
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        contexts.append(context)
        opened.append(page)
    yield opened[0], opened[1]
    for context in contexts:
        context.close()
    # A conflict is an answer of ours with a status of its own, which the browser writes down as an error.
    said = [
        t for t in wrong if not t.startswith(("htmx:sendAbort", "htmx:afterRequest", "htmx:responseError"))
    ]
    assert [t for t in said if "409" not in t] == [], (site.home / "logs" / "web.log").read_text("utf-8")[
        -4000:
    ]


def open_of(page: Any, who: str) -> None:
    """Find somebody's conversation in the list, which brings what is new by itself, and open it."""
    if "/inbox/" not in page.url:
        page.goto("/inbox/")
    page.wait_for_selector(f"#inbox-rows a:has-text('{who}')")
    page.click(f"#inbox-rows a:has-text('{who}')")
    page.wait_for_selector("#composer-text")


def test_two_colleagues_see_each_other_and_lose_nothing(site: Site, pages: tuple[Any, Any]) -> None:
    alice, bob = pages
    alice.goto("/inbox/")
    mailed(site, ("ana", "Where is my order?"))
    open_of(alice, "Ana")  # it came into the list without loading the page
    open_of(bob, "Ana")
    bob.wait_for_selector("#watching:has-text('Alice Ferrer looks at this too.')")
    alice.fill("#composer-text", "It left on Fri")
    bob.wait_for_selector("#watching:has-text('Alice Ferrer is writing')")
    bob.fill("#composer-text", "It is lost, so")
    bob.wait_for_selector("#composer-state:has-text('Draft kept')")
    # Alice writes a note and takes it; Bob's page brings that in around what he types.
    alice.keyboard.press("Tab")
    alice.click("#note-box summary")
    alice.fill("#note-text", "I call her.")
    alice.click("text=Keep the note")
    bob.wait_for_selector("#thread :text('I call her.')")
    assert bob.input_value("#composer-text") == "It is lost, so"
    assert bob.evaluate("document.activeElement.id") == "composer-text"
    assert alice.input_value("#composer-text") == "It left on Fri"
    # Whoever closes the window in the middle of a word finds it again.
    bob.fill("#composer-text", "It is lost, sorry.")
    bob.reload()
    bob.wait_for_selector("#composer-text")
    until(bob, "document.querySelector('#composer-text').value == 'It is lost, sorry.'")


def test_keys_walk_answer_and_settle(site: Site, pages: tuple[Any, Any]) -> None:
    alice, _bob = pages
    mailed(site, ("bo", "Do you have roof boxes?"), ("chi", "May I return it?"))
    open_of(alice, "Chi")
    alice.evaluate("document.activeElement.blur()")
    alice.keyboard.press("r")
    until(alice, "document.activeElement.id == 'composer-text'")
    alice.keyboard.type("je")  # letters in the composer are letters
    assert alice.input_value("#composer-text") == "je"
    alice.fill("#composer-text", "")
    alice.evaluate("document.activeElement.blur()")
    alice.keyboard.press("a")
    until(alice, "document.activeElement.textContent.trim() == 'Take it'")
    alice.keyboard.press("Enter")
    alice.wait_for_selector("#conversation-head summary:has-text('Alice Ferrer')")
    alice.evaluate("document.activeElement.blur()")
    alice.keyboard.press("n")
    until(alice, "document.activeElement.id == 'note-text'")
    alice.keyboard.type("@Bob")
    alice.wait_for_selector("#completes [role=option]:has-text('Bob Berg')")
    alice.keyboard.press("Enter")
    assert alice.input_value("#note-text") == "@BobBerg "
    alice.fill("#note-text", "")
    alice.evaluate("document.activeElement.blur()")
    alice.keyboard.press("e")
    alice.wait_for_selector("#conversation-head :text('resolved: Solved')")
    until(alice, "document.activeElement.closest('[data-row]') != null")
    alice.keyboard.press("Enter")
    until(alice, "!document.querySelector('#conversation-head').textContent.includes('resolved: Solved')")


def test_a_visitor_chats_and_is_answered(site: Site, pages: tuple[Any, Any], chromium: Any) -> None:
    alice, bob = pages
    alice.goto("/inbox/")
    visitor = chromium.new_context(storage_state=site.state, base_url=site.address).new_page()
    visitor.set_default_timeout(WAIT_MS)
    visitor.goto("/c/try")
    visitor.click("rapport-banner button >> nth=0")  # who refuses everything may chat all the same
    visitor.wait_for_selector("rapport-chat button:has-text('Chat with us')")
    assert visitor.evaluate("localStorage.getItem('rapport-chat')") is None  # nothing before they write
    visitor.click("rapport-chat button:has-text('Chat with us')")
    visitor.fill("rapport-chat textarea", "Where is my order 1042?")
    visitor.keyboard.press("Enter")
    visitor.wait_for_selector("rapport-chat .mine:has-text('1042')")
    alice.wait_for_selector("#inbox-rows a:has-text('1042')")
    alice.click("#inbox-rows a:has-text('1042')")
    alice.fill("#composer-text", "It left today.")
    alice.keyboard.press("Control+Enter")
    visitor.wait_for_selector("rapport-chat li:has-text('It left today.')")
    visitor.reload()
    visitor.click("rapport-chat button.main")
    visitor.wait_for_selector("rapport-chat li:has-text('It left today.')")
    assert visitor.locator("rapport-chat li:has-text('It left today.')").count() == 1
    assert visitor.locator("rapport-chat li:has-text('1042')").count() == 1
    alice.wait_for_selector(".said-box.out:has-text('sent')")
    assert bob.url == "about:blank"
    visitor.context.close()
