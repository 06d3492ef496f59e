"""Who stands where: worth against the cost of serving, tiers, corners."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.consent import selectors as consent
from rapport.consent.selectors import holding
from rapport.events import lake
from rapport.kit import query
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.people.selectors import rows as people_rows
from rapport.people.selectors.persons import ScoreView
from rapport.portfolio.rules import Standing

MODEL = "portfolio"
PURPOSE = "profiling"  # as the model's
COLUMNS = ("person", "worth", "cost", "potential", "saving", "saving_low", "saving_high", "tier")
NAMES = ("service_tier", "cost_to_serve_minor", "potential_minor", "effort_saving_minor")

Floats = NDArray[np.float64]
CornerName = Literal["care", "steady", "gain", "quiet"]
CORNERS: tuple[CornerName, ...] = ("care", "steady", "gain", "quiet")
TIERS = ("A", "B", "C")
# Of the mean: where the bands of a picture part. The mean itself parts two of them, so no band lies in two corners.
WORTH_BANDS = (0.1, 0.3, 1.0, 2.0, 4.0)
COST_BANDS = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Board:
    """Columns over the scored people who buy in one currency, ascending by person."""

    currency: str
    person: NDArray[np.int64]
    worth: Floats  # minor units
    cost: Floats
    potential: Floats
    saving: Floats  # per minute of answering
    saving_low: Floats
    saving_high: Floats
    tier: NDArray[np.str_]
    currencies: tuple[str, ...]  # all there are, that of most people first

    def __len__(self) -> int:
        return len(self.person)

    def chosen(self, where: NDArray[np.bool_] | NDArray[np.int64]) -> Board:
        """These people alone."""
        return replace(self, **{name: getattr(self, name)[where] for name in COLUMNS})


@dataclass(frozen=True, slots=True)
class Corner:
    """One corner: people by whether they are worth, and cost, more than the mean."""

    name: CornerName
    n: int
    worth: float
    cost: float
    potential: float
    worth_ratio: float  # of everybody's
    cost_ratio: float


@functools.lru_cache(maxsize=4)
def _read(present: tuple[object, ...]) -> pa.Table:
    """All scores side by side; kept until a score, a person or an answer about consent changes."""
    del present
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "score", people.scores_arrow(NAMES))
            lake.give(con, "identity", people.identity_arrow())
            lake.give(con, "refused", consent.refused_subjects(PURPOSE))
            return query.run(con, query.load("rapport.portfolio", "board")).to_arrow_table()
    finally:
        con.close()


def board(currency: str | None = None) -> Board:
    """Everybody who buys in a currency, by default that of most; empty where the model has not run."""
    # A refusal holds at once; the scores of whoever refused are dropped only once the log has told the models.
    purposes = [(p.is_active, p.legal_basis) for p in consent.purposes() if p.key == PURPOSE]
    counters = (people_rows.CHANGES, people_rows.SCORES, holding.CHANGES)
    table = _read((*(c.present() for c in counters), *purposes))
    there = table.column("currency").to_numpy(zero_copy_only=False).astype(str)
    names, counts = np.unique(there, return_counts=True)
    currencies = tuple(names[np.argsort(-counts, kind="stable")].tolist())
    if currency is None:
        currency = currencies[0] if currencies else ""
    elif currency not in currencies:
        raise NotFound(f"nobody buys in {currency!r}", f"People buy in {', '.join(currencies) or 'nothing'}.")
    mine = there == currency

    def numbers(name: str) -> Any:
        return table.column(name).to_numpy(zero_copy_only=False)[mine]

    return Board(
        currency=currency,
        person=numbers("person"),
        worth=numbers("worth_minor"),
        cost=numbers("cost_minor"),
        potential=numbers("potential_minor"),
        saving=numbers("saving_minor"),
        saving_low=numbers("saving_low"),
        saving_high=numbers("saving_high"),
        tier=numbers("tier").astype(str),
        currencies=currencies,
    )


def corner_of(found: Board) -> NDArray[np.str_]:
    """The corner of each: the mean parts much from little."""
    much = found.worth >= found.worth.mean() if len(found) else np.zeros(0, bool)
    dear = (found.cost > 0) & (found.cost >= found.cost.mean()) if len(found) else np.zeros(0, bool)
    return np.where(much, np.where(dear, "care", "steady"), np.where(dear, "gain", "quiet"))


def corners(found: Board) -> list[Corner]:
    """care: worth much and dear; steady: worth much, little to serve; gain: dear, worth little yet; quiet: neither."""
    if not len(found):
        return []
    where = corner_of(found)
    worth, cost = max(float(found.worth.sum()), 1e-9), max(float(found.cost.sum()), 1e-9)
    rows = []
    for name in CORNERS:
        mine = where == name
        rows.append(
            Corner(
                name,
                int(mine.sum()),
                float(found.worth[mine].sum()),
                float(found.cost[mine].sum()),
                float(found.potential[mine].sum()),
                float(found.worth[mine].sum()) / worth,
                float(found.cost[mine].sum()) / cost,
            )
        )
    return rows


@dataclass(frozen=True, slots=True)
class Bands:
    """How many people lie in each field of worth by cost."""

    worth_edges: tuple[float, ...]  # minor units; the first band is below the first edge
    cost_edges: tuple[float, ...]  # the first band costs nothing, the second is below the first edge
    n: NDArray[np.int64]  # worth x cost


@dataclass(frozen=True, slots=True)
class TierRow:
    """One tier, summed up."""

    tier: str
    n: int
    worth: float
    cost: float
    potential: float
    worth_ratio: float
    cost_ratio: float


def tiers(found: Board) -> list[TierRow]:
    """The tiers with their people and money."""
    worth, cost = max(float(found.worth.sum()), 1e-9), max(float(found.cost.sum()), 1e-9)
    rows = []
    for tier in TIERS:
        one = found.chosen(found.tier == tier)
        w, c = float(one.worth.sum()), float(one.cost.sum())
        rows.append(TierRow(tier, len(one), w, c, float(one.potential.sum()), w / worth, c / cost))
    return rows


def bands(found: Board) -> Bands:
    """People by bands of worth and of cost."""
    worth, cost = _edges(found)
    places = _bands_of(found)
    n = np.zeros((len(worth) + 1, len(cost) + 2), np.int64)
    np.add.at(n, places, 1)
    return Bands(worth, cost, n)


def _edges(found: Board) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mean_worth = float(found.worth.mean()) if len(found) else 0.0
    mean_cost = float(found.cost.mean()) if len(found) else 0.0
    return tuple(mean_worth * b for b in WORTH_BANDS), tuple(mean_cost * b for b in COST_BANDS)


def _bands_of(found: Board) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    worth, cost = _edges(found)
    above = np.searchsorted(cost, found.cost, side="right") + 1
    return np.searchsorted(worth, found.worth, side="right"), np.where(found.cost > 0, above, 0)


def members(
    found: Board,
    *,
    corner: str = "",
    tier: str = "",
    worth_band: int | None = None,
    cost_band: int | None = None,
) -> Board:
    """The people of a corner, a tier or a field, those first whom answering saves most."""
    keep = np.ones(len(found), bool)
    if corner:
        keep &= corner_of(found) == corner
    if tier:
        keep &= found.tier == tier
    worth_place, cost_place = _bands_of(found)
    if worth_band is not None:
        keep &= worth_place == worth_band
    if cost_band is not None:
        keep &= cost_place == cost_band
    one = found.chosen(keep)
    return one.chosen(np.lexsort((one.person, -one.worth, -one.saving)))


def standing(person: int) -> tuple[ScoreView, ...]:
    """What the model says of one person, each with its reason, for the person's panel; empty where nothing."""
    view = people.person(person)
    by_name = {s.name: s for s in view.scores if s.model == MODEL}
    return tuple(by_name[name] for name in NAMES if name in by_name)


def standings(persons: Sequence[int]) -> dict[int, Standing]:
    """Where each of these people stands, as far as turns go; who is not known to the model is left out."""
    wanted = np.unique(np.asarray(list(persons), np.int64))
    found: dict[int, Standing] = {}
    everybody = board()
    for currency in everybody.currencies:
        whole = board(currency)
        at = np.searchsorted(whole.person, wanted)
        at = np.minimum(at, max(len(whole) - 1, 0))
        mine = at[whole.person[at] == wanted] if len(whole) else at[:0]
        # Money of two currencies is compared only by how far it is from its own mean.
        mean = float(whole.saving.mean()) if len(whole) else 0.0
        one = whole.chosen(mine)
        # Where answering saves nobody anything, everybody is at the mean.
        worth, low, high = (
            c / mean if mean else np.ones(len(one)) for c in (one.saving, one.saving_low, one.saving_high)
        )
        for k in range(len(one)):
            found[int(one.person[k])] = Standing(
                tier=str(one.tier[k]),
                saving_minor=float(one.saving[k]),
                worth_ratio=float(worth[k]),
                currency=currency,
                low_ratio=float(low[k]),
                high_ratio=float(high[k]),
            )
    return found
