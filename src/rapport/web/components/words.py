"""What technical names are called on the screens: events, evidence, traits, scores, refusals."""

from __future__ import annotations

from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.web.components import formats

EVENTS: dict[str, tuple[Any, str]] = {
    "order_placed": (gettext_lazy("Order"), "order"),
    "order_refunded": (gettext_lazy("Refund"), "order"),
    "person_identified": (gettext_lazy("Details"), "person"),
    "identifier_aliased": (gettext_lazy("Another identifier"), "joined"),
    "identity_merged": (gettext_lazy("Merged"), "joined"),
    "identity_unmerged": (gettext_lazy("Separated"), "joined"),
    "group_joined": (gettext_lazy("Joined a firm"), "joined"),
    "page_viewed": (gettext_lazy("Page read"), "read"),
    "page_failed": (gettext_lazy("Page not found"), "warning"),
    "page_counted": (gettext_lazy("Page counted"), "read"),
    "link_clicked": (gettext_lazy("Link pressed"), "read"),
    "banner_answered": (gettext_lazy("Banner answered"), "asked"),
    "screen_viewed": (gettext_lazy("Screen read"), "read"),
    "asset_requested": (gettext_lazy("File fetched"), "read"),
    "page_crawled": (gettext_lazy("Read by a machine"), "read"),
    "site_searched": (gettext_lazy("Search"), "asked"),
    "post_published": (gettext_lazy("Post"), "said"),
    "message_received": (gettext_lazy("Message to us"), "said"),
    "message_sent": (gettext_lazy("Message from us"), "sent"),
    "message_opened": (gettext_lazy("Message opened"), "sent"),
    "message_clicked": (gettext_lazy("Link followed"), "sent"),
    "message_unsubscribed": (gettext_lazy("Unsubscribed"), "sent"),
    "message_withheld": (gettext_lazy("Message withheld"), "sent"),
    "message_bounced": (gettext_lazy("Message came back"), "sent"),
    "message_complained": (gettext_lazy("Message called unwanted"), "complaint"),
    "survey_answered": (gettext_lazy("Answer"), "said"),
    "answer_corrected": (gettext_lazy("Answer corrected"), "said"),
    "survey_shown": (gettext_lazy("Survey shown"), "asked"),
    "survey_ended": (gettext_lazy("Survey ended"), "said"),
    "complaint_raised": (gettext_lazy("Complaint"), "complaint"),
    "product_listed": (gettext_lazy("Product listed"), "order"),
    "consent_granted": (gettext_lazy("Allowed a use"), "check"),
    "consent_denied": (gettext_lazy("Refused a use"), "close"),
    "consent_withdrawn": (gettext_lazy("Took back or objected"), "close"),
    "preference_stated": (gettext_lazy("Said what they would rather have"), "asked"),
    "subject_requested": (gettext_lazy("Asked about their data"), "asked"),
    "community_joined": (gettext_lazy("Joined a community"), "joined"),
    "segment_entered": (gettext_lazy("Came into a segment"), "segments"),
    "segment_left": (gettext_lazy("Left a segment"), "segments"),
    "advocacy_changed": (gettext_lazy("Stands otherwise toward us"), "insights"),
    "referral_made": (gettext_lazy("Recommended us"), "said"),
    "community_posted": (gettext_lazy("Community post"), "said"),
}

TIMELINE: dict[str, Any] = {
    "said": gettext_lazy("Said"),
    "bought": gettext_lazy("Bought"),
    "read": gettext_lazy("Read"),
    "asked": gettext_lazy("Asked"),
    "answered": gettext_lazy("Answered"),
    "sent": gettext_lazy("Sent"),
    "allowed": gettext_lazy("Allowed or refused"),
    "told": gettext_lazy("Told"),
}

KINDS: dict[str, Any] = {
    "person": gettext_lazy("People"),
    "author": gettext_lazy("Public authors"),
    "visitor": gettext_lazy("Visitors"),
}

KIND: dict[str, Any] = {
    "person": gettext_lazy("person"),
    "author": gettext_lazy("public author"),
    "visitor": gettext_lazy("visitor"),
}

EVIDENCE: dict[str, Any] = {
    "login": gettext_lazy("somebody logged in with both"),
    "order": gettext_lazy("one order carried both"),
    "import": gettext_lazy("one row of an imported file carried both"),
    "account": gettext_lazy("one customer account names both"),
    "profile": gettext_lazy("one profile names both"),
    "post": gettext_lazy("one post carried both"),
    "link": gettext_lazy("a signed link sent to one was opened by the other"),
    "consent": gettext_lazy("one consent record names both"),
    "chat": gettext_lazy("one browser wrote in the chat and visited pages"),
    "answer": gettext_lazy("one questionnaire was answered with both"),
    "staff": gettext_lazy("a colleague knows that they are one"),
    "similar": gettext_lazy("name, place and other traits are alike"),
}

