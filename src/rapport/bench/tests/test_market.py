"""What the market's bench makes of truth and scores: perfect scores are perfect, and turned ones are the worst."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rapport.bench import market
from rapport.bench.market import Judgement

N = 400


@pytest.fixture
def true() -> pa.Table:
    """People of whom the even ones are alive; the rest are silent, and so is every eighth."""
    rng = np.random.default_rng(1)
    k = np.arange(N)
    alive = k % 2 == 0
    silent = ~alive | (k % 8 == 0)
    return pa.table(
        {
            "person": k,
            "is_alive": alive,
            "silent": silent,
            "next_category": [None if s else "oil" for s in silent],
            "likeliest_category": ["oil" if a else None for a in alive],
            "to_come_minor": 1000.0 + k,
            "spent_minor": 1000 + k[::-1],
            "silent_days_earlier": pa.array([*rng.integers(1, 200, N).tolist()[:-1], None]),
            "n_since": (rng.random(N) < 0.5).astype(int),
            "favourite": ["oil" if i % 3 == 0 else "tyres" for i in k],
            "leaves": [0.2 if i % 4 == 0 else None for i in k],
        }
    )


def score(values: np.ndarray, label: str = "") -> pa.Table:
    return pa.table({"person": np.arange(N), "value": np.asarray(values, float), "label": [label] * N})


def by_name(found: list[Judgement]) -> dict[str, Judgement]:
    return {j.name: j for j in found}


def test_who_knows_the_truth_is_perfect_and_who_turns_it_the_worst(true: pa.Table) -> None:
    alive = true.column("is_alive").to_numpy()
    recency = score(np.arange(N))
    knowing = market.judged(true, {"alive": score(alive), "recency_days": recency})
    turned = market.judged(true, {"alive": score(~alive), "recency_days": recency})
    assert (knowing[0].ours.value, turned[0].ours.value) == (1.0, 0.0)
    assert knowing[0].peer == turned[0].peer == pytest.approx(0.5, abs=0.01)


def test_a_risk_is_judged_by_what_happened_beside_what_the_past_would_have_said(true: pa.Table) -> None:
    silent = true.column("silent").to_numpy()
    right = np.where(silent, 0.9, 0.1)
    found = by_name(market.judged(true, {"churn_risk": score(right), "recency_days": score(np.arange(N))}))
    brier = found["`churn_risk`, Brier score"]
    assert brier.ours.value == pytest.approx(0.01)
    share = np.mean(true.column("n_since").to_numpy()[:-1] == 0)  # of the last one nothing was known before
    assert brier.peer == pytest.approx(np.mean((share - silent) ** 2))
    assert brier.higher_is_better is False
    assert found["who falls silent by `churn_risk` (AUC)"].ours.value == 1.0
    slope = found["`churn_risk`, calibration slope"]
    assert slope.ours.value > 1, "so timid a model could have said more"
    assert slope.higher_is_better is None


def test_a_category_counts_among_those_who_order_and_not_among_the_silent(true: pa.Table) -> None:
    (found,) = market.judged(
        true, {"next_category": score(np.ones(N), "oil"), "recency_days": score(np.ones(N))}
    )
    assert found.ours.value == 1.0
    assert found.peer == pytest.approx(1 / 3, abs=0.02)
    assert "150 people" in found.note


def test_what_there_is_to_save_is_of_those_who_wrote(true: pa.Table) -> None:
    to_come = true.column("to_come_minor").to_numpy()
    scores = {"effort_saving_minor": score(to_come), "recency_days": score(np.ones(N))}
    (found,) = market.judged(true, scores)
    assert found.ours.value > 0.1 > found.peer, "the richest to come had spent the least"
    assert "100 people" in found.note


def test_people_without_the_score_are_not_judged(true: pa.Table) -> None:
    some = score(true.column("is_alive").to_numpy()).slice(0, 40)
    (found,) = market.judged(true, {"alive": some, "recency_days": score(np.arange(N))})
    assert "40 people" in found.note
    assert market.judged(true, {"alive": some.slice(0, 0)}) == []
