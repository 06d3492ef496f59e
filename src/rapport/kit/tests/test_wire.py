"""What answers of others hold is read without trust in their shape."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.kit import wire

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def test_what_is_not_there_reads_as_empty() -> None:
    value = wire.document(b'{"a": [{"b": "x"}, 3], "n": 4, "no": true, "less": -1}')
    assert wire.text_at(value, "a", 0, "b") == "x"
    assert wire.text_at(value, "a", 1, "b") == "" == wire.text_at(value, "a", 7) == wire.text_at(value, "n")
    assert len(wire.items_at(value, "a")) == 2
    assert wire.items_at(value, "n") == []
    assert [wire.count_at(value, name) for name in ("n", "no", "less", "a")] == [4, None, None, None]
    assert wire.document(b"<html>") is None
    assert wire.document(b"[" * 200_000) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-03-02T12:00:00Z", NOON),
        ("2026-03-02T13:00:00.000+01:00", NOON),
        ("2026-03-02T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("2026-03-02T12:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (7, None),
    ],
)
def test_times_need_a_zone(text: object, found: dt.datetime | None) -> None:
    assert wire.moment(text) == found


def test_a_time_is_written_so_that_it_can_be_read_again() -> None:
    assert wire.written(NOON) == "2026-03-02T12:00:00.000Z"
    assert wire.moment(wire.written(NOON)) == NOON


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "Mon, 02 Mar 2026 12:01:00 GMT"}, 60.0),
        ({"retry-after": "Mon, 02 Mar 2026 11:00:00 GMT"}, 0.0),
        ({"ratelimit-reset": str(int(NOON.timestamp()) + 90)}, 90.0),
        ({"ratelimit-reset": "12"}, 12.0),
        ({"x-ratelimit-reset": "2026-03-02T12:05:00.000Z"}, 300.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": f"Mon, 02 Mar {'9' * 30} 12:01:00 GMT"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert wire.wait_s(headers, NOON) == seconds


def test_links_by_their_relation() -> None:
    header = '<https://m.example/a?x=1,2>; rel="next", <https://m.example/b>; title="t"; rel=prev'
    assert wire.links({"link": header}) == {
        "next": "https://m.example/a?x=1,2",
        "prev": "https://m.example/b",
    }
    assert wire.links({}) == {} == wire.links({"link": "nonsense; rel"})


@pytest.mark.parametrize(
    ("shown", "sent", "is_whole", "is_end"),
    [
        ("Please *clean* it.", "Please clean it", True, True),
        ("Open day\n\nPlease clean it", "Please clean it.", False, True),
        ("Please clean it", "", False, False),
        ("Please clean it", "👍", False, False),
        (" 👍 ", "👍", True, True),
        ("ΣΟΦΟΣ", "σοφος", True, True),
    ],
)
def test_whether_a_text_is_the_one_that_was_sent(shown: str, sent: str, is_whole: bool, is_end: bool) -> None:
    assert (wire.says(shown, sent), wire.says(shown, sent, is_end=True)) == (is_whole, is_end)
