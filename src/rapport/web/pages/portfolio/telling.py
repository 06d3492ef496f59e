"""Figures of the portfolio in words."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.portfolio import selectors
from rapport.portfolio.rules import Policy
from rapport.portfolio.selectors import SimulationView
from rapport.web.components import formats

GROUPS: dict[str, Any] = {
    "A": gettext_lazy("Tier A"),
    "B": gettext_lazy("Tier B"),
    "C": gettext_lazy("Tier C"),
    "": gettext_lazy("No tier: they refuse estimates, or are not known"),
}
FIELDS: dict[str, Any] = {
    "longest_wait_hours": gettext_lazy("longest wait"),
    "minutes_per_day": gettext_lazy("minutes a day"),
    "floor_ratio": gettext_lazy("share held back"),
    "half_life_hours": gettext_lazy("how fast help fades"),
    "safety_words": gettext_lazy("reasons that mean safety"),
    "refund_words": gettext_lazy("reasons that mean a refund"),
    "need_trait": gettext_lazy("trait of those who need more help"),
    "costs": gettext_lazy("what serving takes"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One group of people who waited, both ways."""

    label: str
    n: int
    present_median: str
    policy_median: str
    present_ninetieth: str
    policy_ninetieth: str
    present_beyond: str
    policy_beyond: str
    n_longer: int | None


@dataclass(frozen=True, slots=True)
class Money:
    """What would be saved beyond the present way, in one currency."""

    gain: str
    low: str
    high: str
    present: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A simulation, as the page tells it."""

    id: int
    policy: Policy
    made_at: dt.datetime
    made_by: str
    n: int
    days: int
    lines: list[Line]
    money: list[Money]
    n_longer: int
    n_longer_people: int
    longer_median: str
    longer_most: str
    is_short: bool
    short_share: str
    needed_per_day: int
    seen_median: str
    n_seen: int
    n_unanswered: int
    n_left_out: int
    n_out_of_turn: int
    within: list[tuple[str, str, str]]


def told(found: SimulationView) -> Told:
    result = found.result
    present, policy = result["present"], result["policy"]
    groups: list[tuple[str, dict[str, Any], dict[str, Any], int | None]] = [
        (_("Everybody"), present["everybody"], policy["everybody"], result["n_longer"]),
        (_("Safety, refunds, declared need"), present["first"], policy["first"], None),
    ]
    for tier, label in GROUPS.items():
        groups.append(
            (str(label), present["by_tier"][tier], policy["by_tier"][tier], result["longer_by_tier"][tier])
        )
    return Told(
        id=found.id,
        policy=found.policy,
        made_at=found.made_at,
        made_by=found.made_by,
        n=result["n"],
        days=round(result["days"]),
        lines=[_line(*group) for group in groups if group[1]["n"]],
        money=[_money(outcome) for outcome in result["outcomes"]],
        n_longer=result["n_longer"],
        n_longer_people=result["n_longer_people"],
        longer_median=hours(result["longer_median_hours"]),
        longer_most=hours(result["longer_most_hours"]),
        is_short=result["is_short"],
        short_share=formats.percent(result["short_ratio"], 1),
        needed_per_day=round(result["minutes_needed_per_day"]),
        seen_median=hours(result["seen"]["median_hours"]),
        n_seen=result["seen"]["n"],
        n_unanswered=result["seen"]["n_unanswered"],
        n_left_out=result["n_left_out"],
        n_out_of_turn=result["whys"].get("saving", 0),
        within=[
            (hours(row["hours"]), formats.percent(row["present"]), formats.percent(row["policy"]))
            for row in result["answered_within"]
        ],
    )


def _line(label: str, present: dict[str, Any], policy: dict[str, Any], n_longer: int | None) -> Line:
    return Line(
        label=label,
        n=present["n"],
        present_median=hours(present["median_hours"]),
        policy_median=hours(policy["median_hours"]),
        present_ninetieth=hours(present["ninetieth_hours"]),
        policy_ninetieth=hours(policy["ninetieth_hours"]),
        present_beyond=formats.percent(present["beyond_ratio"], 1),
        policy_beyond=formats.percent(policy["beyond_ratio"], 1),
        n_longer=n_longer,
    )


def _money(outcome: dict[str, Any]) -> Money:
    def said(key: str) -> str:
        return formats.money(round(outcome[key]), outcome["currency"])

    return Money(
        gain=said("gain_minor"),
        low=said("low_minor"),
        high=said("high_minor"),
        present=said("present_minor"),
        is_sure=outcome["low_minor"] > 0,
    )


def hours(value: float | None) -> str:
    """A wait, to the minute: 6 h 20 min."""
    return formats.duration(None if value is None else max(1, round(value * 60)) * 60)


def per_minute(board: selectors.Board, at: int) -> str:
    """What a minute of answering saves, with its interval."""
    return _("%(likely)s (%(low)s to %(high)s)") % {
        "likely": formats.money(round(board.saving[at]), board.currency),
        "low": formats.money(round(board.saving_low[at])),
        "high": formats.money(round(board.saving_high[at])),
    }


def band_labels(edges: Sequence[float], currency: str) -> list[str]:
    """The bands between edges: up to 5, 5 to 10, from 10 on."""
    said = [formats.whole_money(round(edge), currency) for edge in edges]
    if any(a == b for a, b in itertools.pairwise(said)):  # too near for whole units
        said = [formats.money(round(edge), currency) for edge in edges]
    between = [
        _("%(low)s to %(high)s") % {"low": low.removesuffix(f"{formats.NBSP}{currency}"), "high": high}
        for low, high in itertools.pairwise(said)
    ]
    first, last = _("below %(edge)s") % {"edge": said[0]}, _("from %(edge)s") % {"edge": said[-1]}
    return [first, *between, last]


def members_title(
    corner: str, tier: str, found: selectors.Bands, worth: int | None, cost: int | None, currency: str
) -> str:
    """What the people of a list have in common."""
    if corner:
        return corner
    if tier:
        return str(GROUPS[tier])
    across = band_labels(found.worth_edges, currency)
    up = [_("nothing"), *band_labels(found.cost_edges, currency)]
    parts = []
    if worth is not None and worth < len(across):
        parts.append(_("worth %(band)s") % {"band": across[worth]})
    if cost is not None and cost < len(up):
        parts.append(_("cost to serve in a year: %(band)s") % {"band": up[cost]})
    text = ", ".join(parts)
    return text[:1].upper() + text[1:] if text else _("Everybody with a standing")


def changed(policy: Policy, before: Policy) -> str:
    """What a version changed."""
    if policy.is_on != before.is_on:
        return _("switched on") if policy.is_on else _("switched off")
    now, then = policy.as_json(), before.as_json()
    names = [str(label) for name, label in FIELDS.items() if now[name] != then[name]]
    return ", ".join(names) or _("nothing")
