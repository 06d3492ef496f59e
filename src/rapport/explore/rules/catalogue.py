"""What can be measured and by what it can be told apart: each measure and dimension defined once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rapport.kit.errors import Invalid
from rapport.people.rules import sensitive

SOLD = ("order_placed", "order_refunded")
VIEWED = ("page_viewed", "page_counted")

# How the rows of a base begin. Every base has seq, us (microseconds since 1970), subject and n.
EVENT, LINE, SESSION, TEXT, ANSWER = "event", "line", "session", "text", "answer"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: what it means, how it is worked out, and the SQL of its two parts over rows `r`.

    A plain figure has no `over`. `scale` is what the quotient is multiplied by.
    """

    name: str
    unit: str  # what one is: events, people, money, ratio ...
    meaning: str
    formula: str
    base: str
    top: str
    over: str = ""
    events: tuple[str, ...] = ()  # the names it counts; empty with `asks` event means the asker's
    asks: tuple[str, ...] = ()  # event, annotation, label
    optional: tuple[str, ...] = ()
    scale: float = 1.0
    is_money: bool = False
    is_distinct: bool = False  # its parts do not add up over groups
    of_people: bool = False  # who is whom matters
    by_line: str = ""  # `top` where orders are told apart by their lines; empty: it cannot be
    is_counted: bool = False  # the day counters answer it too
    only: str = ""  # a condition on rows `r`


def _all_of(*measures: Measure) -> dict[str, Measure]:
    return {m.name: m for m in measures}


_OPENED = "count(DISTINCT CASE WHEN r.name = 'message_opened' THEN r.message END)"
_CLICKED = "count(DISTINCT CASE WHEN r.name = 'message_clicked' THEN r.message END)"
_SENT = "count(*) FILTER (r.name = 'message_sent')"
_BOUNCED = "count(*) FILTER (r.name = 'message_bounced')"
_ORDERED = "count(DISTINCT r.seq)"
_REPEATED = "count(DISTINCT CASE WHEN r.us > r.first_us THEN r.person END)"

