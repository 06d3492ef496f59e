"""Whether a port can be listened on, and if not, who holds it."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rapport.kit.errors import Conflict

PROC = Path("/proc")
LISTENS = "0A"  # TCP_LISTEN in /proc/net/tcp
COMMAND_CHARS_MAX = 120


def must_be_free(host: str, port: int) -> None:
    """Raise Conflict where nobody can listen at this address now, saying which process does already.

    Asked before granian is: it shares a port with whoever of us listens there already, and requests would
    then go to either.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            raise Conflict(f"nobody can listen at {shown}: {error.strerror}", _hint(error, port)) from None


def holder(port: int) -> tuple[int, str] | None:
    """The process that listens on this port of any address, and its command; None where that cannot be seen.

    Only Linux tells, and of somebody else's processes only to root.
    """
    inodes = set(_inodes(port))
    for file in PROC.glob("[0-9]*/fd/*") if inodes else ():
        # Whatever ended while we look, or is not ours to look at, is passed over.
        with suppress(OSError):
            if os.readlink(file) in inodes:
                folder = file.parent.parent
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return int(folder.name), command.strip()[:COMMAND_CHARS_MAX]
    return None


def _inodes(port: int) -> Iterator[str]:
    """The sockets that listen on the port, as the links in /proc/PID/fd name them."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENS and int(local.rpartition(":")[2], 16) == port:
                yield f"socket:[{inode}]"


def _hint(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        found = holder(port)
        if found is None:
            return f"Something else listens there; end it, or choose another with --port {port + 10}."
        pid, command = found
        return (
            f"Process {pid} listens there ({command}); end it with `kill {pid}`,"
            f" or choose another with --port {port + 10}."
        )
    if error.errno == errno.EACCES:
        return "Ports below 1024 are for root; choose another with --port, and let a proxy hand on to it."
    return "Choose an address of this machine with --host, such as 127.0.0.1."
