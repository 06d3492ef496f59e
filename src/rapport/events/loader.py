"""The loader: the lake's one writer. Takes a range of the spool, checks it, writes it once.

Rows, counters, sessions and the receipt that holds the offset are one lake transaction; each new Parquet
file is flushed to disk before the commit, and the spool is released after it. Killed anywhere, the same
range is taken again and gets the same numbers.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from rapport.events import blanking, erased, lake, plan, quarantine, rules, spool
from rapport.kit import clock, home, query

log = logging.getLogger(__name__)

RANGE_EVENTS = 400_000
RANGE_BYTES = 64_000_000
LARGE_EVENTS = 100_000  # from here on a body is written by itself, in its own order where that will do
COMPACT_EVERY_COMMITS = 200
LOCK = "load"
# What `load_check.sql` measures by.
CHECK = {
    "identifiers_max": rules.IDENTIFIERS_MAX,
    "earliest": rules.EARLIEST,
    "future_s": rules.FUTURE_TOLERANCE.total_seconds(),
    "bytes_max": rules.MESSAGE_BYTES_MAX,
}

_TOUCHPOINT_COLUMNS = (
    'name, ts, identifier, also, evidence, channel, venue, "text", value_minor, currency, properties'
)


_NOT_BLANK = f"NOT (identifier = '' AND name = '{rules.BLANK_NAME}')"


@dataclass(slots=True)
class Loaded:
    """What one commit did."""

    first: int = 0
    last: int = 0
    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    left_out: int = 0  # of people who were erased
    annotations: int = 0
    duration_s: float = 0.0


class Loader:
    """Loads ranges until told to stop; hold the `load` lock around it."""

    def __init__(self) -> None:
        self.spool = spool.current()
        self.con = lake.connect()
        self.commits = 0
        self._erased_stamp: tuple[object, ...] = ()
        self._erased = erased.TABLE.empty_table()
        with lake.together(self.con):
            self.head = offset(self.con)  # the last event number in the lake; nobody else moves it
            for name, table in plan.relations(plan.current()).items():
                lake.give(self.con, name, table)

    def close(self) -> None:
        self.con.close()

    def load_next(self) -> Loaded | None:
        """Load one range; None where nothing waits."""
        # Whoever blanks what was erased waits, and is waited for: a body read before would be loaded as it was.
        with lake.writing():
            bodies = self.spool.read(self.head + 1, max_events=RANGE_EVENTS, max_bytes=RANGE_BYTES)
            if not bodies:
                return None
            loaded = self.load(bodies)
        self.head = loaded.last
        self.commits += 1
        return loaded

    def load(self, bodies: Sequence[spool.Stored], *, repair: bool = False) -> Loaded:
        """Load these bodies in one transaction.

        The caller holds the lake's writing lock. With `repair`, only rows that the lake lacks are added,
        and neither counters, sessions nor receipts are touched: the caller rebuilds those.
        """
        began = clock.monotonic_s()
        result = Loaded(first=bodies[0].first, last=bodies[-1].last, read=sum(b.n for b in bodies))
        # One transaction from the first statement on: each one outside would ask the catalogue anew.
        self.con.execute("BEGIN")
        with _rollback_on_error(self.con):
            candidate = self._keep_out(self._gather(bodies))
            self._dedupe(candidate, keep_all=repair)
            quarantine.keep(self._refuse())
            rows = "all_raw" if repair else "fresh_raw"
            has_claims = self._number_subjects(rows)
            self._insert_events(bodies)
            if has_claims:
                self._insert_claims(rows, repair=repair)
            if not repair:
                self._insert_counters()
                self._insert_sessions()
            result.annotations = self._insert_annotations(bodies)
            self._receipts(bodies, result, write=not repair)
            left_out = [
                row[0] for row in self.con.execute("SELECT seq FROM left_out ORDER BY seq").fetchall()
            ]
            flush_new_files(began_at=self._wall_began)
            self._clear()  # within the transaction, which otherwise would take them back by itself
            self.con.execute("COMMIT")
        if left_out:
            gone = blanking.of_seqs(left_out)
            blanking.blank(self.spool, gone, first=result.first, last=result.last)
        if not repair:
            self.spool.release(result.last)
        result.duration_s = clock.monotonic_s() - began
        return result

    # Reading the spool

    def _gather(self, bodies: Sequence[spool.Stored]) -> str:
        """Make `candidate`: every well-formed row with its seq and id; and `incoming`: the checked ones."""
        self._wall_began = clock.now_us() / 1e6
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE incoming ({lake.RELATIONS['incoming']});"
            "CREATE OR REPLACE TEMP TABLE refused (seq BIGINT, reason VARCHAR, field VARCHAR, message VARCHAR);"
            "CREATE OR REPLACE TEMP TABLE left_out (seq BIGINT, batch VARCHAR, source VARCHAR)"
        )
        self._gather_segment([b for b in bodies if b.kind == spool.SEGMENT])
        self._gather_rows([b for b in bodies if b.kind == spool.TOUCHPOINTS])
        self._check()
        selects = [
            f"SELECT seq, received_at, source, batch, id, {_TOUCHPOINT_COLUMNS}"
            " FROM incoming ANTI JOIN refused USING (seq)"
        ]
        trusted = [b for b in bodies if b.kind == spool.TRUSTED]
        self._trusted = self._rows_select(trusted, "trusted") if trusted else ""
        if trusted:
            selects.append(self._trusted)
        return " UNION ALL ".join(selects if incoming_rows(self.con) or not trusted else selects[1:])

    def _gather_segment(self, bodies: Sequence[spool.Stored]) -> None:
        if not bodies:
            return
        table = pa.table(
            {
                "first": pa.array([b.first for b in bodies], pa.int64()),
                "received_at": pa.array([b.received_at for b in bodies], pa.int64()),
                "source": pa.array([b.source for b in bodies], pa.string()),
                "batch": pa.array([b.batch for b in bodies], pa.string()),
                "body": pa.array([(b.body or b"").decode("utf-8", "replace") for b in bodies], pa.string()),
            }
        )
        lake.give(self.con, "body", table)
        select = query.load("rapport.events", "load_segment").text
        self.con.execute(f"INSERT INTO incoming BY NAME {select}")
        self.con.execute("DROP TABLE body")

    def _gather_rows(self, bodies: Sequence[spool.Stored]) -> None:
        if not bodies:
            return
        select = self._rows_select(bodies, "unchecked")
        raw = (
            "to_json({'name': name, 'ts': ts, 'identifier': identifier, 'also': also, 'evidence': evidence,"
            " 'channel': channel, 'venue': venue, 'text': \"text\", 'value_minor': value_minor,"
            " 'currency': currency, 'properties': properties})::VARCHAR AS raw"
        )
        self.con.execute(
            f"INSERT INTO incoming BY NAME SELECT '{quarantine.TOUCHPOINT}' AS kind, *, {raw} FROM ({select})"
        )

    def _rows_select(self, bodies: Sequence[spool.Stored], name: str) -> str:
        """A SELECT over staged files and inline Arrow bodies, with seq from the body's place."""
        columns = f"id::UUID AS id, {_TOUCHPOINT_COLUMNS}"
        parts: list[str] = []
        staged = [b for b in bodies if b.staged]
        for b in staged:
            parts.append(
                f"SELECT {b.first} + file_row_number AS seq, to_timestamp({b.received_at} / 1e6) AS received_at,"
                f" {_literal(b.source)} AS source, {_literal(b.batch)} AS batch, {columns}"
                f" FROM read_parquet({_literal(str(self.spool.staged_file(b.staged or '')))},"
                f" file_row_number = true) WHERE {_NOT_BLANK}"
            )
        inline = [b for b in bodies if not b.staged]
        if inline:
            lake.give(self.con, f"{name}_inline", _inline_table(inline))
            parts.append(
                f"SELECT seq, received_at, source, batch, {columns} FROM {name}_inline WHERE {_NOT_BLANK}"
            )
        return " UNION ALL ".join(parts)

    def _check(self) -> None:
        if not incoming_rows(self.con):
            return
        select = query.load("rapport.events", "load_check").text
        self.con.execute(f"INSERT INTO refused SELECT * FROM ({select}) WHERE reason IS NOT NULL", CHECK)

    def _refuse(self) -> Iterator[quarantine.Refused]:
        rows = self.con.execute(
            "SELECT i.source, i.kind, i.batch, i.raw, r.reason, r.field, r.message, epoch_us(i.received_at)"
            " FROM refused AS r JOIN incoming AS i USING (seq)"
            " WHERE r.seq NOT IN (SELECT seq FROM left_out) ORDER BY r.seq"
        ).fetchall()
        for source, kind, batch, raw, reason, field_, message, received_us in rows:
            yield quarantine.Refused(
                source=source,
                kind=kind,
                body=raw or "",
                reason=reason,
                message=message,
                field=field_ or "",
                batch=batch,
                received_us=received_us,
            )

    # Keeping out who was erased

    def _keep_out(self, candidate: str) -> str:
        """The candidates without rows that name somebody erased; makes `left_out`, and lets return who may.

        An order, or a consent confirmed by its link, dated after the erasure makes them known again, as
        somebody new and from then on. An erased browser in a row about somebody else is left unsaid.
        """
        con = self.con
        stamp = erased.stamp()
        if stamp != self._erased_stamp:
            self._erased_stamp, self._erased = stamp, erased.table()
        if not self._erased.num_rows:
            return candidate
        wanted = "seq, ts, name, properties, identifier, also, batch, source"
        said = f"SELECT {wanted} FROM incoming"
        if self._trusted:
            said += f" UNION ALL SELECT {wanted} FROM ({self._trusted})"
        mentions = f"SELECT identifier FROM ({said}) UNION ALL SELECT unnest(also) FROM ({said})"
        if not erased.known_among(con, mentions, self._erased):
            con.execute("DROP TABLE kept_out")
            return candidate
        con.execute(f"CREATE OR REPLACE TEMP VIEW said AS {said}")
        acts = {
            "own_acts": list(rules.OWN_ACTS),
            "confirmed_act": rules.CONFIRMED_ACT,
            "confirmed_how": rules.CONFIRMED_HOW,
        }
        mentioned = query.load("rapport.events", "left_out").text
        con.execute(f"CREATE OR REPLACE TEMP TABLE mentioned AS {mentioned}", acts)
        returned = con.execute(
            "SELECT hash, min(ts) FROM mentioned WHERE is_act AND seq NOT IN (SELECT seq FROM refused)"
            " AND ts > erased_at AND returned_at IS NULL GROUP BY hash"
        ).fetchall()
        erased.let_return(dict(returned))
        for digest, at in returned:
            con.execute(
                "UPDATE mentioned SET returned_at = $at WHERE hash = $hash", {"at": at, "hash": digest}
            )
        devices = ", ".join(blanking.literal(n) for n in rules.DEVICE_NAMESPACES)
        out = "returned_at IS NULL OR ts < returned_at"
        device = f"place > 0 AND split_part(identifier, ':', 1) IN ({devices})"
        con.execute(
            f"INSERT INTO left_out SELECT DISTINCT seq, batch, source FROM mentioned"
            f" WHERE ({out}) AND NOT ({device})"
        )
        unsaid = con.execute(
            f"SELECT DISTINCT identifier FROM mentioned WHERE ({out}) AND {device}"
        ).fetchall()
        con.execute("DROP VIEW said; DROP TABLE mentioned; DROP TABLE kept_out")
        kept = f"SELECT * FROM ({candidate}) ANTI JOIN left_out USING (seq)"
        if unsaid:
            texts = ", ".join(blanking.literal(text) for (text,) in unsaid)
            # The place stays, for the number of a new identifier follows from it.
            kept = (
                f"SELECT * REPLACE (list_transform(also, lambda x: CASE WHEN x NOT IN ({texts}) THEN x END)"
                f" AS also) FROM ({kept})"
            )
        return kept

    # Writing once

    def _dedupe(self, candidate: str, *, keep_all: bool) -> None:
        """Make the view `fresh_raw`: the candidates that are neither twice here nor already in the lake.

        An id is unique within its day and the neighbours, so only the months around are probed.
        """
        con = self.con
        count, distinct, lo, hi = _row(
            con.execute(f"SELECT count(*), count(DISTINCT id), min(ts), max(ts) FROM ({candidate})")
        )
        told = 0
        around = (
            "SELECT e.id FROM event AS e WHERE e.ts >= $lo::TIMESTAMPTZ - INTERVAL 1 DAY"
            " AND e.ts <= $hi::TIMESTAMPTZ + INTERVAL 1 DAY"
        )
        span = {"lo": lo, "hi": hi}
        if count:
            (told,) = _row(
                con.execute(
                    f"SELECT count(*) FROM ({around}) AS e SEMI JOIN ({candidate}) AS c USING (id)", span
                )
            )
        if distinct == count and not told and not keep_all:
            # Nothing to leave out: the rows are read where they lie, and only the columns each step needs.
            con.execute(f"CREATE OR REPLACE TEMP VIEW fresh_raw AS {candidate}")
            return
        con.execute(f"CREATE OR REPLACE TEMP TABLE fresh_rows AS {candidate}")
        if keep_all:
            con.execute("CREATE OR REPLACE TEMP TABLE all_raw AS SELECT * FROM fresh_rows")
        if distinct < count:
            con.execute(
                "DELETE FROM fresh_rows WHERE seq NOT IN (SELECT min(seq) FROM fresh_rows GROUP BY id)"
            )
        if told:
            con.execute(
                f"DELETE FROM fresh_rows WHERE id IN ({around} AND e.id IN (SELECT id FROM fresh_rows))", span
            )
        con.execute("CREATE OR REPLACE TEMP VIEW fresh_raw AS SELECT * FROM fresh_rows")

    def _number_subjects(self, rows: str) -> bool:
        """Make `fresh`, with subjects; gives whether any row names more than one identifier.

        Identifiers never seen before join the dictionary. A subject is the seq of the first event naming
        it and its place among that event's identifiers, so that loading the range again gives it the same
        number. A repair looks at every row of the range, because the dictionary or the claims may have
        lost what the events still have.
        """
        con = self.con
        bits = rules.SUBJECT_BITS
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE mention AS SELECT identifier, min(seq) << {bits} AS subject,"
            f" min(seq) AS first_seq FROM {rows} GROUP BY identifier"
        )
        has_also = _row(con.execute(f"SELECT count(*) FROM {rows} WHERE len(also) > 0"))[0]
        if has_also:
            con.execute(
                "INSERT INTO mention SELECT identifier, min(subject), min(seq) FROM ("
                f"SELECT unnest(also) AS identifier, seq, (seq << {bits}) | unnest(range(1, len(also) + 1))"
                f" AS subject FROM {rows} WHERE len(also) > 0) WHERE identifier IS NOT NULL GROUP BY identifier"
            )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE known AS SELECT m.identifier,"
            " coalesce(min(s.subject), min(m.subject)) AS subject, min(m.first_seq) AS first_seq,"
            " count(s.subject) = 0 AS is_new FROM mention AS m LEFT JOIN lake.subject AS s"
            " ON m.identifier = s.identifier GROUP BY m.identifier"
        )
        con.execute(
            "INSERT INTO lake.subject SELECT subject, identifier, first_seq FROM known"
            " WHERE is_new ORDER BY identifier"
        )
        con.execute(
            "CREATE OR REPLACE TEMP VIEW fresh AS SELECT f.*, k.subject FROM fresh_raw AS f"
            " JOIN known AS k ON f.identifier = k.identifier"
        )
        return bool(has_also)

    def _insert_claims(self, rows: str, *, repair: bool) -> None:
        """What the touchpoints said of identifiers being one person, once per event and pair."""
        lacking = (
            " AND c.seq NOT IN (SELECT seq FROM lake.claim) AND c.seq IN (SELECT e.seq FROM lake.event AS e"
            f" WHERE e.seq IN (SELECT seq FROM {rows}))"
        )
        self.con.execute(
            "INSERT INTO lake.claim SELECT DISTINCT c.seq, c.ts, least(o.subject, k.subject),"
            " greatest(o.subject, k.subject), coalesce(c.evidence, 'event'), c.source"
            " FROM (SELECT seq, ts, identifier, evidence, source, unnest(also) AS other"
            f" FROM {rows} WHERE len(also) > 0) AS c"
            " JOIN known AS o ON c.identifier = o.identifier AND c.identifier <> c.other"
            f" JOIN known AS k ON c.other = k.identifier WHERE true{lacking if repair else ''} ORDER BY c.seq"
        )

    def _insert_events(self, bodies: Sequence[spool.Stored]) -> None:
        """Write the rows as the lake keeps them; sorting costs as much as all else, and is often needless."""
        large = [b for b in bodies if b.n >= LARGE_EVENTS and b.kind == spool.TRUSTED]
        for b in large:
            rows = f"(SELECT * FROM fresh WHERE seq BETWEEN {b.first} AND {b.last})"
            self._write_events(rows, is_in_order=self._is_in_order(rows))
        if len(large) < len(bodies):
            others = " AND ".join(f"seq NOT BETWEEN {b.first} AND {b.last}" for b in large) or "true"
            self._write_events(f"(SELECT * FROM fresh WHERE {others})", is_in_order=False)

    def _write_events(self, rows: str, *, is_in_order: bool) -> None:
        order = "" if is_in_order else " ORDER BY subject, ts"
        self.con.execute(
            "INSERT INTO lake.event SELECT id, seq, ts, received_at, subject, name, source, channel,"
            f' venue, "text", value_minor, currency, properties FROM {rows}{order}'
        )

    def _is_in_order(self, rows: str) -> bool:
        found = self.con.execute(f"SELECT seq, subject, epoch_us(ts) AS ts FROM {rows}").fetchnumpy()
        order = np.argsort(found["seq"], kind="stable")  # threads may hand blocks over in any order
        subject, ts = np.diff(found["subject"][order]), np.diff(found["ts"][order])
        return bool(np.all((subject > 0) | ((subject == 0) & (ts >= 0))))

    def _insert_counters(self) -> None:
        select = query.load("rapport.events", "load_counters").text
        self.con.execute(f"INSERT INTO lake.subject_day {select}")

    def _insert_sessions(self) -> None:
        con = self.con
        select = query.load("rapport.events", "load_sessions").text
        con.execute(f"CREATE OR REPLACE TEMP TABLE new_session AS {select}")
        if not _row(con.execute("SELECT count(*) FROM new_session"))[0]:
            return
        lo, hi = _row(con.execute("SELECT min(started_at), max(ended_at) FROM new_session"))
        con.execute(
            "CREATE OR REPLACE TEMP TABLE old_session AS SELECT s.* FROM lake.session AS s JOIN ("
            "SELECT subject, min(started_at) AS lo, max(ended_at) AS hi FROM new_session GROUP BY subject)"
            " AS n ON s.subject = n.subject AND s.ended_at >= n.lo - INTERVAL 30 MINUTES"
            " AND s.started_at <= n.hi + INTERVAL 30 MINUTES"
            " WHERE s.started_at >= $lo::TIMESTAMPTZ - INTERVAL 2 DAY"
            " AND s.started_at <= $hi::TIMESTAMPTZ + INTERVAL 2 DAY",
            {"lo": lo, "hi": hi},
        )
        if _row(con.execute("SELECT count(*) FROM old_session"))[0]:
            con.execute(
                "DELETE FROM lake.session WHERE (subject, started_at) IN"
                " (SELECT (subject, started_at) FROM old_session)"
            )
            con.execute("INSERT INTO new_session SELECT * FROM old_session")
            merged = query.load("rapport.events", "merge_sessions").text
            con.execute(f"INSERT INTO lake.session {merged}")
        else:
            con.execute("INSERT INTO lake.session SELECT * FROM new_session")

    def _insert_annotations(self, bodies: Sequence[spool.Stored]) -> int:
        chosen = [b for b in bodies if b.kind == spool.ANNOTATIONS]
        n = 0
        for b in chosen:
            if b.staged:
                table = f"read_parquet({_literal(str(self.spool.staged_file(b.staged)))})"
            else:
                lake.give(self.con, "annotation_inline", _read_ipc(b))
                table = "annotation_inline"
            # What a model says of a text that was erased while it read comes too late.
            known = (
                " AND given.subject IN (SELECT s.subject FROM lake.subject AS s)"
                if self._erased.num_rows
                else ""
            )
            n += _row(
                self.con.execute(
                    "INSERT INTO lake.annotation SELECT seq, subject, ts, name, label, value, probability,"
                    f" model, version, detail, {b.first} FROM {table} AS given WHERE NOT EXISTS"
                    " (SELECT 1 FROM lake.annotation AS a WHERE a.seq = given.seq AND a.name = given.name"
                    f" AND a.model = given.model AND a.version = given.version AND a.run = {b.first}){known}"
                )
            )[0]
        return n

    def _receipts(self, bodies: Sequence[spool.Stored], result: Loaded, *, write: bool) -> None:
        """Count what became of each batch; the greatest last_seq is the offset."""
        con = self.con
        given = pa.table(
            {
                "batch": pa.array([b.batch for b in bodies], pa.string()),
                "source": pa.array([b.source for b in bodies], pa.string()),
                "first_seq": pa.array([b.first for b in bodies], pa.int64()),
                "last_seq": pa.array([b.last for b in bodies], pa.int64()),
                "n": pa.array([0 if b.kind == spool.ANNOTATIONS else b.n for b in bodies], pa.int64()),
            }
        )
        lake.give(con, "bodies_given", given)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE receipt_new AS"
            " WITH g AS (SELECT batch, source, min(first_seq) AS first_seq, max(last_seq) AS last_seq,"
            " sum(n)::BIGINT AS n_read FROM bodies_given GROUP BY ALL),"
            " ok AS (SELECT batch, source, count(*) AS n FROM fresh_raw GROUP BY ALL),"
            " no AS (SELECT i.batch, i.source, count(*) AS n FROM refused JOIN incoming AS i USING (seq)"
            " WHERE seq NOT IN (SELECT seq FROM left_out) GROUP BY ALL),"
            " out AS (SELECT batch, source, count(*) AS n FROM left_out GROUP BY ALL)"
            " SELECT g.batch, g.source, g.first_seq, g.last_seq, g.n_read, coalesce(ok.n, 0) AS n_accepted,"
            " g.n_read - coalesce(ok.n, 0) - coalesce(no.n, 0) - coalesce(out.n, 0) AS n_duplicate,"
            " coalesce(no.n, 0) AS n_quarantined, coalesce(out.n, 0) AS n_left_out"
            " FROM g LEFT JOIN ok USING (batch, source) LEFT JOIN no USING (batch, source)"
            " LEFT JOIN out USING (batch, source)"
        )
        accepted, duplicate, refused, left_out = _row(
            con.execute(
                "SELECT sum(n_accepted), sum(n_duplicate), sum(n_quarantined), sum(n_left_out) FROM receipt_new"
            )
        )
        result.accepted, result.duplicate, result.quarantined = int(accepted), int(duplicate), int(refused)
        result.left_out = int(left_out)
        if write:
            con.execute(
                "INSERT INTO lake.receipt BY NAME SELECT *, to_timestamp($now / 1e6) AS loaded_at"
                " FROM receipt_new",
                {"now": clock.now_us()},
            )

    def _clear(self) -> None:
        tables = (
            *(
                "all_raw",
                "fresh_rows",
                "incoming",
                "refused",
                "left_out",
                "mention",
                "known",
                "bodies_given",
                "receipt_new",
            ),
            *("new_session", "old_session", "trusted_inline", "unchecked_inline", "annotation_inline"),
        )
        drops = [
            "DROP VIEW IF EXISTS fresh",
            "DROP VIEW IF EXISTS fresh_raw",
            *(f"DROP TABLE IF EXISTS {table}" for table in tables),
        ]
        self.con.execute("; ".join(drops))


