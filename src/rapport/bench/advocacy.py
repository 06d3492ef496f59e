"""Standing toward the firm, taking part and genuine accounts against what is true of the synthetic market.

Each market goes all the way: recorded, loaded, identified, its texts read, the models run as at the end of its two
years. The truth lies apart. Public authors are judged too: their scores are worked out here and kept nowhere. At last
twenty accounts are added that push one opinion in concert, then twenty honest ones of the same opinion that write as
often, and what either moves the brand's standing is laid side by side.
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
from numpy.typing import NDArray

from rapport.bench import child
from rapport.bench.harness import Measure, bench
from rapport.kit import clock, home
from rapport.kit.texts import judging

PEOPLE = 4_000
MARKETS = ((11, "2026-03-01"), (12, "2026-07-01"), (13, "2026-11-01"))
ADDED = 20  # accounts of either kind
INTERVAL = 0.8  # what the model's interval promises
LEVELS = ("lurker", "contributor", "leader")
TEXTS = ("sentiment", "intent")  # models of texts, where they are installed

Floats = NDArray[np.float64]

# One row per person and network in the truth that the log shows under exactly one person.
PAIRS = """
WITH theirs AS (
    SELECT r.person AS truly, r.network::VARCHAR AS network, r.level::VARCHAR AS level, r.posts_per_week, r.advocacy,
        i.person
    FROM read_parquet($participation) AS r
    INNER JOIN subject AS s ON s.identifier = r.identifier
    INNER JOIN identity AS i ON i.subject = s.subject
)
SELECT * FROM theirs QUALIFY count(*) OVER (PARTITION BY person, network) = 1 ORDER BY person, network
"""
COLLUDING = """
SELECT DISTINCT i.person
FROM read_parquet($account) AS a
INNER JOIN subject AS s ON s.identifier = a.identifier
INNER JOIN identity AS i ON i.subject = s.subject
"""
# The naive rules: posts counted, and the mean tone of what was said.
COUNTED = """
SELECT i.person, coalesce(json_extract_string(e.properties, '$.network'), 'community') AS network, count(*) AS n,
    avg(t.value) AS tone
FROM event AS e
INNER JOIN identity AS i ON e.subject = i.subject
LEFT JOIN (
    SELECT a.seq, arg_max(a.value, a.run) AS value FROM annotation AS a WHERE a.name = 'sentiment' GROUP BY a.seq
) AS t ON e.seq = t.seq
WHERE e.name IN ('post_published', 'community_posted')
GROUP BY 1, 2
"""
# Who ever wrote what another account wrote as well, to the letter.
REPEATED = """
WITH said AS (
    SELECT i.person, e."text" AS words FROM event AS e INNER JOIN identity AS i ON e.subject = i.subject
    WHERE e.name IN ('post_published', 'community_posted') AND e."text" IS NOT NULL
)
SELECT DISTINCT s.person FROM said AS s
WHERE s.words IN (SELECT o.words FROM said AS o GROUP BY o.words HAVING count(DISTINCT o.person) > 1)
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One figure on one market: ours and the naive rule's."""

    name: str
    of: str
    unit: str
    ours: float
    peer: float
    higher_is_better: bool | None = True  # None: there is no better side
    note: str = ""
    at_most: float | None = None  # a goal of its own for the ratio


@bench("advocacy")
def advocacy() -> Iterator[Measure]:
    n_people = int(home.env("BENCH_PEOPLE", str(PEOPLE)))
    found = [child.measure("rapport.bench.advocacy", str(n_people), str(s), end) for s, end in MARKETS]
    names = {j["name"]: None for f in found for j in f["judgements"]}
    for name in names:
        yield _measure([j for f in found for j in f["judgements"] if j["name"] == name], n_people)


def _measure(pairs: list[dict[str, Any]], n_people: int) -> Measure:
    first = pairs[0]
    figures = {f"market {k + 1}": p["note"] for k, p in enumerate(pairs) if p["note"]}
    better = first["higher_is_better"]
    return Measure(
        f"market of {n_people:,}, {first['name']}",
        first["of"],
        first["unit"],
        [p["ours"] for p in pairs],
        [p["peer"] for p in pairs],
        at_least=1.0 if better is True else None,
        at_most=first["at_most"] if first["at_most"] is not None else (1.0 if better is False else None),
        figures=figures,
    )


