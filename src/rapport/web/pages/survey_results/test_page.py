from __future__ import annotations

import csv
import io
import re

import pytest
from django.test import Client

from rapport.consent import services as consent
from rapport.staff.models import Staff
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters
from rapport.surveys.tests.conftest import settle
from rapport.web.conftest import Say, identified, logged_in


@pytest.fixture
def client(alice: Staff, say: Say) -> Client:
    surveys.create("nps", starters.starter("nps", ["en"]).definition, by="alice")
    surveys.publish("nps", by="alice")
    for n, (score, why) in enumerate([(10, "Fast <and> good"), (9, ""), (2, "=late()")]):
        say(identified(f"email:p{n}@example.org", name=f"Person {n}", country="ES" if n else "DE"))
        response = surveys.begin("nps", identifier=f"email:p{n}@example.org")
        surveys.answer(response, 0, {"recommend": [str(score)]})
        surveys.answer(response, 1, {"why": [why]})
    settle()
    return logged_in(alice)


def test_figures_have_intervals_and_every_bar_leads_to_answers(client: Client) -> None:
    html = client.get("/surveys/nps/results/").content.decode()
    assert "likely +33" in html
    assert "Margin of error ±" in html
    assert "Promoters (9, 10): 67\u00a0% (2 of 3)" in html
    links = re.findall(r'href="(/surveys/nps/answers/\?[^"]+)"', html)
    assert any("low=2" in link for link in links)
    behind = client.get("/surveys/nps/answers/?question=recommend&low=9&high=10").content.decode()
    assert "Person 0" in behind
    assert "Person 1" in behind
    assert "Person 2" not in behind
    said = client.get("/surveys/nps/answers/?question=why").content.decode()
    assert "Fast &lt;and&gt; good" in said
    assert "No answer fits." in client.get("/surveys/nps/answers/?phrase=nothing").content.decode()


def test_who_answered_stands_beside_who_might_have(client: Client) -> None:
    page = client.get("/surveys/nps/results/bias/").content.decode()
    assert "so they stand beside all 3 people we know" in page
    assert "67\u00a0% (2 of 3)" in page
    fragment = client.get("/surveys/nps/results/bias/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment


def test_answers_leave_for_a_purpose_only_and_marked(client: Client) -> None:
    consent.grant("email:p0@example.org", "research", how="form", shown="test")
    taken = client.post("/surveys/nps/results/export/", {"purpose": "research", "why": "a study"})
    body = b"".join(taken.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(body)))
    assert {row["question"] for row in rows} == {"recommend", "why"}
    assert len(rows) == 2  # of the one who allows research
    assert len({row["ref"] for row in rows}) == 1
    everybody = client.post("/surveys/nps/results/export/", {"purpose": "analytics", "why": "a study"})
    text = b"".join(everybody.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=late()" in text  # no spreadsheet takes it for a formula
    assert (
        client.post("/surveys/nps/results/export/", {"purpose": "marketing", "why": "x"}).status_code == 400
    )
    assert client.post("/surveys/nps/results/export/", {"purpose": "analytics", "why": ""}).status_code == 400


def test_nobody_has_answered_is_a_sentence_with_the_next_step(alice: Staff, say: Say) -> None:
    surveys.create("ces", starters.starter("ces", ["en"]).definition, by="alice")
    html = logged_in(alice).get("/surveys/ces/results/").content.decode()
    assert "Nobody has answered yet." in html
