"""Who somebody certainly is: the subjects joined by certain edges alone, which is how far a consent reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from rapport.kit import bulk
from rapport.people import models
from rapport.people.rules import graph
from rapport.people.selectors import rows


def core_subjects(subject: int) -> list[int]:
    """The subjects that are certainly the same one as this, ascending; empty where it is nobody's."""
    core = models.Identity.objects.filter(subject=subject).values_list("core", flat=True).first()
    if core is None:
        return []
    mine = models.Identity.objects.filter(core=core).order_by("subject")
    return list(mine.values_list("subject", flat=True))


def cores_for(subjects: graph.Subjects) -> pa.Table:
    """subject, person and core of these subjects, ascending; those that are nobody's are left out."""
    schema = pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())])
    wanted = np.unique(graph.as_subjects(subjects))
    return rows.of("identity", schema, "subject", wanted).sort_by("subject")


def with_their_cores(subjects: graph.Subjects) -> pa.Table:
    """subject, person and core of these subjects and of all that certainly are the same ones, ascending."""
    cores = np.unique(rows.numbers(cores_for(subjects), "core"))
    schema = pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())])
    return rows.of("identity", schema, "core", cores).sort_by("subject")


def subjects_for(identifiers: Sequence[str]) -> dict[str, int]:
    """The subject of each of these identifiers (a page of them, not a file) that people knows."""
    wanted: dict[str, set[str]] = {}
    for text in identifiers:
        namespace, _, value = text.partition(":")
        wanted.setdefault(namespace, set()).add(value)
    found: dict[str, int] = {}
    for namespace, values in wanted.items():
        for part in bulk.parts(sorted(values)):
            known = models.Identifier.objects.filter(namespace=namespace, value__in=part)
            found |= {f"{i.namespace}:{i.value}": i.subject for i in known}
    return found


def identifiers_for(subjects: Sequence[int]) -> dict[int, str]:
    """The identifier behind each of these subjects (a page of them) that people knows."""
    found = models.Identifier.objects.filter(subject__in=list(subjects))
    return {i.subject: f"{i.namespace}:{i.value}" for i in found}


def person_ids(kind: str) -> graph.Subjects:
    """The ids of everybody of a kind, ascending."""
    sql = "SELECT id FROM people_person WHERE kind = %s ORDER BY id"
    return rows.numbers(rows.table(sql, pa.schema([("id", pa.int64())]), [kind]), "id")
