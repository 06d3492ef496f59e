"""Finding people by what somebody types: a name's beginning, a mail address, a number, a handle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from rapport.events.rules import DEVICE_NAMESPACES, IDENTIFIER_PATTERN, KNOWN_NAMESPACES, normal_identifier
from rapport.people import models
from rapport.people.rules import profile
from rapport.people.selectors.heads import PersonRow, person_rows

MATCHES_MAX = 20
CANDIDATES_MAX = 1_000  # of one search; beyond it the person is asked to type more
_LAST = chr(0x10FFFF)  # sorts behind every text that goes on


@dataclass(frozen=True, slots=True)
class Match:
    """One person found, and by which identifier or by their name."""

    person: PersonRow
    found_by: str  # `namespace:value`, or empty where the name matched


def search(query: str, limit: int = MATCHES_MAX) -> list[Match]:
    """The people that a text points at, the nearest first: identifiers, then names."""
    query = query.strip()
    if not query:
        return []
    by = by_identifier(query, limit)
    for person in by_name(query, limit):
        by.setdefault(person, "")
    known = {row.id: row for row in person_rows(list(by))}
    matches = [Match(known[person], text) for person, text in by.items() if person in known]
    kinds = {kind: at for at, kind in enumerate(profile.KINDS)}
    exact = query.lower().lstrip("@")
    matches.sort(key=lambda m: (_value(m.found_by).lower() != exact, kinds[m.person.kind]))
    return matches[:limit]


def candidates(query: str) -> tuple[list[int], bool]:
    """Persons that match, at most CANDIDATES_MAX of them, and whether there were more."""
    found = dict.fromkeys(by_identifier(query, CANDIDATES_MAX + 1))
    found.update(dict.fromkeys(by_name(query, CANDIDATES_MAX + 1)))
    return list(found)[:CANDIDATES_MAX], len(found) > CANDIDATES_MAX


def by_identifier(query: str, limit: int) -> dict[int, str]:
    """Person and identifier where an identifier begins with the text, in whatever spelling it may be kept."""
    found: dict[int, str] = {}
    for namespace, prefix in _prefixes(query):
        for person, text in _range(namespace, prefix, limit):
            found.setdefault(person, text)
    return found


def by_name(query: str, limit: int) -> list[int]:
    """Persons of whom every word typed begins a word of a name."""
    words = sorted(profile.folded_words(query), key=len, reverse=True)
    if not words:
        return []
    # The longest word leads; the others are looked up for each person it finds.
    others = " AND EXISTS (SELECT 1 FROM people_nameterm u WHERE u.person = t.person AND u.term >= %s AND u.term < %s)"
    sql = (
        "SELECT DISTINCT t.person FROM (SELECT person FROM people_nameterm t WHERE t.term >= %s AND t.term < %s"
        + others * (len(words) - 1)
        + " ORDER BY t.term, t.person LIMIT %s) t"
    )
    bounds = [bound for word in words for bound in (word, word + _LAST)]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*bounds, limit])
        return [row[0] for row in cursor.fetchall()]


def namespaces() -> list[str]:
    """The namespaces in use, known people's first and devices' last; a jump through the index for each."""
    found: list[str] = []
    last = ""
    while True:
        after = models.Identifier.objects.filter(namespace__gt=last).order_by("namespace")
        row = after.values_list("namespace", flat=True).first()
        if row is None:
            break
        found.append(row)
        last = row
    return sorted(found, key=lambda n: (n in DEVICE_NAMESPACES, n not in KNOWN_NAMESPACES))


def _prefixes(query: str) -> Sequence[tuple[str, str]]:
    """Where to look, and for which beginning."""
    known = namespaces()
    namespace, _, value = query.partition(":")
    if namespace in known and IDENTIFIER_PATTERN.match(query):
        return [(namespace, normal_identifier(namespace, value).partition(":")[2])]
    wanted: list[tuple[str, str]] = []
    for namespace in known:
        value = normal_identifier(namespace, query).partition(":")[2]
        if namespace == "phone":
            digits = re.sub(r"\D", "", value)
            if len(digits) < 3 or re.search(r"[^\d\s()+./-]", query):
                continue  # what has letters is no telephone number
            wanted += [(namespace, digits), (namespace, "+" + digits.removeprefix("00"))]
        elif value:
            wanted.append((namespace, value))
    return wanted


def _range(namespace: str, prefix: str, limit: int) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.person, f.value FROM (SELECT subject, value FROM people_identifier"
            " WHERE namespace = %s AND value >= %s AND value < %s ORDER BY value LIMIT %s) f"
            " JOIN people_identity i ON i.subject = f.subject",
            [namespace, prefix, prefix + _LAST, limit],
        )
        return [(person, f"{namespace}:{value}") for person, value in cursor.fetchall()]


def _value(identifier: str) -> str:
    return identifier.partition(":")[2]
