"""Read every source that is on, for as long as we run.

Sources that are asked take turns in a pool of threads, each when it is due. One that lasts (a firehose, a
sync) has a process of its own, so that a network that sends more than we can read slows nobody else down.
"""

from __future__ import annotations

import datetime as dt
import logging
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.db import close_old_connections, connections

from rapport.kit import clock, home, process
from rapport.kit.errors import Conflict, NotFound
from rapport.listening.contract import Connector, Delivers, Failed, Reads, Rechecks
from rapport.listening.models import Source
from rapport.listening.rules import pace
from rapport.listening.services import asking, rechecking, rounds, sources, troubles

log = logging.getLogger(__name__)

IDLE_S = 0.5
AT_ONCE = 16  # sources that are asked side by side; they wait for networks, not for us
RESTART_S = (1.0, 2.0, 5.0, 15.0, 60.0)
STEADY_S = 60.0
STOP_WAIT_S = 10.0
CALLED_EVERY_S = 30.0
OFF_EVERY_S = 600.0  # what is kept of sources that are off is asked about so often


@dataclass(slots=True)
class Child:
    """The process of a source that lasts, and how it has fared."""

    name: str
    running: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    failures: int = 0
    not_before_s: float = 0.0


def run_forever(stop: process.Stop) -> None:
    """Read every source until told to stop. One at a time holds the process lock of `listen`."""
    with process.present("listen"):
        _Listening(stop).run()


def read_forever(name: str, stop: process.Stop) -> None:
    """Read one source, round after round, until told to stop or it is switched off."""
    while not stop:
        close_old_connections()
        try:
            done = rounds.read_source(name, is_stopping=lambda: bool(stop))
        except Conflict as error:
            if sources.row(name).state != Source.State.ON:
                return
            log.warning("%s", error.message)
            stop.wait(IDLE_S * 4)
            continue
        if done.again_in_s is None:
            return
        until_s = clock.monotonic_s() + done.again_in_s
        while clock.monotonic_s() < until_s and not stop:
            stop.wait(min(IDLE_S, done.again_in_s))


