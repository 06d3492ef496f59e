"""Ana takes everything along: as JSON, as tables, as a page to read."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from django.test import Client

from rapport.consent import links, services
from rapport.consent import selectors as consent
from rapport.staff.models import Staff
from rapport.web import takeout
from rapport.web.conftest import Say, touchpoint

ANA = "email:ana@example.org"


@pytest.fixture
def page(alice: Staff, ana: int, say: Say) -> str:
    say(touchpoint("message_received", "customer:1", text="Does anyone know <why>?"))
    services.grant(ANA, "marketing", "email", how="form", shown="shop.example/news")
    return links.url_for(ANA, "take").removeprefix(links.public_url())


def test_the_json_has_everything_with_its_origin_and_a_schema(page: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(page, {"form": "json"})
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"].startswith('attachment; filename="')
    document = json.loads(answer.content)
    assert document["schema"] == takeout.SCHEMA
    assert document["organisation"] == "Otter Tools"
    assert ANA in document["identifiers"]
    rows = {section["title"]: section["rows"] for section in document["sections"]}
    said = [row for row in rows["What you allowed and refused"] if row["purpose"] == "marketing"]
    assert [(row["state"], row["shown"]) for row in said] == [("granted", "shop.example/news")]
    known = {row["name"]: (row["value"], row["how"], row["origin"]) for row in rows["What we know"]}
    assert known["name"] == ("Ana Ruiz", "declared", "crm")
    texts = [row.get("text") for row in rows["What happened"]]
    assert "It came late." in texts
    assert "Does anyone know <why>?" in texts


def test_the_tables_open_and_name_one_another(page: str) -> None:
    answer = Client().post(page, {"form": "csv"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    contents = list(csv.DictReader(io.StringIO(files.pop("00-contents.csv"))))
    assert [row["rows"] for row in contents if row["title"] == "schema"] == [takeout.SCHEMA]
    named = {row["file"]: int(row["rows"]) for row in contents if row["file"]}
    assert named.keys() == files.keys()
    for name, n in named.items():
        assert len(list(csv.DictReader(io.StringIO(files[name])))) == n


def test_the_page_to_read_is_whole_and_harmless(page: str) -> None:
    html = Client().post(page, {"form": "html"}).content.decode()
    assert "What Otter Tools knows of you" in html
    assert "Does anyone know &lt;why&gt;?" in html
    assert "http" not in html.split("<body>")[0]


@pytest.mark.parametrize("form", ["json", "csv", "html"])
def test_that_she_took_it_is_kept_as_an_answered_request(page: str, form: str) -> None:
    assert Client().post(page, {"form": form}).status_code == 200
    (done,) = consent.closed_requests()
    assert (done.kind, done.state, done.answer) == ("portability", "done", f"taken along as {form}")


def test_looking_takes_nothing(page: str) -> None:
    assert Client().get(page, {"form": "json"})["Content-Type"].startswith("text/html")
    assert Client().head(page).status_code == 200
    assert consent.closed_requests() == []
    assert Client().post(page, {"form": "exe"}).status_code == 400


@pytest.mark.parametrize("text", ["=1+1", "@cmd", "-2+3", "+1+1", "\tx"])
def test_no_spreadsheet_runs_what_somebody_wrote(page: str, say: Say, text: str) -> None:
    say(touchpoint("complaint_raised", "customer:1", text=text))
    with zipfile.ZipFile(io.BytesIO(Client().post(page, {"form": "csv"}).content)) as archive:
        cells = [
            cell
            for name in archive.namelist()
            for row in csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig")))
            for cell in row
        ]
    assert f"'{text}" in cells
    assert text not in cells


def test_a_number_stays_a_number() -> None:
    assert [takeout._safe(text) for text in ("-12.5", "+34 600 123", "2026-01-01")] == [
        "-12.5",
        "+34 600 123",
        "2026-01-01",
    ]
