"""Pairs that a model holds to be one person and that wait for a reviewer, the most probable first."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from rapport.kit.errors import Invalid, NotFound
from rapport.people import models
from rapport.people.rules import columns, likeness
from rapport.people.rules.evidence import Weight
from rapport.people.selectors import rows
from rapport.people.selectors.heads import PersonRow, person_rows
from rapport.people.selectors.persons import EdgeView, PersonView, edge_view, person

PAGE = 50
COUNT_MAX = 1_000  # beyond this a screen says "more than"

# Whoever became one person since, by another pair, has nothing left to decide; parting them brings the pair back.
_WAITING = (
    "SELECT e.id AS id, e.confidence AS confidence FROM people_edge AS e"
    " INNER JOIN people_identity AS a ON a.subject = e.a INNER JOIN people_identity AS b ON b.subject = e.b"
    " WHERE e.state = 'proposed' AND a.person <> b.person"
)
_ID = pa.schema([("id", pa.int64()), ("confidence", pa.float64())])


@dataclass(frozen=True, slots=True)
class Proposal:
    """One pair, with the two people as they are now."""

    edge: EdgeView
    a: PersonRow
    b: PersonRow

    @property
    def cursor(self) -> str:
        """The place behind this pair in the queue."""
        return f"{self.edge.confidence!r}.{self.edge.id}"


def proposals(after: str = "", limit: int = PAGE) -> list[Proposal]:
    """Proposed pairs, the most probable first; `after` is the cursor of the last one shown."""
    sql, params = _WAITING, []
    if after:
        confidence, number = _read(after)
        sql += " AND (e.confidence < %s OR (e.confidence = %s AND e.id > %s))"
        params = [confidence, confidence, number]
    found = rows.table(f"{sql} ORDER BY e.confidence DESC, e.id LIMIT %s", _ID, [*params, limit])
    return _views(found["id"].to_pylist())


def proposal(edge_id: int) -> Proposal:
    """One pair that waits, or NotFound where it does not any more."""
    found = rows.table(f"{_WAITING} AND e.id = %s", _ID, [edge_id])
    for view in _views(found["id"].to_pylist()):
        return view
    raise NotFound(f"pair {edge_id} does not wait", "Somebody decided it, or they became one person.")


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison of a pair: what is said of each now, and what the model made of it."""

    name: str
    left: str
    right: str
    weight: Weight | None  # none where no model compared it


def side_by_side(pair: Proposal) -> tuple[Line, ...]:
    """The two people of a pair, comparison by comparison, the most telling first."""
    left, right = _said(person(pair.a.id)), _said(person(pair.b.id))
    weights = {w.name: w for w in pair.edge.weights}
    names = [*weights, *(n for n in likeness.READS if n not in weights)]
    return tuple(
        Line(name, left.get(name, ""), right.get(name, ""), weights.get(name))
        for name in names
        if left.get(name) or right.get(name)
    )


def _said(view: PersonView) -> dict[str, str]:
    """What is believed of a person, under the names of the comparisons."""
    told = {t.name: str(t.chosen.value) for t in view.traits if isinstance(t.chosen.value, str | int | float)}
    fields = {
        f: told[name] for f, name in columns.recognised(told, keeps_name=True).items() if told.get(name)
    }
    for namespace in ("email", "phone"):
        values = [i.value for i in view.identifiers if i.namespace == namespace]
        if values:
            fields[namespace] = ", ".join(values)
    if name := fields.get("name", ""):  # cut as the comparison does
        family, comma, given = (
            name.partition(",") if "," in name else (name.split()[-1], "", " ".join(name.split()[:-1]))
        )
        fields = {
            "given_name": given.strip() or name,
            "family_name": family.strip() if comma or given else "",
            **fields,
        }
    found = {n: " ".join(fields[f] for f in reads if f in fields) for n, reads in likeness.READS.items()}
    return {name: text for name, text in found.items() if text}


def n_proposals() -> int:
    """How many pairs wait, counted up to COUNT_MAX."""
    sql = f"SELECT count(*), CAST(0 AS DOUBLE PRECISION) FROM ({_WAITING} LIMIT {COUNT_MAX}) AS few"
    return int(rows.table(sql, _ID)["id"][0].as_py())


def _views(ids: list[int]) -> list[Proposal]:
    edges = {e.pk: e for e in models.Edge.objects.filter(pk__in=ids)}
    ends = {n for e in edges.values() for n in (e.a, e.b)}
    texts = {
        i.subject: f"{i.namespace}:{i.value}" for i in models.Identifier.objects.filter(subject__in=ends)
    }
    person_of = dict(models.Identity.objects.filter(subject__in=ends).values_list("subject", "person"))
    people = {row.id: row for row in person_rows(person_of.values())}
    found = []
    for number in ids:
        edge = edges[number]
        a, b = (people.get(person_of.get(end, -1)) for end in (edge.a, edge.b))
        if a is not None and b is not None:
            found.append(Proposal(edge_view(edge, texts), a, b))
    return found


def _read(cursor: str) -> tuple[float, int]:
    confidence, _, number = cursor.rpartition(".")
    try:
        return float(confidence), int(number)
    except ValueError:
        raise Invalid(f"the place in the queue {cursor!r} is damaged", "Begin at the top.") from None


def last_linking_run() -> models.LinkingRun | None:
    """The newest comparison of everybody with everybody, if there was one."""
    return models.LinkingRun.objects.order_by("-started_at", "-id").first()
