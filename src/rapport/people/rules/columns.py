"""Which column of a file or trait of a person says what, so that rows can be compared for likeness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rapport.kit.errors import Invalid

# What can be compared, in the order in which it is shown, and the words by which a column gives itself
# away: every word of one of the spellings is a word of the column's name.
FIELDS: dict[str, tuple[str, ...]] = {
    "given_name": ("given name", "first name", "forename", "given", "prénom", "vorname", "nombre"),
    "family_name": ("family name", "last name", "surname", "family", "nachname", "apellido", "nom famille"),
    "name": ("full name", "name", "display name"),
    "birth_date": ("birth date", "date birth", "birthday", "dob", "born", "geburtsdatum"),
    "email": ("email", "e mail", "mail"),
    "phone": ("phone", "telephone", "mobile", "tel"),
    "number": (
        "soc sec", "social security", "ssn", "national id", "tax id", "passport", "nin", "nif", "dni", "vat id",
    ),
    "house": ("street number", "house number", "house no", "house"),
    "street": ("street", "address 1", "address line 1", "address1", "address", "strasse"),
    "postcode": ("postcode", "postal code", "post code", "zip", "plz"),
    "city": ("city", "town", "suburb", "place", "locality", "municipality"),
    "birth_place": ("birth place", "birthplace", "place birth"),
    "gender": ("gender", "sex"),
    "occupation": ("occupation", "profession", "job"),
}  # fmt: skip

# A name that holds one of these is no column of the above: `email_opt_in`, `name_of_firm`, `address_2`.
_NOT = frozenset(
    [
        "opt",
        "consent",
        "created",
        "updated",
        "verified",
        "count",
        "id",
        "firm",
        "company",
        "user",
        "type",
        "2",
    ]
)
_ID_SPELLINGS = ("id", "unique id", "rec id", "record id", "row id", "customer id", "person id", "uid")


def recognised(
    names: Iterable[str], *, stated: Mapping[str, str] | None = None, keeps_name: bool = False
) -> dict[str, str]:
    """The column that says each field, for those that one of the columns says: field to column name.

    A name in one piece is left out where its parts are there, unless it is to be kept: among people of many
    sources some have the one and some the other. `stated` maps columns to fields and wins over what the
    names give away; an empty field leaves a column out.
    """
    names = list(names)
    stated = stated or {}
    for column, field in stated.items():
        if column not in names:
            raise Invalid(f"there is no column {column!r}", f"There are: {', '.join(names)}.")
        if field and field not in FIELDS:
            raise Invalid(f"nothing is known of a field {field!r}", f"Choose among {', '.join(FIELDS)}.")
    found = {field: column for column, field in stated.items() if field}
    free = [n for n in names if n not in stated]
    # Longer spellings first: `birth_place` is not a `place`, `street_number` is not a `street`.
    spellings = sorted(
        ((len(s.split()), -at, field, s) for field, all_ in FIELDS.items() for at, s in enumerate(all_)),
        reverse=True,
    )
    for _, _, field, spelling in spellings:
        if field in found:
            continue
        says = [n for n in free if n not in found.values() and _says(n, spelling)]
        if says:
            found[field] = min(says, key=lambda n: len(_words(n)))  # `surname` before `first_and_surname`
    if {"given_name", "family_name"} <= found.keys() and not keeps_name:
        found.pop("name", None)
    return {field: found[field] for field in FIELDS if field in found}


def id_column(names: Iterable[str]) -> str | None:
    """The column that looks like the number of a row, if one does."""
    names = list(names)
    for spelling in _ID_SPELLINGS:
        for name in names:
            if _words(name) == spelling.split():
                return name
    return None


def _words(name: str) -> list[str]:
    spaced = re.sub(r"([a-z])([A-Z0-9])", r"\1 \2", name.strip())
    return [w for w in re.split(r"[^0-9a-zà-ÿ]+", spaced.lower()) if w and w not in {"of", "the"}]


def _says(name: str, spelling: str) -> bool:
    words, asked = _words(name), _words(spelling)
    more = set(words) - set(asked)
    return set(asked) <= set(words) and not more & (_NOT - {"id"} if asked in _NUMBERED else _NOT)


# `soc_sec_id` says a number, while `name_id` says no name.
_NUMBERED = [s.split() for s in FIELDS["number"]]
