"""Double opt-in from the form to the ledger, through a real SMTP server; no scanner and no resend can fake it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import dkim
import pytest
from django.test import Client

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit import clock
from rapport.messaging.services import accounts, confirm_link, drain
from rapport.messaging.tests.conftest import Mailbox, account, mailbox  # noqa: F401  fixtures
from rapport.messaging.tests.loopback import message_of, words_of

ANA = "email:ana@example.org"
START = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)

pytestmark = pytest.mark.usefixtures("account")


@pytest.fixture(autouse=True)
def start() -> Iterator[None]:
    """The clock stands still; forms are read eight seconds before they are sent."""
    with clock.frozen(START):
        yield


def opened(path: str) -> str:
    """The token of a form that somebody opened a while ago."""
    with clock.frozen(START - dt.timedelta(seconds=8)):
        page = Client().get(path).content.decode()
    token = re.search(r'name="form" value="([^"]+)"', page)
    assert token
    return token.group(1)


def links(mailbox: Mailbox) -> list[str]:  # noqa: F811
    """Every address in the text of the newest mail, as a path of ours."""
    text = words_of(mailbox.arrived[-1][1])
    return [urlsplit(url).path for url in re.findall(r"http://localhost:8000\S+", text)]


def sign_up(address: str = "ana@example.org", **more: str) -> tuple[Client, str]:
    """Read the form, wait as somebody who types does, and send it; gives where it led."""
    client = Client()
    form = {"email": address, "form": opened("/signup/marketing"), **more}
    answer = client.post("/signup/marketing", form)
    assert answer.status_code in {302, 400, 503}
    return client, answer.headers.get("Location", "")


def test_from_the_form_to_the_ledger_through_smtp(mailbox: Mailbox) -> None:  # noqa: F811
    client, where = sign_up()
    assert "on its way" in client.get(where).content.decode()
    assert not consent.allows(ANA, "marketing", "email")
    drain()
    assert mailbox.addresses == ["ana@example.org"]
    (path,) = links(mailbox)
    page = client.get(path)
    assert page.status_code == 200
    assert "Nothing has changed yet" in page.content.decode()
    assert not page.cookies
    assert not consent.allows(ANA, "marketing", "email")
    done = client.post(path)
    assert "it is confirmed" in done.content.decode()
    answer = consent.allows(ANA, "marketing", "email")
    assert answer.allowed
    assert client.post(path).status_code == 200


def test_the_grant_says_what_was_shown_and_how(mailbox: Mailbox) -> None:  # noqa: F811
    sign_up()
    drain()
    Client().post(links(mailbox)[0])
    (entry,) = [e for e in consent.ledger(ANA) if e.state == "granted"]
    assert entry.how == "confirmed"
    assert entry.shown.endswith("/signup/marketing")


def test_an_old_link_cannot_undo_a_withdrawal(mailbox: Mailbox) -> None:  # noqa: F811
    sign_up()
    drain()
    (path,) = links(mailbox)
    Client().post(path)
    services.withdraw(ANA, "marketing", "email", how="one_click")
    Client().post(path)
    assert consent.allows(ANA, "marketing", "email").reason == "withdrawn"


def test_a_link_works_for_seven_days(mailbox: Mailbox) -> None:  # noqa: F811
    confirm_link(ANA, "marketing", "email", shown="form", wording="")
    drain()
    (path,) = links(mailbox)
    with clock.frozen(START + dt.timedelta(days=7, seconds=1)):
        late = Client().post(path)
    assert late.status_code == 403
    assert not consent.allows(ANA, "marketing", "email")
    with clock.frozen(START + dt.timedelta(days=6)):
        assert Client().post(path).status_code == 200
        assert consent.allows(ANA, "marketing", "email").allowed


def test_get_and_head_of_every_link_thrice_changes_no_consent(mailbox: Mailbox) -> None:  # noqa: F811
    sign_up()
    drain()
    before = consent.ledger(ANA)
    for _ in range(3):
        for path in links(mailbox):
            assert Client().get(path).status_code == 200
            assert Client().head(path).status_code == 200
    assert consent.ledger(ANA) == before
    assert not consent.allows(ANA, "marketing", "email")


@pytest.mark.parametrize("trick", [{"website": "http://spam.example"}, {"form": "made-up"}, {"form": ""}])
def test_a_program_is_told_the_same_and_nothing_is_sent(trick: dict[str, str], mailbox: Mailbox) -> None:  # noqa: F811
    honest = sign_up("bo@example.org")[1]
    drain()
    assert sign_up(**trick)[1] == honest
    drain()
    assert mailbox.addresses == ["bo@example.org"]


def test_who_sends_the_form_at_once_is_a_program(mailbox: Mailbox) -> None:  # noqa: F811
    client = Client()
    page = client.get("/signup/marketing").content.decode()
    token = re.search(r'name="form" value="([^"]+)"', page)
    assert token
    client.post("/signup/marketing", {"email": "ana@example.org", "form": token.group(1)})
    drain()
    assert mailbox.arrived == []


def test_known_and_unknown_addresses_get_the_same_answer(mailbox: Mailbox) -> None:  # noqa: F811
    services.grant(ANA, "marketing", "email", how="form")
    assert sign_up("ana@example.org")[1] == sign_up("nobody@example.org")[1]


def test_one_address_gets_at_most_three_a_day(mailbox: Mailbox) -> None:  # noqa: F811
    where = {sign_up()[1] for _ in range(5)}
    assert len(where) == 1  # and whoever types it is not told
    drain()
    assert len(mailbox.arrived) == 3


def test_one_network_cannot_sign_up_a_list(mailbox: Mailbox) -> None:  # noqa: F811
    for i in range(20):
        sign_up(f"p{i}@example.org")
    _client, where = sign_up("p20@example.org")
    assert where == ""
    drain()
    assert len(mailbox.arrived) == 20


@pytest.mark.parametrize("purpose", ["service", "analytics", "nothing"])
def test_nobody_signs_up_for_what_needs_no_consent(purpose: str) -> None:
    assert Client().get(f"/signup/{purpose}").status_code == 404


def test_the_message_comes_in_the_language_of_the_form(mailbox: Mailbox) -> None:  # noqa: F811
    path = "/signup/marketing?lang=de"
    Client().post(path, {"email": "ana@example.org", "form": opened(path)})
    drain()
    assert message_of(mailbox.arrived[0][1])["Content-Language"] == "de"


def test_the_signature_is_verified_by_dkimpy_from_what_arrived(mailbox: Mailbox) -> None:  # noqa: F811
    accounts.make_keys("email")
    record = accounts.records("email")[0]
    confirm_link(ANA, "marketing", "email", shown="form", wording="")
    drain()
    raw = mailbox.arrived[0][1]

    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name.decode().rstrip(".") == record.name
        return record.value.encode()

    assert dkim.verify(raw, dnsfunc=dns)
    assert not dkim.verify(raw.replace(b"Otter Tools <", b"Badger Tools <"), dnsfunc=dns)
