"""What a question came to: its numbers with what they are of, ready to be kept and read again."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.explore.rules import catalogue, parsing
from rapport.explore.rules.compiling import SHOWN_LEAST
from rapport.explore.rules.periods import Spans
from rapport.explore.rules.question import Question, document


@dataclass(frozen=True, slots=True)
class Number:
    """One figure: of which measure, group, unit of time and side; None means all groups, or all the time.

    `top` over `over` is the figure of a quotient. A hidden one is of fewer than five people.
    """

    measure: int
    groups: tuple[str, ...] | None
    bucket: dt.date | None
    is_before: bool
    currency: str
    top: int | None
    over: int | None
    is_hidden: bool = False

    def value(self, measure: catalogue.Measure) -> float | None:
        """The figure itself, in the measure's unit; money in minor units; None where nothing was measured."""
        if self.is_hidden or self.top is None:
            return None
        if not measure.over:
            return self.top
        return None if not self.over else measure.scale * self.top / self.over


@dataclass(frozen=True, slots=True)
class Returned:
    """How many of a cohort came back so many units after they began; None where too few to show."""

    cohort: dt.date
    step: int
    n: int | None


@dataclass(frozen=True, slots=True)
class Reached:
    """How many came to a step; of all, where the group is None."""

    group: str | None
    step: int
    n: int | None
    middle_s: float | None  # from the first step to this one: half took less


@dataclass(frozen=True, slots=True)
class Walked:
    """One way that people went, and how often; an empty place means that it ended there."""

    places: tuple[str, ...]
    n: int


Row = Number | Returned | Reached | Walked


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of an answer, and what must be known to read them."""

    question: Question
    rows: tuple[Row, ...]
    as_of: dt.datetime
    took_s: float
    store: str
    first_day: dt.date | None
    last_day: dt.date | None
    before: tuple[dt.date, dt.date] | None = None
    n_groups: int = 0  # there are, shown or not
    n_all: int = 0  # of paths: how often the first step happened
    n_left_out: int = 0  # identifiers of people who refuse the purpose
    reads_people: bool = False
    hides_few: bool = False
    zone: str = "UTC"


KINDS: dict[str, type[Any]] = {"number": Number, "returned": Returned, "reached": Reached, "walked": Walked}


def shaped(
    question: Question, found: Sequence[Sequence[Any]], *, hides: bool
) -> tuple[tuple[Row, ...], int, int]:
    """Rows of a statement as rows of an answer; and how many groups and starts there were."""
    kind = document(question)["ask"]
    if kind == "figures":
        n_keys = len(getattr(question, "by", ()))
        rows = tuple(_number(row, n_keys, hides) for row in found)
        return rows, int(found[0][12]) if found and n_keys else 0, 0
    if kind == "cohorts":
        return _returned(found), 0, 0
    if kind == "funnel":
        return (
            tuple(_reached(d0, s, n, middle, hides) for d0, s, n, middle, _p, _g in found),
            int(found[0][5]) if found else 0,
            0,
        )
    walked = tuple(
        Walked(tuple(p or "" for p in row[:-4]), int(row[-4]))
        for row in found
        if not hides or int(row[-3]) >= SHOWN_LEAST  # people, who may have gone it often
    )
    return walked, int(found[0][-1]) if found else 0, int(found[0][-2]) if found else 0


def _number(row: Sequence[Any], n_keys: int, hides: bool) -> Number:
    measure, d0, d1, bucket, is_before, currency, top, over, n_people, all_groups, all_time, _place, _n = row
    hidden = hides and 0 < (n_people or 0) < SHOWN_LEAST
    return Number(
        measure=int(measure),
        groups=None if all_groups else (d0, d1)[:n_keys],
        bucket=None if all_time else bucket,
        is_before=bool(is_before),
        currency=currency,
        top=None if hidden or top is None else int(top),
        over=None if hidden or over is None else int(over),
        is_hidden=hidden,
    )


def _returned(found: Iterable[Sequence[Any]]) -> tuple[Returned, ...]:
    """Cohorts of fewer than five are nobody's business; of a larger one, how many came back is told."""
    rows = list(found)
    small = {cohort for cohort, step, n in rows if step == 0 and n < SHOWN_LEAST}
    return tuple(Returned(c, int(s), None if c in small else int(n)) for c, s, n in rows)


def _reached(group: str | None, step: int, n: int, middle_s: float | None, hides: bool) -> Reached:
    hidden = hides and 0 < n < SHOWN_LEAST
    return Reached(group, int(step), None if hidden else int(n), None if hidden else middle_s)


def span_of(spans: Spans) -> tuple[dt.date | None, dt.date | None, tuple[dt.date, dt.date] | None]:
    """First and last day, and those of the period before."""
    if spans.is_ever:
        return None, None, None
    before = (spans.before.first, spans.before.last) if spans.before else None
    return spans.now.first, spans.now.last, before


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as JSON: of each row its fields by name, once."""
    kind = next(
        (name for name, of in KINDS.items() if answer.rows and isinstance(answer.rows[0], of)), "number"
    )
    fields = tuple(f.name for f in dataclasses.fields(KINDS[kind]))
    return {
        "question": document(answer.question),
        "as_of": answer.as_of.isoformat(),
        "took_s": answer.took_s,
        "store": answer.store,
        "first_day": _day(answer.first_day),
        "last_day": _day(answer.last_day),
        "before": [_day(d) for d in answer.before] if answer.before else None,
        "n_groups": answer.n_groups,
        "n_all": answer.n_all,
        "n_left_out": answer.n_left_out,
        "reads_people": answer.reads_people,
        "hides_few": answer.hides_few,
        "zone": answer.zone,
        "kind": kind,
        "columns": list(fields),
        "rows": [[_plain(getattr(row, f)) for f in fields] for row in answer.rows],
    }


def from_json(given: dict[str, Any]) -> Answer:
    """An answer that was kept."""
    kind = KINDS[given["kind"]]
    rows = [dict(zip(given["columns"], row, strict=True)) for row in given["rows"]]
    for row in rows:
        for name in ("bucket", "cohort"):
            if row.get(name):
                row[name] = dt.date.fromisoformat(row[name])
        for name in ("groups", "places"):
            if row.get(name) is not None:
                row[name] = tuple(row[name])
    before = given["before"]
    return Answer(
        question=parsing.parse(given["question"]),
        rows=tuple(kind(**row) for row in rows),
        as_of=dt.datetime.fromisoformat(given["as_of"]),
        took_s=given["took_s"],
        store=given["store"],
        first_day=_read_day(given["first_day"]),
        last_day=_read_day(given["last_day"]),
        before=(dt.date.fromisoformat(before[0]), dt.date.fromisoformat(before[1])) if before else None,
        **{k: given[k] for k in ("n_groups", "n_all", "n_left_out", "reads_people", "hides_few", "zone")},
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _read_day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
