"""Gamma-Gamma: what an order of each person costs, by the orders seen and by everybody else's.

The value of an order is gamma(p, nu) with a person's own nu, and nu is gamma(q, v) over people, whatever their
rate of buying (Fader and Hardie 2013, "The Gamma-Gamma model of monetary value"). A person's expected value lies
between the mean of the own orders and everybody's mean, the nearer to the own the more orders there are.

Not taken from there: a free q. Everybody's mean is p v / (q - 1); q is kept above 1, so that somebody without a
usable order has a finite one too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from rapport.plugins.insights.value.histories import Floats

PRIOR_SD = 3.0  # of the logarithms: a factor of 20 either way


@dataclass(frozen=True, slots=True)
class Spending:
    """The three parameters; v has the unit of the values.

    >>> cdnow = Spending(6.25, 3.74, 15.44)
    >>> cdnow.expected(np.array([0.0, 4.0]), np.array([0.0, 50.0])).round(2).tolist()
    [35.22, 48.54]
    """

    p: float
    q: float
    v: float

    def expected(self, n: Floats, mean: Floats) -> Floats:
        """Expected value of an order of people with `n` orders of this mean."""
        value: Floats = self.p * (self.v + n * mean) / (self.p * n + self.q - 1)
        return value


def log_likelihood(theta: Floats, n: Floats, mean: Floats) -> tuple[float, Floats]:
    """The log-likelihood of means over n orders each, and its gradient by (ln p, ln (q - 1), ln v)."""
    p, q, v = theta
    pn = p * n
    sum_, log_sum = v + n * mean, np.log(v + n * mean)
    ll = (
        gammaln(pn + q) - gammaln(pn) - gammaln(q)
        + q * np.log(v) + (pn - 1) * np.log(mean) + pn * np.log(n) - (pn + q) * log_sum
    )  # fmt: skip
    by_p = n * (digamma(pn + q) - digamma(pn) + np.log(mean) + np.log(n) - log_sum)
    by_q = digamma(pn + q) - digamma(q) + np.log(v) - log_sum
    by_v = q / v - (pn + q) / sum_
    gradient = np.array([by_p.sum() * p, by_q.sum() * (q - 1), by_v.sum() * v])
    return float(ll.sum()), gradient


def fit(n: Floats, mean: Floats, prior: float = 1.0) -> Spending:
    """The parameters for people with `n` orders each of a mean value above 0; `prior` 0 is maximum likelihood."""
    if len(n) == 0:
        return Spending(1.0, 2.0, 1.0)
    typical = float(np.exp((np.log(mean) * n).sum() / n.sum()))
    centre = np.log([3.0, 2.0, typical * 2 / 3])

    def loss(at: Floats) -> tuple[float, Floats]:
        p, above, v = np.exp(at)
        ll, gradient = log_likelihood(np.array([p, 1 + above, v]), n, mean)
        off = (at - centre) / PRIOR_SD
        return (0.5 * prior * float(off @ off) - ll) / len(n), (prior * off / PRIOR_SD - gradient) / len(n)

    found = minimize(
        loss, centre, jac=True, method="SLSQP", bounds=[(c - 9, c + 9) for c in centre],
        options={"maxiter": 500, "ftol": 1e-13},
    )  # fmt: skip
    p, above, v = np.exp(found.x)
    return Spending(float(p), float(1 + above), float(v))