ORIGIN: dict[str, Any] = {
    "declared": gettext_lazy("declared"),
    "observed": gettext_lazy("observed"),
    "inferred": gettext_lazy("inferred"),
}

REASONS: dict[str, Any] = {
    "no_name": gettext_lazy("No event name"),
    "bad_name": gettext_lazy("Event name not understood"),
    "no_identifier": gettext_lazy("Nobody it belongs to"),
    "bad_identifier": gettext_lazy("Identifier not understood"),
    "missing": gettext_lazy("Something required is empty"),
    "bad_date": gettext_lazy("Date not understood"),
    "bad_number": gettext_lazy("Number not understood"),
    "bad_email": gettext_lazy("E-mail address not understood"),
    "bad_phone": gettext_lazy("Telephone number not understood"),
    "bad_currency": gettext_lazy("Currency not understood"),
    "bad_json": gettext_lazy("Not a JSON object"),
    "not_object": gettext_lazy("Not a JSON object"),
    "bad_survey": gettext_lazy("Survey not understood"),
    "bad_network": gettext_lazy("Network not understood"),
    "bad_utf8": gettext_lazy("Not in UTF-8"),
    "scientific": gettext_lazy("Digits lost by a spreadsheet"),
    "too_long": gettext_lazy("Too long"),
    "too_much": gettext_lazy("Too large to be money"),
    "columns": gettext_lazy("Too many or too few columns"),
    "open_quote": gettext_lazy("A quote that is never closed"),
    "spans_lines": gettext_lazy("A row over several lines"),
    "too_many_identifiers": gettext_lazy("Too many identifiers"),
    "bad_time": gettext_lazy("Time not understood"),
    "ancient": gettext_lazy("Too long ago"),
    "future": gettext_lazy("In the future"),
    "nul": gettext_lazy("Holds a NUL character"),
    "bad_properties": gettext_lazy("Properties are not JSON"),
    "too_large": gettext_lazy("Too large"),
    "wrong_type": gettext_lazy("Wrong type of value"),
    "missing_property": gettext_lazy("Something required is missing"),
    "not_from_a_browser": gettext_lazy("Not for a browser to say"),
}

LABELS: dict[str, tuple[Any, str]] = {
    "positive": (gettext_lazy("positive"), "accent"),
    "neutral": (gettext_lazy("neutral"), ""),
    "negative": (gettext_lazy("negative"), "danger"),
    "mixed": (gettext_lazy("mixed"), "warn"),
}