class _Listening:
    """The readers that run now."""

    def __init__(self, stop: process.Stop) -> None:
        self.stop = stop
        self.turns: dict[str, Future[None]] = {}
        self.children: dict[str, Child] = {}
        self.looked_s = -CALLED_EVERY_S
        self.delivered_s: dict[str, float] = {}  # when sources that call us were last seen to

    def run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="source") as pool:
            try:
                while not self.stop:
                    close_old_connections()
                    try:
                        self._look(pool)
                    except Exception:
                        # A store that does not answer for a moment must not end every reader.
                        log.exception("sources could not be looked at; trying again")
                    process.beat("listen", f"{len(self.turns)} being asked, {len(self.children)} lasting")
                    self.stop.wait(IDLE_S)
            finally:
                self._stop_children()

    def _look(self, pool: ThreadPoolExecutor) -> None:
        now = clock.now()
        for name in asking.remembered() - set(
            Source.objects.filter(state=Source.State.ON).values_list("name", flat=True)
        ):
            asking.forget_memory(name)
        self.turns = {name: turn for name, turn in self.turns.items() if not turn.done()}
        lasting: set[str] = set()
        called: list[Source] = []
        for source in Source.objects.filter(state=Source.State.ON):
            offered = _offered(source)
            if offered is None:
                continue
            if not isinstance(offered, Reads):
                called.append(source)
                if isinstance(offered, (Delivers, Rechecks)):
                    self._see_to(source.name, offered.manners.every_s, pool)
            elif offered.manners.is_lasting:
                lasting.add(source.name)
            elif source.name not in self.turns and pace.is_due(source.next_at, now, offered.manners.every_s):
                self.turns[source.name] = pool.submit(self._turn, source.name)
        self._keep_children(lasting)
        for source in Source.objects.filter(state=Source.State.OFF):
            if isinstance(_offered(source), Rechecks):
                self._see_to(source.name, OFF_EVERY_S, pool)
        if clock.monotonic_s() - self.looked_s > CALLED_EVERY_S:
            self.looked_s = clock.monotonic_s()
            for source in called:
                note_called(source, now)

    def _see_to(self, name: str, every_s: float, pool: ThreadPoolExecutor) -> None:
        """A source that is not read may have things that wait to leave, and to be asked about."""
        now_s = clock.monotonic_s()
        if name not in self.turns and now_s - self.delivered_s.get(name, -every_s) >= every_s:
            self.delivered_s[name] = now_s
            self.turns[name] = pool.submit(self._called_turn, name)

    def _called_turn(self, name: str) -> None:
        try:
            self._deliver_and_recheck(name)
        finally:
            connections.close_all()

    def _deliver_and_recheck(self, name: str) -> None:
        # What cannot leave keeps no deletion from being looked for.
        for see_to in (deliver, rechecking.recheck_if_due):
            try:
                see_to(name, lambda: bool(self.stop))
            except (Conflict, NotFound, Failed) as error:
                log.info("%s: %s", name, error.message)
            except Exception:
                log.exception("seeing to %s failed", name)
                self.stop.wait(RESTART_S[2])

    def _turn(self, name: str) -> None:
        try:
            done = rounds.read_source(name, is_stopping=lambda: bool(self.stop))
            if done.trouble:
                log.warning("%s: %s", name, done.trouble)
            else:
                self._deliver_and_recheck(name)
        except (Conflict, NotFound, Failed) as error:
            log.info("%s: %s", name, error.message)
            self.stop.wait(IDLE_S)
        except Exception:
            log.exception("reading %s failed", name)
            self.stop.wait(RESTART_S[2])
        finally:
            connections.close_all()

    def _keep_children(self, wanted: set[str]) -> None:
        for name in wanted - set(self.children):
            self.children[name] = Child(name)
        for name in set(self.children) - wanted:
            process.end(self.children.pop(name).running, STOP_WAIT_S)
        for child in self.children.values():
            _keep_alive(child)

    def _stop_children(self) -> None:
        for child in self.children.values():
            if child.running is not None and child.running.poll() is None:
                child.running.terminate()
        for child in self.children.values():
            process.end(child.running, STOP_WAIT_S)


def deliver(name: str, is_stopping: asking.Stopping = asking.never) -> None:
    """Let leave what a source's connector has waiting and is due; raises Failed where our rate is spent."""
    source = sources.row(name)
    offered = sources.connector(source.connector)
    if not isinstance(offered, Delivers) or source.state != Source.State.ON:
        return
    with home.lock(f"delivering-{name}"):
        offered.deliver(sources.config_of(source), asking.context(source, offered.manners, is_stopping))


def note_called(source: Source, now: dt.datetime) -> None:
    """A source that calls us is heard while our screens run; while they do not, what it says is lost."""
    is_open = any(entry.name == "web" and entry.alive for entry in process.running())
    if not is_open:
        return
    rounds.note_absence(source, now, CALLED_EVERY_S)
    troubles.clear(source, now, None, is_made_good=False)


def _offered(source: Source) -> Connector | None:
    try:
        return sources.connector(source.connector)
    except NotFound:
        return None


def _keep_alive(child: Child) -> None:
    """Start the process of a source that ended, with growing pauses."""
    now = clock.monotonic_s()
    printed = home.path("logs", f"listen-{child.name}.log")
    process.keep_short(printed)
    if child.running is not None:
        status = child.running.poll()
        if status is None:
            if child.failures and now - child.started_s > STEADY_S:
                child.failures = 0
            return
        child.running = None
        pause = RESTART_S[min(child.failures, len(RESTART_S) - 1)]
        child.failures += 1
        child.not_before_s = now + pause
        log.warning(
            "the reader of %s ended with status %s; starting it again in %s s", child.name, status, pause
        )
    elif now >= child.not_before_s:
        child.running = process.start(["listen", "--source", child.name], printed)
        child.started_s = now
