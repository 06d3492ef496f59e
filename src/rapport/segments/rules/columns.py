"""The relations over people that a rule is asked of, as words: what an engine is to hold, and how new it is.

    profile(person, kind, country, language, first_seen, last_seen, namespaces, has_email, "trait:..",
        "score:..", "label:..")                    one row per person of kind person
    person_day(name, dimension, day, person, n, value_minor, first_ts, last_ts)
    annotated_day(name, label, day, person, n)
    member(segment, person)
    allowed(purpose, channel, person)

Rows of `person_day` and `annotated_day` are parts to be added up: one person, day and name may have
several. So n and value_minor are summed, times are the least and the greatest, and days are counted
distinct. A person of whom `profile` has no row may have rows there; begin at `profile`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Needs:
    """What a question asks of beside the columns: (purpose, channel) pairs of `allowed`, keys of `member`."""

    allowed: frozenset[tuple[str, str]] = frozenset()  # an empty channel: the purpose as such
    segments: frozenset[str] = frozenset()


NOTHING = Needs()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How new the columns are: everything up to event `seq` and change `change`, as it was at `as_of`."""

    as_of: dt.datetime
    seq: int  # the last event counted
    head: int  # the last event in the log when it was asked
    is_current: bool  # whether all that was committed before the question is in it
    why: str = ""  # what is missing where it is not current, in words
