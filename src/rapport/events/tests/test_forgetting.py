"""Forgetting people in the log: no byte of theirs is left in any file, and nobody else notices."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rapport.events import blanking, erased, lake, packing, quarantine, rules, services, spool, traces, upkeep
from rapport.events.models import Erased, Quarantined
from rapport.events.tests import say
from rapport.kit import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
ANA = ("customer:ana-4711", "email:ana.ruiz@example.org")
WORDS = "a sentence that nobody else has ever written"


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    with clock.frozen(NOON):
        yield


def row(name: str, identifier: str, **columns: Any) -> dict[str, Any]:
    properties = columns.pop("properties", {})
    return {
        "message_id": columns.pop("message_id", f"{name}{identifier}{columns.get('ts', '')}"),
        "name": name,
        "ts": columns.pop("ts", NOON - dt.timedelta(hours=1)),
        "identifier": identifier,
        "properties": json.dumps(properties),
        **columns,
    }


def record(*rows: dict[str, Any], batch: str = "", trusted: bool = False) -> spool.Range:
    table = pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT)
    return services.record(table, source="crm", batch=batch, trusted=trusted)


def everybody(n_others: int = 40) -> None:
    """Ana and others, through each way into the spool; a mention of her in somebody else's words."""
    say.send(
        say.message(
            "identify",
            userId="ana-4711",
            anonymousId="ana-browser-1",
            traits={"email": "Ana.Ruiz@example.org"},
        ),
        say.message(event="Note Taken", userId="ana-4711", properties={"text": WORDS}),
        say.message(event="Note Taken", userId="bo", properties={"text": "hello"}),
    )
    record(
        row(
            "person_identified",
            ANA[0],
            also=[ANA[1]],
            evidence="import",
            properties={"traits": {"name": "Ana Ruiz"}},
        ),
        row(
            "post_published",
            "mastodon:chi",
            text="thanks to ana.ruiz@example.org, said joana.ruiz@example.org",
        ),
    )
    others = [
        row(
            "order_placed",
            f"customer:{n}",
            value_minor=100 + n,
            currency="EUR",
            properties={"order_id": str(n)},
        )
        for n in range(n_others)
    ]
    hers = [row("complaint_raised", ANA[0], message_id=f"c{n}", text=f"{WORDS} {n}") for n in range(5)]
    with lake.new_engine() as con:
        con.register("given", pa.Table.from_pylist(others + hers, schema=rules.TOUCHPOINT))
        services.record_query(con, "SELECT * FROM given", source="shop", trusted=True)
    say.load()


def subjects_of(*identifiers: str) -> list[int]:
    listed = ", ".join(blanking.literal(i) for i in identifiers)
    return [s for (s,) in say.ask(f"SELECT subject FROM subject WHERE identifier IN ({listed})")]


def forget_ana() -> services.Forgotten:
    everyone = (*ANA, "anonymous:ana-browser-1")
    subjects = subjects_of(*everyone)
    services.keep_out(everyone)
    return services.forget(subjects, everyone)


