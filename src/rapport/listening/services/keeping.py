"""Keep to the terms of networks: what was taken back goes, and what was kept long enough."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from rapport.events import lake, subscriptions
from rapport.events import services as events
from rapport.kit import bulk, clock, home, query
from rapport.kit.errors import Conflict
from rapport.listening.models import Source, Withdrawal
from rapport.listening.services import archives, saying, sources, storing, unchecked

LOCK = "network-terms"
EVERY = dt.timedelta(days=1)
TAKEN_BACK_AFTER = dt.timedelta(minutes=5)  # the log's files are written anew for all of that time together
AT_ONCE = 5_000
POST_ID_CHARS_MAX = 512  # that the store takes
WITHDRAWN_H = 24  # where no source of a network is left that would say
TEXTS = (*saying.NAMES.values(), saying.OUR_PUBLIC, saying.OUR_PRIVATE)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one pass took out of the log."""

    withdrawn: int = 0  # texts that were taken back or changed on their network
    expired: int = 0  # events older than the network's terms let us keep


def on_withdrawn(batch: subscriptions.Batch) -> None:
    """Note what was taken back or changed; what was said before goes from the log within minutes."""
    if not batch.events.num_rows:
        return
    con = lake.connect()
    try:
        lake.give(con, "taken_back", batch.events.select(["seq", "received_at", "properties"]))
        found = query.run(con, query.load("rapport.listening", "taken_back"), {}).fetchall()
    finally:
        con.close()
    # Sources shorten what is longer; who tells the log of it by other ways may not stop everybody's deletions.
    found = [row for row in found if len(row[1]) <= POST_ID_CHARS_MAX]
    hours = deletes_within_h(sorted({network for network, *_ in found}))
    now = bulk.time_value(clock.now())
    rows = [
        (network, post_id, seq, now, bulk.time_value(told_at + dt.timedelta(hours=hours[network])))
        for network, post_id, seq, told_at in found
    ]
    bulk.upsert(
        "listening_withdrawal",
        ("network", "post_id", "upto_seq", "told_at", "due_at"),
        rows,
        conflict=("network", "post_id"),
        update=("upto_seq",),
        where="excluded.upto_seq > listening_withdrawal.upto_seq",
    )


def deletes_within_h(networks: Sequence[str]) -> dict[str, int]:
    """Hours within which what is deleted on a network has to be gone here: the strictest of its sources."""
    found = dict.fromkeys(networks, WITHDRAWN_H)
    for source in Source.objects.filter(network__in=list(networks)):
        terms = sources.terms_of_row(source)
        if terms is not None:
            found[source.network] = min(found[source.network], terms.deletes_within_h)
    return found


def carry_out(now: dt.datetime | None = None) -> Kept:
    """Take out of the log what was taken back on its network, and what its terms let us keep no longer."""
    now = now or clock.now()
    with home.lock(LOCK):
        return Kept(_withdraw(), _expire(now))


def carry_out_if_due() -> Kept | None:
    """Some minutes after something was taken back, and once a day; None where there is nothing to do."""
    now = clock.now()
    is_asked = Withdrawal.objects.filter(told_at__lte=now - TAKEN_BACK_AFTER).exists()
    is_day = _is_day(now)
    if not is_asked and not is_day:
        return None
    try:
        with home.lock(LOCK):
            done = Kept(_withdraw() if is_asked else 0, _expire(now) if is_day else 0)
    except Conflict:
        return None
    return done


def _withdraw() -> int:
    waiting = list(Withdrawal.objects.order_by("due_at")[:AT_ONCE])
    if not waiting:
        return 0
    con = lake.connect()
    try:
        wanted = {
            "network": [row.network for row in waiting],
            "post_id": [row.post_id for row in waiting],
            "upto_seq": [row.upto_seq for row in waiting],
        }
        lake.give(con, "taken_back", pa.table(wanted))
        names = {"names": list(TEXTS)}
        found = query.run(con, query.load("rapport.listening", "withdrawn_events"), names).fetchall()
    finally:
        con.close()
    done = events.withdraw([seq for (seq,) in found])
    for row in waiting:
        # One that was told again in the meantime stays for the next pass.
        Withdrawal.objects.filter(pk=row.pk, upto_seq=row.upto_seq).delete()
    return done.events


def _expire(now: dt.datetime) -> int:
    limits = {
        source.name: since
        for source in Source.objects.all()
        if (since := unchecked.keep_since(source, now)) is not None
    }
    n = 0
    if limits:
        con = lake.connect()
        try:
            table = {
                "source": pa.array(list(limits), pa.string()),
                "before_ts": pa.array(list(limits.values()), pa.timestamp("us", tz="UTC")),
            }
            lake.give(con, "limit_of", pa.table(table))
            names = {"names": list(TEXTS)}
            found = query.run(con, query.load("rapport.listening", "expired_events"), names).fetchall()
        finally:
            con.close()
        n = events.forget_seqs([seq for (seq,) in found]).events
    n += _expire_archives(now)
    storing.sweep(now)
    _note_day(now)
    return n


def _expire_archives(now: dt.datetime) -> int:
    """Words of others that came with an archive go like those that were heard; our own stay."""
    limits = [
        (source, connector.network, now - dt.timedelta(days=days))
        for source, connector in archives.imported()
        if (days := archives.keep_days(connector)) is not None
    ]
    if not limits:
        return 0
    con = lake.connect()
    try:
        shape = [
            ("source", pa.string()),
            ("network", pa.string()),
            ("before_ts", pa.timestamp("us", tz="UTC")),
        ]
        columns = [
            pa.array(values, kind) for values, (_, kind) in zip(zip(*limits, strict=True), shape, strict=True)
        ]
        lake.give(con, "archive_limit", pa.table(columns, schema=pa.schema(shape)))
        names = {"names": [name for name in TEXTS if name not in {saying.OUR_PUBLIC, saying.OUR_PRIVATE}]}
        found = query.run(con, query.load("rapport.listening", "expired_archived"), names).fetchall()
    finally:
        con.close()
    return events.forget_seqs([seq for (seq,) in found]).events


def _is_day(now: dt.datetime) -> bool:
    try:
        last = dt.datetime.fromisoformat(_marker().read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return Source.objects.exists() or bool(archives.imported())
    return last <= now - EVERY


def _note_day(now: dt.datetime) -> None:
    _marker().parent.mkdir(parents=True, exist_ok=True)
    _marker().write_text(now.isoformat(), encoding="ascii")


def _marker() -> Path:
    return home.path("run", "network-terms.at")
