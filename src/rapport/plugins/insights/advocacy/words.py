"""Reasons in words, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.plugins.insights.advocacy.saying import Floats, Ints
from rapport.plugins.insights.advocacy.standing import Standing

_arrow: Any = pc  # its stubs do not follow columns through several calls
LABELS = ("advocate", "passive", "detractor", "unclear")
TOLD_LEAST = 1.5  # judgements, each as far as it is one
MIDDLE = 0.4  # who surely stands no further from the middle than this is passive


def label(s: Standing, told: Floats) -> Ints:
    """The place among LABELS: a word is said only of who has spoken, and where the whole interval says it.

    told : (cases,), how many judgements of their own there are; one makes nobody an advocate
    """
    place = np.select([s.low > 0, s.high < 0, (s.low > -MIDDLE) & (s.high < MIDDLE)], [0, 2, 1], 3)
    return np.where(told < TOLD_LEAST, 3, place).astype(np.int64)


def joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def counted(n: Floats, one: str, many: str) -> Any:
    whole = np.rint(n).astype(np.int64)
    return joined(
        _arrow.cast(pa.array(whole), pa.string()),
        " ",
        pa.array([many, one]).take(pa.array((whole == 1).astype(np.int64))),
    )


def network(names: Any) -> Any:
    """`on Bluesky`, `in our community`."""
    spelt = pa.array(names.astype(str), pa.string())
    shown = joined("on ", _arrow.utf8_capitalize(_arrow.replace_substring(spelt, "_", " ")))
    return _arrow.if_else(_arrow.equal(spelt, "community"), "in our community", shown)


_SURE = pa.array(
    [
        "speaks well of us more often than not",
        "speaks neither well nor ill of us on the whole",
        "speaks ill of us more often than not",
        "too little to tell on which side they stand",
    ]
)


def texts(good: Floats, bad: Floats, n: Floats) -> Any:
    """`wrote 5 texts, about 4 good and 1 bad`."""
    return joined(
        "wrote ", counted(n, "text", "texts"), ", about ",
        _arrow.cast(pa.array(np.rint(good).astype(np.int64)), pa.string()),
        " good and ", _arrow.cast(pa.array(np.rint(bad).astype(np.int64)), pa.string()), " bad",
    )  # fmt: skip


def on_network(where: Any, said: Any, other: Any, left_out: Any, label_: Ints) -> Any:
    """`Wrote 5 texts, about 4 good and 1 bad, on Bluesky, and what is known from elsewhere: speaks well of us ...`"""
    more = _arrow.if_else(pa.array(other), ", and by half what is known from elsewhere", "")
    plain = joined(said, ", ", where, more, ": ", _SURE.take(pa.array(label_)), ".")
    out = joined(
        "Nothing counts ",
        where,
        ", because the account does not look genuine: ",
        _SURE.take(pa.array(label_)),
        ".",
    )
    return capital(_arrow.if_else(pa.array(left_out), out, plain))


def overall(
    said: Any, n_texts: Floats, answers: Any, n_answers: Floats, n_referrals: Floats, label_: Ints
) -> Any:
    """`Wrote 5 texts, about 4 good and 1 bad; would recommend us with 9, 10 of 10; recommended us 2 times: ...`"""
    nothing = pa.scalar(None, pa.string())
    none = pa.array(n_texts + n_answers + n_referrals == 0)
    parts = [
        # A row of which every part is null would be no row at all.
        _arrow.if_else(none, "nothing that counts", _arrow.if_else(pa.array(n_texts > 0), said, nothing)),
        _arrow.if_else(pa.array(n_answers > 0), answers, nothing),
        _arrow.if_else(
            pa.array(n_referrals > 0),
            joined("recommended us ", counted(n_referrals, "time", "times")),
            nothing,
        ),
    ]
    facts = _arrow.binary_join_element_wise(*parts, "; ", null_handling="skip")
    return capital(joined(facts, ": ", _SURE.take(pa.array(label_)), "."))


def answered(kinds: Ints, owner: Ints, n_persons: int) -> Any:
    """`answered 1 time as a promoter, 1 as a passive, 0 as a detractor`."""
    n = [np.bincount(owner[kinds == k], minlength=n_persons).astype(np.float64) for k in range(3)]
    return joined(
        "asked whether they would recommend us, a promoter ", counted(n[2], "time", "times"), ", a passive ",
        _arrow.cast(pa.array(n[1].astype(np.int64)), pa.string()), ", a detractor ",
        _arrow.cast(pa.array(n[0].astype(np.int64)), pa.string()),
    )  # fmt: skip


def capital(sentence: Any) -> Any:
    return joined(
        _arrow.utf8_upper(_arrow.utf8_slice_codeunits(sentence, 0, 1)),
        _arrow.utf8_slice_codeunits(sentence, 1),
    )
