"""Cohorts, funnels and paths come to what plain Python finds, person by person."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo
from collections import Counter, defaultdict
from typing import Any

import duckdb
import numpy as np
import pytest

from rapport.explore.rules import parsing, ways
from rapport.explore.rules.question import Cohorts, Funnel, Paths
from rapport.explore.tests import market as markets

ZONE = "Europe/Madrid"
WORLD = markets.world(ZONE)
GAP = dt.timedelta(minutes=30)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def market() -> markets.Market:
    """Fewer people than usual, who do much in a short time, so that one thing follows another."""
    made = markets.made(seed=11)
    draw = np.random.default_rng(5)
    begin = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    for event in made.events:
        event["subject"] = int(draw.integers(1, 30))
        day, minute = int(draw.integers(0, 30)), int(draw.integers(0, 200))
        event["ts"] = begin + dt.timedelta(days=day, minutes=5 * minute)
    return made


@pytest.fixture(scope="module")
def con(market: markets.Market) -> duckdb.DuckDBPyConnection:
    return markets.loaded(market)


def by_person(market: markets.Market) -> dict[int, Rows]:
    """Everybody's events in order, without whoever refuses."""
    found: dict[int, Rows] = defaultdict(list)
    for e in sorted(market.events, key=lambda e: (e["ts"], e["seq"])):
        if e["subject"] not in market.refused:
            found[market.person_of.get(e["subject"], e["subject"])].append(e)
    return found


def local(ts: dt.datetime) -> dt.date:
    return ts.astimezone(zoneinfo.ZoneInfo(ZONE)).date()


