"""What a few readable features of a text say of it: cues by label and the signs around them, weighed.

z = F W + b and p = softmax(z), where F has one column per label of the cues, log(1 + summed weights), and one
per sign. The weights are few enough to read, and lie in a JSON file beside the model that uses them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rapport.kit.errors import Invalid
from rapport.kit.texts import glance, valence
from rapport.kit.texts.cues import Spoken
from rapport.kit.texts.glance import ASKS, EXCLAIMS, JOIN, LINK, MENTION, SILENT_WORD, TAG, Glance
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.tokens import Words

_SILENT = (LINK, TAG, MENTION, JOIN, SILENT_WORD)
SIGNS = (
    "asks",  # a question mark somewhere
    "ends_asking",  # the last sign that is written is one
    "exclaims",  # log(1 + exclamation marks)
    "links",  # an address
    "tags",  # log(1 + hash signs)
    "says_nothing",  # no word but addresses, mentions, numbers and full stops
    "displeased",  # log(1 + 4 summed valence), of the words below nought
    "pleased",
)


def signs(seen: Glance) -> Floats:
    """float64 (texts, signs): the signs of a batch, in the order of SIGNS, but for the last two."""
    owner, n = seen.cut.owner, seen.cut.n_texts
    starts, ends = (np.searchsorted(owner, np.arange(n), side=side) for side in ("left", "right"))
    last = np.zeros(n)
    there = ends > starts
    last[there] = seen.kind[ends[there] - 1] == ASKS
    silent = np.bincount(owner, weights=np.isin(seen.kind, _SILENT), minlength=n)
    return np.stack(
        [
            seen.count(ASKS) > 0,
            last,
            np.log1p(seen.count(EXCLAIMS)),
            seen.count(LINK) > 0,
            np.log1p(seen.count(TAG)),
            silent == ends - starts,
        ],
        axis=1,
    ).astype(np.float64)


def features(cut: Words, spoken: Spoken) -> Floats:
    """float64 (texts, labels + signs): F."""
    seen = glance.of(cut)
    felt = valence.features(cut.owner, cut.n_texts, seen.valence, spoken.turned)
    return np.concatenate([np.log1p(spoken.strength()), signs(seen), felt], axis=1)


@dataclass(frozen=True, slots=True)
class Head:
    """W and b, with the names of their rows and columns.

    labels : what is said
    features : the labels of the cues, then the signs
    weights : float64 (features, labels)
    bias : float64 (labels,)
    """

    labels: tuple[str, ...]
    features: tuple[str, ...]
    weights: Floats
    bias: Floats

    def logits(self, given: Floats) -> Floats:
        """float64 (texts, labels): z."""
        return np.asarray(given @ self.weights + self.bias)

    def pull(self, spoken: Spoken, said: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
        """(cues,): how far each cue moved z of the label said of its text ahead of the mean of the others."""
        k = len(self.labels)
        ahead = (self.weights - self.weights.mean(axis=1, keepdims=True)) * k / max(k - 1, 1)
        return np.asarray(ahead[spoken.label, said[spoken.owner]] * spoken.weight)

    def write(self, file: Path) -> None:
        """One line per feature, so that a person can read what speaks for what."""
        rows = {
            name: dict(zip(self.labels, np.round(row, 3).tolist(), strict=True))
            for name, row in zip(self.features, self.weights, strict=True)
        }
        bias = dict(zip(self.labels, np.round(self.bias, 3).tolist(), strict=True))
        lines = [f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in [*rows.items(), ("", bias)]]
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

    @classmethod
    def read(cls, file: Path, labels: tuple[str, ...], features: tuple[str, ...]) -> Head:
        """Raises Invalid where the file speaks of other labels or features."""
        rows = json.loads(file.read_text(encoding="utf-8"))
        if tuple(rows) != (*features, "") or any(tuple(row) != labels for row in rows.values()):
            raise Invalid(
                f"{file.name} has other labels or features than the model", "Learn its weights anew."
            )
        table = np.array([list(row.values()) for row in rows.values()])
        return cls(labels, features, table[:-1], table[-1])
