"""The rows that a figure is worked out from: their source, what is joined to them, what is kept of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rapport.explore.rules import periods
from rapport.explore.rules.catalogue import ANSWER, EVENT, LINE, SESSION, TEXT, split
from rapport.explore.rules.periods import DAY_US, Spans
from rapport.explore.rules.question import Condition, Grain
from rapport.kit import clock

ITEM = (
    '[{"product_code":"VARCHAR","product_name":"VARCHAR","category":"VARCHAR","quantity":"DOUBLE",'
    '"unit_price_minor":"BIGINT"}]'
)
PERSON = "coalesce(i.person, e.subject)"
SENTIMENT = "sentiment"


@dataclass(slots=True)
class Binding:
    """What a statement is given beside its text: values, and the facts about people that it reads."""

    spans: Spans
    zone: str
    values: dict[str, Any] = field(default_factory=dict)
    reads_people: bool = False
    traits: set[str] = field(default_factory=set)
    scores: set[str] = field(default_factory=set)
    segments: set[str] = field(default_factory=set)
    reads_profile: bool = False
    reads_first_order: bool = False
    grain: Grain = ""

    def bind(self, value: Any) -> str:
        """The parameter that stands for a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    @property
    def first_us(self) -> int:
        """The earliest moment asked about, the period before included."""
        first = self.spans.before.first if self.spans.before else self.spans.now.first
        return periods.begins_us(first, self.zone)

    @property
    def now_us(self) -> int:
        return periods.begins_us(self.spans.now.first, self.zone)

    @property
    def until_us(self) -> int:
        return periods.ends_us(self.spans.now.last, self.zone)

    def local(self, us: str, *, ever: bool = False) -> str:
        """SQL: the local clock's microseconds at a moment."""
        known = self.offsets
        if ever:
            known = periods.offsets(self.zone, periods.FIRST, self.spans.now.last)
        if len(known) == 1:
            return f"({us} + {known[0][1]})"
        cases = " ".join(
            f"WHEN {us} < {until} THEN {shift}"
            for (_since, shift), (until, _next) in itertools.pairwise(known)
        )
        return f"({us} + CASE {cases} ELSE {known[-1][1]} END)"

    def bucket(self, us: str) -> str:
        """SQL: the first day of the unit that a moment lies in."""
        day = f"(DATE '1970-01-01' + ({self.local(us)} // {DAY_US})::INTEGER)"
        return day if self.grain in ("", "day") else f"date_trunc('{self.grain}', {day})::DATE"

    @property
    def has_utc_days(self) -> bool:
        """Whether no unit and no period ends within a day of UTC, so that counters by that day are exact."""
        if self.spans.is_ever and not self.grain:
            return True
        return all(shift % DAY_US == 0 for _since, shift in self.offsets)

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        first = self.spans.before.first if self.spans.before else self.spans.now.first
        return periods.offsets(self.zone, first, self.spans.now.last)

    def inside(self, us: str, *, is_windowed: bool = False) -> list[str]:
        """Conditions that keep a moment within what is asked about, the stretch between the two periods left out."""
        if self.spans.is_ever:
            return []
        kept = [] if is_windowed else [f"{us} >= {self.first_us}", f"{us} < {self.until_us}"]
        before = self.spans.before
        if before and periods.ends_us(before.last, self.zone) < self.now_us:
            kept.append(f"({us} < {periods.ends_us(before.last, self.zone)} OR {us} >= {self.now_us})")
        return kept

    def window(self, column: str) -> list[str]:
        """The same as `inside`, on a column of times, so that whole files are passed over."""
        if self.spans.is_ever:
            return []
        first, until = self.bind(clock.from_us(self.first_us)), self.bind(clock.from_us(self.until_us))
        return [f"{column} >= {first}::TIMESTAMPTZ", f"{column} < {until}::TIMESTAMPTZ"]


