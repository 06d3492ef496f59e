"""Planning and sending through a real SMTP server on loopback."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from rapport.consent import selectors as withholding
from rapport.consent import services as consent
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.messaging import selectors
from rapport.messaging.models import Delivery
from rapport.messaging.services import (
    Outgoing,
    Sent,
    Withheld,
    accounts,
    dispatching,
    drain,
    register_template,
    send,
    send_many,
)
from rapport.messaging.tests.conftest import MONDAY, Mailbox, set_up
from rapport.messaging.tests.loopback import message_of, words_of
from rapport.pacing import services as pacing

RECEIPT = {"number": "7", "what": "Wiper blades", "date": "2 March 2026", "amount": "84.50 EUR"}


def receipt(to: str, key: str, **more: Any) -> Outgoing:
    return Outgoing(to=f"email:{to}", purpose="service", template="receipt", key=key, context=RECEIPT, **more)


def letter(to: str, key: str, **more: Any) -> Outgoing:
    context = {
        "subject_line": "Spring",
        "blocks": [
            {"type": "heading", "text": "Spring is here"},
            {"type": "offer", "text": "Ten per cent", "url": "https://otter.example/spring"},
            {"type": "button", "text": "Read on", "url": "https://otter.example/blog?a=1&b=2"},
        ],
    }
    return Outgoing(
        to=f"email:{to}", purpose="marketing", template="letter", key=key, context=context, **more
    )


def test_a_receipt_arrives_with_everything_it_needs(account: Any, mailbox: Mailbox) -> None:
    outcome = send(receipt("ana@example.org", "r1"))
    assert isinstance(outcome, Sent)
    assert mailbox.arrived == []  # planning sends nothing
    drain()
    assert mailbox.addresses == ["ana@example.org"]
    mail = message_of(mailbox.arrived[0][1])
    assert mail["From"] == "Otter Tools <shop@otter.example>"
    assert mail["Message-ID"] == f"<{outcome.delivery.hex}@otter.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    text = words_of(mailbox.arrived[0][1])
    assert "Wiper blades" in text
    assert "Hauptstraße 1" in text
    assert "Wiper blades" in words_of(mailbox.arrived[0][1], "html")
    assert selectors.delivery(outcome.delivery).state == "sent"


def test_the_same_key_sends_once(account: Any, mailbox: Mailbox) -> None:
    first = send(receipt("ana@example.org", "r1"))
    assert send(receipt("ana@example.org", "r1")) == first
    drain()
    again = send(receipt("ana@example.org", "r1"))
    assert isinstance(again, Sent)
    assert again.state == "sent"
    drain()
    assert len(mailbox.arrived) == 1


def grant(to: str) -> None:
    consent.grant(f"email:{to}", "marketing", "email", how="form")


def reason(outcome: Any) -> str:
    assert isinstance(outcome, Withheld), outcome
    return outcome.reason


def test_marketing_needs_consent_and_says_which_is_missing(account: Any, mailbox: Mailbox) -> None:
    assert reason(send(letter("ana@example.org", "1"))) == "unknown_person"
    grant("ana@example.org")
    consent.deny("email:bo@example.org", "marketing", "email", how="form")
    grant("chi@example.org")
    consent.withdraw("email:chi@example.org", "marketing", "email", how="one_click")
    found = send_many(
        [letter("ana@example.org", "2"), letter("bo@example.org", "3"), letter("chi@example.org", "4")]
    )
    assert (found.intended, found.planned, found.withheld) == (3, 1, {"denied": 1, "withdrawn": 1})
    drain()
    assert mailbox.addresses == ["ana@example.org"]
    sums = selectors.sums()
    assert (sums.intended, sums.sent, sums.withheld, sums.waiting) == (4, 1, 3, 0)


def known(*names: str) -> list[dict[str, Any]]:
    """That the log has heard of these addresses."""
    return [
        {
            "message_id": name,
            "name": "person_identified",
            "ts": MONDAY,
            "identifier": f"email:{name}",
            "properties": '{"traits": {"name": "x"}}',
        }
        for name in names
    ]


def test_a_letter_carries_the_way_out_and_counted_links(account: Any, mailbox: Mailbox, say: Any) -> None:
    say(*known("ana@example.org"))
    grant("ana@example.org")
    send(letter("ana@example.org", "1"))
    drain()
    mail = message_of(mailbox.arrived[0][1])
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].startswith("<http://localhost:8000/u/")
    assert mail["Auto-Submitted"] is None
    text = words_of(mailbox.arrived[0][1])
    assert "Hauptstraße 1" in text
    assert "https://otter.example/spring" not in text  # it goes by way of ours
    assert "/m/" in text


def test_who_objects_to_being_counted_has_plain_links(account: Any, mailbox: Mailbox, say: Any) -> None:
    say(*known("ana@example.org"))
    grant("ana@example.org")
    consent.withdraw("email:ana@example.org", "analytics", how="preference_page")
    send(letter("ana@example.org", "1"))
    drain()
    text = words_of(mailbox.arrived[0][1])
    assert "https://otter.example/spring" in text
    assert "/m/" not in text


def test_what_is_withdrawn_after_planning_does_not_leave(account: Any, mailbox: Mailbox) -> None:
    grant("ana@example.org")
    planned = send(letter("ana@example.org", "1"))
    consent.withdraw("email:ana@example.org", "marketing", "email", how="one_click")
    drain()
    assert mailbox.arrived == []
    assert selectors.delivery(planned.delivery).reason == "withdrawn"


def test_what_is_suppressed_after_planning_does_not_leave(account: Any, mailbox: Mailbox) -> None:
    grant("ana@example.org")
    planned = send(letter("ana@example.org", "1"))
    consent.suppress("email:ana@example.org", "email", "complained")
    service = send(receipt("ana@example.org", "2"))
    drain()
    assert selectors.delivery(planned.delivery).reason == "suppressed_complained"
    assert selectors.delivery(service.delivery).state == "sent"  # a receipt still goes to who complained


def test_a_refused_address_is_suppressed_for_every_message(account: Any, mailbox: Mailbox) -> None:
    mailbox.refuse["gone@example.org"] = "550 5.1.1 nobody of that name"
    first = send(receipt("gone@example.org", "1"))
    drain()
    found = selectors.delivery(first.delivery)
    assert (found.state, found.reason) == ("failed", "bounced")
    assert "nobody of that name" in found.answer
    assert "> RCPT TO:<gone@example.org>" in found.transcript
    assert reason(send(receipt("gone@example.org", "2"))) == "suppressed_bounced"


def test_a_refusal_for_policy_fails_the_message_and_not_the_address(account: Any, mailbox: Mailbox) -> None:
    mailbox.refuse["ana@example.org"] = "550 5.7.1 we do not like you"
    found = selectors.delivery(send(receipt("ana@example.org", "1")).delivery)
    drain()
    found = selectors.delivery(found.id)
    assert (found.state, found.reason) == ("failed", "refused")
    assert isinstance(send(receipt("ana@example.org", "2")), Sent)


def test_one_refusal_does_not_keep_the_others(account: Any, mailbox: Mailbox) -> None:
    mailbox.refuse["p3@example.org"] = "550 5.1.1 gone"
    mailbox.refuse_message["p5@example.org"] = "554 5.6.0 not with these words"
    mailbox.refuse["p7@example.org"] = "450 4.2.1 come back later"
    send_many([receipt(f"p{i}@example.org", str(i)) for i in range(40)])
    drain()
    assert len(mailbox.arrived) == len(set(mailbox.addresses)) == 37
    sums = selectors.sums()
    assert (sums.sent, sums.failed, sums.waiting) == (37, 2, 1)
    assert sums.intended == sums.sent + sums.withheld + sums.failed + sums.unknown + sums.waiting


def test_what_is_turned_away_for_now_is_tried_again_and_given_up_in_time(
    account: Any, mailbox: Mailbox, noon: dt.datetime
) -> None:
    mailbox.refuse["ana@example.org"] = "450 4.2.1 come back later"
    planned = send(receipt("ana@example.org", "1"))
    drain()
    found = selectors.delivery(planned.delivery)
    assert (found.state, found.tries, found.next_try_at) == ("planned", 1, noon + dt.timedelta(minutes=1))
    drain()  # not yet due
    assert selectors.delivery(planned.delivery).tries == 1
    with clock.frozen(noon + dt.timedelta(minutes=2)):
        mailbox.refuse.clear()
        drain()
    assert selectors.delivery(planned.delivery).state == "sent"


def test_no_server_is_no_fault_of_the_message(account: Any, mailbox: Mailbox) -> None:
    set_up(1)  # nobody listens there
    planned = send(receipt("ana@example.org", "1"))
    drain()
    found = selectors.delivery(planned.delivery)
    assert (found.state, found.tries) == ("planned", 0)
    account_now = selectors.account("email")
    assert account_now is not None
    assert "127.0.0.1:1" in account_now.trouble
    set_up(mailbox.port)
    drain()
    assert mailbox.addresses == ["ana@example.org"]
    account_now = selectors.account("email")
    assert account_now is not None
    assert account_now.trouble == ""


def test_without_an_account_nothing_is_planned(home: Any, db: None) -> None:
    assert reason(send(receipt("ana@example.org", "1"))) == "no_channel"


def test_what_is_no_address_of_the_channel_is_withheld(account: Any) -> None:
    message = Outgoing(to="phone:+34600", purpose="service", template="receipt", key="1", context=RECEIPT)
    assert reason(send(message)) == "no_address"


def test_the_pause_holds_marketing_and_no_service_message(account: Any, mailbox: Mailbox) -> None:
    grant("ana@example.org")
    pacing.pause("alice@example.com", "a mistake in the letter")
    send_many([letter("ana@example.org", "1"), receipt("ana@example.org", "2")])
    drain()
    assert [message_of(raw)["Subject"] for _, raw in mailbox.arrived] == [": receipt 7"]
    pacing.resume()
    drain()
    assert len(mailbox.arrived) == 2


def test_who_asked_for_a_pause_has_it(account: Any, noon: dt.datetime) -> None:
    grant("ana@example.org")
    consent.state_preference("email:ana@example.org", "pause_until", "2026-03-02")
    assert reason(send(letter("ana@example.org", "1"))) == "asked_for_pause"
    assert isinstance(send(receipt("ana@example.org", "2")), Sent)
    with clock.frozen(noon + dt.timedelta(days=1)):
        assert isinstance(send(letter("ana@example.org", "3")), Sent)


def test_a_message_that_came_too_late_is_not_sent(account: Any, mailbox: Mailbox, noon: dt.datetime) -> None:
    planned = send(receipt("ana@example.org", "1", expires_at=noon + dt.timedelta(minutes=5)))
    with clock.frozen(noon + dt.timedelta(minutes=6)):
        drain()
    found = selectors.delivery(planned.delivery)
    assert (found.state, found.reason, mailbox.arrived) == ("failed", "too_late", [])


def test_a_service_template_may_not_promote() -> None:
    from rapport.messaging.rules.blocks import Block, Template

    promoting = Template("spring", "service", "Hello", (Block("text", "Hi"), Block("offer", "Buy")))
    with pytest.raises(Invalid, match="holds an offer"):
        register_template(promoting)


def test_a_letter_cannot_pass_for_service_nor_service_for_marketing(account: Any) -> None:
    import dataclasses

    with pytest.raises(Invalid, match="no service message"):
        send(dataclasses.replace(letter("ana@example.org", "1"), purpose="service"))
    with pytest.raises(Invalid, match="cannot be sent for the purpose marketing"):
        send(dataclasses.replace(receipt("ana@example.org", "1"), purpose="marketing"))


def test_a_wrong_message_in_a_set_plans_nothing(account: Any) -> None:
    bad = Outgoing(to="email:ana@example.org", purpose="service", template="receipt", key="2", context={})
    with pytest.raises(Invalid, match="needs amount"):
        send_many([receipt("ana@example.org", "1"), bad])
    assert selectors.sums().intended == 0


def test_a_large_set_gets_the_same_answers_as_one_by_one(account: Any, say: Any) -> None:
    names = [f"q{i}@example.org" for i in range(60)]
    say(*known(*names))
    for i, name in enumerate(names):
        if i % 4 == 1:
            grant(name)
        elif i % 4 == 2:
            consent.deny(f"email:{name}", "marketing", "email", how="form")
        elif i % 4 == 3:
            grant(name)
            consent.withdraw(f"email:{name}", "marketing", how="form")
    many = send_many([letter(name, f"many:{name}") for name in names])
    alone = [send(letter(name, f"alone:{name}")) for name in names]
    told = [getattr(o, "reason", "planned") for o in many.outcomes]
    assert told == [getattr(o, "reason", "planned") for o in alone]
    assert set(told) == {"planned", "no_consent", "denied", "withdrawn"}


def test_the_held_out_get_no_marketing_and_every_receipt(account: Any, say: Any) -> None:
    names = [f"h{i}@example.org" for i in range(40)]
    say(*known(*names))
    for name in names:
        grant(name)
    pacing.define("spring", 0.5)
    first = send_many([letter(n, f"1:{n}", campaign="spring") for n in names])
    again = send_many([letter(n, f"2:{n}", campaign="spring") for n in names])
    assert 0 < first.withheld["held_out"] < len(names)
    assert [type(o) for o in first.outcomes] == [type(o) for o in again.outcomes]
    assert send_many([letter(n, f"3:{n}") for n in names]).withheld == {}
    assert send_many([receipt(n, f"4:{n}", campaign="spring") for n in names]).withheld == {}


def test_a_key_made_while_a_courier_begins_signs_what_leaves_next(
    account: Any, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A courier that read the account just before it was changed is one of the account before."""
    read = accounts.config
    made: list[object] = []

    def read_then_changed(name: str) -> Any:
        found = read(name)
        if not made:
            made.append(accounts.make_keys(name))
        return found

    monkeypatch.setattr(accounts, "config", read_then_changed)
    courier = dispatching.Courier("email")
    assert made
    assert read("email") != account
    couriers = {"email": courier}
    leaving: list[dispatching.Courier] = []
    dispatching._match(couriers, leaving, None)
    assert couriers["email"] is not courier
    for one in (couriers["email"], *leaving):
        one.end()


