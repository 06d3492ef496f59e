"""Probable identities against Splink: how good with its published demo settings, how fast with our own.

The peers are written as Splink's documentation has them (tutorial 04 for fake_1000, the example febrl3 for
the febrl data sets), given rows without the blanks around their cells, as ours are. Quality is compared at
each side's best threshold, so that neither is helped by where a threshold happens to lie.
"""

from __future__ import annotations

import copy
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from rapport.bench import child
from rapport.bench.harness import Measure, bench, timed
from rapport.kit import home

FILES = (
    ("febrl dataset1", ("febrl", "dataset1.csv")),
    ("febrl dataset2", ("febrl", "dataset2.csv")),
    ("febrl dataset3", ("febrl", "dataset3.csv")),
    ("splink fake_1000", ("splink", "fake_1000.csv")),
)
THRESHOLDS = (0.1, 0.5, 0.9, 0.95, 0.99)
LOW = 0.001
MILLION = 1_000_000
TWINS_RATIO = 0.2  # of the rows are somebody's second, written a little differently
MEMORY_GB = 8.0


@bench("identity")
def identity() -> Iterator[Measure]:
    for name, parts in FILES:
        found = child.measure("rapport.bench.identity", "file", str(child.shared_file(*parts)))
        ours, peer = found["ours"], found["peer"]
        yield Measure(
            f"identity, {name}: F1",
            "Splink with its own demo settings",
            "F1",
            [ours["best"][2]],
            [peer["best"][2]],
            at_least=1.0,
            figures={
                f"from {t:g}": f"{_three(ours[str(t)])} against {_three(peer[str(t)])}" for t in THRESHOLDS
            },
        )


@bench("identity-million", by_name_only=True)
def million() -> Iterator[Measure]:
    """Everybody with everybody among a million (RAPPORT_BENCH_PEOPLE for fewer): takes a quarter of an hour."""
    n = int(home.env("BENCH_PEOPLE") or MILLION)
    source = child.shared_file("febrl", "dataset3.csv")
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        ours = child.measure("rapport.bench.identity", "propose", str(source), folder, str(n))
        peer = child.measure("rapport.bench.identity", "splink", folder)
    figures = {
        "rows": f"{n:,}",
        "pairs proposed": f"{ours['waiting']:,}",
        "twins found": f"{ours['found']:,} of {ours['twins']:,}",
        "Splink's pairs from the same probability": f"{peer['pairs']:,}",
    }
    yield Measure(
        "identity, people proposed",
        "Splink alone on the same rows and settings",
        "s",
        [ours["s"]],
        [peer["s"]],
        at_most=1.3,
        figures=figures,
    )
    yield Measure("identity, memory", "the limit of 8 GB", "GB", [ours["peak_gb"]], [MEMORY_GB], at_most=1.0)


def _three(found: list[float]) -> str:
    precision, recall, f1 = found
    return f"precision {precision:.4f} recall {recall:.4f} F1 {f1:.4f}"


def _quality(probability: np.ndarray[Any, Any], is_true: np.ndarray[Any, Any], n_true: int) -> dict[str, Any]:
    """Precision, recall and F1 at the thresholds, and where F1 is best."""
    order = np.argsort(-probability, kind="stable")
    right = np.cumsum(is_true[order])
    n = np.arange(1, len(order) + 1)
    precision, recall = right / n, right / n_true
    f1 = 2 * right / (n + n_true)
    # Pairs of one probability come in together or not at all.
    ends = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)

    def at(place: int) -> list[float]:
        return [float(precision[place]), float(recall[place]), float(f1[place])]

    found = {
        str(t): at(k - 1) if (k := int((probability >= t).sum())) else [1.0, 0.0, 0.0] for t in THRESHOLDS
    }
    return {**found, "best": at(int(ends[np.argmax(f1[ends])]))}


def _rows(con: duckdb.DuckDBPyConnection, file: Path) -> tuple[str, str]:
    """Make the relation `row` of a file's trimmed cells; gives its id column and the column of the truth."""
    con.execute(
        "CREATE TABLE raw AS SELECT * FROM read_csv(?, all_varchar => true, header => true)", [str(file)]
    )
    cells = [c[0] for c in con.execute("DESCRIBE raw").fetchall()]
    trimmed = ", ".join(f"nullif(trim(\"{c}\"), '') AS {c.strip()}" for c in cells)
    con.execute(f"CREATE TABLE row AS SELECT {trimmed} FROM raw")
    if "rec_id" in [c.strip() for c in cells]:
        con.execute("ALTER TABLE row ADD COLUMN cluster VARCHAR")
        con.execute("UPDATE row SET cluster = split_part(rec_id, '-', 2)")
        return "rec_id", "cluster"
    return "unique_id", "cluster"


