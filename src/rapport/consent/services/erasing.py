"""Erase a person from every store, and keep a certificate that does not say who it was.

In this order, so that being killed anywhere leaves nothing half-done that a second call would not finish,
and so that nothing comes back meanwhile: first the identifiers are kept out, then the log forgets, then
what was derived from it, and last whatever the deleting left on the disk.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from django.db import connection

from rapport.consent import erasers
from rapport.consent.models import Erasure, SubjectRequest
from rapport.consent.rules import asking
from rapport.consent.selectors import requests as asked
from rapport.events import erased, spool, subscriptions
from rapport.events import rules as log_rules
from rapport.events import services as events
from rapport.events.services import Forgotten
from rapport.kit import bulk, clock, home, ids, secret, sqlite
from rapport.kit.errors import Conflict, NotFound
from rapport.listening import services as listening
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.selectors import rows

Progress = Callable[[str], None]
LOCK = "erase"
AUTHORS_AT_ONCE = 500
TRY_AGAIN = dt.timedelta(minutes=10)
SUBJECT_OF = "erasure"  # namespace of the identifier under which the log notes that an erasure happened


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was erased, and how much of it; nothing in it says whose it was."""

    id: uuid.UUID
    begun_at: dt.datetime
    ended_at: dt.datetime
    by: str
    n_identifiers: int
    counts: dict[str, int]  # rows by store
    took_s: float

    @property
    def n_rows(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Extent:
    """Who would be erased: certain identifiers, and those that are held to be theirs on probable evidence alone."""

    person: int
    subjects: tuple[int, ...]
    identifiers: tuple[str, ...]
    probable: tuple[str, ...]


def extent(ref: int | str, *, also_probable: bool = False) -> Extent:
    """Which identifiers an erasure of `ref` takes in; NotFound where there is nobody."""
    subject = people.subject_of(ref)
    person = people.person_id(subject)
    certain = people.core_subjects(subject) or [subject]
    # A mail address that is also somebody's customer number stands for the same human being.
    texts = list(people.identifiers_for(certain).values())
    # And whoever wrote under the address without being believed wrote under an address of theirs.
    claimed = [log_rules.unconfirmed(text) for text in texts if text.startswith("email:")]
    for other in people.subjects_for([*erased.hashes_of(texts), *claimed]).values():
        certain += [s for s in people.core_subjects(other) if s not in certain]
    everyone = people.identity_arrow()
    belongs = np.isin(rows.numbers(everyone, "person"), _persons(certain))
    whole = rows.numbers(everyone, "subject")[belongs].tolist()
    wanted = sorted(whole) if also_probable else sorted(certain)
    named = people.identifiers_for(whole)
    return Extent(
        person,
        tuple(wanted),
        tuple(named[s] for s in wanted if s in named),
        tuple(named[s] for s in sorted(set(whole) - set(wanted)) if s in named),
    )


def _persons(subjects: Sequence[int]) -> list[int]:
    return sorted(set(rows.numbers(people.people_for(np.asarray(subjects)), "person").tolist()))


def erase(
    ref: int | str,
    *,
    by: str,
    request_id: uuid.UUID | None = None,
    also_probable: bool = False,
    progress: Progress | None = None,
) -> Certificate:
    """Erase somebody from every store; gives the certificate. Raises NotFound where there is nobody.

    `ref` is a person's number, a subject or `namespace:value`. What is theirs on probable evidence alone
    stays, for it may be somebody else's, unless `also_probable`.
    """
    say = progress or (lambda _: None)
    say("loading what waits")
    upto = spool.current().next_seq() - 1
    if upto:
        events.settle(upto)
        subscriptions.settle(upto, ["people"])
    whose = extent(ref, also_probable=also_probable)
    return _erase(whose.subjects, whose.identifiers, by=by, request_id=request_id, say=say)


def finish_erasures(progress: Progress | None = None) -> list[Certificate]:
    """Carry to the end what was stopped on the way; whatever runs at this moment is left alone.

    Once people's rows are gone nobody can ask by name for the rest, so the note itself says whose it is.
    Each try writes files anew, so that what goes on failing is tried every TRY_AGAIN alone.
    """
    stopped = Erasure.objects.filter(ended_at=None, tried_at__lte=clock.now() - TRY_AGAIN).exclude(whose="")
    try:
        with home.lock(LOCK):
            notes = list(stopped.order_by("begun_at"))
            Erasure.objects.filter(id__in=[note.id for note in notes]).update(tried_at=clock.now())
            return [_carry_out(note, progress or (lambda _: None)) for note in notes]
    except Conflict:
        return []


def _erase(
    subjects: Sequence[int],
    identifiers: Sequence[str],
    *,
    by: str,
    request_id: uuid.UUID | None,
    say: Progress,
) -> Certificate:
    whose = {"subjects": list(subjects), "identifiers": list(identifiers), "request": str(request_id or "")}
    with home.lock(LOCK, wait=True):
        note = Erasure.objects.create(
            id=ids.uuid7(),
            begun_at=clock.now(),
            tried_at=clock.now(),
            by=by,
            n_identifiers=len(identifiers),
            whose=secret.seal(json.dumps(whose)),
        )
        return _carry_out(note, say)


def _carry_out(note: Erasure, say: Progress) -> Certificate:
    """Every step of an erasure; each does nothing where it was done before."""
    began = clock.monotonic_s()
    whose = json.loads(secret.unseal(note.whose))
    subjects, identifiers = whose["subjects"], whose["identifiers"]
    request_id = uuid.UUID(whose["request"]) if whose["request"] else None
    try:
        hashes = events.keep_out(identifiers)
        erasing = erasers.Erasing(tuple(subjects), tuple(identifiers), hashes, tuple(subjects))
        early = {name: eraser(erasing) for name, eraser in erasers.registered_while_known().items()}
        forgotten = events.forget(subjects, identifiers, say)
        say("deleting from the other stores")
        with subscriptions.paused():
            counts = _log_counts(forgotten)
            counts["uploaded files"] = listening.forget(identifiers)
            counts["people"] = people_services.forget(subjects, identifiers)
            counts["requests"] = _empty_requests(erasing)
            for name, eraser in erasers.registered().items():
                counts[name] = early.get(name, 0) + eraser(erasing)
        say("leaving no free page")
        nobody = {"subjects": [], "identifiers": [], "request": whose["request"]}
        Erasure.objects.filter(id=note.id).update(whose=secret.seal(json.dumps(nobody)))
        leave_no_free_page()
    except Exception as error:
        # A name in the text of an error would undo what was asked for.
        Erasure.objects.filter(id=note.id).update(error=type(error).__name__)
        raise
    note.counts = {name: n for name, n in counts.items() if n}
    note.ended_at, note.took_s = clock.now(), round(clock.monotonic_s() - began, 3)
    note.error = note.whose = ""
    note.save(update_fields=["counts", "ended_at", "took_s", "error", "whose"])
    if request_id:
        SubjectRequest.objects.filter(id=request_id).update(
            state=asking.DONE, closed_at=note.ended_at, closed_by=note.by, erasure=note.id
        )
    certificate = view(note)
    events.touchpoint(
        "person_erased",
        f"{SUBJECT_OF}:{note.id}",
        source="consent",
        message_id=str(note.id),
        properties={"erasure": str(note.id), "rows": certificate.n_rows},
    )
    return certificate


def author_words(subjects: Sequence[int], identifiers: Sequence[str]) -> None:
    """Before the log forgets public authors: what can only be found by their own words."""
    for part in _parted(subjects, identifiers):
        for eraser in erasers.registered_while_known().values():
            eraser(part)


def author_rows(subjects: Sequence[int], identifiers: Sequence[str]) -> None:
    """Public authors who objected or fell silent leave every store, as whoever is erased does."""
    n = 0
    listening.forget(identifiers)
    for part in _parted(subjects, identifiers):
        with subscriptions.paused():  # anew for each part: what came in meanwhile is not kept waiting for all
            n += sum(eraser(part) for eraser in erasers.registered().values())
    if n:
        leave_no_free_page()


def _parted(subjects: Sequence[int], identifiers: Sequence[str]) -> Iterator[erasers.Erasing]:
    """Some at a time: a store asks for all of them in one condition."""
    for at in range(0, max(len(subjects), len(identifiers)), AUTHORS_AT_ONCE):
        numbers = tuple(subjects[at : at + AUTHORS_AT_ONCE])
        texts = tuple(identifiers[at : at + AUTHORS_AT_ONCE])
        yield erasers.Erasing(numbers, texts, tuple(erased.hashes_of(texts)), numbers)


def _log_counts(forgotten: Forgotten) -> dict[str, int]:
    counts = asdict(forgotten)
    names = {
        "events": "events",
        "sessions": "sessions",
        "annotations": "annotations",
        "counters": "day counters",
        "claims": "claims",
        "identifiers": "identifiers",
        "quoted": "rows of others that quoted them",
        "spool_bodies": "bodies in the spool",
        "quarantined": "refused rows",
    }
    return {shown: counts[name] for name, shown in names.items()}


def _empty_requests(erasing: erasers.Erasing) -> int:
    """Requests stay, as proof that they were answered; who asked, and what they wrote, goes."""
    emptied = {"subject": None, "identifier": "", "note": "", "answer": ""}
    n = 0
    for subjects in bulk.parts(erasing.subjects):
        n += SubjectRequest.objects.filter(subject__in=subjects).update(**emptied)
    for identifiers in bulk.parts(erasing.identifiers):
        n += SubjectRequest.objects.filter(identifier__in=identifiers).update(**emptied)
    return n


def leave_no_free_page() -> None:
    """The operational store without what was deleted from it."""
    if connection.vendor == "sqlite":
        file = Path(str(connection.settings_dict["NAME"]))
        if file.exists() and not connection.in_atomic_block:
            connection.close()
            sqlite.rewrite(file)
    elif not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")


def replay(*, by: str, progress: Progress | None = None) -> list[Certificate]:
    """Erase again whoever was erased since the backup that this data folder was restored from."""
    upto = spool.current().next_seq() - 1
    if upto:
        events.settle(upto)
        subscriptions.settle(upto, ["people"])
    known = erased.take_over(erased.unknown_here())
    certificates = []
    done: set[int] = set()
    for subject, identifier in known:
        if subject in done:
            continue
        try:
            whose = extent(subject)
        except NotFound:
            whose = Extent(subject, (subject,), (identifier,), ())
        done |= set(whose.subjects)
        certificates.append(
            _erase(
                whose.subjects, whose.identifiers, by=by, request_id=None, say=progress or (lambda _: None)
            )
        )
    return certificates


def view(row: Erasure) -> Certificate:
    """A finished erasure as its certificate."""
    return Certificate(
        id=row.id,
        begun_at=row.begun_at,
        ended_at=row.ended_at or row.begun_at,
        by=row.by,
        n_identifiers=row.n_identifiers,
        counts=dict(row.counts),
        took_s=row.took_s,
    )


def certificate(erasure_id: uuid.UUID) -> Certificate:
    """The certificate of an erasure, or NotFound."""
    return view(asked.erasure_row(erasure_id))
