"""Personas against the truth of the synthetic market, and what they say of what households buy next.

The markets are others than the one on which the model's settings were chosen. The true types overlap by design: how
much of them can be told at all is said by a classifier that was told the truth of half of the people (Fisher's linear
discriminant, each half judged by the other). Naive are k-means on recency, frequency and money, and on demographics
alone, with as many groups as there are personas.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.bench import child
from rapport.bench.harness import Measure, Missing, bench, timed
from rapport.demo.market import market
from rapport.insights.contract import KIND, Backtest, Context, Insight
from rapport.kit import home, query, registry

SEEDS = (2, 3, 4)
PEOPLE = 5_000
MANY = 100_000
LIMIT_S = 60.0
END = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
CUT = dt.datetime(2017, 10, 1, tzinfo=dt.UTC)
HELD_OUT_DAYS = 92

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Income stands for the country and the composition of the household for the language, so that demographics alone are
# all that is known of households.
_HOUSEHOLDS = """
CREATE TABLE event AS
SELECT t.household_id::BIGINT AS subject, min(t.transaction_timestamp)::TIMESTAMPTZ AS ts, 'order_placed' AS name,
    'shop' AS channel, 'USD' AS currency,
    to_json({items: list({product_code: t.product_id, category: p.product_category, quantity: t.quantity,
        unit_price_minor: 100 * t.sales_value / greatest(t.quantity, 1)})}) AS properties
FROM read_parquet($transactions) AS t
INNER JOIN read_parquet($products) AS p ON t.product_id = p.product_id
WHERE t.quantity > 0 AND p.product_category IS NOT NULL
GROUP BY t.household_id, t.basket_id
UNION ALL
SELECT d.household_id::BIGINT, '2017-01-01'::TIMESTAMPTZ, 'person_identified', NULL, NULL,
    to_json({traits: {birth_year: (2017 - nullif(regexp_extract(d.age::VARCHAR, '[0-9]+'), '')::INTEGER - 5)::VARCHAR,
        country: d.income::VARCHAR, language: d.household_comp::VARCHAR}})
