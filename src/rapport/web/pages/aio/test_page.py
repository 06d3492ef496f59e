"""What people stand for on screen: counts that lead to people, questions that are refused, one click: not so."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from rapport.aio import selectors, services
from rapport.consent import links
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.staff.models import Staff
from rapport.web.conftest import MONDAY, Say, identified, logged_in, touchpoint

LATE = "My tyres arrived two weeks late."
MAIL = "email:ana@example.org"


@pytest.fixture
def late(say: Say) -> int:
    """Ana, who wrote that her order was late."""
    with clock.frozen(MONDAY + dt.timedelta(days=1)):
        say(
            identified("customer:1", MAIL, name="Ana Ruiz"),
            touchpoint("message_received", "customer:1", channel="email", text=LATE),
        )
        services.refresh()
    return people.person_id("customer:1")


def test_before_the_first_refresh_it_says_what_to_do(alice: Staff) -> None:
    html = logged_in(alice).get("/aio/").content.decode()
    assert "Nothing has been worked out yet." in html


def test_shares_have_intervals_and_lead_to_the_people(alice: Staff, late: int) -> None:
    client = logged_in(alice)
    html = client.get("/aio/").content.decode()
    assert "Delivers when promised" in html
    assert "0\u00a0% to 79\u00a0%" in html
    link = "/people/?score=opinion%3Aon_time&amp;label=against"
    assert link in html
    assert "Ana Ruiz" in client.get(link.replace("&amp;", "&")).content.decode()
    assert f"/person/{late}/" in client.get(link.replace("&amp;", "&")).content.decode()


def test_who_may_not_see_it_is_told(charlie: Staff, bob: Staff) -> None:
    assert logged_in(charlie).get("/aio/").status_code == 403
    assert logged_in(bob).get("/aio/questions/new/").status_code == 403


def test_a_person_shows_the_quotation_and_one_click_takes_it_out(alice: Staff, late: int) -> None:
    client = logged_in(alice)
    with clock.frozen(MONDAY + dt.timedelta(days=1)):
        html = client.get(f"/person/{late}/").content.decode()
        assert f"“{LATE}”" in html
        assert "clearly against" in html or "rather against" in html
        sent = {"person": str(late), "kind": "opinion", "about": "on_time"}
        html = client.post("/aio/wrong/", sent, follow=True).content.decode()
        assert f"“{LATE}”" not in html
        assert "alice@example.com says that this is not so." in html
        mine = links.url_for(MAIL, "everything").removeprefix(links.public_url())
        page = Client().get(mine).content.decode()
        assert "called wrong" in page
        assert "You said that this is wrong." not in page, "staff said it"
        client.post("/aio/back/", sent)
        services.refresh()
        assert f"“{LATE}”" in client.get(f"/person/{late}/").content.decode()


def test_the_person_sees_it_and_calls_it_wrong(alice: Staff, late: int) -> None:
    with clock.frozen(MONDAY + dt.timedelta(days=1)):
        url = {
            page: links.url_for(MAIL, page).removeprefix(links.public_url())
            for page in ("everything", "correct")
        }
        html = Client().get(url["everything"]).content.decode()
        assert LATE in html
        assert "Delivers when promised" in html
        form = Client().get(url["correct"]).content.decode()
        assert 'name="statement" value="opinion:on_time"' in form
        answer = Client().post(
            url["correct"], {"statement": ["opinion:on_time", "opinion:nothing"]}, follow=True
        )
        assert "Noted: 1 thing" in answer.content.decode()
        services.refresh()
        assert [v.state for v in selectors.of_person(late)] == ["said_wrong"]
        assert "You said that this is wrong." in Client().get(url["everything"]).content.decode()
        shown = logged_in(alice).get(f"/person/{late}/").content.decode()
        assert "They say that this is not so." in shown
        assert "Take back" not in shown, "it is theirs"


def test_a_question_is_written_changed_and_removed(alice: Staff, say: Say) -> None:
    say(
        touchpoint(
            "survey_answered",
            "customer:9",
            properties={"survey": "s", "question": "speed", "asked": "Fast?", "score": 4},
        )
    )
    client = logged_in(alice)
    sent = {
        "title": "Packs without plastic", "is_promise": "no", "is_active": "yes", "yes_en": "no plastic\n\nno plastic ",
        "question": ["speed"], "asks": ["0"], "low_0": "1", "high_0": "5",
    }  # fmt: skip
    assert "Fast?" in client.get("/aio/questions/new/").content.decode()
    html = client.post("/aio/questions/new/", sent, follow=True).content.decode()
    assert "Packs without plastic" in html
    kept = selectors.question("packs_without_plastic")
    assert (kept.is_promise, kept.words, kept.answers[0].high) == (False, {"en": {"yes": ["no plastic"]}}, 5)
    assert "no plastic" in client.get("/aio/questions/packs_without_plastic/").content.decode()
    client.post("/aio/questions/packs_without_plastic/", sent | {"title": "Packs without foil"})
    assert selectors.question("packs_without_plastic").title == "Packs without foil"
    client.post("/aio/questions/packs_without_plastic/remove/")
    assert "packs_without_plastic" not in {q.key for q in selectors.questions()}


def test_a_question_about_health_is_refused_with_the_reason(alice: Staff, say: Say) -> None:
    del say
    sent = {"title": "Is pregnant", "is_promise": "no", "is_active": "yes", "yes_en": "bought pram"}
    answer = logged_in(alice).post("/aio/questions/new/", sent)
    html = answer.content.decode()
    assert answer.status_code == 400
    assert "health, article 9" in html
    assert 'value="Is pregnant"' in html, "what was typed stays"
    assert "is_pregnant" not in {q.key for q in selectors.questions()}


def test_a_refresh_is_put_in_the_queue_once(alice: Staff) -> None:
    from django_tasks_db.models import DBTaskResult

    client = logged_in(alice)
    for _ in range(2):
        client.post("/aio/refresh/")
    assert DBTaskResult.objects.filter(task_path__endswith=".refresh_statements").count() == 1
