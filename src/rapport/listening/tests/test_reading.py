"""Reading a network: nothing is lost or doubled wherever the reader dies, and what it missed is said."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.kit.http import Answer, Request
from rapport.listening import selectors, services
from rapport.listening.contract import Draft, Failed, Gap, Hook, Manners, Page, refusal, said_in
from rapport.listening.models import Source
from rapport.listening.services import asking, rounds, saying, sources
from rapport.listening.tests.networks import NOON, Square, rows, says

pytestmark = pytest.mark.django_db


def later(minutes: float) -> Any:
    return clock.frozen(NOON + dt.timedelta(minutes=minutes))


def test_pages_become_events_of_the_plan(square: Square, source: str) -> None:
    services.follow("lantern", "brand", ["lantern"])
    square.said = [
        says(
            "My lantern is broken", id="1", asks_us=True, url="https://square.example/1", venue="square:help"
        ),
        says("Mine too", author="Bo", id="2", in_reply_to="1", thread="1", reach=12),
        says("Please call me", author="chi", id="3", is_private=True),
        says("Fine shop", author="chi", id="4", detail={"stars": 4}),
        says("", id="5", kind="reaction", about="1", detail={"kind": "thanks"}),
    ]
    done = services.read_source(source)
    assert (done.n_said, done.n_pages, done.is_whole) == (5, 3, True)
    first, second, third, fourth, fifth = rows()
    assert first["name"] == "post_published"
    assert (first["identifier"], first["channel"], first["venue"]) == ("square:ana", "social", "square:help")
    assert first["properties"] == {
        "network": "square",
        "post_id": "1",
        "url": "https://square.example/1",
        "asks_us": True,
        "follows": ["lantern"],
    }
    assert (second["identifier"], second["source"]) == ("square:bo", "market")
    assert second["properties"] == {
        "network": "square", "post_id": "2", "in_reply_to": "1", "thread": "1", "reach": 12,
    }  # fmt: skip
    assert (third["name"], third["channel"]) == ("message_received", "direct")
    assert (fourth["channel"], fourth["properties"]["stars"]) == ("review", 4)
    assert (fifth["name"], fifth["properties"]["kind"]) == ("reaction_given", "thanks")
    assert selectors.source(source).seen_at == NOON


@pytest.mark.parametrize("dies_on_page", [1, 2, 3])
def test_a_reader_that_dies_between_log_and_cursor_loses_and_doubles_nothing(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch, dies_on_page: int
) -> None:
    square.said = [says(f"post {n}", id=str(n)) for n in range(5)]
    left = [dies_on_page]

    def die() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "_after_recording", die)
    with pytest.raises(KeyboardInterrupt):
        services.read_source(source)
    done = services.read_source(source)
    assert done.n_said == 5 - 2 * (dies_on_page - 1), "it goes on after the last page whose cursor was kept"
    assert [row["properties"]["post_id"] for row in rows()] == ["0", "1", "2", "3", "4"]


def test_two_sources_of_one_network_tell_a_post_once(square: Square, source: str) -> None:
    services.add_source("market-again", "square", {})
    square.said = [says("seen twice", id="1")]
    services.read_source(source)
    services.read_source("market-again")
    assert [row["source"] for row in rows()] == ["market"]


def test_secrets_are_sealed_and_stay_when_left_out(square: Square, source: str) -> None:
    row = Source.objects.get(name=source)
    assert "open sesame" not in json.dumps(row.config) + row.sealed
    assert "password" not in selectors.settings_of(source)
    services.change_source(
        source, {"server": "https://square.example/", "password": ""}, by="bob@example.com"
    )
    assert kept(source) == ("https://square.example/", "open sesame")


def test_a_secret_that_was_kept_for_one_server_is_sent_to_no_other(square: Square, source: str) -> None:
    for elsewhere in ("https://other.example", "http://square.example", "https://square.example:8443"):
        with pytest.raises(Invalid, match=r"another server.* Enter it again"):
            services.change_source(source, {"server": elsewhere, "password": ""}, by="bob@example.com")
    assert kept(source) == ("https://square.example", "open sesame")
    services.change_source(source, {"server": "https://other.example", "password": "open sesame"})
    assert kept(source) == ("https://other.example", "open sesame")


def kept(source: str) -> tuple[str, str]:
    config = sources.config_of(Source.objects.get(name=source))
    return config.server, config.password


def test_another_place_is_read_from_its_own_beginning(square: Square, source: str) -> None:
    square.said = [says("one", id="1"), says("two", id="2")]
    services.read_source(source)
    services.change_source(source, {"password": "another one"})
    assert Source.objects.get(name=source).cursor == "2"
    services.change_source(source, {"server": "https://other.example", "password": "another one"})
    assert Source.objects.get(name=source).cursor == ""
    square.said = [says("three", id="3"), says("four", id="4")]
    services.read_source(source)
    assert [row["text"] for row in rows()] == ["one", "two", "three", "four"]


def test_a_reader_of_the_old_place_moves_no_cursor_of_the_new_one(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    square.said = [says("one", id="1")]

    def change() -> None:
        with later(1):
            services.change_source(source, {"server": "https://other.example", "password": "another one"})

    monkeypatch.setattr(rounds, "_after_recording", change)
    services.read_source(source)
    assert [row["text"] for row in rows()] == ["one"]
    assert Source.objects.get(name=source).cursor == ""


def test_what_cannot_be_set_up_is_refused(square: Square, source: str) -> None:
    with pytest.raises(Conflict, match="already"):
        services.add_source("market", "square", {})
    with pytest.raises(Invalid, match="no address"):
        services.add_source("other", "square", {"server": "ftp://x"})
    with pytest.raises(Invalid, match="no setting"):
        services.add_source("other", "square", {"colour": "red"})
    with pytest.raises(Invalid, match="cannot name"):
        services.add_source("No Name!", "square", {})
    with pytest.raises(NotFound):
        services.add_source("other", "nowhere", {})
    with pytest.raises(NotFound):
        services.read_source("nobody")


def test_a_rate_limit_is_waited_out_and_is_a_gap_until_it_was_read(square: Square, source: str) -> None:
    square.said = [says(f"post {n}", id=str(n)) for n in range(2)]
    services.read_source(source)
    square.said += [says(f"post {n}", id=str(n)) for n in range(2, 6)]
    square.refuses = [Failed("Too many requests", reason="rate", retry_after_s=90)]
    with later(10):
        done = services.read_source(source)
        assert done.trouble == "Too many requests"
        assert done.again_in_s is not None
        assert 90 <= done.again_in_s <= 120
        row = selectors.source(source)
        assert row.next_at is not None
        assert row.next_at >= NOON + dt.timedelta(minutes=10, seconds=90)
        (gap,) = selectors.gaps(source)
        assert (gap.reason, gap.until, gap.is_made_good) == ("rate", None, False)
    with later(12):
        done = services.read_source(source)
        assert (done.n_said, done.trouble) == (4, "")
        (gap,) = selectors.gaps(source)
        assert gap.is_made_good
        assert gap.since == NOON
        assert selectors.source(source).trouble == ""


def test_failures_wait_longer_each_time_and_not_all_at_once() -> None:
    from rapport.listening.rules import pace

    mean = [pace.pause_s(n, None, 0.5) for n in range(1, 8)]
    assert mean == sorted(mean)
    assert mean[-1] == mean[-2] == 900
    assert len({pace.pause_s(3, None, c / 10) for c in range(10)}) == 10
    assert pace.pause_s(1, 3_600, 0.0) == 3_600
    assert pace.pause_s(9, 10**9, 0.9) == pace.WAIT_MAX_S


def test_a_long_way_back_that_is_read_in_parts_does_not_wait_longer_each_time(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = square.fetch

    def one_page(config: Any, cursor: str, context: Any) -> Iterator[Page]:
        yield next(fetch(config, cursor, context))
        raise Failed("our own limit is spent", reason="rate", retry_after_s=20)

    monkeypatch.setattr(square, "fetch", one_page)
    square.said = [says(f"post {n}", id=str(n)) for n in range(20)]
    waits = [services.read_source(source).again_in_s for _ in range(8)]
    assert all(wait is not None and wait <= 25 for wait in waits)
    monkeypatch.setattr(square, "fetch", fetch)
    square.refuses = [Failed("no", reason="unreachable", retry_after_s=None) for _ in range(2)]
    assert services.read_source(source).again_in_s == 6 * 3_600, (
        "what never helps is asked again a few times a day"
    )


def test_a_login_that_ended_stops_the_source_and_says_so(square: Square, source: str) -> None:
    square.refuses = [
        Failed("The key was revoked", reason="login", retry_after_s=None, hint="Make a new one.")
    ]
    done = services.read_source(source)
    assert (done.trouble, done.again_in_s) == ("The key was revoked", None)
    row = selectors.source(source)
    assert row.needs_login
    assert row.trouble_hint == "Make a new one."
    with pytest.raises(Conflict, match="not on"):
        services.read_source(source)
    with pytest.raises(Failed, match="log-in anew"):
        services.publish(source, Draft("d1", "Hello"))
    services.change_source(source, {"password": "new"})
    assert services.read_source(source).trouble == ""


def test_time_in_which_nobody_read_is_a_gap(square: Square, source: str) -> None:
    square.said = [says("one", id="1")]
    services.read_source(source)
    square.said.append(says("two", id="2"))
    with later(60):
        services.read_source(source)
        (gap,) = selectors.gaps(source)
        assert (gap.reason, gap.since, gap.until) == ("stopped", NOON, NOON + dt.timedelta(minutes=60))
        assert gap.is_made_good, "it was read from where the reading had ended"
    with later(61):
        services.read_source(source)
    assert len(selectors.gaps(source)) == 1


def test_what_a_network_does_not_show_any_more_stays_a_gap(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Gap(NOON - dt.timedelta(days=2), NOON - dt.timedelta(days=1), "horizon", "It shows one day.")
    monkeypatch.setattr(square, "fetch", lambda *_: iter([Page([], "1", [lost])]))
    services.read_source(source)
    services.read_source(source)
    (gap,) = selectors.gaps(source)
    assert (gap.reason, gap.message, gap.is_made_good) == ("horizon", "It shows one day.", False)


def test_switched_off_is_a_gap_from_that_moment(square: Square, source: str) -> None:
    services.read_source(source)
    services.switch_off(source, by="alice@example.com")
    with later(5):
        (gap,) = selectors.gaps(source, NOON, NOON + dt.timedelta(hours=1))
        assert (gap.reason, gap.until) == ("stopped", None)
        services.switch_on(source)
        services.read_source(source)
    (gap,) = selectors.gaps(source)
    assert gap.until == NOON + dt.timedelta(minutes=5)


def test_a_connector_that_breaks_is_a_trouble_and_not_the_end(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Iterator[Page]:
        raise ZeroDivisionError("no")
        yield

    monkeypatch.setattr(square, "fetch", broken)
    done = services.read_source(source)
    assert "ZeroDivisionError" in done.trouble
    assert selectors.source(source).state == "on"


def test_a_draft_leaves_once(square: Square, source: str) -> None:
    draft = Draft("d1", "We can help.", in_reply_to="1")
    assert services.publish(source, draft).id == "p1"
    assert services.publish(source, draft).id == "p1"
    assert len(square.posted) == 1
    assert selectors.posted("d1") == ("posted", "p1", "https://square.example/p1")


def test_a_draft_whose_answer_was_lost_is_looked_for_before_it_leaves_again(
    square: Square, source: str
) -> None:
    square.loses = [Failed("the connection broke", is_unsure=True)]
    draft = Draft("d1", "We can help.")
    with pytest.raises(Failed):
        services.publish(source, draft)
    assert services.publish(source, draft).id == "p1"
    assert len(square.posted) == 1
    square.loses = [Failed("too long", is_permanent=True)]
    with pytest.raises(Failed, match="too long"):
        services.publish(source, Draft("d2", "Too long"))
    square.posted.pop()
    assert services.publish(source, Draft("d2", "Short")).id == "p2", "what was refused may be sent again"


def test_what_may_have_left_is_looked_for_where_the_network_drops_seconds_as_well(
    square: Square, source: str
) -> None:
    """Networks remember what they took for an hour or so, and we may have been away for longer."""
    square.manners = dataclasses.replace(square.manners, publishes_once=True)
    square.loses = [Failed("the connection broke", is_unsure=True)]
    with pytest.raises(Failed):
        services.publish(source, Draft("d1", "We can help."))
    with later(120):
        assert services.publish(source, Draft("d1", "We can help.")).id == "p1"
    assert len(square.posted) == 1


def test_our_own_posts_are_known_when_they_come_back(square: Square, source: str) -> None:
    services.publish(source, Draft("d1", "We can help.", in_reply_to="1"))
    square.loses = [Failed("the connection broke", is_unsure=True)]
    with pytest.raises(Failed):
        services.publish(source, Draft("d2", "See <b>here</b> https://x.example/", in_reply_to="2"))
    square.said = [
        says("We can help.", author="us", id="p1", is_ours=True, in_reply_to="1"),
        says("See here https://y.example", author="us", id="p2", is_ours=True, in_reply_to="2"),
        says("Posted by hand", author="us", id="p3", is_ours=True, in_reply_to="4"),
    ]
    services.read_source(source)
    (row,) = rows()
    assert (row["name"], row["properties"]["post_id"]) == ("reply_published", "p3")
    assert selectors.posted("d2") is not None
    assert selectors.posted("d2")[:2] == ("posted", "p2"), "reading it back settled what was unsure"  # type: ignore[index]


def test_the_terms_say_whether_we_may_answer(square: Square, source: str) -> None:
    assert selectors.may_answer(source, was_asked=True).state == "ok"
    assert selectors.may_answer(source, was_asked=False).state == "bad"
    square.terms = dataclasses.replace(square.terms, may_answer=False)
    assert selectors.may_answer(source, was_asked=True).state == "bad"
    with pytest.raises(Denied, match="terms"):
        services.publish(source, Draft("d1", "Hello"))
    assert square.posted == []


def test_calls_are_durable_before_they_are_answered_and_replays_are_ignored(
    square: Square, source: str
) -> None:
    hook = Hook("POST", {}, {"x-password": "open sesame", "x-id": "7"}, b"Hello")
    assert services.receive(source, hook).status == 202
    services.receive(source, hook)
    with pytest.raises(Denied):
        services.receive(source, dataclasses.replace(hook, headers={"x-password": "wrong", "x-id": "8"}))
    assert [row["text"] for row in rows()] == ["Hello"]


def test_the_rate_is_kept_over_restarts(square: Square, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    manners = Manners(requests=2, per_s=120)
    monkeypatch.setattr(asking.http, "fetch", lambda request, **_: Answer(request.url, 200, {}, b""))
    row = Source.objects.get(name=source)
    request = Request("https://square.example/")
    for _ in range(2):
        asking.context(row, manners).fetch(request)
    with pytest.raises(Failed) as caught:  # another context, as after a restart
        asking.context(row, manners).fetch(request)
    assert caught.value.reason == "rate"
    assert caught.value.retry_after_s == 60
    with later(1):
        asking.context(row, manners).fetch(request)


def test_a_private_address_is_not_asked(square: Square, source: str) -> None:
    context = asking.context(Source.objects.get(name=source), square.manners)
    for url in ("http://127.0.0.1:9/", "https://169.254.169.254/latest", "https://10.0.0.1/"):
        with pytest.raises(Failed) as caught:
            context.fetch(Request(url))
        assert caught.value.reason == "permission"


def test_statuses_are_put_into_words() -> None:
    def told(status: int, **headers: str) -> Failed:
        return refusal(
            Answer("", status, {k.replace("_", "-"): v for k, v in headers.items()}, b""), "X", NOON
        )

    assert told(401).reason == "login"
    assert told(403).reason == "permission"
    assert (told(429, retry_after="30").reason, told(429, retry_after="30").retry_after_s) == ("rate", 30)
    assert told(503, retry_after="Mon, 02 Mar 2026 12:01:00 GMT").retry_after_s == 60
    assert told(429, retry_after="soon").retry_after_s == 60


def test_text_that_no_store_takes_is_made_fit(square: Square, source: str) -> None:
    square.said = [says("a\x00b" + "c" * 30_000, id="1", author="")]
    services.read_source(source)
    (row,) = rows()
    assert row["text"].startswith("abc")
    assert len(row["text"]) == 20_000
    assert row["identifier"] == "square:unnamed"


@pytest.mark.parametrize(
    "odd",
    [
        {"author_name": "half a \ud83d letter"},
        {"author": "a\ud800b", "venue": "square:\udfff"},
        {"detail": {"kind": "\ud83d"}, "kind": "reaction", "about": "1"},
        {"ts": NOON.replace(tzinfo=None)},
        {"author": " @ "},
    ],
)
def test_one_odd_post_keeps_no_other_from_being_read(
    square: Square, source: str, odd: dict[str, Any]
) -> None:
    square.said = [says("before", id="1"), says("half \ud83d", **{"id": "2", **odd}), says("after", id="3")]
    assert services.read_source(source).trouble == ""
    assert [row["properties"].get("post_id") for row in rows() if row["text"] in {"before", "after"}] == [
        "1",
        "3",
    ]
    assert len(rows()) == 3


def test_numbers_that_are_none_are_left_out_of_what_is_said() -> None:
    members = {"id": "id", "ts": "ts", "text": "text", "reach": "reach", "stars": "stars"}
    told = {"id": "1", "ts": 1_772_452_800, "text": "x", "reach": float("inf"), "stars": float("nan")}
    found = said_in(told, members)
    assert found is not None
    assert (found.reach, dict(found.detail)) == (None, {})
    assert said_in({**told, "ts": float("nan")}, members) is None


def test_who_is_denied_to_be_the_sender_is_somebody_else() -> None:
    letter = says(
        "Send it elsewhere", kind="message", author="Ana@Maker.example", detail={"unconfirmed": "dmarc"}
    )
    assert saying.identifier(letter, "email") == "unconfirmed:ana@maker.example"
    assert saying.properties(letter, "email", ())["unconfirmed"] == "dmarc"
    assert saying.identifier(dataclasses.replace(letter, detail={}), "email") == "email:ana@maker.example"
