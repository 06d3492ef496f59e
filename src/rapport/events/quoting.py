"""Where the operational store may name somebody who is erased: one condition for every table."""

from __future__ import annotations

from django.db.models import Q

from rapport.events import traces


def may_name(found: traces.Traces, *columns: str) -> Q:
    """A condition that holds wherever one of these text columns names a trace; of many traces it leaves nothing out.

    No database takes a condition of thousands of parts. Whether a row does name one is said by `Traces.found_in`.
    """
    naming = Q()
    for text in () if found.are_many else found.shortest:
        for column in columns:
            naming |= Q(**{f"{column}__icontains": text})
    return naming
