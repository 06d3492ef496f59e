"""The loader: what becomes of each message, exactly once."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import lake, loader, quarantine, rules, runner, selectors, services, spool, upkeep
from rapport.events.models import Cursor, Quarantined
from rapport.events.tests import say
from rapport.kit import clock, money, process

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home", "noon")]


def test_a_day_of_ana_is_in_the_lake() -> None:
    say.send(
        say.message("identify", userId="ana", anonymousId="d1", traits={"email": "Ana@Example.org"}),
        say.message(
            event="Order Completed",
            properties={
                "order_id": "o1",
                "total": 84.5,
                "currency": "EUR",
                "items": [
                    {"category": "wipers", "quantity": 2, "unit_price_minor": 4000},
                    {"category": "oil", "quantity": 1, "unit_price_minor": 450},
                ],
            },
        ),
    )
    (done,) = say.load()
    assert (done.read, done.accepted, done.duplicate, done.quarantined) == (2, 2, 0, 0)
    assert say.ask("SELECT name, value_minor, currency FROM event ORDER BY seq") == [
        ("person_identified", None, None),
        ("order_placed", 8450, "EUR"),
    ]
    assert say.ask("SELECT identifier, subject FROM subject ORDER BY subject") == [
        ("customer:ana", 8),
        ("anonymous:d1", 9),
        ("email:ana@example.org", 10),
    ]
    assert say.ask("SELECT a, b, evidence FROM claim ORDER BY b") == [(8, 9, "login"), (8, 10, "login")]
    assert say.ask("SELECT dimension, n, value_minor FROM subject_day ORDER BY dimension") == [
        ("", 1, 8450),
        ("oil", 1, 450),
        ("wipers", 1, 8000),
    ]


@pytest.mark.parametrize(
    ("fields", "reason", "named"),
    [
        ({"kind": "foo"}, "unknown_type", "foo"),
        ({"userId": "", "anonymousId": None}, "no_identifier", "userId"),
        ({"event": "order_placed", "properties": {"order_id": 5}}, "wrong_type", "order_id"),
        ({"event": "order_placed", "properties": {}}, "missing_property", "order_id"),
        ({"timestamp": "1920-01-01"}, "ancient", "1920"),
        ({"timestamp": "2036-01-01T00:00:00Z"}, "future", "2036"),
        ({"timestamp": "gestern"}, "bad_time", "gestern"),
        ({"properties": {"x": "a\u0000b"}}, "nul", "NUL"),
        ({"userId": "a\u0000b"}, "nul", "NUL"),
        ({"anonymousId": "\u0000"}, "nul", "NUL"),
        ({"kind": "identify", "traits": {"email": "a\u0000@example.org"}}, "nul", "NUL"),
        ({"context": {"channel": "we\u0000b"}}, "nul", "NUL"),
        ({"messageId": "\\\u0000"}, "nul", "NUL"),
        ({"properties": "text"}, "bad_properties", "objects"),
        ({"properties": [1]}, "bad_properties", "objects"),
        ({"properties": {"x": "y" * 40_000}}, "too_large", "40008"),
        ({"event": "!!!"}, "no_name", "name"),
        ({"event": "9 lives"}, "bad_name", "9_lives"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_kept(fields: dict[str, Any], reason: str, named: str) -> None:
    say.send(say.message(messageId="good"), say.message(fields.pop("kind", "track"), **fields))
    (done,) = say.load()
    assert (done.accepted, done.quarantined) == (1, 1)
    (row,) = selectors.quarantine_page()
    assert row.reason == reason
    assert named in row.message
    assert say.ask("SELECT count(*) FROM event") == [(1,)]


def test_what_only_looks_like_a_nul_is_kept() -> None:
    said = "the text \\u0000 in a manual"
    say.send(say.message(userId="C:\\u0000", properties={"text": said}))
    (done,) = say.load()
    assert (done.accepted, done.quarantined) == (1, 0)
    assert say.ask('SELECT "text" FROM event') == [(said,)]


def test_many_identifiers_with_a_nul_do_not_stop_the_loader() -> None:
    """DuckLake looks few identifiers up by their text, in a statement of its catalogue."""
    say.send(*(say.message(userId=f"before {k}") for k in range(3)))
    say.load()
    say.send(*(say.message(userId=f"ana {k}\u0000") for k in range(3)), say.message(userId="bo"))
    (done,) = say.load()
    assert (done.accepted, done.quarantined) == (1, 3)


def test_the_same_message_twice_is_one_event_whether_in_one_range_or_two() -> None:
    first = say.message(
        messageId="x", event="order_placed", properties={"order_id": "1", "total": 5, "currency": "EUR"}
    )
    say.send(first, dict(first))
    say.load()
    say.send(dict(first))
    (again,) = say.load()
    assert again.duplicate == 1
    assert say.ask("SELECT count(*) FROM event") == [(1,)]
    assert say.ask("SELECT sum(n), sum(value_minor) FROM subject_day WHERE dimension = ''") == [(1, 500)]


def test_the_same_message_id_from_another_source_is_another_event() -> None:
    say.send(say.message(messageId="x"), source="site")
    say.send(say.message(messageId="x"), source="app")
    say.load()
    assert say.ask("SELECT count(*) FROM event") == [(2,)]


def test_a_refused_message_sent_twice_is_one_row_in_quarantine() -> None:
    for _ in range(2):
        say.send(say.message("foo", messageId="x"))
        say.load()
    assert Quarantined.objects.count() == 1


def test_numbers_are_the_place_in_the_spool() -> None:
    say.send(say.message("foo"), say.message(userId="bo"))
    say.send(say.message(userId="chi"))
    say.load()
    assert say.ask("SELECT seq, subject FROM event ORDER BY seq") == [(2, 2 << 3), (3, 3 << 3)]


def test_a_client_whose_clock_is_an_hour_slow_is_corrected() -> None:
    say.send(say.message(timestamp="2026-03-02T10:59:00Z", sentAt="2026-03-02T11:00:00Z"))
    say.load()
    ((ts,),) = say.ask("SELECT ts FROM event")
    assert ts == dt.datetime(2026, 3, 2, 11, 59, tzinfo=dt.UTC)


def test_unknown_names_and_properties_are_kept_and_reported() -> None:
    say.send(say.message(event="Battery Tested", properties={"volts": 12.4}))
    say.load()
    assert say.ask("SELECT name, properties FROM event") == [("battery_tested", '{"volts":12.4}')]
    assert selectors.unknown_names() == [("battery_tested", 1)]


def page(minute: int, path: str, **fields: Any) -> dict[str, Any]:
    return say.message(
        "page",
        anonymousId="d1",
        timestamp=f"2026-03-02T10:{minute:02d}:00Z",
        properties={"path": path},
        **fields,
    )


def test_sessions_end_after_thirty_minutes_of_silence() -> None:
    say.send(page(0, "/a"), page(29, "/b"), page(59, "/c"))
    say.load()
    assert say.ask("SELECT n_pages, landing, exit_page FROM session") == [(3, "/a", "/c")]
    say.send(page(0, "/x", userId="bo"))
    say.load()
    assert len(say.ask("SELECT * FROM session")) == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_a_session_is_the_same_in_whatever_order_its_pages_arrive(order: tuple[int, ...]) -> None:
    pages = [page(0, "/a"), page(20, "/b"), page(45, "/c")]
    for i in order:
        say.send(pages[i])
        say.load()
    assert say.ask("SELECT n_pages, n_events, landing, exit_page FROM session") == [(3, 3, "/a", "/c")]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("n", [3, 5_000])
def test_recorded_rows_arrive_inline_and_staged(trusted: bool, n: int) -> None:
    table = touchpoints(n)
    written = services.record(table, source="till", batch="b1", trusted=trusted)
    assert written.n == n
    services.settle(written.last)
    assert say.ask("SELECT count(*), count(DISTINCT subject), sum(value_minor) FROM event") == [(n, n, 7 * n)]
    assert selectors.batch("b1")["n_accepted"] == n
    services.record(table, source="till", batch="b2", trusted=trusted)
    say.load()
    assert selectors.batch("b2")["n_duplicate"] == n


def touchpoints(n: int) -> pa.Table:
    return pa.table(
        {
            "message_id": [f"m{i}" for i in range(n)],
            "name": ["complaint_raised"] * n,
            "ts": pa.array([dt.datetime(2026, 1, 5, tzinfo=dt.UTC)] * n, pa.timestamp("us", tz="UTC")),
            "identifier": [f"customer:{i}" for i in range(n)],
            "value_minor": pa.array([7] * n, pa.int64()),
        }
    )


def test_a_corrected_message_is_replayed_once() -> None:
    say.send(say.message(timestamp="gestern", messageId="x"))
    say.load()
    (row,) = selectors.quarantine_page()
    quarantine.replay(row.key, body=row.body.replace("gestern", say.NOON), by="alice@example.org")
    say.load()
    assert say.ask("SELECT count(*) FROM event") == [(1,)]
    assert selectors.quarantine_page() == []
    with pytest.raises(Exception, match="already replayed"):
        quarantine.replay(row.key, body=row.body, by="alice@example.org")


def test_a_corrected_message_of_a_browser_is_believed_no_more_than_before() -> None:
    """What staff corrects is still a browser's word: a `userId` in it logs nobody in."""
    sent = say.message(
        "track", event="link_clicked", timestamp="gestern", messageId="v", userId="7", anonymousId="b1"
    )
    spool.current().append(
        [
            spool.Body(
                kind=spool.SEGMENT,
                source="website",
                n=1,
                body=json.dumps({"batch": [sent], "door": "site"}).encode(),
            )
        ]
    )
    say.load()
    (row,) = selectors.quarantine_page()
    assert row.kind == quarantine.SITE
    quarantine.replay(row.key, body=row.body.replace("gestern", say.NOON), by="alice@example.org")
    say.load()
    assert say.ask("SELECT s.identifier FROM event JOIN subject AS s USING (subject)") == [("anonymous:b1",)]
    assert say.ask("SELECT count(*) FROM claim") == [(0,)]


