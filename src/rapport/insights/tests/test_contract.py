"""Every insight plug-in keeps the contract: shapes, ranges, labels, words, and the same answer twice."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.insights.contract import ANNOTATED, KIND, SCORED, TEXTS, Backtest, Context, Insight, is_of_texts
from rapport.insights.services.annotating import check
from rapport.kit import registry

PLUGINS = registry.plugins(KIND)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
LABELLED = pa.schema([("text", pa.string()), ("label", pa.string())])


@pytest.fixture(params=sorted(PLUGINS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(name: str) -> Insight:
    offered: Insight = PLUGINS[name].offers
    return offered


@pytest.fixture
def sample(name: str) -> dict[str, Any]:
    return sample_of(name)


@pytest.fixture
def given(model: Insight, sample: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(sample["given"], schema=TEXTS if is_of_texts(model) else None)


@pytest.fixture
def context(model: Insight) -> Context:
    return Context(now=NOON, seed=7, parameters=dict(model.parameters))


def learnt(model: Insight, table: pa.Table, context: Context) -> bytes:
    if is_of_texts(model):
        # A model that says nothing before the firm has taught it brings a lesson along.
        taught = sample_of(model.name).get("labelled", [])
        table = pa.Table.from_pylist(taught, schema=LABELLED)
    return model.fit(table, context)


def sample_of(name: str) -> dict[str, Any]:
    module = __import__(PLUGINS[name].module, fromlist=["x"])
    found: dict[str, Any] = json.loads((Path(module.__file__).parent / "sample.json").read_text("utf-8"))
    return found


def test_there_are_models_of_people_and_of_texts() -> None:
    kinds = {is_of_texts(found.offers) for found in PLUGINS.values()}
    assert kinds == {True, False}


def test_a_model_is_described_in_words(name: str, model: Insight) -> None:
    assert isinstance(model, Insight)
    assert model.name == name
    assert model.version
    assert "+" not in model.version, "the sign parts the plug-in's version from the number of an adaptation"
    for sentence in (model.meaning, model.limits):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert model.title
    assert model.purpose


def test_a_model_gives_one_kind_and_sane_ranges(model: Insight) -> None:
    assert len({g.kind for g in model.gives}) == 1
    assert len({g.name for g in model.gives}) == len(model.gives)
    for given in model.gives:
        assert given.name.isidentifier()
        assert given.unit
        assert given.low <= given.high
        assert given.meaning.endswith(".")


def test_a_model_comes_after_models_there_are_and_not_after_itself(model: Insight) -> None:
    assert set(model.after) <= set(PLUGINS) - {model.name}


def test_a_model_of_people_names_its_query_and_one_of_texts_needs_none(model: Insight) -> None:
    if is_of_texts(model):
        assert model.needs is None
    else:
        assert model.needs is not None
        assert "identity" in model.needs.needs
        assert "$now" in model.needs.text


def test_what_it_writes_has_the_shape_and_the_range_it_gives(
    model: Insight, given: pa.Table, context: Context
) -> None:
    said = model.score(learnt(model, given, context), given, context)
    assert said.schema.equals(ANNOTATED if is_of_texts(model) else SCORED)
    assert said.num_rows
    check(said, model.gives, model.name)
    for column in said.schema:
        if not column.nullable:
            assert said.column(column.name).null_count == 0, column.name
    if is_of_texts(model):
        # A model may say several things of a text, or nothing, in the order of the texts.
        seqs = said.column("seq").to_pylist()
        assert seqs == sorted(seqs)
        assert set(seqs) <= set(given.column("seq").to_pylist())
        assert all(0 <= p <= 1 for p in said.column("probability").to_pylist())
        assert all(json.loads(d) is not None for d in said.column("detail").to_pylist() if d is not None)
    else:
        assert set(said.column("person").to_pylist()) <= set(given.column("person").to_pylist())
        assert all(r.endswith(".") for r in said.column("reason").to_pylist())


def test_it_says_of_the_sample_what_the_sample_expects(
    model: Insight, sample: dict[str, Any], given: pa.Table, context: Context
) -> None:
    said = model.score(learnt(model, given, context), given, context).to_pylist()
    key = "seq" if is_of_texts(model) else "person"
    found = {(row[key], row["name"]): row for row in said}
    for expected in sample["expected"]:
        row = found[expected[key], expected["name"]]
        assert {k: row[k] for k in expected} == expected, row


def test_it_explains_each_row_in_one_sentence(model: Insight, given: pa.Table, context: Context) -> None:
    for row in model.score(learnt(model, given, context), given, context).to_pylist():
        sentence = model.explain(row)
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert "\n" not in sentence


def test_the_same_seed_gives_the_same_answer(model: Insight, given: pa.Table, context: Context) -> None:
    first, second = learnt(model, given, context), learnt(model, given, context)
    assert first == second
    assert model.score(first, given, context).equals(model.score(second, given, context))


def test_a_row_is_judged_alike_alone_and_among_others(
    model: Insight, given: pa.Table, context: Context
) -> None:
    content = learnt(model, given, context)
    together = model.score(content, given, context).to_pylist()
    alone = model.score(content, given.slice(0, 1), context).to_pylist()
    key = "seq" if is_of_texts(model) else "person"
    assert alone == [row for row in together if row[key] == alone[0][key]]


def test_no_row_is_no_trouble(model: Insight, given: pa.Table, context: Context) -> None:
    nothing = given.slice(0, 0)
    said = model.score(learnt(model, nothing, context), nothing, context)
    assert said.num_rows == 0
    assert said.schema.equals(ANNOTATED if is_of_texts(model) else SCORED)


def test_a_backtest_names_its_naive_baseline_and_survives_json(
    model: Insight, given: pa.Table, context: Context
) -> None:
    if is_of_texts(model):
        assert model.shipped is not None
        nothing = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})
        found = model.backtest(nothing, context)
    else:
        found = model.backtest(given, context)
    assert found.metrics
    assert found.n > 0
    assert found.split
    for metric in found.metrics:
        assert metric.baseline
        assert metric.meaning.endswith(".")
    assert Backtest.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_the_model_card_names_limits_and_sources(name: str) -> None:
    module = __import__(PLUGINS[name].module, fromlist=["x"])
    card = (Path(module.__file__).parent / "README.md").read_text("utf-8")
    for heading in ("## What it says", "## How good it is", "## Limits", "## Sources"):
        assert heading in card
