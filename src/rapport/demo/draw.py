"""Randomness and strings in columns: seeded streams, weighted choice, hexadecimal names, slips of the hand."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


class Columns:
    """A frozen dataclass of columns of one length."""

    def take(self, rows: Ints | Flags) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})  # type: ignore[arg-type]


def stream(name: str, *seeds: int) -> np.random.Generator:
    """A generator of its own for each purpose, so that drawing more for one leaves the others as they were."""
    return np.random.Generator(np.random.SFC64([zlib.crc32(name.encode()), *seeds]))


def choice(rng: np.random.Generator, weights: npt.ArrayLike, n: int) -> Ints:
    """Positions 0..k-1, each as often as its weight says."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    picked: Ints = np.searchsorted(edges, rng.random(n) * edges[-1], side="right").clip(max=len(edges) - 1)
    return picked


def choice_by_row(rng: np.random.Generator, weights: Floats) -> Ints:
    """One position per row of a matrix of weights."""
    edges = np.cumsum(weights, axis=1)
    at = rng.random(len(weights)) * edges[:, -1]
    picked: Ints = (edges <= at[:, None]).sum(axis=1).clip(max=weights.shape[1] - 1)
    return picked


def hexadecimal(numbers: npt.NDArray[np.uint64], digits: int = 16) -> pa.StringArray:
    """The lowest digits of each number in base sixteen, padded with zeros."""
    shifts = np.arange(4 * (digits - 1), -4, -4, dtype=np.uint64)
    letters = _HEX[((numbers[:, None] >> shifts) & np.uint64(15)).astype(np.int64)]
    return fixed_width(letters.astype(np.uint8))


def padded(numbers: Ints, digits: int) -> pa.StringArray:
    """Numbers as decimal text with leading zeros."""
    powers = 10 ** np.arange(digits - 1, -1, -1, dtype=np.int64)
    return fixed_width(((numbers[:, None] // powers) % 10 + ord("0")).astype(np.uint8))


def fixed_width(letters: npt.NDArray[np.uint8]) -> pa.StringArray:
    """Rows of ASCII codes as an array of texts."""
    n, width = letters.shape
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters)))


def scattered(numbers: Ints, salt: int) -> npt.NDArray[np.uint64]:
    """Numbers spread over 64 bits without collisions among them (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) + np.uint64(salt) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def join(*parts: Any, sep: str = "") -> pa.StringArray:
    """Texts put together row by row; numbers are written out; a null part makes the row null."""
    return pc.binary_join_element_wise(*[_texts(part) for part in parts], sep)


def join_present(parts: Sequence[pa.Array], sep: str) -> pa.StringArray:
    """Texts put together row by row; a null part is left out together with its separator."""
    return pc.binary_join_element_wise(*parts, sep, null_handling="skip")


def _texts(part: Any) -> Any:
    if isinstance(part, str):
        return part
    if isinstance(part, np.ndarray):
        part = pa.array(part)
    return part if pa.types.is_string(part.type) else pc.cast(part, pa.string())


def take(values: pa.Array | Sequence[str], at: Ints) -> pa.StringArray:
    """The texts at these positions."""
    array = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    return array.take(pa.array(at))


def where(flags: Flags, yes: Any, no: Any = None) -> pa.StringArray:
    """One text where the flag holds, else the other; null where none is given."""
    otherwise = pa.scalar(no, pa.string()) if no is None or isinstance(no, str) else no
    chosen = pa.scalar(yes, pa.string()) if isinstance(yes, str) else yes
    return pc.if_else(pa.array(flags), chosen, otherwise)


def lists_of(*columns: pa.Array) -> pa.ListArray:
    """Row by row, the texts that are not null."""
    n = len(columns[0])
    valid = np.stack([pc.is_valid(c).to_numpy(zero_copy_only=False) for c in columns], axis=1)
    stacked = pa.concat_arrays([c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in columns])
    order = np.arange(n * len(columns)).reshape(len(columns), n).T
    offsets = np.concatenate([[0], np.cumsum(valid.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), stacked.take(pa.array(order[valid])))


def joined_groups(texts: pa.StringArray, counts: Ints, sep: str) -> pa.StringArray:
    """Neighbouring texts joined in groups of these sizes."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), texts), sep)


def mistyped(texts: pa.StringArray, flags: Flags, rng: np.random.Generator) -> pa.StringArray:
    """Texts in which, where the flag holds, two neighbouring ASCII letters changed places or one got lost."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if array.offset or array.null_count:
        array = pa.concat_arrays([pc.fill_null(array, "")])
    n = len(array)
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32, count=n + 1).astype(np.int64)
    body = array.buffers()[2]
    letters = (
        np.frombuffer(body, dtype=np.uint8, count=int(offsets[-1])).copy() if body else np.empty(0, np.uint8)
    )
    length = np.diff(offsets)
    first = offsets[:-1] + 1 + (rng.random(n) * np.maximum(length - 3, 0)).astype(np.int64)
    loses = rng.random(n) < 0.4
    rows = np.flatnonzero(flags & (length > 4))
    at = first[rows]
    alphabetic = (letters >= ord("a")) & (letters <= ord("z"))
    good = alphabetic[at] & alphabetic[at + 1]
    rows, at = rows[good], at[good]
    swaps = at[~loses[rows]]
    letters[swaps], letters[swaps + 1] = letters[swaps + 1], letters[swaps]
    kept = np.ones(len(letters), dtype=bool)
    kept[at[loses[rows]]] = False
    shorter = np.zeros(n, dtype=np.int64)
    shorter[rows[loses[rows]]] = 1
    moved = np.concatenate([[0], np.cumsum(length - shorter)]).astype(np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(moved), pa.py_buffer(letters[kept]))


def last_before(keys: Ints, at: Ints) -> Ints:
    """For each `at`, the position of the last of the sorted keys that is not above it, or -1."""
    return np.searchsorted(keys, at, side="right") - 1
