"""Holdouts are stable: asked again, merged, un-merged or with another share, everybody keeps what they had."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.consent.erasers import Erasing
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound
from rapport.pacing import selectors, services
from rapport.pacing.models import Holdout

START = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
SPRING = "spring"


@pytest.fixture(autouse=True)
def stores(home: Path, db: None) -> None:
    """Every test here has stores of its own."""


class World:
    """Who is certainly whom, without a people store: subjects in cores that merge and fall apart."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
        self.edges: set[tuple[int, int]] = set()
        self.n = n
        monkeypatch.setattr("rapport.people.selectors.identity_arrow", self.table)

    def cores(self) -> dict[int, int]:
        core = {subject: subject for subject in range(1, self.n + 1)}
        for _ in range(self.n):
            for a, b in self.edges:
                core[a] = core[b] = min(core[a], core[b])
        return core

    def table(self) -> pa.Table:
        core = self.cores()
        return pa.table(
            {"subject": list(core), "person": list(core.values()), "core": list(core.values())},
            schema=pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())]),
        )


def test_about_the_share_is_held_out_and_the_same_people_each_time() -> None:
    services.define(SPRING, 0.2)
    everybody = list(range(8, 8 * 4_001, 8))
    held = services.held_out(everybody, SPRING)
    assert 0.17 < len(held) / len(everybody) < 0.23
    assert services.held_out(everybody, SPRING) == held
    assert {s for s in everybody[:50] if services.holdout(s, SPRING)} == held & set(everybody[:50])


def test_two_experiments_hold_out_different_people() -> None:
    services.define(SPRING, 0.5)
    services.define("summer", 0.5)
    everybody = list(range(1, 1_001))
    both = services.held_out(everybody, SPRING) & services.held_out(everybody, "summer")
    assert 200 < len(both) < 300  # a quarter, as independent draws have it


def test_nobody_can_work_it_out_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    services.define(SPRING, 0.5)
    here = services.held_out(list(range(1, 201)), SPRING)
    Holdout.objects.all().delete()
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "another installation's")
    assert services.held_out(list(range(1, 201)), SPRING) != here


def test_another_share_changes_nobody_who_was_assigned() -> None:
    services.define(SPRING, 0.5)
    everybody = list(range(1, 301))
    held = services.held_out(everybody, SPRING)
    services.define(SPRING, 0.0)
    assert services.held_out(everybody, SPRING) == held
    assert services.held_out(list(range(301, 601)), SPRING) == set()
    assert selectors.share_ratio(SPRING) == 0.0


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "merge", "unmerge"]), st.integers(1, 8), st.integers(1, 8)),
    max_size=25,
)


@given(STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_merging_and_unmerging_changes_what_somebody_was_given(
    monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, int, int]]
) -> None:
    """The reference: a dictionary of what each subject was first given, the earliest of a core deciding."""
    Holdout.objects.all().delete()
    services.define(SPRING, 0.5)
    world = World(monkeypatch, 8)
    given_at: dict[int, tuple[int, int, bool]] = {}  # subject -> (step, subject, held out)
    for at, (what, a, b) in enumerate(steps):
        if what == "merge" and a != b:
            world.edges.add((min(a, b), max(a, b)))
        elif what == "unmerge":
            world.edges.discard((min(a, b), max(a, b)))
        elif what == "ask":
            with clock.frozen(START + dt.timedelta(seconds=at)):
                answer = services.holdout(a, SPRING)
            core = world.cores()
            mine = [subject for subject in core if core[subject] == core[a]]
            known = [given_at[subject] for subject in mine if subject in given_at]
            if known:
                assert answer == min(known)[2]
            for subject in mine:
                given_at.setdefault(subject, (at, subject, answer))
    stored: dict[int, bool] = dict(Holdout.objects.values_list("subject", "is_held_out"))
    assert stored == {subject: given[2] for subject, given in given_at.items()}


def test_an_experiment_nobody_defined_holds_nobody_out() -> None:
    with pytest.raises(NotFound):
        services.holdout(1, "winter")
    assert selectors.defined(["winter", "everything"]) == []


@pytest.mark.parametrize("share", [-0.1, 0.6, 2])
def test_a_share_beyond_half_is_refused(share: float) -> None:
    with pytest.raises(Invalid, match="cannot be held out"):
        services.define(SPRING, share)


@pytest.mark.parametrize("name", ["", "Spring", "1st", "a" * 65, "a b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="cannot name an experiment"):
        services.define(name, 0.1)


def test_erasing_forgets_the_assignment() -> None:
    services.define(SPRING, 0.5)
    services.held_out([1, 2, 3], SPRING)
    erasing: Any = Erasing(subjects=(1, 2), identifiers=("email:a@b.c", "email:d@e.f"), hashes=())
    assert services.erase(erasing) == 2
    assert services.erase(erasing) == 0
    assert set(Holdout.objects.values_list("subject", flat=True)) == {3}


def test_the_first_pause_holds_until_somebody_resumes(noon: dt.datetime) -> None:
    services.pause("alice@example.com", "a wrong price")
    services.pause("bob@example.com", "me too")
    found = selectors.pause()
    assert found is not None
    assert (found.by, found.why, found.since) == ("alice@example.com", "a wrong price", noon)
    services.resume()
    assert selectors.pause() is None
