"""Segments to begin with, offered where what they ask about is known here; each is a rule to change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from rapport.segments import rules
from rapport.segments.rules import tree
from rapport.segments.rules.catalogue import SCORE, TRAIT, Catalogue
from rapport.web.components.segmentcontrols import Offer

Json = Any


@dataclass(frozen=True, slots=True)
class Starter:
    """A segment that many firms want: what it is called, what for, and its rule by what there is here."""

    title: Any
    meaning: Any
    states: Callable[[Offer], Json]

    def rule(self, offer: Offer) -> rules.Rule:
        return rules.parse(self.states(offer))


def _mail(offer: Offer) -> Json:
    use = next((value for value, _label in offer.uses if value.endswith(".email")), "marketing.email")
    return {
        "all": [
            {"consent": use.partition(".")[0], "channel": "email", "allowed": True},
            {"identifier": "email", "known": True},
        ]
    }


STARTERS: dict[str, Starter] = {
    "lapsed": Starter(
        gettext_lazy("Lapsed regulars"),
        gettext_lazy("They bought three times or more, and nothing in the last 90 days."),
        lambda _offer: {
            "all": [
                {"event": "order_placed", "count": {"op": ">=", "value": 3}},
                {"event": "order_placed", "last": {"before_days": 90}},
            ]
        },
    ),
    "new": Starter(
        gettext_lazy("New this month"),
        gettext_lazy("First seen in the last 30 days: the time to make a good first impression."),
        lambda _offer: {"all": [{"profile": "first_seen", "when": {"last_days": 30}}]},
    ),
    "regulars": Starter(
        gettext_lazy("Regulars"),
        gettext_lazy("They bought on three days or more in a year, and lately too."),
        lambda _offer: {
            "all": [
                {"event": "order_placed", "days": {"op": ">=", "value": 3}, "window": {"last_days": 365}},
                {"event": "order_placed", "last": {"last_days": 90}},
            ]
        },
    ),
    "once": Starter(
        gettext_lazy("Bought once"),
        gettext_lazy("One order, a month ago or longer: a second one makes them stay."),
        lambda _offer: {
            "all": [
                {"event": "order_placed", "count": {"op": "=", "value": 1}},
                {"event": "order_placed", "last": {"before_days": 30}},
            ]
        },
    ),
    "complained": Starter(
        gettext_lazy("Complained lately"),
        gettext_lazy("They complained in the last 30 days: put it right before you sell to them again."),
        lambda _offer: {"all": [{"event": "complaint_raised", "window": {"last_days": 30}}]},
    ),
    "unhappy": Starter(
        gettext_lazy("Unhappy words"),
        gettext_lazy("What they wrote in the last 30 days reads as negative."),
        lambda _offer: {
            "all": [{"annotation": "sentiment", "label": "negative", "window": {"last_days": 30}}]
        },
    ),
    "mail": Starter(
        gettext_lazy("Reachable by mail"),
        gettext_lazy("They allow it, and we know an address."),
        _mail,
    ),
    "birthday": Starter(
        gettext_lazy("Birthday soon"),
        gettext_lazy("It comes round within two weeks."),
        lambda _offer: {"all": [{"trait": "birth_date", "anniversary_next_days": 14}]},
    ),
    "leaving": Starter(
        gettext_lazy("Likely to leave"),
        gettext_lazy("The model gives them even odds or worse of not coming back."),
        lambda _offer: {"all": [{"score": "churn_risk", "compare": {"op": ">=", "value": 0.5}}]},
    ),
}


def fitting(offer: Offer) -> dict[str, Starter]:
    """Those whose events, traits and scores there are here."""
    return {key: one for key, one in STARTERS.items() if _fits(one.rule(offer), offer)}


def _fits(rule: rules.Rule, offer: Offer) -> bool:
    return all(_is_here(asked, offer) for asked in rules.conditions(rule))


def _is_here(asked: rules.Condition, offer: Offer) -> bool:
    here: Catalogue = offer.catalogue
    match asked:
        case tree.Behaviour(act):
            return act.event in offer.seen
        case tree.Annotated(name, label):
            return label in here.annotations.get(name, ())
        case tree.Trait(name):
            column = here.columns.get(TRAIT + name)
            return column is not None and column.type == "date"
        case tree.Score(name):
            return SCORE + name in here.columns
        case tree.Field(name):
            return name in here.columns
        case tree.Identifier(namespace):
            return namespace in here.namespaces
        case tree.Consent(purpose, channel):
            return any(value == f"{purpose}.{channel}" for value, _label in offer.uses)
        case _:
            return False
