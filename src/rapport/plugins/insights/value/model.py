"""What is learnt about a firm's buyers, as bytes and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rapport.plugins.insights.value import choosing, spending
from rapport.plugins.insights.value.beta_geometric import BG_NBD, MBG_NBD
from rapport.plugins.insights.value.buying import Buying, Shape, learn
from rapport.plugins.insights.value.choosing import Trial
from rapport.plugins.insights.value.families import FAMILIES
from rapport.plugins.insights.value.groups import NO_FIFTHS, Factors, Fifths, factors, fifths, groups
from rapport.plugins.insights.value.histories import Floats, Log
from rapport.plugins.insights.value.reading import Buyers
from rapport.plugins.insights.value.rush import Rush
from rapport.plugins.insights.value.season import Clock
from rapport.plugins.insights.value.spending import Spending

SPENDING_MOST = 200_000  # people from whom prices are learnt, of each currency
REFUNDS_AT = 20.0  # orders at which a currency's own share of refunds weighs as much as none


@dataclass(frozen=True, slots=True)
class Prices:
    """What an order costs in one currency, and what share of it comes back as refunds."""

    spending: Spending
    refund_ratio: float


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that scoring needs.

    leaving : the same, of the best family in which everybody can have left; says who is a customer still
    lift : factor on the totals, over `horizon_days` and over the horizon of `clv_minor`
    factors : what country, channel and first order say beside the history; `parts` divides first orders
    whole : share of a person's futures at which the number of orders said of each adds up to the expected total
    trials : how each shape did, the best first, as (title, deviance, lift)
    """

    shape: Shape
    buying: Buying
    leaving: Buying
    lift: float
    lift_clv: float
    prices: Mapping[str, Prices]
    trials: tuple[tuple[str, float, float], ...]
    factors: tuple[Factors, ...] = ()
    parts: Fifths = NO_FIFTHS
    whole: float = 0.5

    def price(self, currency: str) -> Prices:
        """Prices in a currency; where none were learnt, a scale of nothing."""
        return self.prices.get(currency) or Prices(Spending(1.0, 2.0, 1e-9), 0.0)

    def factor(self, buyers: Buyers) -> Floats:
        """What each buyer's groups multiply the forecast by."""
        found = np.ones(len(buyers))
        for f in self.factors:
            found = found * f.of(groups(f.kind, buyers, self.parts))
        return found

    def with_whole(self, whole: float) -> Model:
        return replace(self, whole=whole)

    def to_bytes(self) -> bytes:
        return json.dumps(
            {
                "shape": [self.shape.family, self.shape.has_rush, self.shape.has_season],
                "buying": _plain(self.buying),
                "leaving": _plain(self.leaving),
                "lift": [self.lift, self.lift_clv],
                "prices": {
                    c: [p.spending.p, p.spending.q, p.spending.v, p.refund_ratio]
                    for c, p in self.prices.items()
                },
                "trials": self.trials,
                "factors": [[f.kind, dict(f.by_group)] for f in self.factors],
                "parts": {c: list(cuts) for c, cuts in self.parts.cuts.items()},
                "whole": self.whole,
            }
        ).encode()


def from_bytes(content: bytes) -> Model:
    """A model that `to_bytes` wrote."""
    given: dict[str, Any] = json.loads(content)
    shape = Shape(*given["shape"])
    return Model(
        shape,
        _buying(given["buying"]),
        _buying(given["leaving"]),
        given["lift"][0],
        given["lift"][1],
        {c: Prices(Spending(p, q, v), refunds) for c, (p, q, v, refunds) in given["prices"].items()},
        tuple((title, deviance, lift) for title, deviance, lift in given["trials"]),
        tuple(Factors(kind, by_group) for kind, by_group in given["factors"]),
        Fifths({c: tuple(cuts) for c, cuts in given["parts"].items()}),
        given["whole"],
    )


def _plain(buying: Buying) -> dict[str, Any]:
    return {
        "family": buying.family.name,
        "theta": buying.theta.tolist(),
        "covariance": buying.covariance.tolist(),
        "clock": buying.clock.height,
        "rush": [buying.rush.height, buying.rush.fades_days],
    }


def _buying(given: dict[str, Any]) -> Buying:
    return Buying(
        FAMILIES[given["family"]],
        np.array(given["theta"]),
        np.array(given["covariance"]),
        Clock(tuple(given["clock"])),
        Rush(*given["rush"]),
    )


def learnt(
    buyers: Buyers, now: int, horizon_days: int, clv_days: int, only: str = "", *, heeds_groups: bool = True
) -> Model:
    """The best shape for these buyers, fitted to all they did, with the prices of each currency."""
    log = buyers.log
    parts = fifths(buyers)
    trials = choosing.choose(log, now, horizon_days, only)
    best = trials[0]
    buying = learn(best.shape, log, now)
    return Model(
        shape=best.shape,
        buying=buying,
        leaving=_leaving(trials, buying, log, now),
        lift=best.lift,
        lift_clv=best.lift if clv_days == horizon_days else choosing.lift(best.shape, log, now, clv_days),
        prices=_prices(buyers),
        trials=tuple((titled(t), round(t.deviance, 5), round(t.lift, 4)) for t in trials if t.n_moments),
        factors=factors(best, buyers, parts, log.step(choosing.PEOPLE_MOST))
        if heeds_groups and best.n_moments
        else (),
        parts=parts,
    )


def _leaving(trials: list[Trial], buying: Buying, log: Log, now: int) -> Buying:
    """BG/NBD holds that nobody leaves after one order, whatever the silence; then the next best is asked."""
    if buying.family.name != BG_NBD.name:
        return buying
    others = (t.shape for t in trials if t.shape.family != BG_NBD.name)
    return learn(next(others, replace(trials[0].shape, family=MBG_NBD.name)), log, now)


def titled(trial: Trial) -> str:
    """`BG/NBD, with a first rush, by season`."""
    shape = trial.shape
    extras = [", with a first rush"] * shape.has_rush + [", by season"] * shape.has_season
    return FAMILIES[shape.family].title + "".join(extras)


def _prices(buyers: Buyers) -> dict[str, Prices]:
    n, mean, refunded = buyers.n_paid, buyers.mean_paid, buyers.refunded
    names, place = np.unique(buyers.currency, return_inverse=True)
    found = {}
    for i, name in enumerate(names):
        mine = place == i
        paying = np.flatnonzero(mine & (n > 0))
        spent = float((n * mean)[mine].sum())
        back = min(float(refunded[mine].sum()) / spent, 0.95) if spent > 0 else 0.0
        back *= float(n[mine].sum()) / (float(n[mine].sum()) + REFUNDS_AT)
        some = paying[:: max(1, -(-len(paying) // SPENDING_MOST))]
        found[str(name)] = Prices(spending.fit(n[some], mean[some]), back)
    return found
