"""What the log says of people becomes identifiers, edges, identities, traits and persons, once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.kit.errors import Denied
from rapport.listening import services as listening
from rapport.people import handlers, models, selectors, services
from rapport.people.rules import graph
from rapport.people.services import components, profiles
from rapport.people.tests.conftest import MONDAY, Log, Say, identified, touchpoint

TABLES = (
    models.Identifier,
    models.Edge,
    models.Holding,
    models.Identity,
    models.Person,
    models.NameTerm,
    models.Trait,
)
HOUR = dt.timedelta(hours=1)


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of people, without the numbers of changes."""
    return {
        model.__name__: sorted(
            (
                {k: v for k, v in row.items() if k not in {"changed_seq", "id"} or model is models.Person}
                for row in model.objects.values(
                    *(f.name for f in model._meta.concrete_fields if f.name != "changed_seq")
                )
            ),
            key=repr,
        )
        for model in TABLES
    }


def test_one_row_of_a_file_makes_one_person_of_three_identifiers(tell: Log) -> None:
    tell(identified("customer:1", "email:ana@example.org", "phone:+34600112233", traits={"name": "Ana Ruiz"}))
    ana = selectors.person("customer:1")
    assert [i.text for i in ana.identifiers] == ["customer:1", "email:ana@example.org", "phone:+34600112233"]
    assert (ana.kind, ana.display_name, ana.email, ana.n_identifiers) == (
        "person",
        "Ana Ruiz",
        "ana@example.org",
        3,
    )
    assert {(e.evidence, e.because, e.sure, e.state) for e in ana.edges} == {
        ("import", "one row of an imported file carried both", "certain", "accepted")
    }
    assert ana.id == min(ana.subjects)


def test_the_log_and_people_fit_together(say: Say) -> None:
    say(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana Ruiz"}),
        touchpoint("page_viewed", "anonymous:xyz", also=["customer:1"], evidence="login"),
        touchpoint("post_published", "mastodon:bo", text="Hi", properties={"author_name": "Bo"}),
        touchpoint("page_viewed", "product:1"),
    )
    ana = selectors.person("anonymous:xyz")
    assert (ana.display_name, ana.n_identifiers, ana.traits[0].chosen.value) == ("Ana Ruiz", 3, "Ana Ruiz")
    assert {e.because for e in ana.edges} == {
        "one row of an imported file carried both",
        "somebody logged in with both",
    }
    bo = selectors.person_id("mastodon:bo")
    assert [p.display_name for p in models.Person.objects.order_by("id")] == ["Ana Ruiz", f"Author {bo}"]


def test_a_batch_given_twice_changes_nothing(tell: Log) -> None:
    first = tell(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana", "age": 30}),
        identified("customer:2", traits={"name": "Bo"}),
    )
    second = tell(identified("customer:1", "phone:+34600", traits={"name": "Ana Ruiz"}, ts=MONDAY + HOUR))
    before, change = everything(), models.Person.objects.get(email="ana@example.org").changed_seq
    handlers.on_batch(second)
    handlers.on_batch(first)
    assert everything() == before
    assert models.Person.objects.get(email="ana@example.org").changed_seq == change


def test_a_batch_cut_short_is_completed(tell: Log) -> None:
    batch = tell(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana"}),
        touchpoint("page_viewed", "anonymous:xyz", also=["email:ana@example.org"], evidence="login"),
        identified("customer:2", "email:bo@example.org", traits={"name": "Bo"}),
    )
    before = everything()
    written = [models.Identifier, models.Edge, models.Identity, models.Trait, models.NameTerm, models.Person]
    for done in range(len(written)):
        for model in written[done:]:  # what comes after the crash was not written
            model.objects.all().delete()
        handlers.on_batch(batch)
        assert everything() == before
    for table in (models.Identity, models.NameTerm, models.Person):  # or not to the end
        table.objects.filter(pk__in=[row.pk for row in table.objects.all()[1:]]).delete()
        handlers.on_batch(batch)
        assert everything() == before


