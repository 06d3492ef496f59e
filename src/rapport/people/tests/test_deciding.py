"""Merging destroys nothing: whatever is merged and un-merged, in any order, everybody has what they had."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.events import lake
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.people import models, selectors, services
from rapport.people.services.scoring import SCORE
from rapport.people.tests.conftest import MONDAY, Log, Say, identified, touchpoint

ALICE = "alice@example.org"
BOB = "bob@example.org"


def scores(*rows: tuple[int, str, float], at: dt.datetime = MONDAY) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"person": p, "name": n, "value": v, "unit": "", "as_of": at, "model": "m", "version": "1"}
            for p, n, v in rows
        ],
        schema=pa.schema([f for f in SCORE if f.name not in {"low", "high", "label", "reason"}]),
    )


def known(person: int) -> dict[str, Any]:
    """What a person's page shows, but for the record of the decisions themselves."""
    view = selectors.person(person)
    return {
        "row": (view.id, view.kind, view.display_name, view.email, view.country, view.language),
        "identifiers": view.identifiers,
        "traits": view.traits,
        "scores": view.scores,
        "edges": [e for e in view.edges if e.source != "staff"],
        "timeline": [e for e in selectors.timeline(person).events if not e.name.startswith("identity_")],
        "terms": sorted(models.NameTerm.objects.filter(person=person).values_list("term", flat=True)),
        "identity": sorted(models.Identity.objects.filter(person=person).values_list("subject", "core")),
    }


@pytest.fixture
def market(say: Say) -> list[int]:
    """Five persons with traits, scores and a past."""
    say(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana Ruiz", "country": "ES"}),
        identified("customer:2", traits={"name": "Bo", "country": "DE", "age": 40}),
        identified("phone:+34600112233", traits={"name": "Chi"}),
        touchpoint("page_viewed", "anonymous:abcdefgh"),
        identified("email:ana@work.example", origin="observed", traits={"country": "PT"}),
        touchpoint(
            "order_placed", "customer:1", value_minor=8450, currency="EUR", properties={"order_id": "1"}
        ),
    )
    persons = sorted(models.Person.objects.values_list("id", flat=True))
    services.write_scores(scores(*((p, n, float(p)) for p in persons for n in ("alive", "clv_minor"))))
    return persons


def test_merging_and_unmerging_in_any_order_restores_everybody(market: list[int]) -> None:
    before = {person: known(person) for person in market}

    @settings(max_examples=15, deadline=None)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        with transaction.atomic():
            spoken = _merge_and_unmerge(data, market)
            after = {person: known(person) for person in market}
            for person in market:
                if person in spoken:  # a model spoke again, of exactly these subjects: that stays said
                    assert {s.value for s in after[person]["scores"] if s.name == "alive"} == {-1.0}
                    after[person]["scores"] = before[person]["scores"]
            assert after == before
            transaction.set_rollback(True)

    check()


def _merge_and_unmerge(data: st.DataObject, market: list[int]) -> set[int]:
    """Merge, score and un-merge at will until nothing is merged; gives who was scored while alone."""
    standing: list[int] = []
    scored_alone: set[int] = set()
    for _ in range(data.draw(st.integers(1, 5))):
        pair = data.draw(st.lists(st.sampled_from(market), min_size=2, max_size=2, unique=True))
        try:
            standing.append(services.merge(*pair, evidence="staff", by=ALICE).edge)
        except Conflict:
            assert selectors.person_id(pair[0]) == selectors.person_id(pair[1])
        if standing and data.draw(st.booleans()):
            now = {p: selectors.person_id(p) for p in market}
            later = MONDAY + dt.timedelta(days=1)
            services.write_scores(scores(*((p, "alive", -1.0) for p in set(now.values())), at=later))
            scored_alone |= {p for p in market if list(now.values()).count(now[p]) == 1}
        if standing and data.draw(st.booleans()):
            services.unmerge(standing.pop(data.draw(st.integers(0, len(standing) - 1))), by=BOB)
    for edge in data.draw(st.permutations(standing)):
        services.unmerge(edge, by=BOB)
    return scored_alone


