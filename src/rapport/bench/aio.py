"""What is stated of people on the synthetic market, against what is true of them: taste, standing, what was meant.

Each market goes all the way: recorded, loaded, identified, its texts read by the models there are, statements worked
out as at the end of its two years. Judged are people who stand for one true customer each. An interest is true where
somebody's taste for the category is above everybody's; an attitude where, of all they wrote of the aspect, more was
meant so than otherwise; an opinion on a promise where their standing, or what they meant of its aspect, has its sign.
The truth lies apart, in files that only this bench opens.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rapport.bench import child
from rapport.bench.harness import Measure, bench
from rapport.kit import chances, clock, home

PEOPLE = 5_000
MARKETS = ((2, "2026-07-01"), (3, "2026-11-01"))  # apart from the one on which thresholds were chosen
TEXT_MODELS = ("language", "sentiment", "intent", "aspect")
GOAL = 0.85  # of the statements
# The promises of a new installation and the aspect of the market that each is about.
PROMISED = {"on_time": "delivery", "fair_prices": "price", "lasts": "quality", "answers": "service"}

PAIRS = """
WITH named AS (
    SELECT p.person AS truly, unnest(p.identifiers) AS identifier FROM read_parquet($people) AS p
),
pair AS (
    SELECT DISTINCT n.truly, i.person
    FROM named AS n
    INNER JOIN subject AS s ON s.identifier = n.identifier
    INNER JOIN identity AS i ON i.subject = s.subject
)
SELECT p.person, min(p.truly) AS truly FROM pair AS p GROUP BY p.person HAVING count(*) = 1
"""
MEANT = """
SELECT m.person, m.aspect, sum(m.sign) AS meant
FROM (
    SELECT t.person, t.aspect, CASE t.aspect_polarity WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 END AS sign
    FROM read_parquet($text) AS t WHERE t.aspect IS NOT NULL
    UNION ALL
    SELECT t.person, t.aspect_2, CASE t.aspect_2_polarity WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 END
    FROM read_parquet($text) AS t WHERE t.aspect_2 IS NOT NULL
) AS m
GROUP BY m.person, m.aspect
"""
FAVOURITE = """
SELECT i.person, arg_max(b.dimension, b.n) AS category
FROM (
    SELECT d.subject, d.dimension, sum(d.n) AS n FROM subject_day AS d
    WHERE d.name = 'order_placed' AND d.dimension <> '' GROUP BY d.subject, d.dimension
) AS b
INNER JOIN identity AS i ON i.subject = b.subject
GROUP BY i.person
"""


@bench("aio")
def aio() -> Iterator[Measure]:
    """Precision of statements by kind, beside the naive rule on the same people."""
    n_people = int(home.env("BENCH_PEOPLE", str(PEOPLE)))
    found = [child.measure("rapport.bench.aio", str(n_people), str(seed), end) for seed, end in MARKETS]
    for kind, rule in (
        ("interest", "that what each bought most often is what they care about"),
        ("attitude", "that people think of an aspect as most people do"),
        ("opinion", "that people stand to a promise as most people do"),
    ):
        mine = [f["kinds"][kind] for f in found if f["kinds"][kind]["n"]]
        if not mine:
            continue
        yield Measure(
            f"market of {n_people:,}, statements that are true: {kind}",
            rule,
            "ratio",
            [one["precision"] for one in mine],
            [one["naive"] for one in mine],
            at_least=1.0,
            figures={
                f"market {k + 1}": f"{one['precision']:.3f} [{one['low']:.3f}, {one['high']:.3f}] of {one['n']:,}"
                for k, one in enumerate(mine)
            },
        )
    every = [f["all"] for f in found]
    yield Measure(
        f"market of {n_people:,}, statements that are true",
        f"the goal of {GOAL}",
        "ratio",
        [one["precision"] for one in every],
        [GOAL] * len(every),
        at_least=1.0,
        figures={
            "statements": ", ".join(f"{one['n']:,}" for one in every),
            "models of texts that did not run": ", ".join(sorted({m for f in found for m in f["missing"]}))
            or "none",
            "worked out in": ", ".join(f"{f['seconds']:.1f} s" for f in found),
        },
    )


def main(n_people: str, seed: str, end: str) -> None:
    """One market, in a data folder of its own; prints what was found as JSON."""
    at = dt.datetime.fromisoformat(end).replace(tzinfo=dt.UTC)
    with clock.frozen(at):
        print(json.dumps(_lived(int(n_people), int(seed), at)))


def _lived(n_people: int, seed: int, at: dt.datetime) -> dict[str, Any]:
    from rapport.web.stores import initialise

    initialise()
    from rapport.aio import services
    from rapport.demo import consenting
    from rapport.demo import market as demo
    from rapport.events import services as events
    from rapport.events import subscriptions
    from rapport.insights import services as insights
    from rapport.insights.contract import KIND
    from rapport.kit import registry

    consenting.write_wordings()
    folder = Path(os.environ["RAPPORT_HOME"]) / "truth"
    made = demo.load(n_people, seed, folder, end=at)
    events.settle(made.last_seq)
    subscriptions.settle(made.last_seq)
    there = [name for name in TEXT_MODELS if name in registry.plugins(KIND)]
    runs = insights.run(there)
    missing = [name for name in TEXT_MODELS if name not in there] + [
        r.model for r in runs if r.state != "done"
    ]
    done = services.refresh()
    judged = _judged(folder, demo.market(n_people, seed, at))
    right = [one for were_right, _naive in judged.values() for one in were_right]
    return {
        "kinds": {kind: _summed(were_right, naive) for kind, (were_right, naive) in judged.items()},
        "all": _summed(right, []),
        "missing": missing,
        "seconds": done.duration_s,
    }


def _summed(were_right: list[bool], naive: list[bool]) -> dict[str, float]:
    if not were_right:
        return {"n": 0, "precision": 0.0, "low": 0.0, "high": 1.0, "naive": 0.0}
    share = chances.share(float(sum(were_right)), len(were_right))
    return {
        "n": len(were_right),
        "precision": share.value,
        "low": share.low,
        "high": share.high,
        "naive": sum(naive) / len(naive) if naive else 0.0,
    }


def _judged(folder: Path, market: Any) -> dict[str, tuple[list[bool], list[bool]]]:
    """By kind, whether each statement is true, and whether the naive rule is on the same or like people."""
    from rapport.demo import persons
    from rapport.demo.block import BLOCK_PEOPLE
    from rapport.events import lake
    from rapport.people import selectors as people

    seeds = (market.seed, market.n_people, clock.to_us(market.end))
    firsts = range(0, market.n_people, BLOCK_PEOPLE)
    taste = np.concatenate(
        [
            persons.people(market.place, market.when, f, min(BLOCK_PEOPLE, market.n_people - f), seeds).taste
            for f in firsts
        ]
    )
    fond = taste > taste.mean(axis=0)
    categories = list(market.place.categories.names)
    con = lake.connect()
    try:
        lake.give(con, "identity", people.identity_arrow())
        truly = dict(con.execute(PAIRS, {"people": str(folder / "person.parquet")}).fetchall())
        said = con.execute(MEANT, {"text": str(folder / "text.parquet")}).fetchall()
        favourite = con.execute(FAVOURITE).fetchall()
    finally:
        con.close()
    meant = {(person, aspect): float(sum_) for person, aspect, sum_ in said}
    scores = people.scores_arrow()
    found: dict[str, tuple[list[bool], list[bool]]] = {
        k: ([], []) for k in ("interest", "attitude", "opinion")
    }
    stances: dict[str, list[tuple[str, float, float]]] = {"attitude": [], "opinion": []}
    for person, name, value in zip(
        *(scores[c].to_pylist() for c in ("person", "name", "value")), strict=True
    ):
        kind, _colon, about = name.partition(":")
        if person not in truly or kind not in found:
            continue
        if kind == "interest":
            if about in categories:
                found[kind][0].append(bool(fond[truly[person], categories.index(about)]))
            continue
        aspect = PROMISED.get(about, about) if kind == "opinion" else about
        if meant.get((truly[person], aspect)):
            stances[kind].append((about, value, meant[truly[person], aspect]))
    for person, category in favourite:
        if person in truly:
            found["interest"][1].append(bool(fond[truly[person], categories.index(category)]))
    for kind, rows in stances.items():
        most = {a: np.sign(sum(np.sign(m) for b, _v, m in rows if b == a)) or 1.0 for a, _v, _m in rows}
        found[kind][0].extend(value * m > 0 for _a, value, m in rows)
        found[kind][1].extend(most[a] * m > 0 for a, _v, m in rows)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
