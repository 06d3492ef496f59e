"""Personas in the reader's words: what one is called, and what sets it apart."""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.personas import rules, selectors
from rapport.web.components import formats, words

PARTS = 3  # of a name that is suggested
BY = {
    "web": gettext_lazy("on the site"),
    "app": gettext_lazy("by app"),
    "shop": gettext_lazy("in the shop"),
    "phone": gettext_lazy("by telephone"),
    "email": gettext_lazy("by mail"),
}
ORDERS = {
    "web": gettext_lazy("orders on the site"),
    "app": gettext_lazy("orders by app"),
    "shop": gettext_lazy("orders in the shop"),
    "phone": gettext_lazy("orders by telephone"),
    "email": gettext_lazy("orders by mail"),
}
LOOKS = {
    "web": gettext_lazy("looks around on the site"),
    "app": gettext_lazy("looks around in the app"),
}
HOURS = {
    "weekday nights": gettext_lazy("weekday nights"),
    "weekday mornings": gettext_lazy("weekday mornings"),
    "weekday afternoons": gettext_lazy("weekday afternoons"),
    "weekday evenings": gettext_lazy("weekday evenings"),
    "weekend nights": gettext_lazy("weekend nights"),
    "weekend mornings": gettext_lazy("weekend mornings"),
    "weekend afternoons": gettext_lazy("weekend afternoons"),
    "weekend evenings": gettext_lazy("weekend evenings"),
}
AGES = {
    "under 25": gettext_lazy("under 25 years"),
    "25 to 34": gettext_lazy("25 to 34 years"),
    "35 to 44": gettext_lazy("35 to 44 years"),
    "45 to 54": gettext_lazy("45 to 54 years"),
    "55 to 64": gettext_lazy("55 to 64 years"),
    "65 and over": gettext_lazy("65 years and over"),
}
# Figure: what much of it is called, and little.
MUCH: dict[str, tuple[Any, Any]] = {
    "orders_year": (gettext_lazy("orders often"), gettext_lazy("orders rarely")),
    "price_level": (gettext_lazy("pays more"), gettext_lazy("looks for low prices")),
    "pieces": (gettext_lazy("buys several at once"), gettext_lazy("buys single pieces")),
    "refund_share": (gettext_lazy("sends much back"), gettext_lazy("sends little back")),
    "views_year": (gettext_lazy("looks around often"), gettext_lazy("looks around rarely")),
    "says_year": (gettext_lazy("speaks up"), gettext_lazy("keeps quiet")),
    "writes_year": (gettext_lazy("writes to us"), gettext_lazy("seldom writes to us")),
}
FACETS: dict[str, Any] = {
    "bought": gettext_lazy("What they buy"),
    "ordered_by": gettext_lazy("Where they order"),
    "looks_by": gettext_lazy("Where they look around"),
    "hours": gettext_lazy("When they are active most"),
    "referrers": gettext_lazy("Where they come from"),
    "sections": gettext_lazy("What they read"),
    "age": gettext_lazy("How old they are"),
    "country": gettext_lazy("Where they live"),
    "language": gettext_lazy("Their language"),
}
FIGURES: dict[str, Any] = {
    "orders_year": gettext_lazy("Orders a year"),
    "price_level": gettext_lazy("Price paid, beside the usual for the same kind"),
    "pieces": gettext_lazy("Pieces a line, beside the usual"),
    "refund_share": gettext_lazy("Orders sent back"),
    "views_year": gettext_lazy("Pages and screens a year"),
    "says_year": gettext_lazy("Public posts a year"),
    "writes_year": gettext_lazy("Messages and complaints a year"),
    "age_years": gettext_lazy("Age"),
    "interest": gettext_lazy("Interest"),
    "attitude": gettext_lazy("Attitude"),
}
TOLD: dict[str, dict[str, Any]] = {"ordered_by": ORDERS, "looks_by": LOOKS, "hours": HOURS, "age": AGES}
APART_LEAST = 0.25  # standard deviations from everybody's mean, from which a figure makes a name


def name_of(card: selectors.CardView) -> str:
    """The name that staff gave, or the one that is suggested."""
    return card.name or suggested(card.profile)


def name_of_key(key: str) -> str:
    """What a persona is called, by its key; the key where nothing is known of it."""
    found = selectors.called(key)
    if found is None:
        return key
    name, profile = found
    return name or suggested(profile)


def suggested(profile: rules.Profile) -> str:
    """A name from what lifts most: what is far from everybody's mean, two kinds of goods at most, then where or when.

    Who somebody is by age, country or language makes no name.
    """
    goods = [label("bought", one.name) for one in profile.best(("bought",), 2)]
    places = [
        str(BY.get(one.name) or label(one.facet, one.name))
        for one in profile.best(("ordered_by", "hours"), 1)
    ]
    far = sorted(
        (one for one in profile.means if one.name in MUCH), key=lambda one: (-abs(one.apart), one.name)
    )
    ways = [str(MUCH[one.name][0 if one.apart > 0 else 1]) for one in far if abs(one.apart) >= APART_LEAST]
    parts = [*ways[:1], *([_(" and ").join(goods)] if goods else []), *places, *ways[1:]][:PARTS]
    joined = ", ".join(parts) or _("much like everybody")
    return joined[:1].upper() + joined[1:]


def label(facet: str, name: str) -> str:
    """One thing that people of a persona show."""
    found = TOLD.get(facet, {}).get(name)
    if found is not None:
        return str(found)
    if facet == "sections":
        return _("reads pages under %(path)s") % {"path": f"/{name}"}
    if facet == "referrers":
        return _("comes from %(host)s") % {"host": name}
    return short(facet, name)


def short(facet: str, name: str) -> str:
    """The same below a heading that says what it is of."""
    if name in TOLD.get(facet, {}):
        return str(TOLD[facet][name])
    if facet == "sections":
        return f"/{name}"
    return name.replace("_", " ") if facet in ("bought", "next") else name


def figure(one: rules.Mean) -> tuple[str, str, str]:
    """A mean in words: what of, of this persona with its interval, of everybody."""
    kind, colon, rest = one.name.partition(":")
    title = str(FIGURES.get(kind) or words.score(kind))
    if colon:
        title = f"{title}: {rest.replace('_', ' ')}"
    low, high, everybody = (_told(one, value) for value in (one.low, one.high, one.everybody))
    return title, low if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}, everybody


def _told(one: rules.Mean, value: float) -> str:
    if one.unit.startswith("minor"):
        return formats.whole_money(round(value), one.unit.removeprefix("minor").strip())
    if one.name in ("price_level", "pieces"):
        beyond = math.exp(value) - 1
        return f"{'+' if beyond > 0 else ''}{formats.percent(beyond)}"
    if one.name == "refund_share" or one.unit in words.RATIO_UNITS:
        return formats.percent(value)
    return formats.number(value, 0 if abs(value) >= 100 else 1)


def sentence(card: selectors.CardView) -> str:
    """What sets a persona apart, in a sentence."""
    said = [
        _("%(what)s: %(share)s instead of %(everybody)s")
        % {
            "what": label(one.facet, one.name),
            "share": formats.percent(one.share),
            "everybody": formats.percent(one.everybody),
        }
        for one in card.profile.best(n=3)
    ]
    return "; ".join(said) + "." if said else _("Nothing sets them apart beyond chance.")
