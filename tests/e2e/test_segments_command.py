"""`rapport segments` answers for people and for programs, and says what is wrong with a rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rapport.cli.segments import segments_command
from rapport.kit.errors import Invalid
from rapport.segments.tests.conftest import ANA, BO, crowd, say  # noqa: F401  fixtures

RULE = {"event": "order_placed", "window": {"last_days": 90}, "count": {"op": ">=", "value": 2}}

Ask = Callable[..., Any]


@pytest.fixture
def ask(crowd: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:  # noqa: F811
    """Run the command on a rule, in a home that stands already; gives what it prints as JSON."""
    monkeypatch.setattr("rapport.web.stores.set_up", lambda: None)
    file = tmp_path / "rule.json"

    def run(verb: str, *more: str, rule: Any = RULE) -> Any:
        file.write_text(json.dumps(rule), "utf-8")
        given = [verb, str(file), *more] if rule is not None else [verb, *more]
        done = CliRunner().invoke(segments_command, [*given, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    return run


def test_a_rule_is_counted_listed_and_explained(ask: Ask) -> None:
    counted = ask("count", "--reach", "marketing")
    assert (counted["n"], counted["n_people"]) == (1, 3)
    assert counted["rule"] == "bought at least 2 times in the last 90 days"
    assert counted["reachable"]["email"] == 0
    (found,) = ask("members")["members"]
    assert ANA in found["identifiers"]
    assert ask("explain", str(found["person"]))["is_in"]
    why = ask("explain", BO)
    assert not why["is_in"]
    assert why["line"]["found"] == "not in this time; last on 2025-11-22"


def test_a_rule_is_kept_as_a_segment_and_refreshed(ask: Ask) -> None:
    assert ask("create", "Steady buyers")["key"] == "steady-buyers"
    (done,) = ask("refresh", rule=None)
    assert (done["key"], done["n_members"], done["n_entered"]) == ("steady-buyers", 1, 1)
    assert ask("count", "steady-buyers", rule=None)["n"] == 1
    (listed,) = ask("list", rule=None)
    assert listed["rule"] == RULE


def test_what_is_wrong_with_a_rule_is_said_with_its_place(ask: Ask) -> None:
    with pytest.raises(Invalid, match=r"^\$.any\[1\]: nothing is asked of trait"):
        ask("count", rule={"any": [RULE, {"trait": "plan"}]})
    with pytest.raises(Invalid, match="no trait 'shoe_size'"):
        ask("count", rule={"trait": "shoe_size", "is": "44"})
