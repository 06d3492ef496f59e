"""The rule of a segment as a form: what each row offers, the JSON it comes to, and what is wrong with which row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from rapport.kit.errors import RapportError
from rapport.segments import rules
from rapport.segments.rules import tree
from rapport.web.components import segmentcontrols, segmentrows
from rapport.web.components.segmentcontrols import Control, Offer
from rapport.web.components.segmenttree import (
    ALL,
    ANY,
    DEEPEST,
    HOWS,
    NONE,
    NOT_ALL,
    ROOT,
    Bracket,
    Row,
    at,
    put,
    read,
    rows,
    with_part,
    without,
)
from rapport.web.errors import sentence

Json = Any


# ---- the form and the rule ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Built:
    """What a form comes to: the rule of the rows that are whole, and what is wrong with the others."""

    rule: rules.Rule
    json: Json
    wrong: Mapping[str, str] = field(default_factory=dict)  # by the place of the row or bracket
    numbers: Mapping[str, int] = field(default_factory=dict)  # of the rows, by their place

    @property
    def is_whole(self) -> bool:
        return not self.wrong


def built(form: Bracket, offer: Offer) -> Built:
    """The rule that a form states. A row that is wrong is left out of it and named with what to do."""
    wrong: dict[str, str] = {}
    json = _bracket(form, ROOT, offer, wrong)
    try:
        rule = rules.parse(json)
    except RapportError as error:  # each row is well, and all of them are too many or too deep
        wrong[ROOT], json = _told(error), {"all": []}
        rule = rules.EVERYBODY
    return Built(rule, json, wrong, _numbers(form))


def _numbers(form_now: Bracket) -> dict[str, int]:
    return {place: n for n, (place, _row) in enumerate(rows(form_now), 1)}


def _bracket(bracket: Bracket, place: str, offer: Offer, wrong: dict[str, str]) -> Json:
    parts = []
    for number, part in enumerate(bracket.parts):
        below = f"{place}_{number}"
        if isinstance(part, Row):
            stated = _row(part, below, offer, wrong)
        elif part.parts:
            stated = _bracket(part, below, offer, wrong)
        else:
            wrong[below] = _("Nothing stands in this bracket. Add a condition to it, or remove it.")
            stated = None
        if stated is not None:
            parts.append(stated)
    if not parts:
        return {"all": []} if place == ROOT else None
    if bracket.how in (ALL, ANY):
        return {bracket.how: parts}
    if len(parts) == 1:
        return {"not": parts[0]}
    return {"not": {"any" if bracket.how == NONE else "all": parts}}


def _row(row: Row, place: str, offer: Offer, wrong: dict[str, str]) -> Json:
    try:
        json = segmentrows.condition(row, offer.catalogue, offer.currency)
        offer.check(rules.parse(json))
    except RapportError as error:
        wrong[place] = _told(error)
        return None
    return json


def _told(error: RapportError) -> str:
    # Below, the place in the document stands before the message; here the message stands at its row.
    message = error.message.partition(": ")[2] if error.message.startswith("$") else error.message
    return f"{sentence(message)} {sentence(error.hint)}".strip()


def form(rule: rules.Rule, offer: Offer) -> Bracket:
    """The form that states a rule."""
    stated = _part(rule, offer)
    return _complete(stated if isinstance(stated, Bracket) else Bracket(ALL, (stated,)), offer)


def _part(rule: rules.Rule, offer: Offer) -> Row | Bracket:
    if isinstance(rule, tree.All | tree.Any):
        parts = tuple(_part(part, offer) for part in rule.of)
        return Bracket(ALL if isinstance(rule, tree.All) else ANY, parts)
    if not isinstance(rule, tree.Not):
        return segmentrows.row(rule, offer.catalogue, offer.currency)
    inner = rule.of
    if isinstance(inner, tree.Not):
        return _part(inner.of, offer)
    if isinstance(inner, tree.All | tree.Any):
        how = NOT_ALL if isinstance(inner, tree.All) else NONE
        return Bracket(how, tuple(_part(part, offer) for part in inner.of))
    opposite = segmentrows.negated(inner, offer.catalogue, offer.currency)
    return opposite or Bracket(NONE, (segmentrows.row(inner, offer.catalogue, offer.currency),))


# ---- what the buttons do ------------------------------------------------------------------------------


def changed(given: Mapping[str, str], offer: Offer) -> tuple[Bracket, str]:
    """The form after the button that was pressed, and the place that the reader goes on at."""
    form_now = read(given)
    for place, row in rows(form_now):
        # What was typed for one thing says nothing about another.
        kept = row.given if row.given.get("was", row.about) == row.about else {}
        form_now = put(form_now, place, Row(row.about, kept))
    do, _colon, place = given.get("do", "").partition(":")
    changing = _CHANGES.get(do)
    after, goes_on = changing(form_now, place, offer) if changing else (form_now, "")
    return _complete(after, offer), goes_on


def _complete(part: Bracket, offer: Offer) -> Bracket:
    return replace(
        part,
        parts=tuple(
            segmentcontrols.complete(p, offer) if isinstance(p, Row) else _complete(p, offer)
            for p in part.parts
        ),
    )


def _added(form_now: Bracket, place: str, offer: Offer) -> tuple[Bracket, str]:
    after = with_part(form_now, place, Row(offer.first_about))
    return after, _last_of(after, place)


def _nested(form_now: Bracket, place: str, offer: Offer) -> tuple[Bracket, str]:
    # Within “all” one usually wants “any”, and the other way round: the same again would say nothing new.
    around = _at_bracket(form_now, place)
    after = with_part(form_now, place, Bracket(ALL if around.how == ANY else ANY, (Row(offer.first_about),)))
    return after, f"{_last_of(after, place)}_0"


def _removed(form_now: Bracket, place: str, _offer: Offer) -> tuple[Bracket, str]:
    return without(form_now, place), place.rpartition("_")[0]


_CHANGES: dict[str, Callable[[Bracket, str, Offer], tuple[Bracket, str]]] = {
    "add": _added,
    "bracket": _nested,
    "remove": _removed,
}


def _at_bracket(form_now: Bracket, place: str) -> Bracket:
    found = at(form_now, place)
    return found if isinstance(found, Bracket) else Bracket()


def _last_of(form_now: Bracket, place: str) -> str:
    return f"{place}_{len(_at_bracket(form_now, place).parts) - 1}"


# ---- what the template shows --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowShown:
    place: str
    number: int
    about: str
    groups: list[tuple[Any, list[tuple[str, str]]]]
    controls: list[Control]
    wrong: str
    is_new: bool
    is_bracket: bool = False


@dataclass(frozen=True, slots=True)
class BracketShown:
    place: str
    how: str
    hows: list[tuple[str, str]]
    parts: list[RowShown | BracketShown]
    wrong: str
    is_root: bool
    may_nest: bool
    has_focus: bool
    is_bracket: bool = True


def shown(form_now: Bracket, offer: Offer, wrong: Mapping[str, str], goes_on: str = "") -> BracketShown:
    """The whole form; the keyboard goes on at the place `goes_on`."""
    numbers = _numbers(form_now)
    said = segmentcontrols.hows()

    def row_shown(row: Row, place: str) -> RowShown:
        return RowShown(
            place=place,
            number=numbers[place],
            about=row.about,
            groups=offer.groups(row.about),
            controls=segmentcontrols.controls(row, offer),
            wrong=wrong.get(place, ""),
            is_new=place == goes_on,
        )

    def bracket_shown(bracket: Bracket, place: str) -> BracketShown:
        below = [(part, f"{place}_{n}") for n, part in enumerate(bracket.parts)]
        return BracketShown(
            place=place,
            how=bracket.how,
            hows=[(how, said[how]) for how in HOWS],
            parts=[row_shown(p, at_) if isinstance(p, Row) else bracket_shown(p, at_) for p, at_ in below],
            wrong=wrong.get(place, ""),
            is_root=place == ROOT,
            may_nest=place.count("_") < DEEPEST,
            has_focus=place == goes_on,
        )

    return bracket_shown(form_now, ROOT)


def places(form_now: Bracket, place: str = ROOT) -> list[str]:
    """Every place of the form at which something can be said to be wrong."""
    found = [place]
    for number, part in enumerate(form_now.parts):
        below = f"{place}_{number}"
        found += [below] if isinstance(part, Row) else places(part, below)
    return found
