"""Jobs started on screen: run beside the subscribers, freed when their worker dies."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import close_old_connections
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from rapport.kit import clock, home, ids, process

log = logging.getLogger(__name__)

IDLE_S = 0.5
SWEEP_EVERY_S = 15


def run_due(worker_id: str | None = None) -> None:
    """Run every job that waits, one after the other."""
    name = worker_id or f"worker-{ids.token(6)}"
    with home.lock(name):
        Worker(
            queue_names=["*"],
            excluded_queue_names=[],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=name,
        ).run()


def sweep() -> int:
    """Free jobs whose worker died in the middle of them; gives how many."""
    from django_tasks_db.compat import TaskResultStatus

    freed = 0
    for row in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        holder = row.worker_ids[-1] if row.worker_ids else ""
        if holder and not process.held(holder):
            freed += DBTaskResult.objects.filter(pk=row.pk, status=TaskResultStatus.RUNNING).update(
                status=TaskResultStatus.READY
            )
    return freed


@contextmanager
def running_beside(stop: process.Stop) -> Iterator[None]:
    """Run jobs in a thread until told to stop; a job under way is waited for."""
    thread = threading.Thread(target=_loop, args=(stop,), name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=15)


def _loop(stop: process.Stop) -> None:
    name = f"worker-{ids.token(6)}"
    swept = -SWEEP_EVERY_S * 1.0
    while not stop:
        try:
            close_old_connections()
            if clock.monotonic_s() - swept > SWEEP_EVERY_S:
                sweep()
                swept = clock.monotonic_s()
            run_due(name)
        except Exception:
            log.exception("the jobs' loop failed and goes on")
        stop.wait(IDLE_S)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a screen shows it."""

    name: str
    at: dt.datetime | None
    error: str


def failed(days: int = 7) -> list[Job]:
    """Jobs that failed in the last days, newest first, with the last line of what they said."""
    from django_tasks_db.compat import TaskResultStatus

    since = clock.now() - dt.timedelta(days=days)
    rows = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED, finished_at__gte=since)
    return [
        Job(row.task_path.rpartition(".")[2], row.finished_at, _last_line(row.traceback or ""))
        for row in rows.order_by("-finished_at")[:20]
    ]


def running() -> list[str]:
    """Names of the jobs that run or wait, the running first."""
    from django_tasks_db.compat import TaskResultStatus

    rows = DBTaskResult.objects.filter(status__in=[TaskResultStatus.RUNNING, TaskResultStatus.READY])
    return [
        path.rpartition(".")[2] for path in rows.order_by("-status").values_list("task_path", flat=True)[:20]
    ]


def _last_line(traceback: str) -> str:
    lines = [line for line in traceback.splitlines() if line.strip()]
    return lines[-1] if lines else ""
