"""Sentiment: learnt from tweets, taught by a firm's labels, in eight languages, and how many texts a second.

The public sets lie beside the checkout; what is not there is not measured. Each figure is a ratio to the usual
baseline (TF-IDF with a linear support vector machine, taught the same labels and judged on the same texts), to
always saying one label, or to the limit that was set.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.bench import child
from rapport.bench.harness import RUNS, Measure, Missing, bench
from rapport.insights.contract import KIND, Backtest, Context, Insight
from rapport.kit import clock, registry

LABELS = ("negative", "neutral", "positive")
TEXTS = 20_000
LIMIT_PER_S = 5_000.0
GOALS = {"SemEval-2017": 0.66, "tweets to airlines": 0.79, "eight languages": 0.60}
WORDS = (
    "the a my your was is and not so very today order delivery box charger cable shop staff late broken great awful"
    " happy love hate price support waited answer refund never again thanks please help why ! ? , . 😀"
)
ALONE = {"prior": "none", "ridge": 0.5, "evenness_ratio": 1.0}


@bench("sentiment")
def sentiment() -> Iterator[Measure]:
    model: Insight = registry.plugin(KIND, "sentiment").offers
    yield from _learnt(model)
    yield from _taught(model)
    yield from _languages(model)
    yield _rate(model)


def _learnt(model: Insight) -> Iterator[Measure]:
    """From SemEval's labels alone, each fifth judged after the others; lexicons and other tweets come on top of that."""
    try:
        table = semeval()
    except Missing:
        return
    found = model.backtest(table, _context(model, **ALONE))
    shipped = _named(model.shipped, "macro-recall, SemEval-2017") if model.shipped else None
    figures = {
        "tweets": f"{found.n:,}, each fifth judged after learning the others",
        "calibration": found.note,
    }
    if shipped:
        figures["with lexicons and tweets in eight languages, as measured when the weights were made"] = (
            f"{shipped.value:.3f}; {shipped.baseline} {shipped.baseline_value:.3f}"
        )
    yield from _beside(found, "macro-recall, learnt from", "SemEval-2017", figures)


def _taught(model: Insight) -> Iterator[Measure]:
    """Tweets to airlines: the shipped weights have never seen them; each fifth after the labels of the others."""
    try:
        file = child.shared_file("airline", "tweets_dev.csv")
    except Missing:
        return
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    table = pa.table({"text": [r["text"] for r in rows], "label": [r["airline_sentiment"] for r in rows]})
    found = model.backtest(table, _context(model))
    before = _named(found, "macro-F1, as shipped")
    figures = {
        "tweets": f"{found.n:,}",
        "as shipped": f"{before.value:.3f} ({before.low:.3f} to {before.high:.3f}); {before.baseline}"
        f" {before.baseline_value:.3f}",
        "calibration": found.note,
    }
    yield from _beside(found, "macro-F1, adapted to these labels", "tweets to airlines", figures)
    yield from _beside(found, "macro-F1, adapted to these labels, full tier", "tweets to airlines", figures)


def _beside(found: Backtest, what: str, where: str, figures: dict[str, str]) -> Iterator[Measure]:
    metric = _named(found, what)
    yield Measure(f"{what} {where}", metric.baseline, "ratio", [metric.value], [metric.baseline_value],
                  at_least=1.0, figures=figures)  # fmt: skip
    goal = GOALS[where]
    yield Measure(f"{what} {where}", f"the goal of {goal:g}", "ratio", [metric.value], [goal], at_least=1.0)


def _languages(model: Insight) -> Iterator[Measure]:
    """Held-out figures by language as measured when the weights were made: what is shipped has learnt them all."""
    if model.shipped is None:
        return
    mean = _named(model.shipped, "macro-F1, mean of eight languages")
    languages = {
        m.name.removeprefix("macro-F1, "): f"{m.value:.3f} ({m.low:.3f} to {m.high:.3f})"
        for m in model.shipped.metrics
        if m.meaning.endswith(", held out.") and m.low is not None and m.high is not None
    }
    name, goal = "macro-F1, mean of eight languages", GOALS["eight languages"]
    yield Measure(
        name, mean.baseline, "ratio", [mean.value], [mean.baseline_value], at_least=1.0, figures=languages
    )
    yield Measure(name, f"the goal of {goal:g}", "ratio", [mean.value], [goal], at_least=1.0)


def _rate(model: Insight) -> Measure:
    """Texts a second of one core, from text to label, probability and the words that decided."""
    texts = invented(TEXTS, 1)
    context = _context(model)
    content = model.fit(
        pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())}), context
    )
    model.score(content, texts.slice(0, 100), context)
    rates = []
    for _ in range(RUNS):
        # Seconds of the processor: the claim is about one core, whatever else it does meanwhile.
        began = time.process_time()
        said = model.score(content, texts, context)
        rates.append(texts.num_rows / (time.process_time() - began))
    n_words = sum(len(json.loads(d)["words"]) for d in said.column("detail").to_pylist())
    letters = float(np.mean([len(t) for t in texts.column("text").to_pylist()]))
    return Measure(
        "texts read on one core, words that decided included",
        f"the limit of {LIMIT_PER_S:,.0f} a second",
        "texts/s",
        rates,
        [LIMIT_PER_S] * RUNS,
        at_least=1.0,
        figures={
            "texts": f"{TEXTS:,} of {letters:.0f} letters",
            "words that decided": f"{n_words / TEXTS:.1f} a text",
        },
    )


def semeval() -> pa.Table:
    """SemEval-2017 task 4 A: columns text and label, each text once. Raises Missing."""
    first = child.shared_file("semeval2017", "downloaded", "twitter-2016train-A.tsv")
    rows: dict[str, str] = {}
    for file in sorted(Path(first).parent.glob("twitter-*-A.tsv")):
        for line in file.read_text(encoding="utf-8").split("\n"):
            cells = line.split("\t")
            if len(cells) >= 3 and cells[1] in LABELS:
                rows[cells[2]] = cells[1]
    return pa.table({"text": list(rows), "label": list(rows.values())})


def invented(n: int, seed: int) -> pa.Table:
    """Texts as long as tweets, no two alike, of words that any shop hears."""
    rng = np.random.default_rng(seed)
    words = np.array(WORDS.split())
    lengths = rng.integers(8, 30, n)
    drawn = words[(rng.random(int(lengths.sum())) ** 1.5 * len(words)).astype(np.int64)]
    ends = np.cumsum(lengths)
    text = [
        f"@ana {' '.join(drawn[end - k : end])} {at}"
        for at, (end, k) in enumerate(zip(ends, lengths, strict=True))
    ]
    return pa.table({"seq": pa.array(range(n), pa.int64()), "text": pa.array(text, pa.string())})


def _context(model: Insight, **parameters: Any) -> Context:
    return Context(now=clock.now(), seed=1, parameters={**model.parameters, **parameters})


def _named(found: Backtest, start: str) -> Any:
    return next(m for m in found.metrics if m.name.startswith(start))
