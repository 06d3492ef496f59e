"""From what people said to where they stand: a chance of speaking well of us, with what is not known of it.

A person speaks well of us with chance p whenever they judge us, and stands at 2p - 1. Which tone a text has is known
by the model of sentiment with an error, so a text counts as the mixture of the tones it may have:

    L(p) = neutral + positive p / u + negative (1 - p) / (1 - u),     u the share of good among all that is judged.

Where the model reads tones as good too rarely or too often shows beside the answers of those who both spoke and
answered whether they would recommend us, and is put right for everybody (prior shift; Saerens, Latinne and
Decaestecker 2002). Among people p is Beta(m k, (1 - m) k), with m and k learnt for each network (empirical Bayes;
Robbins 1956, Morris 1983): who said little stands near the network's mean, and little is known of them. Older words
count for less, and those of accounts that may not be genuine by that chance. What somebody says elsewhere, answers
and does counts on a network as well, by half. All of it lies on a grid of p, so nothing is approximated but p.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import beta, norm

from rapport.plugins.insights.advocacy.saying import Floats, Ints, Said, Texts

INTERVAL = 0.8  # of who stands beyond either end, one in ten does
GRID = (np.arange(60) + 0.5) / 60
STAND = 2 * GRID - 1
HALF_LIFE_DAYS = 730.0
ELSEWHERE = 0.5  # how far what is known from elsewhere counts on a network
LEARNT_FROM = 20_000  # persons of a network
HELD_BY = 5.0  # persons for whom an even network counts
ANSWER_NOISE = (
    0.5  # of a survey's answer, in the units of standing: the same person answers differently another day
)
PROMOTER_FROM = (
    0.3  # where promoters begin and, on the other side, detractors: this ties the range to what people answer
)
ANCHORED_BY = 30.0
REFER_FROM, REFER_NOISE = 0.2, 0.3  # who recommends us mostly stands above this
WEIGHT_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Network:
    """How people of one network stand: the mean chance of speaking well, how alike they are, and the tones there."""

    mean: float
    alike: float
    usual: float  # share of good among all that is judged

    def log_prior(self) -> Floats:
        edges = np.linspace(0, 1, len(GRID) + 1)
        mass = np.diff(beta.cdf(edges, self.mean * self.alike, (1 - self.mean) * self.alike))
        log: Floats = np.log(np.maximum(mass, 1e-12))
        log -= np.log(np.exp(log).sum())
        return log


def of_answers(score: Floats) -> Floats:
    """(answers, grid): how likely each answer from 0 to 10 is of somebody who stands there."""
    up = norm.cdf((STAND - PROMOTER_FROM) / ANSWER_NOISE)
    down = norm.cdf((-PROMOTER_FROM - STAND) / ANSWER_NOISE)
    kinds: Floats = np.log(np.maximum(np.stack([down, 1 - up - down, up]), 1e-6))
    return kinds[kind_of(score)]


@dataclass(frozen=True, slots=True)
class Learnt:
    """Every network, everybody together (key ''), and how far tones are read as good too often, in log-odds."""

    networks: dict[str, Network]
    misread: float

    def of(self, name: str) -> Network:
        return self.networks.get(name, self.networks[""])

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Learnt:
        return cls({name: Network(**one) for name, one in given["networks"].items()}, float(given["misread"]))


@dataclass(frozen=True, slots=True)
class Standing:
    """(cases,): where somebody stands, and the ends of the interval that holds it with a chance of INTERVAL."""

    value: Floats
    low: Floats
    high: Floats


def kind_of(score: Floats) -> Ints:
    """0 detractor (0 to 6), 1 passive (7 and 8), 2 promoter (9 and 10)."""
    return np.digitize(score, [6.5, 8.5])


def learn(said: Said) -> Learnt:
    """What is usual on each network, learnt from everybody who spoke there and what they answered."""
    texts = said.texts
    answered = np.zeros((said.n_persons, len(GRID)))
    np.add.at(
        answered, said.answers.owner, of_answers(said.answers.score) * _fresh(said.answers.ago)[:, None]
    )
    off = _misread(texts, answered)
    texts = _read_rightly(texts, off)
    networks = {"": _network(texts, answered)}
    for name in np.unique(texts.network.astype(str)):
        networks[str(name)] = _network(texts.only(texts.network == name), answered)
    return Learnt(networks, off)


def by_person(learnt: Learnt, said: Said) -> tuple[Floats, Floats, Ints]:
    """Of each person and network the log-likelihood, of each person that of answers and acts; where it belongs.

    Returns (cases, grid), (persons, grid), and the first text of each case.
    """
    texts = _read_rightly(said.texts, learnt.misread)
    first = _cases(texts)
    told = np.zeros((len(first), len(GRID)))
    if len(first):
        each = np.zeros((len(texts), len(GRID)))
        for name in np.unique(texts.network.astype(str)):
            at = texts.network == name
            each[at] = _of_texts(texts.only(at), learnt.of(str(name)).usual)
        told = np.add.reduceat(each, first)
    done = np.zeros((said.n_persons, len(GRID)))
    fresh = _fresh(said.answers.ago)[:, None]
    np.add.at(done, said.answers.owner, of_answers(said.answers.score) * fresh)
    refer = norm.logcdf((STAND - REFER_FROM) / REFER_NOISE)
    np.add.at(done, said.referrals.owner, refer[None, :] * _fresh(said.referrals.ago)[:, None])
    return told, done, first


def place(log_posterior: Floats) -> Standing:
    """The mean and the middle of each row."""
    weight = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    reached = np.cumsum(weight, axis=1)
    tail = (1 - INTERVAL) / 2
    return Standing(weight @ STAND, _quantile(reached, weight, tail), _quantile(reached, weight, 1 - tail))


def _quantile(reached: Floats, weight: Floats, share: float) -> Floats:
    """Within the cell where the share is reached, in proportion."""
    at = (reached < share).sum(axis=1).clip(max=len(GRID) - 1)
    row = np.arange(len(reached))
    before = reached[row, at] - weight[row, at]
    inside = (share - before) / np.maximum(weight[row, at], 1e-12)
    width = 2 / len(GRID)
    found: Floats = -1 + width * (at + inside.clip(0, 1))
    return found


def _cases(texts: Texts) -> Ints:
    """Where each person's texts on one network begin."""
    if not len(texts):
        return np.zeros(0, np.int64)
    new = (texts.owner[1:] != texts.owner[:-1]) | (texts.network[1:] != texts.network[:-1])
    return np.concatenate([[0], np.flatnonzero(new) + 1])