def select(
    binding: Binding,
    base: str,
    *,
    names: Sequence[str],
    by: Sequence[str] = (),
    where: Sequence[Condition] = (),
    segment: str = "",
    annotation: str = "",
    label: str = "",
    with_people: bool = False,
    with_first_order: bool = False,
    from_counters: bool = False,
) -> str:
    """The rows of a base, kept to the period, the event names and the conditions."""
    named = [*by, *(c.dimension for c in where)]
    joined = _Joined(binding, base)
    if with_people or segment:
        joined.people()
    if with_first_order:
        joined.first_order()
    expressions = {name: joined.expression(name) for name in dict.fromkeys(named)}
    kept = [_kept(binding, expressions[c.dimension], c) for c in where]
    if segment:
        binding.segments.add(segment)
        key = binding.bind(segment)
        kept.append(f"{PERSON} IN (SELECT m.person FROM member AS m WHERE m.segment = {key})")
    if label:
        kept.append(f"e.label = {binding.bind(label)}")
    source = "counter" if from_counters else base
    origin = _SOURCES[source](binding, names, named, annotation)
    columns = [*_COLUMNS[source]]
    if joined.has_people:
        columns.append(f"{PERSON} AS person")
    if joined.has_first_order:
        columns.append("f.first_us")
    columns += [f"coalesce({expressions[name]}, '') AS d{i}" for i, name in enumerate(by)]
    text = f"SELECT {', '.join(columns)} FROM {origin} AS e{''.join(joined.joins)}"
    kept += binding.inside("e.us", is_windowed=source in _WINDOWED)
    return text + (f" WHERE {' AND '.join(kept)}" if kept else "")


class _Joined:
    """What is joined to the rows `e`, each at most once."""

    def __init__(self, binding: Binding, base: str) -> None:
        self.binding = binding
        self.base = base
        self.joins: list[str] = []
        self.has_people = self.has_first_order = self.has_profile = False
        self.aliases: dict[str, str] = {}

    def people(self) -> None:
        if not self.has_people:
            self.has_people = self.binding.reads_people = True
            self.joins.append(" LEFT JOIN identity AS i ON e.subject = i.subject")
            # Whoever refuses the purpose does not exist here.
            self.joins.append(" ANTI JOIN refused AS x ON e.subject = x.subject")

    def first_order(self) -> None:
        self.people()
        if not self.has_first_order:
            self.has_first_order = self.binding.reads_first_order = True
            self.joins.append(f" LEFT JOIN first_order AS f ON f.person = {PERSON}")

    def expression(self, name: str) -> str:
        """SQL of a dimension over the rows."""
        found, rest = split(name)
        local = self.binding.local("e.us")
        if found.name == "weekday":
            return f"((({local} // {DAY_US}) + 3) % 7 + 1)::VARCHAR"
        if found.name == "hour":
            return f"lpad((({local} // 3600000000) % 24)::VARCHAR, 2, '0')"
        if found.name == "property":
            return f"json_extract_string(e.properties, {self.binding.bind(_path(rest))})"
        if not found.is_personal:
            return found.on[self.base]
        self.people()
        return self._personal(found.name, rest, name)

    def _personal(self, kind: str, rest: str, name: str) -> str:
        binding = self.binding
        if kind == "cohort":
            self.first_order()
            return f"strftime(make_timestamp({binding.local('f.first_us', ever=True)}), '%Y-%m')"
        if kind == "segment":
            binding.segments.add(rest)
            known = f"SELECT m.person FROM member AS m WHERE m.segment = {binding.bind(rest)}"
            return f"CASE WHEN {PERSON} IN ({known}) THEN 'yes' ELSE 'no' END"
        if kind in ("trait", "score"):
            (binding.traits if kind == "trait" else binding.scores).add(rest)
            if name not in self.aliases:
                alias = self.aliases[name] = f"k{len(self.aliases)}"
                relation = "trait_of" if kind == "trait" else "score_of"
                self.joins.append(
                    f" LEFT JOIN (SELECT t.person, t.value FROM {relation} AS t"
                    f" WHERE t.name = {binding.bind(rest)}) AS {alias} ON {alias}.person = {PERSON}"
                )
            return f"{self.aliases[name]}.value"
        binding.reads_profile = True
        if not self.has_profile:
            self.has_profile = True
            self.joins.append(f" LEFT JOIN known AS p ON p.person = {PERSON}")
        return split(name)[0].on[self.base]


