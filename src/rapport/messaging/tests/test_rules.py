"""Blocks, tries and machines, without a store."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit.errors import Invalid
from rapport.messaging.rules import blocks, machines, trying
from rapport.messaging.rules.blocks import Block, Template
from rapport.messaging.services import templates

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def template(kind: str, *given: Block) -> Template:
    return Template("t", kind, "Hello {name}", given)


@pytest.mark.parametrize("kind", sorted(blocks.PROMOTIONAL))
def test_a_service_message_refuses_what_promotes_and_a_letter_takes_it(kind: str) -> None:
    block = Block(kind, "Ten per cent", "https://otter.example")
    (refusal,) = blocks.refusals(template("service", Block("text", "Hi"), block))
    assert blocks.PROMOTIONAL[kind] in refusal.message
    assert "without consent" in refusal.hint
    assert blocks.refusals(template("message", block)) == []


def test_a_service_message_has_no_room_for_blocks_nobody_checked() -> None:
    (refusal,) = blocks.refusals(template("service", Block("slot")))
    assert "nobody has checked" in refusal.message


def test_blocks_of_the_context_are_checked_too() -> None:
    with pytest.raises(Invalid, match="has no room for blocks"):
        blocks.filled(template("service", Block("text", "Hi")), {"blocks": [{"type": "offer", "text": "x"}]})
    with pytest.raises(Invalid, match="is no type of block"):
        blocks.filled(template("message", Block("slot")), {"blocks": [{"type": "script", "text": "x"}]})


@pytest.mark.parametrize("bad", [Template("t", "other", "x", (Block("text"),)), template("service")])
def test_what_is_no_template_is_said(bad: Template) -> None:
    assert blocks.refusals(bad)


def test_every_template_that_comes_along_passes_its_own_checker() -> None:
    known = templates()
    assert {"double_opt_in", "sign_in", "request_received", "request_done", "receipt"} <= set(known)
    assert all(blocks.refusals(one) == [] for one in known.values())
    assert all(one.meaning for one in known.values())


def test_words_take_values_and_reach_into_none() -> None:
    assert blocks.words("{name}, {number}", {"name": "Ana", "number": 7}) == "Ana, 7"
    assert blocks.words("{name.__class__} {0} {}", {"name": "Ana"}) == "{name.__class__} {0} {}"
    with pytest.raises(Invalid, match="needs 'name'"):
        blocks.words("{name}", {})


@given(st.text(), st.text())
def test_a_value_is_never_read_as_words(name: str, rest: str) -> None:
    assert blocks.words("{name}" + rest.replace("{", "("), {"name": name}).startswith(name)


def test_tries_come_further_apart_and_end() -> None:
    times = []
    now, tries = NOON, 1
    while (again := trying.next_try(tries, now, None)) is not None:
        times.append(again - now)
        now, tries = again, tries + 1
    assert times[0] == dt.timedelta(minutes=1)
    assert times == sorted(times)
    assert dt.timedelta(days=4) < now - NOON < dt.timedelta(days=5.5)


def test_what_is_late_is_not_tried_again() -> None:
    assert trying.next_try(1, NOON, NOON + dt.timedelta(seconds=60)) is None
    assert trying.next_try(1, NOON, NOON + dt.timedelta(seconds=61)) == NOON + dt.timedelta(minutes=1)


def fetch(at_s: float, position: int = 0, **more: Any) -> machines.Fetch:
    return machines.Fetch(int(at_s * 1_000_000), position, **more)


@pytest.mark.parametrize(
    ("fetches", "told"),
    [
        ([fetch(0)], [False]),
        ([fetch(0), fetch(0.3)], [False, False]),  # a double click
        ([fetch(0), fetch(0.3), fetch(0.6)], [True, True, True]),
        ([fetch(0, 0), fetch(1.0, 1)], [True, True]),
        ([fetch(0, 0), fetch(1.3, 1)], [False, False]),
        ([fetch(0, is_head=True), fetch(0.5)], [True, True]),
        ([fetch(0, is_head=True), fetch(30)], [True, False]),
        ([fetch(0, is_scanner=True), fetch(30, 1)], [True, False]),
    ],
)
def test_pace_tells_machines_from_readers(fetches: list[machines.Fetch], told: list[bool]) -> None:
    assert [machines.by_machine(one, fetches) for one in fetches] == told


@pytest.mark.parametrize(
    ("user_agent", "is_one"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", False),
        ("Barracuda Sentinel (EE)", True),
        ("python-requests/2.32", True),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", True),
        ("", True),
    ],
)
def test_scanners_that_name_themselves(user_agent: str, is_one: bool) -> None:
    assert machines.is_scanner(user_agent) is is_one
