#!/usr/bin/env python
"""Learn what the annotation `help_request` of the plug-in intent knows of English, and measure it: train_helping.py DATA

DATA holds `twcs_labeled/`, `twcs_spotify/` and `airline/`. `help_read.csv` beside this script holds what four readers
said of some of their posts, each named by a hash of its text: whether it asks for help. Three were learnt from; the
posts of the fourth, the judge, were read by somebody who had seen neither the model nor what it says, and are judged
on once. No text is copied into the plug-in: it gets `helping.npz`, its part of `helping.json`, and figures in
`measured.json`, which is why this runs after `train_intents.py`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from scipy.optimize import minimize

from rapport.bench import intents as bench
from rapport.insights.contract import Backtest, Metric
from rapport.kit.texts import hashing, learning, svm
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.linear import Linear
from rapport.plugins.insights.intent import helping
from rapport.plugins.insights.intent.reading import HERE, Read

READ = Path(__file__).with_name("help_read.csv")
OTHERS, JUDGE = ("second", "third"), "judge"
SEED = 1
FOLDS, ROUNDS = 5, 3
RIDGE = 1.0
GAIN = 2.0  # the prior of words and letters is this much wider than that of marks
TEXTS_MIN = 2  # what one post alone has is not learnt
PRECISION = (
    0.93  # by the word of a reader that nothing was learnt from, so that nine in ten stay right to others
)
RIVAL_PRECISION = 0.9
# The posts that were read speak to a firm's account. One that mentions nobody may ask other people ("anyone else
# working on theirs?"): from here on few such posts of the synthetic market are gone to.
TO_NOBODY = 0.88
ENDING = ", asking for help"


@dataclass(frozen=True)
class Posts:
    """What was read: texts, who read them and whether they ask for help; and what is found in them."""

    text: pa.StringArray
    reader: np.ndarray
    asks: np.ndarray
    marks: Floats
    words: sp.csr_matrix
    is_english: np.ndarray

    @classmethod
    def of(cls, rows: list[tuple[str, str, bool]]) -> Posts:
        text, reader, asks = zip(*rows, strict=True)
        texts = pa.array(text, pa.string())
        cut = hashing.words_of(texts)
        found = helping.marks(texts, Read.of(cut).features)
        return cls(
            texts,
            np.array(reader),
            np.array(asks),
            found,
            learning.matrix(learning.batches(texts)),
            helping.in_english(cut),
        )


def every_post(data: Path) -> Iterator[str]:
    for firm in ("AmazonHelp", "AppleSupport", "SpotifyCares"):
        for row in bench._sheet(data / "twcs_labeled" / f"twcs-{firm}-200-inbound.xlsx"):
            yield row.get("text") or ""
    for name in ("twcs_spotify/support_requests.csv", "airline/tweets_dev.csv"):
        with (data / name).open(encoding="utf-8", newline="") as file:
            yield from (row["text"] or "" for row in csv.DictReader(file))


def posts(data: Path) -> tuple[Posts, Posts]:
    """What is learnt from, each post once, and what is judged on."""
    texts = {hashlib.blake2b(t.encode(), digest_size=6).hexdigest(): t for t in every_post(data)}
    with READ.open(encoding="utf-8", newline="") as file:
        rows = [(r["text"], r["reader"], r["asks"] == "yes") for r in csv.DictReader(file)]
    kept_out = {key for key, reader, _ in rows if reader == JUDGE}
    # The first reader read less strictly; where another read the same post, that one is believed.
    learnt = {key: (texts[key], reader, asks) for key, reader, asks in rows if key not in kept_out}
    judged = [(texts[key], reader, asks) for key, reader, asks in rows if reader == JUDGE]
    return Posts.of(list(learnt.values())), Posts.of(judged)


@dataclass(frozen=True)
class Learnt:
    marks: Floats
    words: Linear
    bias: float

    def logits(self, given: Posts, rows: np.ndarray) -> Floats:
        more = given.words[rows][:, self.words.buckets] @ self.words.weights[:, 0]
        return np.asarray(given.marks[rows] @ self.marks + more + self.bias)

    def cooled(self, t: float) -> Learnt:
        return Learnt(self.marks / t, self.words.divided(t), self.bias / t)


def fit(given: Posts, rows: np.ndarray) -> Learnt:
    """The likeliest weights of marks, words and letters together, near nought."""
    words = given.words[rows]
    there = np.flatnonzero(np.bincount(words.indices, minlength=words.shape[1]) >= TEXTS_MIN)
    stretch = GAIN * learning.rarity(words)[there]
    x = sp.hstack([sp.csr_matrix(given.marks[rows]), words[:, there] @ sp.diags(stretch)], format="csr")
    side = np.where(given.asks[rows], 1.0, -1.0)

    def loss(v: Floats) -> tuple[float, Floats]:
        z = x @ v[:-1] + v[-1]
        pull = -side / (1 + np.exp(side * z))
        value = np.logaddexp(0, -side * z).sum() + RIDGE * (v[:-1] @ v[:-1]) / 2
        return float(value), np.concatenate([x.T @ pull + RIDGE * v[:-1], [pull.sum()]])

    v = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    k = given.marks.shape[1]
    weights = (v[k:-1] * stretch).astype(np.float32)[:, None]
    return Learnt(v[:k], Linear(("yes",), there.astype(np.int32), weights, np.zeros(1)), float(v[-1]))


def held_out(given: Posts, rows: np.ndarray, rng: np.random.Generator) -> Floats:
    """z of the rows, each fifth from weights that had not seen it."""
    part, z = learning.folds(len(rows), FOLDS, rng), np.zeros(len(rows))
    for k in range(FOLDS):
        z[part == k] = fit(given, rows[part != k]).logits(given, rows[part == k])
    return z


def by_other_readers(given: Posts, rows: np.ndarray) -> tuple[Floats, np.ndarray, np.ndarray]:
    """z, truth and reader of those rows that OTHERS read, each from weights that learnt nothing of that reader."""
    z, truth, reader = [], [], []
    for one in OTHERS:
        theirs = rows[given.reader[rows] == one]
        z.append(fit(given, np.flatnonzero(given.reader != one)).logits(given, theirs))
        truth.append(given.asks[theirs])
        reader.append(given.reader[theirs])
    return np.concatenate(z), np.concatenate(truth), np.concatenate(reader)


def threshold(z: Floats, asks: np.ndarray, precision: float) -> float:
    """The lowest z from which on so large a share asks."""
    order = np.argsort(-z)
    right = np.cumsum(asks[order]) / np.arange(1, len(z) + 1)
    enough = np.flatnonzero(right >= precision)
    return float(z[order[enough[-1]]]) if len(enough) else float(z.max())


def figures(says: np.ndarray, asks: np.ndarray) -> tuple[float, float, int]:
    """Precision, recall, and how many are called requests."""
    both = (says & asks).sum()
    return float(both / max(1, says.sum())), float(both / asks.sum()), int(says.sum())


def rival(given: Posts, english: np.ndarray, asked: Posts) -> tuple[np.ndarray, np.ndarray]:
    """What TF-IDF and a support vector machine, taught the same posts, call requests: with a threshold chosen as ours
    is, and with one picked on the very texts asked about, in its favour."""
    n, n_asked = len(given.asks), len(asked.asks)
    counted = svm.counts([hashing.of_texts(given.text), hashing.of_texts(asked.text)])
    label = np.concatenate([given.asks, np.zeros(n_asked)]).astype(np.int64)

    def z(kept: np.ndarray, out: np.ndarray) -> Floats:
        found = svm.logits(counted, label, kept, out, 2)
        return found[:, 1] - found[:, 0]

    theirs = [english[given.reader[english] == one] for one in OTHERS]
    held = [z(np.flatnonzero(given.reader != one), rows) for one, rows in zip(OTHERS, theirs, strict=True)]
    cut = threshold(np.concatenate(held), given.asks[np.concatenate(theirs)], PRECISION)
    found = z(np.arange(n), np.arange(n, n + n_asked))
    return found >= cut, found >= threshold(found, asked.asks, RIVAL_PRECISION)


def interval(share: float, n: int) -> tuple[float, float]:
    """Wilson's, of 95 %."""
    middle, size = share + 1.92 / n, 1 + 3.84 / n
    half = 1.96 * (share * (1 - share) / n + 0.9604 / n**2) ** 0.5
    return round((middle - half) / size, 4), round((middle + half) / size, 4)


