"""Adapting a model of texts to labels that the firm gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rapport.insights.contract import is_of_texts
from rapport.insights.services import judging, keeping
from rapport.kit.errors import Invalid


def adapt(name: str, file: Path, label_column: str = "label") -> dict[str, Any]:
    """Let a model of texts learn from a file's labels; gives how good it was before and after on held-out rows.

    The adapted model annotates texts from now on, under a version of its own; `run` re-reads the old ones.
    Raises Invalid for a model of people or a file that does not fit.
    """
    model = keeping.insight(name)
    if not is_of_texts(model):
        raise Invalid(f"{name} scores people and learns from no labels", "Run it instead.")
    table = judging.labelled_table(file, label_column)
    context = keeping.context(model)
    content = model.fit(table, context)
    if content == model.fit(keeping.LABELLED.empty_table(), context):
        raise Invalid(
            f"{name} learns nothing from labels", "It stays as it is; `backtest` judges it on them."
        )
    found = model.backtest(table, context)
    version = keeping.next_adaptation(model)
    keeping.keep(model.name, version, content)
    return {"model": model.name, "version": version, **found.as_json()}
