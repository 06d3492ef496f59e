from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.explore.rules import catalogue, compiling, parsing
from rapport.explore.rules.question import Figures, Question, document, kind_of
from rapport.explore.tests import market as markets
from rapport.kit.errors import Invalid

NAMED = [d.name if not d.is_prefix else f"{d.name}:plan" for d in catalogue.DIMENSIONS.values()]

condition = st.one_of(
    st.fixed_dictionaries(
        {"dimension": st.sampled_from(NAMED), "is": st.lists(st.text(max_size=9), min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries({"dimension": st.sampled_from(NAMED), "at_least": st.integers(-9, 9)}),
)
period: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "last": st.integers(1, 15),  # years before 1990 are refused, those compared with too
            "unit": st.sampled_from(["day", "week", "month", "year"]),
            "with_current": st.booleans(),
        }
    ),
    st.just({"first_day": "2025-03-01", "last_day": "2025-04-05"}),
)
figures = st.fixed_dictionaries(
    {
        "ask": st.just("figures"),
        "measures": st.lists(st.sampled_from(list(catalogue.MEASURES)), min_size=1, max_size=3),
        "by": st.lists(st.sampled_from(NAMED), max_size=2, unique=True),
        "where": st.lists(condition, max_size=2),
        "period": period,
        "grain": st.sampled_from(["", "week", "month"]),
        "compare": st.booleans(),
        "segment": st.sampled_from(["", "loyal"]),
    }
)
step = st.fixed_dictionaries({"event": st.sampled_from(["page_viewed", "order_placed"])})
others = st.one_of(
    st.fixed_dictionaries(
        {"ask": st.just("cohorts"), "unit": st.sampled_from(["week", "month"]), "period": period}
    ),
    st.fixed_dictionaries(
        {
            "ask": st.just("funnel"),
            "steps": st.lists(step, min_size=2, max_size=4),
            "within_days": st.floats(0.1, 90),
            "by": st.sampled_from(["", "channel", "cohort"]),
            "period": period,
        }
    ),
    st.fixed_dictionaries(
        {"ask": st.just("paths"), "around": step, "steps": st.integers(1, 5), "period": period}
    ),
)


def read(given_document: Any) -> Question | None:
    """The question, or None where it is refused as it should be."""
    try:
        return parsing.parse(given_document)
    except Invalid:
        return None


@given(st.one_of(figures, others))
def test_a_question_is_written_as_it_is_read(asked: dict[str, Any]) -> None:
    question = read(asked)
    if question is not None:
        written = json.loads(json.dumps(document(question)))
        assert parsing.parse(written) == question
        assert written["ask"] == kind_of(question) == asked["ask"]


@given(figures)
def test_no_value_that_somebody_wrote_stands_in_the_statement(asked: dict[str, Any]) -> None:
    question = read({**asked, "where": [{"dimension": "channel", "is": ["x'); DROP TABLE event --"]}]})
    if question is not None:
        assert isinstance(question, Figures)
        compiled = compiling.compile_figures(question, markets.world("Europe/Madrid"), markets.TODAY)
        assert "DROP" not in compiled.sql
        assert ["x'); DROP TABLE event --"] in compiled.values.values()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["ask", "measures", "by", "where", "period", "steps", "around"]),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_nonsense_is_refused_and_nothing_worse(nonsense: Any) -> None:
    read(nonsense)


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ([], "$ is no object"),
        ({"ask": "riddle"}, "$.ask"),
        ({"measures": []}, "$.measures"),
        ({"measures": ["magic"]}, "$.measures[0].measure"),
        ({"measures": ["revenue"], "by": ["colour"]}, "$.by[0]"),
        ({"measures": ["revenue"], "by": ["trait"]}, "trait"),
        ({"measures": ["revenue"], "by": ['property:a"b']}, "$.by[0]"),
        ({"measures": ["revenue"], "grain": "hour"}, "$.grain"),
        ({"measures": ["revenue"], "compare": True}, "$.compare"),
        ({"measures": ["average_order"], "by": ["category"]}, "average_order"),
        ({"measures": ["sessions"], "by": ["category"]}, "sessions"),
        ({"measures": ["nps"]}, "mix questions"),
        ({"measures": [{"measure": "orders", "event": "page_viewed"}]}, "$.measures[0].event"),
        ({"measures": ["orders"], "where": [{"dimension": "channel"}]}, "$.where[0]"),
        ({"measures": ["orders"], "period": {"last": 3, "first_day": "2026-01-01"}}, "$.period"),
        ({"measures": ["orders"], "period": {"first_day": "2026-02-30"}}, "$.period.first_day"),
        ({"measures": ["orders"], "colour": 1}, "colour"),
        ({"ask": "funnel", "steps": ["page_viewed"]}, "$.steps"),
        (
            {
                "ask": "funnel",
                "steps": ["a", {"event": "b", "where": [{"dimension": "question", "is": ["x"]}]}],
            },
            "$.steps[1]",
        ),
    ],
)
def test_what_is_wrong_is_named(asked: Any, place: str) -> None:
    with pytest.raises(Invalid) as caught:
        parsing.parse(asked)
    assert place in caught.value.message
    assert caught.value.hint


def test_counters_answer_where_no_unit_ends_within_their_day() -> None:
    asked = {"measures": ["page_views"], "grain": "month", "period": {"last": 12, "unit": "month"}}

    def store(zone: str, **other: Any) -> str:
        compiled = compiling.compile_figures(_figures({**asked, **other}), markets.world(zone), markets.TODAY)
        return compiled.store

    assert store("UTC") == "counters"
    assert store("Atlantic/Reykjavik") == "counters"
    assert store("Europe/London") == "events"  # an hour off in the summer
    assert store("Europe/Madrid") == "events"
    assert store("Europe/Madrid", grain="", period={}) == "counters"
    for other in ({"by": ["page"]}, {"by": ["weekday"]}, {"measures": ["revenue"]}):
        assert store("UTC", **other) == "events"


def _figures(asked: dict[str, Any]) -> Figures:
    question = parsing.parse(asked)
    assert isinstance(question, Figures)
    return question
