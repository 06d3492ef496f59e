"""Why, in words about the customer's life, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.plugins.insights.next_need.reading import Flags, Floats, Ints

_arrow: Any = pc  # its stubs do not follow columns through several calls


def order(n_pauses: Ints, usual_days: Floats, elapsed_days: Floats) -> Any:
    """`Ordered every 20 days or so; the last order was 12 days ago.`"""
    often = _joined(
        "Ordered every ", _days(usual_days), " or so; the last order was ", _days(elapsed_days), " ago."
    )
    once = _joined(
        "Ordered once, ",
        _days(elapsed_days),
        " ago; people who come back do so after ",
        _days(usual_days),
        " or so.",
    )
    return _arrow.if_else(pa.array(n_pauses > 0), often, once)


def category(
    name: Any, n: Ints, usual_days: Floats, elapsed_days: Floats, after: Any, follows: Flags, seasonal: Flags
) -> Any:
    """Why this category: how often it was bought and when last, or why it is new."""
    often = _joined(
        "Bought ", name, " every ", _days(usual_days), " or so; the last ", _days(elapsed_days), " ago."
    )
    once = _joined(
        "Bought ",
        name,
        " once, ",
        _days(elapsed_days),
        " ago; people buy it again after ",
        _days(usual_days),
        " or so.",
    )
    next_to = _joined("Never bought ", name, "; it often follows ", after, ", bought with the last order.")
    in_season = _joined("Never bought ", name, ", which many buy at this time of the year.")
    new = _joined("Never bought ", name, ", which many others buy.")
    which = np.select([n > 1, n == 1, follows, seasonal], [0, 1, 2, 3], default=4)
    return _arrow.choose(pa.array(which), often, once, next_to, in_season, new)


def _joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def _days(days: Floats) -> Any:
    whole = np.maximum(np.rint(days), 1).astype(np.int64)
    text = _arrow.cast(pa.array(whole), pa.string())
    return _joined(text, " ", pa.array(["days", "day"]).take(pa.array((whole == 1).astype(np.int64))))
