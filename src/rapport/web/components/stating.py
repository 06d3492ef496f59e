"""Statements of one person in the reader's words: how they stand, how sure that is, what shows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.aio import rules, selectors
from rapport.web.components import formats

CLEARLY = 0.6  # a stance beyond it
TURNED = 0.3  # a change of stance that is worth a word

KINDS: dict[str, tuple[Any, Any]] = {
    rules.INTEREST: (
        gettext_lazy("Cares about"),
        gettext_lazy("What they turn to more than people do on average."),
    ),
    rules.ATTITUDE: (gettext_lazy("Thinks"), gettext_lazy("How they speak of what the firm does.")),
    rules.OPINION: (
        gettext_lazy("Stands for"),
        gettext_lazy("What they say to the firm's promises and questions."),
    ),
}
ORIGINS: dict[str, Any] = {
    rules.DECLARED: gettext_lazy("said so themselves"),
    rules.OBSERVED: gettext_lazy("seen in what they do"),
    rules.INFERRED: gettext_lazy("read in what they write"),
}
WAYS: dict[str, Any] = {
    "said": gettext_lazy("wrote"),
    "answered": gettext_lazy("answered"),
    "bought": gettext_lazy("bought"),
    "read": gettext_lazy("read"),
    "searched": gettext_lazy("searched"),
    "joined": gettext_lazy("joined"),
    "declared": gettext_lazy("chose"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One piece of evidence as a line."""

    at: dt.datetime
    way: str
    source: str
    quote: str


@dataclass(frozen=True, slots=True)
class Stated:
    """One statement as a panel shows it."""

    kind: str
    about: str
    title: str
    said: str
    figure: str
    origin: str
    is_declared: bool
    is_wrong: bool
    made_by: str
    made_at: dt.datetime
    turned: str
    evidence: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The statements of one kind."""

    title: str
    meaning: str
    statements: list[Stated]


def groups(views: Sequence[selectors.StatementView]) -> list[Group]:
    """The statements by kind, kinds without any left out."""
    return [
        Group(str(title), str(meaning), [stated(v) for v in mine])
        for kind, (title, meaning) in KINDS.items()
        if (mine := [v for v in views if v.kind == kind])
    ]


def stated(view: selectors.StatementView) -> Stated:
    """One statement in words."""
    return Stated(
        kind=view.kind,
        about=view.about,
        title=title(view.title),
        said=_said(view),
        figure="" if view.origin == rules.DECLARED else _figure(view),
        origin=str(ORIGINS[view.origin]),
        is_declared=view.origin == rules.DECLARED,
        is_wrong=view.state == rules.SAID_WRONG,
        made_by=view.made_by,
        made_at=view.made_at,
        turned=_turned(view.trend),
        evidence=tuple(
            Shown(dt.datetime.fromisoformat(one.at), str(WAYS.get(one.how, one.how)), one.source, one.quote)
            for one in view.evidence
        ),
    )


def title(text: str) -> str:
    """What a statement is about; the questions that an installation begins with are translated."""
    return _(text)


def _said(view: selectors.StatementView) -> str:
    if view.state == rules.SAID_WRONG:
        return _("called wrong")
    if view.kind == rules.INTEREST:
        return _("interested") if view.value > 0 else _("not interested")
    if view.value == 0:
        return _("undecided")
    if view.value > 0:
        return _("clearly in favour") if view.value >= CLEARLY else _("rather in favour")
    return _("clearly against") if view.value <= -CLEARLY else _("rather against")


def _figure(view: selectors.StatementView) -> str:
    if view.kind == rules.INTEREST:
        times = _("%(low)s to %(high)s times the average, likely %(likely)s") % {
            "low": formats.number(_lift(view.low), 1),
            "high": formats.number(_lift(view.high), 1),
            "likely": formats.number(_lift(view.value), 1),
        }
        weeks = ngettext("%(n)s week", "%(n)s weeks", view.n) % {"n": formats.number(view.n)}
        return f"{times}; {weeks}"
    between = _("%(low)s to %(high)s, likely %(likely)s, from −1 to 1") % {
        "low": formats.number(view.low, 2),
        "high": formats.number(view.high, 2),
        "likely": formats.number(view.value, 2),
    }
    texts = ngettext("%(n)s text", "%(n)s texts", view.n) % {"n": formats.number(view.n)}
    return f"{between}; {texts}"


def _lift(affinity: float) -> float:
    return affinity / max(1 - affinity, 0.01)


def _turned(trend: float | None) -> str:
    if trend is None or abs(trend) < TURNED:
        return ""
    return _("better of late") if trend > 0 else _("worse of late")
