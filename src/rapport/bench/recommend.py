"""Recommendations against EASE and against each person's own habits; a million people within ten minutes.

EASE is written as its paper has it (Steck 2019): one ridge, chosen among seven on a tenth of the training
ratings held back. The split is MovieLens's own `ua`, whose ten test ratings per person were drawn at random, so
that the training part is given without times. For the next basket each household's last basket is foretold
from all before it; the peer ranks what the household bought by how often, then what everybody buys most.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.bench import child
from rapport.bench.harness import Measure, bench, timed
from rapport.insights.contract import KIND, Context
from rapport.kit import clock, home, registry

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIRST = 10
RIDGES = (50.0, 100.0, 200.0, 300.0, 500.0, 800.0, 1200.0)
MILLION = 1_000_000
PRODUCTS = 10_000
TASTES = 50
LIMIT_S = 600.0
LIMIT_GB = 8.0

_COLUMNS = (
    "'' AS country, []::VARCHAR[] AS refunded, []::STRUCT(product_code VARCHAR, product_name VARCHAR,"
    " category VARCHAR, is_offered BOOLEAN)[] AS described"
)
_LAST_BASKETS = f"""
WITH line AS (
    SELECT DISTINCT dense_rank() OVER (ORDER BY t.household_id) AS person, t.basket_id, t.product_id AS code,
        min(t.transaction_timestamp) OVER (PARTITION BY t.household_id, t.basket_id) AS at
    FROM read_parquet($file) AS t
), last AS (
    SELECT l.person, max(l.at) AS at FROM line AS l GROUP BY l.person HAVING count(DISTINCT l.at) > 1
)
SELECT l.person, {_COLUMNS},
    list({{'product_code': l.code, 'days_ago': (epoch(e.at) - epoch(l.at)) / 86400}}) FILTER (WHERE l.at < e.at) AS line,
    list(DISTINCT l.code) FILTER (WHERE l.at = e.at) AS next_product