def offset(con: duckdb.DuckDBPyConnection) -> int:
    """The last event number in the lake, 0 where it is empty."""
    return int(_row(con.execute("SELECT coalesce(max(last_seq), 0) FROM lake.receipt"))[0])


def incoming_rows(con: duckdb.DuckDBPyConnection) -> int:
    """Rows of this range that are checked against the plan."""
    return int(_row(con.execute("SELECT count(*) FROM incoming"))[0])


@contextlib.contextmanager
def _rollback_on_error(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(duckdb.Error):
            con.execute("ROLLBACK")
        raise


def flush_new_files(began_at: float) -> None:
    """fsync every Parquet file written since the transaction began, then its folder, once each.

    DuckLake does not do this; without it a power cut after COMMIT leaves names without content.
    """
    _, files = lake.location()
    folders: set[Path] = set()
    for file in _recent_files(files, began_at):
        home.fsync_file(file)
        folders.add(file.parent)
    for folder in sorted(folders):
        home.fsync_folder(folder)
        home.fsync_folder(folder.parent)


def _recent_files(folder: Path, began_at: float) -> Iterator[Path]:
    import os

    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _recent_files(Path(entry.path), began_at)
            elif entry.stat().st_mtime >= began_at - 1:
                yield Path(entry.path)


def _inline_table(bodies: Sequence[spool.Stored]) -> pa.Table:
    parts = []
    for b in bodies:
        table = _read_ipc(b)
        n = table.num_rows
        parts.append(
            table.append_column("seq", pa.array(range(b.first, b.first + n), pa.int64()))
            .append_column("received_at", pa.array([b.received_at] * n, pa.timestamp("us", tz="UTC")))
            .append_column("source", pa.array([b.source] * n, pa.string()))
            .append_column("batch", pa.array([b.batch] * n, pa.string()))
        )
    return pa.concat_tables(parts)


def _read_ipc(body: spool.Stored) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(body.body or b"")).read_all()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _row(result: duckdb.DuckDBPyConnection) -> tuple[int, ...]:
    row = result.fetchone()
    assert row is not None
    return row