def test_a_corrected_touchpoint_is_replayed() -> None:
    table = touchpoints(1).set_column(1, "name", pa.array(["order_placed"]))
    services.record(table, source="till")
    say.load()
    (row,) = selectors.quarantine_page()
    assert row.reason == "missing_property"
    body = row.body.replace('"properties":null', '"properties":{"order_id":"7"}')
    assert body != row.body
    quarantine.replay(row.key, body=body, by="alice@example.org")
    say.load()
    assert say.ask("SELECT name FROM event") == [("order_placed",)]


def a_busy_day() -> None:
    for k in range(4):
        say.send(
            say.message(
                "identify", userId=f"p{k}", anonymousId=f"d{k}", traits={"email": f"p{k}@example.org"}
            ),
            say.message(
                userId=f"p{k}",
                event="order_placed",
                properties={"order_id": f"o{k}", "total": k, "currency": "EUR"},
            ),
            page(k, "/a"),
            page(k, "/a", messageId=f"twice{k // 2}"),
        )
        say.load()


def truncate(table: str) -> int:
    files = say.ask(f"SELECT data_file FROM ducklake_list_files('lake', '{table}')")
    for (name,) in files:
        path = Path(name)
        path.write_bytes(path.read_bytes()[:-40])
    return len(files)


def delete(table: str) -> int:
    files = say.ask(f"SELECT data_file FROM ducklake_list_files('lake', '{table}')")
    for (name,) in files:
        Path(name).unlink()
    return len(files)