def readable(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file as it lies, and what a reader of Parquet or of the spool would unpack from it."""
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        yield file, file.read_bytes()
        if file.suffix == ".parquet":
            for batch in pq.ParquetFile(file).iter_batches():
                yield file, "\n".join(str(r) for r in batch.to_pylist()).encode()
    for (body,) in spool.current().connection().execute("SELECT body FROM body WHERE body IS NOT NULL"):
        yield spool.location(), packing.unpack(body) or b""


def left_of(folder: Path, *needles: str) -> list[str]:
    return sorted(
        {
            f"{needle} in {file.name}"
            for file, content in readable(folder)
            for needle in needles
            if needle.encode() in content
        }
    )


NEEDLES = (
    "ana-4711",
    "Ana.Ruiz@example.org",
    "email:ana.ruiz@example.org",
    "ana-browser-1",
    WORDS,
    "Ana Ruiz",
)


def figures() -> list[tuple[Any, ...]]:
    """What the others did, as counted."""
    listed = ", ".join(blanking.literal(i) for i in (*ANA, "anonymous:ana-browser-1"))
    theirs = f"subject NOT IN (SELECT subject FROM subject WHERE identifier IN ({listed}))"
    return say.ask(
        f"SELECT name, count(*), sum(value_minor), count(DISTINCT subject) FROM event WHERE {theirs} GROUP BY ALL"
        " ORDER BY name"
    ) + say.ask(
        f"SELECT name, day, sum(n), sum(value_minor) FROM subject_day WHERE {theirs} GROUP BY ALL ORDER BY ALL"
    )


def test_no_byte_of_ana_is_left_and_nobody_else_changes(home: Path) -> None:
    everybody()
    assert left_of(home, *NEEDLES), "the needles must be there before"
    before = figures()
    done = forget_ana()
    assert left_of(home, *NEEDLES) == []
    assert figures() == before
    assert (done.events, done.identifiers, done.quoted) == (8, 3, 1)
    assert done.spool_bodies == 3


def test_a_mention_in_anothers_words_becomes_unreadable_and_a_longer_address_stays() -> None:
    everybody()
    forget_ana()
    assert say.ask("SELECT \"text\" FROM event WHERE name = 'post_published'") == [
        ("thanks to [erased], said joana.ruiz@example.org",)
    ]


def test_cursors_and_numbers_of_the_others_stay() -> None:
    everybody()
    before = say.ask("SELECT max(last_seq) FROM receipt")
    others = say.ask(
        "SELECT seq, subject FROM event WHERE source = 'shop' AND name = 'order_placed' ORDER BY seq"
    )
    forget_ana()
    assert say.ask("SELECT max(last_seq) FROM receipt") == before
    assert (
        say.ask("SELECT seq, subject FROM event WHERE source = 'shop' AND name = 'order_placed' ORDER BY seq")
        == others
    )


def test_what_comes_after_hides_nothing_that_was_there_before() -> None:
    everybody()
    forget_ana()
    record(row("review_written", "customer:7", text="as good as new"))
    say.load()
    con = lake.connect()
    con.execute("CALL ducklake_flush_inlined_data('lake')")
    con.close()
    lake.forget()  # another process
    assert say.ask("SELECT count(*) FROM event WHERE name = 'order_placed'") == [(40,)]
    assert say.ask("SELECT count(*) FROM event WHERE source = 'shop'") == [(40,)]
    assert say.ask("SELECT count(*) FROM subject_day WHERE name = 'order_placed' AND dimension = ''") == [
        (40,)
    ]


def test_a_damaged_file_is_loaded_again_without_her() -> None:
    everybody()
    forget_ana()
    before = say.holdings()
    con = lake.connect()
    damaged = [
        Path(str(d))
        for (d,) in con.execute(
            "SELECT t.path || f.path FROM __ducklake_metadata_lake.ducklake_data_file AS f"
            " JOIN __ducklake_metadata_lake.ducklake_table AS t USING (table_id)"
            " WHERE f.end_snapshot IS NULL AND t.table_name = 'event'"
        ).fetchall()
    ]
    for file in damaged:
        path = lake.location()[1] / "main" / file
        path.write_bytes(path.read_bytes()[:-20])
    found, lost = upkeep.repair(con)
    con.close()
    assert found
    assert not lost
    assert say.holdings() == before


def test_forgetting_twice_finds_nothing_more() -> None:
    everybody()
    forget_ana()
    again = services.forget([], (*ANA, "anonymous:ana-browser-1"))
    assert again == services.Forgotten(files=again.files)


def test_her_quarantined_rows_go_and_others_stay() -> None:
    everybody()
    for body in (
        {"userId": "ana-4711", "type": "track"},
        {"row": {"mail": "ANA.RUIZ@example.org"}},
        {"userId": "bo"},
    ):
        quarantine.keep(
            [quarantine.Refused("crm", quarantine.MESSAGE, json.dumps(body), "bad_time", "No time.")]
        )
    assert forget_ana().quarantined == 2
    assert [json.loads(b) for b in Quarantined.objects.values_list("body", flat=True)] == [{"userId": "bo"}]


def test_thousands_are_forgotten_at_once_more_than_a_database_takes_conditions(home: Path) -> None:
    everybody()
    body = json.dumps({"userId": "ana-4711", "type": "track"})
    quarantine.keep([quarantine.Refused("crm", quarantine.MESSAGE, body, "bad_time", "No time.")])
    before = figures()
    everyone = (*ANA, "anonymous:ana-browser-1")
    others = tuple(f"bluesky:author{k}.example.social" for k in range(1_500))
    done = services.forget(subjects_of(*everyone), (*everyone, *others))
    assert (done.events, done.quoted, done.quarantined, done.spool_bodies) == (8, 1, 1, 3)
    assert left_of(home, *NEEDLES) == []
    assert figures() == before


# Keeping out


def test_a_file_read_again_brings_nobody_back(home: Path) -> None:
    everybody()
    forget_ana()
    span = record(
        row(
            "person_identified",
            ANA[0],
            also=[ANA[1]],
            message_id="again",
            properties={"traits": {"name": "Ana Ruiz"}},
        ),
        row(
            "order_placed",
            "customer:new",
            message_id="o",
            also=[ANA[1]],
            properties={"order_id": "9"},
            ts=NOON - dt.timedelta(days=9),
        ),
        row("note_taken", "customer:bo", message_id="bo"),
        batch="import-2",
    )
    (loaded,) = say.load()
    assert (loaded.accepted, loaded.left_out, loaded.quarantined, loaded.duplicate) == (1, 2, 0, 0)
    assert say.ask("SELECT n_left_out, n_duplicate FROM receipt WHERE batch = 'import-2'") == [(2, 0)]
    assert span.n == 3
    assert not subjects_of(*ANA, "customer:new")
    assert left_of(home, *NEEDLES) == []


def test_a_bad_row_of_hers_is_not_kept_either() -> None:
    everybody()
    forget_ana()
    record(row("post_published", ANA[0], message_id="bad", ts=dt.datetime(1950, 1, 1, tzinfo=dt.UTC)))
    (loaded,) = say.load()
    assert (loaded.left_out, loaded.quarantined) == (1, 0)
    quarantine.keep(
        [
            quarantine.Refused(
                "crm", "row:people", json.dumps({"row": {"E-Mail": "Ana.Ruiz@Example.org"}}), "x", "y"
            )
        ]
    )
    assert not Quarantined.objects.exists()


def test_her_own_order_makes_somebody_new_known_from_then_on() -> None:
    everybody()
    old = subjects_of(*ANA)
    forget_ana()
    later = NOON + dt.timedelta(hours=5)
    with clock.frozen(later):
        record(
            row("note_taken", ANA[0], message_id="n1", ts=NOON + dt.timedelta(hours=2)),
            row(
                "order_placed",
                ANA[0],
                message_id="o1",
                also=[ANA[1]],
                ts=NOON + dt.timedelta(hours=3),
                properties={"order_id": "5"},
            ),
            row("note_taken", ANA[0], message_id="n2", ts=NOON + dt.timedelta(hours=4)),
        )
        (loaded,) = say.load()
    assert (loaded.accepted, loaded.left_out) == (2, 1)
    new = subjects_of(*ANA)
    assert len(new) == 2
    assert not set(new) & set(old)
    assert not erased.is_erased("email:Ana.Ruiz@example.org")
    assert erased.is_erased("anonymous:ana-browser-1")


@pytest.mark.parametrize(("how", "comes_back"), [("confirmed", True), ("import", False)])
def test_a_consent_brings_her_back_only_where_she_confirmed_it(how: str, *, comes_back: bool) -> None:
    everybody()
    forget_ana()
    with clock.frozen(NOON + dt.timedelta(days=1)):
        record(
            row(
                "consent_granted",
                ANA[1],
                ts=NOON + dt.timedelta(hours=1),
                properties={"purpose": "marketing", "how": how},
            )
        )
        say.load()
    assert bool(subjects_of(ANA[1])) is comes_back


def test_an_erased_browser_in_anothers_row_is_left_unsaid() -> None:
    everybody()
    forget_ana()
    say.send(
        say.message("identify", userId="bo", anonymousId="ana-browser-1", traits={"email": "bo@example.org"})
    )
    (loaded,) = say.load()
    assert (loaded.accepted, loaded.left_out) == (1, 0)
    assert not subjects_of("anonymous:ana-browser-1")
    assert len(subjects_of("email:bo@example.org")) == 1


def test_what_a_model_says_too_late_is_not_kept() -> None:
    everybody()
    (seq, subject), *_ = say.ask("SELECT seq, subject FROM event WHERE name = 'complaint_raised'")
    forget_ana()
    said = {
        "seq": seq,
        "subject": subject,
        "ts": NOON,
        "name": "sentiment",
        "label": "negative",
        "model": "m",
        "version": "1",
        "detail": WORDS,
    }
    services.annotate(pa.Table.from_pylist([said], schema=rules.ANNOTATION))
    say.load()
    assert say.ask("SELECT count(*) FROM annotation") == [(0,)]


def test_a_restored_backup_is_told_who_was_erased() -> None:
    everybody()
    forget_ana()
    hashes = set(Erased.objects.values_list("hash", flat=True))
    Erased.objects.all().delete()
    assert {e.hash for e in erased.unknown_here()} == hashes
    record(row("note_taken", ANA[0], message_id="from the backup"))
    say.load()
    found = erased.take_over(erased.unknown_here())
    assert [identifier for _, identifier in found] == [ANA[0]]
    assert erased.unknown_here() == []


@pytest.mark.parametrize("identifier", ["email:ana@example.org", "customer:añ-日本", "phone:+34600111222"])
def test_the_query_hashes_as_the_kit_does(identifier: str) -> None:
    services.keep_out([identifier])
    con = lake.connect()
    try:
        erased.known_among(con, f"SELECT {blanking.literal(identifier)} AS identifier", erased.table())
        assert con.execute("SELECT identifier FROM kept_out").fetchall() == [(identifier,)]
    finally:
        con.close()


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("write to ana@x.org.", "write to [erased]."),
        ("joana@x.org", "joana@x.org"),
        ("ana@x.org ana@x.org", "[erased] [erased]"),
        ("?m=ana%40x.org&b", "?m=[erased]&b"),
        ('{"u":"ANA@X.ORG"}', '{"u":"[erased]"}'),
        ("customer:17 and 17", "[erased] and 17"),
        ("customer:170", "customer:170"),
    ],
)
@pytest.mark.parametrize("n_others", [0, 60])
def test_traces_are_found_whole_in_any_spelling_alike_in_python_and_in_the_lake(
    text: str, after: str, n_others: int
) -> None:
    others = [f"bluesky:other{k}.example.social" for k in range(n_others)]
    found = traces.of(("email:ana@x.org", "customer:17", *others))
    assert found.are_many == (n_others > 0)
    assert found.without(text) == after
    assert found.found_in(text) == (after != text)
    con = lake.new_engine()
    con.execute("CREATE TABLE said AS SELECT 1 AS place, $t AS t, NULL::VARCHAR AS u", {"t": text})
    changed = blanking.unreadable(con, "said", "place", ("t", "u"), found).to_pylist()
    con.close()
    assert changed == ([] if after == text else [{"place": 1, "t": after, "u": None}])
