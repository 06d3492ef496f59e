"""Painting: what the newest fit found, told in figures, one portrait for each persona."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.insights import rules as insight_rules
from rapport.insights.selectors.learnt import learnt
from rapport.insights.services.following import table_of
from rapport.kit import clock, query
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.selectors import rows
from rapport.personas import rules, selectors
from rapport.personas.models import Card, Finding, Portrait
from rapport.personas.services import speaking

TEXTS_EACH = 5  # of one person
TEXTS_MOST = 20_000  # of one persona
LIFTS_KEPT = 12  # of one facet
NEEDS_KEPT = 5


def paint() -> int:
    """Tell what the newest fit found; gives how many personas there are. A fit that is told already stays as it is."""
    found = learnt(selectors.MODEL)
    if found is None or Finding.objects.filter(learnt_at=found.at).exists():
        return 0
    content = json.loads(found.content)
    scores = people.scores_arrow()
    arrow: Any = pc
    mine = _present(scores.filter(arrow.equal(scores["name"], selectors.MODEL)), content)
    member = pa.table({"person": mine["person"], "key": mine["label"], "fit": mine["value"]})
    jaccard = {one["key"]: one["jaccard"] for one in content["personas"]}
    profiles = _profiles(member, scores, jaccard) if member.num_rows else {}
    now = clock.now()
    with transaction.atomic():
        finding = Finding.objects.create(
            found_at=now,
            learnt_at=found.at,
            version=found.version,
            n_people=member.num_rows,
            n_learnt=content["n"],
            choice=content["choice"],
        )
        for key, (n, profile) in sorted(profiles.items()):
            card, _ = Card.objects.get_or_create(key=key, defaults={"first_found_at": now})
            Portrait.objects.create(card=card, finding=finding, n=n, profile=profile.as_json())
    return len(profiles)


def _present(mine: pa.Table, content: dict[str, Any]) -> pa.Table:
    """Who has one of the personas there are; of whom a former fit said one that is gone, that is forgotten."""
    arrow: Any = pc
    keys = pa.array([one["key"] for one in content["personas"]], pa.string())
    is_gone = arrow.invert(arrow.is_in(mine["label"], value_set=keys))
    gone = rows.numbers(mine.filter(is_gone), "person")
    if gone.size:
        people_services.drop_scores(gone, selectors.MODEL)
    return mine.filter(arrow.invert(is_gone))


def _profiles(
    member: pa.Table, scores: pa.Table, jaccard: dict[str, float | None]
) -> dict[str, tuple[int, rules.Profile]]:
    con = lake.connect()
    try:
        lake.give(con, "member", member)
        lake.give(con, "input", _typed(table_of(selectors.MODEL)))
        lake.give(con, "score", scores)
        lifts = _lifts(con)
        means = _means(con)
        needs = _needs(member, scores)
        spoken = _spoken(con)
    finally:
        con.close()
    keys = member["key"].to_numpy(zero_copy_only=False).astype(str)
    fit = member["fit"].to_numpy(zero_copy_only=False)
    found = {}
    for key in np.unique(keys).tolist():
        here = keys == key
        n = int(here.sum())
        low, high = rules.share_interval(n, len(keys))
        words, quotes = spoken.get(key, ((), ()))
        found[key] = (
            n,
            rules.Profile(
                share=n / len(keys),
                share_low=low,
                share_high=high,
                n_sure=int((fit[here] >= rules.SURE_FIT).sum()),
                mean_fit=float(fit[here].mean()),
                jaccard=jaccard.get(key),
                lifts=tuple(lifts[key]),
                means=tuple(means[key]),
                needs=tuple(needs.get(key, ())),
                words=words,
                quotes=quotes,
            ),
        )
    return found


def _typed(table: pa.Table) -> pa.Table:
    """The model's input; a list of which nobody has an entry is told as one of names."""
    entry = pa.list_(pa.struct([("name", pa.string()), ("n", pa.int64())]))
    for name in ("bought", "ordered_by", "looks_by", "hours", "referrers", "sections"):
        if not pa.types.is_struct(table[name].type.value_type):
            table = table.set_column(
                table.column_names.index(name), name, pa.array([[]] * table.num_rows, entry)
            )
    return table