def judged(judge: Posts, says: np.ndarray, chosen: np.ndarray, picked: np.ndarray) -> list[Metric]:
    """Precision and recall beside the rival's."""
    precision, recall, n = figures(says, judge.asks)
    n_asks = int(judge.asks.sum())
    theirs, best = figures(chosen, judge.asks), figures(picked, judge.asks)
    meaning = (
        f"{len(judge.asks)} posts that another reader labelled, none learnt from; {n_asks} ask. With a threshold"
        f" picked on these very posts the other model reaches a recall of {best[1]:.3f} at a precision of {best[0]:.3f}."
    )
    name = "TF-IDF and a support vector machine, taught the same posts"
    return [
        Metric(
            f"{figure}{ENDING}", round(value, 4), name, round(rivals, 4), low=low, high=high, meaning=meaning
        )
        for figure, value, rivals, (low, high) in (
            ("precision", precision, theirs[0], interval(precision, n)),
            ("recall", recall, theirs[1], interval(recall, n_asks)),
        )
    ]


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("data", type=Path)
    data = asked.parse_args().data
    os.environ["RAPPORT_BENCH_DATA"] = str(data)
    given, judge = posts(data)
    every, english = np.arange(len(given.asks)), np.flatnonzero(given.is_english)
    print(f"{len(every):,} posts, {given.asks.sum():,} ask; {len(english):,} are known to be in English")
    z, truth, reader = by_other_readers(given, english)
    cut = threshold(z, truth, PRECISION)
    for one in OTHERS:
        print(
            f"on the {one} reader's posts, learnt from the others:",
            figures(z[reader == one] >= cut, truth[reader == one]),
        )
    rounds = [held_out(given, every, np.random.default_rng(SEED + k))[english] for k in range(ROUNDS)]
    z, truth = np.concatenate(rounds), np.tile(given.asks[english], ROUNDS)
    t = learning.temperature(np.stack([np.zeros_like(z), z], axis=1), truth.astype(np.int64))
    print(f"fifths, {ROUNDS} times: temperature {t:.3f},", figures(z >= cut, truth))
    learnt = fit(given, every).cooled(t)
    chance = float(np.ceil(1e3 / (1 + np.exp(-cut / t))) / 1e3)
    (HERE / "helping.npz").write_bytes(learnt.words.to_bytes())
    kept = json.loads(helping.WEIGHTS.read_text(encoding="utf-8"))
    kept["english"] = {
        "threshold": chance,
        "threshold_to_nobody": max(chance, TO_NOBODY),
        "bias": round(learnt.bias, 4),
        "weights": dict(zip(helping.MARKS, np.round(learnt.marks, 4).tolist(), strict=True)),
    }
    helping.WEIGHTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    helping.weights.cache_clear()
    helping.words.cache_clear()
    helping._by_bucket.cache_clear()
    cut_words = hashing.words_of(judge.text)
    says = helping.asked(judge.text, cut_words, Read.of(cut_words).features).says
    found = judged(judge, says, *rival(given, english, judge))
    file = HERE / "measured.json"
    before = Backtest.from_json(json.loads(file.read_text(encoding="utf-8")))
    others_figures = tuple(m for m in before.metrics if not m.name.endswith(ENDING))
    after = Backtest((*others_figures, *found), before.n, before.split, before.note, before.curves)
    file.write_text(json.dumps(after.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"threshold {chance}; {len(learnt.words.buckets):,} words and letters,"
          f" {(HERE / 'helping.npz').stat().st_size:,} bytes")  # fmt: skip
    for m in found:
        print(f"{m.name:30} {m.value:.3f} [{m.low}, {m.high}]   {m.baseline_value:.3f} {m.baseline}")


if __name__ == "__main__":
    main()
