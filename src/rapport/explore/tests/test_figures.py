from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pytest

from rapport.explore.rules import catalogue, compiling, parsing, periods
from rapport.explore.rules.answers import Number, shaped
from rapport.explore.rules.question import Figures, document
from rapport.explore.tests import market as markets
from rapport.explore.tests.reference import Reference
from rapport.kit.errors import Invalid

N_QUESTIONS = 200
MOST = 500


@pytest.fixture(scope="module")
def market() -> markets.Market:
    return markets.made()


@pytest.fixture(scope="module")
def con(market: markets.Market) -> duckdb.DuckDBPyConnection:
    return markets.loaded(market)


def drawn(draw: np.random.Generator) -> Figures:
    """A question at random: drawn again until it is one that may be asked."""
    dimensions = [
        *(d.name for d in catalogue.DIMENSIONS.values() if not d.is_prefix and d.name not in ("venue",)),
        "trait:plan",
        "score:rfm",
        "segment:loyal",
        "property:device",
        "property:machine",
    ]
    values = {"channel": ["web", ""], "country": ["ES"], "weekday": ["1", "7"], "category": ["brakes"]}
    while True:
        names = draw.choice(list(catalogue.MEASURES), int(draw.integers(1, 3)), replace=False).tolist()
        measures: list[dict[str, str]] = [{"measure": name} for name in names]
        for asked in measures:
            if asked["measure"] in ("events", "people") and draw.random() < 0.7:
                asked["event"] = str(draw.choice(["page_viewed", "order_placed", "form_sent"]))
            if asked["measure"] == "texts" and draw.random() < 0.5:
                asked["label"] = "negative"
        given: dict[str, Any] = {
            "measures": measures,
            "by": draw.choice(dimensions, int(draw.choice([0, 0, 1, 1, 1, 2])), replace=False).tolist(),
            "grain": str(draw.choice(["", "", "day", "week", "month"])),
            "compare": bool(draw.random() < 0.4),
            "period": drawn_period(draw),
            "most": MOST,
        }
        if draw.random() < 0.4:
            name = str(draw.choice(list(values)))
            given["where"] = [{"dimension": name, str(draw.choice(["is", "is_not"])): values[name]}]
        if draw.random() < 0.15:
            given["segment"] = "new"
        if draw.random() < 0.1:
            given.setdefault("where", []).append({"dimension": "hour", "at_least": 9, "at_most": 18})
        if any(name in ("nps", "answer_average") for name in names):
            given.setdefault("where", []).append({"dimension": "question", "is": ["recommend"]})
        try:
            question = parsing.parse(given)
            assert isinstance(question, Figures)
            if question.grain:
                periods.buckets(periods.spans(question.period, markets.TODAY).now, question.grain)
        except Invalid:
            continue
        return question


def drawn_period(draw: np.random.Generator) -> dict[str, Any]:
    kind = int(draw.integers(0, 4))
    if kind == 0:
        first = dt.date(2025, 1, 1) + dt.timedelta(days=int(draw.integers(0, 300)))
        last = first + dt.timedelta(days=int(draw.integers(0, 120)))
        return {"first_day": first.isoformat(), "last_day": last.isoformat()}
    if kind == 1:
        return {}
    unit = str(draw.choice(["day", "week", "month", "year"]))
    n = int(draw.integers(1, {"day": 90, "week": 30, "month": 9, "year": 2}[unit]))
    return {"last": n, "unit": unit, "with_current": bool(draw.random() < 0.5)}


def answered(
    con: duckdb.DuckDBPyConnection, question: Figures, zone: str
) -> tuple[tuple[Number, ...], compiling.Compiled]:
    compiled = compiling.compile_figures(question, markets.world(zone), markets.TODAY)
    rows = con.execute(compiled.sql, compiled.values).fetchall()
    found, _n, _all = shaped(question, rows, hides=compiled.hides_few)
    return found, compiled  # type: ignore[return-value]


@pytest.mark.parametrize("part", range(10))
def test_generated_questions_come_to_what_plain_python_finds(
    part: int, market: markets.Market, con: duckdb.DuckDBPyConnection
) -> None:
    draw = np.random.default_rng(1000 + part)
    n_numbers = 0
    for _ in range(N_QUESTIONS // 10):
        question, zone = drawn(draw), str(draw.choice(markets.ZONES))
        found, compiled = answered(con, question, zone)
        spans = periods.spans(question.period, markets.TODAY)
        days = (
            (spans.now.first, spans.now.last),
            ((spans.before.first, spans.before.last) if spans.before else None),
        )
        expected, people = Reference(market, zone, days).figures(question)
        seen = {(n.measure, n.groups, n.bucket, n.is_before, n.currency): n for n in found}
        empty = {k for k, n in seen.items() if not n.top and not n.over} - set(expected)
        about = (document(question), zone, compiled.sql)
        assert set(seen) - empty == set(expected), about
        for key, (top, over) in expected.items():
            number = seen[key]
            if compiled.hides_few and people[key] < compiling.SHOWN_LEAST:
                assert number.is_hidden, (key, about)
                assert number.top is None
                assert number.over is None
            else:
                assert (number.top, number.over) == (top, over), (key, about)
        n_numbers += len(expected)
    assert n_numbers > 200  # the questions are not all about nothing
