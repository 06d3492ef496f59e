"""Archives that networks hand out, as they come: recognised by what is in them, read like what is heard.

What an archive says has the ids that the network's connector gives, so that what was heard before is there once.
Words of others are kept as long as the network's terms let us; our own are ours.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from rapport.events import rules as log_rules
from rapport.events import services as log
from rapport.kit import clock, registry
from rapport.kit.errors import Invalid
from rapport.kit.pour import Torn
from rapport.listening.contract import KIND, Connector, Left, Owns, Part, Said, Unread
from rapport.listening.models import Import, Posted, Source
from rapport.listening.services import following, saying, sources
from rapport.listening.services.bundles import Bundle, Piece
from rapport.listening.services.files import Given
from rapport.listening.services.recognising import Found, Opened, readers
from rapport.listening.services.refusals import BadRow
from rapport.listening.services.tables import shortened
from rapport.listening.services.work import Work

PAGE = 10_000  # things that are durable together
NAME_CHARS = 60
SILENT = (
    "; authors who are no customers and have been silent for longer than your limit for them are forgotten"
)


@contextmanager
def part_of(held: Bundle, one: Found, archive: str, options: Mapping[str, str]) -> Iterator[Part]:
    """One file as its reader gets it; what it opens is closed behind it."""
    piece = one.piece
    with ExitStack() as streams:
        yield Part(
            name=piece.name,
            archive=archive,
            open=lambda: streams.enter_context(closing(piece.open())),
            beside=lambda other: held.beside(piece.name, other),
            now=clock.now(),
            account=options.get("account", ""),
            ours=_ours(one.connector),
            date_order=options.get("date_order", ""),
            zone=_zone(options.get("time_zone", "")),
        )


def _zone(name: str) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(name) if name else dt.UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise Invalid(f"there is no time zone {name!r}", "Write it like Europe/Berlin.") from None


def _ours(connector: Connector) -> frozenset[str]:
    if not isinstance(connector, Owns):
        return frozenset()
    rows = Source.objects.filter(connector=connector.name)
    return frozenset().union(*(connector.ours(sources.plain_of(row)) for row in rows))


@dataclass(slots=True)
class Limits:
    """How long words of one network are kept when they come from an archive."""

    connector: Connector
    keep_days: int | None
    own_too: bool = False  # into a source that is set up: its limit holds for all that it holds

    def drops(self, said: Said) -> bool:
        if self.keep_days is None or (said.is_ours and not self.own_too):
            return False
        return said.ts < clock.now() - dt.timedelta(days=self.keep_days)

    def sentence(self) -> str:
        """What is kept how long, for whoever decides whether to import it."""
        title = self.connector.title
        # Whoever speaks in a network's own handles alone is a public author until they are known as a customer.
        silent = "" if self.connector.network in log_rules.KNOWN_NAMESPACES else SILENT
        if self.keep_days is None:
            return f"{title}: all words are kept as long as the firm keeps such (see Retention){silent}"
        whose = "all words" if self.own_too else "words of others"
        told = f"{title}: {whose} are kept for {self.keep_days} days after they were said, by its terms"
        told = told if self.own_too else f"{told}; your own are kept as long as the firm keeps such"
        return f"{told}{silent}"


def limits_of(connector: Connector, source: str) -> Limits:
    """The terms under which an archive's words are kept: those of the source that they go into, else the network's."""
    row = Source.objects.filter(name=source).first()
    if row is not None:
        return Limits(connector, sources.keep_days(row), own_too=True)
    return Limits(connector, keep_days(connector))


def keep_days(connector: Connector) -> int | None:
    """For how many days words of others in an archive are kept: the strictest of the network's terms and its sources."""
    days = [connector.terms.keep_days]
    days += [sources.keep_days(row) for row in Source.objects.filter(connector=connector.name)]
    return min((n for n in days if n is not None), default=None)


def imported() -> list[tuple[str, Connector]]:
    """The names under which archives were imported, each with the connector of its network."""
    set_up = set(Source.objects.values_list("name", flat=True))
    offered = {plugin.name: plugin.offers for plugin in registry.plugins(KIND).values()}
    pairs = {
        (source, name)
        for source, names in Import.objects.exclude(archives=[]).values_list("source", "archives")
        for name in names
    }
    return [
        (source, offered[name]) for source, name in sorted(pairs) if source not in set_up and name in offered
    ]