MEASURES: dict[str, Measure] = _all_of(
    Measure(
        "events",
        "events",
        "How often something happened.",
        "events of the chosen name, or of every name, counted",
        EVENT,
        "sum(r.n)",
        asks=("event",),
        optional=("event",),
        is_counted=True,
    ),
    Measure(
        "people",
        "people",
        "How many different people did something.",
        "different people behind the events of the chosen name, or of every name; a browser that nobody "
        "logged in on is one visitor",
        EVENT,
        "count(DISTINCT r.person)",
        asks=("event",),
        optional=("event",),
        is_distinct=True,
        of_people=True,
        by_line="count(DISTINCT r.person)",
        is_counted=True,
    ),
    Measure(
        "orders",
        "orders",
        "How many orders were placed.",
        "events order_placed, counted",
        EVENT,
        "sum(r.n)",
        events=("order_placed",),
        by_line=_ORDERED,
        is_counted=True,
    ),
    Measure(
        "revenue",
        "money",
        "What orders brought, less what was given back.",
        "value of order_placed plus value of order_refunded, which is negative; by category or product, the "
        "sum over lines of quantity times unit price, negative in refunds",
        EVENT,
        "sum(r.value_minor)",
        events=SOLD,
        is_money=True,
        by_line="sum(r.line_minor)",
    ),
    Measure(
        "sales",
        "money",
        "What orders brought, refunds not deducted.",
        "value of order_placed; by category or product, the sum over lines of quantity times unit price",
        EVENT,
        "sum(r.value_minor)",
        events=("order_placed",),
        is_money=True,
        by_line="sum(r.line_minor)",
    ),
    Measure(
        "refunds",
        "money",
        "What was given back.",
        "value of order_refunded, shown as a positive amount",
        EVENT,
        "-sum(r.value_minor)",
        events=("order_refunded",),
        is_money=True,
        by_line="-sum(r.line_minor)",
    ),
    Measure(
        "average_order",
        "money",
        "What one order brings, refunds not deducted.",
        "value of order_placed divided by how many of them carry a value",
        EVENT,
        "sum(r.value_minor)",
        "count(r.value_minor)",
        events=("order_placed",),
        is_money=True,
    ),
    Measure(
        "pieces",
        "pieces",
        "How many pieces were ordered, refunds not deducted.",
        "quantity of the lines of order_placed, added and rounded",
        LINE,
        "round(sum(r.quantity))",
        events=("order_placed",),
        by_line="round(sum(r.quantity))",
        is_distinct=True,  # rounded at the end, so that parts need not add up
    ),
    Measure(
        "repeat_share",
        "ratio",
        "Of the people who ordered, how many had ordered before.",
        "people with an order that is not their first ever, divided by people with an order",
        EVENT,
        _REPEATED,
        "count(DISTINCT r.person)",
        events=("order_placed",),
        is_distinct=True,
        of_people=True,
        by_line=_REPEATED,
    ),
    Measure(
        "new_customers",
        "people",
        "How many people ordered for the first time ever.",
        "people whose first order_placed is among these",
        EVENT,
        "count(DISTINCT r.person)",
        events=("order_placed",),
        is_distinct=True,
        of_people=True,
        by_line="count(DISTINCT r.person)",
        only="r.us = r.first_us",
    ),
    Measure(
        "page_views",
        "pages",
        "How many pages were looked at.",
        "events page_viewed, and page_counted of those who allowed no more than a count",
        EVENT,
        "sum(r.n)",
        events=VIEWED,
        is_counted=True,
    ),
    Measure(
        "searches",
        "searches",
        "How often somebody searched on the site.",
        "events site_searched, counted",
        EVENT,
        "sum(r.n)",
        events=("site_searched",),
        is_counted=True,
    ),
    Measure(
        "sessions",
        "sessions",
        "How many times somebody was on the site or in the app, with no gap over 30 minutes.",
        "sessions that began in the period, counted",
        SESSION,
        "sum(r.n)",
    ),
    Measure(
        "session_minutes",
        "minutes",
        "How long a session lasts, from its first to its last event.",
        "length of sessions divided by their number",
        SESSION,
        "sum(r.length_us)",
        "sum(r.n)",
        scale=1 / 60_000_000,
    ),
    Measure(
        "pages_per_session",
        "pages",
        "How many pages are looked at in a session.",
        "pages of sessions divided by their number",
        SESSION,
        "sum(r.n_pages)",
        "sum(r.n)",
    ),
    Measure(
        "complaints",
        "complaints",
        "How often somebody complained to us.",
        "events complaint_raised, counted",
        EVENT,
        "sum(r.n)",
        events=("complaint_raised",),
        is_counted=True,
    ),
    Measure(
        "texts",
        "texts",
        "How many texts a model has read, all or those it gave one label.",
        "texts with the chosen annotation (sentiment unless another is chosen) and label, in the newest "
        "reading of each",
        TEXT,
        "sum(r.n)",
        asks=("annotation", "label"),
        optional=("annotation", "label"),
    ),
    Measure(
        "negative_share",
        "ratio",
        "Of what was said, how much is negative.",
        "texts whose sentiment is negative divided by texts with a sentiment",
        TEXT,
        "count(*) FILTER (r.label = 'negative')",
        "sum(r.n)",
    ),
    Measure(
        "answers",
        "answers",
        "How many questions of surveys were answered.",
        "newest answer of each response and question, counted at the time it was given",
        ANSWER,
        "sum(r.n)",
    ),
    Measure(
        "answer_average",
        "points",
        "The mean of the scores given to one question.",
        "scores of the newest answers added and divided by their number; choose one question, or tell "
        "questions apart",
        ANSWER,
        "round(1000000 * sum(r.score))",
        "count(r.score)",
        scale=1e-6,
        is_distinct=True,
    ),
    Measure(
        "nps",
        "nps",
        "Promoters less detractors, from -100 to 100.",
        "100 times (scores 9 and 10 less scores 0 to 6) divided by scores from 0 to 10; choose one question, "
        "or tell questions apart",
        ANSWER,
        "count(*) FILTER (r.score BETWEEN 9 AND 10) - count(*) FILTER (r.score >= 0 AND r.score < 7)",
        "count(*) FILTER (r.score BETWEEN 0 AND 10)",
        scale=100,
    ),
    Measure(
        "messages_sent",
        "messages",
        "How many messages we sent.",
        "events message_sent, counted",
        EVENT,
        "sum(r.n)",
        events=("message_sent",),
        is_counted=True,
    ),
    Measure(
        "messages_delivered",
        "messages",
        "How many messages we sent that did not come back.",
        "events message_sent less events message_bounced of the same period",
        EVENT,
        f"{_SENT} - {_BOUNCED}",
        events=("message_sent", "message_bounced"),
    ),
    Measure(
        "messages_opened",
        "messages",
        "How many different messages were opened, as far as can be known.",
        "different messages of message_opened",
        EVENT,
        _OPENED,
        events=("message_opened",),
        is_distinct=True,
    ),
    Measure(
        "messages_clicked",
        "messages",
        "How many different messages had a link followed by somebody.",
        "different messages of message_clicked, links followed by a scanner left out",
        EVENT,
        _CLICKED,
        events=("message_clicked",),
        is_distinct=True,
    ),
    Measure(
        "open_share",
        "ratio",
        "Messages opened for each message sent in the same period.",
        "different messages of message_opened divided by events message_sent",
        EVENT,
        _OPENED,
        _SENT,
        events=("message_opened", "message_sent"),
        is_distinct=True,
    ),
    Measure(
        "click_share",
        "ratio",
        "Messages with a link followed, for each message sent in the same period.",
        "different messages of message_clicked divided by events message_sent",
        EVENT,
        _CLICKED,
        _SENT,
        events=("message_clicked", "message_sent"),
        is_distinct=True,
    ),
    Measure(
        "bounce_share",
        "ratio",
        "Messages that came back, for each message sent in the same period.",
        "events message_bounced divided by events message_sent",
        EVENT,
        _BOUNCED,
        _SENT,
        events=("message_bounced", "message_sent"),
    ),
    Measure(
        "messages_unsubscribed",
        "events",
        "How often somebody asked for no more of these messages.",
        "events message_unsubscribed, counted",
        EVENT,
        "sum(r.n)",
        events=("message_unsubscribed",),
        is_counted=True,
    ),
    Measure(
        "messages_withheld",
        "messages",
        "How many messages were not sent, for whatever reason.",
        "events message_withheld, counted",
        EVENT,
        "sum(r.n)",
        events=("message_withheld",),
        is_counted=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something that figures are told apart by: SQL over the rows of each base that has it.

    A `prefix` dimension is completed by a name of the firm's: `trait:plan`.
    """

    name: str
    meaning: str
    on: Mapping[str, str]
    is_personal: bool = False
    is_line: bool = False  # of an order's lines, not of the order
    is_prefix: bool = False
    needs: str = ""  # a relation of facts about people that must be joined


def _everywhere(sql: str) -> dict[str, str]:
    return dict.fromkeys((EVENT, LINE, SESSION, TEXT, ANSWER), sql)


def _property(name: str) -> dict[str, str]:
    return dict.fromkeys((EVENT, LINE), f"json_extract_string(e.properties, '$.{name}')")


_HOST = "regexp_extract(lower({}), '^(?:[a-z]+://)?(?:www\\.)?([^/:?#]+)', 1)"
_LOG = (EVENT, LINE, TEXT, ANSWER)

DIMENSIONS: dict[str, Dimension] = {
    d.name: d
    for d in (
        Dimension("event", "what happened", dict.fromkeys((EVENT, LINE), "e.name")),
        Dimension("channel", "the channel it came by", _everywhere("e.channel")),
        Dimension("source", "the source that reported it", _everywhere("e.source")),
        Dimension("venue", "the network, site or place", dict.fromkeys(_LOG, "e.venue")),
        Dimension("currency", "the currency of its value", dict.fromkeys((EVENT, LINE), "e.currency")),
        Dimension("country", "the country an event names, such as an order's", _property("country")),
        Dimension("category", "the category of an order's lines", {LINE: "l.category"}, is_line=True),
        Dimension(
            "product",
            "the product of an order's lines, by name where it has one",
            {LINE: "coalesce(nullif(l.product_name, ''), l.product_code)"},
            is_line=True,
        ),
        Dimension("product_code", "the product's code", {LINE: "l.product_code"}, is_line=True),
        Dimension("campaign", "the campaign it belongs to", {**_property("campaign"), SESSION: "e.campaign"}),
        Dimension(
            "referrer",
            "the site somebody came from",
            {
                EVENT: _HOST.format("json_extract_string(e.properties, '$.referrer')"),
                SESSION: "e.referrer_domain",
            },
        ),
        Dimension("page", "the page that was looked at", _property("path")),
        Dimension("landing", "the page a session began with", {SESSION: "e.landing"}),
        Dimension("exit_page", "the page a session ended with", {SESSION: "e.exit_page"}),
        Dimension("search", "what was searched for", {**_property("query"), SESSION: "e.search"}),
        Dimension("reason", "the reason an event names", _property("reason")),
        Dimension("purpose", "the purpose of a message or a consent", _property("purpose")),
        Dimension("annotation_label", "what a model says of a text", {TEXT: "e.label"}),
        Dimension("survey", "the survey", {ANSWER: "e.survey", **_property("survey")}),
        Dimension("question", "the question of a survey", {ANSWER: "e.question"}),
        Dimension("answer", "the answer that was chosen", {ANSWER: "e.answer"}),
        Dimension("weekday", "the day of the week, 1 for Monday to 7 for Sunday", _everywhere("")),
        Dimension("hour", "the hour of the day, 00 to 23", _everywhere("")),
        Dimension("property", "a property of an event, by its name", {}, is_prefix=True),
        Dimension(
            "person_country",
            "the country a person lives in",
            _everywhere("p.country"),
            is_personal=True,
            needs="known",
        ),
        Dimension(
            "person_language",
            "the language a person speaks",
            _everywhere("p.language"),
            is_personal=True,
            needs="known",
        ),
        Dimension(
            "cohort",
            "the month of a person's first order",
            _everywhere(""),
            is_personal=True,
            needs="first_order",
        ),
        Dimension("trait", "a trait of a person, by its name", {}, is_personal=True, is_prefix=True),
        Dimension("score", "the class a model put a person in", {}, is_personal=True, is_prefix=True),
        Dimension("segment", "whether a person is in a segment", {}, is_personal=True, is_prefix=True),
    )
}


@dataclass(frozen=True, slots=True)
class World:
    """What this installation knows that a question may name.

    `properties` are those of the event plan that are about no person; whatever else an event carries may be,
    and is treated so.
    """

    properties: frozenset[str] = frozenset()
    counted: Mapping[str, str] = field(default_factory=dict)  # event name: the property it is counted by
    zone: str = "UTC"


def measure(name: str) -> Measure:
    """One measure; Invalid naming those there are."""
    found = MEASURES.get(name)
    if found is None:
        raise Invalid(f"there is no measure {name!r}", f"There are: {', '.join(MEASURES)}.")
    return found


def split(name: str) -> tuple[Dimension, str]:
    """A dimension and, of one that a name completes, that name; Invalid naming those there are."""
    kind, colon, rest = name.partition(":")
    found = DIMENSIONS.get(kind)
    if found is None:
        raise Invalid(f"there is no dimension {name!r}", f"There are: {', '.join(DIMENSIONS)}.")
    if found.is_prefix != bool(colon and rest):
        raise Invalid(
            f"{name!r} is no dimension",
            f"Write {kind}:NAME, such as {kind}:plan." if found.is_prefix else f"Write {kind} alone.",
        )
    if found.name in ("trait", "score", "property") and sensitive.category_of(rest) is not None:
        raise Invalid(f"“{rest}” tells nobody apart: it is sensitive", "Choose another dimension.")
    return found, rest


def is_personal(name: str, world: World) -> bool:
    """Whether a dimension tells something about people, or may do so."""
    found, rest = split(name)
    return found.is_personal or (found.name == "property" and rest not in world.properties)
