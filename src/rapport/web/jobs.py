"""Jobs started on screen or by the clock: kept in the store until they are done, freed when their worker dies."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django_tasks import task
from django_tasks.base import Task
from django_tasks_db.compat import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from rapport.aio import services as aio
from rapport.consent import services as consent
from rapport.explore import services as explore
from rapport.insights import selectors as models
from rapport.insights import services as insights
from rapport.kit import clock, home, ids, process
from rapport.kit.errors import Conflict, RapportError
from rapport.listening import services as listening
from rapport.people import selectors as linked
from rapport.people import services as people
from rapport.segments import services as segments
from rapport.web import noticing, uploads

log = logging.getLogger(__name__)

ASKED = "default"  # somebody waits for these
LONG = "long"  # these go over everything: models, texts, segments, likeness of people
QUEUES = (ASKED, LONG)
WORKER = "worker-"
USED_ONCE = (WORKER, "import-")  # beginnings of locks that nobody asks for again
PROGRESS_EVERY_S = 0.3
BAD_ROWS_SHOWN = 200
NIGHT_HOURS = (1, 2, 3, 4)  # UTC


def run_due(worker_id: str | None = None, queues: Sequence[str] = QUEUES) -> None:
    """Run every job that waits in these queues, one after the other."""
    waiting = DBTaskResult.objects.filter(status=TaskResultStatus.READY, queue_name__in=queues)
    if not waiting.exists():
        return
    name = worker_id or f"{WORKER}{ids.token(6)}"
    with home.lock(name):
        Worker(
            queue_names=list(queues),
            excluded_queue_names=[],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=name,
        ).run()


def sweep() -> int:
    """Free jobs whose worker died in the middle of them; gives how many. Log-ins that ended and idle locks go."""
    from django.contrib.sessions.models import Session

    Session.objects.filter(expire_date__lt=clock.now()).delete()

    freed = 0
    for row in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        holder = row.worker_ids[-1] if row.worker_ids else ""
        if holder and not process.held(holder):
            freed += DBTaskResult.objects.filter(pk=row.pk, status=TaskResultStatus.RUNNING).update(
                status=TaskResultStatus.READY
            )
    for used_once in USED_ONCE:
        home.remove_locks(used_once)
    return freed


def _is_any(job: Task[..., None], state: TaskResultStatus) -> bool:
    return bool(DBTaskResult.objects.filter(status=state, task_path=job.module_path).exists())


def _runs(job: Task[..., None]) -> bool:
    return _is_any(job, TaskResultStatus.RUNNING)


def _soon(job: Task[..., None]) -> None:
    """Have it done once, however often it is asked for before its turn comes."""
    if not _is_any(job, TaskResultStatus.READY):
        job.enqueue()


@task()
def import_upload(import_id: str) -> None:
    """Carry out a queued import; the screen reads how far it is from a file beside the others that run."""
    listening.run_import(uuid.UUID(import_id), progress=_shown(f"import-{import_id}"))


@task()
def check_upload(upload_id: str) -> None:
    """Read a whole uploaded file as an import would, and write down what it would bring."""
    upload = uploads.find(uuid.UUID(upload_id))
    try:
        summary = listening.import_file(
            upload.kind,
            upload.path,
            mapping=upload.mapping,
            source_name=upload.source,
            options=upload.options,
            dry_run=True,
            file_name=upload.name,
            progress=_shown(f"check-{upload_id}"),
        )
    except RapportError as error:
        uploads.write(upload, "check", {"problem": str(error)})
        return
    except Exception as error:
        # Whoever watches must not wait for ever; that it is a fault of ours stays to be seen under Health.
        uploads.write(upload, "check", {"problem": f"{type(error).__name__}: {error}"})
        raise
    found = asdict(summary)
    found["bad_rows"] = found["bad_rows"][:BAD_ROWS_SHOWN]
    found["n_bad"] = summary.quarantined
    uploads.write(upload, "check", found)


@task(queue_name=LONG)
def propose_identities() -> None:
    """Compare everybody with everybody; where that is being done already, it need not be done twice."""
    show = _shown("identity")
    try:
        people.propose_identities(lambda what: show(0, None, what))
    except Conflict:
        log.info("people are being compared already")
    finally:
        forget_progress("identity")


def _compare_nightly() -> None:
    """In the small hours, have people compared if that was not done for most of a day."""
    now = clock.now()
    if now.hour not in NIGHT_HOURS or not people.linking_policy().is_nightly:
        return
    last = linked.last_linking_run()
    if last is not None and now - last.started_at <= dt.timedelta(hours=20):
        return
    if not _runs(propose_identities):
        _soon(propose_identities)


@task(queue_name=LONG)
def refresh_statements() -> None:
    """Work out what people care about, think and stand for; segments that ask for it move with it."""
    show = _shown("statements")
    try:
        aio.refresh(lambda what: show(0, None, what))
    finally:
        forget_progress("statements")
    if segments.rests_on_models():
        _soon(refresh_segments)


def refresh_statements_soon() -> None:
    """Have statements worked out anew, once, however often it is asked for before its turn comes."""
    _soon(refresh_statements)


def _state_nightly() -> None:
    """In the small hours, have statements worked out if that was not done for most of a day."""
    if clock.now().hour not in NIGHT_HOURS or not aio.is_due():
        return
    if not _runs(refresh_statements):
        refresh_statements_soon()


@task()
def ask_saved(key: str, by: str) -> None:
    """Ask a saved question and keep its answer; one that failed is told in its history."""
    try:
        explore.run_saved(uuid.UUID(key), by=by)
    except RapportError as error:
        log.info("a saved question could not be answered: %s", error)


@task()
def ask_scheduled() -> None:
    """Ask every saved question whose hour has come."""
    explore.run_due()


def _ask_scheduled() -> None:
    if explore.due() and not _runs(ask_scheduled):
        _soon(ask_scheduled)


@task(queue_name=LONG)
def run_insight(name: str) -> None:
    """Run one model over everything the log holds; segments that ask for what models say move with it."""
    insights.run([name], progress=_shown(f"insight-{name}"))
    if any(gives.kind == "annotation" for gives in models.card(name).gives):
        refresh_statements_soon()
    if segments.rests_on_models():
        _soon(refresh_segments)


@task(queue_name=LONG)
def run_insights() -> None:
    """Run every model, each after those it rests on; what follows from what they say is done after them."""
    try:
        insights.run(progress=_shown(MODELS))
    finally:
        forget_progress(MODELS)
    refresh_statements_soon()
    if segments.rests_on_models():
        _soon(refresh_segments)


@task(queue_name=LONG)
def run_insights_due() -> None:
    """Run the models of people that are due; texts are read as they arrive."""
    try:
        insights.run(insights.due(), progress=_shown(MODELS), goes_on=False)
    finally:
        forget_progress(MODELS)
    if segments.rests_on_models():
        _soon(refresh_segments)


def _run_nightly() -> None:
    """In the small hours, have the models of people run whose figures are most of a day old."""
    if clock.now().hour not in NIGHT_HOURS or _runs(run_insights) or _runs(run_insights_due):
        return
    if insights.due():
        _soon(run_insights_due)


MODELS = "models"


def run_insights_soon() -> None:
    """Have it done once, however often it is asked for."""
    _soon(run_insights)


@task(queue_name=LONG)
def read_texts() -> None:
    """Have models of texts read what their present versions have not; what older ones said stands meanwhile."""
    try:
        insights.read_due(progress=_shown(READING))
    finally:
        forget_progress(READING)


READING = "texts"


def read_texts_soon() -> None:
    """Have it done once, however often it is asked for."""
    _soon(read_texts)


def _read_texts_if_due() -> None:
    insights.tell_owed()
    if not _runs(read_texts) and insights.is_reading_due():
        read_texts_soon()


@task()
def warn_of_notice(slug: str, by: str) -> None:
    """Write to everybody whom a notice concerns; whoever was written to before is not written to again."""
    told = noticing.warn(slug)
    log.info("%s had %d people told of notice %s; %d were told before", by, told.planned, slug, told.known)


@task(queue_name=LONG)
def teach_model(name: str, by: str, anyway: bool) -> None:
    """Teach a model of texts from all that the firm gave; what became of it is told on the model's page."""
    show = _shown(f"teach-{name}")
    try:
        told = insights.teach(name, by=by, anyway=anyway, progress=show).as_json()
    except RapportError as error:
        told = {"taught": False, "refused": str(error)}
    finally:
        forget_progress(f"teach-{name}")
    told["at_us"] = clock.now_us()
    home.path("run", f"taught-{name}.json").write_text(json.dumps(told), "utf-8")
    if told["taught"]:
        read_texts_soon()


