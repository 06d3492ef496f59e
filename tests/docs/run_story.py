"""Run several `rapport` commands in one process, as if each were typed: arguments in, status and text out.

Reads a JSON list of argument lists from standard input and prints a JSON list of [status, said]. One
process for a whole page, because loading everything anew for each command would take most of the time.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback

from rapport.cli.main import main


def run(arguments: list[str]) -> tuple[int, str]:
    said = io.StringIO()
    sys.argv = ["rapport", *arguments]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        except Exception:
            traceback.print_exc()
            status = 1
    return status, said.getvalue()


if __name__ == "__main__":
    print(json.dumps([run(arguments) for arguments in json.load(sys.stdin)]))
