from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from rapport.insights import services as insights
from rapport.people import selectors as people
from rapport.personas import selectors
from rapport.personas.rules import Moved, Profile, lift
from rapport.staff.models import Staff
from rapport.staff.rules import Right
from rapport.web.components import personawords
from rapport.web.conftest import MONDAY, Say, logged_in, touchpoint
from rapport.web.pages.personas import page as personas_page

EACH = 40


@pytest.fixture
def quick() -> Iterator[None]:
    """The model looks for few personas, a few times."""
    insights.parameters_from("persona", lambda: {**selectors.parameters(), "refits": 3, "most": 3})
    yield
    insights.parameters_from("persona", selectors.parameters)


def market() -> list[dict[str, Any]]:
    """Half buy tyres by app, half wax in the shop; some of the latter let us ask for their opinion and tell it."""
    rows = []
    for who in range(2 * EACH):
        goods, channel = (("tyres", "oil"), "app") if who % 2 else (("wax", "racks"), "shop")
        for k in range(3):
            items = [{"category": goods[(who // 2 + k) % 2], "unit_price_minor": 1000, "quantity": 1}]
            rows.append(
                touchpoint(
                    "order_placed", f"customer:{who}", ts=MONDAY - dt.timedelta(days=100 - 30 * k), channel=channel,
                    value_minor=1000, currency="EUR", properties={"order_id": f"{who}-{k}", "items": items},
                )
            )  # fmt: skip
        if who % 4 == 0:
            told = {"purpose": "research", "channel": "email", "how": "form"}
            rows.append(touchpoint("consent_granted", f"customer:{who}", properties=told))
        said = "the grip of these wheels" if who % 2 else "the shine of <b>this</b> polish"
        rows.append(
            touchpoint("survey_answered", f"customer:{who}", text=f"What I like is {said}, says {who}.",
                       properties={"survey": "nps"})
        )  # fmt: skip
    return rows


def found() -> None:
    (done,) = insights.run(["persona"])
    assert done.state == "done", done.error


def key_of(who: int) -> str:
    scores = people.person(people.person_id(f"customer:{who}")).scores
    return next(s.label for s in scores if s.name == "persona")


def test_before_the_model_has_run_the_page_says_what_to_do(
    alice: Staff, bob: Staff, charlie: Staff, say: Say
) -> None:
    html = logged_in(alice).get("/personas/").content.decode()
    assert "No personas have been looked for yet." in html
    assert "/insights/persona/" in html
    assert logged_in(charlie).get("/personas/").status_code == 403
    say(touchpoint("order_placed", "customer:1", properties={"order_id": "1"}))
    found()
    html = logged_in(alice).get("/personas/").content.decode()
    assert "There are no stable personas in these people." in html
    assert "Personas are looked for among 60 or more." in html
    assert logged_in(alice).get("/personas/p1/").status_code == 404
    assert logged_in(bob).get("/personas/").status_code == 403, "who answers has no need of them"


def test_from_the_list_to_a_card_to_its_people_and_its_segment(
    alice: Staff, say: Say, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*market())
    found()
    key = key_of(0)
    client = logged_in(alice)
    listed = client.get("/personas/").content.decode()
    assert "2 personas of 80 people" in listed
    assert "come back when people are drawn anew" in listed
    assert f'href="/personas/{key}/"' in listed
    page = client.get(f"/personas/{key}/").content.decode()
    assert "orders in the shop" in page
    assert "Wax and racks, in the shop" in page or "Racks and wax, in the shop" in page
    assert "2.0×" in page
    assert "&lt;b&gt;this&lt;/b&gt;" in page, "what people write is shown as written"
    assert "shine" in page
    assert "who said it" in page
    everybody = client.get(f"/personas/{key}/people/").content.decode()
    assert "40 people" in everybody
    assert everybody.count("data-row") == 40
    assert f"/person/{people.person_id('customer:0')}/" in everybody
    named = people.person(people.person_id("customer:0")).display_name
    assert named in everybody
    with monkeypatch.context() as patched:
        patched.setattr(personas_page, "may", lambda _request, right: right is not Right.SEE_PEOPLE)
        nameless = client.get(f"/personas/{key}/people/").content.decode()
    assert nameless.count("data-row") == 40
    assert named not in nameless
    person = client.get(f"/person/{people.person_id('customer:0')}/").content.decode()
    assert f'<a href="/personas/{key}/">' in person
    assert "(fit 100" in person or "(fit 9" in person
    made = client.post(f"/personas/{key}/segment/")
    assert made.status_code == 302
    assert made["Location"] == f"/segment/persona-{key}/" or f"persona-{key}" in made["Location"]
    assert "To its segment" in client.get(f"/personas/{key}/").content.decode()
    saved = client.post(
        f"/personas/{key}/write/", {"name": "Polishers <i>", "note": "Ask them."}, follow=True
    )
    html = saved.content.decode()
    assert "Polishers &lt;i&gt;" in html
    assert "Ask them." in html
    assert "Saved. It keeps this when personas are found anew." in html
    wrong = client.post(f"/personas/{key}/write/", {"name": "x" * 121, "note": ""})
    assert wrong.status_code == 400
    assert "121" in wrong.content.decode()
    assert selectors.names() == {key: "Polishers <i>"}


def test_a_page_of_one_person_and_home_read_no_other_members(
    alice: Staff, say: Say, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*market())
    found()
    key = key_of(0)
    client = logged_in(alice)
    client.post(f"/personas/{key}/write/", {"name": "Polishers", "note": ""})

    def read(_present: object) -> None:
        pytest.fail("everybody's personas are read")

    monkeypatch.setattr(importlib.import_module("rapport.personas.selectors.members"), "_read", read)
    assert selectors.moved() == []
    assert personawords.name_of_key(key) == "Polishers"
    assert personawords.name_of_key("p77") == "p77"
    page = client.get(f"/person/{people.person_id('customer:0')}/")
    assert page.status_code == 200
    figures = [*page.context["figures"], *(f for model in page.context["models"] for f in model.figures)]
    said = {f"{f.value} {f.note}" for f in figures if f.score.name == selectors.MODEL}
    assert said
    assert all("Polishers" in one and key not in one.split() for one in said)


def test_who_may_not_see_changes_nothing(alice: Staff, bob: Staff, charlie: Staff) -> None:
    del alice
    for staff in (bob, charlie):
        client = logged_in(staff)
        assert client.get("/personas/p1/").status_code == 403
        assert client.get("/personas/p1/people/").status_code == 403
        assert client.post("/personas/p1/write/", {"name": "x", "note": ""}).status_code == 403
        assert client.post("/personas/p1/segment/").status_code == 403


def test_home_says_which_persona_moved(alice: Staff, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    del say
    one = lift("bought", "oil", 100, 200, 200, 1000)
    profile = Profile(0.32, 0.3, 0.34, 5, 0.7, 0.8, lifts=(one,))
    card = selectors.CardView(
        key="p1", name="", note="", changed_by="", changed_at=None, first_found_at=MONDAY, found_at=MONDAY, n=318,
        n_found=320, profile=profile, moved=Moved(0.2, 0.32, True, 0.1), is_current=True, is_new=False,
    )  # fmt: skip
    monkeypatch.setattr(selectors, "moved", lambda: [card])
    html = logged_in(alice).get(reverse("home_news")).content.decode()
    assert 'href="/personas/p1/"' in html
    assert "Persona “Oil” grew from 20" in html
    assert "318 people" in html
