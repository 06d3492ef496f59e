"""From the rule tree to JSON, the inverse of `parse`, and the JSON Schema that describes the document."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rapport.segments.rules import parsing as limits
from rapport.segments.rules import tree
from rapport.segments.rules.catalogue import FIELDS


def to_json(rule: tree.Rule) -> dict[str, Any]:
    """The document that `parse` reads as this rule; what goes without saying is left out."""
    match rule:
        case tree.All(of):
            return {"all": [to_json(part) for part in of]}
        case tree.Any(of):
            return {"any": [to_json(part) for part in of]}
        case tree.Not(of):
            return {"not": to_json(of)}
        case tree.Trait(name, test):
            return {"trait": name, **_test(test)}
        case tree.Field(name, test):
            return {"profile": name, **_test(test)}
        case tree.Identifier(namespace, known):
            return {"identifier": namespace, "known": known}
        case tree.Consent(purpose, channel, allowed):
            return {"consent": purpose, **_told(channel=channel), "allowed": allowed}
        case tree.Score(name, test):
            return {"score": name, **_test(test)}
        case tree.Behaviour(act, measure, window):
            return {**_act(act), **_measure(measure), **_windowed(window)}
        case tree.Annotated(name, label, measure, window):
            return {"annotation": name, **_told(label=label), **_measure(measure), **_windowed(window)}
        case tree.Segment(key, member):
            return {"segment": key, "member": member}


def _told(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def _act(act: tree.Act) -> dict[str, Any]:
    return {"event": act.event, **_told(dimension=act.dimension)}


def _measure(measure: tree.Measure) -> dict[str, Any]:
    match measure:
        case tree.Did(did):
            return {"did": did}
        case tree.Count(test, of_days):
            return {"days" if of_days else "count": _comparison(test)}
        case tree.Money(test):
            return {"value_minor": _comparison(test)}
        case tree.Edge(end, window):
            return {end: _window(window)}
        case tree.Then(act, within):
            return {"then": {**_act(act), **({} if within is None else {"within_days": within})}}


def _test(test: tree.Test) -> dict[str, Any]:
    match test:
        case tree.Is(value):
            return {"is": value}
        case tree.In(values):
            return {"in": list(values)}
        case tree.Contains(value, at_start):
            return {"begins_with" if at_start else "contains": value}
        case tree.Comparison():
            return {"compare": _comparison(test)}
        case tree.When(window):
            return {"when": _window(window)}
        case tree.Anniversary(days):
            return {"anniversary_next_days": days}
        case tree.Known(known):
            return {"known": known}


def _comparison(test: tree.Comparison) -> dict[str, Any]:
    value = [_plain(test.value), _plain(test.upto)] if test.op == "between" else _plain(test.value)
    return {"op": test.op, "value": value}


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else number


def _windowed(window: tree.Window) -> dict[str, Any]:
    return {} if window.kind == "ever" else {"window": _window(window)}


def _window(window: tree.Window) -> Any:
    if window.kind == "ever":
        return "ever"
    if window.kind == "between":
        return {"between": [str(window.first), str(window.last)]}
    if window.kind == "before":
        assert window.last is not None
        return {"before": str(window.last + dt.timedelta(days=1))}
    return {window.kind: str(window.first) if window.kind == "since" else window.days}


# ---- the schema ---------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a rule."""
    conditions = _conditions()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rule of a segment",
        "description": "A tree of conditions on one person. Days are days in UTC.",
        "$ref": "#/$defs/rule",
        "$defs": {
            "rule": {
                "oneOf": [
                    _shape({"all": _list({"$ref": "#/$defs/rule"})}, "all", "Every part holds."),
                    _shape({"any": _list({"$ref": "#/$defs/rule"})}, "any", "At least one part holds."),
                    _shape({"not": {"$ref": "#/$defs/rule"}}, "not", "The part does not hold."),
                    *({"$ref": f"#/$defs/{name}"} for name in conditions),
                ]
            },
            **conditions,
            **_values(),
        },
    }


def _shape(properties: dict[str, Any], required: str, description: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [required],
        "additionalProperties": False,
        **more,
    }


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _one_of(*names: str) -> list[dict[str, Any]]:
    return [{"required": [name]} for name in names]


def _at_most_one_of(*names: str) -> list[dict[str, Any]]:
    return [{"not": {"anyOf": _one_of(*names)}}, *_one_of(*names)]


_TEXT = {"$ref": "#/$defs/text"}
_WORD = {"type": "string", "maxLength": limits.TEXT_CHARS_MAX}  # perhaps empty
_YES = {"type": "boolean", "default": True}
_WINDOW = {"$ref": "#/$defs/window"}
_COUNT = {"$ref": "#/$defs/count"}


