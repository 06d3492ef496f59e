"""Figures of many people at once; who has which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from django.db import connection

from rapport.people.models import Person, Score
from rapport.people.rules.graph import Subjects
from rapport.people.selectors import persons, rows

SCORED = pa.schema(
    [
        ("person", pa.int64()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("label", pa.string()),
    ]
)


def scores_arrow(names: Sequence[str] | None = None) -> pa.Table:
    """Scores of these names, or of all, over the subjects that each person has now: one row per person and name.

    A score over people who were merged or parted since then is left out, until its model has run again.
    """
    columns = ", ".join(rows.time("s.as_of") if c == "as_of" else f"s.{c}" for c in SCORED.names)
    chosen = "" if names is None else f" WHERE s.name IN ({', '.join(['%s'] * len(names))})"
    if names is not None and not names:
        return SCORED.empty_table()
    return rows.table(
        f"SELECT {columns} FROM people_score AS s"
        f" INNER JOIN people_person AS p ON p.id = s.person AND p.members = s.members{chosen}",
        SCORED,
        list(names or ()),
    )


@dataclass(frozen=True, slots=True)
class Within:
    """Figures of one name: from `low` to below `high`, and of this label; what is None is left open.

    With `best_of`, only among the `best` people who have most of that other figure.
    """

    name: str
    low: float | None = None
    high: float | None = None
    label: str | None = None
    best_of: str = ""
    best: int = 0


@dataclass(frozen=True, slots=True)
class Extreme:
    """One of the people who have most, or least, of a figure."""

    person: int
    display_name: str
    score: persons.ScoreView


_PRESENT = (
    " FROM people_score AS s"
    " INNER JOIN people_person AS p ON p.id = s.person AND p.members = s.members AND p.kind = 'person'"
    " WHERE s.name = %s"
)


_BEST = _PRESENT.replace(" FROM", "SELECT s.person FROM", 1) + " ORDER BY s.value DESC, s.person LIMIT %s"


def persons_within(figures: Within) -> Subjects:
    """The people whose present figure lies there, ascending."""
    where, params = _within(figures)
    found = rows.table(f"SELECT s.person{_PRESENT}{where}", pa.schema([("person", pa.int64())]), params)
    return np.unique(rows.numbers(found, "person"))


def n_within(figures: Within) -> int:
    """How many people have such a figure."""
    where, params = _within(figures)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*){_PRESENT}{where}", params)
        return int(cursor.fetchone()[0])


def unit_of(name: str) -> str:
    """The unit of a figure; empty where nobody has it, or where it has none."""
    # Any of its rows, in no order: `first` would sort millions for it.
    return next(iter(Score.objects.filter(name=name).values_list("unit", flat=True)[:1]), "")


def extremes(name: str, n: int) -> tuple[list[Extreme], list[Extreme]]:
    """The people with the most of a figure, the largest first, and those with the least, the smallest first."""
    return _end(name, n, "DESC"), _end(name, n, "ASC")


def _end(name: str, n: int, order: str) -> list[Extreme]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT s.person{_PRESENT} ORDER BY s.value {order}, s.person {order} LIMIT %s", [name, n]
        )
        chosen = [int(row[0]) for row in cursor.fetchall()]
    heads = Person.objects.in_bulk(chosen)
    written = {
        (score.person, score.members): score for score in Score.objects.filter(person__in=chosen, name=name)
    }
    return [
        Extreme(n, heads[n].display_name, persons.score_view(written[n, heads[n].members])) for n in chosen
    ]


def _within(figures: Within) -> tuple[str, list[str | float]]:
    conditions: list[str] = []
    given: list[str | float] = [figures.name]
    for condition, value in (
        ("s.value >= %s", figures.low),
        ("s.value < %s", figures.high),
        ("s.label = %s", figures.label),
    ):
        if value is not None:
            conditions.append(f" AND {condition}")
            given.append(value)
    if figures.best_of:
        conditions.append(f" AND s.person IN (SELECT b.person FROM ({_BEST}) AS b)")
        given += [figures.best_of, figures.best]
    return "".join(conditions), given