def test_a_merged_person_has_what_both_had(market: list[int]) -> None:
    ana, bo, *_ = market
    merged = services.merge(bo, ana, evidence="called us from both", by=ALICE)
    assert merged.persons == (ana,)
    both = selectors.person(bo)  # the old number still finds them
    assert both.id == ana
    assert {i.text for i in both.identifiers} == {"customer:1", "email:ana@example.org", "customer:2"}
    country = next(t for t in both.traits if t.name == "country")
    assert {country.chosen.value, *(o.value for o in country.others)} == {"ES", "DE"}
    assert {e.name for e in selectors.timeline(ana).events} == {"person_identified", "order_placed"}
    assert both.kind == "person"
    assert [m.person.id for m in selectors.search("ruiz bo")] == [ana]  # found by both names


def test_scores_over_other_subjects_show_as_stale_until_computed_anew(market: list[int]) -> None:
    ana, bo, *_ = market
    identity = selectors.identity_arrow()
    edge = services.merge(ana, bo, evidence="staff", by=ALICE).edge
    assert {(s.name, s.is_stale) for s in selectors.person(ana).scores} == {
        ("alive", True),
        ("clv_minor", True),
    }
    # A model that had read the identities before the merge is no wiser.
    services.write_scores(scores((ana, "alive", 0.5), at=MONDAY + dt.timedelta(hours=1)), identity=identity)
    assert [(s.value, s.is_stale) for s in selectors.person(ana).scores if s.name == "alive"] == [(0.5, True)]
    services.write_scores(scores((ana, "alive", 0.9), at=MONDAY + dt.timedelta(hours=2)))
    assert [(s.value, s.is_stale) for s in selectors.person(ana).scores if s.name == "alive"] == [
        (0.9, False)
    ]
    services.unmerge(edge, by=ALICE)
    assert [(s.value, s.is_stale) for s in selectors.person(ana).scores if s.name == "alive"] == [
        (0.5, False)
    ]
    assert [(s.value, s.is_stale) for s in selectors.person(bo).scores if s.name == "alive"] == [
        (float(bo), False)
    ]


def test_an_older_score_does_not_replace_a_newer_one_and_nobodys_is_left_out(market: list[int]) -> None:
    ana = market[0]
    assert (
        services.write_scores(
            scores((ana, "alive", 0.1), (10**15, "alive", 0.1), at=MONDAY - dt.timedelta(days=1))
        )
        == 1
    )
    assert [s.value for s in selectors.person(ana).scores if s.name == "alive"] == [float(ana)]
    with pytest.raises(Invalid, match="no column model"):
        services.write_scores(scores((ana, "alive", 0.1)).drop_columns(["model"]))


def test_a_decision_is_told_to_the_log(market: list[int], say: Say) -> None:
    ana, bo, *_ = market
    edge = services.merge(bo, ana, evidence="staff", by=ALICE).edge
    services.unmerge(edge, by=BOB)
    say(touchpoint("page_viewed", "anonymous:other"))
    told = [e for e in selectors.timeline(ana).events if e.name.startswith("identity_")]
    assert [(e.name, e.properties) for e in reversed(told)] == [
        ("identity_merged", {"other": "customer:2", "evidence": "staff", "by": ALICE}),
        ("identity_unmerged", {"other": "customer:2", "evidence": "staff", "by": BOB}),
    ]


def test_unmerging_one_of_two_reasons_leaves_them_one(home: Path, tell: Log) -> None:
    tell(identified("customer:1", "email:ana@example.org"))
    tell(
        touchpoint("page_viewed", "email:ana@example.org", also=["customer:1"], evidence="login"),
        source="web",
    )
    first, second = selectors.person("customer:1").edges
    assert len(services.unmerge(first.id, by=ALICE).persons) == 1
    assert len(services.unmerge(second.id, by=ALICE).persons) == 2
    with pytest.raises(Conflict, match="is removed"):
        services.unmerge(second.id, by=ALICE)


