"""What nobody may infer: refused where a model writes it, kept and marked where somebody declares it."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest

from rapport.events import selectors as events
from rapport.kit import clock
from rapport.kit.errors import Denied
from rapport.people import selectors, services
from rapport.people.rules import sensitive
from rapport.people.tests.conftest import MONDAY, Say, identified, touchpoint


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("political_leaning", "politics"),
        ("vote", "politics"),
        ("likely_voter", "politics"),
        ("religion", "belief"),
        ("buys_halal", "belief"),
        ("pregnancy_score", "health"),
        ("isPregnant", "health"),
        ("HIV", "health"),
        ("hiv_status", "health"),
        ("race_score_2", "origin"),
        ("likely-diabetic", "health"),
        ("sexual_orientation", "orientation"),
        ("ethnicity", "origin"),
        ("predicted race", "origin"),
        ("trade_union", "union"),
        ("face_template", "body"),
        ("criminal_record", "conviction"),
        ("surname_origin", "proxy"),
        ("gambling_risk", "proxy"),
    ],
)
def test_special_categories_and_their_proxies_are_known_by_name(name: str, category: str) -> None:
    found = sensitive.category_of(name)
    assert found is not None
    assert found.name == category
    with pytest.raises(Denied, match="not inferred"):
        sensitive.refuse(name)


@pytest.mark.parametrize(
    "name",
    [
        "recency", "frequency", "monetary", "language", "country", "faithful_customer", "race_bike", "romance_books",
        "votes_helpful", "screen_orientation_lock", "accent_colour", "raceway", "persona", "brand_loyalty", "diet_coke",
        "participation", "advocacy", "wealthy_postcode", "sentiment", "clv_minor", "union_jack_mug", "patience",
    ],
)  # fmt: skip
def test_ordinary_names_are_left_alone(name: str) -> None:
    assert sensitive.category_of(name) is None


@pytest.fixture
def ana(say: Say) -> int:
    say(identified("customer:1", "email:ana@example.org", traits={"name": "Ana Ruiz"}))
    return selectors.person_id("customer:1")


def scores(person: int, *names: str) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "person": person,
                "name": name,
                "value": 0.7,
                "unit": "ratio",
                "as_of": clock.now(),
                "model": "guess",
                "version": "1",
            }
            for name in names
        ]
    )


def test_a_score_of_a_special_category_is_refused_and_nothing_of_the_run_is_kept(ana: int) -> None:
    with pytest.raises(Denied, match="'pregnancy' is not inferred of anybody"):
        services.write_scores(scores(ana, "engagement", "pregnancy"))
    assert "engagement" not in {s.name for s in selectors.person(ana).scores}
    assert services.write_scores(scores(ana, "engagement")) == 1


def test_an_inferred_trait_is_refused_in_sight_and_a_declared_one_is_marked(ana: int, say: Say) -> None:
    inferred = {"traits": {"religion": "none", "favourite_colour": "green"}, "origin": "inferred"}
    say(touchpoint("person_identified", "customer:1", properties=inferred), source="guesser")
    told = {t.name: t.chosen for t in selectors.person(ana).traits}
    assert "religion" not in told
    assert told["favourite_colour"].origin == "inferred"
    assert not told["favourite_colour"].is_sensitive
    (refused,) = events.quarantine_page(reason="sensitive")
    assert (refused.source, refused.field) == ("guesser", "religion")
    assert "article 9" in refused.message
    assert json.loads(refused.body)["identifier"] == "customer:1"

    declared = {"traits": {"religion": "Quaker"}, "origin": "declared"}
    at = MONDAY + dt.timedelta(hours=1)
    say(touchpoint("person_identified", "customer:1", ts=at, properties=declared))
    (trait,) = [t.chosen for t in selectors.person(ana).traits if t.name == "religion"]
    assert (trait.value, trait.origin, trait.is_sensitive) == ("Quaker", "declared", True)
    assert sum(events.quarantine_counts().values()) == 1
