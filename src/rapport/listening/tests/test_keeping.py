"""The terms of networks: what is taken back is gone from every byte, and what is old as well."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rapport.events import lake, subscriptions
from rapport.kit import clock, registry
from rapport.listening import selectors, services
from rapport.listening.contract import Context, Failed, Said
from rapport.listening.models import Withdrawal
from rapport.listening.services import keeping, rechecking, unchecked
from rapport.listening.tests.networks import NOON, Square, rows, says

pytestmark = pytest.mark.django_db


def told(source: str) -> list[dict[str, object]]:
    """Read, load, and let the subscriber hear of it."""
    services.read_source(source)
    found = rows()
    subscriptions.drain([keeping_key()])
    return found


def keeping_key() -> str:
    from rapport.listening import handlers

    return handlers.KEY


def bytes_of(home: Path) -> bytes:
    """Everything that lies in the data folder, packed or not as it lies."""
    return b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_what_is_deleted_upstream_is_gone_here_within_minutes(
    square: Square, source: str, home: Path
) -> None:
    square.said = [
        says("Zweifellos-secret-word", id="1", author_name="Quetzalcoatl"),
        says("Another one", author="bo", id="2", in_reply_to="1"),
    ]
    told(source)
    assert b"Zweifellos-secret-word" in bytes_of(home)
    square.said.append(says("", id="9", kind="deletion", about="1"))
    told(source)
    (waiting,) = Withdrawal.objects.all()
    assert waiting.due_at == waiting.told_at + dt.timedelta(hours=square.terms.deletes_within_h)
    assert services.terms_if_due() is not None, "the daily round, which this is the first of"
    with clock.frozen(NOON + keeping.TAKEN_BACK_AFTER):
        done = services.terms_if_due()
    assert done is not None
    assert done.withdrawn == 1
    first, second, _ = rows()
    assert first["text"] is None
    assert first["properties"]["post_id"] == "1", "that it was said stays, so that it does not come back"
    assert "author_name" not in first["properties"]
    assert second["text"] == "Another one"
    assert not Withdrawal.objects.exists()
    everything = bytes_of(home)
    assert b"Zweifellos-secret-word" not in everything
    assert b"Quetzalcoatl" not in everything
    services.read_anew(source)
    services.read_source(source)
    assert [row["text"] for row in rows()] == [None, "Another one", None]


def test_an_edit_takes_the_words_before_it_away(square: Square, source: str) -> None:
    square.said = [
        says("I live in Elm Street 5", id="1"),
        says("I live here", id="1b", kind="edit", about="1"),
    ]
    told(source)
    assert keeping.carry_out().withdrawn == 1
    before, after = rows()
    assert before["text"] is None
    assert (after["name"], after["text"]) == ("post_edited", "I live here")


def test_nobody_takes_back_what_was_said_on_another_network(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    square.said = [says("Stays", id="1")]
    told(source)
    from rapport.listening.models import Source

    Source.objects.filter(name=source).update(network="circle")
    square.said.append(says("", id="9", kind="deletion", about="1"))
    told(source)
    assert keeping.carry_out().withdrawn == 0
    assert rows()[0]["text"] == "Stays"


def test_words_go_when_the_terms_let_us_keep_them_no_longer(square: Square, source: str, home: Path) -> None:
    square.said = [
        says("Ancient-word", id="0", ts=NOON - dt.timedelta(days=31)),
        says("Old-word", id="1", ts=NOON - dt.timedelta(days=20)),
        says("New-word", id="2"),
    ]
    told(source)
    assert [row["text"] for row in rows()] == ["Old-word", "New-word"], "what is too old does not come in"
    with clock.frozen(NOON + dt.timedelta(days=11)):
        assert keeping.carry_out().expired == 1
        assert [row["text"] for row in rows()] == ["New-word"]
        assert b"Old-word" not in bytes_of(home)
        services.change_source(source, {}, keep_days=5)
        assert keeping.carry_out().expired == 1, "the firm may be stricter than the terms"
        assert rows() == []


def test_it_is_due_once_a_day_and_only_where_there_is_a_source(home: Path) -> None:
    with clock.frozen(NOON):
        assert services.terms_if_due() is None


def test_annotations_go_with_the_words(square: Square, source: str) -> None:
    import pyarrow as pa

    from rapport.events import rules
    from rapport.events import services as events

    square.said = [says("Broken", id="1")]
    (row,) = told(source)
    note = {
        "seq": row["seq"], "subject": row["subject"], "ts": row["ts"], "name": "sentiment", "label": "negative",
        "model": "m", "version": "1", "detail": '{"words": ["Broken"]}',
    }  # fmt: skip
    written = events.annotate(pa.Table.from_pylist([note], schema=rules.ANNOTATION))
    events.settle(written.first)
    square.said.append(says("", id="9", kind="deletion", about="1"))
    told(source)
    keeping.carry_out()
    with lake.connect() as con:
        assert con.execute("SELECT count(*) FROM annotation").fetchall() == [(0,)]


def test_ids_that_are_too_long_for_the_store_stop_nobodys_deletion(
    square: Square, source: str, home: Path
) -> None:
    """On PostgreSQL a column has a length, and one row that does not fit would be tried for ever."""
    square.said = [
        says("Zweifellos-secret-word", id="i" * 900),
        says("", id="d1", kind="deletion", about="i" * 900),
    ]
    told(source)
    posts = [row["properties"]["post_id"] for row in rows()]  # type: ignore[index]
    assert posts[0] == posts[1]
    (waiting,) = Withdrawal.objects.all()
    assert len(waiting.post_id) <= 512
    keeping.carry_out()
    assert rows()[0]["text"] is None


class Asked(Square):
    """The square, where one can ask what of some posts was deleted."""

    def recheck(self, config: Any, ids: Sequence[str], context: Context) -> Sequence[Said]:
        if self.refuses:
            raise self.refuses[0]
        return [says("", id=f"gone-{one}", kind="deletion", about=one) for one in ids]


@pytest.fixture
def asked(source: str, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The source, once it was read and switched off."""
    found = Asked(said=[says("Zweifellos-secret-word", id="1")])
    found.terms = dataclasses.replace(found.terms, deletes_within_h=2, keep_days=None)  # one part an hour
    plugin = registry.Plugin("square", "connectors", "rapport.listening.tests.networks", found)
    monkeypatch.setitem(registry.plugins("connectors"), "square", plugin)
    told(source)
    services.switch_off(source)
    return found


