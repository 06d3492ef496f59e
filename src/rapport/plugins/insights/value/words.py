"""Reasons in words, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.money import exponent
from rapport.plugins.insights.value.histories import Floats, Ints, Spans

_arrow: Any = pc  # its stubs do not follow columns through several calls

STATES = ("customer still", "doubtful", "probably gone")
_ENOUGH = (0.7, 0.3)  # alive above the first is a customer still, below the second probably gone


def _joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def _whole(numbers: Any) -> Any:
    return _arrow.cast(pa.array(np.round(np.asarray(numbers, np.float64)).astype(np.int64)), pa.string())


def _counted(numbers: Any, one: str, many: str) -> Any:
    whole = np.round(np.asarray(numbers, np.float64)).astype(np.int64)
    return _joined(_whole(whole), " ", pa.array([many, one]).take(pa.array((whole == 1).astype(np.int64))))


def _tenths(numbers: Floats) -> Any:
    """`3.2`, and from 20 on whole numbers."""
    tenths = np.round(np.minimum(numbers, 1e12) * 10).astype(np.int64)
    fine = _joined(_whole(tenths // 10), ".", _whole(tenths % 10))
    return _arrow.if_else(pa.array(numbers < 20), fine, _whole(numbers))


def money(minor: Floats, currency: Any) -> Any:
    """`84.50 EUR`, rounded to the minor unit."""
    distinct, place = np.unique(currency, return_inverse=True)
    digits = np.array([exponent(str(c)) for c in distinct], np.int64)[place]
    whole, rest = np.divmod(np.round(np.minimum(minor, 1e17)).astype(np.int64), 10**digits)
    # Fill the rest with leading zeros by a leading 1 that is cut off again.
    filled = _arrow.utf8_slice_codeunits(_arrow.cast(pa.array(rest + 10**digits), pa.string()), 1)
    point = pa.array(["", "."]).take(pa.array((digits > 0).astype(np.int64)))
    return _arrow.utf8_trim_whitespace(
        _joined(
            _arrow.cast(pa.array(whole), pa.string()), point, filled, " ", pa.array(currency, pa.string())
        )
    )


def minor_unit(currency: Any) -> Any:
    """`minor EUR`, or `minor` where no currency is stated."""
    return _arrow.utf8_trim_whitespace(_joined("minor ", pa.array(currency, pa.string())))


def state(alive: Floats) -> Any:
    """One of STATES."""
    place = np.select([alive > _ENOUGH[0], alive >= _ENOUGH[1]], [0, 1], 2)
    return pa.array(STATES).take(pa.array(place))


def past(spans: Spans, now: int) -> Any:
    """`Ordered on 6 days, every 20 days or so, and now silent for 95`."""
    silent = _counted(now - spans.last, "day", "days")
    every = (spans.last - spans.first) / np.maximum(spans.n_days - 1, 1)
    often = _joined(
        "Ordered on ", _whole(spans.n_days), " days, every ",
        _arrow.if_else(pa.array(np.round(every) <= 1), "day", _joined(_whole(every), " days")),
        " or so, and now silent for ", silent,
    )  # fmt: skip
    once = _joined("Ordered once, ", silent, " ago")
    return _arrow.if_else(pa.array(spans.n_days > 1), often, once)


def of_alive(before: Any, alive: Floats) -> Any:
    """`...: of 100 people like that, 21 still buy.`"""
    still = np.clip(np.round(alive * 100), 0, 100)
    return _joined(
        before, ": of 100 people like that, ", _whole(still),
        pa.array([" still buy.", " still buys."]).take(pa.array((still == 1).astype(np.int64))),
    )  # fmt: skip


def of_orders(before: Any, expected: Floats, low: Floats, high: Floats, days: int, level: float) -> Any:
    """`...: 3.2 orders expected in 90 days, 1 to 6 in 80 of 100 cases.`"""
    several = _joined(_whole(low), " to ", _counted(high, "order", "orders"))
    alike = _arrow.if_else(pa.array(high == 0), "none", _counted(high, "order", "orders"))
    return _joined(
        before, ": ", _tenths(expected), f" orders expected in {days} days, ",
        _arrow.if_else(pa.array(low == high), alike, several), f" in at least {level:.0%} of such cases.",
    )  # fmt: skip


def of_spend(expected: Floats, each: Any, n_paid: Floats) -> Any:
    """`About 3.2 orders expected, at 45.20 EUR each, by 5 own orders and everybody else's.`"""
    by = _arrow.if_else(
        pa.array(n_paid > 0),
        _joined(", by ", _counted(n_paid, "own order", "own orders"), " and everybody else's."),
        ", as everybody else pays: no own order has a price.",
    )
    return _joined("About ", _tenths(expected), " orders expected, at ", each, " each", by)


def of_clv(expected: Floats, each: Any, kept: Floats, days: int, margin: float) -> Any:
    """`About 12 orders expected in 365 days, at 45.20 EUR each, of which 3 % comes back and 30 % of the rest is margin.`"""
    back = 1 - kept
    returned = _arrow.if_else(
        pa.array(np.round(back * 100) > 0),
        _joined(
            " each, of which ", _whole(back * 100), f" % comes back and {margin:.0%} of the rest is margin."
        ),
        f" each, of which {margin:.0%} is margin.",
    )
    return _joined("About ", _tenths(expected), f" orders expected in {days} days, at ", each, returned)


def orders(n: Ints | Floats) -> Any:
    """`no order`, `1 order`, `7 orders`."""
    return _arrow.if_else(pa.array(np.asarray(n) < 0.5), "no order", _counted(n, "order", "orders"))
