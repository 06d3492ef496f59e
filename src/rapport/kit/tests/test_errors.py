"""Errors speak to a person: what happened, and what to do."""

from __future__ import annotations

import pytest

from rapport.kit import errors


@pytest.mark.parametrize(
    "kind", [errors.Invalid, errors.NotFound, errors.Denied, errors.Conflict, errors.Unavailable]
)
def test_every_kind_carries_both_sentences_and_is_caught_as_one(kind: type[errors.RapportError]) -> None:
    with pytest.raises(errors.RapportError) as caught:
        raise kind("the file is empty", "Send another.")
    assert caught.value.message == "the file is empty"
    assert caught.value.hint == "Send another."
    assert str(caught.value) == "the file is empty. Send another."


def test_without_a_hint_the_message_stands_alone() -> None:
    assert str(errors.NotFound("there is no such person")) == "there is no such person"


def test_unavailable_says_how_long_to_wait() -> None:
    assert errors.Unavailable("the lake is busy").retry_after_s == 1.0
    assert errors.Unavailable("the lake is busy", retry_after_s=30).retry_after_s == 30
