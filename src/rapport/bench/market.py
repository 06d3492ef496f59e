"""The models against what is true of the synthetic market, which they never see: who is alive, who will order
again and what, and whose money there is to save.

Each market goes all the way: recorded, loaded, identified, its texts read, every model run as at the end of the
market's two years, and the scores read as a segment would read them. The truth lies apart, in files that only
this bench opens. The markets end in different seasons, and each is a pair of its own with its naive rule.
Judged are people who stand for one true customer each; who is there twice, or two in one, is left out.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.bench import child
from rapport.bench.harness import Measure, bench
from rapport.demo.experience import LEAVES
from rapport.kit import chances, clock, home
from rapport.kit.chances import Estimate

PEOPLE = 10_000
# Seed and end of each market; the ends lie in different seasons.
MARKETS = ((1, "2026-03-01"), (2, "2026-07-01"), (3, "2026-11-01"))
MODELS = ("sentiment", "rfm", "value", "churn", "next_need", "portfolio")
HORIZON_DAYS = 90

Floats = NDArray[np.float64]

TRUTH = """
WITH named AS (
    SELECT p.person AS truly, unnest(p.identifiers) AS identifier FROM read_parquet($people) AS p
),
pair AS (
    SELECT DISTINCT n.truly, i.person
    FROM named AS n
    INNER JOIN subject AS s ON s.identifier = n.identifier
    INNER JOIN identity AS i ON i.subject = s.subject
),
one_to_one AS (
    SELECT min(p.truly) AS truly, p.person
    FROM pair AS p
    WHERE p.truly IN (
        SELECT q.truly FROM pair AS q
        WHERE q.person IN (SELECT s.person FROM score AS s WHERE s.name = 'recency_days')
        GROUP BY q.truly HAVING count(*) = 1
    )
    GROUP BY p.person HAVING count(*) = 1
),
bought AS (
    SELECT
        i.person,
        max(e.ts) FILTER (WHERE e.ts < $earlier) AS last_before,
        count(*) FILTER (WHERE e.ts >= $earlier) AS n_since,
        sum(e.value_minor) FILTER (WHERE e.ts >= $year_ago) AS spent_minor
    FROM event AS e
    INNER JOIN identity AS i ON i.subject = e.subject
    WHERE e.name = 'order_placed'
    GROUP BY i.person
),
category AS (
    SELECT
        i.person,
        d.dimension AS category,
        sum(d.n) AS n,
        max(d.last_ts) AS last_at
    FROM subject_day AS d
    INNER JOIN identity AS i ON i.subject = d.subject
    WHERE d.name = 'order_placed' AND d.dimension <> ''
    GROUP BY i.person, d.dimension
),
favourite AS (
    SELECT c.person, arg_max(c.category, (c.n, c.last_at)) AS category FROM category AS c GROUP BY c.person
),
wrote AS (
    SELECT
        x.person AS truly,
        max(CASE
            WHEN x.intent NOT IN ('complaint', 'churn_threat') THEN 0
            WHEN x.aspect = 'delivery' THEN $late
            WHEN x.aspect = 'fit' THEN $misfit
            WHEN x.aspect = 'quality' THEN $defect
            ELSE 0
        END) AS leaves
    FROM read_parquet($text) AS x
    WHERE x.register = 'letter' AND x.at >= $earlier
    GROUP BY x.person
)
SELECT
    o.person,
    t.is_alive,
    f.orders_90d = 0 AS silent,
    f.next_category::VARCHAR AS next_category,
    t.next_category::VARCHAR AS likeliest_category,
    t.orders_per_day * t.order_minor * 180 AS to_come_minor,
    b.spent_minor,
    date_diff('day', b.last_before, $earlier) AS silent_days_earlier,
    b.n_since,
    v.category AS favourite,
    w.leaves
FROM one_to_one AS o
INNER JOIN read_parquet($people) AS t ON t.person = o.truly
INNER JOIN read_parquet($future) AS f ON f.person = o.truly
INNER JOIN bought AS b ON b.person = o.person
LEFT JOIN favourite AS v ON v.person = o.person
LEFT JOIN wrote AS w ON w.truly = o.truly
ORDER BY o.person
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One figure on one market: ours with its interval, and the naive rule's."""

    name: str
    of: str
    unit: str
    ours: Estimate
    peer: float
    higher_is_better: bool | None = True  # None: there is no better side
    note: str = ""


@bench("market")
def market() -> Iterator[Measure]:
    n_people = int(home.env("BENCH_PEOPLE", str(PEOPLE)))
    found = [child.measure("rapport.bench.market", str(n_people), str(s), end) for s, end in MARKETS]
    missing = sorted({m for f in found for m in f["missing"]})
    names = {j["name"]: None for f in found for j in f["judgements"]}
    for name in names:
        pairs = [j for f in found for j in f["judgements"] if j["name"] == name]
        yield _measure(pairs, n_people, missing)


