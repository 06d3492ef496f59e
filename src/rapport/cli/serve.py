"""Running Rapport: the parts, and one supervisor over all of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from rapport.kit import clock, home, ports, process
from rapport.kit.errors import Conflict

HOST = "127.0.0.1"
START_WAIT_S = 60
STOP_WAIT_S = 20
ANSWER_WAIT_S = 15  # for pages under way when the screens are told to end; less than the parts have
RESTART_PAUSE_S = (0.5, 1, 2, 5, 15)
STOP_ORDER = {"collect": 0, "listen": 0, "web": 1, "work": 2, "load": 3}
STEADY_S = 60  # a part that ran this long starts with the shortest pause again


@click.command("web")
@click.option("--host", default=HOST, show_default=True)
@click.option("--port", default=8000, show_default=True)
def web_command(host: str, port: int) -> None:
    """The screens."""
    from granian import Granian
    from granian.constants import Interfaces

    ports.must_be_free(host, port)
    with process.present("web"):
        Granian(
            "rapport.web.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=int(home.env("WEB_THREADS", "8")),
            workers_kill_timeout=ANSWER_WAIT_S,
            log_access=False,
            log_enabled=False,
        ).serve(target_loader=partial(_screens, os.getpid()), wrap_loader=False)


def _screens(parent: int) -> Callable[..., Any]:
    """The application, called in the process that granian makes to serve it, and that must not outlive `web`."""
    # Until granian has set its own, the worker has its parent's, which would keep a signal to end to itself.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    process.end_with(parent)
    from rapport.web.wsgi import application

    return application


@click.command("collect")
@click.option("--host", default=HOST, show_default=True)
@click.option("--port", default=8001, show_default=True)
def collect_command(host: str, port: int) -> None:
    """The collector: accepts events over HTTP and acknowledges them once they are durable."""
    from rapport.events import collector

    with process.present("collect"):
        collector.serve(host, port)


@dataclass(slots=True)
class Part:
    """One child process and how it has fared."""

    name: str
    arguments: list[str]
    child: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    failures: int = 0
    not_before_s: float = 0.0

    @property
    def log(self) -> Path:
        return home.path("logs", f"{self.name}.log")

    def start(self) -> None:
        self.child = process.start(self.arguments, self.log)
        self.started_s = clock.monotonic_s()


@click.command("serve")
@click.option("--host", default=HOST, show_default=True)
@click.option(
    "--port", default=8000, show_default=True, help="The screens; the collector takes the next one."
)
def serve_command(host: str, port: int) -> None:
    """Everything on this machine: screens, collector, loader, worker, readers of networks; prints the address."""
    from rapport.web.stores import initialise

    with _alone():
        _await_orphans()
        for wanted in (port, port + 1):
            ports.must_be_free(host, wanted)
        initialise()
        parts = [
            Part("web", ["web", "--host", host, "--port", str(port)]),
            Part("collect", ["collect", "--host", host, "--port", str(port + 1)]),
            Part("load", ["load"]),
            Part("work", ["work"]),
            Part("listen", ["listen"]),
        ]
        stop = process.Stop().catch_signals()
        try:
            for part in parts:
                part.start()
            if _wait_until_open(host, port, parts[0], stop):
                _announce(host, port)
            while not stop.wait(0.5):
                for part in parts:
                    _keep_alive(part)
        finally:
            _stop_all(parts)


def login_address(port: int, host: str = HOST) -> str:
    """A link that opens set-up where nobody owns Rapport yet, else logs the first owner in."""
    from rapport.staff import selectors, services

    owner = selectors.first_owner() if selectors.is_set_up() else None
    token = services.create_login_link(owner)
    return f"http://{_shown(host)}:{port}/{'enter' if owner else 'setup'}/{token}/"


def _announce(host: str, port: int) -> None:
    from rapport.staff import selectors

    print(f"Rapport runs at http://{_shown(host)}:{port}/ (collector on port {port + 1}).")
    if selectors.is_set_up():
        print("Log in with your e-mail address and password, or ask `rapport login-link` for a link.")
    else:
        print(f"First time here? This link sets it up, once:\n  {login_address(port, host)}")
    print("Ctrl-C stops it; nothing that was accepted is lost.", flush=True)


def _keep_alive(part: Part) -> None:
    """Start a part that ended, with growing pauses, and say so."""
    child = part.child
    process.keep_short(part.log)
    if child is not None and child.poll() is None:
        if part.failures and clock.monotonic_s() - part.started_s > STEADY_S:
            part.failures = 0
        return
    if child is not None:
        part.child = None
        _put_off(part, f"ended with status {child.returncode}")
    # What a killed part had forked may still be answering somebody; ours would only be refused.
    elif clock.monotonic_s() >= part.not_before_s and not process.held(f"process-{part.name}"):
        try:
            part.start()
        except OSError as error:
            _put_off(part, f"cannot be started: {error.strerror}")


def _put_off(part: Part, what: str) -> None:
    pause = RESTART_PAUSE_S[min(part.failures, len(RESTART_PAUSE_S) - 1)]
    part.failures += 1
    part.not_before_s = clock.monotonic_s() + pause
    _say(f"{part.name} {what}; starting it again in {pause} s (see {part.log}).")


def _say(sentence: str) -> None:
    # A terminal that was closed or a disk that is full must not end what runs.
    with suppress(OSError):
        print(f"rapport: {sentence}", file=sys.stderr, flush=True)


def _stop_all(parts: list[Part]) -> None:
    """Ask every part to end, the collector first so that nothing new is accepted; kill what will not."""
    living = sorted(
        (p for p in parts if p.child and p.child.poll() is None), key=lambda p: STOP_ORDER[p.name]
    )
    for part in living:
        if part.child:
            part.child.send_signal(signal.SIGTERM)
    until = clock.monotonic_s() + STOP_WAIT_S
    for part in living:
        if not part.child:
            continue
        try:
            part.child.wait(max(0.1, until - clock.monotonic_s()))
        except subprocess.TimeoutExpired:
            part.child.kill()
            part.child.wait()


@contextmanager
def _alone() -> Iterator[None]:
    """One supervisor per data folder."""
    try:
        with process.present("serve"):
            yield
    except Conflict as error:
        if "process-serve" not in error.message:
            raise
        raise Conflict(
            f"Rapport already runs on the data folder {home.root()}",
            "Stop the other one, or set RAPPORT_HOME to another folder.",
        ) from None


def _await_orphans() -> None:
    """Let parts end whose supervisor was killed; beside them ours would only fail. Raises Conflict for one that stays."""
    until = clock.monotonic_s() + process.ORPHAN_ENDS_IN_S + 5
    is_said = False
    while left := [one for one in process.running() if one.alive and one.name in STOP_ORDER]:
        if clock.monotonic_s() > until:
            raise Conflict(
                f"{left[0].name} runs on the data folder {home.root()} already, as process {left[0].pid}",
                f"End it with `kill {left[0].pid}`; `rapport serve` runs every part itself.",
            )
        if not is_said:
            _say(f"{', '.join(one.name for one in left)} still runs from before; waiting for it to end.")
            is_said = True
        clock.sleep(0.1)


def _wait_until_open(host: str, port: int, part: Part, stop: process.Stop) -> bool:
    """Whether the screens answer; not if told to stop before they do. Raises Conflict where they will not."""
    until = clock.monotonic_s() + START_WAIT_S
    while clock.monotonic_s() < until and not stop:
        if part.child and part.child.poll() is not None:
            raise Conflict(
                f"the screens ended at once with status {part.child.returncode}", f"{part.log} says why."
            )
        try:
            socket.create_connection((host, port), timeout=1).close()
            return True
        except OSError:
            clock.sleep(0.1)
    if stop:
        return False
    raise Conflict(f"the screens did not open within {START_WAIT_S} s", f"{part.log} says why.")


def _shown(host: str) -> str:
    return "localhost" if host in {"127.0.0.1", "0.0.0.0", os.uname().nodename} else host  # noqa: S104


__all__ = ["collect_command", "login_address", "serve_command", "web_command"]
