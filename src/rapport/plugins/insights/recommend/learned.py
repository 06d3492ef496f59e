"""What was learnt, as bytes and back: arrays in NumPy's own format, words as JSON beside them."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy import sparse

from rapport.plugins.insights.recommend.facts import Facts
from rapport.plugins.insights.recommend.ranking import Ranking
from rapport.plugins.insights.recommend.reading import Catalogue
from rapport.plugins.insights.recommend.similar import Recipe


@dataclass(frozen=True, slots=True)
class Learnt:
    """Everything that scoring needs."""

    products: Catalogue
    facts: Facts
    ranking: Ranking
    recipe: Recipe
    how: str  # what the inner back-test held back


def as_bytes(learnt: Learnt) -> bytes:
    """The same bytes for the same content."""
    words = {
        "codes": learnt.products.codes.to_pylist(),
        "names": learnt.products.names.to_pylist(),
        "categories": learnt.products.categories,
        "countries": learnt.facts.country_codes,
        "n_people": learnt.facts.n_people,
        "rule": learnt.ranking.rule,
        "how": learnt.how,
        "recipe": [learnt.recipe.ridge, learnt.recipe.drop, learnt.recipe.evening, learnt.recipe.kind],
    }
    f = learnt.facts
    arrays = {
        "words": np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8),
        "category": learnt.products.category.astype(np.int32),
        "is_offered": learnt.products.is_offered,
        "buyers": f.buyers,
        "orders": f.orders,
        "lately": f.lately,
        "again": f.again,
        "gap_days": f.gap_days,
        "kept": f.kept,
        "cell_values": f.cells.data,
        "cell_columns": f.cells.indices.astype(np.int32),
        "cell_starts": f.cells.indptr.astype(np.int64),
        "shares": f.shares.astype(np.float16),
        "alike": f.alike,
        "by_country": f.by_country,
        "weights": learnt.ranking.weights,
        "certainty": learnt.ranking.certainty,
    }
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def from_bytes(content: bytes) -> Learnt:
    """What `as_bytes` wrote."""
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        a = {name: found[name] for name in found.files}
    words = json.loads(a["words"].tobytes())
    width = len(a["kept"])
    cells = sparse.csr_matrix((a["cell_values"], a["cell_columns"], a["cell_starts"]), shape=(width, width))
    return Learnt(
        Catalogue(
            pa.array(words["codes"], pa.string()),
            pa.array(words["names"], pa.string()),
            a["category"].astype(np.int64),
            tuple(words["categories"]),
            a["is_offered"],
        ),
        Facts(
            n_people=words["n_people"],
            buyers=a["buyers"],
            orders=a["orders"],
            lately=a["lately"],
            again=a["again"],
            gap_days=a["gap_days"],
            kept=a["kept"],
            cells=cells,
            shares=a["shares"].astype(np.float32),
            alike=a["alike"],
            country_codes=tuple(words["countries"]),
            by_country=a["by_country"],
        ),
        Ranking(words["rule"], a["weights"], a["certainty"]),
        Recipe(*words["recipe"]),
        words["how"],
    )
