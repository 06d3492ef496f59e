from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path

import pyarrow as pa
import pytest

from rapport.events import quarantine, rules, services
from rapport.events import selectors as events
from rapport.insights import selectors as insights
from rapport.insights import services as insights_services
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.services.deciding import PROPOSAL
from rapport.staff.models import Staff
from rapport.web import figures
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint
from rapport.web.pages.home import changes

NOON = dt.datetime(2026, 3, 30, 12, 0, tzinfo=dt.UTC)


def order(customer: str, day: dt.date, value_minor: int = 1000, number: int = 0) -> dict[str, object]:
    return touchpoint(
        "order_placed",
        customer,
        ts=dt.datetime.combine(day, dt.time(9), dt.UTC),
        value_minor=value_minor,
        currency="EUR",
        properties={"order_id": f"{customer}-{day}-{number}"},
    )


def test_the_day_begins_with_who_and_since_when(alice: Staff, say: Say) -> None:
    say(identified("customer:1", name="Ana"))
    client = logged_in(alice)
    with clock.frozen(dt.datetime(2026, 3, 29, 16, 40, tzinfo=dt.UTC)):
        first = client.get("/").content.decode()
    assert "Good evening, Alice." in first  # it is 18:40 in Madrid
    assert "You were last here" not in first
    with clock.frozen(NOON):
        later = client.get("/").content.decode()
    assert "Good afternoon, Alice." in later
    assert "yesterday 18:40" in later
    with clock.frozen(NOON + dt.timedelta(minutes=5)):
        assert "yesterday 18:40" in client.get("/").content.decode()


def test_an_empty_installation_says_how_to_begin(alice: Staff, bob: Staff, home: Path) -> None:
    html = logged_in(alice).get("/").content.decode()
    assert "Import a file" in html
    assert 'href="/sources/upload/"' in html
    assert 'href="/sources/upload/"' not in logged_in(bob).get("/").content.decode()


def test_what_needs_alice_is_not_what_needs_bob(alice: Staff, bob: Staff, say: Say) -> None:
    say(identified("customer:1", name="Ana"), identified("customer:2", name="Anna"))
    subjects = [people.subject_of(f"customer:{i}") for i in (1, 2)]
    row = {"a": subjects[0], "b": subjects[1], "confidence": 0.9, "evidence": "similar"}
    people_services.propose(pa.Table.from_pylist([row], schema=PROPOSAL), source="splink")
    quarantine.keep(
        quarantine.Refused(
            source="s", kind="touchpoint", body=f'{{"a": {i}}}', reason="bad_time", message="m"
        )
        for i in range(3)
    )
    html = logged_in(alice).get("/").content.decode()
    assert "3 refused rows wait in quarantine" in html
    assert "1 probable identity waits for a decision" in html
    assert "Nothing waits for you." in logged_in(bob).get("/").content.decode()


