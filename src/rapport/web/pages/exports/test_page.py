from __future__ import annotations

import csv
import io

import pytest

from rapport.consent import selectors as consent
from rapport.staff.models import Staff
from rapport.web.conftest import Say, identified, logged_in, touchpoint

LETTER = {"use": "marketing.email", "why": "spring letter", "columns": ["name", "email"]}


@pytest.fixture
def two(say: Say) -> None:
    """Ana allows mail; Bo was never asked."""
    say(
        identified("customer:1", "email:ana@example.org", name="Ana Ruiz", country="ES"),
        identified("customer:2", "email:bo@example.org", name="Bo", country="DE"),
        touchpoint("consent_granted", "customer:1", properties={"purpose": "marketing", "channel": "email"}),
    )


@pytest.mark.usefixtures("two")
def test_alice_takes_a_list_and_the_log_says_so(alice: Staff) -> None:
    client = logged_in(alice)
    assert "No list has left." in client.get("/privacy/exports/").content.decode()
    answer = client.post("/privacy/exports/new/", LETTER)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["name"], row["email"]) == ("Ana Ruiz", "ana@example.org")
    html = client.get("/privacy/exports/").content.decode()
    assert "spring letter" in html
    assert "1 left out" in html
    assert alice.email in html
    found = client.get("/privacy/exports/", {"mark": row["ref"]}).content.decode()
    assert "It left with the export of" in found
    assert "no mark of an export" in client.get("/privacy/exports/", {"mark": "NONE"}).content.decode()


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    "wrong", [{"why": " "}, {"use": ""}, {"use": "pizza"}, {"columns": []}, {"columns": ["salary"]}]
)
def test_what_cannot_be_exported_is_said_and_nothing_leaves(alice: Staff, wrong: dict[str, object]) -> None:
    answer = logged_in(alice).post("/privacy/exports/new/", {**LETTER, **wrong})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert consent.exports() == []


@pytest.mark.usefixtures("two")
def test_a_filter_is_as_on_the_page_people(alice: Staff) -> None:
    sent = {**LETTER, "use": "service", "country": "DE"}
    answer = logged_in(alice).post("/privacy/exports/new/", sent)
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == ["Bo"]
    assert consent.exports()[0].chosen == {"country": "DE"}


@pytest.mark.usefixtures("two")
def test_bob_takes_nothing_out(bob: Staff) -> None:
    client = logged_in(bob)
    assert client.post("/privacy/exports/new/", LETTER).status_code == 403
    assert client.get("/privacy/exports/new/").status_code == 403
    assert client.get("/privacy/exports/").status_code == 403
    assert "Export people" not in client.get("/people/").content.decode()


@pytest.mark.usefixtures("two")
def test_the_page_people_leads_to_it_with_its_filter(alice: Staff) -> None:
    html = logged_in(alice).get("/people/", {"country": "ES"}).content.decode()
    assert "/privacy/exports/new/?country=ES" in html
