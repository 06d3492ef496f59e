"""Columns and fields: what names suggest, what somebody wishes, what is missing."""

from __future__ import annotations

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.rules.fields import normal_name, property_names
from rapport.listening.rules.kinds import KINDS, kind_named
from rapport.listening.rules.mapping import missing_fields, propose, settle_mapping


@pytest.mark.parametrize(
    ("kind", "columns", "mapping"),
    [
        (
            "orders",
            [
                "InvoiceNo",
                "StockCode",
                "Description",
                "Quantity",
                "InvoiceDate",
                "UnitPrice",
                "CustomerID",
                "Country",
            ],
            "order_id product_code product_name quantity ordered_at unit_price customer_id country",
        ),
        (
            "posts",
            ["tweet_id", "airline", "name", "text", "tweet_created", "tweet_location"],
            "post_id - author text published_at place",
        ),
        (
            "people",
            ["Customer ID", "E-Mail", "First Name", "Surname", "DOB", "ZIP", "shoe size"],
            "id email given_name family_name birth_date postcode -",
        ),
        ("events", ["eventId", "Timestamp", "event", "userId", "colour"], "id ts name customer_id -"),
        ("products", ["SKU", "Title", "Price", "Department"], "product_code name price category"),
    ],
)
def test_common_names_find_their_field(kind: str, columns: list[str], mapping: str) -> None:
    wanted = {c: f for c, f in zip(columns, mapping.split(), strict=True) if f != "-"}
    assert propose(kind_named(kind), columns) == wanted


def test_a_wish_comes_before_what_names_suggest() -> None:
    people = kind_named("people")
    columns = ["id", "email", "mail2", "bird"]
    assert settle_mapping(people, columns, {"mail2": "email"}) == {"id": "id", "mail2": "email"}
    assert settle_mapping(people, columns, {"email": "-"}) == {"id": "id", "email": "-"}
    assert settle_mapping(people, columns, {"id": ""}) == {"email": "email"}
    assert settle_mapping(people, columns, {"BIRD": "identifier:mastodon"})["bird"] == "identifier:mastodon"


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({"nowhere": "email"}, "there is no column 'nowhere'"),
        ({"id": "shoe"}, "people have no field 'shoe'"),
        ({"id": "identifier:Not A Namespace"}, "have no field"),
        ({"id": "email", "email": "email"}, "mapped to the same field"),
    ],
)
def test_a_wish_that_cannot_be_is_named(wishes: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        settle_mapping(kind_named("people"), ["id", "email"], wishes)
    assert caught.value.hint


def test_what_is_missing_is_named() -> None:
    orders = kind_named("orders")
    assert "order_id and none is ordered_at" in missing_fields(orders, {"x": "unit_price"})
    assert "one of unit_price, amount" in missing_fields(orders, {"a": "order_id", "b": "ordered_at"})
    assert missing_fields(orders, {"a": "order_id", "b": "ordered_at", "c": "amount"}) == ""
    assert missing_fields(kind_named("people"), {"a": "identifier:bluesky"}) == ""
    assert "id, email, phone" in missing_fields(kind_named("people"), {"a": "name"})


def test_names_of_properties_are_plain_and_differ() -> None:
    assert normal_name("InvoiceNo.") == "invoice_no"
    assert property_names(["A b", "a_b", "%", "Ü"]) == ["a_b", "a_b_2", "column_3", "column_4"]


def test_kinds_are_whole() -> None:
    with pytest.raises(Invalid, match="no kind of import"):
        kind_named("tweets")
    for kind in KINDS.values():
        names = [f.name for f in kind.fields]
        assert len(names) == len(set(names))
        assert kind.meaning
        assert all(kind.field(name) for group in kind.one_of for name in group if ":" not in name)
