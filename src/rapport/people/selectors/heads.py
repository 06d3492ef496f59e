"""People as a list shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from rapport.people.models import Person


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person as a list shows them."""

    id: int
    kind: str
    display_name: str
    sort_name: str
    email: str
    country: str
    language: str
    n_identifiers: int


COLUMNS = tuple(f.name for f in fields(PersonRow))


def person_rows(ids: Iterable[int]) -> list[PersonRow]:
    """The rows of these persons, in no order."""
    return [PersonRow(*row) for row in Person.objects.filter(id__in=list(ids)).values_list(*COLUMNS)]
