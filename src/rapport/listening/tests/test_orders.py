"""Order lines become orders: bought and given back, of a customer or of nobody known."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.listening.services.kinds import Orders
from rapport.listening.tests.conftest import Read, Said

HEADER = (
    "order_id,ordered_at,customer_id,email,sku,description,category,quantity,price,currency,country,gift\n"
)
LINES = (
    "A1,2024-05-06 10:00,7.0,ana@example.org,B-1,Brake,Brakes,2,10.50,EUR,ES,yes\n"
    "A1,2024-05-06 10:01,7.0,ana@example.org,B-2,Belt,,1,0,EUR,ES,no\n"
    "A2,2024-05-07,,bo@example.org,B-1,Brake,Brakes,1,9.99,EUR,,\n"
    "A3,2024-05-08,,,B-1,Brake,Brakes,0.5,4,EUR,,\n"
    "C4,2024-05-09,7,ana@example.org,B-1,Brake,Brakes,-1,10.50,EUR,ES,\n"
    "A5,2024-05-10,8,,B-1,Brake,Brakes,3,1,JPY,,\n"
    "A5,2024-05-10,8,,B-2,Belt,,-1,2,JPY,,\n"
)


def test_lines_are_grouped_and_keep_their_items(read: Read) -> None:
    said = read("orders", HEADER + LINES)
    assert [
        (r["message_id"], r["name"], r["identifier"], r["value_minor"], r["currency"]) for r in said.rows
    ] == [
        ("placed:A1", "order_placed", "customer:7", 2100, "EUR"),
        ("placed:A2", "order_placed", "email:bo@example.org", 999, "EUR"),
        ("placed:A3", "order_placed", "order:a3", 200, "EUR"),
        ("refunded:C4", "order_refunded", "customer:7", -1050, "EUR"),
        ("placed:A5", "order_placed", "customer:8", 3, "JPY"),
        ("refunded:A5", "order_refunded", "customer:8", -2, "JPY"),
    ]
    first = said.rows[0]
    assert (first["also"], first["evidence"], first["at_utc"]) == (
        ["email:ana@example.org"],
        "order",
        "2024-05-06 10:00:00",
    )
    assert said.properties(0) == {
        "order_id": "A1",
        "n_items": 3,
        "country": "ES",
        "items": [
            {
                "product_code": "B-1",
                "product_name": "Brake",
                "category": "Brakes",
                "quantity": 2,
                "unit_price_minor": 1050,
                "gift": "yes",
            },
            {
                "product_code": "B-2",
                "product_name": "Belt",
                "quantity": 1,
                "unit_price_minor": 0,
                "gift": "no",
            },
        ],
    }
    assert said.properties(2)["items"][0]["quantity"] == 0.5
    assert said.rows[1]["also"] == []
    assert said.summary.totals == {
        "lines": 7,
        "lines_without_person": 1,
        "customers": 3,
        "orders_placed": 4,
        "placed_minor": 2100 + 999 + 200 + 3,
        "orders_refunded": 2,
        "refunded_minor": -1052,
        "orders_without_person": 1,
    }


def test_an_order_id_of_two_customers_is_an_order_of_each(read: Read) -> None:
    said = read("orders", HEADER + "A1,2024-05-06,2,,B-1,,,1,1,EUR,,\nA1,2024-05-06,1,,B-1,,,1,1,EUR,,\n")
    assert [(r["message_id"], r["identifier"]) for r in said.rows] == [
        ("placed:A1", "customer:1"),
        ("placed:A1|customer:2|EUR", "customer:2"),
    ]


@pytest.mark.parametrize("chunk_rows", [1, 3])
def test_lines_of_an_order_may_lie_anywhere(
    read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chunk_rows: int
) -> None:
    import random

    lines = [f"A{n % 7},2024-05-06,{n % 7},,B-{n},,,1,{n},EUR,,\n" for n in range(60)]
    random.Random(1).shuffle(lines)
    whole = read("orders", HEADER + "".join(lines))
    monkeypatch.setattr("rapport.listening.services.files.BLOCK_BYTES", 120)
    monkeypatch.setattr("rapport.listening.services.kinds.PARTITION_LINES", 20)
    monkeypatch.setattr(
        "rapport.listening.services.csvs.Csv.chunks.__kwdefaults__", {"rows": chunk_rows, "size": 1 << 30}
    )
    parts = read("orders", HEADER + "".join(lines))

    def content(said: Said) -> dict[str, object]:
        rows: dict[str, object] = {}
        for k, row in enumerate(said.rows):
            properties = said.properties(k)
            items = sorted(i["product_code"] for i in properties.pop("items"))
            rows[row["message_id"]] = {**row, "properties": properties, "items": items}
        return rows

    assert content(whole) == content(parts)
    assert len(parts.rows) == 7
    assert parts.summary.totals == whole.summary.totals
    assert not list((tmp_path / "home" / "tmp").glob("orders-*"))


def test_a_line_total_will_do_for_a_price(read: Read) -> None:
    said = read(
        "orders",
        "basket_id,date,household_id,product_id,quantity,sales_value\n1,2024-05-06,7,9,2,3.00\n1,2024-05-06,7,8,0,0\n",
    )
    assert said.rows[0]["value_minor"] == 300
    assert [i["unit_price_minor"] for i in said.properties()["items"]] == [150, 0]


def test_the_currency_is_that_of_the_row_the_option_or_the_firm(read: Read) -> None:
    text = "order_id,ordered_at,price\n1,2024-05-06,1\n"
    assert read("orders", text).rows[0]["currency"] == "EUR"
    said = read("orders", text, options={"currency": "gbp"})
    assert said.rows[0]["currency"] == "GBP"
    assert "currency is GBP where the file does not say" in said.summary.notes


def test_bad_lines_are_named_and_the_rest_of_their_order_is_kept(read: Read) -> None:
    said = read(
        "orders",
        "order_id,ordered_at,customer_id,quantity,price,currency\n"
        "A1,2024-05-06,1,1,5,EUR\n"
        "A1,2024-05-06,1,one,5,EUR\n"
        "A1,2024-05-06,1,,5,EUR\n"
        "A1,2024-05-06,1,1,,EUR\n"
        ",2024-05-06,1,1,5,EUR\n"
        "A1,never,1,1,5,EUR\n"
        "A1,2024-05-06,1,1,5,euros\n"
        "A1,2024-05-06,1,1e12,5000,EUR\n"
        "A1,2024-05-06,1,1,NaN,EUR\n",
    )
    assert [r["value_minor"] for r in said.rows] == [500]
    assert said.reasons == [
        (3, "bad_number", "quantity"),
        (4, "missing", "quantity"),
        (5, "missing", "unit_price"),
        (6, "missing", "order_id"),
        (7, "bad_time", "ordered_at"),
        (8, "bad_currency", "currency"),
        (9, "too_much", ""),
        (10, "missing", "unit_price"),
    ]


def test_where_a_file_breaks_off_the_order_at_the_break_is_left_out(read: Read) -> None:
    import gzip

    lines = "".join(f"A{n // 3},2024-05-06,1,1,{n * 7919 % 1009},EUR\n" for n in range(60_000))
    packed = gzip.compress(("order_id,ordered_at,customer_id,quantity,price,currency\n" + lines).encode())
    said = read("orders", packed[: len(packed) // 2], name="orders.csv.gz")
    assert 1_000 < said.summary.read < 60_000
    assert "breaks off" in said.summary.error
    assert f"{said.summary.read:,} rows before that are kept" in said.summary.error
    last = (said.summary.read - 1) // 3
    assert {r["message_id"] for r in said.rows} == {f"placed:A{n}" for n in range(last)}
    assert all(said.properties(k)["n_items"] == 3 for k in range(len(said.rows)))
    assert any(f"order A{last} is left out" in note for note in said.summary.notes)


def test_what_waits_on_disk_is_removed(tmp_path: Path) -> None:
    staged = Orders(None, None, None, "orders")  # type: ignore[arg-type]
    staged.folder = tmp_path / "waiting"
    staged.folder.mkdir()
    staged.close()
    assert not (tmp_path / "waiting").exists()
