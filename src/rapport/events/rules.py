"""What an event is, before any store: shapes, limits, identifiers, numbering. Pure."""

from __future__ import annotations

import datetime as dt
import re

import pyarrow as pa

# One row per touchpoint: a contact as its source reported it, before validation.
TOUCHPOINT = pa.schema(
    [
        pa.field("message_id", pa.string(), nullable=False),  # natural key, unique within its source
        pa.field("name", pa.string(), nullable=False),  # object_verbed, as in the event plan
        pa.field("ts", pa.timestamp("us", tz="UTC"), nullable=False),  # when it happened
        pa.field("identifier", pa.string(), nullable=False),  # `namespace:value` it is about
        pa.field("also", pa.list_(pa.string())),  # identifiers that this contact says are the same one
        pa.field("evidence", pa.string()),  # how it knows: order, login, import, profile ...
        pa.field("channel", pa.string()),  # shop, web, app, phone, social ...
        pa.field("venue", pa.string()),  # network, site or place
        pa.field("text", pa.string()),  # what was said, if anything
        pa.field("value_minor", pa.int64()),  # money in minor units, negative for a refund
        pa.field("currency", pa.string()),  # ISO 4217
        pa.field("properties", pa.string()),  # a JSON object in text
    ]
)

# One row per statement of a model about one event's text.
ANNOTATION = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),  # the event's seq
        pa.field("subject", pa.int64(), nullable=False),
        pa.field("ts", pa.timestamp("us", tz="UTC"), nullable=False),  # the event's ts
        pa.field("name", pa.string(), nullable=False),  # language, sentiment ...
        pa.field("label", pa.string(), nullable=False),
        pa.field("value", pa.float64()),  # on the name's own range, e.g. sentiment in [-1, 1]
        pa.field("probability", pa.float64()),  # of the label
        pa.field("model", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("detail", pa.string()),  # JSON: the words that decided, all class probabilities
    ]
)

IDENTIFIERS_MAX = 8  # of one touchpoint: its own and seven more
SUBJECT_BITS = 3  # subject = (seq of the first event naming it << 3) | position among its identifiers
MESSAGE_BYTES_MAX = 32_768  # of one event's properties, as Segment's own limit
EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
FUTURE_TOLERANCE = dt.timedelta(days=1)  # beyond this a clock is wrong, not merely fast

# Namespaces of identifiers that stand for somebody the firm knows, and for a device or browser.
# Every other namespace is a public handle on a network.
KNOWN_NAMESPACES = ("customer", "email", "phone", "loyalty")
# Of addresses that a letter names as its sender and the receiving server says it is not: nobody's, until they prove it.
UNCONFIRMED = "unconfirmed"
DEVICE_NAMESPACES = ("anonymous", "visitor", "device")

# What somebody does themselves, so that it makes known again whoever was erased before: as somebody new, and
# from that moment on. A file of people or a model does not; a consent does where they confirmed it by a link.
OWN_ACTS = ("order_placed", "survey_answered")
CONFIRMED_ACT, CONFIRMED_HOW = "consent_granted", "confirmed"

# A row of the spool whose content was erased; it keeps its place, because the numbers of the others follow from it.
BLANK_NAME = "erased"
BLANK_MESSAGE = '{"erased":true}'

NAME_PATTERN = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")
IDENTIFIER_PATTERN = re.compile(r"^[a-z][a-z0-9_]{1,31}:.{1,255}$", re.DOTALL)


def event_name(text: str) -> str:
    """`Order Completed` and `orderCompleted` as `order_completed`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def normal_identifier(namespace: str, value: str) -> str:
    """The one spelling of an identifier: mail in lower case, telephone as digits with a leading plus."""
    value = value.strip()
    if namespace == "email":
        value = value.lower()
    elif namespace == "phone":
        plus = value.startswith(("+", "00"))
        digits = re.sub(r"\D", "", value)
        value = ("+" + digits.removeprefix("00")) if plus else digits
    elif namespace not in KNOWN_NAMESPACES + DEVICE_NAMESPACES:
        value = value.lstrip("@").lower()
    return f"{namespace}:{value}"


def unconfirmed(identifier: str) -> str:
    """How somebody is known who claims to be that address, and was not believed."""
    return f"{UNCONFIRMED}:{identifier.partition(':')[2]}"


def reachable(identifier: str) -> str:
    """The address at which to answer somebody; whoever only claims to have one is answered at it all the same."""
    namespace, _colon, value = identifier.partition(":")
    return f"email:{value}" if namespace == UNCONFIRMED else identifier


def kind_of(namespaces: set[str]) -> str:
    """`person` where the firm knows one of the identifiers, else `author` (public handle), else `visitor`."""
    if namespaces & set(KNOWN_NAMESPACES):
        return "person"
    if namespaces - set(DEVICE_NAMESPACES):
        return "author"
    return "visitor"
