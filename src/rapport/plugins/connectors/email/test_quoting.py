"""What somebody wrote is told from what they quote, and from what ends all their mail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.plugins.connectors.email import quoting


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Hello\n\nmy lamp broke.", "Hello\n\nmy lamp broke."),
        ("Thanks!\n\nOn Mon, 2 Mar 2026 at 12:00, Otter <shop@otter.example> wrote:\n> Try this.\n> Bye", "Thanks!"),
        ("Thanks!\n\nOn Mon, 2 Mar 2026 at 12:00, Otter Lanterns\n<shop@otter.example> wrote:\n\n> Try this.", "Thanks!"),
        ("Danke!\n\nAm 02.03.2026 um 12:00 schrieb Otter:\n> Versuchen Sie das.", "Danke!"),
        ("Merci\n\nLe lun. 2 mars 2026 à 12:00, Otter a écrit :\n> Essayez.", "Merci"),
        ("Gracias\n\nEl lun, 2 mar 2026 a las 12:00, Otter escribió:\n> Pruebe.", "Gracias"),
        ("고마워요\n\n2026년 3월 2일 (월) 오후 9:00, Otter님이 작성:\n> 해 보세요", "고마워요"),
        ("Fine.\n\n-----Original Message-----\nFrom: shop\nSent: Monday\n\nTry this.", "Fine."),
        ("Gut.\n\nVon: Otter <shop@otter.example>\nGesendet: Montag, 2. März 2026 12:00\nAn: Ana\n\nAlter Text", "Gut."),
        ("Yes.\n\n________________________________\nFrom: shop\n\nTry this.", "Yes."),
        ("> Try this.\n\nThat worked, thank you.", "That worked, thank you."),
        ("Hello\n-- \nAna Maker\nHarbour 7", "Hello"),
        ("Hello\n\nSent from my iPhone", "Hello"),
        ("Hallo\n\nGesendet von meinem Telefon\n\nAm 2.3.26 schrieb Otter:\n> alt", "Hallo"),
        ("> Is it the switch?\nNo.\n> Is it the wick?\nYes, the wick.",
         "> Is it the switch?\nNo.\n> Is it the wick?\nYes, the wick."),
        ("> only a quotation", "> only a quotation"),
        ("From: my point of view this is bad.", "From: my point of view this is bad."),
        ("I wrote on Monday that he wrote:\nnothing came.", "I wrote on Monday that he wrote:\nnothing came."),
        ("", ""),
    ],
)  # fmt: skip
def test_what_is_new_is_told_from_what_is_quoted(text: str, own: str) -> None:
    assert quoting.parts(text).text == own


def test_what_is_cut_can_still_be_reached() -> None:
    parts = quoting.parts("Thanks!\n-- \nAna\n\nOn Mon, 2 Mar 2026, Otter wrote:\n> Try this.")
    assert (parts.text, parts.signature) == ("Thanks!", "-- \nAna".replace(" \n", "\n"))
    assert parts.quoted == "On Mon, 2 Mar 2026, Otter wrote:\n> Try this."


WORDS = st.text(alphabet="ab >-:\nwroteOn", max_size=120)


@given(WORDS)
def test_no_word_is_lost(text: str) -> None:
    parts = quoting.parts(text)
    whole = parts.text + parts.quoted + parts.signature
    assert sorted(c for c in whole if c.isalnum()) == sorted(c for c in text if c.isalnum())


@given(WORDS)
def test_there_is_something_new_where_there_are_words(text: str) -> None:
    assert (
        bool(quoting.parts(text).text) or not any(c.isalnum() for c in text) or quoting.parts(text).signature
    )
