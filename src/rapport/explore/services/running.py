"""Questions under way: each in a thread of this process, watched and stopped from any process through files."""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from rapport.explore.rules.answers import Answer
from rapport.explore.rules.question import Question
from rapport.explore.services import asking
from rapport.kit import clock, home
from rapport.kit.errors import RapportError, Unavailable

log = logging.getLogger(__name__)

WAITING_MOST = 20  # questions of one process that run or wait; each holds what it reads of people
STALE_S = 5.0  # without a word for so long, whoever ran it is gone
HEARTBEAT_S = 0.3

_places = threading.BoundedSemaphore(WAITING_MOST)


@dataclass(frozen=True, slots=True)
class Look:
    """How a question stands: done, running, waiting, failed, or gone with its process."""

    state: str
    key: str
    answer: Answer | None = None
    ratio: float | None = None
    elapsed_s: float = 0.0
    message: str = ""
    hint: str = ""


def begin(question: Question, *, by: str) -> Look:
    """Answer from what is kept, join whoever is asking the same, or begin."""
    file = asking.kept_file(question)
    key = file.stem
    answer = asking.read(file)
    if answer is not None:
        return Look("done", key, answer)
    with home.lock("explore", wait=True):
        now = _look(key)
        if now.state in ("running", "waiting"):
            return now
        if not _places.acquire(blocking=False):
            raise Unavailable(*asking.BUSY)
        try:
            for old in (_state(key), _stop(key)):
                old.unlink(missing_ok=True)
            # Under the key that is looked at: the log may have changed since, and another key with it.
            prepared = asking.ready(question, by=by, file=file)
            began_us = clock.now_us()
            _say(key, "waiting", began_us)
        except BaseException:
            _places.release()
            raise
    # A daemon: what it writes is moved into place at once, so that a process that ends leaves nothing by halves.
    threading.Thread(
        target=_run, args=(prepared, key, began_us), name=f"explore-{key[:8]}", daemon=True
    ).start()
    return look(key)


def look(key: str) -> Look:
    """How a question stands."""
    answer = asking.read(asking.folder() / f"{key}.json")
    return Look("done", key, answer) if answer is not None else _look(key)


def stop(key: str) -> None:
    """End a question, whichever process runs it."""
    _stop(key).parent.mkdir(parents=True, exist_ok=True)
    _stop(key).touch()


def _run(prepared: asking.Ready, key: str, began_us: int) -> None:
    try:
        while not asking.turns.acquire(timeout=HEARTBEAT_S):
            _say(key, "waiting", began_us)
            if _stop(key).exists():
                prepared.con.close()
                _fail(key, began_us, "the question was stopped", "Ask it again whenever you like.")
                return
        try:
            spoken_s = 0.0

            def show(ratio: float | None) -> None:
                nonlocal spoken_s
                if clock.monotonic_s() - spoken_s > HEARTBEAT_S:
                    spoken_s = clock.monotonic_s()
                    _say(key, "running", began_us, ratio=ratio)

            asking.run(prepared, progress=show, is_stopped=_stop(key).exists)
        finally:
            asking.turns.release()
        _state(key).unlink(missing_ok=True)
    except RapportError as error:
        _fail(key, began_us, error.message, error.hint)
    except Exception as error:
        log.exception("a question failed")
        _fail(
            key, began_us, f"{type(error).__name__}: {error}", "Tell whoever looks after this installation."
        )
    finally:
        _places.release()
        _stop(key).unlink(missing_ok=True)


def _look(key: str) -> Look:
    try:
        said = json.loads(_state(key).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return Look("gone", key)
    elapsed_s = (clock.now_us() - said["began_us"]) / 1e6
    if said["state"] == "failed":
        return Look("failed", key, message=said["message"], hint=said["hint"], elapsed_s=elapsed_s)
    if (clock.now_us() - said["said_us"]) / 1e6 > STALE_S:
        return Look("gone", key)
    return Look(said["state"], key, ratio=said.get("ratio"), elapsed_s=elapsed_s)


def _say(key: str, state: str, began_us: int, **more: object) -> None:
    file = _state(key)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    temporary.write_text(
        json.dumps({"state": state, "began_us": began_us, "said_us": clock.now_us(), **more}), "utf-8"
    )
    temporary.replace(file)


def _fail(key: str, began_us: int, message: str, hint: str) -> None:
    _say(key, "failed", began_us, message=message, hint=hint)


def _state(key: str) -> Path:
    return home.path("run", f"explore-{key}.state")


def _stop(key: str) -> Path:
    return home.path("run", f"explore-{key}.stop")
