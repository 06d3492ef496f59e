"""Answers: what stands against one, what leaves and is logged, and how it fares on its way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import pytest

from rapport.consent import erasers
from rapport.consent import services as consent
from rapport.events import lake
from rapport.events import services as events
from rapport.kit import clock, registry
from rapport.kit.errors import Invalid
from rapport.listening import services as listening
from rapport.listening.contract import KIND
from rapport.listening.services import posting as networks_posting
from rapport.messaging import selectors
from rapport.messaging.models import Delivery, Reply
from rapport.messaging.services import (
    Answer,
    Sent,
    Withheld,
    dispatching,
    drain,
    pause_all,
    posting,
    preparing,
    preview_reply,
    reply,
    resume_all,
)
from rapport.messaging.tests.conftest import Mailbox
from rapport.messaging.tests.loopback import message_of, words_of
from rapport.messaging.tests.network import Connector, Network
from rapport.staff.models import Organisation, Staff
from rapport.venues import services as venues
from rapport.venues.rules import weighing

TEXT = "The fuse is F14, left of the wheel, 10 ampere. If it is black inside, it has to be replaced."


class AtOnce(Executor):
    """Runs what it is given before it comes back: the test's own transaction is then seen."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


@pytest.fixture
def network() -> Iterator[Network]:
    found = Network()
    yield found
    found.close()


@pytest.fixture
def source(
    home: Any, db: None, network: Network, monkeypatch: pytest.MonkeyPatch, noon: dt.datetime
) -> Connector:
    """A source that posts on loopback, the firm that speaks, and a colleague who may approve."""
    offered = Connector()
    monkeypatch.setitem(
        registry.plugins(KIND), "loopback", registry.Plugin("loopback", KIND, __name__, offered)
    )
    monkeypatch.setattr(posting, "ThreadPoolExecutor", lambda *_, **__: AtOnce())
    Organisation.objects.create(
        id=1, name="Otter Tools", currency="EUR", timezone="UTC", language="en", created_at=noon
    )
    Staff.objects.create(email="alice@example.com", role="owner", name="Alice")
    Staff.objects.create(email="bob@example.com", role="answers", name="Bob")
    listening.add_source("here", "loopback", {"port": network.port})
    return offered


def answer(key: str = "a1", **more: Any) -> Answer:
    given: dict[str, Any] = {
        "source": "here",
        "to": "loopback:ana",
        "text": TEXT,
        "in_reply_to": "q1",
        "thread": "q1",
        "conversation": "c1",
        "language": "en",
        "by": "bob@example.com",
        "approved_by": "alice@example.com",
        "was_asked": True,
    }
    return Answer(key=key, **{**given, **more})


def reason(outcome: Any) -> str:
    assert isinstance(outcome, Withheld), outcome
    return outcome.reason


def test_an_answer_leaves_with_its_disclosure_and_is_logged(source: Connector, network: Network) -> None:
    planned = reply(answer())
    assert isinstance(planned, Sent)
    assert network.posts == []
    drain()
    said = f"{TEXT}\n\nI work for Otter Tools."
    assert network.texts == [said]
    assert network.posts[0]["to"] == "q1"
    found = selectors.delivery_of("a1")
    assert found is not None
    assert found.answer_of is not None
    assert (found.state, found.answer_of.post_id) == ("sent", "p0")
    assert found.answer_of.url == "https://loopback.example/p0"

    (event,) = [row for row in logged() if row["name"] == "reply_published"]
    assert event["text"] == said
    for part in ('"conversation": "c1"', '"post_id": "p0"', '"in_reply_to": "q1"', '"network": "loopback"'):
        assert part in event["properties"]


def logged() -> list[dict[str, Any]]:
    from rapport.events import spool

    events.settle(spool.current().next_seq() - 1)
    found = lake.connect().execute("SELECT name, text, venue, properties FROM event ORDER BY seq")
    rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows


def test_the_same_key_answers_once(source: Connector, network: Network) -> None:
    first = reply(answer())
    assert reply(answer(text="Something else entirely, about another matter.")) == first
    drain()
    drain()
    assert len(network.posts) == 1


