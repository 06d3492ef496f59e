"""Working out everybody's statements, as of now."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.aio import rules
from rapport.aio.models import Refresh, Word
from rapport.aio.selectors.asked import questions
from rapport.aio.selectors.overall import last_refresh
from rapport.aio.selectors.persons import PURPOSE, TEXTS_PURPOSE, in_order
from rapport.aio.services import forgetting, keeping
from rapport.aio.services.making import Making, Named, sums
from rapport.consent import services as consent
from rapport.consent.services.erasing import LOCK as ERASURES
from rapport.events import lake, spool, subscriptions
from rapport.events import services as events
from rapport.insights import selectors as insights
from rapport.kit import clock, home
from rapport.people import selectors as people
from rapport.people.rules.graph import is_in
from rapport.people.selectors import rows

log = logging.getLogger(__name__)

LOCK = "aio"
STANDS_ON = ("people", "consent")  # subscribers
DUE_HOURS = 20
KEPT = 5  # refreshes whose figures stay

Progress = Callable[[str], None]


def is_due() -> bool:
    """Whether statements were last worked out most of a day ago."""
    last = last_refresh()
    return last is None or clock.now() - last.started_at > dt.timedelta(hours=DUE_HOURS)


def refresh(progress: Progress | None = None) -> Refresh:
    """Work out statements for everybody who may be read, keep them, and write them down as scores.

    Raises NotFound or Denied where the firm has no purpose to make estimates of people for.
    """
    show = progress or (lambda _: None)
    head = spool.current().next_seq() - 1
    events.settle(head)
    subscriptions.settle(head, keys=STANDS_ON)
    began = clock.monotonic_s()
    record = Refresh.objects.create(started_at=clock.now(), version=rules.VERSION)
    try:
        with home.lock(LOCK, wait=True):
            _carry_out(record, show)
    except BaseException as error:  # one that is stopped has found nothing either
        record.error = f"{type(error).__name__}: {error}"
        raise
    finally:
        record.ended_at = clock.now()
        record.duration_s = clock.monotonic_s() - began
        record.save()
        _forget_older()
    return record


def _forget_older() -> None:
    """Leave the newest refreshes, and the newest that ended well."""
    newest = list(Refresh.objects.order_by("-started_at").values_list("id", flat=True)[:KEPT])
    well = last_refresh()
    Refresh.objects.exclude(id__in=[*newest, *([well.id] if well else [])]).delete()


def _carry_out(record: Refresh, show: Progress) -> None:
    now = record.started_at
    leave = consent.warrant(
        PURPOSE, by=keeping.MODEL, why="statements of what people care about, think and stand for"
    )
    texts = consent.warrant(
        TEXTS_PURPOSE, by=keeping.MODEL, why="what people wrote, to state what they think"
    )
    everyone = people.identity_arrow()
    persons = people.person_ids("person")
    known = is_in(rows.numbers(everyone, "person"), persons)
    seen = _without(everyone.filter(pa.array(known)), leave.refuses())
    con = lake.connect()
    try:
        show("reading what was said")
        making = Making(con, now, seen.select(["subject", "person"]), _without(seen, texts.refuses()))
        making.attitudes(_named())
        making.opinions([asked for asked in questions() if asked.is_active])
        show("reading what was bought, read, searched and joined")
        making.interests()
        show("leaving out what nobody may reason from")
        making.leave_out_nameless()
        making.leave_out_sensitive()
        show("weighing the evidence")
        pooled = _allowed(making.pooled(), everyone)
        judged = _judged(pooled)
        keeping.keep_topics(making.topics())
        chosen = judged.filter(judged["suffices"])
        show("writing")
        kept = making.kept(chosen.select(["person", "kind", "about", "origin", "value"]))
    finally:
        con.close()
    # Nobody is erased while this is written, and who was erased since it was read is left out.
    with home.lock(ERASURES, wait=True):
        gone = _gone_since(everyone)
        record.n_statements = keeping.write(_not_of(kept, "subject", gone["subject"]), now)
        read_at = clock.now()
        believed = _allowed(_believed(chosen), everyone)  # again, for what was said since
        standing = pa.concat_tables([believed, _corrected(seen)], promote_options="default")
        standing = _not_of(standing, "person", gone["person"])
        record.n_people = len(pc.unique(standing["person"]))
        record.counts = [one.as_json() for one in rules.shown(keeping.counts(standing))]
        # A score is over all subjects of a person as they are, and not only over those that may be read.
        keeping.write_scores(standing, everyone, now)
    forgetting.forget_refused(leave.refuses())
    forgetting.forget_unread(texts.refuses())
    forgetting.forget_said_wrong(since=now, read_at=read_at)


def _gone_since(everyone: pa.Table) -> pa.Table:
    """The rows of an identity table whose subjects nobody knows any more."""
    present = rows.numbers(people.identity_arrow(), "subject")
    return everyone.filter(pa.array(~is_in(rows.numbers(everyone, "subject"), present)))


def _not_of(table: pa.Table, column: str, numbers: pa.ChunkedArray) -> pa.Table:
    if len(numbers) == 0:
        return table
    return table.filter(pc.invert(pc.is_in(table[column], value_set=numbers.combine_chunks())))


def _without(identity: pa.Table, refused: pa.Table) -> pa.Table:
    gone = np.unique(rows.numbers(refused, "subject"))
    if gone.size == 0:
        return identity
    return identity.filter(pa.array(~is_in(rows.numbers(identity, "subject"), gone)))


def _named() -> list[Named]:
    """The aspects of the firm's catalogue, by their words in all languages."""
    return [
        Named(
            aspect.key,
            tuple(sorted({rules.spoken(w) for words in aspect.words.values() for w in words} - {""})),
        )
        for aspect in insights.aspects(active_only=True)
    ]