identifiers = st.sampled_from(
    ["customer:1", "customer:2", "email:a", "email:b", "anonymous:w", "anonymous:x", "web:y"]
)
people_rows = st.builds(
    lambda mine, also, name, city, hours: identified(
        mine,
        *(i for i in also if i != mine),
        traits={"name": name, "city": city},
        ts=MONDAY + hours * HOUR,
    ),
    identifiers,
    st.lists(identifiers, max_size=2, unique=True),
    st.sampled_from(["Ana", "Ana Ruiz", "Bo", ""]),
    st.sampled_from(["Cádiz", None]),
    st.integers(0, 3),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_people_depend_on_what_was_said_and_not_on_how_it_was_cut(
    db: None, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(people_rows, min_size=1, max_size=12))
    at_once = _told_in([rows])
    monkeypatch.setattr(components, "SLICE_EDGES", 2)
    monkeypatch.setattr(profiles, "SLICE_PERSONS", 1)
    monkeypatch.setattr(profiles, "SUBJECTS_READ", 2)
    assert _told_in([rows]) == at_once
    cut = data.draw(st.integers(0, len(rows)))
    assert _told_in([rows[:cut], rows[cut:]]) == at_once
    assert _told_in([[row] for row in rows]) == at_once
    monkeypatch.undo()


def _told_in(batches: list[list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """What people are after these batches; checked against a naive union of what was said, then undone."""
    log = Log()
    with transaction.atomic():
        for rows in batches:
            if rows:
                log(*rows)
        found = everything()
        transaction.set_rollback(True)
    label = _naively([b.subjects for b in log.batches], [b.claims for b in log.batches])
    assert {row["subject"]: row["person"] for row in found["Identity"]} == label
    assert {row["id"] for row in found["Person"]} == set(label.values())
    return found


def _naively(subjects: list[pa.Table], claims: list[pa.Table]) -> dict[int, int]:
    """Who is whom, one claim after the other: people, devices, and devices that lead to one person alone."""
    texts = {r["subject"]: r["identifier"] for table in subjects for r in table.to_pylist()}
    label = {n: n for n in texts}
    edges = [(r["a"], r["b"]) for table in claims for r in table.to_pylist()]
    devices = {n for n, text in texts.items() if text.startswith("anonymous:")}

    def join(a: int, b: int) -> None:
        small, large = sorted((label[a], label[b]))
        label.update({n: small for n, of in label.items() if of == large})

    for a, b in edges:
        if (a in devices) == (b in devices):
            join(a, b)
    for one in {label[n] for n in devices}:
        mine = {n for n in devices if label[n] == one}
        people = {label[n] for pair in edges if set(pair) & mine for n in pair if n not in devices}
        if len(people) == 1:
            join(one, people.pop())
    return label


def test_a_merge_while_a_batch_is_written_leaves_no_ghost(
    home: Path, tell: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(identified("customer:1", traits={"name": "Ana"}), identified("customer:2", traits={"name": "Bo"}))
    ana, bo = (selectors.person_id(f"customer:{n}") for n in (1, 2))
    plan = profiles._plan
    merged: list[bool] = []

    def plan_then_merge(subjects: graph.Subjects) -> profiles._Plan:
        planned = plan(subjects)
        if not merged:
            merged.append(True)
            services.merge(ana, bo, evidence="staff", by="alice@example.org")
        return planned

    monkeypatch.setattr(profiles, "_plan", plan_then_merge)
    tell(
        identified("customer:1", traits={"name": "Ana Ruiz"}, ts=MONDAY + HOUR),
        identified("customer:2", traits={"name": "Bo Berg"}, ts=MONDAY + HOUR),
    )
    assert list(models.Person.objects.values_list("id", "n_identifiers")) == [(ana, 2)]
    assert set(models.NameTerm.objects.values_list("person", "term")) == {
        (ana, term) for term in ("ana", "ruiz", "bo", "berg")
    }


def test_a_later_event_joins_persons_known_apart(tell: Log) -> None:
    tell(identified("customer:1", traits={"name": "Ana"}), identified("email:ana@example.org"))
    a, b = selectors.person_id("customer:1"), selectors.person_id("email:ana@example.org")
    assert a != b
    tell(
        touchpoint(
            "order_placed",
            "customer:1",
            also=["email:ana@example.org"],
            evidence="order",
            properties={"order_id": "7"},
        )
    )
    ana = selectors.person(b)
    assert (ana.id, ana.email, ana.display_name) == (a, "ana@example.org", "Ana")
    assert not models.Person.objects.filter(id=b).exists()
    assert set(models.Identity.objects.values_list("person", "core")) == {(a, a)}


def test_a_late_statement_does_not_overwrite_a_newer_one(tell: Log) -> None:
    tell(identified("customer:1", traits={"city": "Cádiz"}, ts=MONDAY))
    tell(identified("customer:1", traits={"city": "Madrid", "age": 30}, ts=MONDAY - HOUR))
    traits = {t.name: t.chosen.value for t in selectors.person("customer:1").traits}
    assert traits == {"city": "Cádiz", "age": 30}


def test_of_two_statements_in_one_batch_the_later_counts(tell: Log) -> None:
    tell(
        identified("customer:1", traits={"city": "Lugo"}, ts=MONDAY + HOUR),
        identified("customer:1", traits={"city": "Cádiz"}, ts=MONDAY),
        identified("customer:2", traits={"city": "Lugo"}),
        identified("customer:2", traits={"city": "Cádiz"}),  # at the same time: the one recorded last
    )
    assert [selectors.person(f"customer:{n}").traits[0].chosen.value for n in (1, 2)] == ["Lugo", "Cádiz"]


def test_declared_is_believed_before_observed_and_both_are_kept(tell: Log) -> None:
    tell(
        identified("customer:1", traits={"country": "ES"}),
        touchpoint(
            "order_placed", "customer:1", ts=MONDAY + HOUR, properties={"order_id": "7", "country": "FR"}
        ),
    )
    (country,) = selectors.person("customer:1").traits
    assert (country.chosen.value, country.chosen.origin) == ("ES", "declared")
    assert [(o.value, o.origin) for o in country.others] == [("FR", "observed")]
    assert selectors.person("customer:1").country == "ES"


def test_a_public_handle_is_an_author_called_by_a_number(tell: Log) -> None:
    tell(
        touchpoint(
            "post_published",
            "mastodon:bo@example.social",
            text="Hello",
            properties={"author_name": "Bo B.", "place": "Basel", "language": "de-CH"},
        ),
        touchpoint("post_published", "bluesky:chi.example", text="Hello"),
    )
    bo = selectors.person("mastodon:bo@example.social")
    assert (bo.kind, bo.display_name, bo.language) == ("author", f"Author {bo.id}", "de")
    assert {t.name: (t.chosen.value, t.chosen.origin) for t in bo.traits} == {
        "name": ("Bo B.", "observed"),
        "place": ("Basel", "observed"),
        "language": ("de-CH", "observed"),
    }
    assert selectors.person("bluesky:chi.example").display_name == f"Author {bo.id + 8}"


def test_products_are_not_people(tell: Log) -> None:
    tell(
        touchpoint("product_listed", "product:wiper-22", properties={"product_code": "wiper-22"}),
        touchpoint("page_viewed", "anonymous:abcdefghijk"),
    )
    assert list(models.Identifier.objects.values_list("namespace", flat=True)) == ["anonymous"]
    assert list(models.Person.objects.values_list("kind", "display_name")) == [
        ("visitor", "visitor abcdefgh")
    ]


def test_nothing_said_blanks_nothing(tell: Log) -> None:
    tell(identified("customer:1", traits={"name": "Ana", "city": "Cádiz"}))
    tell(identified("customer:1", traits={"name": "", "city": None}, ts=MONDAY + HOUR))
    assert {t.name: t.chosen.value for t in selectors.person("customer:1").traits} == {
        "name": "Ana",
        "city": "Cádiz",
    }


def test_spellings_of_other_systems_become_our_words(tell: Log) -> None:
    tell(
        identified(
            "customer:1",
            traits={
                "firstName": "Ana",
                "Last Name": 'Ruiz "Nena"',
                "address": {"country": "es", "city": "Cádiz", "postalCode": "11001"},
            },
        )
    )
    ana = selectors.person("customer:1")
    assert {t.name for t in ana.traits} == {
        "given_name",
        "family_name",
        "address",
        "country",
        "city",
        "postcode",
    }
    assert (ana.display_name, ana.country) == ('Ana Ruiz "Nena"', "ES")


def test_what_staff_took_apart_is_not_joined_by_another_file(home: Path, tell: Log) -> None:
    tell(identified("customer:1", "email:shared@example.org", traits={"name": "Ana"}))
    (edge,) = selectors.person("customer:1").edges
    services.unmerge(edge.id, by="alice@example.org")
    tell(identified("customer:1", "email:shared@example.org", ts=MONDAY + HOUR))
    tell(identified("customer:1", "email:shared@example.org", ts=MONDAY + HOUR), source="shop")
    assert selectors.person_id("customer:1") != selectors.person_id("email:shared@example.org")
    states = models.Edge.objects.order_by("id").values_list("source", "state", "decided_by")
    assert list(states) == [("crm", "removed", "alice@example.org"), ("shop", "proposed", "")]


def test_an_erased_person_does_not_come_back_by_a_claim_or_a_trait(home: Path, tell: Log) -> None:
    tell(identified("customer:1", "email:ana@example.org", traits={"name": "Ana"}), identified("customer:2"))
    erased = services.erase(selectors.person_id("customer:1"))
    assert erased.identifiers == ("customer:1", "email:ana@example.org")
    tell(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana"}, ts=MONDAY + HOUR),
        identified("customer:2", "email:ana@example.org", ts=MONDAY + HOUR),
    )
    assert list(models.Identifier.objects.values_list("value", flat=True)) == ["2"]
    assert not models.Edge.objects.exists()
    assert not models.Trait.objects.exists()
    assert list(models.Person.objects.values_list("display_name", flat=True)) == ["customer 2"]


@pytest.mark.parametrize("key", ["", "*", "**", "a*", '"', "\\", "#-1", "$", "[0]", "a.b", " "])
def test_no_name_that_a_sender_gives_a_trait_stops_people(tell: Log, key: str) -> None:
    tell(identified("customer:1", traits={key: "x", "name": "Ana"}))
    assert selectors.person("customer:1").display_name == "Ana"


@pytest.mark.parametrize("may_match", [True, False])
def test_terms_that_let_no_handle_be_joined_hold_for_what_events_claim(say: Say, may_match: bool) -> None:
    whose = "own" if may_match else "others"
    listening.add_source("forum", "rss", {"url": "https://forum.example/feed", "whose": whose})
    say(
        identified("customer:1", "email:ana@example.org", "web:ana@forum.example"),
        touchpoint("page_viewed", "anonymous:xyz", also=["web:ana@forum.example"], evidence="login"),
        touchpoint("page_viewed", "anonymous:xyz", also=["customer:1"], evidence="login"),
    )
    ana, author = selectors.person("customer:1"), selectors.person("web:ana@forum.example")
    assert (ana.id == author.id) is may_match
    assert selectors.person("anonymous:xyz").id == ana.id
    if not may_match:
        waiting = models.Edge.objects.filter(state=graph.PROPOSED).values_list("id", flat=True)
        for number in waiting:
            with pytest.raises(Denied, match="the terms of web"):
                services.accept(number, by="alice@example.com")
        assert len(waiting) == 2
