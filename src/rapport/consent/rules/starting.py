"""The purposes and topics that a new installation begins with; the firm changes them on screen."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.consent.rules.deciding import CONSENT, CONTRACT, LEGITIMATE_INTEREST


@dataclass(frozen=True, slots=True)
class StartingPurpose:
    """One purpose as it is first written down."""

    key: str
    name: str
    meaning: str
    legal_basis: str
    channels: tuple[str, ...] = ()
    expires_days: int | None = None


def gettext_noop(text: str) -> str:
    """Mark a text for translators; rules know no Django, and the screen translates what the table holds."""
    return text


PURPOSES = (
    StartingPurpose(
        "service",
        gettext_noop("Service"),
        gettext_noop("To deliver what you ordered and to answer what you asked."),
        CONTRACT,
        ("email", "sms", "phone", "post", "push", "onsite"),
    ),
    StartingPurpose(
        "marketing",
        gettext_noop("News and offers"),
        gettext_noop("To write to you about products, offers and events that may interest you."),
        CONSENT,
        ("email", "sms", "phone", "post", "push", "onsite"),
    ),
    StartingPurpose(
        "personalisation",
        gettext_noop("Personal suggestions"),
        gettext_noop("To show you what suits you instead of what everybody sees."),
        CONSENT,
    ),
    StartingPurpose(
        "research",
        gettext_noop("Surveys"),
        gettext_noop("To ask for your opinion now and then."),
        CONSENT,
        ("email", "onsite"),
    ),
    StartingPurpose(
        "analytics",
        gettext_noop("Understanding demand"),
        gettext_noop("To count and to compare, so that we buy, build and staff what is needed."),
        LEGITIMATE_INTEREST,
    ),
    StartingPurpose(
        "profiling",
        gettext_noop("Estimates about you"),
        gettext_noop("To estimate from your orders what you may need and when."),
        LEGITIMATE_INTEREST,
    ),
)

# Key, name and meaning of what one can choose to hear about.
TOPICS = (
    ("news", gettext_noop("New products"), gettext_noop("What is new in the range.")),
    ("offers", gettext_noop("Offers"), gettext_noop("Lower prices and vouchers.")),
    ("advice", gettext_noop("Advice"), gettext_noop("How to choose, use and keep what you bought.")),
    ("events", gettext_noop("Events"), gettext_noop("Where to meet us, in the shop and elsewhere.")),
)
