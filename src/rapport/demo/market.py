"""The synthetic market: an invented car-parts shop, two years of touchpoints, and the truth apart from them.

The same number of people, seed, end and scale give the same rows, byte for byte, in any process. People are
lived through in blocks of 2,500, so memory does not grow with their number. The end defaults to the last
midnight UTC, so that a demonstration looks current; give it to get the same market on another day.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from rapport.demo.block import BLOCK_PEOPLE, Block, listings, live
from rapport.demo.span import Span, incident_days, span
from rapport.demo.truth import FILES, STREAMED, TruthFiles, totals
from rapport.demo.world import World, world
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound

PEOPLE = 10_000
SEED = 1
SOURCE = "demo"
Progress = Callable[[int, int], None]  # people done, people in all


@dataclass(frozen=True, slots=True)
class Summary:
    """What was recorded."""

    n_people: int
    seed: int
    end: dt.datetime
    n_touchpoints: int
    n_texts: int
    first_seq: int
    last_seq: int
    truth: Path | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Market:
    """One market: its people are numbered 0 to n_people - 1."""

    n_people: int
    seed: int
    end: dt.datetime
    events_scale: float
    place: World
    when: Span

    @property
    def tag(self) -> str:
        """Keeps the message ids of different markets apart."""
        return f"{zlib.crc32(repr((self.n_people, self.seed, self.end, self.events_scale)).encode()):08x}"

    def blocks(self) -> Iterator[Block]:
        """Block by block, everything that happened and the truth about it."""
        seeds = (self.seed, self.n_people, clock.to_us(self.end))
        for number in range(-(-self.n_people // BLOCK_PEOPLE)):
            n = min(BLOCK_PEOPLE, self.n_people - number * BLOCK_PEOPLE)
            yield live(self.place, self.when, self.tag, number, n, seeds, self.events_scale)

    def listings(self) -> pa.Table:
        return listings(self.place, self.when, self.tag)

    def described(self) -> dict[str, Any]:
        """What one needs to make this market again."""
        return {
            "n_people": self.n_people,
            "seed": self.seed,
            "start": (self.when.start + dt.timedelta(seconds=self.when.start_s)).isoformat(),
            "end": self.end.isoformat(),
            "events_scale": self.events_scale,
            "shop": self.place.shop["name"],
            "currency": self.place.shop["currency"],
            "incidents": {name: self._when(incident) for name, incident in self.place.incidents.items()},
        }

    def _when(self, incident: dict[str, Any]) -> dict[str, Any]:
        """An incident with its dates."""
        first, last = (self.when.start + dt.timedelta(days=day) for day in incident_days(incident))
        return incident | {"from": first.isoformat(), "until": last.isoformat()}


def default_end() -> dt.datetime:
    """The last midnight UTC."""
    return clock.now().astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def market(
    n_people: int = PEOPLE, seed: int = SEED, end: dt.datetime | None = None, *, events_scale: float = 1.0
) -> Market:
    """The market of this size, seed and end.

    `events_scale` thins out browsing, mailings, posts and questionnaires (orders stay); 1 gives about 50
    touchpoints a person.
    """
    if n_people < 1:
        raise Invalid(f"a market of {n_people} people is none", "Ask for at least one person.")
    if not 0 <= seed < 2**63:
        raise Invalid(f"the seed {seed} is negative or too large", "Use a number from 0 to 2**63 - 1.")
    if not 0 <= events_scale <= 10:
        raise Invalid(f"events_scale is {events_scale}", "Use a number from 0 to 10.")
    end = end or default_end()
    place = world()
    when = span(place, end)
    return Market(n_people, seed, when.end, events_scale, place, when)


def generate(
    n_people: int = PEOPLE,
    seed: int = SEED,
    end: dt.datetime | None = None,
    *,
    chunk_people: int = BLOCK_PEOPLE,
    events_scale: float = 1.0,
) -> Iterator[pa.Table]:
    """Touchpoint tables: first what is on offer, then everything of about `chunk_people` people at a time.

    Within a table rows go by time. The rows are the same whatever the chunk; a chunk is a whole number of
    blocks of 2,500 people.
    """
    made = market(n_people, seed, end, events_scale=events_scale)
    yield made.listings()
    many = max(1, round(chunk_people / BLOCK_PEOPLE))
    gathered: list[pa.Table] = []
    for block in made.blocks():
        gathered.append(block.touchpoints)
        if len(gathered) == many:
            yield _by_time(gathered)
            gathered = []
    if gathered:
        yield _by_time(gathered)


def _by_time(tables: list[pa.Table]) -> pa.Table:
    if len(tables) == 1:
        return tables[0]
    return (
        pa.concat_tables(tables).sort_by([("ts", "ascending"), ("message_id", "ascending")]).combine_chunks()
    )


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth about one market; nothing is held until it is asked for."""

    market: Market

    def write_truth(self, folder: Path) -> None:
        """Parquet files and a README.json into the folder, which is made where missing."""
        with TruthFiles(folder, self.market.place, self.market.when, self.market.described()) as files:
            for block in self.market.blocks():
                files.add(block)

    def table(self, name: str) -> pa.Table:
        """One of the truth's tables, in memory."""
        if name not in FILES:
            raise NotFound(f"the truth has no table {name!r}", f"Choose one of {', '.join(FILES)}.")
        blocks = list(self.market.blocks())
        if name in STREAMED:
            return pa.concat_tables([block.truth[name] for block in blocks]).unify_dictionaries()
        tally = blocks[0].tally
        for block in blocks[1:]:
            tally = tally.plus(block.tally)
        return totals(self.market.place, self.market.when, tally)[name]


def truth(
    n_people: int = PEOPLE, seed: int = SEED, end: dt.datetime | None = None, *, events_scale: float = 1.0
) -> Truth:
    """The truth behind `generate` with the same arguments."""
    return Truth(market(n_people, seed, end, events_scale=events_scale))


def load(
    n_people: int = PEOPLE,
    seed: int = SEED,
    truth_folder: Path | None = None,
    progress: Progress | None = None,
    *,
    end: dt.datetime | None = None,
    events_scale: float = 1.0,
) -> Summary:
    """Record the market's touchpoints, and write its truth where asked; both in one pass."""
    from rapport.events import services

    began = clock.monotonic_s()
    made = market(n_people, seed, end, events_scale=events_scale)
    batch = f"demo-{made.tag}"
    listed = services.record(made.listings(), source=SOURCE, batch=batch, trusted=True)
    last_seq, n_touchpoints, n_texts, done = listed.first + listed.n - 1, listed.n, 0, 0
    files = TruthFiles(truth_folder, made.place, made.when, made.described()) if truth_folder else None
    with files or _Nowhere() as kept:
        for block in made.blocks():
            recorded = services.record(block.touchpoints, source=SOURCE, batch=batch, trusted=True)
            last_seq = recorded.first + recorded.n - 1
            n_touchpoints += recorded.n
            n_texts += block.truth["text"].num_rows
            kept.add(block)
            done = min(done + BLOCK_PEOPLE, n_people)
            if progress:
                progress(done, n_people)
    return Summary(
        n_people=n_people,
        seed=seed,
        end=made.end,
        n_touchpoints=n_touchpoints,
        n_texts=n_texts,
        first_seq=listed.first,
        last_seq=last_seq,
        truth=truth_folder,
        seconds=clock.monotonic_s() - began,
    )


class _Nowhere:
    """Takes the truth where nobody asked for it."""

    def __enter__(self) -> _Nowhere:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def add(self, _: Block) -> None:
        return None
