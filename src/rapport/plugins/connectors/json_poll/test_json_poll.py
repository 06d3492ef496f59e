"""Any JSON API: pages to their end, going on where it ended, mistakes said in words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request
from rapport.listening.contract import Context, Failed
from rapport.plugins.connectors.json_poll.plugin import Config, plugin

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
CONFIG = Config(
    url="https://forum.example/posts?size=2",
    network="ourforum",
    items="",
    members="id = id\nts = ts\ntext = text",
    cursor_path="",
    cursor_param="after",
)


class Forum:
    """Pages of two, and a cursor that is the last id."""

    def __init__(self) -> None:
        self.posts = [
            {"id": n, "ts": (NOON + dt.timedelta(minutes=n)).isoformat(), "text": f"{n}"} for n in range(5)
        ]
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request.url)
        asked = parse_qs(urlsplit(request.url).query)
        start = int(asked.get("after", ["0"])[0])
        part = self.posts[start : start + 2]
        onward = str(start + 2) if start + 2 < len(self.posts) else ""
        return Answer(request.url, 200, {}, json.dumps({"list": part, "next": onward}).encode())


def context(fetch: Any) -> Context:
    return Context(lambda: NOON, fetch, (), lambda: False, NOON - dt.timedelta(days=1))


def test_it_goes_on_where_it_ended() -> None:
    forum = Forum()
    config = dataclasses.replace(CONFIG, items="list", cursor_path="next")
    pages = list(plugin.fetch(config, "", context(forum)))
    assert [s.id for p in pages for s in p.said] == ["0", "1", "2", "3", "4"]
    forum.posts.append({"id": 5, "ts": (NOON + dt.timedelta(minutes=5)).isoformat(), "text": "5"})
    more = [s.id for p in plugin.fetch(config, pages[-1].cursor, context(forum)) for s in p.said]
    assert more == ["4", "5"], "the last page is looked at again, and its ids are known"
    assert len(forum.asked) == 4


def test_a_parameter_of_time_gets_the_newest_that_was_read() -> None:
    forum = Forum()
    config = dataclasses.replace(CONFIG, items="list", since_param="since")
    (page,) = plugin.fetch(config, "", context(forum))
    list(plugin.fetch(config, page.cursor, context(forum)))
    assert parse_qs(urlsplit(forum.asked[0]).query)["since"] == ["2026-03-01T12:00:00+00:00"]
    assert parse_qs(urlsplit(forum.asked[1]).query)["since"] == ["2026-03-02T12:01:00+00:00"]


def test_pages_that_go_round_in_circles_end() -> None:
    def round_and_round(request: Request) -> Answer:
        return Answer(request.url, 200, {}, json.dumps({"list": [{"id": 1}], "next": "same"}).encode())

    config = dataclasses.replace(CONFIG, items="list", cursor_path="next")
    assert len(list(plugin.fetch(config, "", context(round_and_round)))) == 2


def test_the_key_follows_to_no_other_host() -> None:
    def elsewhere(request: Request) -> Answer:
        body = json.dumps({"list": [{"id": 1}], "next": "https://evil.example/?page=2"}).encode()
        return Answer(request.url, 200, {}, body)

    config = dataclasses.replace(CONFIG, items="list", cursor_path="next", token="Bearer x")
    with pytest.raises(Failed, match="another host"):
        list(plugin.fetch(config, "", context(elsewhere)))


@pytest.mark.parametrize(("body", "why"), [(b"<html>", "no JSON"), (b'{"a": 1}', "no list at the top")])
def test_what_is_not_as_it_was_said_is_told(body: bytes, why: str) -> None:
    with pytest.raises(Failed, match=why):
        list(plugin.fetch(CONFIG, "", context(lambda request: Answer(request.url, 200, {}, body))))


def test_the_check_counts_what_cannot_be_known_again() -> None:
    body = json.dumps([{"id": 1, "text": "a"}, {"id": 2, "ts": "2026-03-02", "text": ""}]).encode()
    found = plugin.findings(CONFIG, context(lambda request: Answer(request.url, 200, {}, body)))
    assert [(f.what, f.state) for f in found] == [("list", "ok"), ("members", "warn"), ("text", "bad")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"network": "Our Forum"}, "name a network"),
        ({"members": "id = id\nts = ts"}, "where the text is"),
        ({"members": "id = id\nts = ts\ntext = text\nmood = mood"}, "no member"),
        ({"members": "id"}, "not understood"),
        ({"url": "ftp://forum.example/"}, "address"),
        ({"header": "X Y"}, "header"),
        ({"cursor_path": "next", "cursor_param": ""}, "next page"),
        ({"whose": "x"}, "whose"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, str], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        plugin.check(dataclasses.replace(CONFIG, **change))
