from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from rapport.people import selectors as people
from rapport.people import services
from rapport.people.rules.evidence import Weight, to_detail
from rapport.people.services.deciding import PROPOSAL
from rapport.staff.models import Staff
from rapport.web import jobs
from rapport.web.conftest import Say, identified, logged_in

WEIGHTS = [
    Weight("given", "same", 7.0),
    Weight("family", "typo", 6.0),
    Weight("birth", "other", -4.0),
    Weight("place", "missing", 0.0),
]


@pytest.fixture
def pairs(say: Say) -> list[int]:
    """Ana twice (91 %), Bo twice (70 %); gives the pairs, the surest first."""
    say(
        identified("customer:1", name="Ana Ruiz", birth_date="1980-01-02"),
        identified("customer:2", given_name="Ana", family_name="Ruíz", birth_date="1991-05-06"),
        identified("customer:3", name="Bo Berg"),
        identified("customer:4", name="Bo Bergh"),
    )
    subject = [people.subject_of(f"customer:{i}") for i in (1, 2, 3, 4)]
    rows = [
        {"a": subject[2], "b": subject[3], "confidence": 0.7, "evidence": "similar", "detail": ""},
        {
            "a": subject[0],
            "b": subject[1],
            "confidence": 0.91,
            "evidence": "similar",
            "detail": to_detail(WEIGHTS),
        },
    ]
    services.propose(pa.Table.from_pylist(rows, schema=PROPOSAL), source="likeness")
    return [p.edge.id for p in people.proposals()]


def test_alice_sees_both_side_by_side_and_what_each_says(alice: Staff, pairs: list[int]) -> None:
    html = logged_in(alice).get("/people/proposals/").content.decode()
    assert "One person with a probability of 91\u00a0%" in html
    assert "2 pairs wait" in html
    for text in ("1980-01-02", "1991-05-06", "a slip of the pen apart", "speaks strongly for it", "× 128"):
        assert text in html
    assert "different: speaks strongly against it" in html
    assert "÷ 16" in html
    assert html.index("Ana Ruiz") < html.index("Bo Berg")  # the next one is announced


def test_alice_joins_and_the_next_one_is_there_at_once(alice: Staff, pairs: list[int]) -> None:
    client = logged_in(alice)
    done = client.post(f"/people/proposals/{pairs[0]}/", {"do": "accept"}, follow=True).content.decode()
    assert people.person_id("customer:1") == people.person_id("customer:2")
    assert "1 pair waits" in done
    assert "Bo Bergh" in done
    assert "are one person." in done
    client.post(f"/people/proposals/{pairs[1]}/", {"do": "reject"})
    assert people.person_id("customer:3") != people.person_id("customer:4")
    assert "No pair waits." in client.get("/people/proposals/").content.decode()


def test_the_last_decision_is_taken_back(alice: Staff, pairs: list[int]) -> None:
    client = logged_in(alice)
    for decision in ("accept", "reject"):
        client.post(f"/people/proposals/{pairs[0]}/", {"do": decision})
        assert people.n_proposals() == 1
        again = client.post("/people/proposals/undo/", follow=True)
        assert again.redirect_chain[-1][0] == f"/people/proposals/{pairs[0]}/"
        assert "Ana Ruiz / Ana Ruíz wait again." in again.content.decode()
        assert people.n_proposals() == 2
        assert people.person_id("customer:1") != people.person_id("customer:2")
    assert client.post("/people/proposals/undo/").status_code == 400


def test_skipping_goes_on_and_ends_with_what_was_skipped(alice: Staff, pairs: list[int]) -> None:
    client = logged_in(alice)
    first = client.get("/people/proposals/").context
    second = client.get(first["skip_url"]).context
    assert (first["pair"].edge.id, second["pair"].edge.id) == (pairs[0], pairs[1])
    end = client.get(second["skip_url"]).content.decode()
    assert "That was the last one." in end
    assert "2 pairs wait" in end
    assert client.get("/people/proposals/?after=nonsense").status_code == 400


def test_whoever_became_one_by_another_pair_does_not_wait_any_more(alice: Staff, pairs: list[int]) -> None:
    one, other = (people.subject_of(f"customer:{i}") for i in (1, 2))
    edge = services.merge(one, other, evidence="", by="a").edge
    assert [p.edge.id for p in people.proposals()] == [pairs[1]]
    assert logged_in(alice).get(f"/people/proposals/{pairs[0]}/").status_code == 404
    services.unmerge(edge, by="a")
    assert people.n_proposals() == 2


def test_a_pair_decided_meanwhile_is_refused(alice: Staff, pairs: list[int]) -> None:
    services.reject(pairs[0], "bob@example.com")
    client = logged_in(alice)
    assert client.post(f"/people/proposals/{pairs[0]}/", {"do": "accept"}).status_code == 409
    assert client.post(f"/people/proposals/{pairs[1]}/", {"do": "toss"}).status_code == 400


def test_alice_sets_from_when_on_pairs_join_by_themselves(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    assert services.linking_policy().accept_from is None
    client.post(
        "/people/proposals/policy/", {"propose_from": "60", "accept_from": "99,5 %", "is_nightly": "1"}
    )
    policy = services.linking_policy()
    assert (policy.propose_from, policy.accept_from, policy.is_nightly) == (0.6, 0.995, True)
    assert 'value="99.5"' in client.get("/people/proposals/").content.decode()
    for wrong in ({"propose_from": "1"}, {"propose_from": "60", "accept_from": "50"}, {"propose_from": "x"}):
        assert client.post("/people/proposals/policy/", wrong).status_code == 400
    client.post("/people/proposals/policy/", {"propose_from": "50", "accept_from": ""})
    assert services.linking_policy().accept_from is None


def test_comparing_starts_from_the_screen(alice: Staff, say: Say) -> None:
    say(
        *(
            identified(f"customer:{n}", given_name=given, family_name="Ruiz", birth_date=born, city="Cádiz")
            for n, (given, born) in enumerate(
                [("Ana", "1980-01-02"), ("Anna", "1980-01-02"), ("Luis", "1975-03-04"), ("Pia", "1999-09-09")]
            )
        )
    )
    client = logged_in(alice)
    assert "People have not been compared yet." in client.get("/people/proposals/").content.decode()
    client.post("/people/proposals/compare/")
    jobs.run_due("test")
    html = client.get("/people/proposals/").content.decode()
    assert "Compared 4 people" in html
    assert [(p.a.display_name, p.b.display_name) for p in people.proposals()] == [("Ana Ruiz", "Anna Ruiz")]
    run = people.last_linking_run()
    assert run is not None
    assert run.n_waiting == 1


def test_bob_looks_but_does_not_decide(bob: Staff, pairs: list[int]) -> None:
    client = logged_in(bob)
    assert 'data-key="a"' not in client.get("/people/proposals/").content.decode()
    assert client.post(f"/people/proposals/{pairs[0]}/", {"do": "accept"}).status_code == 403
    for path in ("undo", "compare", "policy"):
        assert client.post(f"/people/proposals/{path}/").status_code == 403


def test_charlie_sees_no_pair(charlie: Staff, pairs: list[int]) -> None:
    assert logged_in(charlie).get(f"/people/proposals/{pairs[0]}/").status_code == 403
