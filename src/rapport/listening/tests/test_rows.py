"""Rows of people, posts, products and events as touchpoints, and what is said of those that cannot be."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rapport.kit.errors import Invalid
from rapport.listening.tests.conftest import Read, Write


def test_a_person_has_identifiers_and_traits(read: Read, noon: dt.datetime) -> None:
    said = read(
        "people",
        "id,email,phone,name,DOB,country,customer since,shoe size,vip,mastodon\n"
        "17.0, Ana@Example.org ,0034 600 111 222,Ana Ruiz,1984-05-06,ES,2001-02-03,38,true,@Ana@social.example\n"
        ",bo@example.org,,Bo,,,,,,\n",
        mapping={"mastodon": "identifier:mastodon", "vip": ""},
    )
    ana, bo = said.rows
    assert ana["identifier"] == "customer:17"
    assert sorted(ana["also"]) == [
        "email:ana@example.org",
        "mastodon:ana@social.example",
        "phone:+34600111222",
    ]
    assert (ana["name"], ana["evidence"], ana["at_utc"]) == (
        "person_identified",
        "import",
        "2026-03-02 12:00:00",
    )
    assert said.properties(0) == {
        "origin": "declared",
        "traits": {
            "name": "Ana Ruiz",
            "birth_date": "1984-05-06",
            "country": "ES",
            "created_at": "2001-02-03",
            "shoe_size": 38,
            "vip": True,
        },
    }
    assert bo["identifier"] == "email:bo@example.org"
    assert not bo["also"]
    assert said.properties(1)["traits"] == {"name": "Bo"}
    assert said.summary.mapping["DOB"] == "birth_date"
    assert said.summary.properties == {"shoe size": "shoe_size", "vip": "vip"}


@pytest.mark.parametrize(
    ("row", "identifier", "also"),
    [
        ("7,ana@example.org,,", "customer:7", ["email:ana@example.org"]),
        ("7,,600111222,", "customer:7", ["phone:600111222"]),
        (",ana@example.org,600111222,", "email:ana@example.org", ["phone:600111222"]),
        (",,600111222,", "phone:600111222", []),
        (",,,@Ana", "mastodon:ana", []),
        (",ana@example.org,,@Ana", "email:ana@example.org", ["mastodon:ana"]),
        ("customer:7,,,", "customer:7", []),
    ],
)
def test_the_surest_identifier_comes_first(read: Read, row: str, identifier: str, also: list[str]) -> None:
    said = read("people", f"id,email,phone,handle\n{row}\n", mapping={"handle": "identifier:mastodon"})
    assert (said.rows[0]["identifier"], said.rows[0]["also"] or []) == (identifier, also)
    if not row.endswith("Ana"):
        without = read("people", f"id,email,phone\n{row[:-1]}\n")
        assert (without.rows[0]["identifier"], without.rows[0]["also"] or []) == (identifier, also)


def test_an_update_says_when(read: Read, noon: dt.datetime) -> None:
    said = read("people", "id,name,updated_at\n1,Ana,2020-01-02\n2,Bo,\n")
    assert [r["at_utc"] for r in said.rows] == ["2020-01-02 00:00:00", "2026-03-02 12:00:00"]


def test_bad_people_are_named_by_line_field_and_value(read: Read, noon: dt.datetime) -> None:
    said = read(
        "people",
        "id,email,phone,birth_date,city\n"
        "1,ana@example.org,+34600111222,1984-05-06,Cádiz\n"
        "2,ana.example.org,,,\n"
        "3,,12,,\n"
        "4,,,1984-13-06,\n"
        "1.23457E+11,,,,\n"
        ",,,,Nobody\n"
        "NULL,n/a,-,,Nobody\n"
        "9,,,,Sevilla\n",
    )
    assert [r["identifier"] for r in said.rows] == ["customer:1", "customer:9"]
    assert said.reasons == [
        (3, "bad_email", "email"),
        (4, "bad_phone", "phone"),
        (5, "bad_date", "birth_date"),
        (6, "scientific", "id"),
        (7, "no_identifier", "id, email, phone"),
        (8, "no_identifier", "id, email, phone"),
    ]
    assert str(said.summary.bad_rows[0]) == "line 3: email is 'ana.example.org', which is not a mail address."
    assert said.summary.bad_rows[2].value == "1984-13-06"
    assert (said.summary.read, said.summary.quarantined, said.summary.recorded) == (8, 6, 2)


def test_the_same_row_has_the_same_key_in_any_file(read: Read) -> None:
    one = read("people", "id,name,city\n1,Ana,Cádiz\n2,Bo,\n1,Ana,Cádiz\n")
    other = read(
        "people", "city;id;name;empty\nCádiz;1;Ana;\nCádiz;1;Ana;\n;2;Bo;\nLyon;3;Chi;\n", name="other.csv"
    )
    ids = {r["message_id"] for r in one.rows}
    assert len(ids) == 3
    assert ids < {r["message_id"] for r in other.rows}


def test_keys_hold_over_chunks(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "id,name\n" + "".join(f"{n % 3},Ana\n" for n in range(20))
    whole = {r["message_id"] for r in read("people", text).rows}
    monkeypatch.setattr("rapport.listening.services.files.BLOCK_BYTES", 24)
    monkeypatch.setattr(
        "rapport.listening.services.csvs.Csv.chunks.__kwdefaults__", {"rows": 4, "size": 1 << 30}
    )
    parts = read("people", text)
    assert len(parts.rows) == 20
    assert {r["message_id"] for r in parts.rows} == whole
    assert len(whole) == 20


@pytest.mark.parametrize("repeated", [False, True])
def test_rows_stay_in_the_order_of_their_file(
    read: Read, monkeypatch: pytest.MonkeyPatch, repeated: bool
) -> None:
    monkeypatch.setattr("rapport.listening.services.files.BLOCK_BYTES", 64)
    rows = [f"{n},2024-05-06,{'a' if n % 2 else 'b'}_done\n" for n in range(300)]
    text = "customer_id,ts,name\n" + "".join(rows) + ("".join(rows) if repeated else "")
    said = read("events", text)
    assert [r["identifier"] for r in said.rows] == [f"customer:{n}" for n in range(300)] * (1 + repeated)


def test_a_column_of_numbers_may_turn_out_to_hold_words(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapport.listening.services.files.BLOCK_BYTES", 24)
    monkeypatch.setattr(
        "rapport.listening.services.csvs.Csv.chunks.__kwdefaults__", {"rows": 4, "size": 1 << 30}
    )
    text = "id,size,vip\n" + "".join(f"{n},{n}.5,TRUE\n" for n in range(9)) + "9,large,perhaps\n10,007,\n"
    traits = [json.loads(r["properties"])["traits"] for r in read("people", text).rows]
    assert traits[3] == {"size": 3.5, "vip": True}
    assert traits[9:] == [{"size": "large", "vip": "perhaps"}, {"size": "007"}]


def test_a_post_belongs_to_its_author_on_its_network(read: Read) -> None:
    said = read(
        "posts",
        "tweet_id,name,text,tweet_created,retweet_count,airline\n"
        "570306133677760513,@Cairdin,Fish &amp; chips &lt;3 &#39;ok&#39; & more,2015-02-24 11:35:52 -0800,0,Virgin\n",
    )
    (post,) = said.rows
    assert post["message_id"] == "twitter:570306133677760513"
    assert (post["identifier"], post["venue"], post["channel"]) == ("twitter:cairdin", "twitter", "social")
    assert post["text"] == "Fish & chips <3 'ok' & more"
    assert post["at_utc"] == "2015-02-24 19:35:52"
    assert said.properties() == {
        "network": "twitter",
        "post_id": "570306133677760513",
        "author_name": "@Cairdin",
        "retweet_count": 0,
        "airline": "Virgin",
    }


@pytest.mark.parametrize(
    ("asked", "network", "namespace"),
    [
        ({}, "App Store", "app_store"),
        ({}, "X", "twitter"),
        ({}, "", "mastodon"),
        ({"options": {"network": "bluesky"}}, "", "bluesky"),
    ],
)
def test_the_network_is_that_of_the_row_the_option_or_the_source(
    read: Read, asked: dict[str, dict[str, str]], network: str, namespace: str
) -> None:
    text = f"network,author,text,published_at\n{network},Ana,hello,2015-02-24\n"
    said = read("posts", text, source_name="mastodon", **asked)
    assert said.rows[0]["identifier"] == f"{namespace}:ana"
    assert said.rows[0]["message_id"] != ""


def test_bad_posts_are_named(read: Read, noon: dt.datetime) -> None:
    long = "x" * 300_000
    said = read(
        "posts",
        "id,network,author,text,date\n"
        "1,web,ana,hello,24/02/2015 11:35\n"
        "5.70306E+17,web,ana,hello,24/02/2015\n"
        "3,web,ana,hello,soon\n"
        "4,web,,hello,24/02/2015\n"
        "5,web,ana,,24/02/2015\n"
        "6,!,ana,hello,24/02/2015\n"
        "7,web,ana,hello,24/02/2715\n"
        "8,web,ana,hello,24/02/1815\n"
        f"9,web,ana,{long},24/02/2015\n"
        "10,web,ana,a\0b,24/02/2015\n"
        "11,web,ana,hello,02/24/2015\n",
    )
    assert len(said.rows) == 1
    assert said.reasons == [
        (3, "scientific", "post_id"),
        (4, "bad_time", "published_at"),
        (5, "missing", "author"),
        (6, "missing", "text"),
        (7, "bad_network", "network"),
        (8, "future", "published_at"),
        (9, "ancient", "published_at"),
        (10, "too_long", "text"),
        (11, "nul", ""),
        (12, "bad_time", "published_at"),
    ]
    assert any("date: read as day/month" in note for note in said.summary.notes)
    assert "(300,000 characters)" in said.summary.bad_rows[7].row["text"]


def test_an_ambiguous_order_of_day_and_month_is_said_and_can_be_told(read: Read) -> None:
    text = "author,text,date,network\nana,hello,03/02/2015,web\n"
    said = read("posts", text)
    assert said.rows[0]["at_utc"] == "2015-02-03 00:00:00"
    assert any("ambiguous" in note for note in said.summary.notes)
    told = read("posts", text, options={"date_order": "month"})
    assert told.rows[0]["at_utc"] == "2015-03-02 00:00:00"
    with pytest.raises(Invalid, match="date_order is 'sideways'"):
        read("posts", text, options={"date_order": "sideways"})


def test_the_order_is_decided_by_the_whole_column(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapport.listening.services.files.BLOCK_BYTES", 200)
    monkeypatch.setattr(
        "rapport.listening.services.csvs.Csv.chunks.__kwdefaults__", {"rows": 5, "size": 1 << 30}
    )
    days = ["03/02/2015"] * 60 + ["02/25/2015"]
    said = read(
        "posts", "network,author,text,date\n" + "".join(f"web,ana,n{n},{d}\n" for n, d in enumerate(days))
    )
    assert [r["at_utc"][:10] for r in said.rows] == ["2015-03-02"] * 60 + ["2015-02-25"]


def test_a_product_has_a_price_in_minor_units(read: Read, noon: dt.datetime) -> None:
    said = read(
        "products",
        "sku;title;price;currency;size\nB-1;Brake;1.234,50;eur;L\nB-2;Belt;;;\nY-3;Yen;100,0;JPY;\n",
    )
    brake, belt, yen = said.rows
    assert (brake["name"], brake["identifier"]) == ("product_listed", "product:b-1")
    assert said.properties(0) == {
        "product_code": "B-1",
        "product_name": "Brake",
        "price_minor": 123450,
        "currency": "EUR",
        "size": "L",
    }
    assert said.properties(1) == {"product_code": "B-2", "product_name": "Belt"}
    assert said.properties(2)["price_minor"] == 100
    assert belt["identifier"] != yen["identifier"]


def test_events_have_any_name_and_properties(read: Read) -> None:
    lines = [
        {
            "id": "e1",
            "ts": "2024-05-06T07:08:09Z",
            "event": "Order Completed",
            "userId": 7,
            "email": "ana@example.org",
            "value": 12.5,
            "currency": "EUR",
            "properties": {"order_id": "A1"},
            "extra": [1, 2],
        },
        {"ts": "2024-05-06T07:08:10Z", "event": "wheelSpun", "anonymousId": "abc"},
    ]
    said = read("events", "\n".join(json.dumps(row) for row in lines), name="file.jsonl")
    first, second = said.rows
    assert (first["message_id"], first["name"], first["identifier"]) == (
        "id:e1",
        "order_placed",
        "customer:7",
    )
    assert (first["also"], first["value_minor"], first["currency"]) == (
        ["email:ana@example.org"],
        1250,
        "EUR",
    )
    assert said.properties(0) == {"order_id": "A1", "extra": [1, 2]}
    assert (second["name"], second["identifier"], second["value_minor"]) == (
        "wheel_spun",
        "anonymous:abc",
        None,
    )
    assert said.properties(1) == {}


def test_events_that_the_plan_refuses_are_named_by_line(read: Read) -> None:
    rows = [
        '{"ts": "2024-05-06", "name": "order_placed", "customer_id": "1",'
        ' "properties": {"order_id": "A1", "n_items": "three"}}',
        '{"ts": "2024-05-06", "name": "order_placed", "customer_id": "1", "properties": {}}',
        '{"ts": "2024-05-06", "name": "order_placed", "customer_id": "1", "properties": {"order_id": "A2"}}',
        '{"ts": "2024-05-06", "name": "!!!", "customer_id": "1"}',
        '{"ts": "2024-05-06", "name": "order_placed", "properties": {"order_id": "A3"}}',
        '{"ts": "2024-05-06", "name": "order_placed", "customer_id": "1", "properties": [1]}',
    ]
    said = read("events", "\n".join(rows), name="file.jsonl")
    assert [r["identifier"] for r in said.rows] == ["customer:1"]
    assert [(line, reason) for line, reason, _ in said.reasons] == [
        (1, "wrong_type"),
        (2, "missing_property"),
        (4, "no_name"),
        (5, "no_identifier"),
        (6, "bad_json"),
    ]


def test_json_lines_that_are_none_are_named_and_the_rest_is_kept(read: Read) -> None:
    text = (
        b'{"id": "1", "name": "Ana", "since": 3, "tags": ["a"]}\n'
        b'{"id": "2", "name": "Bo"\n'
        b"\n"
        b"[1, 2]\n"
        b'{"id": "3", "name": "Chi \\u0000"}\n'
        b'{"id": "4", "name": "D\xff"}\n'
        b'{"id": "5", "name": "E", "late": {"x": 1}}\n'
        b'{"id": 6, "big": "' + b"x" * 40_000 + b'"}\n'
    )
    said = read("people", text, name="people.jsonl")
    assert [r["identifier"] for r in said.rows] == ["customer:1", "customer:5"]
    assert [(line, reason) for line, reason, _ in said.reasons] == [
        (2, "not_object"),
        (4, "not_object"),
        (5, "nul"),
        (6, "bad_utf8"),
        (8, "too_large"),
    ]
    assert said.properties(0)["traits"] == {"name": "Ana", "since": 3, "tags": ["a"]}
    assert said.properties(1)["traits"] == {"name": "E", "late": {"x": 1}}
    assert said.summary.bad_rows[0].row == {"raw": '{"id": "2", "name": "Bo"'}


@pytest.mark.parametrize("name", ["people.csv", "people.jsonl"])
def test_a_property_of_ten_megabytes_spoils_its_row_alone(read: Read, name: str) -> None:
    big = "x" * 10_000_000
    if name.endswith("csv"):
        text = f'id,name,note\n1,Ana,short\n2,Bo,"{big}"\n3,Chi,{big}\n4,Dan,short\n'
    else:
        rows = [{"id": n, "note": big if n in (2, 3) else "short"} for n in range(1, 5)]
        text = "\n".join(json.dumps(row) for row in rows)
    said = read("people", text, name=name)
    assert [r["identifier"] for r in said.rows] == ["customer:1", "customer:4"]
    assert [reason for _, reason, _ in said.reasons] == ["too_large", "too_large"]
    assert len(str(said.summary.bad_rows[0].row)) < 5_000


def test_a_path_reaches_into_nested_json(read: Read) -> None:
    text = '{"author": {"handle": "Ana"}, "a.b": 1, "body": "hi", "at": "2024-05-06"}\n'
    said = read(
        "posts",
        text,
        name="x.json",
        mapping={"author.handle": "author", "at": "published_at"},
        options={"network": "web"},
    )
    assert said.rows[0]["identifier"] == "web:ana"


def test_parquet_keeps_its_types(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    table = pa.table(
        {
            "CustomerID": pa.array([17850.0, None, 3.0]),
            "name": ["Ana", "Bo", " Chi "],
            "score": pa.array([1.5, 2.0, float("inf")]),
            "seen": pa.array([1_577_923_200_000_000_000, None, None], pa.timestamp("ns")),
            "vip": [True, False, None],
            "__index_level_0__": [0, 1, 2],
        }
    )
    pq.write_table(table, path)
    said = read("people", path, mapping={"seen": "updated_at"})
    assert [r["identifier"] for r in said.rows] == ["customer:17850", "customer:3"]
    assert said.rows[0]["at_utc"] == "2020-01-02 00:00:00"
    assert said.properties(0)["traits"] == {"name": "Ana", "score": 1.5, "vip": True}
    assert said.properties(1)["traits"] == {"name": "Chi"}
    assert said.reasons == [(2, "no_identifier", "CustomerID")]


def test_parquet_may_be_compressed_once_more(read: Read, tmp_path: Path, write: Write) -> None:
    import gzip

    path = tmp_path / "people.parquet"
    pq.write_table(pa.table({"id": ["1", "2"]}), path)
    assert len(read("people", gzip.compress(path.read_bytes()), name="people.parquet.gz").rows) == 2
    with pytest.raises(Invalid, match="breaks off"):
        read("people", gzip.compress(path.read_bytes())[:-30], name="people.parquet.gz")


def test_a_file_that_begins_like_parquet_and_is_none(read: Read) -> None:
    with pytest.raises(Invalid, match="begins like Parquet"):
        read("people", b"PAR1 and then nothing")


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("people", "shoe,hat\n1,2\n", "no column is one of id, email, phone"),
        ("posts", "author,text\nana,hello\n", "no column is published_at"),
        ("orders", "order_id,ordered_at\n1,2015-02-24\n", "one of unit_price, amount"),
        ("people", "id,name\n", "names columns and has no rows"),
        ("people", "[{}]", "is one JSON list"),
    ],
)
def test_a_file_that_cannot_be_such_an_import_says_why(read: Read, kind: str, text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        read(kind, text)
    assert caught.value.hint


def test_options_that_are_none_are_named(read: Read) -> None:
    with pytest.raises(Invalid, match="no option colour"):
        read("people", "id\n1\n", options={"colour": "red"})
    with pytest.raises(Invalid, match="no time zone"):
        read("people", "id\n1\n", options={"time_zone": "Atlantis/Capital"})


def test_times_without_a_zone_are_of_the_zone_asked_for(read: Read) -> None:
    said = read(
        "posts",
        "author,text,date,network\nana,x,2015-07-01 12:00,web\n",
        options={"time_zone": "Europe/Berlin"},
    )
    assert said.rows[0]["at_utc"] == "2015-07-01 10:00:00"
