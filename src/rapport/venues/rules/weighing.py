"""How much a draft reads like promotion, as learnt from drafts that independent writers wrote and judged. Pure.

A linear model over three kinds of evidence: the weak signs of each sentence, which stand in one together and
where, what the word rules found, and hashed words and pieces of words. It sees neither the firm's name nor its
addresses, only that they are there. scripts/train_promotion.py learns the weights and prints the thresholds;
README.md beside it says from what, and how good it is.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from rapport.kit.texts import hashing, learning
from rapport.kit.texts.hashing import BITS
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.linear import Linear
from rapport.kit.texts.tokens import words
from rapport.venues.rules import signs
from rapport.venues.rules.folding import Folded, folded

LABELS = ("help", "promotion")
WEIGHTS = "weighing.npz"

# Log odds. The thresholds were chosen on writers that the weights had not seen; see README.md.
FORBIDDEN_FROM = 1.3
FORBIDDEN_BY_RULE_FROM = 0.7  # where the word rules found something, which has added to the weight already
DOUBTED_FROM = -1.2

WORDS_CHARS_MAX = 120
RULED = ("code", "offer", "call", "praise")
_RULES = (*RULED, "elsewhere", "votes")
_PLACES = {kind: place for place, kind in enumerate(signs.KINDS)}
_PAIRS = {
    pair: len(_PLACES) + place for place, pair in enumerate(itertools.combinations(range(len(_PLACES)), 2))
}
_RULES_AT = len(_PLACES) + len(_PAIRS)
_COUNTS_AT = _RULES_AT + len(_RULES) + 1
_COUNTS = tuple(range(2, 12))
_WHERE_AT = _COUNTS_AT + 4 * len(_COUNTS)
_FIRST, _AMIDST, _LAST = range(3)  # where in a draft of several sentences a sign stands
SIGNS = _WHERE_AT + 3 * len(_PLACES)  # columns that stand before the hashed ones
_TEMPTING = frozenset(signs.TEMPTING) | {
    "named", "percent", "exclaims", "winks", "amount", "compares", "ends", "few"
}  # fmt: skip
_HONEST = frozenset(signs.HONEST)
_AHEAD = 3  # by how many kinds what is honest may outnumber what tempts, and still be counted


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a draft weighs: the log odds that it promotes, and the words that tell most."""

    z: float
    words: str

    def verdict(self, by_rule: bool) -> str:
        """`forbidden`, `doubted` or nothing; by_rule: the word rules found something as well."""
        return verdict(self.z, by_rule)


def verdict(z: float, by_rule: bool) -> str:
    if z >= (FORBIDDEN_BY_RULE_FROM if by_rule else FORBIDDEN_FROM):
        return "forbidden"
    return "doubted" if by_rule or z >= DOUBTED_FROM else ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is weighed of a draft: its text, what the word rules found, and the names and addresses of the firm."""

    text: Folded
    ruled: Collection[str] = ()
    names: Sequence[str] = ()


def weighed(draft: Draft) -> Weighed:
    """How much a draft reads like promotion, and which of its sentences does most."""
    (z,) = logits([draft])
    return Weighed(float(z), _telling(draft) if z >= DOUBTED_FROM or draft.ruled else "")


def logits(drafts: Sequence[Draft]) -> Floats:
    """float64 (drafts,): the log odds that each promotes."""
    model = _model()
    z = columns(drafts)[:, model.buckets] @ model.weights + model.bias
    return np.asarray(z[:, 1] - z[:, 0], np.float64)


def columns(drafts: Sequence[Draft]) -> sp.csr_matrix:
    """float32 CSR (drafts, SIGNS + hashed buckets): what the model reads."""
    found = [_signed(draft) for draft in drafts]
    row = np.repeat(np.arange(len(found)), [len(one) for one in found])
    column = np.fromiter(itertools.chain.from_iterable(found), np.int64, len(row))
    shown = sp.csr_matrix(
        (np.ones(len(row), np.float32), (row, column)), shape=(len(found), SIGNS), dtype=np.float32
    )
    spelt = words(pa.array([_nameless(draft) for draft in drafts], pa.string()))
    return sp.hstack([shown, learning.matrix([hashing.features(spelt)])], format="csr")


def scale(given: sp.csr_matrix) -> Floats:
    """float64 (columns,): how freely each column is learnt."""
    loose = np.full(SIGNS, _SINGLE)
    loose[len(_PLACES) : _RULES_AT] = _PAIR
    loose[_WHERE_AT:] = _WHERE
    return np.concatenate([loose, _SPELT * learning.rarity(given[:, SIGNS:])])


_SINGLE, _PAIR, _WHERE, _SPELT = 0.5, 0.3, 0.25, 2.2
WIDTH = SIGNS + (1 << BITS)


def _signed(draft: Draft) -> list[int]:
    """The columns of the signs that a draft has."""
    found: set[int] = set()
    most = 0
    every: set[str] = set()
    sentences = signs.sentences(draft.text, draft.names)
    for at, sentence in enumerate(sentences):
        places = sorted(_PLACES[kind] for kind in sentence.kinds)
        found.update(places)
        found.update(_PAIRS[pair] for pair in itertools.combinations(places, 2))
        if len(sentences) > 1:
            where = _LAST if at == len(sentences) - 1 else _AMIDST if at else _FIRST
            found.update(_WHERE_AT + where * len(_PLACES) + place for place in places)
        most = max(most, len(sentence.kinds & _TEMPTING))
        every |= sentence.kinds
    found.update(_RULES_AT + place for place, kind in enumerate(_RULES) if kind in draft.ruled)
    if any(kind in draft.ruled for kind in RULED):
        found.add(_RULES_AT + len(_RULES))
    found.update(_counted(most, len(every & _TEMPTING), len(every & _HONEST)))
    return sorted(found)


def _counted(most: int, tempting: int, honest: int) -> Iterator[int]:
    """The columns of how many kinds tempt in one sentence and in all, how many are honest, and which are more."""
    for place, n in enumerate(_COUNTS):
        reached = (most >= n, tempting > n, honest >= n, tempting - honest >= n - _AHEAD)
        for kind, is_reached in enumerate(reached):
            if is_reached:
                yield _COUNTS_AT + kind * len(_COUNTS) + place


def _nameless(draft: Draft) -> str:
    names = sorted((name for name in draft.names if len(name) > 2), key=len, reverse=True)
    if not names:
        return draft.text.seen
    return re.sub("|".join(map(re.escape, names)), "firmname", draft.text.seen, flags=re.IGNORECASE)


def _telling(draft: Draft) -> str:
    """The sentence that by itself reads most like promotion, cut where it is long."""
    said = [sentence.words for sentence in signs.sentences(draft.text)]
    if not said:
        return ""
    z = logits([Draft(folded(one), (), draft.names) for one in said])
    most = said[int(np.argmax(z))]
    return most if len(most) <= WORDS_CHARS_MAX else f"{most[: WORDS_CHARS_MAX - 1].rstrip()}…"


@functools.cache
def _model() -> Linear:
    return Linear.from_bytes(resources.files("rapport.venues.rules").joinpath(WEIGHTS).read_bytes())
