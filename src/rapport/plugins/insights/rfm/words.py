"""Reasons in words, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.money import exponent
from rapport.plugins.insights.rfm.fifths import PARTS, Fifths, Floats

_arrow: Any = pc  # its stubs do not follow columns through several calls


def _joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def _whole(numbers: Fifths) -> Any:
    return _arrow.cast(pa.array(numbers), pa.string())


def _counted(numbers: Floats, one: str, many: str) -> Any:
    whole = np.floor(numbers).astype(np.int64)
    return _joined(_whole(whole), " ", pa.array([many, one]).take(pa.array((whole == 1).astype(np.int64))))


def days_ago(days: Floats) -> Any:
    """`12 days ago`."""
    return _joined(_counted(days, "day", "days"), " ago")


def orders(n: Floats) -> Any:
    """`7 orders`."""
    return _counted(n, "order", "orders")


def of_five(fifth: Fifths) -> Any:
    """`fifth 4 of 5`."""
    return _joined("fifth ", _whole(fifth), f" of {PARTS}")


def minor_unit(currency: Any) -> Any:
    """`minor EUR`, or `minor` where no currency is stated."""
    return _arrow.utf8_trim_whitespace(_joined("minor ", currency))


def money(value_minor: Any, currency: Any) -> Any:
    """`84.50 EUR`: exact, from whole minor units."""
    minor = np.asarray(value_minor.to_numpy(zero_copy_only=False), np.int64)
    spelt = currency.to_numpy(zero_copy_only=False)
    distinct, place = np.unique(spelt.astype(str), return_inverse=True)
    digits = np.array([exponent(c) for c in distinct], np.int64)[place]
    whole, rest = np.divmod(np.abs(minor), 10**digits)
    sign = pa.array(["", "-"]).take(pa.array((minor < 0).astype(np.int64)))
    # Fill the rest with leading zeros by a leading 1 that is cut off again.
    filled = _arrow.utf8_slice_codeunits(_whole(rest + 10**digits), 1)
    point = pa.array(["", "."]).take(pa.array((digits > 0).astype(np.int64)))
    return _arrow.utf8_trim_whitespace(_joined(sign, _whole(whole), point, filled, " ", currency))


def recency(ago: Any, fifth: Fifths) -> Any:
    return _joined("Last bought ", ago, ": ", of_five(fifth), ", 5 being the latest.")


def frequency(times: Any, fifth: Fifths) -> Any:
    return _joined("Placed ", times, ": ", of_five(fifth), ", 5 being the most.")


def monetary(spent: Any, fifth: Fifths) -> Any:
    return _joined(
        "Spent ", spent, " net of refunds: ", of_five(fifth), " in that currency, 5 being the most."
    )


def cell(label: Any, ago: Any, times: Any, spent: Any, fifth: tuple[Fifths, Fifths, Fifths]) -> Any:
    """`Champions: last bought 12 days ago (5), 7 orders (5), 84.50 EUR (4); 5 is the best fifth.`"""
    r, f, m = (_joined(" (", _whole(part), ")") for part in fifth)
    return _joined(
        _arrow.utf8_capitalize(label), ": last bought ", ago, r, ", ", times, f, ", ", spent, m,
        "; 5 is the best fifth.",
    )  # fmt: skip