def test_nothing_public_leaves_without_approval_unless_the_firm_says_so(
    source: Connector, network: Network
) -> None:
    assert reason(reply(answer(approved_by=""))) == "needs_approval"
    assert reason(reply(answer("a2", approved_by="bob@example.com"))) == "not_approver"
    assert reason(reply(answer("a3", approved_by="nobody@example.com"))) == "not_approver"
    assert isinstance(reply(answer()), Sent)  # the same key, and now it was approved
    listening.change_source("here", {}, asks_approval=False)
    assert isinstance(reply(answer("a4", approved_by="", text="It is the relay in the engine bay.")), Sent)
    drain()
    assert len(network.posts) == 2


def test_what_the_card_doubts_is_let_out_by_another_than_its_writer(
    source: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening.change_source("here", {}, asks_approval=False)
    monkeypatch.setattr(weighing, "DOUBTED_FROM", -99.0)  # every text is doubted
    alone = {"by": "alice@example.com", "approved_by": "alice@example.com"}
    assert reason(reply(answer(approved_by=""))) == "needs_approval"
    assert reason(reply(answer(**alone))) == "needs_approval"
    shown = preview_reply(answer(**alone))
    assert "could be taken for advertising" in shown.message
    assert [tick.state for tick in shown.ticks if tick.rule == "promotion"] == ["warn"]
    assert reason(reply(answer(approved_by="carol@example.com"))) == "not_approver"
    assert isinstance(reply(answer()), Sent)
    drain()
    assert len(network.posts) == 1


def test_what_the_card_forbids_is_not_planned_and_says_why(source: Connector, network: Network) -> None:
    found = reply(answer(text=f"{TEXT} Order yours now and save 20 %!"))
    assert isinstance(found, Withheld)
    assert found.reason == "rule_card"
    assert {finding.code for finding in found.findings} >= {"promotion_offer", "promotion_call"}
    assert "is an offer" in found.message or "calls on people" in found.message
    shown = preview_reply(answer(text=f"{TEXT} See https://shop.example/f14"))
    assert (shown.reason, shown.may_leave) == ("rule_card", False)
    assert [tick.rule for tick in shown.ticks if tick.state == "bad"] == ["links"]
    drain()
    assert network.posts == []


def test_terms_that_let_only_the_asked_answer_hold(source: Connector, network: Network) -> None:
    venues.change_card("loopback", {"reply_only_when_asked": False}, by="alice@example.com")
    assert reason(reply(answer(was_asked=False))) == "terms"


def test_the_ratio_of_help_to_promotion_is_counted_from_what_we_said(
    source: Connector, network: Network
) -> None:
    venues.change_card(
        "loopback", {"help_to_promotion": 2, "forbids": ["codes"], "links": "one"}, by="alice@example.com"
    )
    promoting = "Take a look at our range of fuses, we have them all."
    assert reason(reply(answer("p1", text=promoting))) == "rule_card"
    for i, text in enumerate(("It is fuse F14.", "The relay sits behind the glove box.")):
        assert isinstance(reply(answer(f"h{i}", text=text)), Sent)
    assert isinstance(reply(answer("p1", text=promoting)), Sent)
    assert reason(reply(answer("p2", text="Check out our shop for relays of every kind."))) == "rule_card"


def test_who_is_suppressed_or_objected_is_left_alone(source: Connector) -> None:
    consent.suppress("loopback:ana", "", "objected", by="test")
    venues.change_card("loopback", {"reply_only_when_asked": False}, by="alice@example.com")
    assert reason(reply(answer(was_asked=False))) == "suppressed_objected"
    consent.suppress("loopback:bo", "", "erased", by="test")
    assert reason(reply(answer("a2", to="loopback:bo"))) == "suppressed_erased"


def test_a_refusal_for_good_fails_and_one_for_now_is_tried_again(
    source: Connector, network: Network, noon: dt.datetime
) -> None:
    network.refuse = (422, "too long for us")
    reply(answer())
    drain()
    found = selectors.delivery_of("a1")
    assert found is not None
    assert (found.state, found.reason, found.answer) == ("failed", "refused", "too long for us")
    network.refuse = None
    assert isinstance(reply(answer("a2", text="It is the relay in the engine bay.")), Sent)
    drain()
    assert len(network.posts) == 1


def test_what_waits_for_a_source_that_is_off_leaves_when_it_is_on(
    source: Connector, network: Network
) -> None:
    reply(answer())
    listening.switch_off("here")
    drain()
    assert selectors.sums().waiting == 1
    listening.switch_on("here")
    drain()
    assert len(network.posts) == 1


def test_a_source_that_is_switched_off_before_a_post_leaves_lets_it_wait(
    source: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is switched off between the look at what is due and the posting."""
    reply(answer())
    allowed = networks_posting._allowed

    def switched_off_and_then_asked(name: str) -> Any:
        listening.switch_off(name)
        return allowed(name)

    monkeypatch.setattr(networks_posting, "_allowed", switched_off_and_then_asked)
    drain()
    monkeypatch.setattr(networks_posting, "_allowed", allowed)
    row = Delivery.objects.get()
    assert (row.state, row.tries, network.posts) == (Delivery.State.PLANNED, 0, [])
    listening.switch_on("here")
    drain()
    assert len(network.posts) == 1


def test_what_waits_for_a_source_that_stays_off_ends_when_it_is_worth_nothing_any_more(
    source: Connector, network: Network, noon: dt.datetime
) -> None:
    reply(answer())
    listening.switch_off("here")
    with clock.frozen(noon + dt.timedelta(days=4)):
        drain()
    row = Delivery.objects.get()
    assert (row.state, row.reason, network.posts) == (Delivery.State.FAILED, "too_late", [])


class Later(Executor):
    """Runs what it is given when told to."""

    def __init__(self) -> None:
        self.given: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.given.append(lambda: fn(*args, **kwargs))
        return Future()


def changed_in_mid_post(
    noon: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> tuple[Later, dict[str, Any], list[Any]]:
    """A source is set up anew while an answer is under way by it, and another waits."""
    reply(answer())
    later = Later()
    couriers: dict[str, dispatching.Courier] = {}
    leaving: list[dispatching.Courier] = []
    with monkeypatch.context() as patched:
        patched.setattr(posting, "ThreadPoolExecutor", lambda *_, **__: later)
        dispatching._match(couriers, leaving, None)
    couriers["source:here"].turn()
    reply(answer("a2", text="It is the relay in the engine bay."))
    with clock.frozen(noon + dt.timedelta(minutes=1)):
        listening.change_source("here", {})
    dispatching._match(couriers, leaving, None)
    return later, couriers, leaving


def states() -> dict[str, tuple[str, str]]:
    return {
        key: (state, reason) for key, state, reason in Delivery.objects.values_list("key", "state", "reason")
    }


def test_what_is_under_way_when_its_source_is_changed_is_noted_when_it_lands(
    source: Connector, network: Network, noon: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    later, couriers, leaving = changed_in_mid_post(noon, monkeypatch)
    assert states() == {"a1": ("sending", ""), "a2": ("planned", "")}
    couriers["source:here"].turn()
    assert len(network.posts) == 1, "the other does not wait for it"
    later.given.pop()()
    assert leaving[0].turn()
    assert states()["a1"] == ("sent", "")
    dispatching._match(couriers, leaving, None)
    drain()
    assert (leaving, len(network.posts)) == ([], 2)


def test_what_never_lands_after_its_source_was_changed_is_asked_for_again(
    source: Connector, network: Network, noon: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "LANDING_S", 0.0)
    _later, couriers, leaving = changed_in_mid_post(noon, monkeypatch)
    dispatching._match(couriers, leaving, None)
    assert (states()["a1"], leaving) == (("planned", dispatching.ASKED_AGAIN), [])
    drain()
    assert {state for state, _reason in states().values()} == {"sent"}
    assert len(network.posts) == 2


def test_an_answer_that_could_not_leave_for_days_answers_nobody(
    source: Connector, network: Network, noon: dt.datetime
) -> None:
    reply(answer())
    with clock.frozen(noon + dt.timedelta(days=4)):
        assert selectors.n_outdated() == 1
        drain()
    found = selectors.delivery_of("a1")
    assert found is not None
    assert (found.state, found.reason, network.posts) == ("failed", "too_late", [])


def test_a_letter_is_answered_in_its_thread(source: Connector, account: Any, mailbox: Mailbox) -> None:
    outcome = reply(
        answer(
            source="email",
            to="email:ana@example.org",
            is_public=False,
            approved_by="",
            subject_line="Wipers squeak",
            in_reply_to="m2@example.org",
            thread="<m1@example.org>",
        )
    )
    assert isinstance(outcome, Sent)
    drain()
    mail = message_of(mailbox.arrived[0][1])
    assert mail["Subject"] == "Re: Wipers squeak"
    assert mail["In-Reply-To"] == "<m2@example.org>"
    assert mail["References"].split() == ["<m1@example.org>", "<m2@example.org>"]
    assert mail["Auto-Submitted"] is None
    assert TEXT in " ".join(words_of(mailbox.arrived[0][1]).split())
    (event,) = [row for row in logged() if row["name"] == "message_sent"]
    assert event["text"] == TEXT
    assert '"conversation": "c1"' in event["properties"]


def test_pausing_everything_holds_answers_letters_and_receipts_and_they_leave_once(
    source: Connector, network: Network, account: Any, mailbox: Mailbox
) -> None:
    from rapport.messaging.services import send
    from rapport.messaging.tests.test_sending import receipt

    reply(answer())
    send(receipt("ana@example.org", "r1"))
    stopped = pause_all("bob@example.com", "the price in the template is wrong")
    assert stopped.n_in_flight == 0
    drain()
    assert (network.posts, mailbox.arrived) == ([], [])
    ended = resume_all("alice@example.com")
    assert ended is not None
    assert (ended.by, ended.why) == ("bob@example.com", "the price in the template is wrong")
    drain()
    drain()
    assert (len(network.posts), len(mailbox.arrived)) == (1, 1)


def test_erasing_leaves_no_word_of_the_answer(source: Connector, network: Network) -> None:
    reply(answer())
    drain()
    erasing = erasers.Erasing((), ("loopback:ana",), ())
    erasers.registered()["messages"](erasing)
    assert not Reply.objects.exists()
    row = Delivery.objects.get()
    assert (row.identifier, row.answer, row.context) == ("", "", {})


def test_an_erased_person_gets_no_answer_that_was_planned(source: Connector, network: Network) -> None:
    reply(answer())
    erasers.registered()["messages"](erasers.Erasing((), ("loopback:ana",), ()))
    drain()
    assert network.posts == []


@pytest.mark.parametrize("wrong", [{"key": ""}, {"to": "nobody"}])
def test_what_makes_no_sense_is_refused(source: Connector, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        reply(replace(answer(), **wrong))


def test_a_dispatcher_that_died_while_paused_hands_nothing_over_until_it_goes_on(
    source: Connector, network: Network
) -> None:
    """What was in the air when it died is said, waits for the end of the pause, and leaves once."""
    planned = reply(answer())
    assert isinstance(planned, Sent)
    Delivery.objects.update(state=Delivery.State.SENDING)  # marked, and then it died
    stopped = pause_all("bob@example.com", "stop", wait_s=0.0)
    assert stopped.n_in_flight == 1
    drain()  # the next one reconciles, and finds the pause
    assert network.posts == []
    assert Delivery.objects.get().state == Delivery.State.PLANNED
    resume_all("bob@example.com")
    drain()
    drain()
    assert len(network.posts) == 1


def test_what_was_prepared_before_a_pause_is_not_handed_over_after_it(
    source: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause comes between the look at what is due and the marking: the gate in the marking sees it."""
    reply(answer())
    due = preparing.due

    def due_and_then_pause(*given: Any) -> list[preparing.Prepared]:
        found = due(*given)
        if found:
            pause_all("bob@example.com", "stop", wait_s=0.0)
        return found

    monkeypatch.setattr(preparing, "due", due_and_then_pause)
    drain()
    assert network.posts == []
    monkeypatch.setattr(preparing, "due", due)
    resume_all("bob@example.com")
    drain()
    assert len(network.posts) == 1


def test_where_replies_did_harm_nothing_public_leaves_until_somebody_lifts_it(
    source: Connector, network: Network
) -> None:
    venues.fall_silent("loopback")
    assert reason(reply(answer())) == "rule_card"
    assert "quiet" in preview_reply(answer()).message
    assert isinstance(reply(answer("a2", is_public=False)), Sent)
    venues.speak_again("loopback")
    assert isinstance(reply(answer()), Sent)


def test_what_waits_for_its_turn_at_the_network_when_everything_is_paused_stays(
    source: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network's rate may let a post wait for half a minute after it was marked and handed over."""
    reply(answer())
    allowed = networks_posting._allowed

    def allowed_and_then_pause(name: str) -> Any:
        pause_all("bob@example.com", "stop", wait_s=0.0)
        return allowed(name)

    monkeypatch.setattr(networks_posting, "_allowed", allowed_and_then_pause)
    drain()
    assert network.posts == []
    assert Delivery.objects.get().state == Delivery.State.PLANNED
    monkeypatch.setattr(networks_posting, "_allowed", allowed)
    resume_all("bob@example.com")
    drain()
    assert len(network.posts) == 1