def test_a_chain_splits_where_it_is_cut(home: Path, tell: Log) -> None:
    tell(
        identified("customer:1", "email:a@example.org"),
        identified("email:a@example.org", "phone:+341"),
        identified("phone:+341", "loyalty:9"),
    )
    edges = {(e.a, e.b): e.id for e in selectors.person("customer:1").edges}
    services.unmerge(edges["email:a@example.org", "phone:+341"], by=ALICE)
    sides = [{i.text for i in selectors.person(ref).identifiers} for ref in ("customer:1", "loyalty:9")]
    assert sides == [{"customer:1", "email:a@example.org"}, {"phone:+341", "loyalty:9"}]


def proposal(*rows: tuple[int, int, float]) -> pa.Table:
    return pa.table(
        {
            "a": [r[0] for r in rows],
            "b": [r[1] for r in rows],
            "confidence": [r[2] for r in rows],
            "evidence": ["similar"] * len(rows),
        }
    )


def test_probable_pairs_wait_for_a_reviewer_and_the_core_stays_apart(market: list[int]) -> None:
    ana, bo, chi, visitor, work = market
    pairs = proposal((work, ana, 0.8), (bo, chi, 0.99), (ana, ana, 1.0))
    outcome = services.propose(pairs, source="splink", accept_from=0.95)
    assert outcome == services.Proposed(accepted=1, waiting=1, settled=1)
    assert selectors.person_id(chi) == bo
    assert dict(models.Identity.objects.filter(person=bo).values_list("subject", "core")) == {
        bo: bo,
        chi: chi,
    }
    (waiting,) = selectors.proposals()
    assert (waiting.a.id, waiting.b.id, waiting.edge.sure) == (ana, work, "probable, 80%")
    services.accept(waiting.edge.id, by=ALICE)
    assert selectors.person_id(work) == ana
    assert models.Identity.objects.get(subject=work).core == work
    assert selectors.n_proposals() == 0
    joined = services.merge(visitor, work, evidence="staff", by=ALICE).edge
    services.unmerge(joined, by=ALICE)
    assert (
        models.Identity.objects.get(subject=work).person,
        models.Identity.objects.get(subject=work).core,
    ) == (
        ana,
        work,
    )
    services.merge(ana, work, evidence="staff", by=ALICE)  # now somebody knows
    assert models.Identity.objects.get(subject=work).core == ana


def test_what_was_rejected_is_not_proposed_again(market: list[int]) -> None:
    ana, bo, *_ = market
    services.propose(proposal((ana, bo, 0.8)), source="splink")
    (waiting,) = selectors.proposals()
    services.reject(waiting.edge.id, by=ALICE)
    assert services.propose(proposal((bo, ana, 0.99)), source="other", accept_from=0.9).settled == 1
    assert selectors.person_id(bo) == bo
    with pytest.raises(Conflict, match="is rejected"):
        services.accept(waiting.edge.id, by=ALICE)


def test_refusals_say_what_is_wrong(market: list[int], home: Path) -> None:
    ana, *_ = market
    with pytest.raises(Invalid, match="given twice"):
        services.merge(ana, ana, evidence="staff", by=ALICE)
    with pytest.raises(NotFound, match="subject 999 is nobody's"):
        services.merge(ana, 999, evidence="staff", by=ALICE)
    with pytest.raises(NotFound, match="no edge 999"):
        services.unmerge(999, by=ALICE)
    with pytest.raises(NotFound, match="no person 999"):
        services.erase(999)
    services.merge(ana, market[1], evidence="staff", by=ALICE)
    with pytest.raises(Conflict, match="already one person"):
        services.merge(market[1], ana, evidence="staff", by=ALICE)
    assert lake.exists()
