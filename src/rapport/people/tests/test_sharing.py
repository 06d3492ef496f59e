"""A device on which two people log in joins nobody, and what happened on it is split between them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.people import models, selectors, services
from rapport.people.tests.conftest import MONDAY, Log, Say, identified, touchpoint

ALICE = "alice@example.org"
HOUR = dt.timedelta(hours=1)


def login(device: str, who: str, hours: float) -> dict[str, object]:
    return touchpoint("page_viewed", device, also=[who], evidence="login", ts=MONDAY + hours * HOUR)


def page(device: str, hours: float, path: str) -> dict[str, object]:
    return touchpoint("page_viewed", device, ts=MONDAY + hours * HOUR, properties={"path": path})


@pytest.fixture
def tablet(say: Say) -> Say:
    """Ana and Bo take turns at one tablet."""
    say(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana Ruiz"}),
        identified("customer:2", traits={"name": "Bo Berg"}),
        page("anonymous:tablet", 0, "/before"),
        login("anonymous:tablet", "customer:1", 1),
        page("anonymous:tablet", 2, "/ana"),
    )
    assert selectors.person_id("anonymous:tablet") == selectors.person_id("customer:1")
    say(
        login("anonymous:tablet", "customer:2", 3),
        page("anonymous:tablet", 4, "/bo"),
        login("anonymous:tablet", "customer:1", 5),
        page("anonymous:tablet", 6, "/ana-again"),
    )
    return say


def read(ref: str) -> list[str]:
    found = selectors.timeline(selectors.person_id(ref), kinds=["read"]).events
    return [e.properties["path"] for e in reversed(found) if "path" in e.properties]


def test_two_who_log_in_on_one_device_stay_two_and_each_has_their_turns(tablet: Say) -> None:
    ana, bo, device = (selectors.person_id(r) for r in ("customer:1", "customer:2", "anonymous:tablet"))
    assert len({ana, bo, device}) == 3
    assert models.Identity.objects.values("core").distinct().count() == 3
    assert read("customer:1") == ["/before", "/ana", "/ana-again"]
    assert read("customer:2") == ["/bo"]
    assert read("anonymous:tablet") == ["/before", "/ana", "/bo", "/ana-again"]  # all of it, and nobody's
    life = selectors.activity([ana, bo])
    assert (life[bo].n_events, life[bo].first_seen, life[bo].last_seen) == (
        2,
        MONDAY + 3 * HOUR,
        MONDAY + 4 * HOUR,
    )
    assert life[ana].n_events == 5
    assert models.Person.objects.get(id=ana).n_identifiers == 2
    (shared,) = selectors.shared_devices(bo)
    assert (shared.identifier, shared.person) == ("anonymous:tablet", device)
    assert [(name, span.from_ts) for span, name in shared.spans] == [
        ("Ana Ruiz", None),
        ("Bo Berg", MONDAY + 3 * HOUR),
        ("Ana Ruiz", MONDAY + 5 * HOUR),
    ]


def test_joining_the_two_gives_them_the_device_and_parting_takes_it_back(tablet: Say) -> None:
    ana, bo, device = (selectors.person_id(r) for r in ("customer:1", "customer:2", "anonymous:tablet"))
    edge = services.merge(ana, bo, evidence="a couple, one account", by=ALICE).edge
    assert selectors.person_id("anonymous:tablet") == selectors.person_id("customer:2")
    assert selectors.spans_for([ana]) == ()
    assert read("customer:1") == ["/before", "/ana", "/bo", "/ana-again"]
    services.unmerge(edge, by=ALICE)
    assert selectors.person_id("anonymous:tablet") == device
    assert (read("customer:1"), read("customer:2")) == (["/before", "/ana", "/ana-again"], ["/bo"])


def test_taking_a_login_back_leaves_the_device_to_the_other(tablet: Say) -> None:
    edge = next(e for e in selectors.person("customer:2").edges if e.evidence == "login")
    services.unmerge(edge.id, by=ALICE)
    assert selectors.person_id("anonymous:tablet") == selectors.person_id("customer:1")
    assert read("customer:1") == ["/before", "/ana", "/bo", "/ana-again"]
    assert read("customer:2") == []


def test_what_a_colleague_says_of_a_device_holds(tablet: Say) -> None:
    services.merge(
        selectors.subject_of("anonymous:tablet"),
        selectors.person_id("customer:2"),
        evidence="his own tablet",
        by=ALICE,
    )
    assert selectors.person_id("anonymous:tablet") == selectors.person_id("customer:2")
    assert selectors.person_id("customer:1") != selectors.person_id("customer:2")
    assert read("customer:1") == []


def test_a_probable_join_shares_the_device_and_no_consent(tablet: Say) -> None:
    ana, bo, device = (selectors.person_id(r) for r in ("customer:1", "customer:2", "anonymous:tablet"))
    import pyarrow as pa

    pair = {"a": [ana], "b": [bo], "confidence": [0.99], "evidence": ["similar"]}
    services.propose(pa.table(pair), source="model", accept_from=0.9)
    tablet_row = models.Identity.objects.get(subject=device)
    assert tablet_row.person == selectors.person_id("customer:1") == selectors.person_id("customer:2")
    assert tablet_row.core == device


def test_after_one_is_erased_the_other_does_not_get_their_turns(tablet: Say) -> None:
    services.erase(selectors.person_id("customer:1"))
    tablet(login("anonymous:tablet", "customer:2", 7), page("anonymous:tablet", 8, "/bo-again"))
    assert selectors.person_id("anonymous:tablet") != selectors.person_id("customer:2")
    assert "/ana" not in read("customer:2")


def test_a_login_heard_of_late_falls_into_its_place(tablet: Say) -> None:
    tablet(login("anonymous:tablet", "customer:2", 1.5))
    assert read("customer:2") == ["/ana", "/bo"]  # Bo held it from then on, until Ana came back
    assert read("customer:1") == ["/before", "/ana-again"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("tu")), min_size=1, max_size=8))
def test_every_moment_of_a_shared_device_is_one_persons(db: None, turns: list[tuple[str, str]]) -> None:
    from django.db import transaction

    with transaction.atomic():
        log = Log()
        log(*(identified(f"customer:{n}") for n in "123"))
        for hour, (who, device) in enumerate(turns):
            log(login(f"anonymous:{device}", f"customer:{who}", hour))
        for device in "tu":
            mine = [(hour, who) for hour, (who, d) in enumerate(turns) if d == device]
            if not mine:
                continue
            subject = selectors.subject_of(f"anonymous:{device}")
            people = {who: selectors.person_id(f"customer:{who}") for who in "123"}
            if len({who for _, who in mine}) == 1:
                assert selectors.person_id(subject) == people[mine[0][1]]
                continue
            spans = [s for s in selectors.spans_for(list(people.values())) if s.device == subject]
            for hour, who in mine:
                at = MONDAY + hour * HOUR
                assert [s.person for s in spans if s.holds(at)] == [people[who]]
            assert sum(s.holds(MONDAY - HOUR) for s in spans) == 1
        transaction.set_rollback(True)
