"""Verbs of venues: change a card, say who we are in public, hold a draft against a card."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from rapport.kit import clock
from rapport.kit import seen as marks
from rapport.kit.errors import Invalid
from rapport.venues import selectors
from rapport.venues.models import Card, Face, Silence
from rapport.venues.rules import cards
from rapport.venues.rules.cards import Finding, Tick, VenueDraft
from rapport.venues.rules.checking import ticks
from rapport.venues.rules.disclosing import disclosed
from rapport.venues.rules.saying import gettext_noop as _

_DOMAIN = re.compile(r"^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")
NAMES_MAX = 50
# Above every rule of a card: stated by what replies did, and lifted by somebody alone.
SILENT = Tick(
    "silence",
    _("What replies did"),
    (
        Finding(
            "silent",
            True,
            _("We keep quiet here: our replies in this place did more harm than good."),
            _("Look under What replies did; whoever may change venues can lift the silence."),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft as it would leave, and what the venue's card says of it."""

    view: selectors.CardView
    text: str
    ticks: tuple[Tick, ...]

    @property
    def findings(self) -> list[Finding]:
        found = [finding for tick in self.ticks for finding in tick.findings]
        return sorted(found, key=lambda finding: not finding.is_forbidden)

    @property
    def forbidden(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_forbidden]


def check(
    venue: str,
    text: str,
    *,
    language: str = "",
    was_asked: bool = False,
    is_public: bool = True,
    is_own_page: bool = False,
    at: dt.datetime | None = None,
    helpful: int = 0,
    promoting: int = 0,
    said_before: Sequence[str] = (),
) -> Checked:
    """A draft with the venue's disclosure written in, held against every rule of the venue's card.

    On a page of the firm's own what it offers may be said, and the page itself says who speaks; all other
    rules of the network hold there too.
    """
    view = selectors.card(venue)
    if is_own_page:
        view = replace(view, card=cards.on_own_page(view.card))
    ours = selectors.face()
    said = disclosed(view.card, text, language, ours.firm) if is_public else text.strip()
    draft = VenueDraft(
        text=said,
        language=language,
        was_asked=was_asked,
        is_public=is_public,
        at=at or clock.now(),
        firm=ours.firm if is_public else "",
        names=ours.names,
        own_domains=ours.domains,
        own_handles=ours.handles,
        helpful=helpful,
        promoting=promoting,
        said_before=tuple(said_before),
    )
    found = ticks(view.card, draft)
    if is_public and Silence.objects.filter(venue=venue).exists():
        found.insert(0, SILENT)
    return Checked(view, said, tuple(found))


def fall_silent(venue: str) -> None:
    """Say nothing public at a venue until `speak_again`; said again, nothing changes."""
    Silence.objects.get_or_create(venue=venue, defaults={"since": clock.now()})


def speak_again(venue: str) -> None:
    """End the silence at a venue."""
    Silence.objects.filter(venue=venue).delete()


def change_card(
    venue: str, values: Mapping[str, Any], by: str, *, seen: str | None = None
) -> selectors.CardView:
    """Keep what the firm says of a venue, over what holds there without it; values that do not differ are dropped.

    seen : the mark of the card as whoever writes has seen it; Changed where it is another now
    Raises Invalid where the card would make no sense.
    """
    cards.checked_venue(venue)
    below = _without_own(venue)
    wanted = cards.from_mapping({**values, "venue": venue}, on=below)
    before, after = cards.as_mapping(below), cards.as_mapping(wanted)
    differs = {name: value for name, value in after.items() if name != "venue" and value != before[name]}
    with transaction.atomic():
        list(Card.objects.select_for_update().filter(venue=venue))
        marks.refuse_changed(seen, cards.as_mapping(selectors.card(venue).card))
        if differs:
            Card.objects.update_or_create(
                venue=venue, defaults={"values": differs, "changed_by": by, "changed_at": clock.now()}
            )
        else:
            Card.objects.filter(venue=venue).delete()
    return selectors.card(venue)


def forget_card(venue: str) -> None:
    """Take back what the firm said of a venue; the published rules hold again."""
    Card.objects.filter(venue=venue).delete()


def _without_own(venue: str) -> cards.RuleCard:
    network = cards.network_of(venue)
    stored = {row.venue: row for row in Card.objects.filter(venue=network)} if network != venue else {}
    return selectors.resolved(venue, stored).card


def change_face(*, names: Sequence[str], domains: Sequence[str], handles: Sequence[str], by: str) -> None:
    """Say what else the firm is called, and which addresses and accounts are its own."""
    kept_domains = []
    for domain in domains:
        bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", domain.strip().lower()).partition("/")[0]
        if not bare:
            continue
        if not _DOMAIN.match(bare):
            raise Invalid(f"{domain!r} is no domain", "Write it as otter.example, without https://.")
        kept_domains.append(bare)
    kept = {
        "names": _tidy(names),
        "domains": list(dict.fromkeys(kept_domains)),
        "handles": [handle.lstrip("@") for handle in _tidy(handles)],
    }
    for name, values in kept.items():
        if len(values) > NAMES_MAX:
            raise Invalid(f"{len(values)} {name} are too many", f"Give {NAMES_MAX} at most.")
    Face.objects.update_or_create(id=1, defaults={**kept, "changed_by": by, "changed_at": clock.now()})


def _tidy(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tidy for text in texts if (tidy := " ".join(text.split()))))
