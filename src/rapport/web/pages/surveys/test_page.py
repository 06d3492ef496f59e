from __future__ import annotations

import json

from django.test import Client

from rapport.staff.models import Staff
from rapport.surveys import selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters
from rapport.web.conftest import Say, logged_in, touchpoint


def test_alice_begins_with_a_ready_one(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    assert "No survey yet." in client.get("/surveys/").content.decode()
    given = {"starter": "nps", "slug": "Spring-26", "main": "en", "languages": ["en", "de"]}
    begun = client.post("/surveys/new/", given)
    assert begun.headers["Location"] == "/surveys/spring-26/edit/"
    draft = selectors.survey("spring-26").draft
    assert draft.languages == ("en", "de")
    html = client.get("/surveys/").content.decode()
    assert "Would you recommend us?" in html
    assert "draft" in html


def test_an_address_that_is_none_or_taken_is_said_where_it_was_typed(alice: Staff, say: Say) -> None:
    client = logged_in(alice)
    for slug in ("no address", "inline", ""):
        refused = client.post("/surveys/new/", {"starter": "nps", "slug": slug, "main": "en"})
        assert refused.status_code == 400
        assert "cannot be a survey&#x27;s address" in refused.content.decode()
    client.post("/surveys/new/", {"starter": "nps", "slug": "a", "main": "en"})
    taken = client.post("/surveys/new/", {"starter": "nps", "slug": "a", "main": "en"})
    assert "already" in taken.content.decode()


def test_answers_from_elsewhere_can_be_taken_in(alice: Staff, say: Say) -> None:
    for n, answer in enumerate([9, 3, 10]):
        about = {"survey": "other-tool", "question": "recommend", "answer": str(answer)}
        say(touchpoint("survey_answered", f"email:p{n}@example.org", properties=about))
    about = {"survey": "other-tool", "question": "colour", "answer": "red"}
    say(touchpoint("survey_answered", "email:p0@example.org", properties=about))
    client = logged_in(alice)
    assert "other-tool" in client.get("/surveys/").content.decode()
    client.post("/surveys/take-in/", {"slug": "other-tool"})
    kinds = {q.key: q.kind for q in selectors.survey("other-tool").draft.questions}
    assert kinds["recommend"] == "nps"
    html = client.get("/surveys/other-tool/results/").content.decode()
    assert "67\u00a0% (2 of 3)" in html
    assert json.dumps("Answered elsewhere") not in client.get("/surveys/").content.decode()
    client.post("/surveys/take-in/", {"slug": "other-tool"})
    assert client.post("/surveys/take-in/", {"slug": "nowhere"}).status_code == 404


def test_bob_and_charlie_see_none_of_it(bob: Staff, charlie: Staff, say: Say) -> None:
    surveys.create("nps", starters.starter("nps", ["en"]).definition, by="alice")
    pages = ["", "new/", "nps/edit/", "nps/preview/", "nps/ask/", "nps/results/", "nps/answers/"]
    for staff in (bob, charlie):
        client = logged_in(staff)
        assert [client.get(f"/surveys/{page}").status_code for page in pages] == [403] * len(pages)
    assert Client().get("/surveys/").status_code == 302
