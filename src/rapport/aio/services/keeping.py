"""Writing statements down: rows by subject, scores by person, the topics, and how people stand over all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from rapport.aio import rules
from rapport.aio.models import Topic
from rapport.aio.selectors.titles import titled
from rapport.kit import bulk, clock
from rapport.people import services as people_services
from rapport.people.selectors import rows

MODEL = "aio"
UNIT = ""
COLUMNS = (
    "subject", "kind", "about", "origin", "n", "weight", "moment", "square", "doubt", "of_all", "share",
    "recent_weight", "recent_moment", "evidence",
)  # fmt: skip
KEY = ("subject", "kind", "about", "origin")
DROPPED_AT_ONCE = 2_000  # rows


def write(kept: pa.Table, now: dt.datetime) -> int:
    """Keep these rows in place of all there were; gives how many."""
    at = bulk.time_value(now)
    names = [*COLUMNS, "made_at", "version"]
    bulk.upsert(
        "aio_statement",
        names,
        (
            (*row, at, rules.VERSION)
            for batch in kept.select(COLUMNS).to_batches(max_chunksize=bulk.SLICE_ROWS)
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ),
        conflict=KEY,
        update=[name for name in names if name not in KEY],
    )
    _drop_older(now)
    return len(kept)


def _drop_older(now: dt.datetime) -> None:
    """Rows that this time were not found any more, by ranges of subjects so that others can write in between."""
    schema = pa.schema([("last", pa.int64())])
    last = -1
    while True:
        found = rows.table(
            "SELECT max(subject) FROM (SELECT subject FROM aio_statement WHERE subject > %s"
            " ORDER BY subject LIMIT %s) AS piece",
            schema,
            [last, DROPPED_AT_ONCE],
        )["last"][0].as_py()
        if found is None:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM aio_statement WHERE subject > %s AND subject <= %s AND made_at < %s",
                [last, int(found), bulk.time_value(now)],
            )
        last = int(found)
        clock.sleep(bulk.PAUSE_S)


def keep_topics(found: Iterable[tuple[str, str, str, int, list[str]]]) -> None:
    """What people turn to, in place of what they turned to before."""
    with transaction.atomic():
        Topic.objects.all().delete()
        Topic.objects.bulk_create(
            Topic(key=key, title=titled(title), source=source, n_people=n, words=list(words))
            for key, title, source, n, words in found
            if len(key) <= Topic._meta.get_field("key").max_length  # type: ignore[operator]
        )


def counts(standing: pa.Table) -> list[rules.Standing]:
    """How people stand toward each thing, most people first."""
    people_of = len(pc.unique(standing["person"]))
    grouped = (
        standing.append_column("positive", pc.cast(pc.greater(standing["value"], 0), pa.int64()))
        .append_column("negative", pc.cast(pc.less(standing["value"], 0), pa.int64()))
        .append_column("is_declared", pc.cast(pc.equal(standing["origin"], rules.DECLARED), pa.int64()))
        .group_by(["kind", "about"])
        .aggregate([("person", "count"), ("positive", "sum"), ("negative", "sum"), ("is_declared", "sum")])
    )
    found = [
        rules.standing_of(
            row["kind"],
            row["about"],
            (row["person_count"], row["positive_sum"], row["negative_sum"], row["is_declared_sum"]),
            people_of,
        )
        for row in grouped.to_pylist()
    ]
    return sorted(found, key=lambda s: (s.kind, -s.n, s.about))


def write_scores(standing: pa.Table, identity: pa.Table, now: dt.datetime) -> int:
    """`interest:…`, `attitude:…` and `opinion:…` of everybody, the names of most people only."""
    names = {
        (kind, one.about)
        for kind, most in rules.SCORES_MAX.items()
        for one in [s for s in counts(standing) if s.kind == kind][:most]
    }
    name = pc.binary_join_element_wise(standing["kind"], standing["about"], ":")
    wanted = pa.array(sorted(f"{kind}:{about}" for kind, about in names), pa.string())
    # Whoever said that they do not care about something has no figure of an interest in it.
    cares = pc.or_(pc.not_equal(standing["kind"], rules.INTEREST), pc.greater(standing["value"], 0))
    chosen = pc.and_(pc.is_in(name, value_set=wanted), cares)
    table = standing.append_column("name", name).filter(chosen)
    n = table.num_rows
    written = 0
    if n:
        table = table.append_column("label", labels(table))
        table = table.append_column("reason", reasons(table))
        scores: dict[str, Any] = {
            c: table[c] for c in ("person", "name", "value", "low", "high", "label", "reason")
        }
        scores |= {
            "unit": pa.repeat(UNIT, n),
            "as_of": pa.repeat(pa.scalar(now, pa.timestamp("us", tz="UTC")), n),
            "model": pa.repeat(MODEL, n),
            "version": pa.repeat(rules.VERSION, n),
        }
        written = people_services.write_scores(pa.table(scores), identity=identity)
    _drop_scores_before(now)
    return written


def _drop_scores_before(now: dt.datetime) -> None:
    """What was written of people earlier and not again."""
    schema = pa.schema([("person", pa.int64())])
    stale = rows.table(
        "SELECT DISTINCT person FROM people_score WHERE model = %s AND as_of < %s",
        schema,
        [MODEL, bulk.time_value(now)],
    )
    if stale.num_rows:
        people_services.drop_scores(rows.numbers(stale, "person"), MODEL, before=now)


def labels(table: pa.Table) -> pa.Array:
    """`interested`, `for`, `against` or `indifferent`."""
    value = table["value"]
    stance = pc.if_else(pc.greater(value, 0), "for", pc.if_else(pc.less(value, 0), "against", "indifferent"))
    return pc.if_else(pc.equal(table["kind"], rules.INTEREST), "interested", stance)


def reasons(table: pa.Table) -> pa.Array:
    """One sentence each, that a marketer understands."""
    value = np.asarray(table["value"].to_numpy(zero_copy_only=False), np.float64)
    lift = np.minimum(value, 0.99) / (1 - np.minimum(value, 0.99))
    times = pc.cast(pa.array(np.round(lift, 1)), pa.string())
    n = pc.cast(table["n"], pa.string())
    side = pc.if_else(pc.greater(table["value"], 0), "for", "against")
    turned = pc.binary_join_element_wise(
        "Turned to it in ",
        n,
        " weeks; it has ",
        times,
        " times as much of their attention as people give it on average.",
        "",
    )
    said = pc.binary_join_element_wise(
        "Texts that show it: ", n, ", and on the whole they are ", side, " it.", ""
    )
    of_act = pc.equal(table["kind"], rules.INTEREST)
    declared = pc.equal(table["origin"], rules.DECLARED)
    return pc.if_else(declared, "They said so themselves.", pc.if_else(of_act, turned, said))
