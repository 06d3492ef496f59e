"""Whoever refuses what a model is for is not in what it reads, and loses what it wrote."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from rapport.consent import services as consent
from rapport.events import lake
from rapport.insights import selectors, services
from rapport.insights.tests.conftest import NOW, Say, order, post, react, row
from rapport.kit.errors import Denied
from rapport.people import selectors as people
from rapport.people import services as persons


def scores_of(identifier: str) -> dict[str, float]:
    return {s.name: s.value for s in people.person(people.person_id(identifier)).scores}


@pytest.fixture
def buyers(say: Say) -> int:
    return say(
        order("a1", "ana", 30, 5000),
        order("a2", "ana", 20, 5000),
        order("b1", "bo", 10, 900),
        row("b2", "order_placed", "email:bo@example.org", 5, value_minor=100, currency="EUR",
            also=["customer:bo"], evidence="order", properties='{"order_id": "b2"}'),
    )  # fmt: skip


def test_an_objection_takes_the_scores_at_once_and_keeps_them_away(buyers: int) -> None:
    services.run(["rfm"])
    assert set(scores_of("customer:ana")) == set(scores_of("customer:bo")) != set()
    consent.withdraw("email:bo@example.org", "profiling", how="preference_page")
    react()
    assert scores_of("customer:bo") == {}
    assert scores_of("customer:ana")
    (summary,) = services.run(["rfm"])
    assert summary.n_in == 1
    assert scores_of("customer:bo") == {}


def test_another_purpose_refused_takes_nothing(buyers: int) -> None:
    services.run(["rfm"])
    consent.withdraw("customer:bo", "marketing", how="one_click")
    react()
    assert scores_of("customer:bo")


def test_a_run_that_was_on_its_way_leaves_nothing_behind(
    buyers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.insights.services import running

    write = running._write

    def refused_meanwhile(*given: object) -> int:
        n: int = write(*given)
        consent.deny("customer:ana", "profiling", how="preference_page")
        return n

    monkeypatch.setattr(running, "_write", refused_meanwhile)
    services.run(["rfm"])
    assert scores_of("customer:ana") == {}
    assert scores_of("customer:bo")


def test_what_only_probably_is_the_same_person_is_left_out_alone(buyers: int) -> None:
    react()
    ana, bo = people.subject_of("customer:ana"), people.subject_of("customer:bo")
    pair = {"a": [ana], "b": [bo], "confidence": [0.97], "evidence": ["likeness"]}
    persons.propose(pa.table(pair), source="splink", accept_from=0.9)
    consent.deny("customer:bo", "profiling", how="preference_page")
    services.run(["rfm"])
    assert people.person_id("customer:bo") == people.person_id("customer:ana")
    assert scores_of("customer:ana")["frequency"] == 2.0, "Ana's orders, and none of Bo's"


def test_texts_of_whoever_refuses_are_neither_read_nor_counted(say: Say) -> None:
    say(post("1", "ana", 2, "This is wonderful, I love it!"), post("2", "bo", 2, "This is terrible!"))
    react()
    assert sum(day.n for day in selectors.sentiment_by_day(NOW.replace(year=2025), NOW)) == 2
    consent.deny("mastodon:bo", "analytics", how="preference_page")
    assert sum(day.n for day in selectors.sentiment_by_day(NOW.replace(year=2025), NOW)) == 1
    say(post("3", "bo", 1, "Still terrible!"), post("4", "ana", 1, "Still wonderful!"))
    react()
    with lake.connect() as con:
        read = con.execute(
            "SELECT DISTINCT e.text FROM annotation AS a JOIN event AS e USING (seq)"
        ).fetchall()
    assert {text for (text,) in read} == {
        "This is wonderful, I love it!",
        "This is terrible!",
        "Still wonderful!",
    }
    assert sum(share.n for share in selectors.language_shares(NOW.replace(year=2025), NOW)) == 2


def test_a_purpose_switched_off_stops_its_models(buyers: int, say: Say) -> None:
    purpose: dict[str, Any] = {"name": "P", "meaning": "M", "channels": [], "expires_days": None}
    consent.change_purpose("profiling", is_active=False, **purpose)
    consent.change_purpose("analytics", is_active=False, **purpose)
    (summary,) = services.run(["rfm"])
    assert summary.state == "failed"
    assert "switched off" in summary.error
    say(post("1", "ana", 1, "This is wonderful!"))
    react()
    with lake.connect() as con:
        assert con.execute("SELECT count(*) FROM annotation").fetchone() == (0,)
    consent.change_purpose("analytics", is_active=True, **purpose)
    (language,) = services.run(["language"])
    assert (language.state, language.n_out) == ("done", 1), "what was not read meanwhile is made up for"
    with pytest.raises(Denied):
        services.backtest("rfm")
