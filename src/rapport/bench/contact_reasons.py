"""Reasons for contact under a firm's own labels: what the model learns from labelled texts, held out fifth by fifth.

It reads words and meaning, and by words alone where that is called the fast tier. The sets are only learnt from and
judged here; nothing of them is shipped. The rival is what anybody would try first, TF-IDF of words and pairs of words
with a linear support vector machine, on the same fifths.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from rapport.bench.harness import Measure, Missing, bench
from rapport.insights.contract import KIND, Context, Insight
from rapport.kit import clock, registry

SHARED = Path(__file__).parents[4] / "shared" / "data"
# Of each set: file, column of the label, and the figure that is hoped for, of which figures are published elsewhere.
SETS = {
    "complaints to airlines": (SHARED / "airline" / "tweets_dev.csv", "negativereason", "macro-F1", 0.56),
    "a bank's intents": (SHARED / "banking77" / "train.csv", "category", "accuracy", 0.93),
}


@bench("contact_reasons")
def contact_reasons() -> Iterator[Measure]:
    """Macro-F1 and accuracy on each set beside the rival, and one of them beside what is hoped for."""
    model: Insight = registry.plugin(KIND, "contact_reason").offers
    for title, (file, column, hoped, goal) in SETS.items():
        found = model.backtest(
            labelled(file, column), Context(clock.now(), seed=1, parameters=model.parameters)
        )
        by_name = {metric.name: metric for metric in found.metrics}
        usual = by_name["macro-F1 beside the usual label"]
        figures = {
            "texts": f"{found.n:,}, {found.split}",
            "macro-F1 of the most frequent label": f"{usual.baseline_value:.3f}",
        } | {
            f"95 % interval of {name}": f"{metric.low:.3f} to {metric.high:.3f}"
            for name, metric in by_name.items()
            if metric.baseline == by_name["macro-F1"].baseline
        }
        for name in ("macro-F1", "accuracy", "macro-F1, fast tier", "accuracy, fast tier"):
            metric = by_name[name]
            yield Measure(
                f"reasons for contact, {title}, {name}", metric.baseline, "ratio", [metric.value],
                [metric.baseline_value], at_least=1.0, figures=figures,
            )  # fmt: skip
        yield Measure(
            f"reasons for contact, {title}, {hoped}",
            f"the goal of {goal:.2f}",
            "ratio",
            [by_name[hoped].value],
            [goal],
            at_least=1.0,
        )


def labelled(file: Path, column: str) -> pa.Table:
    """Text and label of each row that has one."""
    if not file.is_file():
        raise Missing(f"the labelled texts are not at {file}")
    with file.open(encoding="utf-8", newline="") as opened:
        rows = [(row["text"], row[column]) for row in csv.DictReader(opened) if row[column]]
    return pa.table({"text": [text for text, _ in rows], "label": [label for _, label in rows]})
