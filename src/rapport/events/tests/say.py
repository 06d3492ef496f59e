"""Small sentences for tests of the log: what Ana, Bo and Chi did, and what the lake then holds."""

from __future__ import annotations

import json
from typing import Any

from rapport.events import lake, spool, upkeep
from rapport.events.loader import Loaded

NOON = "2026-03-02T12:00:00Z"


def message(kind: str = "track", **fields: Any) -> dict[str, Any]:
    """One message in the Segment shape; Ana viewed a page unless told otherwise."""
    base: dict[str, Any] = {"type": kind, "timestamp": NOON}
    if "userId" not in fields and "anonymousId" not in fields:
        base["userId"] = "ana"
    if kind == "track" and "event" not in fields:
        base["event"] = "weird thing"
    return {**base, **fields}


def send(*messages: dict[str, Any], source: str = "site") -> spool.Range:
    """Put a request with these messages into the spool, as the collector does."""
    for i, entry in enumerate(messages):
        entry.setdefault("messageId", f"m{spool.current().next_seq() + i}")
    body = json.dumps({"batch": list(messages)}).encode()
    (written,) = spool.current().append([spool.Body(spool.SEGMENT, source, len(messages), body)])
    return written


def load() -> list[Loaded]:
    """Load all that waits; gives what each commit did."""
    done: list[Loaded] = []
    upkeep.drain(done.append)
    return done


def ask(sql: str) -> list[tuple[Any, ...]]:
    """Rows of a question to the lake."""
    con = lake.connect()
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


def holdings() -> dict[str, list[tuple[Any, ...]]]:
    """Everything the lake holds that must survive a repair, in a fixed order."""
    return {
        "event": ask("SELECT * FROM event ORDER BY seq"),
        "subject": ask("SELECT * FROM subject ORDER BY subject"),
        "claim": ask("SELECT * FROM claim ORDER BY seq, a, b"),
        "counter": ask(
            "SELECT subject, day, name, dimension, sum(n), sum(value_minor), min(first_ts), max(last_ts)"
            " FROM subject_day GROUP BY ALL ORDER BY ALL"
        ),
        "session": ask("SELECT * FROM session ORDER BY subject, started_at"),
    }
