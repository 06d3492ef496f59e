"""What open answers are about: words and pairs of words that tell unhappy texts from the others.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, "Fightin' Words"), counted in
texts rather than in occurrences, so that one long text weighs no more than another. Not taken from the
paper: its time series. Where no text is annotated with a sentiment there is nothing to tell apart, and
phrases are only counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FALSE_RATIO = 0.1  # of the phrases shown, so many at most stand out by chance (Benjamini and Hochberg 1995)
PRIOR_TEXTS = 10.0  # how many texts the prior is worth
TEXTS_MIN = 3  # a phrase of fewer texts is no theme
SWALLOWED = 0.7  # a word that stands in one pair so often is shown as the pair


@dataclass(frozen=True, slots=True)
class Counted:
    """A phrase of one language, and the number of texts that hold it, by sentiment."""

    language: str
    phrase: str
    n: int
    n_negative: int
    n_positive: int


@dataclass(frozen=True, slots=True)
class Theme:
    """A phrase that stands out: `z` above 0 in unhappy texts, below 0 in happy ones."""

    language: str
    phrase: str
    n: int
    n_negative: int
    n_positive: int
    z: float

    @property
    def is_negative(self) -> bool:
        return self.z > 0


def themes(counted: Sequence[Counted], texts: dict[str, tuple[int, int]], *, most: int = 12) -> list[Theme]:
    """The phrases that stand out, the most decided first.

    texts : by language, the number of negative and of positive texts.
    """
    found = []
    for row in counted:
        n_negative, n_positive = texts.get(row.language, (0, 0))
        if row.n < TEXTS_MIN or not n_negative or not n_positive:
            continue
        z = log_odds_z(row.n_negative, n_negative, row.n_positive, n_positive)
        found.append(Theme(row.language, row.phrase, row.n, row.n_negative, row.n_positive, z))
    found.sort(key=lambda t: (-abs(t.z), -t.n, t.language, t.phrase))
    return _without_swallowed(_not_by_chance(found))[:most]


def _not_by_chance(found: list[Theme]) -> list[Theme]:
    """Those of many phrases looked at that stand out more than chance lets so many do; most decided first."""
    kept = 0
    for place, theme in enumerate(found, start=1):
        p = math.erfc(abs(theme.z) / math.sqrt(2))
        if p <= FALSE_RATIO * place / len(found):
            kept = place
    return found[:kept]


def log_odds_z(a: int, n_a: int, b: int, n_b: int) -> float:
    """How many standard errors a phrase's log-odds in `n_a` texts lie above those in `n_b` others."""
    prior = PRIOR_TEXTS * (a + b + 0.5) / (n_a + n_b + 1)  # never all of it, even for a phrase of every text
    rest = PRIOR_TEXTS - prior
    odds_a = math.log((a + prior) / (n_a - a + rest))
    odds_b = math.log((b + prior) / (n_b - b + rest))
    return (odds_a - odds_b) / math.sqrt(1 / (a + prior) + 1 / (b + prior))


def _without_swallowed(found: list[Theme]) -> list[Theme]:
    """Leave out a word that nearly always stands in a pair, and the pair where the word says it all."""
    pairs = [t for t in found if " " in t.phrase]
    words = [t for t in found if " " not in t.phrase]
    kept = []
    for word in words:
        holders = [p for p in pairs if p.language == word.language and word.phrase in p.phrase.split()]
        if not any(p.n >= SWALLOWED * word.n for p in holders):
            kept.append(word)
    said = {(w.language, w.phrase) for w in kept}
    kept += [p for p in pairs if not any((p.language, w) in said for w in p.phrase.split())]
    return [t for t in found if t in kept]
