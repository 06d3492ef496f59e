"""What a venue is called, by a card and by others."""

from __future__ import annotations

import pytest

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
