"""Each page is kept at once, corrections replace, registration tells a trait and gives back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from rapport.kit import clock
from rapport.kit.errors import Conflict, NotFound
from rapport.people import selectors as people
from rapport.surveys import rules, selectors
from rapport.surveys import services as surveys
from rapport.surveys.rules.logic import ASKING
from rapport.surveys.tests.conftest import logged, record

Asked = Callable[..., str]
ANA = "email:ana@example.org"


def answers(entry: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in json.loads(entry["properties"]).items() if k in {"question", "answer", "score"}}


def test_a_page_is_kept_before_the_next_is_asked(asked: Asked) -> None:
    slug = asked()
    response = surveys.begin(slug, identifier=ANA, language="de")
    standing = surveys.answer(response, 0, {"recommend": ["9"]})
    assert (standing.state, standing.walk.outcome) == ("open", ASKING)
    (entry,) = logged()
    assert (entry["name"], entry["identifier"]) == ("survey_answered", ANA)
    assert answers(entry) == {"question": "recommend", "answer": "9", "score": 9.0}
    assert selectors.response(response).answers == {"recommend": 9}


def test_words_go_into_the_text_where_models_read_them(asked: Asked) -> None:
    response = surveys.begin(asked(), identifier=ANA)
    surveys.answer(response, 0, {"recommend": ["3"]})
    assert surveys.answer(response, 1, {"why": ["It came late.\n"]}).state == "finished"
    entry = logged()[1]
    assert entry["text"] == "It came late."
    assert answers(entry) == {"question": "why"}
    (end,) = logged(("survey_ended",))
    assert json.loads(end["properties"])["outcome"] == "finished"


def test_going_back_corrects_and_does_not_double(asked: Asked) -> None:
    response = surveys.begin(asked(), identifier=ANA)
    surveys.answer(response, 0, {"recommend": ["9"]})
    surveys.answer(response, 0, {"recommend": ["9"]})  # the same page sent twice
    surveys.answer(response, 0, {"recommend": ["4"]})
    surveys.answer(response, 0, {"recommend": ["4"]})
    entries = logged()
    assert [(e["name"], answers(e)["answer"]) for e in entries] == [
        ("survey_answered", "9"),
        ("answer_corrected", "4"),
    ]
    assert selectors.response(response).answers == {"recommend": 4}


def test_an_answer_off_the_way_is_taken_back_at_the_end(asked: Asked) -> None:
    response = surveys.begin(asked("csat"), identifier=ANA)
    surveys.answer(response, 0, {"satisfied": ["2"]})
    surveys.answer(response, 1, {"trouble": ["late", "broken"]})
    surveys.answer(response, 0, {"satisfied": ["5"]})  # now nobody asks what went wrong
    surveys.answer(response, 2, {"words": [""]})
    assert set(selectors.response(response).answers) == {"satisfied", "words"}
    assert [(e["name"], answers(e).get("answer")) for e in logged()] == [
        ("survey_answered", "2"),
        ("survey_answered", '["late", "broken"]'),
        ("answer_corrected", "5"),
        ("answer_corrected", None),
    ]


def test_a_page_that_cannot_be_taken_says_why_of_each_question(asked: Asked) -> None:
    response = surveys.begin(asked(), identifier=ANA)
    for raw, code in (
        ({}, "required"),
        ({"recommend": ["11"]}, "not_offered"),
        ({"recommend": ["1", "2"]}, "not_offered"),
    ):
        with pytest.raises(surveys.Refused) as refused:
            surveys.answer(response, 0, raw)
        assert refused.value.wrong["recommend"].code == code
    with pytest.raises(Conflict):
        surveys.answer(response, 1, {"why": ["before its turn"]})
    assert selectors.response(response).answers == {}


def test_the_same_person_goes_on_where_they_stopped(asked: Asked) -> None:
    slug = asked(recontact_days=30)
    with clock.frozen(dt.datetime(2026, 3, 2, tzinfo=dt.UTC)):
        first = surveys.begin(slug, identifier=ANA)
        surveys.answer(first, 0, {"recommend": ["9"]})
        assert surveys.begin(slug, identifier=ANA) == first
        surveys.answer(first, 1, {"why": [""]})
        assert surveys.begin(slug, identifier=ANA) == first
        with pytest.raises(Conflict):
            surveys.answer(first, 0, {"recommend": ["1"]})
    with clock.frozen(dt.datetime(2026, 4, 2, tzinfo=dt.UTC)):
        assert surveys.begin(slug, identifier=ANA) != first


def test_without_a_link_of_ones_own_nobody_is_joined(asked: Asked) -> None:
    slug = asked()
    one, other = surveys.begin(slug), surveys.begin(slug)
    who = [selectors.response(r).identifier for r in (one, other)]
    assert who[0] != who[1]
    assert all(w.startswith("anonymous:s-") for w in who)


def test_registration_asks_one_thing_tells_the_trait_and_gives_back_at_once(asked: Asked) -> None:
    slug = asked("registration", recontact_days=0)
    first = surveys.begin(slug, identifier=ANA)
    standing = surveys.answer(first, 0, {"birthday": ["1990-05-17"]})
    assert standing.state == "finished"  # one thing at a time
    assert [g.text["en"] for g in standing.gives] == ["Thank you. A present waits for you on that day."]
    logged()
    (trait,) = (t for t in people.person(ANA).traits if t.name == "birth_date")
    assert (trait.chosen.value, trait.chosen.origin) == ("1990-05-17", "declared")
    with clock.frozen(clock.now() + dt.timedelta(days=1)):
        second = surveys.begin(slug, identifier=ANA)
        assert selectors.response(second).walk.keys == ("heard",)  # what is known is not asked


def test_what_an_import_declared_is_not_asked_either(asked: Asked) -> None:
    traits = {"traits": {"birth_date": "1980-01-01"}, "origin": "declared"}
    record(
        {
            "message_id": "1", "name": "person_identified", "ts": clock.now(), "identifier": "customer:1",
            "also": [ANA], "evidence": "import", "properties": json.dumps(traits),
        }
    )  # fmt: skip
    response = surveys.begin(asked("registration"), identifier=ANA)
    assert selectors.response(response).walk.keys == ("heard",)


def test_closed_surveys_take_nothing_and_say_why(asked: Asked) -> None:
    closes_at = clock.now() + dt.timedelta(days=1)
    slug = asked(closes_at=closes_at)
    response = surveys.begin(slug)
    surveys.pause(slug)
    assert selectors.asked(slug).closed == "paused"
    with pytest.raises(Conflict):
        surveys.answer(response, 0, {"recommend": ["9"]})
    surveys.open_again(slug)
    with clock.frozen(closes_at):
        assert selectors.asked(slug).closed == "over"
        with pytest.raises(Conflict):
            surveys.begin(slug)
    surveys.answer(response, 0, {"recommend": ["9"]})
    with pytest.raises(NotFound):
        surveys.begin("elsewhere")


def test_what_is_published_never_changes(asked: Asked) -> None:
    slug = asked()
    response = surveys.begin(slug)
    surveys.edit(slug, lambda d: dataclasses.replace(d, questions=d.questions[:1]))
    assert len(selectors.response(response).definition.questions) == 2
    assert surveys.publish(slug, by="alice") == 2
    assert surveys.publish(slug, by="alice") == 2  # nothing new in it
    assert len(selectors.response(response).definition.questions) == 2
    surveys.answer(response, 0, {"recommend": ["9"]})
    assert len(selectors.asked(slug).definition.questions) == 1


def test_nothing_is_published_that_lacks_something(asked: Asked) -> None:
    asked()
    blank = rules.Definition(languages=("en",))
    surveys.create("blank", blank, by="alice")
    with pytest.raises(Conflict):
        surveys.publish("blank", by="alice")
    with pytest.raises(NotFound):
        selectors.asked("blank")
