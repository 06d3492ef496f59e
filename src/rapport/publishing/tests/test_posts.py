"""Posts of our own: checked, approved, let out once at their time, and followed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import lake, rules, spool
from rapport.events import services as events
from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid
from rapport.listening import services as listening
from rapport.listening.contract import Draft, Failed, Receipt
from rapport.messaging.services import drain, pause_all, resume_all
from rapport.messaging.tests.network import Connector, Network
from rapport.publishing import selectors, services
from rapport.publishing.models import Post
from rapport.publishing.tests.conftest import ALICE, BOB, NOW, comment

TEXT = "The new blade for tile saws is in the shop from today on. It cuts dry."


def written(text: str = TEXT, **more: Any) -> services.Written:
    given: dict[str, Any] = {"sources": ["here"], "language": "en", "planned_at": NOW + dt.timedelta(hours=1)}
    return services.Written(text, **{**given, **more})


def planned(**more: Any) -> Post:
    post = services.write(written(**more), by=BOB)
    services.submit(post.pk, by=BOB)
    return services.approve(post.pk, by=ALICE, version=post.version)


def at_its_time(hours: float = 1.0) -> int:
    with clock.frozen(NOW + dt.timedelta(hours=hours)):
        n = services.leave_due()
        drain()
        services.follow_up()
        services.leave_due()
        drain()
    return n


def test_a_post_leaves_once_at_its_time_and_is_logged(source: Connector, network: Network) -> None:
    post = planned()
    assert post.state == "planned"
    assert services.leave_due() == 0
    assert at_its_time() == 1
    assert network.texts == [TEXT]  # nobody need say for whom they work on the firm's own page
    view = selectors.post(post.pk)
    (where,) = view.postings
    assert (view.state, where.state, where.post_id) == ("published", "published", "p0")
    assert where.url == "https://loopback.example/p0"
    (said,) = [row for row in logged() if row["name"] == "our_post_published"]
    assert said["text"] == TEXT
    assert at_its_time(2) == 0
    assert len(network.posts) == 1


def test_a_post_of_our_own_names_nobody(source: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Draft] = []

    def publish(_config: Any, draft: Draft, _context: Any) -> Receipt:
        handed.append(draft)
        return Receipt("p0")

    monkeypatch.setattr(source, "publish", publish)
    planned()
    at_its_time()
    assert [draft.to for draft in handed] == [""]  # a network would call out whoever stands there


def logged() -> list[dict[str, Any]]:
    events.settle(spool.current().next_seq() - 1)
    found = lake.connect().execute('SELECT name, "text", properties FROM event ORDER BY seq')
    rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows


def test_how_a_post_fared_is_told_with_its_interval(source: Connector, told: Any) -> None:
    post = planned()
    at_its_time()
    assert selectors.fared([selectors.post(post.pk)]) == {}
    told(
        comment("ana", "Great!", "r1", in_reply_to="p0", thread="p0"),
        comment("bo", "Too dear.", "r2", in_reply_to="p0", thread="p0"),
        comment("chi", "Elsewhere", "r3", thread="other"),
        comment("dan", "", "p0", name="reaction_given", kind="like"),
    )
    rows = lake.connect().execute(
        "SELECT seq, subject, ts FROM event WHERE name = 'post_published' ORDER BY seq"
    )
    said = [
        {"seq": seq, "subject": subject, "ts": ts, "name": "sentiment", "label": label, "value": 0.0,
         "probability": 0.9, "model": "m", "version": "1", "detail": None}
        for (seq, subject, ts), label in zip(rows.fetchall(), ("positive", "negative", "negative"), strict=True)
    ]  # fmt: skip
    events.annotate(pa.Table.from_pylist(said, schema=rules.ANNOTATION))
    events.settle(spool.current().next_seq() - 1)
    (found,) = selectors.fared([selectors.post(post.pk)]).values()
    assert (found.n_replies, found.n_reactions, found.n_read, found.n_negative, found.n_positive) == (
        2,
        1,
        2,
        1,
        1,
    )
    assert found.negative is not None
    assert found.negative.low < 0.5 < found.negative.high


def test_nothing_leaves_without_approval_and_changed_words_want_it_anew(
    source: Connector, network: Network
) -> None:
    post = services.write(written(), by=BOB)
    assert services.submit(post.pk, by=BOB).state == "waiting"
    assert at_its_time() == 0
    with pytest.raises(Denied):
        services.approve(post.pk, by=BOB, version=post.version)
    with pytest.raises(Conflict):
        services.approve(post.pk, by=ALICE, version=post.version + 1)
    services.approve(post.pk, by=ALICE, version=post.version)
    moved = services.write(written(planned_at=NOW + dt.timedelta(hours=3)), by=BOB, post=post.pk)
    assert (moved.state, moved.approver) == ("planned", ALICE)  # another time, the same words
    changed = services.write(written("Other words about the blade."), by=BOB, post=post.pk)
    assert (changed.state, changed.approver) == ("draft", "")
    assert at_its_time(5) == 0
    assert network.posts == []


def test_what_is_planned_or_taken_back_can_be_submitted_again_as_it_is(
    source: Connector, network: Network
) -> None:
    post = planned()
    services.write(written(planned_at=NOW + dt.timedelta(hours=3)), by=ALICE, post=post.pk)
    assert services.submit(post.pk, by=ALICE).state == "planned"
    services.withdraw(post.pk)
    assert services.submit(post.pk, by=BOB).state == "waiting"
    assert services.submit(post.pk, by=BOB).state == "waiting"
    assert services.submit(post.pk, by=ALICE).approver == ALICE
    assert services.submit(post.pk, by=ALICE, asks_colleague=True).state == "waiting"
    assert services.back_to_draft(post.pk).state == "draft"
    assert at_its_time(5) == 0
    assert network.posts == []


def test_a_time_that_has_passed_is_refused_and_one_long_past_is_read_again(
    source: Connector, network: Network
) -> None:
    missed = services.write(written(planned_at=NOW - dt.timedelta(days=365)), by=ALICE)
    with pytest.raises(Invalid, match="has passed"):
        services.submit(missed.pk, by=ALICE)
    post = planned()
    pause_all(ALICE, "a wrong price", wait_s=0)
    with clock.frozen(NOW + dt.timedelta(days=3)):
        resume_all(ALICE)
    at_its_time(72)
    (where,) = selectors.post(post.pk).postings
    assert (where.state, where.answer) == ("withheld", "too_late")
    assert network.posts == []
    with clock.frozen(NOW + dt.timedelta(days=3)):
        services.try_again(post.pk, "here")
    at_its_time(72)
    assert network.texts == [TEXT]


def test_a_source_that_asks_for_no_approval_needs_none(source: Connector, network: Network) -> None:
    listening.change_source("here", {}, asks_approval=False)
    post = services.write(written(), by=BOB)
    assert services.submit(post.pk, by=BOB).state == "planned"
    at_its_time()
    assert network.texts == [TEXT]


def test_each_network_has_its_own_words_and_two_writers_lose_none(
    source: Connector, network: Network
) -> None:
    post = planned(texts={"here": "Dry tile blades are here."})
    with pytest.raises(Conflict):
        services.write(written("Mine"), by=ALICE, post=post.pk, version=post.version - 1)
    at_its_time()
    assert network.texts == ["Dry tile blades are here."]


def test_while_everything_is_paused_nothing_is_handed_over(source: Connector, network: Network) -> None:
    post = planned()
    pause_all(ALICE, "wrong price", wait_s=0)
    assert at_its_time() == 0
    assert network.posts == []
    resume_all(ALICE)
    at_its_time()
    assert selectors.post(post.pk).state == "published"
    assert len(network.posts) == 1


def test_a_network_that_refuses_is_said_and_tried_again(source: Connector, network: Network) -> None:
    network.refuse = (422, "no such account")
    post = planned()
    at_its_time()
    view = selectors.post(post.pk)
    assert view.state == "failed"
    assert "no such account" in view.postings[0].answer
    network.refuse = None
    with clock.frozen(NOW + dt.timedelta(hours=1)):
        services.try_again(post.pk, "here")
        with pytest.raises(Conflict):  # pressed twice
            services.try_again(post.pk, "here")
    at_its_time()
    assert selectors.post(post.pk).state == "published"
    assert network.texts == [TEXT]


def test_what_is_withdrawn_or_breaks_a_rule_stays(source: Connector, network: Network) -> None:
    post = planned()
    services.withdraw(post.pk)
    assert at_its_time() == 0
    other = services.write(written("See it at https://bit.ly/x now"), by=BOB)
    with pytest.raises(Invalid, match="hides where it leads"):
        services.submit(other.pk, by=BOB)
    with pytest.raises(Invalid):
        services.write(written("  "), by=BOB)
    assert network.posts == []


def test_what_shuts_readers_out_is_named(source: Connector) -> None:
    post = services.write(written("NEW BLADES FOR EVERY TILE SAW #newbladesfortilesaws"), by=BOB)
    (found,) = services.checks(post)
    assert {h.code for h in found.hurdles} == {"tag_run_on"}


def test_an_ending_in_the_middle_of_handing_over_leaves_nothing_half_done(
    source: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row of the post, that of its network and messaging's own are one transaction: all of them, or none."""
    post = planned()

    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(Post, "save", dies)
        with clock.frozen(NOW + dt.timedelta(hours=1)), pytest.raises(RuntimeError):
            services.leave_due()
    view = selectors.post(post.pk)
    assert (view.state, view.postings) == ("planned", ())
    drain()
    assert network.posts == []
    at_its_time()
    assert network.texts == [TEXT]


def test_a_post_that_nobody_can_tell_of_waits_for_somebody_who_looked(
    source: Connector, network: Network
) -> None:
    source.how = "neither"

    def lost(*_: Any) -> Any:
        raise Failed("the line broke", is_unsure=True)

    source.publish = lost  # type: ignore[method-assign, assignment]
    post = planned()
    at_its_time(1.0)
    assert selectors.post(post.pk).postings[0].state == "unknown"
    with pytest.raises(Conflict):
        services.try_again(post.pk, "here")
    assert services.settle(post.pk, "here", is_there=True).state == "published"
    assert network.posts == []
