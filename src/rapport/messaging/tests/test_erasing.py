"""Erased, somebody leaves no byte in what was sent, and the sums stay what they were."""

from __future__ import annotations

from typing import Any

from django.core import serializers

from rapport.consent import services as consent
from rapport.consent.erasers import Erasing
from rapport.consent.exporters import Exporting
from rapport.messaging import selectors
from rapport.messaging.models import Asked, Click, Confirmation, Delivery
from rapport.messaging.services import confirm_link, drain, send_many
from rapport.messaging.services.erasing import erase, sections
from rapport.messaging.tests.conftest import Mailbox
from rapport.messaging.tests.test_sending import known, letter, receipt

ANA = "email:ana@example.org"
ERASING = Erasing(subjects=(8,), identifiers=(ANA,), hashes=("h",))


def everything() -> str:
    tables = (Delivery, Confirmation, Click, Asked)
    return "".join(serializers.serialize("json", table.objects.all()) for table in tables)


def test_erasing_leaves_no_byte_and_the_sums(account: Any, mailbox: Mailbox, say: Any) -> None:
    say(*known("ana@example.org"))
    consent.grant(ANA, "marketing", "email", how="form")
    mailbox.refuse["ana@example.org"] = "450 4.2.1 <ana@example.org> come back later"
    send_many([receipt("ana@example.org", "ana-1"), receipt("bo@example.org", "bo-1")])
    send_many([letter("ana@example.org", "ana-2")])
    confirm_link(ANA, "marketing", "email", shown="form of ana", wording="")
    drain()
    before = selectors.sums()
    assert "ana@example.org" in everything()
    assert erase(ERASING) > 0
    assert "ana" not in everything()
    assert erase(ERASING) == 0
    after = selectors.sums()
    assert after.intended == before.intended
    assert after.sent == before.sent == 1
    drain()  # and what was planned for them does not leave
    assert mailbox.addresses == ["bo@example.org"]


def test_who_is_erased_while_their_message_flies_leaves_no_word_of_the_server(
    account: Any, mailbox: Mailbox
) -> None:
    from rapport.messaging.contract import Receipt
    from rapport.messaging.services import dispatching

    send_many([receipt("ana@example.org", "ana-1")])
    row = Delivery.objects.get()
    Delivery.objects.update(state=Delivery.State.SENDING)
    erase(ERASING)
    courier = dispatching.Courier("email")
    courier._note([(row, Receipt("250 <ana@example.org> taken"))])
    courier.end()
    assert "ana" not in everything()
    assert Delivery.objects.get().state == "sent"


def test_access_shows_what_was_sent_and_what_was_not(account: Any, mailbox: Mailbox) -> None:
    send_many(
        [receipt("ana@example.org", "1"), letter("ana@example.org", "2"), receipt("bo@example.org", "3")]
    )
    confirm_link(ANA, "marketing", "email", shown="/signup/marketing", wording="")
    drain()
    found = {section.title: section.rows for section in sections(Exporting((8,), (ANA,)))}
    told = {(row["message"], row["what became of it"], row["why"]) for row in found["Messages"]}
    assert told == {
        ("receipt", "sent", ""),
        ("letter", "withheld", "unknown_person"),
        ("double_opt_in", "sent", ""),
    }
    (asked,) = found["Consents you were asked to confirm"]
    assert asked["where"] == "/signup/marketing"
