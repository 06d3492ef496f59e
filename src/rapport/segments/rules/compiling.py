"""From the rule tree to one SQL query over the relations of `columns`: the persons for whom it holds.

The query is a chain of steps, each of which narrows the persons that the one before left: first one scan of
the profile with every condition on it, then behaviour, the cheapest first, so that the dear conditions are
asked of few. Negations are pushed down to single conditions before, so that each is a semi-join or an
anti-join. Values go in as parameters, and names of columns come from the catalogue alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from rapport.kit.errors import Invalid
from rapport.segments.rules import tree
from rapport.segments.rules.catalogue import LABEL, SCORE, TRAIT, Catalogue, Column, unknown
from rapport.segments.rules.columns import Needs
from rapport.segments.rules.matching import round_days, today_of

LISTED_MAX = 20  # values of a text that are compared one by one; more are looked up in a list
COMMON = 8.0  # how many rows more one may read to ask later what most people pass
NARROW_FROM = 2  # conditions after which so few are left that filtering rows by them costs less than it saves

Parameter: TypeAlias = str | int | float | bool | dt.date | list[str] | list[int]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A SELECT of one column, person, each once and in no order; its parameters; and what it reads beside.

    Each person is one of `profile`, whatever the other relations hold: who may not be seen need be left out there alone.
    """

    sql: str
    parameters: dict[str, Parameter]
    needs: Needs


def compile_(rule: tree.Rule, catalogue: Catalogue, now: dt.datetime) -> Compiled:
    """The query of a rule. Raises Invalid where the rule asks for what the catalogue does not have."""
    steps = _Steps(catalogue, today_of(now))
    last = steps.narrow(plain(rule), None)
    asked = list(tree.conditions(rule))
    needs = Needs(
        allowed=frozenset((c.purpose, c.channel) for c in asked if isinstance(c, tree.Consent)),
        segments=tree.segments_in(rule),
    )
    final = f"SELECT person FROM {last or 'profile'}"
    if not steps.steps:
        return Compiled(final, steps.parameters, needs)
    named = ",\n".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in steps.steps)
    return Compiled(f"WITH {named}\n{final}", steps.parameters, needs)


def check(rule: tree.Rule, catalogue: Catalogue, now: dt.datetime) -> None:
    """Raises Invalid where the rule asks for what is not there, or compares a text as a number."""
    compile_(rule, catalogue, now)


# ---- the plain form -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A condition, or that it does not hold."""

    asked: tree.Condition
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Both:
    of: tuple[Plain, ...]


@dataclass(frozen=True, slots=True)
class Either:
    of: tuple[Plain, ...]


Plain: TypeAlias = Literal | Both | Either


def plain(rule: tree.Rule, turned: bool = False) -> Plain:
    """The rule with its negations at the conditions, and brackets without need left out."""
    match rule:
        case tree.Not(of):
            return plain(of, not turned)
        case tree.All(of) | tree.Any(of):
            shape = Both if isinstance(rule, tree.All) is not turned else Either
            below: list[Plain] = []
            for part in of:
                one = plain(part, turned)
                below.extend(one.of if isinstance(one, shape) else (one,))
            return below[0] if len(below) == 1 else shape(tuple(dict.fromkeys(below)))
        case _:
            return Literal(rule, turned)


# ---- the steps ----------------------------------------------------------------------------------------

_PROFILE = (tree.Trait, tree.Field, tree.Identifier, tree.Score)


def _is_of_profile(part: Plain) -> bool:
    if isinstance(part, Literal):
        return isinstance(part.asked, _PROFILE)
    return all(_is_of_profile(below) for below in part.of)


@dataclass(frozen=True, slots=True)
class _Those:
    """A SELECT of persons: the condition holds for them or, if it is the complement, for all others."""

    sql: str
    is_complement: bool = False
    is_within: bool = False  # they are among those of the step before, and each is there once


