"""Answers in a file: who, for what, which way, when and on what evidence."""

from __future__ import annotations

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.tests.conftest import Read


def test_an_answer_names_somebody_a_purpose_and_a_state(read: Read) -> None:
    said = read(
        "consents",
        "identifier,purpose,channel,state,at,evidence,shop\n"
        "email:Ana@Example.org,Marketing,Email,granted,2025-04-05 10:30,newsletter form,Madrid\n"
        "phone:0034 600 111 222,marketing,sms,Opted out,2025-04-06,,\n"
        "mastodon:@Bo@Example.social,research,,no,2025-04-07,letter,\n",
    )
    ana, phone, bo = said.rows
    assert (ana["name"], ana["identifier"], ana["at_utc"]) == (
        "consent_granted",
        "email:ana@example.org",
        "2025-04-05 10:30:00",
    )
    assert said.properties(0) == {
        "purpose": "marketing",
        "channel": "email",
        "how": "import",
        "shown": "newsletter form",
        "shop": "Madrid",
    }
    assert (phone["name"], phone["identifier"]) == ("consent_withdrawn", "phone:+34600111222")
    assert (bo["name"], bo["identifier"]) == ("consent_denied", "mastodon:bo@example.social")
    assert "channel" not in said.properties(2)


def test_what_the_file_does_not_say_can_be_said_for_all_rows(read: Read) -> None:
    said = read(
        "consents",
        "customer number,e-mail,date\n7,ana@example.org,2025-04-05\n",
        options={"purpose": "marketing", "state": "subscribed", "channel": "email"},
    )
    assert said.rows[0]["identifier"] == "customer:7"
    assert said.rows[0]["also"] == ["email:ana@example.org"]
    assert said.rows[0]["name"] == "consent_granted"


@pytest.mark.parametrize(
    ("row", "reason", "field"),
    [
        ("ana@example.org,marketing,granted,2025-04-05", "bad_identifier", "identifier"),
        ("email:ana@example.org,marketing,perhaps,2025-04-05", "bad_state", "state"),
        ("email:ana@example.org,???,granted,2025-04-05", "bad_purpose", "purpose"),
        ("email:ana@example.org,,granted,2025-04-05", "missing", "purpose"),
        ("email:ana@example.org,marketing,,2025-04-05", "missing", "state"),
        ("email:ana@example.org,marketing,granted,", "missing", "at"),
        ("email:ana@example.org,marketing,granted,2125-04-05", "future", "at"),
        (",marketing,granted,2025-04-05", "no_identifier", "identifier"),
    ],
    ids=["identifier", "state", "purpose", "no-purpose", "no-state", "no-time", "future", "nobody"],
)
def test_a_row_that_cannot_be_an_answer_is_refused_by_name(
    read: Read, row: str, reason: str, field: str
) -> None:
    good = "email:bo@example.org,marketing,granted,2025-04-05\n"
    said = read("consents", f"identifier,purpose,state,at\n{good}{row}\n")
    assert said.reasons == [(3, reason, field)]
    assert len(said.rows) == 1


def test_a_file_without_a_purpose_says_what_is_missing(read: Read) -> None:
    with pytest.raises(Invalid, match="purpose"):
        read("consents", "identifier,state,at\nemail:bo@example.org,granted,2025-04-05\n")
