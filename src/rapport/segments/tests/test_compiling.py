"""The compiled SQL finds exactly those for whom the plain-Python meaning holds."""

from __future__ import annotations

import datetime as dt
import functools
import os
import zoneinfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.kit.errors import Invalid
from rapport.segments.rules import compile_, matches, parse, saying, tree
from rapport.segments.tests import crowd
from rapport.segments.tests.rulemaking import CONDITION, RULES

EXAMPLES = int(os.environ.get("SEGMENT_RULES", "600"))
SEEDS = (1, 2, 3, 4)

_crowd = functools.cache(crowd.crowd)


def found(rule: tree.Rule, seed: int, now: dt.datetime, zone: str = "UTC") -> list[int]:
    con = _crowd(seed).con
    con.execute(f"SET TimeZone = '{zone}'")
    compiled = compile_(rule, crowd.CATALOGUE, now)
    return sorted(row[0] for row in con.execute(compiled.sql, compiled.parameters or None).fetchall())


def meant(rule: tree.Rule, seed: int, now: dt.datetime) -> list[int]:
    return [person for person, facts in _crowd(seed).facts.items() if matches(rule, facts, now)]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(CONDITION, RULES),
    st.sampled_from(SEEDS),
    st.sampled_from([0, 25, -1, 24 * 365]),
    st.sampled_from(crowd.ZONES),
)
def test_the_sql_finds_whom_the_rule_means(rule: tree.Rule, seed: int, later_h: int, zone: str) -> None:
    """600 rules over 40 people each; run with SEGMENT_RULES=20000 after touching the compiler."""
    now = (crowd.NOW + dt.timedelta(hours=later_h)).astimezone(zoneinfo.ZoneInfo(zone))
    assert found(rule, seed, now, zone) == meant(rule, seed, now)


CASES = [
    {"all": []},
    {"any": []},
    {"not": {"any": []}},
    {"event": "order_placed"},
    {"event": "order_placed", "count": {"op": "<=", "value": 2}},
    {"event": "order_placed", "count": {"op": "!=", "value": 0}},
    {"event": "order_placed", "value_minor": {"op": ">=", "value": 0}, "window": {"last_days": 30}},
    {"event": "order_placed", "days": {"op": ">", "value": 1}},
    {"event": "order_placed", "first": {"last_days": 8}},
    {"event": "order_placed", "last": {"before_days": 7}},
    {"event": "page_viewed", "then": {"event": "order_placed", "within_days": 1}},
    {"event": "order_placed", "then": {"event": "order_placed"}},
    {"not": {"trait": "points", "compare": {"op": ">", "value": 0}}},
    {"trait": "birth_date", "anniversary_next_days": 1},
    {"annotation": "sentiment", "count": {"op": ">=", "value": 2}},
    {"score": "churn_risk", "in": ["gold"]},
    {"profile": "country", "contains": "I"},
    {"trait": "plan", "contains": "LEAF"},
    {"trait": "plan", "begins_with": "gold"},
    {"any": [{"trait": "plan", "begins_with": "raß"}, {"trait": "newsletter", "is": True}]},
]


@pytest.mark.parametrize("case", CASES, ids=[str(n) for n in range(len(CASES))])
def test_each_kind_of_condition_tells_people_apart(case: dict[str, object]) -> None:
    """Guards the property above against a crowd in which a condition holds for all or for nobody."""
    rule = parse(case)
    sizes = []
    for seed in SEEDS:
        people = meant(rule, seed, crowd.NOW)
        assert found(rule, seed, crowd.NOW) == people
        sizes.append(len(people))
    if isinstance(rule, tree.All | tree.Any | tree.Not) and not list(tree.conditions(rule)):
        assert set(sizes) in ({0}, {crowd.PEOPLE})
    else:
        assert 0 < sum(sizes) < crowd.PEOPLE * len(SEEDS)


@settings(max_examples=100, deadline=None)
@given(CONDITION, st.sampled_from(SEEDS))
def test_what_is_said_to_be_the_opposite_is(asked: tree.Rule, seed: int) -> None:
    opposite = saying.turned(asked)
    if opposite is not None:
        assert meant(opposite, seed, crowd.NOW) == meant(tree.Not(asked), seed, crowd.NOW)


def test_values_travel_as_parameters_only() -> None:
    nasty = "x'; DROP TABLE profile; --"
    rule = parse(
        {
            "any": [
                {"trait": "plan", "is": nasty},
                {"profile": "country", "in": [nasty]},
                {"identifier": nasty},
                {"event": "order_placed", "dimension": nasty},
                {"annotation": nasty, "label": nasty},
            ]
        }
    )
    compiled = compile_(rule, crowd.CATALOGUE, crowd.NOW)
    assert nasty not in compiled.sql
    assert found(rule, 1, crowd.NOW) == []


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ({"trait": 'x" OR "1', "is": "a"}, "no trait"),
        ({"trait": "pln", "is": "a"}, "There is plan"),
        ({"score": "luck", "compare": {"op": ">", "value": 1}}, "no score"),
        ({"event": "order_eaten"}, "no counted event"),
        ({"segment": "summer"}, "no segment"),
        ({"consent": "mischief"}, "no purpose"),
        ({"consent": "marketing", "channel": "owl"}, "no channel"),
        ({"trait": "plan", "compare": {"op": ">", "value": 1}}, "'plan' is a text"),
        ({"trait": "points", "is": "3"}, "'points' is a number"),
        ({"trait": "newsletter", "is": "yes"}, "Use is: true"),
        ({"trait": "birth_date", "contains": "19"}, "anniversary_next_days"),
    ],
)
def test_what_is_not_there_or_of_another_type_is_refused_with_what_to_do(
    case: dict[str, object], says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        compile_(parse(case), crowd.CATALOGUE, crowd.NOW)


def test_a_chain_of_conditions_reads_the_dear_ones_last() -> None:
    rule = parse(
        {
            "all": [
                {"event": "page_viewed", "count": {"op": ">=", "value": 2}},
                {"event": "order_placed", "window": {"last_days": 7}},
                {"trait": "plan", "is": "gold"},
                {"consent": "marketing"},
            ]
        }
    )
    sql = compile_(rule, crowd.CATALOGUE, crowd.NOW).sql
    steps = [line for line in sql.splitlines() if "AS MATERIALIZED" in line]
    assert ["trait:plan" in steps[0], "allowed" in steps[1], "day >=" in steps[2], "sum(n)" in steps[3]] == [
        True
    ] * 4
