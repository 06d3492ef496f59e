"""Standing toward us: who is left out and why, what staff says of it, and changes as events."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import lake, subscriptions
from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights import selectors, services
from rapport.insights.tests.conftest import NOW, Say, loaded, row
from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.people import selectors as people

RING = "Never again will I order brake pads for my old car from them, what a mess"
OWN = (
    "The wiper blades I bought last spring still wipe like new, thank you",
    "Asked a silly question and got a kind answer",
)


def post(key: str, who: str, days_ago: float, text: str, **columns: Any) -> dict[str, Any]:
    return row(
        key, "post_published", who, days_ago, text=text, properties='{"network": "mastodon"}', **columns
    )


def toned(tone: str) -> None:
    """Annotate every text that has no tone yet as surely of one."""
    with_text = (
        "SELECT e.seq, e.subject, e.ts FROM event e WHERE e.text IS NOT NULL"
        " AND e.seq NOT IN (SELECT a.seq FROM annotation a)"
    )
    con = lake.connect()
    try:
        found = con.execute(with_text).to_arrow_table()
    finally:
        con.close()
    value = {"negative": -0.9, "positive": 0.9}[tone]
    said = [
        {**one, "name": "sentiment", "label": tone, "value": value, "probability": 0.95, "model": "sentiment",
         "version": "t", "detail": "{}"}
        for one in found.to_pylist()
    ]  # fmt: skip
    events.annotate(pa.Table.from_pylist(said, schema=event_rules.ANNOTATION))
    subscriptions.settle(loaded(), ("people", "consent"))


@pytest.fixture
def ring(say: Say) -> int:
    """Four accounts say the same twice within hours; Ana, a customer, and Bo speak for themselves."""
    say(
        *(
            post(f"r{k}{at}", f"mastodon:sock{k}", at - k / 10, f"{RING} {at} times" + "!" * k)
            for k in range(4)
            for at in (40, 20)
        )
    )
    toned("negative")
    say(
        row("id", "person_identified", "mastodon:ana", 300, also=["customer:ana"], evidence="login"),
        row("b", "order_placed", "customer:ana", 200, value_minor=900, currency="EUR", properties='{"order_id": "b"}'),
        post("a1", "mastodon:ana", 90, OWN[0]),
        post("a2", "mastodon:ana", 30, OWN[1]),
        post("bo", "mastodon:bo", 60, "They sent the right part at once and it fits my van"),
    )  # fmt: skip
    toned("positive")
    return loaded()


def authors(label: str) -> int:
    return sum(a.label == label for a in selectors.left_out())


def test_a_ring_is_left_out_with_its_reason_and_others_are_not(ring: int) -> None:
    until = NOW + dt.timedelta(days=1)
    before = selectors.standings_of_networks(NOW - dt.timedelta(days=365), until)[0]
    assert before.n_people == 6
    assert before.standing == pytest.approx(-1 / 3, abs=0.05)
    (done,) = services.run(["authenticity"])
    assert (done.state, done.error) == ("done", "")
    accounts = selectors.left_out()
    assert [(a.label, a.n_texts, a.network) for a in accounts] == [("left_out", 2, "mastodon")] * 4
    assert all("much the same as what" in a.reason for a in accounts)
    after = selectors.standings_of_networks(NOW - dt.timedelta(days=365), until)[0]
    assert after.n_people == 2
    assert after.standing == pytest.approx(0.95, abs=0.1)
    assert after.low <= after.standing <= after.high
    services.run(["authenticity"])
    assert selectors.left_out() == accounts, "marked once"


def test_of_a_public_author_no_figure_is_kept(ring: int) -> None:
    services.run(["authenticity", "advocacy", "participation"])
    kept = people.scores_arrow()
    known = people.person_id("customer:ana")
    assert set(kept.column("person").to_pylist()) == {known}
    assert {"authenticity", "advocacy", "advocacy:mastodon", "participation"} <= set(
        kept.column("name").to_pylist()
    )
    shares = selectors.label_shares("advocacy")["advocacy:mastodon"]
    assert sum(s.n for s in shares) == 6, "but they are counted"


def test_staffs_word_stands_above_the_model(ring: int) -> None:
    services.run(["authenticity"])
    seq = selectors.left_out()[0].seq
    assert services.decide(seq, is_genuine=True, staff="alice@firm.example") == 2
    assert (authors("left_out"), authors("genuine")) == (3, 1)
    assert selectors.n_left_out() == {"genuine": 1, "left_out": 3}
    listed = selectors.left_out()
    assert selectors.left_out(0, 3) + selectors.left_out(3, 3) == listed
    services.run(["authenticity"])
    assert (authors("left_out"), authors("genuine")) == (3, 1), "and stays on the list"
    (mine,) = [a for a in selectors.left_out() if a.label == "genuine"]
    assert mine.by == "alice@firm.example"
    services.decide(mine.seq, is_genuine=False, staff="alice@firm.example")
    services.run(["authenticity"])
    assert (authors("left_out"), authors("genuine")) == (4, 0)
    with pytest.raises(NotFound):
        services.decide(10**9, is_genuine=True, staff="alice@firm.example")


def test_a_change_of_standing_is_told_once_and_the_first_run_tells_none(ring: int, say: Say) -> None:
    services.run(["advocacy"])
    assert told() == []
    with clock.frozen(NOW + dt.timedelta(days=1)):
        say(
            *(
                post(f"n{k}", "mastodon:ana", k, f"{k} days on and still glad I asked them about my car")
                for k in range(12)
            )
        )
        toned("positive")
        services.run(["advocacy"])
        loaded()
        changes = told()
        assert {(n, a) for _who, n, _b, a in changes} == {("mastodon", "advocate"), ("", "advocate")}
        assert {who for who, *_rest in changes} == {"customer:ana"}
        services.run(["advocacy"])
        loaded()
        assert told() == changes


def told() -> list[Any]:
    con = lake.connect()
    try:
        return con.execute(
            "SELECT s.identifier, e.properties->>'$.network', e.properties->>'$.from', e.properties->>'$.to'"
            " FROM event e JOIN subject s ON e.subject = s.subject WHERE e.name = 'advocacy_changed' ORDER BY ALL"
        ).fetchall()
    finally:
        con.close()


def test_a_change_is_not_told_by_intervals_that_end_where_the_scale_does() -> None:
    def stand(standing: float, error: float) -> selectors.Stand:
        low, high = max(-1.0, standing - 1.96 * error), min(1.0, standing + 1.96 * error)
        return selectors.Stand("mastodon", None, 4, 4, standing, low, high, error)

    (moved,) = selectors.moved([stand(0.0, 0.4)], [stand(0.95, 0.4)])
    assert moved.change == pytest.approx(-0.95)
    assert not moved.is_beyond_chance, "half of either interval, 0.42 and 0.78, would say so"
    assert moved.high - moved.change == pytest.approx(1.96 * 0.4 * 2**0.5, abs=1e-3)


def test_the_error_of_a_standing_is_not_cut_where_the_scale_ends(ring: int) -> None:
    services.run(["authenticity"])
    one = selectors.standings_of_networks(NOW - dt.timedelta(days=365), NOW + dt.timedelta(days=1))[0]
    assert one.high == 1.0
    assert one.error == pytest.approx((one.standing - one.low) / 1.96)
    assert one.error > (one.high - one.low) / 3.92


def test_recommending_is_promoters_less_detractors(say: Say) -> None:
    for k, score in enumerate((10, 9, 9, 8, 3)):
        say(
            row(
                f"q{k}",
                "survey_answered",
                f"customer:{k}",
                5,
                properties=f'{{"survey": "nps", "question": "r", "score": {score}}}',
            )
        )
    found = selectors.recommending(NOW - dt.timedelta(days=30), NOW)
    assert found is not None
    assert (found.n_promoters, found.n_passives, found.n_detractors, found.nps) == (3, 1, 1, 40.0)
    assert found.low < 40 < found.high
    assert selectors.recommending(NOW - dt.timedelta(days=3), NOW) is None