def _fresh(ago: Floats) -> Floats:
    weight: Floats = 0.5 ** (np.maximum(ago, 0) / HALF_LIFE_DAYS)
    return weight


def _of_texts(texts: Texts, usual: float) -> Floats:
    """(texts, grid): how likely each text is of somebody who speaks well with chance p."""
    neutral = np.maximum(1 - texts.positive - texts.negative, 0)
    chance = (
        neutral[:, None]
        + texts.positive[:, None] * (GRID / usual)
        + texts.negative[:, None] * ((1 - GRID) / (1 - usual))
    )
    log: Floats = np.log(np.maximum(chance, 1e-9))
    return log * (texts.weight * _fresh(texts.ago))[:, None]


def _usual(texts: Texts) -> float:
    """The share of good among all that is judged; even where nothing is."""
    good, bad = float((texts.positive * texts.weight).sum()), float((texts.negative * texts.weight).sum())
    return float(np.clip((good + 1) / (good + bad + 2), 0.05, 0.95))


def _network(texts: Texts, answered: Floats) -> Network:
    """The mean and likeness that make what was said and answered most likely (type II maximum likelihood)."""
    texts = texts.only(texts.weight > WEIGHT_LEAST)
    if not len(texts):
        return Network(0.5, 2.0, 0.5)
    usual = _usual(texts)
    begin = np.flatnonzero(np.concatenate([[True], texts.owner[1:] != texts.owner[:-1]]))
    if len(begin) > LEARNT_FROM:
        end = int(begin[LEARNT_FROM])
        texts, begin = texts.only(np.arange(len(texts)) < end), begin[:LEARNT_FROM]
    return _likeliest(np.add.reduceat(_of_texts(texts, usual), begin) + answered[texts.owner[begin]], usual)


def _likeliest(told: Floats, usual: float) -> Network:
    """Of log-likelihoods (people, grid), the distribution of people that explains them best."""
    top = told.max(axis=1, keepdims=True)
    likelihood = np.exp(told - top)

    def loss(at: Floats) -> float:
        prior = np.exp(Network(_even(at[0]), float(np.exp(at[1])), usual).log_prior())
        # A few people's worth of an even, mixed network, so that a handful of posts does not settle it.
        held = HELD_BY * float(at[0] ** 2 / 8 + (at[1] - 1.0) ** 2 / 4)
        return held - float(np.log(likelihood @ prior).sum())

    start = np.array([_logit(usual), 1.0])
    best = minimize(
        loss, start, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.02, "maxiter": 90}
    ).x
    mean, alike = _even(best[0]), float(np.exp(np.clip(best[1], -1.5, 4)))
    return Network(float(np.clip(mean, 0.02, 0.98)), alike, usual)


def _misread(texts: Texts, answered: Floats) -> float:
    """How far, in log-odds, tones are read as good too often: beside the answers of those who both spoke and answered.

    An answer does not depend on how words are read. Drawn toward nothing as by ANCHORED_BY people.
    """
    both = np.abs(answered).max(axis=1) > 0
    texts = texts.only(both[texts.owner] & (texts.weight > WEIGHT_LEAST))
    people = np.unique(texts.owner)
    if not len(people):
        return 0.0
    stand = _likeliest(answered[people], 0.5).mean
    n = len(people)
    return float(np.clip((_logit(_usual(texts)) - _logit(stand)) * n / (n + ANCHORED_BY), -1, 1))


def _read_rightly(texts: Texts, off: float) -> Texts:
    """The tones with the odds of good against bad put right; what is neutral stays so (Saerens et al. 2002)."""
    judges = texts.positive + texts.negative
    positive = texts.positive * np.exp(-off)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(judges > 0, positive / (positive + texts.negative), 0.5)
    return replace(texts, positive=judges * share, negative=judges * (1 - share))


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _even(odds: float) -> float:
    return float(1 / (1 + np.exp(-odds)))