@pytest.mark.parametrize(
    ("damage", "tables", "compacted"),
    [
        (truncate, ["event"], False),
        (truncate, ["event"], True),
        (delete, ["event"], False),
        (truncate, ["subject"], False),
        (truncate, ["claim"], False),
        (truncate, ["subject_day", "session"], False),
        (delete, ["event", "claim", "subject"], True),
    ],
)
def test_damaged_files_are_noticed_and_loaded_again(
    damage: Callable[[str], int], tables: list[str], compacted: bool
) -> None:
    a_busy_day()
    if compacted:
        loader_ = loader.Loader()
        upkeep.compact(loader_.con)
        loader_.close()
    before = say.holdings()
    n_files = sum(damage(table) for table in tables)
    worker = loader.Loader()
    found, lost = upkeep.repair(worker.con)
    assert len(found) == n_files
    assert lost == []
    assert say.holdings() == before
    say.send(say.message(userId="p1", messageId="later"))
    say.load()
    assert len(say.ask("SELECT * FROM event")) == len(before["event"]) + 1


def test_what_the_spool_no_longer_has_is_said_to_be_lost() -> None:
    a_busy_day()
    spool.current().purge(older_than_s=-1)
    truncate("event")
    _, lost = upkeep.repair(loader.Loader().con)
    assert lost
    assert "restore the file from the backup" in lost[0]