def _measure(pairs: list[dict[str, Any]], n_people: int, missing: list[str]) -> Measure:
    first = pairs[0]
    figures = {
        f"market {k + 1}, 95 % interval": (
            f"{p['value']:.3f} [{p['low']:.3f}, {p['high']:.3f}] against {p['peer']:.3f}"
            + (f"; {p['note']}" if p["note"] else "")
        )
        for k, p in enumerate(pairs)
    }
    if missing:
        figures["models that did not run"] = ", ".join(missing)
    return Measure(
        f"market of {n_people:,}, {first['name']}",
        first["of"],
        first["unit"],
        [p["value"] for p in pairs],
        [p["peer"] for p in pairs],
        at_least=1.0 if first["higher_is_better"] is True else None,
        at_most=1.0 if first["higher_is_better"] is False else None,
        figures=figures,
    )


def judged(true: pa.Table, scores: dict[str, pa.Table]) -> list[Judgement]:
    """Every figure that these scores allow; `scores` by name, rows of person, value and label."""
    found: list[Judgement] = []
    for name, judge in (
        ("alive", _alive),
        ("churn_risk", _risk),
        ("next_category", _next),
        ("effort_saving_minor", _effort),
    ):
        if name in scores and scores[name].num_rows:
            found += judge(_beside(true, scores[name]), _Scores(scores))
    return found


@dataclass(frozen=True, slots=True)
class _Scores:
    by_name: dict[str, pa.Table]

    def of(self, name: str, person: NDArray[np.int64], missing: float) -> Floats:
        """One score of these people, in their order."""
        table = self.by_name[name]
        known = dict(zip(table.column("person").to_pylist(), table.column("value").to_pylist(), strict=True))
        return np.array([known.get(p, missing) for p in person.tolist()], np.float64)


def _beside(true: pa.Table, score: pa.Table) -> dict[str, NDArray[Any]]:
    """The truth and one score of the people who have both, column by column."""
    renamed = score.select(["person", "value", "label"]).rename_columns(["person", "said", "label"])
    both = true.join(renamed, keys="person", join_type="inner").sort_by("person")
    return {c: both.column(c).to_numpy(zero_copy_only=False) for c in both.column_names}


def _alive(both: dict[str, NDArray[Any]], scores: _Scores) -> list[Judgement]:
    alive = both["is_alive"].astype(bool)
    silent = scores.of("recency_days", both["person"], 0.0)
    return [
        Judgement(
            "who is still a customer by `alive` (AUC)", "the last to buy first", "probability",
            chances.auc(both["said"].astype(np.float64), alive), chances.auc(-silent, alive).value,
            note=f"{len(alive):,} people, {alive.mean():.0%} alive",
        )
    ]  # fmt: skip


def _risk(both: dict[str, NDArray[Any]], scores: _Scores) -> list[Judgement]:
    chance, alive = both["said"].astype(np.float64), both["is_alive"].astype(bool)
    happened = both["silent"].astype(np.float64)
    silent_days = scores.of("recency_days", both["person"], 0.0)
    share, rule = _naive(both, silent_days)
    slope, rule_slope = chances.slope(chance, happened), chances.slope(rule, happened)
    level = f"said {chance.mean():.1%}, happened {happened.mean():.1%}"
    brier = chances.brier(chance, happened)
    of_rule = "one chance for the long silent, one for the others, as they were 90 days before"
    return [
        Judgement(
            "who is still a customer by `churn_risk` (AUC)", "the last to buy first", "probability",
            chances.auc(-chance, alive), chances.auc(-silent_days, alive).value,
        ),
        Judgement(
            "who falls silent by `churn_risk` (AUC)", "the longest silent first", "probability",
            chances.auc(chance, happened > 0), chances.auc(silent_days, happened > 0).value,
        ),
        Judgement(
            "`churn_risk`, Brier score", "everybody at the share of the 90 days before", "squared probability",
            brier, chances.brier(np.full(len(chance), share), happened).value, higher_is_better=False, note=level,
        ),
        Judgement(
            "`churn_risk`, Brier score beside the rule", of_rule, "squared probability",
            brier, chances.brier(rule, happened).value, higher_is_better=False,
        ),
        Judgement(
            "`churn_risk`, calibration slope", "a perfect 1", "slope", slope, 1.0, higher_is_better=None,
            note=f"the rule's is {rule_slope.value:.3f} [{rule_slope.low:.3f}, {rule_slope.high:.3f}]",
        ),
    ]  # fmt: skip