def test_a_mail_that_comes_back_later_stops_its_address_as_a_refused_one(
    account: Any, mailbox: Mailbox, say: Callable[..., None]
) -> None:
    send(receipt("ana@example.org", "r1"))
    drain()
    row = Delivery.objects.get()
    assert row.state == Delivery.State.SENT
    ((_to, raw),) = mailbox.arrived
    ours = message_of(raw)["Message-ID"].strip("<>")

    def comes_back(number: str, message_id: str, status: str) -> None:
        said = {
            "network": "email",
            "post_id": number,
            "automatic": "bounce",
            "bounce_of": message_id,
            "status": status,
        }
        say(
            {
                "message_id": number, "name": "message_received", "ts": MONDAY, "channel": "email", "venue": "email",
                "identifier": "email:mailer-daemon@mx.example", "text": "It did not go.",
                "properties": json.dumps(said),
            }
        )  # fmt: skip

    comes_back("r1", "somebody@else.example", "5.1.1")
    comes_back("r2", f"{'0' * 32}@otter.example", "5.1.1")
    comes_back("r3", ours, "4.2.2")
    comes_back("r4", ours, "5.7.1")
    assert withholding.suppressed([row.identifier], "email", "service") == {}
    comes_back("r5", ours, "5.1.1")
    assert withholding.suppressed([row.identifier], "email", "service") == {row.identifier: "bounced"}
    row.refresh_from_db()
    assert (row.state, row.reason, row.is_told) == (Delivery.State.FAILED, "bounced", False)
    consent.lift(row.identifier, by="alice")
    comes_back("r6", ours, "5.1.1")  # the same report once more, or the log read anew
    assert withholding.suppressed([row.identifier], "email", "service") == {}
