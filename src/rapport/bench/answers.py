"""Documents proposed for care conversations, beside plain TF-IDF in the same run; whether what is said to be likely is.

The entries are the documents that the firms' staff gave, each with the conversations that it was given for; a fifth
of the conversations is asked at a time and the entries know the rest. A document that was given once is then not
among the entries at all: nobody can find it, and the best that can be had is said beside.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rapport.bench import child
from rapport.bench.harness import Measure, bench, timed
from rapport.kit.texts import meaning
from rapport.knowledge.rules import cutting, files, matching, weighing
from rapport.knowledge.services.alone import Alone, Answered

FOLDS = 5
LARGE = 10_000
LIMIT_MS = 50.0


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said before the document was given, the document, and its address."""

    text: str
    document: str
    url: str


@bench("answers")
def answers() -> Iterator[Measure]:
    given = care()
    ours, rival = [], []
    said: list[Answered] = []
    truth: list[str] = []
    n_there = 0
    for asked, known in folds(len(given)):
        entries = _entries([given[k] for k in known])
        found = Alone.of(entries).answer([given[k].text for k in asked])
        wanted = [given[k].document for k in asked]
        n_there += len({e.key for e in entries} & set(wanted)) and sum(
            w in {e.key for e in entries} for w in wanted
        )
        ours.append(_share([[r.key for r in one.proposals] for one in found], wanted))
        rival.append(_share(tf_idf(entries, [given[k].text for k in asked]), wanted))
        said += found
        truth += wanted
    yield Measure(
        "documents for care conversations, the right one among three",
        "TF-IDF", "share", ours, rival, at_least=1.0,
        figures={
            "conversations": f"{len(given):,}",
            "at best": f"{n_there / len(given):.3f}: the other documents were given once, and are not known",
            "in all": f"{np.mean(ours):.3f} against {np.mean(rival):.3f}",
        },
    )  # fmt: skip
    yield _calibration(said, truth)
    yield _abstention(said, truth)
    yield _speed()


def care() -> list[Talk]:
    """The conversations that are not kept back."""
    rows = json.loads(child.shared_file("ibm_twitter_care", "dev.json").read_text(encoding="utf-8"))
    return [
        Talk(
            "\n".join(m["message"] for m in row["dialogContent"]),
            row["agentURL"]["doc_id"],
            row["agentURL"]["url"],
        )
        for row in rows
    ]


