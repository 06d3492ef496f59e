"""The data folder and its locks."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from rapport.kit import home
from rapport.kit.errors import Conflict


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _hold_until_told(held: object, let_go: object) -> None:
    with home.lock("loader"):
        held.set()  # type: ignore[attr-defined]
        let_go.wait(60)  # type: ignore[attr-defined]


def _hold(held: object) -> None:
    with home.lock("loader"):
        held.set()  # type: ignore[attr-defined]
        multiprocessing.Event().wait(60)


def test_the_folder_is_the_one_the_environment_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.root() == folder
    assert home.path("lake", "files") == folder / "lake" / "files"
    monkeypatch.delenv("RAPPORT_HOME")
    assert home.root() == Path.cwd() / "rapport-data"


def test_a_setting_left_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_LOG_LEVEL", "")
    assert home.env("LOG_LEVEL", "WARNING") == "WARNING"
    monkeypatch.setenv("RAPPORT_LOG_LEVEL", "DEBUG")
    assert home.env("LOG_LEVEL", "WARNING") == "DEBUG"


def test_one_process_at_a_time_holds_a_lock(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, let_go = context.Event(), context.Event()
    other = context.Process(target=_hold_until_told, args=(held, let_go), daemon=True)
    other.start()
    assert held.wait(60)
    with pytest.raises(Conflict, match="another process holds the loader lock"), home.lock("loader"):
        pass
    with home.lock("compaction"):
        pass  # a lock of another name is free
    let_go.set()
    with home.lock("loader", wait=True):
        pass  # waits for the other process and then holds it
    other.join(30)
    assert other.exitcode == 0


def test_the_lock_of_a_killed_process_is_free_again(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=_hold, args=(held,), daemon=True)
    other.start()
    assert held.wait(60)
    other.kill()
    other.join(30)
    with home.lock("loader"):
        assert (folder / "locks" / "loader.lock").exists()


def test_a_lock_is_given_back_after_an_error(folder: Path) -> None:
    with pytest.raises(KeyError), home.lock("loader"):
        raise KeyError("broken inside")
    with home.lock("loader"):
        pass


def test_files_of_locks_that_nobody_holds_are_removed(folder: Path) -> None:
    with home.lock("worker-a"), home.lock("load"):
        for name in ("worker-b", "worker-c"):
            with home.lock(name):
                pass
        assert home.remove_locks("worker-") == 2
    assert {file.name for file in (folder / "locks").iterdir()} == {"worker-a.lock", "load.lock"}


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = home._taken
    removed: list[str] = []

    def taken_late(descriptor: int) -> bool:
        if not removed:
            removed.append("worker-a")
            (folder / "locks" / "worker-a.lock").unlink()
        return taken(descriptor)

    monkeypatch.setattr(home, "_taken", taken_late)
    with home.lock("worker-a"):
        with pytest.raises(Conflict), home.lock("worker-a"):
            pass
        assert removed == ["worker-a"], "a file without a name keeps nobody out"


def test_what_is_written_can_be_made_durable(folder: Path) -> None:
    folder.mkdir()
    (folder / "file").write_text("kept")
    home.fsync_file(folder / "file")
    home.fsync_folder(folder)
    with pytest.raises(FileNotFoundError):
        home.fsync_file(folder / "missing")