@dataclass(slots=True)
class _Steps:
    catalogue: Catalogue
    today: dt.date
    steps: list[tuple[str, str]] = field(default_factory=list)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    narrowed: dict[str | None, int] = field(
        default_factory=dict
    )  # by step: how many conditions it has passed

    def value(self, given: Parameter) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = given
        return f"${name}"

    def step(self, sql: str, narrowed: int) -> str:
        name = f"step_{len(self.steps)}"
        self.steps.append((name, sql))
        self.narrowed[name] = narrowed
        return name

    def narrow(self, part: Plain, within: str | None) -> str | None:
        """The step that leaves those of `within` for whom the part holds; None stands for everybody."""
        if _is_of_profile(part):
            return self._scan(part, within)
        match part:
            case Literal(tree.Behaviour(act, tree.Edge(end, window)), turned):
                return self.narrow(self._edge(act, end, window, turned), within)
            case Literal():
                return self._narrow_literal(part, within)
            case Both(of):
                cheap = tuple(p for p in of if _is_of_profile(p))
                if cheap:
                    within = self.narrow(Both(cheap), within)
                for p in sorted((p for p in of if not _is_of_profile(p)), key=self._cost):
                    within = self.narrow(p, within)
                return within
            case Either(of):
                return self._narrow_either(of, within)

    def _narrow_either(self, of: tuple[Plain, ...], within: str | None) -> str | None:
        cheap = tuple(p for p in of if _is_of_profile(p))
        found = [self.narrow(Either(cheap), within)] if cheap else []
        found += [self.narrow(p, within) for p in of if not _is_of_profile(p)]
        if any(name is None for name in found):
            return within
        union = " UNION ".join(f"SELECT person FROM {name}" for name in found)
        return self.step(union, self.narrowed.get(within, 0))

    def _scan(self, part: Plain, within: str | None) -> str | None:
        predicate = self._predicate(part)
        if predicate == "true":
            return within
        if within:
            predicate = f"({predicate}) AND person IN (SELECT person FROM {within})"
        n = len(part.of) if isinstance(part, Both) else 1
        return self.step(f"SELECT person FROM profile WHERE {predicate}", self.narrowed.get(within, 0) + n)

    def _narrow_literal(self, part: Literal, within: str | None) -> str:
        those = self._those(part.asked, within)
        is_anti = those.is_complement is not part.turned
        n = self.narrowed.get(within, 0)
        if those.is_within and not is_anti:
            return self.step(those.sql, n + 1)
        kind, left = "ANTI" if is_anti else "SEMI", within or "profile"
        return self.step(
            f"SELECT l.person FROM {left} AS l {kind} JOIN ({those.sql}) AS r ON l.person = r.person",
            n if is_anti else n + 1,
        )

    def _edge(self, act: tree.Act, end: str, window: tree.Window, turned: bool) -> Plain:
        """The last lies in a window where one does and none after it; the first, none before it."""
        first, last = window.happened(self.today)
        day = dt.timedelta(days=1)
        beyond: tree.Bounds | None = None
        if end == "first" and first:
            beyond = None, first - day
        elif end == "last" and last and last < self.today:
            beyond = last + day, None
        inside = Literal(tree.Behaviour(act, tree.Did(), window), turned)
        if beyond is None:
            return inside
        other = tree.Window("between", first=beyond[0], last=beyond[1])
        shape = Either if turned else Both
        return shape((inside, Literal(tree.Behaviour(act, tree.Did(False), other), turned)))

    def _cost(self, part: Plain) -> float:
        """About how many rows it reads; only the order of the steps hangs on it."""
        if not isinstance(part, Literal):
            return sum(self._cost(below) for below in part.of)
        asked = part.asked
        # Most people did not do most things, so asking who did not leaves nearly all of them: better later.
        weight = COMMON if _holds_for_most(asked) is not part.turned else 1.0
        if not isinstance(asked, tree.Behaviour):
            return 0.0 if isinstance(asked, tree.Segment | tree.Consent) else weight
        acts, window = [asked.act], asked.window
        if isinstance(asked.measure, tree.Then):
            acts.append(asked.measure.act)
        if isinstance(asked.measure, tree.Edge):
            window = tree.EVER
        first, last = window.happened(self.today)
        days = (last - first).days + 1 if first and last else 3650
        counted = [self.catalogue.events.get(act.event) for act in acts]
        rows = sum(
            (c.n if c else 0) / (10 if act.dimension else 1) for c, act in zip(counted, acts, strict=True)
        )
        return weight * (2.0 + rows * min(days, 730) / 730)

    # ---- the profile --------------------------------------------------------------------------------

    def _predicate(self, part: Plain) -> str:
        if isinstance(part, Literal):
            told = self._told(part.asked)
            # Of what is unknown the engine makes neither true nor false; only a NOT would take that for true.
            return f"NOT coalesce({told}, false)" if part.turned else told
        word, empty = (" AND ", "true") if isinstance(part, Both) else (" OR ", "false")
        return word.join(f"({self._predicate(below)})" for below in part.of) or empty

    def _told(self, asked: tree.Condition) -> str:
        match asked:
            case tree.Trait(name, test):
                return self._tested(self.catalogue.column(TRAIT, name), test)
            case tree.Field(name, test):
                return self._tested(self.catalogue.column("", name), test)
            case tree.Score(name, test):
                prefix = LABEL if isinstance(test, tree.In) else SCORE
                return self._tested(self.catalogue.column(prefix, name), test)
            case tree.Identifier(namespace, known):
                there = f"list_contains(namespaces, {self.value(namespace)})"
                return there if known else f"NOT coalesce({there}, false)"
            case _:
                raise AssertionError(asked)

    def _tested(self, column: Column, test: tree.Test) -> str:
        name = '"' + column.name.replace('"', '""') + '"'
        is_there = f"{name} <> ''" if column.type == "text" else f"{name} IS NOT NULL"
        if isinstance(test, tree.Known):
            return is_there if test.known else f"NOT coalesce({is_there}, false)"
        _check_type(column, test)
        match test:
            case tree.Is(value):
                return f"{name} = {self.value(value)}"
            case tree.In(values):
                if len(values) > LISTED_MAX:
                    return f"list_contains({self.value(list(values))}::VARCHAR[], {name})"
                return f"{name} IN ({', '.join(self.value(value) for value in values)})"
            case tree.Contains(value, at_start):
                function = "starts_with" if at_start else "contains"
                return f"{function}(lower({name}), lower({self.value(value)}))"
            case tree.Comparison():
                return self._compared(name, test)
            case tree.When(window):
                return self._between(name, window.bounds(self.today)) or is_there
            case tree.Anniversary(days):
                round_ = sorted(round_days(self.today, days))
                return f"list_contains({self.value(round_)}::BIGINT[], month({name}) * 100 + day({name}))"

    def _compared(self, what: str, test: tree.Comparison, *, whole: bool = False) -> str:
        low: int | float = int(test.value) if whole else test.value
        if test.op == "between":
            high: int | float = int(test.upto) if whole else test.upto
            return f"{what} BETWEEN {self.value(low)} AND {self.value(high)}"
        op = "<>" if test.op == "!=" else test.op
        assert op == "<>" or op in tree.OPERATORS
        return f"{what} {op} {self.value(low)}"

    def _between(self, what: str, bounds: tree.Bounds) -> str:
        first, last = bounds
        told = [f"{what} >= {self.value(first)}"] if first else []
        told += [f"{what} <= {self.value(last)}"] if last else []
        return " AND ".join(told)

    # ---- behaviour, consent, annotations, segments --------------------------------------------------

    def _those(self, asked: tree.Condition, within: str | None) -> _Those:
        match asked:
            case tree.Consent(purpose, channel, allowed):
                _there("purpose", purpose, self.catalogue.purposes)
                if channel:
                    _there("channel", channel, self.catalogue.channels)
                told = f"purpose = {self.value(purpose)} AND channel = {self.value(channel)}"
                return _Those(f"SELECT person FROM allowed WHERE {told}", not allowed)
            case tree.Segment(key, member):
                _there("segment", key, self.catalogue.segments)
                return _Those(f"SELECT person FROM member WHERE segment = {self.value(key)}", not member)
            case tree.Annotated():
                return self._measured("annotated_day", self._annotated(asked), asked.measure, within)
            case tree.Behaviour():
                _there("counted event", asked.act.event, self.catalogue.events)
                if isinstance(asked.measure, tree.Then):
                    _there("counted event", asked.measure.act.event, self.catalogue.events)
                    return _Those(self._sequence(asked, asked.measure, within))
                rows = self._done(asked.act, asked.window.happened(self.today))
                return self._measured("person_day", rows, asked.measure, within)
            case _:
                raise AssertionError(asked)

    def _done(self, act: tree.Act, bounds: tree.Bounds) -> str:
        told = [f"name = {self.value(act.event)}", f"dimension = {self.value(act.dimension)}"]
        return " AND ".join(filter(None, (*told, self._between("day", bounds))))

    def _annotated(self, asked: tree.Annotated) -> str:
        told = [f"name = {self.value(asked.name)}"]
        if asked.label:
            told.append(f"label = {self.value(asked.label)}")
        return " AND ".join(filter(None, (*told, self._between("day", asked.window.happened(self.today)))))

    def _measured(self, relation: str, rows: str, measure: tree.Measure, within: str | None) -> _Those:
        if isinstance(measure, tree.Did):
            return _Those(f"SELECT person FROM {relation} WHERE {rows}", not measure.did)
        assert isinstance(measure, tree.Count | tree.Money)
        amount = "sum(value_minor)" if isinstance(measure, tree.Money) else "sum(n)"
        if isinstance(measure, tree.Count) and measure.of_days:
            amount = "count(DISTINCT day)"
        test = measure.test
        # Who has no row has zero; where zero passes, ask for those who do not.
        zero_passes = test.holds(0)
        if not zero_passes and _is_any(test) and not isinstance(measure, tree.Money):
            return _Those(f"SELECT person FROM {relation} WHERE {rows}")
        told = self._compared(amount, test, whole=True)
        having = f"NOT ({told})" if zero_passes else told
        is_few = self.narrowed.get(within, 0) >= NARROW_FROM
        only = _only(within) if is_few else ""
        return _Those(
            f"SELECT person FROM {relation} WHERE {rows}{only} GROUP BY person HAVING {having}",
            zero_passes,
            is_within=bool(only),
        )

    def _sequence(self, asked: tree.Behaviour, then: tree.Then, within: str | None) -> str:
        bounds = asked.window.happened(self.today)
        before, after = self._done(asked.act, bounds), self._done(then.act, bounds)
        if then.within_days is None:
            return (
                f"SELECT a.person FROM (SELECT person, min(first_ts) AS t FROM person_day WHERE {before}{_only(within)}"
                f" GROUP BY person) AS a JOIN (SELECT person, max(last_ts) AS t FROM person_day"
                f" WHERE {after}{_only(within)} GROUP BY person) AS b ON a.person = b.person AND b.t > a.t"
            )
        # Of those before it, the nearest one lies on the latest day; if that is too far away, all are.
        return (
            f"SELECT b.person FROM (SELECT person, day, last_ts FROM person_day WHERE {after}{_only(within)}) AS b"
            f" ASOF JOIN (SELECT person, day, first_ts FROM person_day WHERE {before}{_only(within)}) AS a"
            f" ON a.person = b.person AND b.last_ts > a.first_ts"
            f" WHERE b.day - a.day <= {self.value(then.within_days)}"
        )


