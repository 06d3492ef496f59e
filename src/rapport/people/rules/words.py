"""Why two identifiers are held to be one person, and what a timeline's filters mean, in words."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.kit.errors import Invalid

# What an evidence code says, as the end of "one person, because ...".
EVIDENCE = {
    "login": "somebody logged in with both",
    "order": "one order carried both",
    "import": "one row of an imported file carried both",
    "account": "one customer account names both",
    "profile": "one profile names both",
    "post": "one post carried both",
    "link": "a signed link sent to one was opened by the other",
    "consent": "one consent record names both",
    "chat": "one browser wrote in the chat and visited pages",
    "answer": "one questionnaire was answered with both",
    "staff": "a colleague knows that they are one",
    "similar": "name, place and other traits are alike",
}

# Filters of the timeline and the events behind each.
TIMELINE = {
    "said": ("post_published", "community_posted", "message_received", "complaint_raised"),
    "bought": ("order_placed", "order_refunded"),
    "read": ("page_viewed", "screen_viewed", "message_opened", "message_clicked"),
    "asked": ("site_searched",),
    "answered": ("survey_answered", "answer_corrected"),
    "sent": ("message_sent", "message_unsubscribed"),
    "allowed": ("consent_granted", "consent_denied", "consent_withdrawn", "preference_stated"),
    "told": ("person_identified", "identifier_aliased", "identity_merged", "identity_unmerged"),
}

# What others did to or said about a person: no sign that the person is alive.
NO_SIGN_OF_LIFE = ("message_sent", *TIMELINE["told"])


def because(evidence: str) -> str:
    """What a kind of evidence says; an unknown kind speaks for itself."""
    return EVIDENCE.get(evidence, evidence.replace("_", " "))


def sure(certainty: str, confidence: float) -> str:
    """How sure an assertion is: certain, or probable with its probability."""
    return "certain" if certainty == "certain" else f"probable, {confidence:.0%}"


def event_names(kinds: Iterable[str]) -> list[str]:
    """The names of the events behind timeline filters."""
    names: list[str] = []
    for kind in kinds:
        if kind not in TIMELINE:
            raise Invalid(f"the timeline knows no filter {kind!r}", f"Choose among {', '.join(TIMELINE)}.")
        names.extend(TIMELINE[kind])
    return names
