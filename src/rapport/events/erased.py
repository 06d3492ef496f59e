"""Who was erased, as keyed hashes: what names them stays out of the log, however often a file brings it.

The hashes are in the operational store, and appended to a file beside it that outlives a restored backup:
a backup of yesterday knows nothing of who was erased since, and that file says so.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from django.db.models import Count, Max

from rapport.events import lake, rules
from rapport.events.models import Erased
from rapport.kit import bulk, clock, home, query, secret

PURPOSE = "erased"  # of the key; a hash made for another purpose tells nothing about these
_BLOCK_BYTES = 64  # of SHA-256, as RFC 2104 pads the key of an HMAC

TABLE = pa.schema(
    [
        ("hash", pa.string()),
        ("erased_at", pa.timestamp("us", tz="UTC")),
        ("returned_at", pa.timestamp("us", tz="UTC")),
    ]
)

_ADDRESS = re.compile(r"[^\s\"'<>(),;:\\]+@[^\s\"'<>(),;:\\]+")
_TELEPHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{5,}[0-9]")
_SCALAR = re.compile(r"\"((?:[^\"\\]|\\.){1,64})\"|(?<=[:\[,\s])([0-9]{1,19})(?=[,\]}\s])")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the replay list."""

    hash: str
    erased_at: dt.datetime


def hash_of(identifier: str) -> str:
    """The keyed hash of an identifier `namespace:value`."""
    return secret.keyed_hash(PURPOSE, identifier)


def hashes_of(identifiers: Iterable[str]) -> dict[str, str]:
    """Hash by identifier; a mail address that somebody used as a customer number counts as both."""
    spelt: set[str] = set()
    for identifier in identifiers:
        namespace, _, value = identifier.partition(":")
        spelt.add(identifier)
        if "@" in value and namespace in {"email", "customer"}:
            spelt |= {rules.normal_identifier("email", value), f"customer:{value}"}
    return {identifier: hash_of(identifier) for identifier in sorted(spelt)}


def is_erased(identifier: str) -> bool:
    """Whether this identifier was erased, and nobody has come again under it by an act of their own."""
    namespace, _, value = identifier.partition(":")
    digest = hash_of(rules.normal_identifier(namespace, value))
    return Erased.objects.filter(hash=digest, returned_at__isnull=True).exists()


def erased_among(identifiers: Iterable[str]) -> set[str]:
    """Which of these were erased, and nobody has come again under them by an act of their own."""
    by_hash: dict[str, set[str]] = {}
    for identifier in identifiers:
        namespace, _, value = identifier.partition(":")
        by_hash.setdefault(hash_of(identifier), set()).add(identifier)
        by_hash.setdefault(hash_of(rules.normal_identifier(namespace, value)), set()).add(identifier)
    found: set[str] = set()
    for part in bulk.parts(sorted(by_hash)):
        rows = Erased.objects.filter(hash__in=part, returned_at__isnull=True).values_list("hash", flat=True)
        for digest in rows:
            found |= by_hash[digest]
    return found


def remember(identifiers: Iterable[str]) -> tuple[str, ...]:
    """Keep these identifiers out from now on; gives their hashes. The list on disk is durable first."""
    digests = tuple(hashes_of(identifiers).values())
    now = clock.now()
    _append([Entry(digest, now) for digest in digests])
    _store(Entry(digest, now) for digest in digests)
    return digests


def _store(entries: Iterable[Entry]) -> None:
    bulk.upsert(
        "events_erased",
        ("hash", "erased_at", "returned_at"),
        ((e.hash, bulk.time_value(e.erased_at), None) for e in entries),
        conflict=("hash",),
        update=("erased_at", "returned_at"),
        where="excluded.erased_at >= events_erased.erased_at",
    )


def let_return(hashes: dict[str, dt.datetime]) -> None:
    """Note that somebody new came under these by an act of their own at that time."""
    for digest, at in hashes.items():
        Erased.objects.filter(hash=digest, returned_at__isnull=True).update(returned_at=at)


def stamp() -> tuple[object, ...]:
    """Something that changes whenever the table does; cheap enough to ask before every range."""
    found = Erased.objects.aggregate(n=Count("hash"), erased=Max("erased_at"), returned=Max("returned_at"))
    return tuple(found.values())


