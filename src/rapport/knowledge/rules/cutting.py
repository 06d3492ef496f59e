"""Texts as rows of numbers: hashed words, pairs and letters, weighed by how rare they are.

Term weights after Salton and Buckley 1988, "Term-weighting approaches in automatic text retrieval": 1 + log n
of a feature in a text, times the log of how few texts have it, each text of length one.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rapport.kit.texts import hashing
from rapport.kit.texts.tokens import Words

CHARS_MAX = 2_000  # of one text; a problem is told long before
SIZE = 1 << hashing.BITS
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+")
_ORIGIN = re.compile(r"https?://web\.archive\.org/web/\d+/")

Floats = NDArray[np.float64]


def spelling(text: str) -> str:
    """How words are compared: case folded, compatibility forms unified, addresses left out. Digits stay: H7 is not H4."""
    text = unicodedata.normalize("NFKC", html.unescape(text[:CHARS_MAX])).lower().replace("’", "'")
    return _ADDRESS.sub(" ", text)


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return _TOKEN.findall(spelling(text))


def plain(text: str) -> str:
    """A text as the reader of meanings gets it: without addresses and the signs of mentions."""
    return " ".join(_ADDRESS.sub(" ", html.unescape(text[:CHARS_MAX])).replace("@", " ").split())


def words_of_address(url: str) -> str:
    """What an address says of its page: the words of its host and path."""
    return " ".join(
        w for w in re.split(r"[^A-Za-z]+", re.sub(r"^https?://", "", _ORIGIN.sub("", url))) if len(w) > 1
    )


def counts(texts: Sequence[str]) -> sp.csr_matrix:
    """float32 (texts, SIZE): how often each text has each feature, as 1 + log n."""
    cut = [words(text) for text in texts]
    owner = np.repeat(np.arange(len(texts)), [len(one) for one in cut])
    found = hashing.features(Words(len(texts), [w for one in cut for w in one], owner))
    # Pairs of letters are in every text, and tell nothing that longer runs do not.
    parts = [part for k, part in enumerate(found.parts) if k != 2]
    if not parts:
        return sp.csr_matrix((len(texts), SIZE), dtype=np.float32)
    bucket = np.concatenate([b for b, _ in parts])
    row = found.owner[np.concatenate([w for _, w in parts])]
    # 32 bits: a process with 10,000 entries keeps millions of these.
    made = sp.csr_matrix((np.ones(len(bucket), np.float32), (row, bucket)), shape=(len(texts), SIZE))
    made.sum_duplicates()
    return _with(made, 1 + np.log(made.data))


@dataclass(frozen=True, slots=True)
class Rarity:
    """How much each feature tells: float32 (SIZE,)."""

    weight: NDArray[np.float32]

    @classmethod
    def of(cls, counted: sp.csr_matrix) -> Rarity:
        n = counted.shape[0]
        having = np.bincount(counted.indices, minlength=SIZE)
        # A feature that no text has would weigh most of all, and only make questions with it shorter.
        weight = np.where(having > 0, np.log((1 + n) / (1 + having)) + 1, 0.0)
        return cls(weight.astype(np.float32))

    def weighed(self, counted: sp.csr_matrix) -> sp.csr_matrix:
        """The same texts weighed, each of length one."""
        value = counted.data * self.weight[counted.indices]
        row = _rows(counted)
        length = np.sqrt(np.bincount(row, weights=value.astype(np.float64) ** 2, minlength=counted.shape[0]))
        return _with(counted, value / np.maximum(length, 1e-9)[row])


def _with(matrix: sp.csr_matrix, value: NDArray[Any]) -> sp.csr_matrix:
    """The same matrix with other values."""
    return sp.csr_matrix((value.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def _rows(matrix: sp.csr_matrix) -> NDArray[np.int64]:
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
