"""Broadcasts, and the comments that come in while they run: gathered from the log, those alike put together."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from rapport.events import lake
from rapport.events.subscriptions import Batch
from rapport.kit import bulk, clock, query
from rapport.kit.errors import Invalid, NotFound
from rapport.listening import selectors as listening
from rapport.publishing.models import Band, Broadcast, Bunch, Comment
from rapport.publishing.rules import alike, asking
from rapport.publishing.rules.joining import belongs, joins_of

KEY = "broadcasts"  # of the subscriber
SLICE = 500  # rows of one transaction: the desk sees what came after each
EARLY = dt.timedelta(minutes=15)  # people gather before it begins, and go on after it ends
LATE = dt.timedelta(minutes=30)
SAID = ("post_published", "message_received")
CHANGING = ("post_edited", "post_deleted")
EARLY_SUBJECT = 0  # of what is shown before the log has it; no subject has this number
LASTS_MAX = dt.timedelta(hours=48)


def begin(
    *,
    title: str,
    sources: Sequence[str],
    joins: Iterable[str],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: str,
) -> Broadcast:
    """Set up a broadcast: whatever is said by its sources in its time, and names one of `joins`, is its."""
    return Broadcast.objects.create(author=by, **_sensible(title, sources, joins, starts_at, ends_at))


def change_broadcast(
    broadcast: uuid.UUID,
    *,
    title: str,
    sources: Sequence[str],
    joins: Iterable[str],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
) -> None:
    """Change what a broadcast is called, when it runs and what belongs to it; what came in stays."""
    kept = _sensible(title, sources, joins, starts_at, ends_at)
    if not Broadcast.objects.filter(pk=broadcast).update(
        **kept, token=F("token") + 1, changed_at=clock.now()
    ):
        raise NotFound(f"there is no broadcast {broadcast}", "Load the list again.")


def end(broadcast: uuid.UUID) -> None:
    """Say that a broadcast is over; comments are gathered for a while yet."""
    now = clock.now()
    Broadcast.objects.filter(pk=broadcast, ends_at__gt=now).update(ends_at=now, token=F("token") + 1)


def _sensible(
    title: str, sources: Sequence[str], joins: Iterable[str], starts_at: dt.datetime, ends_at: dt.datetime
) -> dict[str, Any]:
    if not title.strip():
        raise Invalid(_("it has no name"), _("Say what is broadcast."))
    if not sources:
        raise Invalid(_("no source was chosen"), _("Choose where comments are read."))
    for name in sources:
        listening.source(name)
    if ends_at <= starts_at or ends_at - starts_at > LASTS_MAX:
        raise Invalid(_("it would end before it begins, or after two days"), _("Set another time."))
    return {
        "title": title.strip()[:160],
        "sources": list(dict.fromkeys(sources)),
        "joins": joins_of(joins),
        "starts_at": starts_at,
        "ends_at": ends_at,
    }


def gather(batch: Batch) -> None:
    """Take in what was said of broadcasts that run, or ran when it was said; a batch given again changes nothing."""
    if batch.events.num_rows:
        _gather(batch.events)
    # What was shown early, and is not what the log says: it refused it, knew it already, or left it out.
    if (early := Comment.objects.filter(subject=EARLY_SUBJECT, seq__lte=batch.seq_to)).exists():
        drop(early)


def _gather(events: pa.Table) -> None:
    live_then = near(events)
    if not live_then and not Comment.objects.exists():
        return
    with lake.scratch() as con:
        con.register("event", events)
        found = query.run(con, query.load("rapport.publishing", "comments"), asked(live_then))
        rows = found.to_arrow_table().to_pylist()
    said = [row for row in rows if row["name"] not in CHANGING and row["words"].strip()]
    # Whoever was erased since is not known any more.
    known = identifiers_of({row["subject"] for row in said}) if said else {}
    who = {row["seq"]: (row["subject"], known[row["subject"]]) for row in said if row["subject"] in known}
    for live in live_then:
        mine = [row for row in said if is_of(live, row)]
        for at in range(0, len(mine), SLICE):
            take(live.pk, mine[at : at + SLICE], who)
    _follow([row for row in rows if row["name"] in CHANGING])


def asked(near: Sequence[Broadcast]) -> dict[str, Any]:
    """What `comments` is asked for these broadcasts."""
    return {
        "since": min((live.starts_at for live in near), default=clock.now()) - EARLY,
        "until": max((live.ends_at for live in near), default=clock.now()) + LATE,
        "sources": sorted({name for live in near for name in live.sources}),
    }


def near(events: pa.Table) -> list[Broadcast]:
    """Broadcasts in whose time something of these events was said."""
    arrow: Any = pc
    span = arrow.min_max(events["ts"]).as_py()
    since, until = span["min"], span["max"]
    return list(Broadcast.objects.filter(starts_at__lte=until + EARLY, ends_at__gte=since - LATE))


def is_of(broadcast: Broadcast, row: Mapping[str, Any]) -> bool:
    """Whether it was said at a broadcast's time and place."""
    in_time = broadcast.starts_at - EARLY <= row["ts"] <= broadcast.ends_at + LATE
    return in_time and row["source"] in broadcast.sources and belongs(broadcast.joins, row)


