"""A measurement in a process and a data folder of its own, so that no run warms or fills the next one's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rapport.bench.harness import Missing
from rapport.kit import home


def measure(module: str, *arguments: str, folder: Path | None = None) -> dict[str, Any]:
    """Run `python -m module arguments` with a fresh data folder; gives the JSON it prints last."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as temporary:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_") or k == "RAPPORT_BENCH_DATA"
        }
        environment = {
            **kept,
            "RAPPORT_HOME": str(folder or temporary),
            "DJANGO_SETTINGS_MODULE": "rapport.web.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(
            f"{module} {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-4000:]}"
        )
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert isinstance(result, dict)
    return result


def shared_file(*parts: str) -> Path:
    """A file of the real data sets, in the folder RAPPORT_BENCH_DATA; Missing where it is not there."""
    file = Path(home.env("BENCH_DATA", "../shared/data")).joinpath(*parts)
    if not file.exists():
        raise Missing(f"{file} is not here; RAPPORT_BENCH_DATA names the folder of the real data sets")
    return file
