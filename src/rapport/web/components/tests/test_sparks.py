from __future__ import annotations

import datetime as dt

from rapport.web.components.sparks import spark

DAY = dt.date(2026, 3, 1)


def test_a_line_needs_two_points() -> None:
    assert spark([]) is None
    assert spark([(DAY, 5)]) is None


def test_a_line_begins_and_ends_at_its_edges_and_stands_on_zero() -> None:
    found = spark([(DAY + dt.timedelta(days=10), 0), (DAY, 40)])
    assert found is not None
    assert found.path == "M2.0 2.0L98.0 22.0"  # sorted; 40 is the top, 0 the base
    assert found.alt.endswith("0 now; between 0 and 40")


def test_nobody_at_all_is_a_line_at_the_base() -> None:
    found = spark([(DAY, 0), (DAY + dt.timedelta(days=1), 0)])
    assert found is not None
    assert found.path == "M2.0 22.0L98.0 22.0"
