"""Results are read from the log: our own answers, corrections, and answers that came from elsewhere."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from rapport.consent import services as consent
from rapport.events import lake, services
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.surveys import selectors
from rapport.surveys import services as surveys
from rapport.surveys.selectors.resulting import scores_of
from rapport.surveys.tests.conftest import record, settle

Asked = Callable[..., str]


def told(n: int, country: str, **columns: Any) -> dict[str, Any]:
    traits = {"traits": {"country": country, "language": "en"}, "origin": "declared"}
    return {
        "message_id": f"p{n}", "name": "person_identified", "ts": clock.now(),
        "identifier": f"email:p{n}@example.org", "properties": json.dumps(traits), **columns,
    }  # fmt: skip


def answered(slug: str, n: int, recommend: int, why: str = "") -> None:
    response = surveys.begin(slug, identifier=f"email:p{n}@example.org")
    surveys.answer(response, 0, {"recommend": [str(recommend)]})
    surveys.answer(response, 1, {"why": [why]})


def read() -> Any:
    return consent.warrant("analytics", by="alice@example.com", why="results of a survey")


def test_results_count_what_was_said_last(asked: Asked) -> None:
    slug = asked()
    for n, score in enumerate([10, 9, 7, 3]):
        answered(slug, n, score, "fine" if score > 6 else "late")
    response = surveys.begin(slug)
    surveys.answer(response, 0, {"recommend": ["10"]})
    surveys.answer(response, 0, {"recommend": ["0"]})
    settle()
    found = selectors.results(slug, read())
    assert (found.n_people, found.n_responses, found.n_answers) == (5, 5, 9)
    recommend, why = found.questions
    assert recommend.estimate is not None
    assert (recommend.estimate.value, recommend.estimate.n) == (0.0, 5)  # two up, two down, one between
    assert scores_of(list(recommend.bars)) == {10: 1, 9: 1, 7: 1, 3: 1, 0: 1}
    assert (why.kind, why.n, why.n_said) == ("open", 4, 4)


def test_answers_from_elsewhere_count_beside_ours(asked: Asked) -> None:
    slug = asked()
    answered(slug, 0, 10)
    for n, score in ((1, 9), (2, 2)):
        about = {"survey": slug, "question": "recommend", "answer": str(score), "score": score}
        record(
            {
                "message_id": f"a{n}", "name": "survey_answered", "ts": clock.now(),
                "identifier": f"email:p{n}@example.org", "properties": json.dumps(about),
            }
        )  # fmt: skip
    (recommend,) = selectors.results(slug, read()).questions
    assert recommend.n == 3


def test_bars_lead_to_the_answers_and_the_people_behind_them(asked: Asked) -> None:
    slug = asked()
    for n, score in enumerate([10, 10, 3]):
        answered(slug, n, score, "Fast delivery" if score > 6 else "It came late")
    settle()
    rows = selectors.answers_page(slug, selectors.Chosen(question="recommend", answer="10"), read())
    assert {r.person for r in rows} == {people.person_id(f"email:p{n}@example.org") for n in (0, 1)}
    rows = selectors.answers_page(slug, selectors.Chosen(question="recommend", low=0, high=6), read())
    assert [r.score for r in rows] == [3]
    rows = selectors.answers_page(slug, selectors.Chosen(phrase="came late"), read())
    assert [r.said for r in rows] == ["It came late"]
    rows = selectors.answers_page(slug, selectors.Chosen(phrase="came lat"), read())
    assert rows == []
    first, second = (
        selectors.answers_page(slug, selectors.Chosen(), read(), limit=4, before=b) for b in (None, None)
    )
    assert first == second
    rest = selectors.answers_page(slug, selectors.Chosen(), read(), before=first[-1].seq)
    assert len(first) + len(rest) == 6


def test_who_objected_is_in_no_result(asked: Asked) -> None:
    slug = asked()
    for n in (0, 1):
        answered(slug, n, 10)
    settle()
    consent.withdraw("email:p0@example.org", "analytics", how="preference_page")
    assert selectors.results(slug, read()).n_people == 1


def test_choices_of_one_answer_count_each(asked: Asked) -> None:
    slug = asked("csat")
    response = surveys.begin(slug)
    surveys.answer(response, 0, {"satisfied": ["1"]})
    surveys.answer(response, 1, {"trouble": ["late", "broken"]})
    settle()
    trouble = selectors.results(slug, read()).questions[1]
    assert {b.answer: b.n for b in trouble.bars} == {"late": 1, "broken": 1}
    rows = selectors.answers_page(slug, selectors.Chosen(question="trouble", answer="broken"), read())
    assert len(rows) == 1


def test_who_answers_is_compared_with_who_might_have(asked: Asked) -> None:
    slug = asked()
    record(*(told(n, "ES" if n < 4 else "DE") for n in range(20)))
    for n in range(4):
        answered(slug, n, 9)
    settle()
    found = selectors.compared(slug, read())
    assert (found.base, found.n_answered, found.n_base) == ("everybody", 4, 20)
    countries = next(b for b in found.biases if b.dimension == "country").rows
    by_label = {d.label: d for d in countries}
    assert (by_label["ES"].answered_ratio, by_label["ES"].base_ratio) == (1.0, 0.2)
    assert by_label["ES"].is_notable
    # (1 - 0.2) over the root of half of 0 + 0.16
    assert by_label["ES"].standardised == pytest.approx(0.8 / 0.08**0.5)


def test_themes_are_what_tells_unhappy_texts_from_the_others(asked: Asked) -> None:
    slug = asked()
    texts = [
        "delivery was late again",
        "late delivery and no reply",
        "late, late, late",
        "so late",
        "late parcel",
    ]
    texts += ["great price", "great fit", "great and fast", "fast and great", "great shop"]
    for n, text in enumerate(texts):
        answered(slug, n, 2 if n < 5 else 10, text)
    settle()
    con = lake.connect()
    mood = "CASE WHEN contains(\"text\", 'late') THEN 'negative' ELSE 'positive' END"
    rows = con.execute(
        f"SELECT seq, subject, ts, n.name, CASE n.name WHEN 'language' THEN 'en' ELSE {mood} END AS label, 'm' AS model,"
        " '1' AS version FROM event, (VALUES ('language'), ('sentiment')) AS n(name) WHERE \"text\" IS NOT NULL"
    ).to_arrow_table()
    con.close()
    services.annotate(rows)
    settle()
    why = selectors.results(slug, read()).questions[1]
    found = {t.phrase: t for t in why.themes}
    assert found["late"].is_negative
    assert (found["late"].n, found["late"].n_negative) == (5, 5)
    assert not found["great"].is_negative
    assert "and" not in found
    assert sum(m.n_negative for m in why.moods) == 5


def test_months_have_their_own_figure(asked: Asked) -> None:
    slug = asked()
    for month, score in ((1, 10), (2, 0)):
        with clock.frozen(dt.datetime(2026, month, 5, tzinfo=dt.UTC)):
            answered(slug, month, score)
    settle()
    months = selectors.results(slug, read()).questions[0].months
    assert [(m.month, m.estimate.value) for m in months] == [
        (dt.date(2026, 1, 1), 100.0),
        (dt.date(2026, 2, 1), -100.0),
    ]


def test_response_view_tells_who_and_where(asked: Asked) -> None:
    slug = asked()
    seen = selectors.response(surveys.begin(slug, identifier="email:p0@example.org", place="mail"))
    assert (seen.survey, seen.place, seen.state) == (slug, "mail", "open")
