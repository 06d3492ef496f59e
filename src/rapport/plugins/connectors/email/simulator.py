"""A mail server in this process, on loopback: folders over IMAP (RFC 3501, as far as we ask), nothing else.

It holds mail as bytes under UIDs that grow, tells and keeps flags (so that a test sees whether reading changed
any), turns `7:*` round as servers do, and can number anew, break off, or refuse a log-in.
"""

from __future__ import annotations

import base64
import re
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

PASSWORD = "a-password"  # noqa: S105  of nobody
ACCENTED = "pässwörd"  # by another way
NAME = "shop@otter.example"


@dataclass(slots=True)
class Held:
    """One mail in a folder."""

    uid: int
    raw: bytes
    arrived: str = "02-Mar-2026 12:00:00 +0000"
    flags: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Folder:
    """One folder."""

    validity: int = 1
    mails: list[Held] = field(default_factory=list)
    next_uid: int = 1

    def put(self, raw: bytes, arrived: str = "02-Mar-2026 12:00:00 +0000") -> int:
        """A mail comes in; gives its UID."""
        self.mails.append(Held(self.next_uid, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), arrived))
        self.next_uid += 1
        return self.next_uid - 1


class MailServer:
    """The server. Put mail into `inbox`."""

    def __init__(self) -> None:
        self.folders = {"INBOX": Folder(), "Sent": Folder()}
        self.commands: list[str] = []
        self.n_log_ins = 0
        self.breaks_at: str = ""  # the next command that holds this ends the connection in the middle
        self.refuses = ""  # what log-ins are refused with
        self.lock = threading.RLock()
        self._server = _Listener(("127.0.0.1", 0), _Connection)
        self._server.mail = self
        self._running = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def inbox(self) -> Folder:
        """Where mail comes in."""
        return self.folders["INBOX"]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def number_anew(self) -> None:
        """What a server does whose index was lost: another UIDVALIDITY, other UIDs."""
        folder = self.inbox
        folder.validity += 1
        for n, mail in enumerate(folder.mails):
            mail.uid = n + 1
        folder.next_uid = len(folder.mails) + 1

    def __enter__(self) -> Self:
        self._running.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._running.join()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    mail: MailServer

    def handle_error(self, *_: object) -> None:
        """Whoever asked has gone; a test sees that for itself."""


class _Connection(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        self.folder: Folder | None = None
        self._say(b"* OK ready")
        while line := self.rfile.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            held = self.server.mail
            with held.lock:
                held.commands.append(rest)
                if held.breaks_at and held.breaks_at in rest:
                    held.breaks_at = ""
                    self._say(b"* 1 FETCH (UID 1 BODY[]<0> {500}")
                    return
                if not self._done(tag, rest):
                    return

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")
        self.wfile.flush()

    def _done(self, tag: str, rest: str) -> bool:
        verb, _, arguments = rest.partition(" ")
        if verb == "UID":
            verb, _, arguments = arguments.partition(" ")
        known: dict[str, Callable[[str], str]] = {
            "CAPABILITY": self._capability,
            "LOGIN": self._log_in,
            "AUTHENTICATE": self._authenticate,
            "EXAMINE": self._select,
            "SELECT": self._select,
            "SEARCH": self._search,
            "FETCH": self._fetch,
            "LIST": self._list,
            "APPEND": self._append,
            "NOOP": _done,
            "LOGOUT": _done,
        }
        act = known.get(verb, _unknown)
        self._say(f"{tag} {act(arguments)}".encode())
        return verb != "LOGOUT"

    def _capability(self, _: str) -> str:
        self._say(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN")
        return "OK done"

    def _log_in(self, arguments: str) -> str:
        held = self.server.mail
        held.n_log_ins += 1
        if held.refuses:
            return f"NO {held.refuses}"
        name, _, password = arguments.partition(" ")
        is_known = (name.strip('"'), password.strip('"')) == (NAME, PASSWORD)
        return "OK done" if is_known else "NO [AUTHENTICATIONFAILED] Authentication failed."

    def _authenticate(self, _: str) -> str:
        self._say(b"+ ")
        told = base64.b64decode(self.rfile.readline()).decode().split("\0")
        return (
            "OK done" if told == ["", NAME, ACCENTED] else "NO [AUTHENTICATIONFAILED] Authentication failed."
        )

    def _select(self, arguments: str) -> str:
        self.folder = self.server.mail.folders.get(arguments.strip('"'))
        if self.folder is None:
            return "NO [NONEXISTENT] Mailbox doesn't exist"
        self._say(f"* {len(self.folder.mails)} EXISTS".encode())
        self._say(f"* OK [UIDVALIDITY {self.folder.validity}] UIDs valid".encode())
        return "OK [READ-ONLY] done"

    def _search(self, arguments: str) -> str:
        assert self.folder is not None
        mails = self.folder.mails
        if ranged := re.match(r"UID (\d+):\*", arguments):
            first = int(ranged[1])
            found = [m.uid for m in mails if m.uid >= first] or [m.uid for m in mails[-1:]]
        elif header := re.match(r'HEADER Message-ID "(.+)"', arguments):
            found = [m.uid for m in mails if header[1].encode() in m.raw]
        else:
            found = [m.uid for m in mails]
        self._say(f"* SEARCH {' '.join(map(str, found))}".encode())
        return "OK done"

    def _fetch(self, arguments: str) -> str:
        assert self.folder is not None
        uids, _, asked = arguments.partition(" ")
        most = int((re.search(r"<0\.(\d+)>", asked) or [0, 10**9])[1])
        wanted = set(map(int, uids.split(",")))
        for n, mail in reversed(list(enumerate(self.folder.mails, 1))):
            if mail.uid not in wanted:
                continue
            if "BODY[" in asked:  # without PEEK, reading marks as read
                mail.flags.add(r"\Seen")
            part = mail.raw[:most]
            head = f'* {n} FETCH (UID {mail.uid} INTERNALDATE "{mail.arrived}" RFC822.SIZE {len(mail.raw)} '
            self.wfile.write(f"{head}BODY[]<0> {{{len(part)}}}\r\n".encode() + part + b")\r\n")
        return "OK done"

    def _list(self, _: str) -> str:
        for name in self.server.mail.folders:
            self._say(f'* LIST (\\HasNoChildren) "/" {name}'.encode())
        return "OK done"

    def _append(self, arguments: str) -> str:
        found = re.match(r'"?(\w+)"? .*\{(\d+)\}', arguments)
        if not found or found[1] not in self.server.mail.folders:
            return "NO [TRYCREATE] no such folder"
        self._say(b"+ go on")
        raw = self.rfile.read(int(found[2]))
        self.rfile.readline()
        self.server.mail.folders[found[1]].put(raw)
        return "OK done"


def _done(_: str) -> str:
    return "OK done"


def _unknown(_: str) -> str:
    return "BAD unknown command"
