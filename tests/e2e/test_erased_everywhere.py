"""Erasing somebody who has been everywhere leaves no byte of them in any file of the data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

HERE = Path(__file__).parent
EMAIL = "ana@qzxwvut-mail.example"
SURNAME = "Qzxwvut"


@pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="the files searched are those of the embedded stores",
)
def test_nothing_is_left_of_somebody_who_was_everywhere(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")},
        "RAPPORT_HOME": str(folder),
        "DJANGO_SETTINGS_MODULE": "rapport.web.settings",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    lived = json.loads(run(str(HERE / "lived.py"), EMAIL, SURNAME).splitlines()[-1])
    before = mentions(folder)
    assert {"lake", "spool", "rapport.sqlite3", "columns"} <= {name.split("/")[0] for name in before}, before

    run("-m", "rapport", "people", "erase", str(lived["person"]), "--yes", "--json")
    assert mentions(folder) == {}

    left = run("-m", "rapport", "people", "show", "email:bo@example.org", "--json")
    assert json.loads(left)["person"]["display_name"] == "Bo Berg"
    again = tmp_path / "again.csv"
    again.write_text(f"id,email,name\n77,{EMAIL},Ana {SURNAME}\n", "utf-8")
    run("-m", "rapport", "import", "people", str(again), "--json")
    run("-m", "rapport", "work", "--drain")
    gone = subprocess.run(
        [sys.executable, "-m", "rapport", "people", "show", f"email:{EMAIL}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert gone.returncode == 1, gone.stdout
    assert mentions(folder) == {}


def mentions(folder: Path) -> dict[str, str]:
    """Which files hold a word of theirs, raw or unpacked, and which word."""
    words = [w.encode() for w in (SURNAME, SURNAME.lower(), EMAIL, "qzxwvut")]
    found = {}
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        content = file.read_bytes()
        if file.suffix == ".parquet":
            content += json.dumps(pq.read_table(file).to_pylist(), default=str).encode()
        if file.suffix == ".duckdb":
            content += tables(file).encode()
        for word in words:
            if word in content:
                found[str(file.relative_to(folder))] = word.decode()
    return found


def tables(file: Path) -> str:
    """Every row of an engine's own file, unpacked."""
    with duckdb.connect(str(file), read_only=True) as con:
        names = [name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return " ".join(str(con.execute(f'FROM "{name}"').fetchall()) for name in names)
