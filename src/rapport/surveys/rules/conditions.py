"""Conditions over earlier answers and known traits, and the jumps that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int | float | tuple[str, ...]

ANSWER, TRAIT = "answer", "trait"
OPERATORS = ("one_of", "none_of", "at_least", "at_most", "known", "unknown")
NUMERIC = ("at_least", "at_most")
BARE = ("known", "unknown")  # take no value

END, SCREEN_OUT = "@end", "@screen_out"


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement about an answer given earlier, or about a trait that is known."""

    about: str  # answer, trait
    name: str  # the question's key, or the trait's name
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Jump:
    """Where to go on once a page is answered, where every condition holds; without any, always."""

    to: str  # a question's key, END or SCREEN_OUT
    when: tuple[Condition, ...] = ()


def holds(condition: Condition, answers: Mapping[str, Value | None], traits: Mapping[str, Value]) -> bool:
    """Whether a statement is so. Nothing holds of an answer that was not given, but that it was not."""
    known = answers if condition.about == ANSWER else traits
    value = known.get(condition.name)
    match condition.operator:
        case "known":
            return value is not None
        case "unknown":
            return value is None
        case "one_of":
            return bool(_said(value) & set(condition.values))
        case "none_of":
            return value is not None and not _said(value) & set(condition.values)
    number, bound = _number(value), _number(condition.values[0] if condition.values else None)
    if number is None or bound is None:
        return False
    return number >= bound if condition.operator == "at_least" else number <= bound


def all_hold(
    conditions: tuple[Condition, ...], answers: Mapping[str, Value | None], traits: Mapping[str, Value]
) -> bool:
    """Whether every statement is so; of none, yes."""
    return all(holds(c, answers, traits) for c in conditions)


def _said(value: Value | None) -> set[str]:
    if value is None:
        return set()
    if isinstance(value, tuple):
        return set(value)
    number = _number(value)
    return {str(value)} | ({f"{number:g}"} if number is not None else set())


def _number(value: Value | None) -> float | None:
    if value is None or isinstance(value, tuple):
        return None
    try:
        return float(value)
    except ValueError:
        return None