def folds(n: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Which are asked and which are known, FOLDS times."""
    part = np.random.default_rng(0).permutation(n) % FOLDS
    for k in range(FOLDS):
        yield np.flatnonzero(part == k), np.flatnonzero(part != k)


def _entries(talks: Sequence[Talk]) -> tuple[files.EntryRow, ...]:
    made: dict[str, files.EntryRow] = {}
    for talk in talks:
        row = files.EntryRow(talk.document, wordings=(talk.text,), url=talk.url)
        made[talk.document] = made[talk.document].plus(row) if talk.document in made else row
    return tuple(made.values())


def tf_idf(entries: Sequence[files.EntryRow], questions: Sequence[str], n: int = 3) -> list[list[str]]:
    """The rival: each entry one document of all its words, the words' weights log-scaled, cosine of the two."""
    documents = [
        cutting.words(
            " ".join((e.title, cutting.words_of_address(e.url), *e.solutions.values(), *e.wordings))
        )
        for e in entries
    ]
    place = {word: k for k, word in enumerate(dict.fromkeys(w for words in documents for w in words))}
    having = Counter(word for words in documents for word in set(words))
    rarity = np.array([np.log((1 + len(documents)) / (1 + having[word])) + 1 for word in place])

    def rows(texts: Sequence[Sequence[str]]) -> sp.csr_matrix:
        counted = [Counter(w for w in words if w in place) for words in texts]
        owner = np.repeat(np.arange(len(texts)), [len(c) for c in counted])
        at = np.array([place[w] for c in counted for w in c], np.int64)
        value = np.array([(1 + np.log(n)) for c in counted for n in c.values()]) * rarity[at]
        made = sp.csr_matrix((value, (owner, at)), shape=(len(texts), len(place)))
        length = np.sqrt(np.asarray(made.multiply(made).sum(axis=1)).ravel())
        return sp.diags(1 / np.maximum(length, 1e-9)) @ made

    alike = np.asarray((rows([cutting.words(q) for q in questions]) @ rows(documents).T).todense())
    return [[entries[k].key for k in np.argsort(-row, kind="stable")[:n]] for row in alike]


def _share(shown: Sequence[Sequence[str]], wanted: Sequence[str]) -> float:
    return float(np.mean([w in keys for keys, w in zip(shown, wanted, strict=True)]))


def _calibration(said: Sequence[Answered], truth: Sequence[str]) -> Measure:
    """How far what is said lies from what is so, on the average proposal; beside always saying the average."""
    pairs = [(r.probability, r.key == w) for one, w in zip(said, truth, strict=True) for r in one.proposals]
    p, y = np.array([a for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    found = weighing.bands(p, y, np.ones(len(p)))
    brier, flat = float(((p - y) ** 2).mean()), float(((y.mean() - y) ** 2).mean())
    figures = {f"said {b.said:.2f}": f"right {b.right:.2f} of {b.n:,}" for b in found}
    return Measure(
        "probability of a proposal being right: Brier score", "always saying the average", "Brier",
        [brier], [flat], at_most=1.0, figures={"off by": f"{weighing.off(found):.3f}", **figures},
    )  # fmt: skip


def _abstention(said: Sequence[Answered], truth: Sequence[str]) -> Measure:
    """Where we answer, the right one is among three more often than where we would keep quiet."""
    right = np.array([w in [r.key for r in one.proposals] for one, w in zip(said, truth, strict=True)])
    quiet = np.array([one.abstains for one in said])
    figures = {"kept quiet": f"{quiet.mean():.1%} of {len(quiet):,}",
               "right there": f"{right[quiet].mean():.3f} of {int(quiet.sum()):,}" if quiet.any() else "-"}  # fmt: skip
    return Measure(
        "the right one among three where we answer", "where all are answered", "share",
        [float(right[~quiet].mean())], [float(right.mean())], at_least=1.0, figures=figures,
    )  # fmt: skip


def _speed() -> Measure:
    """One question against many entries, on what a process holds."""
    rng = np.random.default_rng(1)
    words = [w for talk in care() for w in cutting.words(talk.text)]
    texts = [" ".join(rng.choice(words, 14)) for _ in range(3 * LARGE)]
    known = [
        matching.Known(str(k), texts[3 * k], texts[3 * k + 1], (texts[3 * k + 2], texts[3 * k][::2]))
        for k in range(LARGE)
    ]

    def unread(given: Sequence[str]) -> NDArray[np.float32]:
        """What a vector says makes no difference to how long it takes."""
        return rng.normal(size=(len(given), meaning.SIZE)).astype(np.float32)

    index = matching.build(known, unread)
    weights = weighing.Weights()

    def ask(text: str) -> None:
        asked = index.ask([text], meaning.vectors)
        like = index.of_entries(asked, index.of_wordings(asked))
        chosen = weighing.first(weighing.likelihoods(weights, like, np.zeros(1, np.bool_)))[0]
        for place in chosen:
            matching.shared_words(text, index.texts[int(np.argmax(index.owner == place))], index.rarity)

    ask(texts[0])
    took = [1_000 * timed(lambda k=k: ask(texts[k])) for k in range(20)]  # type: ignore[misc]
    return Measure(
        f"one question against {LARGE:,} entries",
        f"the limit of {LIMIT_MS:g} ms",
        "ms",
        took,
        [LIMIT_MS] * len(took),
        at_most=1.0,
    )
