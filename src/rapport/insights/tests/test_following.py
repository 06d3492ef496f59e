"""What follows a run is done, and its failure is not the run's."""

from __future__ import annotations

import sys

import pytest

from rapport.insights.services import following


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_FOLLOWS", {})


def test_it_follows_its_own_model_alone() -> None:
    done: list[str] = []
    following.after_run("persona", lambda: done.append("persona"))
    following.follow("value")
    assert done == []
    following.follow("persona")
    assert done == ["persona"]


def test_a_failure_is_told_and_goes_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def fails() -> None:
        raise ValueError("no paint left")

    def tell(text: str, *values: object) -> None:
        told.append(f"{text % values} {sys.exception()!r}")

    monkeypatch.setattr(following.log, "exception", tell)
    following.after_run("persona", fails)
    following.follow("persona")
    assert len(told) == 1
    assert "what follows a run of persona failed" in told[0]
    assert "no paint left" in told[0]
