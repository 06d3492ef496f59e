"""`rapport conversations` lists what waits and shows one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rapport.cli import conversations as cli
from rapport.conversations import selectors
from rapport.events import services as events
from rapport.events import spool, subscriptions


def test_the_command_line_lists_and_shows_them(home: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    events.touchpoint(
        "message_received", "email:ana@example.org", source="crm", message_id="m1", channel="email",
        text="Where is it?", properties={"network": "email", "subject": "Order 12"},
    )  # fmt: skip
    events.settle(spool.current().next_seq() - 1)
    subscriptions.drain(["conversations"])
    (row,) = selectors.page("open", 0).rows
    monkeypatch.setattr(cli.stores, "set_up", lambda: None)
    listed = CliRunner().invoke(cli.conversations_command, ["list", "--json"])
    assert str(row.id) in listed.output
    shown = CliRunner().invoke(cli.conversations_command, ["show", str(row.id)])
    assert "Where is it?" in shown.output
    bad = CliRunner().invoke(cli.conversations_command, ["show", "x"])
    assert "no conversation's number" in str(bad.exception)
