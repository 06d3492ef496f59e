"""Reasons in words, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.plugins.insights.participation.places import Floats, Places
from rapport.plugins.insights.participation.rates import LEVELS, Rate
from rapport.plugins.insights.participation.travel import Travel

_arrow: Any = pc  # its stubs do not follow columns through several calls
OWN = "our community"


def _joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def _number(values: Floats, digits: int) -> Any:
    return _arrow.cast(pa.array(np.round(values, digits)), pa.string())


def _whole(values: Floats) -> Any:
    return _arrow.cast(pa.array(np.rint(values).astype(np.int64)), pa.string())


def _posts(n: Floats) -> Any:
    return _joined(_whole(n), pa.array([" posts", " post"]).take(pa.array((n == 1).astype(np.int64))))


def often(per_week: Floats) -> Any:
    """`about 3 a week`, `about 2 a month`, `less than one a year`."""
    week, month, year = (_joined("about ", _whole(per_week * k), f" a {of}") for k, of in _SPANS)
    return _arrow.if_else(
        pa.array(per_week >= 0.95),
        week,
        _arrow.if_else(
            pa.array(per_week * _MONTH >= 0.95),
            month,
            _arrow.if_else(pa.array(per_week * _YEAR >= 0.95), year, "less than one a year"),
        ),
    )


_MONTH, _YEAR = 365.25 / 7 / 12, 365.25 / 7
_SPANS = ((1.0, "week"), (_MONTH, "month"), (_YEAR, "year"))
_SAYS = pa.array(["mostly reads", "writes now and then", "is among the few who write most"])


def network(names: Any) -> Any:
    """The network's name as a sentence says it."""
    spelt = pa.array(names.astype(str), pa.string())
    shown = _arrow.utf8_capitalize(_arrow.replace_substring(spelt, "_", " "))
    return _arrow.if_else(_arrow.equal(spelt, "community"), OWN, shown)


def level(places: Places, rate: Rate) -> Any:
    """`Wrote 12 posts on Bluesky in 52 weeks, about 1 a month: writes now and then (87 % sure).`"""
    sure = rate.chance.max(axis=1) if len(rate.chance) else np.zeros(0)
    place = _joined(
        pa.array([" on ", " in "]).take(pa.array((places.network == "community").astype(np.int64))),
        network(places.network),
    )
    return _joined(
        "Wrote ", _posts(places.n), place, " in ", _whole(places.weeks), " weeks, ", often(rate.value), ": ",
        _SAYS.take(pa.array(rate.level)), " (", _whole(100 * sure), " % sure).",
    )  # fmt: skip


def overall(n: Floats, n_networks: Any, best: Any, per_week: Floats) -> Any:
    """`Wrote 18 posts on 2 networks, about 2 a month; leads on at least one of them.`"""
    many = _joined(
        _whole(n_networks),
        pa.array([" networks", " network"]).take(pa.array((n_networks == 1).astype(np.int64))),
    )
    return _joined(
        "Wrote ", _posts(n), " on ", many, ", ", often(per_week), "; the most on any of them: ",
        pa.array(LEVELS).take(pa.array(best)), ".",
    )  # fmt: skip


def influence(t: Travel) -> Any:
    """`A post of theirs reaches about 120 people and draws 0.4 replies: 2.1 times as far as usual there.`"""
    known = np.isfinite(t.reach)
    reach = _arrow.if_else(
        pa.array(known), _joined("reaches about ", _whole(np.where(known, t.reach, 0)), " people and "), ""
    )
    return _joined(
        "A post of theirs ", reach, "draws ", _number(t.replies, 1), " replies: ", _number(t.value, 1),
        " times as far as usual there, however many they write.",
    )  # fmt: skip