def test_what_is_kept_of_a_source_that_is_off_is_still_asked_about(asked: Asked, source: str) -> None:
    assert rechecking.recheck_if_due(source) == 1
    rows()
    subscriptions.drain([keeping_key()])
    assert keeping.carry_out().withdrawn == 1
    assert rows()[0]["text"] is None
    assert selectors.source(source).forgets_at is None


def test_what_nobody_can_ask_about_any_more_is_forgotten(asked: Asked, source: str, home: Path) -> None:
    asked.refuses = [Failed("the password is wrong", reason="login")]
    assert rechecking.recheck_if_due(source) == 0
    gone_at = NOON + unchecked.GRACE
    assert selectors.source(source).forgets_at == gone_at
    with clock.frozen(gone_at - dt.timedelta(hours=1)):
        rechecking.recheck_if_due(source)
        assert keeping.carry_out().expired == 0
    with clock.frozen(gone_at):
        assert keeping.carry_out().expired == 1
    assert rows() == []
    assert b"Zweifellos-secret-word" not in bytes_of(home)


def test_a_login_that_works_again_keeps_them(asked: Asked, source: str) -> None:
    asked.refuses = [Failed("nobody answers", reason="unreachable")]
    rechecking.recheck_if_due(source)
    asked.refuses = []
    with clock.frozen(NOON + dt.timedelta(hours=1)):
        rechecking.recheck_if_due(source)
    assert selectors.source(source).forgets_at is None
