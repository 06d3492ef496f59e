"""Run a command with RAPPORT_DATABASE_URL set to a scratch PostgreSQL, which is gone afterwards.

with_postgres.py -- pytest -n auto      the command's exit status is passed on
with_postgres.py --check                exit status 0 where it could be done, else 1 and the reason
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_TIMEOUT_S = 60.0
ACCOUNTS = ("postgres", "nobody")  # the server refuses to run as root


class ImpossibleError(Exception):
    """There is a reason why no PostgreSQL can be started here."""


def binaries() -> Path:
    """The folder with `initdb` and `postgres`, the newest version first."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
        reverse=True,
    )
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ImpossibleError("there is no PostgreSQL server here; on Debian: apt-get install postgresql")


def account() -> pwd.struct_passwd | None:
    """The account to run the server as, or None for our own."""
    if os.getuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ImpossibleError("PostgreSQL refuses to run as root, and there is no other account to run it as")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def options(owner: pwd.struct_passwd | None) -> dict[str, object]:
    """How to start a child as that account."""
    if owner is None:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@contextmanager
def server() -> Iterator[str]:
    """A server on loopback with a password of its own; gives its address."""
    folder_bin, owner = binaries(), account()
    with tempfile.TemporaryDirectory(prefix="rapport-pg-", ignore_cleanup_errors=True) as scratch:
        folder, password = Path(scratch), secrets.token_hex(16)
        (folder / "password").write_text(password)
        if owner is not None:
            shutil.chown(folder, owner.pw_uid, owner.pw_gid)
            shutil.chown(folder / "password", owner.pw_uid, owner.pw_gid)
        subprocess.run(
            [
                *(folder_bin / "initdb", "--pgdata", folder / "cluster", "--username", "rapport"),
                *("--pwfile", folder / "password", "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **options(owner),  # type: ignore[call-overload]
        )
        port = free_port()
        log = (folder / "log").open("wb")
        process = subprocess.Popen(
            [
                *(folder_bin / "postgres", "-D", folder / "cluster", "-p", str(port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"),
                # It holds nothing but tests: losing it in a crash loses nothing.
                *("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"),
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
            **options(owner),  # type: ignore[call-overload]
        )
        address = f"postgres://rapport:{password}@127.0.0.1:{port}/postgres"
        try:
            wait_until_ready(address, process, folder / "log")
            yield address
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: sessions are cut, files are closed
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ImpossibleError(
                    f"PostgreSQL did not start: {error}\n{log.read_text()[-2000:]}"
                ) from None
            time.sleep(0.1)
        else:
            return


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["--check"]:
            binaries()
            account()
            return 0
        if arguments[:1] != ["--"] or len(arguments) < 2:
            print(__doc__, file=sys.stderr)
            return 2
        # A polite kill must end the server too, so it becomes an exception like any other.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        with server() as address:
            return subprocess.run(
                arguments[1:], env={**os.environ, "RAPPORT_DATABASE_URL": address}, check=False
            ).returncode
    except ImpossibleError as reason:
        print(reason, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