def last_lesson(name: str) -> dict[str, Any] | None:
    """What became of the last teaching of a model that was asked for on screen; None where there was none."""
    try:
        found = json.loads(home.path("run", f"taught-{name}.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


@task(queue_name=LONG)
def refresh_segments() -> None:
    """Work out who is in each segment."""
    show = _shown("segments")
    try:
        segments.refresh(progress=lambda what: show(0, None, what))
    finally:
        forget_progress("segments")


def _refresh_segments_if_due() -> None:
    if segments.is_due() and not _runs(refresh_segments):
        _soon(refresh_segments)


@task()
def refresh_segment(key: str) -> None:
    """Work out who is in a segment, and in those that ask about it."""
    segments.refresh([key])


@task()
def carry_out_request(request_id: str, by: str, also_probable: bool) -> None:
    """Erase somebody as they asked. What this job is told, and what it may leave behind, names nobody."""
    name = f"request-{request_id}"
    show = _shown(name)
    try:
        consent.carry_out(
            uuid.UUID(request_id),
            by=by,
            also_probable=also_probable,
            progress=lambda what: show(0, None, what),
        )
    except Exception as error:
        consent.reopen(uuid.UUID(request_id))
        kind = type(error).__name__
        # Without its cause: the text of an error is kept, and may quote whom it was about.
        raise RuntimeError(f"an erasure stopped: {kind}; it can be asked for again") from None
    finally:
        forget_progress(name)


def call_due() -> None:
    """Have what the clock asks for done: each once, and not while it is being done."""
    for call in (
        _compare_nightly,
        _run_nightly,
        _state_nightly,
        _refresh_segments_if_due,
        _read_texts_if_due,
        _ask_scheduled,
    ):
        try:
            call()
        except Exception:
            log.exception("whether a job is due could not be seen; looking again later")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: what it does, how many rows are done, and of how many if that is known."""

    phase: str
    done: int
    expected: int | None


def progress(name: str) -> Progress | None:
    """How far a job of that name was when it last said so."""
    try:
        entry = json.loads(home.path("run", f"{name}.progress").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return Progress(**entry)


def _shown(name: str) -> Callable[[int, int | None, str], None]:
    last_s = 0.0
    file = home.path("run", f"{name}.progress")
    file.parent.mkdir(parents=True, exist_ok=True)

    def show(done: int, expected: int | None, phase: str) -> None:
        nonlocal last_s
        now_s = clock.monotonic_s()
        if now_s - last_s < PROGRESS_EVERY_S:
            return
        last_s = now_s
        temporary = file.with_suffix(".part")
        temporary.write_text(json.dumps({"phase": phase, "done": done, "expected": expected}), "utf-8")
        temporary.replace(file)

    return show


def forget_progress(name: str) -> None:
    """The job has ended: what it last said is of no use."""
    home.path("run", f"{name}.progress").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a screen shows it."""

    name: str
    at: dt.datetime | None
    error: str


def failed(days: int = 7) -> list[Job]:
    """Jobs that failed in the last days, newest first, with the last line of what they said."""
    since = clock.now() - dt.timedelta(days=days)
    rows = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED, finished_at__gte=since)
    return [
        Job(row.task_path.rpartition(".")[2], row.finished_at, _last_line(row.traceback or ""))
        for row in rows.order_by("-finished_at")[:20]
    ]


def n_due() -> int:
    """How many jobs run or wait."""
    states = [TaskResultStatus.RUNNING, TaskResultStatus.READY]
    n: int = DBTaskResult.objects.filter(status__in=states).count()
    return n


def n_running() -> int:
    """How many jobs are under way."""
    n: int = DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING).count()
    return n


def _last_line(traceback: str) -> str:
    lines = [line for line in traceback.splitlines() if line.strip()]
    return lines[-1] if lines else ""
