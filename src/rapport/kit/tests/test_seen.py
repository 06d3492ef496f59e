"""The mark of what a form shows: another where the content is, and only there."""

from __future__ import annotations

import datetime as dt

import pytest

from rapport.kit import seen


def test_the_mark_follows_the_content_and_not_its_order() -> None:
    shown = seen.mark({"a": ("x", "y"), "b": dt.date(2026, 3, 2), "c": None})
    assert shown == seen.mark({"c": None, "b": dt.date(2026, 3, 2), "a": ["x", "y"]})
    assert shown != seen.mark({"a": ("x", "z"), "b": dt.date(2026, 3, 2), "c": None})


def test_what_changed_since_it_was_seen_is_refused() -> None:
    seen.refuse_changed(seen.mark({"a": 1}), {"a": 1})
    seen.refuse_changed(None, {"a": 2})
    with pytest.raises(seen.Changed, match="somebody else has changed this"):
        seen.refuse_changed(seen.mark({"a": 1}), {"a": 2})