def take(broadcast: uuid.UUID, rows: Sequence[Mapping[str, Any]], who: Mapping[int, tuple[int, str]]) -> None:
    """Keep comments that are not here yet; `who` says subject and identifier of each, by its number."""
    if not rows:
        return
    with transaction.atomic():
        live = Broadcast.objects.select_for_update().get(pk=broadcast)
        here = {
            comment.seq: comment
            for comment in Comment.objects.filter(broadcast=live, seq__in=[row["seq"] for row in rows]).only(
                "seq", "subject", "identifier"
            )
        }
        _confirm([comment for comment in here.values() if comment.subject == EARLY_SUBJECT], who)
        fresh = [row for row in rows if row["seq"] not in here and row["seq"] in who]
        if not fresh:
            return
        live.token += 1
        bunches = _bunched(live, fresh)
        Comment.objects.bulk_create(
            [
                Comment(
                    broadcast=live,
                    bunch=bunch,
                    seq=row["seq"],
                    subject=who[row["seq"]][0],
                    identifier=who[row["seq"]][1],
                    author_name=row["author_name"][:200],
                    text=row["words"],
                    source=row["source"],
                    network=row["network"] or who[row["seq"]][1].partition(":")[0],
                    venue=row["venue"],
                    post_id=row["post_id"],
                    thread=row["thread"],
                    url=row["url"],
                    is_public=row["name"] == "post_published",
                    said_at=row["ts"],
                )
                for row, bunch in zip(fresh, bunches, strict=True)
            ]
        )
        live.n_comments += len(fresh)
        live.save(update_fields=["token", "n_comments"])


def _confirm(early: Sequence[Comment], who: Mapping[int, tuple[int, str]]) -> None:
    """The log has them: what was shown early stays, and is known by its subject."""
    confirmed = []
    for comment in early:
        subject, identifier = who.get(comment.seq, (EARLY_SUBJECT, ""))
        if subject != EARLY_SUBJECT:
            comment.subject, comment.identifier = subject, identifier
            confirmed.append(comment)
    Comment.objects.bulk_update(confirmed, ["subject", "identifier"], batch_size=200)


def _bunched(live: Broadcast, rows: Sequence[Mapping[str, Any]]) -> list[Bunch]:
    """The bunch of each row: one that says the same, or a new one; all of them are kept."""
    words = [alike.plain(row["words"]) for row in rows]
    banded = {text: alike.bands(text) for text in dict.fromkeys(words)}
    by_key, plain = _candidates(live, {key for keys in banded.values() for key in keys})
    made: list[Bunch] = []
    touched: dict[int, Bunch] = {}
    of_text: dict[str, Bunch] = {}
    found: list[Bunch] = []
    for row, text in zip(rows, words, strict=True):
        bunch = of_text.get(text) or _same(text, banded[text], by_key, plain)
        if bunch is None:
            bunch = Bunch(
                broadcast=live, text=row["words"], language=row["language"][:16],
                is_question=asking.asks(row["words"]), first_at=row["ts"], last_at=row["ts"],
            )  # fmt: skip
            made.append(bunch)
            plain[id(bunch)] = text
            for key in banded[text]:
                by_key.setdefault(key, []).append(bunch)
        of_text[text] = bunch
        bunch.n += 1
        bunch.n_since += bunch.state in (Bunch.State.ANSWERED, Bunch.State.WAITING)
        bunch.is_question = bunch.is_question or asking.asks(row["words"])
        bunch.last_at, bunch.token = max(bunch.last_at, row["ts"]), live.token
        touched[id(bunch)] = bunch
        found.append(bunch)
    Bunch.objects.bulk_create(made)
    new = set(map(id, made))
    old = [bunch for key, bunch in touched.items() if key not in new]
    Bunch.objects.bulk_update(old, ["n", "n_since", "is_question", "last_at", "token"], batch_size=200)
    Band.objects.bulk_create(
        [Band(broadcast=live, key=key, bunch=bunch) for bunch in made for key in banded[plain[id(bunch)]]],
        ignore_conflicts=True,
    )
    return found


