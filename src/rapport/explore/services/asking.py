"""Asking: compile, read whom one may, run with a limit of time, and keep what it came to."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from rapport.consent import services as consent
from rapport.consent.selectors import holding
from rapport.events import lake, plan
from rapport.explore.rules import answers, compiling, periods, ways
from rapport.explore.rules.answers import Answer
from rapport.explore.rules.catalogue import World
from rapport.explore.rules.compiling import Cell, Compiled
from rapport.explore.rules.question import Cohorts, Figures, Funnel, Paths, Question, document
from rapport.explore.rules.ways import Page
from rapport.explore.services import relations
from rapport.kit import clock, home, ids
from rapport.kit.errors import Invalid, Unavailable
from rapport.people.selectors import rows as people_rows
from rapport.segments import selectors as segments
from rapport.staff import selectors as staff

PURPOSE = "analytics"
LIMIT_S = 60.0  # on screen
LONG_LIMIT_S = 900.0  # of a scheduled run or a command
NUMBERS_MOST = 50_000
WATCH_S = 0.1
KEPT_FILES = 300
PEOPLE_KEPT_S = 600  # an answer about people is asked again after this, whatever else stays the same
LAYOUT = 2  # of kept answers

TOGETHER = 2  # questions that run at the same time in one process; the others wait their turn
BUSY = ("too many questions are being asked", "Try again later.")

turns = threading.BoundedSemaphore(TOGETHER)

FIRST_PAGE = Page(limit=NUMBERS_MOST)

Progress = Callable[[float | None], None]  # the share that is done, if known


@dataclass(frozen=True, slots=True)
class Ready:
    """A statement with everything it needs, to be run wherever one likes."""

    question: Question
    compiled: Compiled
    con: duckdb.DuckDBPyConnection
    n_left_out: int
    zone: str
    file: Path


def world() -> World:
    """What a question may name here, and the firm's time zone."""
    planned = plan.current().values()
    firm = staff.organisation()
    personal = {p.name for e in planned for p in e.properties.values() if p.personal}
    return World(
        properties=frozenset(p for e in planned for p in e.properties) - personal,
        counted={e.name: e.counted_by for e in planned if e.counted},
        zone=firm.timezone if firm and firm.timezone else "UTC",
    )


def compiled(question: Question, known: World | None = None) -> Compiled:
    """The statement that answers a question today."""
    known = known or world()
    today = periods.today_in(known.zone)
    if isinstance(question, Figures):
        return compiling.compile_figures(question, known, today)
    if isinstance(question, Cohorts):
        return ways.compile_cohorts(question, known, today)
    if isinstance(question, Funnel):
        return ways.compile_funnel(question, known, today)
    return ways.compile_paths(question, known, today)


def kept(question: Question) -> Answer | None:
    """The answer to the same question over the same log, if it was asked before."""
    return read(kept_file(question))


