"""Feeds: read strictly, asked politely, changes and gaps told."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any

import pytest

from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed
from rapport.plugins.connectors.rss import feeds
from rapport.plugins.connectors.rss.plugin import Config, plugin

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
URL = "https://shop.example/feed"
CONFIG = Config(url=URL)
HEAD = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><language>en-GB</language>'


def rss(*items: tuple[str, str, str]) -> str:
    """A feed of (guid, title, time)."""
    listed = "".join(
        f"<item><guid isPermaLink='false'>{g}</guid><title>{t}</title><dc:creator>Ana A.</dc:creator>"
        f"<link>/p/{g}</link><pubDate>{at}</pubDate></item>"
        for g, t, at in items
    )
    return f"{HEAD}{listed}</channel></rss>"


def asked(
    answer: str | bytes, *, status: int = 200, headers: dict[str, str] | None = None
) -> tuple[Context, list[Request]]:
    requests: list[Request] = []

    def fetch(request: Request) -> Answer:
        requests.append(request)
        body = answer.encode() if isinstance(answer, str) else answer
        return Answer(request.url, status, headers or {}, body)

    return Context(lambda: NOON, fetch, (), lambda: False, NOON - dt.timedelta(days=7)), requests


def read(answer: str, cursor: str = "", **more: Any) -> tuple[list[Any], str, list[Any]]:
    context, _ = asked(answer, **more)
    (page,) = plugin.fetch(CONFIG, cursor, context)
    return list(page.said), page.cursor, list(page.gaps)


MONDAY = "Mon, 02 Mar 2026 09:00:00 +0100"


def test_rss_of_two_versions_is_read() -> None:
    said, _, _ = read(rss(("7", "It &amp; flickers", MONDAY)))
    (one,) = said
    assert (one.id, one.author, one.text) == ("shop.example#7", "ana-a.@shop.example", "It & flickers")
    assert (one.ts, one.language, one.url) == (NOON - dt.timedelta(hours=4), "en", "https://shop.example/p/7")
    old = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel/><item><title>One</title><link>https://a.example/1</link>'
        "<dc:date>2026-03-02T08:00:00Z</dc:date></item></rdf:RDF>"
    )
    (entry,) = feeds.entries(old.encode(), URL)
    assert (entry.id, entry.title) == ("https://a.example/1", "One")
    assert entry.published == NOON - dt.timedelta(hours=4)


def test_json_feed_is_read() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "authors": [{"name": "Bo"}],
        "items": [
            {"id": "1", "content_html": "<p>Hi <i>there</i></p>", "date_published": "2026-03-02T08:00:00Z"},
            5,
        ],
    }
    said, _, _ = read(json.dumps(feed), headers={"content-type": "application/feed+json"})
    assert [(s.text, s.author) for s in said] == [("Hi there", "bo@shop.example")]


def test_what_did_not_change_costs_the_site_nothing() -> None:
    context, requests = asked(
        rss(("7", "It flickers", MONDAY)), headers={"etag": '"x"', "last-modified": MONDAY}
    )
    (page,) = plugin.fetch(CONFIG, "", context)
    context, requests = asked("", status=304)
    assert list(plugin.fetch(CONFIG, page.cursor, context)) == []
    assert requests[0].headers["If-None-Match"] == '"x"'
    assert requests[0].headers["If-Modified-Since"] == MONDAY


def test_a_changed_entry_is_an_edit_and_an_old_one_is_not_new() -> None:
    first, cursor, _ = read(rss(("7", "It flickers", MONDAY), ("1", "Old", "Mon, 05 Jan 2026 09:00:00 GMT")))
    assert [s.id for s in first] == ["shop.example#7"]
    second, cursor, _ = read(
        rss(("7", "It shines", MONDAY), ("1", "Old", "Mon, 05 Jan 2026 09:00:00 GMT")), cursor
    )
    assert [(s.kind, s.about, s.text) for s in second] == [("edit", "shop.example#7", "It shines")]
    third, _, _ = read(rss(("7", "It shines", MONDAY)), cursor)
    assert third == []


def test_a_feed_that_filled_up_between_two_looks_has_a_gap() -> None:
    _, cursor, _ = read(rss(("7", "It flickers", "Mon, 02 Mar 2026 05:00:00 GMT")))
    state = json.loads(cursor) | {"read_at": "2026-03-02T06:00:00+00:00"}
    _, _, gaps = read(rss(("9", "New", "Mon, 02 Mar 2026 11:00:00 GMT")), json.dumps(state))
    (gap,) = gaps
    assert (gap.reason, gap.since.hour, gap.until.hour) == ("horizon", 6, 11)
    _, _, none = read(rss(("9", "New", MONDAY), ("7", "It flickers", MONDAY)), json.dumps(state))
    assert none == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('<!DOCTYPE r [<!ENTITY a "aaaa">]><rss><channel>&a;</channel></rss>', "document type"),
        ('<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>', "document type"),
        ("<rss><channel></rss>", "not well-formed"),
        ("<html><body>hello</body></html>", "no feed"),
        ('{"items": 5}', "no list"),
        ("<a>" * 200, "deep"),
        ("", "not well-formed"),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(body: str, why: str) -> None:
    context, _ = asked(body)
    with pytest.raises(Failed, match=why):
        list(plugin.fetch(CONFIG, "", context))


def test_a_feed_that_is_gone_is_not_asked_for_ever() -> None:
    context, _ = asked("", status=410)
    with pytest.raises(Failed) as caught:
        list(plugin.fetch(CONFIG, "", context))
    assert caught.value.retry_after_s is None


def test_the_check_says_what_it_lists() -> None:
    context, _ = asked(rss(("7", "It flickers", "")))
    assert [(f.what, f.state) for f in plugin.findings(CONFIG, context)] == [
        ("feed", "ok"), ("times", "warn"), ("changes", "warn"),
    ]  # fmt: skip


def test_the_firms_own_feed_has_the_firms_own_terms() -> None:
    assert plugin.terms_of(CONFIG).may_train is False
    assert plugin.terms_of(dataclasses.replace(CONFIG, whose="own")).may_train is True
    with pytest.raises(Invalid):
        plugin.check(dataclasses.replace(CONFIG, whose="nobody"))
