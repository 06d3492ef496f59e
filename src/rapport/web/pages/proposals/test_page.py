from __future__ import annotations

import pyarrow as pa
import pytest

from rapport.people import selectors as people
from rapport.people import services
from rapport.people.services.deciding import PROPOSAL
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified, logged_in


@pytest.fixture
def pair(say: Say) -> int:
    """Ana twice, held for one with a probability of 91 %."""
    say(identified("customer:1", name="Ana Ruiz"), identified("customer:2", name="Ana Ruíz"))
    subjects = [people.subject_of(f"customer:{i}") for i in (1, 2)]
    row = {"a": subjects[0], "b": subjects[1], "confidence": 0.91, "evidence": "similar"}
    services.propose(pa.Table.from_pylist([row], schema=PROPOSAL), source="splink")
    return people.proposals()[0].edge.id


def test_alice_sees_why_and_joins(alice: Staff, pair: int) -> None:
    client = logged_in(alice)
    html = client.get("/people/proposals/").content.decode()
    assert "name, place and other traits are alike" in html
    assert "91\u00a0%" in html
    client.post(f"/people/proposals/{pair}/", {"do": "accept"})
    assert people.person_id("customer:1") == people.person_id("customer:2")
    assert "No pair waits." in client.get("/people/proposals/").content.decode()


def test_alice_refuses_and_it_stays_refused(alice: Staff, pair: int) -> None:
    client = logged_in(alice)
    assert "1 probable identity" in client.get("/people/").content.decode()
    client.post(f"/people/proposals/{pair}/", {"do": "reject"})
    assert people.person_id("customer:1") != people.person_id("customer:2")
    assert people.n_proposals() == 0
    assert client.post(f"/people/proposals/{pair}/", {"do": "accept"}).status_code == 409
    assert client.post(f"/people/proposals/{pair}/", {"do": "toss"}).status_code == 400


def test_bob_looks_but_does_not_decide(bob: Staff, pair: int) -> None:
    client = logged_in(bob)
    assert "One person</button>" not in client.get("/people/proposals/").content.decode()
    assert client.post(f"/people/proposals/{pair}/", {"do": "accept"}).status_code == 403
