"""Who is answered first: urgency and what could be saved, over a floor that holds for everybody. Pure.

The floor: whoever has waited longer than the firm's longest wait goes before everybody who has not, whatever
they are worth. Above it, safety, the vulnerable and money that is owed come before worth as well.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

# A reason and the urgency that it gives, highest first. The codes are what a screen explains a place by.
REASONS: dict[str, float] = {
    "safety": 1.0,
    "vulnerable": 0.9,
    "refund": 0.75,
    "leaving": 0.7,
    "complaint": 0.6,
    "help": 0.5,
    "question": 0.4,
    "review": 0.4,
    "buying": 0.4,
    "praise": 0.1,
}
BY_INTENT = {
    "complaint": "complaint",
    "churn_threat": "leaving",
    "help_request": "help",
    "question": "question",
    "purchase_intent": "buying",
    "praise": "praise",
}
NEGATIVE = 0.1  # added where the words are negative
WORTH = 0.3  # added at most for what could be saved: less than safety is above a complaint
WORTH_MINOR = 20_000  # what half of that is worth
OVERDUE = 10.0  # whoever has waited too long is before everybody who has not
FIRST = 2.0  # safety, the vulnerable and money that is owed: before worth, whoever it is

# Stems in the languages of the screens and of the texts models; a match only lifts somebody, it never sinks one.
_SAFETY = (
    r"(smok(e|es|ing) (from|out|comes)|caught fire|on fire|\bfire hazard|explo(d|s)\w+"
    r"|electric shock|burn(t|ed|s) (my|his|her|me)"
    r"|injur\w+|hospital\w*|unsafe|danger\w*|recall\w*|brakes? (fail\w*|don'?t|do not|doesn'?t|gone|went)"
    r"|steering (fail\w*|lock\w*)|carbon monoxide|poison\w*"
    r"|\bbrand\b.{0,20}(gefangen|gefahr)|brennt|feuer|explodier\w*|stromschlag|verletz\w+"
    r"|krankenhaus|gefährlich|bremsen? (versag\w*|funktioniert nicht|geht nicht)"
    r"|incendie|prend feu|explos\w+|électrocut\w*|bless(é|ée|és|ure)\w*|hôpital|dangereu\w+|freins? (ne|lâch\w*)"
    r"|incendi\w+|explot\w+|herid\w+|lesion\w*|peligros\w+|frenos? (no|fall\w+)|descarga eléctrica"
    r"|pericol\w+|ferit\w+|ospedale|perigos\w+|ferid\w+|gevaarlijk|gewond|ontplof\w*"
    r"|위험|화재|폭발|부상|감전|危険|火災|爆発|怪我)"
)
_VULNERABLE = (
    r"(wheelchair|disab(led|ility)|blind\b|deaf\b|pregnan\w+|elderly|(my|an?) (baby|newborn|infant)"
    r"|oxygen|dialysis|chemo\w*|pension(er|ers)\b"
    r"|rollstuhl|behinder\w+|schwanger\w*|gehörlos|säugling|rentner\w*|fauteuil roulant|handicap\w*"
    r"|enceinte|nourrisson|personne âgée"
    r"|silla de ruedas|discapaci\w+|embarazad\w+|bebé|ancian[oa]s?|sedia a rotelle|disabil\w+|incinta"
    r"|cadeira de rodas|deficien\w+|grávida|rolstoel|zwanger"
    r"|휠체어|장애인|임신|노인|車椅子|妊娠|高齢)"
)
_REFUND = (
    r"(refund\w*|money back|charged (me )?(twice|double|again)|double[- ]charged|overcharg\w+"
    r"|reimburs\w+|chargeback"
    r"|rückerstatt\w*|geld zurück|doppelt (abgebucht|belastet)|erstatt\w+|rembours\w+"
    r"|débité\w* deux fois|reembols\w+|devol(ución|ver) (de|mi|el) dinero|cobrad\w+ (dos veces|doble)"
    r"|rimbors\w+|terugbetal\w+|geld terug|환불|返金)"
)
_SIGNS = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (("safety", _SAFETY), ("vulnerable", _VULNERABLE), ("refund", _REFUND))
)
TEXT_MAX = 4_000  # characters that are looked at


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a conversation presses, and the codes that say why, strongest first."""

    urgency: float
    priority: float
    because: tuple[str, ...]


def signs(text: str) -> tuple[str, ...]:
    """Of what the words speak that goes first: safety, vulnerable, refund."""
    text = text[:TEXT_MAX]
    return tuple(code for code, pattern in _SIGNS if pattern.search(text))


def weigh(
    *,
    found: tuple[str, ...] = (),
    intent: str = "",
    sentiment: str = "",
    stars: float | None = None,
    value_at_risk_minor: int = 0,
    is_overdue: bool = False,
) -> Weight:
    """Urgency (0 to 1) from the strongest reason, and the priority that lists are ordered by.

    >>> weigh(found=("safety",)).priority > weigh(intent="complaint", value_at_risk_minor=10**9).priority
    True
    """
    codes = list(found)
    if (by_intent := BY_INTENT.get(intent, "")) and by_intent not in codes:
        codes.append(by_intent)
    if stars is not None and stars <= 2:
        codes.append("review")
    urgency = max((REASONS[code] for code in codes), default=0.3)
    if sentiment == "negative":
        urgency = min(1.0, urgency + NEGATIVE)
        codes.append("negative")
    worth = max(0, value_at_risk_minor)
    priority = urgency + WORTH * worth / (worth + WORTH_MINOR)
    if worth >= WORTH_MINOR / 4:
        codes.append("value")
    if set(found) & {"safety", "vulnerable", "refund"}:
        priority += FIRST
    if is_overdue:
        priority += OVERDUE
        codes.insert(0, "overdue")
    return Weight(round(urgency, 4), round(priority, 4), tuple(dict.fromkeys(codes)))


def value_at_risk_minor(clv_minor: float, alive: float, dissatisfaction: float) -> int:
    """What is expected to be lost if nothing is done: worth times how alive and how displeased they are."""
    parts = (clv_minor, min(1.0, max(0.0, alive)), min(1.0, max(0.0, dissatisfaction)))
    product = math.prod(parts)
    return round(product) if math.isfinite(product) and product > 0 else 0
