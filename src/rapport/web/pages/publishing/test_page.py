"""The calendar on screen: written, checked, approved, found on its day; who may do what."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rapport.kit import clock, registry
from rapport.listening import services as listening
from rapport.listening.contract import KIND
from rapport.messaging.services import pause_all, resume_all
from rapport.messaging.tests.network import Connector
from rapport.publishing import selectors
from rapport.web.conftest import MONDAY, Say, identified, logged_in

if TYPE_CHECKING:
    from rapport.staff.models import Staff


@pytest.fixture
def here(home: Path, alice: Staff, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network that can be posted to, on a Monday."""
    monkeypatch.setitem(
        registry.plugins(KIND), "loopback", registry.Plugin("loopback", KIND, __name__, Connector())
    )
    listening.add_source("here", "loopback", {"port": 9})
    with clock.frozen(MONDAY):
        yield


def form(text: str = "The new blade is in the shop.", **more: object) -> dict[str, object]:
    return {
        "text": text,
        "sources": ["here"],
        "language": "en",
        "planned_at": "2026-03-04T18:00",
        "do": "keep",
    } | more


def test_a_post_is_written_in_the_firms_time_and_stands_on_its_day(here: None, alice: Staff) -> None:
    client = logged_in(alice)
    made = client.post("/publishing/new/", form())
    assert made.status_code == 302
    (row,) = selectors.calendar(MONDAY, MONDAY + dt.timedelta(days=7))
    assert row.planned_at == dt.datetime(2026, 3, 4, 17, tzinfo=dt.UTC)  # Madrid is an hour ahead
    page = client.get("/publishing/").content.decode()
    assert "18:00" in page
    assert "Europe/Madrid" in page
    assert "The new blade is in the shop." in page
    assert "The new blade" in client.get("/publishing/?span=month").content.decode()
    assert "The new blade" not in client.get("/publishing/?from=2026-03-09").content.decode()
    client.post(made["Location"], form(do="submit", version=str(row.version)))
    assert selectors.post(row.id).state == "planned"
    client.post(f"{made['Location']}do/", {"do": "withdraw"})
    assert selectors.post(row.id).state == "withdrawn"


def test_what_breaks_a_rule_is_said_while_typing_and_keeps_the_words(here: None, alice: Staff) -> None:
    client = logged_in(alice)
    wrong = form("See https://bit.ly/x for THE BEST blade", do="submit")
    page = client.post("/publishing/check/", wrong).content.decode()
    assert 'data-against="yes"' in page
    assert "hides where it leads" in page
    assert "claims to be first" in page
    found = client.post("/publishing/new/", wrong, follow=True).content.decode()
    assert "hides where it leads" in found
    (kept,) = selectors.calendar(MONDAY, MONDAY + dt.timedelta(days=7))
    assert kept.state == "draft"
    assert client.post("/publishing/new/", form(" \0 ")).status_code == 400


def test_a_colleague_approves_what_another_wrote(here: None, alice: Staff, bob: Staff, say: Say) -> None:
    from rapport.publishing import services

    say(identified("customer:1", "email:ana@example.org", name="Ana"))
    post = services.write(services.Written("Open on Sunday.", ["here"], language="en"), by=bob.email)
    services.submit(post.pk, by=bob.email)
    client = logged_in(alice)
    page = client.get(f"/publishing/{post.pk}/").content.decode()
    assert "May this leave?" in page
    assert "Needs somebody" in client.get("/publishing/?from=2030-01-01").content.decode()
    assert "1 post waits for approval" in client.get("/").content.decode()
    client.post(f"/publishing/{post.pk}/do/", {"do": "send_back", "because": "Which Sunday?"})
    assert "Which Sunday?" in client.get(f"/publishing/{post.pk}/").content.decode()
    services.submit(post.pk, by=bob.email)
    client.post(f"/publishing/{post.pk}/do/", {"do": "approve", "version": "1"})
    assert selectors.post(post.pk).approver == alice.email
    assert "Needs somebody" not in client.get("/publishing/").content.decode()