FROM line AS l INNER JOIN last AS e ON l.person = e.person
GROUP BY l.person ORDER BY l.person
"""
_RATINGS = f"""
WITH known AS (
    SELECT person, list({{'product_code': product::VARCHAR, 'days_ago': 1.0}} ORDER BY product) AS line
    FROM read_csv($base, delim = '\t', header = false, names = ['person', 'product', 'rating', 'at']) GROUP BY person
), asked AS (
    SELECT person, list(product::VARCHAR ORDER BY product) AS next_product
    FROM read_csv($test, delim = '\t', header = false, names = ['person', 'product', 'rating', 'at']) GROUP BY person
)
SELECT k.person, {_COLUMNS}, k.line, coalesce(a.next_product, []) AS next_product
FROM known AS k LEFT JOIN asked AS a ON k.person = a.person ORDER BY k.person
"""


@bench("recommend")
def recommend() -> Iterator[Measure]:
    base, test = (child.shared_file("ml100k", f"ua.{part}") for part in ("base", "test"))
    found = child.measure("rapport.bench.recommend", "ratings", str(base), str(test))
    yield _measure(
        "recommend, MovieLens 100k (ua): nDCG@10", f"EASE with its best ridge ({found['ridge']:g})", found
    )
    baskets = child.shared_file("completejourney", "transactions_sample.parquet")
    found = child.measure("rapport.bench.recommend", "baskets", str(baskets))
    yield _measure(
        "recommend, next basket of Complete Journey: recall@10",
        "own purchases by number, then what everybody buys most",
        found,
    )


@bench("recommend-million", by_name_only=True)
def million() -> Iterator[Measure]:
    """A million people and ten thousand products (RAPPORT_BENCH_PEOPLE for fewer people): takes ten minutes."""
    n = int(home.env("BENCH_PEOPLE") or MILLION)
    found = child.measure("rapport.bench.recommend", "many", str(n))
    figures = {
        "people": f"{n:,}",
        "products": f"{PRODUCTS:,}",
        "lines": f"{found['lines']:,}",
        "to learn": f"{found['fit_s']:.0f} s",
        "to recommend": f"{found['score_s']:.0f} s",
        "recommendations": f"{found['rows']:,}",
        "of the person's own taste": f"{found['own_taste']:.1%}, by chance {1 / TASTES:.0%}",
        "what was learnt": f"{found['model_mb']:.0f} MB",
    }
    seconds = found["fit_s"] + found["score_s"]
    yield Measure(
        "recommend, everybody",
        f"the limit of {LIMIT_S:g} s",
        "s",
        [seconds],
        [LIMIT_S],
        at_most=1.0,
        figures=figures,
    )
    yield Measure(
        "recommend, memory",
        f"the limit of {LIMIT_GB:g} GB",
        "GB",
        [found["peak_gb"]],
        [LIMIT_GB],
        at_most=1.0,
    )


def _measure(name: str, of: str, found: dict[str, Any]) -> Measure:
    low, high = found["interval"]
    verdict = "above" if low > 0 else "below" if high < 0 else "no different as far as these people show"
    return Measure(
        name,
        of,
        "mean over people",
        [found["ours"]],
        [found["peer"]],
        at_least=1.0,
        figures={
            "people": f"{found['n']:,}",
            "difference, person by person": f"{found['gain']:+.4f} (95 %: {low:+.4f} to {high:+.4f}): {verdict}",
            **found["figures"],
        },
    )


def _model() -> tuple[Any, Context]:
    model = registry.plugin(KIND, "recommend").offers
    return model, Context(now=clock.now(), seed=1, parameters=dict(model.parameters))


def _table(statement: str, **files: str) -> pa.Table:
    with duckdb.connect(config={"threads": 2}) as con:
        return con.execute(statement, files).to_arrow_table()


def _flat(table: pa.Table) -> tuple[Ints, list[str], Ints, list[str]]:
    """Row and code of every line, and of everything taken."""

    def rows(column: Any) -> Ints:
        return np.repeat(np.arange(len(column)), np.diff(column.offsets.to_numpy())).astype(np.int64)

    line, taken = (table.column(c).combine_chunks() for c in ("line", "next_product"))
    return (
        rows(line),
        line.flatten().field("product_code").to_pylist(),
        rows(taken),
        taken.flatten().to_pylist(),
    )


def _dense(table: pa.Table) -> tuple[NDArray[np.float32], NDArray[np.bool_], list[str]]:
    """People x products: how often each was bought, and whether it was taken; every code there is."""
    row, code, taken_row, taken_code = _flat(table)
    codes = sorted({*code, *taken_code})
    place = {c: k for k, c in enumerate(codes)}
    bought = np.zeros((table.num_rows, len(codes)), np.float32)
    np.add.at(bought, (row, np.array([place[c] for c in code])), 1)
    taken = np.zeros(bought.shape, np.bool_)
    taken[taken_row, np.array([place[c] for c in taken_code])] = True
    return bought, taken, codes


def _ranked(model: Any, table: pa.Table, context: Context, codes: list[str]) -> Ints:
    """Our first ten of each row, as places among the codes."""
    found = model.ranked(model.fit(table, context), table, FIRST)
    place = {c: k for k, c in enumerate(codes)}
    row = np.searchsorted(table.column("person").to_numpy(), found.column("person").to_numpy())
    top = np.full((table.num_rows, FIRST), -1, np.int64)
    top[row, found.column("place").to_numpy() - 1] = [
        place[c] for c in found.column("product_code").to_pylist()
    ]
    return top


def _first(score: NDArray[Any]) -> Ints:
    return np.argsort(-score, axis=1, kind="stable")[:, :FIRST].astype(np.int64)


def _ndcg(top: Ints, taken: NDArray[np.bool_]) -> Floats:
    discount = 1 / np.log2(np.arange(2, FIRST + 2))
    right = np.take_along_axis(taken, np.maximum(top, 0), axis=1) & (top >= 0)
    ideal = np.cumsum(discount)[np.clip(taken.sum(axis=1), 1, FIRST) - 1]
    found: Floats = (right * discount).sum(axis=1) / ideal
    return found


def _recall(top: Ints, taken: NDArray[np.bool_]) -> Floats:
    right = np.take_along_axis(taken, np.maximum(top, 0), axis=1) & (top >= 0)
    found: Floats = right.sum(axis=1) / np.maximum(taken.sum(axis=1), 1)
    return found


def _ease(x: NDArray[np.float32], ridge: float) -> NDArray[np.float64]:
    """Scores of what was not bought; of what was, none."""
    gram = (x.T @ x).astype(np.float64)
    p = np.linalg.inv(gram + ridge * np.eye(len(gram)))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0)
    score = x @ b
    score[x > 0] = -np.inf
    return score


def _ratings(base: str, test: str) -> dict[str, Any]:
    table = _table(_RATINGS, base=base, test=test)
    bought, taken, codes = _dense(table)
    x = (bought > 0).astype(np.float32)
    apart = (np.random.default_rng(1).random(x.shape) < 0.1) & (x > 0)
    kept, some = np.where(apart, 0, x), apart.any(axis=1)
    ridge = max(RIDGES, key=lambda r: float(_ndcg(_first(_ease(kept, r)), apart)[some].mean()))
    model, context = _model()
    judged = taken.any(axis=1)
    ours = _ndcg(_ranked(model, table, context, codes), taken)[judged]
    peer = _ndcg(_first(_ease(x, ridge)), taken)[judged]
    popular = _ndcg(_first(np.where(x > 0, -1, x.sum(axis=0))), taken)[judged]
    return {
        **_compared(ours, peer),
        "ridge": ridge,
        "figures": {"most bought, of what was not had": f"{popular.mean():.4f}"},
    }


def _baskets(file: str) -> dict[str, Any]:
    table = _table(_LAST_BASKETS, file=file)
    bought, taken, codes = _dense(table)
    everybody = bought.sum(axis=0)
    top = _first(bought + everybody / (everybody.max() + 1))
    model, context = _model()
    ranked = _ranked(model, table, context, codes)
    ours, peer = _recall(ranked, taken), _recall(top, taken)
    popular = _recall(_first(np.tile(everybody, (len(bought), 1))), taken)
    return {
        **_compared(ours, peer),
        "figures": {
            "what everybody buys most": f"{popular.mean():.4f}",
            "nDCG@10": f"{_ndcg(ranked, taken).mean():.4f} against {_ndcg(top, taken).mean():.4f}",
        },
    }


def _compared(ours: Floats, peer: Floats) -> dict[str, Any]:
    gain = ours - peer
    half = 1.96 * float(gain.std()) / len(gain) ** 0.5
    mean = float(gain.mean())
    return {
        "ours": float(ours.mean()),
        "peer": float(peer.mean()),
        "n": len(gain),
        "gain": mean,
        "interval": [mean - half, mean + half],
    }


def _many(n: int) -> dict[str, Any]:
    """Learn from and recommend to people of fifty tastes, who buy twenty lines each on average."""
    rng = np.random.default_rng(1)
    lines = rng.geometric(1 / 20, n)
    total = int(lines.sum())
    taste = rng.integers(TASTES, size=n)
    per_taste = PRODUCTS // TASTES
    within = np.minimum((per_taste * rng.random(total) ** 2.5).astype(np.int64), per_taste - 1)
    own = rng.random(total) < 0.8
    of = np.where(own, np.repeat(taste, lines), rng.integers(TASTES, size=total))
    product = of * per_taste + within
    codes = pa.array([f"P{k:05d}" for k in range(PRODUCTS)])
    table = pa.table(
        {
            "person": np.arange(n) * 8 + 8,
            "country": pa.array(["DE", "FR", "GB", ""]).take(pa.array(rng.integers(4, size=n))),
            "line": pa.ListArray.from_arrays(
                pa.array(np.r_[0, np.cumsum(lines)].astype(np.int32)),
                pa.StructArray.from_arrays(
                    [codes.take(pa.array(product)), pa.array(np.floor(rng.random(total) * 700))],
                    ["product_code", "days_ago"],
                ),
            ),
            "refunded": pa.nulls(n, pa.list_(pa.string())),
            "described": pa.nulls(n),
            "next_product": pa.nulls(n, pa.list_(pa.string())),
        }
    )
    del product, of, own, within
    model, context = _model()
    content: list[bytes] = []
    scored: list[pa.Table] = []
    fit_s = timed(lambda: content.append(model.fit(table, context)))
    score_s = timed(lambda: scored.append(model.score(content[0], table, context)))
    said = scored[0]
    person = (said.column("person").to_numpy() - 8) // 8
    label = np.array([int(c[1:]) for c in said.column("label").to_pylist()], np.int64)
    return {
        "fit_s": fit_s,
        "score_s": score_s,
        "rows": said.num_rows,
        "lines": total,
        "own_taste": float((label // per_taste == taste[person]).mean()),
        "model_mb": len(content[0]) / 1e6,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


if __name__ == "__main__":
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "ratings":
        print(json.dumps(_ratings(*arguments)))
    elif what == "baskets":
        print(json.dumps(_baskets(str(Path(arguments[0])))))
    else:
        print(json.dumps(_many(int(arguments[0]))))
