from __future__ import annotations

import datetime as dt
import re

import pyarrow as pa

from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights import selectors as insights
from rapport.kit import clock
from rapport.kit.chances import share
from rapport.listening import selectors as listening
from rapport.listening import services
from rapport.listening.tests.networks import NOON, Square, rows, says, source, square
from rapport.staff.models import Staff
from rapport.web.conftest import Say, logged_in, touchpoint

__all__ = ["source", "square"]  # fixtures

HOUR = dt.timedelta(hours=1)


def read(square: Square, source: str) -> None:
    """Twenty-four texts: ours in sixteen, a rival's in eight, and half of ours about a wobble of late."""
    services.follow("lantern", "brand", ["Lantern"], title="Lantern")
    services.follow("torch", "competitor", ["Torch"], title="Torch")
    square.said = [
        says(f"The Lantern {'wobbles' if n < 8 else 'shines'} number{n}", id=f"l{n}", author=f"a{n}",
             ts=NOON - (n + 1) * HOUR * (1 if n < 8 else 30))
        for n in range(16)
    ]  # fmt: skip
    square.said += [
        says(f"A torch {n}", id=f"t{n}", author=f"b{n}", ts=NOON - (n + 1) * HOUR) for n in range(8)
    ]
    square.said.sort(key=lambda one: one.ts)
    services.read_source(source)
    rows()


def test_what_is_followed_is_counted_shared_and_led_back_to_its_texts(
    alice: Staff, square: Square, source: str
) -> None:
    client = logged_in(alice)
    assert "Nothing is followed yet." in client.get("/listening/").content.decode()
    read(square, source)
    html = client.get("/listening/?days=30").content.decode()
    ours = share(16, 24)
    assert "Lantern has the largest share of voice: 67" in html
    assert f"{ours.low:.0%}".rstrip("%") in html
    link = re.search(r'href="(/texts/\?follow=lantern&amp;from=2026-02-01&amp;to=2026-03-02)"', html)
    assert link is not None
    texts = client.get(link[1].replace("&amp;", "&")).content.decode()
    assert texts.count("The Lantern") == 16
    assert "A torch" not in texts
    assert "Texts that name “Lantern”." in texts
    chart = re.search(r'href="(/charts/[0-9a-f]{32}\.csv)"', html)
    assert chart is not None
    assert client.get(chart[1]).status_code == 200
    assert "Nobody named what you follow" not in html
    with clock.frozen(NOON + dt.timedelta(days=60)):
        assert "Nobody named what you follow" in client.get("/listening/?days=7").content.decode()


def test_words_come_up_when_they_are_more_than_before(alice: Staff, square: Square, source: str) -> None:
    services.follow("lantern", "brand", ["Lantern"])
    for n in range(40):
        is_late = n < 20
        at = NOON - HOUR * (n if is_late else 200 + n)
        square.said.append(
            says(f"The Lantern {'wobbles' if is_late else 'shines'}", id=f"{n}", author=f"a{n}", ts=at)
        )
    services.read_source(source)
    rows()
    (word,) = insights.rising_words(NOON - HOUR * 168, NOON + HOUR, ["lantern"])
    assert (word.word, word.n, word.n_before, word.of, word.of_before) == ("wobbles", 20, 0, 20, 20)
    assert word.z > 1.96
    assert insights.rising_words(NOON - HOUR * 168, NOON + HOUR, ["torch"]) == []


def test_a_gap_is_a_gap_on_the_chart(alice: Staff, square: Square, source: str) -> None:
    read(square, source)
    services.switch_off(source)
    with clock.frozen(NOON + dt.timedelta(days=2)):
        html = logged_in(alice).get("/listening/?days=7").content.decode()
    assert "What was not seen" in html
    assert "It was switched off." in html
    assert "market: Not read" in html
    (chart,) = re.findall(r'href="(/charts/[0-9a-f]{32}\.csv)"', html)
    lines = logged_in(alice).get(chart).content.decode().splitlines()
    assert lines[-1] == "2026-03-04,,", "a day that nobody saw is not a day on which nothing was said"
    assert lines[-3:-1] == ["2026-03-02,8,8", "2026-03-03,,"]
    with clock.frozen(NOON + dt.timedelta(days=20)):
        html = logged_in(alice).get("/listening/?days=30").content.decode()
    assert "Mentions fell" not in html, "nor has talk ended because nobody listens"


def test_what_lies_before_the_first_source_is_no_silence(alice: Staff, square: Square, source: str) -> None:
    with clock.frozen(NOON):
        read(square, source)
        html = logged_in(alice).get("/listening/?days=90").content.decode()
        chart, _voices = re.findall(r'href="(/charts/[0-9a-f]{32}\.csv)"', html)
        lines = logged_in(alice).get(chart).content.decode().splitlines()[1:]
    assert lines[0].endswith(",,")
    assert lines[-1] == "2026-03-02,8,8"
    quiet = [line for line in lines if line.endswith(",0,0")]
    assert quiet, "within what was read a quiet day is one"