@dataclass(slots=True)
class _Page:
    """What was read and is not durable yet."""

    said: list[tuple[int, Said]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    n: int = 0


def read(work: Work, held: Opened) -> None:
    """Record all that an archive says; what cannot be read is refused, what is left out is counted."""
    summary = work.summary
    summary.description = held.titles + work.given.description
    left: Counter[str] = Counter()
    for one in held.found:
        limits = limits_of(one.connector, work.source)
        if limits.sentence() not in summary.notes:
            summary.notes.append(limits.sentence())
        _read_file(work, held, one, limits, left)
    summary.notes += [f"left out: {why} ({n:,})" for why, n in sorted(left.items())]
    if work.given.broken:
        summary.error = f"{work.given.broken}; the {summary.read:,} rows before that are kept"


def _read_file(work: Work, held: Opened, one: Found, limits: Limits, left: Counter[str]) -> None:
    work.context = {"archive": one.connector.name, "options": dict(work.options), "file": one.piece.name}
    page, n = _Page(), 0
    try:
        with part_of(held.bundle, one, work.given.name, work.options) as part:
            for n, found in enumerate(one.archive.read(part), start=1):
                page.n += 1
                if isinstance(found, Left):
                    left[found.why] += 1
                elif isinstance(found, Unread):
                    page.bad.append(_refused(one.piece.name, n, found.message, found.row))
                else:
                    page.said.append((n, saying.whole(found)))
                if page.n >= PAGE:
                    _keep(work, one, page, limits, left)
                    page = _Page()
    except Torn as torn:
        work.given.broken = work.given.broken or f"{one.piece.name} breaks off after {n:,} entries: {torn}"
    _keep(work, one, page, limits, left)


def _keep(work: Work, one: Found, page: _Page, limits: Limits, left: Counter[str]) -> None:
    work.summary.read += page.n
    said = []
    for n, found in page.said:
        if reason := _wrong_time(found):
            page.bad.append(_refused(one.piece.name, n, reason, _shown(found), field="ts"))
        elif limits.drops(found):
            left[f"posts that are older than the {limits.keep_days} days that its terms allow"] += 1
        else:
            said.append(found)
    network = one.connector.network
    fresh = _without_posted(network, said)
    if len(fresh) < len(said):
        left["posts that are on record since they were posted from here"] += len(said) - len(fresh)
    work.refuse(sorted(page.bad, key=lambda bad: bad.line))
    work.record_rows(rows(fresh, network), within=network)
    work.show("reading")


def rows(said: Sequence[Said], network: str) -> list[dict[str, Any]]:
    """What was said as rows of the log, with what we follow in it; the same as a connector's page becomes."""
    matched = following.matched(
        [one.text for one in said],
        [one.language for one in said],
        [one.venue or network for one in said],
    )
    return [saying.touchpoint(one, network, keys) for one, keys in zip(said, matched, strict=True)]


def _without_posted(network: str, said: Sequence[Said]) -> list[Said]:
    """What is not on record since we posted it from here."""
    any_posted = Posted.objects.filter(network=network).exclude(post_id="").exists()
    ids = [one.id for one in said if one.is_ours] if any_posted else []
    known: set[str] = set()
    for at in range(0, len(ids), 500):
        asked = Posted.objects.filter(network=network, post_id__in=ids[at : at + 500])
        known.update(asked.values_list("post_id", flat=True))
    return [one for one in said if one.id not in known]


def _wrong_time(said: Said) -> str:
    if said.ts < log_rules.EARLIEST:
        return f"The time is {said.ts:%Y-%m-%d %H:%M}, before 1990."
    if said.ts > clock.now() + log_rules.FUTURE_TOLERANCE:
        return f"The time is {said.ts:%Y-%m-%d %H:%M}, which is in the future."
    return ""


def _shown(said: Said) -> dict[str, Any]:
    """What was said as somebody can correct it."""
    told = {
        key: value for key, value in dataclasses.asdict(said).items() if value not in ("", None, False, {})
    }
    return {"said": {**told, "ts": said.ts.isoformat()}}


def _again(told: Mapping[str, Any]) -> Said | Unread:
    try:
        return Said(**{**told, "ts": dt.datetime.fromisoformat(str(told["ts"]))})
    except (KeyError, TypeError, ValueError) as error:
        return Unread(f"This is nothing that was said: {error}.", told)


def _refused(name: str, n: int, message: str, row: Mapping[str, Any], field: str = "") -> BadRow:
    place = f"{name[-NAME_CHARS:]}, entry {n:,}"
    return BadRow(n, "bad_entry", field, "", message, shortened(dict(row)), place)


def look(
    given: Given, held: Opened, options: Mapping[str, str], limit: int
) -> Iterator[tuple[str, Said | Left | Unread]]:
    """The first things that each file of an archive says, with the name of the file."""
    for one in held.found:
        try:
            with part_of(held.bundle, one, given.name, options) as part:
                for found in itertools.islice(one.archive.read(part), limit):
                    yield one.piece.name, found
        except Torn:
            continue


def replay(given: Mapping[str, Any], source: str) -> None:
    """Record a corrected entry of an archive, or say what is still wrong with it."""
    name, row = str(given.get("archive") or ""), given.get("row")
    offered = {connector.name: (connector, archive) for connector, archive in readers()}
    if name not in offered or not isinstance(row, dict):
        raise Invalid(f"archives of {name!r} cannot be read here", "Import the archive again.")
    connector, archive = offered[name]
    options = {str(k): str(v) for k, v in dict(given.get("options") or {}).items()}
    nothing = Piece(str(given.get("file") or ""), 0, _Empty)
    with part_of(Bundle((nothing,), True), Found(connector, archive, nothing), "", options) as part:
        found = _again(row["said"]) if isinstance(row.get("said"), dict) else archive.again(row, part)
    if not isinstance(found, Said):
        wrong = found.message.rstrip(".") if isinstance(found, Unread) else f"these are {found.why}"
        raise Invalid(wrong, "Correct it and send it again.")
    said = saying.whole(found)
    if reason := _wrong_time(said):
        raise Invalid(reason.rstrip("."), "Correct it and send it again.")
    table = pa.Table.from_pylist(rows([said], connector.network), schema=log_rules.TOUCHPOINT)
    log.record(table, source=source, within=connector.network)


class _Empty:
    def read(self, size: int, /) -> bytes:
        del size
        return b""

    def close(self) -> None:
        pass