def _kept(binding: Binding, expression: str, condition: Condition) -> str:
    parts = []
    if condition.values:
        held = f"list_contains({binding.bind(list(condition.values))}::VARCHAR[], coalesce({expression}, ''))"
        parts.append(f"NOT {held}" if condition.is_not else held)
    number = f"try_cast({expression} AS DOUBLE)"
    if condition.at_least is not None:
        parts.append(f"{number} >= {binding.bind(float(condition.at_least))}::DOUBLE")
    if condition.at_most is not None:
        parts.append(f"{number} <= {binding.bind(float(condition.at_most))}::DOUBLE")
    return f"({' AND '.join(parts)})"


def _path(name: str) -> str:
    return f'$."{name}"'


_COLUMNS: dict[str, tuple[str, ...]] = {
    EVENT: (
        "e.seq",
        "e.us",
        "e.subject",
        "e.name",
        # A refund takes away, whichever sign it came with.
        "CASE WHEN e.name = 'order_refunded' THEN -abs(e.value_minor) ELSE e.value_minor END AS value_minor",
        "coalesce(e.currency, '') AS currency",
        "e.message",
        "1::BIGINT AS n",
    ),
    LINE: (
        "e.seq",
        "e.us",
        "e.subject",
        "e.name",
        "coalesce(e.currency, '') AS currency",
        "e.line_minor",
        "e.l.quantity AS quantity",
        "1::BIGINT AS n",
    ),
    SESSION: ("NULL::BIGINT AS seq", "e.us", "e.subject", "e.length_us", "e.n_pages", "1::BIGINT AS n"),
    TEXT: ("e.seq", "e.us", "e.subject", "e.label", "1::BIGINT AS n"),
    ANSWER: ("e.seq", "e.us", "e.subject", "e.score", "1::BIGINT AS n"),
    "counter": ("NULL::BIGINT AS seq", "e.us", "e.subject", "e.name", "e.n"),
}


def _named(binding: Binding, column: str, names: Sequence[str]) -> list[str]:
    return [f"{column} IN ({', '.join(binding.bind(name) for name in names)})"] if names else []


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _events(binding: Binding, names: Sequence[str], named: Sequence[str], annotation: str) -> str:
    del named, annotation
    message = (
        "coalesce(json_extract_string(v.properties, '$.message'), v.seq::VARCHAR)"
        if any(name.startswith("message_") for name in names)
        else "NULL::VARCHAR"
    )
    kept = _named(binding, "v.name", names) + binding.window("v.ts")
    if "message_clicked" in names:
        # What a scanner follows is no reader's doing.
        kept.append(
            "(v.name <> 'message_clicked'"
            " OR coalesce(json_extract_string(v.properties, '$.machine'), 'false') <> 'true')"
        )
    return f"(SELECT v.*, epoch_us(v.ts) AS us, {message} AS message FROM event AS v{_where(kept)})"


def _lines(binding: Binding, names: Sequence[str], named: Sequence[str], annotation: str) -> str:
    del named, annotation
    kept = _where(_named(binding, "v.name", names) + binding.window("v.ts"))
    unfolded = (
        f"SELECT v.*, epoch_us(v.ts) AS us, unnest(from_json(json_extract(v.properties, '$.items'), '{ITEM}'))"
        f" AS l FROM event AS v{kept}"
    )
    worth = "coalesce(w.l.quantity * w.l.unit_price_minor, 0)"
    return (
        "(SELECT w.*, round(CASE WHEN w.name = 'order_refunded'"
        f" THEN -abs({worth}) ELSE {worth} END)::BIGINT AS line_minor FROM ({unfolded}) AS w)"
    )


def _sessions(binding: Binding, names: Sequence[str], named: Sequence[str], annotation: str) -> str:
    del names, named, annotation
    return (
        "(SELECT v.*, epoch_us(v.started_at) AS us, epoch_us(v.ended_at) - epoch_us(v.started_at) AS length_us"
        f" FROM session AS v{_where(binding.window('v.started_at'))})"
    )


