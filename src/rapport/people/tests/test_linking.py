"""Who may be one person, from what the rows say; the model learns from the rows themselves."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from rapport.kit.errors import Invalid
from rapport.people import models, selectors, services
from rapport.people.rules import columns, evidence, likeness
from rapport.people.services import linking
from rapport.people.tests.conftest import Say, identified

ALICE = "alice@example.org"
GIVEN = [
    f"{a}{b}"
    for a in ("an", "bo", "lu", "mar", "pe", "so", "ti", "vi")
    for b in ("a", "is", "co", "ela", "ne")
]
FAMILY = [
    f"{a}{b}"
    for a in ("ru", "ber", "lop", "han", "kra", "mey", "sil", "tor")
    for b in ("iz", "ez", "g", "mann", "es")
]
TOWNS = ["Cádiz", "Lugo", "Basel", "Kiel", "Nantes"]


def row(number: int, **said: str) -> dict[str, object]:
    return {"id": number, **dict.fromkeys(columns.FIELDS), **said}


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=linking.STATED)


def stranger(draw: random.Random, number: int) -> dict[str, object]:
    return row(
        number,
        given_name=draw.choice(GIVEN),
        family_name=draw.choice(FAMILY),
        birth_date=f"{draw.randint(1940, 2005)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
        city=draw.choice(TOWNS),
        postcode=f"{draw.randint(10, 99)}0{draw.randint(10, 99)}",
    )


def pairs(found: linking.Links) -> dict[tuple[int, int], float]:
    rows = found.pairs.select(["a", "b", "probability"]).to_pylist()
    return {(r["a"], r["b"]): r["probability"] for r in rows}


def test_duplicates_with_slips_are_found_and_strangers_are_not() -> None:
    draw = random.Random(7)
    rows = [stranger(draw, n) for n in range(400)]
    twins = {}
    for n in range(0, 80, 2):
        copy = dict(rows[n], id=1000 + n)
        slip = draw.choice(["given_name", "family_name", "postcode", "swap"])
        if slip == "swap":
            copy["given_name"], copy["family_name"] = copy["family_name"], copy["given_name"]
        else:
            text = str(copy[slip])
            copy[slip] = text[:1] + text[2:] if len(text) > 3 else text + "x"
        rows.append(copy)
        twins[n, 1000 + n] = slip
    found = pairs(linking.link(table(*rows), low=0.5))
    assert len(found.keys() & twins.keys()) >= 38
    assert len(found.keys() - twins.keys()) <= 2


def test_a_small_file_is_judged_by_what_is_known_beforehand() -> None:
    found = linking.link(
        table(
            row(1, name="Ana Ruiz", city="Cádiz"),
            row(2, name="Ruíz, Ana", city="CADIZ"),
            row(3, name="Bo Berg", city="Basel"),
        )
    )
    assert found.pairs.num_rows == 1
    assert found.pairs.select(["a", "b", "given_level", "family_level", "place_level"]).to_pylist() == [
        {"a": 1, "b": 2, "given_level": "same", "family_level": "same", "place_level": "same"}
    ]


def test_a_household_is_not_one_person() -> None:
    home = {
        "family_name": "Ruiz",
        "street": "Calle Ancha",
        "house": "4",
        "postcode": "11001",
        "city": "Cádiz",
    }
    found = pairs(
        linking.link(
            table(
                row(1, given_name="Ana", phone="+34600112233", **home),
                row(2, given_name="Luis", phone="+34600112233", **home),
                row(3, given_name="Anna", phone="+34600112233", **home),
                row(
                    4, given_name="Bo", family_name="Berg", phone="+4917012345", city="Basel", postcode="4001"
                ),
                row(5, given_name="Pia", family_name="Quint", street="Hauptstrasse", house="9"),
            )
        )
    )
    assert set(found) == {(1, 3)}


@pytest.mark.parametrize("rows", [[], [row(1, name="Ana")], [row(1), row(2)]], ids=["none", "one", "blank"])
def test_where_there_is_nothing_to_compare_nothing_is_found(rows: list[dict[str, object]]) -> None:
    assert linking.link(table(*rows)).pairs.num_rows == 0


def test_dates_telephones_and_names_are_read_however_they_are_written() -> None:
    with linking.engine() as con:
        con.register(
            "given",
            table(
                row(1, name="Müller, Jörg", birth_date="3.1.1980", phone="+49 170 123-4567"),
                row(2, name="Jörg Peter Muller", birth_date="1980-01-03", phone="0170 1234567"),
                row(3, given_name=" ", birth_date="19800103", email="no address"),
            ),
        )
        linking.compare(con, "SELECT * FROM given")
        found = con.execute("SELECT given, family, birth, phone, email FROM compared ORDER BY id").fetchall()
    assert found == [
        ("jorg", "muller", "19800103", "701234567", None),
        ("jorg peter", "muller", "19800103", "701234567", None),
        (None, None, "19800103", None, None),
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["rec_id", "given_name", "surname", "street_number", "address_1", "suburb", "date_of_birth", "soc_sec_id"],
            {"family_name": "surname", "house": "street_number", "street": "address_1", "number": "soc_sec_id"},
        ),
        (
            ["first_and_surname", "first_name", "surname", "birth_place"],
            {"family_name": "surname", "birth_place": "birth_place"},
        ),
        (
            ["Full name", "E-mail", "email_opt_in", "Zip Code"],
            {"name": "Full name", "email": "E-mail", "postcode": "Zip Code"},
        ),
        (["name_of_firm", "city_id", "cluster"], {}),
    ],
    ids=["febrl", "parts", "spaced", "none"],
)  # fmt: skip
def test_columns_give_themselves_away(names: list[str], expected: dict[str, str]) -> None:
    found = columns.recognised(names)
    assert {f: found.get(f) for f in expected} == expected
    assert expected or not found


def test_what_is_stated_of_a_column_wins() -> None:
    assert columns.recognised(["a", "surname"], stated={"a": "family_name"}) == {"family_name": "a"}
    assert columns.recognised(["surname"], stated={"surname": ""}) == {}
    with pytest.raises(Invalid, match="no column 'b'"):
        columns.recognised(["a"], stated={"b": "name"})
    with pytest.raises(Invalid, match="nothing is known of a field"):
        columns.recognised(["a"], stated={"a": "shoe"})


def test_levels_of_every_comparison_share_out_all_pairs() -> None:
    every = {c for fields in likeness.READS.values() for c in fields} | {
        "given", "family", "birth", "place", "local",
    }  # fmt: skip
    for filled in (every, every - {"postcode"}, every - {"city"}):
        for comparison in likeness.comparisons(filled):
            assert sum(level.m for level in comparison.levels) == pytest.approx(1), comparison.name
            assert sum(level.u for level in comparison.levels) == pytest.approx(1), comparison.name
            assert min(level.u for level in comparison.levels) > 0


def test_the_shortest_and_surest_way_is_told() -> None:
    edges = [(1, "a", "b"), (2, "b", "c"), (3, "a", "c"), (4, "c", "d")]
    assert evidence.path("a", edges) == {"a": (), "b": (1,), "c": (3,), "d": (3, 4)}


@pytest.fixture
def alike(say: Say) -> Say:
    say(
        identified("customer:1", traits={"name": "Ana Ruiz", "birth_date": "1980-01-02", "city": "Cádiz"}),
        identified("customer:2", traits={"first_name": "Ana", "surname": "Ruíz", "birth_date": "02/01/1980"}),
        identified("email:bo@example.org", traits={"name": "Bo Berg", "city": "Basel"}),
        identified("mastodon:ana", traits={"name": "Ana Ruiz", "birth_date": "1980-01-02"}),
    )
    return say


def test_people_are_compared_and_what_was_decided_stays_decided(alike: Say) -> None:
    run = services.propose_identities()
    assert (run.people, run.waiting, run.accepted) == (3, 1, 0)  # the author is nobody to compare
    (pair,) = selectors.proposals()
    assert {pair.edge.a, pair.edge.b} == {"customer:1", "customer:2"}
    lines = {
        line.name: (line.left, line.right, line.weight and line.weight.level)
        for line in selectors.side_by_side(pair)
    }
    assert lines["birth"] == ("1980-01-02", "02/01/1980", "same")
    assert services.propose_identities().waiting == 1
    assert models.Edge.objects.filter(state="proposed").count() == 1  # proposed anew, not twice
    services.reject(pair.edge.id, ALICE)
    assert services.propose_identities().settled == 1
    assert selectors.n_proposals() == 0


def test_a_refused_pair_stays_refused_under_other_identifiers(alike: Say) -> None:
    services.propose_identities()
    (pair,) = selectors.proposals()
    services.reject(pair.edge.id, ALICE)
    alike(identified("customer:1", "email:ana@example.org", "phone:+34600112233"))
    assert services.propose_identities().waiting == 0


def test_the_surest_join_by_themselves_where_the_firm_says_so_and_stay_probable(alike: Say) -> None:
    services.set_linking_policy(propose_from=0.5, accept_from=0.5, is_nightly=False)
    assert services.propose_identities().accepted == 1
    ana = selectors.person("customer:1")
    assert ana.id == selectors.person_id("customer:2")
    (edge,) = (e for e in ana.edges if e.evidence == "similar")
    assert edge.certainty == "probable"
    assert edge.weights[0].weight > 0
    assert len({i.core for i in models.Identity.objects.filter(person=ana.id)}) == 2
    services.unmerge(edge.id, by=ALICE)
    assert services.propose_identities().accepted == 0


def test_what_is_not_alike_any_more_is_withdrawn(alike: Say) -> None:
    services.propose_identities()
    alike(
        identified(
            "customer:2", traits={"first_name": "Xaver", "surname": "Quint", "birth_date": "1999-09-09"}
        )
    )
    services.propose_identities()
    assert selectors.n_proposals() == 0
    assert not models.Edge.objects.filter(state="proposed").exists()


def test_a_public_profile_is_laid_before_a_reviewer(say: Say) -> None:
    say(identified("customer:1"), identified("email:ana@example.org", "customer:1", evidence="profile"))
    assert selectors.person_id("customer:1") != selectors.person_id("email:ana@example.org")
    (pair,) = selectors.proposals()
    assert (pair.edge.evidence, pair.edge.certainty) == ("profile", "probable")
    services.accept(pair.edge.id, ALICE)
    services.reopen(pair.edge.id, ALICE)
    assert selectors.n_proposals() == 1
