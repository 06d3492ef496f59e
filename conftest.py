"""What every test stands on: a data folder of its own, a held clock, the named people."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ON_POSTGRES = os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres")

# Before Django reads its settings: no test may touch the data folder of the person who runs it.
os.environ["RAPPORT_HOME"] = tempfile.mkdtemp(prefix="rapport-test-")
os.environ.setdefault("RAPPORT_SECRET_KEY", "a key for tests alone")
# Where Python is told to keep nothing that it compiles, every process that a test starts would compile
# all of it anew, which takes longer than what most of them then do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Where each core has its own share of the tests, more than one thread only gets in the other's way. The
# run on PostgreSQL has them all, so that an order that hangs on threads is met as well.
if "PYTEST_XDIST_WORKER" in os.environ and not ON_POSTGRES:
    os.environ.setdefault("RAPPORT_THREADS", "1")

SHARED = Path(__file__).parent.parent / "shared" / "data"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL run what a store can make a difference to; the rest has run on SQLite."""
    if not ON_POSTGRES:
        return
    whole = Path(__file__).parent / "tests" / "e2e"
    # A page only asks selectors and calls services, and the tests of these are run.
    pages = Path(__file__).parent / "src" / "rapport" / "web" / "pages"
    of_the_lake = ("test_loader.py", "test_collector_schema.py")
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        names = getattr(item, "fixturenames", ())
        asks = item.get_closest_marker("django_db") is not None or {"db", "transactional_db"} & set(names)
        asks = asks and pages not in item.path.parents
        matters = whole in item.path.parents or (asks and item.path.name not in of_the_lake)
        (kept if matters else left).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@pytest.fixture(autouse=True, scope="session")
def quick_extensions() -> Iterator[None]:
    """Checking a signature over seventy megabytes costs each new data folder 0.2 s; processes of their own do."""
    from rapport.events import lake

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(lake.CLOSED, "allow_unsigned_extensions", True)
        yield


@pytest.fixture(autouse=True)
def english() -> None:
    """A page that the test before asked for in another language leaves that on; each begins in English."""
    from django.utils import translation

    translation.deactivate()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an empty lake and spool, made once; copying it is much faster than making it."""
    from rapport.events import lake, spool

    folder = tmp_path_factory.mktemp("empty") / "home"
    before = os.environ["RAPPORT_HOME"]
    os.environ["RAPPORT_HOME"] = str(folder)
    try:
        lake.forget()
        spool.forget()
        lake.create()
        spool.current().create()
    finally:
        lake.forget()
        spool.forget()
        os.environ["RAPPORT_HOME"] = before
    return folder


@pytest.fixture
def home(tmp_path: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh data folder with an empty lake and spool, closed afterwards."""
    from rapport.events import lake, spool

    folder = tmp_path / "home"
    shutil.copytree(empty_home, folder)
    monkeypatch.setenv("RAPPORT_HOME", str(folder))
    lake.forget()
    spool.forget()
    yield folder
    lake.forget()
    spool.forget()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:  # noqa: ARG001  a store for each process
    """SQLite in a file, as where it serves: of one in memory no thread may write while another reads."""
    from django.db import connection

    if not ON_POSTGRES:
        connection.settings_dict["TEST"]["NAME"] = str(Path(os.environ["RAPPORT_HOME"], "test.sqlite3"))
        connection.settings_dict["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:  # noqa: ARG001  after it
    """Of what migrations wrote, the lists that Django makes by itself are left to it."""
    from django.db import connection

    kept: Any = connection
    if not hasattr(kept, "_test_serialized_contents"):
        return  # none of the tests chosen empties the store
    rows = json.loads(kept._test_serialized_contents)
    kept._test_serialized_contents = json.dumps(
        [row for row in rows if row["model"] not in {"contenttypes.contenttype", "auth.permission"}]
    )


@pytest.fixture(autouse=True)
def django_db_serialized_rollback() -> None:
    """A test that empties the store leaves to the next what the migrations wrote, whichever comes first."""


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> None:
    """A password that is slow to guess is slow to set: half a second, in every test that needs staff."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True, scope="session")
def keep_the_connection() -> Iterator[None]:
    """A test's transaction is no stale connection: what ends a request or a job must not close it."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    close = BaseDatabaseWrapper.close_if_unusable_or_obsolete

    def close_outside_tests(self: BaseDatabaseWrapper) -> None:
        if not self.in_atomic_block:
            close(self)

    patch = pytest.MonkeyPatch()
    patch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", close_outside_tests)
    yield
    patch.undo()


@pytest.fixture
def noon() -> Iterator[dt.datetime]:
    """The clock held at noon on a Monday."""
    from rapport.kit import clock

    at = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
    with clock.frozen(at):
        yield at


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the real data sets are not at {SHARED}")
    return SHARED