def _candidates(live: Broadcast, keys: set[int]) -> tuple[dict[int, list[Bunch]], dict[int, str]]:
    pairs = [
        pair
        for part in bulk.parts(sorted(keys))
        for pair in Band.objects.filter(broadcast=live, key__in=part).values_list("key", "bunch_id")
    ]
    near: dict[int, Bunch] = {}
    for part in bulk.parts(sorted({bunch for _key, bunch in pairs})):
        near |= Bunch.objects.in_bulk(list(part))
    by_key: dict[int, list[Bunch]] = {}
    for key, bunch in pairs:
        if bunch in near:
            by_key.setdefault(key, []).append(near[bunch])
    return by_key, {id(bunch): alike.plain(bunch.text) for bunch in near.values()}


def _same(
    text: str, keys: Sequence[int], by_key: Mapping[int, Sequence[Bunch]], plain: Mapping[int, str]
) -> Bunch | None:
    tried: set[int] = set()
    for key in keys:
        for bunch in by_key.get(key, ()):
            if id(bunch) not in tried:
                tried.add(id(bunch))
                if alike.is_same(text, plain[id(bunch)]):
                    return bunch
    return None


def identifiers_of(subjects: set[int]) -> dict[int, str]:
    """Who these subjects are; whoever was erased since is not among them."""
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "wanted", pa.table({"subject": pa.array(sorted(subjects), pa.int64())}))
            return dict(query.run(con, query.load("rapport.publishing", "identifiers"), {}).fetchall())
    finally:
        con.close()


def _follow(changes: Sequence[Mapping[str, Any]]) -> None:
    """Edits and deletions: what was taken back on its network goes here too."""
    for row in changes:
        network = row["network"]
        with transaction.atomic():
            found = Comment.objects.filter(post_id=row["post_id"])
            found = found.filter(network=network) if network else found.filter(source=row["source"])
            if not row["post_id"] or not found.exists():
                continue
            if row["name"] == "post_deleted":
                drop(found)
            elif row["words"].strip():
                firsts = [c for c in found.select_related("bunch") if c.bunch.text == c.text]
                found.update(text=row["words"])
                for comment in firsts:
                    Bunch.objects.filter(pk=comment.bunch_id).update(text=row["words"])
                    _move_on(comment.bunch_id)


def drop(comments: Any) -> int:
    """Delete comments; a bunch keeps the words of one that is left, or goes with the last. Gives how many."""
    held = list(comments.values_list("id", "bunch_id", "broadcast_id"))
    for part in bulk.parts([comment for comment, _bunch, _live in held]):
        Comment.objects.filter(id__in=part).delete()
    for number in {bunch for _comment, bunch, _live in held}:
        left = Comment.objects.filter(bunch=number).order_by("id")
        first = left.first()
        if first is None:
            Bunch.objects.filter(pk=number).delete()
            continue
        Band.objects.filter(bunch=number).delete()
        Band.objects.bulk_create(
            [
                Band(broadcast_id=first.broadcast_id, key=key, bunch_id=number)
                for key in alike.bands(alike.plain(first.text))
            ]
        )
        Bunch.objects.filter(pk=number).update(text=first.text, n=left.count())
        _move_on(number)
    for broadcast in {live for _comment, _bunch, live in held}:
        Broadcast.objects.filter(pk=broadcast).update(
            n_comments=Comment.objects.filter(broadcast=broadcast).count(), token=F("token") + 1
        )
    return len(held)


def _move_on(bunch: int) -> None:
    """Have desks show a bunch anew."""
    live = Bunch.objects.filter(pk=bunch).values_list("broadcast", flat=True).first()
    if live is not None:
        Broadcast.objects.filter(pk=live).update(token=F("token") + 1)
        token = Broadcast.objects.values_list("token", flat=True).get(pk=live)
        Bunch.objects.filter(pk=bunch).update(token=token)
