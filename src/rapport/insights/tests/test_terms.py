"""The terms of networks hold for models: what may not be derived, learnt or matched is not."""

from __future__ import annotations

import dataclasses

import pytest

from rapport.events import subscriptions
from rapport.insights import services
from rapport.insights.services import adapting, keeping, permitting
from rapport.insights.tests.conftest import loaded, react
from rapport.kit.errors import Denied
from rapport.listening import services as listening
from rapport.listening.tests.networks import Square, says
from rapport.people import selectors as people
from rapport.people import services as people_services

pytestmark = pytest.mark.django_db


def read(square: Square, source: str) -> None:
    square.said = [says("The lantern broke after a day.", id="1", author="ana")]
    listening.read_source(source)
    loaded()
    react()


def subject(identifier: str) -> int:
    found = people.subject_of(identifier)
    assert found is not None
    return found


def test_scores_of_people_leave_out_whom_nothing_may_be_derived_of(square: Square, source: str) -> None:
    read(square, source)
    leave = permitting.warrant(next(m for m in keeping.insights() if m.name == "advocacy"))
    ana = subject("square:ana")
    assert ana not in permitting.refused_by(leave)
    square.terms = dataclasses.replace(square.terms, may_derive=False)
    assert ana in permitting.refused_by(leave)
    assert ana not in permitting.identity_seen(permitting.refused_by(leave))["subject"].to_pylist()


def test_lessons_leave_out_what_may_not_be_learnt_from(square: Square, source: str) -> None:
    read(square, source)
    services.correct(1, "sentiment", "negative", "alice@example.com")
    model = next(m for m in keeping.insights() if m.name == "sentiment")
    assert adapting._corrections(model).num_rows == 1
    square.terms = dataclasses.replace(square.terms, may_train=False)
    assert adapting._corrections(model).num_rows == 0


def test_what_is_taken_back_is_learnt_from_no_more(square: Square, source: str) -> None:
    read(square, source)
    services.correct(1, "sentiment", "negative", "alice@example.com")
    square.said.append(says("", id="2", kind="deletion", about="1"))
    listening.read_source(source)
    loaded()
    subscriptions.drain(["listening"])
    listening.carry_out_terms()
    model = next(m for m in keeping.insights() if m.name == "sentiment")
    assert adapting._corrections(model).num_rows == 0


def test_a_handle_is_joined_to_nobody_where_the_terms_forbid_it(square: Square, source: str) -> None:
    from rapport.events import services as events

    read(square, source)
    events.touchpoint("person_identified", "customer:1", source="crm", properties={"traits": {"name": "Ana"}})
    loaded()
    react()
    ana, customer = subject("square:ana"), subject("customer:1")
    square.terms = dataclasses.replace(square.terms, may_match=False)
    with pytest.raises(Denied, match="terms of square"):
        people_services.merge(ana, customer, "they said so", "alice@example.com")
    square.terms = dataclasses.replace(square.terms, may_match=True)
    assert len(people_services.merge(ana, customer, "they said so", "alice@example.com").persons) == 1