def table() -> pa.Table:
    """Every hash with when it was erased, and when somebody new came under it."""
    return pa.Table.from_pylist(list(Erased.objects.values("hash", "erased_at", "returned_at")), schema=TABLE)


def keys() -> dict[str, bytes]:
    """The two padded keys of the HMAC of RFC 2104, for the query that computes it over a whole column."""
    key = secret.derived_key(PURPOSE).ljust(_BLOCK_BYTES, b"\0")
    return {"inner": bytes(b ^ 0x36 for b in key), "outer": bytes(b ^ 0x5C for b in key)}


def known_among(con: duckdb.DuckDBPyConnection, mentions: str, erased: pa.Table) -> int:
    """Make `kept_out`: the identifiers that a SELECT gives and that were erased; gives how many."""
    lake.give(con, "erased", erased)
    con.execute(f"CREATE OR REPLACE TEMP VIEW mention_given AS {mentions}")
    text = query.load("rapport.events", "kept_out").text
    con.execute(f"CREATE OR REPLACE TEMP TABLE kept_out AS {text}", keys())
    con.execute("DROP TABLE erased; DROP VIEW mention_given")
    return int(con.execute("SELECT count(*) FROM kept_out").fetchall()[0][0])


# What is refused before it is a touchpoint has no identifiers yet: they are looked for in its text.


class Betrayal:
    """Whether a text as it came names somebody erased, by any word in it that could be an identifier."""

    def __init__(self) -> None:
        self._hashes = frozenset(
            Erased.objects.filter(returned_at__isnull=True).values_list("hash", flat=True)
        )

    def in_text(self, text: str) -> bool:
        if not self._hashes:
            return False
        return any(hash_of(candidate) in self._hashes for candidate in _candidates(text))


def _candidates(text: str) -> set[str]:
    found = {rules.normal_identifier("email", m.strip(".")) for m in _ADDRESS.findall(text)}
    found |= {rules.normal_identifier("phone", m) for m in _TELEPHONE.findall(text)}
    for quoted, number in _SCALAR.findall(text):
        value = quoted or number
        found |= {value} if ":" in value else {f"customer:{value}", f"loyalty:{value}", f"anonymous:{value}"}
    return found


# The replay list


def replay_list() -> Path:
    """The file of every erasure; to be kept with the newest backup and put back over an older one."""
    return home.path("erasures.jsonl")


def _append(entries: Sequence[Entry]) -> None:
    file = replay_list()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="ascii") as out:
        out.writelines(
            json.dumps({"hash": e.hash, "erased_at": e.erased_at.isoformat()}) + "\n" for e in entries
        )
    home.fsync_file(file)
    home.fsync_folder(file.parent)


def _listed() -> Iterator[Entry]:
    try:
        lines = replay_list().read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        if line.endswith("}"):  # the last one may have been cut off by a crash before anything was erased
            found = json.loads(line)
            yield Entry(found["hash"], dt.datetime.fromisoformat(found["erased_at"]))


def unknown_here() -> list[Entry]:
    """Erasures on the list that this operational store has not heard of: it was restored from before them."""
    newest: dict[str, Entry] = {}
    for entry in _listed():
        if entry.hash not in newest or newest[entry.hash].erased_at < entry.erased_at:
            newest[entry.hash] = entry
    here = dict(Erased.objects.values_list("hash", "erased_at"))
    return [e for e in newest.values() if e.hash not in here or here[e.hash] < e.erased_at]


def take_over(entries: Sequence[Entry]) -> list[tuple[int, str]]:
    """Keep out what the list says; gives subject and identifier of those whom the lake still knows from before."""
    if not entries:
        return []
    _store(entries)
    rows = [{"hash": e.hash, "erased_at": e.erased_at, "returned_at": None} for e in entries]
    con = lake.connect()
    try:
        known_among(con, "SELECT identifier FROM lake.subject", pa.Table.from_pylist(rows, schema=TABLE))
        return con.execute(
            "SELECT s.subject, s.identifier FROM lake.subject AS s JOIN kept_out AS k USING (identifier)"
            " LEFT JOIN event AS e ON e.seq = s.first_seq"
            " WHERE coalesce(e.received_at <= k.erased_at, true) ORDER BY s.subject"
        ).fetchall()
    finally:
        con.execute("DROP TABLE IF EXISTS kept_out")
        con.close()
