"""A document is read as it is meant, or refused with the place where it goes wrong."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.kit.errors import Conflict, Invalid
from rapport.segments import rules
from rapport.segments.rules import naming, tree
from rapport.segments.tests.rulemaking import CONDITION, RULES

SCHEMA = jsonschema_rs.validator_for(rules.schema(), validate_formats=True)
CALM = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@CALM
@given(st.one_of(CONDITION, RULES))
def test_what_is_written_is_read_as_the_same_rule_and_fits_the_schema(rule: tree.Rule) -> None:
    document = rules.to_json(rule)
    assert rules.parse(json.dumps(document)) == rule
    assert SCHEMA.is_valid(document)
    assert rules.sentence(rule)


ODD = st.sampled_from(
    [None, True, 0, -1, 2.5, 10**400, "", "x", "2026-02-30", "ever", [], [1, 2], {}, {"op": ">"}]
)


def _spoilt(document: Any, draw: Any) -> Any:
    """The document with one thing in it put out of place."""
    if isinstance(document, dict) and document and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(document)))
        return {**document, key: _spoilt(document[key], draw)}
    if isinstance(document, list) and document and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(document) - 1))
        return [_spoilt(one, draw) if i == at else one for i, one in enumerate(document)]
    if isinstance(document, dict) and draw(st.booleans()):
        return {**document, draw(st.sampled_from(["all", "trait", "window", "count", "x"])): draw(ODD)}
    return draw(ODD)


@CALM
@given(st.data())
def test_no_document_is_half_understood(data: st.DataObject) -> None:
    """Whatever is put in, it is a rule or is refused as Invalid; the schema lets nothing through that is refused."""
    document = _spoilt(rules.to_json(data.draw(RULES)), data.draw)
    rule, refused = _read(document)
    if rule is not None:
        assert rules.parse(rules.to_json(rule)) == rule
        return
    assert refused is not None
    assert refused.hint
    # Days and pairs that are the wrong way round are beyond a schema.
    beyond = ("is after", "is more than", "is no day", "lies too far", "is no text")
    assert not SCHEMA.is_valid(document) or any(words in refused.message for words in beyond)


def _read(document: Any) -> tuple[tree.Rule | None, Invalid | None]:
    try:
        return rules.parse(document), None
    except Invalid as refused:
        return None, refused


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "the rule is not JSON"),
        ([], r"^\$: \[\] is no object"),
        ({}, r"^\$: nothing says no one thing"),
        ({"all": {}}, r"^\$.all: {} is no list"),
        (
            {"all": [{"event": "x", "count": {"op": "gt", "value": 1}}]},
            r'^\$.all\[0\].count.op: "gt" is no comparison',
        ),
        ({"event": "x", "count": {"op": ">", "value": 1.5}}, r"^\$.count.value: 1.5 is no whole number"),
        ({"event": "x", "count": {"op": "between", "value": [3, 1]}}, "3 is more than 1"),
        ({"event": "x", "count": {"op": ">", "value": 1}, "days": {"op": ">", "value": 1}}, "two questions"),
        ({"event": "x", "first": {"last_days": 3}, "window": "ever"}, "a window of its own"),
        ({"event": "x", "window": {"next_days": 3}}, "there is no window"),
        ({"event": "x", "window": {"last_days": 0}}, r"^\$.window.last_days: 0 is no number of days"),
        ({"event": "x", "window": {"before": "2026-02-30"}}, '"2026-02-30" is no day'),
        ({"trait": "x"}, "nothing is asked of trait"),
        ({"trait": "x", "is": "a", "known": True}, "is and known is asked"),
        ({"trait": "x", "in": []}, "is no list of texts"),
        ({"trait": "x", "is": "a", "segment": "y"}, "trait and segment says no one thing"),
        ({"profile": "shoe_size", "is": "44"}, "There is country"),
        ({"profile": "first_seen", "is": "44"}, '"is" does not belong here'),
        ({"identifier": "email", "known": "yes"}, "neither true nor false"),
        ({"trait": "x", "is": "a" * 300}, "is no text"),
        ({"trait": "x", "compare": {"op": ">", "value": float("inf")}}, "is no number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(document: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message) as refused:
        rules.parse(document)
    assert "\n" not in str(refused.value)


def test_a_rule_can_be_neither_endless_nor_bottomless() -> None:
    deep: Any = {"event": "x"}
    for _ in range(5_000):
        deep = {"not": deep}
    with pytest.raises(Invalid, match="nested"):
        rules.parse(deep)
    with pytest.raises(Invalid):
        rules.parse('{"not":' * 100_000)
    with pytest.raises(Invalid, match="has 201 conditions"):
        rules.parse({"any": [{"identifier": "email"}] * 201})


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"event": "order_placed", "window": {"last_days": 90}, "count": {"op": ">=", "value": 2}},
         "bought at least 2 times in the last 90 days"),
        ({"event": "order_placed", "did": False, "window": {"last_days": 1}}, "bought nothing today"),
        ({"event": "boiler_serviced", "last": {"before_days": 365}},
         "has “boiler serviced” for the last time before the last 365 days"),
        ({"event": "page_viewed", "then": {"event": "order_placed", "within_days": 0}},
         "looked at a page and later the same day bought"),
        ({"all": [{"identifier": "email"}, {"any": [{"segment": "a"}, {"not": {"segment": "b"}}]}]},
         "has email and (is in the segment “a” or is not in the segment “b”)"),
        ({"any": [{"all": []}, {"any": []}]}, "everybody or nobody"),
        ({"trait": "points", "compare": {"op": "between", "value": [1, 2500.5]}},
         "points is between 1 and 2,500.5"),
    ],
)  # fmt: skip
def test_a_rule_is_said_in_plain_words(document: Any, says: str) -> None:
    assert rules.sentence(rules.parse(document)) == says


def test_words_are_those_of_the_one_who_reads() -> None:
    spanish = {"bought": "compró", "in the last %(days)d days": "en los últimos %(days)d días"}
    words = rules.Words(
        translate=lambda text: spanish.get(text, text), currency="JPY", titles={"segment:a": "Invierno"}
    )
    rule = rules.parse({"event": "order_placed", "window": {"last_days": 90}})
    assert rules.sentence(rule, words) == "compró en los últimos 90 días"
    assert "Invierno" in rules.sentence(rules.parse({"segment": "a"}), words)
    money = rules.parse({"event": "order_placed", "value_minor": {"op": ">", "value": 5000}})
    assert "5,000 JPY" in rules.sentence(money, words)


def test_a_key_is_made_of_a_title() -> None:
    assert naming.key_of("  Größte Käufer, 2026! ") == "grosste-kaufer-2026"
    assert naming.key_of("고객") == ""
    with pytest.raises(Invalid):
        naming.checked("Winter buyers")


def test_segments_are_ordered_behind_those_they_ask_about() -> None:
    built = {"a": frozenset({"c"}), "b": frozenset({"a"}), "c": frozenset[str](), "d": frozenset({"gone"})}
    assert naming.in_order(built, built) == ["c", "a", "b", "d"]
    assert naming.resting_on(["c"], built) == {"a", "b", "c"}
    naming.refuse_circle("d", frozenset({"b"}), built)
    with pytest.raises(Conflict, match="c asks about b asks about a asks about c"):
        naming.refuse_circle("c", frozenset({"b"}), built)
    with pytest.raises(Conflict, match="e asks about e"):
        naming.refuse_circle("e", frozenset({"e"}), built)
