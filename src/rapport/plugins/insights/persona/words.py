"""What makes somebody one of their persona, in words: the inputs that speak most for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.plugins.insights.persona.encoding import Scales
from rapport.plugins.insights.persona.mixture import Inputs, Mixture

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAID = 3  # reasons of one person
CHANNELS = {
    "web": ("orders on the site", "looks around on the site"),
    "app": ("orders in the app", "looks around in the app"),
    "shop": ("orders in the shop", "looks around in the shop"),
    "phone": ("orders by telephone", "asks by telephone"),
    "email": ("orders by mail", "reads our mails"),
}
# Measure: what much of it is called, and little.
MUCH = {
    "orders_year": ("orders often", "orders rarely"),
    "price_level": ("pays more than others for the same kind of goods", "pays less than others for the same kind of goods"),
    "pieces": ("buys several at once", "buys little at once"),
    "refund_share": ("sends things back", "sends nothing back"),
    "views_year": ("looks around often", "looks around rarely"),
    "says_year": ("speaks up in public", "says nothing in public"),
    "writes_year": ("writes to us", "does not write to us"),
}  # fmt: skip


def of_column(block: str, level: str) -> str:
    """What somebody does who has counts in this column; empty where nothing can be said of it."""
    plain = level.replace("_", " ")
    if not level or level in ("usual", "less"):
        return ""
    if block in MUCH:
        return MUCH[block][0]
    if block in ("ordered_by", "looks_by"):
        which = 0 if block == "ordered_by" else 1
        return CHANNELS.get(level, (f"orders by {plain}", f"looks around by {plain}"))[which]
    said = {
        "bought": f"buys {plain}",
        "hours": f"is active on {plain}",
        "referrers": f"comes from {level}",
        "sections": f"reads pages under /{level}",
        "age": f"is {plain}",
        "place": _place(level),
    }  # fmt: skip
    return said.get(block, f"{of_measure(block)[0]}")


def _place(level: str) -> str:
    country, _, language = level.partition("/")
    parts = [f"lives in {country}"] * bool(country) + [f"speaks {language}"] * bool(language)
    return " and ".join(parts)


def of_measure(name: str) -> tuple[str, str]:
    """What much of a measure is called, and little."""
    if name in MUCH:
        return MUCH[name]
    kind, _, rest = name.partition(":")
    plain = (rest or name).replace("_", " ")
    if kind == "interest":
        return f"is interested in {plain}", f"is less interested in {plain}"
    if kind == "attitude":
        return f"thinks well of {plain}", f"thinks little of {plain}"
    return f"has much {plain}", f"has little {plain}"


def reasons(scales: Scales, inputs: Inputs, model: Mixture, base: Mixture, own: Ints) -> pa.Array:
    """(people,): one sentence for each, of the inputs that speak most for their persona and not for another."""
    of_counts = [of_column(block, level) for block, level in scales.columns]
    may_speak = np.array([bool(said) for said in of_counts])
    spoken = inputs.drawn * (np.log(model.shares) - np.log(base.shares))[own] * may_speak
    level, mean, spread = inputs.level, model.mean[own], model.spread[own]
    of_measures = inputs.known * (
        0.5 * ((level - base.mean) / base.spread) ** 2
        - 0.5 * ((level - mean) / spread) ** 2
        + np.log(base.spread)
        - np.log(spread)
    )
    # What lies in the middle tells nothing in words.
    of_measures *= np.abs(level) > 0.5
    everything = np.column_stack(
        [spoken, np.where(level > 0, of_measures, 0), np.where(level < 0, of_measures, 0)]
    )
    said = [
        *of_counts,
        *(of_measure(name)[0] for name in scales.grids),
        *(of_measure(name)[1] for name in scales.grids),
        "",
    ]
    nothing = len(said) - 1
    best = np.argsort(-everything, axis=1, kind="stable")[:, :SAID]
    speaks = np.take_along_axis(everything, best, axis=1) > 0.02
    best = np.where(speaks, best, nothing)
    return _sentences(said, best)


def _sentences(said: list[str], best: Ints) -> pa.Array:
    arrow: Any = pc
    phrases = pa.array(said, pa.string())
    parts = [phrases.take(pa.array(best[:, k])) for k in range(best.shape[1])]
    joined = parts[0]
    for k, part in enumerate(parts[1:], start=1):
        last = np.ones(len(best), bool) if k + 1 == len(parts) else best[:, k + 1] == len(said) - 1
        link = arrow.if_else(pa.array(last), " and ", ", ")
        joined = arrow.if_else(
            arrow.equal(part, ""), joined, arrow.binary_join_element_wise(joined, link, part, "")
        )
    sentence = arrow.binary_join_element_wise("Like the others of this persona: ", joined, ".", "")
    none = "Little is known yet that tells the personas apart; this one is the most common of those that fit."
    return arrow.if_else(arrow.equal(joined, ""), none, sentence)
