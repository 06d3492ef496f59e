from __future__ import annotations

from pathlib import Path

import pytest

from rapport.events import lake, quarantine, selectors
from rapport.staff.models import Staff
from rapport.web import health
from rapport.web.components import words
from rapport.web.conftest import Say, logged_in, touchpoint


def test_what_is_broken_comes_first_with_what_to_do(alice: Staff, say: Say, home: Path) -> None:
    say(touchpoint("order_placed", "customer:1", properties={"order_id": "1"}))
    client = logged_in(alice)
    before = client.get("/health/")
    assert before.status_code == 200
    assert "things want a look" in before.content.decode()  # no process runs in a test
    for file in (home / "lake" / "files").rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:40])
    lake.forget()
    html = client.get("/health/").content.decode()
    assert "broken" in html
    assert "Restart “rapport load”" in html
    states = [check.state for check, _tone, _word in client.get("/health/").context["checks"]]
    assert states == sorted(states, key=("bad", "warn", "ok").index)


def test_refusals_are_counted_in_words(alice: Staff, home: Path) -> None:
    quarantine.keep(
        [quarantine.Refused(source="s", kind="touchpoint", body="{}", reason="bad_time", message="m")]
    )
    html = logged_in(alice).get("/health/").content.decode()
    assert "1 row waits: Time not understood 1" in html
    assert '<a href="/sources/quarantine/">Quarantine</a>' in html


def test_a_lake_that_is_not_there_is_a_finding_not_a_crash(
    alice: Staff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    lake.forget()
    answer = logged_in(alice).get("/health/")
    assert answer.status_code == 200
    assert "rapport init" in answer.content.decode()
    assert any(check.state == "bad" for check in health.checks())


def test_it_can_be_checked_again_in_place(alice: Staff, home: Path) -> None:
    html = logged_in(alice).get("/health/", headers={"HX-Request": "true"}).content.decode()
    assert html.strip().startswith('<div id="checks">')


def test_bob_does_not_see_health(bob: Staff, home: Path) -> None:
    assert logged_in(bob).get("/health/").status_code == 403


@pytest.mark.django_db
def test_who_reads_the_log_is_said_in_words(home: Path) -> None:
    keys = [one.key for one in selectors.subscriber_states()]
    assert "people" in keys
    assert [key for key in keys if words.subscriber(key) == key] == []
