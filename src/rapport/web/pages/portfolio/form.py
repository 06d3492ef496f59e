"""The policy as a form."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.kit import money
from rapport.portfolio.rules import Costs, Policy

FIRST_FIELDS = ("longest_wait_hours", "minutes_per_day", "floor_percent")
MARKER_FIELDS = ("safety_words", "refund_words", "need_trait")
COST_FIELDS = (
    "complaint_minutes",
    "message_minutes",
    "question_minutes",
    "survey_minutes",
    "refund_minutes",
    "minute_rate",
    "return_cost",
    "refund_loss_percent",
    "half_life_hours",
)
MONEY_FIELDS = (
    "minute_rate",
    "return_cost",
)  # in whole units of the firm's currency; the policy has minor ones


def _number(label: Any, help_text: Any = "", **limits: Any) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"class": "num", "step": "any"})
    return forms.FloatField(label=label, help_text=help_text, widget=widget, **limits)


def _amount(label: Any, help_text: Any) -> forms.DecimalField:
    widget = forms.NumberInput(attrs={"class": "num", "step": "any", "min": "0"})
    return forms.DecimalField(label=label, help_text=help_text, widget=widget, min_value=0, max_digits=15)


class PolicyForm(forms.Form):
    """Figures of a policy; what they may be is the domain's to say. Money is as the firm writes it."""

    longest_wait_hours = _number(
        gettext_lazy("Longest wait, in hours"),
        gettext_lazy("Everybody is answered within it, whatever they are worth."),
    )
    minutes_per_day = _number(
        gettext_lazy("Minutes of service a day"), gettext_lazy("Of all staff together, spread over the day.")
    )
    floor_percent = _number(
        gettext_lazy("Share held back, in %"),
        gettext_lazy(
            "Of the minutes, kept free for what must come first before anybody is taken out of turn."
        ),
    )
    safety_words = forms.CharField(
        label=gettext_lazy("Reasons that mean safety"),
        help_text=gettext_lazy("Of complaints, parted by commas. They come first of all."),
    )
    refund_words = forms.CharField(
        label=gettext_lazy("Reasons that mean a refund"), help_text=gettext_lazy("They come second.")
    )
    need_trait = forms.CharField(
        label=gettext_lazy("Trait of those who need more help"),
        help_text=gettext_lazy(
            "Counts only where people say so themselves; nothing is inferred. They come third."
        ),
        widget=forms.TextInput(attrs={"class": "mono"}),
    )
    complaint_minutes = _number(gettext_lazy("Minutes for a complaint"))
    message_minutes = _number(gettext_lazy("Minutes for a message"))
    question_minutes = _number(gettext_lazy("Minutes for a question in public"))
    survey_minutes = _number(gettext_lazy("Minutes for an answered survey"))
    refund_minutes = _number(gettext_lazy("Minutes for a refund"))
    minute_rate = _amount(gettext_lazy("Cost of a minute"), gettext_lazy("Of one who answers, all included."))
    return_cost = _amount(gettext_lazy("Cost of each return"), gettext_lazy("Postage and handling."))
    refund_loss_percent = _number(
        gettext_lazy("Lost of what is given back, in %"), gettext_lazy("What the goods are not worth again.")
    )
    half_life_hours = _number(
        gettext_lazy("An answer helps half as much after, in hours"),
        gettext_lazy("An assumption; yours to set."),
    )
    why = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Kept with the change."),
    )

    def __init__(self, *given: Any, currency: str, **named: Any) -> None:
        super().__init__(*given, **named)
        self.currency = currency
        for name in MONEY_FIELDS:
            field = self.fields[name]
            field.label = _("%(what)s, in %(currency)s") % {"what": field.label, "currency": currency}

    def groups(self) -> list[tuple[str, list[Any]]]:
        """The fields as the page shows them: what holds for all, who comes first, what serving takes."""
        return [
            ("all", [self[name] for name in FIRST_FIELDS]),
            ("first", [self[name] for name in MARKER_FIELDS]),
            ("costs", [self[name] for name in COST_FIELDS]),
        ]

    def policy(self, before: Policy) -> Policy:
        """What was filled in, over what was in force."""
        given = self.cleaned_data
        costs = Costs(
            **{name: given[name] for name in COST_FIELDS if name in Costs.__dataclass_fields__},
            **{f"{name}_minor": _minor(given[name], self.currency) for name in MONEY_FIELDS},
            refund_loss_ratio=given["refund_loss_percent"] / 100,
        )
        return replace(
            before,
            longest_wait_hours=given["longest_wait_hours"],
            minutes_per_day=given["minutes_per_day"],
            floor_ratio=given["floor_percent"] / 100,
            half_life_hours=given["half_life_hours"],
            safety_words=_words(given["safety_words"]),
            refund_words=_words(given["refund_words"]),
            need_trait=given["need_trait"].strip(),
            costs=costs,
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _minor(amount: Decimal, currency: str) -> float:
    """Minor units, and parts of one: a minute may cost 0.605 EUR."""
    return float(amount.scaleb(money.exponent(currency)))


def _major(minor: float, currency: str) -> str:
    """As the firm writes it, with the currency's decimals and no more than are needed."""
    amount = Decimal(repr(minor)).scaleb(-money.exponent(currency))
    least = Decimal(1).scaleb(-money.exponent(currency))
    return f"{amount.quantize(least) if amount == amount.quantize(least) else amount.normalize():f}"


def filled(policy: Policy, currency: str) -> PolicyForm:
    """A form that shows a policy."""
    costs = {name: getattr(policy.costs, name) for name in COST_FIELDS if hasattr(policy.costs, name)}
    shown = {
        "longest_wait_hours": policy.longest_wait_hours,
        "minutes_per_day": policy.minutes_per_day,
        "floor_percent": policy.floor_ratio * 100,
        "safety_words": ", ".join(policy.safety_words),
        "refund_words": ", ".join(policy.refund_words),
        "need_trait": policy.need_trait,
        "half_life_hours": policy.half_life_hours,
        "refund_loss_percent": policy.costs.refund_loss_ratio * 100,
        **costs,
        **{name: _major(getattr(policy.costs, f"{name}_minor"), currency) for name in MONEY_FIELDS},
    }
    return PolicyForm(initial={k: _plain(v) for k, v in shown.items()}, currency=currency)


def _plain(value: Any) -> Any:
    """12 rather than 12.0."""
    return f"{value:g}" if isinstance(value, float) else value
