"""Leave nothing deleted in a SQLite file: its free pages and its write-ahead log still hold what was there.

It is done in a process of its own. Two SQLite libraries in one process on one file, such as DuckDB's and
Python's, drop each other's locks and have lost a committed row.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rapport.kit.errors import Unavailable

WAIT_S = 60  # for readers to end; a file that is read without a pause for longer is said, not waited for

_SCRIPT = """
import sqlite3, sys, time
con = sqlite3.connect(sys.argv[1], timeout=float(sys.argv[2]), isolation_level=None)
con.execute("VACUUM")
end = time.monotonic() + float(sys.argv[2])
while con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
    if time.monotonic() > end:
        sys.exit(3)
    time.sleep(0.05)
con.close()
"""


def rewrite(file: Path, *, wait_s: float = WAIT_S) -> None:
    """Write the file anew without what was deleted, and empty its log; others may read and write meanwhile.

    Raises Unavailable where somebody reads the old pages for longer than `wait_s`.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", _SCRIPT, str(file), str(wait_s)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2] or "somebody still reads its old pages"
        raise Unavailable(
            f"{file.name} could not be written anew: {said}",
            "Try again when less is running; what was deleted is no longer shown to anybody.",
            retry_after_s=wait_s,
        )
