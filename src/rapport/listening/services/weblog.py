"""Web-server logs as touchpoints: what is costly is done once per distinct value.

A log repeats itself: a million lines have a few thousand requests, browsers and referrers. Those are judged
by queries; the lines only point at what was found, as Arrow's dictionary columns do, so that no join is
needed and the order of the log stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import rules as log_rules
from rapport.kit import clock, query, secret
from rapport.listening.rules import weblog
from rapport.listening.services.logs import COLUMNS, Lines

Numbers = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.int32]
Values = dict[str, npt.NDArray[Any]]  # of one column, by code

BATCH_ROWS = 122_880
REMEMBERED_LINES = 8_000_000
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, as in Fibonacci hashing (Knuth 6.4)
_HALF = np.uint64(32)
_DISTINCT = ("host", "address", "moment", "request", "status", "bytes", "referrer", "browser")

# Relations of the queries log_*.sql.
RELATIONS = {
    **{f"log_{name}": "code INTEGER, value VARCHAR" for name in _DISTINCT},
    "log_browsers": "code INTEGER, bot VARCHAR",
    "log_pair": "code INTEGER, address INTEGER, browser INTEGER, is_robots BOOLEAN",
    "log_asked": "code INTEGER, n BIGINT",
    "log_machine": "identifier VARCHAR",
    "log_line": "message UUID, ts TIMESTAMPTZ, identifier VARCHAR, host VARCHAR, is_machine BOOLEAN,"
    " is_asset BOOLEAN, is_failure BOOLEAN, is_sound BOOLEAN, is_get BOOLEAN, search VARCHAR, request VARCHAR,"
    " own VARCHAR, referrer VARCHAR, machine VARCHAR, status VARCHAR, size VARCHAR",
}


@dataclass(slots=True)
class Occurrences:
    """How often each line came so far, so that a line repeated on purpose stays two events.

    Only the last few million lines are remembered: one that comes again after so many others is the same
    file twice in one, not a second request within the same second.
    """

    earlier: list[Numbers] = field(default_factory=list)  # keys of each chunk, sorted

    def number(self, key: Numbers) -> Numbers:
        """For each line, a number that no other line with its key has: 0, 1, 2 ... in all chunks."""
        order = np.argsort(key)
        ordered = key[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        lengths = np.diff(np.append(starts, len(ordered)))
        first = starts.astype(np.uint64)
        for keys in self.earlier:
            distinct = ordered[starts]
            first -= np.searchsorted(keys, distinct, "right").astype(np.uint64)
            first += np.searchsorted(keys, distinct, "left").astype(np.uint64)
        numbered = np.empty(len(ordered), np.uint64)
        numbered[order] = np.arange(len(ordered), dtype=np.uint64) - np.repeat(first, lengths)
        self.earlier.append(ordered)
        while sum(map(len, self.earlier)) > REMEMBERED_LINES and len(self.earlier) > 1:
            self.earlier.pop(0)
        return numbered


@dataclass(slots=True)
class Reading:
    """What one import of a log keeps from chunk to chunk."""

    con: duckdb.DuckDBPyConnection
    has_browser: bool
    source: str
    own_domain: str | None = None  # of the site itself; found in the first chunk where not given
    occurrences: Occurrences = field(default_factory=Occurrences)
    has_searches: bool = False  # whether anybody may have searched on the site in the chunk staged last

    def __post_init__(self) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE log_machine ({RELATIONS['log_machine']})")

    def stage(self, lines: Lines) -> list[int]:
        """Make log_line, which log_touchpoints and log_searches read; gives lines whose time is no good.

        These lines are not in it.
        """
        codes, texts = _codes_and_texts(lines.columns)
        for name, text in texts.items():
            self._keep(f"log_{name}", pa.table({"code": np.arange(len(text), dtype=np.int32), "value": text}))
        message = self._messages(codes)
        span = {"earliest": log_rules.EARLIEST, "latest": clock.now() + log_rules.FUTURE_TOLERANCE}
        times = self._judge("log_times", span)
        requests = self._judge(
            "log_requests",
            {
                "asset_endings": f"({weblog.ASSET_ENDINGS})",
                "search_parameters": f"(?:{'|'.join(weblog.SITE_SEARCH_PARAMETERS)})",
            },
        )
        referrers = self._judge_referrers(codes, requests)
        visitors, visitor = self._judge_visitors(codes, requests)
        # One visitor's lines together, as the lake keeps them: it then has nothing to sort.
        order = _in_order(visitor, times["ts"], codes["moment"])
        visitor, message = visitor[order], message.take(order)
        codes = {name: column[order] for name, column in codes.items()}
        answers, sizes = self._judge("log_answers", {}), self._judge("log_sizes", {})
        self.has_searches = requests["search"].null_count < len(requests["search"])
        moment, request, referrer = codes["moment"], codes["request"], codes["referrer"]
        table = pa.table(
            {
                "message": message,
                "ts": times["ts"].take(pa.array(moment)),
                "identifier": _pointing(visitor, visitors["identifier"]),
                "host": _pointing(codes["host"], texts["host"]),
                "is_machine": visitors["is_machine"].take(pa.array(visitor)),
                **{
                    name: requests[name].take(pa.array(request))
                    for name in ("is_asset", "is_sound", "is_get")
                },
                "is_failure": answers["is_failure"].take(pa.array(codes["status"])),
                "search": _pointing(request, requests["search"]),
                "request": _pointing(request, requests["fragment"]),
                "own": _pointing(referrer, referrers["own"]),
                "referrer": _pointing(referrer, referrers["fragment"]),
                "machine": _pointing(visitor, visitors["fragment"]),
                "status": _pointing(codes["status"], answers["fragment"]),
                "size": _pointing(codes["bytes"], sizes["fragment"]),
            }
        )
        timed = pc.is_valid(table["ts"])
        if not pc.all(timed).as_py():
            table = table.filter(timed)
        # The engine gives each batch to one thread.
        self.con.register("log_line", pa.Table.from_batches(table.to_batches(max_chunksize=BATCH_ROWS)))
        untimed = lines.columns["line"].take(order).filter(pc.invert(timed))
        return sorted(int(line) for line in untimed.to_pylist())

    def _keep(self, name: str, table: pa.Table) -> None:
        self.con.register("given", table)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
        self.con.unregister("given")

    def _judge(self, name: str, params: Mapping[str, Any]) -> dict[str, pa.Array]:
        """What a query says of each distinct value: its columns, by code."""
        text = query.load("rapport.listening", name).text
        found = self.con.execute(f"SELECT * EXCLUDE (code) FROM ({text}) ORDER BY code", dict(params))
        table = found.to_arrow_table()
        return {column: _one(table[column]) for column in table.column_names}

    def _judge_referrers(
        self, codes: Mapping[str, Codes], requests: Mapping[str, pa.Array]
    ) -> dict[str, pa.Array]:
        if self.own_domain is None:
            is_asset = np.asarray(requests["is_asset"].to_numpy(zero_copy_only=False), np.bool_)
            asked = np.bincount(codes["referrer"][is_asset[codes["request"]]])
            self._keep("log_asked", pa.table({"code": np.arange(len(asked), dtype=np.int32), "n": asked}))
            row = query.run(self.con, query.load("rapport.listening", "log_own_domain")).fetchone()
            self.own_domain = row[0] if row else ""
        return self._judge(
            "log_referrers",
            {
                "own_domain": self.own_domain,
                "search_engines": weblog.SEARCH_ENGINES,
                "search_parameters": f"(?:{'|'.join(weblog.ENGINE_SEARCH_PARAMETERS)})",
            },
        )

    def _judge_visitors(
        self, codes: Mapping[str, Codes], requests: Mapping[str, pa.Array]
    ) -> tuple[dict[str, pa.Array], Codes]:
        """Pairs of address and browser, and which one each line is of."""
        n_browsers = int(codes["browser"].max(initial=0)) + 1
        pairs = pc.dictionary_encode(
            pa.array(codes["address"].astype(np.int64) * n_browsers + codes["browser"])
        )
        visitor, pair = pairs.indices.to_numpy(), pairs.dictionary.to_numpy()
        is_robots = np.asarray(requests["is_robots"].to_numpy(zero_copy_only=False), np.bool_)
        reads_robots = np.zeros(len(pair), np.bool_)
        reads_robots[visitor[is_robots[codes["request"]]]] = True
        self._keep(
            "log_pair",
            pa.table(
                {
                    "code": np.arange(len(pair), dtype=np.int32),
                    "address": (pair // n_browsers).astype(np.int32),
                    "browser": (pair % n_browsers).astype(np.int32),
                    "is_robots": reads_robots,
                }
            ),
        )
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE log_browsers AS {query.load('rapport.listening', 'log_browsers').text}",
            {
                "has_browser": self.has_browser,
                "no_browser": weblog.NO_BROWSER,
                "machines": weblog.MACHINES,
                "not_machines": weblog.NOT_MACHINES,
                "machine_name": weblog.MACHINE_NAME,
            },
        )
        visitors = self._judge(
            "log_visitors",
            {"secret": secret.derived_key("visitor").hex(), "robots_reader": weblog.ROBOTS_READER},
        )
        self.con.register("given", pa.table(visitors))
        self.con.execute(
            "INSERT INTO log_machine SELECT DISTINCT identifier FROM given WHERE is_robots_reader"
            " AND identifier NOT IN (SELECT identifier FROM log_machine)"
        )
        return visitors, visitor

    def _messages(self, codes: Mapping[str, Codes]) -> pa.Array:
        """A 128-bit key of each line: of its source, what it says, and how often that was said before.

        Two lanes of 64 bits, each mixed from the halves of the MD5 of every distinct value.
        """
        begins = self.con.execute("SELECT md5_number_lower($s), md5_number_upper($s)", {"s": self.source})
        lanes = np.empty((2, len(codes["moment"])), np.uint64)
        lanes[:] = np.array(begins.fetchall(), np.uint64).T
        halves = {
            name: self.con.execute(
                f"SELECT md5_number_lower(value) AS low, md5_number_upper(value) AS high FROM log_{name} ORDER BY code"
            ).fetchnumpy()
            for name in _DISTINCT
        }

        def mix(lane: Numbers, half: str) -> None:
            drawn = np.empty_like(lane)
            for name in _DISTINCT:
                np.take(np.asarray(halves[name][half], np.uint64), codes[name], out=drawn, mode="clip")
                lane ^= drawn
                lane *= _ODD
                np.right_shift(lane, _HALF, out=drawn)
                lane ^= drawn

        # NumPy leaves threads free to run at once.
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(mix, lanes, ("low", "high")))
        lanes[0] += self.occurrences.number(lanes[1]) * _ODD
        raw = np.ascontiguousarray(lanes.T).astype(">u8").tobytes()
        uuids = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), lanes.shape[1], [None, pa.py_buffer(raw)])
        return pa.ExtensionArray.from_storage(pa.uuid(), uuids)


def _in_order(visitor: Codes, times: pa.Array, moment: Codes) -> npt.NDArray[np.int64]:
    """The lines' places by visitor and time; lines of one visitor and second stay as they came."""
    seconds = pc.fill_null(pc.cast(times, pa.int64()), 0).to_numpy() // 1_000_000
    key = visitor.astype(np.int64) << 34  # more than all seconds that a log may tell of
    key += seconds[moment]
    return np.argsort(key, kind="stable")


def _codes_and_texts(columns: pa.Table) -> tuple[dict[str, Codes], dict[str, pa.Array]]:
    """Each column's numbers, and its distinct values in their order; time and zone become one column."""
    codes: dict[str, Codes] = {}
    texts: dict[str, pa.Array] = {}
    for name in COLUMNS:
        coded = _one(columns[name])
        codes[name], texts[name] = coded.indices.to_numpy(), coded.dictionary
    ats, at, zones, zone = texts.pop("at"), codes.pop("at"), texts.pop("zone"), codes.pop("zone")
    if len(zones) > 1:
        pairs, at = np.unique(at.astype(np.int64) * len(zones) + zone, return_inverse=True)
        ats, zones = ats.take(pa.array(pairs // len(zones))), zones.take(pa.array(pairs % len(zones)))
    codes["moment"] = at.astype(np.int32)
    texts["moment"] = pc.binary_join_element_wise(ats, zones if len(zones) == len(ats) else zones[0], " ")
    return codes, texts


def _one(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole


def _pointing(codes: Codes, values: pa.Array) -> pa.DictionaryArray:
    """A column that says for each line which of the values it has."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), values)
