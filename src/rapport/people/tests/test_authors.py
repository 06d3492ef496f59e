"""Public authors: held apart, called by a number, kept briefly, gone when they object, known by their own act."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import lake
from rapport.kit import clock
from rapport.kit.errors import Denied, Invalid, NotFound, Unavailable
from rapport.people import selectors, services
from rapport.people.rules import authors
from rapport.people.tests.conftest import MONDAY, Say, identified, touchpoint

BO = "mastodon:bo@example.social"
CHI = "forum:chi"


def post(identifier: str, days_ago: int = 0, **columns: Any) -> dict[str, Any]:
    at = MONDAY - dt.timedelta(days=days_ago)
    properties = {"author_name": "Bo Kim", **columns.pop("properties", {})}
    return touchpoint(
        "post_published", identifier, ts=at, text=f"Words of {identifier}.", properties=properties, **columns
    )


def posts() -> list[tuple[str, int]]:
    con = lake.connect()
    try:
        return con.execute(
            "SELECT s.identifier, count(*) FROM lake.event AS e JOIN lake.subject AS s USING (subject)"
            " WHERE e.name = 'post_published' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    finally:
        con.close()


@pytest.fixture
def bo(say: Say) -> int:
    say(post(BO), identified("customer:1", "email:ana@example.org", traits={"name": "Ana Ruiz"}))
    return selectors.person_id(BO)


def test_lists_call_an_author_by_a_number_and_find_nobody_by_their_name(bo: int) -> None:
    (row,) = selectors.people_page(kind="author").rows
    assert (row.id, row.display_name, row.sort_name) == (bo, f"Author {bo}", f"author {bo}")
    assert selectors.search("Kim") == []
    assert [m.person.id for m in selectors.search("bo@example.social")] == [
        bo
    ]  # to answer, or to forget them


def test_an_author_is_no_person_in_any_count(bo: int) -> None:
    assert selectors.overview().persons == 1
    assert bo not in selectors.person_ids("person").tolist()


def test_no_figure_is_kept_of_an_author(bo: int) -> None:
    ana = selectors.person_id("customer:1")
    columns = {
        "person": [ana, bo],
        "name": ["engagement"] * 2,
        "value": [0.5] * 2,
        "unit": ["ratio"] * 2,
        "as_of": [clock.now()] * 2,
        "model": ["m"] * 2,
        "version": ["1"] * 2,
    }
    assert services.write_scores(pa.table(columns)) == 1
    assert services.write_scores(pa.table(columns), identity=selectors.identity_arrow()) == 1
    assert selectors.person(bo).scores == ()


def test_likeness_joins_no_author_to_somebody_we_know(bo: int, say: Say) -> None:
    say(post(CHI))
    ana, chi = selectors.subject_of("customer:1"), selectors.subject_of(CHI)
    pairs = pa.table(
        {
            "a": [ana, bo],
            "b": [bo, chi],
            "confidence": [0.99, 0.99],
            "evidence": ["similar", "similar"],
        }
    )
    done = services.propose(pairs, source="model", accept_from=0.9)
    assert (done.accepted, done.settled) == (1, 1)  # two handles may be one author
    assert selectors.person(BO).kind == "author"
    assert selectors.person("customer:1").n_identifiers == 2


def test_nor_does_a_reviewer_whose_pair_came_before_one_side_was_known(bo: int, say: Say) -> None:
    say(post(CHI))
    pair = pa.table(
        {"a": [bo], "b": [selectors.subject_of(CHI)], "confidence": [0.6], "evidence": ["similar"]}
    )
    services.propose(pair, source="model")
    (waiting,) = selectors.proposals()
    say(identified("customer:2", CHI, traits={"name": "Chi"}))
    with pytest.raises(Denied, match="public author"):
        services.accept(waiting.edge.id, "alice@example.com")


@pytest.mark.parametrize("evidence", ["login", "order", "link", "consent"])
def test_their_own_act_makes_them_known(bo: int, say: Say, evidence: str) -> None:
    name = "order_placed" if evidence == "order" else "person_identified"
    say(
        touchpoint(
            name, "customer:1", also=[BO], evidence=evidence, properties={"order_id": "7", "traits": {}}
        )
    )
    found = selectors.person(BO)
    assert (found.kind, found.display_name) == ("person", "Ana Ruiz")
    assert selectors.people_page(kind="author").rows == ()


def test_authors_are_forgotten_when_they_have_been_silent_long_enough(say: Say) -> None:
    say(
        post(BO, days_ago=100),
        post(CHI, days_ago=100),
        post(CHI, days_ago=89),
        post("forum:dee", days_ago=91),
        identified("customer:1", "forum:dee", traits={"name": "Dee"}),
        touchpoint(
            "order_placed", "customer:1", ts=MONDAY - dt.timedelta(days=900), properties={"order_id": "1"}
        ),
    )
    with clock.frozen(MONDAY):
        done = services.forget_authors()
    assert (done.silent, done.objected, done.events) == (1, 0, 1)
    assert posts() == [(CHI, 2), ("forum:dee", 1)]
    with pytest.raises(NotFound):
        selectors.person(BO)
    assert selectors.person("customer:1").kind == "person"
    with clock.frozen(MONDAY):
        assert services.forget_authors_if_due() is None
    services.set_author_terms(30, by="alice@example.com")
    with clock.frozen(MONDAY):
        again = services.forget_authors_if_due()
    assert again is not None
    assert again.silent == 1
    assert posts() == [("forum:dee", 1)]
    assert selectors.author_terms().n_forgotten == 2
    say(post(BO))  # they may speak again
    assert posts() == [("forum:dee", 1), (BO, 1)]


def test_our_own_handle_is_no_author_who_fell_silent(say: Say) -> None:
    long_ago = MONDAY - dt.timedelta(days=900)
    say(
        # From an archive of ours: said by our own handle. From here: said to somebody, under theirs.
        touchpoint("reply_published", "x_com:shop", ts=long_ago, text="Open.", properties={"post_id": "1"}),
        post(BO, days_ago=900),
        touchpoint("reply_published", BO, ts=long_ago, text="Yes.", properties={"message": "m1"}),
    )
    with clock.frozen(MONDAY):
        done = services.forget_authors()
    assert (done.silent, done.events) == (1, 2)
    assert selectors.person_id("x_com:shop")
    with pytest.raises(NotFound):
        selectors.person(BO)


def test_who_objects_is_gone_and_stays_out(bo: int, say: Say, home: Path) -> None:
    say(post(CHI))
    services.object_author("Mastodon", "@Bo@Example.social")
    with pytest.raises(NotFound):
        selectors.person(BO)
    say(post(BO, message_id="later"))
    assert selectors.author_terms().n_waiting == 1
    with clock.frozen(MONDAY):
        services.forget_authors()
        done = services.forget_authors_if_due()
    assert done is None
    say(post(BO, message_id="later still"))
    assert posts() == [(CHI, 1)]
    assert selectors.author_terms().n_waiting == 0
    found = [f for f in home.rglob("*") if f.is_file() and b"bo@example.social" in f.read_bytes()]
    assert found == []


def test_objections_of_an_hour_are_carried_out_together(bo: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = dt.timedelta(hours=1)
    with clock.frozen(MONDAY):
        services.forget_authors()
        services.object_author("mastodon", "bo@example.social")
        assert services.forget_authors_if_due() is None
    with clock.frozen(MONDAY + hour):
        done = services.forget_authors_if_due()
        assert done is not None
        assert (done.objected, done.events) == (1, 1)
        services.object_author("forum", "never heard of")
    with clock.frozen(MONDAY + 2 * hour):
        done = services.forget_authors_if_due()
        assert done is not None
        assert (done.objected, done.events) == (1, 0)
    from rapport.people.services import authors as carrying

    monkeypatch.setattr(carrying, "WAITING_MAX", 1)
    services.object_author("forum", "one")
    with pytest.raises(Unavailable, match="more objections wait"):
        services.object_author("forum", "two")


def test_an_objection_tells_nobody_whether_somebody_is_known(bo: int) -> None:
    services.object_author("mastodon", "bo@example.social")
    services.object_author("mastodon", "nobody@example.social")
    services.object_author("mastodon", "nobody@example.social")


def test_an_objection_to_a_customers_handle_leaves_the_customer(bo: int, say: Say) -> None:
    say(touchpoint("person_identified", "customer:1", also=[BO], evidence="login", properties={"traits": {}}))
    services.object_author("mastodon", "bo@example.social")
    found = selectors.person("customer:1")
    assert found.display_name == "Ana Ruiz"
    assert {i.text for i in found.identifiers} == {"customer:1", "email:ana@example.org"}


@pytest.mark.parametrize(
    ("network", "name"),
    [("email", "a@example.org"), ("customer", "1"), ("visitor", "x"), ("", "bo"), ("mastodon", " "), ("Ωmega", "bo"),
     ("m" * 40, "bo"), ("9gag", "bo"), ("mastodon", "b" * 300)],
)  # fmt: skip
def test_what_is_no_public_handle_is_refused_in_words(network: str, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        authors.handle(network, name)
    assert caught.value.hint


@pytest.mark.django_db
@pytest.mark.parametrize("days", [0, 731])
def test_terms_have_limits(days: int) -> None:
    with pytest.raises(Invalid):
        services.set_author_terms(days, by="alice@example.com")
    assert selectors.author_terms().days == authors.DAYS