def test_what_did_not_leave_stands_on_home_for_a_week(here: None, alice: Staff, say: Say) -> None:
    from rapport.publishing import services

    say(identified("customer:1", "email:ana@example.org", name="Ana"))
    client = logged_in(alice)
    client.post("/publishing/new/", form(do="submit"))
    with clock.frozen(MONDAY + dt.timedelta(days=4)):  # the machine was off for long
        services.leave_due()
        services.follow_up()
        assert "1 post did not leave everywhere" in client.get("/").content.decode()
        page = client.get("/publishing/?from=2030-01-01").content.decode()
        (address,) = re.findall(r'href="(/publishing/[0-9a-f-]{36}/)"', page)
        assert "Read whether it still holds" in client.get(address).content.decode()
    with clock.frozen(MONDAY + dt.timedelta(days=12)):
        assert "did not leave everywhere" not in client.get("/").content.decode()


def test_a_post_of_our_own_is_no_answer_to_anybody(here: None, alice: Staff) -> None:
    from rapport.publishing import services

    client = logged_in(alice)
    client.post("/publishing/new/", form(do="now"))
    services.leave_due()
    assert "Post of our own" in client.get("/messages/?days=365").content.decode()


def test_one_leaves_at_once_waits_for_a_colleague_or_is_a_draft_again(here: None, alice: Staff) -> None:
    client = logged_in(alice)
    made = client.post("/publishing/new/", form(do="now"))["Location"]
    number = uuid.UUID(made.rstrip("/").rpartition("/")[2])
    view = selectors.post(number)
    assert (view.state, view.planned_at) == ("planned", MONDAY)
    pause_all(alice.email, wait_s=0)
    page = client.post(made, form(do="now", version=str(view.version)), follow=True).content.decode()
    assert "It waits while everything is paused." in page
    assert "1 message waits." in page
    resume_all(alice.email)
    client.post(made, form(do="ask", version=str(view.version)))
    assert selectors.post(number).state == "waiting"
    client.post(made, form(do="submit", version="2"))
    assert selectors.post(number).state == "planned"
    client.post(made, form(version="2"))  # the same words, kept as a draft
    assert selectors.post(number).state == "draft"
    like = client.get(f"/publishing/new/?like={number}").content.decode()
    assert "The new blade is in the shop." in like
    assert "2026-03-04" not in like
    past = client.post(made, form(do="submit", planned_at="2026-02-04T18:00", version="2"), follow=True)
    assert "Its time has passed." in past.content.decode()


def test_what_stands_against_it_is_said_once_and_in_the_readers_language(here: None, alice: Staff) -> None:
    alice.language = "de"
    alice.save()
    client = logged_in(alice)
    wrong = form("Mehr auf https://bit.ly/x steht dort.", language="de", do="submit")
    page = client.post("/publishing/check/", wrong).content.decode()
    assert page.count("Die Kurzadresse https://bit.ly/x verbirgt") == 1
    assert "hides where it leads" not in page
    refused = client.post("/publishing/new/", wrong, follow=True).content.decode()
    assert "hides where it leads" not in refused


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "yesterday"])
def test_a_day_beyond_all_calendars_is_none(here: None, alice: Staff, day: str) -> None:
    client = logged_in(alice)
    for span in ("week", "month"):
        assert client.get(f"/publishing/?span={span}&from={day}").status_code == 200
    assert client.post("/publishing/new/", form(planned_at=f"{day}T10:00")).status_code == 400
    assert client.post("/publishing/check/", form(planned_at=f"{day}T10:00")).status_code == 400


def test_an_empty_calendar_says_what_to_do_and_others_may_not(
    here: None, alice: Staff, bob: Staff, charlie: Staff
) -> None:
    assert "Nothing is planned here." in logged_in(alice).get("/publishing/?span=month").content.decode()
    reads = logged_in(bob)
    assert reads.get("/publishing/").status_code == 200
    assert reads.post("/publishing/new/", form()).status_code == 403
    assert logged_in(charlie).get("/publishing/").status_code == 403
