"""What the models say of texts that are not in the log: lines of a file, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa

from rapport.insights.contract import Context, Insight, given_name
from rapport.insights.services import annotating, keeping
from rapport.kit import clock
from rapport.kit.texts.learning import BATCH_TEXTS

TIERS = ("fast", "full")
SHOWN = ("language", "sentiment", "emotion", "intent", "aspect", "urgency", "offensive", "contact_reason")
CLASSES = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True)
class Read:
    """A text to be read; its language where whoever asks knows it."""

    text: str
    lang: str = ""


@dataclass(slots=True)
class Reader:
    """Every model of texts with what it has learnt: as shipped, or the firm's own where there is a data folder."""

    models: list[tuple[Insight, bytes, Context]] = field(default_factory=list)

    @classmethod
    def of(cls, tier: str = "fast", *, firms: bool = True) -> Reader:
        """The models that say what a line tells; `firms` asks for what this data folder's models were taught."""
        found = cls()
        for model in keeping.texts_insights():
            if not {gives.name for gives in model.gives} & set(SHOWN):
                continue
            given = {"tier": tier} if "tier" in model.parameters else {}
            context = (
                keeping.context(model, parameters=given)
                if firms
                else Context(clock.now(), keeping.SEED, parameters={**model.parameters, **given})
            )
            content = (
                keeping.peek(model).content if firms else model.fit(keeping.LABELLED.empty_table(), context)
            )
            found.models.append((model, content, context))
        return found

    def read(self, given: Sequence[Read]) -> list[dict[str, Any]]:
        """What the models say of each text, in the order given; a name that no model gives is None."""
        told: list[dict[str, Any]] = []
        for at in range(0, len(given), BATCH_TEXTS):
            told += self._batch(given[at : at + BATCH_TEXTS])
        return told

    def _batch(self, given: Sequence[Read]) -> list[dict[str, Any]]:
        texts = pa.table(
            {
                "seq": pa.array(range(len(given)), pa.int64()),
                "text": pa.array([one.text for one in given], pa.string()),
            }
        )
        said: list[dict[str, _Said]] = [{} for _ in given]
        known = set()
        for model, content, context in self.models:
            rows = model.score(content, texts, context)
            annotating.check(rows, model.gives, model.name)
            known |= {gives.name for gives in model.gives}
            columns = [
                rows.column(c).to_pylist() for c in ("seq", "name", "label", "value", "probability", "detail")
            ]
            for seq, name, label, value, probability, detail in zip(*columns, strict=True):
                said[seq][name] = (label, value, probability, _DETAIL.decode(detail) if detail else {})
        return [_line(one, rows, known) for one, rows in zip(given, said, strict=True)]


_Said = tuple[str, float | None, float | None, dict[str, Any]]  # label, value, probability, detail
_DETAIL = msgspec.json.Decoder(dict[str, Any])


def _line(given: Read, said: dict[str, _Said], known: set[str]) -> dict[str, Any]:
    def label(name: str) -> str | None:
        return said[name][0] if name in said else None

    offensive = label("offensive")
    return {
        "lang": given.lang or label("language"),
        "sentiment": _sentiment(said.get("sentiment")),
        "emotion": label("emotion"),
        "intent": label("intent"),
        "aspects": _aspects(said) if "aspect" in known else None,
        "urgency": label("urgency"),
        "offensive": None if offensive is None else offensive == "yes",
        "contact_reason": label("contact_reason"),
        "probability": {name: one[2] for name, one in said.items() if one[2] is not None},
        "words": {name: one[3]["words"] for name, one in said.items() if one[3].get("words")},
    }


def _sentiment(said: _Said | None) -> dict[str, Any] | None:
    if said is None:
        return None
    label, _value, _probability, detail = said
    return {"label": label, **{name: detail.get(name) for name in CLASSES}}


def _aspects(said: dict[str, _Said]) -> list[dict[str, Any]]:
    return [
        {"aspect": name.partition(":")[2], "label": label, "value": value, "quote": detail.get("quote", "")}
        for name, (label, value, _probability, detail) in sorted(said.items())
        if given_name(name) == "aspect"
    ]
