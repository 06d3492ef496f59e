"""Reasons in words, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.kit.money import exponent

Floats = NDArray[np.float64]

_arrow: Any = pc  # its stubs do not follow columns through several calls


def joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def chosen(flags: NDArray[np.bool_], yes: Any, no: Any) -> Any:
    return _arrow.if_else(pa.array(flags), yes, no)


def whole(numbers: Any) -> Any:
    return _arrow.cast(pa.array(np.asarray(numbers, np.int64)), pa.string())


def tenths(numbers: Floats) -> Any:
    """`6.5`, and `6` where nothing comes after the point."""
    tens = np.rint(np.asarray(numbers) * 10).astype(np.int64)
    head, rest = np.divmod(np.abs(tens), 10)
    sign = pa.array(["", "-"]).take(pa.array((tens < 0).astype(np.int64)))
    return joined(sign, whole(head), chosen(rest > 0, joined(".", whole(rest)), ""))


def money(minor: Floats, currency: Any) -> Any:
    """`84.50 EUR`, rounded to the minor unit."""
    rounded = np.rint(np.clip(minor, -9e15, 9e15)).astype(np.int64)
    coded = _arrow.dictionary_encode(currency)
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    digits = np.array([exponent(c) for c in coded.dictionary.to_pylist()] or [2], np.int64)
    digits = digits[coded.indices.to_numpy(zero_copy_only=False)] if len(coded) else digits[:0]
    head, rest = np.divmod(np.abs(rounded), 10**digits)
    sign = pa.array(["", "-"]).take(pa.array((rounded < 0).astype(np.int64)))
    # Fill the rest with leading zeros by a leading 1 that is cut off again.
    filled = _arrow.utf8_slice_codeunits(whole(rest + 10**digits), 1)
    point = pa.array(["", "."]).take(pa.array((digits > 0).astype(np.int64)))
    return _arrow.utf8_trim_whitespace(joined(sign, whole(head), point, filled, " ", currency))


def unit(currency: Any, per: str = "") -> Any:
    """`minor EUR`, or `minor` where no currency is stated."""
    return joined(_arrow.utf8_trim_whitespace(joined("minor ", currency)), per)


def counted(numbers: Any, one: str, many: str) -> Any:
    """`2 complaints`, or null where there is none."""
    n = np.asarray(numbers, np.int64)
    said = joined(whole(n), " ", pa.array([many, one]).take(pa.array((n == 1).astype(np.int64))))
    return _arrow.if_else(pa.array(n > 0), said, pa.scalar(None, pa.string()))


def listed(*parts: Any) -> Any:
    """What there is of the parts, with commas; empty where there is none."""
    # A row with nothing to join is dropped by Arrow, so each begins with an empty text that is cut off again.
    first = pa.repeat("", len(parts[0]))
    said = _arrow.binary_join_element_wise(first, *parts, ", ", null_handling="skip")
    return _arrow.utf8_slice_codeunits(said, 2)
