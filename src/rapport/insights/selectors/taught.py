"""What the firm taught models of texts: corrections, labelled files, versions, and how far each has read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from rapport.insights.contract import Insight, given_name, is_of_texts
from rapport.insights.models import Correction, LabelledFile, StoredModel
from rapport.insights.services import keeping, reading
from rapport.insights.services.adapting import EACH, NEEDED
from rapport.insights.services.lessons import Figure, OfLabel
from rapport.insights.services.reading import Standing
from rapport.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model that is kept: what it learnt from, and how good that made it on held-out texts."""

    version: str
    created_at: dt.datetime | None  # None for the plug-in's own where it never served here
    serves: bool
    can_serve: bool  # what an older plug-in learnt cannot be read any more
    n: int  # labelled texts it learnt from; 0 as shipped
    n_corrections: int
    n_files: int
    n_judged: int
    split: str
    before: Figure | None  # macro-F1
    after: Figure | None
    labels: tuple[OfLabel, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of labels that the firm gave."""

    id: int
    name: str
    of: str
    n_texts: int
    labels: dict[str, int]  # the most frequent first
    added_by: str
    added_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Confusion:
    """What the model had said (columns) of texts that staff says are something (rows)."""

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]  # empty label: it had said nothing
    counts: dict[tuple[str, str], int]  # by (row, column)

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    @property
    def n_right(self) -> int:
        return sum(n for (is_, said), n in self.counts.items() if is_ == said)


def versions(name: str) -> list[Version]:
    """Every version of a model of texts that can serve or has served, the newest first."""
    model = _of_texts(name)
    serves = keeping.active_version(model)
    kept = list(StoredModel.objects.filter(name=name).defer("content").order_by("-created_at", "-id"))
    found = [_version(row, serves, model) for row in kept]
    if all(version.version != model.version for version in found):
        found.append(_as_shipped(model.version, model.version == serves))
    return found


def standings() -> dict[str, Standing]:
    """How far each model of texts has read, by its name."""
    return {standing.model: standing for standing in reading.standings()}


def n_corrections(name: str) -> int:
    """How many texts staff has corrected or confirmed for a model."""
    gives = {g.name for g in _of_texts(name).gives}
    counted = Correction.objects.values_list("name").annotate(n=Count("pk"))
    return sum(n for of, n in counted if given_name(of) in gives)


def confusions(name: str) -> list[Confusion]:
    """What a model had said beside what staff says, for each of its annotations that staff looked at."""
    model = _of_texts(name)
    gives = {g.name: g for g in model.gives}
    by_name: dict[str, dict[tuple[str, str], int]] = {}
    for of, label, said, n in Correction.objects.values_list("name", "label", "said").annotate(n=Count("pk")):
        if given_name(of) in gives:
            by_name.setdefault(of, {})[(label, said)] = n
    found = []
    for of, counts in sorted(by_name.items()):
        order = {label: k for k, label in enumerate(gives[given_name(of)].labels)}
        rows = sorted({r for r, _ in counts}, key=lambda label: (order.get(label, len(order)), label))
        columns = sorted({c for _, c in counts}, key=lambda label: (order.get(label, len(order)), label))
        found.append(Confusion(of, tuple(rows), tuple(columns), counts))
    return found


def labelled_files(name: str) -> list[Kept]:
    """The files of labels that a model can be taught from, the newest first."""
    _of_texts(name)
    rows = LabelledFile.objects.filter(model=name).defer("content").order_by("-added_at", "-id")
    return [
        Kept(
            row.pk,
            row.name,
            row.of,
            row.n_texts,
            dict(sorted(row.labels.items(), key=lambda item: (-item[1], item[0]))),
            row.added_by,
            row.added_at,
        )
        for row in rows
    ]


def needed() -> tuple[int, int]:
    """How many labelled texts a lesson takes, and how many of each of two labels."""
    return NEEDED, EACH


def _version(row: StoredModel, serves: str, model: Insight) -> Version:
    lesson: dict[str, Any] = row.lesson or {}
    return Version(
        version=row.version,
        created_at=row.created_at,
        serves=row.is_active and row.version == serves,
        can_serve=keeping.is_of(row.version, model),
        n=int(lesson.get("n", 0)),
        n_corrections=int(lesson.get("n_corrections", 0)),
        n_files=int(lesson.get("n_files", 0)),
        n_judged=int(lesson.get("n_judged", 0)),
        split=str(lesson.get("split", "")),
        before=Figure(**lesson["before"]) if "before" in lesson else None,
        after=Figure(**lesson["after"]) if "after" in lesson else None,
        labels=tuple(
            OfLabel(one["label"], one["n"], Figure(**one["before"]), Figure(**one["after"]))
            for one in lesson.get("labels", ())
        ),
        by=str(lesson.get("by", "")),
    )


def _as_shipped(version: str, serves: bool) -> Version:
    return Version(version, None, serves, True, 0, 0, 0, 0, "", None, None, (), "")


def _of_texts(name: str) -> Insight:
    model = keeping.insight(name)
    if not is_of_texts(model):
        raise Invalid(f"{name} reads people and no texts", "Choose a model of texts.")
    return model
