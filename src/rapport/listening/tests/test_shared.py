"""Real files: what is in them arrives, to the penny and to the line."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import Path

import duckdb
import pytest

from rapport.events import lake
from rapport.events import selectors as log_selectors
from rapport.listening import selectors, services
from rapport.listening.tests.conftest import Write

pytestmark = [pytest.mark.django_db, pytest.mark.shared]


def count(sql: str) -> list[tuple[object, ...]]:
    con = lake.connect()
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


@pytest.mark.usefixtures("home")
def test_online_retail_adds_up(shared: Path) -> None:
    file = shared / "online_retail" / "online_retail.parquet"
    summary = services.import_file("orders", file, options={"currency": "GBP"})
    (expected,) = duckdb.sql(
        "SELECT count(*), count(*) FILTER (CustomerID IS NULL), count(DISTINCT CustomerID),"
        " count(DISTINCT InvoiceNo) FILTER (NOT back), round(sum(Quantity * UnitPrice * 100) FILTER (NOT back))::BIGINT,"
        " count(DISTINCT InvoiceNo) FILTER (back), round(sum(Quantity * UnitPrice * 100) FILTER (back))::BIGINT,"
        " count(DISTINCT InvoiceNo) FILTER (CustomerID IS NULL)"
        f" FROM (SELECT *, InvoiceNo LIKE 'C%' OR Quantity < 0 AS back FROM '{file}')"
    ).fetchall()
    assert tuple(summary.totals.values()) == expected
    assert summary.totals["customers"] == 4_372
    assert summary.totals["lines"] == summary.read == 541_909
    assert (summary.quarantined, summary.duplicate) == (0, 0)
    assert summary.accepted == summary.recorded == 25_900
    assert count(
        "SELECT name, count(*), sum(value_minor)::BIGINT FROM event GROUP BY name ORDER BY name"
    ) == [
        ("order_placed", expected[3], expected[4]),
        ("order_refunded", expected[5], expected[6]),
    ]
    assert count(
        "SELECT split_part(identifier, ':', 1) AS namespace, count(*) FROM subject GROUP BY 1 ORDER BY 1"
    ) == [("customer", 4_372), ("order", expected[7])]
    assert count(
        "SELECT sum(len(from_json(json_extract(properties, '$.items'), '[\"JSON\"]')))::BIGINT FROM event"
    ) == [(541_909,)]
    assert count("SELECT DISTINCT currency FROM event") == [("GBP",)]


@pytest.mark.usefixtures("home")
def test_every_tweet_arrives_and_broken_ones_are_named(shared: Path, write: Write) -> None:
    file = shared / "airline" / "tweets_dev.csv"
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    summary = services.import_file("posts", file)
    ids = {row["tweet_id"] for row in rows}
    assert (summary.read, summary.quarantined) == (len(rows), 0)
    assert summary.accepted == len(ids)
    assert summary.duplicate == len(rows) - len(ids)
    texts: dict[object, object] = dict(
        count("SELECT json_extract_string(properties, '$.post_id'), \"text\" FROM event")
    )
    plain = {r["tweet_id"]: r["text"] for r in rows if "&" not in r["text"]}
    assert {i: texts[i] for i in plain} == {i: t.strip() for i, t in plain.items()}
    assert not any(re.search("&(amp|lt|gt);", str(t)) for t in texts.values())
    authors = {f"twitter:{r['name'].lower()}" for r in rows}
    assert {r[0] for r in count("SELECT identifier FROM subject")} == authors
    lines = file.read_text(encoding="utf-8").split("\n")
    lines[4] = re.sub(r"2015-02-\d\d", "2015-02-31", lines[4])
    lines[5] = re.sub(r"^\d+", "5.70301E+17", lines[5])
    broken = services.import_file("posts", write("broken.csv", "\n".join(lines)))
    assert [(b.line, b.reason, b.field) for b in broken.bad_rows] == [
        (5, "bad_time", "published_at"),
        (6, "scientific", "post_id"),
    ]
    assert (broken.accepted, broken.duplicate) == (0, len(rows) - 2)
    assert sum(log_selectors.quarantine_counts().values()) == 2


@pytest.mark.usefixtures("home")
def test_every_line_of_the_log_arrives(shared: Path) -> None:
    file = shared / "apache_logs" / "apache_logs"
    summary = services.import_file("weblog", file)
    assert (summary.read, summary.quarantined, summary.duplicate) == (10_000, 0, 0)
    kinds: dict[object, object] = dict(count("SELECT name, count(*) FROM event GROUP BY name"))
    assert sum(v for k, v in kinds.items() if k != "site_searched") == 10_000  # type: ignore[misc]
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 10_000
    bots = sum("bot" in line.rpartition('" "')[2].lower() for line in lines)
    assert bots <= int(str(kinds["page_crawled"])) <= 3_500
    days = dt.date(2015, 5, 17), dt.date(2015, 5, 20)
    referrers = selectors.referrers(*days)
    assert "semicomplete.com" not in {r.domain for r in referrers}
    assert {"google.com", None} <= {r.domain for r in referrers[:4]}
    assert selectors.sessions_summary(*days).n_sessions > 900
    assert selectors.bots(*days)[0].n > 100
    assert any(s.place == "engine" and s.n > 1 for s in selectors.searches(*days))
    again = services.import_file("weblog", file)
    assert (again.accepted, again.duplicate) == (0, summary.recorded)
