"""Staff's and models' word on who is whom: merge, un-merge, accept, reject, propose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.events import services as events
from rapport.kit import bulk, clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.people.models import Edge, Identifier
from rapport.people.rules import graph
from rapport.people.selectors import rows
from rapport.people.services import authors, components, profiles, writing

STAFF = components.STAFF
EVIDENCE_CHARS_MAX = 64

PROPOSAL = pa.schema(
    [
        ("a", pa.int64()),
        ("b", pa.int64()),
        ("confidence", pa.float64()),
        ("evidence", pa.string()),
        ("detail", pa.string()),  # as in rules.evidence; may be missing
    ]
)


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of an edge: its id, and the persons that its ends belong to now (one or two)."""

    edge: int
    persons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of probable pairs: joined at once, laid before a reviewer, or left out as settled."""

    accepted: int
    waiting: int
    settled: int


def merge(a_subject: int, b_subject: int, evidence: str, by: str) -> Decided:
    """Hold two subjects, and with them their persons, for one; a colleague says so, which is certain."""
    if a_subject == b_subject:
        raise Invalid(f"subject {a_subject} was given twice", "Name two different people.")
    a, b = sorted((a_subject, b_subject))
    evidence = (evidence.strip() or STAFF)[:EVIDENCE_CHARS_MAX]
    authors.check_terms(a, b)
    with writing.change() as number:
        before = _known(a, b)
        if len({person for person, _ in before}) == len({core for _, core in before}) == 1:
            raise Conflict(
                f"{a_subject} and {b_subject} are already one person", "There is nothing to merge."
            )
        edge, _ = Edge.objects.update_or_create(
            a=a,
            b=b,
            evidence=evidence,
            source=STAFF,
            defaults={
                "certainty": graph.CERTAIN,
                "confidence": 1.0,
                "state": graph.ACCEPTED,
                "asserted_at": clock.now(),
                "decided_by": by,
                "decided_at": clock.now(),
            },
        )
        persons = _joined(edge, number)
    _record("identity_merged", edge, by)
    return Decided(edge.pk, persons)


def unmerge(edge_id: int, by: str) -> Decided:
    """Take an assertion back; where nothing else holds its ends together, each gets back what it had."""
    with writing.change() as number:
        edge = _edge(edge_id)
        if edge.state != graph.ACCEPTED:
            raise Conflict(f"edge {edge_id} is {edge.state}", "Only an accepted one can be removed.")
        _decide(edge, graph.REMOVED, by)
        profiles.refresh(components.settle(graph.as_subjects([edge.a, edge.b]), number))
        persons = tuple(sorted({person for person, _ in _known(edge.a, edge.b)}))
    _record("identity_unmerged", edge, by)
    return Decided(edge.pk, persons)


def accept(edge_id: int, by: str) -> Decided:
    """Join what a model proposed. It stays probable, so that no consent flows along it."""
    with writing.change() as number:
        edge = _edge(edge_id)
        if edge.state != graph.PROPOSED:
            raise Conflict(f"edge {edge_id} is {edge.state}", "Only a proposed one can be accepted.")
        authors.check_terms(edge.a, edge.b)
        if authors.crosses(graph.as_subjects([edge.a]), graph.as_subjects([edge.b])).any():
            raise Denied(
                "a public author is not joined to somebody we know because they are alike",
                "That takes their consent or an act of their own: a log-in, a signed link, an order.",
            )
        _decide(edge, graph.ACCEPTED, by)
        persons = _joined(edge, number)
    _record("identity_merged", edge, by)
    return Decided(edge.pk, persons)


def reject(edge_id: int, by: str) -> None:
    """Say of a proposed pair that they are not one person; it is not proposed again."""
    with writing.change():
        edge = _edge(edge_id)
        if edge.state != graph.PROPOSED:
            raise Conflict(f"edge {edge_id} is {edge.state}", "Only a proposed one can be rejected.")
        _decide(edge, graph.REJECTED, by)


def propose(pairs: pa.Table, *, source: str, accept_from: float | None = None) -> Proposed:
    """Lay probable pairs (PROPOSAL) before a reviewer; those at or above `accept_from` join at once.

    Left out are pairs that are one person already, that staff refused, that are nobody's, or of whom one is
    a public author and the other is not. What waits of the same source and is proposed again gets the newer
    figures.
    """
    if "detail" not in pairs.column_names:
        pairs = pairs.append_column("detail", pa.array([""] * pairs.num_rows, pa.string()))
    given = pairs.select(PROPOSAL.names).cast(PROPOSAL)
    ends = np.sort(np.stack([rows.numbers(given, "a"), rows.numbers(given, "b")]), axis=0)
    a, b = ends[0], ends[1]
    keep = _are_two(a, b) & ~authors.crosses(a, b)
    given, a, b = given.filter(pa.array(keep)), a[keep], b[keep]
    surely = pc.greater_equal(given["confidence"], 2.0 if accept_from is None else accept_from)
    edges = pa.table(
        {
            "a": pa.array(a),
            "b": pa.array(b),
            "evidence": pc.utf8_slice_codeunits(given["evidence"], 0, EVIDENCE_CHARS_MAX),
            "confidence": given["confidence"],
            "detail": pc.fill_null(given["detail"], ""),
            "state": pc.if_else(surely, graph.ACCEPTED, graph.PROPOSED),
            "asserted_at": pa.array([clock.now()] * given.num_rows, pa.timestamp("us", tz="UTC")),
        }
    )
    bulk.upsert(
        "people_edge",
        [*edges.column_names, "certainty", "source", "decided_by"],
        ((*row, graph.PROBABLE, source, "") for row in writing.tuples(edges)),
        conflict=("a", "b", "evidence", "source"),
        update=("confidence", "detail", "state", "asserted_at"),
        where=f"people_edge.state = '{graph.PROPOSED}'",
    )
    joining = edges.filter(pc.equal(edges["state"], graph.ACCEPTED))
    left, right = rows.numbers(joining, "a"), rows.numbers(joining, "b")
    profiles.refresh(np.union1d(components.join(left, right), np.concatenate([left, right])))
    return Proposed(
        accepted=joining.num_rows,
        waiting=edges.num_rows - joining.num_rows,
        settled=pairs.num_rows - edges.num_rows,
    )


def _are_two(a: graph.Subjects, b: graph.Subjects) -> NDArray[np.bool_]:
    """Which pairs are two people, of whom nobody has said that they are two.

    Staff refuse a pair of identifiers and mean the people: it counts whatever other identifiers they have.
    """
    refused = components.refused()
    no_a, no_b = rows.numbers(refused, "a"), rows.numbers(refused, "b")
    known = components.identities(np.unique(np.concatenate([a, b, no_a, no_b])))
    subjects, persons = rows.numbers(known, "subject"), rows.numbers(known, "person")
    two: NDArray[np.bool_] = (a != b) & graph.is_in(a, subjects) & graph.is_in(b, subjects)

    def person_of(numbers: graph.Subjects) -> graph.Subjects:
        return graph.as_subjects(persons[np.searchsorted(subjects, numbers)])

    left, right = person_of(a[two]), person_of(b[two])
    there = graph.is_in(no_a, subjects) & graph.is_in(no_b, subjects)
    no = np.sort(np.stack([person_of(no_a[there]), person_of(no_b[there])]), axis=0)
    ends = np.sort(np.stack([left, right]), axis=0)
    two[two] = (left != right) & ~graph.pairs_in(ends[0], ends[1], no[0], no[1])
    return two


def reopen(edge_id: int, by: str) -> Decided:
    """Take a decision on a proposed pair back: it waits again, and who was joined by it is apart again."""
    with writing.change() as number:
        edge = _edge(edge_id)
        if edge.certainty != graph.PROBABLE or edge.state not in {graph.ACCEPTED, graph.REJECTED}:
            raise Conflict(
                f"edge {edge_id} is {edge.state} and {edge.certainty}",
                "Only what was decided of a probable pair can be taken back.",
            )
        was = edge.state
        edge.state, edge.decided_by, edge.decided_at = graph.PROPOSED, "", None
        edge.save(update_fields=["state", "decided_by", "decided_at"])
        if was == graph.ACCEPTED:
            profiles.refresh(components.settle(graph.as_subjects([edge.a, edge.b]), number))
        persons = tuple(sorted({person for person, _ in _known(edge.a, edge.b)}))
    if was == graph.ACCEPTED:
        _record("identity_unmerged", edge, by)
    return Decided(edge.pk, persons)


def _joined(edge: Edge, number: int) -> tuple[int, ...]:
    profiles.refresh(components.settle(graph.as_subjects([edge.a, edge.b]), number))
    return tuple(sorted({person for person, _ in _known(edge.a, edge.b)}))


def _known(*subjects: int) -> list[tuple[int, int]]:
    """(person, core) of each subject, or NotFound."""
    found = components.identities(graph.as_subjects(sorted(subjects))).to_pylist()
    missing = set(subjects) - {row["subject"] for row in found}
    if missing:
        raise NotFound(
            f"subject {min(missing)} is nobody's", "It may have been erased, or it stands for a product."
        )
    return [(row["person"], row["core"]) for row in found]


def _edge(edge_id: int) -> Edge:
    edge = Edge.objects.filter(pk=edge_id).first()
    if edge is None:
        raise NotFound(f"there is no edge {edge_id}", "`rapport people show` lists a person's edges.")
    return edge


def _decide(edge: Edge, state: str, by: str) -> None:
    edge.state, edge.decided_by, edge.decided_at = state, by, clock.now()
    edge.save(update_fields=["state", "decided_by", "decided_at"])


def _record(name: str, edge: Edge, by: str) -> None:
    """Tell the log, after the decision is durable: an event of something that then failed would be a lie."""
    texts = {
        i.subject: f"{i.namespace}:{i.value}" for i in Identifier.objects.filter(pk__in=[edge.a, edge.b])
    }
    events.touchpoint(
        name,
        texts[edge.a],
        source=STAFF,
        properties={"other": texts[edge.b], "evidence": edge.evidence, "by": by},
    )
