"""What follows a run is done, and its failure is not the run's."""

from __future__ import annotations

import logging

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


def test_a_failure_is_told_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> None:
        raise ValueError("no paint left")

    following.after_run("persona", fails)
    with caplog.at_level(logging.ERROR):
        following.follow("persona")
    assert "what follows a run of persona failed" in caplog.text
    assert "no paint left" in caplog.text
