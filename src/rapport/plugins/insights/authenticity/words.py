"""Reasons in words, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.plugins.insights.authenticity.posts import Floats
from rapport.plugins.insights.authenticity.weighing import Weighed

_arrow: Any = pc  # its stubs do not follow columns through several calls


def _joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def _counted(n: Floats, one: str, many: str) -> Any:
    whole = np.rint(n).astype(np.int64)
    return _joined(
        _arrow.cast(pa.array(whole), pa.string()),
        " ",
        pa.array([many, one]).take(pa.array((whole == 1).astype(np.int64))),
    )


def reason(w: Weighed) -> Any:
    """`Of 4 posts, 4 were much the same as what 8 other accounts wrote within days, 3 times.`"""
    times = _counted(w.bursts, "time", "times")
    in_concert = _joined(
        "Of ", _counted(w.n_posts, "post", "posts"), ", ",
        _counted(w.in_concert, "was", "were"), " much the same as what ",
        _counted(np.maximum(w.most - 1, 0), "other account", "other accounts"), " wrote within days, ", times,
    )  # fmt: skip
    machine = _joined("Writes like a machine: ", pa.array(
        np.where(w.clockwork, "at regular times", "the same again and again").tolist()
    ))  # fmt: skip
    plain = _joined("Speaks in its own words in ", _counted(w.n_posts, "post", "posts"))
    said = _arrow.if_else(
        pa.array(w.genuine > 0.5),
        "A member of staff says that it is genuine",
        "A member of staff left it out",
    )
    what = _arrow.if_else(
        pa.array(w.said),
        said,
        _arrow.if_else(
            pa.array(w.in_concert > 0),
            in_concert,
            _arrow.if_else(pa.array(w.clockwork | w.repeats), machine, plain),
        ),
    )
    bought = _arrow.if_else(pa.array(w.customer & ~w.said), "; has bought from us, which speaks for it", "")
    return _joined(what, bought, ".")
