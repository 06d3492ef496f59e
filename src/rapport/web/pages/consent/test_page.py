"""Consent on screen: who allows what, on which evidence, in which words, and what a colleague may note."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint


def said(
    state: str, identifier: str, purpose: str, channel: str = "", **columns: object
) -> dict[str, object]:
    properties = {"purpose": purpose, "channel": channel, "how": "form", "shown": "/register"}
    return touchpoint(f"consent_{state}", identifier, properties=properties, **columns)


@pytest.fixture
def three(say: Say) -> None:
    """Ana allows mail, Bo took it back, Chi never answered and objects to estimates."""
    later = MONDAY + dt.timedelta(hours=1)
    say(
        identified("customer:1", "email:ana@example.org", name="Ana Ruiz"),
        identified("customer:2", "email:bo@example.org", name="Bo Berg"),
        identified("customer:3", "email:chi@example.org", name="Chi Kim"),
        said("granted", "email:ana@example.org", "marketing", "email"),
        said("granted", "email:bo@example.org", "marketing", "email"),
        said("withdrawn", "email:bo@example.org", "marketing", ts=later),
        said("withdrawn", "customer:3", "profiling", ts=later),
    )


def text(page: bytes) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.decode())).split())


def test_coverage_counts_everybody_and_each_figure_opens_its_people(alice: Staff, three: None) -> None:
    client = logged_in(alice)
    page = client.get("/privacy/consent/")
    assert page.status_code == 200
    shown = text(page.content)
    assert "News and offers, e-mail reaches the most: 33 % (1 of 3)" in shown
    assert "Estimates about you legitimate interest 67 % (2 of 3)" in shown
    urls = re.findall(r'href="(/privacy/consent/people/[^"]*)"', page.content.decode())
    assert len(urls) > 10
    for url in {html.unescape(url) for url in urls}:
        listed = client.get(url)
        assert listed.status_code == 200
        n = int(re.search(r"(\d+) (?:person|people)", text(listed.content)).group(1))  # type: ignore[union-attr]
        assert n == listed.content.decode().count("data-row") > 0
    page = client.get("/privacy/consent/people/?purpose=marketing&channel=email&state=withdrawn")
    assert "Bo Berg" in text(page.content)
    assert "Ana Ruiz" not in text(page.content)


def test_a_figure_that_is_none_is_said_to_be(alice: Staff, three: None) -> None:
    assert logged_in(alice).get("/privacy/consent/people/?purpose=marketing&state=lost").status_code == 400
    assert logged_in(alice).get("/privacy/consent/people/?purpose=fun&state=granted").status_code == 404


def test_the_base_is_empty_before_anybody_comes(alice: Staff, say: Say) -> None:
    assert "Nobody is known yet." in text(logged_in(alice).get("/privacy/consent/").content)
    assert "Nobody has answered yet." in text(logged_in(alice).get("/privacy/consent/ledger/").content)


def test_an_answer_about_a_purpose_nobody_defined_is_told(alice: Staff, say: Say) -> None:
    say(identified("customer:1"), said("granted", "customer:1", "telepathy"))
    shown = text(logged_in(alice).get("/privacy/consent/").content)
    assert "purposes that are not defined here: telepathy." in shown


def test_the_ledger_shows_each_answer_with_its_evidence(alice: Staff, three: None) -> None:
    client = logged_in(alice)
    shown = text(client.get("/privacy/consent/ledger/").content)
    assert shown.index("taken back") < shown.index("email:ana@example.org")
    assert "email:ana@example.org News and offers, e-mail allowed" in shown
    assert "in a form, /register crm" in shown
    only = text(client.get("/privacy/consent/ledger/?state=withdrawn&purpose=profiling").content)
    assert "customer:3" in only
    assert "bo@example.org" not in only
    none = text(client.get("/privacy/consent/ledger/?how=banner").content)
    assert "No answer fits." in none
    person = people.person_id("customer:2")
    hers = text(client.get(f"/privacy/consent/ledger/?of={person}").content)
    assert "of Bo Berg" in hers
    assert "ana@example.org" not in hers


def test_the_ledger_goes_on_page_by_page(alice: Staff, say: Say) -> None:
    minute = dt.timedelta(minutes=1)
    say(
        *(
            said("granted", f"customer:{n}", "marketing", "email", ts=MONDAY + (n // 3) * minute)
            for n in range(120)
        )
    )
    client, url, found, pages = logged_in(alice), "/privacy/consent/ledger/?purpose=marketing", [], 0
    while url:
        page = client.get(url).content.decode()
        found += re.findall(r">(customer:\d+)<", page)
        after = re.search(r'href="([^"]*)" rel="next"', page)
        url, pages = html.unescape(after.group(1)) if after else "", pages + 1
    assert pages == 3
    assert sorted(found) == sorted(f"customer:{n}" for n in range(120))
    assert client.get("/privacy/consent/ledger/?before=x").status_code == 400


def test_a_purpose_is_defined_worded_and_switched_off(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    new = {
        "key": "club",
        "name": "Club",
        "meaning": "To tell members of the club what is new.",
        "legal_basis": "consent",
        "channels": ["email"],
        "expires_days": "730",
    }
    made = client.post("/privacy/consent/purposes/new/", new)
    assert made.headers["Location"] == "/privacy/consent/purposes/club/"
    again = client.post("/privacy/consent/purposes/new/", new)
    assert again.status_code == 400
    assert "There is a purpose" in text(again.content)
    client.post("/privacy/consent/purposes/club/wording/", {"language": "en", "text": "Tell me."})
    client.post("/privacy/consent/purposes/club/wording/", {"language": "en", "text": "Do tell me."})
    page = client.get("/privacy/consent/purposes/club/")
    assert [w.version for w in consent.wordings("club")] == ["en-2", "en-1"]
    assert "Do tell me." in text(page.content)
    edited = {"name": "The club", "meaning": "As before.", "channels": ["email", "sms"]}
    assert client.post("/privacy/consent/purposes/club/", edited).status_code == 302
    club = consent.purpose("club")
    assert (club.name, club.channels, club.expires_days, club.is_active) == (
        "The club",
        ("email", "sms"),
        None,
        False,
    )
    assert "off: nothing is allowed for it" in text(client.get("/privacy/consent/purposes/club/").content)
    bad = client.post("/privacy/consent/purposes/club/", {"name": "", "meaning": "x"})
    assert bad.status_code == 400


def test_topics_can_be_added_and_switched_off(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    client.post(
        "/privacy/consent/topics/", {"key": "races", "name": "Races", "meaning": "", "is_active": "on"}
    )
    client.post("/privacy/consent/topics/", {"key": "news", "name": "News", "meaning": ""})
    assert "races" in {t.key for t in consent.topics()}
    assert "news" not in {t.key for t in consent.topics()}


def test_a_colleague_notes_what_somebody_told_them(alice: Staff, bob: Staff, three: None) -> None:
    ana = people.person_id("customer:1")
    page = text(logged_in(bob).get(f"/person/{ana}/").content)
    assert "News and offers consent allowed e-mail not asked" in page
    note = {
        "identifier": "email:ana@example.org",
        "what": "marketing:email",
        "state": "withdrawn",
        "shown": "On the telephone",
    }
    done = logged_in(bob).post(f"/privacy/consent/told/{ana}/", note)
    assert done.headers["Location"] == f"/person/{ana}/#consent"
    assert consent.allows("customer:1", "marketing", "email").reason == "withdrawn"
    (row, *_rest) = consent.ledger("customer:1")
    assert (row.how, row.shown, row.source) == ("staff", "On the telephone (bob@example.com)", "staff")
    # Bob answers people; only who may change people may note that they allow something.
    assert (
        logged_in(bob).post(f"/privacy/consent/told/{ana}/", note | {"state": "granted"}).status_code == 403
    )
    assert not consent.allows("customer:1", "marketing", "email")
    with clock.frozen(clock.now() + dt.timedelta(seconds=5)):
        logged_in(alice).post(f"/privacy/consent/told/{ana}/", note | {"state": "granted"})
        assert consent.allows("customer:1", "marketing", "email")
    wrong = logged_in(alice).post(
        f"/privacy/consent/told/{ana}/", note | {"identifier": "email:bo@example.org"}
    )
    assert wrong.status_code == 400
    assert consent.allows("email:bo@example.org", "marketing", "email").reason == "withdrawn"


def test_a_suppression_is_shown_and_lifted_by_who_may(alice: Staff, bob: Staff, three: None) -> None:
    ana = people.person_id("customer:1")
    services.suppress("email:ana@example.org", "email", "bounced")
    services.state_preference("email:ana@example.org", "frequency", "weekly")
    page = text(logged_in(alice).get(f"/person/{ana}/").content)
    assert "nothing is sent email:ana@example.org , e-mail: messages came back" in page
    assert "At most once a week" in page
    ask = {"identifier": "email:ana@example.org", "channel": "email", "reason": "bounced"}
    assert logged_in(bob).post("/privacy/consent/lift/", ask).status_code == 403
    assert logged_in(alice).post("/privacy/consent/lift/", ask).status_code == 302
    assert consent.is_suppressed("email:ana@example.org", "email") is None


def test_only_who_may_see_privacy_sees_it(alice: Staff, bob: Staff, charlie: Staff, three: None) -> None:
    for staff in (bob, charlie):
        for url in ("", "people/?purpose=marketing&state=granted", "ledger/", "purposes/", "purposes/new/"):
            assert logged_in(staff).get(f"/privacy/consent/{url}").status_code == 403
    assert logged_in(charlie).post("/privacy/consent/told/1/", {}).status_code == 403
