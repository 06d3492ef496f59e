"""A queue of probable identities worked off by keyboard in a real browser, wide and narrow."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rapport.web.tests.test_browser import (
    CHROMIUM,
    chromium,
    narrow,
    page,
    pytestmark,
    site,
    until,
)

__all__ = ["CHROMIUM", "chromium", "narrow", "page", "pytestmark", "site"]

PROPOSALS = "/people/proposals/"


def n_waiting(page: Any) -> int:
    found = re.search(r"(\d+) pairs? wait", page.locator("main").inner_text())
    assert found
    return int(found.group(1))


def pressed(page: Any, key: str) -> None:
    """Press a key and wait for the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_queue_is_worked_off_by_keyboard(page: Any) -> None:
    page.goto(PROPOSALS)
    n = n_waiting(page)
    if n < 2:
        pytest.fail(f"the demo has {n} pairs; this needs two")
    first = page.locator(".pair-head a").all_inner_texts()
    pressed(page, "s")
    assert page.locator(".pair-head a").all_inner_texts() != first
    page.goto(PROPOSALS)
    pressed(page, "a")
    assert n_waiting(page) < n
    page.wait_for_selector("text=one person now")
    pressed(page, "u")
    assert n_waiting(page) == n
    assert page.locator(".pair-head a").all_inner_texts() == first
    pressed(page, "r")
    page.wait_for_selector("text=two people, and not proposed again")
    pressed(page, "u")
    assert n_waiting(page) == n
    page.keyboard.press("?")
    until(page, "document.querySelector('#keys[open]') !== null")
    assert "one person, two people, skip" in page.locator("#keys").inner_text()


def test_a_pair_fits_a_telephone(narrow: Any) -> None:
    narrow.goto(PROPOSALS)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 360
    for button in narrow.locator(".decide button").all():
        box = button.bounding_box()
        assert box["height"] >= 32
        assert box["x"] + box["width"] <= 360
