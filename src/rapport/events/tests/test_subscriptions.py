"""Subscribers: everything once, in order, again after a crash."""

from __future__ import annotations

import pytest

from rapport.events import lake, runner, selectors, subscriptions
from rapport.events.subscriptions import Batch
from rapport.events.tests import say
from rapport.kit import home as home_folder
from rapport.kit import process
from rapport.kit.errors import Conflict, Invalid, Unavailable

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home", "noon", "only_ours")]


@pytest.fixture
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_subscribers", {})


def test_a_subscriber_gets_its_names_and_every_new_subject() -> None:
    got: list[Batch] = []
    subscriptions.subscribe("t", names=["order_placed"], handler=got.append, with_identities=True)
    say.send(
        say.message(event="order_placed", properties={"order_id": "1"}),
        say.message("page", userId="bo", anonymousId="d1"),
    )
    say.load()
    subscriptions.drain()
    (batch,) = got
    assert batch.events["name"].to_pylist() == ["order_placed"]
    assert batch.subjects["identifier"].to_pylist() == ["customer:ana", "customer:bo", "anonymous:d1"]
    assert batch.claims.num_rows == 1
    subscriptions.drain()
    assert len(got) == 1


def test_a_failed_batch_is_given_again_and_the_failure_is_on_record() -> None:
    calls: list[int] = []

    def handler(batch: Batch) -> None:
        calls.append(batch.seq_to)
        if len(calls) == 1:
            raise RuntimeError("the disk is full")

    subscriptions.subscribe("t", names=[], handler=handler)
    say.send(say.message())
    say.load()
    with pytest.raises(RuntimeError):
        subscriptions.drain()
    (state,) = selectors.subscriber_states()
    assert state.lag == 1
    assert "the disk is full" in state.error
    subscriptions.drain()
    (state,) = selectors.subscriber_states()
    assert (calls, state.error, state.lag) == ([1, 1], "", 0)


def test_long_logs_come_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "BATCH_SEQS", 2)
    got: list[tuple[int, int]] = []
    subscriptions.subscribe("t", names=[], handler=lambda b: got.append((b.seq_from, b.seq_to)))
    say.send(*[say.message() for _ in range(5)])
    say.load()
    subscriptions.drain()
    assert got == [(1, 2), (3, 4), (5, 5)]


def test_two_with_one_name_are_refused() -> None:
    subscriptions.subscribe("t", names=[], handler=lambda b: None)
    with pytest.raises(Invalid, match="two subscribers"):
        subscriptions.subscribe("t", names=[], handler=lambda b: None)


def test_one_process_at_a_time_serves_a_subscriber() -> None:
    subscriptions.subscribe("t", names=[], handler=lambda b: None)
    say.send(say.message())
    say.load()
    with home_folder.lock("subscriber-t"):
        with pytest.raises(Conflict):
            subscriptions.drain()
        with pytest.raises(Unavailable, match="stopped at 0 of 1"):
            subscriptions.settle(1, timeout_s=0.3)
    subscriptions.settle(1)
    assert subscriptions.position("t") == 1


def test_what_somebody_waits_for_comes_first_and_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """What models make of a long import keeps no message from its place in the inbox."""
    monkeypatch.setattr(subscriptions, "BATCH_SEQS", 2)
    got: list[str] = []
    subscriptions.subscribe("a", names=[], handler=lambda _: got.append("a"))
    subscriptions.subscribe("b", names=[], handler=lambda _: got.append("b"))
    subscriptions.subscribe("inbox", names=[], handler=lambda _: got.append("inbox"), is_awaited=True)
    say.send(*[say.message() for _ in range(6)])
    say.load()
    con = lake.connect()
    try:
        work = runner._Round(con, process.Stop())
        assert work.serve()
        assert got == ["inbox", "a", "inbox", "b", "inbox"]
        while work.serve():
            pass
    finally:
        con.close()
    assert sorted(got) == ["a"] * 3 + ["b"] * 3 + ["inbox"] * 3


def test_one_that_fails_pauses_and_the_others_go_on() -> None:
    def fails(_: Batch) -> None:
        raise RuntimeError("the disk is full")

    got: list[int] = []
    subscriptions.subscribe("a", names=[], handler=fails)
    subscriptions.subscribe("b", names=[], handler=lambda batch: got.append(batch.seq_to))
    say.send(say.message())
    say.load()
    con = lake.connect()
    try:
        work = runner._Round(con, process.Stop())
        assert work.serve()
        assert not work.serve()
    finally:
        con.close()
    assert got == [1]
    assert work.failures == {"a": 1}, "not tried again at once"
