"""What a venue is called, by a card and by others."""

from __future__ import annotations

import pytest

from rapport.kit import registry
from rapport.listening import contract
from rapport.listening.services import sources
from rapport.venues import selectors
from rapport.venues.rules import cards


@pytest.mark.parametrize(
    ("said", "network", "key"),
    [
        ("reddit:r/cars", "reddit", "reddit:r/cars"),
        ("mastodon/social.example", "mastodon", "mastodon:social.example"),
        ("", "bluesky", "bluesky"),
        ("The corner shop", "", ""),
        ("a b", "reddit", "reddit"),
    ],
)
def test_a_venue_is_found_by_what_a_file_calls_it(said: str, network: str, key: str) -> None:
    assert cards.venue_of(said, network) == key


def test_whoever_answers_reviews_has_the_card_of_the_place() -> None:
    found = [sources.connector(name) for name in registry.plugins(contract.KIND)]
    stores = [one for one in found if one.terms.may_answer and one.terms.may_answer_unasked]
    assert len(stores) >= 4
    assert not [one.name for one in stores if one.network not in selectors.starting()]
    assert selectors.starting()["google_play"]["length_max"] == 350
