"""What replies did, and drafts for departments: who may see them, lift a silence, take them along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rapport.conversations.models import Reception, VoiceDraft
from rapport.conversations.rules import receiving
from rapport.conversations.rules.receiving import Case
from rapport.kit import clock, ids
from rapport.web.conftest import logged_in

if TYPE_CHECKING:
    from rapport.staff.models import Staff

pytestmark = pytest.mark.django_db


def reckoned() -> None:
    harm = [Case("help", -0.5, -0.9), Case("help", -0.5, -0.95)] * 12
    alone = [Case("help", -0.5, 0.1), Case("help", -0.5, 0.2)] * 12
    Reception.objects.create(
        scope="venue", name="reddit:r/cars", figures=receiving.received(harm, alone).as_json(), reckoned_at=clock.now(),
        is_silent=True, silent_since=clock.now(),
    )  # fmt: skip


def test_a_silent_place_says_why_and_only_who_may_change_venues_lifts_it(alice: Staff, bob: Staff) -> None:
    assert "Nothing was reckoned yet." in logged_in(alice).get("/reception/").content.decode()
    reckoned()
    html = logged_in(bob).get("/reception/").content.decode()
    assert "are silent" in html
    assert "-1.0" in html or "−1.0" in html
    assert "Answer there again" not in html
    assert logged_in(bob).post("/reception/lift/", {"venue": "reddit:r/cars"}).status_code == 403
    assert logged_in(alice).post("/reception/lift/", {"venue": "reddit:r/cars"}).status_code == 302
    assert not Reception.objects.get().is_silent


def test_drafts_for_departments_are_listed_sent_on_and_taken_along(
    alice: Staff, bob: Staff, charlie: Staff
) -> None:
    assert "Nothing is here." in logged_in(bob).get("/voices/").content.decode()
    draft = VoiceDraft.objects.create(
        id=ids.uuid7(), department="service", title="Where is it", due_on=clock.now().date(), made_by=bob.pk,
        made_at=clock.now(),
        quotes=[
            {"pseudonym": "customer 1a2b", "day": "2026-03-01", "text": "It never came", "is_withheld": False, "message": 1}
        ],
    )  # fmt: skip
    html = logged_in(bob).get("/voices/").content.decode()
    assert "It never came" in html
    assert "customer 1a2b" in html
    assert "CSV" not in html
    logged_in(bob).post(f"/voices/{draft.id}/", {"department": "logistics"})
    draft.refresh_from_db()
    assert (draft.department, draft.state) == ("logistics", "draft")
    assert logged_in(bob).get("/voices/export/").status_code == 403
    assert "It never came" in logged_in(alice).get("/voices/export/").content.decode()
    assert logged_in(charlie).get("/voices/").status_code == 403
    logged_in(bob).post(f"/voices/{draft.id}/", {"state": "taken"})
    assert "It never came" in logged_in(bob).get("/voices/?state=taken").content.decode()
