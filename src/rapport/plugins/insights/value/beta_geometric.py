"""BG/NBD and MBG/NBD: a buyer may stop for good after any purchase.

Purchases come at a person's own Poisson rate, rates are gamma(r, alpha) over people; after a purchase the person
is gone with an own probability, beta(a, b) over people. In BG/NBD only repeat purchases can be the last (Fader,
Hardie and Lee 2005, "Counting your customers the easy way", Marketing Science 24); in MBG/NBD the first one can
be too (Batislam, Denizel and Filiztekin 2007, "Empirical validation and comparison of models for customer base
analysis", IJRM 24), so that there is one throw more. Everything else is the same formula.

Not taken from there: the expectation's hypergeometric function, which loses its digits for a near 1 and for
buyers of many orders. It is an expectation over the beta posterior and is integrated by Gauss-Jacobi nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import digamma, gammaln

from rapport.plugins.insights.value.histories import Floats, Likelihood, States, summed

NODES = 48


@dataclass(frozen=True, slots=True)
class BetaGeometric:
    """One of the two; parameters are (r, alpha, a, b), alpha in units of time.

    >>> buyers = States(np.array([0.0, 2.0]), np.array([0.0, 30.4]), np.array([38.9, 38.9]), np.ones(2))
    >>> BG_NBD.alive(np.array([0.243, 4.414, 0.793, 2.426]), buyers).round(3).tolist()
    [1.0, 0.727]
    """

    name: str
    title: str
    extra: int  # throws beside those after repeat purchases: 0, or 1 where the first purchase may be the last
    parameters: tuple[str, ...] = ("r", "alpha", "a", "b")

    def starts(self, s: States) -> list[Floats]:
        """Where to begin the search, as parameters."""
        scale = max(float((s.seen * s.weight).sum() / s.n_people) / 4, 1e-6)
        return [np.array([0.5, scale, 0.8, 2.0]), np.array([1.5, 4 * scale, 0.3, 4.0])]

    def log_likelihood(self, theta: Floats, s: States) -> Likelihood:
        """The log-likelihood and its gradient by (ln r, ln alpha, ln a, ln b)."""
        r, alpha, a, b = theta
        x, k = s.n_repeats, r + s.n_repeats
        throws = x + self.extra
        now, then = np.log(alpha + s.seen), np.log(alpha + s.last)
        can_be_gone = throws > 0
        odds = self._log_odds_gone(theta, s)
        log_sum = np.logaddexp(0.0, odds)
        ll = (
            gammaln(k) - gammaln(r) + r * np.log(alpha) - k * now
            + gammaln(a + b) - gammaln(b) + gammaln(b + throws) - gammaln(a + b + throws)
            + log_sum
        )  # fmt: skip
        gone = np.where(can_be_gone, np.exp(odds - log_sum), 0.0)  # probability, given everything
        by_r = digamma(k) - digamma(r) + np.log(alpha) - now + gone * (now - then)
        by_alpha = r / alpha - k / (alpha + s.seen) + gone * k * (1 / (alpha + s.seen) - 1 / (alpha + s.last))
        by_a = digamma(a + b) - digamma(a + b + throws) + gone / a
        by_b = digamma(a + b) - digamma(b) + digamma(b + throws) - digamma(a + b + throws)
        by_b = by_b - gone / np.where(can_be_gone, b + throws - 1, 1.0)
        return Likelihood(
            value=summed(s.weight, ll),
            gradient=np.array([summed(s.weight, g) for g in (by_r, by_alpha, by_a, by_b)]) * theta,
            by_last=-gone * k / (alpha + s.last),
            by_seen=-(1 - gone) * k / (alpha + s.seen),
        )

    def alive(self, theta: Floats, s: States) -> Floats:
        """Probability that the last purchase was not the last for good."""
        odds = self._log_odds_gone(theta, s)
        probability: Floats = np.exp(-np.logaddexp(0.0, odds))
        return probability

    def expected_if_alive(self, theta: Floats, s: States, ahead: Floats) -> Floats:
        """Expected purchases within the time ahead of those who are still buyers."""
        r, alpha, a, b = theta
        per_shape = (r + s.n_repeats, ahead / (alpha + s.seen))
        expected = np.empty(len(s))
        throws = s.n_repeats + self.extra
        for n in np.unique(throws):
            mine = throws == n
            p, weight = _beta_nodes(float(a), float(b + n))
            k, c = per_shape[0][mine][:, None], per_shape[1][mine][:, None]
            # (1 - (1 + p c)^-k) / p is the expectation for a given p, and k c where p is nil.
            expected[mine] = (-np.expm1(-k * np.log1p(p * c)) / p * weight).sum(axis=1)
        return expected

    def draw_if_alive(
        self, theta: Floats, rng: np.random.Generator, n_repeats: float, seen: Floats, ahead: Floats
    ) -> tuple[Floats, Floats]:
        """Purchases ahead, and the share of that time in which they come, of people drawn from the posterior.

        theta : draw x 4, one set of parameters for each draw
        seen, ahead : ages, all with `n_repeats` repeat purchases, and the time ahead of each
        Gives two arrays of age x draw.
        """
        r, alpha, a, b = (theta[:, i] for i in range(4))
        rate = rng.gamma(r + n_repeats)[None, :] / (alpha[None, :] + seen[:, None])
        p = np.clip(rng.beta(a, b + n_repeats + self.extra), 1e-12, 1.0)
        last = np.floor(np.log1p(-rng.random(len(theta))) / np.log1p(-np.minimum(p, 1 - 1e-12))) + 1
        wanted = rng.poisson(np.minimum(rate * ahead[:, None], 1e6)).astype(np.float64)
        bought = np.minimum(wanted, last[None, :])
        share = np.where(wanted > bought, (bought + 1) / (wanted + 1), 1.0)
        return bought, share

    def _log_odds_gone(self, theta: Floats, s: States) -> Floats:
        r, alpha, a, b = theta
        throws = s.n_repeats + self.extra
        ratio = np.log(alpha + s.seen) - np.log(alpha + s.last)
        odds: Floats = np.where(
            throws > 0,
            np.log(a) - np.log(np.where(throws > 0, b + throws - 1, 1.0)) + (r + s.n_repeats) * ratio,
            -np.inf,
        )
        return odds


def _beta_nodes(a: float, b: float) -> tuple[Floats, Floats]:
    """Nodes in (0, 1) and weights that sum to 1, for expectations over beta(a, b).

    Golub and Welsch 1969 on the Jacobi recurrence; SciPy's roots_jacobi overflows for b above some 700.
    """
    n = np.arange(NODES, dtype=np.float64)
    low, high = a - 1, b - 1
    m = 2 * n + low + high
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (low**2 - high**2) / (m * (m + 2))
        k = n[1:]
        beside = 4 * k * (k + low) * (k + high) * (k + low + high)
        beside /= (m[1:] ** 2) * (m[1:] + 1) * (m[1:] - 1)
    middle[0] = (low - high) / (low + high + 2)
    beside[0] = 4 * (1 + low) * (1 + high) / ((2 + low + high) ** 2 * (3 + low + high))
    at, vector = eigh_tridiagonal((1 + middle) / 2, np.sqrt(beside) / 2)
    return np.clip(at, 1e-300, 1.0), vector[0] ** 2


BG_NBD = BetaGeometric("bg_nbd", "BG/NBD", extra=0)
MBG_NBD = BetaGeometric("mbg_nbd", "MBG/NBD", extra=1)
