"""What replies did, and drafts for departments: who may see them, lift a silence, take them along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rapport.conversations import selectors, services
from rapport.conversations.rules import receiving
from rapport.conversations.rules.receiving import Case
from rapport.events import services as events
from rapport.events import spool, subscriptions
from rapport.kit import clock
from rapport.web.conftest import logged_in

if TYPE_CHECKING:
    from rapport.staff.models import Staff

pytestmark = pytest.mark.django_db


def reckoned(scope: str = "venue") -> list[selectors.ReceptionView]:
    harm = [Case("help", -0.5, -0.9), Case("help", -0.5, -0.95)] * 12
    alone = [Case("help", -0.5, 0.1), Case("help", -0.5, 0.2)] * 12
    figures = receiving.received(harm, alone)
    now = clock.now()
    return (
        [selectors.ReceptionView(scope, "reddit:r/cars", figures, now, True, now)] if scope == "venue" else []
    )


def test_a_silent_place_says_why_and_only_who_may_change_venues_lifts_it(
    alice: Staff, bob: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nothing was reckoned yet." in logged_in(alice).get("/reception/").content.decode()
    lifted: list[str] = []
    monkeypatch.setattr(selectors, "reception", reckoned)
    monkeypatch.setattr(services, "lift_silence", lifted.append)
    html = logged_in(bob).get("/reception/").content.decode()
    assert "are silent" in html
    assert "24 answered beside 24" in html
    assert re.search(r"before -0[.]50, after -0[.]9", html)
    assert "Reckoned <time" in html
    assert 'href="/venues/card/reddit:r/cars/"' in html
    assert "Answer there again" not in html
    assert "Answer there again" in logged_in(alice).get("/reception/").content.decode()
    assert logged_in(bob).post("/reception/lift/", {"venue": "reddit:r/cars"}).status_code == 403
    assert logged_in(alice).post("/reception/lift/", {"venue": "reddit:r/cars"}).status_code == 302
    assert lifted == ["reddit:r/cars"]


def test_the_card_of_a_silent_place_says_so(alice: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    client = logged_in(alice)
    assert "keep quiet here" not in client.get("/venues/card/reddit:r/cars/").content.decode()
    monkeypatch.setattr(selectors, "reception_of", lambda _venue: reckoned()[0])
    html = client.get("/venues/card/reddit:r/cars/").content.decode()
    assert "We keep quiet here" in html
    assert "Our effect on stance" in html


def test_drafts_for_departments_are_listed_sent_on_and_taken_along(
    home: Path, alice: Staff, bob: Staff, charlie: Staff
) -> None:
    assert "Nothing is here." in logged_in(bob).get("/voices/").content.decode()
    events.touchpoint(
        "message_received", "email:ana@example.org", source="crm", message_id="m1", channel="email",
        text="It never came", properties={"network": "email", "subject": "Order 12"},
    )  # fmt: skip
    events.settle(spool.current().next_seq() - 1)
    subscriptions.drain(["people", "consent", "conversations"])
    (row,) = selectors.page("open", bob.pk).rows
    draft = services.voice_draft(row.id, by=bob.pk)
    html = logged_in(bob).get("/voices/").content.decode()
    assert "It never came" in html
    assert "ana@example.org" not in html
    assert "CSV" not in html
    assert f'href="/inbox/{row.id}/"' in html  # the way back to who said it
    back = logged_in(bob).post(f"/voices/{draft}/?state=draft", {"to": "logistics", "due_on": "2031-05-06"})
    assert back.headers["Location"] == "/voices/?state=draft"
    (found,) = selectors.voice_drafts()
    assert (found.department, found.state, found.due_on.year) == ("logistics", "draft", 2031)
    assert logged_in(bob).post(f"/voices/{draft}/", {"due_on": "soon"}).status_code == 400
    assert "It never came" in logged_in(bob).get("/voices/?department=logistics").content.decode()
    assert "Nothing is here." in logged_in(bob).get("/voices/?department=billing").content.decode()
    assert logged_in(bob).get("/voices/export/").status_code == 403
    assert "It never came" in logged_in(alice).get("/voices/export/").content.decode()
    assert logged_in(charlie).get("/voices/").status_code == 403
    logged_in(bob).post(f"/voices/{draft}/", {"do": "taken"})
    assert "It never came" in logged_in(bob).get("/voices/?state=taken").content.decode()
    logged_in(bob).post(f"/voices/{draft}/?state=taken", {"do": "draft"})  # pressed by mistake
    assert "It never came" in logged_in(bob).get("/voices/").content.decode()
