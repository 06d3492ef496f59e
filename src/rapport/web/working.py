"""What runs beside the subscribers: what time brings about, and jobs, in a process of their own.

Models that read everything keep a processor busy for minutes. Beside them in one process a message would wait
that long for its place in the inbox, and a post past its hour. So `rapport work` looks after what somebody
waits for, and starts `rapport jobs`, where what goes over everything gives way to everything else on the machine.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress

from django.db import close_old_connections

from rapport.consent import services as consent
from rapport.conversations import services as conversations
from rapport.kit import clock, ids, process, threads
from rapport.knowledge import services as knowledge
from rapport.listening import services as listening
from rapport.onsite.chat import services as chatting
from rapport.people import services as people
from rapport.publishing import services as publishing
from rapport.segments.services import columns
from rapport.web import jobs

log = logging.getLogger(__name__)

PROCESS = "jobs"
IDLE_S = 0.5
SWEEP_EVERY_S = 15
AGAIN_S = (15, 60, 600, 3_600)  # after a first, second, third failure and each after that
JOB_ENDS_IN_S = 5.0  # a job under way is waited for so long; then the next process begins it again
END_S = 10.0  # until the process of jobs is killed
NICENESS = 5

# What is done every so often: in words for the log, and by whom. In this order.
Chore = tuple[str, Callable[[], object]]
PROMPT: Sequence[Chore] = (
    ("ending what ended", jobs.sweep),
    ("looking after conversations", conversations.mind),
    ("closing quiet conversations", conversations.mind_daily_if_due),
    ("mailing answers to those who left the chat", chatting.mail_answers),
    ("emptying old chats", chatting.forget_old),
    ("letting posts leave", publishing.leave_due),
    ("seeing what became of posts", publishing.follow_up),
    ("forgetting old posts", publishing.forget_old),
    ("forgetting pictures that no post shows", publishing.forget_unused_if_due),
    ("calling up jobs that are due", jobs.call_due),
)
# Whoever erases keeps the loader waiting, and so may not itself wait for everybody.
ERASING: Sequence[Chore] = (
    ("erasing people whose erasure was stopped on the way", consent.finish_erasures),
    ("erasing events that were kept long enough", consent.retention_if_due),
    ("erasing what was taken back on its network, or is older than its terms allow", listening.terms_if_due),
    ("forgetting public authors who fell silent or objected", people.forget_authors_if_due),
)
LONG: Sequence[Chore] = (
    ("renewing the columns of people", columns.renew_if_due),
    ("learning anew how to find answers", knowledge.learn_if_due),
)


class Chores:
    """Chores in turn, every so often; one that fails is said, and tried again after a growing pause."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self.chores = chores
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._next = 0.0

    def do_if_time(self, stop: process.Stop) -> None:
        if clock.monotonic_s() < self._next:
            return
        for what, do in self.chores:
            if stop:
                return
            if clock.monotonic_s() >= self._not_before.get(what, 0.0):
                self._do(what, do)
        self._next = clock.monotonic_s() + SWEEP_EVERY_S

    def _do(self, what: str, do: Callable[[], object]) -> None:
        try:
            do()
            self._failures.pop(what, None)
        except Exception:
            n = self._failures[what] = self._failures.get(what, 0) + 1
            pause = AGAIN_S[min(n, len(AGAIN_S)) - 1]
            self._not_before[what] = clock.monotonic_s() + pause
            log.exception("%s failed; trying again in %s s", what, pause)


def running_beside(stop: process.Stop) -> AbstractContextManager[None]:
    """Until told to stop, do in a thread what time brings about, and keep `rapport jobs` running from another."""
    return threads.beside(stop, END_S + 5, chores=_tend, jobs=_keep_jobs)


def run(stop: process.Stop) -> None:
    """Run jobs until told to stop: those somebody waits for, and beside them those that go over everything.

    The process `rapport jobs`. A job under way when it is told to stop is waited for a while, then given up;
    it is begun again by the next.
    """
    with process.present(PROCESS), threads.beside(stop, JOB_ENDS_IN_S, asked=_work_asked, long=_work_long):
        while not stop.wait(process.KEEP_S):
            process.beat(PROCESS, f"{jobs.n_running()} under way")


def _tend(stop: process.Stop) -> None:
    chores = Chores(PROMPT)
    while not stop:
        close_old_connections()
        chores.do_if_time(stop)
        stop.wait(IDLE_S)


def _work_asked(stop: process.Stop) -> None:
    _work_off(stop, jobs.ASKED, Chores(ERASING))


def _work_long(stop: process.Stop) -> None:
    """Work off what goes over everything, and let every other thread on the machine go first."""
    with suppress(OSError, AttributeError):  # Linux knows threads by number; elsewhere all go alike
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    _work_off(stop, jobs.LONG, Chores(LONG))


def _work_off(stop: process.Stop, queue: str, chores: Chores) -> None:
    name = f"{jobs.WORKER}{ids.token(6)}"
    while not stop:
        try:
            close_old_connections()
            # What somebody asked for comes before what nobody waits for, which may take minutes.
            jobs.run_due(name, [queue])
            chores.do_if_time(stop)
        except Exception:
            log.exception("the jobs' loop failed and goes on")
        stop.wait(IDLE_S)


def _keep_jobs(stop: process.Stop) -> None:
    process.keep(PROCESS, stop, end_s=END_S)