def read(file: Path) -> Answer | None:
    """The answer that a file holds, if it is there."""
    try:
        return answers.from_json(json.loads(file.read_text("utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def kept_file(question: Question) -> Path:
    """Where the answer to a question over the log as it is now would be kept."""
    known = world()
    statement = compiled(question, known)
    # Whatever changes the log makes a new snapshot, an erasure too.
    parts: list[Any] = [
        LAYOUT,
        document(question),
        known.zone,
        str(periods.today_in(known.zone)),
        _snapshot(),
    ]
    if statement.reads.people:
        purpose = consent_state()
        changes = [c.present() for c in (people_rows.CHANGES, people_rows.SCORES, holding.CHANGES)]
        parts += [str(segments.segment(key).refreshed_at) for key in sorted(statement.reads.segments)]
        parts += [changes, purpose, clock.now_us() // (PEOPLE_KEPT_S * 1_000_000)]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return folder() / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


def consent_state() -> list[Any]:
    """What decides who may be read: the purpose's basis, and whether it is on."""
    from rapport.consent import selectors as defined

    return [[p.key, p.is_active, p.legal_basis] for p in defined.purposes() if p.key == PURPOSE]


def folder() -> Path:
    """Where answers are kept."""
    place = home.path("cache", "explore")
    place.mkdir(parents=True, exist_ok=True)
    return place


def ready(question: Question, *, by: str, file: Path | None = None) -> Ready:
    """Compile a question and read whom one may; what is left is DuckDB's alone, and needs no other store.

    The answer is kept in `file`, where whoever asks waits for it under that name already.
    Raises NotFound or Denied where the purpose analytics is missing or off and the question reads people.
    """
    known = world()
    file = file or kept_file(question)
    statement = compiled(question, known)
    con, n_left_out = connected(statement, by=by, why=f"explore: {_named(question)}")
    return Ready(question, statement, con, n_left_out, known.zone, file)


def connected(statement: Compiled, *, by: str, why: str) -> tuple[duckdb.DuckDBPyConnection, int]:
    """A connection with the relations that a statement reads, and how many identifiers are left out."""
    con = lake.connect()
    try:
        n_left_out = 0
        if statement.reads.people:
            n_left_out = relations.give(con, statement.reads, consent.warrant(PURPOSE, by=by, why=why))
    except BaseException:
        con.close()
        raise
    return con, n_left_out


def run(
    prepared: Ready,
    *,
    limit_s: float = LIMIT_S,
    progress: Progress | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Answer:
    """Run what is ready and keep its answer. Raises Unavailable where it was stopped or took too long."""
    began_s, as_of = clock.monotonic_s(), clock.now()
    statement = prepared.compiled
    try:
        found = fetched(prepared.con, statement, limit_s=limit_s, progress=progress, is_stopped=is_stopped)
    finally:
        prepared.con.close()
    shown, n_groups, n_all = answers.shaped(prepared.question, found, hides=statement.hides_few)
    spans = compiling_spans(prepared.question, statement)
    answer = Answer(
        question=prepared.question,
        rows=shown,
        as_of=as_of,
        took_s=clock.monotonic_s() - began_s,
        store=statement.store,
        first_day=spans[0],
        last_day=spans[1],
        before=spans[2],
        n_groups=n_groups,
        n_all=n_all,
        n_left_out=prepared.n_left_out,
        reads_people=statement.reads.people,
        hides_few=statement.hides_few,
        zone=prepared.zone,
    )
    _keep(prepared.file, answer)
    return answer


def compiling_spans(question: Question, statement: Compiled) -> Any:
    """The days an answer is about; cohorts read everything and show those asked for."""
    if isinstance(question, Cohorts):
        return answers.span_of(periods.spans(question.period, statement.spans.now.last - periods.DAY))
    return answers.span_of(statement.spans)


def ask(
    question: Question, *, by: str, limit_s: float = LONG_LIMIT_S, progress: Progress | None = None
) -> Answer:
    """The answer to a question, from what is kept where nothing has changed since."""
    answer = kept(question)
    if answer is not None:
        return answer
    with turn(limit_s):
        return run(ready(question, by=by), limit_s=limit_s, progress=progress)


def fetched(
    con: duckdb.DuckDBPyConnection,
    statement: Compiled,
    *,
    limit_s: float,
    progress: Progress | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> list[Any]:
    """The rows of a statement, watched while it runs."""
    for attempt in (1, 2):
        watch = _Watch(con, limit_s, progress, is_stopped)
        try:
            with watch.watching():
                found = con.execute(statement.sql, statement.values).fetchmany(NUMBERS_MOST + 1)
        except duckdb.InterruptException:
            raise Unavailable(*watch.why()) from None
        except duckdb.OutOfMemoryException:
            raise Invalid(
                f"the question needs more memory than the {home.env('MEMORY', '4GB')} there are",
                "Ask for a shorter period or fewer groups, or give RAPPORT_MEMORY more.",
            ) from None
        except duckdb.IOException:
            # A file may have been replaced by a larger one between planning and reading.
            if attempt == 2:
                raise
            continue
        if len(found) > NUMBERS_MOST:
            raise Invalid(
                f"the answer holds more than {NUMBERS_MOST:,} numbers",
                "Ask for fewer groups, a longer unit of time or a shorter period.",
            )
        return found
    raise AssertionError("the second attempt returns or raises")


class _Watch:
    """Tells how far a statement is, and ends it where it is stopped or takes too long."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        limit_s: float,
        progress: Progress | None,
        is_stopped: Callable[[], bool],
    ) -> None:
        self.con = con
        self.limit_s = limit_s
        self.progress = progress
        self.is_stopped = is_stopped
        self.was_stopped = False
        self.done = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
        thread = threading.Thread(target=self._watch, name="explore-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.done.set()
            thread.join()

    def _watch(self) -> None:
        until_s = clock.monotonic_s() + self.limit_s
        while not self.done.wait(WATCH_S):
            self.was_stopped = self.is_stopped()
            if self.was_stopped or clock.monotonic_s() > until_s:
                self.con.interrupt()
                continue
            if self.progress:
                share = self.con.query_progress()
                self.progress(share / 100 if share > 0 else None)

    def why(self) -> tuple[str, str]:
        """What ended it, and what to do."""
        if self.was_stopped:
            return "the question was stopped", "Ask it again whenever you like."
        return (
            f"the question took longer than {self.limit_s:g} seconds and was ended",
            "Ask for a shorter period or fewer groups, or save it and let it run at night.",
        )


def behind(
    question: Figures, at: int, cell: Cell, *, by: str, limit: int, before: tuple[int, int] | None = None
) -> list[Any]:
    """(seq, us, subject, person, n_people, n_rows) behind one number, newest first."""
    known = world()
    statement = compiling.compile_behind(
        question, at, cell, known, periods.today_in(known.zone), limit=limit, before=before
    )
    return rows_of(statement, by=by, why=f"explore: behind a number of {_named(question)}")


def cohort_people(
    question: Cohorts, cohort: dt.date, step: int, *, by: str, page: Page = FIRST_PAGE
) -> list[Any]:
    """(person, us, n_people) behind one number of a cohort."""
    known = world()
    today = periods.today_in(known.zone)
    statement = ways.compile_cohort_people(question, cohort, step, known, today, page=page)
    return rows_of(statement, by=by, why=f"explore: people behind {_named(question)}")


def funnel_people(
    question: Funnel,
    step: int,
    *,
    has_left: bool,
    group: str | None,
    by: str,
    page: Page = FIRST_PAGE,
) -> list[Any]:
    """(person, us, n_people) behind one number of a funnel."""
    known = world()
    today = periods.today_in(known.zone)
    statement = ways.compile_funnel_people(question, step, has_left, group, known, today, page=page)
    return rows_of(statement, by=by, why=f"explore: people behind {_named(question)}")


def path_people(question: Paths, places: Sequence[str], *, by: str, page: Page = FIRST_PAGE) -> list[Any]:
    """(person, us, n_people) of those who went a way."""
    known = world()
    statement = ways.compile_path_people(question, places, known, periods.today_in(known.zone), page=page)
    return rows_of(statement, by=by, why=f"explore: people behind {_named(question)}")


def rows_of(statement: Compiled, *, by: str, why: str) -> list[Any]:
    """The rows of a statement, read under a warrant of its own."""
    with turn(LIMIT_S):
        con, _n = connected(statement, by=by, why=why)
        try:
            return fetched(con, statement, limit_s=LIMIT_S)
        finally:
            con.close()


@contextmanager
def turn(wait_s: float) -> Iterator[None]:
    """One's turn among the questions of this process. Raises Unavailable where it does not come in time."""
    if not turns.acquire(timeout=wait_s):
        raise Unavailable(*BUSY)
    try:
        yield
    finally:
        turns.release()


def forget_answers() -> int:
    """Drop every kept answer; gives how many."""
    files = list(folder().glob("*.json"))
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _named(question: Question) -> str:
    if isinstance(question, Figures):
        parts = [", ".join(m.measure for m in question.measures), *question.by]
    elif isinstance(question, Paths):
        parts = ["paths", question.around.event]
    else:
        parts = [document(question)["ask"]]
    return " by ".join(parts)[:200]


def _keep(file: Path, answer: Answer) -> None:
    temporary = file.with_suffix(f".{ids.token(6)}")
    temporary.write_text(json.dumps(answers.as_json(answer), ensure_ascii=False), "utf-8")
    temporary.replace(file)
    files = sorted(folder().glob("*.json"), key=_changed)
    for old in files[:-KEPT_FILES]:
        old.unlink(missing_ok=True)


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _snapshot() -> int:
    con = lake.connect()
    try:
        row = con.execute(
            "SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot"
        ).fetchone()
    finally:
        con.close()
    return int(row[0]) if row and row[0] is not None else 0
