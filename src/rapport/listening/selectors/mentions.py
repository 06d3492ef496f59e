"""Where what is followed was said: marked when it was read, or found in what was imported."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake
from rapport.kit import query
from rapport.listening.models import Source
from rapport.listening.rules import following
from rapport.listening.services.following import ROWS_AT_ONCE, rules

MENTION = pa.schema([("seq", pa.int64()), ("key", pa.string())])
PUBLIC = ("post_published", "community_posted", "post_edited")
KEPT = 8  # answers that are kept until the log or the rules change

_kept: dict[tuple[object, ...], pa.Table] = {}


@dataclass(frozen=True, slots=True)
class MentionDay:
    """How often something that is followed was named on one UTC day, and by how many."""

    day: dt.date
    key: str
    n: int
    n_authors: int


def mentions(since: dt.datetime, until: dt.datetime) -> pa.Table:
    """(seq, key): what was said in public of what is followed, each text once for each key.

    What our sources read was marked then; imported texts are searched now, by today's rules.
    """
    followed = rules()
    if not followed:
        return MENTION.empty_table()
    asked = (since, until, tuple(followed), lake.stamp(), tuple(_sources()))
    found = _kept.get(asked)
    if found is None:
        while len(_kept) >= KEPT:
            _kept.pop(next(iter(_kept)), None)
        found = _kept[asked] = _found(since, until, followed)
    return found


def _sources() -> list[str]:
    return list(Source.objects.order_by("name").values_list("name", flat=True))


def _found(since: dt.datetime, until: dt.datetime, followed: list[following.Rule]) -> pa.Table:
    span = {"since": since, "until": until, "names": list(PUBLIC), "sources": _sources()}
    con = lake.connect()
    try:
        marked = query.run(con, query.load("rapport.listening", "marked_mentions"), span).to_arrow_table()
        known = pa.array([rule.key for rule in followed])
        parts = [marked.filter(pc.is_in(marked["key"], value_set=known)).cast(MENTION)]
        reader = query.run(con, query.load("rapport.listening", "unmarked_texts"), span).to_arrow_reader(
            ROWS_AT_ONCE
        )
        for texts in reader:
            plain = following.folded(texts.column("text"))
            spoken, venues = (pc.utf8_lower(texts.column(name)) for name in ("language", "venue"))
            for rule in followed:
                places = pa.array(np.flatnonzero(following.matches(rule, plain, spoken, venues)))
                seqs = texts.column("seq").take(places)
                parts.append(pa.table([seqs, pa.repeat(rule.key, len(seqs))], schema=MENTION))
    finally:
        con.close()
    return pa.concat_tables(parts)


def mentions_by_day(since: dt.datetime, until: dt.datetime) -> list[MentionDay]:
    """One row per UTC day and key; a day without a row was quiet, or not covered: the gaps say which."""
    found = mentions(since, until)
    if not found.num_rows:
        return []
    con = lake.connect()
    try:
        lake.give(con, "mention", found)
        asked = {"since": since, "until": until}
        rows = query.run(con, query.load("rapport.listening", "mentions_by_day"), asked).fetchall()
    finally:
        con.close()
    return [MentionDay(*row) for row in rows]
