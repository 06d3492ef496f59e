"""Rule cards, drafts and findings, and how a card is written down and read again. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rapport.kit.errors import Invalid

LINKS = ("allowed", "one", "own_none", "none")
DISCLOSURES = ("sentence", "tag", "none")
LENGTHS = ("characters", "graphemes", "mastodon", "x")
FORBIDS = ("promotion", "codes", "elsewhere", "votes", "mentions", "hashtags", "repeats")
FORMS: Mapping[str, tuple[str, ...]] = {
    "de": ("du", "Sie"),
    "fr": ("tu", "vous"),
    "es": ("tú", "usted"),
    "it": ("tu", "Lei"),
    "pt": ("tu", "você"),
    "nl": ("je", "u"),
    "pl": ("ty", "Pan/Pani"),
}
VENUE_PATTERN = re.compile(r"^[a-z][a-z0-9_]{0,31}(:[^\s:][^\s]{0,159})?$")
LENGTH_LIMIT = 200_000
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of a day in which one may speak there, in the venue's own zone; days count from Monday, 0."""

    days: tuple[int, ...]
    since: dt.time
    until: dt.time

    def holds(self, local: dt.datetime) -> bool:
        """Whether the moment lies within; hours that end before they begin go on after midnight."""
        at = local.time()
        if self.since <= self.until:
            return local.weekday() in self.days and self.since <= at < self.until
        yesterday = (local.weekday() - 1) % 7
        return (local.weekday() in self.days and at >= self.since) or (
            yesterday in self.days and at < self.until
        )


@dataclass(frozen=True, slots=True)
class RuleCard:
    """How one behaves at a venue, as a machine can check it.

    links : `own_none`: others' addresses may be named, the firm's own may not
    disclosure_as : a sentence that says whom one works for, the vendor's tag, or nothing
    disclosure : the sentence by language, with `{firm}` in it; languages that are missing have ours
    vendor_tag : the mark of a vendor there, with `{firm}` in it; must stand first where `must_tag_vendor`
    help_to_promotion : helpful answers that must stand there for each one that promotes; 0: no such rule
    hours, zone : when one may speak there; no hours: always
    languages : those that are spoken there; none: any
    forms_of_address : by language, how one speaks to people there, such as {"de": "du"}
    length_max, length_as : the longest text, and how the network counts it; 0: no limit
    forbids : of FORBIDS
    source, read_on : where these rules are published, and on which day somebody read them
    """

    venue: str
    title: str = ""
    reply_only_when_asked: bool = True
    links: str = "none"
    disclosure_as: str = "sentence"
    disclosure: Mapping[str, str] = field(default_factory=dict)
    must_tag_vendor: bool = False
    vendor_tag: str = "[{firm}]"
    help_to_promotion: float = 0.0
    hours: tuple[Hours, ...] = ()
    zone: str = "UTC"
    languages: tuple[str, ...] = ()
    forms_of_address: Mapping[str, str] = field(default_factory=dict)
    length_max: int = 0
    length_as: str = "characters"
    tone: str = ""
    forbids: tuple[str, ...] = ("promotion", "codes", "elsewhere", "votes", "mentions", "repeats")
    source: str = ""
    read_on: dt.date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class VenueDraft:
    """What somebody would say at a venue, and what the card asks about it.

    was_asked : somebody asked us or everybody; False: we would join in
    at : when it would be said; None: hours are not looked at
    firm : the name that speaks; names : what else it and its products are called
    own_domains, own_handles : addresses of the firm's own, as `otter.example` and `otter`
    helpful, promoting : how many of our answers there helped, and promoted, of late
    said_before : our own texts there, of late
    """

    text: str
    language: str = ""
    was_asked: bool = False
    is_public: bool = True
    at: dt.datetime | None = None
    firm: str = ""
    names: tuple[str, ...] = ()
    own_domains: tuple[str, ...] = ()
    own_handles: tuple[str, ...] = ()
    helpful: int = 0
    promoting: int = 0
    said_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a draft that the card speaks of: what it is, and what to do.

    said, hint_said : sentences with `{names}`, which `values` fills; a screen translates before it fills
    needs_second_look : not forbidden, and yet it leaves only once somebody other than its writer approved it
    """

    code: str
    is_forbidden: bool
    said: str
    hint_said: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    needs_second_look: bool = False

    @property
    def message(self) -> str:
        return self.said.format(**self.values)

    @property
    def hint(self) -> str:
        return self.hint_said.format(**self.values)


@dataclass(frozen=True, slots=True)
class Tick:
    """One rule of the card, and what was found under it: nothing is a tick, something a cross or a remark."""

    rule: str
    title: str
    findings: tuple[Finding, ...] = ()

    @property
    def state(self) -> str:
        if any(finding.is_forbidden for finding in self.findings):
            return "bad"
        return "warn" if self.findings else "ok"


def checked_venue(venue: str) -> str:
    """The venue's key, or Invalid."""
    if not VENUE_PATTERN.match(venue):
        raise Invalid(
            f"{venue!r} names no venue",
            "Write the network, or the network and the place: `bluesky`, `reddit:r/cars`.",
        )
    return venue


def venue_of(said: str, network: str) -> str:
    """The key of a venue as a file or a source names it: `mastodon/social.example` is `mastodon:social.example`.

    What names no venue at all is the network, or empty where that is not known either.
    """
    for name in (said.strip(), said.strip().replace("/", ":", 1), network.strip()):
        if VENUE_PATTERN.match(name):
            return name
    return ""


def network_of(venue: str) -> str:
    return venue.partition(":")[0]


