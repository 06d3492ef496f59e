"""The kinds of file, the fields of each, and the names that columns with them usually have."""

from __future__ import annotations

from rapport.kit.errors import Invalid
from rapport.listening.rules.fields import (
    CURRENCY,
    DATE,
    EMAIL,
    IDENTIFIER_PREFIX,
    JSON,
    KEY,
    NUMBER,
    PHONE,
    TEXT,
    TIME,
    Field,
    Kind,
)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_PEOPLE = Kind(
    "people",
    "who your customers are: one person a line",
    (
        Field(
            "id",
            KEY,
            _names(
                "id customer_id customer_no customer_number customer person_id rec_id uid external_id member_id"
            ),
        ),
        Field("email", EMAIL, _names("email e_mail mail email_address mail_address")),
        Field("phone", PHONE, _names("phone telephone phone_number mobile tel mobile_phone cell")),
        Field("name", TEXT, _names("name full_name display_name customer_name")),
        Field("given_name", TEXT, _names("given_name first_name firstname forename fname")),
        Field("family_name", TEXT, _names("family_name last_name lastname surname lname")),
        Field("birth_date", DATE, _names("birth_date birthdate birthday date_of_birth dob")),
        Field("country", TEXT, _names("country country_code country_name nation")),
        Field("city", TEXT, _names("city town suburb locality")),
        Field("postcode", TEXT, _names("postcode postal_code zip zip_code zipcode plz")),
        Field("language", TEXT, _names("language lang locale preferred_language")),
        Field(
            "created_at",
            DATE,
            _names("created_at created customer_since registered_at signup_date joined_at"),
        ),
        Field(
            "updated_at",
            TIME,
            _names("updated_at updated modified_at last_modified as_of"),
            "when this was known to be so",
        ),
    ),
    one_of=(("id", "email", "phone", IDENTIFIER_PREFIX),),
    identifiers=True,
)
_ORDERS = Kind(
    "orders",
    "what was bought and given back: one order line a line",
    (
        Field(
            "order_id",
            KEY,
            _names(
                "order_id order_no order_number invoice_no invoice_id invoice_number invoice basket_id"
                " transaction_id receipt_no order"
            ),
            required=True,
        ),
        Field(
            "ordered_at",
            TIME,
            _names(
                "ordered_at order_date invoice_date transaction_timestamp transaction_date purchase_date"
                " created_at date timestamp time"
            ),
            required=True,
        ),
        Field(
            "customer_id",
            KEY,
            _names(
                "customer_id customer_no customer_number customer household_id member_id client_id buyer_id"
            ),
        ),
        Field("email", EMAIL, _names("email e_mail mail email_address customer_email")),
        Field(
            "product_code",
            KEY,
            _names("product_code stock_code sku product_id item_id article_no item_no product_sku"),
        ),
        Field(
            "product_name",
            TEXT,
            _names("product_name description product item item_name product_title title"),
        ),
        Field("category", TEXT, _names("category product_category department product_type")),
        Field("quantity", NUMBER, _names("quantity qty units pieces count")),
        Field(
            "unit_price",
            NUMBER,
            _names("unit_price price item_price price_each"),
            "price of one piece, in major units",
        ),
        Field(
            "amount",
            NUMBER,
            _names("amount line_total sales_value total line_amount revenue"),
            "price of the whole line, in major units",
        ),
        Field("currency", CURRENCY, _names("currency currency_code")),
        Field("channel", TEXT, _names("channel sales_channel order_channel")),
        Field("country", TEXT, _names("country country_code shipping_country country_name")),
    ),
    one_of=(("unit_price", "amount"),),
    identifiers=True,
)
_POSTS = Kind(
    "posts",
    "what people said in public: one post a line",
    (
        Field("post_id", KEY, _names("post_id tweet_id status_id review_id comment_id message_id id uri")),
        Field("network", TEXT, _names("network platform site channel")),
        Field(
            "author",
            KEY,
            _names(
                "author username user_name screen_name handle account user author_handle author_id reviewer name"
            ),
            required=True,
        ),
        Field("author_name", TEXT, _names("author_name display_name full_name real_name reviewer_name")),
        Field(
            "published_at",
            TIME,
            _names(
                "published_at tweet_created created_at posted_at published date datetime timestamp time created"
            ),
            required=True,
        ),
        Field(
            "text",
            TEXT,
            _names("text body content message tweet post comment review review_text full_text"),
            required=True,
        ),
        Field(
            "in_reply_to",
            KEY,
            _names("in_reply_to in_reply_to_status_id reply_to parent_id in_response_to_tweet_id"),
        ),
        Field("place", TEXT, _names("place location tweet_location city")),
        Field("language", TEXT, _names("language lang")),
        Field("reach", NUMBER, _names("reach followers followers_count impressions views")),
    ),
)
_EVENTS = Kind(
    "events",
    "anything that happened: one event a line",
    (
        Field("id", KEY, _names("id event_id message_id uuid")),
        Field(
            "ts",
            TIME,
            _names("ts timestamp time occurred_at happened_at event_time created_at date datetime"),
            required=True,
        ),
        Field("name", TEXT, _names("name event event_name event_type type action"), required=True),
        Field("identifier", KEY, _names("identifier"), "namespace:value, such as customer:17"),
        Field("customer_id", KEY, _names("customer_id customer user_id userid person_id")),
        Field("anonymous_id", KEY, _names("anonymous_id anonymousid device_id visitor_id cookie_id")),
        Field("email", EMAIL, _names("email e_mail mail email_address")),
        Field("phone", PHONE, _names("phone telephone phone_number mobile")),
        Field("channel", TEXT, _names("channel")),
        Field("venue", TEXT, _names("venue")),
        Field("text", TEXT, _names("text body message comment")),
        Field("value", NUMBER, _names("value amount revenue total"), "money, in major units"),
        Field("currency", CURRENCY, _names("currency currency_code")),
        Field("properties", JSON, _names("properties props attributes payload"), "a JSON object"),
    ),
    one_of=(("identifier", "customer_id", "anonymous_id", "email", "phone", IDENTIFIER_PREFIX),),
    identifiers=True,
)
_PRODUCTS = Kind(
    "products",
    "what you sell: one product a line",
    (
        Field(
            "product_code",
            KEY,
            _names("product_code stock_code sku product_id item_id article_no id code"),
            required=True,
        ),
        Field("name", TEXT, _names("name product_name title description product")),
        Field("category", TEXT, _names("category product_category department product_type")),
        Field("price", NUMBER, _names("price unit_price list_price"), "in major units"),
        Field("currency", CURRENCY, _names("currency currency_code")),
        Field("url", TEXT, _names("url link product_url")),
        Field("place", TEXT, _names("place shop store location")),
        Field(
            "listed_at",
            TIME,
            _names("listed_at updated_at valid_from as_of"),
            "when it was on offer at this price",
        ),
    ),
)
_CONSENTS = Kind(
    "consents",
    "what people allowed, refused or took back: one answer a line",
    (
        Field("identifier", KEY, _names("identifier"), "namespace:value, such as email:ana@example.org"),
        Field("customer_id", KEY, _names("customer_id customer_no customer_number customer member_id")),
        Field("email", EMAIL, _names("email e_mail mail email_address mail_address")),
        Field("phone", PHONE, _names("phone telephone phone_number mobile")),
        Field(
            "purpose",
            TEXT,
            _names("purpose purpose_key consent consent_type permission"),
            "the key of one of the firm's purposes, such as marketing",
            required=True,
        ),
        Field("channel", TEXT, _names("channel medium"), "empty: every channel of the purpose"),
        Field(
            "state",
            TEXT,
            _names("state status consent_state answer value opt_in optin"),
            "granted, denied or withdrawn; yes, no, true, false, subscribed and unsubscribed are understood",
            required=True,
        ),
        Field(
            "at",
            TIME,
            _names("at given_at stated_at consented_at date timestamp time updated_at created_at"),
            "when they said so",
            required=True,
        ),
        Field(
            "evidence",
            TEXT,
            _names("evidence proof shown form form_name origin source_url"),
            "where and how they said so: a form, a page, a letter",
        ),
        Field("wording", TEXT, _names("wording wording_version text_version"), "the version they were shown"),
    ),
    one_of=(("identifier", "customer_id", "email", "phone", IDENTIFIER_PREFIX),),
    identifiers=True,
)
_ANSWERS = Kind(
    "answers",
    "what people answered to questions: one answer a line",
    (
        Field(
            "survey",
            TEXT,
            _names("survey survey_id survey_name questionnaire form form_name"),
            "its name in the log; small letters, digits, - and _",
            required=True,
        ),
        Field(
            "question", TEXT, _names("question question_id question_key item prompt"), "its key, or its words"
        ),
        Field("identifier", KEY, _names("identifier"), "namespace:value, such as email:ana@example.org"),
        Field("customer_id", KEY, _names("customer_id customer_no customer_number customer respondent_id")),
        Field("email", EMAIL, _names("email e_mail mail email_address respondent_email")),
        Field("phone", PHONE, _names("phone telephone phone_number mobile")),
        Field(
            "answer",
            TEXT,
            _names("answer response value score rating choice"),
            "a number, a choice, or words; four words and more are read as a text",
            required=True,
        ),
        Field("comment", TEXT, _names("comment text remark verbatim why"), "words beside the answer"),
        Field(
            "at",
            TIME,
            _names("at answered_at submitted_at completed_at date timestamp time created_at"),
            "when it was answered; answers of one moment are one response",
            required=True,
        ),
    ),
    one_of=(("identifier", "customer_id", "email", "phone", IDENTIFIER_PREFIX),),
    identifiers=True,
)
_WEBLOG = Kind("weblog", "who looked at your site: a web server's access log", (), shape="lines")

KINDS: dict[str, Kind] = {
    k.name: k for k in (_PEOPLE, _ORDERS, _EVENTS, _POSTS, _WEBLOG, _PRODUCTS, _CONSENTS, _ANSWERS)
}


def kind_named(name: str) -> Kind:
    """A kind, or Invalid with those there are."""
    if name not in KINDS:
        raise Invalid(f"{name!r} is no kind of import", f"There are {', '.join(KINDS)}.")
    return KINDS[name]
