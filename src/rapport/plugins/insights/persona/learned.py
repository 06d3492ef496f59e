"""What a fit learnt, as bytes; and the keys under which its personas go on.

The content is a JSON object. Of it the personas domain reads `choice`, the numbers tried, and `personas`, the keys with
their stability; whoever writes another model of personas writes these two alike.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from rapport.plugins.insights.persona.choosing import Tried
from rapport.plugins.insights.persona.encoding import Scales
from rapport.plugins.insights.persona.mixture import Mixture

Ints = NDArray[np.int64]

OVERLAP_LEAST = 0.3  # Jaccard coefficient with a former persona, from which it is the same


@dataclass(frozen=True, slots=True)
class Learned:
    """What scoring needs, and what a screen shows of the choice. Without a mixture there are no stable personas."""

    scales: Scales
    rho: list[float]
    keys: list[str]
    mixture: Mixture | None
    base: Mixture | None
    tried: list[Tried]
    n: int  # people learnt from

    def to_bytes(self) -> bytes:
        chosen = next((t for t in self.tried if t.k == len(self.keys)), None)
        content: dict[str, Any] = {
            "n": self.n,
            "choice": [asdict(t) | {"is_stable": t.is_stable} for t in self.tried],
            "personas": [
                {"key": key, "jaccard": chosen.jaccard[k] if chosen else None}
                for k, key in enumerate(self.keys)
            ],
            "levels": {name: list(levels) for name, levels in self.scales.levels.items()},
            "bands": {name: list(band) for name, band in self.scales.bands.items()},
            "grids": {name: list(grid) for name, grid in self.scales.grids.items()},
            "rho": self.rho,
            "mixture": _listed(self.mixture),
            "base": _listed(self.base),
        }
        return json.dumps(content).encode()


def read(content: bytes) -> Learned:
    """What `to_bytes` wrote."""
    told = json.loads(content)
    return Learned(
        scales=Scales(
            {name: tuple(levels) for name, levels in told["levels"].items()},
            {name: (band[0], band[1]) for name, band in told["bands"].items()},
            {name: tuple(grid) for name, grid in told["grids"].items()},
        ),
        rho=told["rho"],
        keys=[persona["key"] for persona in told["personas"]],
        mixture=_mixture(told["mixture"]),
        base=_mixture(told["base"]),
        tried=[
            Tried(**{**{k: v for k, v in t.items() if k != "is_stable"}, "jaccard": tuple(t["jaccard"])})
            for t in told["choice"]
        ],
        n=told["n"],
    )


def _listed(model: Mixture | None) -> dict[str, Any] | None:
    if model is None:
        return None
    return {name: np.round(getattr(model, name), 9).tolist() for name in Mixture.__dataclass_fields__}


def _mixture(told: dict[str, Any] | None) -> Mixture | None:
    if told is None:
        return None
    size = np.array(told["size"])
    of = {name: np.array(told[name]).reshape(len(size), -1) for name in ("shares", "mean", "spread")}
    return Mixture(size, **of)


def keys_for(own: Ints, k: int, former: Any, first_free: int) -> list[str]:
    """The key of each persona: a former one's where enough of the same people are in it, else a new one.

    own : (people,) persona of each, by the new fit
    former : their keys so far, empty for none
    first_free : the least number never used for a key
    """
    arrow: Any = pc
    known = [key for key in sorted(arrow.unique(former).to_pylist()) if key]
    keys = [""] * k
    if known:
        place = arrow.fill_null(arrow.index_in(former, value_set=pa.array(known, pa.string())), -1)
        before = place.to_numpy(zero_copy_only=False).astype(np.int64)
        there = before >= 0
        table = np.bincount(own[there] * len(known) + before[there], minlength=k * len(known))
        table = table.reshape(k, len(known)).astype(np.float64)
        # People who are new since then were in none before, and say nothing of who went on as what.
        either = table.sum(axis=1)[:, None] + table.sum(axis=0) - table
        overlap = np.divide(table, either, out=np.zeros_like(table), where=either > 0)
        for row, column in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[row, column] >= OVERLAP_LEAST:
                keys[row] = known[column]
    taken = [int(key[1:]) for key in known if key[1:].isdecimal()]
    number = max([first_free - 1, *taken]) + 1
    for row in np.argsort(-np.bincount(own, minlength=k), kind="stable"):
        if not keys[row]:
            keys[row] = f"p{number}"
            number += 1
    return keys
