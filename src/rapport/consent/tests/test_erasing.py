"""Erasing a person: from every store, with a certificate, and without anybody else noticing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from django.db import connection

from rapport.consent import erasers, selectors, services
from rapport.consent.models import Erasure, Record, SubjectRequest
from rapport.consent.rules import asking
from rapport.consent.tests.conftest import HOUR, MONDAY, Say, identified, touchpoint
from rapport.events import erased, lake
from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.people import selectors as people
from rapport.people import services as people_services

pytestmark = pytest.mark.django_db
React = Callable[[], None]


@pytest.fixture(autouse=True)
def on_monday() -> Iterator[None]:
    with clock.frozen(MONDAY + 4 * HOUR):
        yield


@pytest.fixture
def ana(say: Say) -> int:
    say(
        identified("customer:1", "email:ana@example.org"),
        touchpoint("complaint_raised", "customer:1", text="It came late."),
        touchpoint(
            "order_placed", "customer:2", properties={"order_id": "9"}, value_minor=500, currency="EUR"
        ),
    )
    return people.person_id("customer:1")


def texts(sql: str) -> list[str]:
    con = lake.connect()
    try:
        return [str(row) for row in con.execute(sql).fetchall()]
    finally:
        con.close()


def test_an_erased_person_is_nowhere_and_the_others_are(ana: int, react: React) -> None:
    services.grant("email:ana@example.org", "marketing", "email", how="form")
    react()
    certificate = services.erase(ana, by="alice@example.com")
    with pytest.raises(NotFound):
        people.person("email:ana@example.org")
    assert texts("SELECT identifier FROM subject") == ["('customer:2',)"]
    assert certificate.n_identifiers == 2
    assert certificate.counts["events"] == 3
    assert certificate.counts["consents and wishes"] == 1
    assert not selectors.allows("email:ana@example.org", "marketing", "email").allowed
    react()
    assert people.person("customer:2").id
    assert texts("SELECT name FROM event WHERE seq = (SELECT max(seq) FROM event)") == ["('person_erased',)"]


def test_the_certificate_and_the_log_do_not_say_who(ana: int, react: React) -> None:
    certificate = services.erase(ana, by="alice@example.com")
    react()
    said = json.dumps(certificate.counts) + "".join(texts("SELECT * FROM event WHERE name = 'person_erased'"))
    assert "ana" not in said
    assert "customer:1" not in said
    # It is nobody's event: no person comes of it.
    with pytest.raises(NotFound):
        people.person_id(f"erasure:{certificate.id}")


def test_every_registered_store_is_asked_and_named(ana: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[erasers.Erasing] = []

    def letters(erasing: erasers.Erasing) -> int:
        asked.append(erasing)
        return 7

    monkeypatch.setattr(erasers, "_erasers", {**erasers.registered(), "letters": letters})
    certificate = services.erase(ana, by="alice@example.com")
    assert certificate.counts["letters"] == 7
    assert asked[0].identifiers == ("customer:1", "email:ana@example.org")
    assert set(asked[0].hashes) >= {erased.hash_of(i) for i in asked[0].identifiers}


def test_a_store_that_fails_leaves_a_note_without_a_name_and_is_finished_later(
    ana: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: erasers.Erasing) -> int:
        raise RuntimeError("ana@example.org is stuck")

    before = erasers.registered()
    monkeypatch.setattr(erasers, "_erasers", {"letters": fails})
    with pytest.raises(RuntimeError):
        services.erase(ana, by="alice@example.com")
    assert list(Erasure.objects.values_list("error", "ended_at")) == [("RuntimeError", None)]
    assert "ana" not in "".join(Erasure.objects.values_list("whose", flat=True))
    asked: list[erasers.Erasing] = []

    def works(erasing: erasers.Erasing) -> int:
        asked.append(erasing)
        return 7

    monkeypatch.setattr(erasers, "_erasers", {**before, "letters": works})
    with pytest.raises(NotFound):
        services.erase(ana, by="alice@example.com")  # the people's rows had gone before the letters' turn
    assert services.finish_erasures() == []  # too soon
    with clock.frozen(MONDAY + 5 * HOUR):
        (certificate,) = services.finish_erasures()
    assert certificate.counts["letters"] == 7
    assert asked[0].identifiers == ("customer:1", "email:ana@example.org")
    assert list(Erasure.objects.values_list("error", "whose")) == [("", "")]
    assert services.finish_erasures() == []


def test_what_is_only_probably_theirs_stays_unless_asked_for(say: Say) -> None:
    say(
        identified("customer:1", "email:ana@example.org"),
        identified("customer:3", "email:a.ruiz@example.org"),
    )
    one, other = people.person_id("customer:1"), people.person_id("customer:3")
    a, b = sorted((one, other))
    pairs = pa.table({"a": [a], "b": [b], "confidence": [0.97], "evidence": ["likeness"]})
    people_services.propose(pairs, source="splink", accept_from=0.9)
    assert people.person_id("customer:1") == people.person_id("customer:3")
    extent = services.extent("customer:1")
    assert extent.identifiers == ("customer:1", "email:ana@example.org")
    assert extent.probable == ("customer:3", "email:a.ruiz@example.org")
    services.erase("customer:1", by="alice@example.com")
    left = people.person("customer:3")
    assert [i.text for i in left.identifiers] == ["customer:3", "email:a.ruiz@example.org"]
    assert services.extent("customer:3", also_probable=True).subjects == left.subjects


def test_an_address_used_as_customer_number_is_the_same_human_being(say: Say) -> None:
    say(identified("customer:ana@example.org"), identified("email:ana@example.org"))
    assert services.extent("email:ana@example.org").identifiers == (
        "customer:ana@example.org",
        "email:ana@example.org",
    )


def test_letters_that_only_claim_to_be_from_an_address_go_with_whoever_has_it(ana: int, say: Say) -> None:
    claimed = "unconfirmed:ana@example.org"
    say(touchpoint("message_received", claimed, text="Send it elsewhere", channel="email"))
    assert people.person_id(claimed) != ana, "what somebody claims is in nobody's profile"
    services.erase(ana, by="alice@example.com")
    assert texts("SELECT identifier FROM subject") == ["('customer:2',)"]
    assert texts("SELECT text FROM event WHERE name = 'message_received'") == []


def test_import_after_erasure_brings_nobody_back(ana: int, say: Say) -> None:
    services.erase(ana, by="alice@example.com")
    say(identified("customer:1", "email:ana@example.org"), batch="again")
    with pytest.raises(NotFound):
        people.person_id("email:ana@example.org")
    assert selectors.is_erased("email:Ana@Example.org")
    assert not selectors.allows("email:ana@example.org", "marketing", "email").allowed


def test_a_restored_backup_forgets_again(ana: int, say: Say) -> None:
    hashes_before = erased.table()
    services.erase(ana, by="alice@example.com")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_erased")  # as in a backup from before
    say(
        identified("customer:1", "email:ana@example.org"),
        touchpoint("complaint_raised", "customer:1", text="Late."),
    )
    assert hashes_before.num_rows == 0
    assert selectors.n_to_replay() > 0
    (certificate,) = services.replay(by="command line")
    assert certificate.n_identifiers == 2
    assert selectors.n_to_replay() == 0
    with pytest.raises(NotFound):
        people.person_id("customer:1")
    assert services.replay(by="command line") == []


# Requests


def test_a_request_has_thirty_days_and_says_so(ana: int) -> None:
    asked = services.open_request(ana, "access", note="Please all of it.")
    assert (asked.days_left, asked.is_soon, asked.is_overdue) == (30, False, False)
    with clock.frozen(asked.due_at - dt.timedelta(days=3)):
        assert selectors.request(asked.id).is_soon
    with clock.frozen(asked.due_at + dt.timedelta(minutes=1)):
        late = selectors.request(asked.id)
        assert late.is_overdue
        assert late.days_left == -1
        assert selectors.due() == selectors.Due(1, 0, 1, asked.due_at)


def test_asking_twice_is_one_request(ana: int) -> None:
    first = services.open_request(ana, "erasure", note="please")
    second = services.open_request("customer:1", "erasure", note="now")
    assert second.id == first.id
    assert second.note == "please\nnow"
    assert services.open_request(ana, "access").id != first.id


def test_carrying_out_an_erasure_closes_the_request_and_empties_it(ana: int) -> None:
    asked = services.open_request("email:ana@example.org", "erasure", note="I am Ana Ruiz")
    done = services.carry_out(asked.id, by="alice@example.com")
    assert (done.state, done.identifier, done.note, done.subject) == ("done", "", "", None)
    assert done.erasure
    assert selectors.erasure_row(done.erasure).counts["requests"] == 1
    assert SubjectRequest.objects.count() == 1


def test_an_erasure_of_somebody_unknown_is_answered(db: None, home: Path) -> None:
    asked = services.open_request("email:nobody@example.org", "erasure")
    done = services.carry_out(asked.id, by="alice@example.com", answer="We hold nothing of you.")
    assert (done.state, done.identifier) == (asking.DONE, "")


def test_an_objection_withdraws_what_may_be_refused_and_a_restriction_stops_use(ana: int) -> None:
    assert selectors.allows(ana, "profiling").allowed
    services.carry_out(services.open_request(ana, "objection").id, by="alice@example.com")
    assert not selectors.allows(ana, "profiling").allowed
    assert selectors.allows(ana, "service").allowed
    services.carry_out(services.open_request(ana, "restriction").id, by="alice@example.com")
    assert selectors.allows(ana, "profiling").reason in {"restricted", "objected", "withdrawn"}


def test_a_refusal_says_why_and_nothing_is_done_twice(ana: int) -> None:
    asked = services.open_request(ana, "erasure")
    with pytest.raises(Invalid):
        services.close(asked.id, by="alice@example.com", refused=True)
    services.close(asked.id, by="alice@example.com", refused=True, answer="The invoice must be kept.")
    with pytest.raises(Conflict):
        services.carry_out(asked.id, by="alice@example.com")
    assert people.person_id("customer:1") == ana


def test_everything_we_keep_is_told_with_its_origin(ana: int, react: React) -> None:
    services.grant("email:ana@example.org", "marketing", "email", how="form", shown="checkout")
    services.open_request(ana, "access", note="all of it")
    react()
    document = services.everything("customer:1")
    rows = {(s["store"], s["title"]): s["rows"] for s in document["sections"]}
    assert [r["identifier"] for r in rows["people", "Identifiers"]] == ["customer:1", "email:ana@example.org"]
    happened = rows["events", "What happened"]
    assert {"It came late."} == {r["text"] for r in happened if "text" in r}
    assert all(r["origin"] for r in happened)
    assert rows["requests", "What you asked of us"][0]["note"] == "all of it"
    assert json.dumps(document, default=str)


def test_an_erased_person_is_asked_to_confirm_before_anything_is_kept_of_them_again(
    ana: int, react: React
) -> None:
    services.erase(ana, by="alice@example.com")
    with pytest.raises(Conflict):
        services.grant("email:ana@example.org", "marketing", "email", how="staff")
    assert services.withdraw("email:ana@example.org", "marketing", "email", how="one_click") == ""
    assert services.state_preference("email:ana@example.org", "frequency", "weekly") == ""
    assert not Record.objects.exists()
    with clock.frozen(clock.now() + HOUR):
        services.grant("email:ana@example.org", "marketing", "email", how="confirmed")
        react()
        assert selectors.allows("email:ana@example.org", "marketing", "email").allowed
        assert people.person_id("email:ana@example.org") != ana