def correlation(a: Floats, b: Floats) -> float:
    """Pearson's; 0 where one of them does not vary."""
    if len(a) < 2 or not a.std() or not b.std():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def of_standing(
    true: Floats, said: tuple[Floats, Floats, Floats], tone: Floats, interval: float
) -> list[Judgement]:
    """Correlation, error and coverage of what was said (value, low, high) of people and networks."""
    value, low, high = said
    covered = float(((low <= true) & (true <= high)).mean())
    note = f"{len(true):,} people and networks"
    return [
        Judgement(
            "standing, correlation with the truth", "the mean tone of what each said", "correlation",
            correlation(true, value), correlation(true, tone), note=note,
        ),
        Judgement(
            "standing, root mean square error", "the mean tone of what each said", "standing",
            float(np.sqrt(((true - value) ** 2).mean())), float(np.sqrt(((true - tone) ** 2).mean())), False,
        ),
        Judgement(
            "standing, truth within the interval", "as often as the interval promises", "share", covered, interval, None,
            note=f"mean width {float((high - low).mean()):.2f}",
        ),
    ]  # fmt: skip


def of_levels(true: NDArray[np.int64], said: NDArray[np.int64], n: Floats) -> list[Judgement]:
    """Macro-F1 of the three levels, beside the 90-9-1 rule on numbers of posts."""
    naive = np.zeros(len(n), np.int64)
    order = np.argsort(-n, kind="stable")
    naive[order[: round(0.10 * len(n))]] = 1
    naive[order[: round(0.01 * len(n))]] = 2
    return [
        Judgement(
            "levels of taking part, macro-F1", "the 90-9-1 rule on numbers of posts", "F1",
            judging.macro_f1(true, said), judging.macro_f1(true, naive),
            note=f"{len(true):,} people and networks, of whom {int((true == 2).sum())} lead",
        )
    ]  # fmt: skip


def of_rings(
    is_bad: NDArray[np.bool_], is_out: NDArray[np.bool_], repeats: NDArray[np.bool_]
) -> list[Judgement]:
    """How many of the accounts in concert are left out, and how many of the others with them."""

    def f1(said: NDArray[np.bool_]) -> float:
        both = int((said & is_bad).sum())
        return 2 * both / max(int(said.sum()) + int(is_bad.sum()), 1)

    caught, wrong = int((is_out & is_bad).sum()), int((is_out & ~is_bad).sum())
    return [
        Judgement(
            "accounts in concert left out, F1", "whoever ever wrote another's words to the letter", "F1",
            f1(is_out), f1(repeats),
            note=f"{caught} of {int(is_bad.sum())} left out, and {wrong} of {int((~is_bad).sum()):,} others",
        )
    ]  # fmt: skip


def main(n_people: str, seed: str, end: str) -> None:
    """One market, in a data folder of its own; prints the judgements as JSON."""
    at = dt.datetime.fromisoformat(end).replace(tzinfo=dt.UTC)
    with clock.frozen(at):
        judgements = _lived(int(n_people), int(seed), at)
    print(json.dumps({"judgements": [{k: getattr(j, k) for k in Judgement.__slots__} for j in judgements]}))


def _lived(n_people: int, seed: int, at: dt.datetime) -> list[Judgement]:
    from rapport.web.stores import initialise

    initialise()
    from rapport.demo import consenting
    from rapport.demo import market as demo
    from rapport.events import lake
    from rapport.insights import services as insights
    from rapport.people import selectors as people

    consenting.write_wordings()
    folder = Path(os.environ["RAPPORT_HOME"]) / "truth"
    made = demo.load(n_people, seed, folder, end=at)
    _read(made.last_seq)
    _done(insights.run(["authenticity"]))
    con = lake.connect()
    try:
        lake.give(con, "identity", people.identity_arrow())
        asked = {name: str(folder / f"{name}.parquet") for name in ("participation", "account")}
        pairs = con.execute(PAIRS, {"participation": asked["participation"]}).to_arrow_table()
        bad = con.execute(COLLUDING, {"account": asked["account"]}).to_arrow_table()
        counted = con.execute(COUNTED).to_arrow_table()
        repeated = con.execute(REPEATED).to_arrow_table()
    finally:
        con.close()
    scored = {name: _scores(name, at) for name in ("participation", "authenticity", "advocacy")}
    judgements = _judged(pairs, scored, counted, (bad, repeated))
    return [*judgements, *_pushed(demo.market(n_people, seed, at), seed, at)]


