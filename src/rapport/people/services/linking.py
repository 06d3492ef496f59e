"""Probable links among rows: Splink (Linacre et al. 2022), its settings built from what the rows say.

Splink runs on a DuckDB engine of its own in memory, never on the lake, with our limit of memory and folder
for what does not fit. Only levels of likeness and weights leave it: no name, no address.
"""

from __future__ import annotations

import contextlib
import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.events import lake
from rapport.kit import query
from rapport.people.rules import columns, likeness

if TYPE_CHECKING:
    from splink import Linker

log = logging.getLogger(__name__)

LOW = 0.01  # pairs less probable than this are not kept
RANDOM_PAIRS = 500_000  # from which u is learnt
SAMPLED_PAIRS = 2_000_000  # at most, for each training of m
TRAININGS_MAX = 5
PAIRS_A_ROW = 10  # looked at for one block, and
PAIRS_A_ROW_ALL = 30  # for all blocks together
PAIRS_MIN = 2_000_000  # a small file is looked at more thoroughly than that
TRAINED_ON_MIN = 40  # pairs; fewer teach nothing
ROWS_TRAINED_MIN = 200  # below this the starting figures stand

_PAIR = ("id_l", "id_r", "match_weight")
STATED = pa.schema([("id", pa.int64()), *((field, pa.string()) for field in columns.FIELDS)])

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of rows that may be one person, the most probable first, and what they agree in.

    `pairs` has a, b (ids of STATED, a < b), probability, and per comparison its level (a code of
    rules.likeness) and weight (log2 of the factor by which it raises the odds; negative speaks against).
    """

    pairs: pa.Table
    compared: tuple[str, ...]
    n_rows: int
    base_rate: float  # the share of all pairs that are one person


def link(rows: pa.Table, *, low: float = LOW, progress: Progress | None = None) -> Links:
    """Compare rows (STATED) with each other; gives the pairs whose probability is `low` or more."""
    with engine() as con:
        con.register("given", rows.select(STATED.names).cast(STATED))
        compare(con, "SELECT * FROM given")
        con.unregister("given")
        return link_compared(con, low=low, progress=progress)


def compare(con: duckdb.DuckDBPyConnection, select: str) -> None:
    """Make the relation `compared` of this connection from a SELECT of the columns of STATED."""
    con.execute(f"CREATE TEMP VIEW stated AS {select}")
    con.execute(f"CREATE TABLE compared AS {query.load('rapport.people', 'compared').text}")
    con.execute("DROP VIEW stated")


def link_compared(con: duckdb.DuckDBPyConnection, *, low: float, progress: Progress | None = None) -> Links:
    """`link` over the relation `compared` of an engine made here."""
    said = progress or (lambda _: None)
    n = int(_one(con, "SELECT count(*) FROM compared"))
    plan = Plan.of(con, n)
    if n < 2 or not plan.comparisons or not plan.blocks:
        return Links(_pairs_schema(plan.comparisons).empty_table(), plan.names, n, 0.0)
    said("learning what agrees")
    linker = train(con, plan)
    said("comparing")
    return _links(score(linker, min(low, LOW) / 4), plan, n, low)


@contextlib.contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A scratch engine, closed at the end."""
    con = lake.new_engine()
    con.execute("SET preserve_insertion_order = false")
    try:
        yield con
    finally:
        con.close()


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings for these rows: what is compared, within which blocks, learnt from which."""

    comparisons: tuple[likeness.Comparison, ...]
    blocks: tuple[str, ...]
    trainings: tuple[str, ...]
    base_rate: float
    is_learning: bool  # whether there are rows enough to learn from

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.comparisons)

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, n: int) -> Plan:
        """Choose by what is filled in, and by how many pairs each block holds."""
        filled = _filled(con, n)
        compared = tuple(likeness.comparisons(filled))
        counted = _counted(con, filled)
        every = max(n * (n - 1) / 2, 1.0)
        sure = sum(counted[keys] for keys in likeness.SURE if keys in counted)
        held = min(max(sure, 0.5) / likeness.SURE_RECALL / every, 0.5)
        blocks = tuple(_blocks(con, counted, filled, n))
        is_learning = n >= ROWS_TRAINED_MIN
        trainings = tuple(_trainings(counted, n)) if is_learning else ()
        return cls(compared, blocks, trainings, held, is_learning)

    def settings(self) -> dict[str, Any]:
        """As Splink takes them."""
        return {
            "link_type": "dedupe_only",
            "unique_id_column_name": "id",
            "probability_two_random_records_match": self.base_rate,
            "comparisons": [c.as_splink(by_rarity=self.is_learning) for c in self.comparisons],
            "blocking_rules_to_generate_predictions": [{"blocking_rule": b} for b in self.blocks],
            "retain_intermediate_calculation_columns": True,
        }


def train(con: duckdb.DuckDBPyConnection, plan: Plan) -> Linker:
    """A linker over the relation `compared`, with u from random pairs and m from within the training blocks."""
    from splink import DuckDBAPI, Linker, SettingsCreator
    from splink.internals.exceptions import EMTrainingException

    api = DuckDBAPI(con)
    linker = Linker(api.register("compared"), SettingsCreator(**plan.settings()), log_level=None)
    logging.getLogger("splink").setLevel(logging.ERROR)  # not a line for every iteration
    if plan.is_learning:
        linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for rule in plan.trainings:
        before = copy.deepcopy(linker._settings_obj)
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule, max_pairs=SAMPLED_PAIRS)
        except (EMTrainingException, ValueError) as error:
            # No pair of the block, or a level that no true pair of it reaches, on which Splink gives up:
            # what is learnt within the others, or known beforehand, stands.
            log.info("nothing was learnt within %s: %s", rule, error)
            linker._settings_obj = before  # it gives up with half its comparisons put aside
    return linker


def score(linker: Linker, low: float) -> pa.Table:
    """Every pair of the blocks whose probability is `low` or more, as Splink gives it."""
    found = linker.inference.predict(threshold_match_probability=low, warning_mode="never")
    relation = found.as_duckdbpyrelation()
    figures = [c for c in relation.columns if c in _PAIR or c.startswith(("gamma_", "mw_"))]
    table: pa.Table = relation.select(*figures).to_arrow_table()
    return table


def _links(scored: pa.Table, plan: Plan, n: int, low: float) -> Links:
    weights = np.asarray(scored["match_weight"].to_numpy(), dtype=np.float64)
    share = likeness.base_rate(weights, plan.base_rate, n * (n - 1) / 2)
    odds = np.log2(share / (1 - share)) - np.log2(plan.base_rate / (1 - plan.base_rate))
    probability = likeness.probability(weights + odds)
    kept = probability >= low
    levels = {c.name: _level(scored, c) for c in plan.comparisons}
    kept &= ~likeness.household(levels)
    order = np.flatnonzero(kept)
    order = order[np.argsort(-probability[order], kind="stable")]
    found: dict[str, Any] = {
        "a": scored["id_l"].take(order),
        "b": scored["id_r"].take(order),
        "probability": probability[order],
    }
    for comparison in plan.comparisons:
        found[f"{comparison.name}_level"] = pa.array(levels[comparison.name][order], pa.string())
        found[f"{comparison.name}_weight"] = _weight(scored, comparison.name)[order]
    pairs = pa.table(found).cast(_pairs_schema(plan.comparisons))
    return Links(pairs, plan.names, n, share)


def _pairs_schema(compared: Sequence[likeness.Comparison]) -> pa.Schema:
    fields = [("a", pa.int64()), ("b", pa.int64()), ("probability", pa.float64())]
    for comparison in compared:
        fields += [(f"{comparison.name}_level", pa.string()), (f"{comparison.name}_weight", pa.float64())]
    return pa.schema(fields)


def _level(scored: pa.Table, comparison: likeness.Comparison) -> NDArray[np.str_]:
    words = np.array(comparison.words())
    return np.asarray(words[np.asarray(scored[f"gamma_{comparison.name}"].to_numpy(), dtype=np.int64)])


def _weight(scored: pa.Table, name: str) -> NDArray[np.float64]:
    total = np.asarray(scored[f"mw_{name}"].to_numpy(), dtype=np.float64)
    if f"mw_tf_adj_{name}" in scored.column_names:
        total = total + np.asarray(scored[f"mw_tf_adj_{name}"].to_numpy(), dtype=np.float64)
    return np.nan_to_num(total)


def _filled(con: duckdb.DuckDBPyConnection, n: int) -> set[str]:
    """The columns that two rows or more fill in, and in which those that do are told from the others."""
    names = [
        row[0] for row in con.execute("DESCRIBE compared").fetchall() if row[0] not in {"id", "is_common"}
    ]
    counts = ", ".join(f'approx_count_distinct("{c}"), count("{c}")' for c in names)
    found = con.execute(f"SELECT {counts} FROM compared").fetchone() or ()
    kept = set()
    for name, n_ways, n_said in zip(names, found[::2], found[1::2], strict=True):
        if n_said > 1 and (n_ways > 1 or (n_said < n < ROWS_TRAINED_MIN)):
            kept.add(name)
    return kept


def _column(key: str) -> str:
    """The column that a key of a block reads: `left(birth, 4)` reads birth."""
    return key.removeprefix("left(").partition(",")[0]


def _counted(con: duckdb.DuckDBPyConnection, filled: set[str]) -> dict[tuple[str, ...], int]:
    """How many pairs agree in the keys of every block that the columns filled in allow."""
    asked = dict.fromkeys((*likeness.BLOCKS, *likeness.TRAINING, *likeness.SURE))
    found = {}
    for keys in asked:
        if not {_column(k) for k in keys} <= filled:
            continue
        there = " AND ".join(f"{_column(k)} IS NOT NULL" for k in keys)
        found[keys] = int(
            _one(
                con,
                "SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM"
                f" (SELECT count(*)::HUGEINT AS n FROM compared WHERE {there} GROUP BY {', '.join(keys)})",
            )
        )
    return found


def _rule(keys: tuple[str, ...]) -> str:
    return " AND ".join(f"{_side(k, 'l')} = {_side(k, 'r')}" for k in keys)


def _side(key: str, side: str) -> str:
    return key.replace("left(", f"left({side}.") if key.startswith("left(") else f"{side}.{key}"


def _blocks(
    con: duckdb.DuckDBPyConnection, counted: dict[tuple[str, ...], int], filled: set[str], n: int
) -> Iterator[str]:
    """The blocks worth looking into, the narrowest first, as long as they are not too many pairs."""
    left = max(PAIRS_MIN * 3, n * PAIRS_A_ROW_ALL)
    at_most = max(PAIRS_MIN, n * PAIRS_A_ROW)
    for keys in likeness.BLOCKS:
        n_pairs = counted.get(keys)
        if n_pairs is not None and n_pairs <= min(at_most, left):
            left -= n_pairs
            yield _rule(keys)
    if {"given", "family"} <= filled:
        both, *one = likeness.SWAPPED
        yield both
        swapped = int(
            _one(
                con,
                "SELECT coalesce(sum(a.n * b.n), 0) FROM (SELECT given AS x, count(*)::HUGEINT AS n FROM compared"
                " GROUP BY x) AS a INNER JOIN (SELECT family AS x, count(*)::HUGEINT AS n FROM compared GROUP BY x)"
                " AS b ON a.x = b.x",
            )
        )
        if swapped <= min(at_most, left):
            yield from one


def _trainings(counted: dict[tuple[str, ...], int], n: int) -> list[str]:
    """Blocks to learn within, so that every column is learnt where it is not what the block agrees in."""
    at_most = max(PAIRS_MIN, n * PAIRS_A_ROW)
    usable = [keys for keys in likeness.TRAINING if TRAINED_ON_MIN <= counted.get(keys, 0) <= at_most]
    return [_rule(keys) for keys in usable[:TRAININGS_MAX]]


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> Any:
    row = con.execute(sql).fetchone()
    return row[0] if row else 0