@pytest.mark.parametrize("unit", ["week", "month"])
def test_cohorts(unit: str, market: markets.Market, con: duckdb.DuckDBPyConnection) -> None:
    question = parsing.parse(
        {
            "ask": "cohorts",
            "event": "page_viewed",
            "unit": unit,
            "period": {"last": 3, "unit": "month"},
            "n": 40,
        }
    )
    assert isinstance(question, Cohorts)
    compiled = ways.compile_cohorts(question, WORLD, markets.TODAY)
    found = {(c, s): n for c, s, n in con.execute(compiled.sql, compiled.values).fetchall()}

    def floor(day: dt.date) -> dt.date:
        return day.replace(day=1) if unit == "month" else day - dt.timedelta(days=day.weekday())

    expected: Counter[tuple[dt.date, int]] = Counter()
    for rows in by_person(market).values():
        units = {floor(local(e["ts"])) for e in rows if e["name"] == "page_viewed"}
        if not units:
            continue
        first = min(units)
        assert dt.date(2025, 12, 1) <= first <= dt.date(2026, 2, 28)
        for one in units:
            months = 12 * (one.year - first.year) + one.month - first.month
            expected[first, months if unit == "month" else (one - first).days // 7] += 1
    assert found == dict(expected)
    (cohort, step), n = max(found.items(), key=lambda kv: kv[1])
    people = ways.compile_cohort_people(question, cohort, step, WORLD, markets.TODAY)
    behind = con.execute(people.sql, people.values).fetchall()
    assert len({r[0] for r in behind}) == len(behind) == behind[0][2] == n


@pytest.mark.parametrize(
    ("steps", "within", "by"),
    [
        (["page_viewed", "order_placed"], 1, ""),
        (["page_viewed", "site_searched", "order_placed"], 2, "channel"),
        (["page_viewed", "page_viewed", "message_sent", "order_placed"], 5, "person_country"),
        (
            [{"event": "page_viewed", "where": [{"dimension": "page", "is": ["/cart"]}]}, "order_placed"],
            0.1,
            "segment:loyal",
        ),
    ],
)
def test_funnels(
    steps: list[Any], within: float, by: str, market: markets.Market, con: duckdb.DuckDBPyConnection
) -> None:
    question = parsing.parse(
        {
            "ask": "funnel",
            "steps": steps,
            "within_days": within,
            "by": by,
            "period": {"first_day": "2026-02-05", "last_day": "2026-02-20"},
            "most": 50,
        }
    )
    assert isinstance(question, Funnel)
    compiled = ways.compile_funnel(question, WORLD, markets.TODAY)
    found = {(d, s): n for d, s, n, _m, _p, _g in con.execute(compiled.sql, compiled.values).fetchall() if n}
    expected: Counter[tuple[str | None, int]] = Counter()
    for person, rows in by_person(market).items():
        best = best_attempt(question, rows, dt.timedelta(days=within))
        if best is None:
            continue
        depth, start = best
        group = {
            "": None,
            "channel": start["channel"] or "",
            "person_country": market.known.get(person, ("", ""))[0],
            "segment:loyal": "yes" if person in market.members["loyal"] else "no",
        }[by]
        for k in range(depth + 1):
            expected[None, k] += 1
            if by:
                expected[group, k] += 1
    assert found == dict(expected)
    assert found[None, 1] > 0
    left = ways.compile_funnel_people(question, 0, True, None, WORLD, markets.TODAY)
    assert len(con.execute(left.sql, left.values).fetchall()) == found[None, 0] - found[None, 1]


def best_attempt(question: Funnel, rows: Rows, within: dt.timedelta) -> tuple[int, dict[str, Any]] | None:
    """How far the best attempt came, and what it began with: every way of going through is tried."""

    def fits(e: dict[str, Any], k: int) -> bool:
        step = question.steps[k]
        pages = [v for c in step.where for v in c.values]
        return e["name"] == step.event and (not pages or e["properties"].get("path") in pages)

    best: tuple[int, dict[str, Any]] | None = None
    for start in rows:
        if not fits(start, 0) or not dt.date(2026, 2, 5) <= local(start["ts"]) <= dt.date(2026, 2, 20):
            continue
        depth, at = 0, start["ts"]
        for k in range(1, len(question.steps)):
            later = [e["ts"] for e in rows if fits(e, k) and e["ts"] > at and e["ts"] <= start["ts"] + within]
            if not later:
                break
            depth, at = k, min(later)
        if best is None or depth > best[0]:
            best = depth, start
    return best


@pytest.mark.parametrize("direction", ["after", "before"])
@pytest.mark.parametrize("through", ["pages", "events"])
def test_paths(direction: str, through: str, market: markets.Market, con: duckdb.DuckDBPyConnection) -> None:
    question = parsing.parse(
        {
            "ask": "paths",
            "around": "order_placed",
            "direction": direction,
            "through": through,
            "steps": 2,
            "period": {"last": 3, "unit": "month"},
            "most": 100,
        }
    )
    assert isinstance(question, Paths)
    compiled = ways.compile_paths(question, WORLD, markets.TODAY)
    rows = con.execute(compiled.sql, compiled.values).fetchall()
    found = {tuple(p or "" for p in row[:3]): row[3] for row in rows}
    expected: Counter[tuple[str, ...]] = Counter()
    for events in by_person(market).values():
        places = [
            (e, e["properties"]["path"] if through == "pages" and e["name"] == "page_viewed" else e["name"])
            for e in events
            if (through == "events" or e["name"] in ("page_viewed", "order_placed"))
            and local(e["ts"]) <= dt.date(2026, 2, 28)
        ]
        single = [
            (e, place)
            for i, (e, place) in enumerate(places)
            if not (i and places[i - 1][1] == place and e["ts"] - places[i - 1][0]["ts"] <= GAP)
        ]
        for i, (e, place) in enumerate(single):
            if e["name"] != "order_placed":
                continue
            way, last = [place], e
            side = single[i + 1 :] if direction == "after" else single[:i][::-1]
            for other, name in itertools.islice(side, 2):
                if abs(other["ts"] - last["ts"]) > GAP:
                    break
                way.append(name)
                last = other
            expected[tuple(way + [""] * (3 - len(way)))] += 1
    assert found == dict(expected)
    assert rows[0][5] == sum(expected.values())
    assert sum(1 for way in found if way[1]) > 3
    most = max((w for w in found if w[1]), key=lambda w: found[w])
    people = ways.compile_path_people(question, most, WORLD, markets.TODAY)
    assert 0 < len(con.execute(people.sql, people.values).fetchall()) <= found[most]
