"""The event plan: which events we know, what their properties mean, which are counted."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import pyarrow as pa

from rapport.events import rules
from rapport.kit import home, money
from rapport.kit.errors import Invalid

TYPES = ("string", "integer", "number", "boolean", "timestamp", "object", "array")


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an event."""

    name: str
    type: str
    unit: str = ""
    meaning: str = ""
    personal: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One event of the plan."""

    name: str
    meaning: str
    emits: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    counted: bool = False
    counted_by: str = ""
    session: bool = False
    properties: Mapping[str, Property] = field(default_factory=dict)


def parse(text: str) -> dict[str, PlannedEvent]:
    """Read a plan; each mistake is named with its event."""
    events: dict[str, PlannedEvent] = {}
    for name, entry in tomllib.loads(text).items():
        if not rules.NAME_PATTERN.match(name):
            raise Invalid(
                f"event name {name!r} is not in the form object_verbed", "Write it like order_placed."
            )
        events[name] = _event(name, entry)
    for event in events.values():
        if event.counted_by and event.counted_by.partition(".")[0] not in event.properties:
            raise Invalid(
                f"{event.name} is counted by {event.counted_by!r}, which it does not have",
                "Name one of its properties.",
            )
    return events


def _event(name: str, entry: dict[str, Any]) -> PlannedEvent:
    properties = {}
    for key, spec in entry.get("properties", {}).items():
        if spec.get("type") not in TYPES:
            raise Invalid(
                f"{name}.{key} has the type {spec.get('type')!r}", f"Choose one of {', '.join(TYPES)}."
            )
        properties[key] = Property(name=key, **spec)
    known = {"meaning", "emits", "aliases", "counted", "counted_by", "session", "properties"}
    unknown = set(entry) - known
    if unknown:
        raise Invalid(f"{name} says {', '.join(sorted(unknown))}, which a plan does not know", "Remove it.")
    return PlannedEvent(
        name=name,
        meaning=entry["meaning"],
        emits=tuple(entry.get("emits", ())),
        aliases=tuple(entry.get("aliases", ())),
        counted=bool(entry.get("counted")),
        counted_by=entry.get("counted_by", ""),
        session=bool(entry.get("session")),
        properties=properties,
    )


@functools.cache
def builtin() -> dict[str, PlannedEvent]:
    """The plan that ships with Rapport."""
    return parse(resources.files("rapport.events").joinpath("plan.toml").read_text(encoding="utf-8"))


def current() -> dict[str, PlannedEvent]:
    """The shipped plan and, over it, the firm's own `plan.toml` in the data folder."""
    own = home.path("plan.toml")
    if not own.exists():
        return builtin()
    return {**builtin(), **parse(own.read_text(encoding="utf-8"))}


def relations(plan: Mapping[str, PlannedEvent]) -> dict[str, pa.Table]:
    """The plan as tables for the loader's queries."""
    events = list(plan.values())
    properties = [(e.name, p) for e in events for p in e.properties.values()]
    aliases = [(alias, e.name) for e in events for alias in e.aliases]
    currencies = [(c, money.exponent(c)) for c in sorted(money.UNUSUAL)]
    return {
        "plan_event": pa.table(
            {
                "name": pa.array([e.name for e in events], pa.string()),
                "counted": pa.array([e.counted for e in events], pa.bool_()),
                "counted_by": pa.array([e.counted_by for e in events], pa.string()),
                "in_session": pa.array([e.session for e in events], pa.bool_()),
                "by_script": pa.array(["script" in e.emits for e in events], pa.bool_()),
            }
        ),
        "plan_property": pa.table(
            {
                "name": pa.array([n for n, _ in properties], pa.string()),
                "property": pa.array([p.name for _, p in properties], pa.string()),
                "kind": pa.array([p.type for _, p in properties], pa.string()),
                "required": pa.array([p.required for _, p in properties], pa.bool_()),
            }
        ),
        "plan_alias": pa.table(
            {
                "alias": pa.array([a for a, _ in aliases], pa.string()),
                "name": pa.array([n for _, n in aliases], pa.string()),
            }
        ),
        "currency_exponent": pa.table(
            {
                "currency": pa.array([c for c, _ in currencies], pa.string()),
                "exponent": pa.array([e for _, e in currencies], pa.int32()),
            }
        ),
    }
