"""Which of several statements is believed, and what a person is called, for many persons at once."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.events.rules import DEVICE_NAMESPACES, KNOWN_NAMESPACES
from rapport.people.rules import authors, graph

ORIGINS = ("inferred", "observed", "declared")  # the later one is believed before the earlier
KINDS = ("person", "author", "visitor")

LABEL_CHARS_MAX = 255  # of what is shown or sorted by
TERM_CHARS_MAX = 64

NAME_TRAITS = ("name", "given_name", "family_name")
SHOWN_TRAITS = (*NAME_TRAITS, "email", "country", "language")  # what a person's row is made from

IDENTITY = pa.schema([("subject", pa.int64()), ("person", pa.int64())])
IDENTIFIER = pa.schema([("subject", pa.int64()), ("namespace", pa.string()), ("value", pa.string())])
TRAIT = pa.schema(
    [
        ("subject", pa.int64()),
        ("name", pa.string()),
        ("origin", pa.string()),
        ("value", pa.string()),  # JSON
        ("confidence", pa.float64()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("seq", pa.int64()),
    ]
)


def codes(column: pa.ChunkedArray, vocabulary: tuple[str, ...]) -> NDArray[np.int64]:
    """The position of each text in the vocabulary, -1 where it is not there."""
    found = pc.index_in(column, value_set=pa.array(vocabulary, pa.string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def chosen(persons: graph.Subjects, traits: pa.Table) -> NDArray[np.int64]:
    """The rows of `traits` that are believed: one per person and trait name.

    Declared before observed before inferred; then the newest; then the surest, where a statement without
    a figure counts as sure; then the one recorded last. `persons` says whose each row is.
    """
    if traits.num_rows == 0:
        return np.empty(0, dtype=np.int64)
    names = np.asarray(pc.rank(traits["name"], tiebreaker="dense").to_numpy(zero_copy_only=False), np.int64)
    confidence = pc.fill_null(traits["confidence"], 1.0).to_numpy(zero_copy_only=False)
    at_us = traits["at"].cast(pa.int64()).to_numpy(zero_copy_only=False)
    seq = traits["seq"].to_numpy(zero_copy_only=False)
    order = np.lexsort((seq, confidence, at_us, codes(traits["origin"], ORIGINS), names, persons))
    last = np.ones(order.size, dtype=np.bool_)
    last[:-1] = (np.diff(persons[order]) != 0) | (np.diff(names[order]) != 0)
    return np.asarray(order[last])


def plain(values: pa.ChunkedArray) -> pa.Array:
    """JSON scalars as text; what is no string or number becomes null."""
    array = _one(values)
    quoted = pc.starts_with(array, '"')
    text = pc.utf8_slice_codeunits(array, 1, -1)
    escaped = pc.and_(quoted, pc.match_substring(array, "\\"))
    if pc.any(escaped).as_py():  # few: names seldom hold a backslash
        where = np.flatnonzero(np.asarray(escaped.to_numpy(zero_copy_only=False), dtype=np.bool_))
        decoded = [str(json.loads(v)) for v in array.take(pa.array(where)).to_pylist()]
        text = pc.replace_with_mask(text, escaped, pa.array(decoded, pa.string()))
    number = pc.match_substring_regex(array, r"^-?[0-9]")
    nothing = pa.scalar(None, pa.string())
    return pc.if_else(quoted, text, pc.if_else(number, array, nothing))


def tidy(text: pa.Array) -> pa.Array:
    """Text on one line without stray blanks, cut to what is shown; empty becomes null."""
    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\s\p{Cc}]+", " "))
    cut = pc.utf8_slice_codeunits(spaced, 0, LABEL_CHARS_MAX)
    return pc.if_else(pc.equal(cut, ""), pa.scalar(None, pa.string()), cut)


def folded(text: pa.Array) -> pa.Array:
    """Text as it is sorted and searched: without case, accents and width variants."""
    bare = pc.replace_substring_regex(pc.utf8_normalize(text, "NFKD"), r"\p{M}+", "")
    lower = pc.replace_substring(pc.utf8_lower(bare), "ß", "ss")
    return pc.utf8_slice_codeunits(pc.utf8_normalize(lower, "NFC"), 0, LABEL_CHARS_MAX)


def folded_words(query: str) -> list[str]:
    """The words of what somebody typed, folded, without repeats."""
    words, _ = _words(folded(pa.array([query], pa.string())))
    return list(dict.fromkeys(words.to_pylist()))


def _words(text: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    parts = pc.split_pattern_regex(text, r"[^\p{L}\p{N}]+")
    rows = np.asarray(pc.list_parent_indices(parts).to_numpy(), dtype=np.int64)
    words = pc.utf8_slice_codeunits(pc.list_flatten(parts), 0, TERM_CHARS_MAX)
    kept = np.asarray(pc.not_equal(words, "").to_numpy(zero_copy_only=False), dtype=np.bool_)
    return words.filter(pa.array(kept)), rows[kept]


def labels(namespace: pa.Array, value: pa.Array) -> pa.Array:
    """What a person without a name is called, from one of their identifiers."""
    plainly = pc.is_in(namespace, value_set=pa.array(["email", "phone"]))
    named = pc.is_in(namespace, value_set=pa.array(["customer", "loyalty"]))
    device = pc.is_in(namespace, value_set=pa.array(DEVICE_NAMESPACES))
    return pc.case_when(
        pc.make_struct(plainly, named, device),
        value,
        pc.binary_join_element_wise(namespace, value, " "),
        pc.binary_join_element_wise("visitor", pc.utf8_slice_codeunits(value, 0, 8), " "),
        pc.binary_join_element_wise("@", value, ""),
    )


def persons(identity: pa.Table, identifiers: pa.Table, traits: pa.Table) -> pa.Table:
    """One row per person of `identity`, ascending: what the list shows and sorts by.

    The tables hold every subject, identifier and shown trait of those persons (IDENTITY, IDENTIFIER,
    TRAIT). Gives id, kind, display_name, sort_name, email, country, language, n_identifiers, members.
    """
    subjects, person_of = _numbers(identity, "subject"), _numbers(identity, "person")
    ids, members, counts = graph.fingerprints(person_of, subjects)
    places = _Places(ids, subjects, person_of)
    told = _told(places, traits)
    mail = _best_identifier(places, identifiers, newest_mail=True)
    spare = _best_identifier(places, identifiers, newest_mail=False)
    kinds = _kinds(places, identifiers)
    known = pc.fill_null(pc.coalesce(_full_name(told), tidy(spare["label"])), "")
    # Lists show no handle or name of somebody who merely writes in public.
    display = pc.if_else(pc.equal(kinds, authors.AUTHOR), authors.pseudonyms(pa.array(ids)), known)
    return pa.table(
        {
            "id": pa.array(ids),
            "kind": kinds,
            "display_name": display,
            "sort_name": folded(display),
            "email": pc.fill_null(pc.coalesce(mail["value"], told["email"]), ""),
            "country": _country(told["country"]),
            "language": _language(told["language"]),
            "n_identifiers": pa.array(counts.astype(np.int32)),
            "members": pa.array(members),
        }
    )


def terms(identity: pa.Table, traits: pa.Table) -> pa.Table:
    """One row per word of every name that any source ever told of a person: term, person."""
    subjects, person_of = _numbers(identity, "subject"), _numbers(identity, "person")
    named = traits.filter(pc.is_in(traits["name"], value_set=pa.array(NAME_TRAITS)))
    words, rows = _words(pc.fill_null(folded(plain(named["value"])), ""))
    places = _Places(np.unique(person_of), subjects, person_of)
    owners = places.ids[places.of(_numbers(named, "subject"))][rows]
    return pa.table({"term": words, "person": pa.array(owners)}).group_by(["term", "person"]).aggregate([])


class _Places:
    """Where in a sorted array of persons the owner of a subject stands."""

    def __init__(self, ids: graph.Subjects, subjects: graph.Subjects, person_of: graph.Subjects) -> None:
        order = np.argsort(subjects)
        self.ids = ids
        self._subjects = subjects[order]
        self._place = np.searchsorted(ids, person_of[order])

    def of(self, subjects: graph.Subjects) -> NDArray[np.int64]:
        return np.asarray(self._place[np.searchsorted(self._subjects, subjects)])

    def spread(self, places: NDArray[np.int64], values: pa.Array) -> pa.Array:
        """Values at their places, null elsewhere."""
        source = np.full(self.ids.size, -1, dtype=np.int64)
        source[places] = np.arange(places.size)
        return values.take(pa.array(source, mask=source < 0))


def _told(places: _Places, traits: pa.Table) -> dict[str, pa.Array]:
    """The believed text of each shown trait, and the rank of the origin of each name."""
    owners = places.of(_numbers(traits, "subject"))
    best = chosen(owners, traits)
    rows, owners = traits.take(pa.array(best)), owners[best]
    text = tidy(plain(rows["value"]))
    origin = pa.array(codes(rows["origin"], ORIGINS))
    found: dict[str, pa.Array] = {}
    for name in SHOWN_TRAITS:
        mask = np.asarray(pc.equal(rows["name"], name).to_numpy(zero_copy_only=False), dtype=np.bool_)
        there = pa.array(mask)
        found[name] = places.spread(owners[mask], text.filter(there))
        found[f"{name}:origin"] = places.spread(owners[mask], origin.filter(there))
    return found


def _full_name(told: dict[str, pa.Array]) -> pa.Array:
    """The name, or given and family name where those were told by somebody more believed."""
    given, family = (pc.fill_null(told[name], "") for name in ("given_name", "family_name"))
    parts = tidy(pc.binary_join_element_wise(given, family, " "))
    rank = pc.max_element_wise(told["given_name:origin"], told["family_name:origin"])
    better = pc.fill_null(pc.greater(rank, told["name:origin"]), False)
    return pc.if_else(pc.and_(better, pc.is_valid(parts)), parts, pc.coalesce(told["name"], parts))


def _best_identifier(places: _Places, identifiers: pa.Table, *, newest_mail: bool) -> dict[str, pa.Array]:
    """Per person: the newest mail address, or the oldest of the identifiers that read best as a name."""
    namespace, value = _one(identifiers["namespace"]), _one(identifiers["value"])
    subjects = _numbers(identifiers, "subject")
    owners = places.of(subjects)
    if newest_mail:
        rows = np.flatnonzero(np.asarray(pc.equal(namespace, "email").to_numpy(zero_copy_only=False)))
        order = rows[np.lexsort((-subjects[rows], owners[rows]))]
    else:
        device = codes(pa.chunked_array([namespace]), DEVICE_NAMESPACES) >= 0
        known = codes(pa.chunked_array([namespace]), ("email", "phone", "customer", "loyalty"))
        # mail, telephone, public handle, customer number, loyalty card, device
        reads = np.select([device, known < 0, known >= 2], [9, 2, known + 1], known)
        order = np.lexsort((subjects, reads, owners))
    first = np.ones(order.size, dtype=np.bool_)
    first[1:] = np.diff(owners[order]) != 0
    best = order[first]
    picked = {"value": value, "label": labels(namespace, value)}
    return {key: places.spread(owners[best], text.take(pa.array(best))) for key, text in picked.items()}


def _kinds(places: _Places, identifiers: pa.Table) -> pa.Array:
    """`rapport.events.rules.kind_of` for many: known identifiers outrank public handles outrank devices."""
    known = codes(identifiers["namespace"], KNOWN_NAMESPACES) >= 0
    device = codes(identifiers["namespace"], DEVICE_NAMESPACES) >= 0
    rank = np.full(places.ids.size, KINDS.index("visitor"), dtype=np.int64)
    np.minimum.at(rank, places.of(_numbers(identifiers, "subject")), np.select([known, device], [0, 2], 1))
    return pa.array(KINDS, pa.string()).take(pa.array(rank))


def _country(text: pa.Array) -> pa.Array:
    short = pc.equal(pc.utf8_length(text), 2)
    return pc.utf8_slice_codeunits(pc.fill_null(pc.if_else(short, pc.utf8_upper(text), text), ""), 0, 64)


def _language(text: pa.Array) -> pa.Array:
    """The primary subtag of a language tag (RFC 5646), in lower case."""
    primary = pc.replace_substring_regex(pc.utf8_lower(text), r"^([a-z]{2,3})[-_].*$", r"\1")
    return pc.utf8_slice_codeunits(pc.fill_null(primary, ""), 0, 64)


def _numbers(table: pa.Table, column: str) -> graph.Subjects:
    return np.asarray(table[column].to_numpy(zero_copy_only=False), dtype=np.int64)


def _one(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
