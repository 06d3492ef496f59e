"""What our public replies did: how stance moved after them, beside like conversations that were left alone. Pure.

Effect on those we answered, by exact strata (Imbens and Rubin 2015, chapter 17): within a stratum of why they
asked and how they stood before, the mean move after our reply less the mean move of those left alone; strata
weigh as many answered ones as they hold. Within a stratum moves are set right for where somebody stood, by one
slope for all strata, because we answer the angriest, and anger cools by itself. The interval is Neyman's, with
Satterthwaite's degrees of freedom. What was not taken over: propensity scores, for which a venue has too few
conversations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z = 1.959964
STRATUM_MIN = 2  # answered ones and ones left alone, so that each has a variance
JUDGED_MIN = 20  # answered conversations; fewer make nobody fall silent
EDGES = (-0.6, -0.3, 0.0, 0.3)  # of stance before, from -1 to 1


@dataclass(frozen=True, slots=True)
class Case:
    """One public conversation. Stances are means over what others said, from -1 to 1; None: they said nothing.

    ordered_30, ordered_90 : None where the days are not over, or nobody knows whose handle it is
    """

    why: str
    before: float
    after: float | None
    is_thanked: bool = False
    is_blocked: bool = False
    ordered_30: bool | None = None
    ordered_90: bool | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference that our replies made, with its 95 % interval, and how many it stands on."""

    value: float
    low: float
    high: float
    n_answered: int
    n_alone: int


@dataclass(frozen=True, slots=True)
class Received:
    """How replies were received in one venue or through one playbook. None where too little is known."""

    n_answered: int
    n_alone: int
    n_quiet: int  # answered, and nobody said anything after
    n_unmatched: int  # answered, and no like conversation was left alone
    stance_before: float | None
    stance_after: float | None
    stance: Effect | None
    n_thanked: int
    n_blocked: int
    blocked: Effect | None
    ordered_30: Effect | None
    ordered_90: Effect | None

    @property
    def does_harm(self) -> bool:
        """Whether replies made things worse for certain: the whole interval lies below zero."""
        harmful = self.stance is not None and self.stance.high < 0 and self.stance.n_answered >= JUDGED_MIN
        blocked = self.blocked is not None and self.blocked.low > 0 and self.blocked.n_answered >= JUDGED_MIN
        return harmful or blocked

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Received:
        effects = ("stance", "blocked", "ordered_30", "ordered_90")
        values: dict[str, Any] = {
            k: Effect(**v) if k in effects and v is not None else v for k, v in given.items()
        }
        return cls(**values)


def received(answered: Sequence[Case], alone: Sequence[Case]) -> Received:
    """Set answered conversations beside like ones that were left alone."""
    spoke = [c for c in answered if c.after is not None]
    quiet = [c for c in alone if c.after is not None]
    stance, n_unmatched = _by_strata(spoke, quiet)
    return Received(
        n_answered=len(answered),
        n_alone=len(alone),
        n_quiet=len(answered) - len(spoke),
        n_unmatched=n_unmatched,
        stance_before=_mean([c.before for c in spoke]),
        stance_after=_mean([c.after for c in spoke if c.after is not None]),
        stance=stance,
        n_thanked=sum(c.is_thanked for c in answered),
        n_blocked=sum(c.is_blocked for c in answered),
        blocked=difference([c.is_blocked for c in answered], [c.is_blocked for c in alone]),
        ordered_30=_ordered(answered, alone, "ordered_30"),
        ordered_90=_ordered(answered, alone, "ordered_90"),
    )


def _by_strata(answered: Sequence[Case], alone: Sequence[Case]) -> tuple[Effect | None, int]:
    pull = _pull_to_the_middle([*answered, *alone])
    moves, others = _moves(answered, pull), _moves(alone, pull)
    shared = [s for s in moves if len(moves[s]) >= STRATUM_MIN and len(others.get(s, ())) >= STRATUM_MIN]
    n = sum(len(moves[s]) for s in shared)
    unmatched = len(answered) - n
    if not shared:
        return None, unmatched
    value = variance = 0.0
    spread: list[tuple[float, int]] = []
    for stratum in sorted(shared):
        ours, theirs = np.asarray(moves[stratum]), np.asarray(others[stratum])
        weight = len(ours) / n
        value += weight * float(ours.mean() - theirs.mean())
        for values in (ours, theirs):
            part = weight**2 * float(values.var(ddof=1)) / len(values)
            variance += part
            spread.append((part, len(values) - 1))
    freedom = variance**2 / sum(p * p / f for p, f in spread if p > 0) if variance > 0 else 1e6
    wide = t_quantile(freedom) * math.sqrt(variance)
    n_alone = sum(len(others[s]) for s in shared)
    return Effect(value, max(-2.0, value - wide), min(2.0, value + wide), n, n_alone), unmatched


def _moves(cases: Sequence[Case], pull: float) -> dict[tuple[str, int], list[float]]:
    found: dict[tuple[str, int], list[float]] = {}
    for case in cases:
        if case.after is not None:
            found.setdefault(_stratum(case), []).append(case.after - case.before - pull * case.before)
    return found


def _stratum(case: Case) -> tuple[str, int]:
    return case.why, int(np.searchsorted(EDGES, case.before, side="right"))


def _pull_to_the_middle(cases: Sequence[Case]) -> float:
    """How far somebody moves more the lower they stand, within a stratum: anger cools with us or without."""
    by_stratum: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for case in cases:
        if case.after is not None:
            by_stratum.setdefault(_stratum(case), []).append((case.before, case.after - case.before))
    together = above = 0.0
    for pairs in by_stratum.values():
        x, y = np.asarray(pairs).T
        together += float(((x - x.mean()) * (y - y.mean())).sum())
        above += float(((x - x.mean()) ** 2).sum())
    return together / above if above > 0 else 0.0


def t_quantile(freedom: float) -> float:
    """The 97.5 % point of Student's distribution, by Fisher's expansion about the normal one.

    >>> round(t_quantile(10), 2), round(t_quantile(1e6), 2)
    (2.23, 1.96)
    """
    f = max(freedom, 2.0)
    z = Z
    return (
        z
        + (z**3 + z) / (4 * f)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
    )


def difference(ours: Sequence[bool], theirs: Sequence[bool]) -> Effect | None:
    """Difference of two shares with Newcombe's interval (1998, method 10); None where either has nobody."""
    m, n = len(ours), len(theirs)
    if not m or not n:
        return None
    p, q = sum(ours) / m, sum(theirs) / n
    p_low, p_high = _wilson(p, m)
    q_low, q_high = _wilson(q, n)
    value = p - q
    low = value - math.sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = value + math.sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return Effect(value, low, high, m, n)


def _wilson(p: float, n: int) -> tuple[float, float]:
    z2 = Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    wide = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - wide), min(1.0, middle + wide)


def _ordered(answered: Sequence[Case], alone: Sequence[Case], name: str) -> Effect | None:
    ours = [bool(getattr(c, name)) for c in answered if getattr(c, name) is not None]
    theirs = [bool(getattr(c, name)) for c in alone if getattr(c, name) is not None]
    return difference(ours, theirs)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
