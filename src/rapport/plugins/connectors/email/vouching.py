"""What the receiving server found of a letter's sender (RFC 8601): whether it vouches for the From address.

Anybody can write a header. Only the topmost is read, and only where it bears the name of the server that the
firm trusts: that server puts its own on top, and takes away whatever came in under its name.
"""

from __future__ import annotations

import re
from email.message import Message

HEADER = "Authentication-Results"
_PIECE = re.compile(r'\\.|["()\\]|[^"()\\]+', re.DOTALL)
_RESULT = re.compile(r"\s*([a-z][a-z0-9-]*)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
FAILS = {"fail", "softfail", "permerror", "policy"}


def denied(mail: Message, server: str) -> str:
    """The checks by which the server says that the sender is not who the letter names; empty where it does not.

    What DMARC says decides, because it alone looks at the address that people see; without it a signature or a
    sending machine that holds is enough, and nothing that holds beside something that fails is not.
    """
    found = results(mail, server)
    if "dmarc" in found and found["dmarc"] != {"none"}:
        return "dmarc" if found["dmarc"] & FAILS else ""
    others = {name: found[name] for name in ("dkim", "spf") if name in found}
    if any("pass" in said for said in others.values()):
        return ""
    return ", ".join(name for name, said in others.items() if said & FAILS)


def results(mail: Message, server: str) -> dict[str, set[str]]:
    """What the topmost header of that server says, by check; empty where it is another's, or none is trusted."""
    lines = mail.get_all(HEADER) or []
    if not server.strip() or not lines:
        return {}
    name, *parts = _plain(str(lines[0])).split(";")
    if (name.split() or [""])[0].casefold() != server.strip().casefold():
        return {}
    found: dict[str, set[str]] = {}
    for part in parts:
        if told := _RESULT.match(part):
            found.setdefault(told[1].lower(), set()).add(told[2].lower())
    return found


def _plain(line: str) -> str:
    """A header without its comments, and without what stands in quotes: whoever sends a letter chooses words there.

    Where one of them is never closed, it is read as it stands.
    """
    kept: list[str] = []
    depth, is_quoted = 0, False
    for piece in _PIECE.findall(line):
        if piece == '"' and not depth:
            is_quoted = not is_quoted
        elif piece == "(" and not is_quoted:
            depth += 1
        elif piece == ")" and depth:
            depth -= 1
            kept.append(" ")
        elif not depth and not is_quoted:
            kept.append(piece)
    return line if depth or is_quoted else "".join(kept)