def _lifts(con: duckdb.DuckDBPyConnection) -> dict[str, list[rules.Lift]]:
    told = query.run(con, query.load("rapport.personas", "facets")).to_arrow_table().to_pylist()
    by_facet: dict[tuple[str, str], list[rules.Lift]] = defaultdict(list)
    for row in told:
        if row["n"] >= rules.PEOPLE_LEAST and not selectors.is_closed(row["name"]):
            key = row.pop("key")
            by_facet[key, row["facet"]].append(rules.lift(**row))
    found: dict[str, list[rules.Lift]] = defaultdict(list)
    for (key, _facet), lifts in sorted(by_facet.items()):
        found[key] += sorted(lifts, key=lambda one: (-one.n, one.name))[:LIFTS_KEPT]
    return found


def _means(con: duckdb.DuckDBPyConnection) -> dict[str, list[rules.Mean]]:
    found: dict[str, list[rules.Mean]] = defaultdict(list)
    for row in query.run(con, query.load("rapport.personas", "means")).to_arrow_table().to_pylist():
        if row["n"] < rules.PEOPLE_LEAST:
            continue
        half = rules.Z * row["spread"] / row["n"] ** 0.5
        found[row["key"]].append(
            rules.Mean(
                row["name"], row["unit"], row["n"], row["value"], row["value"] - half, row["value"] + half,
                row["everybody"], row["spread_all"],
            )
        )  # fmt: skip
    return found


def _needs(member: pa.Table, scores: pa.Table) -> dict[str, list[rules.Lift]]:
    """What another model expects each to buy next, counted by persona."""
    arrow: Any = pc
    expected = scores.filter(arrow.equal(scores["name"], "next_category")).select(["person", "label"])
    joined = member.join(expected, "person", join_type="inner")
    if joined.num_rows == 0:
        return {}
    counted = joined.group_by(["key", "label"]).aggregate([("person", "count")]).to_pylist()
    of: dict[str, int] = defaultdict(int)
    everybody: dict[str, int] = defaultdict(int)
    for row in counted:
        of[row["key"]] += row["person_count"]
        everybody[row["label"]] += row["person_count"]
    found: dict[str, list[rules.Lift]] = defaultdict(list)
    for row in sorted(counted, key=lambda r: (-r["person_count"], r["label"])):
        key, label, n = row["key"], row["label"], row["person_count"]
        if (
            label
            and len(found[key]) < NEEDS_KEPT
            and n >= rules.PEOPLE_LEAST
            and not selectors.is_closed(label)
        ):
            found[key].append(rules.lift("next", label, n, of[key], everybody[label], sum(of.values())))
    return found


def _spoken(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[tuple[rules.Word, ...], tuple[int, ...]]]:
    """Words and quotes; who refuses to be counted is not read, and only who lets us ask them is quoted."""
    everybody = people.identity_arrow()
    arrow: Any = pc
    refused = consent.refused_subjects(selectors.COUNTED_FOR)
    lake.give(
        con,
        "identity",
        everybody.filter(
            arrow.invert(arrow.is_in(everybody["subject"], value_set=refused["subject"].combine_chunks()))
        ),
    )
    asked = {
        "own_words": list(insight_rules.OWN_WORDS),
        "most": TEXTS_MOST,
        "each": TEXTS_EACH,
    }
    texts = query.run(con, query.load("rapport.personas", "texts"), asked).to_arrow_table()
    if texts.num_rows == 0:
        return {}
    agreed = pa.array(selectors.lets_us_quote(), pa.int64())
    may_quote = everybody.filter(arrow.is_in(everybody["subject"], value_set=agreed))["person"]
    return speaking.spoken(texts, arrow.unique(may_quote))
