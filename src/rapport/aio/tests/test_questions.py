"""The firm's questions are kept, changed, refused and removed."""

from __future__ import annotations

import pytest

from rapport.aio import rules, selectors, services
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound

pytestmark = pytest.mark.django_db

NEW = rules.Asked(
    "packing",
    "Packs without plastic",
    words={"en": {"yes": ["no plastic"], "no": [], "about": ["packaging"]}},
)


def test_a_question_is_kept_as_it_was_written() -> None:
    services.change_question(NEW, by="alice@example.com", is_new=True)
    kept = selectors.question("packing")
    assert (kept.title, kept.is_promise, kept.is_active) == ("Packs without plastic", True, True)
    assert kept.words == {"en": {"yes": ["no plastic"], "about": ["packaging"]}}
    with pytest.raises(Conflict):
        services.change_question(NEW, by="alice@example.com", is_new=True)
    services.remove_question("packing")
    with pytest.raises(NotFound):
        selectors.question("packing")
    with pytest.raises(NotFound):
        services.remove_question("packing")


def test_a_sensitive_question_is_refused_and_not_kept() -> None:
    before = selectors.questions()
    with pytest.raises(Denied, match="religious"):
        services.change_question(rules.Asked("faith_of", "Goes to church", words=NEW.words), by="a")
    assert selectors.questions() == before


def test_no_more_are_asked_than_there_may_be_scores_of() -> None:
    free = rules.ACTIVE_MAX - sum(q.is_active for q in selectors.questions())
    for n in range(free):
        services.change_question(
            rules.Asked(f"packing_{n}", "Packs without plastic", words=NEW.words), by="a"
        )
    with pytest.raises(Invalid, match="are asked already"):
        services.change_question(NEW, by="a")
    services.change_question(rules.Asked(NEW.key, NEW.title, True, NEW.words, (), is_active=False), by="a")
