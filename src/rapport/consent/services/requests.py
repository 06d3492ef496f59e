"""Open, carry out and close what people ask of us about their data."""

from __future__ import annotations

import uuid

from django.db import transaction

from rapport.consent.models import SubjectRequest
from rapport.consent.rules import asking
from rapport.consent.selectors import defining
from rapport.consent.selectors import requests as asked
from rapport.consent.services import answering, erasing, suppressing
from rapport.events import services as events
from rapport.events.rules import IDENTIFIER_PATTERN, normal_identifier
from rapport.kit import clock, ids
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.people import selectors as people

BY_PERSON = "person"  # who opened it, where the person did it on a page of theirs
NOTE_CHARS_MAX = 4_000


def open_request(ref: int | str, kind: str, *, by: str = BY_PERSON, note: str = "") -> asked.RequestView:
    """Write down what somebody asks of us; the answer is due in 30 days. Asking twice is one request.

    `ref` is a person's number, a subject or `namespace:value`, also one that nobody has heard of.
    """
    if kind not in asking.KINDS:
        raise Invalid(f"{kind!r} is no kind of request", f"There are {', '.join(asking.KINDS)}.")
    identifier, subject = _whose(ref)
    now = clock.now()
    with transaction.atomic():
        same = SubjectRequest.objects.filter(
            identifier=identifier, kind=kind, state__in=(asking.OPEN, asking.RUNNING)
        ).first()
        if same is not None:
            if note.strip() and note.strip() not in same.note:
                same.note = f"{same.note}\n{note.strip()}".strip()[:NOTE_CHARS_MAX]
                same.save(update_fields=["note"])
            return asked.view(same)
        row = SubjectRequest.objects.create(
            id=ids.uuid7(),
            kind=kind,
            subject=subject,
            identifier=identifier,
            note=note.strip()[:NOTE_CHARS_MAX],
            opened_at=now,
            opened_by=by,
            due_at=asking.due_at(now),
        )
    events.touchpoint(
        "subject_requested",
        identifier,
        source="consent",
        message_id=str(row.id),
        properties={"kind": kind, "request": str(row.id)},
    )
    return asked.view(row)


def _whose(ref: int | str) -> tuple[str, int | None]:
    try:
        subject = people.subject_of(ref)
    except NotFound:
        namespace, _, value = str(ref).strip().partition(":")
        text = normal_identifier(namespace, value)
        if not IDENTIFIER_PATTERN.match(text):
            raise
        return text, None
    return people.identifiers_for([subject]).get(subject, str(ref)), subject


def begin(request_id: uuid.UUID, *, by: str) -> asked.RequestView:
    """Say that it is being carried out, so that nobody else does; Conflict where it is not open."""
    changed = SubjectRequest.objects.filter(id=request_id, state=asking.OPEN).update(
        state=asking.RUNNING, closed_by=by
    )
    if not changed:
        raise Conflict(f"this request is {asked.request(request_id).state}", "Reload the page.")
    return asked.request(request_id)


def reopen(request_id: uuid.UUID) -> None:
    """What was begun did not come to its end."""
    SubjectRequest.objects.filter(id=request_id, state=asking.RUNNING).update(state=asking.OPEN)


def carry_out(
    request_id: uuid.UUID,
    *,
    by: str,
    answer: str = "",
    also_probable: bool = False,
    progress: erasing.Progress | None = None,
) -> asked.RequestView:
    """Do what is asked, and close the request.

    Erasure, objection and restriction are done here. Access, portability and correction are done by
    whoever hands over the file or corrects the trait, and only closed here.
    """
    request = asked.request(request_id)
    if request.state not in (asking.OPEN, asking.RUNNING):
        raise Conflict(f"this request is {request.state} already", "Reload the page.")
    if request.kind == asking.ERASURE:
        try:
            erasing.erase(
                request.identifier,
                by=by,
                request_id=request_id,
                also_probable=also_probable,
                progress=progress,
            )
        except NotFound:
            # Whom we do not know is erased already; what we keep of them is this request.
            SubjectRequest.objects.filter(id=request_id).update(identifier="", subject=None, note="")
            return close(request_id, by=by, answer=answer)
        return asked.request(request_id)
    if request.kind == asking.OBJECTION:
        _object(request.identifier)
    elif request.kind == asking.RESTRICTION:
        suppressing.restrict(request.identifier, by=by, reason=answer or "asked for by the person")
    return close(request_id, by=by, answer=answer)


def _object(identifier: str) -> None:
    """Withdraw every purpose that they may refuse."""
    for purpose in defining.purposes():
        if purpose.can_be_refused:
            answering.withdraw(identifier, purpose.key, how="staff", shown="request")


def close(request_id: uuid.UUID, *, by: str, answer: str = "", refused: bool = False) -> asked.RequestView:
    """Note the answer. A refusal says why, for the person has a right to know."""
    if refused and not answer.strip():
        raise Invalid("a refusal needs its reason", "Write what you answer the person.")
    changed = SubjectRequest.objects.filter(id=request_id, state__in=(asking.OPEN, asking.RUNNING)).update(
        state=asking.REFUSED if refused else asking.DONE,
        answer=answer.strip()[:NOTE_CHARS_MAX],
        closed_at=clock.now(),
        closed_by=by,
    )
    if not changed:
        raise Conflict(f"this request is {asked.request(request_id).state} already", "Reload the page.")
    return asked.request(request_id)
