from __future__ import annotations

import datetime as dt
from typing import Any

from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint

DAYS = {"first": "2026-03-01", "last": "2026-03-03"}


def view(who: str, path: str, minute: int = 0, **properties: str) -> dict[str, Any]:
    return touchpoint(
        "page_viewed",
        f"anonymous:{who}",
        ts=MONDAY + dt.timedelta(minutes=minute),
        venue="otter.example",
        properties={"path": path, **properties},
    )


def test_sessions_referrers_landing_pages_searches_and_machines(alice: Staff, say: Say) -> None:
    say(
        view("1", "/a", referrer="https://www.google.com/"),
        view("1", "/b", 5),
        view("2", "/a", 2, referrer="https://www.google.com/"),
        view("3", "/b", 3),
        touchpoint("site_searched", "anonymous:1", properties={"query": "H7 bulb", "n_results": 2}),
        touchpoint("page_crawled", "anonymous:bot", properties={"bot": "Googlebot", "path": "/a"}),
    )
    page = logged_in(alice).get("/sources/site/", DAYS)
    html = page.content.decode()
    assert page.context["summary"].n_sessions == 3
    assert "google.com sends the most sessions: 67\u00a0% (2 of 3)" in html
    assert "h7 bulb" in html
    assert "Googlebot" in html
    assert "50\u00a0% (1 of 2)" in html  # of the two sessions that began on /a one saw no other page


def test_days_without_sessions_say_what_to_do(alice: Staff, say: Say) -> None:
    html = logged_in(alice).get("/sources/site/").content.decode()
    assert "No session in these days." in html


def test_days_the_wrong_way_round_are_put_right(alice: Staff, say: Say) -> None:
    say(view("1", "/a"))
    turned = {"first": DAYS["last"], "last": DAYS["first"]}
    assert logged_in(alice).get("/sources/site/", turned).context["summary"].n_sessions == 1
    assert logged_in(alice).get("/sources/site/", {"first": "soon"}).status_code == 400
