"""What a persona's card says: what sets it apart with its interval, the words it uses, whether it has moved. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport.kit.errors import Invalid

Floats = NDArray[np.float64]

Z = 1.959964
PEOPLE_LEAST = 5  # behind a figure, or it is not told: fewer could be known by it
SURE_FIT = 0.6
STABLE = 0.75  # Hennig 2007: a mean Jaccard from here on is a stable persona
DOUBTFUL = 0.6  # from here on a pattern whose members are doubtful
MOVED = 0.2  # of its share of people that a persona gained or lost, from which it is told
NAME_CHARS_MAX = 120
NOTE_CHARS_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Lift:
    """How much more often this persona's people show something than all who have a persona do."""

    facet: str
    name: str
    n: int  # of its people who show it
    share: float  # of its people of whom anything of the facet is known
    everybody: float  # the same share of all
    lift: float  # share over everybody
    low: float  # 95 % interval of the lift
    high: float

    @property
    def is_sure(self) -> bool:
        return self.low > 1 or self.high < 1

    @property
    def weight(self) -> float:
        """How much it says: far from everybody's, and true of many."""
        return math.log(max(self.low, 1e-9)) * math.sqrt(self.share) if self.low > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a figure over this persona's people beside everybody's."""

    name: str
    unit: str
    n: int
    value: float
    low: float
    high: float
    everybody: float
    spread: float  # standard deviation of everybody's

    @property
    def apart(self) -> float:
        """How far from everybody's, in standard deviations; 0 where it may be chance."""
        if self.low <= self.everybody <= self.high or self.spread <= 0:
            return 0.0
        return (self.value - self.everybody) / self.spread


@dataclass(frozen=True, slots=True)
class Word:
    """A word they use more than others do."""

    word: str
    language: str
    n: int  # of its people who used it
    z: float  # log-odds ratio over its standard error


@dataclass(frozen=True, slots=True)
class Profile:
    """What one fit found of one persona."""

    share: float  # of all who have a persona
    share_low: float
    share_high: float
    n_sure: int  # with a fit of SURE_FIT or more
    mean_fit: float
    jaccard: float | None  # how surely it comes back
    lifts: tuple[Lift, ...] = ()
    means: tuple[Mean, ...] = ()
    needs: tuple[Lift, ...] = ()  # what is expected to be bought next
    words: tuple[Word, ...] = ()
    quotes: tuple[int, ...] = ()  # numbers of texts in the log

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Profile:
        return cls(
            **{
                **given,
                "lifts": tuple(Lift(**one) for one in given["lifts"]),
                "means": tuple(Mean(**one) for one in given["means"]),
                "needs": tuple(Lift(**one) for one in given["needs"]),
                "words": tuple(Word(**one) for one in given["words"]),
                "quotes": tuple(given["quotes"]),
            }
        )

    def best(self, facets: Sequence[str] = (), n: int = 8) -> list[Lift]:
        """What sets it apart most, beyond chance, of these facets or of all."""
        mine = [one for one in self.lifts if one.weight > 0 and (not facets or one.facet in facets)]
        return sorted(mine, key=lambda one: (-one.weight, one.facet, one.name))[:n]


@dataclass(frozen=True, slots=True)
class Tried:
    """One number of personas, and how surely they come back."""

    k: int
    jaccard: tuple[float, ...]
    rand: float
    rand_low: float
    rand_high: float
    gain: float  # log-likelihood a left-out person, beyond one persona for everybody
    is_better: bool  # foretells left-out people better than fewer stable personas
    is_stable: bool

    @property
    def least(self) -> float:
        return min(self.jaccard)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Tried:
        mine = {name: given[name] for name in cls.__dataclass_fields__}
        return cls(**{**mine, "jaccard": tuple(given["jaccard"])})


@dataclass(frozen=True, slots=True)
class Moved:
    """A persona whose share of people, or whose profile, is another than at the fit before."""

    before: float  # share of people
    now: float
    is_notable: bool  # beyond chance, and by MOVED or more
    profile: float  # total variation of what is bought: 0 the same, 1 nothing in common


def lift(facet: str, name: str, n: int, of: int, n_all: int, of_all: int) -> Lift:
    """A share of a persona's people over everybody's; n of `of` people, n_all of `of_all` in all, these among them.

    The interval is Wilson's of their share over everybody's share as it is: as they are a part of everybody, the two
    move together, and the true interval is narrower.
    """
    share, everybody = n / of, n_all / of_all
    low, high = share_interval(n, of)
    return Lift(facet, name, n, share, everybody, share / everybody, low / everybody, high / everybody)


def share_interval(n: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if of == 0:
        return 0.0, 1.0
    p, z2 = n / of, Z * Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def distinctive(counts: Floats, prior_words: float = 500.0) -> Floats:
    """(personas, words): how much more each persona uses a word than the others do, in standard errors.

    Monroe, Colaresi and Quinn 2008, "Fightin' Words" (Political Analysis 16): log-odds ratio with an informative
    Dirichlet prior, here what everybody says, scaled to `prior_words`.

    counts : (personas, words)
    """
    everybody = counts.sum(axis=0)
    prior = prior_words * everybody / max(everybody.sum(), 1.0)
    prior = np.maximum(prior, 1e-9)
    n = counts.sum(axis=1, keepdims=True)
    others = everybody - counts
    own = np.log((counts + prior) / np.maximum(n + prior.sum() - counts - prior, 1e-9))
    theirs = np.log(
        (others + prior) / np.maximum(others.sum(axis=1, keepdims=True) + prior.sum() - others - prior, 1e-9)
    )
    z: Floats = (own - theirs) / np.sqrt(1 / (counts + prior) + 1 / (others + prior))
    return z


def moved(now: Profile, n: int, before: Profile, n_before: int) -> Moved:
    """What became of a persona between two fits.

    Most people are the same in both, so the interval for two separate samples is wider than it need be: what is
    told has moved.
    """
    total, total_before = n / max(now.share, 1e-9), n_before / max(before.share, 1e-9)
    error = math.sqrt(now.share * (1 - now.share) / total + before.share * (1 - before.share) / total_before)
    gap = now.share - before.share
    return Moved(
        before=before.share,
        now=now.share,
        is_notable=abs(gap) > Z * error and abs(gap) >= MOVED * before.share,
        profile=_variation(now, before),
    )


def _variation(now: Profile, before: Profile) -> float:
    a, b = ({one.name: one.share for one in p.lifts if one.facet == "bought"} for p in (now, before))
    total_a, total_b = sum(a.values()), sum(b.values())
    if not total_a or not total_b:
        return 0.0
    return 0.5 * sum(abs(a.get(name, 0) / total_a - b.get(name, 0) / total_b) for name in a.keys() | b.keys())


@dataclass(frozen=True, slots=True)
class Written:
    """What staff may write on a card."""

    name: str = field(default="")
    note: str = field(default="")

    def __post_init__(self) -> None:
        if len(self.name) > NAME_CHARS_MAX:
            raise Invalid(f"the name has {len(self.name)} characters", f"At most {NAME_CHARS_MAX} fit.")
        if len(self.note) > NOTE_CHARS_MAX:
            raise Invalid(f"the note has {len(self.note)} characters", f"At most {NOTE_CHARS_MAX} fit.")
