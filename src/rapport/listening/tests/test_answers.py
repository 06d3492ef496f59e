"""Answers in a file: to what, whose, what, when."""

from __future__ import annotations

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.tests.conftest import Read


def test_a_number_a_choice_and_words_each_go_where_they_belong(read: Read) -> None:
    said = read(
        "answers",
        "survey,question,identifier,answer,at,branch\n"
        "NPS 2025,recommend,email:Ana@Example.org,9,2025-04-05 10:30,Madrid\n"
        "NPS 2025,visited,email:ana@example.org,in the shop,2025-04-05 10:30,\n"
        "NPS 2025,why,email:ana@example.org,Because it came one day early.,2025-04-05 10:30,\n"
        'NPS 2025,mean,email:bo@example.org,"4,5",2025-04-06,\n',
    )
    number, choice, words, mean = said.rows
    assert {row["name"] for row in said.rows} == {"survey_answered"}
    assert (number["identifier"], number["at_utc"]) == ("email:ana@example.org", "2025-04-05 10:30:00")
    assert said.properties(0) == {
        "survey": "nps-2025",
        "question": "recommend",
        "answer": "9",
        "score": 9.0,
        "branch": "Madrid",
    }
    assert said.properties(1) == {"survey": "nps-2025", "question": "visited", "answer": "in the shop"}
    assert choice["text"] is None
    assert words["text"] == "Because it came one day early."
    assert "answer" not in said.properties(2)
    assert said.properties(3)["score"] == 4.5
    assert mean["text"] is None


def test_a_comment_is_a_text_beside_its_answer(read: Read) -> None:
    said = read(
        "answers",
        "e-mail,score,comment,answered_at\nana@example.org,3,late,2025-04-05\n",
        options={"survey": "csat"},
    )
    assert (said.rows[0]["identifier"], said.rows[0]["text"]) == ("email:ana@example.org", "late")
    assert said.properties(0) == {"survey": "csat", "answer": "3", "score": 3.0}


@pytest.mark.parametrize(
    ("row", "reason", "field"),
    [
        ("???,q,email:ana@example.org,9,2025-04-05", "bad_survey", "survey"),
        ("nps,q,ana,9,2025-04-05", "bad_identifier", "identifier"),
        ("nps,q,,9,2025-04-05", "no_identifier", ""),
        ("nps,q,email:ana@example.org,,2025-04-05", "missing", "answer"),
        ("nps,q,email:ana@example.org,9,then", "bad_time", "at"),
    ],
)
def test_a_bad_row_is_named_with_its_reason(read: Read, row: str, reason: str, field: str) -> None:
    good = "nps,recommend,email:bo@example.org,8,2025-04-05"
    said = read("answers", f"survey,question,identifier,answer,at\n{good}\n{row}\n")
    assert len(said.rows) == 1
    (bad,) = said.summary.bad_rows
    assert (bad.line, bad.reason) == (3, reason)
    assert not field or bad.field == field


def test_a_file_without_a_survey_is_asked_for_one(read: Read) -> None:
    with pytest.raises(Invalid, match="survey"):
        read("answers", "identifier,answer,at\nemail:bo@example.org,8,2025-04-05\n")
