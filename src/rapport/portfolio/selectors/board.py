"""Who stands where: worth against the cost of serving, tiers, corners."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.events import lake
from rapport.insights import selectors as insights
from rapport.kit import query
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.people.selectors.persons import ScoreView
from rapport.portfolio.rules import Standing

MODEL = "portfolio"
NAMES = ("service_tier", "cost_to_serve_minor", "potential_minor", "effort_saving_minor")

Floats = NDArray[np.float64]
CornerName = Literal["gain", "care", "steady", "quiet"]


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
        columns = ("person", "worth", "cost", "potential", "saving", "saving_low", "saving_high", "tier")
        return Board(self.currency, *(getattr(self, c)[where] for c in columns), self.currencies)


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
def _read(run: str) -> pa.Table:
    """All scores side by side as a run left them; kept until the model has run again."""
    del run
    con = lake.connect()
    try:
        lake.give(con, "score", people.scores_arrow(NAMES))
        return query.run(con, query.load("rapport.portfolio", "board")).to_arrow_table()
    finally:
        con.close()


def board(currency: str | None = None) -> Board:
    """Everybody who buys in a currency, by default that of most; empty where the model has not run."""
    runs = [r for r in insights.runs(MODEL, limit=5) if r.state == "done"]
    table = _read(str(runs[0].id) if runs else "")
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
        currency,
        numbers("person"),
        *(
            numbers(f"{n}")
            for n in (
                "worth_minor",
                "cost_minor",
                "potential_minor",
                "saving_minor",
                "saving_low",
                "saving_high",
            )
        ),
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
    for name in ("care", "steady", "gain", "quiet"):
        mine = where == name
        rows.append(
            Corner(
                name,  # type: ignore[arg-type]
                int(mine.sum()),
                float(found.worth[mine].sum()),
                float(found.cost[mine].sum()),
                float(found.potential[mine].sum()),
                float(found.worth[mine].sum()) / worth,
                float(found.cost[mine].sum()) / cost,
            )
        )
    return rows


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
        mean = float(whole.saving.mean()) or 1.0
        one = whole.chosen(mine)
        for k in range(len(one)):
            found[int(one.person[k])] = Standing(
                tier=str(one.tier[k]),
                saving_minor=float(one.saving[k]),
                worth_ratio=float(one.saving[k]) / mean,
                currency=currency,
                low_ratio=float(one.saving_low[k]) / mean,
                high_ratio=float(one.saving_high[k]) / mean,
            )
    return found
