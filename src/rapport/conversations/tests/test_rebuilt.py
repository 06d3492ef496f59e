"""Real support conversations are rebuilt exactly as their reply links say, whatever order they come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from rapport.bench import inbox

SOME = 400  # of the links; the bench takes all


@pytest.mark.shared
def test_care_conversations_are_rebuilt_as_their_links_say(home: Path, db: None, shared: Path) -> None:
    links = inbox.care_links(shared / "ibm_twitter_care" / "dev.json")
    assert inbox.gather(inbox.shuffled(links), batch=400) == inbox.components(links)


@pytest.mark.shared
def test_support_tweets_are_rebuilt_as_their_links_say(home: Path, db: None, shared: Path) -> None:
    links = inbox.twcs_links(shared / "twcs_spotify" / "support_requests.csv")
    some = links[:SOME]
    assert max(map(len, inbox.components(some))) > 4
    assert inbox.gather(inbox.shuffled(some), batch=300) == inbox.components(some)