def checked(card: RuleCard) -> RuleCard:
    """The card, or Invalid with what is wrong with it."""
    checked_venue(card.venue)
    _one_of(card.links, LINKS, "links")
    _one_of(card.disclosure_as, DISCLOSURES, "disclosure_as")
    _one_of(card.length_as, LENGTHS, "length_as")
    for what in card.forbids:
        _one_of(what, FORBIDS, "forbids")
    for language, form in card.forms_of_address.items():
        if language not in FORMS:
            raise Invalid(
                f"no forms of address are known for {language!r}", f"There are those of {', '.join(FORMS)}."
            )
        _one_of(form, FORMS[language], f"forms_of_address.{language}")
    if not 0 <= card.help_to_promotion <= 1_000:
        raise Invalid(f"a ratio of {card.help_to_promotion:g} makes no sense", "Give 0 (no rule) to 1000.")
    if not 0 <= card.length_max <= LENGTH_LIMIT:
        raise Invalid(
            f"a length of {card.length_max} makes no sense", f"Give 0 (no limit) to {LENGTH_LIMIT}."
        )
    for language, sentence in card.disclosure.items():
        if "{firm}" not in sentence or _fills(sentence) is None:
            raise Invalid(
                f"the disclosure for {language} does not name the firm",
                "Write {firm} where its name belongs.",
            )
    if "{firm}" not in card.vendor_tag or _fills(card.vendor_tag) is None:
        raise Invalid("the vendor's tag does not name the firm", "Write {firm} where its name belongs.")
    zone(card.zone)
    return card


def _fills(sentence: str) -> str | None:
    try:
        return sentence.format(firm="x")
    except (KeyError, IndexError, ValueError):
        return None


def zone(name: str) -> ZoneInfo:
    """The time zone of that name, or Invalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name!r} is no time zone", "Write one such as Europe/Berlin.") from None


def _one_of(value: str, known: Sequence[str], name: str) -> None:
    if value not in known:
        raise Invalid(f"{value!r} is no value for {name}", f"There are {', '.join(known)}.")


def read_hours(text: str) -> tuple[Hours, ...]:
    """Hours as `mon-fri 09:00-18:00; sat 10:00-14:00`; empty: always. Raises Invalid."""
    found = []
    for part in filter(None, (piece.strip() for piece in text.lower().replace("\n", ";").split(";"))):
        matched = re.fullmatch(
            r"([a-z]{3})(?:\s*[-–]\s*([a-z]{3}))?\s+(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)", part
        )
        if not matched or any(day and day not in _DAYS for day in matched.groups()[:2]):
            raise Invalid(f"{part!r} are no hours", "Write them as: mon-fri 09:00-18:00; sat 10:00-14:00.")
        first, last, since, until = matched.groups()
        start = _DAYS.index(first)
        length = (_DAYS.index(last) - start) % 7 + 1 if last else 1
        found.append(Hours(tuple(sorted((start + i) % 7 for i in range(length))), _time(since), _time(until)))
    return tuple(found)


def _time(text: str) -> dt.time:
    hour, minute = (int(part) for part in text.split(":"))
    if (hour, minute) == (24, 0):
        return dt.time(23, 59, 59, 999_999)
    try:
        return dt.time(hour, minute)
    except ValueError:
        raise Invalid(f"{text!r} is no time of day", "Write 00:00 to 24:00.") from None


def written_hours(hours: Sequence[Hours]) -> str:
    """Hours as `read_hours` reads them."""
    return "; ".join(f"{_written_days(h.days)} {_written(h.since)}-{_written(h.until)}" for h in hours)


def _written(time: dt.time) -> str:
    return "24:00" if time.second else time.strftime("%H:%M")


def _written_days(days: tuple[int, ...]) -> str:
    if len(days) == 1:
        return _DAYS[days[0]]
    gone = next((day for day in days if (day - 1) % 7 not in days), 0)
    return f"{_DAYS[gone]}-{_DAYS[(gone + len(days) - 1) % 7]}"


_OF_OTHERS_PLACES = frozenset(["promotion", "codes", "elsewhere", "mentions"])


def on_own_page(card: RuleCard) -> RuleCard:
    """What of a network's card holds on a page of the firm's own, where it is nobody's guest and signs by its name."""
    return replace(
        card,
        reply_only_when_asked=False,
        links="one" if card.links == "own_none" else card.links,
        disclosure_as="none",
        must_tag_vendor=False,
        help_to_promotion=0.0,
        forbids=tuple(what for what in card.forbids if what not in _OF_OTHERS_PLACES),
    )


def as_mapping(card: RuleCard) -> dict[str, Any]:
    """The card as plain values, for a store or an answer in JSON."""
    found: dict[str, Any] = {}
    for one in fields(card):
        value = getattr(card, one.name)
        if one.name == "hours":
            value = written_hours(value)
        elif one.name == "read_on":
            value = value.isoformat() if value else None
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        found[one.name] = value
    return found


def from_mapping(values: Mapping[str, Any], *, on: RuleCard | None = None) -> RuleCard:
    """A card from plain values, on top of another; Invalid names what is wrong."""
    known = {one.name for one in fields(RuleCard)}
    if strange := sorted(set(values) - known):
        raise Invalid(f"a rule card has no {strange[0]!r}", f"It has {', '.join(sorted(known))}.")
    read: dict[str, Any] = dict(values)
    if isinstance(read.get("hours"), str):
        read["hours"] = read_hours(read["hours"])
    if isinstance(read.get("read_on"), str):
        read["read_on"] = dt.date.fromisoformat(read["read_on"]) if read["read_on"] else None
    for name in ("languages", "forbids"):
        if name in read:
            read[name] = tuple(read[name])
    base = on or RuleCard(venue=str(values.get("venue", "")))
    return checked(replace(base, **read))
