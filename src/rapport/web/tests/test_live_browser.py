"""The live desk on a telephone: what is new waits, nothing moves under the finger, one press deals with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.web.tests.test_browser import CHROMIUM, WAIT_MS, Site, chromium, site, until
from rapport.web.tests.test_inbox_browser import run

__all__ = ["chromium", "site"]  # fixtures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]

BEGUN = """
import datetime as dt, json
import django
django.setup()
from rapport.kit import clock
from rapport.listening import services as listening
from rapport.publishing import services
members = "id = id\\nts = ts\\ntext = text"
listening.add_source("square", "webhook", {"network": "square", "secret": "s" * 32, "members": members})
now = clock.now()
ends = now + dt.timedelta(hours=1)
live = services.begin(title="Tiles live", sources=["square"], joins=[], starts_at=now, ends_at=ends, by="")
print(json.dumps(str(live.pk)))
"""
SAID = """
import json, sys
import django
django.setup()
import pyarrow as pa
from rapport.events import rules, services
from rapport.kit import clock
rows = [
    {"message_id": who, "name": "post_published", "ts": clock.now(), "identifier": f"square:{who}",
     "channel": "social", "venue": "square", "text": text,
     "properties": json.dumps({"network": "square", "post_id": who, "author_name": who.title()})}
    for who, text in json.loads(sys.stdin.read())
]
services.record(pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT), source="square")
"""


@pytest.fixture
def page(site: Site, chromium: Any) -> Iterator[Any]:
    """A telephone of Alice's, on which errors of script or content policy fail the test."""
    wrong: list[str] = []
    context = chromium.new_context(
        viewport={"width": 360, "height": 740},
        storage_state=site.state,
        base_url=site.address,
        has_touch=True,
    )
    context.set_default_timeout(WAIT_MS)
    found = context.new_page()
    found.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    found.on("pageerror", lambda e: wrong.append(str(e)))
    yield found
    context.close()
    assert wrong == []


def say(site: Site, *said: tuple[str, str]) -> None:
    run(site, SAID, json.dumps(said))


def test_what_is_new_waits_and_a_press_deals_with_it(site: Site, page: Any) -> None:
    number = json.loads(run(site, BEGUN))
    page.goto(f"/live/{number}/")
    say(site, ("ana", "Does it cut granite?"), ("bo", "Lovely!"))
    page.wait_for_selector("#live-more:has-text('1 new')")
    page.tap("#live-more")
    page.wait_for_selector("#live-rows li:has-text('granite')")
    top = page.evaluate("document.querySelector('#live-rows li').getBoundingClientRect().top")
    say(site, ("chi", "does it cut GRANITE"), ("dan", "Where can I buy it?"))
    page.wait_for_selector("#live-more:has-text('1 new')")
    page.wait_for_selector("#live-rows li:has-text('× 2')")
    assert page.locator("#live-rows li").count() == 1
    assert page.evaluate("document.querySelector('#live-rows li').getBoundingClientRect().top") == top
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = page.evaluate("[...document.querySelectorAll('#live-rows button, #live-rows summary')]"
                          ".filter(e => e.offsetParent).map(e => e.getBoundingClientRect().height)")  # fmt: skip
    assert min(sizes) >= 44
    page.tap("#live-rows li button:has-text('Hide')")
    until(page, "document.querySelector('#live-rows li').dataset.state == 'hidden'")
    page.tap("#live-more")
    page.wait_for_selector("#live-rows li:has-text('Where can I buy it?')")
    page.goto(f"/live/{number}/?show=hidden")
    page.wait_for_selector("#live-rows li:has-text('granite')")
