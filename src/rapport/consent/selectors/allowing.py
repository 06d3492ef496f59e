"""May data be used: for one somebody with the reason, and for everybody at once as a relation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
from django.db.models import Model, Q, QuerySet

from rapport.consent import rules
from rapport.consent.models import Purpose, Record, Restriction
from rapport.consent.selectors import holding
from rapport.events import lake
from rapport.events.rules import normal_identifier
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.people.rules.graph import Subjects, is_in
from rapport.people.selectors import rows

M = TypeVar("M", bound=Model)

SUBJECT = pa.schema([("subject", pa.int64())])
LOOKUPS_MAX = 5_000  # subjects looked up one by one; for more, the whole ledger is read once


def allows(ref: int | str, purpose: str, channel: str = "", at: dt.datetime | None = None) -> rules.Answer:
    """Whether data of somebody may be used for a purpose on a channel, and why (or why not).

    `ref` is `namespace:value`, or a subject (a person's number is one). What holds for it is what was
    said by any identifier that is certainly the same one; never by one that only probably is.
    """
    subjects, identifier = whose(ref)
    at = at or clock.now()
    # All they ever said, which is little: asked for a purpose too, SQLite would walk everybody's answers on it.
    said = said_by(Record.objects.all(), subjects, identifier)
    stated = [rules.Stated(r.channel, r.state, r.at, r.expires_at) for r in said if r.purpose == purpose]
    restricted = Restriction.objects.filter(subject__in=subjects, at__lte=at)
    return rules.answer(
        _purpose(purpose),
        stated,
        channel,
        at,
        is_known=bool(subjects),
        is_restricted=restricted.filter(Q(lifted_at__isnull=True) | Q(lifted_at__gt=at)).exists(),
    )


def allowed_subjects(purpose: str, channel: str = "", at: dt.datetime | None = None) -> pa.Table:
    """Every subject whose core may be used for a purpose on a channel; one column, ascending."""
    chosen = _purpose(purpose)
    if chosen is None or not chosen.is_active:
        return SUBJECT.empty_table()
    return _asked("allowed", chosen, channel, at, people.identity_arrow(), holding.ledger_arrow(purpose))


def refused_subjects(purpose: str, channel: str = "", at: dt.datetime | None = None) -> pa.Table:
    """Every subject that people knows and that may not be used for a purpose; one column, ascending."""
    chosen = _purpose(purpose)
    identity = people.identity_arrow()
    if chosen is None or not chosen.is_active:
        return identity.select(SUBJECT.names)
    if chosen.legal_basis in (rules.CONTRACT, rules.LEGAL_OBLIGATION):
        return SUBJECT.empty_table()
    ledger = holding.ledger_arrow(purpose)
    if chosen.legal_basis == rules.LEGITIMATE_INTEREST:
        return _asked("objecting", chosen, channel, at, identity, ledger)
    everybody = rows.numbers(identity, "subject")
    allowed = rows.numbers(_asked("allowed", chosen, channel, at, identity, ledger), "subject")
    return pa.table({"subject": everybody[~is_in(everybody, allowed)]}, schema=SUBJECT)


def only_allowed(
    subjects: Subjects, purpose: str, channel: str = "", at: dt.datetime | None = None
) -> Subjects:
    """Those of the subjects that may be used, in the order given; one that is nobody's may not."""
    given = np.asarray(subjects, dtype=np.int64)
    wanted = np.unique(given)
    if wanted.size > LOOKUPS_MAX:
        allowed = allowed_subjects(purpose, channel, at)
    else:
        chosen = _purpose(purpose)
        if chosen is None or not chosen.is_active:
            return given[:0]
        identity = people.with_their_cores(wanted)
        ledger = holding.ledger_of(purpose, rows.numbers(identity, "subject"))
        allowed = _asked("allowed", chosen, channel, at, identity, ledger)
    return given[is_in(given, rows.numbers(allowed, "subject"))]


def _asked(
    name: str,
    chosen: rules.Purpose,
    channel: str,
    at: dt.datetime | None,
    identity: pa.Table,
    ledger: pa.Table,
) -> pa.Table:
    asked = {"purpose": chosen.key, "channel": channel, "at": at or clock.now(), "basis": chosen.legal_basis}
    with lake.scratch() as con:
        con.register("identity", identity)
        con.register("ledger", ledger)
        con.register("restriction", holding.restricted_arrow())
        return query.run(con, query.load("rapport.consent", name), asked).to_arrow_table()


def whose(ref: int | str) -> tuple[list[int], str]:
    """The subjects that certainly are the same one as `ref`, and its identifier where it is not known yet."""
    try:
        subject = people.subject_of(ref)
    except NotFound:
        namespace, colon, value = str(ref).strip().partition(":")
        return [], normal_identifier(namespace, value) if colon else ""
    return people.core_subjects(subject) or [subject], ""


def said_by(rows: QuerySet[M], subjects: Sequence[int], identifier: str = "") -> list[M]:
    """The rows (of Record or Preference) that a core said, those without a subject in the log yet included.

    Two questions, because one with an OR would walk the whole ledger on SQLite.
    """
    mine = {identifier} if identifier else set(people.identifiers_for(subjects).values())
    said = rows.filter(subject__in=list(subjects))
    waiting = rows.filter(subject__isnull=True, identifier__in=mine)
    return [*said, *waiting]


def _purpose(key: str) -> rules.Purpose | None:
    row = Purpose.objects.filter(key=key).first()
    return rules.Purpose(row.key, row.legal_basis, row.is_active) if row else None