def _holds_for_most(asked: tree.Condition) -> bool:
    match asked:
        case tree.Behaviour(_, measure) | tree.Annotated(_, _, measure):
            if isinstance(measure, tree.Did):
                return not measure.did
            return isinstance(measure, tree.Count | tree.Money) and measure.test.holds(0)
        case _:
            return False


def _only(within: str | None) -> str:
    return f" AND person IN (SELECT person FROM {within})" if within else ""


def _is_any(test: tree.Comparison) -> bool:
    """Whether it asks for one or more, which the first row answers."""
    return (test.op, test.value) in ((">", 0), (">=", 1), ("!=", 0))


def _there(kind: str, name: str, names: Iterable[str]) -> None:
    if name not in names:
        raise unknown("", kind, name, names)


_ASKED_OF = {
    "text": ("text", "is, in, contains or begins_with"),
    "number": ("number", "compare"),
    "date": ("day", "when or anniversary_next_days"),
    "boolean": ("yes or no", "is: true or is: false"),
}


def _check_type(column: Column, test: tree.Test) -> None:
    match test:
        case tree.Is(value):
            wanted = "boolean" if isinstance(value, bool) else "text"
        case tree.Comparison():
            wanted = "number"
        case tree.When() | tree.Anniversary():
            wanted = "date"
        case _:
            wanted = "text"
    if column.type != wanted:
        what, tests = _ASKED_OF[column.type]
        name = column.name.partition(":")[2] or column.name
        raise Invalid(f"{name!r} is a {what}, and is asked like a {_ASKED_OF[wanted][0]}", f"Use {tests}.")
