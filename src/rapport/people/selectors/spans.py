"""Whose a shared device was when: what happened on it is theirs from a log-in to the next one's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Q

from rapport.people import models
from rapport.people.rules import graph


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a device that several share was in one person's hands."""

    device: int  # subject
    person: int
    from_ts: dt.datetime | None  # empty: since ever, for whoever logged in first
    to_ts: dt.datetime | None  # empty: until further notice

    def holds(self, at: dt.datetime) -> bool:
        return (self.from_ts is None or at >= self.from_ts) and (self.to_ts is None or at < self.to_ts)


def spans_for(person_ids: Sequence[int]) -> tuple[Span, ...]:
    """The spans of these people (a page of them) on devices that are not theirs alone."""
    mine = models.Identity.objects.filter(person__in=list(person_ids)).values_list("subject", flat=True)
    devices = set(models.Holding.objects.filter(holder__in=mine).values_list("device", flat=True))
    wanted = set(person_ids)
    return tuple(span for span in spans_on(devices) if span.person in wanted)


def spans_on(devices: set[int]) -> tuple[Span, ...]:
    """Every span of those of these devices that stand alone, by device and time."""
    if not devices:
        return ()
    owner = dict(models.Identity.objects.filter(subject__in=devices).values_list("subject", "person"))
    visitors = models.Person.objects.filter(id__in=set(owner.values()), kind="visitor")
    alone = set(visitors.values_list("id", flat=True))
    shared = {device for device, person in owner.items() if person in alone}
    handed = list(
        models.Holding.objects.filter(device__in=shared)
        .order_by("device", "from_ts")
        .values_list("device", "from_ts", "holder")
    )
    holders = {holder for _, _, holder in handed}
    person_of = dict(models.Identity.objects.filter(subject__in=holders).values_list("subject", "person"))
    # A log-in that was taken back counts for nothing; one by somebody who was erased counts for nobody.
    edges = models.Edge.objects.filter(Q(a__in=shared) | Q(b__in=shared)).values_list("a", "b", "state")
    stands = {(a, b) for a, b, state in edges if state == graph.ACCEPTED}
    known = {(a, b) for a, b, _ in edges}
    rows = [
        (device, since, person_of.get(holder, -1))
        for device, since, holder in handed
        if (pair := (min(device, holder), max(device, holder))) in stands or pair not in known
    ]
    spans: list[Span] = []
    for device, group in groupby(rows, key=lambda row: row[0]):
        turns: list[tuple[dt.datetime, int]] = []
        for _, since, person in group:
            if not turns or turns[-1][1] != person:
                turns.append((since, person))
        ends = [since for since, _ in turns[1:]] + [None]
        for at, ((since, person), until) in enumerate(zip(turns, ends, strict=True)):
            spans.append(Span(device, person, since if at else None, until))
    return tuple(spans)


@dataclass(frozen=True, slots=True)
class SharedDevice:
    """A device on which several people logged in, and whose it was when."""

    identifier: str
    person: int  # the visitor that the device stands for by itself
    spans: tuple[tuple[Span, str], ...]  # each with the name of whose it is


def shared_devices(person_id: int) -> tuple[SharedDevice, ...]:
    """The devices that a person shares with others; of a device that stands alone, itself."""
    mine = models.Identity.objects.filter(person=person_id).values_list("subject", flat=True)
    held = models.Holding.objects.filter(Q(holder__in=mine) | Q(device__in=mine))
    spans = spans_on(set(held.values_list("device", flat=True)))
    names = dict(
        models.Person.objects.filter(id__in={s.person for s in spans}).values_list("id", "display_name")
    )
    texts = {
        i.subject: f"{i.namespace}:{i.value}"
        for i in models.Identifier.objects.filter(subject__in={s.device for s in spans})
    }
    owner = dict(models.Identity.objects.filter(subject__in=texts).values_list("subject", "person"))
    return tuple(
        SharedDevice(texts[device], owner[device], tuple((s, names.get(s.person, "")) for s in group))
        for device, group in ((d, list(g)) for d, g in groupby(spans, key=lambda s: s.device))
        if device in texts
    )
