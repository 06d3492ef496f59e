"""What was said of accounts beside whether they then wrote in concert."""

from __future__ import annotations

from rapport.insights.contract import Backtest, Context, Metric
from rapport.kit import chances
from rapport.plugins.insights.authenticity import concert
from rapport.plugins.insights.authenticity.posts import Floats, Posts


def judged(genuine: Floats, seen: Posts, context: Context) -> Backtest:
    """Accounts that wrote on both sides of the cut; what came after it is looked at by itself."""
    split = f"accounts as they were at {context.now:%Y-%m-%d}, judged on posts of the {context.horizon_days} days after it"
    later = seen.only(seen.ago <= 0)
    again = later.count() > 0
    met = concert.meet(concert.learn(later), later)
    inside = later.count(met.run >= 0) > 0
    n = int(again.sum())
    note = f"{int(inside.sum())} of {n} accounts that wrote after the cut did so in concert with others."
    positive, figures = inside[again], -genuine[again]
    if not n or positive.all() or not positive.any():
        return Backtest((_share(genuine),), seen.n_accounts, split, f"{note} Nothing to tell apart.")
    before = seen.only(seen.ago > 0)
    naive = before.count()[again]
    ranked = chances.auc(figures, positive)
    return Backtest(
        (
            Metric(
                "ranking of who then writes in concert (AUC)", ranked.value, "who wrote most first",
                chances.auc(naive, positive).value, "probability", low=ranked.low, high=ranked.high,
                meaning="How often an account that then writes in concert ranks above one that does not.",
            ),
            _share(genuine),
        ),
        n,
        split,
        note,
    )  # fmt: skip


def _share(genuine: Floats) -> Metric:
    n = max(len(genuine), 1)
    return Metric(
        "accounts held to be genuine", float((genuine >= 0.5).sum() / n), "everybody", 1.0,
        higher_is_better=False, meaning="Everything that is left out should have a reason that one can read.",
    )  # fmt: skip
