"""Imports from the file to the lake: twice is once, longer adds what is new, interrupted goes on."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from rapport.events import lake, quarantine
from rapport.events import selectors as log_selectors
from rapport.kit import clock
from rapport.kit import home as folders
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.listening import models, selectors, services
from rapport.listening.tests.conftest import Write

pytestmark = pytest.mark.django_db

PEOPLE = "id,email,name\n1,ana@example.org,Ana\n2,,Bo\n3,chi@example,Chi\n"
ORDERS = "order_id,ordered_at,customer_id,sku,quantity,price,currency\nA1,2024-05-06,1,B-1,2,10,EUR\n"
EVENT = '{"ts": "2024-05-06", "name": "x_done", "customer_id": 1}\n'
LOG = '203.0.113.9 - - [17/May/2015:10:05:{:02} +0000] "GET /{} HTTP/1.1" 200 1 "-" "Firefox"\n'


def events() -> list[tuple[Any, ...]]:
    con = lake.connect()
    try:
        return con.execute(
            "SELECT e.name, s.identifier, e.value_minor, e.properties FROM event AS e JOIN subject AS s"
            " ON e.subject = s.subject ORDER BY e.seq"
        ).fetchall()
    finally:
        con.close()


@pytest.mark.usefixtures("home")
def test_a_file_is_imported_once_whatever_it_is_called(write: Write) -> None:
    shown: list[tuple[int, int | None, str]] = []
    first = services.import_file(
        "people", write("a.csv", PEOPLE), by="alice@example.org", progress=lambda *p: shown.append(p)
    )
    assert (first.read, first.quarantined, first.recorded, first.accepted, first.duplicate) == (3, 1, 2, 2, 0)
    assert (first.state, first.error, first.dry_run) == ("done", "", False)
    assert (first.first_seq, first.last_seq) == (1, 2)
    assert {shown[0][2], shown[-1][2]} == {"reading", "loading"}
    again = services.import_file("people", write("renamed.csv", PEOPLE))
    assert (again.accepted, again.duplicate, again.quarantined) == (0, 2, 1)
    longer = services.import_file("people", write("longer.csv", PEOPLE + "4,,Dan\n"))
    assert (longer.accepted, longer.duplicate) == (1, 2)
    assert [e[1] for e in events()] == ["customer:1", "customer:2", "customer:4"]
    assert log_selectors.quarantine_counts() == {"bad_email": 1}
    rows = selectors.imports_page()
    assert [r.file_name for r in rows] == ["longer.csv", "renamed.csv", "a.csv"]
    assert (rows[2].n_read, rows[2].n_accepted, rows[2].n_quarantined, rows[2].state) == (3, 2, 1, "done")
    assert rows[2].started_by == "alice@example.org"
    assert selectors.import_row(first.id) == rows[2]
    assert selectors.imports_page(before=(rows[1].created_at, rows[1].id)) == [rows[2]]


@pytest.mark.usefixtures("home")
def test_a_row_told_again_later_keeps_its_time(write: Write, noon: dt.datetime) -> None:
    services.import_file("people", write("a.csv", PEOPLE))
    with clock.frozen(noon + dt.timedelta(days=90)):
        again = services.import_file("people", write("b.csv", PEOPLE + "2,,Bob\n"))
    assert (again.accepted, again.duplicate) == (1, 2)


@pytest.mark.usefixtures("home")
def test_a_dry_run_writes_nothing(write: Write) -> None:
    summary = services.import_file("people", write("a.csv", PEOPLE), dry_run=True)
    assert summary.dry_run
    assert (summary.id, summary.recorded, summary.quarantined) == ("", 2, 1)
    assert [str(b) for b in summary.bad_rows] == [
        "line 4: email is 'chi@example', which is not a mail address."
    ]
    assert events() == []
    assert log_selectors.quarantine_counts() == {}
    assert selectors.imports_page() == []


@pytest.mark.usefixtures("home")
def test_a_corrected_row_goes_in(write: Write) -> None:
    services.import_file("people", write("a.csv", PEOPLE), source_name="crm")
    (row,) = log_selectors.quarantine_page()
    assert (row.kind, row.source, row.field) == ("row:people", "crm", "email")
    assert row.message.startswith("Line 4: email is 'chi@example'")
    with pytest.raises(Invalid, match="not a mail address"):
        quarantine.replay(row.key, body=row.body, by="alice@example.org")
    body = json.loads(row.body)
    assert body["row"] == {"id": "3", "email": "chi@example", "name": "Chi"}
    body["row"]["email"] = "chi@example.org"
    quarantine.replay(row.key, body=json.dumps(body), by="alice@example.org")
    log_settle()
    assert events()[-1][1] == "customer:3"
    assert log_selectors.quarantine_counts() == {}
    corrected = services.import_file(
        "people", write("b.csv", PEOPLE.replace("chi@example", "chi@example.org")), source_name="crm"
    )
    assert (corrected.accepted, corrected.duplicate) == (0, 3)


def log_settle() -> None:
    from rapport.events import services as log
    from rapport.events import spool

    log.settle(spool.current().next_seq() - 1)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("kind", "content", "wrong", "right"),
    [
        ("orders", ORDERS + "A1,2024-05-06,1,B-2,one,10,EUR\n", '"one"', '"1"'),
        ("orders", ORDERS + 'A1,2024-05-06,1,"B-2,1,10,EUR\n', '\\"B-2', "B-2"),
        ("posts", "author,text,date,network,tag\nana,hello,noon,web,\n", '"noon"', '"2024-05-06"'),
        ("products", '{"sku": "B-1", "price": "cheap", "deep": {"a": 1}}\n', '"cheap"', "12"),
        ("events", EVENT + EVENT.replace("}", ""), 'id\\": 1', 'id\\": 2}'),
        ("weblog", LOG.format(1, "a") + LOG.format(2, "b").replace("200", "OK"), " OK ", " 200 "),
    ],
)
def test_every_kind_can_be_corrected(write: Write, kind: str, content: str, wrong: str, right: str) -> None:
    services.import_file(kind, write("file", content))
    before = len(events())
    (row,) = log_selectors.quarantine_page()
    assert wrong in row.body
    quarantine.replay(row.key, body=row.body.replace(wrong, right), by="alice@example.org")
    log_settle()
    assert len(events()) == before + 1


@pytest.mark.usefixtures("home")
def test_a_corrected_order_line_joins_its_order(write: Write) -> None:
    services.import_file("orders", write("file", ORDERS + "A1,2024-05-06,1,B-2,one,10,EUR\n"))
    (row,) = log_selectors.quarantine_page()
    quarantine.replay(row.key, body=row.body.replace('"one"', '"1"'), by="alice@example.org")
    log_settle()
    assert [(e[0], e[2], json.loads(e[3])["order_id"]) for e in events()] == [
        ("order_placed", 2000, "A1"),
        ("order_placed", 1000, "A1"),
    ]


@pytest.mark.usefixtures("home")
def test_columns_too_many_must_be_put_right(write: Write) -> None:
    services.import_file("people", write("file", PEOPLE + "5,eve@example.org,Eve,37\n"))
    (row,) = [r for r in log_selectors.quarantine_page() if r.reason == "columns"]
    assert "4 columns where the first line names 3" in row.message
    with pytest.raises(Invalid, match=r"the cells \+1"):
        quarantine.replay(row.key, body=row.body, by="alice@example.org")
    for body in ("[]", "{", '{"row": 3}'):
        with pytest.raises(Invalid):
            quarantine.replay(row.key, body=body, by="alice@example.org")


class Killed(BaseException):
    """What a SIGKILL is to the code above it: nothing may catch it."""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("kind", ["people", "weblog", "orders"])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_an_interrupted_import_goes_on_where_it_stopped(
    write: Write, monkeypatch: pytest.MonkeyPatch, kind: str, at: int
) -> None:
    content = {
        "people": "id,name\n" + "".join(f"{n},Ana\n" for n in range(40)) + "7,Ana\n",
        "weblog": "".join(LOG.format(n % 3, n % 5) for n in range(40)),
        "orders": ORDERS + "".join(f"B{n},2024-05-06,1,B-1,1,10,EUR\n" for n in range(40)),
    }[kind]
    in_small_parts(monkeypatch)
    path = write("file", content)
    from rapport.events import services as log

    kept, calls = log.record_query, []

    def dies(*args: Any, **named: Any) -> Any:
        calls.append(args)
        if len(calls) == at + 1:
            raise Killed
        return kept(*args, **named)

    with monkeypatch.context() as patch:
        patch.setattr(log, "record_query", dies)
        with pytest.raises(Killed):
            services.import_file(kind, path)
    (interrupted,) = selectors.imports_page()
    assert (interrupted.state, interrupted.n_accepted) == ("running", 0)
    summary = services.import_file(kind, path)
    assert f"resumed: {at} parts were recorded before" in summary.notes
    assert (summary.state, summary.duplicate, summary.accepted) == ("done", 0, summary.recorded)
    assert len(events()) == summary.accepted == 41 if kind != "weblog" else 40
    (row,) = selectors.imports_page()
    assert (str(row.id), row.state, row.first_seq) == (summary.id, "done", 1)
    assert row.last_seq == summary.accepted
    assert services.import_file(kind, path).accepted == 0


def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from rapport.listening.services import files, kinds, logs
    from rapport.listening.services.csvs import Csv

    monkeypatch.setattr(files, "BLOCK_BYTES", 64)
    monkeypatch.setattr(Csv.chunks, "__kwdefaults__", {"rows": 8, "size": 1 << 30})
    monkeypatch.setattr(logs.chunks, "__kwdefaults__", {"chunk_lines": 8})
    monkeypatch.setattr(kinds, "PARTITION_LINES", 8)


@pytest.mark.usefixtures("home")
def test_a_chunk_that_was_recorded_but_not_noted_is_a_duplicate(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.listening.services.work import Work

    in_small_parts(monkeypatch)
    path = write("file", "id,name\n" + "".join(f"{n},Ana\n" for n in range(40)))
    kept, calls = Work._save, []

    def dies(work: Work, written: Any) -> None:
        calls.append(written)
        if len(calls) == 3:
            raise Killed
        kept(work, written)

    with monkeypatch.context() as patch:
        patch.setattr(Work, "_save", dies)
        with pytest.raises(Killed):
            services.import_file("people", path)
    summary = services.import_file("people", path)
    assert len(events()) == 40
    assert summary.accepted == 40
    assert summary.duplicate == calls[2].n


@pytest.mark.usefixtures("home")
def test_one_import_runs_once_at_a_time(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("file", PEOPLE)
    summary = services.import_file("people", path)
    models.Import.objects.filter(pk=summary.id).update(state="running")
    with folders.lock(f"import-{summary.id}"), pytest.raises(Conflict, match="being imported right now"):
        services.import_file("people", path)


@pytest.mark.usefixtures("home")
def test_a_broken_gzip_keeps_what_could_be_read_and_says_so(write: Write) -> None:
    whole = "id,name\n" + "".join(f"{n},{n * 7919 % 1_000_003}\n" for n in range(40_000))
    packed = gzip.compress(whole.encode())
    part = services.import_file("people", write("a.csv.gz", packed[: len(packed) // 2]))
    assert part.state == "failed"
    assert "breaks off" in part.error
    assert 1_000 < part.accepted == part.read < 40_000
    assert selectors.import_row(part.id).state == "failed"
    full = services.import_file("people", write("b.csv.gz", packed))
    assert (full.state, full.read, full.duplicate, full.accepted) == (
        "done",
        40_000,
        part.accepted,
        40_000 - part.accepted,
    )


@pytest.mark.usefixtures("home")
def test_an_import_that_cannot_be_is_kept_with_its_reason(write: Write) -> None:
    with pytest.raises(Invalid, match="no column is"):
        services.import_file("people", write("a.csv", "shoe,hat\n1,2\n"))
    (row,) = selectors.imports_page()
    assert row.state == "failed"
    assert "no column is one of id" in row.error
    with pytest.raises(NotFound):
        services.import_file("people", "nowhere.csv")
    with pytest.raises(Invalid, match="no kind of import"):
        services.import_file("shoes", write("b.csv", PEOPLE))


@pytest.mark.usefixtures("home")
def test_a_mapping_is_saved_and_used_again(write: Write) -> None:
    path = write("a.csv", "nr,wer\n1,Ana\n")
    services.import_file(
        "people", path, mapping={"nr": "id", "wer": "name"}, mapping_name="crm", by="alice@example.org"
    )
    (saved,) = selectors.mappings()
    assert (saved.name, saved.kind, saved.columns) == ("crm", "people", {"nr": "id", "wer": "name"})
    assert saved.changed_by == "alice@example.org"
    other = services.import_file("people", write("b.csv", "nr,wer\n2,Bo\n"), mapping_name="crm")
    assert other.mapping == {"nr": "id", "wer": "name"}
    assert [e[1] for e in events()] == ["customer:1", "customer:2"]
    with pytest.raises(Invalid, match="is for people"):
        services.import_file("posts", path, mapping_name="crm")
    with pytest.raises(NotFound, match="no saved mapping 'shop'"):
        services.import_file("people", path, mapping_name="shop")
    with pytest.raises(Invalid, match="no field 'shoe'"):
        services.save_mapping("x", "people", {"a": "shoe"})
    services.delete_mapping("crm")
    assert selectors.mappings("people") == []
    with pytest.raises(NotFound):
        services.delete_mapping("crm")


@pytest.mark.usefixtures("home")
def test_an_upload_is_kept_until_it_is_imported(home: Path) -> None:
    import_id = services.keep_upload(
        "people", "C:/x/people.csv", [PEOPLE[:20].encode(), PEOPLE[20:].encode()], by="bob@example.org"
    )
    row = selectors.import_row(import_id)
    assert (row.state, row.file_name, row.size_bytes) == ("queued", "people.csv", len(PEOPLE))
    assert list((home / "imports").rglob("file"))
    summary = services.run_import(import_id)
    assert (summary.accepted, summary.file) == (2, "people.csv")
    assert selectors.import_row(import_id).state == "done"
    assert not list((home / "imports").rglob("file"))
    with pytest.raises(Conflict, match="imported already"):
        services.run_import(import_id)
    with pytest.raises(NotFound):
        services.run_import(uuid.UUID(int=0))


@pytest.mark.usefixtures("home")
def test_an_upload_that_cannot_be_read_is_not_kept(home: Path) -> None:
    with pytest.raises(Invalid, match="is empty"):
        services.keep_upload("people", "people.csv", [])
    assert not list((home / "imports").rglob("file"))
    import_id = services.keep_upload("people", "people.csv", [b"shoe\n1\n"])
    with pytest.raises(Invalid, match="no column is"):
        services.run_import(import_id)
    assert selectors.import_row(import_id).state == "failed"
    assert not list((home / "imports").rglob("file"))
    with pytest.raises(NotFound, match="our copy"):
        services.run_import(import_id)


@pytest.mark.usefixtures("home")
def test_who_came_from_where_is_ranked(write: Write) -> None:
    line = '{} - - [17/May/2015:{} +0000] "GET {} HTTP/1.1" 200 1 "{}" "{}"\n'
    text = "".join(
        [
            line.format("203.0.113.1", "10:00:00", "/a", "http://blog.example/x", "Firefox"),
            line.format("203.0.113.1", "10:10:00", "/b?q=brakes", "-", "Firefox"),
            line.format("203.0.113.1", "11:00:00", "/a", "-", "Firefox"),
            line.format("203.0.113.2", "10:00:00", "/a", "https://www.google.com/search?q=belts", "Firefox"),
            line.format("203.0.113.3", "10:00:00", "/a", "-", "Googlebot/2.1"),
        ]
    )
    services.import_file("weblog", write("log", text))
    days = dt.date(2015, 5, 17), dt.date(2015, 5, 17)
    assert [(r.domain, r.n_sessions, r.n_visitors) for r in selectors.referrers(*days)] == [
        ("blog.example", 1, 1),
        ("google.com", 1, 1),
        (None, 1, 1),
    ]
    assert [(p.page, p.n_sessions, p.n_single) for p in selectors.landing_pages(*days)] == [("/a", 3, 2)]
    assert [(s.term, s.place, s.n) for s in selectors.searches(*days)] == [
        ("belts", "engine", 1),
        ("brakes", "site", 1),
    ]
    assert [(b.bot, b.n) for b in selectors.bots(*days)] == [("Googlebot", 1)]
    summary = selectors.sessions_summary(*days)
    assert (summary.n_sessions, summary.n_visitors, summary.n_pages) == (3, 2, 4)
    assert summary.median_s == 0
    assert summary.single_page_ratio == pytest.approx(2 / 3)
    assert selectors.sessions_summary(dt.date(2014, 1, 1), dt.date(2014, 1, 1)).n_sessions == 0


def test_a_preview_says_what_would_become_of_a_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    found = selectors.preview(write("a.csv", PEOPLE), "people")
    assert (found.file, found.description, found.problem) == ("a.csv", "CSV with commas", "")
    assert found.columns == ["id", "email", "name"]
    assert found.rows[0] == {"id": "1", "email": "ana@example.org", "name": "Ana"}
    assert found.mapping == {"id": "id", "email": "email", "name": "name"}
    assert (found.looked_at, [b.line for b in found.bad_rows]) == (3, [4])
    unclear = selectors.preview(write("b.csv", "shoe,hat\n1,2\n"), "people", mapping={"hat": "name"})
    assert "no column is one of id" in unclear.problem
    assert unclear.mapping == {"hat": "name"}
    assert unclear.rows == [{"shoe": "1", "hat": "2"}]
    log = selectors.preview(write("log", LOG.format(1, "a") + "nonsense\n"), "weblog", name="access.log")
    assert (log.file, log.description, log.looked_at) == ("access.log", "combined log format", 2)
    assert [b.line for b in log.bad_rows] == [2]
    empty = selectors.preview(write("c.csv", "id,name\n"), "people")
    assert "has no rows" in empty.problem
    lines = selectors.preview(write("d.jsonl", '{"id": 1}\n{"id": 2, "x": [1]}\n'), "people")
    assert (lines.description, lines.rows, lines.properties) == (
        "JSON lines",
        [{"id": 1}, {"id": 2, "x": [1]}],
        {"x": "x"},
    )
    assert {k.name for k in selectors.kinds()} >= {"people", "weblog"}
