"""Nothing leaves by accident: only to a registered host, for its purpose, with its fields."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from http import server as http_server
from typing import Any

import pytest

from rapport.consent import outbound, selectors
from rapport.consent.selectors.recipients import recipient, recipients_at
from rapport.consent.services import recipients as services
from rapport.kit import clock
from rapport.kit.errors import Conflict, Denied, Invalid, NotFound

pytestmark = pytest.mark.django_db


def register(host: str = "print.example", **changes: Any) -> int:
    entry = {
        "name": "Otter Print",
        "kind": "mail_house",
        "host": host,
        "fields": ["name", "postcode", "city"],
        "purpose": "marketing",
        "by": "alice@example.com",
    }
    return services.register_recipient(**entry | changes)


class Receiver:
    """A recipient's own server on loopback."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        outer = self

        class Handler(http_server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers.get("content-length") or 0)))
                self.send_response(307 if self.path == "/on" else 200)
                if self.path == "/on":
                    self.send_header("Location", f"http://localhost:{outer.port}/")
                self.send_header("content-length", "0")
                self.end_headers()

            do_POST = answer  # noqa: N815  the library's name

            def log_message(self, *_given: object) -> None:
                """Say nothing."""

        self._server = http_server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("RAPPORT_OUTBOUND_LOOPBACK", "1")
    made = Receiver()
    yield made
    made.close()


def never(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host}:{port} was looked up")


def test_who_is_not_registered_gets_nothing_and_is_not_even_looked_up() -> None:
    with pytest.raises(Denied, match="not a registered recipient"):
        outbound.send(
            "https://print.example/", purpose="marketing", fields=["name"], body=b"Ana", resolver=never
        )


def test_registered_fields_leave_for_the_registered_purpose(receiver: Receiver, noon: dt.datetime) -> None:
    number = register(f"127.0.0.1:{receiver.port}")
    answer = outbound.send(
        f"http://127.0.0.1:{receiver.port}/", purpose="marketing", fields=["name"], body=b"Ana"
    )
    assert answer.status == 200
    assert receiver.bodies == [b"Ana"]
    entry = recipient(number)
    assert (entry.n_sent, entry.last_sent_at, entry.since) == (1, noon, noon)


@pytest.mark.parametrize(
    ("purpose", "fields", "said"),
    [
        ("research", ["name"], "registered for marketing, not for research"),
        ("marketing", ["name", "email", "birth_date"], "may not get birth_date, email"),
    ],
)
def test_another_purpose_or_one_field_more_is_refused(
    receiver: Receiver, purpose: str, fields: list[str], said: str
) -> None:
    number = register(f"127.0.0.1:{receiver.port}")
    with pytest.raises(Denied, match=said):
        outbound.send(f"http://127.0.0.1:{receiver.port}/", purpose=purpose, fields=fields, body=b"Ana")
    assert receiver.bodies == []
    assert recipient(number).n_sent == 0


def test_a_recipient_cannot_pass_it_on_by_a_redirect(receiver: Receiver) -> None:
    register(f"127.0.0.1:{receiver.port}")
    with pytest.raises(Denied):
        outbound.send(
            f"http://127.0.0.1:{receiver.port}/on", purpose="marketing", fields=["name"], body=b"Ana"
        )
    assert len(receiver.bodies) == 1


def test_being_registered_opens_no_way_into_a_private_network() -> None:
    register("10.0.0.5")
    with pytest.raises(Denied, match="not in the public internet"):
        outbound.send("https://10.0.0.5/", purpose="marketing", fields=["name"], body=b"Ana")


def test_an_entry_that_ended_stays_on_record_and_gets_nothing(noon: dt.datetime) -> None:
    number = register()
    with clock.frozen(noon + dt.timedelta(days=1)):
        services.end_recipient(number)
    with pytest.raises(Denied):
        outbound.check("print.example", "marketing", ["name"])
    assert selectors.recipients() == []
    (ended,) = selectors.recipients(ended=True)
    assert (ended.id, ended.until) == (number, noon + dt.timedelta(days=1))
    with pytest.raises(Conflict):
        services.end_recipient(number)
    again = register()
    assert [e.id for e in recipients_at("print.example")] == [again]


@pytest.mark.parametrize(
    "host", ["Print.Example", "https://print.example/a?b", "print.example.", "print.example:443"]
)
def test_a_host_has_one_spelling(host: str) -> None:
    register(host)
    outbound.check("print.example", "marketing", ["postcode"])
    with pytest.raises(Conflict, match="registered for marketing already"):
        register("print.example")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "friend"},
        {"name": " "},
        {"purpose": "resale"},
        {"fields": []},
        {"fields": ["e-mail"]},
        {"host": "print example"},
        {"host": "0x7f.1"},
        {"host": "me@print.example"},
        {"host": ""},
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_in_words(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        register(**changes)
    assert caught.value.hint
    assert selectors.recipients() == []


def test_no_entry_is_said_in_words() -> None:
    with pytest.raises(NotFound):
        recipient(404)
