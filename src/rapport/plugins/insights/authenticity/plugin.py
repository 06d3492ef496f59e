"""How likely each account is genuine: whether it speaks for itself, or in concert with others, or as a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives
from rapport.kit import query
from rapport.plugins.insights.authenticity import concert, judging, posts, weighing, words
from rapport.plugins.insights.authenticity.posts import Posts
from rapport.plugins.insights.authenticity.weighing import Weighed

LABELS = ("genuine", "doubtful", "left_out")
DOUBTFUL_BELOW = 0.6


class Authenticity:
    """One score.

    authenticity : the chance that an account speaks for itself; below `left_out_below` what it says counts for nothing
        in the brand's standing (label left_out)
    """

    name = "authenticity"
    version = "1"
    title = "Genuine accounts"
    meaning = "How likely an account speaks for itself, and not as a machine or one of several run by the same hand."
    limits = (
        "It sees what is said and when, and neither addresses nor devices. A ring whose accounts each write in their "
        "own words, or weeks apart, is not found. Fans who copy one slogan within hours look like a ring: read the "
        "list of those left out, and overrule what is wrong. Nothing was learnt from labelled accounts."
    )
    purpose = "analytics"
    after: tuple[str, ...] = ()
    gives = (
        Gives(
            "score", "authenticity", "probability", 0, 1, LABELS, "Chance that the account speaks for itself."
        ),
    )
    parameters: Mapping[str, Any] = {"window_days": 730, "left_out_below": 0.2}
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.authenticity", "authenticity")

    def fit(self, table: pa.Table, context: Context) -> bytes:  # noqa: ARG002  the contract's
        """The runs of much the same texts that chance does not explain: hashes, days and counts; Arrow."""
        seen = posts.read(table)
        return to_bytes(concert.learn(seen.only(seen.ago > 0)))

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        if table.num_rows == 0:
            return SCORED.empty_table()
        seen = posts.read(table)
        found = weighed(from_bytes(model), seen.only(seen.ago > 0))
        limit = float(context.parameters.get("left_out_below", self.parameters["left_out_below"]))
        level = np.select([found.genuine < limit, found.genuine < DOUBTFUL_BELOW], [2, 1], 0)
        n = seen.n_accounts
        return pa.table(
            [
                pc.cast(table.column("person"), pa.int64()),
                pa.repeat("authenticity", n),
                pa.array(np.round(found.genuine, 6)),
                pa.repeat("probability", n),
                pa.nulls(n, pa.float64()),
                pa.nulls(n, pa.float64()),
                pa.array(LABELS).take(pa.array(level)),
                words.reason(found),
            ],
            schema=SCORED,
        )

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Whether those held to be in concert before the cut are found in concert after it."""
        seen = posts.read(table)
        known = seen.only(seen.ago > 0)
        found = weighed(concert.learn(known), known)
        return judging.judged(found.genuine, seen, context)


def weighed(runs: concert.Runs, seen: Posts) -> Weighed:
    return weighing.weigh(runs, concert.meet(runs, seen), seen)


def to_bytes(runs: concert.Runs) -> bytes:
    sink = pa.BufferOutputStream()
    table = runs.table()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def from_bytes(model: bytes) -> concert.Runs:
    return concert.Runs.of(pa.ipc.open_stream(model).read_all())


plugin = Authenticity()
