"""Verbs of pacing: define an experiment, assign holdouts, pause marketing or everything, and go on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from django.db import connection, transaction

from rapport.consent.erasers import Erasing
from rapport.events import lake
from rapport.kit import bulk, clock, query, secret
from rapport.kit.errors import NotFound
from rapport.pacing import rules, selectors
from rapport.pacing.models import Experiment, Holdout, Pause, PauseAll
from rapport.people import selectors as people

GATE = (
    0x52_61_70_70_6F_72_74_02  # PostgreSQL's advisory lock between whoever stops everything and whoever sends
)
WHY_CHARS_MAX = 500  # it stands above every page
ASKED_AT_ONCE = 500  # subjects in one condition of the operational store

ASKING = pa.schema([("subject", pa.int64()), ("core", pa.int64())])
STORED = pa.schema([("subject", pa.int64()), ("is_held_out", pa.bool_()), ("assigned_us", pa.int64())])


def define(experiment: str, share_ratio: float, meaning: str = "") -> None:
    """Name an experiment and the share of people to hold out; who was assigned before keeps it."""
    Experiment.objects.update_or_create(
        key=rules.checked_experiment(experiment),
        defaults={"share_ratio": rules.checked_share(share_ratio), "meaning": meaning},
        create_defaults={
            "share_ratio": rules.checked_share(share_ratio),
            "meaning": meaning,
            "created_at": clock.now(),
        },
    )


def holdout(person_core: int, experiment: str) -> bool:
    """Whether this person is held out; decided by keyed hash and stored at first use."""
    return person_core in held_out([person_core], experiment)


def held_out(subjects: Sequence[int], experiment: str) -> set[int]:
    """Those of these subjects whose person is held out; each keeps what it was given at first use.

    Every subject of a person is stored with the answer. Merged, the person takes the earliest answer of
    its parts; un-merged, each part has its own again. Raises NotFound for an experiment nobody defined.
    """
    share = selectors.share_ratio(experiment)
    if share is None:
        raise NotFound(f"there is no experiment {experiment!r}", "Define it with the share to hold out.")
    if not len(subjects):
        return set()
    wanted = np.unique(np.asarray(subjects, np.int64))
    asking = _of_the_same_cores(wanted)
    found = _assigned(asking, experiment, share)
    _store(found, experiment)
    held = set(found.filter(found["is_held_out"])["subject"].to_pylist())
    return held & set(wanted.tolist())


def pause(by: str, why: str = "") -> None:
    """Let nothing but service messages leave from now on; what is planned waits."""
    Pause.objects.get_or_create(id=1, defaults={"since": clock.now(), "by": by, "why": why})


def resume() -> None:
    """Let what waits leave."""
    Pause.objects.all().delete()


def pause_all(by: str, why: str = "") -> selectors.PauseAllView:
    """Let nothing leave from now on, public or private, but what colleagues need; what is planned waits.

    Once this has returned, nothing more is marked as leaving: whoever marks looks at the pause behind the same
    gate. Where everything is paused already, that pause goes on and is given.
    """
    with transaction.atomic():
        _close_gate()
        if (holds := selectors.pause_all()) is not None:
            return holds
        PauseAll.objects.create(since=clock.now(), by=by, why=why.strip()[:WHY_CHARS_MAX])
    holds = selectors.pause_all()
    if holds is None:  # somebody went on in between
        return selectors.pauses_of_all(1)[0]
    return holds


def resume_all(by: str) -> selectors.PauseAllView | None:
    """Let what waits leave; gives the pause that ended, None where there was none."""
    with transaction.atomic():
        _close_gate()
        holds = selectors.pause_all()
        if holds is None:
            return None
        PauseAll.objects.filter(pk=holds.id).update(ended_at=clock.now(), ended_by=by)
    return next(row for row in selectors.pauses_of_all() if row.id == holds.id)


def note_in_flight(pause: int, n: int) -> None:
    """Note how many messages had been handed over before a pause began and were still without an answer.

    Whoever presses again while it holds finds fewer of them, and takes none of the record back.
    """
    PauseAll.objects.filter(pk=pause, n_in_flight__lt=n).update(n_in_flight=n)


def pass_gate() -> selectors.PauseAllView | None:
    """Within the transaction that marks what leaves: the pause that holds, and keeps it from changing until the end.

    SQLite lets one transaction write at a time, so the marking one is the gate itself; PostgreSQL does not.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [GATE])
    return selectors.pause_all()


def _close_gate() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GATE])


def erase(erasing: Erasing) -> int:
    """Forget what these subjects were assigned."""
    n, _ = Holdout.objects.filter(subject__in=erasing.subjects).delete()
    return n


def _of_the_same_cores(subjects: np.ndarray) -> pa.Table:
    """These subjects and all others of their cores; one that is nobody's stands for itself."""
    everyone = people.identity_arrow()
    numbers = everyone["subject"].to_numpy()
    cores = everyone["core"].to_numpy()
    asked = np.isin(numbers, subjects)
    within = np.isin(cores, np.unique(cores[asked]))
    alone = np.setdiff1d(subjects, numbers[asked])
    return pa.table(
        [np.concatenate([numbers[within], alone]), np.concatenate([cores[within], alone])], schema=ASKING
    )


def _assigned(asking: pa.Table, experiment: str, share_ratio: float) -> pa.Table:
    with lake.scratch() as con:
        con.register("asking", asking)
        con.register("stored", _stored(asking["subject"].to_pylist(), experiment))
        return query.run(
            con,
            query.load("rapport.pacing", "assigned"),
            {
                "key": secret.derived_key("holdout").hex(),
                "experiment": experiment,
                "share_ratio": share_ratio,
            },
        ).to_arrow_table()


def _stored(subjects: Sequence[int], experiment: str) -> pa.Table:
    rows = Holdout.objects.filter(experiment=experiment)
    if len(subjects) > ASKED_AT_ONCE:
        found = rows.values_list("subject", "is_held_out", "assigned_at")
    else:
        found = rows.filter(subject__in=subjects).values_list("subject", "is_held_out", "assigned_at")
    columns = list(zip(*found, strict=True)) or [(), (), ()]
    return pa.table([columns[0], columns[1], [clock.to_us(at) for at in columns[2]]], schema=STORED)


def _store(found: pa.Table, experiment: str) -> None:
    new = found.filter(found["is_new"])
    now = bulk.time_value(clock.now())
    bulk.upsert(
        "pacing_holdout",
        ("experiment", "subject", "is_held_out", "assigned_at"),
        (
            (experiment, subject, is_held_out, now)
            for subject, is_held_out in zip(
                new["subject"].to_pylist(), new["is_held_out"].to_pylist(), strict=True
            )
        ),
        conflict=("experiment", "subject"),
    )
