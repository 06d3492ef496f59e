from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rapport.events import selectors as events
from rapport.kit import home as data_folder
from rapport.listening import selectors as listening
from rapport.people import selectors as people
from rapport.staff.models import Staff
from rapport.web import jobs, uploads
from rapport.web.conftest import logged_in

ORDERS = b"""InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Note
5001,wipers,Wiper blades,2,2026-02-01 10:00,24.50,1001,gift
5002,oil,Engine oil,1,2026-02-02 11:30,39.90,1002,
5003,tyres,Winter tyre,four,2026-02-03 09:12,89.00,1003,urgent
"""


def send(client: Client, content: bytes = ORDERS, kind: str = "orders", name: str = "o.csv") -> str:
    file = SimpleUploadedFile(name, content)
    answer = client.post("/sources/upload/", {"kind": kind, "source": "shop", "file": file})
    assert answer.status_code == 302
    return answer["Location"]


def choices(client: Client, path: str) -> dict[str, object]:
    """What the form of the page would send back as it stands."""
    page = client.get(path)
    columns = page.context["columns"]
    return {
        "column": [c.name for c in columns],
        "field": [c.chosen for c in columns],
        "source": page.context["upload"].source,
    }


def test_a_file_is_looked_at_tried_dry_and_imported(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    path = send(client)
    page = client.get(path)
    chosen = {c.name: c.chosen for c in page.context["columns"]}
    assert chosen["InvoiceNo"] == "order_id"
    assert chosen["CustomerID"] == "customer_id"
    html = page.content.decode()
    assert "which is not a number" in html
    assert "Wiper blades" in html

    client.post(path, {**choices(client, path), "do": "check"})
    assert "Waits for the worker." in client.get(path).content.decode()
    jobs.run_due()
    checked = client.get(path).context["check"]
    assert (checked["read"], checked["recorded"], checked["n_bad"]) == (3, 2, 1)
    assert events.events_page(events.Filter()) == []  # nothing was written

    answer = client.post(path, {**choices(client, path), "do": "import", "mapping_name": "Shop export"})
    summary = answer["Location"]
    waiting = client.get(summary)
    assert waiting.context["is_waiting"]
    assert "o.csv" in client.get("/settings/").content.decode()  # the top of every page says what runs
    assert client.get(path).status_code == 404  # the upload has become the import
    jobs.run_due()
    done = client.get(summary)
    assert not done.context["is_waiting"]
    values = {card.label: card.value for card in done.context["cards"]}
    assert (values["Rows read"], values["New events"], values["Refused"]) == ("3", "2", "1")
    assert [m.name for m in listening.mappings()] == ["Shop export"]
    assert len(events.events_page(events.Filter(name="order_placed"))) == 2


def test_a_column_can_be_taken_for_something_else(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    path = send(client)
    form = choices(client, path)
    columns = list(form["column"])  # type: ignore[call-overload]
    fields = list(form["field"])  # type: ignore[call-overload]
    fields[columns.index("Note")] = "channel"
    fields[columns.index("Description")] = "-"
    client.post(path, {**form, "field": fields, "do": "look"})
    chosen = {c.name: c.chosen for c in client.get(path).context["columns"]}
    assert chosen["Note"] == "channel"
    assert chosen["Description"] == "-"
    fields[columns.index("Note")] = "order_id"
    client.post(path, {**form, "field": fields, "do": "look"})
    html = client.get(path).content.decode()
    assert "two columns are mapped to the same field" in html.lower()
    assert 'value="import" disabled' in html


def test_a_saved_mapping_is_one_click(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    path = send(client)
    client.post(path, {**choices(client, path), "option-currency": "SEK", "mapping_name": "m", "do": "save"})
    second = send(client, ORDERS.replace(b"InvoiceNo", b"Odd"))
    client.post(second, {"do": "saved", "saved": "m"})
    assert uploads.find(_id(second)).options == {"currency": "SEK"}
    assert client.post(second, {"do": "saved", "saved": "none"}).status_code == 400


def _id(path: str):  # type: ignore[no-untyped-def]
    import uuid

    return uuid.UUID(path.strip("/").split("/")[-1])


def test_the_people_an_import_brought_are_told_apart(alice: Staff, home: Path) -> None:
    from rapport.events import subscriptions

    client = logged_in(alice)
    csv = b"id,email,name,country\n1,ana@example.org,Ana Ruiz,ES\n2,bo@example.org,Bo Berg,DE\n"
    path = send(client, csv, "people", "p.csv")
    summary = client.post(path, {**choices(client, path), "do": "import"})["Location"]
    jobs.run_due()
    subscriptions.drain()
    values = {card.label: card.value for card in client.get(summary).context["cards"]}
    assert values["People new"] == "2"
    assert people.person("email:ana@example.org").display_name == "Ana Ruiz"


def test_a_web_log_needs_no_mapping(alice: Staff, home: Path) -> None:
    line = (
        b'203.0.113.9 - - [02/Mar/2026:12:00:00 +0000] "GET /a HTTP/1.1" 200 512'
        b' "https://www.google.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0"\n'
    )
    client = logged_in(alice)
    path = send(client, line * 3, "weblog", "access.log")
    page = client.get(path)
    assert page.context["fields"] == []
    assert not page.context["problem"]
    client.post(path, {"do": "import", "source": "site"})
    jobs.run_due()
    site = client.get("/sources/site/", {"first": "2026-03-01", "last": "2026-03-03"})
    assert site.context["summary"].n_sessions == 1
    assert "google.com" in site.content.decode()


def test_what_cannot_be_read_is_said_before_anything_runs(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    path = send(client, b"a,b\n1,2\n")
    html = client.get(path).content.decode()
    assert "No column is order_id" in html
    assert 'value="import" disabled' in html
    empty = client.post("/sources/upload/", {"kind": "orders", "file": SimpleUploadedFile("e.csv", b"")})
    assert empty.status_code == 400
    odd = client.post("/sources/upload/", {"kind": "songs", "file": SimpleUploadedFile("e.csv", b"x")})
    assert odd.status_code == 400
    assert client.post("/sources/upload/", {"kind": "orders"}).status_code == 400


def test_a_dry_run_that_breaks_is_told_to_whoever_watches(
    alice: Staff, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("rapport.web.jobs.listening.import_file", broken)
    client = logged_in(alice)
    path = send(client)
    client.post(path, {**choices(client, path), "do": "check"})
    jobs.run_due()
    html = client.get(path).content.decode()
    assert "a fault of ours" in html
    assert "Waits for the worker." not in html
    assert "check_upload" in client.get("/health/").content.decode()


def test_a_file_name_cannot_leave_its_folder(alice: Staff, home: Path) -> None:
    path = send(logged_in(alice), name="../../../etc/passwd")
    assert uploads.find(_id(path)).name == "passwd"
    assert uploads.find(_id(path)).path.is_relative_to(data_folder.path("uploads"))


def test_thrown_away_and_forgotten(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    path = send(client)
    assert client.post(path, {"do": "forget"})["Location"] == "/sources/upload/"
    assert client.get(path).status_code == 404
    old = uploads.find(_id(send(client))).folder
    before = (dt.datetime(2020, 1, 1, tzinfo=dt.UTC)).timestamp()
    os.utime(old, (before, before))
    send(client)
    assert not old.exists()


def test_bob_and_an_analyst_import_nothing(alice: Staff, bob: Staff, home: Path) -> None:
    assert logged_in(bob).get("/sources/upload/").status_code == 403
    Staff.objects.filter(pk=bob.pk).update(role="analyst")
    client = logged_in(bob)
    assert client.get("/sources/").status_code == 200
    assert "/sources/upload/" not in client.get("/sources/").content.decode()
    assert client.get("/sources/upload/").status_code == 403


POSTS = b"""window.YTD.tweets.part0 = [
  {"tweet": {"id_str": "1", "created_at": "Wed Oct 10 20:19:24 +0000 2018", "full_text": "Open till six"}},
  {"tweet": {"id_str": "", "created_at": "Wed Oct 10 20:19:24 +0000 2018", "full_text": "No number"}}
]"""


def test_an_archive_of_a_network_is_taken_as_it_comes(alice: Staff, home: Path) -> None:
    client = logged_in(alice)
    path = send(client, POSTS, kind="posts", name="tweets.js")
    html = client.get(path).content.decode()
    assert "does not say whose posts they are" in html
    assert 'name="option-account"' in html
    assert 'name="option-network"' not in html
    client.post(path, {"source": "", "option-account": "shop", "do": "look"})
    html = client.get(path).content.decode()
    assert "archive of X" in html
    assert "Open till six" in html
    assert "tweets.js" in html
    assert "The post has no number" in html
    assert "words of others are kept for 30 days" in html
    assert "Which column is what" not in html
    client.post(path, {"source": "", "option-account": "shop", "do": "check"})
    jobs.run_due()
    html = client.get(path).content.decode()
    assert "tweets.js, entry 2" in html
    client.post(path, {"source": "", "option-account": "shop", "do": "import"})
    jobs.run_due()
    (row,) = listening.imports_page()
    assert (row.source, row.n_accepted, row.n_quarantined) == ("x-archive", 1, 1)
    assert [e.text for e in events.events_page(events.Filter())] == ["Open till six"]
