"""Models of people: run, write scores down, record it, judge on the past and on files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rapport.insights import selectors, services
from rapport.insights.models import Run
from rapport.insights.tests.conftest import NOW, Say, order, row
from rapport.kit import clock, registry
from rapport.kit.errors import Invalid, NotFound
from rapport.people import selectors as people


@pytest.fixture
def market(say: Say) -> int:
    """Ana buys often and lately, Bo once and long ago, Chi under two identifiers."""
    ana = [order(f"a{k}", "ana", 300 - 30 * k, 5000) for k in range(10)]
    return say(
        *ana,
        order("b1", "bo", 290, 900),
        order("b2", "bo", 280, 100, "order_refunded"),
        order("c1", "chi", 100, 2000),
        row("c2", "order_placed", "email:chi@example.org", 50, value_minor=1000, currency="EUR",
            also=["customer:chi"], evidence="order", properties='{"order_id": "c2"}'),
    )  # fmt: skip


def scores_of(identifier: str) -> dict[str, Any]:
    found = people.person(people.person_id(identifier))
    return {score.name: score for score in found.scores}


def test_scores_stand_at_the_person_with_label_and_reason(market: int) -> None:
    (summary,) = services.run(["rfm"])
    assert (summary.state, summary.error) == ("done", "")
    assert (summary.n_in, summary.n_out) == (3, 12)
    ana, bo, chi = (scores_of(f"customer:{name}") for name in ("ana", "bo", "chi"))
    assert (ana["frequency"].value, ana["frequency"].unit) == (10.0, "orders")
    assert ana["monetary_minor"].unit == "minor EUR"
    assert bo["monetary_minor"].value == 800.0
    assert (chi["frequency"].value, chi["recency_days"].value) == (2.0, 50.0), (
        "both identifiers are one person"
    )
    assert ana["rfm"].value > bo["rfm"].value
    assert ana["rfm"].reason.endswith("500.00 EUR (4); 5 is the best fifth.")
    assert ana["rfm"].as_of == NOW


def test_models_of_people_are_due_once_most_of_a_day_is_over(say: Say) -> None:
    assert services.due() == [], "nothing has happened yet"
    say(order("a1", "ana", 10, 5000))
    waiting = services.due()
    assert {"rfm", "value", "portfolio"} <= set(waiting)
    assert "sentiment" not in waiting, "texts are read as they arrive"
    services.run(["rfm"])
    assert "rfm" not in services.due()
    assert "value" in services.due()
    with clock.frozen(NOW + dt.timedelta(hours=21)):
        assert "rfm" in services.due()


def test_a_run_is_recorded_with_what_it_read_and_how_good_it_was(market: int) -> None:
    services.run(["rfm"])
    (run,) = selectors.runs("rfm")
    assert (run.seq_from, run.seq_to) == (1, market)
    assert run.ts_from == NOW - dt.timedelta(days=300)
    assert run.ts_to == NOW - dt.timedelta(days=30)
    assert run.started_at == run.ended_at == NOW
    assert run.backtest is not None
    assert run.backtest.n == 2, "Chi was not yet known at the cut"
    assert "2025-11-02" in run.backtest.split


def test_the_distribution_of_a_score_is_that_of_the_last_run(market: int, say: Say) -> None:
    with pytest.raises(NotFound, match="no run has written"):
        selectors.distribution("rfm")
    services.run(["rfm"])
    found = selectors.distribution("frequency")
    assert (found.n, found.unit) == (3, "orders")
    assert [(b.low, b.n) for b in found.bins] == [(1.0, 1), (2.0, 1), (10.0, 1)]
    assert sum(selectors.distribution("rfm").labels.values()) == 3
    say(order("d", "dee", 1, 100))
    with clock.frozen(NOW + dt.timedelta(hours=1)):
        services.run(["rfm"])
    assert selectors.distribution("frequency").n == 4
    assert (selectors.runs("rfm")[0].drift["frequency"] or 0) > 0
    assert selectors.runs("rfm")[1].drift == {}


def test_a_card_says_meaning_limits_freshness_and_how_good(market: int, say: Say) -> None:
    before = selectors.card("rfm")
    assert before.last_run is None
    assert before.backtest is None
    assert before.coverage.waiting == market
    services.run(["rfm"])
    after = selectors.card("rfm")
    assert (after.kind, after.coverage.n, after.coverage.waiting) == ("score", 3, 0)
    assert after.backtest is not None
    assert after.last_run is not None
    say(order("d", "dee", 1, 100))
    assert selectors.card("rfm").coverage.waiting == 1
    names = [card.name for card in selectors.cards()]
    assert names == sorted(names)
    assert {"rfm", "language", "sentiment"} <= set(names)
    shipped = selectors.card("sentiment").backtest
    assert shipped is not None
    assert shipped.metrics[0].baseline_value < shipped.metrics[0].value


def test_one_model_that_fails_stops_no_other(market: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = registry.plugin("insights", "rfm").offers
    monkeypatch.setattr(
        type(model), "score", lambda *_: (_ for _ in ()).throw(ZeroDivisionError("by nought"))
    )
    rfm, language = services.run(["rfm", "language"])
    assert (rfm.state, rfm.error) == ("failed", "ZeroDivisionError: by nought")
    assert language.state == "done"
    assert selectors.card("rfm").coverage.n == 0
    assert {run.model for run in selectors.runs()} == {"rfm", "language"}


def test_a_run_whose_process_died_is_not_running_for_ever(market: int) -> None:
    dead = Run.objects.create(model="rfm", version="1", started_at=NOW - dt.timedelta(days=1))
    services.run(["rfm"])
    dead.refresh_from_db()
    assert dead.state == "failed"
    assert dead.error


def test_an_empty_log_scores_nobody(say: Say) -> None:
    (summary,) = services.run(["rfm"])
    assert (summary.state, summary.n_in, summary.n_out) == ("done", 0, 0)
    with pytest.raises(Invalid, match="log is empty"):
        services.backtest("rfm")


def test_all_models_run_where_none_is_named(market: int) -> None:
    seen: list[str] = []
    summaries = services.run(progress=lambda done, total, what: seen.append(what))
    ran = [s.model for s in summaries]
    assert sorted(ran) == sorted(registry.plugins("insights"))
    assert ran.index("portfolio") > max(ran.index("value"), ran.index("churn")), "it reads what they write"
    assert {s.state for s in summaries} == {"done"}
    assert any(what.startswith("rfm: ") for what in seen)


def lines(n_customers: int = 60) -> list[dict[str, Any]]:
    """Every third customer orders each month of a year, the others once at its start."""
    found = []
    for k in range(n_customers):
        for month in range(1, 13 if k % 3 == 0 else 2):
            for line in range(2):
                found.append(
                    {
                        "customer_id": f"c{k}",
                        "ordered_at": f"2025-{month:02}-{1 + k % 27:02} 10:00:00",
                        "order_id": f"o{k}-{month}",
                        "quantity": 1 + line,
                        "unit_price": 9.99,
                        "currency": "EUR",
                    }
                )
    return found


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_backtest_reads_a_file_of_order_lines(home: Path, db: None, tmp_path: Path, kind: str) -> None:
    table = pa.Table.from_pylist(lines())
    file = tmp_path / f"orders.{kind}"
    if kind == "parquet":
        pq.write_table(table, file)
    else:
        import pyarrow.csv

        pyarrow.csv.write_csv(table, file)
    found = services.backtest("rfm", file)
    assert (found["model"], found["n"]) == ("rfm", 60)
    by_name = {m["name"]: m for m in found["metrics"]}
    assert by_name["ranking of who buys again (AUC)"]["value"] == 1.0
    assert by_name["champions who bought again"] == {
        **by_name["champions who bought again"],
        "value": 1.0,
        "baseline_value": pytest.approx(1 / 3),
    }
    assert Run.objects.count() == 0, "judging writes nothing"


def test_what_the_model_may_know_ends_where_one_says(home: Path, db: None, tmp_path: Path) -> None:
    file = tmp_path / "orders.parquet"
    pq.write_table(pa.Table.from_pylist(lines()), file)
    asked = services.Asked(cut=dt.datetime(2025, 7, 1, tzinfo=dt.UTC), horizon_days=40)
    found = services.backtest("rfm", file, asked)
    assert "before 2025-07-01, judged on the 40 days after it" in found["split"]
    with pytest.raises(Invalid, match=r"the cut 2031-01-01 has nothing on one of its sides"):
        services.backtest("rfm", file, services.Asked(cut=dt.datetime(2031, 1, 1, tzinfo=dt.UTC)))
    with pytest.raises(Invalid, match=r"model rfm has no parameter 'depth'"):
        services.backtest("rfm", file, services.Asked(parameters={"depth": 3}))


def test_negative_quantities_are_refunds_and_no_orders(home: Path, db: None, tmp_path: Path) -> None:
    rows = lines(30)
    for given in rows:
        if given["customer_id"] == "c1":
            given["quantity"] = -1
    file = tmp_path / "orders.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    assert services.backtest("rfm", file)["n"] == 29


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        (
            "a.csv",
            "who,when\nc1,2025-01-01\n",
            "no column customer_id or email or customer; it has who, when",
        ),
        ("a.csv", "customer_id,ordered_at\nc1,soon\n", "does not fit"),
        ("a.xls", "x", "no table known here"),
        ("a.parquet", "x", "cannot be read"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words(
    home: Path, db: None, tmp_path: Path, name: str, body: str, message: str
) -> None:
    file = tmp_path / name
    file.write_text(body, encoding="utf-8")
    with pytest.raises(Invalid, match=message):
        services.backtest("rfm", file)


def test_a_model_of_texts_is_judged_on_a_labelled_file(home: Path, db: None, tmp_path: Path) -> None:
    file = tmp_path / "said.csv"
    file.write_text(
        'text,label\n"I love it, great!",positive\n"Awful, I hate it",negative\n,negative\n', "utf-8"
    )
    found = services.backtest("sentiment", file)
    assert (found["n"], found["metrics"][0]["value"]) == (2, 1.0)
    shipped = services.backtest("sentiment")
    assert shipped["n"] > 10_000
    (file.parent / "empty.csv").write_text("text,label\n", "utf-8")
    with pytest.raises(Invalid, match="no row with a text and a label"):
        services.backtest("sentiment", file.parent / "empty.csv")
