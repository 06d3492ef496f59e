"""Mail: set up, tested, signed, checked; what is wrong is said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rapport.messaging import selectors
from rapport.messaging.services import accounts, drain
from rapport.messaging.tests.conftest import Mailbox, mailbox, set_up  # noqa: F401  a fixture
from rapport.web.components import sending
from rapport.web.conftest import logged_in

if TYPE_CHECKING:
    from rapport.staff.models import Staff

FORM = {
    "do": "save",
    "host": "127.0.0.1",
    "security": "none",
    "login_name": "",
    "password": "",
    "from_address": "shop@otter.example",
    "from_name": "Otter Tools",
    "reply_to": "",
    "in_flight": "4",
    "per_minute": "0",
    "timeout_s": "5",
    "postal_address": "Hauptstraße 1\r\n10115 Berlin",
}


@pytest.fixture(autouse=True)
def stores(home: Any, db: None) -> None:
    """Every test here has stores of its own."""


def test_set_up_test_and_see_the_answer(alice: Staff, mailbox: Mailbox) -> None:  # noqa: F811
    client = logged_in(alice)
    page = client.get("/mail/")
    assert b"not set up" in page.content
    answer = client.post("/mail/", FORM | {"port": str(mailbox.port)})
    assert answer.status_code == 302
    tested = client.post("/mail/", {"do": "test"})
    drain()
    page = client.get(tested["Location"].partition("#")[0])
    assert "The server took the test for alice@example.com" in page.content.decode()
    assert "&gt; RCPT TO:&lt;alice@example.com&gt;" in page.content.decode()
    assert mailbox.addresses == ["alice@example.com"]
    assert "10115 Berlin" in mailbox.arrived[0][1].decode("ascii")


def test_where_the_key_is_lost_the_password_is_entered_again(
    alice: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in(alice)
    form = FORM | {"port": "587", "security": "starttls", "host": "smtp.example.org", "login_name": "shop"}
    client.post("/mail/", form | {"password": "otter-secret"})
    monkeypatch.setenv("RAPPORT_SECRET_KEY", "another one")
    assert "cannot be read with this installation" in client.get("/mail/").content.decode()
    assert client.post("/mail/", form | {"password": "new"}).status_code == 302
    assert accounts.config("email").password == "new"


def test_a_password_is_kept_sealed_and_never_shown(alice: Staff) -> None:
    client = logged_in(alice)
    form = FORM | {"port": "587", "security": "starttls", "host": "smtp.example.org", "login_name": "shop"}
    client.post("/mail/", form | {"password": "otter-secret"})
    assert accounts.config("email").password == "otter-secret"
    assert "otter-secret" not in client.get("/mail/").content.decode()
    client.post("/mail/", form | {"port": "465"})  # left empty: it stays
    assert (accounts.config("email").password, accounts.config("email").port) == ("otter-secret", 465)
    assert "otter-secret" not in str(selectors.settings_of("email"))
    refused = client.post("/mail/", form | {"host": "mail.evil.example", "security": "tls"})
    assert "given for another server" in refused.content.decode()
    assert accounts.config("email").host == form["host"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"host": "smtp.example.org"}, "without encryption, everybody"),
        ({"host": "https://smtp.example.org", "security": "tls"}, "is no host name"),
        ({"postal_address": ""}, "This field is required"),
        ({"password": "x"}, "a password and no log-in name"),
    ],
)
def test_what_cannot_work_is_refused_in_words(alice: Staff, wrong: dict[str, str], says: str) -> None:
    page = logged_in(alice).post("/mail/", FORM | {"port": "587"} | wrong)
    assert page.status_code == 400
    assert says.lower() in page.content.decode().lower()
    assert selectors.account("email") is None


def test_a_key_is_made_and_its_record_shown_and_checked(
    alice: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = logged_in(alice)
    set_up(1)
    client.post("/mail/", {"do": "key"})
    page = client.get("/mail/").content.decode()
    record = accounts.records("email")[0]
    assert record.name.endswith("._domainkey.otter.example")
    assert record.name in page
    assert "PRIVATE" not in page
    published = {record.name: [record.value], "otter.example": ["v=spf1 ip4:192.0.2.1 -all"]}
    monkeypatch.setattr("rapport.messaging.services.dns.texts_of", lambda name: published.get(name, ()))
    checked = client.get("/mail/?check=1").content.decode()
    assert "holds our key" in checked
    assert "there is no record at _dmarc.otter.example" in checked
    published[record.name] = ["v=DKIM1; k=rsa; p=AAAA"]
    assert "holds another key" in client.get("/mail/?check=1").content.decode()


def test_trouble_is_said_with_the_servers_words(alice: Staff) -> None:
    client = logged_in(alice)
    set_up(1)
    client.post("/mail/", {"do": "test"})
    drain()
    page = client.get("/mail/").content.decode()
    assert "cannot send" in page
    assert "Nothing listens at this host and port." in page


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("535 5.7.8 Authentication failed", "log-in name or password"),
        ("[Errno 111] Connect call failed", "Nothing listens"),
        ("[Errno -2] Name or service not known", "host name is not known"),
        ("553 5.7.1 Sender address rejected", "send from this address"),
        ("smtp.example.org:587 did not answer in time", "firewall"),
        ("something else", "own words"),
    ],
)
def test_the_commonest_troubles_are_explained(answer: str, says: str) -> None:
    assert says in sending.explained(answer)


def test_the_pause_button_holds_and_lets_go(alice: Staff) -> None:
    client = logged_in(alice)
    set_up(1)
    client.post("/mail/", {"do": "pause"})
    assert "Paused by alice@example.com" in client.get("/mail/").content.decode()
    client.post("/mail/", {"do": "resume"})
    assert "Paused by" not in client.get("/mail/").content.decode()


def test_only_who_may_change_messages_can(alice: Staff, bob: Staff, charlie: Staff) -> None:
    assert logged_in(charlie).get("/mail/").status_code == 403
    assert logged_in(bob).post("/mail/", FORM | {"port": "25"}).status_code == 403
    assert selectors.account("email") is None
