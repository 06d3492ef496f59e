"""Ana corrects what we know of her."""

from __future__ import annotations

import pytest
from django.test import Client

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.people import selectors as people
from rapport.staff.models import Staff
from rapport.web.conftest import Say, touchpoint

ANA = "email:ana@example.org"


@pytest.fixture
def form(alice: Staff, ana: int, say: Say) -> str:
    """The address of the form; of Ana, a model guessed a city."""
    guess = {"traits": {"city": "Vigo"}, "origin": "inferred", "confidence": 0.6}
    say(touchpoint("person_identified", "customer:1", properties=guess))
    return links.url_for(ANA, "correct").removeprefix(links.public_url())


def believed() -> dict[str, object]:
    return {t.name: t.chosen.value for t in people.own(ANA).traits}


def sent(**changed: str) -> dict[str, str]:
    """What the browser sends: every line as it was and as it is."""
    was = {name: str(value) for name, value in believed().items()}
    return {f"was_{n}": v for n, v in was.items()} | {f"is_{n}": v for n, v in (was | changed).items()}


def notes() -> list[tuple[str, str]]:
    return [(r.kind, r.note) for r in consent.open_requests()]


def test_what_she_types_holds_at_once(form: str) -> None:
    html = Client(enforce_csrf_checks=True).post(form, sent(name="Ana Ruiz Gil", city="Cádiz"), follow=True)
    assert "Noted: 2 things." in html.content.decode()
    assert (believed()["name"], believed()["city"]) == ("Ana Ruiz Gil", "Cádiz")
    assert people.person(ANA).display_name == "Ana Ruiz Gil"
    assert notes() == [("correction", "changed by the person: city, name")]


def test_a_guess_that_is_wrong_goes_to_a_person(form: str) -> None:
    html = Client().get(form).content.decode()
    assert html.count("We guess this.") == 1
    Client().post(form, sent() | {"guess": ["city", "name"], "note": "I moved last year."})
    assert notes() == [("correction", "calls the guess wrong: city\nI moved last year.")]
    assert believed()["city"] == "Vigo", "until somebody has looked at it"


def test_an_emptied_line_is_a_wish_to_have_it_removed(form: str) -> None:
    Client().post(form, sent(name=""))
    assert notes() == [("correction", "wants removed: name")]
    assert believed()["name"] == "Ana Ruiz"


def test_nothing_changed_is_no_request(form: str) -> None:
    assert "Nothing was different" in Client().post(form, sent(), follow=True).content.decode()
    assert notes() == []


@pytest.mark.parametrize(("typed", "told"), [("A" * 300, "at most 255 characters"), ("A\tB", "on one line")])
def test_what_cannot_be_kept_is_told_and_stays_typed(form: str, typed: str, told: str) -> None:
    answer = Client().post(form, sent(name=typed))
    html = answer.content.decode()
    assert answer.status_code == 400
    assert told in html
    assert typed in html
    assert 'aria-describedby="wrong_name"' in html
    assert believed()["name"] == "Ana Ruiz"


def test_of_a_stranger_nothing_can_be_corrected(form: str) -> None:
    url = links.url_for("email:nobody@example.org", "correct").removeprefix(links.public_url())
    assert "nothing to correct" in Client().get(url).content.decode()
    assert Client().post(url, {"is_name": "x"}).status_code == 200
    assert notes() == []