def _texts(binding: Binding, names: Sequence[str], named: Sequence[str], annotation: str) -> str:
    del names
    kept = _where([f"a.name = {binding.bind(annotation or SENTIMENT)}", *binding.window("a.ts")])
    newest = (
        "SELECT a.seq, epoch_us(arg_max(a.ts, a.run)) AS us, arg_max(a.subject, a.run) AS subject,"
        f" arg_max(a.label, a.run) AS label FROM annotation AS a{kept} GROUP BY a.seq"
        " HAVING arg_max(a.label, a.run) <> ''"
    )
    if not {"channel", "source", "venue"} & set(named):
        return f"({newest})"
    said = _where(binding.window("v.ts"))
    return (
        f"(SELECT b.*, w.channel, w.source, w.venue FROM ({newest}) AS b"
        f" LEFT JOIN (SELECT v.seq, v.channel, v.source, v.venue FROM event AS v{said}) AS w ON b.seq = w.seq)"
    )


def _answers(binding: Binding, names: Sequence[str], named: Sequence[str], annotation: str) -> str:
    del names, annotation, binding
    spoken = (
        "SELECT coalesce(json_extract_string(v.properties, '$.response'), v.subject || '@' || epoch_us(v.ts))"
        ' AS response, v.subject, v.seq, v.ts, v.channel, v.source, v.venue, v."text" AS said,'
        " json_extract_string(v.properties, '$.survey') AS survey,"
        " coalesce(json_extract_string(v.properties, '$.question'), '') AS question,"
        " json_extract_string(v.properties, '$.answer') AS answer,"
        " try_cast(json_extract_string(v.properties, '$.score') AS DOUBLE) AS score"
        " FROM event AS v WHERE v.name IN ('survey_answered', 'answer_corrected')"
    )
    newest = (
        f"SELECT s.survey, s.question, s.response, max(s.seq) AS seq, epoch_us(arg_max(s.ts, s.seq)) AS us,"
        " arg_max(s.subject, s.seq) AS subject, arg_max(coalesce(s.channel, ''), s.seq) AS channel,"
        " arg_max(coalesce(s.source, ''), s.seq) AS source, arg_max(coalesce(s.venue, ''), s.seq) AS venue,"
        # An answer taken back leaves none: wrapped, so that nothing is kept as nothing.
        " arg_max([s.answer], s.seq)[1] AS answer, arg_max([s.said], s.seq)[1] AS said,"
        " arg_max([coalesce(s.score, try_cast(s.answer AS DOUBLE))], s.seq)[1] AS score"
        f" FROM ({spoken}) AS s GROUP BY s.survey, s.question, s.response"
    )
    chosen = "n.answer"
    if "answer" in named:
        chosen = (
            "unnest(CASE WHEN starts_with(n.answer, '[') AND json_valid(n.answer)"
            " THEN from_json(n.answer, '[\"VARCHAR\"]') ELSE [n.answer] END)"
        )
    return (
        f"(SELECT n.* EXCLUDE (answer), {chosen} AS answer FROM ({newest}) AS n"
        " WHERE n.answer IS NOT NULL OR n.said IS NOT NULL)"
    )


def _counters(binding: Binding, names: Sequence[str], named: Sequence[str], annotation: str) -> str:
    """Counters by UTC day, for where no unit ends within one: each lies where its first moment does."""
    del named, annotation
    kept = ["d.dimension = ''", *_named(binding, "d.name", names)]
    if not binding.spans.is_ever:
        first = clock.from_us(binding.first_us).date()
        last = clock.from_us(binding.until_us - 1).date()
        kept += [f"d.day >= {binding.bind(first)}::DATE", f"d.day <= {binding.bind(last)}::DATE"]
    return f"(SELECT d.subject, d.name, d.n, epoch_us(d.first_ts) AS us FROM subject_day AS d{_where(kept)})"


# Sources that keep to the period by their column of times already.
_WINDOWED = (EVENT, LINE, SESSION, TEXT)

_SOURCES = {
    EVENT: _events,
    LINE: _lines,
    SESSION: _sessions,
    TEXT: _texts,
    ANSWER: _answers,
    "counter": _counters,
}
