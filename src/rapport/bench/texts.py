"""Posts annotated by every model of texts at once, against the limit of 5,000 texts a second on one core.

Half of the texts are the invented market's in five languages, half are English tweets of SemEval-2017 where
they are at hand. They are written straight into the lake, a month at a time; then the fast tier reads them as
a run does: a page is read, every model annotates it, what they say goes into the spool, and the loader writes
it into the lake. Reading and loading are timed apart, because they are two processes. One thread each.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from rapport.bench import child
from rapport.bench.harness import Measure, Missing, bench
from rapport.kit import clock, home

LIMIT_PER_S = 5_000
TEXTS = 200_000
WHOLE = 10_000_000
MONTHS = 24
SUBJECT_TEXTS = 5  # of one author
INVENTED_PEOPLE = 2_500
LOAD_EVERY_TEXTS = 500_000  # what waits in the spool meanwhile is kept on disk
GROWTH_MAX = 1.05  # of the memory held, from the first tenth to the last


@bench("texts")
def texts() -> Iterator[Measure]:
    yield from _measures(int(home.env("BENCH_EVENTS", str(TEXTS))))


@bench("texts-10m", by_name_only=True)
def ten_million() -> Iterator[Measure]:
    yield from _measures(int(home.env("BENCH_EVENTS", str(WHOLE))))


def _measures(n: int) -> Iterator[Measure]:
    try:
        tweets = child.shared_file("semeval2017", "downloaded")
    except Missing:
        tweets = Path()
    found = child.measure("rapport.bench.texts", str(n), str(tweets) if tweets.name else "")
    yield Measure(
        "texts annotated by all models",
        f"the limit of {LIMIT_PER_S:,} texts/s",
        "texts/s",
        [found["per_s"]],
        [LIMIT_PER_S],
        at_least=1.0,
        figures={
            "texts": f"{found['n']:,}, {found['n_different']:,} of them different",
            "models": ", ".join(found["models"]),
            "annotations": f"{found['n_annotations']:,}",
            "per second of processor time": f"{found['per_cpu_s']:,.0f} texts",
            "with loading them into the lake, one after the other": f"{found['per_s_loaded']:,.0f} texts/s",
            "loading alone": f"{found['annotations_loaded_per_s']:,.0f} annotations/s",
            "of the lake, an annotation takes": f"{found['bytes_each']:.1f} bytes",
            "seconds of each model on one batch after the other": json.dumps(found["by_model_s"]),
        },
    )
    yield Measure(
        "memory held while annotating, last tenth to first",
        "what the first tenth held",
        "MB",
        [found["last_mb"]],
        [found["first_mb"]],
        at_most=GROWTH_MAX,
    )


def main(n: int, tweets: str) -> None:
    import os

    os.environ["RAPPORT_THREADS"] = "1"
    from rapport.web.stores import initialise

    initialise()
    from rapport.events import lake, loader
    from rapport.insights.services import annotating, keeping

    different = _texts(tweets)
    _write(n, different)
    models = keeping.texts_insights()
    for model in models:
        keeping.active(model)
    with lake.connect() as con:
        head = loader.offset(con)
    read_s, load_s, cpu_s, n_annotations = 0.0, 0.0, 0.0, 0
    memory: list[tuple[int, float]] = []

    def note(done: int, _total: int) -> None:
        memory.append((done, _resident_mb()))

    upto = 0
    while upto < head:
        upto = min(head, upto + LOAD_EVERY_TEXTS)
        began, began_cpu = clock.monotonic_s(), sum(os.times()[:2])
        done = annotating.catch_up(models, upto, note)
        read_s += clock.monotonic_s() - began
        cpu_s += sum(os.times()[:2]) - began_cpu
        for one in done.values():
            if one.failure is not None:
                raise one.failure
        n_annotations += sum(one.n_annotations for one in done.values())
        began = clock.monotonic_s()
        # In a process of its own, as ever: what the loader needs is not what a reader holds.
        subprocess.run(
            [sys.executable, "-m", "rapport", "load", "--drain"], check=True, stdout=subprocess.DEVNULL
        )
        load_s += clock.monotonic_s() - began
    with lake.connect() as con:
        ((n_loaded,),) = con.execute("SELECT count(*) FROM annotation").fetchall()
    assert n_loaded == n_annotations, (n_loaded, n_annotations)
    first = max(mb for done, mb in memory if done <= max(memory[0][0], head / 10))
    last = max(mb for done, mb in memory if done > head * 9 / 10)
    _files_url, files = lake.location()
    size = sum(f.stat().st_size for f in (files / "main" / "annotation").rglob("*.parquet"))
    print(
        json.dumps(
            {
                "n": n,
                "n_different": len(different),
                "models": [f"{m.name} {m.version}" for m in models],
                "n_annotations": n_annotations,
                "per_s": n / read_s,
                "per_cpu_s": n / cpu_s,
                "per_s_loaded": n / (read_s + load_s),
                "annotations_loaded_per_s": n_annotations / load_s,
                "bytes_each": size / max(1, n_annotations),
                "first_mb": first,
                "last_mb": last,
                "by_model_s": _by_model(models, different),
            }
        )
    )


def _by_model(models: list[Any], different: list[str]) -> dict[str, float]:
    """Seconds of each model on 20,000 texts, batch by batch in turn, so that the first pays for the words."""
    from rapport.insights.services import keeping
    from rapport.kit.texts.learning import BATCH_TEXTS

    took = dict.fromkeys((m.name for m in models), 0.0)
    sample = (different * (1 + 20_000 // len(different)))[:20_000]
    known = {m.name: (keeping.active(m).content, keeping.context(m)) for m in models}
    for at in range(0, len(sample), BATCH_TEXTS):
        part = sample[at : at + BATCH_TEXTS]
        table = pa.table({"seq": pa.array(range(len(part)), pa.int64()), "text": part})
        for model in models:
            began = clock.monotonic_s()
            model.score(known[model.name][0], table, known[model.name][1])
            took[model.name] += clock.monotonic_s() - began
    return {name: round(s, 3) for name, s in took.items()}


def _texts(tweets: str) -> list[str]:
    """Different texts, invented and real."""
    from rapport.demo import market

    invented: list[str] = []
    for table in market.generate(INVENTED_PEOPLE, 1):
        invented += [text for text in table.column("text").to_pylist() if text]
    real: list[str] = []
    for file in sorted(Path(tweets).glob("twitter-*-A.tsv")) if tweets else []:
        with file.open(encoding="utf-8", newline="") as lines:
            real += [
                row[-1] for row in csv.reader(lines, "excel-tab", quoting=csv.QUOTE_NONE) if len(row) > 2
            ]
    found = sorted(set(invented))
    more = sorted(set(real))
    half = min(len(found), len(more)) or len(found)
    return found[:half] + more[:half]


def _write(n: int, different: list[str]) -> None:
    """Posts into the lake as the loader lays them: by month, within it by author."""
    from rapport.events import lake

    con = lake.connect()
    lake.give(
        con, "drawn_text", pa.table({"k": pa.array(range(len(different)), pa.int64()), "said": different})
    )
    for month in range(MONTHS):
        low, high = month * n // MONTHS, (month + 1) * n // MONTHS
        first = dt.datetime(2024 + (2 + month) // 12, (2 + month) % 12 + 1, 1, tzinfo=dt.UTC)
        con.execute(
            "INSERT INTO event BY NAME SELECT uuid() AS id, i + 1 AS seq,"
            " $first::TIMESTAMPTZ + to_seconds((hash(i, 1) % 2419200)::BIGINT) AS ts, ts AS received_at,"
            f" (hash(i, 2) % {max(1, n // SUBJECT_TEXTS)})::BIGINT AS subject, 'post_published' AS name,"
            " 'bench' AS source, 'social' AS channel, 'venue' || hash(i, 3) % 20 AS venue, t.said AS \"text\","
            " '{}' AS properties FROM range($low, $high) AS r(i) JOIN drawn_text AS t"
            f" ON t.k = (hash(i) % {len(different)})::BIGINT ORDER BY subject, ts",
            {"first": first, "low": low, "high": high},
        )
    con.execute(
        "INSERT INTO receipt BY NAME SELECT 'bench' AS batch, 'bench' AS source, 1 AS first_seq,"
        " $n AS last_seq, $n AS n_read, $n AS n_accepted, 0 AS n_duplicate, 0 AS n_quarantined, now() AS loaded_at",
        {"n": n},
    )
    con.execute("DROP TABLE temp.drawn_text")
    con.close()
    from rapport.events import spool

    spool.current().connection().execute("UPDATE state SET value = ? WHERE key = 'next'", (n + 1,))


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
