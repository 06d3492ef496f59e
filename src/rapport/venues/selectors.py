"""Questions about venues: the card that holds at one, who we are in public."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from rapport.staff import selectors as staff
from rapport.venues.models import Card, Face
from rapport.venues.rules import cards
from rapport.venues.rules.cards import RuleCard

STARTING = "starting_cards.toml"
# What is not in any starting card: answer when asked, name nobody's address, promote nothing.
CAUTIOUS = "cautious"


@dataclass(frozen=True, slots=True)
class CardView:
    """The card that holds at a venue, and where it comes from.

    origin : `own` (somebody here wrote it), `network` (of its network, written here), `starting` (published
        rules that Rapport comes with) or `cautious` (nobody knows the rules of this place)
    """

    card: RuleCard
    origin: str
    changed_by: str = ""
    changed_at: dt.datetime | None = None

    @property
    def venue(self) -> str:
        return self.card.venue

    @property
    def title(self) -> str:
        return self.card.title or self.card.venue


@dataclass(frozen=True, slots=True)
class FaceView:
    """Who we are in public: the firm's name, what else it is called, its own addresses and accounts."""

    firm: str
    names: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()


@cache
def starting() -> dict[str, dict[str, Any]]:
    """The cards that Rapport comes with, by venue, as plain values."""
    text = resources.files("rapport.venues").joinpath(STARTING).read_text("utf-8")
    return {
        venue: {**values, "venue": venue, "read_on": str(values.get("read_on", ""))}
        for venue, values in tomllib.loads(text).items()
    }


def card(venue: str) -> CardView:
    """The card that holds at a venue: its own over its network's over the published rules. Never none."""
    cards.checked_venue(venue)
    network = cards.network_of(venue)
    stored = {row.venue: row for row in Card.objects.filter(venue__in={venue, network})}
    return resolved(venue, stored)


def all_cards() -> list[CardView]:
    """The card of every venue that has one, here or among the starting cards, by title."""
    stored = {row.venue: row for row in Card.objects.all()}
    found = [resolved(venue, stored) for venue in sorted({*starting(), *stored})]
    return sorted(found, key=lambda view: view.title.casefold())


def resolved(venue: str, stored: dict[str, Card]) -> CardView:
    network = cards.network_of(venue)
    found, origin = RuleCard(venue=venue), CAUTIOUS
    changed: Card | None = None
    for key in dict.fromkeys((network, venue)):
        # The title and the source of a network's card are not those of a place in it.
        given = (starting().get(key, {}), "starting"), (stored.get(key), "own" if key == venue else "network")
        for one, from_where in given:
            if not one:
                continue
            values = one.values if isinstance(one, Card) else one
            kept = {name: value for name, value in values.items() if name != "venue"}
            if key != venue:
                kept.pop("title", None)
            found, origin = cards.from_mapping(kept, on=found), from_where
            changed = one if isinstance(one, Card) else None
    return CardView(
        found, origin, changed.changed_by if changed else "", changed.changed_at if changed else None
    )


def own_values(venue: str) -> dict[str, Any]:
    """What somebody here said of a venue, over the published rules; empty where nobody did."""
    row = Card.objects.filter(venue=venue).first()
    return dict(row.values) if row else {}


def face() -> FaceView:
    """Who we are in public."""
    firm = staff.organisation()
    row = Face.objects.filter(id=1).first()
    return FaceView(
        firm.name if firm else "",
        tuple(row.names) if row else (),
        tuple(row.domains) if row else (),
        tuple(row.handles) if row else (),
    )