def test_compaction_keeps_everything_and_leaves_few_files() -> None:
    for k in range(12):
        say.send(say.message(userId=f"p{k % 3}", messageId=f"x{k}"), page(k, "/a"))
        say.load()
    before = say.holdings()
    con = loader.Loader().con
    assert len(say.ask("SELECT * FROM ducklake_list_files('lake', 'event')")) >= 12
    assert upkeep.compact(con) > 0
    assert len(say.ask("SELECT * FROM ducklake_list_files('lake', 'event')")) == 1
    assert say.holdings() == before


def test_currencies_have_their_own_minor_units() -> None:
    properties = {"order_id": "1", "total": 1500, "currency": "JPY"}
    say.send(say.message(event="order_placed", properties=properties))
    say.load()
    assert say.ask("SELECT value_minor FROM event") == [(1500,)]
    assert money.exponent("JPY") == 0


def test_a_data_folder_that_was_moved_is_still_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_busy_day()
    before = say.holdings()
    lake.forget()
    spool.forget()
    moved = home.rename(home.with_name("restored"))
    monkeypatch.setenv("RAPPORT_HOME", str(moved))
    lake.create()
    assert say.holdings() == before
    say.send(say.message(messageId="later"))
    (done,) = say.load()
    assert done.accepted == 1


def test_too_many_identifiers_are_refused() -> None:
    also = [f"email:a{i}@example.org" for i in range(rules.IDENTIFIERS_MAX)]
    services.record(touchpoints(1).append_column("also", pa.array([also])), source="till")
    (done,) = say.load()
    assert done.quarantined == 1


def test_after_the_spool_was_lost_numbers_go_on_behind_the_lake(home: Path) -> None:
    say.send(say.message(userId="ana"), say.message(userId="bo"), say.message(userId="chi"))
    say.load()
    spool.forget()
    shutil.rmtree(home / "spool")
    spool.current().create()
    written = say.send(say.message(userId="dee", messageId="m9"))
    assert written.first == 1, "what nobody has told the new spool"
    upkeep.number_on()
    written = say.send(say.message(userId="eli", messageId="m10"))
    assert written.first == 4
    services.settle(written.last)
    assert say.ask("SELECT identifier FROM subject WHERE first_seq > 3") == [("customer:eli",)]


def test_a_restored_spool_does_not_give_numbers_again_that_a_subscriber_has_seen(home: Path) -> None:
    say.send(say.message())
    say.load()
    Cursor.objects.create(key="people", seq=7, updated_at=clock.now())
    upkeep.number_on()
    services.settle(spool.current().next_seq() - 1, timeout_s=0)
    assert say.send(say.message(messageId="m9")).first == 8
    assert [done.accepted for done in say.load()] == [1]
    upkeep.number_on()
    assert spool.current().next_seq() == 9, "as long as it is ahead, it is left alone"


@pytest.mark.parametrize(("commits", "waited"), [(1, [1, 1, 1]), (0, [1, 2, 5])])
def test_a_loader_that_got_on_between_two_failures_is_soon_back(
    monkeypatch: pytest.MonkeyPatch, commits: int, waited: list[int]
) -> None:
    class Failing(loader.Loader):
        def load_next(self) -> None:
            self.commits = commits
            raise OSError("no space left")

    pauses: list[float] = []

    class Until(process.Stop):
        def __bool__(self) -> bool:
            return len(pauses) == len(waited)

        def wait(self, seconds: float) -> bool:
            pauses.append(seconds)
            return bool(self)

    monkeypatch.setattr(loader, "Loader", Failing)
    runner.load_forever(Until())
    assert pauses == waited
