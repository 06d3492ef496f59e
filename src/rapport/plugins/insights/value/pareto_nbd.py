"""Pareto/NBD: a buyer may stop for good at any moment.

Purchases come at a person's own Poisson rate, rates are gamma(r, alpha) over people; people leave at an own
constant hazard, gamma(s, beta) over people (Schmittlein, Morrison and Colombo 1987, "Counting your customers:
who are they and what will they do next?", Management Science 33; likelihood as in Fader and Hardie 2005, "A note
on deriving the Pareto/NBD model and related expressions").

Not taken from there: the two hypergeometric functions of the likelihood. Their difference is the integral over
the moment of leaving, from the last purchase to now,

    integral of s beta^s (beta + u)^-(s+1) (alpha + u)^-(r+x) du,

which has no cancellation, no case for alpha above or below beta, and a gradient under the integral sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from rapport.plugins.insights.value.histories import Floats, Likelihood, States, summed

_NODES = np.polynomial.legendre.leggauss(20)
_AT, _WEIGHT = (_NODES[0] + 1) / 2, _NODES[1] / 2


@dataclass(frozen=True, slots=True)
class ParetoNbd:
    """Parameters are (r, alpha, s, beta); alpha and beta in units of time."""

    name: str = "pareto_nbd"
    title: str = "Pareto/NBD"
    parameters: tuple[str, ...] = ("r", "alpha", "s", "beta")

    def starts(self, s: States) -> list[Floats]:
        """Where to begin the search, as parameters."""
        scale = max(float((s.seen * s.weight).sum() / s.n_people) / 3, 1e-6)
        return [np.array([0.6, scale, 0.6, scale]), np.array([1.5, 3 * scale, 0.5, 6 * scale])]

    def log_likelihood(self, theta: Floats, s: States) -> Likelihood:
        """The log-likelihood and its gradient by (ln r, ln alpha, ln s, ln beta)."""
        r, alpha, shape, beta = theta
        k = r + s.n_repeats
        here, there = np.log(alpha + s.seen), np.log(beta) - np.log(beta + s.seen)
        stays = -k * here + shape * there
        leaves = self._leaving(theta, s)
        both = np.logaddexp(stays, leaves.log_total)
        ll = gammaln(k) - gammaln(r) + r * np.log(alpha) + both
        p_stays = np.exp(stays - both)
        p_left = leaves.share * np.exp(leaves.log_total - both)[:, None]  # joint with the node of leaving
        p_any = p_left.sum(axis=1)
        by_r = digamma(k) - digamma(r) + np.log(alpha) - p_stays * here - _over(p_left, leaves.log_alpha)
        by_alpha = r / alpha - k * (p_stays / (alpha + s.seen) + _over(p_left, np.exp(-leaves.log_alpha)))
        by_s = p_stays * there + p_any * (1 / shape + np.log(beta)) - _over(p_left, leaves.log_beta)
        by_beta = (
            p_stays * shape * (1 / beta - 1 / (beta + s.seen))
            + p_any * shape / beta
            - (shape + 1) * _over(p_left, np.exp(-leaves.log_beta))
        )
        at_last = np.log(shape) + shape * np.log(beta) - (shape + 1) * np.log(beta + s.last)
        return Likelihood(
            value=summed(s.weight, ll),
            gradient=np.array([summed(s.weight, g) for g in (by_r, by_alpha, by_s, by_beta)]) * theta,
            by_last=-np.exp(at_last - k * np.log(alpha + s.last) - both),
            by_seen=-p_stays * k / (alpha + s.seen),
        )

    def alive(self, theta: Floats, s: States) -> Floats:
        """Probability that the person has not left by now."""
        r, alpha, shape, beta = theta
        k = r + s.n_repeats
        stays = -k * np.log(alpha + s.seen) + shape * (np.log(beta) - np.log(beta + s.seen))
        probability: Floats = np.exp(stays - np.logaddexp(stays, self._leaving(theta, s).log_total))
        return probability

    def expected_if_alive(self, theta: Floats, s: States, ahead: Floats) -> Floats:
        """Expected purchases within the time ahead of those who are still buyers.

        With the hazard m ~ gamma(s, beta + T), the expectation is the mean rate times that of (1 - e^(-m t)) / m.
        """
        r, alpha, shape, beta = theta
        rate = (r + s.n_repeats) / (alpha + s.seen)
        c = ahead / (beta + s.seen)
        # The mean time that is left within t: the integral of (1 + v)^-s up to c, in units of beta + T.
        grows = np.expm1((1 - shape) * np.log1p(c)) / (1 - shape) if abs(shape - 1) > 1e-9 else np.log1p(c)
        expected: Floats = rate * grows * (beta + s.seen)
        return expected

    def draw_if_alive(
        self, theta: Floats, rng: np.random.Generator, n_repeats: float, seen: Floats, ahead: Floats
    ) -> tuple[Floats, Floats]:
        """Purchases ahead, and the share of that time in which they come; see BetaGeometric.draw_if_alive."""
        r, alpha, shape, beta = (theta[:, i] for i in range(4))
        rate = rng.gamma(r + n_repeats)[None, :] / (alpha[None, :] + seen[:, None])
        hazard = np.maximum(rng.gamma(shape), 1e-300)[None, :] / (beta[None, :] + seen[:, None])
        lasts = np.minimum(rng.standard_exponential(len(theta))[None, :] / hazard, ahead[:, None])
        bought = rng.poisson(np.minimum(rate * lasts, 1e6)).astype(np.float64)
        return bought, lasts / np.maximum(ahead, 1e-12)[:, None]

    def _leaving(self, theta: Floats, s: States) -> _Leaving:
        """The integral over the moment of leaving, node by node.

        Of the two declining factors, (alpha + u)^-(r+x) and (beta + u)^-(s+1), the nodes follow the one that
        falls faster at the last purchase, so that few do even for buyers of hundreds of orders; the other is
        at most what it is there.
        """
        r, alpha, shape, beta = theta
        k = r + s.n_repeats
        by_rate = k * (beta + s.last) >= (shape + 1) * (alpha + s.last)
        near, far = np.where(by_rate, alpha, beta), np.where(by_rate, beta, alpha)
        power, other = np.where(by_rate, k, shape + 1), np.where(by_rate, shape + 1, k)
        start, far_start = np.log(near + s.last), np.log(far + s.last)
        falls = np.where(np.abs(power - 1) < 1e-6, 1e-6, power - 1)
        whole = -np.expm1(-falls * (np.log(near + s.seen) - start))
        log_near = start[:, None] + np.log1p(-_AT[None, :] * whole[:, None]) / -falls[:, None]
        log_far = np.log(far[:, None] + np.maximum(np.exp(log_near) - near[:, None], 0.0))
        share = np.exp(other[:, None] * (far_start[:, None] - log_far)) * _WEIGHT
        total = share.sum(axis=1)
        with np.errstate(divide="ignore"):  # nothing lies between a purchase today and now
            log_total = (
                np.log(shape) + shape * np.log(beta) - other * far_start
                + (1 - power) * start + np.log(whole / falls) + np.log(total)
            )  # fmt: skip
        log_alpha = np.where(by_rate[:, None], log_near, log_far)
        log_beta = np.where(by_rate[:, None], log_far, log_near)
        return _Leaving(log_alpha, log_beta, share / total[:, None], log_total)


@dataclass(frozen=True, slots=True)
class _Leaving:
    """State x node: logarithms of alpha and beta plus the moment, and the node's share of the integral."""

    log_alpha: Floats
    log_beta: Floats
    share: Floats
    log_total: Floats  # of the integral, one per state


def _over(p: Floats, f: Floats) -> Floats:
    total: Floats = np.einsum("ij,ij->i", p, f)
    return total


PARETO_NBD = ParetoNbd()