def _conditions() -> dict[str, Any]:
    tests = {
        "is": {"anyOf": [_TEXT, {"type": "boolean"}], "description": "Exactly this text, or this statement."},
        "in": {"$ref": "#/$defs/texts"},
        "contains": {**_TEXT, "description": "Whatever the case of the letters."},
        "begins_with": {**_TEXT, "description": "Whatever the case of the letters."},
        "compare": {"$ref": "#/$defs/number"},
        "when": {"$ref": "#/$defs/when"},
        "anniversary_next_days": {
            "type": "integer", "minimum": 1, "maximum": 366,
            "description": "The day comes round within so many days, today being the first.",
        },
        "known": {**_YES, "description": "There is a value, or there is none."},
    }  # fmt: skip
    measures = {
        "did": {**_YES, "description": "At least one, or none."},
        "count": {**_COUNT, "description": "How many."},
        "days": {**_COUNT, "description": "On how many days."},
        "value_minor": {**_COUNT, "description": "Their values added up, in minor units of money."},
        "first": {**_WINDOW, "description": "The first that ever happened lies in this window."},
        "last": {**_WINDOW, "description": "The last that ever happened lies in this window."},
        "then": _shape(
            {
                "event": _TEXT,
                "dimension": _WORD,
                "within_days": {"type": "integer", "minimum": 0, "maximum": limits.DAYS_MAX},
            },
            "event",
            "Followed in the window by this one: later that day, or on one of the days within.",
        ),
    }
    scored = {name: tests[name] for name in ("compare", "in", "known")}
    annotated = {name: measures[name] for name in ("did", "count")}
    texts = {name: tests[name] for name in limits.TEXT_TESTS}
    dates = {name: tests[name] for name in limits.DATE_TESTS}
    field_of = {kind: [name for name, of in FIELDS.items() if of == kind] for kind in ("text", "date")}
    return {
        "trait": _shape({"trait": _TEXT, **tests}, "trait", "An attribute of the person.", oneOf=_one_of(*tests)),
        "profile": {
            "oneOf": [
                _shape({"profile": {"enum": field_of["text"]}, **texts, "is": _TEXT}, "profile",
                       "What every profile has.", oneOf=_one_of(*texts)),
                _shape({"profile": {"enum": field_of["date"]}, **dates}, "profile",
                       "What every profile has.", oneOf=_one_of(*dates)),
            ]
        },
        "identifier": _shape({"identifier": _TEXT, "known": _YES}, "identifier",
                             "Whether an identifier of this namespace is known."),
        "consent": _shape({"consent": _TEXT, "channel": _WORD, "allowed": _YES}, "consent",
                          "Whether a purpose may be served, on a channel or as such."),
        "score": _shape({"score": _TEXT, **scored}, "score", "What a model wrote down: its value or label.",
                        oneOf=_one_of(*scored)),
        "event": _shape({"event": _TEXT, "dimension": _WORD, "window": _WINDOW, **measures}, "event",
                        "What the person did. Without a measure: at least one.",
                        oneOf=_at_most_one_of(*measures),
                        dependentSchemas={end: {"properties": {"window": False}} for end in ("first", "last")}),
        "annotation": _shape({"annotation": _TEXT, "label": _WORD, "window": _WINDOW, **annotated}, "annotation",
                             "What a model said of the person's texts.", oneOf=_at_most_one_of(*annotated)),
        "segment": _shape({"segment": _TEXT, "member": _YES}, "segment", "Whether they are in another segment."),
    }  # fmt: skip


def _values() -> dict[str, Any]:
    days = {"type": "integer", "minimum": 1, "maximum": limits.DAYS_MAX}
    day = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    windows = [
        {"const": "ever"},
        _shape({"last_days": days}, "last_days", "Today and the days before it, so many in all."),
        _shape({"before_days": days}, "before_days", "Everything before the last so many days."),
        _shape({"between": {**_list(day), "minItems": 2, "maxItems": 2}}, "between", "First and last day."),
        _shape({"before": day}, "before", "Before this day."),
        _shape({"since": day}, "since", "This day and later."),
    ]
    ahead = _shape({"next_days": days}, "next_days", "Today and the days after it, so many in all.")
    return {
        "text": {"type": "string", "minLength": 1, "maxLength": limits.TEXT_CHARS_MAX},
        "texts": {**_list(_TEXT), "minItems": 1, "maxItems": limits.VALUES_MAX},
        "window": {"oneOf": windows},
        "when": {"oneOf": [*windows, ahead]},
        "number": _compared("number"),
        "count": _compared("integer"),
    }


def _compared(kind: str) -> dict[str, Any]:
    number = {"type": kind, "minimum": -limits.NUMBER_MAX, "maximum": limits.NUMBER_MAX}
    pair = {**_list(number), "minItems": 2, "maxItems": 2}
    one = {"op": {"enum": list(tree.OPERATORS)}, "value": number}
    two = {"op": {"const": "between"}, "value": pair}
    return {
        "oneOf": [
            {
                "type": "object",
                "properties": shape,
                "required": ["op", "value"],
                "additionalProperties": False,
            }
            for shape in (one, two)
        ]
    }
