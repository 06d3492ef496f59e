from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from rapport.insights import selectors
from rapport.insights import services as insights
from rapport.insights.contract import Curve, Point
from rapport.staff.models import Staff
from rapport.web import jobs
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint


def orders(n_people: int) -> list[dict[str, Any]]:
    return [
        touchpoint(
            "order_placed",
            f"customer:{who}",
            ts=MONDAY - dt.timedelta(days=10 * who + 40 * again),
            value_minor=1000 * (who + 1),
            currency="EUR",
            properties={"order_id": f"{who}-{again}"},
        )
        for who in range(n_people)
        for again in range(1 + who % 3)
    ]


def test_every_model_says_what_it_means_and_its_limits(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    page = client.get("/insights/")
    names = [model.card.name for model in page.context["models"]]
    assert {"rfm", "sentiment", "language"} <= set(names)
    assert "has not run yet" in page.content.decode()
    for name in names:
        html = client.get(f"/insights/{name}/").content.decode()
        assert "When not to believe it" in html
        assert "It has not run yet." in html
    assert client.get("/insights/astrology/").status_code == 404


def test_a_model_is_run_from_its_page_and_shows_what_it_found(alice: Staff, say: Say) -> None:
    say(*orders(30))
    client = logged_in(alice)
    started = client.post("/insights/rfm/run/", follow=True)
    assert "runs as soon as the worker is free" in started.content.decode()
    jobs.run_due()
    page = client.get("/insights/rfm/")
    (last,) = page.context["runs"]
    assert (last.state, last.n_in) == ("done", 30)
    html = page.content.decode()
    assert "Days since the last order: half of 30 people have" in html
    assert "<svg" in html


def test_a_models_word_stands_on_the_persons_page(alice: Staff, say: Say) -> None:
    say(*orders(10))
    insights.run(["rfm"])
    html = logged_in(alice).get("/person/customer:2/", follow=True).content.decode()
    assert "Orders" in html
    assert "90.00\u00a0EUR" in html  # three orders of 30.00


def test_how_good_it_is_stands_beside_a_naive_rule(alice: Staff, say: Say) -> None:
    say(touchpoint("post_published", "mastodon:bo@example.social", text="I love it"))
    metrics = logged_in(alice).get("/insights/sentiment/").context["metrics"]
    assert metrics
    assert all(metric.baseline.startswith("against ") for metric in metrics)


def test_an_analyst_runs_and_bob_sees_none(alice: Staff, bob: Staff, say: Say) -> None:
    assert logged_in(bob).get("/insights/").status_code == 403
    Staff.objects.filter(pk=bob.pk).update(role="analyst")
    assert logged_in(bob).post("/insights/rfm/run/").status_code == 302
    assert logged_in(bob).get("/insights/rfm/run/").status_code == 405


def test_a_bar_and_both_ends_lead_to_the_people_behind_them(alice: Staff, bob: Staff, say: Say) -> None:
    say(*orders(30))
    insights.run(["rfm"])
    client = logged_in(alice)
    written = {one.name: one for one in client.get("/insights/rfm/").context["written"]}
    days = written["recency_days"]
    assert all(end.reason for end in days.most)
    assert len(days.most) == len(days.least) == 5
    hrefs = [line.href for line in days.distribution.lines if line.href]
    assert hrefs
    behind = 0
    for href in hrefs:
        listed = client.get(href)
        assert listed.status_code == 200
        behind += len(listed.context["rows"])
    assert behind == 30, "every bar together is everybody, once"
    labelled = [line.href for line in written["rfm"].distribution.lines]
    assert len(client.get(labelled[0]).context["rows"]) == max(
        int(line.cells[1].text) for line in written["rfm"].distribution.lines
    )
    Staff.objects.filter(pk=bob.pk).update(role="analyst")
    assert "The people at both ends" in logged_in(bob).get("/insights/rfm/").content.decode()


def test_calibration_and_drift_are_shown_in_words(
    alice: Staff, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*orders(30))
    insights.run(["rfm"])
    (run,) = selectors.runs("rfm")
    assert run.backtest
    curve = Curve(
        "recency_days",
        "probability",
        (Point(0.1, 0.12, 40, 0.05, 0.25), Point(0.6, 0.4, 25, 0.2, 0.6)),
        "Of those said to be sure, fewer came than said.",
    )
    drift = {"recency_days": 0.31, "frequency": 0.12, "rfm": 0.0, "monetary_minor": None}
    backtest = dataclasses.replace(run.backtest, curves=(curve,))
    card = selectors.card("rfm")
    monkeypatch.setattr(
        selectors,
        "card",
        lambda _name: dataclasses.replace(
            card, backtest=backtest, last_run=dataclasses.replace(run, drift=drift)
        ),
    )
    html = logged_in(alice).get("/insights/rfm/").content.decode()
    assert "Of those said to be sure, fewer came than said." in html
    assert "10 %: 5.0 % to 25 %, likely 12 %" in html.replace("\u202f", " ").replace("\u00a0", " ")
    assert "another population than at the run before (0.31)" in html
    assert "moved noticeably since the run before (0.12)" in html
    assert "as at the run before (0)" in html or "as at the run before (0.00)" in html


def test_an_end_of_a_range_that_is_no_number_is_refused_by_name(alice: Staff) -> None:
    answer = logged_in(alice).get("/people/?score=rfm&from=many")
    assert answer.status_code == 400
    assert "“many” is no number" in answer.content.decode()
