"""The event plan: what it refuses, and that ours is in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.events import plan, rules
from rapport.kit.errors import Invalid


def test_ours_is_in_order() -> None:
    ours = plan.builtin()
    assert "order_placed" in ours
    for event in ours.values():
        assert event.meaning.endswith("."), event.name
        assert event.emits, f"{event.name} does not say who may record it"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[OrderPlaced]\nmeaning='x.'", "OrderPlaced"),
        ("[a_b]\nmeaning='x.'\ncolour='red'", "colour"),
        ("[a_b]\nmeaning='x.'\nproperties.n={type='int'}", "a_b.n"),
        ("[a_b]\nmeaning='x.'\ncounted_by='shade'", "shade"),
    ],
)
def test_a_mistake_is_named(text: str, named: str) -> None:
    with pytest.raises(Invalid, match=named):
        plan.parse(text)


def test_the_firm_adds_events_of_its_own(home: Path) -> None:
    (home / "plan.toml").write_text("[battery_tested]\nmeaning='A battery was tested.'\ncounted=true\n")
    assert plan.current()["battery_tested"].counted
    assert "order_placed" in plan.current()


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("Order Completed", "order_completed"),
        ("orderCompleted", "order_completed"),
        (" page-viewed ", "page_viewed"),
        ("NPS2 sent", "nps2_sent"),
    ],
)
def test_names_are_spelled_one_way(spoken: str, written: str) -> None:
    assert rules.event_name(spoken) == written


@pytest.mark.parametrize(
    ("namespace", "value", "normal"),
    [
        ("email", " Ana@Example.ORG ", "email:ana@example.org"),
        ("phone", "+49 (170) 12-34", "phone:+491701234"),
        ("phone", "0049 170 1234", "phone:+491701234"),
        ("bluesky", "@Ana.bsky.social", "bluesky:ana.bsky.social"),
        ("customer", "A17", "customer:A17"),
    ],
)
def test_identifiers_are_spelled_one_way(namespace: str, value: str, normal: str) -> None:
    assert rules.normal_identifier(namespace, value) == normal


def test_kinds_of_people() -> None:
    assert rules.kind_of({"email", "bluesky"}) == "person"
    assert rules.kind_of({"bluesky", "anonymous"}) == "author"
    assert rules.kind_of({"anonymous"}) == "visitor"
