"""Surveys to answer, and somebody to answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import lake, services, subscriptions
from rapport.events import rules as log_rules
from rapport.surveys import rules
from rapport.surveys import services as surveys
from rapport.surveys.rules import starters

LANGUAGES = ("en", "de")


def settle() -> None:
    """Load what was recorded, and let everybody react."""
    from rapport.events import spool

    services.settle(spool.current().next_seq() - 1)
    subscriptions.drain()


def record(*rows: Mapping[str, Any], source: str = "crm") -> None:
    services.record(pa.Table.from_pylist(list(rows), schema=log_rules.TOUCHPOINT), source=source)
    settle()


def logged(names: tuple[str, ...] = ("survey_answered", "answer_corrected")) -> list[dict[str, Any]]:
    """What the log holds of surveys, oldest first."""
    settle()
    con = lake.connect()
    try:
        found = con.execute(
            'SELECT e.name, s.identifier, e."text", e.properties FROM event AS e JOIN lake.subject AS s'
            " USING (subject) WHERE list_contains($names, e.name) ORDER BY e.seq",
            {"names": list(names)},
        ).to_arrow_table()
    finally:
        con.close()
    return found.to_pylist()


@pytest.fixture
def asked(home: Path, db: None) -> Callable[..., str]:  # noqa: ARG001  what it writes into
    """Publish a starter, changed as told; gives its slug."""

    def publish(
        name: str = "nps", change: Callable[[rules.Definition], rules.Definition] | None = None, **reach: Any
    ) -> str:
        begun = starters.starter(name, LANGUAGES)
        definition = change(begun.definition) if change else begun.definition
        places = tuple(reach.pop("places", begun.places))
        slug = surveys.create(name, definition, by="alice", reach=surveys.Reach(places, **reach))
        surveys.publish(slug, by="alice")
        return slug

    return publish
