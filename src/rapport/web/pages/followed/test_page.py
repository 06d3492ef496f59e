"""Counted links: on to where the message says and nowhere else; a scanner counts as a machine."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.events import lake, spool
from rapport.events import services as events
from rapport.kit import clock, signing
from rapport.messaging.services import drain, send
from rapport.messaging.tests.conftest import Mailbox, account, mailbox  # noqa: F401  fixtures
from rapport.messaging.tests.loopback import words_of
from rapport.messaging.tests.test_sending import letter
from rapport.web.conftest import Say, identified

ANA = "email:ana@example.org"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def at(home: Any) -> Iterator[Any]:
    """Moves the clock: `at(3)` is three seconds after noon."""
    start = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)

    def moved(seconds: float) -> Any:
        return clock.frozen(start + dt.timedelta(seconds=seconds))

    with moved(0):
        yield moved


@pytest.fixture
def paths(at: Any, say: Say, account: Any, mailbox: Mailbox) -> list[str]:  # noqa: F811
    """The addresses of ours in a letter to Ana: two counted links and the three of the foot."""
    say(identified("customer:1", ANA, name="Ana"))
    services.grant(ANA, "marketing", "email", how="form")
    send(letter("ana@example.org", "1", campaign="spring"))
    drain()
    text = words_of(mailbox.arrived[0][1])
    found = [urlsplit(url) for url in re.findall(r"http://localhost:8000\S+", text)]
    return [f"{url.path}?{url.query}" if url.query else url.path for url in found]


def clicks() -> list[dict[str, Any]]:
    """What the log says of followed links."""
    drain()
    last = spool.current().next_seq() - 1
    events.settle(last)
    con = lake.connect()
    try:
        rows = con.execute(
            "SELECT properties FROM event WHERE name = 'message_clicked' ORDER BY seq"
        ).fetchall()
    finally:
        con.close()
    return [json.loads(row[0]) for row in rows]


def test_a_reader_is_led_on_and_counted(at: Any, paths: list[str]) -> None:
    counted = [path for path in paths if path.startswith("/m/")]
    with at(60):
        answer = Client(headers={"User-Agent": BROWSER}).get(counted[1])
    assert (answer.status_code, answer["Location"]) == (302, "https://otter.example/blog?a=1&b=2")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    with at(70):
        (click,) = clicks()
    assert click["machine"] is False
    assert click["campaign"] == "spring"
    assert click["url"] == "https://otter.example/blog?a=1&b=2"


@pytest.mark.parametrize("user_agent", [BROWSER, "Barracuda Sentinel (EE)", ""])
def test_a_scanner_changes_no_consent_and_counts_as_a_machine(
    at: Any, paths: list[str], user_agent: str
) -> None:
    assert len(paths) == 5
    before = consent.ledger(ANA)
    scanner = Client(headers={"User-Agent": user_agent})
    for i in range(3):
        for j, path in enumerate(paths):
            with at(1 + 0.3 * i + 0.05 * j):
                assert scanner.get(path).status_code in {200, 302}
                assert scanner.head(path).status_code in {200, 302}
    assert consent.ledger(ANA) == before
    assert consent.allows(ANA, "marketing", "email").allowed
    with at(10):
        found = clicks()
    assert len(found) == 12
    assert all(click["machine"] for click in found)


def test_two_links_within_a_second_are_a_machine_and_later_ones_a_reader(at: Any, paths: list[str]) -> None:
    first, second = [path for path in paths if path.startswith("/m/")]
    browser = Client(headers={"User-Agent": BROWSER})
    for seconds, path in ((1.0, first), (1.5, second), (60.0, first), (90.0, second)):
        with at(seconds):
            browser.get(path)
    with at(120):
        assert [click["machine"] for click in clicks()] == [True, True, False, False]


@pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
def test_who_asks_not_to_be_tracked_goes_on_uncounted(at: Any, paths: list[str], header: str) -> None:
    with at(60):
        answer = Client(headers={header: "1", "User-Agent": BROWSER}).get(paths[0])
    assert answer.status_code == 302
    with at(70):
        assert clicks() == []


def test_it_leads_nowhere_but_where_a_message_says(paths: list[str]) -> None:
    token = paths[0].removeprefix("/m/")
    delivery, _position = signing.read("click", token)
    for bad in (
        "https://evil.example",
        token[:-2],
        signing.sign("click", delivery, "7"),
        signing.sign("click", "not-a-delivery", "0"),
        signing.sign("standing", delivery, "0"),
    ):
        assert Client().get(f"/m/{bad}").status_code in {400, 404}
    for more in ("?next=https://evil.example", "?url=//evil.example"):
        assert Client().get(paths[0] + more)["Location"] == "https://otter.example/spring"
