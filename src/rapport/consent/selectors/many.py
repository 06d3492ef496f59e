"""What many people wish, asked at once: for a set of messages, where one question each would take too long."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from rapport.consent.models import Preference
from rapport.consent.selectors.wishes import preferences
from rapport.events import lake
from rapport.kit import clock, query
from rapport.people import selectors as people

FEW = 25  # up to so many, each is asked about alone
STATED = pa.schema(
    [
        ("subject", pa.int64()),
        ("identifier", pa.string()),
        ("value", pa.string()),
        ("at_us", pa.int64()),
        ("seq", pa.int64()),
    ]
)


def wishes_of(identifiers: Sequence[str], name: str) -> dict[str, Any]:
    """The newest wish of that name by identifier; who stated none is left out."""
    asked = sorted(set(identifiers))
    if len(asked) <= FEW:
        found = {identifier: preferences(identifier)[name] for identifier in asked}
        return {identifier: value for identifier, value in found.items() if value is not None}
    stated = _stated(name)
    if not stated.num_rows:
        return {}
    with lake.scratch() as con:
        con.register("asking", pa.table({"identifier": asked}))
        con.register("known_as", _known(asked))
        con.register("identity", people.identity_arrow())
        con.register("stated", stated)
        newest = query.run(con, query.load("rapport.consent", "newest_wish")).fetchall()
    read = {identifier: json.loads(value) for identifier, value in newest}
    return {identifier: value for identifier, value in read.items() if value is not None}


def _stated(name: str) -> pa.Table:
    rows = Preference.objects.filter(name=name).values_list("subject", "identifier", "value", "at", "seq")
    columns = list(zip(*rows, strict=True)) or [(), (), (), (), ()]
    times = [clock.to_us(at) for at in columns[3]]
    return pa.table([columns[0], columns[1], columns[2], times, columns[4]], schema=STATED)


def _known(identifiers: Sequence[str], chunk: int = 500) -> pa.Table:
    found: dict[str, int] = {}
    for at in range(0, len(identifiers), chunk):
        found |= people.subjects_for(identifiers[at : at + chunk])
    return pa.table(
        {"identifier": pa.array(found.keys(), pa.string()), "subject": pa.array(found.values(), pa.int64())}
    )
