"""Web-server logs as touchpoints: what is costly is done once per distinct value, then joined by number."""

from __future__ import annotations

from collections.abc import Mapping
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

BATCH_ROWS = 122_880
REMEMBERED_LINES = 8_000_000
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, as in Fibonacci hashing (Knuth 6.4)
_HALF = np.uint64(32)

# Relations of the queries log_*.sql.
RELATIONS = {
    "log_line": "message UUID, host INTEGER, address INTEGER, moment INTEGER, request INTEGER, status INTEGER,"
    " bytes INTEGER, referrer INTEGER, browser INTEGER",
    **{
        f"log_{c}": "code INTEGER, value VARCHAR"
        for c in ("host", "address", "moment", "request", "status", "bytes", "referrer", "browser")
    },
    "log_requests": "code INTEGER, is_get BOOLEAN, is_asset BOOLEAN, is_robots BOOLEAN, is_sound BOOLEAN,"
    " search VARCHAR, fragment VARCHAR",
    "log_referrers": "code INTEGER, domain VARCHAR, own VARCHAR, fragment VARCHAR",
    "log_browsers": "code INTEGER, bot VARCHAR",
    "log_times": "code INTEGER, ts TIMESTAMPTZ",
    "log_answers": "code INTEGER, is_failure BOOLEAN, fragment VARCHAR",
    "log_sizes": "code INTEGER, fragment VARCHAR",
    "log_visitors": "address INTEGER, browser INTEGER, identifier VARCHAR, is_machine BOOLEAN,"
    " is_robots_reader BOOLEAN, fragment VARCHAR",
    "log_machine": "identifier VARCHAR",
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

    def __post_init__(self) -> None:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE log_machine ({RELATIONS['log_machine']})")

    def stage(self, lines: Lines) -> list[int]:
        """Make the relations that log_touchpoints and log_searches read; gives lines whose time is no good.

        These lines are in no relation any more.
        """
        codes, values = _codes_and_values(lines.columns)
        for name, table in values.items():
            self._keep(f"log_{name}", table)
        message = self._messages(codes, values)
        self._derive(
            "log_times", {"earliest": log_rules.EARLIEST, "latest": clock.now() + log_rules.FUTURE_TOLERANCE}
        )
        untimed = self._untimed(codes["moment"])
        self._register_lines(codes, message, untimed)
        self._derive(
            "log_requests",
            {
                "asset_endings": f"({weblog.ASSET_ENDINGS})",
                "search_parameters": f"(?:{'|'.join(weblog.SITE_SEARCH_PARAMETERS)})",
            },
        )
        if self.own_domain is None:
            row = query.run(self.con, query.load("rapport.listening", "log_own_domain")).fetchone()
            self.own_domain = row[0] if row else ""
        self._derive(
            "log_referrers",
            {
                "own_domain": self.own_domain,
                "search_engines": weblog.SEARCH_ENGINES,
                "search_parameters": f"(?:{'|'.join(weblog.ENGINE_SEARCH_PARAMETERS)})",
            },
        )
        self._derive(
            "log_browsers",
            {
                "has_browser": self.has_browser,
                "no_browser": weblog.NO_BROWSER,
                "machines": weblog.MACHINES,
                "not_machines": weblog.NOT_MACHINES,
                "machine_name": weblog.MACHINE_NAME,
            },
        )
        self._derive("log_answers", {})
        self._derive("log_sizes", {})
        self._derive(
            "log_visitors",
            {"secret": secret.derived_key("visitor").hex(), "robots_reader": weblog.ROBOTS_READER},
        )
        self.con.execute(
            "INSERT INTO log_machine SELECT identifier FROM log_visitors WHERE is_robots_reader"
            " AND identifier NOT IN (SELECT identifier FROM log_machine)"
        )
        return [int(line) for line in lines.columns["line"].to_numpy()[untimed]]

    def has_searches(self) -> bool:
        """Whether anybody may have searched on the site in this chunk."""
        return bool(
            self.con.execute("SELECT 1 FROM log_requests WHERE search IS NOT NULL LIMIT 1").fetchall()
        )

    def _keep(self, name: str, table: pa.Table) -> None:
        self.con.register("given", table)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")
        self.con.unregister("given")

    def _derive(self, name: str, params: Mapping[str, Any]) -> None:
        found = query.load("rapport.listening", name)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {found.text}", dict(params))

    def _messages(self, codes: dict[str, Any], values: dict[str, pa.Table]) -> Numbers:
        """A 128-bit key of each line: of its source, what it says, and how often that was said before.

        Two lanes of 64 bits, each mixed from the halves of the MD5 of every distinct value.
        """
        begins = self.con.execute("SELECT md5_number_lower($s), md5_number_upper($s)", {"s": self.source})
        lanes = np.empty((2, len(codes["moment"])), np.uint64)
        lanes[:] = np.array(begins.fetchall(), np.uint64).T
        drawn = np.empty(lanes.shape[1], np.uint64)
        for name in values:
            halves = self.con.execute(
                f"SELECT md5_number_lower(value) AS low, md5_number_upper(value) AS high FROM log_{name} ORDER BY code"
            ).fetchnumpy()
            for k, half in enumerate((halves["low"], halves["high"])):
                np.take(np.asarray(half, np.uint64), codes[name], out=drawn, mode="clip")
                lanes[k] ^= drawn
                lanes[k] *= _ODD
                np.right_shift(lanes[k], _HALF, out=drawn)
                lanes[k] ^= drawn
        lanes[0] += self.occurrences.number(lanes[1]) * _ODD
        return lanes

    def _untimed(self, moments: Any) -> npt.NDArray[np.bool_]:
        wrong = self.con.execute("SELECT code FROM log_times WHERE ts IS NULL").fetchnumpy()["code"]
        return np.isin(moments, wrong) if len(wrong) else np.zeros(len(moments), np.bool_)

    def _register_lines(
        self, codes: dict[str, Any], message: Numbers, untimed: npt.NDArray[np.bool_]
    ) -> None:
        raw = np.ascontiguousarray(message.T).astype(">u8").tobytes()
        uuids = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), message.shape[1], [None, pa.py_buffer(raw)]
        )
        table = pa.table(
            {
                "message": pa.ExtensionArray.from_storage(pa.uuid(), uuids),
                **{k: pa.array(v) for k, v in codes.items()},
            }
        )
        if untimed.any():
            table = table.filter(pa.array(~untimed))
        # The engine gives each batch to one thread.
        self.con.register("log_line", pa.Table.from_batches(table.to_batches(max_chunksize=BATCH_ROWS)))


def _codes_and_values(columns: pa.Table) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    """Each column's numbers, and its distinct values by number; time and zone become one column."""
    codes: dict[str, Any] = {}
    texts: dict[str, pa.Array] = {}
    for name in COLUMNS:
        coded = columns[name].combine_chunks()
        coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
        codes[name] = coded.indices.to_numpy()
        texts[name] = coded.dictionary
    ats, at, zones, zone = texts.pop("at"), codes.pop("at"), texts.pop("zone"), codes.pop("zone")
    if len(zones) > 1:
        pairs, at = np.unique(at.astype(np.int64) * len(zones) + zone, return_inverse=True)
        ats, zones = ats.take(pa.array(pairs // len(zones))), zones.take(pa.array(pairs % len(zones)))
    codes["moment"] = at.astype(np.int32)
    texts["moment"] = pc.binary_join_element_wise(ats, zones if len(zones) == len(ats) else zones[0], " ")
    values = {
        name: pa.table({"code": pa.array(np.arange(len(text), dtype=np.int32)), "value": text})
        for name, text in texts.items()
    }
    return codes, values