FROM read_parquet($demographics) AS d
"""


@bench("personas")
def personas() -> Iterator[Measure]:
    yield from _against_truth()
    yield from _households()
    yield _many(int(home.env("BENCH_PEOPLE", str(MANY))))


def _model(name: str = "persona") -> Insight:
    found: Insight = registry.plugin(KIND, name).offers
    return found


def _context(model: Insight, now: dt.datetime = END, horizon_days: int = 90) -> Context:
    return Context(now=now, seed=1, horizon_days=horizon_days, parameters=dict(model.parameters))


def _against_truth() -> Iterator[Measure]:
    model = _model()
    ours, by_rfm, by_demographics, told, rand, numbers = [], [], [], [], [], []
    for seed in SEEDS:
        table, rfm, truth = market_tables(PEOPLE, seed)
        content = model.fit(table, _context(model))
        choice = json.loads(content)
        said = model.score(content, table, _context(model))
        if said.num_rows == 0:
            ours.append(0.0)
            numbers.append(0)
            continue
        own = codes(said.column("label").to_numpy(zero_copy_only=False))
        k = int(own.max()) + 1
        rng = np.random.default_rng(seed)
        ours.append(agreement(own, truth))
        by_rfm.append(agreement(k_means(standard(rfm), k, rng), truth))
        by_demographics.append(agreement(k_means(demographics(table), k, rng), truth))
        told.append(agreement(discriminated(described(table), truth, rng), truth))
        rand.append(next(t["rand"] for t in choice["choice"] if t["k"] == k))
        numbers.append(k)
    figures = {
        "markets": f"seeds {', '.join(map(str, SEEDS))}, {PEOPLE:,} people each",
        "personas found": ", ".join(map(str, numbers)),
        "agreement of refits on people drawn anew (adjusted Rand index)": _listed(rand),
        "agreement with the true types": _listed(ours),
        "k-means on recency, frequency, money": _listed(by_rfm),
        "k-means on age, country, language": _listed(by_demographics),
        "a classifier that was told the truth of half of them": _listed(told),
    }
    if not by_rfm:
        raise Missing("no market had personas that come back")
    yield Measure(
        "personas: agreement with true types (adjusted Rand index)", "k-means on recency, frequency, money", "index",
        [float(np.mean(ours))], [max(float(np.mean(by_rfm)), 0.001)], at_least=1.0, figures=figures,
    )  # fmt: skip
    yield Measure(
        "personas: agreement with true types (adjusted Rand index)", "k-means on age, country, language", "index",
        [float(np.mean(ours))], [max(float(np.mean(by_demographics)), 0.001)], at_least=1.0,
    )  # fmt: skip


def market_tables(n_people: int, seed: int) -> tuple[pa.Table, Floats, Ints]:
    """What the model reads of a market, recency, frequency and money of the same people, and their true types."""
    blocks = list(market(n_people, seed, END).blocks())
    with _engine() as con:
        for name, parts in (
            ("touchpoint", [b.touchpoints for b in blocks]),
            ("truth", [b.truth["person"] for b in blocks]),
        ):
            con.register(name, pa.concat_tables(parts).unify_dictionaries())
        con.execute(
            "CREATE TABLE owner AS SELECT identifier, min(person) AS person FROM"
            " (SELECT person, unnest(identifiers) AS identifier FROM truth) GROUP BY identifier;"
            " CREATE VIEW event AS SELECT o.person AS subject, t.* EXCLUDE (properties),"
            " t.properties::JSON AS properties FROM touchpoint AS t JOIN owner AS o USING (identifier);"
            " CREATE VIEW identity AS SELECT person AS subject, person, person AS core FROM truth"
        )
        table = _asked(con, _model(), END, 90)
        con.register("known", table.select(["person"]))
        con.register("rfm", _asked(con, _model("rfm"), END, 90))
        found = con.execute(
            "SELECT t.persona::VARCHAR AS type, coalesce(r.recency_days, 1000) AS recency, coalesce(r.n_orders, 0) AS"
            " n, coalesce(r.value_minor, 0) AS money FROM known AS k JOIN truth AS t USING (person)"
            " LEFT JOIN rfm AS r USING (person) ORDER BY k.person"
        ).fetchnumpy()
    rfm = np.column_stack(
        [np.log1p(np.maximum(np.asarray(found[c], np.float64), 0)) for c in ("recency", "n", "money")]
    )
    return table, rfm, codes(found["type"])


def _engine() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "SET TimeZone = 'UTC';"
        " CREATE TABLE score (person BIGINT, name VARCHAR, value DOUBLE, unit VARCHAR, label VARCHAR)"
    )
    return con


def _asked(con: duckdb.DuckDBPyConnection, model: Insight, now: dt.datetime, horizon_days: int) -> pa.Table:
    assert model.needs is not None
    return query.run(con, model.needs, {"now": now, "horizon_days": horizon_days}).to_arrow_table()


def _households() -> Iterator[Measure]:
    """Held-out weeks of the households of Complete Journey whose demographics are known."""
    try:
        files = {
            name: str(child.shared_file("completejourney", f"{file}.parquet"))
            for name, file in (
                ("transactions", "transactions_sample"), ("products", "products"), ("demographics", "demographics"),
            )
        }  # fmt: skip
    except Missing:
        return
    model = _model()
    with _engine() as con:
        con.execute(_HOUSEHOLDS, files)
        con.execute(
            "CREATE VIEW identity AS SELECT DISTINCT subject, subject AS person, subject AS core FROM event"
        )
        table = _asked(con, model, CUT, HELD_OUT_DAYS)
    found = model.backtest(table, _context(model, CUT, HELD_OUT_DAYS))
    yield from household_measures(found)


def household_measures(found: Backtest) -> Iterator[Measure]:
    """Surprise at what is bought in the held-out weeks, beside each naive rule; or that there are no personas."""
    if not found.metrics:  # that there are none is a finding, and not a bench that could not run
        yield Measure("personas of Complete Journey that come back", "one", "personas", [0.0], [1.0], at_least=1.0,
                      figures={"note": found.note})  # fmt: skip
        return
    for metric in found.metrics:
        if metric.higher_is_better:
            continue
        low, high = metric.low or metric.value, metric.high or metric.value
        yield Measure(
            f"personas, held-out weeks of Complete Journey: {metric.name}", metric.baseline, metric.unit,
            [metric.value], [metric.baseline_value], at_most=1.0,
            figures={
                "interval of the difference": f"{low - metric.baseline_value:+.4f} to {high - metric.baseline_value:+.4f}",
                "households": f"{found.n:,}",
                "refits": f"adjusted Rand index {found.metrics[0].value:.3f}",
            },
        )  # fmt: skip


def _many(n: int) -> Measure:
    """A market's people again and again, up to n, learnt from and scored."""
    model = _model()
    table, _, _ = market_tables(2_000, SEEDS[0])
    copies = pa.concat_tables([table] * (n // table.num_rows + 1)).slice(0, n)
    copies = copies.set_column(0, "person", pa.array(np.arange(n, dtype=np.int64))).combine_chunks()
    content: list[bytes] = []
    fit_s = timed(lambda: content.append(model.fit(copies, _context(model))))
    rows: list[int] = []
    score_s = timed(lambda: rows.append(model.score(content[0], copies, _context(model)).num_rows))
    return Measure(
        f"{n:,} people learnt from and scored", f"the limit of {LIMIT_S:g} s", "s", [fit_s + score_s], [LIMIT_S],
        at_most=1.0,
        figures={
            "learning": f"{fit_s:.1f} s",
            "scoring": f"{score_s:.1f} s",
            "scores": f"{rows[0]:,}",
            "bytes a person that the query gives": f"{copies.nbytes / n:.0f}",
        },
    )  # fmt: skip


def codes(names: Any) -> Ints:
    """Each name's place among the different ones."""
    return np.unique(np.asarray(names).astype(str), return_inverse=True)[1].astype(np.int64)


def agreement(a: Ints, b: Ints) -> float:
    """The adjusted Rand index of two partitions (Hubert and Arabie 1985): 1 is the same, 0 is chance."""
    width = int(b.max()) + 1
    table = (
        np.bincount(a * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width).astype(np.float64)
    )

    def pairs(n: Floats) -> float:
        return float((n * (n - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected = rows * columns / pairs(np.array([table.sum()]))
    most = (rows + columns) / 2
    return (both - expected) / (most - expected) if most != expected else 1.0


def k_means(points: Floats, k: int, rng: np.random.Generator, starts: int = 10, steps: int = 50) -> Ints:
    """Lloyd's algorithm, the best of several starts."""
    best, least = np.zeros(len(points), np.int64), np.inf
    for _ in range(starts):
        centres = points[rng.choice(len(points), k, replace=False)]
        for _ in range(steps):
            far = ((points[:, None] - centres) ** 2).sum(axis=2)
            own = far.argmin(axis=1)
            centres = np.array(
                [points[own == j].mean(axis=0) if (own == j).any() else centres[j] for j in range(k)]
            )
        loss = float(far.min(axis=1).sum())
        if loss < least:
            best, least = own, loss
    return best


def standard(points: Floats) -> Floats:
    spread = points.std(axis=0)
    return np.asarray((points - points.mean(axis=0)) / np.where(spread > 0, spread, 1), np.float64)


def demographics(table: pa.Table) -> Floats:
    """Age, which is the mean where it is not known, and one column for each country and language."""
    age = np.asarray(table.column("age_years").to_numpy(zero_copy_only=False), np.float64)
    age = np.where(np.isfinite(age), age, np.nanmean(age))
    parts = [standard(age[:, None])]
    for name in ("country", "language"):
        of = codes(table.column(name).to_numpy(zero_copy_only=False))
        parts.append(np.eye(int(of.max()) + 1)[of])
    return np.column_stack(parts)


def described(table: pa.Table) -> Floats:
    """What the classifier is told of each: figures, and the shares of channels and categories."""
    parts = [demographics(table)]
    for name in ("orders_year", "views_year", "says_year", "writes_year"):
        parts.append(
            np.log1p(np.asarray(table.column(name).to_numpy(zero_copy_only=False), np.float64))[:, None]
        )
    for name in ("price_level", "pieces", "refund_share"):
        value = np.asarray(table.column(name).to_numpy(zero_copy_only=False), np.float64)
        parts.append(np.nan_to_num(value)[:, None])
    for name in ("ordered_by", "bought"):
        lists = table.column(name).combine_chunks()
        flat = lists.flatten()
        ends: Ints = np.asarray(lists.offsets.to_numpy(), np.int64)
        owner = np.repeat(np.arange(len(lists)), ends[1:] - ends[:-1])
        of = codes(flat.field("name").to_numpy(zero_copy_only=False))
        counts = np.zeros((len(lists), int(of.max()) + 1))
        np.add.at(counts, (owner, of), np.asarray(flat.field("n").to_numpy(), np.float64))
        everybody = counts.sum(axis=0) / counts.sum()
        parts.append(np.sqrt((counts + 2 * everybody) / (counts.sum(axis=1, keepdims=True) + 2)))
    return standard(np.column_stack(parts))


def discriminated(points: Floats, truth: Ints, rng: np.random.Generator) -> Ints:
    """Each half's types as told by a linear discriminant that learnt from the other half."""
    order = rng.permutation(len(points))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    found = np.zeros(len(points), np.int64)
    for learns, judged in (halves, halves[::-1]):
        x, y = points[learns], truth[learns]
        k = int(truth.max()) + 1
        means = np.array([x[y == j].mean(axis=0) for j in range(k)])
        within = np.cov((x - means[y]).T) + 0.05 * np.eye(x.shape[1])
        axes = np.linalg.solve(within, means.T)
        size = np.log(np.bincount(y, minlength=k) / len(y))
        found[judged] = (points[judged] @ axes - 0.5 * (means.T * axes).sum(axis=0) + size).argmax(axis=1)
    return found


def _listed(values: list[float]) -> str:
    return (
        ", ".join(f"{value:.3f}" for value in values) + f" (mean {np.mean(values):.3f})" if values else "none"
    )
