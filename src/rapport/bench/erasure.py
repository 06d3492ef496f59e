"""Erasing a person with 10,000 events from a lake of five million, against the limit of a minute; and what
is left of them afterwards in any byte of any file."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rapport.bench import child
from rapport.bench.harness import Measure, bench, timed

EVENTS = 5_000_000
HERS = 10_000
LIMIT_S = 60.0
RUNS = 3

IDENTIFIERS = ("customer:ana-4711-ruiz", "email:ana.ruiz@example.org")
WORDS = "a sentence that nobody else has written"
NEEDLES = ("ana-4711-ruiz", "ana.ruiz@example.org", WORDS)


@bench("erasure")
def erasure() -> Iterator[Measure]:
    found = [child.measure("rapport.bench.erasure", str(EVENTS), str(HERS)) for _ in range(RUNS)]
    yield Measure(
        f"erase a person with {HERS:,} events in a lake of {EVENTS:,}",
        f"the limit of {LIMIT_S:.0f} s",
        "s",
        [f["took_s"] for f in found],
        [LIMIT_S] * RUNS,
        at_most=1.0,
        figures={
            "rows erased": str(found[0]["rows"]),
            "traces left in any file": str(sum(len(f["left"]) for f in found)),
            "other people's figures changed": str(sum(f["changed"] for f in found)),
        },
    )


def left_in(folder: Path, needles: Sequence[str]) -> list[str]:
    """Where in the files of a folder a text still stands: in the bytes as they lie, and unpacked.

    Parquet is read column by column and the spool's bodies are unpacked, for compression hides a text
    from whoever only looks at the bytes, and from nobody else.
    """
    from rapport.events import packing

    found = set()
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        try:
            raw = file.read_bytes()
        except FileNotFoundError:
            continue  # what runs has just deleted it
        found |= {f"{needle} in {file.name}" for needle in needles if needle.encode() in raw}
        if file.suffix == ".parquet":
            found |= {f"{needle} in {file.name}" for needle in needles if _in_parquet(file, needle)}
        if file.name == "spool.sqlite3":
            con = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
            for (body,) in con.execute("SELECT body FROM body WHERE body IS NOT NULL"):
                plain = packing.unpack(body) or b""
                found |= {
                    f"{needle} in a body of {file.name}" for needle in needles if needle.encode() in plain
                }
            con.close()
    return sorted(found)


def _in_parquet(file: Path, needle: str) -> bool:
    opened = pq.ParquetFile(file)
    return any(
        pc.any(pc.match_substring(_plain(batch.column(i)), needle, ignore_case=True)).as_py()
        for batch in opened.iter_batches()
        for i, column in enumerate(batch.schema)
        if pa.types.is_string(column.type) or pa.types.is_list(column.type)
    )


def _plain(column: pa.Array) -> pa.Array:
    return pc.list_flatten(column) if pa.types.is_list(column.type) else column


def fill(n_events: int, n_hers: int) -> None:
    """A lake in which the named person's events lie among everybody's, over two years."""
    from rapport.events import lake, services, upkeep

    with lake.new_engine() as con:
        for at in range(0, n_events, 1_000_000):
            n = min(1_000_000, n_events - at)
            every = max(2, n_events // n_hers)
            services.record_query(
                con,
                f"""SELECT 'm' || (i + {at}) AS message_id,
                CASE WHEN i % 9 = 0 THEN 'order_placed' ELSE 'page_viewed' END AS name,
                TIMESTAMPTZ '2024-06-01' + to_seconds((i + {at}) * {63_000_000 // n_events}) AS ts,
                CASE WHEN i % {every} = 1 THEN '{IDENTIFIERS[0]}' ELSE 'customer:' || (hash(i) % 200000) END
                AS identifier,
                CASE WHEN i % {every} = 1 AND i < {every * 5} THEN ['{IDENTIFIERS[1]}'] END AS also,
                'order' AS evidence, 'web' AS channel, 'shop.example' AS venue,
                CASE WHEN i % {every} = 1 THEN '{WORDS} ' || i END AS "text",
                CASE WHEN i % 9 = 0 THEN i % 10000 END AS value_minor,
                CASE WHEN i % 9 = 0 THEN 'EUR' END AS currency,
                '{{"path":"/parts/' || (i % 5000) || '","order_id":"' || (i + {at}) || '"}}' AS properties
                FROM range({n}) AS r(i)""",
                source="bench",
                trusted=True,
            )
    upkeep.drain()


def others() -> list[object]:
    """What everybody else did, as counted and as recorded."""
    from rapport.events import lake

    con = lake.connect()
    hers = f"subject IN (SELECT subject FROM subject WHERE identifier IN {IDENTIFIERS})"
    rows = (
        con.execute(
            f"SELECT name, count(*), sum(value_minor), sum(hash(seq, subject, ts)::HUGEINT) FROM event"
            f" WHERE NOT {hers} AND name <> 'person_erased' GROUP BY name ORDER BY name"
        ).fetchall()
        + con.execute(
            f"SELECT name, sum(n), sum(value_minor) FROM subject_day WHERE NOT {hers}"
            " AND name <> 'person_erased' GROUP BY name ORDER BY name"
        ).fetchall()
    )
    con.close()
    return [str(row) for row in rows]


def main(n_events: int, n_hers: int) -> None:
    from rapport.web.stores import initialise

    initialise()
    from rapport.consent import services
    from rapport.events import lake, spool, subscriptions

    fill(n_events, n_hers)
    subscriptions.drain(["people"])
    before = others()
    certificates = []
    took_s = timed(lambda: certificates.append(services.erase(IDENTIFIERS[0], by="bench")))
    after = others()
    lake.forget()
    spool.forget()
    print(
        json.dumps(
            {
                "took_s": took_s,
                "rows": certificates[0].n_rows,
                "events": certificates[0].counts["events"],
                "counts": certificates[0].counts,
                "left": left_in(Path(os.environ["RAPPORT_HOME"]), NEEDLES),
                "changed": int(before != after),
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
