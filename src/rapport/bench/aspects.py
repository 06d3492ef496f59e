"""Aspects: how what is said around a target judges it, on reviews; which aspects are found, on the synthetic market.

On the reviews every fifth is judged after learning the others, the rival being TF-IDF of the five words on each side
with a linear support vector machine. On the market the model judges as it is shipped and knows no word of it; the naive
rules are the most frequent aspect for every text, and the most frequent polarity for every aspect.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from rapport.bench.harness import Measure, Missing, bench
from rapport.demo.market import market
from rapport.insights.contract import KIND, Context, Insight
from rapport.kit import chances, clock, registry
from rapport.kit.texts import judging

SHARED = Path(__file__).parents[4] / "shared" / "data" / "absa_semeval14"
GAIN = 0.05  # that is hoped for, in macro-F1, over the rival
PEOPLE = 3_000
END = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)

TRUTH = """
SELECT row_number() OVER (ORDER BY t.message_id) AS seq, t.text, h.language, h.aspect, h.aspect_polarity,
    h.aspect_2, h.aspect_2_polarity, h.is_ironic
FROM touchpoint AS t INNER JOIN truth AS h ON h.message_id = t.message_id
WHERE t.text IS NOT NULL
ORDER BY 1
"""
# One row per text and aspect that is judged in truth, or said to be judged by the model.
COMPARED = """
WITH meant AS (
    SELECT m.seq, m.aspect, m.aspect_polarity AS polarity FROM market AS m WHERE m.aspect IS NOT NULL
    UNION ALL
    SELECT m.seq, m.aspect_2, m.aspect_2_polarity FROM market AS m WHERE m.aspect_2 IS NOT NULL
),
told AS (
    SELECT s.seq, substr(s.name, 8) AS aspect, s.label, s.value FROM said AS s
)
SELECT m.polarity, t.label, t.value, k.language, coalesce(m.aspect, t.aspect) AS aspect
FROM meant AS m
FULL JOIN told AS t ON t.seq = m.seq AND t.aspect = m.aspect
INNER JOIN market AS k ON k.seq = coalesce(m.seq, t.seq)
"""


@bench("aspects")
def aspects() -> Iterator[Measure]:
    """Polarity on the reviews, then finding and polarity on the market."""
    model: Insight = registry.plugin(KIND, "aspect").offers
    yield _on_reviews(model)
    yield from _on_the_market(model)


def _on_reviews(model: Insight) -> Measure:
    found = model.backtest(_targets(), Context(clock.now(), seed=1, parameters=model.parameters))
    by_name = {metric.name: metric for metric in found.metrics}
    f1 = by_name["macro-F1, learnt from these labels alone"]
    accuracy = by_name["accuracy, learnt from these labels alone"]
    return Measure(
        "aspects, reviews: polarity of a target",
        f"{f1.baseline}, and {GAIN:.2f} more",
        "macro-F1",
        [f1.value],
        [f1.baseline_value + GAIN],
        at_least=1.0,
        figures={
            "targets": f"{found.n:,}, {found.split}",
            "95 % interval of macro-F1": f"{f1.low:.3f} to {f1.high:.3f}",
            "the rival": f"macro-F1 {f1.baseline_value:.3f}, accuracy {accuracy.baseline_value:.3f}",
            "accuracy": f"{accuracy.value:.3f}",
        },
    )


def _targets() -> pa.Table:
    files = sorted(SHARED.glob("*.seg"))
    if not files:
        raise Missing(f"the labelled targets are not at {SHARED}")
    rows = []
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        rows += [
            {"text": lines[k], "aspect": lines[k + 1].strip(), "label": lines[k + 2].strip()}
            for k in range(0, len(lines) - 2, 3)
        ]
    return pa.Table.from_pylist(rows)


def _on_the_market(model: Insight) -> Iterator[Measure]:
    blocks = list(market(PEOPLE, 1, END).blocks())
    with duckdb.connect() as con:
        con.register("touchpoint", pa.concat_tables([b.touchpoints for b in blocks]).unify_dictionaries())
        con.register("truth", pa.concat_tables([b.truth["text"] for b in blocks]).unify_dictionaries())
        told = con.execute(TRUTH).to_arrow_table()
        context = Context(END, seed=1, parameters=model.parameters)
        nothing = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})
        con.register("market", told)
        con.register("said", model.score(model.fit(nothing, context), told.select(["seq", "text"]), context))
        rows = con.execute(COMPARED).to_arrow_table()
    yield from _figures(rows, told)


def _figures(rows: pa.Table, told: pa.Table) -> Iterator[Measure]:
    polarity = np.array(rows.column("polarity").to_pylist(), object)
    label = np.array(rows.column("label").to_pylist(), object)
    language = np.array(rows.column("language").to_pylist(), object)
    aspect = np.array(rows.column("aspect").to_pylist(), object)
    meant, said = polarity != None, label != None  # noqa: E711  arrays
    truth = np.array(told.column("aspect").to_pylist(), object)
    most = max(set(truth[truth != None]), key=lambda a: int((truth == a).sum()))  # noqa: E711
    by_language = {
        str(code): _f1(meant[language == code], said[language == code]) for code in sorted(set(language))
    }
    right = int((truth == most).sum() + np.sum(np.array(told.column("aspect_2").to_pylist(), object) == most))
    naive = 2 * right / (len(truth) + int(meant.sum()))
    yield Measure(
        "aspects, synthetic market: which are named",
        f"always {most}",
        "F1",
        [_f1(meant, said)],
        [naive],
        at_least=1.0,
        figures={
            "texts": f"{told.num_rows:,}, {int(meant.sum()):,} judgements of an aspect in them",
            "precision": f"{(meant & said).sum() / max(1, said.sum()):.3f}",
            "recall": f"{(meant & said).sum() / max(1, meant.sum()):.3f}",
            "F1 by language": ", ".join(f"{code} {f1:.2f}" for code, f1 in by_language.items()),
            "recall by aspect": ", ".join(
                f"{a} {(meant & said & (aspect == a)).sum() / max(1, (meant & (aspect == a)).sum()):.2f}"
                for a in sorted(set(aspect[meant]))
            ),
        },
    )
    both = meant & said
    value = np.array(rows.column("value").to_pylist(), object)[both].astype(np.float64)
    right = np.where(value > 0, "positive", "negative") == polarity[both]
    usual = max((polarity[both] == p).mean() for p in ("negative", "positive"))
    share = chances.share(int(right.sum()), len(right))
    truth_class = (polarity[both] == "positive").astype(np.int64)
    yield Measure(
        "aspects, synthetic market: negative or positive",
        "always the more frequent",
        "accuracy",
        [float(right.mean())],
        [float(usual)],
        at_least=1.0,
        figures={
            "judgements found": f"{len(right):,}",
            "95 % interval": f"{share.low:.3f} to {share.high:.3f}",
            "macro-F1": f"{judging.macro_f1(truth_class, (value > 0).astype(np.int64)):.3f}",
            "accuracy by language": ", ".join(
                f"{code} {right[language[both] == code].mean():.2f}" for code in sorted(set(language[both]))
            ),
        },
    )


def _f1(meant: np.ndarray, said: np.ndarray) -> float:
    return float(2 * (meant & said).sum() / max(1, meant.sum() + said.sum()))
