"""Intent, emotion, urgency and offence on texts that nothing was learnt from, beside saying one label always.

Four sets, all judged alone: the synthetic market, whose texts are invented and whose truth is known; tweets to
three firms that others labelled by topic, of which two columns speak of intent; messages to a bank, all of which
ask for something; and tweets to airlines, negative ones of which complain.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.bench import child
from rapport.bench.harness import Measure, bench, timed
from rapport.demo.market import market
from rapport.insights.contract import KIND, TEXTS, Context
from rapport.kit import clock, registry
from rapport.kit.texts import judging

ASKING = ("question", "help_request")
COMPLAINING = ("complaint", "churn_threat")
MARKET_PEOPLE = 1_500
MARKET_END = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
LIMIT_PER_S = 20_000.0
SPEED_TEXTS = 10_000
PAGE_TEXTS = 2_048
LEARNT_EVERY = 10

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Invented:
    """Texts of the synthetic market, and what was meant by them."""

    text: list[str]
    intent: list[str]
    language: list[str]
    register: list[str]


@bench("intents")
def intents() -> Iterator[Measure]:
    yield from _on_the_market()
    for given in judged_sets():
        yield _recall(*given)
    yield _speed()


def invented() -> Invented:
    """The market's texts other than answers to other people's questions, which are no intent toward the firm."""
    parts = []
    for block in market(MARKET_PEOPLE, end=MARKET_END).blocks():
        said = block.touchpoints.select(["message_id", "text"])
        parts.append(block.truth["text"].join(said, "message_id", join_type="inner"))
    table = pa.concat_tables(parts).sort_by("message_id")
    arrow: Any = pc
    table = table.filter(
        arrow.and_(arrow.not_equal(table.column("intent"), "answer"), arrow.is_valid(table.column("text")))
    )
    return Invented(*(table.column(c).to_pylist() for c in ("text", "intent", "language", "register")))


def bank(learnt: bool = False) -> list[str]:
    """Messages to a bank: the tenth that the shipped weights were learnt from, or all others."""
    with child.shared_file("banking77", "train.csv").open(encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file)]
    return [text for k, text in enumerate(rows) if (k % LEARNT_EVERY == 0) == learnt]


def airline() -> tuple[list[str], list[str]]:
    """Texts and their sentiment."""
    with child.shared_file("airline", "tweets_dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [r["text"] for r in rows], [r["airline_sentiment"] for r in rows]


def three_firms(column: str) -> list[str]:
    """Tweets that were given this topic by hand."""
    found = []
    for firm in ("AmazonHelp", "AppleSupport", "SpotifyCares"):
        rows = _sheet(child.shared_file("twcs_labeled", f"twcs-{firm}-200-inbound.xlsx"))
        found += [row["text"] for row in rows if row.get(column) == "1"]
    return found


def said(name: str, texts: list[str], which: str | None = None) -> list[str]:
    """The label that a model of texts gives each text, of the annotation `which`."""
    model, context = _model(name)
    table = pa.table({"seq": np.arange(len(texts)), "text": texts}, schema=TEXTS)
    rows = model.score(_untaught(name), table, context)
    arrow: Any = pc
    rows = rows.filter(arrow.equal(rows.column("name"), which or name)).sort_by("seq")
    labels: list[str] = rows.column("label").to_pylist()
    return labels


def _model(name: str) -> tuple[Any, Context]:
    model = registry.plugin(KIND, name).offers
    return model, Context(now=clock.now(), seed=1, parameters=dict(model.parameters))


def _on_the_market() -> Iterator[Measure]:
    given = invented()
    labels = registry.plugin(KIND, "intent").offers.gives[0].labels
    place = {label: k for k, label in enumerate(labels)}
    truth = np.array([place[label] for label in given.intent])
    heard = np.array([place[label] for label in said("intent", given.text)])
    usual = np.full(len(truth), np.bincount(truth).argmax())
    recalls = judging.recalls(truth, heard)
    found = {
        f"recall of {label}": f"{recalls[k]:.3f} of {int((truth == k).sum()):,}"
        for k, label in enumerate(labels)
        if k < len(recalls) and not np.isnan(recalls[k])
    }
    for what, of in (("language", given.language), ("register", given.register)):
        for value in sorted(set(of)):
            there = np.array(of) == value
            found[f"{what} {value}"] = (
                f"{judging.macro_f1(truth[there], heard[there]):.3f} of {int(there.sum()):,}"
            )
    low, high = judging.interval(truth, heard, np.random.default_rng(1))
    yield Measure(
        "intent, invented texts of the synthetic market: macro-F1",
        f"always {labels[usual[0]]}",
        "macro-F1",
        [judging.macro_f1(truth, heard)],
        [judging.macro_f1(truth, usual)],
        at_least=1.0,
        figures={"texts": f"{len(truth):,}", "95 %": f"{low:.3f} to {high:.3f}", **found},
    )


def judged_sets() -> Iterator[tuple[str, list[str], Flags | None, tuple[str, ...]]]:
    """What is asked for, texts, which of them are asked for (None: all), and the labels that are right."""
    yield "messages to a bank, called question or help", bank(), None, ASKING
    yield (
        "tweets to three firms about bad support, called complaint or leaving",
        three_firms("Bad Support"),
        None,
        COMPLAINING,
    )
    yield (
        "tweets to three firms that praise the service, called praise",
        three_firms("Service Praise"),
        None,
        ("praise",),
    )
    text, sentiment = airline()
    feeling = np.array(sentiment)
    yield "negative tweets to airlines, called complaint or leaving", text, feeling == "negative", COMPLAINING
    yield "positive tweets to airlines, called praise", text, feeling == "positive", ("praise",)


def _recall(name: str, text: list[str], asked: Flags | None, allowed: tuple[str, ...]) -> Measure:
    """The share so called among those asked for; beside the share among the others, where there are others."""
    called = np.isin(np.array(said("intent", text)), allowed)
    there = np.ones(len(text), np.bool_) if asked is None else asked
    others = called[~there]
    n, right = int(there.sum()), float(called[there].mean())
    half = 1.96 * (right * (1 - right) / n) ** 0.5
    figures = {"texts": f"{n:,}", "95 %": f"{right - half:.3f} to {min(right + half, 1):.3f}"}
    if len(others):
        figures["precision"] = f"{float(there[called].mean()):.3f} of {int(called.sum()):,} so called"
    peer = float(others.mean()) if len(others) else len(allowed) / 8
    of = "the share of other texts so called" if len(others) else "labels at random"
    return Measure(f"intent, {name}", of, "share", [right], [peer], at_least=1.0, figures=figures)


def _speed() -> Measure:
    """Intent and tone of the same texts on one core, page by page, as texts arrive."""
    text = (bank() * 3)[:SPEED_TEXTS]
    table = pa.table({"seq": np.arange(len(text)), "text": text}, schema=TEXTS)
    pages = [table.slice(at, PAGE_TEXTS).combine_chunks() for at in range(0, len(text), PAGE_TEXTS)]
    models = [(*_model(name), _untaught(name)) for name in ("intent", "tone")]

    def read() -> None:
        for page in pages:
            for model, context, content in models:
                model.score(content, page, context)

    rates = [len(text) / timed(read) for _ in range(4)][1:]  # the first compiles the phrases
    return Measure(
        "intent and tone, texts read",
        f"{LIMIT_PER_S:,.0f} a second",
        "texts/s",
        rates,
        [LIMIT_PER_S] * len(rates),
        at_least=1.0,
        figures={"texts": f"{len(text):,}"},
    )


def _untaught(name: str) -> bytes:
    """What a model has learnt from no text: it is as shipped."""
    model, context = _model(name)
    nothing = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})
    content: bytes = model.fit(nothing, context)
    return content


_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _sheet(file: Path) -> list[dict[str, str]]:
    """The first sheet of a workbook, a row a dictionary: enough for tables of plain cells."""
    with zipfile.ZipFile(file) as held:
        names = held.namelist()
        shared = []
        if "xl/sharedStrings.xml" in names:
            root = ElementTree.fromstring(held.read("xl/sharedStrings.xml"))  # noqa: S314  our own data folder
            shared = ["".join(t.text or "" for t in item.iter(f"{_NS}t")) for item in root]
        sheet = ElementTree.fromstring(held.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    rows = [
        {re.sub(r"\d", "", cell.get("r", "")): _cell(cell, shared) for cell in row}
        for row in sheet.iter(f"{_NS}row")
    ]
    head, *body = rows
    return [{head[c]: value for c, value in row.items() if c in head} for row in body]


def _cell(cell: ElementTree.Element, shared: list[str]) -> str:
    value = cell.find(f"{_NS}v")
    if value is None or value.text is None:
        return "".join(t.text or "" for t in cell.iter(f"{_NS}t"))
    return shared[int(value.text)] if cell.get("t") == "s" else value.text
