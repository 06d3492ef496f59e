from __future__ import annotations

import datetime as dt
from typing import Any

from rapport.insights import services as insights
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