def _read(upto_seq: int) -> None:
    """Load, identify, and have the models of texts read everything."""
    from rapport.events import services, subscriptions
    from rapport.insights import services as insights
    from rapport.insights.contract import KIND
    from rapport.kit import registry

    services.settle(upto_seq)
    subscriptions.settle(upto_seq, ("people", "consent"))
    _done(insights.run([name for name in TEXTS if name in registry.plugins(KIND)]))


def _done(runs: Any) -> None:
    """A model that failed would be measured as one that says nothing."""
    if failed := [f"{run.model}: {run.error}" for run in runs if run.state != "done"]:
        raise RuntimeError("; ".join(failed))


def _scores(name: str, at: dt.datetime) -> pa.Table:
    """What a model says now of everybody, public authors as well; kept nowhere."""
    from rapport.insights.services import following, keeping

    model = keeping.insight(name)
    table = following.table_of(name)
    context = keeping.context(model, now=at)
    return model.score(model.fit(table, context), table, context)


def _judged(
    pairs: pa.Table, scored: dict[str, pa.Table], counted: pa.Table, rings: tuple[pa.Table, pa.Table]
) -> list[Judgement]:
    bad, repeated = (set(table.column("person").to_pylist()) for table in rings)
    known = {(r["person"], r["network"]): r for r in counted.to_pylist()}
    said = {(r["person"], r["name"]): r for table in scored.values() for r in table.to_pylist()}
    rows = [r for r in pairs.to_pylist() if r["person"] not in bad]
    stood = [
        (r["advocacy"], s["value"], s["low"], s["high"], known[r["person"], r["network"]]["tone"] or 0.0)
        for r in rows
        if (s := said.get((r["person"], f"advocacy:{r['network']}"))) and (r["person"], r["network"]) in known
    ]
    level = [
        (
            LEVELS.index(r["level"]),
            LEVELS.index(s["label"]),
            known.get((r["person"], r["network"]), {"n": 0})["n"],
        )
        for r in rows
        if (s := said.get((r["person"], f"participation:{r['network']}")))
    ]
    accounts = scored["authenticity"].select(["person", "label"]).to_pylist()
    who = np.array([a["person"] for a in accounts])
    out = np.array([a["label"] == "left_out" for a in accounts])
    true, value, low, high, tone = (np.array(c, np.float64) for c in zip(*stood, strict=True))
    really, called, n = (np.array(c) for c in zip(*level, strict=True))
    return [
        *of_standing(true, (value, low, high), tone, INTERVAL),
        *of_levels(really, called, n.astype(np.float64)),
        *of_rings(np.isin(who, sorted(bad)), out, np.isin(who, sorted(repeated))),
    ]


def _pushed(made: Any, seed: int, at: dt.datetime) -> list[Judgement]:
    """What twenty accounts in concert move, beside twenty honest ones of the same opinion."""
    before = _standing(at)
    moved = []
    for honest in (False, True):
        record_added(made, ADDED, seed, honest=honest)
        after = _standing(at)
        moved.append(after - before)
        before = after
    concert, honest_move = abs(moved[0]), abs(moved[1])
    return [
        Judgement(
            f"what {ADDED} accounts in concert move the brand's standing", f"what {ADDED} honest ones move it", "standing",
            concert, max(honest_move, 1e-9), None, at_most=0.05,
            note=f"{moved[0]:+.5f} in concert, {moved[1]:+.5f} honest",
        )
    ]  # fmt: skip


def record_added(made: Any, n: int, seed: int, *, honest: bool) -> None:
    """Put accounts of one opinion into the log, with their texts read: in concert, or each by itself."""
    from rapport.demo import colluding
    from rapport.events import services
    from rapport.insights import services as insights

    recorded = services.record(
        colluding.added(made, n, seed, alone=honest), source="added", batch=f"added-{honest}", trusted=True
    )
    _read(recorded.first + recorded.n - 1)
    _done(insights.run(["authenticity"]))


def _standing(at: dt.datetime) -> float:
    """The brand's standing on all networks over the two years."""
    from rapport.insights import selectors

    found = selectors.standings_of_networks(at - dt.timedelta(days=731), at)
    return next(s.standing for s in found if s.network == "")


if __name__ == "__main__":
    main(*sys.argv[1:])
