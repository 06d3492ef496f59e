from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django_tasks_db.models import DBTaskResult

from rapport.insights.services import Progress
from rapport.kit import clock
from rapport.kit import home as data_folder
from rapport.kit.errors import Invalid
from rapport.web import jobs
from rapport.web.conftest import logged_in


@pytest.mark.django_db
def test_a_job_whose_worker_died_is_freed_and_one_that_works_is_left(home: Path) -> None:
    jobs.run_insight.enqueue("rfm")
    DBTaskResult.objects.update(status="RUNNING", worker_ids=["worker-gone"])
    with data_folder.lock("worker-gone"):
        assert jobs.sweep() == 0
    assert jobs.sweep() == 1
    assert DBTaskResult.objects.get().status == "READY"
    assert list(data_folder.path("locks").glob("worker-*")) == [], "no worker comes back for its lock"


def test_log_ins_that_ended_are_forgotten(alice: object, home: Path) -> None:
    logged_in(alice)  # type: ignore[arg-type]
    assert Session.objects.count() == 1
    jobs.sweep()
    assert Session.objects.count() == 1
    with clock.frozen(clock.now() + dt.timedelta(days=30)):
        jobs.sweep()
    assert Session.objects.count() == 0


@pytest.mark.django_db
def test_a_job_that_fails_is_told_with_its_last_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise Invalid("the file is gone", "Upload it again.")

    monkeypatch.setattr("rapport.web.jobs.listening.run_import", broken)
    jobs.import_upload.enqueue("0195a1b2-0000-7000-8000-000000000000")
    assert jobs.n_due() == 1
    jobs.run_due()
    (failed,) = jobs.failed()
    assert failed.name == "import_upload"
    assert "the file is gone" in failed.error
    assert jobs.n_due() == 0


@pytest.mark.django_db
def test_what_somebody_asked_for_does_not_wait_for_what_goes_over_everything(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("rapport.web.jobs.listening.run_import", lambda *_, **__: done.append("import"))
    monkeypatch.setattr("rapport.web.jobs.insights.run", lambda *_, **__: done.append("models"))
    jobs.run_insights.enqueue()
    jobs.import_upload.enqueue("0195a1b2-0000-7000-8000-000000000000")
    jobs.run_due(queues=[jobs.ASKED])
    assert done == ["import"]
    jobs.run_due(queues=[jobs.LONG])
    assert done[:2] == ["import", "models"]


def test_progress_is_read_while_it_is_made(home: Path) -> None:
    assert jobs.progress("x") is None
    show = jobs._shown("x")
    show(5, 10, "reading")
    show(6, 10, "reading")  # too soon to be worth a write
    assert jobs.progress("x") == jobs.Progress("reading", 5, 10)
    jobs.forget_progress("x")
    assert jobs.progress("x") is None


@pytest.mark.django_db
def test_all_models_wait_once_and_the_frame_says_that_they_run(
    home: Path, alice: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.run_insights_soon()
    jobs.run_insights_soon()
    assert [row.task_path.rpartition(".")[2] for row in DBTaskResult.objects.all()] == ["run_insights"]
    client = logged_in(alice)  # type: ignore[arg-type]
    told: list[str] = []

    def run(progress: Progress) -> None:
        progress(1, None, "persona: reading")
        told.append(client.get("/running/").content.decode())

    monkeypatch.setattr("rapport.web.jobs.insights.run", run)
    jobs.run_due()
    assert ["Models are running" in text for text in told] == [True]
    assert "Models are running" not in client.get("/running/").content.decode()


@pytest.mark.django_db
def test_figures_of_people_are_worked_out_anew_by_night(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked_at(hour: int) -> list[str]:
        with clock.frozen(dt.datetime(2026, 3, 2, hour, 30, tzinfo=dt.UTC)):
            jobs.call_due()
        found = DBTaskResult.objects.values_list("task_path", flat=True)
        return [path for path in found if path.endswith(".run_insights_due")]

    ran: list[object] = []
    monkeypatch.setattr("rapport.web.jobs.insights.due", lambda: [] if ran else ["rfm"])
    monkeypatch.setattr("rapport.web.jobs.insights.run", lambda names, **_how: ran.append(names))
    assert asked_at(12) == []
    assert len(asked_at(2)) == len(asked_at(2)) == 1
    jobs.run_due()
    assert ran == [["rfm"]]
    assert len(asked_at(3)) == 1, "it is done for this night"
