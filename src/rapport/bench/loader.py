"""Events into the lake (checked for duplicates, numbered, counted, sessions made, flushed to disk), against
DuckDB writing the same rows to one Parquet file with the same compression."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from rapport.bench import child
from rapport.bench.harness import Measure, bench, timed

ROWS = 500_000
RUNS = 3


@bench("loader")
def loader() -> Iterator[Measure]:
    found = [child.measure("rapport.bench.loader", "touchpoints") for _ in range(RUNS)]
    yield Measure(
        "loader, rows of our own",
        "DuckDB writing the same rows to Parquet",
        "events/s",
        [ROWS / f["ours_s"] for f in found],
        [ROWS / f["peer_s"] for f in found],
    )
    found = [child.measure("rapport.bench.loader", "messages") for _ in range(RUNS)]
    yield Measure(
        "loader, the collector's JSON",
        "DuckDB writing the same rows to Parquet",
        "events/s",
        [f["n"] / f["ours_s"] for f in found],
        [f["n"] / f["peer_s"] for f in found],
    )


def main(what: str) -> None:
    from rapport.web.stores import initialise

    initialise()
    from rapport.events import lake, services, spool, upkeep

    n = ROWS
    if what == "touchpoints":
        con = lake.connect()
        services.record_query(
            con,
            f"""SELECT 'm' || i AS message_id,
            CASE WHEN i % 9 = 0 THEN 'order_placed' ELSE 'page_viewed' END AS name,
            TIMESTAMPTZ '2026-01-01' + to_seconds(i) AS ts, 'customer:' || (hash(i) % 50000) AS identifier,
            NULL::VARCHAR[] AS also, NULL AS evidence, 'web' AS channel, 'shop.example' AS venue, NULL AS "text",
            CASE WHEN i % 9 = 0 THEN i % 10000 END AS value_minor, CASE WHEN i % 9 = 0 THEN 'EUR' END AS currency,
            '{{"path":"/parts/' || (i % 5000) || '","order_id":"' || i || '"}}' AS properties
            FROM range({ROWS}) AS r(i)""",
            source="bench",
            trusted=True,
        )
    else:
        from rapport.bench.collector import BATCH, message_bodies

        n = 100_000
        spool.current().append(
            [spool.Body(spool.SEGMENT, "bench", BATCH, body) for body in message_bodies(n // BATCH)]
        )
    ours_s = timed(upkeep.drain)
    con = lake.connect()
    con.execute("CREATE TEMP TABLE rows AS SELECT * FROM event")
    found = con.execute("SELECT count(*) FROM rows").fetchone()
    assert found == (n,), found
    peer_s = timed(
        lambda: con.execute(f"COPY rows TO '{lake.location()[1]}/peer.parquet' (COMPRESSION zstd)")
    )
    print(json.dumps({"ours_s": ours_s, "peer_s": peer_s, "n": n}))


if __name__ == "__main__":
    main(sys.argv[1])
