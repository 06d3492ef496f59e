"""Which statement is believed and what a person is called, against rules written out for one person."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.events.rules import kind_of
from rapport.people.rules import profile
from rapport.people.tests.conftest import MONDAY

statements = st.lists(
    st.fixed_dictionaries(
        {
            "subject": st.integers(1, 4),
            "name": st.sampled_from(["name", "city", "age"]),
            "origin": st.sampled_from(profile.ORIGINS),
            "value": st.just('"x"'),
            "confidence": st.none() | st.sampled_from([0.2, 0.5, 1.0]),
            "at": st.integers(0, 2).map(lambda h: MONDAY + dt.timedelta(hours=h)),
        }
    ),
    max_size=25,
).map(lambda rows: [{**row, "seq": seq} for seq, row in enumerate(rows)])


@given(statements)
def test_the_chosen_statement_is_the_one_the_rule_names(rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows, schema=profile.TRAIT)
    persons = np.asarray([row["subject"] % 2 for row in rows], dtype=np.int64)
    expected: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        rank = (
            profile.ORIGINS.index(row["origin"]),
            row["at"],
            1.0 if row["confidence"] is None else row["confidence"],
        )
        best = expected.get((row["subject"] % 2, row["name"]))
        if best is None or (*rank, row["seq"]) > best["rank"]:
            expected[row["subject"] % 2, row["name"]] = {"seq": row["seq"], "rank": (*rank, row["seq"])}
    found = profile.chosen(persons, table)
    assert sorted(table["seq"].to_numpy()[found].tolist()) == sorted(e["seq"] for e in expected.values())


namespaces = st.sampled_from(
    ["customer", "email", "phone", "loyalty", "anonymous", "visitor", "device", "mastodon", "web"]
)


@given(st.dictionaries(st.integers(1, 40), st.tuples(st.integers(1, 4), namespaces), min_size=1, max_size=20))
def test_kinds_are_those_of_the_log(drawn: dict[int, tuple[int, str]]) -> None:
    subjects = sorted(drawn)
    persons = [drawn[s][0] for s in subjects]
    found = profile.persons(
        pa.table([subjects, persons], schema=profile.IDENTITY),
        pa.table(
            [subjects, [drawn[s][1] for s in subjects], ["v"] * len(subjects)], schema=profile.IDENTIFIER
        ),
        profile.TRAIT.empty_table(),
    ).to_pylist()
    assert {row["id"]: row["kind"] for row in found} == {
        p: kind_of({n for q, n in drawn.values() if q == p}) for p in set(persons)
    }
    assert {row["id"]: row["n_identifiers"] for row in found} == {p: persons.count(p) for p in set(persons)}


def shown(identifiers: list[str], *traits: tuple[str, str, Any]) -> dict[str, Any]:
    """The row of one person with these identifiers and (origin, name, value) traits."""
    subjects = list(range(1, len(identifiers) + 1))
    split = [i.partition(":") for i in identifiers]
    told = [
        {
            "subject": 1,
            "origin": o,
            "name": n,
            "value": json.dumps(v, ensure_ascii=False),
            "at": MONDAY,
            "seq": seq,
        }
        for seq, (o, n, v) in enumerate(traits)
    ]
    (row,) = profile.persons(
        pa.table([subjects, [1] * len(subjects)], schema=profile.IDENTITY),
        pa.table([subjects, [s[0] for s in split], [s[2] for s in split]], schema=profile.IDENTIFIER),
        pa.Table.from_pylist(told, schema=profile.TRAIT),
    ).to_pylist()
    return row


@pytest.mark.parametrize(
    ("identifiers", "traits", "name"),
    [
        (["customer:7", "email:ana@example.org"], [], "ana@example.org"),
        (["customer:7", "phone:+3460011"], [], "+3460011"),
        (["customer:7", "mastodon:bo@example.social"], [], "@bo@example.social"),
        (["customer:7"], [], "customer 7"),
        (["loyalty:99"], [], "loyalty 99"),
        (["anonymous:0123456789ab"], [], "visitor 01234567"),
        (["customer:7"], [("declared", "name", "  Ana \n Ruiz ")], "Ana Ruiz"),
        (
            ["customer:7"],
            [("declared", "given_name", "Ana"), ("declared", "family_name", "Ruiz")],
            "Ana Ruiz",
        ),
        (["customer:7"], [("declared", "given_name", "Ana")], "Ana"),
        (["customer:7"], [("observed", "name", "xX_ana_Xx"), ("declared", "given_name", "Ana")], "Ana"),
        (["customer:7"], [("declared", "name", "Dr Ana"), ("declared", "given_name", "Ana")], "Dr Ana"),
        (["customer:7"], [("declared", "name", 'Ana "Nena" \\ Ruiz')], 'Ana "Nena" \\ Ruiz'),
        (["customer:7"], [("declared", "name", {"given": "Ana"})], "customer 7"),
        (["customer:7"], [("declared", "name", True)], "customer 7"),
        (["customer:7"], [("declared", "name", 1984)], "1984"),
        (["customer:7"], [("declared", "name", "A" * 400)], "A" * 255),
        (["customer:7"], [("declared", "name", "김철수")], "김철수"),
    ],
)
def test_what_a_person_is_called(
    identifiers: list[str], traits: list[tuple[str, str, Any]], name: str
) -> None:
    assert shown(identifiers, *traits)["display_name"] == name


def test_the_mail_address_is_the_newest_one() -> None:
    row = shown(["email:old@example.org", "email:new@example.org"], ("declared", "email", "told@example.org"))
    assert row["email"] == "new@example.org"
    assert shown(["customer:1"], ("declared", "email", "told@example.org"))["email"] == "told@example.org"


def test_countries_and_languages_come_in_one_spelling() -> None:
    row = shown(["customer:1"], ("declared", "country", "es"), ("declared", "language", "pt-BR"))
    assert (row["country"], row["language"]) == ("ES", "pt")
    row = shown(["customer:1"], ("declared", "country", "United Kingdom"), ("declared", "language", "Welsh"))
    assert (row["country"], row["language"]) == ("United Kingdom", "welsh")


def test_words_are_found_without_accents_and_case() -> None:
    assert profile.folded_words("  Élodie  MÜLLER-Straße o'Neil élodie ") == [
        "elodie",
        "muller",
        "strasse",
        "o",
        "neil",
    ]
    assert profile.folded(pa.array(["Ångström", "ＡＢＣ"])).to_pylist() == ["angstrom", "abc"]


@given(st.text(max_size=40))
def test_folding_is_final(text: str) -> None:
    once = profile.folded(pa.array([text], pa.string()))
    assert profile.folded(once).to_pylist() == once.to_pylist()
