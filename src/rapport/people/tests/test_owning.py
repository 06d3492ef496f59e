"""What a person is shown of themselves: what certain edges join, and nothing that was guessed."""

from __future__ import annotations

import pyarrow as pa
import pytest

from rapport.kit.errors import NotFound
from rapport.people import selectors, services
from rapport.people.tests.conftest import Log, Say, identified, touchpoint


def test_one_sees_every_certain_identifier_and_what_each_said(say: Say) -> None:
    say(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana Ruiz"}),
        touchpoint("order_placed", "customer:1", properties={"order_id": "1"}),
    )
    mine = selectors.own("email:ana@example.org")
    assert {i.text for i in mine.identifiers} == {"customer:1", "email:ana@example.org"}
    assert [edge.evidence for edge in mine.edges] == ["import"]
    assert {t.name: t.chosen.value for t in mine.traits} == {"name": "Ana Ruiz"}
    names = [e.name for e in selectors.timeline_of(mine.subjects).events]
    assert sorted(names) == ["order_placed", "person_identified"]


def test_what_only_probably_belongs_to_one_is_kept_from_them(tell: Log) -> None:
    tell(
        identified("customer:1", "email:ana@example.org", traits={"name": "Ana Ruiz"}),
        identified("customer:2", traits={"name": "Bo Lind"}),
    )
    one, other = (selectors.subject_of(f"customer:{n}") for n in (1, 2))
    pair = pa.table({"a": [one], "b": [other], "confidence": [0.99], "evidence": ["similar"]})
    services.propose(pair, source="splink", accept_from=0.9)
    assert selectors.person_id("customer:1") == selectors.person_id("customer:2"), "staff see one person"
    mine = selectors.own("email:ana@example.org")
    assert {i.text for i in mine.identifiers} == {"customer:1", "email:ana@example.org"}
    assert [[t.chosen.value, *t.others] for t in mine.traits] == [["Ana Ruiz"]]
    assert {edge.certainty for edge in mine.edges} == {"certain"}


def test_of_a_stranger_there_is_nothing(tell: Log) -> None:
    tell(identified("customer:1"))
    with pytest.raises(NotFound):
        selectors.own("email:nobody@example.org")