TRAITS: dict[str, Any] = {
    "name": gettext_lazy("Name"),
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "birth_date": gettext_lazy("Date of birth"),
    "country": gettext_lazy("Country"),
    "city": gettext_lazy("City"),
    "postcode": gettext_lazy("Postcode"),
    "language": gettext_lazy("Language"),
    "created_at": gettext_lazy("Customer since"),
    "author_name": gettext_lazy("Name on the network"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Telephone"),
}

SCORES: dict[str, Any] = {
    "interest": gettext_lazy("Cares about"),
    "attitude": gettext_lazy("Thinks of"),
    "opinion": gettext_lazy("Stands for"),
    "alive": gettext_lazy("Still a customer"),
    "alive_probability": gettext_lazy("Still a customer"),
    "expected_purchases": gettext_lazy("Orders expected"),
    "expected_orders": gettext_lazy("Orders expected"),
    "clv_minor": gettext_lazy("Value expected"),
    "recency_days": gettext_lazy("Days since the last order"),
    "frequency": gettext_lazy("Orders"),
    "monetary_minor": gettext_lazy("Spent, less refunds"),
    "rfm": gettext_lazy("Recency, frequency, value"),
    "potential_minor": gettext_lazy("Could be worth more"),
    "cost_to_serve_minor": gettext_lazy("Cost to serve in a year"),
    "effort_saving_minor": gettext_lazy("Saved by a minute of answering"),
    "service_tier": gettext_lazy("Tier"),
    "persona": gettext_lazy("Persona"),
    "churn": gettext_lazy("Risk of leaving"),
    "advocacy": gettext_lazy("Advocacy"),
    "participation": gettext_lazy("Takes part"),
    "influence": gettext_lazy("How far posts travel"),
    "authenticity": gettext_lazy("Speaks for itself"),
    "next_order_days": gettext_lazy("Next order in"),
    "expected_orders_90d": gettext_lazy("Orders expected in 90 days"),
    "expected_spend_90d_minor": gettext_lazy("Spend expected in 90 days"),
    "churn_risk": gettext_lazy("Risk of leaving"),
    "dissatisfaction": gettext_lazy("Likely dissatisfied"),
    "next_category": gettext_lazy("Next need"),
    "next_category_days": gettext_lazy("Needs it in"),
    "next_repeat_category": gettext_lazy("Likely to be bought again"),
    "next_new_category": gettext_lazy("Likely to be bought for the first time"),
    "recommendation_1": gettext_lazy("First suggestion"),
    "recommendation_2": gettext_lazy("Second suggestion"),
    "recommendation_3": gettext_lazy("Third suggestion"),
}

SUBSCRIBERS: dict[str, Any] = {
    "aio.refusals": gettext_lazy("Dropping statements where consent goes"),
    "broadcasts": gettext_lazy("Gathering comments of what runs live"),
    "consent": gettext_lazy("Noting consents"),
    "conversations": gettext_lazy("Putting messages into conversations"),
    "insights.annotate": gettext_lazy("Reading texts"),
    "insights.refusals": gettext_lazy("Dropping scores where consent goes"),
    "knowledge": gettext_lazy("Noting what answers did"),
    "knowledge.grows": gettext_lazy("Learning from conversations"),
    "listening": gettext_lazy("Heeding what was deleted or changed"),
    "messaging.bounces": gettext_lazy("Heeding mail that came back"),
    "onsite": gettext_lazy("Heeding withdrawals on the site"),
    "people": gettext_lazy("Putting people together"),
}

BARE_UNITS = ("", "none", "points", "label")  # the label says more than the number
LABEL_FIRST = {  # what it is, before how likely
    "next_category",
    "next_repeat_category",
    "next_new_category",
    "recommendation_1",
    "recommendation_2",
    "recommendation_3",
    "service_tier",
}
RATIO_UNITS = ("ratio", "probability")


def plain(name: str) -> str:
    """A technical name that nobody translated, as words."""
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def event_label(name: str) -> str:
    """What kind of thing happened."""
    return str(EVENTS[name][0]) if name in EVENTS else plain(name)


LIKENESS: dict[str, Any] = {
    "given": gettext_lazy("Given name"),
    "family": gettext_lazy("Family name"),
    "birth": gettext_lazy("Birth date"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Telephone"),
    "number": gettext_lazy("Document number"),
    "place": gettext_lazy("Postcode and town"),
    "street": gettext_lazy("Street"),
    "house": gettext_lazy("House number"),
    "birth_place": gettext_lazy("Place of birth"),
    "gender": gettext_lazy("Gender"),
    "occupation": gettext_lazy("Occupation"),
}

LEVELS: dict[str, Any] = {
    "same": gettext_lazy("the same"),
    "swapped": gettext_lazy("given and family name swapped"),
    "typo": gettext_lazy("a slip of the pen apart"),
    "alike": gettext_lazy("alike"),
    "local": gettext_lazy("the same before the @"),
    "common": gettext_lazy("two addresses at large providers"),
    "postcode": gettext_lazy("the same postcode"),
    "city": gettext_lazy("the same town"),
    "near": gettext_lazy("postcodes one character apart"),
    "other": gettext_lazy("different"),
    "missing": gettext_lazy("not known of both"),
}


def speaks(weight: float) -> str:
    """What a match weight (log2 of a factor on the odds) says, in words."""
    size = abs(weight)
    if size < 0.5:
        return _("says nothing either way")
    if weight > 0:
        return _("speaks strongly for it") if size >= 6 else _("speaks for it")
    return _("speaks strongly against it") if size >= 3 else _("speaks against it")


def evidence(code: str) -> str:
    """Why two identifiers are held to be one; an unknown kind speaks for itself."""
    return str(EVIDENCE.get(code, code.replace("_", " ")))


def reason(code: str) -> str:
    """Why something was refused."""
    return str(REASONS.get(code, plain(code)))


def trait(name: str) -> str:
    """What an attribute is called."""
    return str(TRAITS.get(name, plain(name)))


class Scored(Protocol):
    """A figure of a model."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def label(self) -> str: ...


def score(name: str) -> str:
    """What a figure is called."""
    if name in SCORES or ":" not in name:
        return str(SCORES.get(name, plain(name)))
    given, _colon, part = name.partition(":")  # which part of it: a topic, an aspect, a network
    return f"{SCORES.get(given, plain(given))}: {plain(part)}"


def score_value(score: Scored) -> str:
    """A figure with its unit and, where the model gives one, its interval; points go by their label."""
    if score.label and (score.unit in BARE_UNITS or score.name in LABEL_FIRST):
        return score.label
    if score.unit.startswith("minor"):
        return formats.money(round(score.value), score.unit.removeprefix("minor").strip())
    if score.unit in RATIO_UNITS:
        unit, decimals = "%", 0
    else:
        unit, decimals = score.unit, 0 if abs(score.value) >= 100 or score.value == int(score.value) else 1
    if score.low is not None and score.high is not None:
        return formats.interval(score.low, score.high, score.value, unit, decimals)
    if unit == "%":
        return formats.percent(score.value)
    return f"{formats.number(score.value, decimals)}{formats.NBSP + unit if unit else ''}"


def score_note(score: Scored) -> str:
    """The label where the value does not say it already."""
    return "" if score.unit in BARE_UNITS or score.name in LABEL_FIRST else score.label


def subscriber(key: str) -> str:
    """Who reads the log, in a word."""
    return str(SUBSCRIBERS.get(key, key))
