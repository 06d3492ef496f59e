"""The firm's policy for those who wait for an answer: what holds for all, and who comes first. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rapport.kit.errors import Invalid
from rapport.people.rules import sensitive

# What may come first whatever it is worth, in the order in which it does. None of them can be taken out.
FIRST = ("safety", "refund", "vulnerable")
# What somebody may wait for, as the log calls it.
KINDS = ("complaint_raised", "message_received", "post_published")

MINUTES_MOST = 24 * 60.0
WAIT_MOST_HOURS = 24 * 90.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What serving people takes: minutes of staff by kind, and money. The firm puts its own figures in."""

    complaint_minutes: float = 15.0
    message_minutes: float = 8.0
    question_minutes: float = 5.0  # of a question asked in public
    survey_minutes: float = 1.0  # reading one answered survey
    refund_minutes: float = 10.0
    minute_rate_minor: float = 60.0  # of a minute of staff, in minor units of the firm's currency
    return_cost_minor: float = 500.0  # postage and handling of what comes back, for each refund
    refund_loss_ratio: float = 0.2  # share of the money given back that the goods are not worth again

    def minutes(self, kind: str) -> float:
        """Of answering one matter of a kind."""
        by_kind = {
            "complaint_raised": self.complaint_minutes,
            "message_received": self.message_minutes,
            "post_published": self.question_minutes,
        }
        return by_kind[kind]


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy."""

    version: int = 0  # 0: nobody has set one
    longest_wait_hours: float = 24.0  # within which everybody is answered
    minutes_per_day: float = 480.0  # of service, spread evenly over the day
    floor_ratio: float = 0.3  # of the minutes, held back before anybody is taken out of turn
    half_life_hours: float = 48.0  # an answer helps half as much after so long; an assumption
    safety_words: tuple[str, ...] = (
        "safety",
        "defective",
        "injury",
        "fire",
        "recall",
    )  # reasons of complaints
    refund_words: tuple[str, ...] = ("refund", "slow_refund", "wrong_charge")
    need_trait: str = "extra_help"  # by which people themselves say that they need more help
    costs: Costs = field(default_factory=Costs)
    is_on: bool = False
    changed_at: dt.datetime | None = None
    changed_by: str = ""
    why: str = ""

    @property
    def minutes_per_hour(self) -> float:
        return self.minutes_per_day / 24

    def as_json(self) -> dict[str, Any]:
        """What a version keeps beside who changed it and when."""
        kept = asdict(self)
        for name in ("version", "is_on", "changed_at", "changed_by", "why"):
            del kept[name]
        return kept

    @classmethod
    def from_json(cls, given: Mapping[str, Any], **known: Any) -> Policy:
        """Read back what `as_json` gave; what a later version of the product added has its default."""
        fields = {k: v for k, v in given.items() if k in cls.__dataclass_fields__}
        costs = Costs(**{k: v for k, v in fields.pop("costs", {}).items() if k in Costs.__dataclass_fields__})
        for name in ("safety_words", "refund_words"):
            if name in fields:
                fields[name] = tuple(fields[name])
        return replace(cls(**fields, costs=costs), **known)


def check(policy: Policy) -> None:
    """Raise Invalid for a policy that cannot be kept or says nothing."""
    _between("the longest wait", policy.longest_wait_hours, 0.25, WAIT_MOST_HOURS, "hours")
    _between("the service of a day", policy.minutes_per_day, 1, 1000 * MINUTES_MOST, "minutes")
    _between("the share held back", policy.floor_ratio, 0, 0.9, "of the minutes")
    _between(
        "the time in which an answer loses half its help", policy.half_life_hours, 1, WAIT_MOST_HOURS, "hours"
    )
    for name, value in asdict(policy.costs).items():
        most = 1.0 if name.endswith("_ratio") else 1e9 if name.endswith("_minor") else MINUTES_MOST
        least = 0.1 if name in ("complaint_minutes", "message_minutes", "question_minutes") else 0.0
        _between(name.replace("_", " "), value, least, most, "")
    if not policy.safety_words or not policy.refund_words:
        raise Invalid(
            "safety and refunds always come first", "Give at least one reason by which each is known."
        )
    if not policy.need_trait.replace("_", "").isalnum():
        raise Invalid(f"{policy.need_trait!r} is no name of a trait", "Use letters, digits and underscores.")
    if (category := sensitive.category_of(policy.need_trait)) is not None:
        raise Invalid(
            f"{policy.need_trait!r} says something about {category.name}",
            "Ask what help somebody wants, not why they want it: extra_help, for instance.",
        )


def _between(what: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:  # also refuses what is no number
        raise Invalid(f"{what} is {value:g} {unit}".strip(), f"Give from {least:g} to {most:g}.")