def _naive(both: dict[str, NDArray[Any]], silent_days: Floats) -> tuple[float, Floats]:
    """What a simple rule learns from the horizon before the end: one share, and one each side of a split."""
    days = both["silent_days_earlier"].astype(np.float64)
    known = np.isfinite(days)
    days, fell = days[known], both["n_since"][known] == 0
    best: tuple[float, float, float, float] = (np.inf, 0.0, 0.5, 0.5)
    for split in np.unique(np.quantile(days, np.linspace(0.05, 0.95, 19))):
        long = days > split
        above, below = float(fell[long].mean() if long.any() else 0.5), float(fell[~long].mean())
        off = float(((np.where(long, above, below) - fell) ** 2).mean())
        best = min(best, (off, float(split), above, below))
    return float(fell.mean()), np.where(silent_days > best[1], best[2], best[3])


def _next(both: dict[str, NDArray[Any]], scores: _Scores) -> list[Judgement]:  # noqa: ARG001  each judge gets both
    came = np.array([c is not None for c in both["next_category"]])
    true, said = both["next_category"][came], both["label"][came]
    naive, best = both["favourite"][came], both["likeliest_category"][came]
    n = int(came.sum())
    ceiling = float((true == best).mean())
    return [
        Judgement(
            "next category, share that came true", "what each bought most often, of equals the latest", "ratio",
            chances.share(float((true == said).sum()), n), float((true == naive).mean()),
            note=f"{n:,} people who order within 180 days; who knew all would reach {ceiling:.3f}",
        )
    ]  # fmt: skip


def _effort(both: dict[str, NDArray[Any]], scores: _Scores) -> list[Judgement]:  # noqa: ARG001
    """Of those who wrote: what each buys in half a year while a customer, times the true chance of leaving for it."""
    wrote = np.isfinite(both["leaves"].astype(np.float64))
    to_save = (both["to_come_minor"].astype(np.float64) * both["leaves"].astype(np.float64))[wrote]
    said = both["said"].astype(np.float64)[wrote]
    spent = np.nan_to_num(both["spent_minor"].astype(np.float64))[wrote]
    if not len(to_save) or to_save.sum() <= 0:
        return []
    best = chances.held_by_top(to_save, to_save).value
    return [
        Judgement(
            "money there is to save by the tenth that `effort_saving_minor` has answered first",
            "whoever spent most in the last year first", "share of it",
            chances.held_by_top(to_save, said), chances.held_by_top(to_save, spent).value,
            note=f"{len(to_save):,} people wrote in 90 days; in any order 0.100, knowing all {best:.3f}",
        )
    ]  # fmt: skip


def main(n_people: str, seed: str, end: str) -> None:
    """One market, in a data folder of its own; prints the judgements as JSON."""
    at = dt.datetime.fromisoformat(end).replace(tzinfo=dt.UTC)
    with clock.frozen(at):
        true, scores, missing = _lived(int(n_people), int(seed), at)
    judgements = [
        {
            "name": j.name, "of": j.of, "unit": j.unit, "peer": j.peer, "note": j.note,
            "higher_is_better": j.higher_is_better,
            "value": j.ours.value, "low": j.ours.low, "high": j.ours.high,
        }
        for j in judged(true, scores)
    ]  # fmt: skip
    print(json.dumps({"judgements": judgements, "missing": missing, "people": true.num_rows}))


def _lived(n_people: int, seed: int, at: dt.datetime) -> tuple[pa.Table, dict[str, pa.Table], list[str]]:
    from rapport.web.stores import initialise

    initialise()
    from rapport.demo import consenting
    from rapport.demo import market as demo
    from rapport.events import lake, services, subscriptions
    from rapport.insights import services as insights
    from rapport.insights.contract import KIND, SCORES
    from rapport.kit import registry
    from rapport.people import selectors as people

    consenting.write_wordings()
    folder = Path(os.environ["RAPPORT_HOME"]) / "truth"
    made = demo.load(n_people, seed, folder, end=at)
    services.settle(made.last_seq)
    subscriptions.settle(made.last_seq)
    there = [name for name in MODELS if name in registry.plugins(KIND)]
    missing = [name for name in MODELS if name not in there]
    for run in insights.run(there):
        if run.state != "done":
            missing.append(f"{run.model} ({run.error})")
    rows = people.scores_arrow()
    con = lake.connect()
    try:
        lake.give(con, "identity", people.identity_arrow())
        lake.give(con, "score", rows.select(SCORES.names))
        true = con.execute(
            TRUTH,
            {
                "people": str(folder / "person.parquet"),
                "future": str(folder / "future.parquet"),
                "text": str(folder / "text.parquet"),
                **LEAVES,
                "earlier": at - dt.timedelta(days=HORIZON_DAYS),
                "year_ago": at - dt.timedelta(days=365),
            },
        ).to_arrow_table()
    finally:
        con.close()
    arrow: Any = pc
    wanted = ("recency_days", "alive", "churn_risk", "next_category", "effort_saving_minor")
    of_name = {name: rows.filter(arrow.equal(rows.column("name"), name)) for name in wanted}
    return true, of_name, missing


if __name__ == "__main__":
    main(*sys.argv[1:])