def test_a_failing_subscriber_needs_whoever_sees_health(
    alice: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(identified("customer:1", name="Ana"))
    failing = events.SubscriberState("people", 1, 5000, NOON, "boom", NOON)
    lagging = events.SubscriberState("insights.annotate", 1, 5000, NOON, "", None)
    monkeypatch.setattr(events, "subscriber_states", lambda: [failing, lagging])
    with clock.frozen(NOON):
        html = logged_in(alice).get("/").content.decode()
    assert "Putting people together fails since today 14:00" in html
    assert "Reading texts: 5,000 events still to read" in html


def test_news_tells_what_changed_beyond_chance_and_where_it_hurts(alice: Staff, bob: Staff, say: Say) -> None:
    days = [NOON.date() - dt.timedelta(days=i) for i in range(1, 15)]
    rows = [order(f"customer:{n}", day) for day in days for n in range(6 if day in days[:7] else 2)]
    rows += [
        touchpoint("page_viewed", f"customer:{n}", ts=dt.datetime.combine(day, dt.time(9), dt.UTC))
        for day in days
        for n in range(5)
    ]
    rows += [
        touchpoint("complaint_raised", "customer:1", ts=NOON, properties={"reason": "late"}, text="late!")
    ]
    say(*rows)
    quarantine.keep(
        [quarantine.Refused(source="s", kind="touchpoint", body="{}", reason="bad_time", message="m")]
    )
    (complaint,) = events.events_page(events.Filter(name="complaint_raised"))
    said = {
        "seq": complaint.seq,
        "subject": complaint.subject,
        "ts": complaint.ts,
        "name": "sentiment",
        "label": "negative",
        "value": -0.9,
        "probability": 0.9,
        "model": "sentiment",
        "version": "1",
    }
    span = services.annotate(pa.Table.from_pylist([said], schema=rules.ANNOTATION))
    services.settle(span.first + span.n - 1)
    with clock.frozen(NOON + dt.timedelta(hours=1)):
        html = logged_in(alice).get("/home/news/").content.decode()
        for_bob = logged_in(bob).get("/home/news/").content.decode()
    assert "Order: 42 in seven days, 14 in the seven before" in html
    assert "Page read:" not in html  # as many as before
    assert "Complaint “late”: 1 from 1 person" in html
    assert "1 negative text" in html
    assert "/texts/?name=sentiment&amp;label=negative&amp;from=" in html
    assert "/texts/" not in for_bob, "who may not open them is led to the events"
    assert "Refused: Time not understood, 1 rows" in html
    assert "Refused" not in for_bob
    assert "/events/?name=order_placed&amp;first=2026-03-23&amp;last=2026-03-29" in html


def test_a_source_that_fell_silent_is_a_gap(alice: Staff, say: Say) -> None:
    days = [NOON.date() - dt.timedelta(days=i) for i in range(5, 25)]
    say(*(order("customer:1", day) for day in days), source="till")
    say(*(order("customer:1", NOON.date() - dt.timedelta(days=i)) for i in range(1, 20)), source="shop")
    with clock.frozen(NOON):
        assert [s.name for s in figures.silent_sources()] == ["till"]
        assert "till is silent since" in logged_in(alice).get("/home/news/").content.decode()


@pytest.mark.parametrize("name", ["activity", "sentiment", "revenue", "repeat"])
def test_a_chart_without_figures_says_so(alice: Staff, home: Path, name: str) -> None:
    answer = logged_in(alice).get(f"/home/charts/{name}/")
    assert "Nothing to draw yet." in answer.content.decode()
    assert logged_in(alice).get("/home/charts/pie/").status_code == 404


def test_activity_and_revenue_open_the_events_behind_them(alice: Staff, say: Say) -> None:
    day = NOON.date() - dt.timedelta(days=8)
    refund = touchpoint(
        "order_refunded",
        "customer:1",
        ts=NOON - dt.timedelta(days=8),
        value_minor=-500,
        currency="EUR",
        properties={"order_id": "r"},
    )
    say(order("customer:1", day, 250_000), refund)
    with clock.frozen(NOON):
        activity = logged_in(alice).get("/home/charts/activity/").content.decode()
        revenue = logged_in(alice).get("/home/charts/revenue/").content.decode()
    assert f'href="/events/?name=order_placed&amp;day={day}"' in activity
    assert "Last week brought 0\u00a0EUR, the week before 2,495\u00a0EUR" in revenue
    assert "first=2026-03-16&amp;last=2026-03-22" in revenue


def test_who_bought_again_counts_only_those_who_had_time(alice: Staff, say: Say) -> None:
    january = dt.date(2025, 9, 10)
    say(
        order("customer:1", january),
        order("customer:1", january + dt.timedelta(days=60)),
        order("customer:2", january),
        order("customer:2", january, number=1),  # twice on one day is one visit to the shop
        order("customer:3", january),
        order("customer:3", january + dt.timedelta(days=120)),  # too late to count
        order("customer:4", dt.date(2026, 3, 1)),  # has not had ninety days
        order("customer:4", dt.date(2026, 3, 2)),
    )
    cohorts = figures.repeat_by_cohort(dt.date(2024, 1, 1), NOON.date(), 90)
    assert cohorts == [figures.Cohort(dt.date(2025, 9, 1), 3, 1)]
    with clock.frozen(NOON):
        html = logged_in(alice).get("/home/charts/repeat/").content.decode()
    assert "33\u00a0% (1 of 3) bought again within 90 days" in html


def test_who_bought_again_follows_a_merge(say: Say) -> None:
    day = dt.date(2025, 9, 10)
    say(order("customer:1", day), order("customer:2", day + dt.timedelta(days=5)))
    assert [c.n_again for c in figures.repeat_by_cohort(day.replace(day=1), NOON.date(), 90)] == [0]
    people_services.merge(people.subject_of("customer:1"), people.subject_of("customer:2"), "staff", "alice")
    assert [c.n_again for c in figures.repeat_by_cohort(day.replace(day=1), NOON.date(), 90)] == [1]


# Chance


def test_too_little_says_nothing_and_equal_weeks_are_no_change() -> None:
    assert changes.ratio([1] * 7, [0] * 7) is None
    same = changes.ratio([20, 22, 19, 21, 20, 18, 20], [21, 20, 20, 19, 22, 20, 18])
    assert same is not None
    assert not same.is_beyond_chance
    assert same.likely == pytest.approx(1.0, abs=0.02)


def test_one_wild_day_is_not_a_change_but_a_steady_rise_is() -> None:
    wild = changes.ratio([10, 10, 10, 10, 10, 10, 200], [10] * 7)
    steady = changes.ratio([37] * 7, [10] * 7)
    assert wild is not None
    assert steady is not None
    assert not wild.is_beyond_chance
    assert steady.is_beyond_chance


def test_from_nothing_to_something_is_a_change() -> None:
    change = changes.ratio([9, 11, 10, 10, 9, 12, 10], [0] * 7)
    assert change is not None
    assert change.is_beyond_chance


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    import numpy as np

    rng = np.random.default_rng(5)
    n_trials, covered, beyond = 400, 0, 0
    for _ in range(n_trials):
        same = changes.ratio(rng.poisson(30, 7).tolist(), rng.poisson(30, 7).tolist())
        assert same is not None
        covered += same.low <= 1 <= same.high
        beyond += same.is_beyond_chance
    assert covered / n_trials >= 0.95
    assert beyond / n_trials <= 0.05


def test_a_segment_moved_notably_when_it_is_much_and_no_chance() -> None:
    assert changes.is_notable(100, entered=30, left=2)
    assert changes.is_notable(100, entered=2, left=30)  # shrank
    assert changes.is_notable(0, entered=12, left=0)
    assert not changes.is_notable(0, entered=9, left=0)  # too few to tell
    assert not changes.is_notable(10_000, entered=300, left=10)  # sure, and little
    assert not changes.is_notable(100, entered=500, left=480)  # much, and chance


def test_wilson_is_wilson() -> None:
    low, high = changes.wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert changes.wilson(0, 5)[0] == pytest.approx(0)
    assert math.isclose(changes.wilson(5, 5)[1], 1.0)


def test_the_best_customers_who_are_likely_to_leave_stand_on_home(alice: Staff, say: Say) -> None:
    say(*(identified(f"customer:{k}", name=f"Person {k}") for k in range(4)))
    persons = [people.person_id(f"customer:{k}") for k in range(4)]
    rows = [
        {
            "person": p,
            "name": name,
            "value": value,
            "unit": unit,
            "as_of": MONDAY,
            "model": "churn",
            "version": "1",
        }
        for p, risk in zip(persons, (0.9, 0.6, 0.4, 0.2), strict=True)
        for name, value, unit in (("churn_risk", risk, "probability"), ("clv_minor", 1000.0 * p, "minor EUR"))
    ]
    people_services.write_scores(pa.Table.from_pylist(rows))
    client = logged_in(alice)
    (line,) = [one for one in client.get("/home/news/").context["hurts"] if "leave" in one.text]
    assert line.text == "2 of the 4 people worth most are likelier to leave than not"
    listed = client.get(line.url)
    assert {row.id for row, _life in listed.context["rows"]} == set(persons[:2])
    assert "among the 100 people with the highest “Value expected”" in listed.content.decode()


def test_a_model_that_failed_or_moved_is_on_home(
    alice: Staff, bob: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(order("customer:1", NOON.date()))
    insights_services.run(["rfm", "language"])
    ran = {run.model: run for run in insights.last_runs()}
    told = [
        dataclasses.replace(ran["rfm"], state="failed", error="no such column"),
        dataclasses.replace(ran["language"], drift={"rfm": 0.4, "frequency": 0.1}),
    ]
    monkeypatch.setattr(insights, "last_runs", lambda: told)
    client = logged_in(alice)
    assert "The model “Recency, frequency, money” failed: no such column" in client.get("/").content.decode()
    news = client.get("/home/news/").content.decode()
    assert news.count("looks quite otherwise than before") == 1
    assert "no such column" not in logged_in(bob).get("/").content.decode()