def _allowed(pooled: pa.Table, everyone: pa.Table) -> pa.Table:
    """Without what somebody of these persons has called wrong, or put right themselves."""
    said = list(Word.objects.values_list("subject", "kind", "about"))
    person_of = _persons_of(everyone, [subject for subject, _, _ in said])
    wrong = {f"{person_of[s]}|{kind}|{about}" for s, kind, about in said if s in person_of}
    if not wrong:
        return pooled
    keys = pc.binary_join_element_wise(
        pc.cast(pooled["person"], pa.string()), pooled["kind"], pooled["about"], "|"
    )
    return pooled.filter(pc.invert(pc.is_in(keys, value_set=pa.array(sorted(wrong), pa.string()))))


def _persons_of(identity: pa.Table, subjects: list[int]) -> dict[int, int]:
    """The person of each of these subjects that is in the table."""
    mine = identity.filter(pc.is_in(identity["subject"], value_set=pa.array(subjects, pa.int64())))
    return dict(zip(mine["subject"].to_pylist(), mine["person"].to_pylist(), strict=True))


def _corrected(seen: pa.Table) -> pa.Table:
    """What people put right themselves, of those who may be read: one row each, as they said it."""
    said = in_order(Word.objects.all())
    person_of = _persons_of(seen, [w.subject for w in said])
    newest = {(person_of[w.subject], w.kind, w.about): w for w in said if w.subject in person_of}
    rights = [(*key, w.value) for key, w in sorted(newest.items()) if w.value is not None]
    persons, kinds, abouts, values = zip(*rights, strict=True) if rights else ((), (), (), ())
    value = pa.array(values, pa.float64())
    return pa.table(
        {
            "person": pa.array(persons, pa.int64()),
            "kind": pa.array(kinds, pa.string()),
            "about": pa.array(abouts, pa.string()),
            "origin": pa.repeat(rules.DECLARED, len(rights)),
            "n": pa.repeat(pa.scalar(1, pa.int64()), len(rights)),
            "value": value,
            "low": value,
            "high": value,
        }
    )


def _judged(pooled: pa.Table) -> pa.Table:
    """Every pooled row with its value, interval and whether it may be stated."""
    whole = sums(pooled)
    n = pooled.num_rows
    columns: dict[str, Any] = {name: np.zeros(n) for name in ("value", "low", "high")}
    suffices = np.zeros(n, dtype=bool)
    for kind in rules.KINDS:
        for origin in rules.ORIGINS:
            both = pc.and_(pc.equal(pooled["kind"], kind), pc.equal(pooled["origin"], origin))
            mask = both.to_numpy(zero_copy_only=False).astype(bool)
            if not mask.any():
                continue
            part = rules.Sums(*(getattr(whole, name)[mask] for name in rules.Sums.__dataclass_fields__))
            found = rules.judged(part, kind, origin)
            for name, values in columns.items():
                values[mask] = getattr(found, name)
            suffices[mask] = found.suffices
    trend = rules.trend(whole)
    for name, values in (columns | {"trend": trend, "suffices": suffices}).items():
        pooled = pooled.append_column(name, pa.array(values))
    return pooled


def _believed(chosen: pa.Table) -> pa.Table:
    """One row per person, kind and key: declared before observed before inferred."""
    ranks = pc.index_in(chosen["origin"], value_set=pa.array(rules.ORIGINS))
    ordered = chosen.append_column("rank", ranks).sort_by(
        [("person", "ascending"), ("kind", "ascending"), ("about", "ascending"), ("rank", "descending")]
    )
    if ordered.num_rows == 0:
        return ordered
    keys = pc.binary_join_element_wise(
        pc.cast(ordered["person"], pa.string()), ordered["kind"], ordered["about"], "|"
    ).combine_chunks()
    codes = np.asarray(keys.dictionary_encode().indices)
    first = np.ones(len(codes), dtype=bool)
    first[1:] = np.diff(codes) != 0
    return ordered.filter(pa.array(first))
