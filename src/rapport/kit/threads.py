"""Threads of a long-running process that use the operational store: each gives its connection back when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from rapport.kit import clock
from rapport.kit.process import Stop


def begun(name: str, target: Callable[..., None], *given: object) -> threading.Thread:
    """A thread that works already; it does not keep its process from ending."""

    def work() -> None:
        try:
            target(*given)
        finally:
            connection.close()

    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


@contextmanager
def beside(stop: Stop, wait_s: float, **targets: Callable[[Stop], None]) -> Iterator[None]:
    """Have each of these work in a thread of its name until the block ends; then they are told, and waited for."""
    threads = [begun(name, target, stop) for name, target in targets.items()]
    try:
        yield
    finally:
        stop.set()
        until = clock.monotonic_s() + wait_s
        for thread in threads:
            thread.join(timeout=max(0.0, until - clock.monotonic_s()))
