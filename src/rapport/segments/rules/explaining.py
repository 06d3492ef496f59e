"""Why a rule holds for somebody or not: every line of it with its outcome and the value behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rapport.segments.rules import matching, saying, tree
from rapport.segments.rules.matching import Facts, Value
from rapport.segments.rules.saying import ENGLISH, Words
from rapport.segments.rules.saying import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a rule: what it says, whether it holds, and for a condition what was found."""

    at: str  # its place in the JSON document, such as `$.all[1]`
    part: tree.Rule
    text: str
    holds: bool
    found: str = ""
    below: tuple[Line, ...] = ()


def explain(rule: tree.Rule, facts: Facts, now: dt.datetime, words: Words = ENGLISH) -> Line:
    """The rule line by line."""
    return _line(rule, "$", facts, matching.today_of(now), words)


def deciding(line: Line) -> list[Line]:
    """The conditions that decided the outcome: in an `all` that fails those that fail, and so on."""
    match line.part:
        case tree.Not():
            return deciding(line.below[0])
        case tree.All() | tree.Any():
            return [one for below in line.below if below.holds is line.holds for one in deciding(below)]
        case _:
            return [line]


def _line(rule: tree.Rule, at: str, facts: Facts, today: dt.date, words: Words) -> Line:
    match rule:
        case tree.All(of) | tree.Any(of):
            is_all = isinstance(rule, tree.All)
            place = f"{at}.{'all' if is_all else 'any'}"
            below = tuple(_line(p, f"{place}[{i}]", facts, today, words) for i, p in enumerate(of))
            outcomes = [line.holds for line in below]
            holds = all(outcomes) if is_all else any(outcomes)
            text = words.say(_("all of these:") if is_all else _("at least one of these:"))
            return Line(at, rule, text, holds, below=below)
        case tree.Not(of):
            one = _line(of, f"{at}.not", facts, today, words)
            return Line(at, rule, words.say(_("not this:")), not one.holds, below=(one,))
        case _:
            return Line(
                at,
                rule,
                saying.condition(rule, words),
                matching.holds(rule, facts, today),
                found(rule, facts, today, words),
            )


def found(asked: tree.Condition, facts: Facts, today: dt.date, words: Words = ENGLISH) -> str:
    """What is known of the person where the condition asks."""
    match asked:
        case tree.Trait(name, _test):
            return value(facts.traits.get(name), words)
        case tree.Field(name, _test):
            return value(facts.fields.get(name), words)
        case tree.Score(name, tree.In()):
            return value(facts.labels.get(name), words)
        case tree.Score(name, _test):
            return value(facts.scores.get(name), words)
        case tree.Identifier(namespace, _known):
            return words.say(_("there is one") if namespace in facts.namespaces else _("there is none"))
        case tree.Consent(purpose, channel, _allowed):
            is_allowed = (purpose, channel) in facts.allowed
            return words.say(_("allowed") if is_allowed else _("not allowed"))
        case tree.Annotated():
            rows = matching.labelled(asked, facts, today)
            return _times(sum(row.n for row in rows), [row.day for row in rows], words)
        case tree.Behaviour():
            return _behaved(asked, facts, today, words)
        case tree.Segment(key, _member):
            if key not in facts.segments:
                return words.say(_("not in it"))
            since = facts.segments[key]
            return (
                words.say(_("in it since %(day)s"), day=words.day(since.date()))
                if since
                else words.say(_("in it"))
            )


def value(known: Value, words: Words = ENGLISH) -> str:
    """One value as it is shown."""
    if known is None or known == "":
        return words.say(_("not known"))
    if isinstance(known, bool):
        return words.say(_("yes") if known else _("no"))
    if isinstance(known, dt.date):
        return words.day(known)
    return f"“{known}”" if isinstance(known, str) else saying.number(known)


def _behaved(asked: tree.Behaviour, facts: Facts, today: dt.date, words: Words) -> str:
    ever = matching.done(asked.act, facts, (None, today))
    if not ever:
        return words.say(_("never"))
    if isinstance(asked.measure, tree.Edge):
        return _end([row.day for row in ever], asked.measure.end, words)
    rows = matching.done(asked.act, facts, asked.window.happened(today))
    days = [row.day for row in rows]
    match asked.measure:
        case tree.Then(act, within):
            return _followed(rows, matching.done(act, facts, asked.window.happened(today)), within, words)
        case tree.Money():
            told = words.say(_("%(amount)s in all"), amount=words.money(sum(row.value_minor for row in rows)))
        case tree.Count(_test, True):
            told = words.say(_("on %(count)s days"), count=saying.number(len(set(days))))
        case _:
            told = _times(sum(row.n for row in rows), days, words)
    if not rows:
        last = _end([row.day for row in ever], "last", words)
        return words.say(_("not in this time; %(last)s"), last=last)
    return told


def _times(n: int, days: Iterable[dt.date], words: Words) -> str:
    held = list(days)
    if not held:
        return words.say(_("never"))
    if n == 1:
        return words.say(_("once, on %(day)s"), day=words.day(max(held)))
    return words.say(_("%(n)s times, last on %(day)s"), n=saying.number(n), day=words.day(max(held)))


def _end(days: list[dt.date], end: str, words: Words) -> str:
    if end == "first":
        return words.say(_("first on %(day)s"), day=words.day(min(days)))
    return words.say(_("last on %(day)s"), day=words.day(max(days)))


def _followed(
    rows: list[matching.DayCount], later: list[matching.DayCount], within: int | None, words: Words
) -> str:
    pair = _last(
        ((a, b) for a in rows for b in later if matching.follows(a, b, within)), lambda p: p[1].last_ts
    )
    if pair is None:
        return words.say(_("not one after the other"))
    first, then = pair
    return words.say(
        _("on %(first)s, then on %(then)s"), first=words.day(first.day), then=words.day(then.day)
    )


Pair = tuple[matching.DayCount, matching.DayCount]


def _last(pairs: Iterable[Pair], key: Callable[[Pair], dt.datetime]) -> Pair | None:
    return max(pairs, key=key, default=None)
