"""Web logs as touchpoints: names, visitors, machines, searches, referrers."""

from __future__ import annotations

import numpy as np
import pytest

from rapport.listening.services.weblog import Occurrences
from rapport.listening.tests.conftest import Read

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Firefox/60.0"


def line(
    path: str = "/",
    *,
    status: int = 200,
    browser: str = FIREFOX,
    referrer: str = "-",
    address: str = "203.0.113.9",
    at: str = "17/May/2015:10:05:03 +0000",
    method: str = "GET",
    size: str = "512",
) -> str:
    return f'{address} - - [{at}] "{method} {path} HTTP/1.1" {status} {size} "{referrer}" "{browser}"'


@pytest.mark.parametrize(
    ("written", "name", "properties"),
    [
        (line("/shop"), "page_viewed", {"path": "/shop", "status": 200, "bytes": 512}),
        (line("/shop", size="-", status=304), "page_viewed", {"path": "/shop", "status": 304}),
        (line("/shop", method="HEAD", size="0"), "page_viewed", {"path": "/shop", "status": 200, "bytes": 0}),
        (
            line("/a/b.css?v=3"),
            "asset_requested",
            {"path": "/a/b.css", "url": "/a/b.css?v=3", "status": 200, "bytes": 512},
        ),
        (line("/x.PNG", status=404), "asset_requested", {"path": "/x.PNG", "status": 404, "bytes": 512}),
        (line("/gone", status=404), "page_failed", {"path": "/gone", "status": 404, "bytes": 512}),
        (
            line("/basket", method="POST", status=302),
            "form_sent",
            {"path": "/basket", "status": 302, "bytes": 512},
        ),
        (
            line("/", browser="Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
            "page_crawled",
            {"path": "/", "bot": "Googlebot", "status": 200, "bytes": 512},
        ),
        (
            line("/", browser="-"),
            "page_crawled",
            {"path": "/", "bot": "no user agent", "status": 200, "bytes": 512},
        ),
        (
            line("/", browser="curl/7.1"),
            "page_crawled",
            {"path": "/", "bot": "curl", "status": 200, "bytes": 512},
        ),
        (
            line("/?utm_campaign=May%20sale&utm_source=mail"),
            "page_viewed",
            {
                "path": "/",
                "url": "/?utm_campaign=May%20sale&utm_source=mail",
                "campaign": "May sale",
                "status": 200,
                "bytes": 512,
            },
        ),
        (line("http://www.example.org/shop"), "page_viewed", {"path": "/shop", "status": 200, "bytes": 512}),
        (
            '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "\\x16\\x03" 400 226 "-" "' + FIREFOX + '"',
            "page_failed",
            {"request": "\\x16\\x03", "status": 400, "bytes": 226},
        ),
    ],
)
def test_a_line_has_the_name_of_what_was_done(
    read: Read, written: str, name: str, properties: dict[str, object]
) -> None:
    said = read("weblog", written + "\n", options={"site": "example.org"})
    assert [r["name"] for r in said.rows] == [name]
    assert said.properties() == properties


def test_the_time_is_kept_to_the_second_and_in_utc(read: Read) -> None:
    said = read(
        "weblog", line(at="17/May/2015:10:05:03 +0200") + "\n" + line(at="01/Jan/2016:00:00:00 -0500")
    )
    assert [r["at_utc"] for r in said.rows] == ["2015-05-17 08:05:03", "2016-01-01 05:00:00"]


def test_a_visitor_is_known_again_and_the_address_is_not_kept(read: Read) -> None:
    said = read(
        "weblog",
        "\n".join(
            [line("/a"), line("/b"), line("/c", address="198.51.100.7"), line("/d", browser=FIREFOX + "!")]
        ),
    )
    first, second, third, fourth = (r["identifier"] for r in said.rows)
    assert first == second
    assert len({first, third, fourth}) == 3
    assert first.startswith("visitor:")
    assert len(first) == 24
    assert not any("203.0.113.9" in str(r) for r in said.rows)


def test_another_installation_gives_another_visitor(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    one = read("weblog", line()).rows[0]["identifier"]
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "another key")
    assert read("weblog", line()).rows[0]["identifier"] != one


def test_who_reads_robots_txt_is_a_machine(read: Read) -> None:
    said = read("weblog", "\n".join([line("/a"), line("/robots.txt"), line("/a", address="198.51.100.7")]))
    assert [r["name"] for r in said.rows] == ["page_crawled", "page_crawled", "page_viewed"]
    assert said.properties(0)["bot"] == "read robots.txt"


def test_the_site_itself_is_no_referrer(read: Read) -> None:
    lines = [line(f"/{n}.css", referrer="https://www.example.org/shop?x=1") for n in range(3)]
    lines += [
        line("/b", referrer="https://www.example.org/shop?x=1"),
        line("/c", referrer="http://blog.example.net/post"),
        line("/d", referrer="https://www.google.co.uk/search?q=brake%20pads+blue&hl=en"),
        line("/e", referrer="https://notgoogle.example/search?q=x"),
    ]
    said = read("weblog", "\n".join(lines))
    assert said.properties(3)["from"] == "/shop"
    assert "referrer" not in said.properties(3)
    assert said.properties(4)["referrer"] == "http://blog.example.net/post"
    assert said.properties(5)["search"] == "brake pads blue"
    assert "search" not in said.properties(6)
    assert any("example.org" in note for note in said.summary.notes)


def test_a_search_on_the_site_is_an_event_of_its_own(read: Read) -> None:
    said = read(
        "weblog",
        "\n".join(
            [
                line("/find?page=2&q=brake+pads%20%E9%A3%9F"),
                line("/find?q=%ff"),
                line("/find?q="),
                line("/find?q=x", status=500),
                line("/find?q=x", browser="SomeBot/1.0"),
            ]
        ),
    )
    searches = [r for r in said.rows if r["name"] == "site_searched"]
    assert [r["message_id"].endswith(" search") for r in searches] == [True, True]
    texts = [said.properties(said.rows.index(r))["query"] for r in searches]
    assert texts == ["brake pads 食", "%ff"]


def test_a_line_repeated_on_purpose_stays_two_events_and_the_same_file_the_same(read: Read) -> None:
    text = "\n".join([line("/a"), line("/a"), line("/b"), line("/a")])
    first, again = read("weblog", text), read("weblog", text, name="renamed.log")
    ids = [r["message_id"] for r in first.rows]
    assert len(set(ids)) == 4
    assert sorted(ids) == sorted(r["message_id"] for r in again.rows)
    longer = read("weblog", text + "\n" + line("/a") + "\n" + line("/c"))
    assert set(ids) < {r["message_id"] for r in longer.rows}
    assert len({r["message_id"] for r in longer.rows}) == 6


def test_a_time_that_cannot_be_is_refused_by_line(read: Read) -> None:
    lines = [
        line("/a"),
        line("/b", at="31/Feb/2015:10:05:03 +0000"),
        line("/c", at="17/May/1971:10:05:03 +0000"),
    ]
    lines += [line("/d", at="17/May/2215:10:05:03 +0000"), line("/e")]
    said = read("weblog", "\n".join(lines))
    assert [said.properties(k)["path"] for k in range(len(said.rows))] == ["/a", "/e"]
    assert said.reasons == [(2, "bad_time", "at"), (3, "bad_time", "at"), (4, "bad_time", "at")]
    assert said.summary.bad_rows[0].row == {"line": lines[1]}
    assert said.summary.read == 5


def test_common_format_has_no_machines_by_name(read: Read) -> None:
    said = read("weblog", '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.0" 200 1\n')
    assert said.rows[0]["name"] == "page_viewed"


def test_numbers_of_equal_lines_differ_over_chunks() -> None:
    rng = np.random.default_rng(1)
    key = rng.integers(0, 40, 3_000).astype(np.uint64)
    seen = Occurrences()
    numbered = np.concatenate([seen.number(part) for part in np.split(key, [700, 701, 2_000])])
    for value in range(40):
        chosen = numbered[key == value]
        assert sorted(chosen.tolist()) == list(range(len(chosen)))
