from __future__ import annotations

from pathlib import Path

from rapport.listening import services as listening
from rapport.staff.models import Staff
from rapport.web.conftest import logged_in

PEOPLE = "id,email,name\n1,ana@example.org,Ana\n2,no address,Bo\n"


def test_imports_newest_first_with_what_became_of_them(alice: Staff, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    listening.import_file("people", file, source_name="crm", by="alice@example.com")
    listening.import_file("people", file, source_name="crm", by="alice@example.com")
    page = logged_in(alice).get("/sources/")
    first, second = page.context["rows"]
    assert (second.found.n_accepted, first.found.n_accepted, first.found.n_duplicate) == (1, 0, 1)
    html = page.content.decode()
    assert "people.csv" in html
    assert f"/sources/quarantine/?import={second.found.id}" in html
    assert not page.context["is_running"]


def test_empty_says_how_to_begin(alice: Staff, home: Path) -> None:
    assert "Nothing was imported yet." in logged_in(alice).get("/sources/").content.decode()


def test_a_damaged_address_is_said(alice: Staff, home: Path) -> None:
    assert logged_in(alice).get("/sources/", {"before": "1.x"}).status_code == 400


def test_bob_sees_no_sources(bob: Staff, home: Path) -> None:
    for path in (
        "/sources/",
        "/sources/quarantine/",
        "/sources/plan/",
        "/sources/site/",
        "/sources/mappings/",
    ):
        assert logged_in(bob).get(path).status_code == 403
