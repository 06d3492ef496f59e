"""Where what is followed was said: marked when it was read, or found in what was imported."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake
from rapport.kit import query
from rapport.listening.models import Follow, Source
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

    What our sources read was marked then. Imported texts, and what was read before a rule was made or changed,
    are searched now: by no rule does its own making look like people beginning to talk.
    """
    followed = rules()
    if not followed:
        return MENTION.empty_table()
    changed = dict(Follow.objects.filter(is_on=True).values_list("key", "changed_at"))
    asked = (since, until, tuple(followed), tuple(sorted(changed.items())), lake.stamp(), tuple(_sources()))
    found = _kept.get(asked)
    if found is None:
        while len(_kept) >= KEPT:
            _kept.pop(next(iter(_kept)), None)
        found = _kept[asked] = _found(since, until, followed, changed)
    return found


def _sources() -> list[str]:
    return list(Source.objects.order_by("name").values_list("name", flat=True))


def _found(
    since: dt.datetime, until: dt.datetime, followed: list[following.Rule], changed: dict[str, dt.datetime]
) -> pa.Table:
    span = {"since": since, "until": until, "names": list(PUBLIC), "sources": _sources()}
    con = lake.connect()
    try:
        marked = query.run(con, query.load("rapport.listening", "marked_mentions"), span).to_arrow_table()
        parts = []
        for rule in followed:
            holds = pc.and_(
                pc.equal(marked["key"], rule.key),
                pc.greater_equal(marked["received_at"], _moment(changed, rule.key)),
            )
            parts.append(marked.filter(holds).select(MENTION.names).cast(MENTION))
        span["changed_at"] = max(
            (changed[rule.key] for rule in followed if rule.key in changed), default=since
        )
        reader = query.run(con, query.load("rapport.listening", "unmarked_texts"), span).to_arrow_reader(
            ROWS_AT_ONCE
        )
        for texts in reader:
            plain = following.folded(texts.column("text"))
            spoken, venues = (pc.utf8_lower(texts.column(name)) for name in ("language", "venue"))
            for rule in followed:
                is_old = pc.less(texts.column("marked_at"), _moment(changed, rule.key))
                found = following.matches(rule, plain, spoken, venues)
                found &= pc.fill_null(is_old, True).to_numpy(zero_copy_only=False)
                places = pa.array(np.flatnonzero(found))
                seqs = texts.column("seq").take(places)
                parts.append(pa.table([seqs, pa.repeat(rule.key, len(seqs))], schema=MENTION))
    finally:
        con.close()
    return pa.concat_tables(parts)


def _moment(changed: dict[str, dt.datetime], key: str) -> pa.Scalar:
    """When a rule was last made or changed; what was read before was marked by another, or by none."""
    return pa.scalar(changed.get(key, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)), pa.timestamp("us", tz="UTC"))


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