def test_a_rule_is_tried_on_the_last_week_before_it_is_kept(
    alice: Staff, square: Square, source: str
) -> None:
    read(square, source)
    client = logged_in(alice)
    given = {
        "title": "Wobbling",
        "kind": "problem",
        "with_words": "wobbles, shakes",
        "without_words": "number3",
    }
    html = client.post("/listening/follows/", {**given, "do": "preview"}).content.decode()
    assert "7 of " in html
    html = client.post(
        "/listening/follows/", {**given, "languages": "en; de fr", "do": "preview"}
    ).content.decode()
    assert "7 of " in html
    assert "number2" in html
    assert "number3</li>" not in html
    assert len(listening.follows()) == 2
    assert client.post("/listening/follows/", {**given, "do": "save"}).status_code == 302
    row = listening.follow_row("wobbling")
    assert (row.with_words, row.changed_by) == (["wobbles", "shakes"], "alice@example.com")
    wrong = client.post("/listening/follows/", {**given, "with_words": "x", "do": "save"}).content.decode()
    assert "nearly everything" in wrong
    assert client.post("/listening/follows/wobbling/", {"do": "stop"}).status_code == 302
    assert [one.key for one in listening.follows()] == ["lantern", "torch"]


def test_nobodys_rule_overwrites_anothers_unseen(alice: Staff, square: Square, source: str) -> None:
    services.follow("lantern", "brand", ["Lantern"], title="Lantern")
    client, url = logged_in(alice), "/listening/follows/lantern/"

    def opened() -> str:
        found = re.search(r'name="was" value="([^"]+)"', client.get(url).content.decode())
        assert found is not None
        return found[1]

    mine = {"title": "Lantern", "kind": "brand", "with_words": "lamp", "was": opened(), "do": "save"}
    with clock.frozen(NOON + HOUR):
        services.follow("lantern", "brand", ["Lantern", "Laterne"], by="bob@example.com")
    html = client.post(url, mine).content.decode()
    assert "bob@example.com has changed this since you opened it" in html
    assert ">lamp</textarea>" in html.replace("\r", "").replace("\n", "")
    assert listening.follow_row("lantern").with_words == ["Lantern", "Laterne"]
    assert client.post(url, {**mine, "was": opened()}).status_code == 302
    assert listening.follow_row("lantern").with_words == ["lamp"]


def test_imported_posts_are_found_by_todays_rules(alice: Staff, say: Say) -> None:
    say(touchpoint("post_published", "mastodon:ana", text="My LANTERN is fine", venue="mastodon"))
    services.follow("lantern", "brand", ["lantern"])
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    (day,) = listening.mentions_by_day(at, at + dt.timedelta(days=1))
    assert (day.key, day.n, day.n_authors) == ("lantern", 1, 1)


def test_a_rule_finds_what_was_read_before_it_was_made_or_changed(square: Square, source: str) -> None:
    since, until = NOON - dt.timedelta(days=30), NOON + dt.timedelta(days=1)

    def counted() -> dict[str, int]:
        found: dict[str, int] = {}
        for day in listening.mentions_by_day(since, until):
            found[day.key] = found.get(day.key, 0) + day.n
        return found

    with clock.frozen(NOON):
        read(square, source)
    assert counted() == {"lantern": 16, "torch": 8}
    with clock.frozen(NOON + HOUR):
        services.follow("wobbling", "problem", ["wobbles"])
        services.follow("lantern", "brand", ["Lantern"], ["shines"])
        assert counted() == {"lantern": 8, "torch": 8, "wobbling": 8}
        square.said.append(says("The Lantern wobbles again", id="x", author="z", ts=NOON + HOUR))
    with clock.frozen(NOON + 2 * HOUR):
        services.read_source(source)
        rows()
        assert counted() == {"lantern": 9, "torch": 8, "wobbling": 9}, "each once, marked or searched"


def test_charlie_sees_nothing_and_whoever_may_not_change_gets_no_form(charlie: Staff, bob: Staff) -> None:
    assert logged_in(charlie).get("/listening/").status_code == 403
    client = logged_in(bob)
    assert "<textarea" not in client.get("/listening/follows/").content.decode()
    assert client.post("/listening/follows/", {"title": "x"}).status_code == 403


def test_sentiment_is_counted_with_its_range(alice: Staff, square: Square, source: str) -> None:
    read(square, source)
    since, until = NOON - dt.timedelta(days=30), NOON + dt.timedelta(days=1)
    assert insights.followed_sentiment(since, until) == []
    note = {"name": "sentiment", "model": "m", "version": "1", "value": -1.0, "probability": 1.0}
    labels = ["negative"] * 4 + ["neutral"] * 3 + ["positive"] * 3
    texts = [row for row in rows() if "Lantern" in row["text"]][: len(labels)]
    noted = [
        {**note, "seq": row["seq"], "subject": row["subject"], "ts": row["ts"], "label": label}
        for row, label in zip(texts, labels, strict=True)
    ]
    events.settle(events.annotate(pa.Table.from_pylist(noted, schema=event_rules.ANNOTATION)).first + 9)
    (one,) = insights.followed_sentiment(since, until)
    assert (one.key, one.n, one.n_negative, one.n_neutral, one.n_positive) == ("lantern", 10, 4, 3, 3)
    assert one.negative == share(4, 10)
    html = logged_in(alice).get("/listening/?days=30").content.decode()
    assert "name=sentiment&amp;label=negative" in html
