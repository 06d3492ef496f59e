from __future__ import annotations

from rapport.events import spool
from rapport.staff.models import Staff
from rapport.surveys import selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters
from rapport.web.conftest import Say, logged_in


def test_a_preview_goes_all_the_way_and_keeps_nothing(alice: Staff, say: Say) -> None:
    surveys.create("mine", starters.starter("csat", ["en", "de"]).definition, by="alice")
    client = logged_in(alice)
    before = spool.current().next_seq()
    first = client.get("/surveys/mine/preview/?lang=de&width=320").content.decode()
    assert "Wie zufrieden sind Sie" in first
    assert 'class="customer preview at-320"' in first
    missing = client.get("/surveys/mine/preview/", {"seen": "0"}).content.decode()
    assert "This one needs an answer." in missing
    second = client.get("/surveys/mine/preview/", {"seen": "0", "q-satisfied": "2"}).content.decode()
    assert "What went wrong?" in second
    skipped = client.get("/surveys/mine/preview/", {"seen": "0", "q-satisfied": "5"}).content.decode()
    assert "Is there anything you want to tell us?" in skipped
    query = {"seen": ["0", "2"], "q-satisfied": "5", "q-words": "good"}
    assert (
        "Thank you. Whoever prepares our orders"
        in client.get("/surveys/mine/preview/", query).content.decode()
    )
    assert spool.current().next_seq() == before
    assert selectors.survey("mine").n_responses == 0
