"""`rapport source`: set up, tried out, read and followed from a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rapport.cli.sources import source_command
from rapport.kit.errors import Conflict, Invalid
from rapport.listening.contract import Failed
from rapport.listening.tests.networks import Square, says, source, square

__all__ = ["source", "square"]  # fixtures

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Result:
    return CliRunner().invoke(source_command, list(arguments))


def told(*arguments: str) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_network_is_set_up_and_read(square: Square, tmp_path: Path) -> None:
    secret = tmp_path / "key.txt"
    secret.write_text("open sesame\n")
    told("add", "market", "square", "--set", f"password=@{secret}", "--days-back", "3")
    assert told("check", "market") == {
        "works": True,
        "findings": [{"what": "log-in", "state": "ok", "message": "it was looked at", "hint": ""}],
    }
    square.said = [says(f"post {n}", id=str(n)) for n in range(3)]
    done = told("read", "market")
    assert (done["n_said"], done["n_pages"], done["is_whole"]) == (3, 2, True)
    listed = told("list")
    (row,) = listed["sources"]
    assert (row["name"], row["state"], row["n_said"], row["days_back"]) == ("market", "on", 3, 3)
    assert "open sesame" not in json.dumps(listed)
    assert {"rss", "json_poll", "webhook"} <= {one["name"] for one in listed["connectors"]}
    assert told("read", "market", "--anew")["n_said"] == 3


def test_a_key_that_ended_is_renewed_and_a_mistake_is_removed(square: Square, tmp_path: Path) -> None:
    told("add", "market", "square", "--set", "password=old", "--keep-days", "9", "--days-back", "3")
    square.said = [says("Hello", id="1")]
    square.refuses = [Failed("It ended", reason="login", retry_after_s=None)]
    assert run("read", "market", "--json").exit_code == 1
    changed = told("change", "market", "--set", "password=new")["source"]
    assert (changed["state"], changed["own_keep_days"], changed["days_back"]) == ("on", 9, 3)
    assert told("read", "market")["n_said"] == 1
    assert told("change", "market", "--keep-days", "0")["source"]["own_keep_days"] is None
    assert told("switch", "market", "off")["state"] == "off"
    assert told("switch", "market", "on")["state"] == "on"
    assert isinstance(run("remove", "market").exception, Conflict)
    told("add", "wrong", "square")
    assert told("remove", "wrong")["is_removed"]
    assert [one["name"] for one in told("list")["sources"]] == ["market"]


def test_what_is_wrong_is_said_with_status_one(square: Square, source: str) -> None:
    square.refuses = [Failed("Too many requests", reason="rate", retry_after_s=90)]
    done = run("read", source, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["trouble"] == "Too many requests"
    told("add", "other", "square")
    assert run("check", "other").exit_code == 1
    assert isinstance(run("add", "third", "square", "--set", "colour=red").exception, Invalid)


def test_words_are_followed_after_a_look_at_what_they_find(square: Square, source: str) -> None:
    assert "Nothing is followed yet" in run("follow").output
    seen = told("follow", "lantern", "brand", "Lantern", "--without", "green lantern", "--preview")
    assert seen["preview"]["n"] == 0
    assert told("follow") == []
    told("follow", "lantern", "brand", "Lantern", "--without", "green lantern", "--language", "en")
    (row,) = told("follow")
    assert (row["key"], row["with_words"], row["without_words"], row["languages"]) == (
        "lantern", ["Lantern"], ["green lantern"], ["en"],
    )  # fmt: skip
    told("follow", "lantern", "--stop")
    assert told("follow") == []
    assert isinstance(run("follow", "lantern").exception, Invalid)
