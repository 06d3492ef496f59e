"""Running Rapport: the parts, and one supervisor over all of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from rapport.kit import clock, home, process
from rapport.kit.errors import Conflict

HOST = "127.0.0.1"
START_WAIT_S = 60
STOP_WAIT_S = 20
RESTART_PAUSE_S = (0.5, 1, 2, 5, 15)
STEADY_S = 60  # a part that ran this long starts with the shortest pause again


@click.command("web")
@click.option("--host", default=HOST, show_default=True)
@click.option("--port", default=8000, show_default=True)
def web_command(host: str, port: int) -> None:
    """The screens."""
    from granian import Granian
    from granian.constants import Interfaces

    with process.present("web"):
        Granian(
            "rapport.web.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=int(home.env("WEB_THREADS", "8")),
            log_access=False,
            log_enabled=False,
        ).serve()


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
    log: str = field(default="")

    def start(self) -> None:
        folder = home.path("logs")
        folder.mkdir(parents=True, exist_ok=True)
        self.log = str(folder / f"{self.name}.log")
        with open(self.log, "ab") as file:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "rapport", *self.arguments],
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
            )
        self.started_s = clock.monotonic_s()


@click.command("serve")
@click.option("--host", default=HOST, show_default=True)
@click.option(
    "--port", default=8000, show_default=True, help="The screens; the collector takes the next one."
)
def serve_command(host: str, port: int) -> None:
    """Everything on this machine: screens, collector, loader, worker, readers of networks; prints the address."""
    from rapport.web.stores import initialise

    for wanted in (port, port + 1):
        _must_be_free(host, wanted)
    with _alone():
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
            _wait_until_open(host, port, parts[0], stop)
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
    if child is not None and child.poll() is None:
        if part.failures and clock.monotonic_s() - part.started_s > STEADY_S:
            part.failures = 0
        return
    now = clock.monotonic_s()
    if child is not None:
        pause = RESTART_PAUSE_S[min(part.failures, len(RESTART_PAUSE_S) - 1)]
        part.failures += 1
        part.not_before_s = now + pause
        part.child = None
        print(
            f"rapport: {part.name} ended with status {child.returncode}; starting it again in {pause} s"
            f" (see {part.log}).",
            file=sys.stderr,
            flush=True,
        )
    elif now >= part.not_before_s:
        part.start()


def _stop_all(parts: list[Part]) -> None:
    """Ask every part to end, the collector first so that nothing new is accepted; kill what will not."""
    order = {"collect": 0, "listen": 0, "web": 1, "work": 2, "load": 3}
    living = sorted((p for p in parts if p.child and p.child.poll() is None), key=lambda p: order[p.name])
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


def _must_be_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(
                f"port {port} of {host} cannot be used: {error.strerror}",
                f"Something else listens there; choose another with --port {port + 10}.",
            ) from None


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


def _wait_until_open(host: str, port: int, part: Part, stop: process.Stop) -> None:
    until = clock.monotonic_s() + START_WAIT_S
    while clock.monotonic_s() < until and not stop:
        if part.child and part.child.poll() is not None:
            raise Conflict(
                f"the screens ended at once with status {part.child.returncode}", f"{part.log} says why."
            )
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            clock.sleep(0.1)
    raise Conflict(f"the screens did not open within {START_WAIT_S} s", f"{part.log} says why.")


def _shown(host: str) -> str:
    return "localhost" if host in {"127.0.0.1", "0.0.0.0", os.uname().nodename} else host  # noqa: S104


__all__ = ["collect_command", "login_address", "serve_command", "web_command"]
