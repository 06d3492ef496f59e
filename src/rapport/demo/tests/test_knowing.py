"""Help requests of the market find what the shop knows about them, and nothing of the market's own words is in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from rapport.demo import knowing
from rapport.knowledge import selectors, services

pytestmark = pytest.mark.django_db
LEXICON = Path(knowing.__file__).parent / "lexicon"
WANTED = {
    "My Corvo Brisa only clicks when I turn the key. Is it the battery?": "wont-start",
    "My new wipers judder on the windscreen, how do I fix that?": "wipers-judder",
    "The steering wheel shakes when I brake from 120, warped discs?": "brakes-noise",
    "Can I mix pink and blue antifreeze?": "coolant",
    "How do I reach the low beam bulb on a Halden Tern? My hands are too big.": "bulbs",
    "Can I return the cabin filter in a shop if I ordered online?": "return",
    "5W-30 oder 5W-40 für einen Corvo Brisa mit 90.000 km?": "oil-which",
}


def test_help_requests_of_the_market_find_their_entry() -> None:
    assert knowing.publish() == knowing.publish() >= 12
    found = {q: [p.key for p in services.propose(q).proposals] for q in WANTED}
    assert [q for q, key in WANTED.items() if key not in found[q]] == []
    assert sum(found[q][0] == key for q, key in WANTED.items()) >= len(WANTED) - 1
    asks = services.propose("My car only clicks when I turn the key. Is it the battery?").asks
    assert asks is not None
    assert asks.slot == "vehicle"
    assert [n.state for n in selectors.notices()] == ["published"]
    assert len(selectors.facts()) == 3


def test_the_shop_did_not_learn_by_heart_what_the_market_says() -> None:
    said = {
        text.removeprefix("+ ")
        for file in LEXICON.glob("*.toml")
        for pool in tomllib.loads(file.read_text(encoding="utf-8"))["pools"].values()
        for text in pool
    }
    known = tomllib.loads((LEXICON.parent / "knowledge.toml").read_text(encoding="utf-8"))
    wordings = {
        text for entry in known["entry"] for k, v in entry.items() if k.startswith("wordings") for text in v
    }
    assert not wordings & said
