"""Importing files, against the tools people would use instead, on the same file in the same run.

Orders and people: the whole import (read, checked, grouped, stored, in the lake, persons made) against
pandas reading the file and grouping its rows. Web logs: everything in the lake, sessions included, against
GoAccess making its report. Process start is left out of ours and of pandas, and is part of GoAccess's time,
which has none to speak of.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rapport.bench import child
from rapport.bench.harness import Measure, Missing, bench, timed

RUNS = 3
PEOPLE = 200_000
LOG_COPIES = 100


@bench("orders import")
def orders() -> Measure:
    _needs_pandas()
    file = child.shared_file("online_retail", "online_retail.parquet")
    found = [child.measure("rapport.bench.imports", "orders", str(file)) for _ in range(RUNS)]
    return Measure(
        "orders import",
        "pandas reading and grouping the same rows",
        "s",
        [f["ours_s"] for f in found],
        [f["peer_s"] for f in found],
        at_most=8.0,
        figures={
            "rows": f"{found[0]['n']:,}",
            "rows/s": f"{found[0]['n'] / min(f['ours_s'] for f in found):,.0f}",
        },
    )


@bench("people import")
def people() -> Measure:
    _needs_pandas()
    found = [child.measure("rapport.bench.imports", "people") for _ in range(RUNS)]
    return Measure(
        "people import",
        "pandas reading the same file",
        "rows/s",
        [PEOPLE / f["ours_s"] for f in found],
        [PEOPLE / f["peer_s"] for f in found],
    )


@bench("weblog import")
def weblog() -> Measure:
    if shutil.which("goaccess") is None:
        raise Missing("GoAccess is not installed (Debian: apt-get install goaccess)")
    sample = child.shared_file("apache_logs", "apache_logs")
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        file = Path(folder) / "access.log"
        lines = sample.read_bytes()
        with file.open("wb") as out:
            for _ in range(LOG_COPIES):
                out.write(lines)
        n = lines.count(b"\n") * LOG_COPIES
        ours, theirs = [], []
        for _ in range(RUNS):
            ours.append(n / child.measure("rapport.bench.imports", "weblog", str(file))["ours_s"])
            theirs.append(n / timed(lambda: _goaccess(file)))
    return Measure(
        "weblog import",
        "GoAccess on the same file",
        "lines/s",
        ours,
        theirs,
        at_least=2.5,
        figures={"lines": f"{n:,}"},
    )


def _needs_pandas() -> None:
    if importlib.util.find_spec("pandas") is None:
        raise Missing("pandas is not installed; `make bench` installs it")


def _goaccess(file: Path) -> None:
    report = file.with_name("report.json")
    command = ["goaccess", str(file), "--log-format=COMBINED", "--no-progress", "-o", str(report)]
    subprocess.run(command, check=True, capture_output=True)


class WithoutPandas:
    """Hides pandas, which the product does not install: Arrow imports it, for a second, where it is there."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ImportError(name)


def main(what: str, *arguments: str) -> None:
    from rapport.web.stores import initialise

    initialise()
    if what == "people":
        file = Path(tempfile.mkdtemp(prefix="rapport-bench-")) / "people.csv"
        _write_people(file)
    else:
        file = Path(arguments[0])
    # The peer goes first, so that the file lies in memory for both.
    if what == "weblog":
        peer_s = 0.0
        sys.meta_path.insert(0, WithoutPandas())
    else:
        importlib.import_module("pandas")
        peer_s = timed(lambda: _pandas(what, file))
    ours_s = timed(lambda: _import(what, file))
    print(json.dumps({"ours_s": ours_s, "peer_s": peer_s, "n": _rows(what, file)}))
    if what == "people":
        shutil.rmtree(file.parent)


def _import(kind: str, file: Path) -> None:
    from rapport.events import subscriptions
    from rapport.listening import services

    options = {"currency": "GBP"} if kind == "orders" else {}
    summary = services.import_file(kind, file, options=options, by="bench")
    if kind != "weblog":
        subscriptions.settle(summary.last_seq or 0, ["people"])


def _pandas(kind: str, file: Path) -> None:
    import pandas as pd

    if kind == "people":
        pd.read_csv(file)
        return
    rows = pd.read_parquet(file)
    rows["value"] = rows["Quantity"] * rows["UnitPrice"]
    rows.groupby("InvoiceNo").agg(
        {"value": "sum", "Quantity": "sum", "CustomerID": "first", "InvoiceDate": "min"}
    )


def _rows(kind: str, file: Path) -> int:
    if kind == "orders":
        import pyarrow.parquet as pq

        return int(pq.ParquetFile(file).metadata.num_rows)
    return PEOPLE


def _write_people(file: Path) -> None:
    import duckdb

    duckdb.connect().execute(
        f"""COPY (SELECT 'C' || i AS id, 'p' || i || '@example.org' AS email, '+4917' || (10000000 + i) AS phone,
        'Given' || (i % 4000) AS given_name, 'Family' || (i % 30000) AS family_name,
        DATE '1950-01-01' + (i % 20000)::INTEGER AS birth_date, 'DE' AS country, 'Town ' || (i % 900) AS city,
        'de' AS language FROM range({PEOPLE}) AS r(i)) TO '{file}' (HEADER)"""
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
