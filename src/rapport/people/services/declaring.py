"""What somebody says of themselves, taken down at once: the word of the person beats every other origin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from rapport.events import services as events
from rapport.kit import bulk, clock
from rapport.kit.errors import Invalid
from rapport.people.selectors import identity, rows
from rapport.people.selectors.persons import subject_of
from rapport.people.services import profiles, writing

VALUE_CHARS_MAX = 1_000
DECLARED = "declared"


def declare(identifier: str, traits: Mapping[str, Any], *, source: str) -> int:
    """Record traits as declared by their own person, and believe them from now on; gives the event's seq.

    The event is in the log first; that the subscriber then tells the same again changes nothing. NotFound
    where nobody goes by the identifier, Invalid where a value is empty or too long.
    """
    if empty := [name for name, value in traits.items() if value in (None, "")]:
        raise Invalid(f"nothing is said of {empty[0]}", "Leave it out: saying nothing is no statement.")
    if long := [name for name, value in traits.items() if len(str(value)) > VALUE_CHARS_MAX]:
        raise Invalid(f"{long[0]} is longer than {VALUE_CHARS_MAX} characters", "Say it in fewer words.")
    subject = subject_of(identifier)
    at = clock.now()
    span = events.touchpoint(
        "person_identified",
        identifier,
        source=source,
        ts=at,
        properties={"traits": dict(traits), "origin": DECLARED},
    )
    bulk.upsert(
        "people_trait",
        ["subject", "name", "origin", "value", "confidence", "observed_at", "source", "seq"],
        [
            (
                subject,
                name,
                DECLARED,
                json.dumps(value, ensure_ascii=False),
                None,
                bulk.time_value(at),
                source,
                span.first,
            )
            for name, value in traits.items()
        ],
        conflict=("subject", "name", "origin"),
        update=("value", "confidence", "observed_at", "source", "seq"),
        where="(excluded.observed_at, excluded.seq) > (people_trait.observed_at, people_trait.seq)",
    )
    asked = np.asarray([subject], dtype=np.int64)
    profiles.refresh(asked)
    with writing.change() as number:
        writing.touch(rows.numbers(identity.people_for(asked), "person"), number)
    return span.first