def _judged(
    con: duckdb.DuckDBPyConnection, key: str, a: pa.Array, b: pa.Array, probability: pa.Array
) -> dict[str, Any]:
    con.register("pair", pa.table({"a": a, "b": b, "p": probability}))
    found = con.execute(
        f"SELECT p.p, (l.cluster = r.cluster)::INTEGER AS t FROM pair AS p"
        f" INNER JOIN row AS l ON l.{key} = p.a INNER JOIN row AS r ON r.{key} = p.b"
    ).fetchnumpy()
    n_true = con.execute(
        "SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM row GROUP BY cluster)"
    ).fetchone()
    assert n_true is not None
    return _quality(np.asarray(found["p"]), np.asarray(found["t"]), int(n_true[0]))


def _demo(con: duckdb.DuckDBPyConnection, key: str) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Splink as its documentation runs it on this file."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    if key == "rec_id":
        blocks = [block_on(c) for c in ("soc_sec_id", "given_name", "surname", "date_of_birth", "postcode")]
        comparisons = [
            cl.NameComparison("given_name"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
            cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
        ]
        sure: list[Any] = [
            block_on("soc_sec_id"),
            block_on("given_name", "surname", "date_of_birth"),
            "l.given_name = r.surname and l.surname = r.given_name and l.date_of_birth = r.date_of_birth",
        ]
        recall, trainings = 0.9, [block_on("date_of_birth"), block_on("postcode")]
    else:
        blocks = [block_on("first_name", "city"), block_on("surname")]
        comparisons = [
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.LevenshteinAtThresholds("dob", 1),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ]
        sure = [
            block_on("first_name", "dob"),
            "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
            block_on("email"),
        ]
        recall, trainings = 0.7, [block_on("first_name", "surname"), block_on("dob")]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=key,
        comparisons=list(comparisons),
        blocking_rules_to_generate_predictions=list(blocks),
        retain_intermediate_calculation_columns=True,
    )
    linker = Linker(DuckDBAPI(con).register("row"), settings, log_level=None)
    _quiet()
    linker.training.estimate_probability_two_random_records_match(sure, recall=recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in trainings:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    found = linker.inference.predict(threshold_match_probability=LOW).as_duckdbpyrelation().to_arrow_table()
    return found[f"{key}_l"], found[f"{key}_r"], found["match_probability"]


def _quiet() -> None:
    import logging

    logging.getLogger("splink").setLevel(logging.ERROR)


def _file(file: Path) -> dict[str, Any]:
    from rapport.people.services.linking_files import link_file

    with duckdb.connect(config={"threads": 2}) as con:
        key, _ = _rows(con, file)
        # The column of the truth is left out by its own name; nothing here says so.
        linked = link_file(file, low=LOW)
        ours = _judged(con, key, linked.a, linked.b, linked.links.pairs["probability"])
        peer = _judged(con, key, *_demo(con, key))
    return {"ours": ours, "peer": peer}


def _write_people(source: Path, target: Path, n: int) -> None:
    """People resampled from the febrl rows, and their twins with a slip or two; the same at every run."""
    n_first = round(n * (1 - TWINS_RATIO))
    slip = (
        "CASE WHEN {c} IS NULL OR length({c}) < 3 THEN {c} WHEN hash(i, '{c}') % 100 < 6"
        " THEN left({c}, (1 + hash(i, '{c}p') % (length({c}) - 1))::INTEGER) ||"
        " substr({c}, (3 + hash(i, '{c}p') % (length({c}) - 1))::INTEGER)"
        " WHEN hash(i, '{c}') % 100 < 9 THEN NULL ELSE {c} END AS {c}"
    )
    columns = ("given_name", "family_name", "birth_date", "street_number", "address_1", "postcode", "city")
    with duckdb.connect(config={"threads": 2}) as con:
        _rows(con, source)
        for column, expression in (
            ("given_name", "given_name"),
            ("family_name", "surname"),
            ("address_1", "address_1"),
            ("street_number", "street_number"),
        ):
            con.execute(
                f"CREATE TABLE of_{column} AS SELECT row_number() OVER (ORDER BY rec_id) - 1 AS k,"
                f" {expression} AS v FROM row WHERE {expression} IS NOT NULL"
            )
        con.execute(
            "CREATE TABLE of_place AS SELECT row_number() OVER (ORDER BY rec_id) - 1 AS k, postcode, suburb AS city"
            " FROM row WHERE postcode IS NOT NULL AND suburb IS NOT NULL"
        )
        # As numbers: with the count as a subquery the engine compares every row with every other.
        n_of = dict(
            con.execute(
                " UNION ALL ".join(
                    f"SELECT '{c}', count(*) FROM of_{c}"
                    for c in ("given_name", "family_name", "address_1", "street_number", "place")
                )
            ).fetchall()
        )
        drawn = {c: f"hash(i, '{c}') % {n}" for c, n in n_of.items()}
        con.execute(
            f"""CREATE TABLE first AS SELECT i, g.v AS given_name, f.v AS family_name,
            (DATE '1930-01-01' + (hash(i, 'born') % 28000)::INTEGER)::VARCHAR AS birth_date,
            h.v AS street_number, s.v AS address_1, p.postcode, p.city
            FROM range({n_first}) AS r(i)
            INNER JOIN of_given_name AS g ON g.k = {drawn["given_name"]}
            INNER JOIN of_family_name AS f ON f.k = {drawn["family_name"]}
            INNER JOIN of_street_number AS h ON h.k = {drawn["street_number"]}
            INNER JOIN of_address_1 AS s ON s.k = {drawn["address_1"]}
            INNER JOIN of_place AS p ON p.k = {drawn["place"]}"""
        )
        slipped = ", ".join(slip.format(c=c) for c in columns)
        listed = ", ".join(columns)
        con.execute(
            f"""COPY (SELECT 'o' || i AS id, {listed} FROM first UNION ALL
            SELECT 't' || of AS id, {slipped} FROM (
                SELECT t.i + {n_first} AS i, f.i AS of, f.* EXCLUDE (i) FROM range({n - n_first}) AS t(i)
                INNER JOIN first AS f ON f.i = t.i * {max(1, n_first // max(1, n - n_first))}
            )) TO '{target}' (FORMAT csv, HEADER)"""
        )


def _propose(source: Path, folder: Path, n: int) -> dict[str, Any]:
    """Import the people, then compare them all; leaves rows and settings for the peer."""
    from rapport.events import subscriptions
    from rapport.listening import services as listening
    from rapport.people import services
    from rapport.people.rules import columns
    from rapport.people.selectors import records
    from rapport.people.services import linking
    from rapport.web.stores import initialise

    initialise()
    file = folder / "people.csv"
    _write_people(source, file, n)
    summary = listening.import_file("people", file, by="bench")
    subscriptions.settle(summary.last_seq or 0, ["people"])
    run: list[services.Proposing] = []
    took_s = timed(lambda: run.append(services.propose_identities()))
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    policy = services.linking_policy()
    with linking.engine() as con:  # not part of what is measured: the same rows and settings, for the peer
        n_people = records.make_records(con)
        linking.compare(con, f"SELECT id, {', '.join(columns.FIELDS)} FROM record")
        plan = linking.Plan.of(con, n_people)
        con.execute(f"COPY compared TO '{folder / 'compared.parquet'}' (FORMAT parquet)")
    (folder / "plan.json").write_text(
        json.dumps({"settings": plan.settings(), "trainings": plan.trainings, "from": policy.propose_from})
    )
    return {
        "s": took_s,
        "peak_gb": peak_gb,
        "waiting": run[0].waiting,
        **_found(n),
    }


def _found(n: int) -> dict[str, int]:
    """How many twins wait beside their first."""
    from rapport.people import selectors

    found, after = 0, ""
    while page := selectors.proposals(after=after, limit=5_000):
        found += sum(_is_twin(p.edge.a, p.edge.b) for p in page)
        after = page[-1].cursor
    return {"found": found, "twins": n - round(n * (1 - TWINS_RATIO))}


def _is_twin(a: str, b: str) -> bool:
    ends = {text.removeprefix("customer:") for text in (a, b)}
    numbers = {text[1:] for text in ends}
    return len(ends) == 2 and len(numbers) == 1


def _splink(folder: Path) -> dict[str, Any]:
    """Splink by itself: the same rows, settings and training, its predictions made a table."""
    from splink import DuckDBAPI, Linker, SettingsCreator
    from splink.internals.exceptions import EMTrainingException

    from rapport.events import lake
    from rapport.people.services.linking import RANDOM_PAIRS, SAMPLED_PAIRS

    plan = json.loads((folder / "plan.json").read_text())
    counted: list[int] = []

    def work() -> None:
        with lake.new_engine() as con:
            con.execute(f"CREATE TABLE compared AS SELECT * FROM '{folder / 'compared.parquet'}'")
            linker = Linker(
                DuckDBAPI(con).register("compared"), SettingsCreator(**plan["settings"]), log_level=None
            )
            _quiet()
            linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
            for rule in plan["trainings"]:
                # Where it gives up on a rule, we go on with the next, and so does it here.
                before = copy.deepcopy(linker._settings_obj)
                try:
                    linker.training.estimate_parameters_using_expectation_maximisation(
                        rule, max_pairs=SAMPLED_PAIRS
                    )
                except (EMTrainingException, ValueError):
                    linker._settings_obj = before
            found = linker.inference.predict(threshold_match_probability=0.01 / 4).as_duckdbpyrelation()
            row = found.filter(f"match_probability >= {plan['from']}").count("*").fetchone()
            counted.append(int(row[0]) if row else 0)

    return {"s": timed(work), "pairs": counted[0]}


def main(what: str, *arguments: str) -> None:
    import django

    django.setup()
    if what == "file":
        result = _file(Path(arguments[0]))
    elif what == "propose":
        result = _propose(Path(arguments[0]), Path(arguments[1]), int(arguments[2]))
    else:
        result = _splink(Path(arguments[0]))
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
