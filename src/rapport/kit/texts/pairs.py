"""Pairs of words that stand apart: `card` and `arrived` are told together whatever stands between them.

Guthrie et al. 2006, "A closer look at skip-gram modelling".
"""

from __future__ import annotations

import numpy as np

from rapport.kit.texts.hashing import BITS, Buckets, Features, Places

GROW = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_APART = np.uint64(0xB529_7A4D_1C66_9E35)


def apart(given: Features, reach: int) -> tuple[Buckets, Places]:
    """The bucket of each pair of words of a text that stand 2 to `reach` words apart, and the pair's second word."""
    buckets, places = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    for back in range(2, reach + 1):
        second = np.flatnonzero(given.owner[back:] == given.owner[:-back]) + back
        buckets.append(bucket((given.whole[second - back] * GROW + given.whole[second]) ^ _APART))
        places.append(second)
    return np.concatenate(buckets), np.concatenate(places)


def bucket(hashed: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> Buckets:
    """The bucket of each hash."""
    mixed = (hashed ^ (hashed >> np.uint64(31))) * _MIX
    return (mixed >> np.uint64(64 - BITS)).astype(np.int32)
