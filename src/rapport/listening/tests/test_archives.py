"""Archives on their way into the log: once, under the network's terms, in parts, and never out of a trap."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rapport.events import lake, quarantine, spool
from rapport.events import selectors as log_selectors
from rapport.events import services as log
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.listening import models, selectors, services
from rapport.listening.contract import Said
from rapport.listening.services import archives, bundles, rounds
from rapport.listening.services.work import Work
from rapport.listening.tests import archived
from rapport.listening.tests.archived import chat, mbox, tweets, zipped
from rapport.listening.tests.conftest import Write

pytestmark = pytest.mark.django_db

MAILS = mbox(archived.LETTER, archived.ANSWER)
OURS = {"account": "shop@example.com"}


def events() -> list[tuple[Any, ...]]:
    con = lake.connect()
    try:
        return con.execute(
            "SELECT e.source, e.name, s.identifier, e.text FROM event AS e JOIN subject AS s"
            " ON e.subject = s.subject ORDER BY e.seq"
        ).fetchall()
    finally:
        con.close()


@pytest.fixture
def mailbox() -> str:
    """A source that hears mail, switched off so that nobody asks its server."""
    values = {
        "host": "mail.example.com",
        "login_name": "shop",
        "password": "secret",
        "from_address": "shop@example.com",
    }
    return services.add_source("mailbox", "email", values, is_on=False)


@pytest.mark.usefixtures("home")
def test_what_was_heard_before_is_there_once(write: Write, mailbox: str) -> None:
    source = models.Source.objects.get(name=mailbox)
    heard = Said(
        "1@example.org", "message", dt.datetime(2018, 3, 5, 10, tzinfo=dt.UTC), "ana@example.org", "Where?"
    )
    rounds.keep(source, [heard], (), cursor=None)
    # The source says which addresses are ours.
    summary = services.import_file("posts", write("all.mbox", MAILS), by="alice@example.org")
    assert (summary.source, summary.read, summary.accepted, summary.duplicate) == ("email-archive", 2, 1, 1)
    assert events() == [
        ("mailbox", "message_received", "email:ana@example.org", "Where?"),
        ("email-archive", "message_sent", "email:shop@example.com", "On its way."),
    ]
    again = services.import_file("posts", write("renamed.mbox", MAILS))
    assert (again.accepted, again.duplicate) == (0, 2)
    row = selectors.imports_page()[-1]
    assert (row.kind, row.source, row.description, row.state) == (
        "posts",
        "email-archive",
        "mail archive",
        "done",
    )


@pytest.mark.usefixtures("home")
def test_what_we_posted_from_here_is_no_second_post(write: Write) -> None:
    id = archived.TWEET["id_str"]
    models.Posted.objects.create(
        id="d", source="x", network="x_com", post_id=id, state=models.Posted.State.POSTED, at=clock.now()
    )
    summary = services.import_file(
        "posts", write("tweets.js", tweets({}, {"id_str": "2"})), options={"account": "shop"}
    )
    assert (summary.read, summary.accepted) == (2, 1)
    assert "left out: posts that are on record since they were posted from here (1)" in summary.notes


@pytest.mark.usefixtures("home")
def test_words_of_others_go_when_the_terms_say_so_and_ours_stay(write: Write) -> None:
    said = dt.datetime(2021, 3, 4, 12, tzinfo=dt.UTC)
    ours = {"id": 8, "from": "Shop", "from_id": "user999"}
    old = {"id": 1, "date_unixtime": str(int(said.timestamp()) - 400 * 86_400)}
    with clock.frozen(said + dt.timedelta(days=10)):
        path = write("result.json", chat(old, {}, ours))
        dry = services.import_file("posts", path, options={"account": "999"}, dry_run=True)
        assert dry.notes == [
            "Telegram: words of others are kept for 365 days after they were said, by its terms;"
            " your own are kept as long as the firm keeps such;"
            " authors who are no customers and have been silent for longer than your limit for them are forgotten",
            "left out: posts that are older than the 365 days that its terms allow (1)",
        ]
        assert (dry.read, dry.recorded, events()) == (3, 2, [])
        summary = services.import_file("posts", path, options={"account": "999"})
        assert (summary.accepted, summary.quarantined) == (2, 0)
        services.carry_out_terms()
        assert len(events()) == 2
    with clock.frozen(said + dt.timedelta(days=366)):
        assert services.terms_if_due() is not None
        assert [(name, who) for _, name, who, _ in events()] == [("message_sent", "telegram:999")]


@pytest.mark.usefixtures("home")
def test_terms_of_an_archive_hold_where_nobody_listens_to_its_network(write: Write) -> None:
    assert selectors.terms_of("x_com") is None
    assert selectors.forbidding("may_train")[1] == []
    services.import_file("posts", write("tweets.js", tweets({})), options={"account": "shop"})
    terms = selectors.terms_of("x_com")
    assert terms is not None
    assert not terms.may_train
    assert selectors.keep_days_of("x_com") == 30
    assert selectors.forbidding("may_train") == (["x_com"], ["x-archive"])


@pytest.mark.usefixtures("home")
def test_a_source_that_is_set_up_keeps_what_goes_into_it_by_its_own_limit(write: Write, mailbox: str) -> None:
    models.Source.objects.filter(name=mailbox).update(keep_days=30)
    summary = services.import_file("posts", write("a.mbox", MAILS), source_name=mailbox, dry_run=True)
    assert summary.recorded == 0
    assert summary.notes[0] == "Mailbox: all words are kept for 30 days after they were said, by its terms"


@pytest.mark.usefixtures("home")
def test_an_archive_goes_on_where_it_stopped(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "PAGE", 2)
    path = write("tweets.js", tweets(*({"id_str": str(n)} for n in range(1, 6))))
    record = Work.record_rows
    kept: list[Any] = []

    def stop(work: Work, rows: list[dict[str, Any]], *, within: str) -> None:
        if len(kept) == 1:
            raise RuntimeError("killed")
        kept.append(rows)
        record(work, rows, within=within)

    monkeypatch.setattr(Work, "record_rows", stop)
    with pytest.raises(RuntimeError, match="killed"):
        services.import_file("posts", path, options={"account": "shop"})
    monkeypatch.setattr(Work, "record_rows", record)
    summary = services.import_file("posts", path, options={"account": "shop"})
    assert summary.notes[0] == "resumed: 1 parts were recorded before"
    assert (summary.read, summary.accepted, summary.duplicate) == (5, 5, 0)


@pytest.mark.usefixtures("home")
def test_what_was_refused_can_be_corrected(write: Write) -> None:
    text = tweets(
        {"created_at": "yesterday"}, {"id_str": "2", "created_at": "Wed Oct 10 20:19:24 +0000 1918"}
    )
    summary = services.import_file("posts", write("tweets.js", text), options={"account": "shop"})
    assert (summary.quarantined, summary.accepted) == (2, 0)
    bodies = {row.field: row for row in log_selectors.quarantine_page()}
    for field, wrong, right in (
        ("", "yesterday", "Wed Oct 10 20:19:24 +0000 2018"),
        ("ts", "1918-10-10", "2018-10-10"),
    ):
        row = bodies[field]
        quarantine.replay(row.key, body=row.body.replace(wrong, right), by="alice@example.org")
    log.settle(spool.current().next_seq() - 1)
    assert sorted(text for *_, text in events()) == [
        "Open till six & on Sundays too https://shop.example/hours",
        "Open till six & on Sundays too https://shop.example/hours",
    ]


@pytest.mark.usefixtures("home")
def test_an_upload_is_looked_at_and_carried_out(write: Write) -> None:
    content = zipped({"data/tweets.js": tweets({}, {"id_str": ""}), "data/account.js": archived.ACCOUNT})
    found = selectors.preview(write("a.zip", content), "posts", name="twitter.zip", mapping={}, options={})
    assert (found.is_archive, found.description, found.problem) == (True, "archive of X, zip", "")
    assert [row["who"] for row in found.rows] == ["The Shop"]
    assert (found.looked_at, [bad.message for bad in found.bad_rows]) == (
        2,
        ["The post has no number (id_str)."],
    )
    alone = selectors.preview(write("b", tweets({})), "posts", name="tweets.js", mapping={}, options={})
    assert alone.problem.startswith("tweets.js does not say whose posts they are")
    summary = services.run_import(services.keep_upload("posts", "twitter.zip", [content], by="alice"))
    assert (summary.source, summary.accepted, summary.quarantined) == ("x-archive", 1, 1)


@pytest.mark.usefixtures("home")
def test_a_mapping_reads_a_file_as_rows_all_the_same(write: Write) -> None:
    dump = json.dumps(archived.COMMENT) + "\n"
    as_rows = {"author": "author", "body": "text", "created_utc": "published_at", "id": "post_id"}
    summary = services.import_file("posts", write("a.ndjson", dump), mapping=as_rows, dry_run=True)
    assert (summary.description, summary.source) == ("JSON lines", "posts")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "a\\..\\..\\b"])
def test_a_path_outside_is_refused(write: Write, name: str) -> None:
    content = zipped({"data/account.js": archived.ACCOUNT, name: "x"})
    with pytest.raises(Invalid, match="a place outside of itself"):
        services.import_file("posts", write("a.zip", content), dry_run=True)


@pytest.mark.usefixtures("home")
def test_a_bomb_is_refused_before_it_goes_off(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "SMALL_BYTES", 64 << 10)
    text = tweets({})[:-1] + "," + " " * (4 << 20) + json.dumps({"tweet": archived.TWEET}) + "]"
    content = zipped({"data/tweets.js": text, "data/account.js": archived.ACCOUNT})
    with pytest.raises(Invalid, match="unpacks to more than 250 times its size"):
        services.import_file("posts", write("a.zip", content), dry_run=True)


@pytest.mark.usefixtures("home")
def test_a_zip_of_something_else_says_what_can_be_read(write: Write) -> None:
    with pytest.raises(Invalid, match="holds no archive that can be read") as refused:
        services.import_file("posts", write("a.zip", zipped({"data/like.js": "window.YTD.like.part0 = []"})))
    assert "archive of X" in refused.value.hint
    with pytest.raises(Invalid, match="is a spreadsheet"):
        services.import_file("posts", write("a.xlsx", zipped({"[Content_Types].xml": "<x/>"})))
    with pytest.raises(Invalid, match="cannot be unpacked"):
        services.import_file("posts", write("b.zip", zipped({"data/tweets.js": tweets({})})[:-30]))
    with pytest.raises(Invalid, match="a zip archive or a spreadsheet"):
        services.import_file("people", write("c.zip", zipped({"data/tweets.js": tweets({})})))


@pytest.mark.usefixtures("home")
def test_a_damaged_file_within_keeps_what_came_before(write: Write) -> None:
    content = bytearray(
        zipped(
            {
                "data/account.js": archived.ACCOUNT,
                "data/tweets.js": tweets(*[{"id_str": str(n)} for n in range(1, 3_000)]),
            }
        )
    )
    content[len(content) // 2] ^= 0xFF
    summary = services.import_file("posts", write("a.zip", bytes(content)), dry_run=True)
    assert re.search("damaged|breaks off", summary.error)
    assert summary.read < 2_999


@pytest.mark.usefixtures("home")
def test_links_in_a_tar_lead_nowhere(write: Write) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as packed:
        link = tarfile.TarInfo("outbox.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    with pytest.raises(Invalid, match="holds no archive"):
        services.import_file("posts", write("a.tar.gz", held.getvalue()), dry_run=True)


@pytest.mark.usefixtures("home")
def test_a_file_under_lock_is_named(write: Write) -> None:
    path: Path = write("a.zip", zipped({"data/tweets.js": tweets({})}))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as packed:
        at = packed.start_dir
    content[at + 8] |= 1  # the flag of a password
    with pytest.raises(Invalid, match="locked by a password"):
        services.import_file("posts", write("b.zip", bytes(content)), dry_run=True)
