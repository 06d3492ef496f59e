"""Nothing is lost and nothing is doubled, however often the loader and the worker are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "kill_loader.py"


@pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="the lake, which this kills, is the same whichever operational store is used",
)
def test_killed_again_and_again_every_event_is_there_once() -> None:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--kills", "6", "--events", "12000"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "6 kills" in run.stdout
