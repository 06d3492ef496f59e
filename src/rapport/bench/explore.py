"""A question over 50 million events against the limit of 3 seconds.

Events of two years are written straight into the lake's tables, a month at a time and sorted as the loader
sorts them, with their day counters; a million subjects are three quarters of a million people. Each question is
compiled, run and fetched as on screen, by the days of Europe/Madrid; nothing is answered from what is kept.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.bench import child
from rapport.bench.harness import Measure, bench, timed
from rapport.kit import home

EVENTS = 50_000_000
SUBJECTS_EACH = 50  # events of a subject in two years
MONTHS = 24
LIMIT_S = 3.0
RUNS = 3
ZONE = "Europe/Madrid"
TODAY = dt.date(2026, 3, 12)
YEAR = {"last": 12, "unit": "month"}

QUESTIONS: dict[str, dict[str, Any]] = {
    "revenue by country, monthly, compared with before": {
        "measures": ["revenue"],
        "by": ["country"],
        "grain": "month",
        "period": YEAR,
        "compare": True,
    },
    "page views, monthly, compared with before": {
        "measures": ["page_views"],
        "grain": "month",
        "period": YEAR,
        "compare": True,
    },
    "people who looked at a page, monthly": {
        "measures": [{"measure": "people", "event": "page_viewed"}],
        "grain": "month",
        "period": YEAR,
    },
    "everything that happened, by channel, weekly": {
        "measures": ["events"],
        "by": ["channel"],
        "grain": "week",
        "period": YEAR,
    },
    "orders by day of the week and hour": {
        "measures": ["orders"],
        "by": ["weekday", "hour"],
        "period": YEAR,
        "most": 200,
    },
    "share who had ordered before, by first order": {
        "measures": ["repeat_share"],
        "by": ["cohort"],
        "period": YEAR,
        "most": 60,
    },
}


@bench("explore", by_name_only=True)
def explore() -> Iterator[Measure]:
    n = int(home.env("BENCH_EVENTS", str(EVENTS)))
    found = child.measure("rapport.bench.explore", str(n))
    for name, took_s in found["took_s"].items():
        yield Measure(
            f"question: {name}",
            f"the limit of {LIMIT_S:g} s",
            "s",
            took_s,
            [LIMIT_S] * len(took_s),
            at_most=1.0,
            figures={
                "events": f"{found['events']:,}",
                "answered from": found["store"][name],
                "first, with nothing read yet": f"{found['first_s'][name]:.2f} s",
                "made in": f"{found['made_s']:.0f} s",
            },
        )


def main(n: int) -> None:
    from rapport.web.stores import initialise

    initialise()
    from rapport.events import lake, plan
    from rapport.explore.rules import compiling, parsing
    from rapport.explore.rules.catalogue import World
    from rapport.explore.rules.question import Figures
    from rapport.explore.services import asking

    made_s = timed(lambda: _make(n))
    planned = plan.builtin().values()
    world = World(
        frozenset(p for e in planned for p in e.properties),
        {e.name: e.counted_by for e in planned if e.counted},
        ZONE,
    )
    subjects = np.arange(max(1, n // SUBJECTS_EACH), dtype=np.int64)
    persons = subjects - np.where(subjects % 4 == 1, 1, 0)
    con = lake.connect()
    lake.give(con, "identity", pa.table({"subject": subjects, "person": persons, "core": persons}))
    lake.give(con, "refused", pa.table({"subject": pa.array([], pa.int64())}))
    took: dict[str, list[float]] = {}
    first: dict[str, float] = {}
    store: dict[str, str] = {}
    for name, document in QUESTIONS.items():
        question = parsing.parse(document)
        assert isinstance(question, Figures)
        compiled = compiling.compile_figures(question, world, TODAY)
        store[name] = compiled.store

        def ask(statement: compiling.Compiled = compiled) -> None:
            assert asking.fetched(con, statement, limit_s=600)

        first[name] = timed(ask)
        took[name] = [timed(ask) for _ in range(RUNS)]
    con.close()
    (count,) = lake.connect().execute("SELECT count(*) FROM event").fetchall()[0]
    print(json.dumps({"made_s": made_s, "events": count, "took_s": took, "first_s": first, "store": store}))


def _make(n: int) -> None:
    """Mostly pages, some orders and messages; who does much does it over years."""
    from rapport.events import lake

    con = lake.connect()
    per_month, subjects = n // MONTHS, max(1, n // SUBJECTS_EACH)
    for month in range(MONTHS):
        first = dt.datetime(2024 + (2 + month) // 12, (2 + month) % 12 + 1, 1, tzinfo=dt.UTC)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE drawn AS SELECT"
            f" ({month}::BIGINT * {per_month} + i) AS seq,"
            f" $first::TIMESTAMPTZ + to_seconds((hash(i, {month}) % 2419200)::BIGINT) AS ts,"
            f" (hash(i, {month}, 1) % {subjects})::BIGINT AS subject,"
            f" (hash(i, {month}, 2) % 100)::INTEGER AS kind, (hash(i, {month}, 3) % 9000)::BIGINT AS worth"
            f" FROM range({per_month}) AS r(i)",
            {"first": first},
        )
        con.execute(
            "INSERT INTO event BY NAME SELECT uuid() AS id, seq, ts, ts AS received_at, subject,"
            " CASE WHEN kind < 78 THEN 'page_viewed' WHEN kind < 86 THEN 'order_placed'"
            " WHEN kind < 87 THEN 'order_refunded' WHEN kind < 94 THEN 'message_sent'"
            " ELSE 'message_opened' END AS name, 'shop' AS source,"
            " ['web', 'app', 'shop'][1 + kind % 3] AS channel,"
            " CASE WHEN kind BETWEEN 78 AND 85 THEN 500 + worth WHEN kind = 86 THEN -500 - worth END"
            " AS value_minor, CASE WHEN kind BETWEEN 78 AND 86 THEN 'EUR' END AS currency,"
            " CASE WHEN kind < 78 THEN '{\"path\":\"/p/' || worth % 500 || '\"}'"
            ' WHEN kind <= 86 THEN \'{"order_id":"\' || seq || \'","country":"\''
            " || ['DE','FR','ES','US','KR'][(1 + worth % 5)::INTEGER] || '\"}'"
            " ELSE '{\"message\":\"' || seq || '\"}' END AS properties"
            " FROM drawn ORDER BY subject, ts"
        )
        con.execute(
            "INSERT INTO subject_day BY NAME SELECT subject, ts::DATE AS day, name, '' AS dimension,"
            " count(*) AS n, coalesce(sum(value_minor), 0)::BIGINT AS value_minor, min(ts) AS first_ts,"
            " max(ts) AS last_ts FROM event WHERE ts >= $first::TIMESTAMPTZ AND ts < $first::TIMESTAMPTZ"
            " + INTERVAL 32 DAY AND seq >= $low GROUP BY ALL ORDER BY name, day, subject",
            {"first": first, "low": month * per_month},
        )
    con.execute("DROP TABLE temp.drawn")
    con.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
