"""What could not become an event: kept with its reason, looked at, corrected, replayed; never dropped."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from rapport.events import erased, traces
from rapport.events.models import Quarantined
from rapport.events.quoting import may_name
from rapport.kit import bulk, clock
from rapport.kit.errors import Conflict, Invalid, NotFound

BODY_CHARS_MAX = 20_000_000
DELETED_AT_ONCE = 500
MESSAGE = "message"  # the JSON of one message of the collector
SITE = "site"  # the same of the visitor script, which is believed in less
TOUCHPOINT = "touchpoint"  # the JSON of one row in the TOUCHPOINT shape


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal: what came, and what is wrong with it in a sentence a person understands."""

    source: str
    kind: str  # MESSAGE, SITE, TOUCHPOINT, or 'row:<import kind>'
    body: str
    reason: str
    message: str
    field: str = ""
    batch: str = ""
    received_us: int = 0  # microseconds since 1970; 0 means now


# How a corrected body of each kind is sent again: gets the body and the source, gives nothing, may raise.
Replayer = Callable[[str, str], None]
_replayers: dict[str, Replayer] = {}


def register_replayer(kind: str, replayer: Replayer) -> None:
    """Say how a corrected body of this kind goes back in; called by the domain that refuses them."""
    _replayers[kind] = replayer


def key_of(refused: Refused) -> uuid.UUID:
    """The same content from the same source has the same key, however often it arrives."""
    content = "\x1f".join((refused.source, refused.kind, refused.reason, refused.body))
    return uuid.UUID(bytes=hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=16).digest())


def keep(refusals: Iterable[Refused]) -> int:
    """Store refusals; one already there stays as it is, and what names somebody erased is not kept.

    Gives how many were sent.
    """
    now = clock.now_us()

    def rows() -> Iterable[tuple[object, ...]]:
        betrayal: erased.Betrayal | None = None
        for r in refusals:
            betrayal = betrayal or erased.Betrayal()  # asked for once, and only where something was refused
            if betrayal.in_text(r.body):
                continue
            yield (
                bulk.uuid_value(key_of(r)),
                r.source,
                r.batch,
                r.kind,
                r.body.replace("\x00", "\\u0000")[:BODY_CHARS_MAX],
                r.reason,
                r.field[:128],
                r.message.replace("\x00", "\\u0000"),
                bulk.time_value(clock.from_us(r.received_us or now)),
                Quarantined.State.WAITING,
                None,
                "",
            )

    return bulk.upsert(
        "events_quarantined",
        (
            "key",
            "source",
            "batch",
            "kind",
            "body",
            "reason",
            "field",
            "message",
            "received_at",
            "state",
            "resolved_at",
            "resolved_by",
        ),
        rows(),
        conflict=("key",),
    )


def replay(key: uuid.UUID, *, body: str, by: str) -> None:
    """Send a corrected body again. If it is refused once more, that is a new refusal with its reason."""
    row = Quarantined.objects.filter(key=key).first()
    if row is None:
        raise NotFound(f"there is nothing in quarantine under {key}", "It may have been erased.")
    if row.state != Quarantined.State.WAITING:
        raise Conflict(f"this was already {row.state}", "Reload the list.")
    replayer = _replayers.get(row.kind)
    if replayer is None:
        raise Invalid(f"nothing here knows how to replay a {row.kind}", "Import the corrected file instead.")
    replayer(body, row.source)
    _resolve(key, Quarantined.State.REPLAYED, by)


def discard(key: uuid.UUID, *, by: str) -> None:
    """Decide that a refusal is of no use; it stays readable."""
    if not Quarantined.objects.filter(key=key).exists():
        raise NotFound(f"there is nothing in quarantine under {key}", "It may have been erased.")
    _resolve(key, Quarantined.State.DISCARDED, by)


def _resolve(key: uuid.UUID, state: str, by: str) -> None:
    Quarantined.objects.filter(key=key, state=Quarantined.State.WAITING).update(
        state=state, resolved_at=clock.now(), resolved_by=by
    )


def forget(identifiers: Sequence[str], found: traces.Traces) -> int:
    """Delete every refusal that names one of the identifiers; gives how many."""
    if not found:
        return 0
    names = may_name(found, "body", "message")
    if names:
        for identifier in identifiers:
            names |= Q(body__contains=json.dumps(identifier.partition(":")[2]))
    gone = [
        key
        for key, body, message in Quarantined.objects.filter(names)
        .values_list("key", "body", "message")
        .iterator()
        if found.found_in(body) or found.found_in(message) or traces.names_in_fields(body, identifiers)
    ]
    for at in range(0, len(gone), DELETED_AT_ONCE):
        Quarantined.objects.filter(key__in=gone[at : at + DELETED_AT_ONCE]).delete()
    return len(gone)
